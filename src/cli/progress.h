/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The progress of an operation on standard error. On a terminal, after a
 * second of work: a line a disk, rewritten in place. Else line-wise, about
 * every two seconds.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "refpoint.h"

#include "writer.h"

typedef struct _Progress Progress;

/*
 * NULL where nothing is to be shown: no terminal and not @wanted, or @quiet
 * and not @wanted. Free with progress_free(), which takes what is shown from
 * the terminal.
 */
Progress *
progress_new(gboolean wanted, gboolean quiet);

void
progress_free(Progress *progress);

/* A RefpointProgressFunc; @progress is a Progress. From any thread. */
void
progress_update(const RefpointProgress *disks,
                guint n_disks,
                gpointer progress);

/* Who writes for it from now on; NULL: it does itself. */
void
progress_use(Progress *progress, Writer *writer);

/* What is shown is taken away, so that something else can be written; the next
 * update draws it again. */
void
progress_hide(Progress *progress);

#endif
