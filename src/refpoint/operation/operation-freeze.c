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
    if (operation->no_agent != NULL) {
        g_propagate_error(error, g_error_copy(operation->no_agent));
        return FALSE;
    }
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

gboolean
rfp_operation_check_freeze(RfpOperation *operation,
                           const RfpDomainState *state,
                           GError **error)
{
    return can_freeze(operation, state, error) &&
           rfp_agent_check_connected(operation->domain, error);
}

static guint
window_of(const RfpOperation *operation)
{
    return operation->window != 0 ? operation->window : RFP_FROZEN_MAX;
}

static RfpDomain *
domain_to_thaw(const RfpOperation *operation)
{
    return operation->thaw_domain != NULL ? operation->thaw_domain
                                          : operation->domain;
}

/* It is about to stand still. */
static void
stands_still(RfpOperation *operation)
{
    rfp_guard_tell_frozen(&operation->guard, window_of(operation));
    operation->frozen_at = g_get_monotonic_time();
    operation->report->frozen_at = g_get_real_time();
}

/* It has not, after all. */
static void
stood_not(RfpOperation *operation)
{
    rfp_guard_tell(&operation->guard, "thawed");
    operation->report->frozen_at = 0;
}

static void
goes_on(RfpOperation *operation)
{
    operation->thawed_at = g_get_monotonic_time();
    operation->report->thawed_at = g_get_real_time();
    rfp_job_set_frozen(operation->job, operation->report,
                       (guint64)(operation->thawed_at - operation->frozen_at));
    rfp_guard_tell(&operation->guard, "thawed");
}

static gboolean
freeze_now(RfpOperation *operation, gboolean *late, GError **error)
{
    RfpFreeze result = RFP_FREEZE_FAILED;
    guint timeout = rfp_agent_timeout();

    if (operation->agent_timeout != 0)
        timeout = MIN(timeout, operation->agent_timeout);
    if (!rfp_record_append(operation->record, error, RFP_STEP_FREEZE, NULL))
        return FALSE;
    stands_still(operation);
    result = rfp_agent_freeze(operation->domain, timeout, &operation->n_frozen,
                              error);
    operation->frozen = result == RFP_FREEZE_DONE;
    *late = result == RFP_FREEZE_LATE;
    if (operation->frozen)
        return TRUE;
    stood_not(operation);
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
    if (us >= (guint64)window_of(operation) * G_USEC_PER_SEC)
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("the guest of domain '%s' was thawed: the point was "
                        "not made within %u s"),
                      name, window_of(operation));
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

    *thawed = rfp_agent_thaw(domain_to_thaw(operation), THAW_TIMEOUT, &n_thawed,
                             error);
    operation->frozen = FALSE;
    if (!*thawed)
        return FALSE;
    goes_on(operation);
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

/* ---- Suspending ---------------------------------------------------------- */

gboolean
rfp_operation_pause(RfpOperation *operation,
                    const RfpDomainState *state,
                    GError **error)
{
    RfpDomainState now = {0};

    if (!state->running)
        return TRUE;
    if (!rfp_domain_state(operation->domain, &now, error))
        return FALSE;
    if (!now.running)
        return TRUE;
    if (!rfp_record_append(operation->record, error, RFP_STEP_PAUSE, NULL))
        return FALSE;
    stands_still(operation);
    /* it may have been done all the same: the undo looks */
    operation->paused = rfp_domain_suspend(operation->domain, error);
    return operation->paused;
}

gboolean
rfp_operation_resume(RfpOperation *operation, GError **error)
{
    RfpDomain *domain = domain_to_thaw(operation);
    RfpDomainState state = {0};

    if (!operation->paused)
        return TRUE;
    operation->paused = FALSE;
    if (!rfp_domain_state(domain, &state, error) ||
        (state.paused && !rfp_domain_resume(domain, error)))
        return FALSE;
    goes_on(operation);
    if (!rfp_record_append(operation->record, error, RFP_STEP_RESUMED, NULL))
        return FALSE;
    if (!state.running)
        return TRUE;
    if (operation->report->frozen_us >=
        (guint64)window_of(operation) * G_USEC_PER_SEC)
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("domain '%s' was resumed: the points were not made "
                        "within %u s"),
                      domain->name, window_of(operation));
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' did not stay suspended until the points "
                        "were made, after %.1f s"),
                      domain->name,
                      (double)operation->report->frozen_us / G_USEC_PER_SEC);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error, _("see who else resumes it, and try again"));
    return FALSE;
}
