/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "invoke/invoke-output.h"

#include "invoke/cim-xml.h"
#include "json.h"
#include "output.h"

#include <string.h>

/* ---- For people ---------------------------------------------------------- */

/* A value of several lines (an embedded instance) is indented below its
 * name. */
static void
append_value(GString *out, const char *label, const char *text, guint width)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = g_strv_length(lines);

    if (n > 0 && *lines[n - 1] == '\0')
        n--;
    for (guint i = 0; i < MAX(n, 1); i++) {
        g_autofree char *clean = output_clean(n > 0 ? lines[i] : "");

        output_pad(out, i == 0 ? label : "", width);
        g_string_append_printf(out, "%s\n", clean);
    }
}

static void
append_parameter(GString *out,
                 const RefpointMsvmParameter *parameter,
                 guint width)
{
    g_autofree char *label = g_strconcat(parameter->name, ":", NULL);
    gboolean empty = parameter->values == NULL || parameter->values->len == 0;

    if (width == 0)
        *label = '\0';
    if (empty && width > 0)
        append_value(out, label, "", width);
    for (guint i = 0; !empty && i < parameter->values->len; i++) {
        g_autofree char *text = cim_value_text(parameter, i);

        append_value(out, i == 0 ? label : "", text, width);
    }
}

char *
invoke_output_text(const InvokeAnswer *answer, gboolean quiet)
{
    GString *out = g_string_new(NULL);
    guint width = quiet ? 0 : (guint)strlen("ReturnValue");

    for (guint i = 0; !quiet && i < answer->out->len; i++) {
        const RefpointMsvmParameter *parameter = answer->out->pdata[i];

        width = MAX(width, output_width(parameter->name));
    }
    if (!quiet) {
        width += strlen(":   ");
        output_pad(out, "ReturnValue:", width);
        g_string_append_printf(out, "%u (%s)\n", answer->return_value,
                               refpoint_msvm_return_name(answer->return_value));
    }
    for (guint i = 0; i < answer->out->len; i++)
        append_parameter(out, answer->out->pdata[i], width);
    return g_string_free(out, FALSE);
}

/* ---- JSON ---------------------------------------------------------------- */

static JsonNode *
value_node(const char *type, const char *text)
{
    JsonNode *node = json_node_new(JSON_NODE_VALUE);

    if (g_strcmp0(type, "boolean") == 0)
        json_node_set_boolean(node, g_ascii_strcasecmp(text, "true") == 0);
    else if (type != NULL &&
             (g_str_has_prefix(type, "uint") || g_str_has_prefix(type, "sint")))
        json_node_set_int(node, g_ascii_strtoll(text, NULL, 10));
    else
        json_node_set_string(node, text);
    return node;
}

JsonNode *
invoke_output_value(const RefpointMsvmParameter *parameter)
{
    JsonArray *array;
    JsonNode *node;

    if (parameter->values == NULL ||
        (!parameter->array && parameter->values->len == 0))
        return json_node_new(JSON_NODE_NULL);
    if (!parameter->array) {
        g_autofree char *text = cim_value_text(parameter, 0);

        return value_node(parameter->type, text);
    }
    array = json_array_new();
    for (guint i = 0; i < parameter->values->len; i++) {
        g_autofree char *text = cim_value_text(parameter, i);

        json_array_add_element(array, value_node(parameter->type, text));
    }
    node = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(node, array);
    return node;
}

JsonObject *
invoke_output_json(const InvokeAnswer *answer, int status)
{
    JsonObject *object = json_object_new();

    json_object_set_int_member(object, "ReturnValue", answer->return_value);
    for (guint i = 0; i < answer->out->len; i++) {
        const RefpointMsvmParameter *parameter = answer->out->pdata[i];

        json_object_set_member(object, parameter->name,
                               invoke_output_value(parameter));
    }
    if (answer->failure != NULL)
        json_object_set_object_member(object, "Error",
                                      json_failure(answer->failure, status));
    return object;
}

static JsonArray *
parameters_to_json(const GPtrArray *parameters)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < parameters->len; i++) {
        const RefpointMsvmParameter *parameter = parameters->pdata[i];
        JsonObject *object = json_object_new();

        json_set_text(object, "name", parameter->name);
        json_set_text(object, "type", parameter->type);
        json_object_set_boolean_member(object, "array", parameter->array);
        json_object_set_boolean_member(object, "in", parameter->in);
        json_object_set_boolean_member(object, "out", parameter->out);
        json_array_add_object_element(array, object);
    }
    return array;
}

JsonArray *
invoke_output_methods(const GPtrArray *methods, const char *class_name)
{
    JsonArray *array = json_array_new();

    for (guint i = 0; i < methods->len; i++) {
        const RefpointMsvmMethod *method = methods->pdata[i];
        JsonObject *object;

        if (class_name != NULL &&
            g_ascii_strcasecmp(method->class_name, class_name) != 0)
            continue;
        object = json_object_new();
        json_set_text(object, "class", method->class_name);
        json_set_text(object, "name", method->name);
        json_object_set_array_member(object, "parameters",
                                     parameters_to_json(method->parameters));
        json_array_add_object_element(array, object);
    }
    return array;
}
