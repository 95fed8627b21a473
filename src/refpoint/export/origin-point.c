/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/origin-point.h"
#include "base/names.h"
#include "base/text.h"
#include "copy/nbd-source.h"
#include "export/export-space.h"
#include "export/origin-job.h"
#include "set/set-points.h"

#include <inttypes.h>
#include <string.h>

/* ---- Which --------------------------------------------------------------- */

/* A point that was destroyed may have left its name to this one. */
static gboolean
folder_taken(const char *name, gpointer opaque)
{
    const RfpExport *export = opaque;
    RfpSetPoint *there = export->bases != NULL
                             ? rfp_export_set_resolve(export->bases, name)
                             : NULL;

    return rfp_export_folder_unreadable(export, name) ||
           (there != NULL && there->manifest != NULL &&
            !rfp_guid_equal(there->manifest->guid, export->guid));
}

/* The points of a group's members have one GUID: that is what makes them the
 * group's. */
static gboolean
check_same(const RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    const char *name = member->operation.domain->name;
    g_autofree char *guid =
        rfp_checkpoint_guid(member->operation.domain, member->point);

    if (rfp_guid_equal(guid, export->guid))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("point '%s' of domain '%s' was not made together with that "
                    "of the other members"),
                  member->point->name, name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error, _("name a point of the group, or export a new "
                                   "one"));
    return FALSE;
}

gboolean
rfp_origin_point_find(RfpExportMember *member, GError **error)
{
    RfpExport *export = member->export;
    RfpDomain *domain = member->operation.domain;

    member->point = rfp_checkpoint_find(domain, member->checkpoints,
                                        export->options->point, error);
    if (member->point == NULL)
        return FALSE;
    member->created_us = member->point->created * G_USEC_PER_SEC;
    if (export->guid != NULL)
        return check_same(member, error);
    export->guid = rfp_checkpoint_guid(domain, member->point);
    export->name = g_strdup(member->point->name);
    export->folder =
        rfp_folder_name(export->name, export->guid, folder_taken, export);
    return TRUE;
}

/* A disk that the point does not track cannot be shown not to have changed. */
static gboolean
check_tracked(RfpExportMember *member, GError **error)
{
    if (!rfp_checkpoint_measure(member->operation.domain, member->point, error))
        return FALSE;
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);
        RfpCheckpointDisk *tracked =
            rfp_checkpoint_xml_disk(member->point, disk->state.target);

        if (!rfp_export_takes(disk) ||
            (tracked != NULL && tracked->tracked && tracked->has_size))
            continue;
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' has no usable bitmap for disk '%s': what "
                        "that disk held then is not known"),
                      member->export->name, disk->state.target);
        rfp_error_add_object(error, disk->state.target);
        rfp_error_add_way_out(error,
                              _("export a new point (without --point), or "
                                "leave the disk out: --exclude-disk %s"),
                              disk->name);
        return FALSE;
    }
    return TRUE;
}

/* ---- The proof ----------------------------------------------------------- */

static gboolean
open_disk(RfpExportDisk *disk, GError **error)
{
    return rfp_origin_job_open_nbd(disk, TRUE, error);
}

static gboolean
add_dirty(guint64 offset G_GNUC_UNUSED,
          guint64 length,
          gboolean flag,
          gpointer opaque)
{
    guint64 *sum = opaque;

    *sum += flag ? length : 0;
    return TRUE;
}

/* What the begun job froze: its bitmap is the point's own. */
static gboolean
frozen_changes(RfpExportDisk *disk, guint64 *changed, GError **error)
{
    gpointer connection =
        rfp_nbd_source_ops.open(disk->source,
                                &disk->member->export->job->cancel, error);
    gboolean done = FALSE;

    if (connection == NULL)
        return FALSE;
    done = rfp_nbd_source_ops.map(connection, RFP_MAP_DIRTY, 0,
                                  disk->state.size, add_dirty, changed, error);
    rfp_nbd_source_ops.close(connection);
    return done;
}

/* Asked of libvirt after the begin: bitmaps only grow, 0 now is 0 then. */
static gboolean
live_changes(RfpExportDisk *disk, guint64 *changed, GError **error)
{
    const RfpExport *export = disk->member->export;
    RfpDomain *domain = disk->member->operation.domain;
    g_autoptr(GPtrArray) now = rfp_checkpoint_list(domain, FALSE, error);
    RfpCheckpointXml *point = NULL;
    RfpCheckpointDisk *tracked = NULL;

    if (now == NULL)
        return FALSE;
    point = rfp_checkpoint_find_any_guid(domain, now, export->guid);
    if (point != NULL && !rfp_checkpoint_measure(domain, point, error))
        return FALSE;
    if (point != NULL)
        tracked = rfp_checkpoint_xml_disk(point, disk->state.target);
    if (tracked == NULL || !tracked->has_size) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("the bitmap of point '%s' on disk '%s' broke"),
                      export->name, disk->state.target);
        return FALSE;
    }
    *changed = tracked->changed;
    return TRUE;
}

/* Another image, or size, than the one the point was made of. */
static gboolean
check_same_disk(const RfpExportDisk *disk, GError **error)
{
    const RfpExport *export = disk->member->export;
    g_autoptr(GPtrArray) points =
        rfp_metadata_load(disk->member->operation.domain, error);
    const RfpMetadataDisk *then = NULL;

    if (points == NULL)
        return FALSE;
    then = rfp_metadata_point_disk(rfp_metadata_find(points, export->guid),
                                   disk->state.target);
    if (then == NULL ||
        (then->size == disk->state.size &&
         rfp_disk_source_equal(&then->source, disk->state.source)))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("disk '%s' has another image or size than at point "
                    "'%s'"),
                  disk->state.target, export->name);
    rfp_error_add_object(error, disk->state.target);
    rfp_error_add_way_out(error, _("export a new point (without --point)"));
    return FALSE;
}

static gboolean
check_unchanged(RfpExportDisk *disk, GError **error)
{
    const RfpExport *export = disk->member->export;
    g_autofree char *directory = rfp_text_shell(export->options->directory);
    guint64 changed = 0;

    if (!check_same_disk(disk, error) ||
        !(disk->begun_increment ? live_changes(disk, &changed, error)
                                : frozen_changes(disk, &changed, error)))
        return FALSE;
    if (changed == 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("disk '%s' changed since point '%s': %" PRIu64
                    " bytes; what it held then is not kept"),
                  disk->state.target, export->name, changed);
    rfp_error_add_object(error, disk->state.target);
    if (export->group != NULL)
        rfp_error_add_way_out(error,
                              _("export a new point: virt-refpoint export "
                                "--group %s %s"),
                              export->group->name, directory);
    else
        rfp_error_add_way_out(error,
                              _("export a new point: virt-refpoint export %s "
                                "%s"),
                              disk->member->operation.domain->shell_name,
                              directory);
    return FALSE;
}

static gboolean
check_all_unchanged(RfpExportMember *member, GError **error)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && !check_unchanged(disk, error))
            return FALSE;
    }
    return TRUE;
}

/* Of a point whose data was kept once it says why it is not any more. */
static gboolean
prove(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    const RfpKept *kept = member->operation.kept;

    rfp_origin_point_consistency(member);
    if (check_all_unchanged(member, error))
        return TRUE;
    if (kept != NULL && kept->ended != NULL &&
        rfp_guid_equal(kept->guid, export->guid))
        rfp_error_prefix(error,
                         _("the data of point '%s' is not kept any "
                           "more, %s"),
                         export->name, rfp_kept_ended_text(kept->ended));
    return FALSE;
}

void
rfp_origin_point_consistency(RfpExportMember *member)
{
    g_autoptr(GPtrArray) points =
        rfp_metadata_load(member->operation.domain, NULL);
    RfpMetadataPoint *point =
        points != NULL ? rfp_metadata_find(points, member->export->guid) : NULL;

    member->consistency =
        point != NULL ? point->consistency : REFPOINT_CONSISTENCY_UNKNOWN;
}

const RfpOrigin rfp_origin_point = {
    .cannot_push = N_("nobody can read what it held at that point"),
    .cannot_push_way_out = N_("export a new point (without --point)"),
    .find_point = rfp_origin_point_find,
    .check = check_tracked,
    .check_room = rfp_export_check_job_room,
    .choose = rfp_origin_job_choose,
    .record = rfp_origin_job_record,
    .prepare = rfp_origin_job_make_scratch,
    .begin = rfp_origin_job_begin,
    .take_checkpoint = rfp_origin_job_take_checkpoint,
    .open_disk = open_disk,
    .prove = prove,
    .watch = rfp_origin_job_watch,
    .stop = rfp_origin_job_stop,
    .check_served = rfp_origin_job_check_served,
    .ask_end = rfp_origin_job_ask_end,
};
