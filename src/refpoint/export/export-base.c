/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-base.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "set/set-chain.h"
#include "set/set-points.h"

#include <string.h>

/* ---- Candidates ---------------------------------------------------------- */

/*
 * A checkpoint that was deleted and made again from its own XML has the same
 * GUID, but does not know what changed between: libvirt's time of creation
 * tells them apart. REDEFINE keeps it.
 */
static gboolean
check_created(RfpExportMember *member,
              RfpSetPoint *point,
              const RfpCheckpointXml *checkpoint,
              gboolean *same,
              GError **error)
{
    RfpManifestFile *file =
        rfp_set_point_file(point, member->operation.domain->uuid, "runtime");
    g_autofree char *text = NULL;
    g_autoptr(RfpCheckpointXml) then = NULL;

    if (file == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the set has no XML of its checkpoint"));
        return FALSE;
    }
    text = rfp_export_set_read_file(member->export->bases, file, error);
    then = text != NULL ? rfp_checkpoint_xml_parse(text, error) : NULL;
    if (then == NULL)
        return FALSE;
    *same = then->created == checkpoint->created;
    return TRUE;
}

/* QEMU finds a backing file by its bare name: the base's image must lie where
 * the new one will. */
static gboolean
check_folder(RfpExportMember *member,
             const RfpManifestDisk *base,
             const char *target,
             GError **error)
{
    const char *uuid = member->operation.domain->uuid;
    RfpSetPoint *newest = rfp_export_set_newest_of(member->export->bases, uuid);
    RfpManifestVm *vm = newest != NULL ? rfp_set_point_vm(newest, uuid) : NULL;
    g_autofree char *folder =
        g_build_filename(RFP_DISKS_DIR, vm != NULL ? vm->folder : "", target,
                         NULL);
    g_autofree char *other = g_path_get_dirname(base->image);

    if (strcmp(folder, other) == 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("its image '%s' does not lie in '%s'"), base->image,
                  folder);
    return FALSE;
}

/* What is worth asking of a point's files only where libvirt still has its
 * bitmap: one chain may be 64 images long. */
static gboolean
look_at_files(const RfpExportDisk *disk,
              RfpSetPoint *point,
              const RfpCheckpointXml *checkpoint,
              RfpPlanCandidate *candidate,
              GError **error)
{
    RfpExportMember *member = disk->member;
    const char *target = disk->state.target;
    g_autoptr(GError) local = NULL;
    g_autoptr(GPtrArray) chain =
        rfp_export_set_chain(member->export->bases, point,
                             member->operation.domain->uuid, target, &local);

    candidate->chain_ok =
        chain != NULL &&
        check_folder(member, g_ptr_array_index(chain, 0), target, &local) &&
        rfp_export_set_check_chain(member->export->bases, chain, &local) &&
        check_created(member, point, checkpoint, &candidate->alive, &local);
    candidate->depth = chain != NULL ? chain->len : 0;
    if (rfp_error_is_limit(local)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!candidate->chain_ok) {
        g_autoptr(RefpointFailure) failure = refpoint_failure_new(local);

        candidate->newer = failure->cause == REFPOINT_ERROR_NOT_SUPPORTED;
        rfp_job_warn(member->operation.job,
                     candidate->newer ? RFP_WARNING_CHAIN_NEWER
                                      : RFP_WARNING_CHAIN_BROKEN,
                     disk->name,
                     _("point '%s' cannot be a base for disk '%s': %s"),
                     point->manifest->folder, disk->name, failure->message);
    }
    return TRUE;
}

/* What the bitmap is about: the domain's note of it comes first, because a disk
 * that was restored from the set has another source than the manifest says. */
static const RfpDiskSource *
source_at(RfpExportMember *member, RfpSetPoint *point, RfpManifestDisk *data)
{
    const RfpMetadataDisk *noted = rfp_metadata_point_disk(
        rfp_metadata_find(member->notes, point->manifest->guid), data->target);

    return noted != NULL ? &noted->source : &data->source;
}

/* *@has: whether @point has data of the disk. */
static gboolean
candidate_of(const RfpExportDisk *disk,
             RfpSetPoint *point,
             RfpPlanCandidate *candidate,
             gboolean *has,
             GError **error)
{
    RfpExportMember *member = disk->member;
    const char *target = disk->state.target;
    RfpManifestDisk *data =
        rfp_set_point_disk(point, member->operation.domain->uuid, target);
    RfpCheckpointXml *checkpoint = NULL;
    RfpCheckpointDisk *tracked = NULL;

    *has = data != NULL;
    if (!*has)
        return TRUE;
    checkpoint =
        rfp_checkpoint_find_guid(member->checkpoints, point->manifest->guid);
    if (checkpoint != NULL) {
        if (!rfp_checkpoint_measure(member->operation.domain, checkpoint,
                                    error))
            return FALSE;
        tracked = rfp_checkpoint_xml_disk(checkpoint, target);
    }
    *candidate = (RfpPlanCandidate){
        .guid = point->manifest->guid,
        .name = checkpoint != NULL ? checkpoint->name : point->manifest->folder,
        .untracked = !data->tracked,
        .alive = checkpoint != NULL,
        .bitmap = tracked != NULL && tracked->tracked && tracked->has_size
                      ? REFPOINT_BITMAP_GOOD
                      : REFPOINT_BITMAP_BROKEN,
        .size = data->size,
        .changed = disk->amount_known ? disk->kept_changed
                   : tracked != NULL  ? tracked->changed
                                      : 0,
        .source = source_at(member, point, data),
        .other = disk->base_fixed &&
                 !rfp_guid_equal(disk->fixed_base, point->manifest->guid),
    };
    if (!candidate->other && !candidate->untracked && candidate->alive &&
        candidate->bitmap == REFPOINT_BITMAP_GOOD)
        return look_at_files(disk, point, checkpoint, candidate, error);
    return TRUE;
}

static gboolean
is_usable(const RfpExportDisk *disk, const RfpPlanCandidate *candidate)
{
    return !candidate->other && !candidate->untracked && candidate->alive &&
           candidate->chain_ok &&
           rfp_disk_source_equal(candidate->source, disk->state.source);
}

/* Newest first, down to the first that can be a base: what lies below it does
 * not matter any more. */
static gboolean
look_at_candidates(RfpExportDisk *disk, GError **error)
{
    const RfpExport *export = disk->member->export;
    GPtrArray *points = export->bases != NULL ? export->bases->points : NULL;

    for (guint i = points != NULL ? points->len : 0; i > 0; i--) {
        RfpSetPoint *point = g_ptr_array_index(points, i - 1);
        RfpPlanCandidate candidate;
        gboolean has = FALSE;

        if ((export->base != NULL && point != export->base) ||
            point->manifest == NULL)
            continue;
        if (!candidate_of(disk, point, &candidate, &has, error))
            return FALSE;
        if (!has)
            continue;
        g_array_append_val(disk->candidates, candidate);
        if (is_usable(disk, &candidate))
            break;
    }
    return TRUE;
}

/* Without a set: the domain's own notes say what was exported, and from which
 * image. The set that it is exported to later has the last word. */
static gboolean
look_at_notes_of(RfpExportDisk *disk, RefpointState state, GError **error)
{
    RfpExportMember *member = disk->member;

    for (guint i = member->checkpoints->len; i > 0; i--) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(member->checkpoints, i - 1);
        RfpMetadataPoint *note =
            checkpoint->guid != NULL
                ? rfp_metadata_find(member->notes, checkpoint->guid)
                : NULL;
        const RfpMetadataDisk *noted =
            rfp_metadata_point_disk(note, disk->state.target);
        RfpCheckpointDisk *tracked = NULL;
        RfpPlanCandidate candidate = {
            .guid = checkpoint->guid,
            .name = checkpoint->name,
            .alive = TRUE,
            .bitmap = REFPOINT_BITMAP_GOOD,
            .chain_ok = TRUE,
            .source = noted != NULL ? &noted->source : NULL,
        };

        if (note == NULL || note->state != state || candidate.source == NULL ||
            !is_usable(disk, &candidate))
            continue;
        if (!rfp_checkpoint_measure(member->operation.domain, checkpoint,
                                    error))
            return FALSE;
        tracked = rfp_checkpoint_xml_disk(checkpoint, disk->state.target);
        if (tracked == NULL || !tracked->tracked || !tracked->has_size)
            continue;
        candidate.changed = tracked->changed;
        g_array_append_val(disk->candidates, candidate);
        break;
    }
    return TRUE;
}

/* One that was never exported is no base of an image, but what changed since is
 * known exactly. */
static gboolean
look_at_notes(RfpExportDisk *disk, GError **error)
{
    return look_at_notes_of(disk, REFPOINT_STATE_PUBLISHED, error) &&
           (disk->candidates->len > 0 ||
            look_at_notes_of(disk, REFPOINT_STATE_TRACKED, error));
}

/* ---- The base ------------------------------------------------------------ */

static gboolean
wants_base(const RfpExport *export)
{
    const char *base = export->options->base;

    return base != NULL && strcmp(base, "auto") != 0 &&
           strcmp(base, "none") != 0;
}

/* The set that a checkpoint of the name was made for; NULL: none is known. */
static const char *
set_of_checkpoint(const RfpExport *export, const char *name)
{
    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);

        for (guint j = 0; j < member->checkpoints->len; j++) {
            const RfpCheckpointXml *checkpoint =
                g_ptr_array_index(member->checkpoints, j);

            if (strcmp(checkpoint->name, name) == 0)
                return checkpoint->set_guid;
        }
    }
    return NULL;
}

/* Names the set of a checkpoint that this set does not have. */
static void
unknown_base(const RfpExport *export, const char *name, GError **error)
{
    g_autofree char *directory = rfp_text_shell(export->options->directory);
    const char *other = set_of_checkpoint(export, name);

    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the set '%s' has no point '%s' that could be a base"),
                  export->options->directory, name);
    rfp_error_add_object(error, name);
    if (other != NULL)
        rfp_error_add_way_out(error,
                              _("that point was exported to the set "
                                "with the GUID %s; use --base auto"),
                              other);
    else
        rfp_error_add_way_out(error,
                              _("see what it has with: virt-refpoint "
                                "catalog %s"),
                              directory);
}

gboolean
rfp_export_find_base(RfpExport *export, GError **error)
{
    if (!wants_base(export))
        return TRUE;
    if (export->bases != NULL)
        export->base =
            rfp_export_set_resolve(export->bases, export->options->base);
    if (export->base != NULL)
        return TRUE;
    if (export->bases == NULL ||
        rfp_export_set_check_known(export->bases, export->options->base, error))
        unknown_base(export, export->options->base, error);
    return FALSE;
}

static gboolean
decide_explicit(RfpExportDisk *disk, GError **error)
{
    const RefpointExportOptions *options = disk->member->export->options;
    const RfpPlanCandidate *candidate =
        disk->candidates->len > 0
            ? &g_array_index(disk->candidates, RfpPlanCandidate, 0)
            : NULL;

    disk->decision =
        rfp_plan_explicit(&disk->state, candidate, options->max_chain);
    if (disk->decision.mode != REFPOINT_MODE_LEFT_OUT || !disk->state.wanted ||
        disk->state.unusable != RFP_REASON_NONE)
        return TRUE;
    rfp_error_set(error,
                  disk->decision.reason == RFP_REASON_OTHER_BASE ||
                          disk->decision.reason == RFP_REASON_NEWER
                      ? REFPOINT_ERROR_NOT_SUPPORTED
                      : REFPOINT_ERROR_INVALID_STATE,
                  _("point '%s' cannot be the base of disk '%s': %s"),
                  options->base, disk->state.target,
                  rfp_plan_reason_text(disk->decision.reason));
    rfp_error_add_object(error, disk->state.target);
    rfp_error_add_way_out(error, _("use --base auto, which exports in full "
                                   "what has no usable base"));
    return FALSE;
}

gboolean
rfp_export_decide(RfpExportDisk *disk, GError **error)
{
    const RfpExportMember *member = disk->member;
    const RfpExport *export = member->export;
    gboolean none = g_strcmp0(export->options->base, "none") == 0;

    if (member->origin->keeps && export->bases == NULL
            ? !look_at_notes(disk, error)
            : !look_at_candidates(disk, error))
        return FALSE;
    if (wants_base(export))
        return decide_explicit(disk, error);
    disk->decision =
        rfp_plan_auto(&disk->state,
                      (const RfpPlanCandidate *)(void *)disk->candidates->data,
                      disk->candidates->len, none, export->options->max_chain);
    if (disk->decision.reason == RFP_REASON_FIRST && export->bases != NULL &&
        rfp_export_set_count_newer(export->bases) > 0)
        disk->decision.reason = RFP_REASON_NEWER;
    return TRUE;
}
