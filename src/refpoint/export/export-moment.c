/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-moment.h"
#include "base/text.h"
#include "base/workers.h"
#include "export/tracking.h"
#include "operation/operation-freeze.h"
#include "operation/undo.h"

/* ---- The parts, of one member -------------------------------------------- */

/* Microseconds that are left of the window. */
static gint64
time_left(const RfpExport *export)
{
    return export->window_end != 0 ? export->window_end - g_get_monotonic_time()
                                   : G_MAXINT64;
}

static gboolean
suspends(const RfpExportMember *member)
{
    return member->origin->makes_point && member->export->options->pause;
}

/* Its agent has not been given the time that it has without a group. */
static void
explain_freeze(const RfpExportMember *member, gint64 asked, GError **error)
{
    const RfpExport *export = member->export;
    const guint timeout = member->operation.agent_timeout;

    if (export->group != NULL && (*error)->code == REFPOINT_ERROR_TIMEOUT &&
        g_get_monotonic_time() - asked >= (gint64)timeout * G_USEC_PER_SEC)
        rfp_error_prefix(error,
                         _("not frozen within %u s, the window of group '%s' "
                           "is %u s"),
                         timeout, export->group->name,
                         member->operation.window);
}

static gboolean
freeze(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    const gint64 asked = g_get_monotonic_time();
    RefpointQuiesce quiesce = member->origin->makes_point
                                  ? export->options->quiesce
                                  : REFPOINT_QUIESCE_NEVER;

    /* one that hangs must leave time for the begin, and for the others */
    if (export->window_end != 0)
        member->operation.agent_timeout =
            (guint)MAX(time_left(export) / 2 / G_USEC_PER_SEC, 1);
    if (rfp_operation_freeze(&member->operation, quiesce, &member->state,
                             &member->consistency, error))
        return TRUE;
    explain_freeze(member, asked, error);
    return FALSE;
}

static gboolean
stop_member(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;

    /* others may have been waited for since it was looked at */
    if (member->export->group != NULL &&
        !rfp_domain_state(operation->domain, &member->state, error))
        return FALSE;
    if (!suspends(member))
        return freeze(member, error);
    member->consistency = REFPOINT_CONSISTENCY_CRASH;
    return rfp_operation_pause(operation, &member->state, error);
}

static void
stop_one(gpointer item)
{
    RfpExportMember *member = item;
    const gint64 since = g_get_monotonic_time();

    if (time_left(member->export) <= 0)
        return; /* it was not reached in time: without @stopped_by */
    stop_member(member, &member->error);
    member->stopped_by = g_get_monotonic_time();
    member->took += member->stopped_by - since;
}

static void
begin_one(gpointer item)
{
    RfpExportMember *member = item;
    const gint64 since = g_get_monotonic_time();
    gboolean begun = FALSE;

    if (time_left(member->export) <= 0 ||
        rfp_job_cancelled(member->export->job))
        return;
    begun = member->origin->begin(member, &member->error);
    member->took += g_get_monotonic_time() - since;
    if (!begun)
        return;
    member->begun_by = g_get_monotonic_time();
    if (member->origin->makes_point)
        member->operation.report->begun_at = g_get_real_time();
}

/* Somebody may have resumed a guest that its administrator had suspended. */
static void
look_whether_stopped(RfpExportMember *member)
{
    RfpDomainState now = {0};

    if (member->export->group == NULL || member->state.running)
        return;
    if (!rfp_domain_state(member->operation.domain, &now, NULL) || now.running)
        member->state.running = TRUE;
}

/* What fails first is what is told of a member. */
static void
go_on_one(gpointer item)
{
    RfpExportMember *member = item;
    RfpOperation *operation = &member->operation;
    GError **error = member->error == NULL ? &member->error : NULL;
    const gint64 since = g_get_monotonic_time();

    look_whether_stopped(member);
    if (rfp_operation_resume(operation, error))
        rfp_operation_thaw(operation, &member->consistency, error);
    member->took += g_get_monotonic_time() - since;
}

/* A member whose stage hangs: its thread works with the operation and its
 * domain, so only the domain over the other connection is used. Of a single
 * domain, which has none, its guard takes care. */
static void
let_go_one(gpointer item)
{
    const RfpExportMember *member = item;
    RfpDomain *domain = member->operation.thaw_domain;
    RfpDomainState state = {0};

    if (domain == NULL)
        return;
    if (suspends(member) && member->operation.report->frozen_at != 0 &&
        rfp_domain_state(domain, &state, NULL) && state.paused)
        rfp_domain_resume(domain, NULL);
    else if (member->operation.frozen)
        rfp_agent_thaw(domain, 1, NULL, NULL);
}

static void
undo_one(gpointer item)
{
    const RfpExportMember *member = item;
    const RfpOperation *operation = &member->operation;

    rfp_undo_host(operation->domain, operation->record, FALSE, NULL, NULL);
}

/* ---- All at once --------------------------------------------------------- */

static gboolean
any_failed(const GPtrArray *members)
{
    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->error != NULL || member->stopped_by == 0)
            return TRUE;
    }
    return FALSE;
}

/* The window is over, and some call has not come back: those that can go on do
 * so at once, and their jobs end, however long that one takes. */
static void
end_early(GPtrArray *members, RfpWork *work)
{
    g_autoptr(GPtrArray) back = g_ptr_array_new();
    g_autoptr(GPtrArray) hang = g_ptr_array_new();

    for (guint i = 0; i < members->len; i++)
        g_ptr_array_add(rfp_work_is_back(work, i) ? back : hang,
                        g_ptr_array_index(members, i));
    rfp_export_at_once(back, go_on_one);
    rfp_export_at_once(hang, let_go_one);
    rfp_export_at_once(back, undo_one);
}

/* FALSE: it was not over with the window. */
static gboolean
run_stage(const RfpExport *export, GPtrArray *members, RfpWorkFunc func)
{
    RfpWork *work = NULL;
    gboolean in_time = TRUE;

    if (members->len == 1) {
        func(g_ptr_array_index(members, 0));
        return time_left(export) > 0;
    }
    work = rfp_work_begin(members, func, RFP_EXPORT_AT_ONCE_MAX);
    in_time = rfp_work_wait(work, export->window_end);
    if (!in_time)
        end_early(members, work);
    rfp_work_end(work);
    return in_time;
}

/* ---- What came of it ----------------------------------------------------- */

typedef struct {
    gint64 first_stop;  /* monotonic, microseconds; 0: nobody stood still */
    gint64 last_go_on;  /* the same */
    gint64 first_begin; /* when it was asked for */
    gint64 last_begin;  /* when it was there */
    gboolean all_stopped;
    gboolean any_point; /* a new one */
} Times;

static gint64
earlier(gint64 a, gint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* A guest that was suspended before does not write. */
static gboolean
stood_still(const RfpExportMember *member)
{
    if (!member->state.running)
        return TRUE;
    return member->operation.thawed_at != 0 &&
           (suspends(member) ||
            member->consistency == REFPOINT_CONSISTENCY_APPLICATION);
}

static Times
times_of(const GPtrArray *members)
{
    Times times = {.all_stopped = TRUE};

    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);
        const RfpOperation *operation = &member->operation;

        if (operation->thawed_at != 0) {
            times.first_stop = earlier(times.first_stop, operation->frozen_at);
            times.last_go_on = MAX(times.last_go_on, operation->thawed_at);
        }
        times.all_stopped = times.all_stopped && stood_still(member);
        times.any_point = times.any_point || member->origin->makes_point;
        times.first_begin = earlier(times.first_begin, member->begun);
        times.last_begin = MAX(times.last_begin, member->begun_by);
    }
    return times;
}

/* A point of earlier has had its moment. */
static void
report(const RfpExport *export, const Times *times)
{
    RefpointReport *report = &export->job->report;

    if (export->group == NULL || !times->any_point)
        return;
    report->moment = !times->all_stopped      ? REFPOINT_MOMENT_APART
                     : export->options->pause ? REFPOINT_MOMENT_PAUSED
                                              : REFPOINT_MOMENT_FROZEN;
    report->window_us = times->first_stop != 0
                            ? (guint64)(times->last_go_on - times->first_stop)
                            : 0;
    report->skew_us = (guint64)MAX(times->last_begin - times->first_begin, 0);
    if (report->moment == REFPOINT_MOMENT_APART && export->members->len > 1)
        rfp_job_warn(export->job, RFP_WARNING_MOMENT_APART, export->group->name,
                     _("the members of group '%s' have no common moment: not "
                       "all of them stood still, and their points are %.3f s "
                       "apart (--pause suspends those that cannot be frozen)"),
                     export->group->name,
                     (double)report->skew_us / G_USEC_PER_SEC);
}

/* Who kept the others waiting, in whatever stage. */
static const RfpExportMember *
slowest(const GPtrArray *members)
{
    const RfpExportMember *last = g_ptr_array_index(members, 0);

    for (guint i = 1; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->took > last->took)
            last = member;
    }
    return last;
}

static void
set_late(const RfpExport *export, const GPtrArray *members, GError **error)
{
    const RfpExportMember *member = slowest(members);
    const char *name = member->operation.domain->name;
    const guint seconds = member->operation.window;

    if (export->group == NULL)
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("the point of domain '%s' was not made within %u s"),
                      name, seconds);
    else
        rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                      _("the points of group '%s' were not made within %u s: "
                        "domain '%s' was the slowest"),
                      export->group->name, seconds, name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error, _("see what makes it slow, or allow more with "
                                   "--window"));
}

/* The first failure in the order of the members. */
static gboolean
collect(const GPtrArray *members, GError **error)
{
    for (guint i = 0; i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->error == NULL)
            continue;
        if (member->begun_by == 0 && member->begun != 0)
            rfp_tracking_explain_bitmap(member->operation.domain,
                                        member->domain_xml,
                                        member->export->name, &member->error);
        g_propagate_error(error, g_steal_pointer(&member->error));
        return rfp_export_name_member(member, FALSE, error);
    }
    return TRUE;
}

/* Whether a job is missing that nobody has failed to begin: it was not reached
 * in time. */
static gboolean
was_left_out(const GPtrArray *members)
{
    gboolean left_out = FALSE;

    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->error != NULL)
            return FALSE;
        left_out = left_out || member->begun_by == 0;
    }
    return left_out;
}

/* What came too late fails in other ways, too: that is told first. */
static gboolean
judge(const RfpExport *export,
      const GPtrArray *members,
      gboolean in_time,
      GError **error)
{
    const Times times = times_of(members);
    const gint64 end = MAX(times.last_go_on, times.last_begin);

    if (export->window_end != 0 &&
        (!in_time || end > export->window_end || was_left_out(members))) {
        set_late(export, members, error);
        return FALSE;
    }
    if (!collect(members, error))
        return FALSE;
    report(export, &times);
    return TRUE;
}

/* ---- Before the window --------------------------------------------------- */

static gboolean
is_to_freeze(const RfpExportMember *member)
{
    return member->export->group != NULL && member->origin->makes_point &&
           member->state.running && !suspends(member) &&
           member->export->options->quiesce != REFPOINT_QUIESCE_NEVER;
}

static void
greet_one(gpointer item)
{
    RfpExportMember *member = item;
    RfpOperation *operation = &member->operation;

    g_clear_error(&operation->no_agent);
    if (is_to_freeze(member))
        rfp_agent_check_answers(operation->domain, &operation->no_agent);
}

/* An agent that hangs is not asked to freeze: nobody has to stand still until
 * that is seen, and its guest does not freeze much later. */
static gboolean
greet_agents(const RfpExport *export, GPtrArray *members, GError **error)
{
    if (export->group == NULL)
        return TRUE;
    rfp_export_at_once(members, greet_one);
    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);
        const GError *why = member->operation.no_agent;

        if (why == NULL ||
            export->options->quiesce != REFPOINT_QUIESCE_REQUIRED)
            continue;
        g_propagate_error(error, g_error_copy(why));
        return rfp_export_name_member(member, FALSE, error);
    }
    return TRUE;
}

/* ---- The moment ---------------------------------------------------------- */

static void
forget(RfpExportMember *member)
{
    RefpointMemberReport *report = member->operation.report;

    g_clear_error(&member->error);
    member->begun = member->begun_by = member->stopped_by = member->took = 0;
    member->operation.frozen_at = member->operation.thawed_at = 0;
    report->frozen_at = report->begun_at = report->thawed_at = 0;
}

/* Kept data has had its moment. */
static GPtrArray *
members_to_begin(const RfpExport *export)
{
    GPtrArray *members = g_ptr_array_new();

    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (member->origin->begin == NULL)
            continue;
        if (export->group != NULL)
            forget(member);
        g_ptr_array_add(members, member);
    }
    return members;
}

/* Of a single domain the guard alone watches how long it stands still, unless
 * the user has said how long. */
static void
open_window(RfpExport *export, const GPtrArray *members)
{
    guint window = export->options->window;

    if (window == 0 && export->group != NULL)
        window = REFPOINT_WINDOW_DEFAULT;
    for (guint i = 0; i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);

        member->operation.window = window;
    }
    export->window_end =
        window != 0 ? g_get_monotonic_time() + (gint64)window * G_USEC_PER_SEC
                    : 0;
}

gboolean
rfp_export_moment(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) members = members_to_begin(export);
    gboolean in_time = TRUE;

    if (members->len == 0)
        return TRUE;
    if (!greet_agents(export, members, error) ||
        !rfp_job_check(export->job, error))
        return FALSE;
    open_window(export, members);
    in_time = run_stage(export, members, stop_one);
    if (in_time && !any_failed(members))
        in_time = run_stage(export, members, begin_one);
    rfp_export_at_once(members, go_on_one);
    return rfp_job_check(export->job, error) &&
           judge(export, members, in_time, error);
}
