/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "table.h"

typedef struct _Action Action;

typedef struct {
    const Action *action;
    const char *group;
    const char *const *domains;
    gboolean names; /* alone */
} Request;

struct _Action {
    const char *name;
    gboolean takes_group;
    gboolean takes_domains;
    int (*run)(Cli *cli, RefpointConnection *conn, const Request *request);
    RefpointGroupChange change;
};

static const Action actions[];

static const Action *
find_action(const char *name)
{
    for (const Action *action = actions; action->name != NULL; action++)
        if (g_str_equal(action->name, name))
            return action;
    return NULL;
}

static gboolean
parse_group(Cli *cli, char **args, Request *request, GError **error)
{
    const GOptionEntry entries[] = {
        {"name", 0, 0, G_OPTION_ARG_NONE, &request->names,
         N_("list: names only, one a line"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const char *domain;

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    request->action = find_action(cli_operand(cli, 0));
    request->group = cli_operand(cli, 1);
    domain = cli_operand(cli, 2);
    if (request->action == NULL)
        return cli_bad_usage(error, _("unknown command: group %s"),
                             cli_operand(cli, 0));
    if (request->names && request->action->takes_group)
        return cli_bad_usage(error, _("--name is for group list"));
    if (request->action->takes_group && request->group == NULL)
        return cli_bad_usage(error, _("%s is missing"), "GROUP");
    if (request->action->takes_domains && domain == NULL)
        return cli_bad_usage(error, _("%s is missing"), "DOMAIN");
    if (!request->action->takes_group && request->group != NULL)
        return cli_bad_usage(error, _("unexpected argument: %s"),
                             request->group);
    if (!request->action->takes_domains && domain != NULL)
        return cli_bad_usage(error, _("unexpected argument: %s"), domain);
    if (domain != NULL)
        request->domains = (const char *const *)cli->operands + 2;
    return TRUE;
}

/* ---- JSON ---------------------------------------------------------------- */

static JsonArray *
members_to_json(const GPtrArray *members)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < members->len; i++) {
        const RefpointGroupMember *member = members->pdata[i];
        JsonObject *object = json_object_new();

        json_set_domain(object, member->domain_name, member->domain_uuid);
        json_set_text(object, "former_name", member->former_name);
        json_object_set_boolean_member(object, "missing", member->missing);
        json_object_set_boolean_member(object, "active", member->active);
        json_object_set_boolean_member(object, "transient", member->transient);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonObject *
group_to_json(const RefpointGroup *group)
{
    JsonObject *object = json_object_new();

    json_set_text(object, "name", group->name);
    json_set_text(object, "guid", group->guid);
    json_set_number(object, "generation", group->generation);
    json_object_set_boolean_member(object, "unfinished", group->unfinished);
    json_object_set_array_member(object, "members",
                                 members_to_json(group->members));
    return object;
}

/* @group: NULL where there is none any more. */
static int
done_json(Cli *cli, const RefpointReport *report, const RefpointGroup *group)
{
    JsonObject *document = json_document_new(cli, report, NULL, 0);

    if (group != NULL)
        json_object_set_object_member(document, "group", group_to_json(group));
    else
        json_object_set_null_member(document, "group");
    return cli_done_json(cli, document, 0);
}

/* ---- Text ---------------------------------------------------------------- */

static guint
count_missing(const RefpointGroup *group)
{
    guint n = 0;

    for (guint i = 0; i < group->members->len; i++) {
        const RefpointGroupMember *member = group->members->pdata[i];

        n += member->missing ? 1 : 0;
    }
    return n;
}

static void
print_groups(const GPtrArray *groups, gboolean quiet, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Name"), _("GUID"), _("Members"), _("Missing"), NULL);

    for (guint i = 0; i < groups->len; i++) {
        const RefpointGroup *group = groups->pdata[i];
        guint n_missing = count_missing(group);
        g_autofree char *members = g_strdup_printf("%u", group->members->len);
        g_autofree char *missing =
            n_missing > 0 ? g_strdup_printf("%u", n_missing) : NULL;

        table_add(table, group->name, group->guid, members, missing);
    }
    table_print(table, quiet, out);
}

static const char *
state_of(const RefpointGroupMember *member)
{
    if (member->missing)
        return _("missing");
    return member->active ? _("active") : _("shut off");
}

static char *
remark_on(const RefpointGroupMember *member)
{
    if (member->former_name != NULL)
        return g_strdup_printf(_("was '%s'"), member->former_name);
    return member->transient ? g_strdup(_("transient")) : NULL;
}

static void
print_group(const RefpointGroup *group, gboolean quiet, GString *out)
{
    g_autoptr(Table) table =
        table_new(_("Domain"), _("UUID"), _("State"), _("Remark"), NULL);

    if (!quiet) {
        output_facts(out, _("Name:"), group->name, _("GUID:"), group->guid,
                     NULL);
        g_string_append_c(out, '\n');
    }
    for (guint i = 0; i < group->members->len; i++) {
        const RefpointGroupMember *member = group->members->pdata[i];
        g_autofree char *remark = remark_on(member);

        table_add(table, member->domain_name, member->domain_uuid,
                  state_of(member), remark);
    }
    table_print(table, quiet, out);
}

/* ---- The actions --------------------------------------------------------- */

static int
run_list(Cli *cli, RefpointConnection *conn, const Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) groups = refpoint_group_list(conn, &error);
    g_autoptr(GString) out = g_string_new(NULL);
    JsonObject *document;
    JsonArray *array;

    if (groups == NULL)
        return cli_failed(cli, error);
    if (cli->json) {
        document = json_document_new(cli, NULL, NULL, 0);
        array = json_array_new();
        for (guint i = 0; i < groups->len; i++)
            json_array_add_object_element(array,
                                          group_to_json(groups->pdata[i]));
        json_object_set_array_member(document, "groups", array);
        return cli_done_json(cli, document, 0);
    }
    if (!request->names)
        print_groups(groups, cli->quiet, out);
    for (guint i = 0; request->names && i < groups->len; i++) {
        const RefpointGroup *group = groups->pdata[i];

        g_string_append_printf(out, "%s\n", group->name);
    }
    return cli_done(cli, out->str);
}

static int
run_show(Cli *cli, RefpointConnection *conn, const Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointGroup) group =
        refpoint_group_get(conn, request->group, &error);
    g_autoptr(GString) out = g_string_new(NULL);

    if (group == NULL)
        return cli_failed(cli, error);
    if (cli->json)
        return done_json(cli, NULL, group);
    print_group(group, cli->quiet, out);
    return cli_done(cli, out->str);
}

static char *
text_of(const Request *request,
        const RefpointReport *report,
        const RefpointGroup *group)
{
    guint n = group != NULL ? group->members->len : 0;

    if (request->action->change == REFPOINT_GROUP_DELETE)
        return g_strdup_printf(_("Group %s deleted\n"), request->group);
    if (group == NULL)
        return g_strdup("");
    return g_strdup_printf(
        report->changed ? ngettext("Group %s has %u member now\n",
                                   "Group %s has %u members now\n", n)
                        : ngettext("Group %s has %u member, as before\n",
                                   "Group %s has %u members, as before\n", n),
        group->name, n);
}

static int
run_change(Cli *cli, RefpointConnection *conn, const Request *request)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointGroup) group = NULL;
    g_autofree char *text = NULL;
    const RefpointReport *report;
    gboolean done;

    cli_job_begin(cli);
    done = refpoint_group_change(conn, request->action->change, request->group,
                                 request->domains, cli->job, &error);
    report = cli_job_end(cli);
    if (!done)
        return cli_failed(cli, error);
    /* the change is made, whatever comes of this look */
    if (request->action->change != REFPOINT_GROUP_DELETE)
        group = refpoint_group_get(conn, request->group, NULL);
    if (cli->json)
        return done_json(cli, report, group);
    text = text_of(request, report, group);
    return cli_done(cli, cli->quiet ? "" : text);
}

static int
run_group(Cli *cli, char **args)
{
    Request request = {0};
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;

    if (!parse_group(cli, args, &request, &error))
        return cli_usage(cli, error);
    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL)
        return cli_failed(cli, error);
    return request.action->run(cli, conn, &request);
}

const Command command_group = {
    .name = "group",
    .operands = "COMMAND [GROUP] [DOMAIN]...",
    .summary = N_("list, show, set, add, remove or delete groups of domains"),
    .set = REFPOINT_RETURN_EXPORT,
    .run = run_group,
};

static const Action actions[] = {
    {"list", FALSE, FALSE, run_list, 0},
    {"show", TRUE, FALSE, run_show, 0},
    {"set", TRUE, TRUE, run_change, REFPOINT_GROUP_SET},
    {"add", TRUE, TRUE, run_change, REFPOINT_GROUP_ADD},
    {"remove", TRUE, TRUE, run_change, REFPOINT_GROUP_REMOVE},
    {"delete", TRUE, FALSE, run_change, REFPOINT_GROUP_DELETE},
    {NULL, FALSE, FALSE, NULL, 0},
};
