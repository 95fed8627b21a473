/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation-undo.h"
#include "base/text.h"
#include "operation/operation-freeze.h"
#include "virt/domain-end.h"

/* ---- What died before ---------------------------------------------------- */

static void
warn_aside(RfpOperation *operation, const RfpRecord *record)
{
    const RfpStep *step = rfp_record_find(record, RFP_STEP_OPERATION);

    rfp_job_warn(operation->job, RFP_WARNING_UNFINISHED_OPERATION,
                 step->args[3],
                 _("an earlier operation on domain '%s' died; its checkpoint "
                   "and files are kept, because its set '%s', or the point in "
                   "it, cannot be read or needs a newer program: mount it, put "
                   "it right or use a newer virt-refpoint, the next call "
                   "tidies up; if it is gone for good remove '%s', then the "
                   "checkpoint"),
                 operation->domain->name, step->args[3], record->path);
}

static void
warn_unsynced(RfpOperation *operation, const RfpRecord *record)
{
    const RfpStep *step = rfp_record_find(record, RFP_STEP_OPERATION);
    const RfpStep *made = rfp_record_find(record, RFP_STEP_CHECKPOINT);

    rfp_job_warn(operation->job, RFP_WARNING_UNSYNCED_PUBLICATION,
                 step->args[3],
                 _("point '%s' is published, but its set '%s' cannot be "
                   "synced: a power failure could lose it, so nothing older is "
                   "let go; see to the storage, the next call tries again"),
                 made != NULL ? made->args[0] : step->args[2], step->args[3]);
}

static void
warn_recovered(RfpOperation *operation, RfpUndone undone)
{
    rfp_job_warn(operation->job, RFP_WARNING_RECOVERED, operation->domain->name,
                 undone == RFP_UNDO_PUBLISHED
                     ? _("an earlier operation on domain '%s' died behind its "
                         "publication; it was completed")
                     : _("an earlier operation on domain '%s' died; it was "
                         "undone"),
                 operation->domain->name);
}

/* Whether checkpoint and files stay, for their set cannot be had now. */
static gboolean
stays(RfpUndone undone)
{
    return undone == RFP_UNDO_ASIDE || undone == RFP_UNDO_BUSY;
}

/* What was set aside is tried again; what still cannot be done stays aside. */
static void
retry_aside(RfpOperation *operation)
{
    g_autoptr(GPtrArray) aside =
        rfp_record_list_aside(operation->conn->records_dir,
                              operation->domain->uuid);

    for (guint i = 0; i < aside->len; i++) {
        RfpRecord *record = g_ptr_array_index(aside, i);
        RfpUndone undone = RFP_UNDO_NOTHING;
        gboolean done = rfp_undo_run(operation->domain, record, NULL, FALSE,
                                     &undone, NULL, NULL);

        if (done && undone == RFP_UNDO_UNSYNCED) {
            warn_unsynced(operation, record);
        } else if (!done || stays(undone)) {
            warn_aside(operation, record);
        } else {
            rfp_record_remove(record, NULL);
            warn_recovered(operation, undone);
        }
    }
}

static gboolean
undo_stale_steps(RfpOperation *operation, RfpUndone *undone, GError **error)
{
    gboolean frozen = FALSE;
    g_autoptr(GError) local = NULL;

    if (rfp_undo_run(operation->domain, operation->record, NULL, TRUE, undone,
                     &frozen, &local))
        return TRUE;
    /* the guest may be paused, or its agent stuck: the rest need not wait */
    if (frozen && rfp_operation_hand_over(operation, NULL))
        return rfp_undo_run(operation->domain, operation->record, NULL, TRUE,
                            undone, NULL, error);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
undo_stale(RfpOperation *operation, GError **error)
{
    RfpUndone undone = RFP_UNDO_NOTHING;

    if (operation->record->steps->len == 0)
        return TRUE;
    if (!undo_stale_steps(operation, &undone, error)) {
        rfp_error_prefix(error,
                         _("cannot undo an earlier operation that died"));
        return FALSE;
    }
    if (stays(undone) || undone == RFP_UNDO_UNSYNCED)
        return rfp_record_set_aside(operation->record, error);
    warn_recovered(operation, undone);
    return TRUE;
}

/* An operation that died before anybody had led all to one folder of records
 * has left its record in that of its own environment, which may be this one. */
static gboolean
undo_elsewhere(RfpOperation *operation, GError **error)
{
    const char *own = operation->conn->own_records_dir;
    const char *uuid = operation->domain->uuid;
    g_autoptr(RfpRecord) stale = NULL;
    RfpRecord *record = operation->record;
    gboolean done = FALSE;

    if (own == NULL || strcmp(own, operation->conn->records_dir) == 0)
        return TRUE;
    stale = rfp_record_peek(own, uuid);
    if (stale == NULL)
        return TRUE;
    g_clear_pointer(&stale, rfp_record_close);
    stale = rfp_record_open(own, uuid, 0, error);
    if (stale == NULL)
        return FALSE;
    operation->record = stale;
    done = undo_stale(operation, error);
    operation->record = record;
    return done;
}

gboolean
rfp_operation_undo_stale(RfpOperation *operation, GError **error)
{
    if (!undo_stale(operation, error) || !undo_elsewhere(operation, error))
        return FALSE;
    retry_aside(operation);
    return TRUE;
}

/* ---- This operation ------------------------------------------------------ */

/* As warn_aside(), of an operation that fails now. */
static void
warn_set_unread(RfpOperation *operation)
{
    const RfpRecord *record = operation->record;
    const RfpStep *step = rfp_record_find(record, RFP_STEP_OPERATION);

    rfp_job_warn(operation->job, RFP_WARNING_UNDO_UNFINISHED,
                 operation->domain->name,
                 _("the set '%s', or the point in it, cannot be read any more "
                   "or needs a newer program: the checkpoint and the files are "
                   "kept; mount it, put it right or use a newer virt-refpoint, "
                   "the next call tidies up; if it is gone for good remove "
                   "'%s', then the checkpoint"),
                 step->args[3], record->path);
}

/* libvirt deletes no checkpoint of a domain that is off. */
static void
warn_undo(RfpOperation *operation, const GError *why)
{
    const RfpDomain *domain = operation->domain;
    const RfpStep *made =
        rfp_record_find(operation->record, RFP_STEP_CHECKPOINT);
    RfpDomainState state = {0};
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(why);

    if (made != NULL && rfp_domain_state(operation->domain, &state, NULL) &&
        (!state.active || state.ending))
        rfp_job_warn(operation->job, RFP_WARNING_UNDO_UNFINISHED, domain->name,
                     _("checkpoint '%s' of the point that was not made stays "
                       "until domain '%s' runs again: then the guard, or the "
                       "next call, deletes it"),
                     made->args[0], domain->name);
    else
        rfp_job_warn(operation->job, RFP_WARNING_UNDO_UNFINISHED, domain->name,
                     _("not everything could be undone (%s); the guard, or "
                       "the next call, goes on with it"),
                     failure->message);
}

/* NULL: it was not defined, and is gone with all that libvirt had of it. */
static RfpDomain *
still_there(RfpOperation *operation)
{
    RfpDomainState state = {0};
    g_autoptr(GError) local = NULL;

    rfp_domain_state(operation->domain, &state, &local);
    return rfp_domain_end_is_gone(local) ? NULL : operation->domain;
}

void
rfp_operation_undo_unpublished(RfpOperation *operation, RfpExportSet *set)
{
    g_autoptr(GError) local = NULL;

    if (operation->record == NULL || operation->record->steps->len == 0)
        return;
    rfp_operation_close_job(operation);
    if (!rfp_undo_unpublished(still_there(operation), operation->record, set,
                              &local))
        warn_undo(operation, local);
}

void
rfp_operation_undo(RfpOperation *operation, RfpExportSet *set)
{
    RfpUndone undone = RFP_UNDO_NOTHING;
    gboolean frozen = FALSE;
    g_autoptr(GError) local = NULL;

    if (operation->record == NULL || operation->record->steps->len == 0)
        return;
    rfp_operation_close_job(operation);
    /* nothing of ours is under way any more: the calls have returned */
    if (rfp_undo_run(still_there(operation), operation->record, set, FALSE,
                     &undone, &frozen, &local) &&
        !stays(undone) && undone != RFP_UNDO_UNSYNCED)
        return;
    if (undone == RFP_UNDO_UNSYNCED) {
        warn_unsynced(operation, operation->record);
        return;
    }
    if (local == NULL) {
        warn_set_unread(operation);
        return;
    }
    warn_undo(operation, local);
}
