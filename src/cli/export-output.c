/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "export-output.h"

#include "output.h"
#include "table.h"

#include <glib/gi18n.h>

/* A disk's cell. */
static char *
name_of(const RefpointReport *report, const RefpointDiskReport *disk)
{
    return report->group_guid != NULL
               ? g_strconcat(disk->domain_name, ":", disk->target, NULL)
               : g_strdup(disk->target);
}

void
export_print_plan(const RefpointReport *plan, gboolean quiet, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Disk"), _("Mode"), _("Base"), _("Size"), _("Estimate"),
                  _("Why"), NULL);

    for (guint i = 0; plan->disks != NULL && i < plan->disks->len; i++) {
        const RefpointDiskReport *disk = plan->disks->pdata[i];
        gboolean kept = disk->mode != REFPOINT_MODE_LEFT_OUT;
        g_autofree char *size = disk->size > 0 ? output_size(disk->size) : NULL;
        g_autofree char *estimate = kept ? output_size(disk->estimate) : NULL;
        g_autofree char *name = name_of(plan, disk);

        table_add(table, name, output_mode(disk->mode),
                  disk->base_name != NULL ? disk->base_name : disk->base_guid,
                  size, estimate, disk->reason);
    }
    table_print(table, quiet, out);
}

static char *
describe_audit(const RefpointDiskReport *disk)
{
    switch (disk->audit) {
    case REFPOINT_AUDIT_NONE:
        break;
    case REFPOINT_AUDIT_MATCH:
        return g_strdup_printf(ngettext("%u cluster matches",
                                        "%u clusters match", disk->audited),
                               disk->audited);
    case REFPOINT_AUDIT_MISMATCH:
        return g_strdup(_("mismatch"));
    }
    return NULL;
}

static void
print_disks(const RefpointReport *report, GString *out)
{
    g_autoptr(Table) table = table_new(_("Disk"), _("Mode"), _("Read"),
                                       _("Stored"), _("Audit"), NULL);

    for (guint i = 0; report->disks != NULL && i < report->disks->len; i++) {
        const RefpointDiskReport *disk = report->disks->pdata[i];
        gboolean kept = disk->mode != REFPOINT_MODE_LEFT_OUT;
        g_autofree char *read = kept ? output_size(disk->read) : NULL;
        g_autofree char *stored = kept ? output_size(disk->stored) : NULL;
        g_autofree char *audit = describe_audit(disk);
        g_autofree char *name = name_of(report, disk);

        table_add(table, name, output_mode(disk->mode), read, stored, audit);
    }
    table_print(table, FALSE, out);
}

static char *
join_names(const GPtrArray *names)
{
    GString *joined = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "",
                               (const char *)names->pdata[i]);
    return g_string_free(joined, FALSE);
}

static void
print_members(const RefpointReport *report, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Domain"), _("Consistency"), _("Stood still for"), NULL);

    for (guint i = 0; i < report->members->len; i++) {
        const RefpointMemberReport *member = report->members->pdata[i];
        g_autofree char *stood =
            member->frozen_us > 0 ? output_duration(member->frozen_us) : NULL;

        table_add(table, member->domain_name,
                  output_consistency(member->consistency), stood);
    }
    table_print(table, FALSE, out);
}

static const char *
moment_text(RefpointMoment moment)
{
    switch (moment) {
    case REFPOINT_MOMENT_NONE:
        break;
    case REFPOINT_MOMENT_FROZEN:
        return _("one, all frozen");
    case REFPOINT_MOMENT_PAUSED:
        return _("one, all suspended");
    case REFPOINT_MOMENT_APART:
        return _("one for each domain");
    }
    return NULL;
}

static void
print_collection(const RefpointReport *report, GString *out)
{
    g_autofree char *window =
        report->window_us > 0 ? output_duration(report->window_us) : NULL;
    g_autofree char *skew = output_duration(report->skew_us);
    g_autofree char *destroyed = join_names(report->destroyed);

    output_facts(out, _("Point:"), report->point_name, _("GUID:"),
                 report->point_guid, _("Group:"), report->group_name,
                 _("Consistency:"), output_consistency(report->consistency),
                 _("Moment:"), moment_text(report->moment), _("Window:"),
                 window, _("Skew:"), skew,
                 *destroyed != '\0' ? _("Destroyed:") : NULL, destroyed, NULL);
    g_string_append_c(out, '\n');
}

static void
print_point(const RefpointReport *report, GString *out)
{
    g_autofree char *frozen =
        report->frozen_us > 0 ? output_duration(report->frozen_us) : NULL;
    g_autofree char *destroyed = report->destroyed != NULL
                                     ? join_names(report->destroyed)
                                     : g_strdup("");
    const char *consistency = output_consistency(report->consistency);

    output_facts(out, _("Point:"), report->point_name, _("GUID:"),
                 report->point_guid, _("Domain:"), report->domain_name,
                 _("Consistency:"), consistency, _("Frozen for:"), frozen,
                 *destroyed != '\0' ? _("Destroyed:") : NULL, destroyed, NULL);
    g_string_append_c(out, '\n');
}

void
export_print_result(const RefpointReport *report, gboolean quiet, GString *out)
{
    if (!quiet && !report->changed)
        g_string_append(out, _("Already in the set, nothing to do\n"));
    if (!quiet && report->changed) {
        print_disks(report, out);
        if (report->group_guid != NULL) {
            print_members(report, out);
            print_collection(report, out);
        } else {
            print_point(report, out);
        }
    }
    if (report->point_path != NULL) {
        g_autofree char *path = output_path(report->point_path);

        g_string_append_printf(out, "%s\n", path);
    }
}
