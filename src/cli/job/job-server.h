/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket of a job's process: requests of other processes of this user, a
 * message each (SOCK_SEQPACKET), in the main loop. */
#ifndef JOB_SERVER_H
#define JOB_SERVER_H

#include "invoke/cim-path.h"
#include "invoke/invoke-method.h"
#include "job/job-record.h"

typedef struct _JobServer JobServer;

typedef InvokeAnswer *(*JobServerFunc)(InvokeCall *call, gpointer opaque);

/* Free with job_server_free(), which hangs up. */
JobServer *
job_server_new(const JobRecord *record,
               JobServerFunc func,
               gpointer opaque,
               GError **error);

void
job_server_free(JobServer *server);

/* To those who watch. */
void
job_server_tell(JobServer *server, guint state, guint percent);

#endif
