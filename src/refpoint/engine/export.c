/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/export.h"
#include "base/names.h"
#include "base/text.h"

#include <string.h>

/* Seconds; fits what is counted in milliseconds. */
#define STALL_MAX (24 * 60 * 60)
/* More live points than this cost the guest memory and writes. */
#define POINTS_WARN 8

void
refpoint_export_options_init(RefpointExportOptions *options)
{
    *options = (RefpointExportOptions){
        .base = "auto",
        .quiesce = REFPOINT_QUIESCE_AUTO,
        .max_chain = REFPOINT_CHAIN_DEFAULT,
        .audit = REFPOINT_AUDIT_DEFAULT,
        .stall_timeout = REFPOINT_STALL_DEFAULT,
    };
}

/* ---- What must be right before anything is looked at --------------------- */

static gboolean
check_options(const RefpointExportOptions *options, GError **error)
{
    const char *wrong = NULL;

    if (options->domain == NULL || *options->domain == '\0')
        wrong = _("no domain is named");
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
    if (wrong != NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER, "%s", wrong);
    return wrong == NULL;
}

gboolean
rfp_export_take_scratch_dir(RfpExport *export, const char *dir, GError **error)
{
    if (dir != NULL && *dir == '\0') {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the name of the scratch directory is empty"));
        return FALSE;
    }
    export->scratch_dir = dir != NULL ? rfp_path_absolute(dir) : NULL;
    return TRUE;
}

gboolean
rfp_export_look(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;

    if (!rfp_operation_check_active(operation, &export->state, error))
        return FALSE;
    g_clear_pointer(&export->domain_text, g_free);
    g_clear_pointer(&export->domain_xml, rfp_domain_xml_free);
    export->domain_text =
        rfp_domain_xml_text(operation->domain, FALSE, &export->secure, error);
    if (export->domain_text == NULL)
        return FALSE;
    export->domain_xml = rfp_domain_xml_parse(export->domain_text, error);
    return export->domain_xml != NULL;
}

/* ---- Dry run ------------------------------------------------------------- */

static void
tell_plan(RfpExport *export)
{
    RefpointJob *job = rfp_export_job(export);

    /* what begins once more has said why */
    if (job->plan != NULL && !export->told)
        job->plan(&job->report, job->plan_opaque);
    export->told = TRUE;
}

static void
report_point(RfpExport *export)
{
    RefpointReport *report = &rfp_export_job(export)->report;

    report->point_name = g_strdup(export->name);
    report->point_guid = g_strdup(export->guid);
    if (export->set != NULL)
        report->set_guid = g_strdup(export->set->file->guid);
}

/* An export of kept data needs no job of its own. */
static gboolean
check_free(gpointer opaque, GError **error)
{
    RfpExport *export = opaque;
    const char *point = export->options->point;

    export->from_kept =
        point != NULL && rfp_operation_keeps(&export->operation, point);
    return export->from_kept ||
           rfp_operation_check_free(&export->operation, error);
}

/* Without the lock, and changing nothing. */
static gboolean
look_at_kept(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;
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

static gboolean
dry_run(RfpExport *export, GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean fresh = FALSE;

    export->set =
        rfp_export_set_peek(export->options->directory,
                            export->operation.domain->uuid, &fresh, &local);
    if (export->set == NULL && !fresh) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!look_at_kept(export, error) || !check_free(export, error) ||
        !rfp_operation_check_drain(&export->operation, error) ||
        !rfp_export_plan(export, error) ||
        (!export->already && !rfp_export_check_space(export, error)))
        return FALSE;
    tell_plan(export);
    return TRUE;
}

/* ---- The real thing ------------------------------------------------------ */

static gboolean
prepare(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;
    gboolean fresh = FALSE;
    g_autoptr(GError) local = NULL;

    /* what is wrong with the directory is said before anything is made, or
     * waited for */
    rfp_export_set_close(rfp_export_set_peek(export->options->directory,
                                             operation->domain->uuid, &fresh,
                                             &local));
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!rfp_operation_lock_free(operation, check_free, export, error) ||
        (operation->waited && !rfp_export_look(export, error)) ||
        !rfp_operation_start_guard(operation, error))
        return FALSE;
    export->set = rfp_export_set_prepare(export->options->directory,
                                         operation->domain->uuid,
                                         operation->domain->name, error);
    if (export->set == NULL)
        return FALSE;
    if (export->set->writable_by_others)
        rfp_job_warn(operation->job, "set-writable-by-others",
                     export->set->path,
                     _("'%s' can be written to by other users: they could "
                       "change or remove backups (chmod go-w)"),
                     export->set->path);
    return rfp_export_plan(export, error) &&
           (export->already || rfp_export_check_space(export, error));
}

/* While its job goes on the rest has to wait: the guard completes it. */
static gboolean
complete_steps(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;

    if (operation->job_goes_on)
        return rfp_metadata_publish(operation->domain, export->guid,
                                    export->consistency, error);
    return rfp_undo_complete(operation->domain, operation->record,
                             export->consistency,
                             operation->job->report.destroyed, error);
}

/* Behind the rename nothing is undone any more: what fails is a warning, and
 * the next call, or the guard, completes it. So it is with a point that a power
 * failure could still take back. */
static void
complete(RfpExport *export)
{
    RfpOperation *operation = &export->operation;
    RefpointReport *report = &operation->job->report;
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    report->changed = TRUE;
    report->consistency = export->consistency;
    report->point_path =
        g_build_filename(export->set->path, export->folder, NULL);
    if (export->unsynced || complete_steps(export, &local))
        return;
    failure = refpoint_failure_new(local);
    rfp_job_warn(operation->job, "completion-pending", export->name,
                 _("the point is published; what was left to do will be done "
                   "by the next call: %s"),
                 failure->message);
}

static void
warn_many_points(RfpExport *export)
{
    RfpOperation *operation = &export->operation;
    guint gone = operation->job->report.destroyed->len;
    guint ours = export->point == NULL ? 1 : 0;

    for (guint i = 0; i < export->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(export->checkpoints, i);

        ours += checkpoint->guid != NULL;
    }
    ours -= MIN(ours, gone);
    if (ours > POINTS_WARN)
        rfp_job_warn(operation->job, "many-points", operation->domain->name,
                     _("domain '%s' has %u live points, each costs its guest "
                       "memory and writes; let old ones go with "
                       "--keep-points 2, or: virt-refpoint destroy %s POINT"),
                     operation->domain->name, ours, operation->domain->word);
}

static void
point_consistency(RfpExport *export)
{
    g_autoptr(GPtrArray) points =
        rfp_metadata_load(export->operation.domain, NULL);
    RfpMetadataPoint *point =
        points != NULL ? rfp_metadata_find(points, export->guid) : NULL;

    export->consistency =
        point != NULL ? point->consistency : REFPOINT_CONSISTENCY_UNKNOWN;
}

/* A point whose data was kept once: says why it is not any more. */
static gboolean
check_drift(RfpExport *export, GError **error)
{
    const RfpKept *kept = export->operation.kept;

    if (rfp_export_check_point(export, error))
        return TRUE;
    if (kept != NULL && kept->ended != NULL &&
        rfp_guid_equal(kept->guid, export->guid))
        rfp_error_prefix(error,
                         _("the data of point '%s' is not kept any "
                           "more, %s"),
                         export->name, rfp_kept_ended_text(kept->ended));
    return FALSE;
}

static gboolean
check_served(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    if (export->push) /* its end was looked at */
        return TRUE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            g_ptr_array_add(targets, (char *)disk->state.target);
    }
    return rfp_backup_job_check_served(export->operation.domain,
                                       export->job_mark, targets,
                                       export->from_kept, error);
}

/* The job takes its time to end: the point's folder is completed meanwhile.
 * What is kept for others to export goes later, with the rest of it. */
static gboolean
finish(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;
    gboolean asked =
        rfp_operation_close_job(operation) && !export->from_kept &&
        rfp_backup_job_ask_end(operation->domain, export->job_mark);
    gboolean filled = rfp_export_fill(export, error);

    if (!filled)
        rfp_export_explain_full(export, error);
    if (asked)
        rfp_backup_job_wait_ended(operation->domain, export->job_mark);
    return filled && rfp_operation_end_job(operation, error) &&
           rfp_export_publish(export, error);
}

/* From the begin of the job until the data can be read. */
static gboolean
open_data(RfpExport *export, GError **error)
{
    if (!rfp_export_begin(export, error))
        return FALSE;
    if (!rfp_export_take_files(export, error)) {
        rfp_export_explain_full(export, error);
        return FALSE;
    }
    if (export->push) {
        tell_plan(export);
        if (!rfp_export_push(export, error))
            return FALSE;
    }
    return rfp_export_audit(export, error);
}

/* In push mode QEMU has written only what an increment needs: where the audit
 * wants a disk in full after all, it has to write once more. */
static gboolean
fell_short(const RfpExport *export)
{
    for (guint i = 0; export->push && i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (disk->begun_increment && disk->decision.mode == REFPOINT_MODE_FULL)
            return TRUE;
    }
    return FALSE;
}

/* Undoes what was begun, and begins a point of a new moment. */
static gboolean
open_data_again(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;

    if (!rfp_undo_unpublished(operation->domain, operation->record, export->set,
                              error))
        return FALSE;
    rfp_export_begin_clear(export);
    return rfp_export_check_space(export, error) && open_data(export, error);
}

/* From the begin of the job to the publication. */
static gboolean
move(RfpExport *export, GError **error)
{
    if (!open_data(export, error))
        return FALSE;
    /* each time for at least one disk more */
    while (fell_short(export))
        if (!open_data_again(export, error))
            return FALSE;
    if (export->point != NULL) {
        point_consistency(export);
        if (!export->from_kept && !check_drift(export, error))
            return FALSE;
    }
    if (!export->push)
        tell_plan(export);
    return rfp_export_stream(export, error) && check_served(export, error) &&
           finish(export, error);
}

static gboolean
run(RfpExport *export, GError **error)
{
    RefpointReport *report = &rfp_export_job(export)->report;

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
        if (!export->pushed)
            rfp_operation_explain(&export->operation, error);
        rfp_operation_undo(&export->operation, export->set);
        return FALSE;
    }
    complete(export);
    warn_many_points(export);
    if (export->from_kept || export->operation.frozen_at != 0)
        rfp_operation_check_agent(&export->operation);
    return TRUE;
}

void
rfp_export_clear(RfpExport *export)
{
    rfp_export_begin_clear(export);
    if (export->disks != NULL)
        g_ptr_array_unref(export->disks);
    rfp_operation_clear(&export->operation);
    rfp_export_set_close(export->set);
    if (export->checkpoints != NULL)
        g_ptr_array_unref(export->checkpoints);
    if (export->notes != NULL)
        g_ptr_array_unref(export->notes);
    rfp_domain_xml_free(export->domain_xml);
    g_free(export->domain_text);
    g_free(export->guid);
    g_free(export->name);
    g_free(export->folder);
    g_free(export->scratch_dir);
}

gboolean
refpoint_export(RefpointConnection *conn,
                const RefpointExportOptions *options,
                RefpointJob *job,
                GError **error)
{
    RfpExport export = {.options = options};
    g_autoptr(GError) local = NULL;
    gboolean done = FALSE;

    export.operation.guard.fd = -1;
    if (options->limit_rate != 0)
        refpoint_job_set_rate(job, options->limit_rate);
    done = check_options(options, &local) &&
           rfp_export_take_scratch_dir(&export, options->scratch_dir, &local) &&
           rfp_operation_open(&export.operation, conn, options->domain, job,
                              &local) &&
           rfp_export_look(&export, &local) &&
           (options->dry_run ? dry_run(&export, &local) : run(&export, &local));
    if (options->dry_run && done)
        report_point(&export);
    rfp_export_clear(&export);
    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}
