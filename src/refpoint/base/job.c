/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/job.h"
#include "base/text.h"

static void
disk_report_free(gpointer data)
{
    RefpointDiskReport *disk = data;

    g_free(disk->target);
    g_free(disk->reason_id);
    g_free(disk->reason);
    g_free(disk->base_name);
    g_free(disk->base_guid);
    g_free(disk->image);
    g_free(disk->view_digest);
    g_free(disk->domain_name);
    g_free(disk->domain_uuid);
    g_free(disk);
}

static void
member_report_free(gpointer data)
{
    RefpointMemberReport *member = data;

    g_free(member->domain_name);
    g_free(member->domain_uuid);
    g_ptr_array_unref(member->disks);
    g_free(member);
}

static void
warning_free(gpointer data)
{
    RefpointWarning *warning = data;

    g_free(warning->id);
    g_free(warning->object);
    g_free(warning->message);
    g_free(warning);
}

RefpointJob *
refpoint_job_new(void)
{
    RefpointJob *job = g_new0(RefpointJob, 1);

    rfp_rate_init(&job->rate);
    g_mutex_init(&job->lock);
    job->report.disks = g_ptr_array_new_with_free_func(disk_report_free);
    job->report.members = g_ptr_array_new_with_free_func(member_report_free);
    job->report.warnings = g_ptr_array_new_with_free_func(warning_free);
    job->report.destroyed = g_ptr_array_new_with_free_func(g_free);
    job->report.imported = g_ptr_array_new_with_free_func(g_free);
    return job;
}

void
refpoint_job_free(RefpointJob *job)
{
    if (job == NULL)
        return;
    g_free(job->report.domain_name);
    g_free(job->report.domain_uuid);
    g_free(job->report.point_name);
    g_free(job->report.point_guid);
    g_free(job->report.point_path);
    g_free(job->report.set_guid);
    g_free(job->report.waited_for);
    g_free(job->report.group_name);
    g_free(job->report.group_guid);
    g_ptr_array_unref(job->report.members);
    g_ptr_array_unref(job->report.disks);
    g_ptr_array_unref(job->report.warnings);
    g_ptr_array_unref(job->report.destroyed);
    g_ptr_array_unref(job->report.imported);
    refpoint_failure_free(job->report.failure);
    rfp_rate_clear(&job->rate);
    g_mutex_clear(&job->lock);
    g_free(job);
}

void
refpoint_job_set_progress(RefpointJob *job,
                          RefpointProgressFunc func,
                          gpointer opaque)
{
    job->progress = func;
    job->progress_opaque = opaque;
}

void
refpoint_job_set_plan(RefpointJob *job, RefpointPlanFunc func, gpointer opaque)
{
    job->plan = func;
    job->plan_opaque = opaque;
}

void
refpoint_job_set_wait(RefpointJob *job,
                      guint seconds,
                      RefpointWaitFunc func,
                      gpointer opaque)
{
    job->wait = seconds;
    job->waiting = func;
    job->waiting_opaque = opaque;
}

void
refpoint_job_cancel(RefpointJob *job)
{
    g_atomic_int_set(&job->cancel, 1);
}

void
refpoint_job_set_rate(RefpointJob *job, guint64 bytes_per_second)
{
    rfp_rate_set(&job->rate, bytes_per_second);
}

gboolean
refpoint_job_suspend(RefpointJob *job)
{
    return rfp_rate_pause(&job->rate, TRUE);
}

void
refpoint_job_resume(RefpointJob *job)
{
    rfp_rate_pause(&job->rate, FALSE);
}

const RefpointReport *
refpoint_job_get_report(RefpointJob *job)
{
    return &job->report;
}

void
rfp_job_warn(RefpointJob *job,
             RfpWarning warning,
             const char *object,
             const char *format,
             ...)
{
    RefpointWarning *said = g_new0(RefpointWarning, 1);
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    said->id = g_strdup(rfp_warning_id(warning));
    said->object = g_strdup(object);
    said->message = rfp_text_clean(message);
    g_mutex_lock(&job->lock);
    g_ptr_array_add(job->report.warnings, said);
    g_mutex_unlock(&job->lock);
}

gboolean
rfp_job_cancelled(RefpointJob *job)
{
    return g_atomic_int_get(&job->cancel) != 0;
}

gboolean
rfp_job_check(RefpointJob *job, GError **error)
{
    if (!rfp_job_cancelled(job))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("interrupted"));
    return FALSE;
}

gboolean
rfp_job_finish_reading(RefpointJob *job, GError **error)
{
    rfp_rate_finish(&job->rate, &job->cancel);
    return rfp_job_check(job, error);
}

RefpointMemberReport *
rfp_job_add_member(RefpointJob *job, const char *name, const char *uuid)
{
    RefpointMemberReport *member = g_new0(RefpointMemberReport, 1);

    if (job->report.domain_name == NULL) {
        job->report.domain_name = g_strdup(name);
        job->report.domain_uuid = g_strdup(uuid);
    }
    member->domain_name = g_strdup(name);
    member->domain_uuid = g_strdup(uuid);
    member->disks = g_ptr_array_new();
    g_ptr_array_add(job->report.members, member);
    return member;
}

void
rfp_job_set_frozen(RefpointJob *job, RefpointMemberReport *member, guint64 us)
{
    g_mutex_lock(&job->lock);
    member->frozen_us = us;
    job->report.frozen_us = 0;
    for (guint i = 0; i < job->report.members->len; i++) {
        const RefpointMemberReport *each =
            g_ptr_array_index(job->report.members, i);

        job->report.frozen_us = MAX(job->report.frozen_us, each->frozen_us);
    }
    g_mutex_unlock(&job->lock);
}

RefpointDiskReport *
rfp_job_add_disk(RefpointJob *job,
                 RefpointMemberReport *member,
                 const char *target)
{
    RefpointDiskReport *disk = g_new0(RefpointDiskReport, 1);

    disk->target = g_strdup(target);
    disk->domain_name = g_strdup(member->domain_name);
    disk->domain_uuid = g_strdup(member->domain_uuid);
    g_ptr_array_add(job->report.disks, disk);
    g_ptr_array_add(member->disks, disk);
    return disk;
}

gboolean
rfp_job_end(RefpointJob *job, gboolean done, GError **error)
{
    if (!done && error != NULL && *error != NULL) {
        refpoint_failure_free(job->report.failure);
        job->report.failure = refpoint_failure_new(*error);
        rfp_error_make_plain(*error);
    }
    return done;
}
