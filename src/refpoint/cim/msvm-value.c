/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-value.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cim/msvm-instance-read.h"
#include "cim/msvm-path.h"
#include "cim/msvm-time.h"

#define SHOWN_MAX 64 /* characters of a bad value in its message */

static void
free_item(gpointer opaque)
{
    RfpMsvmItem *item = opaque;

    g_free(item->text);
    rfp_msvm_instance_free(item->instance);
    g_free(item);
}

RfpMsvmValue *
rfp_msvm_value_new(const RfpMsvmProperty *property)
{
    RfpMsvmValue *value = g_new0(RfpMsvmValue, 1);

    value->property = property;
    value->items = g_ptr_array_new_with_free_func(free_item);
    return value;
}

void
rfp_msvm_value_free(RfpMsvmValue *value)
{
    if (value == NULL)
        return;
    g_ptr_array_unref(value->items);
    g_free(value);
}

static RfpMsvmItem *
add_item(RfpMsvmValue *value)
{
    RfpMsvmItem *item = g_new0(RfpMsvmItem, 1);

    g_ptr_array_add(value->items, item);
    return item;
}

void
rfp_msvm_value_add_null(RfpMsvmValue *value)
{
    add_item(value)->null = TRUE;
}

void
rfp_msvm_value_add_number(RfpMsvmValue *value, guint64 number)
{
    add_item(value)->number = number;
}

void
rfp_msvm_value_add_text(RfpMsvmValue *value, const char *text)
{
    add_item(value)->text = g_strdup(text);
}

void
rfp_msvm_value_add_instance(RfpMsvmValue *value, RfpMsvmInstance *instance)
{
    add_item(value)->instance = instance;
}

const RfpMsvmItem *
rfp_msvm_value_item(const RfpMsvmValue *value, guint i)
{
    const RfpMsvmItem *item = NULL;

    if (value == NULL || value->null || i >= value->items->len)
        return NULL;
    item = g_ptr_array_index(value->items, i);
    return item->null ? NULL : item;
}

/* ---- Reading ------------------------------------------------------------- */

static gboolean
parse_unsigned(const char *text, guint bits, guint64 *number)
{
    guint64 max = G_MAXUINT64 >> (64 - bits);
    guint base = 10;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text += 2;
        base = 16;
    }
    return g_ascii_string_to_unsigned(text, base, 0, max, number, NULL);
}

static gboolean
parse_signed(const char *text, guint bits, guint64 *number)
{
    gint64 max = G_MAXINT64 >> (64 - bits);
    gint64 found = 0;

    if (!g_ascii_string_to_signed(text, 10, -max - 1, max, &found, NULL))
        return FALSE;
    *number = (guint64)found;
    return TRUE;
}

static gboolean
parse_integer(const RfpCimInteger *type, const char *text, guint64 *number)
{
    if (*text == '+' && g_ascii_isdigit(text[1]))
        text++;
    return type->is_signed ? parse_signed(text, type->bits, number)
                           : parse_unsigned(text, type->bits, number);
}

static gboolean
parse_boolean(const char *text, guint64 *number)
{
    *number = g_ascii_strcasecmp(text, "TRUE") == 0;
    return *number || g_ascii_strcasecmp(text, "FALSE") == 0;
}

static void
refuse(const RfpMsvmProperty *property, const char *text, GError **error)
{
    g_autofree char *begin = g_strndup(text, SHOWN_MAX);
    g_autofree char *shown = rfp_text_clean(begin);

    rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                  _("%s: '%s' is not a value of the type %s"), property->name,
                  shown, rfp_cim_type_name(property->type));
}

/* Numbers, booleans and datetimes: white space around them does not count. */
static gboolean
add_scalar(RfpMsvmValue *value, const char *text, GError **error)
{
    const RfpCimInteger *integer = rfp_cim_type_integer(value->property->type);
    g_autofree char *bare = g_strstrip(g_strdup(text));
    gboolean good = FALSE;
    guint64 number = 0;

    if (value->property->type == RFP_CIM_DATETIME) {
        good = rfp_msvm_time_check(bare);
        if (good)
            rfp_msvm_value_add_text(value, bare);
    } else {
        good = integer->integer ? parse_integer(integer, bare, &number)
                                : parse_boolean(bare, &number);
        if (good)
            rfp_msvm_value_add_number(value, number);
    }
    if (!good)
        refuse(value->property, text, error);
    return good;
}

static gboolean
add_reference(RfpMsvmValue *value, const char *text, GError **error)
{
    g_autoptr(RfpMsvmPath) path =
        rfp_msvm_path_parse_as(text, value->property->of, error);

    if (path == NULL) {
        rfp_error_prefix(error, "%s", value->property->name);
        return FALSE;
    }
    rfp_msvm_value_add_text(value, text);
    return TRUE;
}

static gboolean
add_embedded(RfpMsvmValue *value,
             const char *text,
             gsize length,
             guint depth,
             GError **error)
{
    RfpMsvmInstance *instance =
        rfp_msvm_instance_parse_below(text, length, value->property->of, depth,
                                      error);

    if (instance == NULL) {
        rfp_error_prefix(error, "%s", value->property->name);
        return FALSE;
    }
    rfp_msvm_value_add_instance(value, instance);
    return TRUE;
}

gboolean
rfp_msvm_value_add(RfpMsvmValue *value,
                   const char *text,
                   gssize length,
                   guint depth,
                   GError **error)
{
    const RfpMsvmProperty *property = value->property;
    gsize bytes = length < 0 ? strlen(text) : (gsize)length;

    if (property->flags & RFP_MSVM_EMBEDDED)
        return add_embedded(value, text, bytes, depth, error);
    if (!g_utf8_validate(text, (gssize)bytes, NULL)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("%s: the text is not UTF-8"), property->name);
        return FALSE;
    }
    if (property->type == RFP_CIM_REFERENCE)
        return add_reference(value, text, error);
    if (property->type != RFP_CIM_STRING)
        return add_scalar(value, text, error);
    rfp_msvm_value_add_text(value, text);
    return TRUE;
}

/* ---- Printing ------------------------------------------------------------ */

char *
rfp_msvm_value_format(const RfpMsvmValue *value, guint i)
{
    const RfpMsvmItem *item = rfp_msvm_value_item(value, i);
    const RfpCimInteger *integer = NULL;

    if (item == NULL)
        return NULL;
    if (item->instance != NULL)
        return rfp_msvm_instance_format(item->instance);
    if (item->text != NULL)
        return g_strdup(item->text);
    integer = rfp_cim_type_integer(value->property->type);
    if (!integer->integer)
        return g_strdup(item->number ? "TRUE" : "FALSE");
    if (integer->is_signed)
        return g_strdup_printf("%" PRId64, (gint64)item->number);
    return g_strdup_printf("%" PRIu64, item->number);
}
