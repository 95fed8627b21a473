/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "value.h"

/* A day. */
#define KEEP_MAX (24 * 60 * 60)

typedef struct {
    char *quiesce;
    gboolean track_only;
    gboolean hold;
    char *hold_max;
    char *keep_for;
    char *directory;
    char *scratch_dir;
    gboolean allow_plaintext;
} CreateArgs;

static void
args_clear(CreateArgs *a)
{
    g_free(a->quiesce);
    g_free(a->hold_max);
    g_free(a->keep_for);
    g_free(a->directory);
    g_free(a->scratch_dir);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CreateArgs, args_clear)

/* The directories. */
static gboolean
check_values(const CreateArgs *a, GError **error)
{
    const char *empty = NULL;

    if (a->directory != NULL && *a->directory == '\0')
        empty = "--set";
    if (a->scratch_dir != NULL && *a->scratch_dir == '\0')
        empty = "--scratch-dir";
    return empty == NULL ||
           cli_bad_usage(error, _("%s: the value is empty"), empty);
}

static gboolean
choose_keep(const CreateArgs *a, RefpointCreateOptions *options, GError **error)
{
    gboolean hold = a->hold || a->hold_max != NULL;

    options->keep = a->track_only ? REFPOINT_KEEP_NOTHING
                    : hold        ? REFPOINT_KEEP_HOLD
                                  : REFPOINT_KEEP_FIRST;
    if (a->track_only && hold)
        return cli_bad_usage(error, _("%s and %s contradict"), "--track-only",
                             "--hold");
    if (a->track_only && a->directory != NULL)
        return cli_bad_usage(error, _("%s and %s contradict"), "--track-only",
                             "--set");
    if (a->keep_for != NULL && options->keep != REFPOINT_KEEP_FIRST)
        return cli_bad_usage(error, _("%s and %s contradict"), "--keep-for",
                             hold ? "--hold" : "--track-only");
    if (a->hold_max != NULL &&
        !value_parse_bytes("--hold", a->hold_max, &options->scratch_max, error))
        return FALSE;
    if (a->hold_max != NULL && options->scratch_max == 0)
        return cli_bad_usage(error, _("%s: at least one byte"), "--hold");
    return a->keep_for == NULL ||
           value_parse_count("--keep-for", a->keep_for, 1, KEEP_MAX,
                             &options->keep_seconds, error);
}

static gboolean
parse_create(Cli *cli,
             char **args,
             CreateArgs *a,
             RefpointCreateOptions *options,
             GError **error)
{
    const GOptionEntry entries[] = {
        {"quiesce", 0, 0, G_OPTION_ARG_FILENAME, &a->quiesce,
         N_("freeze the guest's file systems: auto, required, never"), "WHEN"},
        {"track-only", 0, 0, G_OPTION_ARG_NONE, &a->track_only,
         N_("make the checkpoint alone, keep no data of that moment"), NULL},
        {"keep-for", 0, 0, G_OPTION_ARG_FILENAME, &a->keep_for,
         N_("how long the data is kept for a first export (600)"), "SECONDS"},
        {"hold", 0, 0, G_OPTION_ARG_NONE, &a->hold,
         N_("hold the data until remove-data, with at most MAX bytes of "
            "scratch"),
         "[MAX]"},
        {"hold-max", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME,
         &a->hold_max, NULL, NULL},
        {"set", 0, 0, G_OPTION_ARG_FILENAME, &a->directory,
         N_("keep the difference to the newest points of this set"),
         "DIRECTORY"},
        {"scratch-dir", 0, 0, G_OPTION_ARG_FILENAME, &a->scratch_dir,
         N_("where QEMU puts what the guest overwrites meanwhile"),
         "DIRECTORY"},
        {"allow-plaintext", 0, 0, G_OPTION_ARG_NONE, &a->allow_plaintext,
         N_("keep the data of encrypted disks too"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_auto(GStrv) split = cli_split_option(args, "hold");

    if (!cli_parse(cli, split, entries, error) || !check_values(a, error))
        return FALSE;
    if (a->quiesce != NULL &&
        !value_parse_quiesce("--quiesce", a->quiesce, &options->quiesce, error))
        return FALSE;
    options->domain = cli_operand(cli, 0);
    options->name = cli_operand(cli, 1);
    options->directory = a->directory;
    options->scratch_dir = a->scratch_dir;
    options->allow_plaintext = a->allow_plaintext;
    return choose_keep(a, options, error);
}

/* What follows from it for the domain, and what to do next. */
static char *
kept_text(const RefpointCreateOptions *options, const char *name)
{
    if (options->keep == REFPOINT_KEEP_NOTHING)
        return g_strdup("");
    if (options->keep == REFPOINT_KEEP_HOLD)
        return g_strdup_printf(
            _("Its data is held until: virt-refpoint remove-data %s %s\n"
              "Meanwhile no other backup, migration, save or snapshot of the "
              "domain is possible.\n"),
            options->domain, name);
    return g_strdup_printf(
        _("Its data is kept for %u s: virt-refpoint export %s DIRECTORY "
          "--point %s\n"),
        options->keep_seconds ? options->keep_seconds : REFPOINT_KEEP_SECONDS,
        options->domain, name);
}

static char *
text_of(const Cli *cli,
        const RefpointCreateOptions *options,
        const RefpointReport *report)
{
    g_autofree char *kept = NULL;
    g_autofree char *name = output_clean(report->point_name);
    g_autofree char *domain = output_clean(report->domain_name);

    if (cli->quiet)
        return g_strconcat(name, "\n", NULL);
    kept = kept_text(options, name);
    return g_strdup_printf(_("Point %s of domain %s created, consistency: "
                             "%s\n%s"),
                           name, domain,
                           output_consistency(report->consistency), kept);
}

static int
run_create(Cli *cli, char **args)
{
    RefpointCreateOptions options = REFPOINT_CREATE_OPTIONS_INIT;
    g_auto(CreateArgs) a = {0};
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    const RefpointReport *report;
    JsonObject *document;
    gboolean done;

    if (!parse_create(cli, args, &a, &options, &error))
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
    text = text_of(cli, &options, report);
    return cli_done(cli, text);
}

const Command command_create = {
    .name = "create",
    .operands = "DOMAIN [NAME]",
    .summary = N_("make a point of a running domain"),
    .set = REFPOINT_RETURN_CREATE,
    .waits = TRUE,
    .run = run_create,
};
