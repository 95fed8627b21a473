/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "help.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define OPEN_FILES 4096

static const Command *const commands[];

static const Command *
find_command(const char *name)
{
    for (guint i = 0; commands[i] != NULL; i++)
        if (g_str_equal(commands[i]->name, name))
            return commands[i];
    return NULL;
}

static char *
help_of_program(GOptionContext *context)
{
    g_autofree char *options = cli_help(context);
    g_autoptr(GString) out = g_string_new(options);

    g_string_append_printf(out, "%s\n", _("Commands:"));
    for (guint i = 0; commands[i] != NULL; i++) {
        if (commands[i]->summary == NULL)
            continue;
        g_string_append_printf(out, "  %s  %s\n", commands[i]->name,
                               _(commands[i]->summary));
    }
    g_string_append_printf(out, "\n%s\n",
                           _("See virt-refpoint help COMMAND, and "
                             "virt-refpoint(1)."));
    return help_layout(out->str);
}

static int
run_version(Cli *cli)
{
    JsonObject *document;

    if (!cli->json) {
        g_autofree char *text =
            g_strdup_printf("virt-refpoint %s\n", refpoint_version());

        return cli_done(cli, text);
    }
    document = json_document_new(cli, NULL, NULL, 0);
    json_set_text(document, "version", refpoint_version());
    return cli_done_json(cli, document, 0);
}

/* args[0] is the command's name. */
static int
run_command(Cli *cli, char **args)
{
    g_autoptr(GError) error = NULL;

    cli->command = find_command(args[0]);
    if (cli->command != NULL)
        return cli->command->run(cli, args);
    cli_bad_usage(&error, _("unknown command: %s"), args[0]);
    return cli_usage(cli, error);
}

/* What stands before the command. */
static int
run_program(Cli *cli, char **argv)
{
    gboolean help = FALSE;
    gboolean version = FALSE;
    g_autofree char *uri = NULL;
    g_auto(GStrv) args = NULL;
    const GOptionEntry entries[] = {
        {"connect", 'c', 0, G_OPTION_ARG_FILENAME, &uri,
         N_("the libvirt to talk to"), "URI"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &cli->json,
         N_("print one JSON document"), NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &cli->quiet,
         N_("print only what is needed"), NULL},
        {"version", 'v', 0, G_OPTION_ARG_NONE, &version, N_("show the version"),
         NULL},
        {"help", 'h', 0, G_OPTION_ARG_NONE, &help, N_("show this help"), NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &args, NULL,
         "COMMAND ..."},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_set_summary(
        context, _("Reference points of virtual machines, and their export"));
    if (!cli_parse_options(context, argv, NULL, entries, &error))
        return cli_usage(cli, error);
    cli_take_uri(cli, &uri);
    if (version)
        return run_version(cli);
    if (help ||
        (args != NULL && g_str_equal(args[0], "help") && args[1] == NULL)) {
        cli->help = help_of_program(context);
        return cli_usage(cli, NULL);
    }
    if (args != NULL)
        return run_command(cli, args);
    cli_bad_usage(&error, _("COMMAND is missing"));
    return cli_usage(cli, error);
}

static int
run_help(Cli *cli, char **args)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *name = NULL;
    char *asked[] = {NULL, (char *)"--help", NULL};

    if (!cli_parse(cli, args, NULL, &error))
        return cli_usage(cli, error);
    if (cli_operand(cli, 0) == NULL) {
        char *program[] = {(char *)"virt-refpoint", (char *)"--help", NULL};

        return run_program(cli, program);
    }
    name = g_strdup(cli_operand(cli, 0));
    g_clear_pointer(&cli->operands, g_strfreev);
    asked[0] = name;
    return run_command(cli, asked);
}

static gboolean
check_text(char **argv, GError **error)
{
    for (int i = 1; argv[i] != NULL; i++)
        if (!g_utf8_validate(argv[i], -1, NULL))
            return cli_bad_usage(error, _("argument %d is not valid UTF-8"), i);
    return TRUE;
}

/* Also where the command line cannot be understood. */
static gboolean
wants_json(char **argv)
{
    for (int i = 1; argv[i] != NULL && !g_str_equal(argv[i], "--"); i++)
        if (g_str_equal(argv[i], "--json"))
            return TRUE;
    return FALSE;
}

/* A file that the library opens must not become our standard output. What is
 * put there fails when it is used, as a closed descriptor does. */
static void
keep_standard_descriptors(void)
{
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDWR};

    for (int fd = 0; fd < (int)G_N_ELEMENTS(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            _exit(REFPOINT_ERROR_FAILED);
}

/* The limit that a shell hands on is far below what is allowed. Nothing here
 * uses select(2), which that is for. */
static void
allow_open_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= OPEN_FILES)
        return;
    limit.rlim_cur = MIN(limit.rlim_max, OPEN_FILES);
    setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(int argc, char **argv)
{
    g_auto(Cli) cli = {0};
    g_autoptr(GError) error = NULL;
    int status;

    keep_standard_descriptors();
    allow_open_files();
    setlocale(LC_ALL, "");
    bindtextdomain(GETTEXT_PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    textdomain(GETTEXT_PACKAGE);
    signal(SIGPIPE, SIG_IGN);
    /* they are for exports alone, and nobody is to die of them */
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    g_set_prgname("virt-refpoint");
    refpoint_silence_libvirt();
    if (argc < 1)
        return CLI_STATUS_USAGE;
    cli.json = wants_json(argv);
    if (check_text(argv, &error))
        status = run_program(&cli, argv);
    else
        status = cli_usage(&cli, error);
    if (status > 128 && interrupt_signal() != 0)
        interrupt_die(interrupt_signal());
    return status;
}

static const Command command_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = N_("show the commands, or the options of one"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_help,
};

static const Command *const commands[] = {
    &command_catalog, &command_changes,
    &command_create,  &command_destroy,
    &command_export,  &command_group,
    &command_help,    &command_import,
    &command_info,    &command_invoke,
    &command_job,     &command_job_process,
    &command_list,    &command_remove_data,
    &command_verify,  NULL,
};
