/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs as instances of their classes, and what they affect. */
#include "msvm/msvm-job-instance.h"

#include "cim/msvm-id.h"
#include "cim/msvm-time.h"
#include "msvm/msvm-job.h"

#define EFFECT_EXCLUSIVE_USE 2
#define EFFECT_CREATE 5
#define UTC_TIME 2
#define DO_NOT_CONTINUE 2

/* By JobState: OperationalStatus, HealthState. */
static const struct {
    guint16 status;
    guint16 health;
} statuses[] = {
    [REFPOINT_MSVM_JOB_NEW] = {15, 5},
    [REFPOINT_MSVM_JOB_STARTING] = {8, 5},
    [REFPOINT_MSVM_JOB_RUNNING] = {2, 5},
    [REFPOINT_MSVM_JOB_SUSPENDED] = {10, 5},
    [REFPOINT_MSVM_JOB_SHUTTING_DOWN] = {9, 5},
    [REFPOINT_MSVM_JOB_COMPLETED] = {17, 5},
    [REFPOINT_MSVM_JOB_TERMINATED] = {14, 5},
    [REFPOINT_MSVM_JOB_KILLED] = {14, 10},
    [REFPOINT_MSVM_JOB_EXCEPTION] = {6, 20},
};

/* ---- Properties of all jobs ---------------------------------------------- */

static const char *
value_name(const char *class_name, const char *property, guint16 value)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find(class_name);

    return rfp_msvm_property_value_name(rfp_msvm_class_property(klass,
                                                                property),
                                        value);
}

static void
set_name(RfpMsvmInstance *instance, const RfpMsvmJob *job)
{
    const RfpMsvmAction *action = job->work->action;
    const char *name =
        value_name(RFP_MSVM_JOB_CLASS, "JobType", action->job_type);

    rfp_msvm_instance_set_text(instance, "InstanceID", job->id);
    rfp_msvm_instance_set_text(instance, "Name", name);
    rfp_msvm_instance_set_text(instance, "Caption", name);
    rfp_msvm_instance_set_text(instance, "Description", name);
    rfp_msvm_instance_set_text(instance, "ElementName", name);
    rfp_msvm_instance_set_number(instance, "JobType", action->job_type);
    rfp_msvm_instance_set_text(instance, "Owner", g_get_user_name());
    rfp_msvm_instance_set_number(instance, "DeleteOnCompletion", TRUE);
    rfp_msvm_instance_set_number(instance, "JobRunTimes", 1);
    rfp_msvm_instance_set_number(instance, "LocalOrUtcTime", UTC_TIME);
    rfp_msvm_instance_set_number(instance, "RecoveryAction", DO_NOT_CONTINUE);
}

static void
set_state(RfpMsvmInstance *instance, const RfpMsvmJob *job)
{
    const char *name = value_name(RFP_MSVM_ANY_JOB, "JobState", job->state);
    RfpMsvmValue *status = rfp_msvm_instance_put(instance, "OperationalStatus");
    gboolean stoppable =
        rfp_msvm_job_is_cancellable(job) && !rfp_msvm_job_has_ended(job);

    rfp_msvm_instance_set_number(instance, "JobState", job->state);
    rfp_msvm_instance_set_text(instance, "JobStatus", name);
    rfp_msvm_value_add_number(status, statuses[job->state].status);
    rfp_msvm_instance_set_number(instance, "HealthState",
                                 statuses[job->state].health);
    rfp_msvm_instance_set_number(instance, "PercentComplete", job->percent);
    rfp_msvm_instance_set_number(instance, "Cancellable", stoppable);
}

static void
set_time(RfpMsvmInstance *instance, const char *name, gint64 us)
{
    g_autofree char *text = us ? rfp_msvm_time_format(us) : NULL;

    rfp_msvm_instance_set_text(instance, name, text);
}

static void
set_interval(RfpMsvmInstance *instance, const char *name, guint64 us)
{
    g_autofree char *text = rfp_msvm_interval_format(us);

    rfp_msvm_instance_set_text(instance, name, text);
}

static guint64
elapsed(const RfpMsvmJob *job)
{
    gint64 end = job->mono_end_us ? job->mono_end_us : g_get_monotonic_time();

    return job->mono_begin_us && end > job->mono_begin_us
               ? (guint64)(end - job->mono_begin_us)
               : 0;
}

static void
set_times(RfpMsvmInstance *instance, const RfpMsvmJob *job)
{
    set_time(instance, "TimeSubmitted", job->submitted_us);
    set_time(instance, "StartTime", job->started_us);
    set_time(instance, "TimeOfLastStateChange", job->changed_us);
    set_interval(instance, "ElapsedTime", elapsed(job));
    set_interval(instance, "TimeBeforeRemoval", job->msvm->removal_us);
}

static void
set_failure(RfpMsvmInstance *instance, const RfpMsvmJob *job)
{
    const RefpointFailure *failure = job->failure;

    rfp_msvm_instance_set_number(instance, "ErrorCode", job->error_code);
    rfp_msvm_instance_set_text(instance, "ErrorDescription",
                               failure != NULL ? failure->message : NULL);
    rfp_msvm_instance_set_text(instance, "ErrorSummaryDescription",
                               failure != NULL
                                   ? refpoint_return_name((int)failure->cause)
                                   : NULL);
}

/* ---- Properties of exports ----------------------------------------------- */

/* The disks and files of an export are known once its job has completed; until
 * then these properties are NULL. The class of exports of one VM has single
 * texts where that of collections has arrays: a property that the class of
 * @instance has not is passed over. */
static void
set_list(RfpMsvmInstance *instance, const char *name, GPtrArray *texts)
{
    RfpMsvmValue *value = rfp_msvm_instance_put(instance, name);
    guint i = 0;

    if (value == NULL)
        return;
    value->null = texts == NULL;
    for (i = 0; texts != NULL && i < texts->len; i++)
        rfp_msvm_value_add_text(value, g_ptr_array_index(texts, i));
}

static const char *
first_of(const GPtrArray *texts)
{
    return texts != NULL && texts->len > 0 ? g_ptr_array_index(texts, 0) : NULL;
}

/* No files: NULL, as a single text would be. */
static void
set_files(RfpMsvmInstance *instance,
          const char *one,
          const char *many,
          GPtrArray *paths)
{
    const char *path = first_of(paths);

    rfp_msvm_instance_set_text(instance, one, path);
    set_list(instance, many, path != NULL ? paths : NULL);
}

static void
set_exported(RfpMsvmInstance *instance, const RfpMsvmOutcome *outcome)
{
    GPtrArray *states = outcome != NULL ? outcome->states : NULL;

    set_list(instance, "ExportedDisks",
             outcome != NULL ? outcome->disks : NULL);
    set_list(instance, "ExportedLogFilePaths",
             outcome != NULL ? outcome->images : NULL);
    set_files(instance, "ExportedConfigFilePath", "ExportedConfigFilePaths",
              outcome != NULL ? outcome->configs : NULL);
    set_files(instance, "ExportedRuntimeFilePath", "ExportedRuntimeFilePaths",
              outcome != NULL ? outcome->runtimes : NULL);
    rfp_msvm_instance_set_text(instance, "ExportedGuestStateFilePath",
                               first_of(states));
    set_list(instance, "ExportedGuestStateFilePaths", states);
}

static void
set_id(RfpMsvmInstance *instance,
       const char *name,
       RfpMsvmIdKind kind,
       const char *guid)
{
    g_autofree char *id =
        guid != NULL ? rfp_msvm_id_format(kind, guid, NULL) : NULL;

    rfp_msvm_instance_set_text(instance, name, id);
}

/* Sets those of these properties that the class of @instance has. */
static void
set_export(RfpMsvmInstance *instance, const RfpMsvmJob *job)
{
    const RfpMsvmWork *work = job->work;
    const char *domain = rfp_msvm_work_domain(work);

    rfp_msvm_instance_set_text(instance, "VirtualMachineId", domain);
    rfp_msvm_instance_set_text(instance, "ExportDirectory", work->directory);
    rfp_msvm_instance_set_text(instance, "ReferencePointId", work->point);
    rfp_msvm_instance_set_text(instance, "BaseReferencePointId", work->base);
    set_id(instance, "CollectionId", RFP_MSVM_ID_GROUP, domain);
    set_id(instance, "ReferencePointGroupId", RFP_MSVM_ID_COLLECTION,
           work->point);
    set_id(instance, "BaseReferencePointGroupId", RFP_MSVM_ID_COLLECTION,
           work->base);
    set_exported(instance, job->outcome);
}

/* ---- What is asked ------------------------------------------------------- */

static RfpMsvmInstance *
describe(const RfpMsvmJob *job)
{
    RfpMsvmInstance *instance =
        rfp_msvm_instance_new(job->work->action->job_class);

    set_name(instance, job);
    set_state(instance, job);
    set_times(instance, job);
    set_failure(instance, job);
    set_export(instance, job);
    return instance;
}

RfpMsvmInstance *
rfp_msvm_job_instance(RefpointMsvm *msvm, const RfpMsvmPath *path)
{
    const RfpMsvmJob *job = NULL;
    RfpMsvmInstance *instance = NULL;

    g_mutex_lock(&msvm->lock);
    job = rfp_msvm_job_find(msvm, path);
    if (job != NULL)
        instance = describe(job);
    g_mutex_unlock(&msvm->lock);
    return instance;
}

static void
free_affected(gpointer opaque)
{
    RfpMsvmAffected *affected = opaque;

    g_free(affected->path);
    g_free(affected);
}

static void
add_affected(GPtrArray *list, const char *path, guint16 effect)
{
    RfpMsvmAffected *affected = NULL;

    if (path == NULL)
        return;
    affected = g_new0(RfpMsvmAffected, 1);
    affected->path = g_strdup(path);
    affected->effect = effect;
    g_ptr_array_add(list, affected);
}

GPtrArray *
rfp_msvm_job_affected(RefpointMsvm *msvm, const char *path)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_affected);
    g_autoptr(RfpMsvmPath) parsed = rfp_msvm_path_parse(path, NULL);
    const RfpMsvmJob *job = NULL;

    if (parsed == NULL)
        return list;
    g_mutex_lock(&msvm->lock);
    job = rfp_msvm_job_find(msvm, parsed);
    if (job != NULL) {
        add_affected(list, job->work->affected, EFFECT_EXCLUSIVE_USE);
        if (job->outcome != NULL)
            add_affected(list, job->outcome->result, EFFECT_CREATE);
    }
    g_mutex_unlock(&msvm->lock);
    return list;
}
