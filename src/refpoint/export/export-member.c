/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-member.h"
#include "base/names.h"
#include "base/text.h"
#include "export/tracking.h"
#include "set/set-points.h"
#include "virt/domain-end.h"

#include <string.h>

/* ---- The export ---------------------------------------------------------- */

const char *
rfp_export_scratch_dir(const RfpExportMember *member)
{
    const char *chosen = member->export->scratch_dir;

    return chosen != NULL ? chosen : member->operation.conn->scratch_dir;
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

GPtrArray *
rfp_export_taken(const RfpExport *export)
{
    GPtrArray *taken = g_ptr_array_new();

    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);

        for (guint j = 0; j < member->disks->len; j++)
            if (rfp_export_takes(g_ptr_array_index(member->disks, j)))
                g_ptr_array_add(taken, g_ptr_array_index(member->disks, j));
    }
    return taken;
}

gboolean
rfp_export_folder_unreadable(const RfpExport *export, const char *name)
{
    const GPtrArray *points =
        export->bases != NULL ? export->bases->points : NULL;

    for (guint i = 0; points != NULL && i < points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(points, i);

        if (point->manifest == NULL && strcmp(point->folder, name) == 0 &&
            !rfp_guid_equal(point->newer_guid, export->guid))
            return TRUE;
    }
    return FALSE;
}

void
rfp_export_watch_begin(const RfpExport *export)
{
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        member->looked_at = g_get_monotonic_time();
    }
}

gboolean
rfp_export_watch(const RfpExport *export, GError **error)
{
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (member->origin->watch != NULL &&
            !member->origin->watch(member, error))
            return FALSE;
    }
    return TRUE;
}

static void
stop_one(gpointer item)
{
    RfpExportMember *member = item;

    member->origin->stop(member, member->stop_cause);
}

void
rfp_export_stop(const RfpExport *export, const GError *cause)
{
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        member->stop_cause = cause;
    }
    rfp_export_at_once(export->members, stop_one);
}

void
rfp_export_at_once(GPtrArray *members, RfpWorkFunc func)
{
    if (members->len == 1)
        func(g_ptr_array_index(members, 0));
    else if (members->len > 1)
        rfp_work_end(rfp_work_begin(members, func, RFP_EXPORT_AT_ONCE_MAX));
}

gboolean
rfp_export_each(const RfpExport *export,
                gboolean (*func)(RfpExportMember *member, GError **error),
                GError **error)
{
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (!rfp_export_name_member(member, func(member, error), error))
            return FALSE;
    }
    return TRUE;
}

static void
disk_begin_clear(RfpExportDisk *disk)
{
    rfp_export_disk_close_source(disk);
    g_clear_pointer(&disk->scratch, g_free);
    g_clear_pointer(&disk->image, g_free);
    g_clear_pointer(&disk->digests, g_free);
    g_clear_pointer(&disk->sampled, g_free);
    g_clear_pointer(&disk->differing, g_free);
    disk->begun_increment = FALSE;
    disk->copied = FALSE;
    disk->pushed = 0;
    disk->compared = 0;
}

static void
member_begin_clear(RfpExportMember *member)
{
    g_clear_pointer(&member->vm_folder, g_free);
    g_clear_pointer(&member->job_mark, g_free);
    g_clear_pointer(&member->checkpoint_xml_text, g_free);
    g_clear_pointer(&member->state_before, g_hash_table_unref);
    g_clear_pointer(&member->inactive_before, g_free);
    member->manifest_vm = NULL;
    member->push_rate = 0;
    member->pushed = FALSE;
    for (guint i = 0; i < member->disks->len; i++)
        disk_begin_clear(g_ptr_array_index(member->disks, i));
}

void
rfp_export_begin_clear(RfpExport *export)
{
    g_clear_pointer(&export->partial, g_free);
    g_clear_pointer(&export->manifest, rfp_manifest_free);
    for (guint i = 0; export->members != NULL && i < export->members->len; i++)
        member_begin_clear(g_ptr_array_index(export->members, i));
}

void
rfp_export_clear(RfpExport *export)
{
    rfp_export_begin_clear(export);
    g_clear_pointer(&export->members, g_ptr_array_unref);
    g_clear_pointer(&export->connections, g_ptr_array_unref);
    g_clear_pointer(&export->group, rfp_group_note_free);
    if (export->bases != export->set)
        rfp_export_set_close(export->bases);
    rfp_export_set_close(export->set);
    g_free(export->guid);
    g_free(export->name);
    g_free(export->folder);
    g_free(export->scratch_dir);
}

RfpSetOwner
rfp_export_owner(const RfpExport *export)
{
    const RfpExportMember *first = g_ptr_array_index(export->members, 0);
    const RfpDomain *domain = first->operation.domain;
    const RfpGroupNote *group = export->group;

    return group != NULL ? (RfpSetOwner){TRUE, group->guid, group->name}
                         : (RfpSetOwner){FALSE, domain->uuid, domain->name};
}

RefpointConsistency
rfp_export_consistency(const RfpExport *export)
{
    RefpointConsistency least = REFPOINT_CONSISTENCY_APPLICATION;

    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (member->consistency == REFPOINT_CONSISTENCY_UNKNOWN)
            return REFPOINT_CONSISTENCY_UNKNOWN;
        if (member->consistency == REFPOINT_CONSISTENCY_CRASH)
            least = REFPOINT_CONSISTENCY_CRASH;
    }
    return least;
}

gboolean
rfp_export_name_member(const RfpExportMember *member,
                       gboolean done,
                       GError **error)
{
    const char *name = member->operation.domain->name;

    if (done || member->export->group == NULL)
        return done;
    rfp_error_prefix(error, _("member '%s'"), name);
    rfp_error_add_object(error, name);
    return FALSE;
}

/* ---- A member ------------------------------------------------------------ */

static void
member_free(gpointer data)
{
    RfpExportMember *member = data;

    g_ptr_array_unref(member->disks);
    rfp_operation_clear(&member->operation);
    g_clear_pointer(&member->checkpoints, g_ptr_array_unref);
    g_clear_pointer(&member->notes, g_ptr_array_unref);
    rfp_domain_xml_free(member->domain_xml);
    g_free(member->domain_text);
    g_strfreev(member->wanted);
    g_strfreev(member->unwanted);
    g_clear_error(&member->error);
    g_free(member);
}

static void
disk_free(gpointer data)
{
    RfpExportDisk *disk = data;

    g_clear_pointer(&disk->copy, rfp_copy_free);
    g_clear_pointer(&disk->digest_writer, rfp_digest_writer_free);
    g_clear_pointer(&disk->writer, rfp_qcow2_writer_free);
    disk_begin_clear(disk);
    g_clear_pointer(&disk->base_digests, g_ptr_array_unref);
    g_clear_pointer(&disk->chain, g_ptr_array_unref);
    g_array_unref(disk->candidates);
    g_clear_error(&disk->error);
    g_free(disk->name);
    g_free(disk);
}

RfpExportMember *
rfp_export_add_member(RfpExport *export,
                      RefpointConnection *conn,
                      const char *domain,
                      GError **error)
{
    RfpExportMember *member = g_new0(RfpExportMember, 1);

    if (export->members == NULL)
        export->members = g_ptr_array_new_with_free_func(member_free);
    g_ptr_array_add(export->members, member);
    member->export = export;
    member->disks = g_ptr_array_new_with_free_func(disk_free);
    member->operation.guard.fd = -1;
    member->operation.leaves_tidying = export->members->len > 1;
    return rfp_operation_open(&member->operation, conn, domain, export->job,
                              error)
               ? member
               : NULL;
}

gboolean
rfp_export_member_look(RfpExportMember *member, GError **error)
{
    RfpOperation *operation = &member->operation;

    if (!rfp_operation_check_active(operation, &member->state, error))
        return FALSE;
    g_clear_pointer(&member->domain_text, g_free);
    g_clear_pointer(&member->domain_xml, rfp_domain_xml_free);
    member->domain_text =
        rfp_domain_xml_text(operation->domain, FALSE, &member->secure, error);
    if (member->domain_text == NULL)
        return FALSE;
    member->domain_xml = rfp_domain_xml_parse(member->domain_text, error);
    return member->domain_xml != NULL;
}

gboolean
rfp_export_tracks_any(const RfpExportMember *member)
{
    for (guint i = 0; i < member->disks->len; i++)
        if (rfp_export_tracks(g_ptr_array_index(member->disks, i)))
            return TRUE;
    return FALSE;
}

gboolean
rfp_export_check_tracks(const RfpExportMember *member, GError **error)
{
    if (rfp_export_tracks_any(member))
        return TRUE;
    rfp_tracking_set_none(member->operation.domain, member->domain_xml, error);
    return FALSE;
}

/* A guest that shuts down ends a disk's server, but one that reboots passes the
 * same state and keeps it. */
gboolean
rfp_export_member_watch(RfpExportMember *member,
                        gboolean failed,
                        GError **error)
{
    const RfpOrigin *origin = member->origin;
    RfpDomain *domain = member->operation.domain;
    RfpDomainState state = {0};
    g_autoptr(GError) local = NULL;

    if (!rfp_domain_state(domain, &state, &local)) {
        /* data comes from QEMU: it flows while the daemon is away */
        if (domain->hasty && g_error_matches(local, REFPOINT_ERROR,
                                             REFPOINT_ERROR_NOT_AVAILABLE))
            return TRUE;
        if (rfp_domain_end_is_gone(local))
            rfp_domain_end_set(member->operation.conn, domain, NULL, error);
        else
            g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (!state.active || (failed && state.ending)) {
        rfp_domain_end_set(member->operation.conn, domain, &state, error);
    } else if (state.io_error && member->state.running) {
        rfp_operation_set_io_error(&member->operation, error);
        return FALSE;
    } else if (!failed || origin->is_gone == NULL ||
               !origin->is_gone(member, error)) {
        return TRUE;
    }
    rfp_error_add_object(error, domain->name);
    return FALSE;
}

/* ---- A disk -------------------------------------------------------------- */

RfpExportDisk *
rfp_export_add_disk(RfpExportMember *member, RfpDomainDisk *domain_disk)
{
    RfpExportDisk *disk = g_new0(RfpExportDisk, 1);

    g_ptr_array_add(member->disks, disk);
    disk->member = member;
    disk->disk = domain_disk;
    disk->name = member->export->group == NULL
                     ? g_strdup(domain_disk->target)
                     : g_strconcat(member->operation.domain->name, ":",
                                   domain_disk->target, NULL);
    disk->candidates = g_array_new(FALSE, TRUE, sizeof(RfpPlanCandidate));
    disk->report =
        rfp_job_add_disk(member->export->job, member->operation.report,
                         domain_disk->target);
    return disk;
}

gboolean
rfp_export_tracks(const RfpExportDisk *disk)
{
    return disk->state.untracked == RFP_REASON_NONE &&
           (rfp_export_takes(disk) ||
            (disk->member->origin->keeps &&
             disk->state.unusable == RFP_REASON_ENCRYPTED));
}

void
rfp_export_disk_close_source(RfpExportDisk *disk)
{
    if (disk->source != NULL)
        disk->source_free(disk->source);
    disk->source = NULL;
}

static void
go_full(RfpExportDisk *disk, RfpReason reason)
{
    disk->decision.mode = REFPOINT_MODE_FULL;
    disk->decision.reason = reason;
    g_clear_pointer(&disk->base_digests, g_ptr_array_unref);
    disk->report->estimate = disk->allocation;
}

gboolean
rfp_export_refuse_increment(RfpExportDisk *disk,
                            RfpReason reason,
                            RfpWarning warning,
                            const char *detail,
                            GError **error)
{
    const RfpExport *export = disk->member->export;
    const char *target = disk->name;

    if (export->base != NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' cannot be the base of disk '%s': %s"),
                      export->options->base, target, detail);
        rfp_error_add_object(error, target);
        rfp_error_add_way_out(error, _("use --base auto, which then exports "
                                       "the disk in full"));
        return FALSE;
    }
    rfp_job_warn(export->job, warning, target,
                 _("disk '%s' is exported in full: %s"), target, detail);
    go_full(disk, reason);
    return TRUE;
}

static void
report_disk(const RfpExportDisk *disk)
{
    RefpointDiskReport *report = disk->report;
    const RfpPlanCandidate *base = disk->decision.base;

    report->mode = disk->decision.mode;
    g_clear_pointer(&report->reason_id, g_free);
    g_clear_pointer(&report->reason, g_free);
    g_clear_pointer(&report->base_name, g_free);
    g_clear_pointer(&report->base_guid, g_free);
    if (disk->decision.reason != RFP_REASON_NONE) {
        report->reason_id = g_strdup(rfp_plan_reason_id(disk->decision.reason));
        report->reason = g_strdup(rfp_plan_reason_text(disk->decision.reason));
    }
    if (report->mode != REFPOINT_MODE_INCREMENT)
        return;
    report->base_name = g_strdup(base->name);
    report->base_guid = g_strdup(base->guid);
    /* what was discarded is dirty too, but takes no room */
    report->estimate = MIN(base->changed, report->estimate);
}

void
rfp_export_report_plan(const RfpExportMember *member)
{
    for (guint i = 0; i < member->disks->len; i++)
        report_disk(g_ptr_array_index(member->disks, i));
}
