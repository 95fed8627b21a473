/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation-lock.h"
#include "base/descriptors.h"
#include "base/text.h"
#include "operation/operation-turn.h"
#include "operation/operation-undo.h"
#include "virt/qemu-process.h"

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

/* The users of the group libvirt may use the system daemon, but its records,
 * and the folder of a guest's sockets, are root's. */
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
    return rfp_operation_undo_stale(operation, error) &&
           look_at_kept(operation, error);
}

gboolean
rfp_operation_lock_free(RfpOperation *operation,
                        RfpOperationFree is_free,
                        gpointer opaque,
                        GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;

        if (!rfp_operation_lock(operation, error))
            return FALSE;
        if (is_free(opaque, &local))
            return TRUE;
        if (!rfp_operation_wait_free(operation, &local)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
}
