/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The jobs of the Msvm services: work of a method that runs in a thread of its
 * own, and shows as an instance of Msvm_ConcreteJob (msvm-job-instance.h). What
 * job, work, handle and operation mean: msvm-work.h.
 */
#ifndef RFP_MSVM_JOB_H
#define RFP_MSVM_JOB_H

#include "msvm/msvm-service.h"
#include "msvm/msvm-work.h"

/*
 * A job. What stands below "thread" is read and changed with the lock of @msvm
 * held only. A job has ended when its state says so (rfp_msvm_job_has_ended()):
 * one that was killed has, while its thread still undoes what there was. It is
 * freed when its TimeBeforeRemoval is over and its thread is done.
 */
typedef struct {
    RefpointMsvm *msvm; /* borrowed */
    RfpMsvmWork *work;
    RefpointJob *handle; /* of the work that runs */
    char *id;            /* InstanceID */
    char *path;          /* object path */
    GThread *thread;
    gboolean thread_done; /* the thread does not touch the job any more */
    guint16 state;        /* JobState: REFPOINT_MSVM_JOB_... */
    guint percent;        /* PercentComplete */
    gboolean waits;       /* for others who work on the domain */
    /* Microseconds since the epoch, for the instance; 0: not yet. */
    gint64 submitted_us;
    gint64 started_us;
    gint64 changed_us; /* when @state changed last */
    /* Microseconds of the monotonic clock, for durations; 0: not yet. */
    gint64 mono_begin_us;
    gint64 mono_end_us;
    gint64 mono_told_us; /* when progress was told last */
    /* Of a job that has ended. */
    RfpMsvmOutcome *outcome;  /* NULL where it failed */
    RefpointFailure *failure; /* NULL where it succeeded */
    guint32 error_code;       /* ErrorCode: the number of the method for
                               * @failure; 0 where it succeeded */
} RfpMsvmJob;

/*
 * Starts a job that runs @work, which is taken in any case. Returns the job's
 * object path, to be freed with g_free(). IN_USE: another job of @msvm runs on
 * the domain. FAILED: there is no thread for it.
 */
char *
rfp_msvm_job_start(RefpointMsvm *msvm, RfpMsvmWork *work, GError **error);

/* IN_USE if a job of @msvm runs on a domain that @work is on. */
gboolean
rfp_msvm_job_check_free(RefpointMsvm *msvm,
                        const RfpMsvmWork *work,
                        GError **error);

/* Cancels all jobs, waits for their threads and frees them. No other function
 * of
 * @msvm may be called meanwhile, but by the function that is told of jobs. */
void
rfp_msvm_job_end_all(RefpointMsvm *msvm);

/* The object paths of all jobs, except those whose TimeBeforeRemoval is over:
 * GPtrArray of char *, with its free function. */
GPtrArray *
rfp_msvm_job_paths(RefpointMsvm *msvm);

/* Calls the function of refpoint_msvm_set_job_func() with what has changed; the
 * lock must not be held. */
void
rfp_msvm_job_tell(RefpointMsvm *msvm,
                  const char *path,
                  guint16 state,
                  guint percent);

/* ---- With the lock of @msvm held ----------------------------------------- */

/* The job at @path, borrowed; NULL where there is none, or not any more. Frees
 * the jobs whose TimeBeforeRemoval is over. */
RfpMsvmJob *
rfp_msvm_job_find(RefpointMsvm *msvm, const RfpMsvmPath *path);

gboolean
rfp_msvm_job_has_ended(const RfpMsvmJob *job);

/* Whether the job can be stopped: because its work can, or because it still
 * waits for others. */
gboolean
rfp_msvm_job_is_cancellable(const RfpMsvmJob *job);

/* Sets the state, with the times that go with it, and wakes up
 * refpoint_msvm_wait(). */
void
rfp_msvm_job_set_state(RfpMsvmJob *job, guint16 state);

#endif
