/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "point.h"
#include "table.h"

static void
print_disks(const GPtrArray *disks, gboolean quiet, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Disk"), _("Bitmap"), _("Changed since"), NULL);

    for (guint i = 0; disks != NULL && i < disks->len; i++) {
        const RefpointPointDisk *disk = disks->pdata[i];
        g_autofree char *changed = disk->bitmap == REFPOINT_BITMAP_GOOD
                                       ? output_size(disk->changed)
                                       : NULL;

        table_add(table, disk->target, output_bitmap(disk->bitmap), changed);
    }
    table_print(table, quiet, out);
}

static char *
scratch_text(const RefpointPoint *point)
{
    g_autofree char *used = output_size(point->scratch_used);
    g_autofree char *max = output_size(point->scratch_max);

    return g_strdup_printf(_("%s of %s"), used, max);
}

static void
print_point(const RefpointPoint *point, gboolean quiet, GString *out)
{
    g_autofree char *created = output_time(point->created);
    g_autofree char *state = output_state(point);
    g_autofree char *data = output_data(point);
    g_autofree char *scratch = data != NULL ? scratch_text(point) : NULL;

    output_facts(out, _("Name:"), point->name, _("GUID:"), point->guid,
                 _("Domain:"), point->domain_name, _("UUID:"),
                 point->domain_uuid, _("Created:"), created, _("Parent:"),
                 point->parent, _("State:"), state, _("Set:"), point->set_guid,
                 _("Consistency:"), output_consistency(point->consistency),
                 data != NULL ? _("Data:") : NULL, data, _("Scratch:"), scratch,
                 NULL);
    g_string_append_c(out, '\n');
    print_disks(point->disks, quiet, out);
}

static int
run_info(Cli *cli, char **args)
{
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(RefpointPoint) point = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    JsonObject *document;

    if (!cli_parse(cli, args, NULL, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    point =
        refpoint_info(conn, cli_operand(cli, 0), cli_operand(cli, 1), &error);
    if (point == NULL)
        return cli_failed(cli, error);
    if (cli->json) {
        document = json_document_new(cli, NULL, NULL, 0);
        json_object_set_object_member(document, "point",
                                      point_to_json(point, TRUE));
        return cli_done_json(cli, document, 0);
    }
    print_point(point, cli->quiet, out);
    return cli_done(cli, out->str);
}

const Command command_info = {
    .name = "info",
    .operands = "DOMAIN POINT",
    .summary = N_("show a point and the state of its bitmaps"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_info,
};
