/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signals while an operation runs: SIGINT, SIGTERM and SIGHUP cancel it,
 * SIGUSR1 and SIGUSR2 change how fast it reads. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "refpoint.h"

/* From now on those signals cancel @job. One that was ignored when the program
 * started stays ignored (nohup, a shell's background job). With @notice, and
 * standard error a terminal, the user is told once. */
void
interrupt_begin(RefpointJob *job, gboolean notice);

/* Behind interrupt_begin(): from now on SIGUSR1 halves the limit of the job's
 * rate, down to 1 MiB/s, and SIGUSR2 doubles it. @rate: what it begins with, in
 * bytes a second; without a limit, 0, the first SIGUSR1 sets one of 128
 * MiB/s. */
void
interrupt_rate(guint64 rate);

/* Back to what the signals did before. */
void
interrupt_end(void);

/* The first of those signals that came, 0 if none. */
int
interrupt_signal(void);

/* Ends the program by that signal, as if it had not been caught. */
void
interrupt_die(int number);

#endif
