/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work: what a call of a method becomes once its parameters have been checked.
 * It runs in the thread of the caller or in that of a job, and ends in an
 * outcome or a failure.
 *
 * Three words that are easily confused: a job (RfpMsvmJob) is an instance of
 * Msvm_ConcreteJob, which a caller of the Msvm services sees; the handle
 * (RefpointJob) is that by which a call of refpoint.h is watched, suspended and
 * cancelled, and every work that runs has one, job or not; an operation
 * (RfpOperation) is what the engine below has in hand on a domain.
 */
#ifndef RFP_MSVM_WORK_H
#define RFP_MSVM_WORK_H

#include "cim/msvm-class.h"

typedef struct _RfpMsvmWork RfpMsvmWork;

/* What work that succeeded has made, of all its members in their order. Strings
 * may be NULL, arrays may be empty; all paths of files are absolute. */
typedef struct {
    char *result;     /* object path of the point or collection that was made */
    GPtrArray *disks; /* char *, instance ids of the disks that were exported */
    GPtrArray *images;   /* char *, their image files, in the same order */
    GPtrArray *states;   /* char *, files with the guest's firmware and TPM */
    GPtrArray *configs;  /* char *, files with the configurations of domains */
    GPtrArray *runtimes; /* char *, files with their checkpoints */
} RfpMsvmOutcome;

/* A kind of work: one constant for each method that can be a job. */
typedef struct {
    const char *job_class; /* Msvm_ConcreteJob, or a class derived from it */
    guint16 job_type;      /* JobType */
    gboolean cancellable;  /* a job can be stopped while it runs ... */
    gboolean suspendable;  /* ... and be suspended */
    /* Calls the function of refpoint.h that does it, with @handle. */
    gboolean (*run)(RefpointConnection *conn,
                    const RfpMsvmWork *work,
                    RefpointJob *handle,
                    GError **error);
    /* Adds to the empty @outcome what was made; NULL where that is nothing. */
    void (*finish)(const RfpMsvmWork *work,
                   const RefpointReport *report,
                   RfpMsvmOutcome *outcome);
} RfpMsvmAction;

/* A VM that work is on. */
typedef struct {
    char *domain; /* UUID */
    char **disks; /* targets of the disks to be exported; NULL: all */
} RfpMsvmMember;

struct _RfpMsvmWork {
    const RfpMsvmAction *action;
    const RfpMsvmMethod *method; /* the method that was called */
    GPtrArray *members;          /* RfpMsvmMember, each VM once */
    char *point;     /* GUID of the point that is worked on; NULL for Create */
    char *base;      /* GUID of the point to build on; NULL: a full export */
    char *directory; /* of the set, absolute; NULL where there is none */
    RefpointQuiesce quiesce;
    RefpointKeep keep;
    char *affected; /* object path of the system, group, point or collection
                     * that the method was called for */
};

/* Work without members yet. */
RfpMsvmWork *
rfp_msvm_work_new(const RfpMsvmAction *action, const RfpMsvmMethod *method);

void
rfp_msvm_work_free(RfpMsvmWork *work);

/* Adds a VM, with all its disks, by its domain's UUID. */
void
rfp_msvm_work_add(RfpMsvmWork *work, const char *domain);

/* The member with that UUID; NULL: there is none. */
RfpMsvmMember *
rfp_msvm_work_find(const RfpMsvmWork *work, const char *domain);

/* The UUID of the only member of work on one VM, which all work is so far. */
const char *
rfp_msvm_work_domain(const RfpMsvmWork *work);

void
rfp_msvm_outcome_free(RfpMsvmOutcome *outcome);

/*
 * Runs @work to its end. @handle is the caller's: new, or stopped and suspended
 * from another thread meanwhile. Returns the outcome, to be freed with
 * rfp_msvm_outcome_free(), and sets *@failure to NULL; or returns NULL and sets
 * *@failure, to be freed with refpoint_failure_free().
 */
RfpMsvmOutcome *
rfp_msvm_work_run(RefpointConnection *conn,
                  const RfpMsvmWork *work,
                  RefpointJob *handle,
                  RefpointFailure **failure);

extern const RfpMsvmAction rfp_msvm_action_create_point;
extern const RfpMsvmAction rfp_msvm_action_destroy_point;
extern const RfpMsvmAction rfp_msvm_action_export_point;
extern const RfpMsvmAction rfp_msvm_action_import_point;
extern const RfpMsvmAction rfp_msvm_action_remove_point_data;
extern const RfpMsvmAction rfp_msvm_action_create_collection;
extern const RfpMsvmAction rfp_msvm_action_destroy_collection;
extern const RfpMsvmAction rfp_msvm_action_export_collection;
extern const RfpMsvmAction rfp_msvm_action_remove_collection_data;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmWork, rfp_msvm_work_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmOutcome, rfp_msvm_outcome_free)

#endif
