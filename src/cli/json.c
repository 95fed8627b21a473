/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

void
json_set_text(JsonObject *object, const char *name, const char *text)
{
    g_autofree char *valid = NULL;

    if (text == NULL) {
        json_object_set_null_member(object, name);
        return;
    }
    valid = g_utf8_make_valid(text, -1);
    json_object_set_string_member(object, name, valid);
}

void
json_set_number(JsonObject *object, const char *name, guint64 number)
{
    /* The library counts signed; no disk is that large. */
    json_object_set_int_member(object, name,
                               (gint64)MIN(number, (guint64)G_MAXINT64));
}

void
json_set_domain(JsonObject *object, const char *name, const char *uuid)
{
    JsonObject *domain;

    if (name == NULL && uuid == NULL) {
        json_object_set_null_member(object, "domain");
        return;
    }
    domain = json_object_new();
    json_set_text(domain, "name", name);
    json_set_text(domain, "uuid", uuid);
    json_object_set_object_member(object, "domain", domain);
}

void
json_set_group(JsonObject *object, const char *name, const char *guid)
{
    JsonObject *group;

    if (name == NULL && guid == NULL) {
        json_object_set_null_member(object, "group");
        return;
    }
    group = json_object_new();
    json_set_text(group, "name", name);
    json_set_text(group, "guid", guid);
    json_object_set_object_member(object, "group", group);
}

void
json_set_consistency(JsonObject *object, RefpointConsistency consistency)
{
    const char *text = "unknown";

    if (consistency == REFPOINT_CONSISTENCY_APPLICATION)
        text = "application";
    else if (consistency == REFPOINT_CONSISTENCY_CRASH)
        text = "crash";
    json_set_text(object, "consistency", text);
}

void
json_set_mode(JsonObject *object, RefpointMode mode)
{
    const char *text = "left-out";

    if (mode == REFPOINT_MODE_FULL)
        text = "full";
    else if (mode == REFPOINT_MODE_INCREMENT)
        text = "increment";
    json_set_text(object, "mode", text);
}

static const char *
cause_id(int status, RefpointError cause)
{
    if (status == CLI_STATUS_USAGE)
        return "usage";
    if (refpoint_cause_id(cause) == NULL)
        cause = REFPOINT_ERROR_FAILED;
    return refpoint_cause_id(cause);
}

gboolean
json_find_cause(const char *id, RefpointError *cause)
{
    for (int i = 1; refpoint_cause_id((RefpointError)i) != NULL; i++) {
        if (g_strcmp0(refpoint_cause_id((RefpointError)i), id) == 0) {
            *cause = (RefpointError)i;
            return TRUE;
        }
    }
    return FALSE;
}

JsonObject *
json_failure(const RefpointFailure *failure, int status)
{
    JsonObject *error = json_object_new();

    json_set_text(error, "cause", cause_id(status, failure->cause));
    json_set_text(error, "message", failure->message);
    json_set_text(error, "object", failure->object);
    json_set_text(error, "way_out", failure->way_out);
    json_object_set_int_member(error, "libvirt_code", failure->libvirt_code);
    json_object_set_int_member(error, "libvirt_domain",
                               failure->libvirt_domain);
    json_set_text(error, "libvirt_text", failure->libvirt_text);
    json_object_set_int_member(error, "errno", failure->errnum);
    return error;
}

void
json_add_warning(JsonObject *document,
                 const char *id,
                 const char *object,
                 const char *message)
{
    JsonObject *warning = json_object_new();

    json_set_text(warning, "id", id);
    json_set_text(warning, "object", object);
    json_set_text(warning, "message", message);
    json_array_add_object_element(json_object_get_array_member(document,
                                                               "warnings"),
                                  warning);
}

JsonObject *
json_document_new(const Cli *cli,
                  const RefpointReport *report,
                  const RefpointFailure *failure,
                  int status)
{
    JsonObject *document = json_object_new();
    RefpointReturnSet set =
        cli->command != NULL ? cli->command->set : REFPOINT_RETURN_EXPORT;
    int cause = failure != NULL ? (int)failure->cause : 0;

    json_object_set_int_member(document, "schema", JSON_SCHEMA);
    json_set_text(document, "command",
                  cli->command != NULL ? cli->command->name : NULL);
    json_object_set_int_member(document, "return_value",
                               refpoint_return_value(set, cause));
    json_set_text(document, "return_name", refpoint_return_name(cause));
    json_object_set_int_member(document, "exit_status", status);
    json_object_set_boolean_member(document, "changed",
                                   report != NULL && report->changed);
    json_object_set_array_member(document, "warnings", json_array_new());
    for (guint i = 0; report != NULL && report->warnings != NULL &&
                      i < report->warnings->len;
         i++) {
        const RefpointWarning *warning = report->warnings->pdata[i];

        json_add_warning(document, warning->id, warning->object,
                         warning->message);
    }
    if (failure != NULL)
        json_object_set_object_member(document, "error",
                                      json_failure(failure, status));
    else
        json_object_set_null_member(document, "error");
    return document;
}

static void
set_audit(JsonObject *object, const RefpointDiskReport *disk)
{
    JsonObject *audit = json_object_new();
    const char *result = "none";

    if (disk->audit == REFPOINT_AUDIT_MATCH)
        result = "match";
    else if (disk->audit == REFPOINT_AUDIT_MISMATCH)
        result = "mismatch";
    json_set_text(audit, "result", result);
    json_set_number(audit, "clusters", disk->audited);
    json_object_set_object_member(object, "audit", audit);
}

static void
set_base(JsonObject *object, const RefpointDiskReport *disk)
{
    JsonObject *base;

    if (disk->base_name == NULL && disk->base_guid == NULL) {
        json_object_set_null_member(object, "base");
        return;
    }
    base = json_object_new();
    json_set_text(base, "name", disk->base_name);
    json_set_text(base, "guid", disk->base_guid);
    json_object_set_object_member(object, "base", base);
}

static JsonObject *
disk_to_json(const RefpointDiskReport *disk)
{
    JsonObject *object = json_object_new();

    json_set_domain(object, disk->domain_name, disk->domain_uuid);
    json_set_text(object, "target", disk->target);
    json_set_mode(object, disk->mode);
    json_set_text(object, "reason", disk->reason_id);
    json_set_text(object, "reason_text", disk->reason);
    set_base(object, disk);
    json_set_number(object, "size", disk->size);
    json_set_number(object, "estimate", disk->estimate);
    json_set_number(object, "read", disk->read);
    json_set_number(object, "stored", disk->stored);
    json_set_text(object, "image", disk->image);
    json_set_text(object, "view_digest", disk->view_digest);
    set_audit(object, disk);
    return object;
}

static void
set_point(JsonObject *document, const RefpointReport *report)
{
    JsonObject *point;

    if (report->point_name == NULL && report->point_guid == NULL) {
        json_object_set_null_member(document, "point");
        return;
    }
    point = json_object_new();
    json_set_text(point, "name", report->point_name);
    json_set_text(point, "guid", report->point_guid);
    json_set_text(point, "path", report->point_path);
    json_set_text(point, "set", report->set_guid);
    json_set_consistency(point, report->consistency);
    json_set_number(point, "frozen_us", report->frozen_us);
    json_object_set_object_member(document, "point", point);
}

static const char *
moment_id(RefpointMoment moment)
{
    switch (moment) {
    case REFPOINT_MOMENT_NONE:
        break;
    case REFPOINT_MOMENT_FROZEN:
        return "frozen";
    case REFPOINT_MOMENT_PAUSED:
        return "paused";
    case REFPOINT_MOMENT_APART:
        return "apart";
    }
    return NULL;
}

/* The group, and the moment that its members had together; null: it was a
 * single domain. */
static void
set_collection(JsonObject *document, const RefpointReport *report)
{
    JsonObject *collection;

    if (report->group_guid == NULL) {
        json_object_set_null_member(document, "collection");
        return;
    }
    collection = json_object_new();
    json_set_group(collection, report->group_name, report->group_guid);
    json_set_text(collection, "moment", moment_id(report->moment));
    json_set_number(collection, "window_us", report->window_us);
    json_set_number(collection, "skew_us", report->skew_us);
    json_object_set_object_member(document, "collection", collection);
}

/* Microseconds since the epoch, or null. */
static void
set_time(JsonObject *object, const char *name, gint64 us)
{
    if (us == 0)
        json_object_set_null_member(object, name);
    else
        json_set_number(object, name, (guint64)us);
}

static JsonObject *
member_to_json(const RefpointMemberReport *member)
{
    JsonObject *object = json_object_new();

    json_set_domain(object, member->domain_name, member->domain_uuid);
    json_set_consistency(object, member->consistency);
    json_set_number(object, "frozen_us", member->frozen_us);
    set_time(object, "frozen_at", member->frozen_at);
    set_time(object, "begun_at", member->begun_at);
    set_time(object, "thawed_at", member->thawed_at);
    return object;
}

static void
set_members(JsonObject *document, const RefpointReport *report)
{
    JsonArray *members = json_array_new();

    for (guint i = 0; report->members != NULL && i < report->members->len; i++)
        json_array_add_object_element(members, member_to_json(
                                                   report->members->pdata[i]));
    json_object_set_array_member(document, "members", members);
}

static void
set_waited(JsonObject *document, const RefpointReport *report)
{
    JsonObject *waited;

    if (report->waited_for == NULL) {
        json_object_set_null_member(document, "waited");
        return;
    }
    waited = json_object_new();
    json_set_number(waited, "us", report->waited_us);
    json_set_text(waited, "for", report->waited_for);
    json_object_set_object_member(document, "waited", waited);
}

void
json_add_report(JsonObject *document, const RefpointReport *report)
{
    JsonArray *disks = json_array_new();
    JsonArray *destroyed = json_array_new();

    json_set_domain(document, report->domain_name, report->domain_uuid);
    set_point(document, report);
    set_collection(document, report);
    set_members(document, report);
    for (guint i = 0; report->disks != NULL && i < report->disks->len; i++)
        json_array_add_object_element(disks,
                                      disk_to_json(report->disks->pdata[i]));
    json_object_set_array_member(document, "disks", disks);
    for (guint i = 0; report->destroyed != NULL && i < report->destroyed->len;
         i++) {
        g_autofree char *name =
            g_utf8_make_valid(report->destroyed->pdata[i], -1);

        json_array_add_string_element(destroyed, name);
    }
    json_object_set_array_member(document, "destroyed", destroyed);
    set_waited(document, report);
}

char *
json_to_text(JsonObject *document)
{
    g_autoptr(JsonGenerator) generator = json_generator_new();
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;

    json_node_set_object(root, document);
    json_generator_set_root(generator, root);
    json_generator_set_pretty(generator, TRUE);
    text = json_generator_to_data(generator, NULL);
    return g_strconcat(text, "\n", NULL);
}
