/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/operation-freeze.h"
#include "base/text.h"

#define THAW_TIMEOUT 10

gboolean
rfp_operation_hand_over(RfpOperation *operation, GError **error)
{
    if (!rfp_late_freeze_mark(operation->conn, operation->domain->uuid,
                              error) ||
        !rfp_operation_start_guard(operation, error))
        return FALSE;
    rfp_guard_tell(&operation->guard, "late");
    rfp_job_warn(operation->job, RFP_WARNING_LATE_FREEZE,
                 operation->domain->name,
                 _("the guest of domain '%s' may freeze later; it is watched "
                   "and thawed for at least ten minutes"),
                 operation->domain->name);
    return rfp_record_append(operation->record, error, RFP_STEP_THAWED, NULL);
}

static void
warn_crash(RfpOperation *operation, const GError *why)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(why);
    const char *name = operation->domain->name;

    if (failure->way_out == NULL)
        rfp_job_warn(operation->job, RFP_WARNING_CRASH_INSTEAD_OF_APPLICATION,
                     name, _("the point is crash consistent: %s"),
                     failure->message);
    else
        rfp_job_warn(operation->job, RFP_WARNING_CRASH_INSTEAD_OF_APPLICATION,
                     name, _("the point is crash consistent: %s (%s)"),
                     failure->message, failure->way_out);
}

/* Whether freezing is to be tried at all; if not, @error says why. */
static gboolean
can_freeze(RfpOperation *operation, const RfpDomainState *state, GError **error)
{
    if (!state->running) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' is paused, its agent cannot freeze"),
                      operation->domain->name);
        rfp_error_add_way_out(error, _("resume it with: virsh resume %s"),
                              operation->domain->shell_name);
        return FALSE;
    }
    if (rfp_late_freeze_pending(operation->conn, operation->domain->uuid)) {
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("an earlier freeze of domain '%s' timed out and may "
                        "still happen"),
                      operation->domain->name);
        rfp_error_add_way_out(error, _("see what the guest's freeze hooks do; "
                                       "try again in ten minutes"));
        return FALSE;
    }
    return TRUE;
}

static gboolean
freeze_now(RfpOperation *operation, gboolean *late, GError **error)
{
    RfpFreeze result = RFP_FREEZE_FAILED;

    if (!rfp_record_append(operation->record, error, RFP_STEP_FREEZE, NULL))
        return FALSE;
    rfp_guard_tell(&operation->guard, "frozen");
    operation->frozen_at = g_get_monotonic_time();
    result = rfp_agent_freeze(operation->domain, rfp_agent_timeout(),
                              &operation->n_frozen, error);
    operation->frozen = result == RFP_FREEZE_DONE;
    *late = result == RFP_FREEZE_LATE;
    if (operation->frozen)
        return TRUE;
    rfp_guard_tell(&operation->guard, "thawed");
    if (!*late)
        rfp_record_append(operation->record, NULL, RFP_STEP_THAWED, NULL);
    return FALSE;
}

gboolean
rfp_operation_freeze(RfpOperation *operation,
                     RefpointQuiesce quiesce,
                     const RfpDomainState *state,
                     RefpointConsistency *reached,
                     GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean late = FALSE;

    operation->must_freeze = quiesce == REFPOINT_QUIESCE_REQUIRED;
    *reached = REFPOINT_CONSISTENCY_CRASH;
    if (quiesce == REFPOINT_QUIESCE_NEVER)
        return TRUE;
    if (can_freeze(operation, state, &local) &&
        freeze_now(operation, &late, &local)) {
        *reached = REFPOINT_CONSISTENCY_APPLICATION;
        return TRUE;
    }
    if (late && !rfp_operation_hand_over(operation, error))
        return FALSE;
    /* somebody else is at work on a frozen guest: keep out */
    if (operation->must_freeze ||
        g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    warn_crash(operation, local);
    return TRUE;
}

/* FALSE, and why, where the guest thawed by itself (Windows does after 10 s),
 * or by the guard, or by somebody else, if only one of its file systems: what
 * was begun meanwhile may not be consistent. */
static gboolean
check_still_frozen(RfpOperation *operation, gint n_thawed, GError **error)
{
    guint64 us = operation->report->frozen_us;
    const char *name = operation->domain->name;

    if (n_thawed >= operation->n_frozen)
        return TRUE;
    if (us >= RFP_FROZEN_MAX * G_USEC_PER_SEC)
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("the guest of domain '%s' was thawed: the point was "
                        "not made within %d s"),
                      name, RFP_FROZEN_MAX);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("the guest of domain '%s' did not stay frozen until "
                        "the point was made, after %.1f s"),
                      name, (double)us / G_USEC_PER_SEC);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error,
                          _("see what makes QEMU slow, or who else thaws the "
                            "guest (Windows does by itself after 10 s), and "
                            "try again; or use --quiesce=auto"));
    return FALSE;
}

/* It could be thawed, and had been frozen until then; else @error says why
 * not. */
static gboolean
thaw_now(RfpOperation *operation, gboolean *thawed, GError **error)
{
    gint n_thawed = 0;

    *thawed = rfp_agent_thaw(operation->domain, THAW_TIMEOUT, &n_thawed, error);
    operation->frozen = FALSE;
    if (!*thawed)
        return FALSE;
    rfp_job_set_frozen(operation->job, operation->report,
                       (guint64)(g_get_monotonic_time() -
                                 operation->frozen_at));
    rfp_guard_tell(&operation->guard, "thawed");
    return check_still_frozen(operation, n_thawed, error);
}

gboolean
rfp_operation_thaw(RfpOperation *operation,
                   RefpointConsistency *reached,
                   GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean thawed = FALSE;
    gboolean reliable = FALSE;

    if (!operation->frozen)
        return TRUE;
    reliable = thaw_now(operation, &thawed, &local);
    if (!reliable)
        *reached = REFPOINT_CONSISTENCY_CRASH;
    if (thawed ? !rfp_record_append(operation->record, error, RFP_STEP_THAWED,
                                    NULL)
               : !rfp_operation_hand_over(operation, error))
        return FALSE;
    if (reliable)
        return TRUE;
    if (!operation->must_freeze) {
        warn_crash(operation, local);
        return TRUE;
    }
    if (local->code == REFPOINT_ERROR_NOT_AVAILABLE)
        local->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}
