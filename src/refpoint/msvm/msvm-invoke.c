/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* refpoint_msvm_invoke(), which calls any method by its name, and the list of
 * all methods. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cim/msvm-return.h"
#include "msvm/msvm-method.h"
#include "msvm/msvm-object-path.h"

/* ---- Parameters ---------------------------------------------------------- */

void
refpoint_msvm_parameter_free(RefpointMsvmParameter *parameter)
{
    if (parameter == NULL)
        return;
    g_free(parameter->name);
    g_free(parameter->type);
    if (parameter->values != NULL)
        g_ptr_array_unref(parameter->values);
    g_free(parameter);
}

static RefpointMsvmParameter *
describe_parameter(const RfpMsvmProperty *property)
{
    RefpointMsvmParameter *parameter = g_new0(RefpointMsvmParameter, 1);

    parameter->name = g_strdup(property->name);
    parameter->type = g_strdup(rfp_cim_type_name(property->type));
    parameter->array = (property->flags & RFP_MSVM_ARRAY) != 0;
    parameter->in = (property->flags & RFP_MSVM_IN) != 0;
    parameter->out = (property->flags & RFP_MSVM_OUT) != 0;
    return parameter;
}

static GPtrArray *
new_parameters(void)
{
    return g_ptr_array_new_with_free_func(
        (GDestroyNotify)refpoint_msvm_parameter_free);
}

/* ---- What methods there are ---------------------------------------------- */

void
refpoint_msvm_method_free(RefpointMsvmMethod *method)
{
    if (method == NULL)
        return;
    g_free(method->class_name);
    g_free(method->name);
    g_ptr_array_unref(method->parameters);
    g_free(method);
}

static RefpointMsvmMethod *
describe_method(const RfpMsvmClass *klass, const RfpMsvmMethod *from)
{
    RefpointMsvmMethod *method = g_new0(RefpointMsvmMethod, 1);
    const RfpMsvmProperty *property = from->parameters;

    method->class_name = g_strdup(klass->name);
    method->name = g_strdup(from->name);
    method->parameters = new_parameters();
    for (; property->name != NULL; property++)
        g_ptr_array_add(method->parameters, describe_parameter(property));
    return method;
}

GPtrArray *
refpoint_msvm_methods(void)
{
    GPtrArray *methods = g_ptr_array_new_with_free_func(
        (GDestroyNotify)refpoint_msvm_method_free);
    const RfpMsvmClass *klass = NULL;
    const RfpMsvmMethod *method = NULL;
    guint i = 0;

    while ((klass = rfp_msvm_class_nth(i++)) != NULL) {
        for (method = klass->methods; method != NULL && method->name != NULL;
             method++)
            g_ptr_array_add(methods, describe_method(klass, method));
    }
    return methods;
}

/* ---- In ------------------------------------------------------------------ */

static gboolean
put_value(RfpMsvmValue *value, GBytes *bytes, GError **error)
{
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_autofree char *text = NULL;

    if (value->property->flags & RFP_MSVM_EMBEDDED)
        return rfp_msvm_value_add(value, data != NULL ? data : "",
                                  (gssize)length, 0, error);
    text = g_strndup(data != NULL ? data : "", length);
    if (strlen(text) == length)
        return rfp_msvm_value_add(value, text, -1, 0, error);
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("%s: the text has a null character"),
                  value->property->name);
    return FALSE;
}

/* Whether the parameter is NULL: it has no values, or is an embedded instance
 * whose text is empty. */
static gboolean
is_null(const RfpMsvmValue *value, const RefpointMsvmParameter *parameter)
{
    const guint flags = value->property->flags;
    GBytes *only = NULL;

    if (parameter->values == NULL)
        return TRUE;
    if (parameter->values->len != 1 || (flags & RFP_MSVM_ARRAY) ||
        !(flags & RFP_MSVM_EMBEDDED))
        return FALSE;
    only = g_ptr_array_index(parameter->values, 0);
    return g_bytes_get_size(only) == 0;
}

static gboolean
put_parameter(RfpMsvmCall *call,
              const RefpointMsvmParameter *parameter,
              GError **error)
{
    RfpMsvmValue *value = rfp_msvm_call_put(call, parameter->name, error);
    guint i = 0;

    if (value == NULL)
        return FALSE;
    value->null = is_null(value, parameter);
    if (value->null)
        return TRUE;
    if (!(value->property->flags & RFP_MSVM_ARRAY) &&
        parameter->values->len != 1) {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("%s: one value is wanted, not %u"),
                      value->property->name, parameter->values->len);
        return FALSE;
    }
    for (i = 0; i < parameter->values->len; i++) {
        if (!put_value(value, g_ptr_array_index(parameter->values, i), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
put_all(RfpMsvmCall *call, GPtrArray *in, GError **error)
{
    guint i = 0;

    for (i = 0; in != NULL && i < in->len; i++) {
        if (!put_parameter(call, g_ptr_array_index(in, i), error))
            return FALSE;
    }
    return TRUE;
}

/* ---- Out ----------------------------------------------------------------- */

static GPtrArray *
format_values(const RfpMsvmValue *value)
{
    GPtrArray *values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    guint i = 0;

    for (i = 0; i < value->items->len; i++) {
        char *text = rfp_msvm_value_format(value, i);

        g_ptr_array_add(values, g_bytes_new_take(text, strlen(text)));
    }
    return values;
}

/* All out parameters of the method; those that it did not answer are NULL. */
static GPtrArray *
format_out(const RfpMsvmCall *call)
{
    GPtrArray *out = new_parameters();
    const RfpMsvmProperty *property = call->method->parameters;

    for (; property->name != NULL; property++) {
        const RfpMsvmValue *value =
            rfp_msvm_call_answered(call, property->name);
        RefpointMsvmParameter *parameter = NULL;

        if (!(property->flags & RFP_MSVM_OUT))
            continue;
        parameter = describe_parameter(property);
        if (value != NULL)
            parameter->values = format_values(value);
        g_ptr_array_add(out, parameter);
    }
    return out;
}

/* ---- A call -------------------------------------------------------------- */

/* The path must name a job where the method is one of jobs. A service has one
 * instance, so its path need not be given. */
static gboolean
check_path(const RfpMsvmCall *call, GError **error)
{
    g_autoptr(RfpMsvmPath) path = NULL;

    if (call->path == NULL &&
        !rfp_msvm_class_is_a(call->klass, RFP_MSVM_ANY_JOB))
        return TRUE;
    path = rfp_msvm_object_path_parse(call->path, call->klass->name, error);
    return path != NULL;
}

guint32
refpoint_msvm_invoke(RefpointMsvm *msvm,
                     const char *class_name,
                     const char *method,
                     const char *path,
                     GPtrArray *in,
                     gboolean asynchronous,
                     GPtrArray **out,
                     GError **error)
{
    g_autoptr(RfpMsvmCall) call =
        rfp_msvm_call_new(msvm, class_name, method, error);
    g_autoptr(GError) local = NULL;
    guint32 number = 0;

    if (out != NULL)
        *out = NULL;
    if (call == NULL)
        return refpoint_return_value(REFPOINT_RETURN_EXPORT,
                                     REFPOINT_ERROR_INVALID_PARAMETER);
    call->path = path;
    call->asynchronous = asynchronous;
    if (check_path(call, &local) && put_all(call, in, &local))
        number = rfp_msvm_method_run(call, &local);
    else
        number = rfp_msvm_method_error_number(call->method, local);
    if (out != NULL && local == NULL)
        *out = format_out(call);
    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return number;
}
