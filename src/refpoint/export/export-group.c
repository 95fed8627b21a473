/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-group.h"
#include "base/names.h"
#include "base/text.h"
#include "virt/group.h"

#include <string.h>

/* Members that share a connection: libvirt's daemon answers five requests of
 * one at a time, and one is left for questions. */
#define MEMBERS_PER_CONNECTION 4

/* ---- The group ----------------------------------------------------------- */

static const RfpGroup *
find_group(const RfpExport *export, RfpGroups *groups, GError **error)
{
    const RfpGroup *group =
        rfp_groups_find(groups, export->options->group, error);
    RefpointReport *report = &export->job->report;

    if (group == NULL)
        return NULL;
    report->group_name = g_strdup(group->note->name);
    report->group_guid = g_strdup(group->note->guid);
    return group;
}

/* A member that is not here, or has another name than when the group was
 * changed last. */
static gboolean
check_member(const RfpExport *export,
             const RfpGroupMember *member,
             const RfpDomain *domain,
             GError **error)
{
    const char *group = export->group->name;

    if (domain != NULL && strcmp(domain->name, member->name) != 0)
        rfp_job_warn(export->job, RFP_WARNING_MEMBER_RENAMED, domain->name,
                     _("member '%s' of group '%s' has been renamed to '%s'"),
                     member->name, group, domain->name);
    if (domain != NULL)
        return TRUE;
    if (export->options->allow_missing) {
        rfp_job_warn(export->job, RFP_WARNING_MEMBER_MISSING, member->name,
                     _("member '%s' of group '%s' is no domain of this host "
                       "(UUID %s): it is left out"),
                     member->name, group, member->uuid);
        return TRUE;
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("member '%s' of group '%s' is no domain of this host "
                    "(UUID %s)"),
                  member->name, group, member->uuid);
    rfp_error_add_object(error, member->name);
    rfp_error_add_way_out(error,
                          _("define it again, take it out with: virt-refpoint "
                            "group remove %s %s; or go on without it: "
                            "--allow-missing"),
                          group, member->uuid);
    return FALSE;
}

/* The connection for the member of this index; made for the first of those that
 * share it. */
static RefpointConnection *
connection_for(RfpExport *export,
               RefpointConnection *conn,
               guint index,
               GError **error)
{
    RefpointConnection *another = NULL;

    if (export->connections == NULL)
        export->connections = g_ptr_array_new_with_free_func(
            (GDestroyNotify)refpoint_connection_free);
    if (index < export->connections->len)
        return g_ptr_array_index(export->connections, index);
    another = rfp_connection_another(conn, error);
    if (another != NULL)
        g_ptr_array_add(export->connections, another);
    return another;
}

/* Those that freeze and begin have even numbers, those that thaw odd ones. */
static gboolean
reach(RfpExport *export,
      RfpExportMember *member,
      RefpointConnection *conn,
      GError **error)
{
    guint share = (export->members->len - 1) / MEMBERS_PER_CONNECTION;
    RefpointConnection *work = connection_for(export, conn, 2 * share, error);
    RefpointConnection *thaw =
        work != NULL ? connection_for(export, conn, 2 * share + 1, error)
                     : NULL;

    return thaw != NULL &&
           rfp_operation_reach_over(&member->operation, work, thaw, error);
}

static gboolean
add_group(RfpExport *export, RefpointConnection *conn, GError **error)
{
    g_autoptr(RfpGroups) groups =
        rfp_groups_load_settled(conn, &export->job->cancel, error);
    const RfpGroup *group =
        groups != NULL ? find_group(export, groups, error) : NULL;

    if (group == NULL)
        return FALSE;
    export->group = rfp_group_note_copy(group->note);
    for (guint i = 0; i < export->group->members->len; i++) {
        const RfpGroupMember *noted =
            g_ptr_array_index(export->group->members, i);
        const RfpDomain *domain = rfp_groups_domain(groups, noted->uuid);
        RfpExportMember *member = NULL;

        if (!check_member(export, noted, domain, error))
            return FALSE;
        if (domain == NULL)
            continue;
        member = rfp_export_add_member(export, conn, domain->uuid, error);
        if (member == NULL || !reach(export, member, conn, error))
            return FALSE;
    }
    if (export->members != NULL)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("no member of group '%s' is a domain of this host"),
                  export->group->name);
    rfp_error_add_object(error, export->group->name);
    return FALSE;
}

/* ---- The disks that are wanted ------------------------------------------- */

/* Of DOMAIN:TARGET, a domain of the export; a name may have colons in it, a
 * target has none. NULL: none is named so. */
static RfpExportMember *
member_named(const RfpExport *export, const char *spelling)
{
    const char *colon = strrchr(spelling, ':');
    g_autofree char *name =
        colon != NULL ? g_strndup(spelling, (gsize)(colon - spelling)) : NULL;

    for (guint i = 0; name != NULL && i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);
        const RfpDomain *domain = member->operation.domain;

        if (strcmp(domain->name, name) == 0 ||
            rfp_guid_equal(domain->uuid, name))
            return member;
    }
    return NULL;
}

static void
set_unknown_disk(const RfpExport *export, const char *spelling, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' is no disk of a member of group '%s'"), spelling,
                  export->group->name);
    rfp_error_add_object(error, spelling);
    rfp_error_add_way_out(error,
                          _("name it as DOMAIN:TARGET; see the domains with: "
                            "virt-refpoint group show %s"),
                          export->group->name);
}

static void
append(char ***targets, const char *target)
{
    guint n = *targets != NULL ? g_strv_length(*targets) : 0;

    *targets = g_renew(char *, *targets, n + 2);
    (*targets)[n] = g_strdup(target);
    (*targets)[n + 1] = NULL;
}

/* Gives each of @spellings to its member; @unwanted: they are not to be
 * exported. */
static gboolean
share_out(const RfpExport *export,
          const char *const *spellings,
          gboolean unwanted,
          GError **error)
{
    for (; spellings != NULL && *spellings != NULL; spellings++) {
        RfpExportMember *member = export->group != NULL
                                      ? member_named(export, *spellings)
                                      : g_ptr_array_index(export->members, 0);
        const char *target = *spellings;

        if (member == NULL) {
            set_unknown_disk(export, *spellings, error);
            return FALSE;
        }
        if (export->group != NULL)
            target = strrchr(target, ':') + 1;
        append(unwanted ? &member->unwanted : &member->wanted, target);
    }
    return TRUE;
}

gboolean
rfp_export_add_members(RfpExport *export,
                       RefpointConnection *conn,
                       GError **error)
{
    const RefpointExportOptions *options = export->options;
    gboolean added = options->group != NULL
                         ? add_group(export, conn, error)
                         : rfp_export_add_member(export, conn, options->domain,
                                                 error) != NULL;

    return added && share_out(export, options->disks, FALSE, error) &&
           share_out(export, options->exclude, TRUE, error);
}

/* ---- Who joined, who left ------------------------------------------------ */

static gboolean
is_member(const RfpExport *export, const char *uuid)
{
    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (rfp_guid_equal(member->operation.domain->uuid, uuid))
            return TRUE;
    }
    return FALSE;
}

void
rfp_export_warn_changed(const RfpExport *export)
{
    const RfpSetPoint *newest = export->group != NULL && export->bases != NULL
                                    ? rfp_export_set_newest(export->bases)
                                    : NULL;

    if (newest == NULL)
        return;
    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);
        const RfpDomain *domain = member->operation.domain;

        if (rfp_set_point_vm(newest, domain->uuid) == NULL)
            rfp_job_warn(export->job, RFP_WARNING_MEMBER_JOINED, domain->name,
                         _("domain '%s' is in group '%s', and was not in the "
                           "set's newest point"),
                         domain->name, export->group->name);
    }
    for (guint i = 0; i < newest->manifest->vms->len; i++) {
        const RfpManifestVm *vm = g_ptr_array_index(newest->manifest->vms, i);

        if (!is_member(export, vm->uuid))
            rfp_job_warn(export->job, RFP_WARNING_MEMBER_LEFT, vm->name,
                         _("domain '%s' (%s) was in the set's newest point, "
                           "and is not in this one"),
                         vm->name, vm->uuid);
    }
}
