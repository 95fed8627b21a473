/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Msvm services over one connection: what all of msvm/ is handed. */
#ifndef RFP_MSVM_SERVICE_H
#define RFP_MSVM_SERVICE_H

#include "cim/msvm-instance.h"
#include "cim/msvm-path.h"
#include "refpoint-msvm.h"

struct _RefpointMsvm {
    RefpointConnection *conn; /* borrowed */
    guint64 removal_us; /* how long a job that has ended stays in the list:
                         * TimeBeforeRemoval, microseconds */
    /* What refpoint_msvm_set_wait() was given. */
    guint wait_seconds;
    RefpointWaitFunc wait_func;
    gpointer wait_opaque;
    /* What refpoint_msvm_set_job_func() was given. */
    RefpointMsvmJobFunc job_func;
    gpointer job_opaque;
    GMutex lock;     /* of the list of jobs, and of every job in it */
    GCond changed;   /* the state of a job has */
    GPtrArray *jobs; /* RfpMsvmJob */
};

#endif
