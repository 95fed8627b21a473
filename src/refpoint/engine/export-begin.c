/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/descriptors.h"
#include "base/text.h"
#include "engine/export.h"
#include "engine/tracking.h"
#include "virt/backup-xml.h"
#include "virt/sockets.h"

#include <inttypes.h>
#include <string.h>

/* ---- The record ---------------------------------------------------------- */

static gboolean
choose_files(RfpExport *export, RfpExportDisk *disk, GError **error)
{
    if (!export->from_kept)
        disk->scratch =
            g_strdup_printf("%s/%s-%s.qcow2", rfp_export_scratch_dir(export),
                            export->guid, disk->state.target);
    if (export->keeps)
        return TRUE;
    disk->image = rfp_export_set_image_path(export->set, export->vm_folder,
                                            disk->state.target, export->folder,
                                            "qcow2", error);
    if (disk->image == NULL)
        return FALSE;
    disk->digests = rfp_export_set_image_path(export->set, export->vm_folder,
                                              disk->state.target,
                                              export->folder, "digests", error);
    return disk->digests != NULL;
}

static gboolean
record_disk(RfpExport *export, RfpExportDisk *disk, GError **error)
{
    RfpRecord *record = export->operation.record;

    return (disk->scratch == NULL ||
            rfp_record_append(record, error, RFP_STEP_SCRATCH, disk->scratch,
                              NULL)) &&
           (disk->image == NULL ||
            (rfp_record_append(record, error, RFP_STEP_IMAGE, disk->image,
                               NULL) &&
             rfp_record_append(record, error, RFP_STEP_IMAGE, disk->digests,
                               NULL)));
}

/* What the user wants to stay free beside the scratch files. */
static gboolean
record_reserve(RfpExport *export, GError **error)
{
    g_autofree char *bytes =
        g_strdup_printf("%" PRIu64, export->options->scratch_reserve);

    return !export->options->scratch_reserve_set ||
           rfp_record_append(export->operation.record, error, RFP_STEP_RESERVE,
                             bytes, NULL);
}

/* The job's, where this operation begins one. */
static gboolean
record_job(RfpExport *export, GError **error)
{
    RfpRecord *record = export->operation.record;

    if (export->from_kept)
        return export->operation.kept->keep != REFPOINT_KEEP_FIRST ||
               rfp_record_append(record, error, RFP_STEP_RELEASE, NULL);
    /* what is kept for long may see the guest resumed meanwhile */
    return record_reserve(export, error) &&
           ((!export->state.running && !export->keeps) ||
            rfp_record_append(record, error, RFP_STEP_RAN, NULL)) &&
           (export->push || rfp_record_append(record, error, RFP_STEP_SOCKET,
                                              export->job_mark, NULL)) &&
           (export->point != NULL ||
            rfp_record_append(record, error, RFP_STEP_CHECKPOINT, export->name,
                              export->guid, NULL)) &&
           rfp_record_append(record, error, RFP_STEP_JOB, export->job_mark,
                             NULL);
}

/* All inverse steps that can be named ahead, in one durable write. */
static gboolean
write_record(RfpExport *export, GError **error)
{
    RfpRecord *record = export->operation.record;
    const RfpExportSet *set = export->keeps ? NULL : export->set;

    if (!rfp_operation_begin(&export->operation, export->guid, set, error) ||
        (set != NULL && !rfp_record_append(record, error, RFP_STEP_FOLDER,
                                           export->partial, NULL)))
        return FALSE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk) && !record_disk(export, disk, error))
            return FALSE;
    }
    return record_job(export, error) && rfp_record_sync(record, error);
}

static gboolean
choose_folder(RfpExport *export, GError **error)
{
    const RfpDomain *domain = export->operation.domain;
    g_autofree char *mended = NULL;

    if (export->keeps)
        return TRUE;
    export->partial = rfp_export_set_partial_name(export->guid);
    export->vm_folder = rfp_export_set_vm_folder(export->set, domain->uuid,
                                                 domain->name, &mended, error);
    if (mended != NULL)
        rfp_job_warn(rfp_export_job(export), "folders-mended",
                     export->set->path,
                     _("folders.xml was made again out of the manifests: %s"),
                     mended);
    return export->vm_folder != NULL;
}

static char *
first_scratch(const RfpExport *export)
{
    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            return g_strdup(disk->scratch);
    }
    return NULL;
}

static gboolean
choose_mark(RfpExport *export, GError **error)
{
    RefpointConnection *conn = export->operation.conn;

    if (export->from_kept) {
        export->job_mark = g_strdup(export->operation.kept->socket_path);
        return TRUE;
    }
    export->job_mark =
        export->push ? first_scratch(export)
                     : rfp_socket_of_job(conn, export->operation.domain,
                                         export->state.id, export->guid, error);
    return export->job_mark != NULL &&
           rfp_connection_make_scratch(conn, rfp_export_scratch_dir(export),
                                       error);
}

static gboolean
prepare(RfpExport *export, GError **error)
{
    guint descriptors = RFP_DESCRIPTORS_OPERATION;

    if (!choose_folder(export, error))
        return FALSE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (!rfp_export_takes(disk))
            continue;
        if (!choose_files(export, disk, error))
            return FALSE;
        descriptors += RFP_DESCRIPTORS_DISK;
    }
    return choose_mark(export, error) &&
           rfp_descriptors_check(descriptors, error);
}

/* NULL: made for no set. */
static const char *
set_guid(const RfpExport *export)
{
    return export->set != NULL ? export->set->file->guid : NULL;
}

/* The domain's own note of what comes; the manifest has the same facts, and the
 * checkpoint's description says alone which point it is. */
static void
note_pending(RfpExport *export)
{
    RfpMetadataPoint *point = NULL;
    g_autoptr(GError) local = NULL;

    if (export->point != NULL)
        return;
    point = rfp_metadata_point_new(export->guid, export->name);
    point->set_guid = g_strdup(set_guid(export));
    point->state =
        export->keeps ? REFPOINT_STATE_TRACKED : REFPOINT_STATE_PENDING;
    point->held = export->held;
    point->consistency = export->consistency;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_tracks(export, disk))
            rfp_metadata_point_add_disk(point, disk->state.target,
                                        disk->state.size, disk->state.source);
    }
    if (!rfp_metadata_update(export->operation.domain, export->checkpoints,
                             point, NULL, &local)) {
        g_autoptr(RefpointFailure) failure = refpoint_failure_new(local);

        rfp_job_warn(rfp_export_job(export), "metadata-missing",
                     export->operation.domain->name, "%s", failure->message);
    }
}

/* ---- The transaction ----------------------------------------------------- */

/* With --point: what the job's bitmap is begun from. Without a base it is the
 * point itself, so that the frozen bitmap proves that nothing changed. */
static const char *
incremental_of(const RfpExport *export, const RfpExportDisk *disk)
{
    if (disk->decision.mode == REFPOINT_MODE_INCREMENT)
        return disk->decision.base->name;
    return export->point != NULL ? export->name : NULL;
}

static char *
format_backup(RfpExport *export)
{
    g_autofree RfpBackupDisk *disks =
        g_new0(RfpBackupDisk, export->disks->len + 1);
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    gsize n = 0;

    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (!rfp_export_takes(disk)) {
            g_ptr_array_add(others, (char *)disk->state.target);
            continue;
        }
        disks[n].target = disk->state.target;
        disks[n].base = incremental_of(export, disk);
        disks[n].secret = disk->disk->secret;
        disks[n++].scratch = disk->scratch;
        disk->begun_increment = disk->decision.mode == REFPOINT_MODE_INCREMENT;
    }
    g_ptr_array_add(others, NULL);
    return rfp_backup_xml_format(export->push ? NULL : export->job_mark, disks,
                                 n, (const char *const *)others->pdata);
}

static char *
format_checkpoint(RfpExport *export)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    if (export->point != NULL)
        return NULL;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);
        gboolean tracked = rfp_export_tracks(export, disk);

        g_ptr_array_add(tracked ? targets : others, (char *)disk->state.target);
    }
    if (targets->len == 0)
        return NULL;
    g_ptr_array_add(targets, NULL);
    g_ptr_array_add(others, NULL);
    return rfp_checkpoint_xml_format(export->name, export->guid,
                                     set_guid(export),
                                     (const char *const *)targets->pdata,
                                     (const char *const *)others->pdata);
}

static gboolean
begin_job(RfpExport *export, GError **error)
{
    g_autofree char *backup = format_backup(export);
    g_autofree char *checkpoint = format_checkpoint(export);

    export->created_us =
        export->point != NULL ? export->created_us : g_get_real_time();
    export->begun = g_get_monotonic_time();
    if (!rfp_operation_begin_job(&export->operation, backup, checkpoint,
                                 export->push, error))
        return FALSE;
    if (export->push)
        rfp_export_push_limit(export);
    return TRUE;
}

/* What nobody could see before the begin: QEMU makes no bitmap for a disk. It
 * is one without bitmaps then, as it would have been had we known. */
static gboolean
give_up_bitmap(RfpExport *export, const RfpDomainDisk *refused)
{
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (disk->disk != refused || !rfp_export_tracks(export, disk))
            continue;
        disk->state.untracked = RFP_REASON_QCOW2_V2;
        if (rfp_export_takes(disk))
            disk->decision = (RfpDecision){.mode = REFPOINT_MODE_FULL,
                                           .reason = RFP_REASON_QCOW2_V2};
        return TRUE;
    }
    return FALSE;
}

/* Each time for one disk less. */
static gboolean
begin_with_fewer_bitmaps(RfpExport *export, GError **error)
{
    while (!begin_job(export, error)) {
        const RfpDomainDisk *refused =
            rfp_tracking_refused(export->domain_xml, *error);

        if (!give_up_bitmap(export, refused))
            return FALSE;
        g_clear_error(error);
        if (export->keeps && !rfp_export_check_tracks(export, error)) {
            rfp_tracking_add_conversion(export->operation.domain, refused,
                                        error);
            return FALSE;
        }
    }
    return TRUE;
}

/* A bitmap broke between our look and the begin: full, once, unless the base
 * was named by the user. */
static gboolean
begin_again_in_full(RfpExport *export, GError **error)
{
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (disk->decision.mode != REFPOINT_MODE_INCREMENT)
            continue;
        disk->decision.mode = REFPOINT_MODE_FULL;
        disk->decision.reason = RFP_REASON_BITMAP_BROKEN;
        disk->report->estimate = disk->allocation;
        rfp_job_warn(rfp_export_job(export), "full-instead-of-increment",
                     disk->state.target, _("disk '%s' is exported in full: %s"),
                     disk->state.target,
                     rfp_plan_reason_text(RFP_REASON_BITMAP_BROKEN));
    }
    return (!export->push || rfp_export_check_space(export, error)) &&
           begin_with_fewer_bitmaps(export, error);
}

static gboolean
begin_or_again(RfpExport *export, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (begin_with_fewer_bitmaps(export, &local))
        return TRUE;
    if (rfp_error_libvirt_code(local) == VIR_ERR_CHECKPOINT_INCONSISTENT &&
        export->base == NULL && export->point == NULL)
        return begin_again_in_full(export, error);
    if (local->code == REFPOINT_ERROR_NOT_AVAILABLE)
        local->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
keep_checkpoint_text(RfpExport *export, GError **error)
{
    export->checkpoint_xml_text =
        rfp_checkpoint_xml_text(export->operation.domain, export->name, error);
    if (export->checkpoint_xml_text == NULL && error != NULL &&
        *error == NULL &&
        (export->point != NULL || rfp_export_tracks_any(export))) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' is gone"), export->name);
        rfp_error_add_object(error, export->name);
        rfp_error_add_way_out(error, _("somebody has deleted its checkpoint "
                                       "meanwhile: make a new point"));
    }
    /* a domain of raw disks alone has no checkpoint */
    return export->checkpoint_xml_text != NULL || *error == NULL;
}

void
rfp_export_begin_clear(RfpExport *export)
{
    g_clear_pointer(&export->vm_folder, g_free);
    g_clear_pointer(&export->partial, g_free);
    g_clear_pointer(&export->job_mark, g_free);
    g_clear_pointer(&export->checkpoint_xml_text, g_free);
    g_clear_pointer(&export->state_before, g_hash_table_unref);
    g_clear_pointer(&export->inactive_before, g_free);
    g_clear_pointer(&export->manifest, rfp_manifest_free);
    export->push_rate = 0;
    export->pushed = FALSE;
    for (guint i = 0; export->disks != NULL && i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        rfp_export_disk_close_source(disk);
        g_clear_pointer(&disk->scratch, g_free);
        g_clear_pointer(&disk->image, g_free);
        g_clear_pointer(&disk->digests, g_free);
        g_clear_pointer(&disk->sampled, g_free);
        g_clear_pointer(&disk->differing, g_free);
        disk->begun_increment = FALSE;
        disk->pushed = 0;
        disk->compared = 0;
    }
}

gboolean
rfp_export_begin(RfpExport *export, GError **error)
{
    RfpOperation *operation = &export->operation;
    RefpointQuiesce quiesce = export->point != NULL ? REFPOINT_QUIESCE_NEVER
                                                    : export->options->quiesce;
    gboolean begun = FALSE;

    if (!prepare(export, error) || !write_record(export, error))
        return FALSE;
    if (export->from_kept) {
        export->checkpoint_xml_text = g_strdup(operation->kept->xml);
        return TRUE;
    }
    if (export->push && !rfp_export_push_prepare(export, error))
        return FALSE;
    note_pending(export);
    if (!export->keeps)
        rfp_export_look_beside(export);
    if (!rfp_job_check(operation->job, error) ||
        !rfp_operation_freeze(operation, quiesce, &export->state,
                              &export->consistency, error))
        return FALSE;
    begun = begin_or_again(export, error);
    if (!rfp_operation_thaw(operation, &export->consistency,
                            begun ? error : NULL))
        return FALSE;
    if (!begun)
        rfp_tracking_explain_bitmap(operation->domain, export->domain_xml,
                                    export->name, error);
    return begun && keep_checkpoint_text(export, error);
}
