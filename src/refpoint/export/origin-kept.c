/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/origin-kept.h"
#include "base/names.h"
#include "base/text.h"
#include "export/export-space.h"
#include "export/origin-job.h"
#include "export/origin-point.h"
#include "operation/undo.h"

#define POLL_US (50 * 1000)
/* How long libvirt may take from the end of the server to that of the job. */
#define GONE_US (2 * G_USEC_PER_SEC)

/* ---- The plan ------------------------------------------------------------ */

/* The checkpoint that the data was kept with, not one that was made since. */
static gboolean
find_point(RfpExportMember *member, GError **error)
{
    const RfpKept *kept = member->operation.kept;
    const RfpExport *export = member->export;
    g_autoptr(RfpCheckpointXml) then = NULL;

    if (!rfp_origin_point_find(member, error))
        return FALSE;
    then = rfp_checkpoint_xml_parse(kept->xml, error);
    if (then == NULL)
        return FALSE;
    if (rfp_guid_equal(kept->guid, export->guid) &&
        then->created == member->point->created)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the checkpoint of point '%s' was deleted and made again "
                    "after its data was kept"),
                  export->name);
    rfp_error_add_object(error, export->name);
    rfp_error_add_way_out(error,
                          _("let the data go with: virt-refpoint remove-data "
                            "%s %s; then export a new point"),
                          member->operation.domain->shell_name, kept->guid);
    return FALSE;
}

/* The job decided long ago which disks it serves, and from which base. */
static void
look_at_disk(RfpExportDisk *disk)
{
    const RfpExportMember *member = disk->member;
    const RfpKept *kept = member->operation.kept;
    RfpPlanDisk *state = &disk->state;
    gboolean served = rfp_kept_disk(kept, state->target, &disk->fixed_base);
    const RfpCheckpointDisk *tracked =
        rfp_checkpoint_xml_disk(member->point, state->target);

    disk->base_fixed = TRUE;
    if (state->unusable == RFP_REASON_NONE && !served)
        state->unusable = RFP_REASON_NOT_IN_POINT;
    /* QEMU may have refused what seemed possible */
    if (state->untracked == RFP_REASON_NONE &&
        !(tracked != NULL && tracked->tracked))
        state->untracked = RFP_REASON_UNTRACKED;
    disk->begun_increment = disk->fixed_base != NULL;
    disk->amount_known =
        rfp_kept_amount(kept, state->target, &disk->kept_allocation,
                        &disk->kept_changed);
}

/* No scratch file is needed any more, but what is exported must not take the
 * room of those that keep the data. */
static gboolean
check_room(RfpExportMember *member,
           const RfpSpace *set,
           guint64 need G_GNUC_UNUSED,
           guint64 least,
           GError **error)
{
    const RfpStep *step =
        rfp_record_find(member->operation.kept->record, RFP_STEP_SCRATCH);
    g_autofree char *dir =
        step != NULL ? g_path_get_dirname(step->args[0]) : NULL;
    RfpSpace scratch = {0};
    guint64 wanted = 0;

    if (dir == NULL || !rfp_space_of(dir, &scratch, error))
        return dir == NULL;
    wanted = least + rfp_space_reserve(&scratch);
    if (set->device != scratch.device || set->free >= wanted)
        return TRUE;
    rfp_export_set_no_room(member->export->options->directory, wanted,
                           set->free, error);
    rfp_error_add_way_out(error, _("the scratch files of the point are on the "
                                   "same file system and need their reserve: "
                                   "make room, or use another directory"));
    return FALSE;
}

/* ---- The begin ----------------------------------------------------------- */

static gboolean
choose(RfpExportMember *member, GError **error G_GNUC_UNUSED)
{
    member->job_mark = g_strdup(member->operation.kept->socket_path);
    return TRUE;
}

/* What was kept for its first export goes with that. */
static gboolean
record(RfpExportMember *member, GError **error)
{
    return member->operation.kept->keep != REFPOINT_KEEP_FIRST ||
           rfp_record_append(member->operation.record, error, RFP_STEP_RELEASE,
                             NULL);
}

static gboolean
take_checkpoint(RfpExportMember *member, GError **error G_GNUC_UNUSED)
{
    member->checkpoint_xml_text = g_strdup(member->operation.kept->xml);
    return TRUE;
}

/* ---- The data ------------------------------------------------------------ */

static gboolean
prove(RfpExportMember *member, GError **error G_GNUC_UNUSED)
{
    rfp_origin_point_consistency(member);
    return TRUE;
}

/* Its time does not count while it is being exported. */
static gboolean
watch(RfpExportMember *member, GError **error)
{
    const char *limit = rfp_kept_limit(member->operation.kept, NULL);
    const char *name = member->export->name;

    if (g_strcmp0(limit, RFP_ENDED_SCRATCH) != 0)
        return rfp_origin_job_watch_guest(member, error);
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("the data of point '%s' is not kept any more, %s"), name,
                  rfp_kept_ended_text(limit));
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error, _("export a new point, make room, or give "
                                   "the next one more"));
    return FALSE;
}

/* libvirt ends the server a moment before the job. */
static gboolean
is_gone(RfpExportMember *member, GError **error)
{
    const RfpOperation *operation = &member->operation;
    gint64 end = g_get_monotonic_time() + GONE_US;
    gboolean known = TRUE;
    gboolean runs = FALSE;

    while ((known = rfp_kept_runs(operation->domain, operation->kept, &runs,
                                  NULL)) &&
           runs && g_get_monotonic_time() < end)
        g_usleep(POLL_US);
    if (!known || runs)
        return FALSE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the data of point '%s' is not kept any more, %s"),
                  member->export->name, rfp_kept_ended_text(RFP_ENDED_STOPPED));
    rfp_error_add_way_out(error, _("export a new point"));
    return TRUE;
}

/* It ends only where the watch has found that it cannot go on. */
static void
stop(RfpExportMember *member, const GError *cause)
{
    RfpOperation *operation = &member->operation;
    const char *limit = NULL;

    if (!rfp_operation_close_job(operation) || cause == NULL)
        return;
    limit = rfp_kept_limit(operation->kept, NULL);
    rfp_undo_kept(operation->domain, operation->kept,
                  limit != NULL ? limit : RFP_ENDED_STOPPED, NULL);
}

static gboolean
check_served(RfpExportMember *member, GError **error)
{
    return rfp_origin_job_check_served_by(member, TRUE, error);
}

/* What is kept for others to export goes later, with the rest of it. */
static gboolean
ask_end(RfpExportMember *member)
{
    rfp_operation_close_job(&member->operation);
    return FALSE;
}

const RfpOrigin rfp_origin_kept = {
    .cannot_push = N_("nobody can read what it held at that point"),
    .cannot_push_way_out = N_("export a new point (without --point)"),
    .find_point = find_point,
    .look_at_disk = look_at_disk,
    .check_room = check_room,
    .choose = choose,
    .record = record,
    .take_checkpoint = take_checkpoint,
    .open_disk = rfp_origin_job_open_disk,
    .prove = prove,
    .watch = watch,
    .is_gone = is_gone,
    .stop = stop,
    .check_served = check_served,
    .ask_end = ask_end,
};
