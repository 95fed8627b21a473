/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/reader.h"
#include "base/files.h"
#include "common/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* Between two looks at one process. Who reads has most probably taken something
 * by then; a wrong guess costs nothing, for the job is about to end. */
#define LOOK_US (100 * 1000)
#define PIECE ((gsize)64 * 1024)

typedef struct {
    int fd;      /* a duplicate of the reader's */
    int waiting; /* bytes that it has not taken */
} Connection;

static void
connection_clear(gpointer opaque)
{
    Connection *connection = opaque;

    close(connection->fd);
}

/* A duplicate of a descriptor of another process, or -1. */
static int
duplicate(int pid_fd, int number)
{
#ifdef SYS_pidfd_getfd
    return (int)syscall(SYS_pidfd_getfd, pid_fd, number, 0);
#else
    return -1;
#endif
}

static gboolean
is_connected_to(int fd, const char *socket_path)
{
    struct sockaddr_un peer = {0};
    socklen_t length = sizeof(peer) - 1; /* the path ends in a zero byte then */

    return getpeername(fd, (struct sockaddr *)&peer, &length) == 0 &&
           peer.sun_family == AF_UNIX &&
           strcmp(peer.sun_path, socket_path) == 0;
}

static int
bytes_waiting(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 ? n : 0;
}

/* The connections (Connection) to @socket_path. NULL: nobody lets us look. */
static GArray *
find_connections(pid_t pid, int pid_fd, const char *socket_path)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Connection));
    const char *name = NULL;
    guint n_denied = 0;

    g_array_set_clear_func(found, connection_clear);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *link_path = g_build_filename(path, name, NULL);
        g_autofree char *target = g_file_read_link(link_path, NULL);
        Connection connection = {.fd = -1};

        if (target != NULL && !g_str_has_prefix(target, "socket:"))
            continue;
        if (target != NULL)
            connection.fd =
                duplicate(pid_fd, (int)g_ascii_strtoll(name, NULL, 10));
        if (connection.fd < 0) {
            n_denied++;
        } else if (!is_connected_to(connection.fd, socket_path)) {
            close(connection.fd);
        } else {
            connection.waiting = bytes_waiting(connection.fd);
            g_array_append_val(found, connection);
        }
    }
    if (dir != NULL && (found->len > 0 || n_denied == 0))
        return found;
    g_array_unref(found);
    return NULL;
}

/* What has come for it lies there. */
static gboolean
takes_nothing(const GArray *connections)
{
    gboolean waits = FALSE;

    for (guint i = 0; i < connections->len; i++)
        waits |= g_array_index(connections, Connection, i).waiting > 0;
    if (waits)
        g_usleep(LOOK_US);
    for (guint i = 0; waits && i < connections->len; i++) {
        const Connection *connection =
            &g_array_index(connections, Connection, i);

        if (connection->waiting > 0 &&
            bytes_waiting(connection->fd) == connection->waiting)
            return TRUE;
    }
    return FALSE;
}

/* One that is traced seems to be stopped for moments. */
static gboolean
kill_stopped(pid_t pid, int pid_fd)
{
    if (!rfp_process_is_stopped(pid))
        return FALSE;
    g_usleep(LOOK_US);
    return rfp_process_is_stopped(pid) && rfp_process_kill(pid_fd);
}

/* What lies there untaken is taken, too: QEMU waits until it can write, and
 * does not see that the connection ended before. */
static void
end_connection(int fd)
{
    g_autofree char *data = g_malloc(PIECE);

    shutdown(fd, SHUT_RDWR);
    while (recv(fd, data, PIECE, MSG_DONTWAIT) > 0)
        continue;
}

RfpReader
rfp_reader_cut(pid_t pid, guint64 start, const char *socket_path)
{
    g_auto(RfpFd) pid_fd = rfp_process_hold(pid, start);
    g_autoptr(GArray) connections = NULL;

    if (pid_fd < 0)
        return RFP_READER_READS;
    connections = find_connections(pid, pid_fd, socket_path);
    if (connections == NULL)
        return kill_stopped(pid, pid_fd) ? RFP_READER_KILLED : RFP_READER_READS;
    if (connections->len == 0 ||
        (!rfp_process_is_stopped(pid) && !takes_nothing(connections)))
        return RFP_READER_READS;
    for (guint i = 0; i < connections->len; i++)
        end_connection(g_array_index(connections, Connection, i).fd);
    return RFP_READER_CUT;
}

gboolean
rfp_reader_kill_stopped(pid_t pid, guint64 start)
{
    g_auto(RfpFd) pid_fd = rfp_process_hold(pid, start);

    return pid_fd >= 0 && kill_stopped(pid, pid_fd);
}
