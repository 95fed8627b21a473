/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs of the Msvm services: a method that runs in a thread of its own. */
#ifndef RFP_MSVM_JOB_H
#define RFP_MSVM_JOB_H

#include "msvm/msvm-work.h"
#include "msvm/msvm-service.h"

/* All that changes is guarded by the service's lock. A job stays until its
 * thread has @finished. */
typedef struct {
    RefpointMsvm *msvm;
    RfpMsvmWork *work;
    RefpointJob *operation;
    GThread *thread;
    gboolean finished; /* the thread does not touch the job any more */
    char *id;          /* InstanceID */
    char *path;
    guint16 state; /* REFPOINT_MSVM_JOB_... */
    guint percent;
    gboolean waits;      /* for others who work on the domain */
    gint64 submitted_us; /* since the epoch, as the next two; 0: not yet */
    gint64 started_us;
    gint64 changed_us; /* the state */
    gint64 begin_us;   /* monotonic, as the next two */
    gint64 end_us;
    gint64 told_us;           /* progress */
    guint32 number;           /* of the method, as @failure says */
    RefpointFailure *failure; /* of a job that has ended */
    RfpMsvmOutcome *outcome;  /* of a completed job */
} RfpMsvmJob;

/* Starts @work, which it takes in any case, in a thread: the path of the job.
 * IN_USE: the domain has a job of @msvm already. */
char *
rfp_msvm_job_start(RefpointMsvm *msvm, RfpMsvmWork *work, GError **error);

/* IN_USE if a job of @msvm runs on the domain. */
gboolean
rfp_msvm_job_check_free(RefpointMsvm *msvm,
                        const char *domain_uuid,
                        GError **error);

/* Ends all jobs and waits for their threads. */
void
rfp_msvm_job_end_all(RefpointMsvm *msvm);

/* The paths of all jobs that have not been removed yet: GPtrArray of char *. */
GPtrArray *
rfp_msvm_job_paths(RefpointMsvm *msvm);

/* ---- For msvm-job*.c, with the lock held --------------------------------- */

/* Jobs whose TimeBeforeRemoval is over go first. */
RfpMsvmJob *
rfp_msvm_job_find(RefpointMsvm *msvm, const RfpMsvmPath *path);

gboolean
rfp_msvm_job_has_ended(const RfpMsvmJob *job);

/* Whether it can be stopped: by what it does, or because it only waits yet. */
gboolean
rfp_msvm_job_is_cancellable(const RfpMsvmJob *job);

void
rfp_msvm_job_set_state(RfpMsvmJob *job, guint16 state);

/* ---- ... and without it -------------------------------------------------- */

/* Calls the function of refpoint_msvm_set_job_func(). */
void
rfp_msvm_job_tell(RefpointMsvm *msvm,
                  const char *path,
                  guint16 state,
                  guint percent);

#endif
