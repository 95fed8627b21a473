/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-plan.h"
#include "base/names.h"
#include "base/text.h"
#include "export/export-base.h"
#include "export/export-group.h"
#include "export/origin-push.h"
#include "export/tracking.h"
#include "set/set-points.h"

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
check_targets(RfpExportMember *member, char **targets, GError **error)
{
    for (; targets != NULL && *targets != NULL; targets++) {
        g_autofree char *all = NULL;

        if (rfp_domain_xml_disk(member->domain_xml, *targets) != NULL)
            continue;
        all = join_targets(member->domain_xml);
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("domain '%s' has no disk '%s'"),
                      member->operation.domain->name, *targets);
        rfp_error_add_object(error, *targets);
        rfp_error_add_way_out(error, _("its disks are: %s"), all);
        return FALSE;
    }
    return TRUE;
}

/* ---- Disks --------------------------------------------------------------- */

static RfpExportDisk *
add_disk(RfpExportMember *member, RfpDomainDisk *domain_disk)
{
    const RefpointExportOptions *options = member->export->options;
    const char *const *wanted = (const char *const *)member->wanted;
    const char *const *unwanted = (const char *const *)member->unwanted;
    RfpExportDisk *disk = rfp_export_add_disk(member, domain_disk);
    RfpPlanDisk *state = &disk->state;

    rfp_domain_identify_source(&domain_disk->source);
    state->target = domain_disk->target;
    state->unusable =
        rfp_tracking_unusable(domain_disk, options->allow_plaintext);
    state->untracked =
        rfp_tracking_refusal(member->operation.domain, domain_disk);
    state->wanted = (wanted == NULL || listed(wanted, domain_disk->target)) &&
                    !listed(unwanted, domain_disk->target);
    state->source = &domain_disk->source;
    if (member->origin->look_at_disk != NULL)
        member->origin->look_at_disk(disk);
    return disk;
}

/* How much of the disk there is to read: of kept data what there was at the
 * point. */
static gboolean
look_at_amount(RfpExportDisk *disk, GError **error)
{
    guint64 allocation = 0;

    if (!rfp_domain_disk_size(disk->member->operation.domain,
                              disk->state.target, &disk->state.size,
                              &allocation, error))
        return FALSE;
    if (disk->amount_known)
        allocation = disk->kept_allocation;
    disk->allocation = MIN(allocation, disk->state.size);
    disk->report->size = disk->state.size;
    disk->report->estimate = disk->allocation;
    return TRUE;
}

/* What was asked for by name must not be left out in silence. */
static gboolean
check_wanted(const RfpExportDisk *disk, GError **error)
{
    const RfpExportMember *member = disk->member;

    if (!listed((const char *const *)member->wanted, disk->state.target) ||
        disk->state.unusable == RFP_REASON_NONE)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("disk '%s' of domain '%s' cannot be exported: %s"),
                  disk->state.target, member->operation.domain->name,
                  rfp_plan_reason_text(disk->state.unusable));
    rfp_error_add_object(error, disk->state.target);
    if (disk->state.unusable == RFP_REASON_ENCRYPTED)
        rfp_error_add_way_out(error, _("allow its content to be written "
                                       "unencrypted: --allow-plaintext"));
    return FALSE;
}

static gboolean
look_at_disks(RfpExportMember *member, GError **error)
{
    const GPtrArray *disks = member->domain_xml->disks;

    for (guint i = 0; i < disks->len; i++) {
        RfpExportDisk *disk = add_disk(member, g_ptr_array_index(disks, i));

        if (!check_wanted(disk, error))
            return FALSE;
        if (disk->state.unusable != RFP_REASON_NONE || !disk->state.wanted)
            continue;
        if (!look_at_amount(disk, error))
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
warn_of(const RfpExportDisk *disk)
{
    RefpointJob *job = disk->member->export->job;
    RfpReason reason = disk->decision.reason;

    if (disk->decision.mode == REFPOINT_MODE_FULL && is_unexpected(reason))
        rfp_job_warn(job, RFP_WARNING_FULL_INSTEAD_OF_INCREMENT, disk->name,
                     _("disk '%s' is exported in full: %s"), disk->name,
                     rfp_plan_reason_text(reason));
    if (disk->decision.mode == REFPOINT_MODE_LEFT_OUT && is_missed(reason))
        rfp_job_warn(job, RFP_WARNING_DISK_LEFT_OUT, disk->name,
                     _("disk '%s' is left out: %s"), disk->name,
                     rfp_plan_reason_text(reason));
}

/* ---- A point of earlier -------------------------------------------------- */

static gboolean
same_disks(RfpExportMember *member, RfpSetPoint *point)
{
    const char *uuid = member->operation.domain->uuid;

    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);
        gboolean has =
            rfp_set_point_disk(point, uuid, disk->state.target) != NULL;

        if (has != rfp_export_takes(disk))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_already(RfpExportMember *member, GError **error)
{
    RfpExport *export = member->export;
    RfpSetPoint *point = export->bases != NULL && !member->origin->makes_point
                             ? rfp_export_set_find(export->bases, export->guid)
                             : NULL;

    if (point == NULL)
        return export->bases == NULL || member->origin->makes_point ||
               rfp_export_set_check_known(export->bases, export->guid, error);
    if (!same_disks(member, point)) {
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

static RefpointConsistency
consistency_of(const RfpExportMember *member)
{
    const RfpExport *export = member->export;
    RfpMetadataPoint *note = NULL;

    if (export->already)
        return rfp_export_set_find(export->bases, export->guid)
            ->manifest->consistency;
    note = rfp_metadata_find(member->notes, export->guid);
    return note != NULL ? note->consistency : REFPOINT_CONSISTENCY_UNKNOWN;
}

/* It is what it was made: freezing comes too late. */
static gboolean
check_consistency(const RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;

    if (member->origin->makes_point ||
        export->options->quiesce != REFPOINT_QUIESCE_REQUIRED ||
        consistency_of(member) == REFPOINT_CONSISTENCY_APPLICATION)
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
check_any(RfpExportMember *member, GError **error)
{
    const char *name = member->operation.domain->name;
    g_autoptr(GString) why = g_string_new(NULL);

    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

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
    const GPtrArray *points =
        export->bases != NULL ? export->bases->points : NULL;

    for (guint i = 0; points != NULL && i < points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(points, i);

        if (point->newer != NULL)
            rfp_job_warn(export->job, RFP_WARNING_NEWER_POINT, point->folder,
                         _("point '%s' of the set cannot be a base: %s"),
                         point->folder, point->newer);
        else if (point->manifest == NULL)
            rfp_job_warn(export->job, RFP_WARNING_DAMAGED_POINT, point->folder,
                         _("point '%s' of the set is damaged: "
                           "%s"),
                         point->folder, point->damage);
    }
}

static gboolean
look_at_points(RfpExportMember *member, GError **error)
{
    member->checkpoints =
        rfp_checkpoint_list(member->operation.domain, FALSE, error);
    if (member->checkpoints == NULL)
        return FALSE;
    member->notes = rfp_metadata_load(member->operation.domain, error);
    return member->notes != NULL;
}

static gboolean
decide(RfpExportMember *member, GError **error)
{
    if (!look_at_disks(member, error))
        return FALSE;
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (!rfp_export_decide(disk, error))
            return FALSE;
        warn_of(disk);
    }
    rfp_export_report_plan(member);
    return TRUE;
}

/* What was decided, and what of it can be done. */
static gboolean
check(RfpExportMember *member, GError **error)
{
    if (!check_any(member, error) || !check_already(member, error))
        return FALSE;
    if (member->export->already)
        return check_consistency(member, error);
    return rfp_origin_choose_push(member, error) &&
           check_consistency(member, error) &&
           (member->origin->check == NULL ||
            member->origin->check(member, error));
}

static gboolean
find_point(RfpExportMember *member, GError **error)
{
    return check_targets(member, member->wanted, error) &&
           check_targets(member, member->unwanted, error) &&
           member->origin->find_point(member, error);
}

static gboolean
decide_and_check(RfpExportMember *member, GError **error)
{
    return decide(member, error) && check(member, error);
}

gboolean
rfp_export_plan(RfpExport *export, GError **error)
{
    if (!rfp_export_each(export, look_at_points, error))
        return FALSE;
    warn_damaged_points(export);
    rfp_export_warn_changed(export);
    return rfp_export_each(export, find_point, error) &&
           rfp_export_find_base(export, error) &&
           rfp_export_each(export, decide_and_check, error);
}
