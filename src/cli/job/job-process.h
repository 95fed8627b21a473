/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process of a job: the program itself, started with a command that help
 * does not show. It has a session of its own and nothing of us but one socket,
 * its standard input: it reads the call there, and writes the answer when the
 * job has begun, or cannot.
 */
#ifndef JOB_PROCESS_H
#define JOB_PROCESS_H

#include "invoke/invoke-call.h"

#define JOB_PROCESS_COMMAND "job-process"

/* Of requests and answers at a job's socket. */
#define JOB_MESSAGE_MAX (128 * 1024)
/* The request for lines "STATE PERCENT", one at once, one for each change. */
#define JOB_MESSAGE_WATCH "watch"

/* Starts a job in a process of its own. Its answer, or the failure to get
 * one. */
InvokeAnswer *
job_process_start(const InvokeCall *call);

/* Reads all up to the end, at most @max bytes. NULL: errno is set. */
char *
job_process_read(int fd, gsize max, gsize *length);

#endif
