/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The jobs of the Msvm services: a method that runs in a thread of its own. */
#ifndef RFP_MSVM_JOB_H
#define RFP_MSVM_JOB_H

#include "msvm-service.h"

typedef struct _RfpMsvmJob RfpMsvmJob;

/* The instance of the job at @path; NULL if there is none (any more). */
RfpMsvmInstance *
rfp_msvm_job_instance(RefpointMsvm *msvm, const RfpMsvmPath *path);

/* The paths of all jobs that have not been removed yet: GPtrArray of char *. */
GPtrArray *
rfp_msvm_job_paths(RefpointMsvm *msvm);

#endif
