/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "invoke/cim-xml.h"

#include "invoke/cim-path.h"

#include <string.h>

/* ---- Values -------------------------------------------------------------- */

GPtrArray *
cim_values_new(void)
{
    return g_ptr_array_new_with_free_func(
        (GDestroyNotify)refpoint_msvm_parameter_free);
}

void
cim_value_add(RefpointMsvmParameter *parameter, const void *data, gsize length)
{
    if (parameter->values == NULL)
        parameter->values =
            g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_ptr_array_add(parameter->values, g_bytes_new(data, length));
}

char *
cim_value_text(const RefpointMsvmParameter *parameter, guint i)
{
    gsize length = 0;
    const char *data = g_bytes_get_data(parameter->values->pdata[i], &length);

    return g_utf8_make_valid(data != NULL ? data : "", (gssize)length);
}

/* ---- Reading ------------------------------------------------------------- */

typedef struct {
    CimInstance *instance;
    RefpointMsvmParameter *property; /* that is being read, or NULL */
    GString *text;                   /* of a VALUE, or NULL */
    guint skip; /* levels inside of something that is passed over */
} Reader;

static char *
attribute(const char **names, const char **values, const char *name)
{
    for (guint i = 0; names[i] != NULL; i++)
        if (g_str_equal(names[i], name))
            return g_strdup(values[i]);
    return NULL;
}

static void
begin_property(Reader *reader, char *name, char *type, gboolean array)
{
    RefpointMsvmParameter *property = g_new0(RefpointMsvmParameter, 1);

    property->name = name != NULL ? name : g_strdup("");
    property->type = type != NULL ? type : g_strdup("string");
    property->array = array;
    g_ptr_array_add(reader->instance->properties, property);
    reader->property = property;
}

static void
on_start(GMarkupParseContext *context G_GNUC_UNUSED,
         const char *element,
         const char **names,
         const char **values,
         gpointer opaque,
         GError **error G_GNUC_UNUSED)
{
    Reader *reader = opaque;
    CimInstance *instance = reader->instance;
    gboolean array = g_str_equal(element, "PROPERTY.ARRAY");

    if (reader->skip > 0)
        reader->skip++;
    else if (instance->class_name == NULL && g_str_equal(element, "INSTANCE"))
        instance->class_name = attribute(names, values, "CLASSNAME");
    else if (reader->property == NULL && instance->class_name != NULL &&
             (array || g_str_equal(element, "PROPERTY")))
        begin_property(reader, attribute(names, values, "NAME"),
                       attribute(names, values, "TYPE"), array);
    else if (reader->property != NULL && g_str_equal(element, "VALUE.ARRAY"))
        return;
    else if (reader->property != NULL && reader->text == NULL &&
             g_str_equal(element, "VALUE"))
        reader->text = g_string_new(NULL);
    else
        reader->skip = 1;
}

static void
on_end(GMarkupParseContext *context G_GNUC_UNUSED,
       const char *element,
       gpointer opaque,
       GError **error G_GNUC_UNUSED)
{
    Reader *reader = opaque;

    if (reader->skip > 0) {
        reader->skip--;
    } else if (reader->text != NULL) {
        cim_value_add(reader->property, reader->text->str, reader->text->len);
        g_string_free(g_steal_pointer(&reader->text), TRUE);
    } else if (g_str_has_prefix(element, "PROPERTY")) {
        reader->property = NULL;
    }
}

static void
on_text(GMarkupParseContext *context G_GNUC_UNUSED,
        const char *text,
        gsize length,
        gpointer opaque,
        GError **error G_GNUC_UNUSED)
{
    Reader *reader = opaque;

    if (reader->text != NULL && reader->skip == 0)
        g_string_append_len(reader->text, text, (gssize)length);
}

CimInstance *
cim_instance_parse(const char *text)
{
    static const GMarkupParser parser = {
        .start_element = on_start,
        .end_element = on_end,
        .text = on_text,
    };
    g_autoptr(CimInstance) instance = g_new0(CimInstance, 1);
    Reader reader = {.instance = instance};
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT,
                                   &reader, NULL);
    gsize length = strnlen(text, CIM_XML_SIZE_MAX + 1);
    gboolean parsed;

    instance->properties = cim_values_new();
    parsed =
        length <= CIM_XML_SIZE_MAX &&
        g_markup_parse_context_parse(context, text, (gssize)length, NULL) &&
        g_markup_parse_context_end_parse(context, NULL);
    if (reader.text != NULL)
        g_string_free(reader.text, TRUE);
    return parsed && instance->class_name != NULL ? g_steal_pointer(&instance)
                                                  : NULL;
}

void
cim_instance_free(CimInstance *instance)
{
    if (instance == NULL)
        return;
    g_free(instance->class_name);
    g_ptr_array_unref(instance->properties);
    g_free(instance);
}

static RefpointMsvmParameter *
find(const CimInstance *instance, const char *name)
{
    for (guint i = 0; i < instance->properties->len; i++) {
        RefpointMsvmParameter *property = instance->properties->pdata[i];

        if (g_ascii_strcasecmp(property->name, name) == 0)
            return property;
    }
    return NULL;
}

char *
cim_instance_text(const CimInstance *instance, const char *name)
{
    const RefpointMsvmParameter *property = find(instance, name);

    if (property == NULL || property->values == NULL ||
        property->values->len == 0)
        return NULL;
    return cim_value_text(property, 0);
}

guint64
cim_instance_number(const CimInstance *instance, const char *name)
{
    g_autofree char *text = cim_instance_text(instance, name);

    return text != NULL ? g_ascii_strtoull(text, NULL, 10) : 0;
}

/* ddddddddHHMMSS.mmmmmm:000 */
guint64
cim_instance_seconds(const CimInstance *instance, const char *name)
{
    g_autofree char *text = cim_instance_text(instance, name);
    guint64 digits;

    if (text == NULL || strspn(text, G_CSET_DIGITS) != 14 || text[14] != '.')
        return 0;
    digits = g_ascii_strtoull(text, NULL, 10);
    return digits / 1000000 * 86400 + digits / 10000 % 100 * 3600 +
           digits / 100 % 100 * 60 + digits % 100;
}

void
cim_instance_set(CimInstance *instance,
                 const char *name,
                 const char *type,
                 const char *text)
{
    RefpointMsvmParameter *property = find(instance, name);

    if (property == NULL) {
        property = g_new0(RefpointMsvmParameter, 1);
        property->name = g_strdup(name);
        property->type = g_strdup(type);
        g_ptr_array_add(instance->properties, property);
    }
    g_clear_pointer(&property->values, g_ptr_array_unref);
    cim_value_add(property, text, strlen(text));
}

/* ---- Writing ------------------------------------------------------------- */

/* What XML 1.0 cannot say at all becomes a replacement character. */
static void
append_escaped(GString *out, const char *text)
{
    g_autoptr(GString) clean = g_string_new(NULL);
    g_autofree char *escaped = NULL;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        gboolean fits = c >= 0x20 || c == '\t' || c == '\n' || c == '\r';

        g_string_append_unichar(clean, fits && c != 0xfffe && c != 0xffff
                                           ? c
                                           : 0xfffd);
    }
    escaped = g_markup_escape_text(clean->str, (gssize)clean->len);
    g_string_append(out, escaped);
}

static void
append_attribute(GString *out, const char *name, const char *value)
{
    g_string_append_printf(out, " %s=\"", name);
    append_escaped(out, value);
    g_string_append_c(out, '"');
}

static void
append_namespace(GString *out, const char *name_space)
{
    g_auto(GStrv) parts = g_strsplit(name_space, "\\", -1);

    g_string_append(out, "<LOCALNAMESPACEPATH>");
    for (char **part = parts; *part != NULL; part++) {
        g_string_append(out, "<NAMESPACE");
        append_attribute(out, "NAME", *part);
        g_string_append(out, "/>");
    }
    g_string_append(out, "</LOCALNAMESPACEPATH>");
}

static void
append_name(GString *out, const CimPath *path)
{
    g_string_append(out, "<INSTANCENAME");
    append_attribute(out, "CLASSNAME", path->class_name);
    g_string_append_c(out, '>');
    for (guint i = 0; i < path->keys->len; i += 2) {
        g_string_append(out, "<KEYBINDING");
        append_attribute(out, "NAME", path->keys->pdata[i]);
        g_string_append(out, "><KEYVALUE VALUETYPE=\"string\">");
        append_escaped(out, path->keys->pdata[i + 1]);
        g_string_append(out, "</KEYVALUE></KEYBINDING>");
    }
    g_string_append(out, "</INSTANCENAME>");
}

static void
append_reference(GString *out, const char *text)
{
    g_autoptr(CimPath) path = cim_path_parse(text);

    if (path == NULL)
        return;
    g_string_append(out, "<VALUE.REFERENCE>");
    if (path->host != NULL) {
        g_string_append(out, "<INSTANCEPATH><NAMESPACEPATH><HOST>");
        append_escaped(out, path->host);
        g_string_append(out, "</HOST>");
        append_namespace(out, path->name_space);
        g_string_append(out, "</NAMESPACEPATH>");
        append_name(out, path);
        g_string_append(out, "</INSTANCEPATH>");
    } else if (path->name_space != NULL) {
        g_string_append(out, "<LOCALINSTANCEPATH>");
        append_namespace(out, path->name_space);
        append_name(out, path);
        g_string_append(out, "</LOCALINSTANCEPATH>");
    } else {
        append_name(out, path);
    }
    g_string_append(out, "</VALUE.REFERENCE>");
}

static void
append_values(GString *out, const RefpointMsvmParameter *parameter)
{
    gboolean reference = g_strcmp0(parameter->type, "reference") == 0;
    const char *array = reference ? "VALUE.REFARRAY" : "VALUE.ARRAY";

    if (parameter->values == NULL)
        return;
    if (parameter->array)
        g_string_append_printf(out, "<%s>", array);
    for (guint i = 0; i < parameter->values->len; i++) {
        g_autofree char *text = cim_value_text(parameter, i);

        if (reference) {
            append_reference(out, text);
            continue;
        }
        g_string_append(out, "<VALUE>");
        append_escaped(out, text);
        g_string_append(out, "</VALUE>");
    }
    if (parameter->array)
        g_string_append_printf(out, "</%s>", array);
}

static void
append_element(GString *out,
               const char *element,
               const char *type,
               const RefpointMsvmParameter *parameter)
{
    g_string_append_printf(out, "  <%s", element);
    append_attribute(out, "NAME", parameter->name);
    append_attribute(out, type,
                     parameter->type != NULL ? parameter->type : "string");
    g_string_append_c(out, '>');
    append_values(out, parameter);
    g_string_append_printf(out, "</%s>\n", element);
}

char *
cim_instance_format(const CimInstance *instance)
{
    GString *out = g_string_new("<INSTANCE");

    append_attribute(out, "CLASSNAME", instance->class_name);
    g_string_append(out, ">\n");
    for (guint i = 0; i < instance->properties->len; i++) {
        const RefpointMsvmParameter *property = instance->properties->pdata[i];

        append_element(out, property->array ? "PROPERTY.ARRAY" : "PROPERTY",
                       "TYPE", property);
    }
    g_string_append(out, "</INSTANCE>\n");
    return g_string_free(out, FALSE);
}

char *
cim_response_format(const char *method,
                    guint32 return_value,
                    const GPtrArray *out)
{
    GString *text = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<METHODRESPONSE");

    append_attribute(text, "NAME", method);
    g_string_append_printf(text,
                           ">\n  <RETURNVALUE PARAMTYPE=\"uint32\">"
                           "<VALUE>%u</VALUE></RETURNVALUE>\n",
                           return_value);
    for (guint i = 0; out != NULL && i < out->len; i++)
        append_element(text, "PARAMVALUE", "PARAMTYPE", out->pdata[i]);
    g_string_append(text, "</METHODRESPONSE>\n");
    return g_string_free(text, FALSE);
}
