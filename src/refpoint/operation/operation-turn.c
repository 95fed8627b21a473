/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation-turn.h"
#include "base/text.h"
#include "operation/holder.h"

#include <unistd.h>

/* libvirt is asked no more often; Ctrl-C is looked at more often. */
#define JOB_POLL_US (1 * G_USEC_PER_SEC)
#define POLL_US (100 * 1000)
/* How long who has the lock may take to write his name. */
#define NAME_US (1 * G_USEC_PER_SEC)
#define NAME_POLL_US (20 * 1000)

/* ---- Time ---------------------------------------------------------------- */

gboolean
rfp_operation_may_wait(const RfpOperation *operation)
{
    return !rfp_job_cancelled(operation->job) &&
           g_get_monotonic_time() < operation->patience_until;
}

/* @whom is told once as long as it is the same one; @text is what is told. */
static void
waits_for(RfpOperation *operation, gint64 whom, const char *text)
{
    RefpointJob *job = operation->job;

    if (operation->waits && operation->waits_for == whom)
        return;
    operation->waits = TRUE;
    operation->waits_for = whom;
    g_free(job->report.waited_for);
    job->report.waited_for = rfp_text_clean(text);
    if (job->waiting != NULL)
        job->waiting(job->report.waited_for, job->waiting_opaque);
}

/* Behind a waiting that has begun at @begin, if there was any, told or too
 * short for that. CANCELLED where it was, if by somebody who thinks that it
 * still waits. */
static gboolean
end_wait(RfpOperation *operation, gint64 begin, GError **error)
{
    RefpointJob *job = operation->job;

    if (!operation->waited)
        return TRUE;
    if (operation->waits) {
        job->report.waited_us += (guint64)(g_get_monotonic_time() - begin);
        if (job->waiting != NULL)
            job->waiting(NULL, job->waiting_opaque);
    }
    operation->waits = FALSE;
    return rfp_job_check(job, error);
}

static void
prefix_waited(RfpOperation *operation, GError **error)
{
    guint64 us = operation->job->report.waited_us;

    if (operation->job->report.waited_for != NULL)
        rfp_error_prefix(error, _("waited %.0f s in vain"),
                         (double)us / G_USEC_PER_SEC);
}

/* ---- Another one of ours ------------------------------------------------- */

static char *
whom_text(const RfpOperation *operation, const RfpHolder *holder)
{
    const char *name = operation->domain->name;
    g_autofree char *who = holder != NULL ? rfp_holder_text(holder) : NULL;

    if (who == NULL)
        return g_strdup_printf(_("another virt-refpoint works on domain "
                                 "'%s'"),
                               name);
    return g_strdup_printf(_("another virt-refpoint works on domain '%s': %s"),
                           name, who);
}

static RfpHolder *
read_holder(const RfpOperation *operation)
{
    return rfp_holder_read(operation->conn->records_dir,
                           operation->domain->uuid);
}

/* Who undoes what died may do so without end: where libvirt has lost the job,
 * that is the cause, and takes the place of *@error. A QEMU that does not
 * answer is not waited for. */
static gboolean
explain_undo(RfpOperation *operation, const RfpHolder *holder, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (holder == NULL || !holder->undoes ||
        rfp_domain_is_busy(operation->domain))
        return FALSE;
    rfp_backup_job_check_free(operation->domain, &why);
    if (!g_error_matches(why, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_STATE))
        return FALSE;
    g_clear_error(error);
    g_propagate_error(error, g_steal_pointer(&why));
    return TRUE;
}

/* In place of what the record says, which knows the lock alone. */
static void
name_holder(RfpOperation *operation, GError **error)
{
    gint64 end = g_get_monotonic_time() + NAME_US;
    g_autoptr(RfpHolder) holder = NULL;
    g_autofree char *text = NULL;

    while ((holder = read_holder(operation)) == NULL &&
           g_get_monotonic_time() < end)
        g_usleep(NAME_POLL_US);
    if (explain_undo(operation, holder, error))
        return;
    text = whom_text(operation, holder);
    g_clear_error(error);
    rfp_error_set(error, REFPOINT_ERROR_IN_USE, "%s", text);
    rfp_error_add_object(error, operation->domain->name);
    if (holder != NULL && rfp_holder_is_program(holder))
        rfp_error_add_way_out(error,
                              _("wait until it ends, with --wait, or end it "
                                "with: kill %d"),
                              (int)holder->pid);
    else
        rfp_error_add_way_out(error, _("wait until it ends, with --wait"));
}

gboolean
rfp_operation_check_drain(RfpOperation *operation, GError **error)
{
    g_autoptr(RfpHolder) holder = NULL;
    g_autoptr(GError) local = NULL;
    gboolean runs = FALSE;

    if (rfp_kept_may_drain(operation->conn->records_dir, operation->domain))
        return TRUE;
    holder = read_holder(operation);
    if (holder == NULL || holder->pid == getpid())
        return (operation->kept == NULL ||
                rfp_kept_runs(operation->domain, operation->kept, &runs,
                              error)) &&
               rfp_operation_check_free(operation, error);
    name_holder(operation, &local);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
on_busy(gpointer opaque)
{
    RfpOperation *operation = opaque;
    g_autoptr(RfpHolder) holder = NULL;
    g_autofree char *text = NULL;

    if (!rfp_operation_may_wait(operation))
        return FALSE;
    if (!operation->waited)
        operation->waited_since = g_get_monotonic_time();
    operation->waited = TRUE;
    holder = read_holder(operation);
    /* one that is about to write its name, or has just gone */
    if (holder == NULL &&
        (operation->waits ||
         g_get_monotonic_time() - operation->waited_since < NAME_US))
        return TRUE;
    text = whom_text(operation, holder);
    waits_for(operation, holder != NULL ? holder->pid : 0, text);
    return TRUE;
}

gboolean
rfp_operation_take_turn(RfpOperation *operation, GError **error)
{
    gint64 begin = g_get_monotonic_time();
    g_autoptr(GError) local = NULL;

    operation->record = rfp_record_take_turn(operation->conn->records_dir,
                                             operation->domain->uuid, on_busy,
                                             operation, &local);
    if (!end_wait(operation, begin, error))
        return FALSE;
    if (operation->record != NULL) {
        rfp_holder_note(operation->record, FALSE);
        return TRUE;
    }
    if (g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE)) {
        name_holder(operation, &local);
        prefix_waited(operation, &local);
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* ---- A job of another program, or kept data ------------------------------ */

/* What ends by itself, and in time as far as that is known. What is held ends
 * when somebody says so. */
static gboolean
ends_in_time(const RfpOperation *operation)
{
    const RfpKept *kept = operation->kept;
    gint64 left = operation->patience_until - g_get_monotonic_time();

    if (kept == NULL || kept->ended != NULL)
        return TRUE;
    return kept->keep == REFPOINT_KEEP_FIRST &&
           kept->until - rfp_kept_now() < left / G_USEC_PER_SEC;
}

/* Its watcher may have died: what is over is noted by who has the lock, too. */
static gboolean
goes_on(const RfpOperation *operation, const RfpKept *kept)
{
    gboolean runs = FALSE;

    return kept->ended == NULL && rfp_kept_limit(kept, NULL) == NULL &&
           (!rfp_kept_runs(operation->domain, kept, &runs, NULL) || runs);
}

/* Without the lock: who ends it may need that. Not where nobody can tell: what
 * that means is found behind it. */
static gboolean
is_busy(const RfpOperation *operation)
{
    g_autoptr(RfpKept) kept = rfp_kept_load(operation->conn->records_dir,
                                            operation->domain->uuid, FALSE);
    g_autoptr(GError) local = NULL;

    if (kept != NULL && goes_on(operation, kept))
        return TRUE;
    if (kept != NULL && kept->ended == NULL)
        return FALSE;
    rfp_backup_job_check_free(operation->domain, &local);
    return g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
}

static gboolean
wait_for_job(RfpOperation *operation, const GError *why, GError **error)
{
    gint64 begin = g_get_monotonic_time();
    gint64 next = begin + JOB_POLL_US;
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(why);

    operation->waited = TRUE;
    waits_for(operation, -1, failure->message);
    while (rfp_operation_may_wait(operation)) {
        g_usleep(POLL_US);
        if (g_get_monotonic_time() < next)
            continue;
        if (!is_busy(operation))
            break;
        next = g_get_monotonic_time() + JOB_POLL_US;
    }
    return end_wait(operation, begin, error);
}

void
rfp_operation_give_back(RfpOperation *operation)
{
    operation->handshakes.path = NULL;
    g_clear_pointer(&operation->kept, rfp_kept_free);
    g_clear_pointer(&operation->record, rfp_record_close);
}

gboolean
rfp_operation_wait_free(RfpOperation *operation, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!g_error_matches(*error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE))
        return FALSE;
    if (!rfp_operation_may_wait(operation) || !ends_in_time(operation)) {
        prefix_waited(operation, error);
        return FALSE;
    }
    rfp_operation_give_back(operation);
    why = g_steal_pointer(error);
    return wait_for_job(operation, why, error);
}
