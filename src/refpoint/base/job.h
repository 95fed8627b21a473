/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An operation's state as its caller sees it: cancellation, progress, plan,
 * warnings, report. */
#ifndef RFP_JOB_H
#define RFP_JOB_H

#include "base/error.h"
#include "base/ids.h"
#include "base/rate.h"

struct _RefpointJob {
    gint cancel; /* atomic; also set by our own watches */
    RefpointProgressFunc progress;
    gpointer progress_opaque;
    RefpointPlanFunc plan;
    gpointer plan_opaque;
    guint wait; /* seconds, for others to end; 0: not at all */
    RefpointWaitFunc waiting;
    gpointer waiting_opaque;
    RfpRate rate; /* of reading guest data */
    GMutex lock;  /* of what several members of a group report at once: warnings
                   * and how long they stood still */
    RefpointReport report;
};

/* Adds a warning; the message is translated by the caller. From any thread. */
void
rfp_job_warn(RefpointJob *job,
             RfpWarning warning,
             const char *object,
             const char *format,
             ...) G_GNUC_PRINTF(4, 5);

gboolean
rfp_job_cancelled(RefpointJob *job);

/* CANCELLED if the caller asked to stop. */
gboolean
rfp_job_check(RefpointJob *job, GError **error);

/*
 * What is left is to publish: an operation that is suspended waits here, and
 * cannot be suspended any more behind it. CANCELLED as above.
 */
gboolean
rfp_job_finish_reading(RefpointJob *job, GError **error);

/* A domain in the report; owned by it. */
RefpointMemberReport *
rfp_job_add_member(RefpointJob *job, const char *name, const char *uuid);

/* How long the file systems of such a domain stood still, in microseconds; the
 * report as a whole has the longest of them. From any thread. */
void
rfp_job_set_frozen(RefpointJob *job, RefpointMemberReport *member, guint64 us);

/* A disk of such a domain; owned by the report. */
RefpointDiskReport *
rfp_job_add_disk(RefpointJob *job,
                 RefpointMemberReport *member,
                 const char *target);

/*
 * The outer edge: puts what failed into the report and leaves a plain message
 * in @error. Returns @done.
 */
gboolean
rfp_job_end(RefpointJob *job, gboolean done, GError **error);

#endif
