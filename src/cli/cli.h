/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the commands of virt-refpoint have in common: the options that each of
 * them takes, operations that can be interrupted, and the end of a command,
 * for people or as JSON.
 */
#ifndef CLI_H
#define CLI_H

#include "config.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>

#include "refpoint.h"

#include "progress.h"

/* Beside 0 and the causes of failure. */
#define CLI_STATUS_WARNINGS 13 /* --strict, and there were warnings */
#define CLI_STATUS_USAGE 64    /* wrong command line */

typedef struct _Command Command;

typedef struct {
    const Command *command; /* NULL until it is known */

    /* from the command line */
    gboolean json;
    gboolean quiet;
    gboolean progress_wanted; /* without a terminal, too */
    char *uri;
    guint wait;  /* seconds, as refpoint_job_set_wait() has it */
    char *group; /* whose members are meant, in place of DOMAIN; or NULL */
    char **operands;
    char *help; /* the text, where help was asked for */

    RefpointJob *job;   /* of the running command, or NULL */
    Progress *progress; /* of that job, or NULL */
    Writer *writer;     /* while that job runs, else NULL */
    int write_error;    /* errno of what it wrote to standard output, or 0 */
} Cli;

struct _Command {
    const char *name;
    const char *operands; /* "DOMAIN [NAME]...", one word an operand */
    const char *summary;  /* N_(); NULL: help does not show the command */
    RefpointReturnSet set;
    gboolean groups;                   /* takes --group in place of DOMAIN,
                                        * its first operand */
    gboolean waits;                    /* takes --wait and --no-wait */
    guint wait;                        /* seconds that it waits without them */
    int (*run)(Cli *cli, char **args); /* the exit status; args[0]: name */
};

/*
 * Parses @args against both tables, either may be NULL; strictly: a flag takes
 * no value.
 */
gboolean
cli_parse_options(GOptionContext *context,
                  char **args,
                  const GOptionEntry *entries,
                  const GOptionEntry *common,
                  GError **error);

/* -c: the last one counts. Takes *@uri, if there is one. */
void
cli_take_uri(Cli *cli, char **uri);

/* The help of a context that has been parsed with. */
char *
cli_help(GOptionContext *context);

/*
 * Parses the command's @args. FALSE without an error: help was asked for.
 * Errors are of G_OPTION_ERROR; both go to cli_usage().
 */
gboolean
cli_parse(Cli *cli, char **args, const GOptionEntry *entries, GError **error);

/* Any complaint about the command line, in G_OPTION_ERROR. */
gboolean
cli_bad_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * A copy of @args where "--NAME=VALUE" is "--NAME-max=VALUE", for options whose
 * value may be missing: GOption takes these only by a callback with data of the
 * program's own. Free with g_strfreev().
 */
char **
cli_split_option(char **args, const char *name);

/* A RefpointWaitFunc; @cli is a Cli. From any thread. */
void
cli_waits(const char *whom, gpointer cli);

/* The operand, or NULL where it was not given. */
const char *
cli_operand(const Cli *cli, guint index);

/* Of a command that takes --group: the domain, or NULL where a group is meant;
 * and the operands behind it, from 0 on. */
const char *
cli_domain(const Cli *cli);

const char *
cli_behind_domain(const Cli *cli, guint index);

/*
 * A new operation, which SIGINT, SIGTERM and SIGHUP cancel until
 * cli_job_end(). Owned by @cli.
 */
RefpointJob *
cli_job_begin(Cli *cli);

/* The outcome of the operation. */
const RefpointReport *
cli_job_end(Cli *cli);

/* ---- The end of a command: each of these returns the exit status --------- */

/* Ends for a wrong command line, or with the help that was asked for. */
int
cli_usage(Cli *cli, const GError *error);

/* Ends with a failure; that of the operation, where one has run. */
int
cli_failed(Cli *cli, const GError *error);

/* Ends well, with text for people. */
int
cli_done(Cli *cli, const char *text);

/* Ends well, or with @status, but standard output could not be written:
 * @errnum. Says what is done all the same. */
int
cli_not_written(const Cli *cli, int errnum, int status);

/* Ends with a document. Takes it. */
int
cli_done_json(Cli *cli, JsonObject *document, int status);

/* Prints the warnings of the operation, if any. */
void
cli_print_warnings(const Cli *cli, const GPtrArray *warnings);

void
cli_print_failure(const RefpointFailure *failure);

void
cli_clear(Cli *cli);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Cli, cli_clear)

#endif
