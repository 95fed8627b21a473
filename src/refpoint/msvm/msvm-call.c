/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-call.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* In parameters that may be NULL, beside embedded instances and those that are
 * out parameters as well. */
static const char *const optional[] = {"TargetSnapshotId", "TimeoutPeriod"};

RfpMsvmCall *
rfp_msvm_call_new(RefpointMsvm *msvm,
                  const char *class_name,
                  const char *method,
                  GError **error)
{
    const RfpMsvmClass *klass =
        class_name != NULL ? rfp_msvm_class_find(class_name) : NULL;
    const RfpMsvmMethod *found = klass != NULL && method != NULL
                                     ? rfp_msvm_class_method(klass, method)
                                     : NULL;
    RfpMsvmCall *call = NULL;

    if (found == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("there is no method %s.%s"),
                      class_name != NULL ? class_name : "",
                      method != NULL ? method : "");
        return NULL;
    }
    call = g_new0(RfpMsvmCall, 1);
    call->msvm = msvm;
    call->klass = klass;
    call->method = found;
    call->in =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_msvm_value_free);
    call->out =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_msvm_value_free);
    return call;
}

void
rfp_msvm_call_free(RfpMsvmCall *call)
{
    if (call == NULL)
        return;
    g_ptr_array_unref(call->in);
    g_ptr_array_unref(call->out);
    g_free(call);
}

static RfpMsvmValue *
find_value(GPtrArray *values, const char *name)
{
    guint i = 0;

    for (i = 0; i < values->len; i++) {
        RfpMsvmValue *value = g_ptr_array_index(values, i);

        if (g_ascii_strcasecmp(value->property->name, name) == 0)
            return value;
    }
    return NULL;
}

/* ---- In parameters ------------------------------------------------------- */

RfpMsvmValue *
rfp_msvm_call_put(RfpMsvmCall *call, const char *name, GError **error)
{
    const RfpMsvmProperty *property =
        rfp_msvm_method_parameter(call->method, name);
    RfpMsvmValue *value = NULL;

    if (property == NULL || !(property->flags & RFP_MSVM_IN)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("%s has no in parameter '%s'"), call->method->name,
                      name);
        return NULL;
    }
    if (find_value(call->in, name) != NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the parameter %s is given twice"), property->name);
        return NULL;
    }
    value = rfp_msvm_value_new(property);
    g_ptr_array_add(call->in, value);
    return value;
}

gboolean
rfp_msvm_call_put_text(RfpMsvmCall *call,
                       const char *name,
                       const char *text,
                       GError **error)
{
    RfpMsvmValue *value = rfp_msvm_call_put(call, name, error);

    if (value == NULL)
        return FALSE;
    if (text != NULL &&
        (*text || !(value->property->flags & RFP_MSVM_EMBEDDED)))
        return rfp_msvm_value_add(value, text, -1, 0, error);
    value->null = TRUE;
    return TRUE;
}

gboolean
rfp_msvm_call_put_number(RfpMsvmCall *call,
                         const char *name,
                         guint64 number,
                         GError **error)
{
    RfpMsvmValue *value = rfp_msvm_call_put(call, name, error);

    if (value != NULL)
        rfp_msvm_value_add_number(value, number);
    return value != NULL;
}

const RfpMsvmItem *
rfp_msvm_call_item(const RfpMsvmCall *call, const char *name)
{
    return rfp_msvm_value_item(find_value(call->in, name), 0);
}

const char *
rfp_msvm_call_text(const RfpMsvmCall *call, const char *name)
{
    const RfpMsvmItem *item = rfp_msvm_call_item(call, name);

    return item != NULL ? item->text : NULL;
}

guint64
rfp_msvm_call_number(const RfpMsvmCall *call, const char *name)
{
    const RfpMsvmItem *item = rfp_msvm_call_item(call, name);

    return item != NULL ? item->number : 0;
}

const RfpMsvmInstance *
rfp_msvm_call_instance(const RfpMsvmCall *call, const char *name)
{
    const RfpMsvmItem *item = rfp_msvm_call_item(call, name);

    return item != NULL ? item->instance : NULL;
}

static gboolean
is_optional(const RfpMsvmProperty *property)
{
    guint i = 0;

    if (property->flags & (RFP_MSVM_EMBEDDED | RFP_MSVM_OUT))
        return TRUE;
    for (i = 0; i < G_N_ELEMENTS(optional); i++) {
        if (strcmp(property->name, optional[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A parameter that is both in and out names what the method makes. The
 * reference wants NULL there: this library gives what is made its identity. */
static gboolean
check_parameter(const RfpMsvmCall *call,
                const RfpMsvmProperty *property,
                GError **error)
{
    gboolean given = rfp_msvm_call_item(call, property->name) != NULL;

    if (!(property->flags & RFP_MSVM_IN))
        return TRUE;
    if (!given && !is_optional(property)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the parameter %s is missing"), property->name);
        return FALSE;
    }
    if (given && (property->flags & RFP_MSVM_OUT)) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("%s: what is made gets its identity from us, the "
                        "parameter must be NULL"),
                      property->name);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_msvm_call_check(const RfpMsvmCall *call, GError **error)
{
    const RfpMsvmProperty *property = call->method->parameters;

    for (; property->name != NULL; property++) {
        if (!check_parameter(call, property, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Out parameters ------------------------------------------------------ */

RfpMsvmValue *
rfp_msvm_call_answer(RfpMsvmCall *call, const char *name)
{
    RfpMsvmValue *value =
        rfp_msvm_value_new(rfp_msvm_method_parameter(call->method, name));

    g_ptr_array_add(call->out, value);
    return value;
}

const RfpMsvmValue *
rfp_msvm_call_answered(const RfpMsvmCall *call, const char *name)
{
    const RfpMsvmValue *value = find_value(call->out, name);

    return value != NULL && !value->null ? value : NULL;
}
