/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the Msvm services share. */
#ifndef RFP_MSVM_SERVICE_H
#define RFP_MSVM_SERVICE_H

#include "cim/msvm-instance.h"
#include "cim/msvm-path.h"
#include "refpoint-msvm.h"

struct _RefpointMsvm {
    RefpointConnection *conn; /* not owned */
    guint64 removal_us;       /* TimeBeforeRemoval, microseconds */
    guint wait; /* as refpoint_job_set_wait(), with the next two */
    RefpointWaitFunc waiting;
    gpointer waiting_opaque;
    RefpointMsvmJobFunc func;
    gpointer opaque;
    GMutex lock;     /* of what is below, and of every job */
    GCond changed;   /* a job's state */
    GPtrArray *jobs; /* RfpMsvmJob; ended ones stay until their
                      * TimeBeforeRemoval is over */
};

#endif
