/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-progress.h"

#include "interrupt.h"
#include "output.h"

#include <string.h>
#include <unistd.h>

#define FIRST_AFTER_US G_USEC_PER_SEC

void
job_progress_begin(JobProgress *progress, const Cli *cli, const char *what)
{
    gboolean shown = !cli->quiet && !cli->json && isatty(STDERR_FILENO);

    *progress = (JobProgress){
        .what = shown ? what : NULL,
        .begun = g_get_monotonic_time(),
    };
}

void
job_progress_show(JobProgress *progress, guint percent)
{
    g_autofree char *line = NULL;
    gsize length;

    if (progress->what == NULL || interrupt_signal() != 0 ||
        g_get_monotonic_time() - progress->begun < FIRST_AFTER_US)
        return;
    line = g_strdup_printf("\r%s   %3u %%", progress->what, MIN(percent, 100));
    length = strlen(line);
    progress->width = output_width(line + 1);
    output_write(STDERR_FILENO, line, length);
}

void
job_progress_hide(JobProgress *progress)
{
    g_autofree char *line =
        g_strdup_printf("\r%*s\r", (int)progress->width, "");

    if (progress->width > 0 && interrupt_signal() == 0)
        output_write(STDERR_FILENO, line, strlen(line));
    progress->width = 0;
}
