/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation.h"
#include "base/descriptors.h"
#include "base/names.h"
#include "base/text.h"
#include "operation/tidy.h"
#include "virt/domain-end.h"
#include "virt/qemu-process.h"

#include <inttypes.h>
#include <string.h>

/* While libvirt waits to close the agent's channel (rfp_agent_lost()) no job
 * ends either: an operation that was over sooner has met none of that. */
#define AGENT_LOST_MIN_US (5 * G_USEC_PER_SEC)

gboolean
rfp_operation_open(RfpOperation *operation,
                   RefpointConnection *conn,
                   const char *domain,
                   RefpointJob *job,
                   GError **error)
{
    operation->conn = conn;
    operation->job = job;
    operation->guard.fd = -1;
    rfp_handshakes_init(&operation->handshakes);
    operation->domain = rfp_domain_lookup(conn, domain, &job->cancel, error);
    if (operation->domain == NULL)
        return FALSE;
    operation->domain->cancel = &job->cancel;
    rfp_operation_set_patience(operation);
    job->report.domain_name = g_strdup(operation->domain->name);
    job->report.domain_uuid = g_strdup(operation->domain->uuid);
    return TRUE;
}

gboolean
rfp_operation_check_active(RfpOperation *operation,
                           RfpDomainState *state,
                           GError **error)
{
    const char *name = operation->domain->name;

    if (!rfp_domain_state(operation->domain, state, error))
        return FALSE;
    if (state->active)
        return TRUE;
    if (!rfp_qemu_check_off(operation->conn, operation->domain, error))
        return FALSE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("domain '%s' is shut off"), name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error,
                          _("start it, if need be paused: virsh start "
                            "%s --paused"),
                          operation->domain->word);
    return FALSE;
}

/* ---- Lock ---------------------------------------------------------------- */

static void
warn_kept(RfpOperation *operation, const RfpRecord *record)
{
    const RfpStep *step = rfp_record_find(record, RFP_STEP_OPERATION);

    rfp_job_warn(operation->job, RFP_WARNING_UNFINISHED_OPERATION,
                 step->args[3],
                 _("an earlier operation on domain '%s' died; its checkpoint "
                   "and files are kept, because its set '%s', or the point in "
                   "it, cannot be read: mount it or put it right, the next "
                   "call tidies up; if it is gone for good remove '%s', then "
                   "the checkpoint"),
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
        } else if (!done || undone == RFP_UNDO_KEPT) {
            warn_kept(operation, record);
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
    if (undone == RFP_UNDO_KEPT || undone == RFP_UNDO_UNSYNCED)
        return rfp_record_set_aside(operation->record, error);
    warn_recovered(operation, undone);
    return TRUE;
}

/* A guest that was stopped has taken its job along; a watcher that died has
 * looked at nothing since. */
static gboolean
look_at_kept(RfpOperation *operation, GError **error)
{
    RfpDomain *domain = operation->domain;
    gboolean runs = FALSE;
    const char *limit = NULL;
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    operation->kept =
        rfp_kept_load(operation->conn->records_dir, domain->uuid, TRUE);
    if (operation->kept == NULL || operation->kept->ended != NULL)
        return TRUE;
    if (!rfp_kept_runs(domain, operation->kept, &runs, error))
        return FALSE;
    limit = runs ? rfp_kept_limit(operation->kept, NULL) : RFP_ENDED_STOPPED;
    if (limit != NULL)
        return rfp_undo_kept(domain, operation->kept, limit, error);
    operation->handshakes.path = operation->kept->record->path;
    if (rfp_guard_watch(operation->conn, operation->kept, &local))
        return TRUE;
    failure = refpoint_failure_new(local);
    rfp_job_warn(operation->job, RFP_WARNING_NOT_WATCHED, operation->kept->name,
                 _("the data of point '%s' is kept, but nobody watches its "
                   "limits: %s"),
                 operation->kept->name, failure->message);
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

/* The members of a group may use the system daemon, but its records, and the
 * folder of a guest's sockets, are root's. */
static void
explain_no_record(const RfpOperation *operation, GError **error)
{
    if (error == NULL || (*error)->code == REFPOINT_ERROR_IN_USE ||
        (*error)->code == REFPOINT_ERROR_CANCELLED)
        return;
    if (!operation->conn->system) {
        rfp_error_add_way_out(error,
                              _("set XDG_STATE_HOME, or HOME, to a folder that "
                                "can be written to"));
        return;
    }
    if ((*error)->code != REFPOINT_ERROR_ACCESS_DENIED)
        return;
    rfp_error_prefix(error,
                     _("domain '%s' belongs to the system daemon, and what "
                       "changes it needs root"),
                     operation->domain->name);
    rfp_error_add_object(error, operation->domain->name);
    rfp_error_add_way_out(error, _("run it as root (sudo)"));
}

/* A job of a domain that is off is over, and what belongs to it goes: so it
 * must be off. */
static gboolean
check_state(RfpOperation *operation, GError **error)
{
    RfpDomainState state = {0};

    return rfp_domain_state(operation->domain, &state, error) &&
           (state.active ||
            rfp_qemu_check_off(operation->conn, operation->domain, error));
}

gboolean
rfp_operation_lock(RfpOperation *operation, GError **error)
{
    if (!rfp_descriptors_check(RFP_DESCRIPTORS_OPERATION, error) ||
        !check_state(operation, error))
        return FALSE;
    if (!rfp_connection_claim_records(operation->conn, error) ||
        !rfp_operation_take_turn(operation, error)) {
        explain_no_record(operation, error);
        return FALSE;
    }
    operation->handshakes.path = operation->record->path;
    if (!undo_stale(operation, error) || !undo_elsewhere(operation, error))
        return FALSE;
    retry_aside(operation);
    return look_at_kept(operation, error);
}

gboolean
rfp_operation_keeps(const RfpOperation *operation, const char *point)
{
    const RfpKept *kept = operation->kept;

    return kept != NULL && kept->ended == NULL &&
           (rfp_guid_equal(kept->guid, point) ||
            g_strcmp0(kept->name, point) == 0);
}

gboolean
rfp_operation_check_free(RfpOperation *operation, GError **error)
{
    const RfpKept *kept = operation->kept;
    const char *word = operation->domain->word;

    if (kept == NULL || kept->ended != NULL)
        return rfp_backup_job_check_free(operation->domain, error);
    rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                  kept->keep == REFPOINT_KEEP_HOLD
                      ? _("domain '%s' holds the data of point '%s'")
                      : _("domain '%s' keeps the data of point '%s' for its "
                          "first export"),
                  operation->domain->name, kept->name);
    rfp_error_add_object(error, kept->name);
    rfp_error_add_way_out(error,
                          _("export it with: virt-refpoint export %s DIRECTORY "
                            "--point %s; or let it go with: virt-refpoint "
                            "remove-data %s %s"),
                          word, kept->name, word, kept->name);
    return FALSE;
}

/* ---- Guard --------------------------------------------------------------- */

gboolean
rfp_operation_start_guard(RfpOperation *operation, GError **error)
{
    return operation->guard.fd >= 0 ||
           rfp_guard_start(operation->conn, operation->domain->uuid,
                           &operation->guard, error);
}

gboolean
rfp_operation_begin(RfpOperation *operation,
                    const char *guid,
                    const RfpExportSet *set,
                    GError **error)
{
    RfpRecord *record = operation->record;

    if (rfp_record_find(record, RFP_STEP_OPERATION) != NULL)
        return TRUE;
    return rfp_guard_wait_ready(&operation->guard, error) &&
           rfp_record_append(record, error, RFP_STEP_OPERATION,
                             operation->conn->uri, operation->domain->uuid,
                             guid, set != NULL ? set->path : "",
                             set != NULL ? set->file->guid : "", NULL);
}

/* ---- The job ------------------------------------------------------------- */

gboolean
rfp_operation_begin_job(RfpOperation *operation,
                        const char *backup_xml,
                        const char *checkpoint_xml,
                        gboolean push,
                        GError **error)
{
    const RfpStep *job = rfp_record_find(operation->record, RFP_STEP_JOB);

    rfp_guard_tell(&operation->guard, "job");
    return rfp_backup_job_begin(operation->domain, job->args[0], backup_xml,
                                checkpoint_xml, push, error) &&
           rfp_record_append(operation->record, error, RFP_STEP_BEGUN, NULL);
}

/* Of the job of the operation, or of what is kept. */
static char *
scratch_dir(const RfpOperation *operation)
{
    char *dir = rfp_scratch_dir(operation->record);

    if (dir == NULL && operation->kept != NULL)
        dir = rfp_scratch_dir(operation->kept->record);
    return dir != NULL ? dir : g_strdup(operation->conn->scratch_dir);
}

static void
set_short_of_scratch(RfpOperation *operation, guint64 left, GError **error)
{
    g_autofree char *dir = scratch_dir(operation);

    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("the file system of the scratch directory '%s' has only "
                    "%" PRIu64 " bytes left; the backup job was ended "
                    "before the guest would have stopped"),
                  dir, left);
    rfp_error_add_object(error, dir);
    if (rfp_rate_limit(&operation->job->rate) != 0)
        rfp_error_add_way_out(error,
                              _("make room there, have the scratch directory "
                                "on a larger file system, or limit the rate "
                                "less"));
    else
        rfp_error_add_way_out(error,
                              _("make room there, have the scratch directory "
                                "on a larger file system, or try again while "
                                "the guest writes less"));
}

void
rfp_operation_set_io_error(RfpOperation *operation, GError **error)
{
    const char *name = operation->domain->name;
    g_autofree char *dir = scratch_dir(operation);

    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("domain '%s' stopped with an I/O error while its backup "
                    "job ran; it is resumed"),
                  name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error,
                          _("look for room, and for quotas that are used up "
                            "(of QEMU's user, too), on the file systems of its "
                            "images and of the scratch directory '%s'"),
                          dir);
}

gboolean
rfp_operation_watch(RfpOperation *operation, GError **error)
{
    RfpGuard *guard = &operation->guard;
    guint64 left = 0;

    rfp_guard_listen(guard);
    switch (guard->ended) {
    case RFP_GUARD_ENDED_SCRATCH:
        set_short_of_scratch(operation, guard->left, error);
        return FALSE;
    case RFP_GUARD_ENDED_IO:
        rfp_operation_set_io_error(operation, error);
        return FALSE;
    case RFP_GUARD_WATCHES:
        break;
    }
    if (!guard->gone ||
        rfp_scratch_has_room(&operation->scratch, operation->record, &left))
        return TRUE;
    set_short_of_scratch(operation, left, error);
    return FALSE;
}

void
rfp_operation_explain(RfpOperation *operation, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (error == NULL || *error == NULL ||
        g_error_matches(*error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED))
        return;
    if ((*error)->code == REFPOINT_ERROR_NOT_AVAILABLE &&
        rfp_record_find(operation->record, RFP_STEP_BEGUN) != NULL)
        (*error)->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    rfp_guard_listen(&operation->guard);
    if (operation->guard.ended == RFP_GUARD_WATCHES ||
        rfp_operation_watch(operation, &cause)) {
        rfp_domain_end_explain(operation->conn, operation->domain, error);
        return;
    }
    g_clear_error(error);
    g_propagate_error(error, g_steal_pointer(&cause));
}

gboolean
rfp_operation_close_job(RfpOperation *operation)
{
    const RfpStep *job = rfp_record_find(operation->record, RFP_STEP_JOB);

    if (rfp_handshakes_close(&operation->handshakes))
        return TRUE;
    if (job != NULL)
        rfp_backup_job_wait_ended(operation->domain, job->args[0]);
    return FALSE;
}

/* ---- The agent, afterwards ----------------------------------------------- */

void
rfp_operation_check_agent(RfpOperation *operation)
{
    const char *name = operation->domain->name;

    if (operation->frozen_at != 0 &&
        g_get_monotonic_time() - operation->frozen_at < AGENT_LOST_MIN_US)
        return;
    if (!rfp_agent_lost(operation->domain))
        return;
    rfp_job_warn(operation->job, RFP_WARNING_AGENT_LOST, name,
                 _("libvirt has lost the agent of domain '%s': the guest was "
                   "reset, or the agent restarted, while the backup job ran; "
                   "points will be crash consistent until the agent is "
                   "restarted in the guest, or libvirt's daemon is, or the "
                   "guest reboots, while no backup job runs"),
                 name);
}

/* ---- End ----------------------------------------------------------------- */

static void
warn_goes_on(RfpOperation *operation, const GError *why)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(why);
    const RfpDomain *domain = operation->domain;

    rfp_guard_listen(&operation->guard);
    rfp_job_warn(
        operation->job, RFP_WARNING_JOB_GOES_ON, domain->name,
        operation->guard.gone
            ? _("the backup job of domain '%s' still runs (%s); the "
                "next call tries to end it, and no other one can begin "
                "before; if virsh domjobabort %s does not end it "
                "either, shut the guest off")
            : _("the backup job of domain '%s' still runs (%s); the "
                "guard tries to end it until it is gone, and no other "
                "one can begin before; if virsh domjobabort %s does "
                "not end it either, shut the guest off"),
        domain->name, failure->message, domain->word);
}

gboolean
rfp_operation_end_job(RfpOperation *operation, GError **error)
{
    const RfpStep *job = rfp_record_find(operation->record, RFP_STEP_JOB);
    gboolean there = FALSE;
    g_autoptr(GError) local = NULL;

    rfp_operation_close_job(operation);
    if (rfp_undo_host(operation->domain, operation->record, FALSE, NULL,
                      &local))
        return TRUE;
    if (job != NULL &&
        rfp_backup_job_is_there(operation->domain, job->args[0], &there,
                                NULL) &&
        there) {
        operation->job_goes_on = TRUE;
        warn_goes_on(operation, local);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* As warn_kept(), of an operation that fails now. */
static void
warn_set_unread(RfpOperation *operation)
{
    const RfpRecord *record = operation->record;
    const RfpStep *step = rfp_record_find(record, RFP_STEP_OPERATION);

    rfp_job_warn(operation->job, RFP_WARNING_UNDO_UNFINISHED,
                 operation->domain->name,
                 _("the set '%s', or the point in it, cannot be read any more: "
                   "the checkpoint and the files are kept; mount it or put it "
                   "right, the next call tidies up; if it is gone for good "
                   "remove '%s', then the checkpoint"),
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
        undone != RFP_UNDO_KEPT && undone != RFP_UNDO_UNSYNCED)
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

gboolean
rfp_operation_keep(RfpOperation *operation,
                   RefpointKeep keep,
                   gint64 until,
                   guint64 scratch_max,
                   GError **error)
{
    RefpointConnection *conn = operation->conn;
    RfpKept *kept = NULL;

    if (!rfp_kept_store(operation->record, keep, until, scratch_max, error))
        return FALSE;
    kept = rfp_kept_load(conn->records_dir, operation->domain->uuid, TRUE);
    g_clear_pointer(&operation->kept, rfp_kept_free);
    operation->kept = kept;
    /* asked again behind it: before, the guard may have ended the job */
    if (kept != NULL &&
        (rfp_guard_keep(&operation->guard) ||
         rfp_guard_watch(conn, kept, error)) &&
        rfp_operation_watch(operation, error))
        return TRUE;
    if (error != NULL && *error == NULL)
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the guard does not watch the point's data"));
    if (kept != NULL)
        rfp_undo_kept(operation->domain, kept, RFP_ENDED_REMOVED, NULL);
    return FALSE;
}

void
rfp_operation_clear(RfpOperation *operation)
{
    gboolean locked = FALSE;

    rfp_handshakes_clear(&operation->handshakes);
    g_clear_pointer(&operation->kept, rfp_kept_free);
    if (operation->record == NULL || operation->record->steps->len == 0)
        rfp_guard_tell(&operation->guard, "done");
    locked = operation->record != NULL;
    /* the lock goes before the guard hears of it: it may have work to do */
    g_clear_pointer(&operation->record, rfp_record_close);
    rfp_guard_clear(&operation->guard);
    if (locked)
        rfp_tidy(operation->conn, operation->domain->uuid);
    g_clear_pointer(&operation->domain, rfp_domain_free);
}
