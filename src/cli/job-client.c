/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job-client.h"

#include "job-file.h"
#include "job-process.h"
#include "job-socket.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define KILL_MS 2000
#define DIE_MS 5000
#define PAUSE_MS 50

/* A descriptor that is closed. */
typedef int Socket;

static void
socket_clear(Socket *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Socket, socket_clear)

/* ---- Methods ---------------------------------------------------------------
 */

static void
answer_errors(InvokeAnswer *answer, const JobRecord *record, gboolean all)
{
    RefpointMsvmParameter *parameter;
    char **errors = record->errors;

    invoke_answer_set(answer, all ? "Errors" : "Error", "string", NULL);
    parameter = answer->out->pdata[answer->out->len - 1];
    parameter->array = all;
    for (; errors != NULL && *errors != NULL; errors++) {
        cim_value_add(parameter, *errors, strlen(*errors));
        if (!all)
            return;
    }
}

/* For a process that is not there any more. */
static InvokeAnswer *
answer_from_record(const JobRecord *record, const InvokeCall *call)
{
    InvokeAnswer *answer;
    gboolean all = g_ascii_strcasecmp(call->method, "GetErrorEx") == 0;

    if (!all && g_ascii_strcasecmp(call->method, "GetError") != 0)
        return invoke_answer_failed(call, REFPOINT_ERROR_INVALID_STATE,
                                    _("job %s has ended"), record->id);
    answer = invoke_answer_new(0, NULL, NULL);
    answer_errors(answer, record, all);
    return answer;
}

static InvokeAnswer *
ask(const JobRecord *record, const InvokeCall *call, int fd, int timeout_ms)
{
    g_autofree char *request = invoke_call_format(call);
    g_autofree char *text = NULL;
    InvokeAnswer *answer = NULL;
    gsize length = 0;

    text = job_socket_ask(fd, request, timeout_ms, &length);
    if (text != NULL)
        answer = invoke_answer_parse(text, length);
    if (answer != NULL)
        return answer;
    return invoke_answer_failed(call, REFPOINT_ERROR_TIMEOUT,
                                _("the process of job %s does not answer"),
                                record->id);
}

InvokeAnswer *
job_client_call(JobStore *store, const JobRecord *record, InvokeCall *call)
{
    g_autoptr(JobRecord) again = NULL;
    g_auto(Socket) fd = -1;

    if (record->alive && record->ended == 0)
        fd = job_socket_connect(record->fd);
    if (fd >= 0)
        return ask(record, call, fd, ANSWER_MS);
    /* it may just have ended */
    again = job_store_load(store, record->id);
    if (again != NULL && again->ended != 0)
        return answer_from_record(again, call);
    return invoke_answer_failed(call, REFPOINT_ERROR_NOT_AVAILABLE,
                                _("the process of job %s cannot be reached"),
                                record->id);
}

/* ---- States ----------------------------------------------------------------
 */

static InvokeCall *
new_request(guint state)
{
    InvokeCall *call = invoke_call_new();
    RefpointMsvmParameter *parameter = g_new0(RefpointMsvmParameter, 1);
    g_autofree char *text = g_strdup_printf("%u", state);

    call->class_name = g_strdup("CIM_ConcreteJob");
    call->method = g_strdup("RequestStateChange");
    parameter->name = g_strdup("RequestedState");
    parameter->type = g_strdup("uint16");
    cim_value_add(parameter, text, strlen(text));
    g_ptr_array_add(call->in, parameter);
    return call;
}

static gboolean
send_kill(int pid_fd)
{
#ifdef SYS_pidfd_send_signal
    return syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0) == 0;
#else
    return FALSE;
#endif
}

/* The process that listens on @fd is the one that has the lock: as long as that
 * is taken, its number is not another's. */
static gboolean
kill_process(const JobRecord *record, int fd)
{
    pid_t pid = job_socket_peer(fd);
    g_auto(Socket) pid_fd = -1;

    if (pid <= 1)
        return FALSE;
#ifdef SYS_pidfd_open
    pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
#endif
    if (!job_file_is_locked(record->lock_fd, JOB_LOCK_PROCESS))
        return TRUE;
    job_record_mark_killed(record);
    if (pid_fd >= 0 ? !send_kill(pid_fd) : kill(pid, SIGKILL) < 0)
        return FALSE;
    for (guint ms = 0; ms < DIE_MS; ms += PAUSE_MS) {
        if (!job_file_is_locked(record->lock_fd, JOB_LOCK_PROCESS))
            return TRUE;
        g_usleep(PAUSE_MS * 1000);
    }
    return FALSE;
}

static InvokeAnswer *
kill_job(JobStore *store, const JobRecord *record, InvokeCall *call)
{
    InvokeAnswer *answer = NULL;
    g_auto(Socket) fd = -1;
    g_autoptr(JobRecord) again = NULL;

    if (record->alive && record->ended == 0)
        fd = job_socket_connect(record->fd);
    if (fd < 0)
        return job_client_call(store, record, call);
    answer = ask(record, call, fd, KILL_MS);
    if (answer->failure == NULL ||
        answer->failure->cause != REFPOINT_ERROR_TIMEOUT)
        return answer;
    if (!kill_process(record, fd))
        return answer;
    invoke_answer_free(answer);
    /* which ends the record */
    again = job_store_load(store, record->id);
    return invoke_answer_new(0, NULL, NULL);
}

InvokeAnswer *
job_client_request(JobStore *store, const JobRecord *record, guint state)
{
    g_autoptr(InvokeCall) call = new_request(state);

    return state == REFPOINT_MSVM_REQUEST_KILL
               ? kill_job(store, record, call)
               : job_client_call(store, record, call);
}

/* ---- Waiting ---------------------------------------------------------------
 */

/* One message, or the end; FALSE: the time is over. */
static gboolean
read_change(
    int fd, gint64 until, JobClientFunc func, gpointer opaque, gboolean *end)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    gint64 left = until < 0 ? -1 : until - g_get_monotonic_time() / 1000;
    char text[64];
    guint state, percent;
    ssize_t n;
    int ready;

    ready = poll(&poller, 1, until < 0 ? -1 : (int)CLAMP(left, 0, G_MAXINT));
    *end = FALSE;
    if (ready < 0)
        return errno == EINTR;
    if (ready == 0)
        return left > 0;
    n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    *end = n <= 0;
    if (n <= 0)
        return TRUE;
    text[n] = '\0';
    if (func != NULL && sscanf(text, "%u %u", &state, &percent) == 2)
        func(state, percent, opaque);
    return TRUE;
}

/* Until the process hangs up. FALSE: the time is over. */
static gboolean
watch(const JobRecord *record,
      gint64 until,
      JobClientFunc func,
      gpointer opaque)
{
    g_auto(Socket) fd = job_socket_connect(record->fd);
    gboolean end = FALSE;

    if (fd < 0 || send(fd, JOB_MESSAGE_WATCH, strlen(JOB_MESSAGE_WATCH),
                       MSG_NOSIGNAL) < 0) {
        /* it begins, or ends */
        g_usleep(PAUSE_MS * 1000);
        return until < 0 || g_get_monotonic_time() / 1000 < until;
    }
    while (!end)
        if (!read_change(fd, until, func, opaque, &end))
            return FALSE;
    return TRUE;
}

JobRecord *
job_client_wait(JobStore *store,
                const char *id,
                gint64 timeout_ms,
                JobClientFunc func,
                gpointer opaque,
                gboolean *in_time)
{
    gint64 until =
        timeout_ms < 0 ? -1 : g_get_monotonic_time() / 1000 + timeout_ms;

    *in_time = TRUE;
    for (;;) {
        JobRecord *record = job_store_load(store, id);

        if (record == NULL || record->ended != 0)
            return record;
        *in_time = watch(record, until, func, opaque);
        job_record_free(record);
        if (!*in_time)
            return NULL;
    }
}
