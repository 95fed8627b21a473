/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-method.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "cim/msvm-return.h"

/* In parameters that may be NULL; embedded instances and what is also an out
 * parameter may, too. */
static const char *const optional[] = {"TargetSnapshotId", "TimeoutPeriod"};

/* ---- A call -------------------------------------------------------------- */

static const RfpMsvmHandler *
find_in(const RfpMsvmHandler *table,
        const RfpMsvmClass *klass,
        const RfpMsvmMethod *method)
{
    for (; table->class_name != NULL; table++) {
        if (strcmp(table->method, method->name) == 0 &&
            rfp_msvm_class_is_a(klass, table->class_name))
            return table;
    }
    return NULL;
}

static const RfpMsvmHandler *
find_handler(const RfpMsvmClass *klass, const RfpMsvmMethod *method)
{
    const RfpMsvmHandler *found =
        find_in(rfp_msvm_service_handlers, klass, method);

    return found != NULL ? found
                         : find_in(rfp_msvm_job_handlers, klass, method);
}

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
    const RfpMsvmHandler *handler =
        found != NULL ? find_handler(klass, found) : NULL;
    RfpMsvmCall *call = NULL;

    if (handler == NULL) {
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
    call->handler = handler;
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

/* What is in and out names what is to be made: the reference wants NULL there,
 * the identity is ours. */
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

static gboolean
check_parameters(const RfpMsvmCall *call, GError **error)
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

/* ---- Running ------------------------------------------------------------- */

static RfpMsvmWork *
prepare(const RfpMsvmCall *call, GError **error)
{
    g_autoptr(RfpMsvmWork) work = g_new0(RfpMsvmWork, 1);

    work->action = call->handler->action;
    work->method = call->method;
    if (!call->handler->check(call, work, error) ||
        !rfp_msvm_job_check_free(call->msvm, work->domain, error))
        return NULL;
    return g_steal_pointer(&work);
}

static gboolean
run_here(RfpMsvmCall *call, const RfpMsvmWork *work, GError **error)
{
    const RefpointMsvm *msvm = call->msvm;
    g_autoptr(RefpointJob) operation = refpoint_job_new();
    g_autoptr(RefpointFailure) failure = NULL;
    g_autoptr(RfpMsvmOutcome) outcome = NULL;

    refpoint_job_set_wait(operation, msvm->wait, msvm->waiting,
                          msvm->waiting_opaque);
    outcome = rfp_msvm_work_run(msvm->conn, work, operation, &failure);
    if (outcome == NULL) {
        rfp_error_set_failure(error, failure);
        return FALSE;
    }
    if (call->handler->result != NULL && outcome->result != NULL)
        rfp_msvm_value_add_text(rfp_msvm_call_answer(call,
                                                     call->handler->result),
                                outcome->result);
    return TRUE;
}

static gboolean
run_as_job(RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    g_autofree char *path = rfp_msvm_job_start(call->msvm, work, error);

    if (path == NULL)
        return FALSE;
    rfp_msvm_value_add_text(rfp_msvm_call_answer(call, "Job"), path);
    return TRUE;
}

static guint32
run_work(RfpMsvmCall *call, GError **error)
{
    g_autoptr(RfpMsvmWork) work = prepare(call, error);

    if (work == NULL)
        return 0;
    if (!call->asynchronous) {
        run_here(call, work, error);
        return 0;
    }
    return run_as_job(call, g_steal_pointer(&work), error)
               ? REFPOINT_MSVM_JOB_STARTED
               : 0;
}

guint32
rfp_msvm_call_run(RfpMsvmCall *call, GError **error)
{
    g_autoptr(GError) local = NULL;
    guint32 number = 0;

    if (check_parameters(call, &local))
        number = call->handler->run != NULL ? call->handler->run(call, &local)
                                            : run_work(call, &local);
    if (local != NULL && number == 0)
        number = rfp_msvm_method_error_number(call->method, local);
    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return number;
}
