/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"

#include <errno.h>
#include <string.h>

static RefpointFailure *
failure_of(const GError *error)
{
    RefpointFailure *failure = refpoint_failure_new(error);

    g_assert_nonnull(failure);
    g_assert_null(strchr(failure->message, '\x1f'));
    return failure;
}

static void
test_plain(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    rfp_error_set(&error, REFPOINT_ERROR_IN_USE, "busy with %d", 7);
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_assert_cmpstr(error->message, ==, "busy with 7");
    failure = failure_of(error);
    g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_IN_USE);
    g_assert_cmpstr(failure->message, ==, "busy with 7");
    g_assert_null(failure->object);
    g_assert_null(failure->way_out);
    g_assert_null(failure->libvirt_text);
    g_assert_cmpint(failure->errnum, ==, 0);
    g_assert_cmpint(failure->libvirt_code, ==, 0);
}

/* Everything survives the way up. */
static void
test_origin(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) copy = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    rfp_error_set_origin(&error, REFPOINT_ERROR_INVALID_STATE, 55, 10,
                         "not\x1f valid\n", "cannot begin");
    rfp_error_add_way_out(&error, "start %s", "it\x1f");
    rfp_error_add_object(&error, "vda");
    rfp_error_add_object(&error, "second object");
    rfp_error_add_way_out(&error, "second way");
    rfp_error_prefix(&error, "export of '%s'", "vm\x1f");
    copy = g_error_copy(error);
    g_assert_cmpint(rfp_error_libvirt_code(copy), ==, 55);
    failure = failure_of(copy);
    g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_INVALID_STATE);
    g_assert_cmpstr(failure->message, ==,
                    "export of 'vm?': cannot begin: not? valid ");
    g_assert_cmpstr(failure->object, ==, "vda");
    g_assert_cmpstr(failure->way_out, ==, "start it?");
    g_assert_cmpint(failure->libvirt_code, ==, 55);
    g_assert_cmpint(failure->libvirt_domain, ==, 10);
    g_assert_cmpstr(failure->libvirt_text, ==, "not? valid ");
    rfp_error_make_plain(error);
    g_assert_cmpstr(error->message, ==, failure->message);
    rfp_error_make_plain(error);
    g_assert_cmpint(rfp_error_libvirt_code(error), ==, 0);
}

typedef struct {
    int errnum;
    RefpointError cause;
    RefpointError path_cause; /* of a path that the caller named */
    gboolean way_out;
} Errno;

static const Errno errnos[] = {
    {EACCES, REFPOINT_ERROR_ACCESS_DENIED, REFPOINT_ERROR_ACCESS_DENIED, FALSE},
    {EPERM, REFPOINT_ERROR_ACCESS_DENIED, REFPOINT_ERROR_ACCESS_DENIED, FALSE},
    {EROFS, REFPOINT_ERROR_ACCESS_DENIED, REFPOINT_ERROR_ACCESS_DENIED, FALSE},
    {ENOMEM, REFPOINT_ERROR_NO_MEMORY, REFPOINT_ERROR_NO_MEMORY, FALSE},
    {ENOENT, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_INVALID_PARAMETER, FALSE},
    {ENOTDIR, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_INVALID_PARAMETER, FALSE},
    {ENAMETOOLONG, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_INVALID_PARAMETER,
     FALSE},
    {ELOOP, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_INVALID_PARAMETER, FALSE},
    {EIO, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_FAILED, FALSE},
    {ENOSPC, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_FAILED, TRUE},
    {EDQUOT, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_FAILED, TRUE},
    {EMFILE, REFPOINT_ERROR_FAILED, REFPOINT_ERROR_FAILED, TRUE},
};

static void
test_errno(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(errnos); i++) {
        const Errno *row = &errnos[i];
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) path_error = NULL;
        g_autoptr(RefpointFailure) failure = NULL;

        rfp_error_set_errno(&error, row->errnum, "at %s", "x");
        rfp_error_set_path_errno(&path_error, row->errnum, "at %s", "x");
        g_assert_error(error, REFPOINT_ERROR, (int)row->cause);
        g_assert_error(path_error, REFPOINT_ERROR, (int)row->path_cause);
        failure = failure_of(error);
        g_assert_cmpint(failure->errnum, ==, row->errnum);
        g_assert_true(g_str_has_prefix(failure->message, "at x: "));
        g_assert_true(
            g_str_has_suffix(failure->message, g_strerror(row->errnum)));
        g_assert_true((failure->way_out != NULL) == row->way_out);
    }
}

/* Only what this process lacks, also behind a prefix. */
static void
test_limit(void)
{
    static const struct {
        int errnum;
        gboolean limit;
    } rows[] = {
        {EMFILE, TRUE}, {ENFILE, TRUE},  {ENOMEM, TRUE},
        {EIO, FALSE},   {ENOENT, FALSE}, {EACCES, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        rfp_error_set_errno(&error, rows[i].errnum, "at %s", "x");
        rfp_error_prefix(&error, "disk");
        g_assert_cmpint(rfp_error_is_limit(error), ==, rows[i].limit);
    }
    g_assert_false(rfp_error_is_limit(NULL));
}

/* Errors of others, and none at all. */
static void
test_foreign(void)
{
    g_autoptr(GError) error =
        g_error_new(G_FILE_ERROR, G_FILE_ERROR_NOENT, "gone\n");
    g_autoptr(RefpointFailure) failure = failure_of(error);
    g_autoptr(RefpointFailure) none = refpoint_failure_new(NULL);

    g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_FAILED);
    g_assert_cmpstr(failure->message, ==, "gone ");
    g_assert_cmpint(none->cause, ==, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(none->message);
    g_assert_cmpint(rfp_error_libvirt_code(error), ==, 0);
    g_assert_cmpint(rfp_error_libvirt_code(NULL), ==, 0);
    refpoint_failure_free(NULL);
}

static void
test_null(void)
{
    g_autoptr(GError) empty = NULL;

    rfp_error_set(NULL, REFPOINT_ERROR_FAILED, "x");
    rfp_error_set_errno(NULL, ENOSPC, "x");
    rfp_error_set_origin(NULL, REFPOINT_ERROR_FAILED, 1, 1, NULL, "x");
    rfp_error_add_object(NULL, "x");
    rfp_error_add_object(&empty, "x");
    rfp_error_add_way_out(&empty, "x");
    rfp_error_prefix(&empty, "x");
    rfp_error_make_plain(NULL);
    g_assert_null(empty);
}

static void
test_clean(void)
{
    static const char *const rows[][2] = {
        {"plain", "plain"},
        {"a\nb\tc", "a b c"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"\xc2\x9b"
         "1m",
         "?1m"},
        {"\xc3\xbc", "\xc3\xbc"},
        {"\xff", "\xef\xbf\xbd"},
        {"", ""},
    };
    g_autofree char *none = rfp_text_clean(NULL);

    g_assert_cmpstr(none, ==, "");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *clean = rfp_text_clean(rows[i][0]);

        g_assert_cmpstr(clean, ==, rows[i][1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/plain", test_plain);
    g_test_add_func("/error/origin", test_origin);
    g_test_add_func("/error/errno", test_errno);
    g_test_add_func("/error/limit", test_limit);
    g_test_add_func("/error/foreign", test_foreign);
    g_test_add_func("/error/null", test_null);
    g_test_add_func("/error/clean", test_clean);
    return g_test_run();
}
