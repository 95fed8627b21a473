/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "export-output.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"
#include "stop.h"
#include "value.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A day: what the library takes. */
#define STALL_TIMEOUT_MAX (24 * 60 * 60)
/* Seconds, for short commands of others, which may freeze a guest for long: an
 * export that nobody looks at is not to be lost for them. */
#define EXPORT_WAIT 60

/* The options as they were given; RefpointExportOptions borrows from it. */
typedef struct {
    char *create;
    char *point;
    char *base;
    char **disks;
    char **exclude;
    char *quiesce;
    char *keep_points;
    char *max_chain;
    char *scratch_dir;
    char *scratch_reserve;
    char *audit;
    char *compress;
    char *limit_rate;
    char *stall_timeout;
    char *window;
    char *jobs;
    gboolean allow_missing;
    gboolean pause;
    gboolean replace_base;
    gboolean allow_plaintext;
    gboolean dry_run;
    gboolean strict;
} Arguments;

static void
arguments_clear(Arguments *arguments)
{
    g_free(arguments->create);
    g_free(arguments->point);
    g_free(arguments->base);
    g_strfreev(arguments->disks);
    g_strfreev(arguments->exclude);
    g_free(arguments->quiesce);
    g_free(arguments->keep_points);
    g_free(arguments->max_chain);
    g_free(arguments->scratch_dir);
    g_free(arguments->scratch_reserve);
    g_free(arguments->audit);
    g_free(arguments->compress);
    g_free(arguments->limit_rate);
    g_free(arguments->stall_timeout);
    g_free(arguments->window);
    g_free(arguments->jobs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static gboolean
parse_arguments(Cli *cli, char **args, Arguments *a, GError **error)
{
    const GOptionEntry entries[] = {
        {"create", 0, 0, G_OPTION_ARG_FILENAME, &a->create,
         N_("name of the new point"), "NAME"},
        {"point", 0, 0, G_OPTION_ARG_FILENAME, &a->point,
         N_("export this point of earlier, if it is still exact"), "NAME"},
        {"base", 0, 0, G_OPTION_ARG_FILENAME, &a->base,
         N_("stack on this point: auto, none, or a name"), "BASE"},
        {"disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->disks,
         N_("only this disk (can be repeated)"), "[DOMAIN:]TARGET"},
        {"exclude-disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a->exclude,
         N_("not this disk (can be repeated)"), "[DOMAIN:]TARGET"},
        {"quiesce", 0, 0, G_OPTION_ARG_FILENAME, &a->quiesce,
         N_("freeze the guest's file systems: auto, required, never"), "WHEN"},
        {"pause", 0, 0, G_OPTION_ARG_NONE, &a->pause,
         N_("suspend the guests instead of freezing them"), NULL},
        {"window", 0, 0, G_OPTION_ARG_FILENAME, &a->window,
         N_("how long guests may stand still for their point (10)"), "SECONDS"},
        {"allow-missing", 0, 0, G_OPTION_ARG_NONE, &a->allow_missing,
         N_("leave members of the group out that are not here"), NULL},
        {"jobs", 'j', 0, G_OPTION_ARG_FILENAME, &a->jobs,
         N_("read so many disks at a time"), "N"},
        {"replace-base", 0, 0, G_OPTION_ARG_NONE, &a->replace_base,
         N_("destroy the base's checkpoint afterwards"), NULL},
        {"keep-points", 0, 0, G_OPTION_ARG_FILENAME, &a->keep_points,
         N_("destroy all but the newest N checkpoints of this set"), "N"},
        {"max-chain", 0, 0, G_OPTION_ARG_FILENAME, &a->max_chain,
         N_("a full image after N images in a chain"), "N"},
        {"scratch-dir", 0, 0, G_OPTION_ARG_FILENAME, &a->scratch_dir,
         N_("where to keep what the guest overwrites meanwhile"), "DIR"},
        {"scratch-reserve", 0, 0, G_OPTION_ARG_FILENAME, &a->scratch_reserve,
         N_("bytes to leave free there"), "BYTES"},
        {"audit", 0, 0, G_OPTION_ARG_FILENAME, &a->audit,
         N_("clusters to compare with the base: a number, none, all"), "N"},
        {"compress", 0, 0, G_OPTION_ARG_FILENAME, &a->compress,
         N_("compress the images: none, zstd, zstd:LEVEL"), "HOW"},
        {"limit-rate", 0, 0, G_OPTION_ARG_FILENAME, &a->limit_rate,
         N_("read at most so many bytes in a second"), "BYTES"},
        {"stall-timeout", 0, 0, G_OPTION_ARG_FILENAME, &a->stall_timeout,
         N_("give up on a QEMU that is silent for so long"), "SECONDS"},
        {"allow-plaintext", 0, 0, G_OPTION_ARG_NONE, &a->allow_plaintext,
         N_("export encrypted disks in the clear"), NULL},
        {"dry-run", 0, 0, G_OPTION_ARG_NONE, &a->dry_run,
         N_("show the plan, change nothing"), NULL},
        {"strict", 0, 0, G_OPTION_ARG_NONE, &a->strict,
         N_("exit status 13 where there were warnings"), NULL},
        {"progress", 0, 0, G_OPTION_ARG_NONE, &cli->progress_wanted,
         N_("show progress, line by line without a terminal"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    return cli_parse(cli, args, entries, error);
}

/* How data is moved. */
static gboolean
parse_transfer(const Arguments *a, RefpointExportOptions *o, GError **error)
{
    if (a->compress != NULL &&
        !value_parse_compress("--compress", a->compress, &o->compress,
                              &o->compress_level, error))
        return FALSE;
    if (a->limit_rate != NULL &&
        !value_parse_rate("--limit-rate", a->limit_rate, &o->limit_rate, error))
        return FALSE;
    return a->stall_timeout == NULL ||
           value_parse_count("--stall-timeout", a->stall_timeout, 1,
                             STALL_TIMEOUT_MAX, &o->stall_timeout, error);
}

static gboolean
parse_moment(const Arguments *a, RefpointExportOptions *o, GError **error)
{
    return (a->window == NULL ||
            value_parse_count("--window", a->window, 1, REFPOINT_WINDOW_MAX,
                              &o->window, error)) &&
           (a->jobs == NULL ||
            value_parse_count("--jobs", a->jobs, 1, REFPOINT_JOBS_MAX, &o->jobs,
                              error));
}

static gboolean
parse_values(const Arguments *a, RefpointExportOptions *o, GError **error)
{
    if (a->quiesce != NULL &&
        !value_parse_quiesce("--quiesce", a->quiesce, &o->quiesce, error))
        return FALSE;
    if (a->keep_points != NULL &&
        !value_parse_count("--keep-points", a->keep_points, 1, G_MAXINT,
                           &o->keep_points, error))
        return FALSE;
    if (a->max_chain != NULL &&
        !value_parse_count("--max-chain", a->max_chain, 1, REFPOINT_CHAIN_LIMIT,
                           &o->max_chain, error))
        return FALSE;
    if (a->scratch_reserve != NULL &&
        !value_parse_bytes("--scratch-reserve", a->scratch_reserve,
                           &o->scratch_reserve, error))
        return FALSE;
    o->scratch_reserve_set = a->scratch_reserve != NULL;
    return (a->audit == NULL ||
            value_parse_audit("--audit", a->audit, &o->audit, error)) &&
           parse_moment(a, o, error) && parse_transfer(a, o, error);
}

static gboolean
check_conflicts(const Cli *cli, const Arguments *a, GError **error)
{
    if (a->allow_missing && cli->group == NULL)
        return cli_bad_usage(error, _("--allow-missing is for groups"));
    if (a->pause && g_strcmp0(a->quiesce, "required") == 0)
        return cli_bad_usage(error, _("%s and %s contradict"), "--pause",
                             "--quiesce=required");
    if (a->create != NULL && a->point != NULL)
        return cli_bad_usage(error, _("%s and %s contradict"), "--create",
                             "--point");
    if (a->scratch_dir != NULL && *a->scratch_dir == '\0')
        return cli_bad_usage(error, _("%s: the value is empty"),
                             "--scratch-dir");
    return value_check_targets("--disk", a->disks, "--exclude-disk", a->exclude,
                               error) &&
           value_check_targets("--exclude-disk", a->exclude, NULL, NULL, error);
}

static gboolean
parse_export(Cli *cli,
             char **args,
             Arguments *a,
             RefpointExportOptions *o,
             GError **error)
{
    if (!parse_arguments(cli, args, a, error) ||
        !check_conflicts(cli, a, error) || !parse_values(a, o, error))
        return FALSE;
    o->domain = cli_domain(cli);
    o->group = cli->group;
    o->directory = cli_behind_domain(cli, 0);
    o->create = a->create;
    o->point = a->point;
    if (a->base != NULL)
        o->base = a->base;
    o->disks = (const char *const *)a->disks;
    o->exclude = (const char *const *)a->exclude;
    o->scratch_dir = a->scratch_dir;
    o->pause = a->pause;
    o->allow_missing = a->allow_missing;
    o->replace_base = a->replace_base;
    o->allow_plaintext = a->allow_plaintext;
    o->dry_run = a->dry_run;
    return TRUE;
}

/* The plan is shown before data moves, on its own. */
typedef struct {
    Cli *cli;
    gboolean shown;
} PlanShow;

static void
show_plan(const RefpointReport *plan, gpointer opaque)
{
    PlanShow *show = opaque;
    g_autoptr(GString) out = g_string_new(NULL);

    show->shown = TRUE;
    export_print_plan(plan, show->cli->quiet, out);
    progress_hide(show->cli->progress);
    if (show->cli->writer != NULL)
        writer_add(show->cli->writer, STDOUT_FILENO, out->str, out->len);
    else if (!output_write(STDOUT_FILENO, out->str, out->len))
        show->cli->write_error = errno;
}

static int
end_export(Cli *cli,
           const RefpointExportOptions *options,
           gboolean strict,
           PlanShow *show)
{
    const RefpointReport *report = refpoint_job_get_report(cli->job);
    gboolean warned = report->warnings != NULL && report->warnings->len > 0;
    int status = strict && warned ? CLI_STATUS_WARNINGS : 0;
    g_autoptr(GString) out = g_string_new(NULL);
    JsonObject *document;
    int written;

    if (cli->json) {
        document = json_document_new(cli, report, NULL, status);
        json_object_set_boolean_member(document, "dry_run", options->dry_run);
        json_add_report(document, report);
        return cli_done_json(cli, document, status);
    }
    if (options->dry_run && !show->shown)
        show_plan(report, show);
    if (!options->dry_run)
        export_print_result(report, cli->quiet, out);
    written = cli_done(cli, out->str);
    if (written == 0 && cli->write_error != 0)
        written = cli_not_written(cli, cli->write_error, 0);
    return written != 0 ? written : status;
}

static int
run_export(Cli *cli, char **args)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    RefpointExportOptions options = REFPOINT_EXPORT_OPTIONS_INIT;
    PlanShow show = {.cli = cli};
    gboolean done;

    if (!parse_export(cli, args, &arguments, &options, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    cli_job_begin(cli);
    interrupt_rate(options.limit_rate);
    stop_begin(conn);
    if (!cli->json && (!cli->quiet || options.dry_run))
        refpoint_job_set_plan(cli->job, show_plan, &show);
    done = refpoint_export(conn, &options, cli->job, &error);
    cli_job_end(cli);
    if (!done)
        return cli_failed(cli, error);
    return end_export(cli, &options, arguments.strict, &show);
}

const Command command_export = {
    .name = "export",
    .operands = "DOMAIN DIRECTORY",
    .summary = N_("make a point of a running domain and export it"),
    .set = REFPOINT_RETURN_EXPORT,
    .groups = TRUE,
    .waits = TRUE,
    .wait = EXPORT_WAIT,
    .run = run_export,
};
