/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/guard.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READY_TIMEOUT_MS 15000
#define LINE_MAX_LENGTH 512

static const char *
guard_path(void)
{
    const char *path = secure_getenv("REFPOINT_GUARD");

    return path != NULL ? path : LIBEXECDIR "/virt-refpoint-guard";
}

static int
start_program(RefpointConnection *conn,
              const char *domain_uuid,
              const char *word,
              GError **error)
{
    const char *argv[] = {guard_path(),      conn->uri, domain_uuid,
                          conn->records_dir, word,      NULL};
    g_autoptr(GError) local = NULL;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        rfp_error_set_errno(error, errno, _("cannot reach a guard"));
        return -1;
    }
    if (!g_spawn_async_with_fds("/", (char **)argv, NULL,
                                G_SPAWN_STDOUT_TO_DEV_NULL |
                                    G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, NULL, pair[1], -1, -1, &local)) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("cannot start the guard: %s"), local->message);
        rfp_error_add_way_out(error, _("is virt-refpoint installed as a "
                                       "whole?"));
        close(pair[0]);
        close(pair[1]);
        return -1;
    }
    close(pair[1]);
    return pair[0];
}

/* @word: NULL, or "watch". */
static gboolean
start(RefpointConnection *conn,
      const char *domain_uuid,
      const char *word,
      RfpGuard *guard,
      GError **error)
{
    RfpStartGuard start_guard =
        conn->start_guard != NULL ? conn->start_guard : start_program;

    guard->fd = start_guard(conn, domain_uuid, word, error);
    return guard->fd >= 0;
}

gboolean
rfp_guard_start(RefpointConnection *conn,
                const char *domain_uuid,
                RfpGuard *guard,
                GError **error)
{
    return start(conn, domain_uuid, NULL, guard, error);
}

/* Reads up to a newline; FALSE on time-out or hang-up. */
static gboolean
read_line(int fd, char *line, gsize size, int timeout_ms)
{
    gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    gsize n = 0;

    while (n + 1 < size) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        gint64 left = (end - g_get_monotonic_time()) / 1000;

        if (left <= 0 || poll(&poll_fd, 1, (int)left) < 0)
            return FALSE;
        if (poll_fd.revents == 0)
            continue;
        if (read(fd, line + n, 1) != 1)
            return FALSE;
        if (line[n] == '\n')
            break;
        n++;
    }
    line[n] = '\0';
    return TRUE;
}

gboolean
rfp_guard_wait_ready(RfpGuard *guard, GError **error)
{
    char line[LINE_MAX_LENGTH] = "";

    guard->ready = guard->ready || (read_line(guard->fd, line, sizeof(line),
                                              READY_TIMEOUT_MS) &&
                                    strcmp(line, "ready") == 0);
    if (guard->ready)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("the guard did not get ready%s%s; nothing was begun "
                    "without it"),
                  *line ? ": " : "",
                  g_str_has_prefix(line, "failed ") ? line + 7 : line);
    rfp_error_add_way_out(error, _("see the system's log"));
    return FALSE;
}

void
rfp_guard_tell(RfpGuard *guard, const char *word)
{
    g_autofree char *line = g_strconcat(word, "\n", NULL);

    if (guard->fd >= 0)
        (void)!send(guard->fd, line, strlen(line), MSG_NOSIGNAL);
}

void
rfp_guard_tell_frozen(RfpGuard *guard, guint seconds)
{
    g_autofree char *word = g_strdup_printf(RFP_GUARD_FROZEN "%u", seconds);

    rfp_guard_tell(guard, word);
}

static void
hear(RfpGuard *guard, const char *line)
{
    const char *scratch = "ended scratch ";

    if (g_str_has_prefix(line, scratch)) {
        guard->ended = RFP_GUARD_ENDED_SCRATCH;
        guard->left = g_ascii_strtoull(line + strlen(scratch), NULL, 10);
    } else if (strcmp(line, "ended io-error") == 0) {
        guard->ended = RFP_GUARD_ENDED_IO;
    } else if (strcmp(line, "watching") == 0) {
        guard->watching = TRUE;
    }
}

void
rfp_guard_listen(RfpGuard *guard)
{
    char c = '\0';
    ssize_t n = 0;

    if (guard->fd < 0)
        return;
    if (guard->line == NULL)
        guard->line = g_string_new(NULL);
    while ((n = recv(guard->fd, &c, 1, MSG_DONTWAIT)) == 1) {
        if (c != '\n') {
            g_string_append_c(guard->line, c);
            continue;
        }
        hear(guard, guard->line->str);
        g_string_truncate(guard->line, 0);
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        guard->gone = TRUE;
}

/* ---- Kept data ----------------------------------------------------------- */

/* What it says before is heard, too: it may just have ended the job. */
static gboolean
hear_watching(RfpGuard *guard)
{
    gint64 end = g_get_monotonic_time() + (gint64)READY_TIMEOUT_MS * 1000;

    rfp_guard_listen(guard);
    while (!guard->watching && !guard->gone && guard->fd >= 0) {
        struct pollfd poll_fd = {.fd = guard->fd, .events = POLLIN};
        gint64 left = (end - g_get_monotonic_time()) / 1000;

        if (left <= 0 || (poll(&poll_fd, 1, (int)left) < 0 && errno != EINTR))
            return FALSE;
        rfp_guard_listen(guard);
    }
    return guard->watching;
}

gboolean
rfp_guard_keep(RfpGuard *guard)
{
    rfp_guard_tell(guard, "keep");
    return hear_watching(guard);
}

gboolean
rfp_guard_watch(RefpointConnection *conn, const RfpKept *kept, GError **error)
{
    const RfpStep *operation =
        rfp_record_find(kept->record, RFP_STEP_OPERATION);
    g_auto(RfpGuard) guard = {.fd = -1};
    g_auto(RfpFd) free_watch = rfp_kept_take_watch(kept);

    if (free_watch < 0)
        return TRUE;
    rfp_fd_clear(&free_watch);
    if (!start(conn, operation->args[1], "watch", &guard, error) ||
        !rfp_guard_wait_ready(&guard, error))
        return FALSE;
    if (hear_watching(&guard))
        return TRUE;
    free_watch = rfp_kept_take_watch(kept);
    if (free_watch < 0) /* another one was faster */
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("the guard does not watch the kept data"));
    rfp_error_add_way_out(error, _("see the system's log"));
    return FALSE;
}

void
rfp_guard_clear(RfpGuard *guard)
{
    rfp_fd_clear(&guard->fd);
    guard->ready = guard->watching = FALSE;
    if (guard->line != NULL)
        g_string_free(guard->line, TRUE);
    guard->line = NULL;
}

/* ---- Late freezes -------------------------------------------------------- */

static char *
late_path(RefpointConnection *conn, const char *domain_uuid)
{
    g_autofree char *name = g_strconcat(domain_uuid, ".late", NULL);

    return g_build_filename(conn->records_dir, name, NULL);
}

gboolean
rfp_late_freeze_mark(RefpointConnection *conn,
                     const char *domain_uuid,
                     GError **error)
{
    g_autofree char *path = late_path(conn, domain_uuid);
    g_auto(RfpFd) fd =
        open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || fsync(fd) < 0) {
        rfp_error_set_errno(error, errno, _("cannot write '%s'"), path);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_late_freeze_pending(RefpointConnection *conn, const char *domain_uuid)
{
    g_autofree char *path = late_path(conn, domain_uuid);

    return access(path, F_OK) == 0;
}

int
rfp_late_freeze_take(RefpointConnection *conn, const char *domain_uuid)
{
    g_autofree char *path = late_path(conn, domain_uuid);
    g_auto(RfpFd) fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || rfp_files_lock(fd, 0, 0, path, NULL) != RFP_LOCK_TAKEN)
        return -1;
    return rfp_fd_steal(&fd);
}

void
rfp_late_freeze_clear(RefpointConnection *conn, const char *domain_uuid)
{
    g_autofree char *path = late_path(conn, domain_uuid);

    unlink(path);
}
