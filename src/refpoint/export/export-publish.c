/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-publish.h"
#include "base/names.h"
#include "base/text.h"
#include "export/export-state.h"
#include "set/set-points.h"
#include "set/set-publish.h"

#include <string.h>

/* ---- Files of the VM ----------------------------------------------------- */

static gboolean
write_text(RfpExportMember *member,
           const char *role,
           const char *name,
           const char *text,
           GError **error)
{
    g_autofree char *path = NULL;
    RfpManifestFile *file = rfp_export_add_file(member, role, name, &path);

    file->size = strlen(text);
    rfp_sha256(text, file->size, file->sha256);
    return rfp_files_stage(&member->export->set->folder, path, text, file->size,
                           0400, error);
}

/* The configuration is that of the moment: from inside the checkpoint. A domain
 * whose disks are all untracked has none; its live one stands in. */
static char *
domain_at_point(RfpExportMember *member, GError **error)
{
    g_autofree char *inside = NULL;

    if (member->checkpoint_xml_text != NULL) {
        inside = rfp_checkpoint_xml_domain(member->checkpoint_xml_text, error);
        if (inside == NULL && *error != NULL)
            return NULL;
    }
    return rfp_domain_xml_strip(inside != NULL ? inside : member->domain_text,
                                error);
}

/* NULL with no error: there is none, or none that is of the point. One that was
 * made before is of a moment that may be long ago; this is of now. */
static char *
inactive_now(RfpExportMember *member, GError **error)
{
    RfpDomain *domain = member->operation.domain;
    g_autofree char *text = NULL;

    if (!member->origin->makes_point || !rfp_domain_is_persistent(domain))
        return NULL;
    text = rfp_domain_xml_text(domain, TRUE, NULL, error);
    return text != NULL ? rfp_domain_xml_strip(text, error) : NULL;
}

static gboolean
write_inactive(RfpExportMember *member, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *text = inactive_now(member, &local);
    const char *name = member->operation.domain->name;

    if (text == NULL) {
        if (local == NULL)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (g_strcmp0(text, member->inactive_before) != 0)
        rfp_job_warn(member->operation.job, RFP_WARNING_GUEST_STATE_LATER, name,
                     _("the persistent configuration of domain '%s' was "
                       "changed while the point was made: the export may have "
                       "it as it was a moment later"),
                     name);
    return write_text(member, "config-inactive", "domain-inactive.xml", text,
                      error);
}

void
rfp_export_look_beside(RfpExportMember *member)
{
    rfp_export_look_at_state(member);
    member->inactive_before = inactive_now(member, NULL);
}

static gboolean
take_files_of(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    g_autofree char *config = domain_at_point(member, error);
    g_autofree char *dir =
        g_build_filename(export->partial, member->vm_folder, NULL);

    member->manifest_vm = rfp_manifest_add_vm(export->manifest);
    if (config == NULL ||
        !rfp_files_stage_dirs(&export->set->folder, dir, error) ||
        !write_text(member, "config", "domain.xml", config, error) ||
        !write_inactive(member, error))
        return FALSE;
    if (member->checkpoint_xml_text != NULL &&
        !write_text(member, "runtime", "checkpoint.xml",
                    member->checkpoint_xml_text, error))
        return FALSE;
    return rfp_export_take_state(member, error);
}

gboolean
rfp_export_take_files(RfpExport *export, GError **error)
{
    export->manifest = rfp_manifest_new();
    return rfp_export_each(export, take_files_of, error);
}

/* ---- Manifest ------------------------------------------------------------ */

static void
describe_disk(const RfpExportDisk *disk, RfpManifestDisk *entry)
{
    const RefpointExportOptions *options = disk->member->export->options;

    entry->target = g_strdup(disk->state.target);
    entry->mode = disk->decision.mode;
    if (disk->decision.reason != RFP_REASON_NONE)
        entry->reason_id = g_strdup(rfp_plan_reason_id(disk->decision.reason));
    if (entry->mode == REFPOINT_MODE_LEFT_OUT)
        return;
    entry->size = disk->state.size;
    entry->tracked = disk->state.untracked == RFP_REASON_NONE;
    entry->plaintext = disk->disk->encrypted && options->allow_plaintext;
    rfp_disk_source_copy(disk->state.source, &entry->source);
    entry->image = g_strdup(disk->image);
    entry->image_size = disk->image_size;
    entry->stored = disk->report->stored;
    entry->compress = options->compress;
    entry->digests = g_strdup(disk->digests);
    entry->digests_size = disk->digests_size;
    memcpy(entry->digests_sha256, disk->digests_sha256, RFP_LEAF_SIZE);
    memcpy(entry->view, disk->view, RFP_LEAF_SIZE);
    entry->audit = disk->report->audit;
    entry->audited = disk->report->audited;
    if (entry->mode != REFPOINT_MODE_INCREMENT)
        return;
    entry->base_guid = g_strdup(disk->decision.base->guid);
    memcpy(entry->base_view,
           rfp_digest_file_view(g_ptr_array_index(disk->base_digests, 0)),
           RFP_LEAF_SIZE);
}

/* So that no file of the set can change unseen; the newest manifest has only
 * its seal. */
static void
vouch(const RfpExport *export, const RfpSetPoint *before, RfpManifest *manifest)
{
    manifest->vouches = TRUE;
    memcpy(manifest->set_file_sha256, export->set->file_sha256, RFP_LEAF_SIZE);
    if (before != NULL)
        memcpy(manifest->parent_sha256, before->sha256, RFP_LEAF_SIZE);
}

static void
describe_member(const RfpExportMember *member)
{
    const RfpDomain *domain = member->operation.domain;
    RfpManifestVm *vm = member->manifest_vm;

    vm->uuid = g_strdup(domain->uuid);
    vm->name = g_strdup(domain->name);
    vm->folder = g_strdup(member->vm_folder);
    vm->secrets_missing = !member->secure;
    if (member->export->group != NULL) {
        vm->consistency = member->consistency;
        vm->frozen_us = member->operation.report->frozen_at;
        vm->begun_us = member->operation.report->begun_at;
        vm->thawed_us = member->operation.report->thawed_at;
    }
    for (guint i = 0; i < member->disks->len; i++)
        describe_disk(g_ptr_array_index(member->disks, i),
                      rfp_manifest_vm_add_disk(vm));
}

static void
describe(const RfpExport *export)
{
    const RfpExportMember *first = g_ptr_array_index(export->members, 0);
    RfpManifest *manifest = export->manifest;
    const RfpSetPoint *before = rfp_export_set_last(export->set);

    manifest->generator = g_strdup(PACKAGE_NAME " " PACKAGE_VERSION);
    manifest->set_guid = g_strdup(export->set->file->guid);
    manifest->sequence =
        before != NULL ? rfp_set_point_sequence(before) + 1 : 1;
    manifest->parent_guid =
        g_strdup(before != NULL ? rfp_set_point_guid(before) : NULL);
    manifest->folder = g_strdup(export->folder);
    manifest->guid = g_strdup(export->guid);
    manifest->consistency = rfp_export_consistency(export);
    manifest->created_us = first->created_us;
    manifest->published_us = g_get_real_time();
    manifest->frozen_us = export->job->report.frozen_us;
    if (export->group != NULL) {
        manifest->collection_guid = g_strdup(export->group->guid);
        manifest->collection_name = g_strdup(export->group->name);
        manifest->moment = export->job->report.moment;
        manifest->window_us = export->job->report.window_us;
        manifest->skew_us = export->job->report.skew_us;
    }
    vouch(export, before, manifest);
    for (guint i = 0; i < export->members->len; i++)
        describe_member(g_ptr_array_index(export->members, i));
}

/* What cannot be read back must not be published. */
static gboolean
write_manifest(const RfpExport *export, GError **error)
{
    g_autofree char *text = rfp_manifest_format(export->manifest);
    g_autofree char *path =
        g_build_filename(export->partial, RFP_MANIFEST_FILE, NULL);
    g_autoptr(RfpManifest) again =
        rfp_manifest_parse(text, strlen(text), path, error);

    return again != NULL && rfp_files_stage(&export->set->folder, path, text,
                                            strlen(text), 0400, error);
}

gboolean
rfp_export_fill(RfpExport *export, GError **error)
{
    describe(export);
    return write_manifest(export, error) &&
           rfp_files_sync_tree(&export->set->folder, export->partial, error);
}

/* ---- What goes once it is published -------------------------------------- */

static gboolean
append_destroy(RfpExportMember *member,
               const char *name,
               const char *guid,
               GError **error)
{
    return rfp_record_append(member->operation.record, error, RFP_STEP_DESTROY,
                             name, guid, NULL);
}

/* --replace-base: the bases, and bases that could not be used any more. */
static gboolean
destroy_bases(RfpExportMember *member, GHashTable *seen, GError **error)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);
        const RfpPlanCandidate *base = disk->decision.base;

        if (base == NULL && disk->candidates->len > 0)
            base = &g_array_index(disk->candidates, RfpPlanCandidate, 0);
        if (!rfp_export_takes(disk) || base == NULL || !base->alive ||
            base->newer || !g_hash_table_add(seen, g_strdup(base->guid)))
            continue;
        if (!append_destroy(member, base->name, base->guid, error))
            return FALSE;
    }
    return TRUE;
}

/* Was it made for this set? One that was made for none is this set's if it was
 * exported to it. */
static gboolean
is_of_set(RfpExportSet *set, const RfpCheckpointXml *checkpoint)
{
    if (checkpoint->guid == NULL)
        return FALSE;
    if (checkpoint->set_guid != NULL)
        return rfp_guid_equal(checkpoint->set_guid, set->file->guid);
    return rfp_export_set_find(set, checkpoint->guid) != NULL;
}

/* A checkpoint whose point this program is too old for is not let go. */
static gboolean
is_newer(const RfpExport *export, const char *guid)
{
    return rfp_export_set_find(export->set, guid) == NULL &&
           rfp_export_set_find_newer(export->set, guid) != NULL;
}

/* --keep-points: what was made for this set and never exported to it, too. The
 * point of this export counts as the newest. */
static gboolean
destroy_old(RfpExportMember *member, GHashTable *seen, GError **error)
{
    const RfpExport *export = member->export;
    guint keep = export->options->keep_points;
    guint live = 1;

    for (guint i = member->checkpoints->len; i > 0; i--) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(member->checkpoints, i - 1);

        if (!is_of_set(export->set, checkpoint) ||
            rfp_guid_equal(checkpoint->guid, export->guid) || ++live <= keep ||
            is_newer(export, checkpoint->guid) ||
            !g_hash_table_add(seen, g_strdup(checkpoint->guid)))
            continue;
        if (!append_destroy(member, checkpoint->name, checkpoint->guid, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
record_intents(RfpExportMember *member, GError **error)
{
    const RefpointExportOptions *options = member->export->options;
    g_autoptr(GHashTable) seen =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    if (options->replace_base && !destroy_bases(member, seen, error))
        return FALSE;
    if (options->keep_points > 0 && !destroy_old(member, seen, error))
        return FALSE;
    return g_hash_table_size(seen) == 0 ||
           rfp_record_sync(member->operation.record, error);
}

gboolean
rfp_export_publish(RfpExport *export, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    if (!rfp_job_finish_reading(export->job, error))
        return FALSE;
    if (!rfp_export_each(export, record_intents, error) ||
        !rfp_job_check(export->job, error))
        return FALSE;
    export->publishing = TRUE;
    if (!rfp_export_set_publish(export->set, export->partial, export->folder,
                                error))
        return FALSE;
    if (rfp_export_set_sync(export->set, &local))
        return TRUE;
    export->unsynced = TRUE;
    failure = refpoint_failure_new(local);
    rfp_job_warn(export->job, RFP_WARNING_SYNC_FAILED, export->set->path,
                 _("the point is published, but its set cannot be synced (%s): "
                   "a power failure now could lose it, so nothing older is let "
                   "go; see to the storage, the next call tries again"),
                 failure->message);
    return TRUE;
}
