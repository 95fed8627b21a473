/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "connection.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define STATE_DIR "/var/lib/virt-refpoint"
#define OPEN_TRIES 3
#define OPEN_PAUSE_US (150 * G_TIME_SPAN_MILLISECOND)

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
    g_free(conn->uri);
    g_free(conn->records_dir);
    g_free(conn->scratch_dir);
    g_free(conn->runtime_dir);
    g_free(conn);
}
