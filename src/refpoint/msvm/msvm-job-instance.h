/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be asked of a job by its object path: its instance, what it affects,
 * and what it has made. */
#ifndef RFP_MSVM_JOB_INSTANCE_H
#define RFP_MSVM_JOB_INSTANCE_H

#include "msvm/msvm-service.h"

/* The job as an instance of its class, as it is now; NULL where there is no job
 * at @path, or not any more. Free with rfp_msvm_instance_free(). */
RfpMsvmInstance *
rfp_msvm_job_instance(RefpointMsvm *msvm, const RfpMsvmPath *path);

/* What a job affects: one Msvm_AffectedJobElement. */
typedef struct {
    char *path;     /* object path of a system, group, point or collection */
    guint16 effect; /* ElementEffects: 5 (Create) for what the job has made, 2
                     * (Exclusive Use) for what it works on */
} RfpMsvmAffected;

/* All that the job at @path affects, each path once: GPtrArray of
 * RfpMsvmAffected with its free function; empty where there is no such job. */
GPtrArray *
rfp_msvm_job_affected(RefpointMsvm *msvm, const char *path);

#endif
