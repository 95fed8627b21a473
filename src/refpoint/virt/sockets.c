/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/sockets.h"
#include "base/files.h"
#include "base/text.h"

#include <string.h>
#include <sys/un.h>

#define LIBVIRT_DOMAIN_DIR "/var/lib/libvirt/qemu"

/*
 * The domain's private directory of the system daemon: the one place that the
 * AppArmor profile of Debian and Ubuntu lets QEMU make a socket in. libvirt
 * shortens long names in it, the id is enough.
 */
static char *
domain_dir(RfpDomain *domain, gint id, GError **error)
{
    g_autofree char *prefix = g_strdup_printf("domain-%d-", id);
    g_autoptr(GError) local = NULL;
    g_autoptr(GDir) dir = g_dir_open(LIBVIRT_DOMAIN_DIR, 0, &local);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, prefix))
            return g_build_filename(LIBVIRT_DOMAIN_DIR, name, NULL);
    if (local != NULL &&
        !g_error_matches(local, G_FILE_ERROR, G_FILE_ERROR_NOENT))
        rfp_error_set(error, REFPOINT_ERROR_ACCESS_DENIED,
                      _("cannot reach the private directory of domain '%s': "
                        "%s"),
                      domain->name, local->message);
    else
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("domain '%s' has no private directory in '%s'"),
                      domain->name, LIBVIRT_DOMAIN_DIR);
    rfp_error_add_way_out(error, _("run it as root (sudo)"));
    return NULL;
}

/* @suffix: tells the sockets of the members of a group from one another. */
static char *
socket_in(const char *dir, const char *guid, const char *suffix, GError **error)
{
    g_autofree char *path =
        g_strdup_printf("%s/refpoint-%.8s%s.sock", dir, guid, suffix);

    if (strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return g_steal_pointer(&path);
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("the path of the socket is too long: '%s'"), path);
    rfp_error_add_way_out(error, _("set XDG_RUNTIME_DIR to a shorter path"));
    return NULL;
}

char *
rfp_socket_of_job(RefpointConnection *conn,
                  RfpDomain *domain,
                  gint id,
                  const char *guid,
                  GError **error)
{
    g_autofree char *dir = NULL;
    g_autofree char *suffix = NULL;

    if (!conn->system) {
        suffix = g_strdup_printf("-%d", id);
        return rfp_make_dirs(conn->runtime_dir, 0700, error)
                   ? socket_in(conn->runtime_dir, guid, suffix, error)
                   : NULL;
    }
    dir = domain_dir(domain, id, error);
    return dir != NULL ? socket_in(dir, guid, "", error) : NULL;
}

char *
rfp_socket_of_ours(RefpointConnection *conn, const char *guid, GError **error)
{
    /* of the system daemon there is no other folder that is ours alone */
    const char *dir = conn->system ? conn->records_dir : conn->runtime_dir;

    if (!rfp_make_dirs(dir, 0700, error))
        return NULL;
    return socket_in(dir, guid, "", error);
}
