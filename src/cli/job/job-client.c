/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-client.h"

#include "common/process.h"
#include "job/job-file.h"
#include "job/job-process.h"
#include "job/job-socket.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000
#define KILL_MS 2000
#define DIE_MS 5000
#define PAUSE_MS 50
#define PAUSE_MAX_MS 1000

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

/* ---- Methods ------------------------------------------------------------- */

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

/* ---- States -------------------------------------------------------------- */

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
is_gone(const JobRecord *record)
{
    return !job_file_is_locked(record->lock_fd, JOB_LOCK_PROCESS);
}

/* It does not take part in this: its socket may be full, too. */
static gboolean
kill_process(const JobRecord *record)
{
    g_auto(Socket) pid_fd =
        record->pid > G_MAXINT
            ? -1
            : rfp_process_hold((pid_t)record->pid, record->start);

    if (is_gone(record))
        return TRUE;
    if (pid_fd < 0)
        return FALSE;
    job_record_mark_killed(record);
    if (!rfp_process_kill(pid_fd))
        return FALSE;
    for (guint ms = 0; ms < DIE_MS && !is_gone(record); ms += PAUSE_MS)
        g_usleep(PAUSE_MS * 1000);
    return is_gone(record);
}

/* It is asked first, where it listens; what it refuses stays refused. */
static InvokeAnswer *
ask_to_die(JobStore *store, const JobRecord *record, InvokeCall *call)
{
    g_auto(Socket) fd = job_socket_connect(record->fd);

    return fd >= 0 ? ask(record, call, fd, KILL_MS)
                   : job_client_call(store, record, call);
}

static InvokeAnswer *
kill_job(JobStore *store, const JobRecord *record, InvokeCall *call)
{
    InvokeAnswer *answer = NULL;
    g_autoptr(JobRecord) again = NULL;

    if (!record->alive || record->ended != 0)
        return job_client_call(store, record, call);
    answer = ask_to_die(store, record, call);
    if (answer->failure == NULL ||
        (answer->failure->cause != REFPOINT_ERROR_TIMEOUT &&
         answer->failure->cause != REFPOINT_ERROR_NOT_AVAILABLE) ||
        !kill_process(record))
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

/* ---- Waiting ------------------------------------------------------------- */

typedef struct {
    gint64 until; /* monotonic, milliseconds; -1: for ever */
    JobClientFunc func;
    gpointer opaque;
    gint64 pause_ms; /* the next one */
} Wait;

/* One message, or *@end; FALSE: the time is over. */
static gboolean
read_change(int fd, const Wait *wait, gboolean *end)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    gint64 left =
        wait->until < 0 ? -1 : wait->until - g_get_monotonic_time() / 1000;
    char text[64];
    guint state, percent;
    ssize_t n;
    int ready;

    ready =
        poll(&poller, 1, wait->until < 0 ? -1 : (int)CLAMP(left, 0, G_MAXINT));
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
    if (wait->func != NULL && sscanf(text, "%u %u", &state, &percent) == 2)
        wait->func(state, percent, wait->opaque);
    return TRUE;
}

/* Until the process hangs up. FALSE: the time is over. *@heard: it has told
 * something before. */
static gboolean
watch(const JobRecord *record, Wait *wait, gboolean *heard)
{
    g_auto(Socket) fd = job_socket_connect(record->fd);
    gboolean end = FALSE;

    *heard = FALSE;
    if (fd < 0 || send(fd, JOB_MESSAGE_WATCH, strlen(JOB_MESSAGE_WATCH),
                       MSG_NOSIGNAL) < 0)
        return TRUE;
    while (!end) {
        if (!read_change(fd, wait, &end))
            return FALSE;
        *heard = *heard || !end;
    }
    return TRUE;
}

/* A job that begins, or ends, is there or gone at once. A process that is
 * stuck, or has too many who watch, leaves its record to be looked at now and
 * then. */
static gboolean
pause_a_while(Wait *wait)
{
    gint64 now = g_get_monotonic_time() / 1000;
    gint64 ms = wait->pause_ms;

    wait->pause_ms = MIN(wait->pause_ms * 2, PAUSE_MAX_MS);
    if (wait->until >= 0)
        ms = MIN(ms, wait->until - now);
    if (ms <= 0)
        return FALSE;
    g_usleep((gulong)ms * 1000);
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
    Wait wait = {
        .until =
            timeout_ms < 0 ? -1 : g_get_monotonic_time() / 1000 + timeout_ms,
        .func = func,
        .opaque = opaque,
        .pause_ms = PAUSE_MS,
    };

    *in_time = TRUE;
    for (;;) {
        JobRecord *record = job_store_load(store, id);
        gboolean heard = FALSE;

        if (record == NULL || record->ended != 0)
            return record;
        *in_time =
            watch(record, &wait, &heard) && (heard || pause_a_while(&wait));
        job_record_free(record);
        if (!*in_time)
            return NULL;
    }
}
