/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-method-job.h"

#include "base/error.h"
#include "base/text.h"
#include "cim/msvm-error.h"
#include "cim/msvm-return.h"
#include "cim/msvm-time.h"
#include "msvm/msvm-job.h"
#include "msvm/msvm-object-path.h"

/* ---- RequestStateChange -------------------------------------------------- */

static gboolean
refuse(const RfpMsvmJob *job, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the job %s cannot change to that state now"), job->id);
    rfp_error_add_object(error, job->path);
    return FALSE;
}

static gboolean
resume(RfpMsvmJob *job, GError **error)
{
    if (job->state == REFPOINT_MSVM_JOB_SHUTTING_DOWN)
        return refuse(job, error);
    if (job->state != REFPOINT_MSVM_JOB_SUSPENDED)
        return TRUE;
    refpoint_job_resume(job->handle);
    rfp_msvm_job_set_state(job, job->mono_begin_us
                                    ? REFPOINT_MSVM_JOB_RUNNING
                                    : REFPOINT_MSVM_JOB_STARTING);
    return TRUE;
}

static gboolean
suspend(RfpMsvmJob *job, GError **error)
{
    if (!job->work->action->suspendable ||
        job->state == REFPOINT_MSVM_JOB_SHUTTING_DOWN)
        return refuse(job, error);
    if (job->state == REFPOINT_MSVM_JOB_SUSPENDED)
        return TRUE;
    if (!refpoint_job_suspend(job->handle))
        return refuse(job, error);
    rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_SUSPENDED);
    return TRUE;
}

static gboolean
terminate(RfpMsvmJob *job, GError **error)
{
    if (!rfp_msvm_job_is_cancellable(job))
        return refuse(job, error);
    if (job->state == REFPOINT_MSVM_JOB_SHUTTING_DOWN)
        return TRUE;
    refpoint_job_cancel(job->handle);
    rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_SHUTTING_DOWN);
    return TRUE;
}

/* The job has ended from now on; its thread undoes what there is, and nobody
 * waits for that. */
static gboolean
kill_now(RfpMsvmJob *job, GError **error)
{
    g_autoptr(GError) killed = NULL;

    if (!rfp_msvm_job_is_cancellable(job))
        return refuse(job, error);
    refpoint_job_cancel(job->handle);
    rfp_error_set(&killed, REFPOINT_ERROR_CANCELLED, _("the job was killed"));
    job->failure = refpoint_failure_new(killed);
    job->error_code = rfp_msvm_method_error_number(job->work->method, killed);
    rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_KILLED);
    return TRUE;
}

static const struct {
    guint16 requested;
    gboolean (*change)(RfpMsvmJob *job, GError **error);
} requests[] = {
    {REFPOINT_MSVM_REQUEST_START, resume},
    {REFPOINT_MSVM_REQUEST_SUSPEND, suspend},
    {REFPOINT_MSVM_REQUEST_TERMINATE, terminate},
    {REFPOINT_MSVM_REQUEST_KILL, kill_now},
};

static gboolean
change(RfpMsvmJob *job, guint16 requested, GError **error)
{
    guint i = 0;

    if (rfp_msvm_job_has_ended(job))
        return refuse(job, error);
    for (i = 0; i < G_N_ELEMENTS(requests); i++) {
        if (requests[i].requested == requested)
            return requests[i].change(job, error);
    }
    g_assert_not_reached();
}

/* Whether jobs have the state. The reference has one more, 6 (Service): it is
 * refused as not supported, other numbers as invalid. */
static gboolean
check_request(guint16 requested, GError **error)
{
    gboolean service = requested == REFPOINT_MSVM_REQUEST_KILL + 1;

    if (requested >= REFPOINT_MSVM_REQUEST_START &&
        requested <= REFPOINT_MSVM_REQUEST_KILL)
        return TRUE;
    rfp_error_set(error,
                  service ? REFPOINT_ERROR_NOT_SUPPORTED
                          : REFPOINT_ERROR_INVALID_PARAMETER,
                  _("a job cannot be asked for the state %u"), requested);
    return FALSE;
}

/* A request is never waited for: TimeoutPeriod must be NULL or zero. Returns 0;
 * for any other interval 4098 and @error; for what is none @error alone. */
static guint32
check_timeout(const RfpMsvmCall *call, GError **error)
{
    const char *text = rfp_msvm_call_text(call, "TimeoutPeriod");
    guint64 us = 0;

    if (text == NULL || (rfp_msvm_interval_parse(text, &us) && us == 0))
        return 0;
    if (us == 0) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("TimeoutPeriod: '%s' is not an interval"), text);
        return 0;
    }
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("TimeoutPeriod: a request is never waited for"));
    rfp_error_add_way_out(error, _("wait for the job"));
    return REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED;
}

/* The job that the method is called for; the lock is held. */
static RfpMsvmJob *
find_job(const RfpMsvmCall *call, const RfpMsvmPath *path, GError **error)
{
    RfpMsvmJob *job = rfp_msvm_job_find(call->msvm, path);

    if (job == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("there is no such job: %s"), call->path);
        rfp_error_add_object(error, call->path);
    }
    return job;
}

static RfpMsvmPath *
parse_path(const RfpMsvmCall *call, GError **error)
{
    return rfp_msvm_object_path_parse(call->path, call->klass->name, error);
}

static void
request(const RfpMsvmCall *call, guint16 requested, GError **error)
{
    g_autoptr(RfpMsvmPath) path = parse_path(call, error);
    g_autofree char *name = NULL;
    RfpMsvmJob *job = NULL;
    gboolean changed = FALSE;
    guint16 state = 0;
    guint percent = 0;

    if (path == NULL)
        return;
    g_mutex_lock(&call->msvm->lock);
    job = find_job(call, path, error);
    if (job != NULL) {
        state = job->state;
        changed = change(job, requested, error) && job->state != state;
        state = job->state;
        percent = job->percent;
        name = g_strdup(job->path);
    }
    g_mutex_unlock(&call->msvm->lock);
    if (changed)
        rfp_msvm_job_tell(call->msvm, name, state, percent);
}

guint32
rfp_msvm_run_request_state_change(RfpMsvmCall *call, GError **error)
{
    guint16 requested = (guint16)rfp_msvm_call_number(call, "RequestedState");
    GError *local = NULL;
    guint32 number = check_timeout(call, &local);

    if (local == NULL && check_request(requested, &local))
        request(call, requested, &local);
    if (local != NULL)
        g_propagate_error(error, local);
    return number;
}

/* ---- GetError, GetErrorEx ------------------------------------------------ */

/* The job's error as an Msvm_Error. NULL without @error: the job has none. */
static RfpMsvmInstance *
find_error(const RfpMsvmCall *call, GError **error)
{
    g_autoptr(RfpMsvmPath) path = parse_path(call, error);
    RfpMsvmInstance *found = NULL;
    const RfpMsvmJob *job = NULL;

    if (path == NULL)
        return NULL;
    g_mutex_lock(&call->msvm->lock);
    job = find_job(call, path, error);
    if (job != NULL && job->failure != NULL)
        found = rfp_msvm_error_new(job->failure, job->work->affected);
    g_mutex_unlock(&call->msvm->lock);
    return found;
}

/* Answers "Error", or "Errors" with one item: a job has one error at most. */
static guint32
answer_error(RfpMsvmCall *call, const char *parameter, GError **error)
{
    RfpMsvmInstance *found = find_error(call, error);
    RfpMsvmValue *value = rfp_msvm_call_answer(call, parameter);

    value->null = found == NULL;
    if (found != NULL)
        rfp_msvm_value_add_instance(value, found);
    return 0;
}

guint32
rfp_msvm_run_get_error(RfpMsvmCall *call, GError **error)
{
    return answer_error(call, "Error", error);
}

guint32
rfp_msvm_run_get_error_ex(RfpMsvmCall *call, GError **error)
{
    return answer_error(call, "Errors", error);
}
