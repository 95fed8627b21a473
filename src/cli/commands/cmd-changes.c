/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "json.h"
#include "output.h"
#include "stop.h"
#include "value.h"

#include <inttypes.h>

/* What was asked for, and what has come of it so far. */
typedef struct {
    RefpointChangesOptions options;
    char **targets;   /* of the disks */
    GPtrArray *disks; /* RefpointChanges, put together of all pages */
    GPtrArray *jobs;  /* RefpointJob, of all pages but the last */
} Request;

static gboolean
parse_changes(Cli *cli, char **args, Request *request, GError **error)
{
    RefpointChangesOptions *options = &request->options;
    g_autofree char *offset = NULL;
    g_autofree char *length = NULL;
    const GOptionEntry entries[] = {
        {"disk", 0, 0, G_OPTION_ARG_STRING_ARRAY, &request->targets,
         N_("only this disk (can be repeated)"), "TARGET"},
        {"offset", 0, 0, G_OPTION_ARG_FILENAME, &offset,
         N_("from this byte of the disk on"), "BYTES"},
        {"length", 0, 0, G_OPTION_ARG_FILENAME, &length,
         N_("so many bytes of it"), "BYTES"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    if (!cli_parse(cli, args, entries, error) ||
        !value_check_targets("--disk", request->targets, NULL, NULL, error))
        return FALSE;
    if (offset != NULL &&
        !value_parse_bytes("--offset", offset, &options->offset, error))
        return FALSE;
    if (length != NULL &&
        !value_parse_bytes("--length", length, &options->length, error))
        return FALSE;
    if (length != NULL && options->length == 0)
        return cli_bad_usage(error, _("--length=%s: nothing is asked for"),
                             length);
    options->domain = cli_operand(cli, 0);
    options->point = cli_operand(cli, 1);
    return TRUE;
}

/* Without --disk: all that the point tracks. */
static gboolean
find_disks(RefpointConnection *conn, Request *request, GError **error)
{
    g_autoptr(RefpointPoint) point = NULL;
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    if (request->targets != NULL)
        return TRUE;
    point = refpoint_info(conn, request->options.domain, request->options.point,
                          error);
    if (point == NULL)
        return FALSE;
    for (guint i = 0; i < point->disks->len; i++) {
        const RefpointPointDisk *disk = point->disks->pdata[i];

        g_ptr_array_add(targets, g_strdup(disk->target));
    }
    g_ptr_array_add(targets, NULL);
    request->targets =
        (char **)g_ptr_array_free(g_steal_pointer(&targets), FALSE);
    return TRUE;
}

static RefpointChanges *
read_page(Cli *cli,
          RefpointConnection *conn,
          Request *request,
          const RefpointChangesOptions *options,
          GError **error)
{
    RefpointChanges *page;

    if (cli->job != NULL)
        g_ptr_array_add(request->jobs, g_steal_pointer(&cli->job));
    g_clear_pointer(&cli->progress, progress_free);
    cli_job_begin(cli);
    stop_begin(conn);
    page = refpoint_changes(conn, options, cli->job, error);
    cli_job_end(cli);
    return page;
}

/* Page by page; each is a moment of its own, and none forgets what the one
 * before has said. */
static RefpointChanges *
read_disk(Cli *cli,
          RefpointConnection *conn,
          Request *request,
          const char *target,
          GError **error)
{
    RefpointChangesOptions options = request->options;
    g_autoptr(RefpointChanges) all = NULL;

    options.target = target;
    options.max_extents = REFPOINT_CHANGES_LIMIT;
    do {
        g_autoptr(RefpointChanges) page =
            read_page(cli, conn, request, &options, error);

        if (page == NULL)
            return NULL;
        options.offset = page->offset + page->processed;
        options.length = page->length - page->processed;
        if (all == NULL) {
            all = g_steal_pointer(&page);
            continue;
        }
        all->processed += page->processed;
        g_array_append_vals(all->extents, page->extents->data,
                            page->extents->len);
    } while (options.length > 0);
    return g_steal_pointer(&all);
}

static gboolean
read_disks(Cli *cli, RefpointConnection *conn, Request *request, GError **error)
{
    for (char **target = request->targets; *target != NULL; target++) {
        RefpointChanges *disk = read_disk(cli, conn, request, *target, error);

        if (disk == NULL)
            return FALSE;
        g_ptr_array_add(request->disks, disk);
    }
    return TRUE;
}

/* ---- What is printed ----------------------------------------------------- */

static void
print_extent(GString *out,
             const char *prefix,
             guint64 offset,
             guint64 length,
             gboolean dirty)
{
    if (length > 0)
        g_string_append_printf(out, "%s%10" PRIu64 "  %10" PRIu64 "  %3d  %s\n",
                               prefix, offset, length, dirty,
                               dirty ? "dirty" : "clean");
}

/* As `nbdinfo --map` does, which has no translations either. */
static void
print_disk(const RefpointChanges *disk, gboolean named, GString *out)
{
    g_autofree char *target = output_clean(disk->target);
    g_autofree char *prefix = g_strconcat(target, "  ", NULL);
    guint64 at = disk->offset;

    if (!named)
        *prefix = '\0';
    for (guint i = 0; i < disk->extents->len; i++) {
        const RefpointExtent *extent =
            &g_array_index(disk->extents, RefpointExtent, i);

        print_extent(out, prefix, at, extent->offset - at, FALSE);
        print_extent(out, prefix, extent->offset, extent->length, TRUE);
        at = extent->offset + extent->length;
    }
    print_extent(out, prefix, at, disk->offset + disk->processed - at, FALSE);
}

static JsonObject *
disk_to_json(const RefpointChanges *disk)
{
    JsonObject *object = json_object_new();
    JsonArray *extents = json_array_new();

    json_set_text(object, "target", disk->target);
    json_set_number(object, "size", disk->size);
    json_set_number(object, "offset", disk->offset);
    json_set_number(object, "length", disk->processed);
    for (guint i = 0; i < disk->extents->len; i++) {
        const RefpointExtent *from =
            &g_array_index(disk->extents, RefpointExtent, i);
        JsonObject *extent = json_object_new();

        json_set_number(extent, "offset", from->offset);
        json_set_number(extent, "length", from->length);
        json_array_add_object_element(extents, extent);
    }
    json_object_set_array_member(object, "extents", extents);
    return object;
}

/* The last page's come with the end of the command. */
static void
tell_warnings(const Cli *cli, const Request *request, JsonObject *document)
{
    for (guint i = 0; i < request->jobs->len; i++) {
        const RefpointReport *report =
            refpoint_job_get_report(request->jobs->pdata[i]);

        for (guint j = 0; document != NULL && j < report->warnings->len; j++) {
            const RefpointWarning *warning = report->warnings->pdata[j];

            json_add_warning(document, warning->id, warning->object,
                             warning->message);
        }
        cli_print_warnings(cli, report->warnings);
    }
}

static int
done_json(Cli *cli, const Request *request)
{
    const RefpointReport *report =
        cli->job != NULL ? refpoint_job_get_report(cli->job) : NULL;
    JsonObject *document = json_document_new(cli, report, NULL, 0);
    JsonArray *changes = json_array_new();

    if (report != NULL)
        json_add_report(document, report);
    tell_warnings(cli, request, document);
    for (guint i = 0; i < request->disks->len; i++)
        json_array_add_object_element(changes,
                                      disk_to_json(request->disks->pdata[i]));
    json_object_set_array_member(document, "changes", changes);
    return cli_done_json(cli, document, 0);
}

static int
answer(Cli *cli, Request *request)
{
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    conn = refpoint_connection_open(cli->uri, &error);
    if (conn == NULL || !find_disks(conn, request, &error) ||
        !read_disks(cli, conn, request, &error))
        return cli_failed(cli, error);
    if (cli->json)
        return done_json(cli, request);
    tell_warnings(cli, request, NULL);
    for (guint i = 0; i < request->disks->len; i++)
        print_disk(request->disks->pdata[i], request->disks->len > 1, out);
    return cli_done(cli, out->str);
}

static int
run_changes(Cli *cli, char **args)
{
    Request request = {.options = REFPOINT_CHANGES_OPTIONS_INIT};
    g_autoptr(GError) error = NULL;
    int status;

    if (!parse_changes(cli, args, &request, &error)) {
        status = cli_usage(cli, error);
    } else {
        request.disks = g_ptr_array_new_with_free_func(
            (GDestroyNotify)refpoint_changes_free);
        request.jobs =
            g_ptr_array_new_with_free_func((GDestroyNotify)refpoint_job_free);
        status = answer(cli, &request);
        g_ptr_array_unref(request.jobs);
        g_ptr_array_unref(request.disks);
    }
    g_strfreev(request.targets);
    return status;
}

const Command command_changes = {
    .name = "changes",
    .operands = "DOMAIN POINT",
    .summary = N_("show what changed on the disks since a point"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_changes,
};
