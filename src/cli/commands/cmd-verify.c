/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"

static void
print_findings(const GPtrArray *findings, const char *format, GString *out)
{
    for (guint i = 0; i < findings->len; i++) {
        const RefpointFinding *finding = findings->pdata[i];
        g_autofree char *path = output_clean(finding->path);
        g_autofree char *message = output_clean(finding->message);

        g_string_append_printf(out, format, finding->id, path, message);
    }
}

static void
print_verification(const RefpointVerification *result,
                   gboolean quiet,
                   GString *out)
{
    g_autofree char *points = g_strdup_printf("%u", result->points);
    g_autofree char *images = g_strdup_printf("%u", result->images);
    g_autofree char *bytes = output_size(result->bytes);

    if (!quiet) {
        output_facts(out, _("Directory:"), result->path, _("Set:"),
                     result->set_guid, _("Points:"), points, _("Images:"),
                     images, _("Compared:"), bytes, NULL);
        g_string_append_c(out, '\n');
    }
    print_findings(result->damages, _("damage: [%s] %s: %s\n"), out);
    print_findings(result->newer, _("newer: [%s] %s: %s\n"), out);
    if (!quiet)
        print_findings(result->remarks, _("remark: [%s] %s: %s\n"), out);
    if (!quiet && result->damages->len == 0)
        g_string_append(out, _("No damage found\n"));
}

/* null where it is about no range of a disk, or that is not known. */
static void
set_range(JsonObject *object, const RefpointFinding *finding)
{
    if (finding->length == 0) {
        json_object_set_null_member(object, "offset");
        json_object_set_null_member(object, "length");
        return;
    }
    json_set_number(object, "offset", finding->offset);
    json_set_number(object, "length", finding->length);
}

static JsonArray *
findings_to_json(const GPtrArray *findings)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < findings->len; i++) {
        const RefpointFinding *finding = findings->pdata[i];
        JsonObject *object = json_object_new();

        json_set_text(object, "id", finding->id);
        json_set_text(object, "path", finding->path);
        json_set_text(object, "message", finding->message);
        set_range(object, finding);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
verification_to_json(const Cli *cli,
                     const RefpointVerification *result,
                     const RefpointFailure *failure,
                     int status)
{
    const RefpointReport *report = refpoint_job_get_report(cli->job);
    JsonObject *document = json_document_new(cli, report, failure, status);
    JsonObject *set = json_object_new();
    JsonObject *checked = json_object_new();

    json_set_text(set, "path", result->path);
    json_set_text(set, "guid", result->set_guid);
    json_object_set_object_member(document, "set", set);
    json_set_number(checked, "points", result->points);
    json_set_number(checked, "images", result->images);
    json_set_number(checked, "bytes", result->bytes);
    json_object_set_object_member(document, "checked", checked);
    json_object_set_array_member(document, "damages",
                                 findings_to_json(result->damages));
    json_object_set_array_member(document, "remarks",
                                 findings_to_json(result->remarks));
    json_object_set_array_member(document, "newer",
                                 findings_to_json(result->newer));
    return document;
}

/* Why the set cannot be called sound; NULL: it can. Free with
 * refpoint_failure_free(). */
static RefpointFailure *
failure_of(const RefpointVerification *result)
{
    const guint n = result->damages->len;
    RefpointFailure *failure = NULL;

    if (n == 0 && result->newer->len == 0)
        return NULL;
    failure = g_new0(RefpointFailure, 1);
    failure->object = g_strdup(result->path);
    if (n > 0) {
        failure->cause = REFPOINT_ERROR_FAILED;
        failure->message =
            g_strdup_printf(ngettext("%s is damaged: %u finding",
                                     "%s is damaged: %u findings", n),
                            result->path, n);
    } else {
        failure->cause = REFPOINT_ERROR_NOT_SUPPORTED;
        failure->message = g_strdup_printf(_("%s is not checked completely: "
                                             "parts of it need a newer "
                                             "program"),
                                           result->path);
        failure->way_out = g_strdup(_("use a newer virt-refpoint"));
    }
    return failure;
}

static int
report_verification(Cli *cli, const RefpointVerification *result)
{
    g_autoptr(RefpointFailure) failure = failure_of(result);
    const int status = failure != NULL ? (int)failure->cause : 0;
    g_autoptr(GString) out = g_string_new(NULL);
    int written;

    if (cli->json)
        return cli_done_json(cli,
                             verification_to_json(cli, result, failure, status),
                             status);
    print_verification(result, cli->quiet, out);
    written = cli_done(cli, out->str);
    if (failure != NULL)
        cli_print_failure(failure);
    return written != 0 ? written : status;
}

static int
run_verify(Cli *cli, char **args)
{
    const GOptionEntry entries[] = {
        {"progress", 0, 0, G_OPTION_ARG_NONE, &cli->progress_wanted,
         N_("show progress, line by line without a terminal"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(RefpointVerification) result = NULL;
    g_autoptr(GError) error = NULL;

    if (!cli_parse(cli, args, entries, &error))
        return cli_usage(cli, error);
    cli_job_begin(cli);
    result = refpoint_verify(cli_operand(cli, 0), cli_operand(cli, 1), cli->job,
                             &error);
    cli_job_end(cli);
    if (result == NULL)
        return cli_failed(cli, error);
    return report_verification(cli, result);
}

const Command command_verify = {
    .name = "verify",
    .operands = "DIRECTORY [POINT]",
    .summary = N_("check everything in a directory, or one point"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_verify,
};
