/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"

static gboolean
parse_import(Cli *cli,
             char **args,
             RefpointImportOptions *options,
             GError **error)
{
    const GOptionEntry entries[] = {
        {"restored", 0, 0, G_OPTION_ARG_NONE, &options->restored,
         N_("the disks were restored from the directory: compare them, and "
            "track their changes from here on"),
         NULL},
        {"progress", 0, 0, G_OPTION_ARG_NONE, &cli->progress_wanted,
         N_("show progress, line by line without a terminal"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    options->domain = cli_operand(cli, 0);
    options->directory = cli_operand(cli, 1);
    options->point = cli_operand(cli, 2);
    return TRUE;
}

static char *
text_of(const Cli *cli, const RefpointReport *report)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < report->imported->len; i++) {
        g_autofree char *name = output_clean(report->imported->pdata[i]);

        if (cli->quiet)
            g_string_append_printf(out, "%s\n", name);
        else
            g_string_append_printf(out, _("Point %s imported\n"), name);
    }
    if (out->len == 0 && !cli->quiet)
        g_string_append(out, _("Nothing to do\n"));
    return g_strdup(out->str);
}

static int
done_json(Cli *cli, const RefpointReport *report)
{
    JsonObject *document = json_document_new(cli, report, NULL, 0);
    JsonArray *imported = json_array_new();

    json_add_report(document, report);
    for (guint i = 0; i < report->imported->len; i++) {
        g_autofree char *name =
            g_utf8_make_valid(report->imported->pdata[i], -1);

        json_array_add_string_element(imported, name);
    }
    json_object_set_array_member(document, "imported", imported);
    return cli_done_json(cli, document, 0);
}

static int
run_import(Cli *cli, char **args)
{
    RefpointImportOptions options = REFPOINT_IMPORT_OPTIONS_INIT;
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    const RefpointReport *report;
    gboolean done;

    if (!parse_import(cli, args, &options, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    cli_job_begin(cli);
    done = refpoint_import(conn, &options, cli->job, &error);
    report = cli_job_end(cli);
    if (!done)
        return cli_failed(cli, error);
    if (cli->json)
        return done_json(cli, report);
    text = text_of(cli, report);
    return cli_done(cli, text);
}

const Command command_import = {
    .name = "import",
    .operands = "DOMAIN DIRECTORY [POINT]",
    .summary = N_("make exported points live again"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_import,
};
