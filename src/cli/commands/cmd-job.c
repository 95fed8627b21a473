/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "job/job-client.h"
#include "job/job-error.h"
#include "job/job-output.h"
#include "job/job-progress.h"
#include "json.h"
#include "value.h"

#include <string.h>

#define TIMEOUT_MAX (10 * 365 * 24 * 3600)

typedef struct _Action Action;

typedef struct {
    const Action *action;
    const char *job;   /* as it was named */
    gint64 timeout_ms; /* -1: none */
    JobStore *store;
} Request;

struct _Action {
    const char *name;
    int (*run)(Cli *cli, const Request *request, JobRecord *record);
    guint state; /* what is requested of the job */
};

static const Action actions[];

static const Action *
find_action(const char *name)
{
    for (const Action *action = actions; action->name != NULL; action++)
        if (g_str_equal(action->name, name))
            return action;
    return NULL;
}

static gboolean
parse_job(Cli *cli, char **args, Request *request, GError **error)
{
    g_autofree char *timeout = NULL;
    guint seconds = 0;
    const GOptionEntry entries[] = {
        {"timeout", 0, 0, G_OPTION_ARG_FILENAME, &timeout,
         N_("wait: so long at most"), "SECONDS"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    gboolean list;

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    if (timeout != NULL && !value_parse_count("--timeout", timeout, 0,
                                              TIMEOUT_MAX, &seconds, error))
        return FALSE;
    request->action = find_action(cli_operand(cli, 0));
    request->job = cli_operand(cli, 1);
    request->timeout_ms = timeout != NULL ? (gint64)seconds * 1000 : -1;
    if (request->action == NULL)
        return cli_bad_usage(error, _("unknown command: job %s"),
                             cli_operand(cli, 0));
    list = g_str_equal(request->action->name, "list");
    if (list && request->job != NULL)
        return cli_bad_usage(error, _("unexpected argument: %s"), request->job);
    if (!list && request->job == NULL)
        return cli_bad_usage(error, _("%s is missing"), "ID");
    if (timeout != NULL && !g_str_equal(request->action->name, "wait"))
        return cli_bad_usage(error, _("--timeout is for job wait"));
    return TRUE;
}

/* ---- The ends ------------------------------------------------------------ */

static int
done(Cli *cli, const JobRecord *record, const char *text)
{
    JsonObject *document;

    if (!cli->json)
        return cli_done(cli, text);
    document = json_document_new(cli, NULL, NULL, 0);
    if (record != NULL)
        json_object_set_object_member(document, "job", job_output_json(record));
    return cli_done_json(cli, document, 0);
}

static int
failed(Cli *cli, const JobRecord *record, const RefpointFailure *failure)
{
    int status = failure->cause == REFPOINT_ERROR_CANCELLED
                     ? REFPOINT_ERROR_FAILED
                     : (int)failure->cause;
    JsonObject *document;

    if (!cli->json) {
        cli_print_failure(failure);
        return status;
    }
    document = json_document_new(cli, NULL, failure, status);
    if (record != NULL)
        json_object_set_object_member(document, "job", job_output_json(record));
    return cli_done_json(cli, document, status);
}

static int
failed_with(Cli *cli, RefpointError cause, const char *format, const char *job)
{
    g_autofree char *message = g_strdup_printf(format, job);
    const RefpointFailure failure = {.cause = cause, .message = message};

    return failed(cli, NULL, &failure);
}

/* ---- The actions --------------------------------------------------------- */

static int
run_list(Cli *cli, const Request *request, JobRecord *record G_GNUC_UNUSED)
{
    g_autoptr(GPtrArray) records = job_store_list(request->store);
    g_autofree char *text = NULL;
    JsonObject *document;
    JsonArray *jobs;

    if (!cli->json) {
        text = job_output_list(records, cli->quiet);
        return cli_done(cli, text);
    }
    document = json_document_new(cli, NULL, NULL, 0);
    jobs = json_array_new();
    for (guint i = 0; i < records->len; i++)
        json_array_add_object_element(jobs, job_output_json(records->pdata[i]));
    json_object_set_array_member(document, "jobs", jobs);
    return cli_done_json(cli, document, 0);
}

static int
run_show(Cli *cli, const Request *request G_GNUC_UNUSED, JobRecord *record)
{
    g_autofree char *text = job_output_facts(record);

    return done(cli, record, text);
}

static void
on_change(guint state, guint percent, gpointer opaque)
{
    if (!job_state_is_final(state))
        job_progress_show(opaque, percent);
}

static int
run_wait(Cli *cli, const Request *request, JobRecord *record)
{
    g_autoptr(JobRecord) ended = NULL;
    g_autoptr(RefpointFailure) failure = NULL;
    g_autofree char *text = NULL;
    JobProgress progress;
    gboolean in_time;

    job_progress_begin(&progress, cli, record->method);
    ended = job_client_wait(request->store, record->id, request->timeout_ms,
                            on_change, &progress, &in_time);
    job_progress_hide(&progress);
    if (!in_time)
        return failed_with(cli, REFPOINT_ERROR_TIMEOUT,
                           _("job %s has not ended in time"), record->id);
    if (ended == NULL)
        return failed_with(cli, REFPOINT_ERROR_INVALID_PARAMETER,
                           _("there is no job '%s' (any more)"), record->id);
    if (ended->return_value != 0) {
        failure =
            job_error_failure(ended->errors != NULL ? ended->errors[0] : NULL,
                              ended->return_value);
        return failed(cli, ended, failure);
    }
    text = g_strdup_printf(_("Job %s completed\n"), ended->id);
    return done(cli, ended, cli->quiet ? "" : text);
}

static int
run_request(Cli *cli, const Request *request, JobRecord *record)
{
    g_autoptr(InvokeAnswer) answer =
        job_client_request(request->store, record, request->action->state);
    g_autoptr(JobRecord) now = job_store_load(request->store, record->id);
    g_autofree char *text = NULL;

    if (answer->failure != NULL)
        return failed(cli, now, answer->failure);
    text = g_strdup_printf(_("Job %s: %s\n"), record->id,
                           _(job_state_name(now != NULL ? job_record_state(now)
                                                        : 0)));
    return done(cli, now, cli->quiet ? "" : text);
}

static int
run_job(Cli *cli, char **args)
{
    Request request = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(JobStore) store = NULL;
    g_autoptr(JobRecord) record = NULL;

    if (!parse_job(cli, args, &request, &error))
        return cli_usage(cli, error);
    request.store = store = job_store_open(FALSE, &error);
    if (store == NULL)
        return cli_failed(cli, error);
    if (request.job != NULL) {
        record = job_store_find(store, request.job, &error);
        if (record == NULL)
            return cli_failed(cli, error);
    }
    return request.action->run(cli, &request, record);
}

const Command command_job = {
    .name = "job",
    .operands = "COMMAND [ID]",
    .summary = N_("list, show, wait, suspend, resume, terminate or kill jobs"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_job,
};

static const Action actions[] = {
    {"list", run_list, 0},
    {"show", run_show, 0},
    {"wait", run_wait, 0},
    {"suspend", run_request, REFPOINT_MSVM_REQUEST_SUSPEND},
    {"resume", run_request, REFPOINT_MSVM_REQUEST_START},
    {"terminate", run_request, REFPOINT_MSVM_REQUEST_TERMINATE},
    {"kill", run_request, REFPOINT_MSVM_REQUEST_KILL},
    {NULL, NULL, 0},
};
