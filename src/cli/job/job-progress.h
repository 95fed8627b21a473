/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line on the terminal: what runs and how many percent of it are done, once
 * it has run for a second. */
#ifndef JOB_PROGRESS_H
#define JOB_PROGRESS_H

#include "cli.h"

typedef struct {
    const char *what; /* NULL: nothing is shown */
    gint64 begun;
    guint width; /* of what is shown now */
} JobProgress;

/* @what is borrowed. */
void
job_progress_begin(JobProgress *progress, const Cli *cli, const char *what);

void
job_progress_show(JobProgress *progress, guint percent);

/* Takes it away. */
void
job_progress_hide(JobProgress *progress);

#endif
