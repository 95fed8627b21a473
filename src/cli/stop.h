/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ctrl-Z while a command reads from QEMU, which would wait for the rest of a
 * reply to be read, and its guest with it, until the command is continued. */
#ifndef STOP_H
#define STOP_H

#include "refpoint.h"

/*
 * From now on SIGTSTP lets the requests over @conn, which is borrowed, end
 * before the program stops: for two seconds at most. A second one stops at
 * once; SIGCONT, and a signal that cancels the operation, call it off. Where
 * SIGTSTP is ignored it stays so. Behind interrupt_begin().
 */
void
stop_begin(RefpointConnection *conn);

/* Back to what the signals did before; nothing where stop_begin() was not
 * called. */
void
stop_end(void);

#endif
