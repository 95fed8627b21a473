/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-socket.h"

#include "job/job-process.h"
#include "job/job-record.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

/* Through the folder's descriptor: no path is too long for a socket then, and
 * nobody can put another folder in its place. */
static struct sockaddr_un
address_of(int folder)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    g_snprintf(address.sun_path, sizeof(address.sun_path),
               "/proc/self/fd/%d/" JOB_SOCKET_NAME, folder);
    return address;
}

int
job_socket_listen(int folder)
{
    struct sockaddr_un address = address_of(folder);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

int
job_socket_connect(int folder)
{
    struct sockaddr_un address = address_of(folder);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        job_socket_is_ours(fd))
        return fd;
    close(fd);
    return -1;
}

gboolean
job_socket_is_ours(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid();
}

char *
job_socket_ask(int fd, const char *text, int timeout_ms, gsize *length)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    g_autofree char *answer = g_malloc(JOB_MESSAGE_MAX);
    ssize_t n;

    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return NULL;
    if (poll(&poller, 1, timeout_ms) <= 0) {
        errno = ETIMEDOUT;
        return NULL;
    }
    n = recv(fd, answer, JOB_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);
    if (n <= 0 || n >= JOB_MESSAGE_MAX) {
        errno = n < 0 ? errno : ECONNRESET;
        return NULL;
    }
    *length = (gsize)n;
    return g_steal_pointer(&answer);
}
