/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "table.h"
#include "tree.h"

typedef struct {
    const RefpointCatalog *catalog;
    Table *table;
} Rows;

/* Whether its disks are of several domains. */
static gboolean
has_several(const RefpointCatalogPoint *point)
{
    for (guint i = 0; point->disks != NULL && i < point->disks->len; i++) {
        const RefpointCatalogDisk *disk = point->disks->pdata[i];

        if (g_strcmp0(disk->domain_uuid, point->domain_uuid) != 0)
            return TRUE;
    }
    return FALSE;
}

static void
add_disk(Table *table,
         const char *name,
         const char *created,
         const char *consistency,
         const RefpointCatalogDisk *disk,
         gboolean several)
{
    g_autofree char *target =
        several ? g_strconcat(disk->domain_name, ":", disk->target, NULL)
                : g_strdup(disk->target);
    gboolean stored = disk->mode != REFPOINT_MODE_LEFT_OUT;
    g_autofree char *size = stored ? output_size(disk->size) : NULL;
    g_autofree char *used = stored ? output_size(disk->stored) : NULL;
    g_autofree char *depth = stored ? g_strdup_printf("%u", disk->depth) : NULL;

    table_add(table, name, created, consistency, target,
              output_mode(disk->mode), size, used, depth);
}

/* The drawing goes on in the rows of a point's other disks. */
static char *
drawing_below(const char *drawing)
{
    char *below = g_strdup(drawing);

    for (char *p = below; *p != '\0'; p++)
        if (*p != '|')
            *p = ' ';
    return below;
}

static void
add_point(guint index, const char *drawing, gpointer opaque)
{
    Rows *rows = opaque;
    const RefpointCatalogPoint *point = rows->catalog->points->pdata[index];
    g_autofree char *label =
        g_strconcat(drawing, point->name != NULL ? point->name : point->folder,
                    NULL);
    g_autofree char *below = drawing_below(drawing);
    g_autofree char *created = output_iso_time(point->created);

    if (point->damage != NULL || point->newer != NULL) {
        table_add(rows->table, label,
                  point->newer != NULL ? _("newer") : _("damaged"), NULL, NULL,
                  NULL, NULL, NULL, NULL);
        return;
    }
    for (guint i = 0; point->disks != NULL && i < point->disks->len; i++)
        add_disk(rows->table, i == 0 ? label : below, i == 0 ? created : " ",
                 i == 0 ? output_consistency(point->consistency) : " ",
                 point->disks->pdata[i], has_several(point));
    if (point->disks == NULL || point->disks->len == 0)
        table_add(rows->table, label, created,
                  output_consistency(point->consistency), NULL, NULL, NULL,
                  NULL, NULL);
}

static void
print_catalog(const RefpointCatalog *catalog, gboolean quiet, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Point"), _("Created"), _("Consistency"), _("Disk"),
                  _("Mode"), _("Size"), _("Stored"), _("Images"), NULL);
    g_autoptr(Tree) tree = tree_new();
    Rows rows = {catalog, table};
    const gboolean of_group = catalog->group_guid != NULL;

    if (!quiet) {
        output_facts(out, _("Directory:"), catalog->path, _("Set:"),
                     catalog->set_guid, of_group ? _("Group:") : _("Domain:"),
                     of_group ? catalog->group_name : catalog->domain_name,
                     of_group ? _("GUID:") : _("UUID:"),
                     of_group ? catalog->group_guid : catalog->domain_uuid,
                     NULL);
        g_string_append_c(out, '\n');
    }
    for (guint i = 0; i < catalog->points->len; i++) {
        const RefpointCatalogPoint *point = catalog->points->pdata[i];

        tree_add(tree, point->guid, point->parent_guid, NULL);
    }
    tree_foreach_row(tree, add_point, &rows);
    table_print(table, quiet, out);
}

static void
warn_of_unreadable(const Cli *cli,
                   const RefpointCatalog *catalog,
                   JsonObject *document)
{
    for (guint i = 0; i < catalog->points->len; i++) {
        const RefpointCatalogPoint *point = catalog->points->pdata[i];
        const char *id = point->newer != NULL ? "newer-point" : "damaged-point";
        const char *why = point->newer != NULL ? point->newer : point->damage;
        g_autofree char *folder = output_clean(point->folder);
        g_autofree char *shown = output_clean(why);

        if (why == NULL)
            continue;
        if (cli->json)
            json_add_warning(document, id, point->folder, why);
        else
            output_complain(_("warning: [%s] %s: %s"), id, folder, shown);
    }
}

static JsonArray *
disks_to_json(const GPtrArray *disks)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; disks != NULL && i < disks->len; i++) {
        const RefpointCatalogDisk *disk = disks->pdata[i];
        JsonObject *object = json_object_new();

        json_set_text(object, "target", disk->target);
        json_set_mode(object, disk->mode);
        json_set_text(object, "reason", disk->reason_id);
        json_set_text(object, "base_guid", disk->base_guid);
        json_set_number(object, "size", disk->size);
        json_set_number(object, "stored", disk->stored);
        json_set_text(object, "image", disk->image);
        json_set_text(object, "view_digest", disk->view_digest);
        json_set_number(object, "depth", disk->depth);
        json_set_domain(object, disk->domain_name, disk->domain_uuid);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
catalog_point_to_json(const RefpointCatalogPoint *point)
{
    JsonObject *object = json_object_new();

    json_set_text(object, "name", point->name);
    json_set_text(object, "guid", point->guid);
    json_set_text(object, "folder", point->folder);
    json_set_text(object, "parent_guid", point->parent_guid);
    json_set_number(object, "sequence", point->sequence);
    json_set_text(object, "created", point->created);
    json_set_consistency(object, point->consistency);
    json_set_domain(object, point->domain_name, point->domain_uuid);
    json_object_set_array_member(object, "disks", disks_to_json(point->disks));
    json_set_text(object, "damage", point->damage);
    json_set_text(object, "newer", point->newer);
    return object;
}

static int
done_json(Cli *cli, const RefpointCatalog *catalog)
{
    JsonObject *document = json_document_new(cli, NULL, NULL, 0);
    JsonObject *set = json_object_new();
    JsonArray *points = json_array_new();

    warn_of_unreadable(cli, catalog, document);
    json_set_text(set, "path", catalog->path);
    json_set_text(set, "guid", catalog->set_guid);
    json_set_group(set, catalog->group_name, catalog->group_guid);
    json_object_set_object_member(document, "set", set);
    json_set_domain(document, catalog->domain_name, catalog->domain_uuid);
    for (guint i = 0; i < catalog->points->len; i++)
        json_array_add_object_element(points, catalog_point_to_json(
                                                  catalog->points->pdata[i]));
    json_object_set_array_member(document, "points", points);
    return cli_done_json(cli, document, 0);
}

static int
run_catalog(Cli *cli, char **args)
{
    g_autoptr(RefpointCatalog) catalog = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (!cli_parse(cli, args, NULL, &error))
        return cli_usage(cli, error);
    catalog = refpoint_catalog(cli_operand(cli, 0), &error);
    if (catalog == NULL)
        return cli_failed(cli, error);
    if (cli->json)
        return done_json(cli, catalog);
    warn_of_unreadable(cli, catalog, NULL);
    print_catalog(catalog, cli->quiet, out);
    return cli_done(cli, out->str);
}

const Command command_catalog = {
    .name = "catalog",
    .operands = "DIRECTORY",
    .summary = N_("show the exported points in a directory"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_catalog,
};
