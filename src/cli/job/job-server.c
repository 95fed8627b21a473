/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-server.h"

#include "job/job-process.h"
#include "job/job-socket.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Who watches beyond the first of these looks at the record instead. Beyond the
 * others who has asked for nothing for longest makes room. */
#define WATCHERS_MAX 64
#define ASKERS_MAX 64

struct _JobServer {
    int fd;
    guint source;
    GPtrArray *clients; /* Client, who came first stands first */
    JobServerFunc func;
    gpointer opaque;
    guint state; /* what was told last */
    guint percent;
};

typedef struct {
    JobServer *server;
    int fd;
    guint source;
    gboolean watching;
} Client;

static void
client_free(gpointer opaque)
{
    Client *client = opaque;

    g_source_remove(client->source);
    close(client->fd);
    g_free(client);
}

static void
tell(const Client *client)
{
    char line[32];
    int length = g_snprintf(line, sizeof(line), "%u %u", client->server->state,
                            client->server->percent);

    /* who does not read misses something, and asks again at the end */
    (void)!send(client->fd, line, (gsize)length, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static gboolean
answer(Client *client, const char *text, gsize length)
{
    g_autoptr(InvokeCall) call = invoke_call_parse(text, length);
    g_autoptr(InvokeAnswer) result = NULL;
    g_autofree char *reply = NULL;

    if (call == NULL)
        return FALSE;
    result = client->server->func(call, client->server->opaque);
    reply = invoke_answer_format(result);
    return send(client->fd, reply, strlen(reply),
                MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static guint
count_watchers(const JobServer *server)
{
    guint n = 0;

    for (guint i = 0; i < server->clients->len; i++)
        n += ((const Client *)server->clients->pdata[i])->watching;
    return n;
}

/* Nobody who only listens, or says nothing, may keep out who has a request. */
static void
make_room(JobServer *server)
{
    if (server->clients->len - count_watchers(server) < ASKERS_MAX)
        return;
    for (guint i = 0; i < server->clients->len; i++) {
        const Client *client = server->clients->pdata[i];

        if (client->watching)
            continue;
        g_ptr_array_remove_index(server->clients, i);
        return;
    }
}

static gboolean
begin_watch(Client *client)
{
    if (!client->watching && count_watchers(client->server) >= WATCHERS_MAX)
        return FALSE;
    client->watching = TRUE;
    tell(client);
    return TRUE;
}

static gboolean
is_watch(const char *text, ssize_t n)
{
    return n == strlen(JOB_MESSAGE_WATCH) &&
           memcmp(text, JOB_MESSAGE_WATCH, (gsize)n) == 0;
}

static gboolean
on_request(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    Client *client = opaque;
    g_autofree char *text = g_malloc(JOB_MESSAGE_MAX);
    ssize_t n = recv(fd, text, JOB_MESSAGE_MAX, MSG_DONTWAIT | MSG_TRUNC);
    gboolean good = n > 0 && n < JOB_MESSAGE_MAX;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (!good || !(is_watch(text, n) ? begin_watch(client)
                                     : answer(client, text, (gsize)n)))
        g_ptr_array_remove(client->server->clients, client);
    return G_SOURCE_CONTINUE;
}

static gboolean
on_connection(gint fd, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    JobServer *server = opaque;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    Client *client;

    if (peer < 0)
        return G_SOURCE_CONTINUE;
    if (!job_socket_is_ours(peer)) {
        close(peer);
        return G_SOURCE_CONTINUE;
    }
    make_room(server);
    client = g_new0(Client, 1);
    client->server = server;
    client->fd = peer;
    client->source =
        g_unix_fd_add(peer, G_IO_IN | G_IO_HUP, on_request, client);
    g_ptr_array_add(server->clients, client);
    return G_SOURCE_CONTINUE;
}

JobServer *
job_server_new(const JobRecord *record,
               JobServerFunc func,
               gpointer opaque,
               GError **error)
{
    int fd = job_socket_listen(record->fd);
    JobServer *server;

    if (fd < 0) {
        g_set_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED,
                    _("cannot make the socket of job %s: %s"), record->id,
                    g_strerror(errno));
        return NULL;
    }
    server = g_new0(JobServer, 1);
    server->fd = fd;
    server->clients = g_ptr_array_new_with_free_func(client_free);
    server->func = func;
    server->opaque = opaque;
    server->source = g_unix_fd_add(fd, G_IO_IN, on_connection, server);
    server->state = job_record_state(record);
    return server;
}

void
job_server_free(JobServer *server)
{
    g_source_remove(server->source);
    g_ptr_array_unref(server->clients);
    close(server->fd);
    g_free(server);
}

void
job_server_tell(JobServer *server, guint state, guint percent)
{
    server->state = state;
    server->percent = percent;
    for (guint i = 0; i < server->clients->len; i++) {
        const Client *client = server->clients->pdata[i];

        if (client->watching)
            tell(client);
    }
}
