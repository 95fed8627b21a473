/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation.h"
#include "base/names.h"
#include "base/text.h"
#include "operation/tidy.h"
#include "operation/undo.h"
#include "virt/domain-end.h"
#include "virt/qemu-process.h"

#include <inttypes.h>

/* While libvirt waits to close the agent's channel (rfp_agent_lost()) no job
 * ends either: an operation that was over sooner has met none of that. */
#define AGENT_LOST_MIN_US (5 * G_USEC_PER_SEC)

/* How long it waits for others, from now on. */
static void
set_patience(RfpOperation *operation)
{
    guint seconds = operation->job->wait;

    operation->patience_until =
        seconds == 0 ? 0
        : seconds == REFPOINT_WAIT_FOREVER
            ? G_MAXINT64
            : g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

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
    set_patience(operation);
    operation->report = rfp_job_add_member(job, operation->domain->name,
                                           operation->domain->uuid);
    return TRUE;
}

gboolean
rfp_operation_reach_over(RfpOperation *operation,
                         RefpointConnection *conn,
                         RefpointConnection *thaw,
                         GError **error)
{
    const gint *cancel = operation->domain->cancel;
    RfpDomain *domain =
        rfp_domain_lookup(conn, operation->domain->uuid, cancel, error);

    if (domain == NULL)
        return FALSE;
    rfp_domain_free(operation->domain);
    operation->domain = domain;
    domain->cancel = cancel;
    operation->thaw_domain =
        rfp_domain_lookup(thaw, domain->uuid, cancel, error);
    return operation->thaw_domain != NULL;
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
                          operation->domain->shell_name);
    return FALSE;
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
    const char *word = operation->domain->shell_name;

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
    if (operation->guard.fd >= 0 ||
        rfp_guard_start(operation->conn, operation->domain->uuid,
                        &operation->guard, error))
        return TRUE;
    rfp_error_add_object(error, operation->domain->name);
    return FALSE;
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
    if (!rfp_guard_wait_ready(&operation->guard, error)) {
        rfp_error_add_object(error, operation->domain->name);
        return FALSE;
    }
    return rfp_record_append(record, error, RFP_STEP_OPERATION,
                             operation->conn->uri, operation->domain->uuid,
                             guid, set != NULL ? set->path : "",
                             set != NULL ? set->file->guid : "", NULL);
}

/* ---- The job ------------------------------------------------------------- */

gboolean
rfp_operation_begin_job(RfpOperation *operation,
                        const char *backup_xml,
                        const char *checkpoint_xml,
                        RfpBackupRemake remake,
                        gpointer opaque,
                        GError **error)
{
    const RfpStep *job = rfp_record_find(operation->record, RFP_STEP_JOB);

    rfp_guard_tell(&operation->guard, "job");
    return rfp_backup_job_begin(operation->domain, job->args[0], backup_xml,
                                checkpoint_xml, remake, opaque, error) &&
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
        domain->name, failure->message, domain->shell_name);
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
    rfp_error_add_object(error, operation->domain->name);
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
    if (locked && !operation->leaves_tidying)
        rfp_tidy(operation->conn, operation->domain->uuid);
    g_clear_error(&operation->no_agent);
    g_clear_pointer(&operation->thaw_domain, rfp_domain_free);
    g_clear_pointer(&operation->domain, rfp_domain_free);
}
