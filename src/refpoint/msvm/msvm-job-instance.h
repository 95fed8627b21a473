/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs as instances of their classes, what they affect, and what they have
 * made. */
#ifndef RFP_MSVM_JOB_INSTANCE_H
#define RFP_MSVM_JOB_INSTANCE_H

#include "msvm/msvm-service.h"

/* The instance of the job at @path; NULL if there is none (any more). */
RfpMsvmInstance *
rfp_msvm_job_instance(RefpointMsvm *msvm, const RfpMsvmPath *path);

/* What a job affects (Msvm_AffectedJobElement): each @path once. */
typedef struct {
    char *path;     /* of a system, a point or a collection */
    guint16 effect; /* ElementEffects: 5 (Create) what the job has made, else 2
                     * (Exclusive Use) */
} RfpMsvmAffected;

/* GPtrArray of RfpMsvmAffected with its free function; empty where there is no
 * job at @path. */
GPtrArray *
rfp_msvm_job_affected(RefpointMsvm *msvm, const char *path);

/* The path of what a job has made; NULL if it has not. Free with g_free(). */
char *
rfp_msvm_job_result(RefpointMsvm *msvm, const RfpMsvmPath *path);

#endif
