/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"
#include "base/space.h"
#include "base/text.h"
#include "engine/export.h"
#include "engine/tracking.h"

#include <string.h>

/* ---- Options ------------------------------------------------------------- */

static gboolean
listed(const char *const *targets, const char *target)
{
    return targets != NULL && g_strv_contains(targets, target);
}

static char *
join_targets(RfpDomainXml *domain)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < domain->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(domain->disks, i);

        g_string_append_printf(all, "%s%s", i ? ", " : "", disk->target);
    }
    return g_string_free(g_steal_pointer(&all), FALSE);
}

static gboolean
check_targets(RfpExport *export, const char *const *targets, GError **error)
{
    for (; targets != NULL && *targets != NULL; targets++) {
        g_autofree char *all = NULL;

        if (rfp_domain_xml_disk(export->domain_xml, *targets) != NULL)
            continue;
        all = join_targets(export->domain_xml);
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("domain '%s' has no disk '%s'"),
                      export->operation.domain->name, *targets);
        rfp_error_add_object(error, *targets);
        rfp_error_add_way_out(error, _("its disks are: %s"), all);
        return FALSE;
    }
    return TRUE;
}

static gboolean
name_taken(RfpExport *export, GError **error)
{
    gboolean in_domain = FALSE;

    for (guint i = 0; i < export->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(export->checkpoints, i);

        in_domain = in_domain || strcmp(checkpoint->name, export->name) == 0;
    }
    if (!in_domain &&
        (export->set == NULL ||
         rfp_export_set_resolve(export->set, export->name) == NULL))
        return FALSE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  in_domain ? _("domain '%s' has a point '%s' already")
                            : _("the set of domain '%s' has a point '%s' "
                                "already"),
                  export->operation.domain->name, export->name);
    rfp_error_add_object(error, export->name);
    rfp_error_add_way_out(error, in_domain
                                     ? _("choose another name, or export that "
                                         "one with --point")
                                     : _("choose another name"));
    return TRUE;
}

/* --create, or a name by default. */
static gboolean
name_new_point(RfpExport *export, GError **error)
{
    export->guid = rfp_guid_new();
    export->created_us = g_get_real_time();
    export->name = export->options->create != NULL
                       ? g_strdup(export->options->create)
                       : rfp_name_default(export->created_us, export->guid);
    export->folder = g_strdup(export->name);
    return rfp_name_check(export->name, error) && !name_taken(export, error);
}

/* The checkpoint that the data was kept with, not one that was made since. */
static gboolean
check_kept(RfpExport *export, GError **error)
{
    const RfpKept *kept = export->operation.kept;
    g_autoptr(RfpCheckpointXml) then = NULL;

    if (!export->from_kept)
        return TRUE;
    then = rfp_checkpoint_xml_parse(kept->xml, error);
    if (then == NULL)
        return FALSE;
    if (rfp_guid_equal(kept->guid, export->guid) &&
        then->created == export->point->created)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the checkpoint of point '%s' was deleted and made again "
                    "after its data was kept"),
                  export->name);
    rfp_error_add_object(error, export->name);
    rfp_error_add_way_out(error,
                          _("let the data go with: virt-refpoint remove-data "
                            "%s %s; then export a new point"),
                          export->operation.domain->word, kept->guid);
    return FALSE;
}

/* A point that was destroyed may have left its name to this one. */
static gboolean
folder_taken(const char *name, gpointer opaque)
{
    RfpExport *export = opaque;
    RfpSetPoint *there =
        export->set != NULL ? rfp_export_set_resolve(export->set, name) : NULL;

    return there != NULL && there->manifest != NULL &&
           !rfp_guid_equal(there->manifest->guid, export->guid);
}

/* --point: by name or GUID. */
static gboolean
find_point(RfpExport *export, GError **error)
{
    const char *wanted = export->options->point;

    for (guint i = 0; i < export->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(export->checkpoints, i);
        g_autofree char *guid =
            rfp_checkpoint_guid(export->operation.domain, checkpoint);

        if (strcmp(checkpoint->name, wanted) != 0 &&
            !rfp_guid_equal(guid, wanted))
            continue;
        export->point = checkpoint;
        export->guid = g_steal_pointer(&guid);
        export->name = g_strdup(checkpoint->name);
        export->folder =
            rfp_folder_name(export->name, export->guid, folder_taken, export);
        export->created_us = checkpoint->created * G_USEC_PER_SEC;
        return check_kept(export, error);
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("domain '%s' has no point '%s'"),
                  export->operation.domain->name, wanted);
    rfp_error_add_object(error, wanted);
    rfp_error_add_way_out(error,
                          _("see which it has with: virt-refpoint list "
                            "%s"),
                          export->operation.domain->word);
    return FALSE;
}

/* ---- Disks --------------------------------------------------------------- */

void
rfp_export_disk_close_source(RfpExportDisk *disk)
{
    if (disk->source == NULL)
        return;
    if (disk->source_ops == &rfp_qcow2_source_ops)
        rfp_qcow2_source_free(disk->source);
    else
        rfp_nbd_source_free(disk->source);
    disk->source = NULL;
}

static void
export_disk_free(gpointer data)
{
    RfpExportDisk *disk = data;

    g_clear_pointer(&disk->copy, rfp_copy_free);
    g_clear_pointer(&disk->digest_writer, rfp_digest_writer_free);
    g_clear_pointer(&disk->writer, rfp_qcow2_writer_free);
    rfp_export_disk_close_source(disk);
    g_clear_pointer(&disk->base_digests, g_ptr_array_unref);
    g_clear_pointer(&disk->chain, g_ptr_array_unref);
    g_array_unref(disk->candidates);
    g_clear_error(&disk->error);
    g_free(disk);
}

static RfpExportDisk *
add_disk(RfpExport *export, RfpDomainDisk *domain_disk)
{
    const RefpointExportOptions *options = export->options;
    RfpExportDisk *disk = g_new0(RfpExportDisk, 1);
    RfpPlanDisk *state = &disk->state;

    rfp_domain_identify_source(&domain_disk->source);
    disk->disk = domain_disk;
    disk->candidates = g_array_new(FALSE, TRUE, sizeof(RfpPlanCandidate));
    state->target = domain_disk->target;
    state->unusable =
        rfp_tracking_unusable(domain_disk, options->allow_plaintext);
    state->untracked =
        rfp_tracking_refusal(export->operation.domain, domain_disk);
    state->wanted = (options->disks == NULL ||
                     listed(options->disks, domain_disk->target)) &&
                    !listed(options->exclude, domain_disk->target);
    state->source = &domain_disk->source;
    disk->report =
        rfp_job_add_disk(rfp_export_job(export), domain_disk->target);
    g_ptr_array_add(export->disks, disk);
    return disk;
}

/* The job decided long ago which disks it serves, and from which base. */
static void
take_from_kept(RfpExport *export, RfpExportDisk *disk)
{
    RfpPlanDisk *state = &disk->state;
    gboolean served =
        rfp_kept_disk(export->operation.kept, state->target, &disk->kept_base);
    const RfpCheckpointDisk *tracked =
        rfp_checkpoint_xml_disk(export->point, state->target);

    if (state->unusable == RFP_REASON_NONE && !served)
        state->unusable = RFP_REASON_NOT_IN_POINT;
    /* QEMU may have refused what seemed possible */
    if (state->untracked == RFP_REASON_NONE &&
        !(tracked != NULL && tracked->tracked))
        state->untracked = RFP_REASON_UNTRACKED;
    disk->begun_increment = disk->kept_base != NULL;
}

/* How much of the disk there is to read: of kept data what there was at the
 * point. */
static gboolean
look_at_amount(RfpExport *export, RfpExportDisk *disk, GError **error)
{
    guint64 allocation = 0;

    if (!rfp_domain_disk_size(export->operation.domain, disk->state.target,
                              &disk->state.size, &allocation, error))
        return FALSE;
    if (export->from_kept)
        disk->kept_amount =
            rfp_kept_amount(export->operation.kept, disk->state.target,
                            &allocation, &disk->kept_changed);
    disk->allocation = MIN(allocation, disk->state.size);
    disk->report->size = disk->state.size;
    disk->report->estimate = disk->allocation;
    return TRUE;
}

/* What was asked for by name must not be left out in silence. */
static gboolean
check_wanted(RfpExport *export, const RfpExportDisk *disk, GError **error)
{
    if (!listed(export->options->disks, disk->state.target) ||
        disk->state.unusable == RFP_REASON_NONE)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("disk '%s' of domain '%s' cannot be exported: %s"),
                  disk->state.target, export->operation.domain->name,
                  rfp_plan_reason_text(disk->state.unusable));
    rfp_error_add_object(error, disk->state.target);
    if (disk->state.unusable == RFP_REASON_ENCRYPTED)
        rfp_error_add_way_out(error, _("allow its content to be written "
                                       "unencrypted: --allow-plaintext"));
    return FALSE;
}

static gboolean
look_at_disks(RfpExport *export, GError **error)
{
    RfpDomainXml *domain = export->domain_xml;

    export->disks = g_ptr_array_new_with_free_func(export_disk_free);
    for (guint i = 0; i < domain->disks->len; i++) {
        RfpExportDisk *disk =
            add_disk(export, g_ptr_array_index(domain->disks, i));

        if (export->from_kept)
            take_from_kept(export, disk);
        if (!check_wanted(export, disk, error))
            return FALSE;
        if (disk->state.unusable != RFP_REASON_NONE || !disk->state.wanted)
            continue;
        if (!look_at_amount(export, disk, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- What is said of it -------------------------------------------------- */

/* Full exports that the user did not ask for. */
static gboolean
is_unexpected(RfpReason reason)
{
    return reason == RFP_REASON_BASE_GONE ||
           reason == RFP_REASON_BITMAP_BROKEN ||
           reason == RFP_REASON_SOURCE_CHANGED ||
           reason == RFP_REASON_CHAIN_BROKEN ||
           reason == RFP_REASON_NOT_IN_BASE || reason == RFP_REASON_OTHER_BASE;
}

/* Disks with data of their own; a CD-ROM or a read-only disk is no surprise. */
static gboolean
is_missed(RfpReason reason)
{
    return reason == RFP_REASON_ENCRYPTED || reason == RFP_REASON_UNSUPPORTED ||
           reason == RFP_REASON_TRANSIENT || reason == RFP_REASON_NOT_IN_POINT;
}

static void
warn_of(RfpExport *export, const RfpExportDisk *disk)
{
    RfpReason reason = disk->decision.reason;

    if (disk->decision.mode == REFPOINT_MODE_FULL && is_unexpected(reason))
        rfp_job_warn(rfp_export_job(export), "full-instead-of-increment",
                     disk->state.target, _("disk '%s' is exported in full: %s"),
                     disk->state.target, rfp_plan_reason_text(reason));
    if (disk->decision.mode == REFPOINT_MODE_LEFT_OUT && is_missed(reason))
        rfp_job_warn(rfp_export_job(export), "disk-left-out",
                     disk->state.target, _("disk '%s' is left out: %s"),
                     disk->state.target, rfp_plan_reason_text(reason));
}

void
rfp_export_report_plan(RfpExport *export)
{
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);
        RefpointDiskReport *report = disk->report;
        const RfpPlanCandidate *base = disk->decision.base;

        report->mode = disk->decision.mode;
        g_free(report->reason_id);
        g_free(report->reason);
        report->reason_id = NULL;
        report->reason = NULL;
        if (disk->decision.reason != RFP_REASON_NONE) {
            report->reason_id =
                g_strdup(rfp_plan_reason_id(disk->decision.reason));
            report->reason =
                g_strdup(rfp_plan_reason_text(disk->decision.reason));
        }
        g_clear_pointer(&report->base_name, g_free);
        g_clear_pointer(&report->base_guid, g_free);
        if (report->mode != REFPOINT_MODE_INCREMENT)
            continue;
        report->base_name = g_strdup(base->name);
        report->base_guid = g_strdup(base->guid);
        /* what was discarded is dirty too, but takes no room */
        report->estimate = MIN(base->changed, report->estimate);
    }
}

/* ---- A point of earlier -------------------------------------------------- */

static gboolean
same_disks(RfpExport *export, RfpSetPoint *point)
{
    RfpManifestVm *vm = rfp_set_point_vm(point);

    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);
        RfpManifestDisk *data =
            vm != NULL ? rfp_manifest_vm_disk(vm, disk->state.target) : NULL;
        gboolean has = data != NULL && data->mode != REFPOINT_MODE_LEFT_OUT;

        if (has != rfp_export_takes(disk))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_already(RfpExport *export, GError **error)
{
    RfpSetPoint *point = export->set != NULL && export->point != NULL
                             ? rfp_export_set_find(export->set, export->guid)
                             : NULL;

    if (point == NULL)
        return TRUE;
    if (!same_disks(export, point)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set has point '%s' already, with other disks"),
                      export->name);
        rfp_error_add_object(error, export->name);
        rfp_error_add_way_out(error, _("export a new point, or into another "
                                       "directory"));
        return FALSE;
    }
    export->already = TRUE;
    g_free(export->folder);
    export->folder = g_strdup(point->folder);
    return TRUE;
}

/* A disk that the point does not track cannot be shown not to have changed. */
static gboolean
check_tracked(RfpExport *export, GError **error)
{
    if (!rfp_checkpoint_measure(export->operation.domain, export->point, error))
        return FALSE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);
        RfpCheckpointDisk *tracked =
            rfp_checkpoint_xml_disk(export->point, disk->state.target);

        if (!rfp_export_takes(disk) ||
            (tracked != NULL && tracked->tracked && tracked->has_size))
            continue;
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' has no usable bitmap for disk '%s': what "
                        "that disk held then is not known"),
                      export->name, disk->state.target);
        rfp_error_add_object(error, disk->state.target);
        rfp_error_add_way_out(error,
                              _("export a new point (without --point), or "
                                "leave the disk out: --exclude-disk %s"),
                              disk->state.target);
        return FALSE;
    }
    return TRUE;
}

static RefpointConsistency
consistency_of(const RfpExport *export)
{
    RfpMetadataPoint *note = NULL;

    if (export->already)
        return rfp_export_set_find(export->set, export->guid)
            ->manifest->consistency;
    note = rfp_metadata_find(export->notes, export->guid);
    return note != NULL ? note->consistency : REFPOINT_CONSISTENCY_UNKNOWN;
}

/* It is what it was made: freezing comes too late. */
static gboolean
check_consistency(RfpExport *export, GError **error)
{
    if (export->point == NULL ||
        export->options->quiesce != REFPOINT_QUIESCE_REQUIRED ||
        consistency_of(export) == REFPOINT_CONSISTENCY_APPLICATION)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the guest was not frozen when point '%s' was made, or "
                    "that is not known"),
                  export->name);
    rfp_error_add_object(error, export->name);
    rfp_error_add_way_out(error, _("export a new point (without --point), or "
                                   "use --quiesce=auto"));
    return FALSE;
}

/* ---- The whole ----------------------------------------------------------- */

/* No plan is shown of what fails, so the reasons are told here. */
static gboolean
check_any(RfpExport *export, GError **error)
{
    const char *name = export->operation.domain->name;
    g_autoptr(GString) why = g_string_new(NULL);

    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            return TRUE;
        g_string_append_printf(why, "%s%s (%s)", i > 0 ? ", " : "",
                               disk->state.target,
                               rfp_plan_reason_text(disk->decision.reason));
    }
    if (why->len == 0)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("domain '%s' has no disk"), name);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("domain '%s' has no disk that would be exported: %s"),
                      name, why->str);
    rfp_error_add_object(error, name);
    return FALSE;
}

/* They are no bases, and nobody may have called verify. */
static void
warn_damaged_points(RfpExport *export)
{
    for (guint i = 0; export->set != NULL && i < export->set->points->len;
         i++) {
        const RfpSetPoint *point = g_ptr_array_index(export->set->points, i);

        if (point->manifest == NULL)
            rfp_job_warn(rfp_export_job(export), "damaged-point", point->folder,
                         _("point '%s' of the set is damaged: "
                           "%s"),
                         point->folder, point->damage);
    }
}

gboolean
rfp_export_tracks_any(RfpExport *export)
{
    for (guint i = 0; i < export->disks->len; i++)
        if (rfp_export_tracks(export, g_ptr_array_index(export->disks, i)))
            return TRUE;
    return FALSE;
}

gboolean
rfp_export_check_tracks(RfpExport *export, GError **error)
{
    if (rfp_export_tracks_any(export))
        return TRUE;
    rfp_tracking_set_none(export->operation.domain, export->domain_xml, error);
    return FALSE;
}

gboolean
rfp_export_plan(RfpExport *export, GError **error)
{
    export->checkpoints =
        rfp_checkpoint_list(export->operation.domain, FALSE, error);
    if (export->checkpoints == NULL)
        return FALSE;
    export->notes = rfp_metadata_load(export->operation.domain, error);
    if (export->notes == NULL)
        return FALSE;
    warn_damaged_points(export);
    if (!check_targets(export, export->options->disks, error) ||
        !check_targets(export, export->options->exclude, error))
        return FALSE;
    if (export->options->point != NULL ? !find_point(export, error)
                                       : !name_new_point(export, error))
        return FALSE;
    if (!rfp_export_find_base(export, error) || !look_at_disks(export, error))
        return FALSE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (!rfp_export_decide(export, disk, error))
            return FALSE;
        warn_of(export, disk);
    }
    rfp_export_report_plan(export);
    return check_any(export, error) && check_already(export, error) &&
           (export->already || rfp_export_choose_mode(export, error)) &&
           check_consistency(export, error) &&
           (export->point == NULL || export->already || export->from_kept ||
            check_tracked(export, error));
}
