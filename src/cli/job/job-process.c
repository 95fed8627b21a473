/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "job/job-process.h"

#include "invoke/invoke-wait.h"
#include "job/job-error.h"
#include "job/job-server.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_SECONDS 1

typedef struct {
    GMainLoop *loop;
    RefpointConnection *conn;
    RefpointMsvm *msvm;
    const InvokeCall *call;
    JobStore *store;
    JobRecord *record;
    JobServer *server;
    guint state;
    guint percent;
} Process;

/* ---- The record ---------------------------------------------------------- */

static void
set_guid(char **field, const char *text)
{
    char *guid = text != NULL ? cim_guid_at_end(text) : NULL;

    if (guid == NULL)
        return;
    g_free(*field);
    *field = guid;
}

/* Domain and point that an object path speaks of. */
static void
look_at_path(JobRecord *record, const char *text)
{
    g_autoptr(CimPath) path = cim_path_parse(text);
    const char *collection =
        path != NULL ? cim_path_key(path, "CollectionID") : NULL;

    if (path == NULL)
        return;
    set_guid(&record->domain_uuid,
             cim_path_key(path, "VirtualSystemIdentifier"));
    set_guid(&record->domain_uuid, cim_path_key(path, "Name"));
    set_guid(&record->point, cim_path_key(path, "InstanceID"));
    if (collection != NULL && g_str_has_prefix(collection, "refpoint-group:"))
        set_guid(&record->domain_uuid, collection);
    else
        set_guid(&record->point, collection);
}

static void
find_domain(Process *process)
{
    JobRecord *record = process->record;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(CimInstance) instance = NULL;

    for (guint i = 0; i < process->call->in->len; i++) {
        const RefpointMsvmParameter *parameter = process->call->in->pdata[i];
        g_autofree char *value = cim_value_text(parameter, 0);

        if (g_strcmp0(parameter->type, "reference") == 0)
            look_at_path(record, value);
    }
    if (record->domain_uuid == NULL)
        return;
    path = g_strdup_printf("Msvm_ComputerSystem.CreationClassName="
                           "\"Msvm_ComputerSystem\",Name=\"%s\"",
                           record->domain_uuid);
    text = refpoint_msvm_get_instance(process->msvm, path, NULL);
    instance = text != NULL ? cim_instance_parse(text) : NULL;
    if (instance != NULL)
        record->domain_name = cim_instance_text(instance, "ElementName");
}

static void
end_record(Process *process)
{
    JobRecord *record = process->record;
    const char *parameter;

    record->ended = g_get_real_time() / G_USEC_PER_SEC;
    record->return_value =
        job_error_number(record->instance, record->class_name, record->method);
    record->result =
        invoke_job_result(process->msvm, record->path, record->class_name,
                          record->method, &parameter);
    if (record->result != NULL)
        look_at_path(record, record->result);
    refpoint_msvm_get_error_ex(process->msvm, record->path, &record->errors,
                               NULL);
}

/* What the library says of the job now goes into the record and to those who
 * watch. FALSE: there is no such job. */
static gboolean
refresh(Process *process)
{
    JobRecord *record = process->record;
    g_autofree char *text =
        refpoint_msvm_get_instance(process->msvm, record->path, NULL);
    CimInstance *instance = text != NULL ? cim_instance_parse(text) : NULL;
    g_autofree char *point = NULL;
    guint state, percent;

    if (instance == NULL)
        return FALSE;
    cim_instance_free(record->instance);
    record->instance = instance;
    point = cim_instance_text(instance, "ReferencePointId");
    set_guid(&record->point, point);
    state = job_record_state(record);
    percent = (guint)cim_instance_number(instance, "PercentComplete");
    if (process->server != NULL &&
        (state != process->state || percent != process->percent))
        job_server_tell(process->server, state, percent);
    process->percent = percent;
    if (state == process->state)
        return TRUE;
    process->state = state;
    if (job_state_is_final(state) && record->ended == 0)
        end_record(process);
    return TRUE;
}

/* ---- The loop ------------------------------------------------------------ */

static gboolean
on_change(gpointer opaque)
{
    Process *process = opaque;
    guint before = process->state;

    refresh(process);
    job_record_save(process->record, process->state != before, NULL);
    if (job_state_is_final(process->state))
        g_main_loop_quit(process->loop);
    return G_SOURCE_REMOVE;
}

static gboolean
on_tick(gpointer opaque)
{
    on_change(opaque);
    return G_SOURCE_CONTINUE;
}

static void
on_job(RefpointMsvm *msvm G_GNUC_UNUSED,
       const char *job G_GNUC_UNUSED,
       guint16 state G_GNUC_UNUSED,
       guint percent G_GNUC_UNUSED,
       gpointer opaque)
{
    g_idle_add(on_change, opaque);
}

static gboolean
on_terminate(gpointer opaque)
{
    Process *process = opaque;

    refpoint_msvm_request_state_change(process->msvm, process->record->path,
                                       REFPOINT_MSVM_REQUEST_TERMINATE, NULL,
                                       NULL);
    return G_SOURCE_CONTINUE;
}

/* A request of another process: a method of this job. */
static InvokeAnswer *
on_call(InvokeCall *call, gpointer opaque)
{
    Process *process = opaque;
    g_autoptr(CimPath) path = cim_path_parse(process->record->path);
    InvokeAnswer *answer;

    if (path == NULL || !invoke_method_is_of_job(call->class_name))
        return invoke_answer_failed(call, REFPOINT_ERROR_INVALID_PARAMETER,
                                    _("%s.%s is no method of a job"),
                                    call->class_name, call->method);
    g_free(call->class_name);
    g_free(call->path);
    call->class_name = g_strdup(path->class_name);
    call->path = g_strdup(process->record->path);
    answer = invoke_call_run(call, process->msvm, FALSE);
    on_change(process);
    return answer;
}

/* ---- The beginning ------------------------------------------------------- */

/* Fills what is known of a job that has just begun. */
static gboolean
describe(Process *process, const InvokeAnswer *answer, GError **error)
{
    JobRecord *record = process->record;

    record->path = invoke_answer_text(answer, "Job");
    record->class_name = g_strdup(process->call->class_name);
    record->method = g_strdup(process->call->method);
    record->uri = g_strdup(process->call->uri);
    record->submitted = g_get_real_time() / G_USEC_PER_SEC;
    if (record->path != NULL) {
        g_autoptr(CimPath) path = cim_path_parse(record->path);

        if (path != NULL)
            set_guid(&record->id, cim_path_key(path, "InstanceID"));
    }
    find_domain(process);
    if (record->id != NULL && refresh(process))
        return TRUE;
    g_set_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED,
                _("the job that was begun is not known: %s"),
                record->path != NULL ? record->path : "-");
    return FALSE;
}

static gboolean
prepare(Process *process, GError **error)
{
    process->store = job_store_open(TRUE, error);
    if (process->store == NULL)
        return FALSE;
    process->record = job_record_new(process->store, error);
    if (process->record == NULL)
        return FALSE;
    process->conn = refpoint_connection_open(process->call->uri, error);
    if (process->conn == NULL)
        return FALSE;
    process->msvm = refpoint_msvm_new(process->conn);
    refpoint_msvm_set_job_func(process->msvm, on_job, process);
    refpoint_msvm_set_wait(process->msvm, process->call->wait, NULL, NULL);
    return TRUE;
}

static InvokeAnswer *
begin(Process *process)
{
    g_autoptr(InvokeAnswer) answer = NULL;
    g_autoptr(GError) error = NULL;

    if (!prepare(process, &error))
        return invoke_answer_error(process->call, error);
    answer = invoke_call_run(process->call, process->msvm, TRUE);
    if (answer->return_value != REFPOINT_MSVM_JOB_STARTED)
        return g_steal_pointer(&answer);
    if (describe(process, answer, &error))
        process->server =
            job_server_new(process->record, on_call, process, &error);
    if (process->server == NULL ||
        !job_record_publish(process->record, process->store, &error))
        return invoke_answer_error(process->call, error);
    return g_steal_pointer(&answer);
}

/* Whether the answer was heard. */
static gboolean
reply(const InvokeAnswer *answer)
{
    g_autofree char *text = invoke_answer_format(answer);
    gboolean heard = output_write(STDIN_FILENO, text, strlen(text));
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    shutdown(STDIN_FILENO, SHUT_RDWR);
    if (null_fd >= 0)
        dup2(null_fd, STDIN_FILENO);
    return heard;
}

static void
end(Process *process)
{
    if (process->server != NULL) {
        job_server_free(process->server);
        unlinkat(process->record->fd, JOB_SOCKET_NAME, 0);
    }
    if (process->msvm != NULL)
        refpoint_msvm_free(process->msvm);
    if (process->conn != NULL)
        refpoint_connection_free(process->conn);
    if (process->record != NULL && process->record->ended == 0)
        job_record_remove(process->record, process->store);
    job_record_free(process->record);
    job_store_free(process->store);
}

static void
work(const InvokeCall *call)
{
    Process process = {.call = call};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(InvokeAnswer) answer = NULL;

    process.loop = loop;
    answer = begin(&process);
    if (answer->return_value == REFPOINT_MSVM_JOB_STARTED) {
        g_unix_signal_add(SIGTERM, on_terminate, &process);
        g_timeout_add_seconds(TICK_SECONDS, on_tick, &process);
        if (!reply(answer))
            on_terminate(&process);
        if (!job_state_is_final(process.state))
            g_main_loop_run(loop);
        end(&process);
    } else {
        end(&process);
        reply(answer);
    }
}

static int
run_job_process(Cli *cli, char **args)
{
    g_autoptr(InvokeCall) call = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    struct stat info;
    gsize length = 0;

    if (args[1] != NULL || fstat(STDIN_FILENO, &info) < 0 ||
        !S_ISSOCK(info.st_mode)) {
        cli_bad_usage(&error, _("unknown command: %s"), args[0]);
        cli->command = NULL;
        return cli_usage(cli, error);
    }
    setsid();
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    text = job_process_read(STDIN_FILENO, INVOKE_SIZE_MAX, &length);
    call = text != NULL ? invoke_call_parse(text, length) : NULL;
    if (call == NULL)
        return REFPOINT_ERROR_FAILED;
    work(call);
    return 0;
}

const Command command_job_process = {
    .name = JOB_PROCESS_COMMAND,
    .operands = "",
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_job_process,
};
