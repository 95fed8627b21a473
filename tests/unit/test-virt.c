/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The causes of libvirt's errors: a row for every code of the headers. */
#define VIR_ENUM_SENTINELS
#include "virt/virt.h"

#include <errno.h>

#include "base/error.h"
#include "virt/domain.h"

#define FAILED REFPOINT_ERROR_FAILED
#define DENIED REFPOINT_ERROR_ACCESS_DENIED
#define UNSUPPORTED REFPOINT_ERROR_NOT_SUPPORTED
#define PARAMETER REFPOINT_ERROR_INVALID_PARAMETER
#define IN_USE REFPOINT_ERROR_IN_USE
#define STATE REFPOINT_ERROR_INVALID_STATE
#define UNAVAILABLE REFPOINT_ERROR_NOT_AVAILABLE

/* What is not here is FAILED, VIR_ERR_INVALID_ARG and its kin, too. */
static const struct {
    int code;
    RefpointError cause;
} rows[] = {
    {VIR_ERR_NO_MEMORY, REFPOINT_ERROR_NO_MEMORY},
    {VIR_ERR_OPERATION_DENIED, DENIED},
    {VIR_ERR_AUTH_FAILED, DENIED},
    {VIR_ERR_AUTH_CANCELLED, DENIED},
    {VIR_ERR_AUTH_UNAVAILABLE, DENIED},
    {VIR_ERR_ACCESS_DENIED, DENIED},
    {VIR_ERR_NO_SUPPORT, UNSUPPORTED},
    {VIR_ERR_CONFIG_UNSUPPORTED, UNSUPPORTED},
    {VIR_ERR_ARGUMENT_UNSUPPORTED, UNSUPPORTED},
    {VIR_ERR_OPERATION_UNSUPPORTED, UNSUPPORTED},
    {VIR_ERR_OPERATION_TIMEOUT, REFPOINT_ERROR_TIMEOUT},
    /* whatever the header knows */
    {112, REFPOINT_ERROR_TIMEOUT}, /* VIR_ERR_AGENT_COMMAND_TIMEOUT */
    {113, STATE},                  /* VIR_ERR_AGENT_COMMAND_FAILED */
    {VIR_ERR_NO_DOMAIN, PARAMETER},
    {VIR_ERR_NO_DOMAIN_SNAPSHOT, PARAMETER},
    {VIR_ERR_NO_DOMAIN_CHECKPOINT, PARAMETER},
    {VIR_ERR_MULTIPLE_DOMAINS, PARAMETER},
    {VIR_ERR_BLOCK_COPY_ACTIVE, IN_USE},
    {VIR_ERR_RESOURCE_BUSY, IN_USE},
    {VIR_ERR_OPERATION_INVALID, STATE},
    {VIR_ERR_AGENT_UNRESPONSIVE, STATE},
    {VIR_ERR_AGENT_UNSYNCED, STATE},
    {VIR_ERR_NO_DOMAIN_BACKUP, STATE},
    {VIR_ERR_CHECKPOINT_INCONSISTENT, STATE},
    {VIR_ERR_UNKNOWN_HOST, UNAVAILABLE},
    {VIR_ERR_NO_CONNECT, UNAVAILABLE},
    {VIR_ERR_RPC, UNAVAILABLE},
    {VIR_ERR_GNUTLS_ERROR, UNAVAILABLE},
    {VIR_ERR_SSH, UNAVAILABLE},
    {VIR_ERR_LIBSSH, UNAVAILABLE},
};

static RefpointError
expected(int code)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].code == code)
            return rows[i].cause;
    return FAILED;
}

static void
test_codes(void)
{
    for (int code = -1; code <= VIR_ERR_NUMBER_LAST + 10; code++) {
        g_test_message("code %d", code);
        g_assert_cmpint(rfp_virt_cause(code), ==, expected(code));
    }
}

/* Messages as libvirt 9.0 has them. */
static const struct {
    int code;
    const char *text;
    int errnum;
    RefpointError cause;
} texts[] = {
    {VIR_ERR_INTERNAL_ERROR, NULL, 0, FAILED},
    {VIR_ERR_INTERNAL_ERROR, "internal error: something", 0, FAILED},
    {VIR_ERR_INTERNAL_ERROR,
     "internal error: unable to execute QEMU command 'transaction': Bitmap "
     "already exists: p",
     0, STATE},
    {VIR_ERR_INTERNAL_ERROR,
     "internal error: bitmap 'p' not found in backing chain of 'vda'", 0,
     STATE},
    {VIR_ERR_INTERNAL_ERROR,
     "internal error: unable to execute QEMU command 'block-dirty-bitmap-"
     "merge': Bitmaps are of different sizes (destination size is 1, source "
     "size is 2) and can't be merged",
     0, STATE},
    {VIR_ERR_INTERNAL_ERROR,
     "internal error: unable to execute QEMU command 'transaction': Can't make "
     "bitmap 'p' persistent in 'libvirt-2-format': Cannot store dirty bitmaps "
     "in qcow2 v2 files",
     0, UNSUPPORTED},
    {VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported: other", 0,
     UNSUPPORTED},
    {VIR_ERR_OPERATION_TIMEOUT,
     "Timed out during operation: cannot acquire state change lock (held by "
     "monitor=x)",
     0, IN_USE},
    {VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation", 0,
     REFPOINT_ERROR_TIMEOUT},
    {VIR_ERR_SYSTEM_ERROR, "cannot open", EACCES, DENIED},
    {VIR_ERR_SYSTEM_ERROR, "cannot open", EPERM, DENIED},
    {VIR_ERR_SYSTEM_ERROR, "cannot open", ENOENT, FAILED},
    {VIR_ERR_OPERATION_FAILED, "Bitmap already exists", 0, FAILED},
    {VIR_ERR_INVALID_ARG,
     "invalid argument: name in virGetDomainCheckpoint must not be NULL", 0,
     FAILED},
};

static void
test_texts(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        virError error = {
            .code = texts[i].code,
            .message = (char *)texts[i].text,
            .int1 = texts[i].errnum,
        };

        g_test_message("%s", texts[i].text != NULL ? texts[i].text : "none");
        g_assert_cmpint(rfp_virt_cause_of(&error), ==, texts[i].cause);
    }
}

/* Whatever language the user has: "client socket is closed". */
static void
test_connection(void)
{
    virError error = {
        .code = VIR_ERR_INTERNAL_ERROR,
        .domain = VIR_FROM_RPC,
        .message = (char *)"erreur interne : le socket du client est ferme",
    };

    g_assert_cmpint(rfp_virt_cause_of(&error), ==, UNAVAILABLE);
    error.code = VIR_ERR_SYSTEM_ERROR;
    g_assert_cmpint(rfp_virt_cause_of(&error), ==, UNAVAILABLE);
    error.domain = VIR_FROM_QEMU;
    g_assert_cmpint(rfp_virt_cause_of(&error), ==, FAILED);
}

/* An error that libvirt really makes: its test driver has no such domain. */
static void
test_origin(void)
{
    virConnectPtr conn = NULL;
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    refpoint_silence_libvirt();
    conn = virConnectOpen("test:///default");
    if (conn == NULL) {
        g_test_skip("libvirt has no test driver");
        return;
    }
    domain = virDomainLookupByName(conn, "nobody");
    g_assert_null(domain);
    rfp_virt_error_set(&error, "nobody", "cannot find '%s'", "nobody");
    virConnectClose(conn);
    g_assert_error(error, REFPOINT_ERROR, PARAMETER);
    failure = refpoint_failure_new(error);
    g_assert_cmpint(failure->libvirt_code, ==, VIR_ERR_NO_DOMAIN);
    g_assert_cmpint(failure->libvirt_domain, ==, VIR_FROM_TEST);
    g_assert_nonnull(failure->libvirt_text);
    g_assert_cmpstr(failure->object, ==, "nobody");
    g_assert_true(g_str_has_prefix(failure->message, "cannot find 'nobody': "));
}

static void
test_no_origin(void)
{
    g_autoptr(GError) error = NULL;

    virResetLastError();
    rfp_virt_error_set(&error, NULL, "no reason");
    g_assert_error(error, REFPOINT_ERROR, FAILED);
    g_assert_cmpint(rfp_error_libvirt_code(error), ==, 0);
}

/* ---- All domains --------------------------------------------------------- */

/* Looks for @opaque, the name of a domain that is not there; NULL: for none. */
static gboolean
look_for(RfpDomain *domain, gpointer opaque, GError **error)
{
    g_autoptr(virConnect) virt = rfp_connection_ref(domain->conn);
    g_autoptr(virDomain) found = NULL;

    g_assert_cmpstr(domain->name, ==, "test");
    if (opaque == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_IN_USE, "no");
        return FALSE;
    }
    found = virDomainLookupByName(virt, opaque);
    g_assert_null(found);
    rfp_virt_error_set(error, opaque, "it went away");
    return FALSE;
}

/* One that goes away meanwhile is none; any other failure is that of all. */
static void
test_each(void)
{
    char name[] = "nobody";
    RefpointConnection conn = {.uri = (char *)"test:///default"};
    g_autoptr(GError) error = NULL;

    refpoint_silence_libvirt();
    conn.virt = virConnectOpen(conn.uri);
    if (conn.virt == NULL) {
        g_test_skip("libvirt has no test driver");
        return;
    }
    g_assert_true(rfp_domain_each(&conn, look_for, name, &error));
    g_assert_no_error(error);
    g_assert_false(rfp_domain_each(&conn, look_for, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, IN_USE);
    virConnectClose(conn.virt);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);
    g_test_add_func("/virt/codes", test_codes);
    g_test_add_func("/virt/texts", test_texts);
    g_test_add_func("/virt/connection", test_connection);
    g_test_add_func("/virt/origin", test_origin);
    g_test_add_func("/virt/no-origin", test_no_origin);
    g_test_add_func("/virt/each", test_each);
    return g_test_run();
}
