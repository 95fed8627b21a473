/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "job/job-output.h"

#include "invoke/invoke-output.h"
#include "json.h"
#include "output.h"
#include "table.h"

#include <inttypes.h>

static guint
percent_of(const JobRecord *record)
{
    return (guint)MIN(cim_instance_number(record->instance, "PercentComplete"),
                      100);
}

static gint64
elapsed(const JobRecord *record)
{
    gint64 end =
        record->ended ? record->ended : g_get_real_time() / G_USEC_PER_SEC;

    return MAX(end - record->submitted, 0);
}

static char *
elapsed_text(const JobRecord *record)
{
    gint64 seconds = elapsed(record);

    return g_strdup_printf("%" PRId64 ":%02d:%02d", seconds / 3600,
                           (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* "vm/1f0c9a3e": the point's GUID begins so. */
static char *
subject(const JobRecord *record)
{
    const char *domain =
        record->domain_name != NULL ? record->domain_name : record->domain_uuid;

    if (record->point == NULL)
        return g_strdup(domain);
    return g_strdup_printf("%s/%.8s", domain != NULL ? domain : "-",
                           record->point);
}

char *
job_output_list(const GPtrArray *records, gboolean quiet)
{
    g_autoptr(Table) table = table_new(_("Id"), _("Method"), _("Domain/point"),
                                       _("State"), "%", _("Elapsed"), NULL);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < records->len; i++) {
        const JobRecord *record = records->pdata[i];
        g_autofree char *what = subject(record);
        g_autofree char *percent = g_strdup_printf("%u", percent_of(record));
        g_autofree char *time = elapsed_text(record);

        table_add(table, record->id, record->method, what,
                  _(job_state_name(job_record_state(record))), percent, time);
    }
    table_print(table, quiet, out);
    return g_string_free(out, FALSE);
}

char *
job_output_facts(const JobRecord *record)
{
    GString *out = g_string_new(NULL);
    const JobRecord *r = record;
    g_autofree char *method =
        g_strdup_printf("%s.%s", r->class_name, r->method);
    g_autofree char *percent = g_strdup_printf("%u %%", percent_of(r));
    g_autofree char *begun = output_time(r->submitted);
    g_autofree char *time = elapsed_text(r);
    const char *state = _(job_state_name(job_record_state(r)));
    g_autofree char *number = NULL;
    g_autofree char *directory =
        cim_instance_text(r->instance, "ExportDirectory");
    g_autofree char *error = cim_instance_text(r->instance, "ErrorDescription");

    if (r->ended != 0)
        number = g_strdup_printf("%u (%s)", r->return_value,
                                 refpoint_msvm_return_name(r->return_value));
    output_facts(out, _("Id:"), r->id, _("Path:"), r->path, _("Method:"),
                 method, _("Domain:"), r->domain_name, _("UUID:"),
                 r->domain_uuid, _("Point:"), r->point, _("Directory:"),
                 directory, _("State:"), state, _("Done:"), percent,
                 _("Started:"), begun, _("Elapsed:"), time, _("Return value:"),
                 number, _("Result:"), r->result, _("Error:"), error, NULL);
    return g_string_free(out, FALSE);
}

/* Its properties, under their own names. */
static JsonObject *
instance_to_json(const CimInstance *instance)
{
    JsonObject *object = json_object_new();

    for (guint i = 0; i < instance->properties->len; i++) {
        const RefpointMsvmParameter *property = instance->properties->pdata[i];

        json_object_set_member(object, property->name,
                               invoke_output_value(property));
    }
    return object;
}

JsonObject *
job_output_json(const JobRecord *record)
{
    JsonObject *object = json_object_new();
    guint state = job_record_state(record);

    json_set_text(object, "id", record->id);
    json_set_text(object, "path", record->path);
    json_set_text(object, "class", record->class_name);
    json_set_text(object, "method", record->method);
    json_set_text(object, "uri", record->uri);
    json_set_domain(object, record->domain_name, record->domain_uuid);
    json_set_text(object, "point", record->point);
    json_set_text(object, "result", record->result);
    json_set_number(object, "state", state);
    json_set_text(object, "state_name", job_state_name(state));
    json_set_number(object, "percent", percent_of(record));
    json_set_number(object, "elapsed_seconds", (guint64)elapsed(record));
    if (record->ended != 0)
        json_set_number(object, "return_value", record->return_value);
    else
        json_object_set_null_member(object, "return_value");
    json_object_set_object_member(object, "instance",
                                  instance_to_json(record->instance));
    return object;
}
