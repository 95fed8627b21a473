/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/image-server.h"
#include "base/files.h"
#include "base/text.h"
#include "image/image-bitmap.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_US (30 * G_USEC_PER_SEC)
#define POLL_US (10 * 1000)
#define COMPLAINT_MAX 2000

struct _RfpImageServer {
    char *path;
    char *socket_path;
    GPid pid;     /* 0: it has ended and was collected */
    RfpFd errors; /* what it complains about */
};

static void
die_with_parent(gpointer opaque)
{
    (void)opaque;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* The image as QEMU's options, in which a comma is doubled. */
static char *
image_options(const char *path, RfpImageSharing sharing)
{
    g_auto(GStrv) parts = g_strsplit(path, ",", -1);
    g_autofree char *escaped = g_strjoinv(",,", parts);
    struct stat st;

    return g_strdup_printf("driver=qcow2,force-share=%s,file.driver=%s,"
                           "file.filename=%s",
                           sharing == RFP_IMAGE_SHARED ? "on" : "off",
                           stat(path, &st) == 0 && S_ISBLK(st.st_mode)
                               ? "host_device"
                               : "file",
                           escaped);
}

static gboolean
spawn(RfpImageServer *server, RfpImageSharing sharing, GError **error)
{
    g_autofree char *socket =
        g_strconcat("--socket=", server->socket_path, NULL);
    g_autofree char *image = image_options(server->path, sharing);
    const char *argv[] = {"qemu-nbd",   "--read-only",  "--persistent",
                          "--shared=0", "--image-opts", socket,
                          "--",         image,          NULL};
    g_autoptr(GError) local = NULL;

    if (g_spawn_async_with_pipes("/", (char **)argv, NULL,
                                 G_SPAWN_SEARCH_PATH |
                                     G_SPAWN_DO_NOT_REAP_CHILD |
                                     G_SPAWN_STDOUT_TO_DEV_NULL,
                                 die_with_parent, NULL, &server->pid, NULL,
                                 NULL, &server->errors, &local))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("cannot start qemu-nbd: %s"), local->message);
    rfp_error_add_way_out(error, _("install qemu-nbd (qemu-utils)"));
    return FALSE;
}

static gboolean
is_listening(const char *socket_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_auto(RfpFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, socket_path, sizeof(address.sun_path));
    return fd >= 0 &&
           connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static gboolean
has_ended(RfpImageServer *server)
{
    if (server->pid != 0 && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid == 0;
}

static void
set_ended(RfpImageServer *server, GError **error)
{
    char text[COMPLAINT_MAX + 1] = "";
    gssize got = read(server->errors, text, COMPLAINT_MAX);
    g_autofree char *clean = NULL;

    text[MAX(got, 0)] = '\0';
    clean = rfp_text_clean(g_strchomp(text));
    rfp_error_set(error, rfp_image_bitmap_cause(clean),
                  _("cannot read the image '%s': %s"), server->path, clean);
    rfp_error_add_object(error, server->path);
}

static gboolean
wait_ready(RfpImageServer *server, const gint *cancel, GError **error)
{
    gint64 end = g_get_monotonic_time() + START_US;

    while (!is_listening(server->socket_path)) {
        if (has_ended(server)) {
            set_ended(server, error);
            return FALSE;
        }
        if (g_atomic_int_get(cancel)) {
            rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
            return FALSE;
        }
        if (g_get_monotonic_time() > end) {
            rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                          _("qemu-nbd does not serve the image '%s'"),
                          server->path);
            return FALSE;
        }
        g_usleep(POLL_US);
    }
    return TRUE;
}

RfpImageServer *
rfp_image_server_start(const char *path,
                       RfpImageSharing sharing,
                       const char *socket_path,
                       const gint *cancel,
                       GError **error)
{
    g_autoptr(RfpImageServer) server = g_new0(RfpImageServer, 1);

    server->path = g_strdup(path);
    server->socket_path = g_strdup(socket_path);
    server->errors = -1;
    if (!spawn(server, sharing, error) || !wait_ready(server, cancel, error))
        return NULL;
    return g_steal_pointer(&server);
}

void
rfp_image_server_stop(RfpImageServer *server)
{
    if (server == NULL)
        return;
    if (!has_ended(server)) {
        kill(server->pid, SIGTERM);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    unlink(server->socket_path);
    rfp_fd_clear(&server->errors);
    g_free(server->path);
    g_free(server->socket_path);
    g_free(server);
}
