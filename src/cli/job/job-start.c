/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-process.h"

#include "output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

char *
job_process_read(int fd, gsize max, gsize *length)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char part[16384];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return NULL;
        if (text->len + (gsize)n > max) {
            errno = EFBIG;
            return NULL;
        }
        g_string_append_len(text, part, n);
    }
    *length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static InvokeAnswer *
talk(const InvokeCall *call, int fd)
{
    g_autofree char *request = invoke_call_format(call);
    g_autofree char *text = NULL;
    InvokeAnswer *answer;
    gsize length = 0;

    if (!output_write(fd, request, strlen(request)) ||
        shutdown(fd, SHUT_WR) < 0)
        return invoke_answer_failed(call, REFPOINT_ERROR_FAILED,
                                    _("cannot reach the process of the job: "
                                      "%s"),
                                    g_strerror(errno));
    text = job_process_read(fd, INVOKE_SIZE_MAX, &length);
    answer = text != NULL ? invoke_answer_parse(text, length) : NULL;
    if (answer != NULL)
        return answer;
    return invoke_answer_failed(call, REFPOINT_ERROR_FAILED,
                                _("the process of the job ended before the job "
                                  "began"));
}

InvokeAnswer *
job_process_start(const InvokeCall *call)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"virt-refpoint",
                    (char *)JOB_PROCESS_COMMAND, NULL};
    g_autoptr(GError) error = NULL;
    InvokeAnswer *answer;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return invoke_answer_failed(call, REFPOINT_ERROR_FAILED, "%s",
                                    g_strerror(errno));
    if (!g_spawn_async_with_fds("/", argv, NULL,
                                G_SPAWN_FILE_AND_ARGV_ZERO |
                                    G_SPAWN_STDOUT_TO_DEV_NULL |
                                    G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, NULL, pair[1], -1, -1, &error)) {
        close(pair[0]);
        close(pair[1]);
        return invoke_answer_failed(call, REFPOINT_ERROR_FAILED,
                                    _("cannot start the process of the job: "
                                      "%s"),
                                    error->message);
    }
    close(pair[1]);
    answer = talk(call, pair[0]);
    close(pair[0]);
    return answer;
}
