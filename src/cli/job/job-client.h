/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs of other processes, from outside. */
#ifndef JOB_CLIENT_H
#define JOB_CLIENT_H

#include "job/job-record.h"

/* Calls a method of the job: its process does it, or its record answers. */
InvokeAnswer *
job_client_call(JobStore *store, const JobRecord *record, InvokeCall *call);

/* RequestStateChange; a process that does not answer a Kill is killed. */
InvokeAnswer *
job_client_request(JobStore *store, const JobRecord *record, guint state);

typedef void (*JobClientFunc)(guint state, guint percent, gpointer opaque);

/*
 * Waits until the job has ended, @timeout_ms at most (-1: for ever); @func is
 * told of each change. The record as it is then; NULL: it is gone, or the time
 * is over (*@in_time FALSE).
 */
JobRecord *
job_client_wait(JobStore *store,
                const char *id,
                gint64 timeout_ms,
                JobClientFunc func,
                gpointer opaque,
                gboolean *in_time);

#endif
