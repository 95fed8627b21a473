/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes of this machine, as /proc shows them; also part of the program. */
#ifndef RFP_PROCESS_H
#define RFP_PROCESS_H

#include <glib.h>
#include <sys/types.h>

/*
 * When the process was started, in clock ticks since the system was. A number
 * is given again to others: number and start together are one process. 0:
 * there is none, or nobody can tell.
 */
guint64
rfp_process_start(pid_t pid);

/* Whether it was stopped, by a signal or a debugger; FALSE also where nobody
 * can tell. */
gboolean
rfp_process_is_stopped(pid_t pid);

/* A file descriptor for the process that was started at @start: it stays the
 * same one, whoever has its number later. -1: it is gone, or the kernel is
 * older than Linux 5.3. */
int
rfp_process_hold(pid_t pid, guint64 start);

/* SIGKILL, which reaches a stopped process too, for one that is held. */
gboolean
rfp_process_kill(int pid_fd);

/* Its command line, words between blanks; NULL: nobody can tell. Free with
 * g_free(). */
char *
rfp_process_command(pid_t pid);

#endif
