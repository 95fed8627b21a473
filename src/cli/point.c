/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "point.h"

#include "json.h"
#include "output.h"

static const char *const state_ids[] = {
    [REFPOINT_STATE_FOREIGN] = "foreign",
    [REFPOINT_STATE_PENDING] = "pending",
    [REFPOINT_STATE_PUBLISHED] = "published",
    [REFPOINT_STATE_TRACKED] = "tracked",
};

static const char *const bitmap_ids[] = {
    [REFPOINT_BITMAP_UNKNOWN] = "unknown",
    [REFPOINT_BITMAP_GOOD] = "good",
    [REFPOINT_BITMAP_BROKEN] = "broken",
};

static JsonArray *
disks_to_json(const GPtrArray *disks, gboolean sizes)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; disks != NULL && i < disks->len; i++) {
        const RefpointPointDisk *disk = disks->pdata[i];
        JsonObject *object = json_object_new();

        json_set_text(object, "target", disk->target);
        json_set_text(object, "bitmap", bitmap_ids[disk->bitmap]);
        if (sizes && disk->bitmap == REFPOINT_BITMAP_GOOD)
            json_set_number(object, "changed", disk->changed);
        else
            json_object_set_null_member(object, "changed");
        json_array_add_object_element(array, object);
    }
    return array;
}

static void
set_created(JsonObject *object, gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *text =
        time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;

    json_set_text(object, "created", text);
}

/* What is kept of it now, or null. */
static JsonNode *
data_to_json(const RefpointPoint *point)
{
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = NULL;

    if (point->keep == REFPOINT_KEEP_NOTHING)
        return json_node_init_null(node);
    object = json_object_new();
    json_set_text(object, "kept",
                  point->keep == REFPOINT_KEEP_HOLD ? "held" : "first-export");
    if (point->keep_until != 0)
        json_set_number(object, "until", (guint64)point->keep_until);
    else
        json_object_set_null_member(object, "until");
    json_set_number(object, "scratch_used", point->scratch_used);
    json_set_number(object, "scratch_max", point->scratch_max);
    json_node_take_object(node, object);
    return node;
}

JsonObject *
point_to_json(const RefpointPoint *point, gboolean sizes)
{
    JsonObject *object = json_object_new();

    json_set_domain(object, point->domain_name, point->domain_uuid);
    json_set_text(object, "name", point->name);
    json_set_text(object, "guid", point->guid);
    json_set_text(object, "parent", point->parent);
    json_set_text(object, "set", point->set_guid);
    set_created(object, point->created);
    json_set_text(object, "state", state_ids[point->state]);
    json_set_consistency(object, point->consistency);
    json_object_set_boolean_member(object, "held", point->held);
    json_object_set_member(object, "data", data_to_json(point));
    json_object_set_array_member(object, "disks",
                                 disks_to_json(point->disks, sizes));
    return object;
}

int
point_run(Cli *cli,
          char **args,
          PointFunc func,
          const char *changed,
          const char *unchanged)
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
    done =
        func(conn, cli_operand(cli, 0), cli_operand(cli, 1), cli->job, &error);
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
    text = g_strdup_printf(_(report->changed ? changed : unchanged), point);
    return cli_done(cli, cli->quiet ? "" : text);
}
