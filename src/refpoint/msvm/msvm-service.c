/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-service.h"

#include "msvm/msvm-job.h"

#define REMOVAL_US ((guint64)5 * 60 * G_USEC_PER_SEC)

RefpointMsvm *
refpoint_msvm_new(RefpointConnection *conn)
{
    RefpointMsvm *msvm = g_new0(RefpointMsvm, 1);

    msvm->conn = conn;
    msvm->removal_us = REMOVAL_US;
    g_mutex_init(&msvm->lock);
    g_cond_init(&msvm->changed);
    msvm->jobs = g_ptr_array_new();
    return msvm;
}

void
refpoint_msvm_free(RefpointMsvm *msvm)
{
    if (msvm == NULL)
        return;
    rfp_msvm_job_end_all(msvm);
    g_ptr_array_unref(msvm->jobs);
    g_cond_clear(&msvm->changed);
    g_mutex_clear(&msvm->lock);
    g_free(msvm);
}

void
refpoint_msvm_set_job_func(RefpointMsvm *msvm,
                           RefpointMsvmJobFunc func,
                           gpointer opaque)
{
    msvm->job_func = func;
    msvm->job_opaque = opaque;
}

void
refpoint_msvm_set_wait(RefpointMsvm *msvm,
                       guint seconds,
                       RefpointWaitFunc func,
                       gpointer opaque)
{
    msvm->wait_seconds = seconds;
    msvm->wait_func = func;
    msvm->wait_opaque = opaque;
}
