/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/keep.h"
#include "base/text.h"
#include "export/export-begin.h"
#include "export/export-plan.h"
#include "export/export-space.h"
#include "export/origin-job.h"
#include "operation/operation-lock.h"
#include "operation/operation-undo.h"

#include <inttypes.h>

typedef struct {
    const RefpointCreateOptions *options; /* borrowed */
    RefpointExportOptions plan;           /* as an export would be begun */
    RfpExport export;                     /* into no set */
    RfpExportMember *member;              /* its only one, borrowed */
    guint64 scratch_max;
} Keep;

/* ---- The job, which goes on behind this ---------------------------------- */

static gboolean
prepare_kept(RfpExportMember *member, GError **error)
{
    if (!rfp_origin_job_make_scratch(member, error))
        return FALSE;
    rfp_origin_job_note(member, REFPOINT_STATE_TRACKED, FALSE);
    return TRUE;
}

static gboolean
prepare_held(RfpExportMember *member, GError **error)
{
    if (!rfp_origin_job_make_scratch(member, error))
        return FALSE;
    rfp_origin_job_note(member, REFPOINT_STATE_TRACKED, TRUE);
    return TRUE;
}

/* What is kept for long may see a paused guest resumed. */
#define ORIGIN(note)                                                           \
    {                                                                          \
        .makes_point = TRUE, .keeps = TRUE,                                    \
        .cannot_push = N_("nobody could read the data that is kept"),          \
        .cannot_push_way_out =                                                 \
            N_("make a point that keeps no data (--track-only), or point and " \
               "export in one step: virt-refpoint export %s DIRECTORY"),       \
        .find_point = rfp_origin_job_find_point,                               \
        .choose = rfp_origin_job_choose,                                       \
        .record = rfp_origin_job_record_resumed, .prepare = note,              \
        .begin = rfp_origin_job_begin,                                         \
        .take_checkpoint = rfp_origin_job_take_checkpoint,                     \
    }

static const RfpOrigin origin_first = ORIGIN(prepare_kept);
static const RfpOrigin origin_hold = ORIGIN(prepare_held);

/* ---- Before the begin ---------------------------------------------------- */

/* Only looked at: nothing is written to it until the export. */
static gboolean
look_at_set(Keep *keep, GError **error)
{
    const RfpSetOwner owner = rfp_export_owner(&keep->export);
    gboolean fresh = FALSE;
    g_autoptr(GError) local = NULL;

    if (keep->options->directory == NULL)
        return TRUE;
    keep->export.bases =
        rfp_export_set_peek(keep->options->directory, &owner, &fresh, &local);
    if (local == NULL)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* No more than the disks can take, and half of what is free: the other half is
 * for the unforeseen. */
static gboolean
choose_limit(Keep *keep, GError **error)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(&keep->export);
    RfpSpace space = {0};
    guint64 size = 0;

    if (!rfp_export_check_scratch(keep->member, 0, error) ||
        !rfp_space_of(rfp_export_scratch_dir(keep->member), &space, error))
        return FALSE;
    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);

        size += disk->state.size;
    }
    keep->scratch_max = keep->options->scratch_max ? keep->options->scratch_max
                                                   : MIN(size, space.free / 2);
    return TRUE;
}

static gboolean
is_free(gpointer opaque, GError **error)
{
    RfpExportMember *member = opaque;

    return rfp_operation_check_free(&member->operation, error);
}

static gboolean
prepare(Keep *keep, GError **error)
{
    RfpExportMember *member = keep->member;
    RfpOperation *operation = &member->operation;

    return rfp_export_member_look(member, error) &&
           rfp_operation_lock_free(operation, is_free, member, error) &&
           (!operation->waited || rfp_export_member_look(member, error)) &&
           rfp_operation_start_guard(operation, error) &&
           look_at_set(keep, error) && rfp_export_plan(&keep->export, error) &&
           rfp_export_check_tracks(member, error) && choose_limit(keep, error);
}

/* ---- The begin, and what it leaves --------------------------------------- */

/* Later only what changed until then can be asked for. Asked behind the begin:
 * the freeze writes a good part of it. Without an answer there is no note. */
static gboolean
record_amount(Keep *keep, const RfpExportDisk *disk, GError **error)
{
    RfpOperation *operation = &keep->member->operation;
    const char *target = disk->state.target;
    guint64 size = 0;
    guint64 allocation = 0;
    guint64 changed = 0;
    g_autofree char *allocation_text = NULL;
    g_autofree char *changed_text = NULL;

    if (!rfp_domain_disk_size(operation->domain, target, &size, &allocation,
                              NULL) ||
        (disk->begun_increment &&
         !rfp_checkpoint_changed(operation->domain, disk->decision.base->name,
                                 target, &changed)))
        return TRUE;
    allocation_text = g_strdup_printf("%" PRIu64, MIN(allocation, size));
    changed_text = g_strdup_printf("%" PRIu64, changed);
    return rfp_record_append(operation->record, error, RFP_STEP_AMOUNT, target,
                             allocation_text, changed_text, NULL);
}

static gboolean
record_disk(Keep *keep, const RfpExportDisk *disk, GError **error)
{
    const char *base = disk->begun_increment ? disk->decision.base->guid : "";

    return rfp_record_append(keep->member->operation.record, error,
                             RFP_STEP_BASE, disk->state.target, base, NULL) &&
           record_amount(keep, disk, error);
}

static gboolean
record_point(Keep *keep, GError **error)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(&keep->export);

    for (guint i = 0; i < taken->len; i++)
        if (!record_disk(keep, g_ptr_array_index(taken, i), error))
            return FALSE;
    return rfp_record_append(keep->member->operation.record, error,
                             RFP_STEP_POINT, keep->member->checkpoint_xml_text,
                             NULL);
}

/* The entry that was made before the freeze does not know what came of it. */
static void
note_consistency(const RfpExportMember *member)
{
    RfpDomain *domain = member->operation.domain;
    g_autoptr(GPtrArray) notes = rfp_metadata_load(domain, NULL);
    RfpMetadataPoint *note =
        notes != NULL ? rfp_metadata_find(notes, member->export->guid) : NULL;
    RfpMetadataPoint *again = NULL;

    if (note == NULL || note->consistency == member->consistency)
        return;
    again = rfp_metadata_point_new(note->guid, note->name);
    again->set_guid = g_strdup(note->set_guid);
    again->group_guid = g_strdup(note->group_guid);
    again->state = note->state;
    again->held = note->held;
    again->consistency = member->consistency;
    for (guint i = 0; i < note->disks->len; i++) {
        RfpMetadataDisk *disk = g_ptr_array_index(note->disks, i);

        rfp_metadata_point_add_disk(again, disk->target, disk->size,
                                    &disk->source);
    }
    rfp_metadata_update(domain, NULL, again, NULL, NULL);
}

static void
report(Keep *keep)
{
    const RfpExport *export = &keep->export;
    RefpointReport *report = &export->job->report;

    rfp_export_report_plan(keep->member);
    report->changed = TRUE;
    report->point_name = g_strdup(export->name);
    report->point_guid = g_strdup(export->guid);
    report->consistency = keep->member->consistency;
    keep->member->operation.report->consistency = report->consistency;
}

/* Its record is in the past by then: what is left of it goes by hand. */
static gboolean
hand_over(Keep *keep, GError **error)
{
    const RfpExport *export = &keep->export;
    RfpOperation *operation = &keep->member->operation;
    gboolean hold = keep->options->keep == REFPOINT_KEEP_HOLD;
    guint seconds = keep->options->keep_seconds ? keep->options->keep_seconds
                                                : REFPOINT_KEEP_SECONDS;
    gint64 until = hold ? 0 : rfp_kept_now() + (gint64)seconds;

    if (rfp_operation_keep(operation, keep->options->keep, until,
                           keep->scratch_max, error))
        return TRUE;
    if (operation->record->steps->len == 0) {
        rfp_checkpoint_delete(operation->domain, export->name, export->guid,
                              NULL);
        rfp_metadata_update(operation->domain, NULL, NULL, export->guid, NULL);
    }
    return FALSE;
}

static gboolean
run(Keep *keep, GError **error)
{
    RfpExport *export = &keep->export;
    RfpOperation *operation = &keep->member->operation;

    if (!prepare(keep, error))
        return FALSE;
    if (!rfp_export_begin(export, error) || !record_point(keep, error) ||
        !rfp_job_check(export->job, error) ||
        !rfp_operation_watch(operation, error) || !hand_over(keep, error)) {
        rfp_operation_explain(operation, error);
        rfp_operation_undo(operation, NULL);
        return FALSE;
    }
    note_consistency(keep->member);
    report(keep);
    return TRUE;
}

gboolean
rfp_keep_create(RefpointConnection *conn,
                const RefpointCreateOptions *options,
                RefpointJob *job,
                GError **error)
{
    gboolean hold = options->keep == REFPOINT_KEEP_HOLD;
    Keep keep = {.options = options,
                 .plan = REFPOINT_EXPORT_OPTIONS_INIT,
                 .export.job = job};
    gboolean done = FALSE;

    keep.plan.domain = options->domain;
    keep.plan.directory = options->directory;
    keep.plan.create = options->name;
    keep.plan.base = hold && options->directory == NULL ? "none" : "auto";
    keep.plan.quiesce = options->quiesce;
    keep.plan.allow_plaintext = options->allow_plaintext;
    keep.export.options = &keep.plan;
    if (rfp_export_take_scratch_dir(&keep.export, options->scratch_dir, error))
        keep.member =
            rfp_export_add_member(&keep.export, conn, options->domain, error);
    if (keep.member != NULL) {
        keep.member->origin = hold ? &origin_hold : &origin_first;
        done = run(&keep, error);
    }
    rfp_export_clear(&keep.export);
    return done;
}
