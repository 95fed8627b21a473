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

/* Its command line, words between blanks; NULL: nobody can tell. Free with
 * g_free(). */
char *
rfp_process_command(pid_t pid);

#endif
