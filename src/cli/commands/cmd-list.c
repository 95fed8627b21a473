/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "point.h"
#include "table.h"
#include "tree.h"

typedef struct {
    gboolean tree;
    gboolean name;
} ListOptions;

static gboolean
parse_list(Cli *cli, char **args, ListOptions *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"tree", 0, 0, G_OPTION_ARG_NONE, &options->tree,
         N_("draw points below their parents"), NULL},
        {"name", 0, 0, G_OPTION_ARG_NONE, &options->name,
         N_("names only, one a line"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    if (options->tree && options->name)
        return cli_bad_usage(error, _("%s and %s contradict"), "--tree",
                             "--name");
    return TRUE;
}

static void
print_names(const GPtrArray *points, GString *out)
{
    for (guint i = 0; i < points->len; i++) {
        const RefpointPoint *point = points->pdata[i];
        g_autofree char *name = output_clean(point->name);

        g_string_append_printf(out, "%s\n", name);
    }
}

static void
print_table(const GPtrArray *points,
            gboolean all_domains,
            gboolean quiet,
            GString *out)
{
    g_autoptr(Table) table =
        all_domains ? table_new(_("Domain"), _("Name"), _("Created"),
                                _("State"), _("Data"), _("Set"), NULL)
                    : table_new(_("Name"), _("Created"), _("State"), _("Data"),
                                _("Set"), NULL);

    for (guint i = 0; i < points->len; i++) {
        const RefpointPoint *point = points->pdata[i];
        g_autofree char *created = output_time(point->created);
        g_autofree char *state = output_state(point);
        g_autofree char *data = output_data(point);

        if (all_domains)
            table_add(table, point->domain_name, point->name, created, state,
                      data, point->set_guid);
        else
            table_add(table, point->name, created, state, data,
                      point->set_guid);
    }
    table_print(table, quiet, out);
}

/* Names are unique in a domain: with several, the domain is a part of the id
 * and the root of its points. */
static void
print_tree(const GPtrArray *points, gboolean all_domains, GString *out)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) domains = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(Tree) tree = tree_new();

    for (guint i = 0; i < points->len; i++) {
        const RefpointPoint *point = points->pdata[i];
        const char *domain =
            point->domain_uuid != NULL ? point->domain_uuid : "";
        char *id = g_strconcat(domain, "/", point->name, NULL);
        char *name = output_clean(point->name);
        char *parent = point->parent != NULL
                           ? g_strconcat(domain, "/", point->parent, NULL)
                           : g_strdup(domain);

        g_ptr_array_add(texts, id);
        g_ptr_array_add(texts, name);
        g_ptr_array_add(texts, parent);
        if (all_domains && g_hash_table_add(domains, (gpointer)domain)) {
            char *label = output_clean(point->domain_name);

            g_ptr_array_add(texts, label);
            tree_add(tree, domain, NULL, label);
        }
        tree_add(tree, id, parent, name);
    }
    tree_print(tree, out);
}

static JsonObject *
list_to_json(const Cli *cli, const GPtrArray *points)
{
    JsonObject *document = json_document_new(cli, NULL, NULL, 0);
    JsonArray *array = json_array_new();

    for (guint i = 0; i < points->len; i++)
        json_array_add_object_element(array,
                                      point_to_json(points->pdata[i], FALSE));
    json_object_set_array_member(document, "points", array);
    return document;
}

static int
run_list(Cli *cli, char **args)
{
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GPtrArray) points = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    ListOptions options = {0};
    const char *domain;

    if (!parse_list(cli, args, &options, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    domain = cli_operand(cli, 0);
    points = refpoint_list(conn, domain, &error);
    if (points == NULL)
        return cli_failed(cli, error);
    if (cli->json || (!options.name && !options.tree))
        refpoint_list_bitmaps(conn, points);
    if (cli->json)
        return cli_done_json(cli, list_to_json(cli, points), 0);
    if (options.name)
        print_names(points, out);
    else if (options.tree)
        print_tree(points, domain == NULL, out);
    else
        print_table(points, domain == NULL, cli->quiet, out);
    return cli_done(cli, out->str);
}

const Command command_list = {
    .name = "list",
    .operands = "[DOMAIN]",
    .summary = N_("list the points of a domain, or of all"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_list,
};
