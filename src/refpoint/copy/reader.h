/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Another process that reads a backup job over NBD, and has ceased to read.
 *
 * QEMU cannot end a job, nor do anything else that drains its block layer,
 * before each client has taken all of each reply that was begun: it stands
 * still meanwhile, and its guest with it (seen in 7.2.22 and 10.0). A client
 * that was stopped or frozen takes nothing.
 */
#ifndef RFP_READER_H
#define RFP_READER_H

#include <glib.h>
#include <sys/types.h>

typedef enum {
    RFP_READER_READS,  /* or has no connection, or nobody can tell */
    RFP_READER_CUT,    /* its connections were shut down */
    RFP_READER_KILLED, /* it was stopped, and cannot be reached otherwise */
} RfpReader;

/*
 * Sees to it that the process @pid, which was started at @start (process.h),
 * does not hold up QEMU, whose NBD server is at @socket_path: one that is
 * stopped or does not take what has come for it loses its connections to that
 * server, with what was on the way; it learns that when it goes on. For who is
 * about to end the job and sees to it that no connection is made meanwhile
 * (handshakes.h).
 *
 * Needs the right to trace that process, and Linux 5.6. Without that one that
 * is stopped is killed, whatever it is at: nobody can tell whether it reads,
 * and its guard undoes what it has begun. May take a tenth of a second.
 */
RfpReader
rfp_reader_cut(pid_t pid, guint64 start, const char *socket_path);

/* Kills that process if it is stopped, at two looks. For one that was stopped
 * while it made a connection, or ended the job itself: nobody else can end the
 * job then. */
gboolean
rfp_reader_kill_stopped(pid_t pid, guint64 start);

#endif
