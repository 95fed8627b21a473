/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/origin-job.h"
#include "base/names.h"
#include "base/text.h"
#include "copy/nbd-source.h"
#include "export/export-space.h"
#include "export/tracking.h"
#include "operation/undo.h"
#include "set/set-points.h"
#include "virt/backup-xml.h"
#include "virt/sockets.h"

#include <inttypes.h>
#include <string.h>

#define LOOK_US (500 * 1000)
#define SECTOR 512

/* ---- The plan ------------------------------------------------------------ */

static gboolean
name_taken(const RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    gboolean in_domain = FALSE;

    for (guint i = 0; i < member->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(member->checkpoints, i);

        in_domain = in_domain || strcmp(checkpoint->name, export->name) == 0;
    }
    if (!in_domain &&
        (export->bases == NULL ||
         rfp_export_set_resolve(export->bases, export->name) == NULL) &&
        !rfp_export_folder_unreadable(export, export->name))
        return FALSE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  in_domain ? _("domain '%s' has a point '%s' already")
                            : _("the set of '%s' has a point '%s' already"),
                  in_domain || export->group == NULL
                      ? member->operation.domain->name
                      : export->group->name,
                  export->name);
    rfp_error_add_object(error, export->name);
    rfp_error_add_way_out(error, in_domain
                                     ? _("choose another name, or export that "
                                         "one with --point")
                                     : _("choose another name"));
    return TRUE;
}

gboolean
rfp_origin_job_find_point(RfpExportMember *member, GError **error)
{
    RfpExport *export = member->export;

    member->created_us = g_get_real_time();
    if (export->guid == NULL) {
        export->guid = rfp_guid_new();
        export->name = export->options->create != NULL
                           ? g_strdup(export->options->create)
                           : rfp_name_default(member->created_us, export->guid);
        export->folder = g_strdup(export->name);
    }
    return rfp_name_check(export->name, error) && !name_taken(member, error);
}

/* ---- Files and record ---------------------------------------------------- */

static const char *
choose_scratch(RfpExportMember *member)
{
    const char *dir = rfp_export_scratch_dir(member);
    const char *first = NULL;

    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (!rfp_export_takes(disk))
            continue;
        disk->scratch = rfp_scratch_path(dir, member->export->guid,
                                         member->operation.domain->uuid,
                                         disk->state.target);
        first = first != NULL ? first : disk->scratch;
    }
    return first;
}

gboolean
rfp_origin_job_choose(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;
    const char *scratch = choose_scratch(member);

    member->job_mark =
        member->origin->pushes
            ? g_strdup(scratch)
            : rfp_socket_of_job(operation->conn, operation->domain,
                                member->state.id, member->export->guid, error);
    return member->job_mark != NULL &&
           rfp_connection_make_scratch(operation->conn,
                                       rfp_export_scratch_dir(member), error);
}

/* QEMU sees a disk in whole sectors, and wants a scratch file of the same size.
 */
static gboolean
can_make_scratch(const RfpExportDisk *disk)
{
    return disk->disk->secret == NULL && disk->state.size % SECTOR == 0;
}

gboolean
rfp_origin_job_make_scratch(RfpExportMember *member, GError **error)
{
    member->scratch_made = TRUE;
    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && !member->origin->pushes &&
            !can_make_scratch(disk))
            member->scratch_made = FALSE;
    }
    for (guint i = 0; member->scratch_made && i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) &&
            !rfp_scratch_make(disk->scratch, disk->state.size, error))
            return FALSE;
    }
    return TRUE;
}

/* What the user wants to stay free beside the scratch files. */
static gboolean
record_reserve(RfpExportMember *member, GError **error)
{
    const RefpointExportOptions *options = member->export->options;
    g_autofree char *bytes =
        g_strdup_printf("%" PRIu64, options->scratch_reserve);

    return !options->scratch_reserve_set ||
           rfp_record_append(member->operation.record, error, RFP_STEP_RESERVE,
                             bytes, NULL);
}

static gboolean
record(RfpExportMember *member, gboolean runs, GError **error)
{
    const RfpExport *export = member->export;
    const RfpOrigin *origin = member->origin;
    RfpRecord *record = member->operation.record;

    return record_reserve(member, error) &&
           (!runs || rfp_record_append(record, error, RFP_STEP_RAN, NULL)) &&
           (origin->pushes || rfp_record_append(record, error, RFP_STEP_SOCKET,
                                                member->job_mark, NULL)) &&
           (!origin->makes_point ||
            rfp_record_append(record, error, RFP_STEP_CHECKPOINT, export->name,
                              export->guid, NULL)) &&
           rfp_record_append(record, error, RFP_STEP_JOB, member->job_mark,
                             NULL);
}

gboolean
rfp_origin_job_record(RfpExportMember *member, GError **error)
{
    return record(member, member->state.running, error);
}

gboolean
rfp_origin_job_record_resumed(RfpExportMember *member, GError **error)
{
    return record(member, TRUE, error);
}

/* ---- The domain's own note ----------------------------------------------- */

/* NULL: made for no set. */
static const char *
set_guid(const RfpExportMember *member)
{
    const RfpExportSet *set = member->export->bases;

    return set != NULL ? set->file->guid : NULL;
}

void
rfp_origin_job_note(RfpExportMember *member, RefpointState state, gboolean held)
{
    const RfpExport *export = member->export;
    RfpMetadataPoint *point =
        rfp_metadata_point_new(export->guid, export->name);
    g_autoptr(GError) local = NULL;

    point->set_guid = g_strdup(set_guid(member));
    if (export->group != NULL)
        point->group_guid = g_strdup(export->group->guid);
    point->state = state;
    point->held = held;
    point->consistency = member->consistency;
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_tracks(disk))
            rfp_metadata_point_add_disk(point, disk->state.target,
                                        disk->state.size, disk->state.source);
    }
    if (!rfp_metadata_update(member->operation.domain, member->checkpoints,
                             point, NULL, &local)) {
        g_autoptr(RefpointFailure) failure = refpoint_failure_new(local);

        rfp_job_warn(export->job, RFP_WARNING_METADATA_MISSING,
                     member->operation.domain->name, "%s", failure->message);
    }
}

static gboolean
prepare(RfpExportMember *member, GError **error)
{
    if (!rfp_origin_job_make_scratch(member, error))
        return FALSE;
    rfp_origin_job_note(member, REFPOINT_STATE_PENDING, FALSE);
    return TRUE;
}

/* ---- The transaction ----------------------------------------------------- */

/* What the job's bitmap of a disk is begun from. For a point of earlier it is
 * the point itself, where it is no increment: the frozen bitmap proves that
 * nothing changed. */
static const char *
incremental_of(const RfpExportDisk *disk)
{
    if (disk->decision.mode == REFPOINT_MODE_INCREMENT)
        return disk->decision.base->name;
    return disk->member->point != NULL ? disk->member->export->name : NULL;
}

static char *
format_backup(RfpExportMember *member)
{
    g_autofree RfpBackupDisk *disks =
        g_new0(RfpBackupDisk, member->disks->len + 1);
    g_autoptr(GPtrArray) others = g_ptr_array_new();
    gsize n = 0;

    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (!rfp_export_takes(disk)) {
            g_ptr_array_add(others, (char *)disk->state.target);
            continue;
        }
        disks[n].target = disk->state.target;
        disks[n].base = incremental_of(disk);
        disks[n].secret = disk->disk->secret;
        disks[n++].scratch = disk->scratch;
        disk->begun_increment = disk->decision.mode == REFPOINT_MODE_INCREMENT;
    }
    g_ptr_array_add(others, NULL);
    return rfp_backup_xml_format(member->origin->pushes ? NULL
                                                        : member->job_mark,
                                 disks, n, (const char *const *)others->pdata);
}

/* NULL: there is none to make. */
static char *
format_checkpoint(RfpExportMember *member)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    if (!member->origin->makes_point)
        return NULL;
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        g_ptr_array_add(rfp_export_tracks(disk) ? targets : others,
                        (char *)disk->state.target);
    }
    if (targets->len == 0)
        return NULL;
    g_ptr_array_add(targets, NULL);
    g_ptr_array_add(others, NULL);
    return rfp_checkpoint_xml_format(member->export->name, member->export->guid,
                                     set_guid(member),
                                     (const char *const *)targets->pdata,
                                     (const char *const *)others->pdata);
}

static gboolean
remake_scratch(gpointer opaque, GError **error)
{
    return rfp_origin_job_make_scratch(opaque, error);
}

/* In a second try the scratch files are made anew, too. */
static gboolean
begin_job(RfpExportMember *member, GError **error)
{
    g_autofree char *backup = format_backup(member);
    g_autofree char *checkpoint = format_checkpoint(member);

    if (member->begun != 0 && !rfp_origin_job_make_scratch(member, error))
        return FALSE;

    if (member->origin->makes_point)
        member->created_us = g_get_real_time();
    member->begun = g_get_monotonic_time();
    return rfp_operation_begin_job(&member->operation, backup, checkpoint,
                                   member->scratch_made ? remake_scratch : NULL,
                                   member, error);
}

/* What nobody could see before the begin: QEMU makes no bitmap for a disk. It
 * is one without bitmaps then, as it would have been had we known. */
static gboolean
give_up_bitmap(RfpExportMember *member, const RfpDomainDisk *refused)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (disk->disk != refused || !rfp_export_tracks(disk))
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
begin_with_fewer_bitmaps(RfpExportMember *member, GError **error)
{
    while (!begin_job(member, error)) {
        const RfpDomainDisk *refused =
            rfp_tracking_refused(member->domain_xml, *error);

        if (!give_up_bitmap(member, refused))
            return FALSE;
        g_clear_error(error);
        if (member->origin->keeps && !rfp_export_check_tracks(member, error)) {
            rfp_tracking_add_conversion(member->operation.domain, refused,
                                        error);
            return FALSE;
        }
    }
    return TRUE;
}

/* QEMU writes more than was planned. The members of a group begin at once: each
 * looks at its own needs alone. */
static gboolean
has_room_in_full(RfpExportMember *member, GError **error)
{
    guint64 data = 0;

    if (!member->origin->pushes)
        return TRUE;
    if (member->export->group == NULL)
        return rfp_export_check_space(member->export, error);
    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        data += rfp_export_takes(disk) ? disk->report->estimate : 0;
    }
    return rfp_export_check_scratch(member, data, error);
}

/* A bitmap broke between our look and the begin: full, once, unless the base
 * was named by the user. */
static gboolean
begin_again_in_full(RfpExportMember *member, GError **error)
{
    RefpointJob *job = member->export->job;

    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (disk->decision.mode != REFPOINT_MODE_INCREMENT)
            continue;
        disk->decision.mode = REFPOINT_MODE_FULL;
        disk->decision.reason = RFP_REASON_BITMAP_BROKEN;
        disk->report->estimate = disk->allocation;
        rfp_job_warn(job, RFP_WARNING_FULL_INSTEAD_OF_INCREMENT, disk->name,
                     _("disk '%s' is exported in full: %s"), disk->name,
                     rfp_plan_reason_text(RFP_REASON_BITMAP_BROKEN));
    }
    return has_room_in_full(member, error) &&
           begin_with_fewer_bitmaps(member, error);
}

gboolean
rfp_origin_job_begin(RfpExportMember *member, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (begin_with_fewer_bitmaps(member, &local))
        return TRUE;
    if (rfp_error_libvirt_code(local) == VIR_ERR_CHECKPOINT_INCONSISTENT &&
        member->export->base == NULL && member->origin->makes_point)
        return begin_again_in_full(member, error);
    if (local->code == REFPOINT_ERROR_NOT_AVAILABLE)
        local->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean
rfp_origin_job_take_checkpoint(RfpExportMember *member, GError **error)
{
    const char *name = member->export->name;

    member->checkpoint_xml_text =
        rfp_checkpoint_xml_text(member->operation.domain, name, error);
    if (member->checkpoint_xml_text == NULL && error != NULL &&
        *error == NULL &&
        (!member->origin->makes_point || rfp_export_tracks_any(member))) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' is gone"), name);
        rfp_error_add_object(error, name);
        rfp_error_add_way_out(error, _("somebody has deleted its checkpoint "
                                       "meanwhile: make a new point"));
    }
    /* a domain of raw disks alone has no checkpoint */
    return member->checkpoint_xml_text != NULL || *error == NULL;
}

/* ---- The data ------------------------------------------------------------ */

gboolean
rfp_origin_job_open_nbd(RfpExportDisk *disk, gboolean bitmap, GError **error)
{
    const RfpExport *export = disk->member->export;
    RfpOperation *operation = &disk->member->operation;
    g_autofree char *name =
        bitmap ? g_strconcat("backup-", disk->state.target, NULL) : NULL;
    RfpNbdSource *source =
        rfp_nbd_source_new(disk->member->job_mark, disk->state.target, name,
                           export->options->stall_timeout * 1000);

    disk->source = source;
    disk->source_ops = &rfp_nbd_source_ops;
    disk->source_free = (void (*)(gpointer))rfp_nbd_source_free;
    rfp_nbd_source_share(source, &operation->handshakes,
                         &operation->conn->gate);
    if (!rfp_nbd_source_probe(source, &export->job->cancel, &disk->state.size,
                              error))
        return FALSE;
    disk->report->size = disk->state.size;
    return TRUE;
}

/* The bitmap context is there where the job has one, also if the disk is
 * exported in full after all. */
gboolean
rfp_origin_job_open_disk(RfpExportDisk *disk, GError **error)
{
    return rfp_origin_job_open_nbd(disk, disk->begun_increment, error);
}

gboolean
rfp_origin_job_watch_guest(RfpExportMember *member, GError **error)
{
    const gint64 now = g_get_monotonic_time();

    if (now - member->looked_at < LOOK_US)
        return TRUE;
    member->looked_at = now;
    return rfp_export_member_watch(member, FALSE, error);
}

gboolean
rfp_origin_job_watch(RfpExportMember *member, GError **error)
{
    return rfp_operation_watch(&member->operation, error) &&
           rfp_origin_job_watch_guest(member, error);
}

void
rfp_origin_job_stop(RfpExportMember *member, const GError *cause G_GNUC_UNUSED)
{
    RfpOperation *operation = &member->operation;

    if (rfp_operation_close_job(operation))
        rfp_undo_host(operation->domain, operation->record, FALSE, NULL, NULL);
}

gboolean
rfp_origin_job_check_served_by(RfpExportMember *member,
                               gboolean kept,
                               GError **error)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk))
            g_ptr_array_add(targets, (char *)disk->state.target);
    }
    return rfp_backup_job_check_served(member->operation.domain,
                                       member->job_mark, targets, kept, error);
}

gboolean
rfp_origin_job_check_served(RfpExportMember *member, GError **error)
{
    return rfp_origin_job_check_served_by(member, FALSE, error);
}

gboolean
rfp_origin_job_ask_end(RfpExportMember *member)
{
    return rfp_operation_close_job(&member->operation) &&
           rfp_backup_job_ask_end(member->operation.domain, member->job_mark);
}

const RfpOrigin rfp_origin_job = {
    .makes_point = TRUE,
    .find_point = rfp_origin_job_find_point,
    .check_room = rfp_export_check_job_room,
    .choose = rfp_origin_job_choose,
    .record = rfp_origin_job_record,
    .prepare = prepare,
    .begin = rfp_origin_job_begin,
    .take_checkpoint = rfp_origin_job_take_checkpoint,
    .open_disk = rfp_origin_job_open_disk,
    .watch = rfp_origin_job_watch,
    .stop = rfp_origin_job_stop,
    .check_served = rfp_origin_job_check_served,
    .ask_end = rfp_origin_job_ask_end,
};
