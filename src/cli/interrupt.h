/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SIGINT, SIGTERM and SIGHUP while an operation runs: they cancel it. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include "refpoint.h"

/* From now on those signals cancel @job. One that was ignored when the program
 * started stays ignored (nohup, a shell's background job). With @notice, and
 * standard error a terminal, the user is told once. */
void
interrupt_begin(RefpointJob *job, gboolean notice);

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
