/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define STATE_DIR "/var/lib/virt-refpoint"
#define OPEN_TRIES 3
#define OPEN_PAUSE_US (150 * G_TIME_SPAN_MILLISECOND)

#define DAEMON_TIMEOUT_DEFAULT 60
#define DAEMON_TIMEOUT_MAX 3600
/* A daemon that dies of what it is asked is not asked for ever. */
#define REOPEN_MAX 5
#define CALM_US (60 * G_USEC_PER_SEC)

/* libvirt prints errors to stderr unless a handler is there; per connection,
 * so that the program's own handler stays as it is. */
static void
keep_quiet(void *opaque G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

void
refpoint_silence_libvirt(void)
{
    virSetErrorFunc(NULL, keep_quiet);
}

/* "qemu:///system" and "qemu+unix:///session" are local; a host name, or any
 * other transport, is not. */
static gboolean
uri_is_local(const char *uri)
{
    const char *rest = NULL;

    if (g_str_has_prefix(uri, "qemu+unix://"))
        rest = uri + strlen("qemu+unix://");
    else if (g_str_has_prefix(uri, "qemu://"))
        rest = uri + strlen("qemu://");
    return rest != NULL && *rest == '/';
}

static gboolean
check_driver(virConnectPtr virt, const char *uri, GError **error)
{
    const char *type = virConnectGetType(virt);

    if (type == NULL || strcmp(type, "QEMU") != 0) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("'%s' is served by the %s driver of libvirt, which "
                        "has no backup jobs"),
                      uri, type ? type : "?");
        rfp_error_add_way_out(error, _("connect to qemu:///system or "
                                       "qemu:///session"));
        return FALSE;
    }
    if (!uri_is_local(uri)) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("'%s' is on another host: the data of a guest is read "
                        "over a Unix socket beside it"),
                      uri);
        rfp_error_add_way_out(error, _("run virt-refpoint on that host"));
        return FALSE;
    }
    return TRUE;
}

static void
find_folders(RefpointConnection *conn)
{
    conn->system = g_str_has_suffix(conn->uri, "/system");
    if (conn->system) {
        conn->records_dir = g_strdup(STATE_DIR "/records");
        conn->scratch_dir = g_strdup(STATE_DIR "/scratch");
        return;
    }
    conn->records_dir =
        g_build_filename(g_getenv("XDG_STATE_HOME") ?
                             g_getenv("XDG_STATE_HOME") :
                             g_get_home_dir(),
                         g_getenv("XDG_STATE_HOME") ? "" : ".local/state",
                         "virt-refpoint", "records", NULL);
    conn->scratch_dir = g_build_filename(g_get_user_cache_dir(),
                                         "virt-refpoint", "scratch", NULL);
    conn->runtime_dir =
        g_build_filename(g_get_user_runtime_dir(), "virt-refpoint", NULL);
}

/* A daemon that is being restarted still takes connections as it goes, and then
 * resets them. */
static virConnectPtr
open_patiently(const char *uri)
{
    virConnectPtr virt = virConnectOpen(uri);

    for (guint i = 1; i < OPEN_TRIES && virt == NULL; i++) {
        virErrorPtr last = virGetLastError();

        if (last == NULL || last->domain != VIR_FROM_RPC)
            break;
        g_usleep(OPEN_PAUSE_US);
        virt = virConnectOpen(uri);
    }
    return virt;
}

RefpointConnection *
refpoint_connection_open(const char *uri, GError **error)
{
    g_autoptr(RefpointConnection) conn = g_new0(RefpointConnection, 1);
    const char *shown = uri ? uri : _("the default URI");
    char *canonical = NULL;

    g_mutex_init(&conn->lock);
    conn->virt = open_patiently(uri);
    if (conn->virt == NULL) {
        rfp_virt_error_set(error, shown, _("cannot connect to libvirt at %s"),
                           shown);
        if (error != NULL && (*error)->code != REFPOINT_ERROR_ACCESS_DENIED)
            (*error)->code = REFPOINT_ERROR_NOT_AVAILABLE;
        rfp_error_add_way_out(error, _("is the daemon running? Try: virsh -c "
                                       "%s uri"),
                              uri ? uri : "qemu:///system");
        return NULL;
    }
    virConnSetErrorFunc(conn->virt, NULL, keep_quiet);
    canonical = virConnectGetURI(conn->virt);
    conn->uri = g_strdup(canonical ? canonical : "");
    free(canonical);
    if (!check_driver(conn->virt, conn->uri, error))
        return NULL;
    find_folders(conn);
    return g_steal_pointer(&conn);
}

void
refpoint_connection_free(RefpointConnection *conn)
{
    if (conn == NULL)
        return;
    if (conn->virt != NULL)
        virConnectClose(conn->virt);
    g_mutex_clear(&conn->lock);
    g_free(conn->uri);
    g_free(conn->records_dir);
    g_free(conn->scratch_dir);
    g_free(conn->runtime_dir);
    g_free(conn);
}

/* ---- A daemon that was restarted ------------------------------------------------ */

virConnectPtr
rfp_connection_ref(RefpointConnection *conn)
{
    virConnectPtr virt = NULL;

    g_mutex_lock(&conn->lock);
    virt = conn->virt;
    virConnectRef(virt);
    g_mutex_unlock(&conn->lock);
    return virt;
}

static gint64
daemon_timeout_us(void)
{
    const char *text = g_getenv("REFPOINT_DAEMON_TIMEOUT");
    guint64 seconds = DAEMON_TIMEOUT_DEFAULT;

    if (text != NULL)
        g_ascii_string_to_unsigned(text, 10, 0, DAEMON_TIMEOUT_MAX, &seconds,
                                   NULL);
    return (gint64)seconds * G_USEC_PER_SEC;
}

/* The former one is freed with the last thing that was looked up over it. */
static void
take_fresh(RefpointConnection *conn, virConnectPtr fresh)
{
    const gint64 now = g_get_monotonic_time();

    virConnSetErrorFunc(fresh, NULL, keep_quiet);
    virConnectClose(conn->virt);
    conn->virt = fresh;
    conn->n_reopened =
        now - conn->reopened_at < CALM_US ? conn->n_reopened + 1 : 1;
    conn->reopened_at = now;
    conn->lost_at = 0;
}

/* One try. *@again: another one makes sense. */
static gboolean
try_reopen(RefpointConnection *conn, gboolean *again)
{
    const gint64 now = g_get_monotonic_time();
    virConnectPtr fresh = NULL;

    *again = FALSE;
    if (virConnectIsAlive(conn->virt) == 1)
        return TRUE;
    if (conn->lost_at == 0)
        conn->lost_at = now;
    if (conn->n_reopened >= REOPEN_MAX && now - conn->reopened_at < CALM_US)
        return FALSE;
    fresh = virConnectOpen(conn->uri);
    if (fresh != NULL)
        take_fresh(conn, fresh);
    *again = now - conn->lost_at < daemon_timeout_us();
    return fresh != NULL;
}

static gboolean
reopen(RefpointConnection *conn, gboolean wait, const gint *cancel)
{
    for (;;) {
        gboolean again = FALSE;
        gboolean there = FALSE;

        g_mutex_lock(&conn->lock);
        there = try_reopen(conn, &again);
        g_mutex_unlock(&conn->lock);
        if (there || !wait || !again ||
            (cancel != NULL && g_atomic_int_get(cancel)))
            return there;
        g_usleep(OPEN_PAUSE_US);
    }
}

static gint
seconds_lost(RefpointConnection *conn)
{
    gint64 us = 0;

    g_mutex_lock(&conn->lock);
    if (conn->lost_at != 0)
        us = g_get_monotonic_time() - conn->lost_at;
    g_mutex_unlock(&conn->lock);
    return (gint)(us / G_USEC_PER_SEC);
}

gboolean
rfp_connection_again(RefpointConnection *conn,
                     virConnectPtr virt,
                     gboolean wait,
                     const gint *cancel,
                     const char *object,
                     GError **error)
{
    gboolean there = FALSE;

    /* known without asking: the call has found it out */
    if (virConnectIsAlive(virt) == 1)
        return FALSE;
    there = reopen(conn, wait, cancel);
    g_clear_error(error);
    if (there)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_AVAILABLE,
                  _("cannot reach '%s': libvirt's daemon has gone away, and is "
                    "not back after %d s"),
                  object, seconds_lost(conn));
    rfp_error_add_object(error, object);
    rfp_error_add_way_out(error,
                          _("start it again (see with: virsh -c %s uri), then "
                            "repeat this command"),
                          conn->uri);
    return FALSE;
}
