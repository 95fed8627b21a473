/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "value.h"

static gboolean
parse_create(Cli *cli,
             char **args,
             RefpointCreateOptions *options,
             GError **error)
{
    g_autofree char *quiesce = NULL;
    gboolean track_only = FALSE;
    const GOptionEntry entries[] = {
        {"quiesce", 0, 0, G_OPTION_ARG_FILENAME, &quiesce,
         N_("freeze the guest's file systems: auto, required, never"), "WHEN"},
        {"track-only", 0, 0, G_OPTION_ARG_NONE, &track_only,
         N_("make the checkpoint alone, keep no data of that moment"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    if (quiesce != NULL &&
        !value_parse_quiesce("--quiesce", quiesce, &options->quiesce, error))
        return FALSE;
    options->keep = track_only ? REFPOINT_KEEP_NOTHING : REFPOINT_KEEP_FIRST;
    options->domain = cli_operand(cli, 0);
    options->name = cli_operand(cli, 1);
    return TRUE;
}

static char *
text_of(const Cli *cli, const RefpointReport *report)
{
    g_autofree char *name = output_clean(report->point_name);
    g_autofree char *domain = output_clean(report->domain_name);

    if (cli->quiet)
        return g_strconcat(name, "\n", NULL);
    return g_strdup_printf(_("Point %s of domain %s created, consistency: "
                             "%s\n"),
                           name, domain,
                           output_consistency(report->consistency));
}

static int
run_create(Cli *cli, char **args)
{
    RefpointCreateOptions options = {.quiesce = REFPOINT_QUIESCE_AUTO};
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    const RefpointReport *report;
    JsonObject *document;
    gboolean done;

    if (!parse_create(cli, args, &options, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    cli_job_begin(cli);
    done = refpoint_create(conn, &options, cli->job, &error);
    report = cli_job_end(cli);
    if (!done)
        return cli_failed(cli, error);
    if (cli->json) {
        document = json_document_new(cli, report, NULL, 0);
        json_add_report(document, report);
        return cli_done_json(cli, document, 0);
    }
    text = text_of(cli, report);
    return cli_done(cli, text);
}

const Command command_create = {
    .name = "create",
    .operands = "DOMAIN [NAME]",
    .summary = N_("make a point of a running domain"),
    .set = REFPOINT_RETURN_CREATE,
    .run = run_create,
};
