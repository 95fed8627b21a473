/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The identifiers of warnings, reasons and findings: what the tables have is
 * what the manual and the schema of the output list, neither more nor less.
 */
#include "base/ids.h"
#include "data.h"
#include "export/plan.h"

#include <json-glib/json-glib.h>

typedef struct {
    const char *heading;    /* in virt-refpoint(1) */
    const char *definition; /* in the schema */
    int n;
    const char *(*id)(int number);
} Table;

static const char *
warning_id(int number)
{
    return rfp_warning_id(number);
}

static const char *
reason_id(int number)
{
    return rfp_plan_reason_id(number);
}

static const char *
finding_id(int number)
{
    return rfp_finding_id(number);
}

static const Table tables[] = {
    {"Warnings", "warningId", RFP_N_WARNINGS, warning_id},
    {"Reasons", "reasonId", RFP_N_REASONS, reason_id},
    {"Findings", "findingId", RFP_N_FINDINGS, finding_id},
};

static int
compare(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

/* One a line, sorted; takes @ids. */
static char *
sorted(GPtrArray *ids)
{
    GString *text = g_string_new(NULL);

    g_ptr_array_sort(ids, compare);
    for (guint i = 0; i < ids->len; i++)
        g_string_append_printf(text, "%s\n", (char *)ids->pdata[i]);
    g_ptr_array_unref(ids);
    return g_string_free(text, FALSE);
}

static char *
of_table(const Table *table)
{
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);

    for (int i = 0; i < table->n; i++)
        if (table->id(i) != NULL)
            g_ptr_array_add(ids, g_strdup(table->id(i)));
    return sorted(ids);
}

/* The items below a heading of DIAGNOSTICS. */
static char *
of_manual(const Table *table)
{
    g_autofree char *text = data_read("../../data/man/virt-refpoint.1");
    g_autofree char *heading = g_strdup_printf(".Ss %s", table->heading);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    gboolean below = FALSE;

    for (int i = 0; lines[i] != NULL; i++) {
        if (g_str_has_prefix(lines[i], ".Sh ") ||
            g_str_has_prefix(lines[i], ".Ss "))
            below = g_str_equal(lines[i], heading);
        else if (below && g_str_has_prefix(lines[i], ".It Cm "))
            g_ptr_array_add(ids, g_strdup(lines[i] + strlen(".It Cm ")));
    }
    return sorted(ids);
}

static char *
of_schema(const Table *table)
{
    g_autofree char *text =
        data_read("../../data/virt-refpoint-output.schema.json");
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    JsonObject *object;
    JsonArray *examples;

    json_parser_load_from_data(parser, text, -1, &error);
    g_assert_no_error(error);
    object = json_node_get_object(json_parser_get_root(parser));
    object = json_object_get_object_member(object, "definitions");
    object = json_object_get_object_member(object, table->definition);
    examples = json_object_get_array_member(object, "examples");
    for (guint i = 0; i < json_array_get_length(examples); i++)
        g_ptr_array_add(ids,
                        g_strdup(json_array_get_string_element(examples, i)));
    return sorted(ids);
}

static void
test_documented(gconstpointer data)
{
    const Table *table = data;
    g_autofree char *known = of_table(table);
    g_autofree char *manual = of_manual(table);
    g_autofree char *schema = of_schema(table);

    g_test_message("wanted: a line in virt-refpoint(1), DIAGNOSTICS, '%s', "
                   "and in the schema's %s, for each id of the table",
                   table->heading, table->definition);
    g_assert_cmpstr(manual, ==, known);
    g_assert_cmpstr(schema, ==, known);
}

/* Causes are a closed list in the schema; "usage" is the program's own. */
static void
test_causes(void)
{
    g_autofree char *text =
        data_read("../../data/virt-refpoint-output.schema.json");
    g_autoptr(GString) wanted = g_string_new("");

    for (int cause = 1; cause < RFP_N_CAUSES; cause++)
        g_string_append_printf(wanted, "\"%s\",", refpoint_cause_id(cause));
    g_string_append(wanted, "\"usage\"]");
    g_assert_null(refpoint_cause_id(0));
    g_assert_null(refpoint_cause_id(RFP_N_CAUSES));
    for (char *to = text, *from = text;; from++) {
        if (!g_ascii_isspace(*from))
            *to++ = *from;
        if (*from == '\0')
            break;
    }
    if (strstr(text, wanted->str) == NULL)
        g_error("data/virt-refpoint-output.schema.json has no such list: %s",
                wanted->str);
}

/* None is missing in a table, none is there twice. */
static void
test_each(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

        for (int id = 0; id < tables[i].n; id++) {
            const char *text = tables[i].id(id);

            if (tables[i].id == reason_id && id == RFP_REASON_NONE)
                continue;
            if (text == NULL)
                g_error("%s: number %d has no word (src/refpoint/base/ids.c, "
                        "src/refpoint/export/plan.c)",
                        tables[i].heading, id);
            g_assert_true(g_hash_table_add(seen, (gpointer)text));
        }
        g_assert_null(tables[i].id(-1));
        g_assert_null(tables[i].id(tables[i].n));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ids/causes", test_causes);
    g_test_add_func("/ids/each", test_each);
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *path =
            g_strdup_printf("/ids/%s", tables[i].definition);

        g_test_add_data_func(path, &tables[i], test_documented);
    }
    return g_test_run();
}
