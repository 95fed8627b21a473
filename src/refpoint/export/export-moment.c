/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-moment.h"
#include "base/text.h"
#include "export/tracking.h"
#include "operation/operation-freeze.h"

/* At once: libvirt's daemon has 20 threads for the requests of all its clients,
 * and an agent that hangs keeps one of them. */
#define AT_ONCE_MAX 16

/* ---- The parts, of one member -------------------------------------------- */

/* Seconds that are left of the window. */
static gint64
seconds_left(const RfpExport *export)
{
    return (export->window_end - g_get_monotonic_time()) / G_USEC_PER_SEC;
}

static gboolean
freeze(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    RefpointQuiesce quiesce = member->origin->makes_point
                                  ? export->options->quiesce
                                  : REFPOINT_QUIESCE_NEVER;

    /* one that hangs must leave time for the begin, and for the others */
    if (export->window_end != 0)
        member->operation.agent_timeout =
            (guint)MAX(seconds_left(export) / 2, 1);
    return rfp_operation_freeze(&member->operation, quiesce, &member->state,
                                &member->consistency, error);
}

static gboolean
suspend(RfpExportMember *member, GError **error)
{
    member->consistency = REFPOINT_CONSISTENCY_CRASH;
    return rfp_operation_pause(&member->operation, &member->state, error);
}

static void
stop_one(gpointer item)
{
    RfpExportMember *member = item;
    const RfpExport *export = member->export;

    if (export->window_end != 0 && seconds_left(export) <= 0)
        return; /* it is told behind the window */
    if (export->options->pause && member->origin->makes_point)
        suspend(member, &member->error);
    else
        freeze(member, &member->error);
}

static void
begin_one(gpointer item)
{
    RfpExportMember *member = item;

    if (member->origin->begin(member, &member->error)) {
        member->begun_by = g_get_monotonic_time();
        member->operation.report->begun_at = g_get_real_time();
    }
}

/* What fails first is what is told of a member. */
static void
go_on_one(gpointer item)
{
    RfpExportMember *member = item;
    RfpOperation *operation = &member->operation;
    GError **error = member->error == NULL ? &member->error : NULL;

    if (rfp_operation_resume(operation, error))
        rfp_operation_thaw(operation, &member->consistency, error);
}

/* ---- All at once --------------------------------------------------------- */

void
rfp_export_at_once(GPtrArray *members, RfpWorkFunc func)
{
    if (members->len == 1)
        func(g_ptr_array_index(members, 0));
    else
        rfp_work_end(rfp_work_begin(members, func, AT_ONCE_MAX));
}

static gboolean
any_failed(const GPtrArray *members)
{
    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->error != NULL)
            return TRUE;
    }
    return FALSE;
}

/* A job whose begin hangs is not to hold those up that are frozen: only what
 * nobody else works with is touched. */
static void
let_go(RfpExportMember *member)
{
    RfpDomain *domain = member->operation.thaw_domain;
    RfpDomainState state = {0};

    if (domain == NULL)
        return; /* of a single domain the guard takes care */
    if (member->operation.paused && rfp_domain_state(domain, &state, NULL) &&
        state.paused)
        rfp_domain_resume(domain, NULL);
    if (member->operation.frozen)
        rfp_agent_thaw(domain, 1, NULL, NULL);
}

/* Some begin hangs until the end of the window: everybody goes on meanwhile. */
static void
go_on_early(GPtrArray *members, RfpWork *begins)
{
    g_autoptr(GPtrArray) back = g_ptr_array_new();

    for (guint i = 0; i < members->len; i++)
        if (rfp_work_is_back(begins, i))
            g_ptr_array_add(back, g_ptr_array_index(members, i));
    if (back->len > 0)
        rfp_export_at_once(back, go_on_one);
    for (guint i = 0; i < members->len; i++)
        if (!rfp_work_is_back(begins, i))
            let_go(g_ptr_array_index(members, i));
}

static void
begin_all(const RfpExport *export, GPtrArray *members)
{
    RfpWork *work = NULL;

    if (members->len == 1) {
        begin_one(g_ptr_array_index(members, 0));
        return;
    }
    work = rfp_work_begin(members, begin_one, AT_ONCE_MAX);
    if (!rfp_work_wait(work, export->window_end))
        go_on_early(members, work);
    rfp_work_end(work);
}

/* ---- What came of it ----------------------------------------------------- */

typedef struct {
    gint64 first_stop;  /* monotonic, microseconds; 0: nobody stood still */
    gint64 last_go_on;  /* the same */
    gint64 first_begin; /* when it was asked for */
    gint64 last_begin;  /* when it was there */
    gboolean all_stopped;
} Times;

static gint64
earlier(gint64 a, gint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static Times
times_of(const GPtrArray *members)
{
    Times times = {.all_stopped = TRUE};

    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);
        const RfpOperation *operation = &member->operation;
        const gboolean stood = operation->thawed_at != 0;

        if (stood) {
            times.first_stop = earlier(times.first_stop, operation->frozen_at);
            times.last_go_on = MAX(times.last_go_on, operation->thawed_at);
        }
        /* one that its administrator has suspended does not write */
        if (member->state.running &&
            (!stood ||
             (!member->export->options->pause &&
              member->consistency != REFPOINT_CONSISTENCY_APPLICATION)))
            times.all_stopped = FALSE;
        times.first_begin = earlier(times.first_begin, member->begun);
        times.last_begin = MAX(times.last_begin, member->begun_by);
    }
    return times;
}

static void
report(const RfpExport *export, const Times *times)
{
    RefpointReport *report = &export->job->report;

    if (export->group == NULL)
        return;
    report->moment = !times->all_stopped      ? REFPOINT_MOMENT_APART
                     : export->options->pause ? REFPOINT_MOMENT_PAUSED
                                              : REFPOINT_MOMENT_FROZEN;
    if (times->first_stop != 0)
        report->window_us = (guint64)(times->last_go_on - times->first_stop);
    report->skew_us = (guint64)MAX(times->last_begin - times->first_begin, 0);
    if (report->moment == REFPOINT_MOMENT_APART && export->members->len > 1)
        rfp_job_warn(export->job, RFP_WARNING_MOMENT_APART, export->group->name,
                     _("the members of group '%s' have no common moment: not "
                       "all of them stood still, and their points are %.3f s "
                       "apart (--pause suspends those that cannot be frozen)"),
                     export->group->name,
                     (double)report->skew_us / G_USEC_PER_SEC);
}

/* Past the window: who kept the others waiting is who has no point, or the last
 * one. */
static const char *
slowest(const GPtrArray *members)
{
    const RfpExportMember *last = g_ptr_array_index(members, 0);

    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->begun_by == 0)
            return member->operation.domain->name;
        if (member->begun_by > last->begun_by)
            last = member;
    }
    return last->operation.domain->name;
}

static gboolean
check_window(const RfpExport *export,
             const GPtrArray *members,
             const Times *times,
             GError **error)
{
    const guint seconds = export->options->window;
    const gint64 end = MAX(times->last_go_on, times->last_begin);

    if (!export->too_late &&
        (export->window_end == 0 || end <= export->window_end))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                  _("the points of group '%s' were not made within %u s: "
                    "domain '%s' was the slowest"),
                  export->group->name,
                  seconds != 0 ? seconds : REFPOINT_WINDOW_DEFAULT,
                  slowest(members));
    rfp_error_add_object(error, slowest(members));
    rfp_error_add_way_out(error, _("see what makes it slow, or allow more with "
                                   "--window"));
    return FALSE;
}

/* The first failure in the order of the members. */
static gboolean
collect(const GPtrArray *members, GError **error)
{
    for (guint i = 0; i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);

        if (member->error == NULL)
            continue;
        g_propagate_error(error, g_steal_pointer(&member->error));
        return rfp_export_name_member(member, FALSE, error);
    }
    return TRUE;
}

static void
explain_begin(RfpExportMember *member)
{
    if (member->begun_by == 0 && member->error != NULL && member->begun != 0)
        rfp_tracking_explain_bitmap(member->operation.domain,
                                    member->domain_xml, member->export->name,
                                    &member->error);
}

static gboolean
judge(const RfpExport *export, const GPtrArray *members, GError **error)
{
    const Times times = times_of(members);
    g_autoptr(GError) late = NULL;

    for (guint i = 0; i < members->len; i++)
        explain_begin(g_ptr_array_index(members, i));
    /* what came too late fails in other ways, too */
    if (!check_window(export, members, &times, &late)) {
        g_propagate_error(error, g_steal_pointer(&late));
        return FALSE;
    }
    if (!collect(members, error))
        return FALSE;
    report(export, &times);
    return TRUE;
}

/* ---- The moment ---------------------------------------------------------- */

/* Kept data has had its moment. */
static GPtrArray *
members_to_begin(const RfpExport *export)
{
    GPtrArray *members = g_ptr_array_new();

    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        g_clear_error(&member->error);
        member->begun_by = 0;
        if (member->origin->begin != NULL)
            g_ptr_array_add(members, member);
    }
    return members;
}

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
        export->group != NULL
            ? g_get_monotonic_time() + (gint64)window * G_USEC_PER_SEC
            : 0;
}

gboolean
rfp_export_moment(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) members = members_to_begin(export);

    if (members->len == 0)
        return TRUE;
    if (!rfp_job_check(export->job, error))
        return FALSE;
    open_window(export, members);
    rfp_export_at_once(members, stop_one);
    export->too_late =
        export->window_end != 0 && g_get_monotonic_time() >= export->window_end;
    if (!any_failed(members) && !export->too_late &&
        !rfp_job_cancelled(export->job))
        begin_all(export, members);
    rfp_export_at_once(members, go_on_one);
    return rfp_job_check(export->job, error) && judge(export, members, error);
}
