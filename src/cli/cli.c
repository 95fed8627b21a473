/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "help.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"
#include "stop.h"
#include "value.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Ten years. */
#define WAIT_MAX (10 * 365 * 24 * 3600)
/* The first ones of the common options. */
#define N_WAIT_ENTRIES 3

gboolean
cli_bad_usage(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, text);
    return FALSE;
}

const char *
cli_operand(const Cli *cli, guint index)
{
    guint n = cli->operands != NULL ? g_strv_length(cli->operands) : 0;

    return index < n ? cli->operands[index] : NULL;
}

const char *
cli_domain(const Cli *cli)
{
    return cli->group != NULL ? NULL : cli_operand(cli, 0);
}

const char *
cli_behind_domain(const Cli *cli, guint index)
{
    return cli_operand(cli, cli->group != NULL ? index : index + 1);
}

/* Against the command's description: "DOMAIN [NAME]...". A group takes the
 * place of the domain. */
static gboolean
check_operands(const Cli *cli, GError **error)
{
    g_auto(GStrv) words = g_strsplit(cli->command->operands, " ", -1);
    guint n_words = *cli->command->operands ? g_strv_length(words) : 0;
    const guint skipped = cli->group != NULL ? 1 : 0;

    n_words -= skipped;
    for (guint i = 0; i < n_words; i++) {
        const char *operand = cli_operand(cli, i);
        const char *word = words[i + skipped];

        if (operand == NULL && word[0] != '[')
            return cli_bad_usage(error, _("%s is missing"), word);
        if (operand != NULL && *operand == '\0')
            return cli_bad_usage(error, _("%s is empty"), word);
    }
    if (cli_operand(cli, n_words) != NULL &&
        !g_str_has_suffix(cli->command->operands, "..."))
        return cli_bad_usage(error, _("unexpected argument: %s"),
                             cli_operand(cli, n_words));
    return TRUE;
}

/* GLib takes --dry-run=no for --dry-run. */
static gboolean
check_flags(char **args, const GOptionEntry *entries, GError **error)
{
    for (; entries != NULL && entries->long_name != NULL; entries++) {
        gsize length = strlen(entries->long_name);

        if (entries->arg != G_OPTION_ARG_NONE)
            continue;
        for (char **arg = args; *arg != NULL && !g_str_equal(*arg, "--"); arg++)
            if (g_str_has_prefix(*arg, "--") &&
                strncmp(*arg + 2, entries->long_name, length) == 0 &&
                (*arg)[2 + length] == '=')
                return cli_bad_usage(error, _("--%s takes no value"),
                                     entries->long_name);
    }
    return TRUE;
}

gboolean
cli_parse_options(GOptionContext *context,
                  char **args,
                  const GOptionEntry *entries,
                  const GOptionEntry *common,
                  GError **error)
{
    g_auto(GStrv) rest = g_strdupv(args);

    if (!check_flags(args, entries, error) || !check_flags(args, common, error))
        return FALSE;
    g_option_context_set_help_enabled(context, FALSE);
    if (entries != NULL)
        g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    if (common != NULL)
        g_option_context_add_main_entries(context, common, GETTEXT_PACKAGE);
    return g_option_context_parse_strv(context, &rest, error);
}

char *
cli_help(GOptionContext *context)
{
    g_autofree char *help = g_option_context_get_help(context, TRUE, NULL);
    /* Terminals without UTF-8 are still about. */
    g_auto(GStrv) parts = g_strsplit(help, "…", -1);
    g_autofree char *plain = g_strjoinv("...", parts);

    return help_layout(plain);
}

static char *
help_of(const Cli *cli, GOptionContext *context)
{
    g_autofree char *name =
        g_strdup_printf("virt-refpoint %s", cli->command->name);
    char *help;

    /* What the usage line begins with. */
    g_set_prgname(name);
    help = cli_help(context);
    g_set_prgname("virt-refpoint");
    return help;
}

void
cli_take_uri(Cli *cli, char **uri)
{
    if (*uri == NULL)
        return;
    g_free(cli->uri);
    cli->uri = g_steal_pointer(uri);
}

char **
cli_split_option(char **args, const char *name)
{
    char **copy = g_strdupv(args);
    g_autofree char *prefix = g_strdup_printf("--%s=", name);

    for (char **arg = copy; *arg != NULL && strcmp(*arg, "--") != 0; arg++) {
        char *max =
            g_str_has_prefix(*arg, prefix)
                ? g_strdup_printf("--%s-max=%s", name, *arg + strlen(prefix))
                : NULL;

        if (max == NULL)
            continue;
        g_free(*arg);
        *arg = max;
    }
    return copy;
}

typedef struct {
    gboolean forever;
    gboolean never;
    char *max;
} WaitArgs;

static gboolean
take_wait(Cli *cli, const WaitArgs *wait, GError **error)
{
    cli->wait = wait->forever ? REFPOINT_WAIT_FOREVER : cli->command->wait;
    if (wait->never)
        cli->wait = 0;
    if (wait->never && (wait->forever || wait->max != NULL))
        return cli_bad_usage(error, _("%s and %s contradict"), "--wait",
                             "--no-wait");
    return wait->max == NULL || value_parse_count("--wait", wait->max, 0,
                                                  WAIT_MAX, &cli->wait, error);
}

gboolean
cli_parse(Cli *cli, char **args, const GOptionEntry *entries, GError **error)
{
    gboolean help = FALSE;
    g_autofree char *uri = NULL;
    g_autofree char *wait_max = NULL;
    g_auto(GStrv) split = cli_split_option(args, "wait");
    g_autofree char *group = NULL;
    WaitArgs wait = {0};
    gboolean parsed;
    const GOptionEntry groups[] = {
        {"group", 0, 0, G_OPTION_ARG_FILENAME, &group,
         N_("all members of this group, in place of a domain"), "GROUP"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const GOptionEntry common[] = {
        {"wait", 0, 0, G_OPTION_ARG_NONE, &wait.forever,
         N_("wait while others work on the domain, at most SECONDS"),
         "[SECONDS]"},
        {"wait-max", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_FILENAME, &wait.max,
         NULL, NULL},
        {"no-wait", 0, 0, G_OPTION_ARG_NONE, &wait.never,
         N_("fail at once where others work on the domain"), NULL},
        {"connect", 'c', 0, G_OPTION_ARG_FILENAME, &uri,
         N_("the libvirt to talk to"), "URI"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &cli->json,
         N_("print one JSON document"), NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &cli->quiet,
         N_("print only what is needed"), NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, N_("show this help"), NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &cli->operands,
         NULL, cli->command->operands},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);

    g_option_context_set_summary(context, _(cli->command->summary));
    if (cli->command->groups)
        g_option_context_add_main_entries(context, groups, GETTEXT_PACKAGE);
    parsed =
        cli_parse_options(context, cli->command->waits ? split : args, entries,
                          cli->command->waits ? common
                                              : common + N_WAIT_ENTRIES,
                          error);
    wait_max = wait.max;
    if (!parsed)
        return FALSE;
    cli_take_uri(cli, &uri);
    if (help) {
        cli->help = help_of(cli, context);
        return FALSE;
    }
    if (group != NULL && *group == '\0')
        return cli_bad_usage(error, _("%s: the value is empty"), "--group");
    g_free(cli->group);
    cli->group = g_steal_pointer(&group);
    return take_wait(cli, &wait, error) && check_operands(cli, error);
}

/* A line of its own, written by whom nothing holds up. */
void
cli_waits(const char *whom, gpointer opaque)
{
    Cli *cli = opaque;
    g_autofree char *line = NULL;

    if (whom == NULL || ((cli->quiet || cli->json) && !cli->progress_wanted))
        return;
    line = g_strdup_printf(_("waiting: %s\n"), whom);
    progress_hide(cli->progress);
    writer_add(cli->writer, STDERR_FILENO, line, strlen(line));
}

RefpointJob *
cli_job_begin(Cli *cli)
{
    cli->job = refpoint_job_new();
    cli->progress = progress_new(cli->progress_wanted, cli->quiet || cli->json);
    cli->writer = writer_new();
    progress_use(cli->progress, cli->writer);
    if (cli->progress != NULL)
        refpoint_job_set_progress(cli->job, progress_update, cli->progress);
    refpoint_job_set_wait(cli->job, cli->wait, cli_waits, cli);
    interrupt_begin(cli->job, !cli->quiet);
    return cli->job;
}

const RefpointReport *
cli_job_end(Cli *cli)
{
    stop_end();
    interrupt_end();
    progress_hide(cli->progress);
    progress_use(cli->progress, NULL);
    if (cli->writer != NULL)
        cli->write_error = writer_end(cli->writer, STDOUT_FILENO);
    cli->writer = NULL;
    return refpoint_job_get_report(cli->job);
}

/* ---- The end of a command ------------------------------------------------ */

void
cli_print_failure(const RefpointFailure *failure)
{
    g_autofree char *message = output_clean(failure->message);
    g_autofree char *way_out = output_clean(failure->way_out);

    output_complain(_("error: %s"), message);
    if (failure->way_out != NULL)
        output_complain(_("hint: %s"), way_out);
}

/* What came of a failure: it is told behind that. */
static gboolean
is_consequence(const RefpointWarning *warning)
{
    return g_str_equal(warning->id, "undo-unfinished");
}

static void
print_warnings(const GPtrArray *warnings, gboolean consequences)
{
    for (guint i = 0; warnings != NULL && i < warnings->len; i++) {
        const RefpointWarning *warning = warnings->pdata[i];
        g_autofree char *message = output_clean(warning->message);

        if (is_consequence(warning) == consequences)
            output_complain(_("warning: [%s] %s"), warning->id, message);
    }
}

void
cli_print_warnings(const Cli *cli, const GPtrArray *warnings)
{
    if (cli->json)
        return;
    print_warnings(warnings, FALSE);
    print_warnings(warnings, TRUE);
}

/* What is done stays done: the status alone would say that nothing is. */
static void
say_what_is_done(const Cli *cli)
{
    const RefpointReport *report =
        cli->job != NULL ? refpoint_job_get_report(cli->job) : NULL;

    if (report == NULL || report->failure != NULL)
        return;
    if (report->point_path != NULL) {
        g_autofree char *name = output_clean(report->point_name);
        g_autofree char *path = output_clean(report->point_path);

        output_complain(_("hint: only the output is missing: point '%s' is "
                          "published, in '%s'"),
                        name, path);
    } else if (report->changed) {
        output_complain(_("hint: only the output is missing: what this command "
                          "had to do is done"));
    }
}

int
cli_not_written(const Cli *cli, int errnum, int status)
{
    output_complain(_("error: cannot write to standard output: %s"),
                    g_strerror(errnum));
    say_what_is_done(cli);
    return status != 0 ? status : REFPOINT_ERROR_FAILED;
}

/* Standard output, and the status that this leaves. */
static int
finish(const Cli *cli, const char *text, int status)
{
    if (output_write(STDOUT_FILENO, text, strlen(text)))
        return status;
    return cli_not_written(cli, errno, status);
}

int
cli_done(Cli *cli, const char *text)
{
    if (cli->job != NULL)
        cli_print_warnings(cli, refpoint_job_get_report(cli->job)->warnings);
    return finish(cli, text, 0);
}

int
cli_done_json(Cli *cli, JsonObject *document, int status)
{
    g_autofree char *text = json_to_text(document);

    json_object_unref(document);
    return finish(cli, text, status);
}

int
cli_usage(Cli *cli, const GError *error)
{
    RefpointFailure failure = {
        .cause = REFPOINT_ERROR_INVALID_PARAMETER,
        .message = error != NULL ? error->message : NULL,
    };
    g_autofree char *way_out = NULL;
    JsonObject *document;

    if (error == NULL && !cli->json)
        return finish(cli, cli->help, 0);
    if (error == NULL) {
        document = json_document_new(cli, NULL, NULL, 0);
        json_set_text(document, "help", cli->help);
        return cli_done_json(cli, document, 0);
    }
    way_out = cli->command != NULL
                  ? g_strdup_printf("virt-refpoint help %s", cli->command->name)
                  : g_strdup("virt-refpoint help");
    failure.way_out = way_out;
    if (cli->json)
        return cli_done_json(cli,
                             json_document_new(cli, NULL, &failure,
                                               CLI_STATUS_USAGE),
                             CLI_STATUS_USAGE);
    cli_print_failure(&failure);
    return CLI_STATUS_USAGE;
}

/* As shells count. */
static int
status_of(RefpointError cause)
{
    if (interrupt_signal() != 0)
        return 128 + interrupt_signal();
    return cause == REFPOINT_ERROR_CANCELLED ? REFPOINT_ERROR_FAILED
                                             : (int)cause;
}

int
cli_failed(Cli *cli, const GError *error)
{
    const RefpointReport *report =
        cli->job != NULL ? refpoint_job_get_report(cli->job) : NULL;
    g_autoptr(RefpointFailure) bare = refpoint_failure_new(error);
    const RefpointFailure *failure =
        report != NULL && report->failure != NULL ? report->failure : bare;
    int status = status_of(failure->cause);
    JsonObject *document;

    if (cli->json) {
        document = json_document_new(cli, report, failure, status);
        if (report != NULL)
            json_add_report(document, report);
        return cli_done_json(cli, document, status);
    }
    if (report == NULL) {
        cli_print_failure(failure);
        return status;
    }
    print_warnings(report->warnings, FALSE);
    cli_print_failure(failure);
    print_warnings(report->warnings, TRUE);
    return status;
}

void
cli_clear(Cli *cli)
{
    g_clear_pointer(&cli->uri, g_free);
    g_clear_pointer(&cli->group, g_free);
    g_clear_pointer(&cli->operands, g_strfreev);
    g_clear_pointer(&cli->help, g_free);
    g_clear_pointer(&cli->job, refpoint_job_free);
    g_clear_pointer(&cli->progress, progress_free);
}
