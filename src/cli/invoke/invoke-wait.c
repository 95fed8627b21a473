/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "invoke/invoke-wait.h"

#include "interrupt.h"
#include "invoke/cim-path.h"
#include "job/job-error.h"
#include "job/job-progress.h"
#include "job/job-record.h"
#include "stop.h"

#include <string.h>

#define LOOK_MS 200

/* Called from a thread of the job; a percentage is whole at any moment. */
static void
on_job(RefpointMsvm *msvm G_GNUC_UNUSED,
       const char *job G_GNUC_UNUSED,
       guint16 state G_GNUC_UNUSED,
       guint percent,
       gpointer opaque)
{
    g_atomic_int_set((gint *)opaque, (gint)percent);
}

static guint
wait_for_end(RefpointMsvm *msvm,
             const char *job,
             JobProgress *progress,
             const gint *percent)
{
    gboolean terminated = FALSE;
    guint state;

    for (;;) {
        state = refpoint_msvm_wait(msvm, job, LOOK_MS);
        if (state == 0 || job_state_is_final(state))
            return state;
        job_progress_show(progress, (guint)g_atomic_int_get(percent));
        if (interrupt_signal() == 0 || terminated)
            continue;
        terminated = TRUE;
        refpoint_msvm_request_state_change(msvm, job,
                                           REFPOINT_MSVM_REQUEST_TERMINATE,
                                           NULL, NULL);
    }
}

char *
invoke_job_result(RefpointMsvm *msvm,
                  const char *job,
                  const char *class_name,
                  const char *method,
                  const char **parameter)
{
    gboolean point =
        g_ascii_strcasecmp(class_name,
                           "Msvm_VirtualSystemReferencePointService") == 0;
    g_autoptr(GPtrArray) paths = NULL;

    *parameter = NULL;
    if (g_ascii_strcasecmp(method, "CreateReferencePoint") != 0)
        return NULL;
    *parameter =
        point ? "ResultingReferencePoint" : "ResultingReferencePointCollection";
    paths = refpoint_msvm_associators(msvm, job, "Msvm_AffectedJobElement",
                                      point ? "Msvm_VirtualSystemReferencePoint"
                                            : "Msvm_ReferencePointCollection",
                                      NULL);
    return paths != NULL && paths->len == 1 ? g_strdup(paths->pdata[0]) : NULL;
}

static void
set_result(InvokeAnswer *answer,
           const InvokeCall *call,
           RefpointMsvm *msvm,
           const char *job)
{
    const char *parameter;
    g_autofree char *path = invoke_job_result(msvm, job, call->class_name,
                                              call->method, &parameter);

    if (parameter != NULL)
        invoke_answer_set(answer, parameter, "reference", path);
}

/* What the call would have answered had it not been a job. */
static void
take_outcome(InvokeAnswer *answer,
             const InvokeCall *call,
             RefpointMsvm *msvm,
             const char *job)
{
    g_autofree char *text = refpoint_msvm_get_instance(msvm, job, NULL);
    g_autoptr(CimInstance) instance =
        text != NULL ? cim_instance_parse(text) : NULL;
    g_autofree char *error = NULL;

    answer->return_value =
        job_error_number(instance, call->class_name, call->method);
    invoke_answer_set(answer, "Job", "reference", NULL);
    if (answer->return_value == 0) {
        set_result(answer, call, msvm, job);
        return;
    }
    refpoint_msvm_get_error(msvm, job, &error, NULL);
    answer->failure = job_error_failure(error, answer->return_value);
}

InvokeAnswer *
invoke_wait(Cli *cli, const InvokeCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(RefpointMsvm) msvm = NULL;
    g_autofree char *job = NULL;
    InvokeAnswer *answer;
    JobProgress progress;
    gint percent = 0;

    conn = refpoint_connection_open(call->uri, &error);
    if (conn == NULL)
        return invoke_answer_error(call, error);
    msvm = refpoint_msvm_new(conn);
    refpoint_msvm_set_job_func(msvm, on_job, &percent);
    refpoint_msvm_set_wait(msvm, call->wait, cli_waits, cli);
    cli_job_begin(cli);
    stop_begin(conn);
    answer = invoke_call_run(call, msvm, TRUE);
    job = invoke_answer_text(answer, "Job");
    if (answer->return_value == REFPOINT_MSVM_JOB_STARTED && job != NULL) {
        job_progress_begin(&progress, cli, call->method);
        wait_for_end(msvm, job, &progress, &percent);
        job_progress_hide(&progress);
        take_outcome(answer, call, msvm, job);
    }
    cli_job_end(cli);
    return answer;
}
