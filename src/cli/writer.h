/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is written while an operation runs, by a thread of its own: a terminal
 * that was stopped, or a pipe that nobody reads, must not hold up a job on the
 * guest.
 */
#ifndef WRITER_H
#define WRITER_H

#include <glib.h>

typedef struct _Writer Writer;

Writer *
writer_new(void);

/* Behind all that was added before, to whichever @fd; never waits. */
void
writer_add(Writer *writer, int fd, const char *text, gsize length);

/* Whether so much waits that what is soon out of date is better left out. */
gboolean
writer_is_behind(Writer *writer);

/* Waits until all is written, and frees it. The errno of what failed on @fd, or
 * 0. */
int
writer_end(Writer *writer, int fd);

#endif
