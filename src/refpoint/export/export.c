/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"
#include "base/options.h"
#include "base/text.h"
#include "export/export-audit.h"
#include "export/export-begin.h"
#include "export/export-group.h"
#include "export/export-moment.h"
#include "export/export-plan.h"
#include "export/export-publish.h"
#include "export/export-space.h"
#include "export/export-stream.h"
#include "export/origin-job.h"
#include "export/origin-kept.h"
#include "export/origin-point.h"
#include "operation/operation-freeze.h"
#include "operation/operation-lock.h"
#include "operation/operation-turn.h"
#include "operation/operation-undo.h"
#include "set/set-folders.h"

#include <string.h>

/* Seconds; fits what is counted in milliseconds. */
#define STALL_MAX (24 * 60 * 60)
/* More live points than this cost the guest memory and writes. */
#define POINTS_WARN 8

void
refpoint_export_options_init(RefpointExportOptions *options, gsize size)
{
    RefpointExportOptions known = REFPOINT_EXPORT_OPTIONS_INIT;

    known.size = size;
    memset(options, 0, size);
    memcpy(options, &known, MIN(size, sizeof(known)));
}

/* ---- What must be right before anything is looked at --------------------- */

static gboolean
check_options(const RefpointExportOptions *options, GError **error)
{
    const gboolean domain = options->domain != NULL && *options->domain != '\0';
    const gboolean group = options->group != NULL && *options->group != '\0';
    const char *wrong = NULL;

    if (!domain && options->group == NULL)
        wrong = _("no domain is named");
    else if (domain && options->group != NULL)
        wrong = _("either a domain is exported, or a group");
    else if (!domain && !group)
        wrong = _("no group is named");
    else if (options->directory == NULL || *options->directory == '\0')
        wrong = _("no directory is named");
    else if (options->create != NULL && options->point != NULL)
        wrong = _("a point is either made or exists already: not both "
                  "--create and --point");
    else if (options->max_chain < 1 ||
             options->max_chain > REFPOINT_CHAIN_LIMIT)
        wrong = _("a chain has 1 to 150 images");
    else if (options->compress > REFPOINT_COMPRESS_ZSTD ||
             options->compress_level < 0 ||
             options->compress_level > REFPOINT_COMPRESS_LEVEL_MAX)
        wrong = _("the compression is zstd, with a level from 1 to 22");
    else if (options->stall_timeout > STALL_MAX)
        wrong = _("a stall is at most a day");
    else if (options->window > REFPOINT_WINDOW_MAX)
        wrong = _("guests stand still for an hour at most");
    else if (options->jobs > REFPOINT_JOBS_MAX)
        wrong = _("at most 256 disks are read at a time");
    else if (options->pause && options->quiesce == REFPOINT_QUIESCE_REQUIRED)
        wrong = _("guests are either frozen or suspended: not both "
                  "--quiesce=required and --pause");
    if (wrong != NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER, "%s", wrong);
    return wrong == NULL;
}

/* ---- Dry run ------------------------------------------------------------- */

static void
tell_plan(RfpExport *export)
{
    RefpointJob *job = export->job;

    /* what begins once more has said why */
    if (job->plan != NULL && !export->told)
        job->plan(&job->report, job->plan_opaque);
    export->told = TRUE;
}

static void
report_point(const RfpExport *export)
{
    RefpointReport *report = &export->job->report;

    report->point_name = g_strdup(export->name);
    report->point_guid = g_strdup(export->guid);
    if (export->bases != NULL)
        report->set_guid = g_strdup(export->bases->file->guid);
}

/* Where the data comes from, as the domain is now. An export of kept data needs
 * no job of its own. */
static gboolean
choose_origin(gpointer opaque, GError **error)
{
    RfpExportMember *member = opaque;
    const char *point = member->export->options->point;

    if (point == NULL)
        member->origin = &rfp_origin_job;
    else if (rfp_operation_keeps(&member->operation, point))
        member->origin = &rfp_origin_kept;
    else
        member->origin = &rfp_origin_point;
    return member->origin == &rfp_origin_kept ||
           rfp_operation_check_free(&member->operation, error);
}

/* Without the lock, and changing nothing. */
static gboolean
look_at_kept(RfpOperation *operation, GError **error)
{
    gboolean runs = FALSE;

    operation->kept = rfp_kept_load(operation->conn->records_dir,
                                    operation->domain->uuid, FALSE);
    if (operation->kept != NULL &&
        !rfp_kept_runs(operation->domain, operation->kept, &runs, error))
        return FALSE;
    if (runs)
        rfp_guard_watch(operation->conn, operation->kept, NULL);
    else
        g_clear_pointer(&operation->kept, rfp_kept_free);
    return TRUE;
}

/* What is wrong with the directory; NULL with no error: it is fresh. */
static RfpExportSet *
peek(const RfpExport *export, GError **error)
{
    const RfpSetOwner owner = rfp_export_owner(export);
    g_autoptr(GError) local = NULL;
    gboolean fresh = FALSE;
    RfpExportSet *set =
        rfp_export_set_peek(export->options->directory, &owner, &fresh, &local);

    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return set;
}

/* Whether the directory can take the point. */
static gboolean
check_place(RfpExport *export, GError **error)
{
    if (export->already)
        return TRUE;
    return rfp_export_check_space(export, error) &&
           (export->bases == NULL ||
            rfp_export_set_check_folders(export->bases, error));
}

static gboolean
is_ready(RfpExportMember *member, GError **error)
{
    return look_at_kept(&member->operation, error) &&
           choose_origin(member, error) &&
           rfp_operation_check_drain(&member->operation, error);
}

static gboolean
dry_run(RfpExport *export, GError **error)
{
    g_autoptr(GError) local = NULL;

    export->bases = peek(export, &local);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!rfp_export_each(export, is_ready, error) ||
        !rfp_export_plan(export, error) || !check_place(export, error))
        return FALSE;
    tell_plan(export);
    return TRUE;
}

/* ---- The real thing ------------------------------------------------------ */

static gboolean
lock(RfpExportMember *member, GError **error)
{
    return rfp_operation_lock_free(&member->operation, choose_origin, member,
                                   error);
}

/* Behind the lock of all: it may be another one of a group that was waited
 * for. */
static gboolean
follow_lock(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;
    const gboolean again = operation->waited || member->export->group != NULL;

    return (!again || rfp_export_member_look(member, error)) &&
           rfp_operation_start_guard(operation, error);
}

static gint
by_uuid(gconstpointer a, gconstpointer b)
{
    const RfpExportMember *one = *(const RfpExportMember *const *)a;
    const RfpExportMember *other = *(const RfpExportMember *const *)b;

    return strcmp(one->operation.domain->uuid, other->operation.domain->uuid);
}

/* The first one that is not to be had at once, and why; NULL: all are locked.
 * In one order, whatever group they are in: two exports do not wait for each
 * other. */
static RfpExportMember *
lock_at_once(GPtrArray *members, GError **error)
{
    for (guint i = 0; i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);
        const gint64 patience = member->operation.patience_until;
        gboolean locked = FALSE;

        member->operation.patience_until = 0;
        locked = lock(member, error);
        member->operation.patience_until = patience;
        if (!locked)
            return member;
    }
    return NULL;
}

/* While it waits for one of several it holds up none of the others. */
static gboolean
lock_several(GPtrArray *members, GError **error)
{
    for (;;) {
        g_autoptr(GError) local = NULL;
        RfpExportMember *busy = lock_at_once(members, &local);

        if (busy == NULL)
            return TRUE;
        for (guint i = 0; i < members->len; i++) {
            RfpExportMember *member = g_ptr_array_index(members, i);

            rfp_operation_give_back(&member->operation);
        }
        if (!rfp_operation_may_wait(&busy->operation) ||
            !g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return rfp_export_name_member(busy, FALSE, error);
        }
        if (!rfp_export_name_member(busy, lock(busy, error), error))
            return FALSE;
        rfp_operation_give_back(&busy->operation);
    }
}

static gboolean
lock_all(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) members =
        g_ptr_array_copy(export->members, NULL, NULL);

    g_ptr_array_set_free_func(members, NULL);
    g_ptr_array_sort(members, by_uuid);
    if (members->len == 1 ? !lock(g_ptr_array_index(members, 0), error)
                          : !lock_several(members, error))
        return FALSE;
    return rfp_export_each(export, follow_lock, error);
}

static gboolean
open_set(RfpExport *export, GError **error)
{
    const RfpExportMember *first = g_ptr_array_index(export->members, 0);
    const RfpSetOwner owner = rfp_export_owner(export);
    RfpUndone undone = RFP_UNDO_NOTHING;

    export->set =
        rfp_export_set_prepare(export->options->directory, &owner, error);
    export->bases = export->set;
    if (export->set == NULL || !rfp_undo_set(first->operation.conn->records_dir,
                                             export->set, &undone, error))
        return FALSE;
    if (export->set->writable_by_others)
        rfp_job_warn(export->job, RFP_WARNING_SET_WRITABLE_BY_OTHERS,
                     export->set->path,
                     _("'%s' can be written to by other users: they could "
                       "change or remove backups (chmod go-w)"),
                     export->set->path);
    return TRUE;
}

/* A member that could not be frozen is to be known before others are. */
static gboolean
check_freeze(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;

    return export->group == NULL || !member->origin->makes_point ||
           export->options->quiesce != REFPOINT_QUIESCE_REQUIRED ||
           rfp_operation_check_freeze(&member->operation, &member->state,
                                      error);
}

static gboolean
prepare(RfpExport *export, GError **error)
{
    g_autoptr(GError) local = NULL;

    /* what is wrong with the directory is said before anything is made, or
     * waited for */
    rfp_export_set_close(peek(export, &local));
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return lock_all(export, error) && open_set(export, error) &&
           rfp_export_plan(export, error) &&
           rfp_export_each(export, check_freeze, error) &&
           (export->already || rfp_export_check_space(export, error));
}

/* A point has the same name in all members. */
static void
report_destroyed(RfpExportMember *member, GPtrArray *destroyed)
{
    GPtrArray *all = member->export->job->report.destroyed;

    member->n_destroyed = destroyed->len;
    for (guint i = 0; i < destroyed->len; i++) {
        char *name = g_ptr_array_index(destroyed, i);

        if (!g_ptr_array_find_with_equal_func(all, name, g_str_equal, NULL))
            g_ptr_array_add(all, g_strdup(name));
    }
}

/* While its job goes on the rest has to wait: the guard completes it. */
static gboolean
complete_steps(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;
    g_autoptr(GPtrArray) destroyed = g_ptr_array_new_with_free_func(g_free);
    gboolean done = FALSE;

    if (operation->job_goes_on)
        return rfp_metadata_publish(operation->domain, member->export->guid,
                                    member->consistency, error);
    done = rfp_undo_complete(operation->domain, operation->record,
                             member->consistency, destroyed, error);
    report_destroyed(member, destroyed);
    return done;
}

static void
complete_member(RfpExportMember *member)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    member->operation.report->consistency = member->consistency;
    if (member->export->unsynced || complete_steps(member, &local))
        return;
    failure = refpoint_failure_new(local);
    rfp_job_warn(member->export->job, RFP_WARNING_COMPLETION_PENDING,
                 member->export->name,
                 _("the point is published; what was left to do will be done "
                   "by the next call: %s"),
                 failure->message);
}

/* Behind the rename nothing is undone any more: what fails is a warning, and
 * the next call, or the guard, completes it. So it is with a point that a power
 * failure could still take back. */
static void
complete(const RfpExport *export)
{
    RefpointReport *report = &export->job->report;

    report->changed = TRUE;
    report->consistency = rfp_export_consistency(export);
    report->point_path =
        g_build_filename(export->set->path, export->folder, NULL);
    for (guint i = 0; i < export->members->len; i++)
        complete_member(g_ptr_array_index(export->members, i));
}

static void
warn_many_points(const RfpExportMember *member)
{
    const RfpDomain *domain = member->operation.domain;
    RefpointJob *job = member->export->job;
    guint gone = member->n_destroyed;
    guint ours = member->origin->makes_point ? 1 : 0;

    for (guint i = 0; i < member->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(member->checkpoints, i);

        ours += checkpoint->guid != NULL;
    }
    ours -= MIN(ours, gone);
    if (ours > POINTS_WARN)
        rfp_job_warn(job, RFP_WARNING_MANY_POINTS, domain->name,
                     _("domain '%s' has %u live points, each costs its guest "
                       "memory and writes; let old ones go with "
                       "--keep-points 2, or: virt-refpoint destroy %s POINT"),
                     domain->name, ours, domain->shell_name);
}

/* The jobs take their time to end: the point's folder is completed meanwhile.
 */
static gboolean
finish(RfpExport *export, GError **error)
{
    const GPtrArray *members = export->members;
    g_autofree gboolean *asked = g_new0(gboolean, members->len);
    gboolean filled = FALSE;

    for (guint i = 0; i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);

        asked[i] = member->origin->ask_end(member);
    }
    filled = rfp_export_fill(export, error);
    if (!filled)
        rfp_export_explain_full(export, error);
    for (guint i = 0; i < members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(members, i);

        if (asked[i])
            rfp_backup_job_wait_ended(member->operation.domain,
                                      member->job_mark);
    }
    for (guint i = 0; filled && i < members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(members, i);

        filled = rfp_export_name_member(
            member, rfp_operation_end_job(&member->operation, error), error);
    }
    return filled && rfp_export_publish(export, error);
}

/* Waits until the data of a member can be read, opens it, and looks whether
 * increments may be believed. */
static gboolean
open_member(RfpExportMember *member, GError **error)
{
    const RfpOrigin *origin = member->origin;

    if (origin->fetch != NULL) {
        tell_plan(member->export);
        if (!origin->fetch(member, error))
            return FALSE;
    }
    return rfp_export_audit(member, error);
}

/* From the begin of the jobs until the data can be read. */
static gboolean
open_data(RfpExport *export, GError **error)
{
    if (!rfp_export_begin(export, error))
        return FALSE;
    if (!rfp_export_take_files(export, error)) {
        rfp_export_explain_full(export, error);
        return FALSE;
    }
    return rfp_export_each(export, open_member, error);
}

/* Where QEMU pushes it has written only what an increment needs: where the
 * audit wants a disk in full after all, it has to write once more. */
static gboolean
fell_short(const RfpExport *export)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);

    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);

        if (disk->member->origin->pushes && disk->begun_increment &&
            disk->decision.mode == REFPOINT_MODE_FULL)
            return TRUE;
    }
    return FALSE;
}

static gboolean
undo_begin(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;

    return rfp_undo_unpublished(operation->domain, operation->record,
                                member->export->set, error);
}

/* Undoes what was begun, and begins a point of a new moment. */
static gboolean
open_data_again(RfpExport *export, GError **error)
{
    if (!rfp_export_each(export, undo_begin, error))
        return FALSE;
    rfp_export_begin_clear(export);
    return rfp_export_check_space(export, error) && open_data(export, error);
}

static gboolean
prove(RfpExportMember *member, GError **error)
{
    return member->origin->prove == NULL ||
           member->origin->prove(member, error);
}

static gboolean
check_served(RfpExportMember *member, GError **error)
{
    return member->origin->check_served(member, error);
}

/* From the begin of the jobs to the publication. */
static gboolean
move(RfpExport *export, GError **error)
{
    if (!open_data(export, error))
        return FALSE;
    /* each time for at least one disk more */
    while (fell_short(export))
        if (!open_data_again(export, error))
            return FALSE;
    if (!rfp_export_each(export, prove, error))
        return FALSE;
    tell_plan(export);
    return rfp_export_stream(export, error) &&
           rfp_export_each(export, check_served, error) &&
           finish(export, error);
}

/* The guest goes on, and has no job. What fails here is tried again, and told,
 * by rfp_operation_undo(). */
static void
undo_host(gpointer item)
{
    const RfpExportMember *member = item;
    const RfpOperation *operation = &member->operation;

    if (operation->record != NULL && operation->record->steps->len > 0)
        rfp_undo_host(operation->domain, operation->record, FALSE, NULL, NULL);
}

/* The guests come first, all at once: one that hangs keeps no other one
 * waiting. */
static void
undo(RfpExport *export, GError **error)
{
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (!member->pushed)
            rfp_operation_explain(&member->operation, error);
        rfp_operation_close_job(&member->operation);
    }
    if (export->members->len > 1)
        rfp_export_at_once(export->members, undo_host);
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (export->publishing || export->members->len == 1)
            rfp_operation_undo(&member->operation, export->set);
        else
            rfp_operation_undo_unpublished(&member->operation, export->set);
    }
}

static gboolean
run(RfpExport *export, GError **error)
{
    RefpointReport *report = &export->job->report;

    if (!prepare(export, error))
        return FALSE;
    report_point(export);
    if (export->already) {
        tell_plan(export);
        report->point_path =
            g_build_filename(export->set->path, export->folder, NULL);
        return TRUE;
    }
    if (!move(export, error)) {
        undo(export, error);
        return FALSE;
    }
    complete(export);
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        warn_many_points(member);
        if (member->origin->begin == NULL || member->operation.frozen_at != 0)
            rfp_operation_check_agent(&member->operation);
    }
    return TRUE;
}

gboolean
refpoint_export(RefpointConnection *conn,
                const RefpointExportOptions *given,
                RefpointJob *job,
                GError **error)
{
    RefpointExportOptions options = {0};
    RfpExport export = {.options = &options, .job = job};
    g_autoptr(GError) local = NULL;
    gboolean taken = RFP_OPTIONS_TAKE(&options, given, &local);
    gboolean done = FALSE;

    if (options.limit_rate != 0)
        refpoint_job_set_rate(job, options.limit_rate);
    done = taken && check_options(&options, &local) &&
           rfp_export_take_scratch_dir(&export, options.scratch_dir, &local) &&
           rfp_export_add_members(&export, conn, &local) &&
           rfp_export_each(&export, rfp_export_member_look, &local) &&
           (options.dry_run ? dry_run(&export, &local) : run(&export, &local));
    if (options.dry_run && done)
        report_point(&export);
    rfp_export_clear(&export);
    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}
