/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-job.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "cim/msvm-id.h"
#include "cim/msvm-return.h"
#include "msvm/msvm-object-path.h"

/* Progress is told at most this often. */
#define TELL_US (200 * 1000)
/* 100 is a job that has completed. */
#define PERCENT_RUNNING_MAX 99

static void
free_job(RfpMsvmJob *job)
{
    rfp_msvm_work_free(job->work);
    refpoint_job_free(job->handle);
    refpoint_failure_free(job->failure);
    rfp_msvm_outcome_free(job->outcome);
    g_free(job->id);
    g_free(job->path);
    g_free(job);
}

/* ---- The list of jobs ---------------------------------------------------- */

gboolean
rfp_msvm_job_has_ended(const RfpMsvmJob *job)
{
    return job->state >= REFPOINT_MSVM_JOB_COMPLETED;
}

/* Frees the jobs whose TimeBeforeRemoval is over. A thread that is done with
 * its job does not wait for the lock any more, so it can be joined with the
 * lock held. */
static void
remove_old(RefpointMsvm *msvm)
{
    gint64 now = g_get_monotonic_time();
    guint i = 0;

    while (i < msvm->jobs->len) {
        RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);

        if (job->thread_done &&
            now - job->mono_end_us >= (gint64)msvm->removal_us) {
            g_ptr_array_remove_index(msvm->jobs, i);
            g_thread_join(job->thread);
            free_job(job);
        } else {
            i++;
        }
    }
}

static RfpMsvmJob *
find_listed(RefpointMsvm *msvm, const RfpMsvmPath *path)
{
    const char *id = rfp_msvm_path_key(path, "InstanceID");
    guint i = 0;

    for (i = 0; id != NULL && i < msvm->jobs->len; i++) {
        RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);
        const RfpMsvmClass *klass =
            rfp_msvm_class_find(job->work->action->job_class);

        if (g_ascii_strcasecmp(job->id, id) == 0 &&
            rfp_msvm_class_is_a(klass, path->class_name))
            return job;
    }
    return NULL;
}

RfpMsvmJob *
rfp_msvm_job_find(RefpointMsvm *msvm, const RfpMsvmPath *path)
{
    remove_old(msvm);
    return find_listed(msvm, path);
}

gboolean
rfp_msvm_job_is_cancellable(const RfpMsvmJob *job)
{
    return job->work->action->cancellable || job->waits;
}

/* With the lock held. */
static gboolean
check_domain(RefpointMsvm *msvm, const char *domain, GError **error)
{
    for (guint i = 0; i < msvm->jobs->len; i++) {
        const RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);

        if (job->thread_done || rfp_msvm_work_find(job->work, domain) == NULL)
            continue;
        rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                      _("the domain %s has a job that runs: %s"), domain,
                      job->id);
        rfp_error_add_object(error, job->path);
        rfp_error_add_way_out(error, _("wait for its end"));
        return FALSE;
    }
    return TRUE;
}

/* With the lock held. */
static gboolean
check_free(RefpointMsvm *msvm, const RfpMsvmWork *work, GError **error)
{
    for (guint i = 0; i < work->members->len; i++) {
        const RfpMsvmMember *member = g_ptr_array_index(work->members, i);

        if (!check_domain(msvm, member->domain, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_msvm_job_check_free(RefpointMsvm *msvm,
                        const RfpMsvmWork *work,
                        GError **error)
{
    gboolean is_free = FALSE;

    g_mutex_lock(&msvm->lock);
    is_free = check_free(msvm, work, error);
    g_mutex_unlock(&msvm->lock);
    return is_free;
}

GPtrArray *
rfp_msvm_job_paths(RefpointMsvm *msvm)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    guint i = 0;

    g_mutex_lock(&msvm->lock);
    remove_old(msvm);
    for (i = 0; i < msvm->jobs->len; i++) {
        const RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);

        g_ptr_array_add(paths, g_strdup(job->path));
    }
    g_mutex_unlock(&msvm->lock);
    return paths;
}

/* ---- State --------------------------------------------------------------- */

void
rfp_msvm_job_set_state(RfpMsvmJob *job, guint16 state)
{
    job->state = state;
    job->changed_us = g_get_real_time();
    if (rfp_msvm_job_has_ended(job) && job->mono_end_us == 0)
        job->mono_end_us = g_get_monotonic_time();
    g_cond_broadcast(&job->msvm->changed);
}

void
rfp_msvm_job_tell(RefpointMsvm *msvm,
                  const char *path,
                  guint16 state,
                  guint percent)
{
    if (msvm->job_func != NULL)
        msvm->job_func(msvm, path, state, percent, msvm->job_opaque);
}

static guint
percent_of(const RefpointProgress *disks, guint n_disks)
{
    double done = 0;
    double total = 0;
    guint i = 0;

    for (i = 0; i < n_disks; i++) {
        done += (double)disks[i].done;
        total += (double)disks[i].total;
    }
    if (total <= 0 || done >= total)
        return total > 0 ? PERCENT_RUNNING_MAX : 0;
    return MIN((guint)(done * 100 / total), PERCENT_RUNNING_MAX);
}

/* The total grows for a while, so a new percentage can be less than the one
 * before: PercentComplete never goes back. */
static void
on_progress(const RefpointProgress *disks, guint n_disks, gpointer opaque)
{
    RfpMsvmJob *job = opaque;
    gint64 now = g_get_monotonic_time();
    guint percent = percent_of(disks, n_disks);
    gboolean tell = FALSE;
    guint16 state = 0;

    g_mutex_lock(&job->msvm->lock);
    if (percent > job->percent) {
        job->percent = percent;
        tell = now - job->mono_told_us >= TELL_US;
    }
    if (tell)
        job->mono_told_us = now;
    state = job->state;
    g_mutex_unlock(&job->msvm->lock);
    if (tell)
        rfp_msvm_job_tell(job->msvm, job->path, state, percent);
}

static void
begin(RfpMsvmJob *job)
{
    RefpointMsvm *msvm = job->msvm;
    guint16 state = 0;

    g_mutex_lock(&msvm->lock);
    job->started_us = g_get_real_time();
    job->mono_begin_us = g_get_monotonic_time();
    if (job->state == REFPOINT_MSVM_JOB_STARTING)
        rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_RUNNING);
    state = job->state;
    g_mutex_unlock(&msvm->lock);
    rfp_msvm_job_tell(msvm, job->path, state, 0);
}

/* What the end of its work means for a job. One that was killed stays Killed,
 * whatever its work came to; but if it could not be undone, that failure is
 * more than the one that it was killed, and takes its place. Takes @outcome and
 * @failure. */
static void
settle(RfpMsvmJob *job, RfpMsvmOutcome *outcome, RefpointFailure *failure)
{
    gboolean asked = job->state == REFPOINT_MSVM_JOB_SHUTTING_DOWN;
    guint16 state = REFPOINT_MSVM_JOB_EXCEPTION;

    job->outcome = outcome;
    if (failure != NULL && failure->cause == REFPOINT_ERROR_CANCELLED &&
        job->failure != NULL) {
        refpoint_failure_free(failure);
    } else if (failure != NULL) {
        refpoint_failure_free(job->failure);
        job->failure = failure;
        job->error_code =
            rfp_msvm_method_number(job->work->method, (int)failure->cause);
    }
    if (job->state == REFPOINT_MSVM_JOB_KILLED)
        return;
    if (outcome != NULL) {
        job->percent = 100;
        state = REFPOINT_MSVM_JOB_COMPLETED;
    } else if (asked && failure->cause == REFPOINT_ERROR_CANCELLED) {
        state = REFPOINT_MSVM_JOB_TERMINATED;
    }
    rfp_msvm_job_set_state(job, state);
}

static gpointer
run(gpointer opaque)
{
    RfpMsvmJob *job = opaque;
    RefpointMsvm *msvm = job->msvm;
    RefpointFailure *failure = NULL;
    RfpMsvmOutcome *outcome = NULL;
    guint16 state = 0;
    guint percent = 0;
    gboolean killed = FALSE;

    begin(job);
    outcome = rfp_msvm_work_run(msvm->conn, job->work, job->handle, &failure);
    g_mutex_lock(&msvm->lock);
    killed = rfp_msvm_job_has_ended(job);
    settle(job, outcome, failure);
    state = job->state;
    percent = job->percent;
    g_mutex_unlock(&msvm->lock);
    if (!killed)
        rfp_msvm_job_tell(msvm, job->path, state, percent);
    g_mutex_lock(&msvm->lock);
    job->thread_done = TRUE;
    g_mutex_unlock(&msvm->lock);
    return NULL;
}

/* ---- Begin and end ------------------------------------------------------- */

static void
on_waiting(const char *whom, gpointer opaque)
{
    RfpMsvmJob *job = opaque;
    RefpointMsvm *msvm = job->msvm;

    g_mutex_lock(&msvm->lock);
    job->waits = whom != NULL;
    g_mutex_unlock(&msvm->lock);
    if (msvm->wait_func != NULL)
        msvm->wait_func(whom, msvm->wait_opaque);
}

static RfpMsvmJob *
new_job(RefpointMsvm *msvm, RfpMsvmWork *work)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(work->action->job_class);
    g_autofree char *guid = rfp_guid_new();
    RfpMsvmJob *job = g_new0(RfpMsvmJob, 1);

    job->msvm = msvm;
    job->work = work;
    job->handle = refpoint_job_new();
    refpoint_job_set_wait(job->handle, msvm->wait_seconds, on_waiting, job);
    job->id = rfp_msvm_id_format(RFP_MSVM_ID_JOB, guid, NULL);
    rfp_msvm_path_add(path, "InstanceID", job->id);
    job->path = rfp_msvm_path_format(path);
    job->submitted_us = g_get_real_time();
    refpoint_job_set_progress(job->handle, on_progress, job);
    rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_NEW);
    return job;
}

/* With the lock held: the thread waits for it. */
static char *
start(RefpointMsvm *msvm, RfpMsvmJob *job, GError **error)
{
    g_autoptr(GError) local = NULL;

    remove_old(msvm);
    if (!check_free(msvm, job->work, error))
        return NULL;
    rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_STARTING);
    job->thread = g_thread_try_new("refpoint-msvm", run, job, &local);
    if (job->thread == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("cannot start a thread: %s"), local->message);
        return NULL;
    }
    g_ptr_array_add(msvm->jobs, job);
    return g_strdup(job->path);
}

char *
rfp_msvm_job_start(RefpointMsvm *msvm, RfpMsvmWork *work, GError **error)
{
    RfpMsvmJob *job = new_job(msvm, work);
    char *path = NULL;

    g_mutex_lock(&msvm->lock);
    path = start(msvm, job, error);
    g_mutex_unlock(&msvm->lock);
    if (path == NULL)
        free_job(job);
    return path;
}

/* Until the last thread is done, the function that is told of jobs can ask for
 * any of them: none is freed before. */
void
rfp_msvm_job_end_all(RefpointMsvm *msvm)
{
    guint i = 0;

    g_mutex_lock(&msvm->lock);
    msvm->removal_us = G_MAXINT64;
    for (i = 0; i < msvm->jobs->len; i++) {
        RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);

        refpoint_job_cancel(job->handle);
        if (!rfp_msvm_job_has_ended(job))
            rfp_msvm_job_set_state(job, REFPOINT_MSVM_JOB_SHUTTING_DOWN);
    }
    g_mutex_unlock(&msvm->lock);
    for (i = 0; i < msvm->jobs->len; i++) {
        RfpMsvmJob *job = g_ptr_array_index(msvm->jobs, i);

        g_thread_join(job->thread);
    }
    for (i = 0; i < msvm->jobs->len; i++)
        free_job(g_ptr_array_index(msvm->jobs, i));
    g_ptr_array_set_size(msvm->jobs, 0);
}

guint16
refpoint_msvm_wait(RefpointMsvm *msvm, const char *job, gint timeout_ms)
{
    g_autoptr(RfpMsvmPath) path =
        rfp_msvm_object_path_parse(job, RFP_MSVM_ANY_JOB, NULL);
    gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    const RfpMsvmJob *found = NULL;
    gboolean in_time = TRUE;
    guint16 state = 0;

    if (path == NULL)
        return 0;
    g_mutex_lock(&msvm->lock);
    remove_old(msvm);
    /* A job that is waited for is not freed by this loop. */
    while ((found = find_listed(msvm, path)) != NULL) {
        state = found->state;
        if (rfp_msvm_job_has_ended(found) || !in_time)
            break;
        if (timeout_ms < 0)
            g_cond_wait(&msvm->changed, &msvm->lock);
        else
            in_time = g_cond_wait_until(&msvm->changed, &msvm->lock, until);
    }
    g_mutex_unlock(&msvm->lock);
    return state;
}
