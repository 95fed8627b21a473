/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of a method's call once its parameters are checked: the work,
 * for the caller's thread or for a job, and what came of it. */
#ifndef RFP_MSVM_WORK_H
#define RFP_MSVM_WORK_H

#include "cim/msvm-class.h"

typedef struct _RfpMsvmWork RfpMsvmWork;

/* Paths; everything may be NULL. */
typedef struct {
    char *result;      /* of the object that was made */
    char *point;       /* GUID of the point it was about */
    GPtrArray *disks;  /* char *, instance ids of those that were exported */
    GPtrArray *images; /* char *, theirs, same order; absolute, as the rest */
    GPtrArray *states; /* char *, the guest's firmware and TPM */
    char *config;
    char *runtime;
} RfpMsvmOutcome;

typedef struct {
    const char *job_class;
    guint16 job_type;
    gboolean cancellable;
    gboolean suspendable;
    gboolean (*run)(RefpointConnection *conn,
                    const RfpMsvmWork *work,
                    RefpointJob *operation,
                    GError **error);
    /* What came of it; may be NULL. */
    void (*finish)(const RfpMsvmWork *work,
                   const RefpointReport *report,
                   RfpMsvmOutcome *outcome);
} RfpMsvmAction;

struct _RfpMsvmWork {
    const RfpMsvmAction *action;
    const RfpMsvmMethod *method; /* its set of numbers */
    char *domain;                /* UUID */
    char *point;                 /* GUID; NULL: none yet */
    char *base;                  /* GUID; NULL: none */
    char *directory;
    char **disks; /* targets; NULL: all */
    RefpointQuiesce quiesce;
    RefpointKeep keep;
    char *affected; /* path of the system, point or collection */
};

void
rfp_msvm_work_free(RfpMsvmWork *work);

void
rfp_msvm_outcome_free(RfpMsvmOutcome *outcome);

/*
 * Runs it with a new operation, or with that of a job. Outcome and failure: one
 * is NULL, the other the caller's.
 */
RfpMsvmOutcome *
rfp_msvm_work_run(RefpointConnection *conn,
                  const RfpMsvmWork *work,
                  RefpointJob *operation,
                  RefpointFailure **failure);

extern const RfpMsvmAction rfp_msvm_create_point;
extern const RfpMsvmAction rfp_msvm_destroy_point;
extern const RfpMsvmAction rfp_msvm_export_point;
extern const RfpMsvmAction rfp_msvm_import_point;
extern const RfpMsvmAction rfp_msvm_remove_point_data;
extern const RfpMsvmAction rfp_msvm_create_collection;
extern const RfpMsvmAction rfp_msvm_destroy_collection;
extern const RfpMsvmAction rfp_msvm_export_collection;
extern const RfpMsvmAction rfp_msvm_remove_collection_data;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmWork, rfp_msvm_work_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmOutcome, rfp_msvm_outcome_free)

#endif
