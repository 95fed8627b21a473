/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"

static int
run_remove_data(Cli *cli, char **args)
{
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *point = NULL;
    g_autofree char *text = NULL;
    const RefpointReport *report;
    JsonObject *document;
    gboolean done;

    if (!cli_parse(cli, args, NULL, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    cli_job_begin(cli);
    done = refpoint_remove_data(conn, cli_operand(cli, 0), cli_operand(cli, 1),
                                cli->job, &error);
    report = cli_job_end(cli);
    if (!done)
        return cli_failed(cli, error);
    if (cli->json) {
        document = json_document_new(cli, report, NULL, 0);
        json_add_report(document, report);
        return cli_done_json(cli, document, 0);
    }
    point = output_clean(report->point_name != NULL ? report->point_name
                                                    : cli_operand(cli, 1));
    text =
        g_strdup_printf(report->changed
                            ? _("The data of point %s is not kept any more\n")
                            : _("The data of point %s was gone before\n"),
                        point);
    return cli_done(cli, cli->quiet ? "" : text);
}

const Command command_remove_data = {
    .name = "remove-data",
    .operands = "DOMAIN POINT",
    .summary = N_("end what keeps the data of a point; the point stays"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_remove_data,
};
