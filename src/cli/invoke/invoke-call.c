/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "invoke/invoke-call.h"

#include "invoke/cim-xml.h"

#include <string.h>

#define CALL "call"
#define ANSWER "answer"
/* Groups of parameters are numbered. */
#define PARAMETER "parameter %u"

/* ---- Parameters ---------------------------------------------------------- */

static void
set_text(GKeyFile *file, const char *group, const char *key, const char *text)
{
    if (text != NULL)
        g_key_file_set_string(file, group, key, text);
}

static char *
get_text(GKeyFile *file, const char *group, const char *key)
{
    return g_key_file_get_string(file, group, key, NULL);
}

static void
set_values(GKeyFile *file, const char *group, const GPtrArray *values)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < values->len; i++) {
        gsize length = 0;
        const guchar *data = g_bytes_get_data(values->pdata[i], &length);

        g_ptr_array_add(texts, g_base64_encode(data, length));
    }
    g_key_file_set_string_list(file, group, "values",
                               (const char *const *)texts->pdata, texts->len);
}

static void
set_parameters(GKeyFile *file, const GPtrArray *parameters)
{
    for (guint i = 0; parameters != NULL && i < parameters->len; i++) {
        const RefpointMsvmParameter *parameter = parameters->pdata[i];
        g_autofree char *group = g_strdup_printf(PARAMETER, i);

        set_text(file, group, "name", parameter->name);
        set_text(file, group, "type", parameter->type);
        g_key_file_set_boolean(file, group, "array", parameter->array);
        if (parameter->values != NULL)
            set_values(file, group, parameter->values);
    }
}

static void
get_values(GKeyFile *file, const char *group, RefpointMsvmParameter *parameter)
{
    g_auto(GStrv) texts =
        g_key_file_get_string_list(file, group, "values", NULL, NULL);

    if (texts == NULL)
        return;
    parameter->values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (char **text = texts; *text != NULL; text++) {
        gsize length = 0;
        guchar *data = g_base64_decode(*text, &length);

        g_ptr_array_add(parameter->values, g_bytes_new_take(data, length));
    }
}

static GPtrArray *
get_parameters(GKeyFile *file)
{
    GPtrArray *parameters = cim_values_new();

    for (guint i = 0;; i++) {
        g_autofree char *group = g_strdup_printf(PARAMETER, i);
        g_autofree char *name = get_text(file, group, "name");
        RefpointMsvmParameter *parameter;

        if (name == NULL)
            return parameters;
        parameter = g_new0(RefpointMsvmParameter, 1);
        parameter->name = g_steal_pointer(&name);
        parameter->type = get_text(file, group, "type");
        parameter->array = g_key_file_get_boolean(file, group, "array", NULL);
        get_values(file, group, parameter);
        g_ptr_array_add(parameters, parameter);
    }
}

static GKeyFile *
load(const char *text, gsize length, const char *group)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (length > INVOKE_SIZE_MAX ||
        !g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL) ||
        !g_key_file_has_group(file, group))
        return NULL;
    return g_steal_pointer(&file);
}

/* ---- Calls --------------------------------------------------------------- */

InvokeCall *
invoke_call_new(void)
{
    InvokeCall *call = g_new0(InvokeCall, 1);

    call->in = cim_values_new();
    return call;
}

void
invoke_call_free(InvokeCall *call)
{
    if (call == NULL)
        return;
    g_free(call->uri);
    g_free(call->class_name);
    g_free(call->method);
    g_free(call->path);
    g_ptr_array_unref(call->in);
    g_free(call);
}

char *
invoke_call_format(const InvokeCall *call)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    set_text(file, CALL, "uri", call->uri);
    set_text(file, CALL, "class", call->class_name);
    set_text(file, CALL, "method", call->method);
    set_text(file, CALL, "path", call->path);
    g_key_file_set_uint64(file, CALL, "wait", call->wait);
    set_parameters(file, call->in);
    return g_key_file_to_data(file, NULL, NULL);
}

InvokeCall *
invoke_call_parse(const char *text, gsize length)
{
    g_autoptr(GKeyFile) file = load(text, length, CALL);
    g_autoptr(InvokeCall) call = g_new0(InvokeCall, 1);

    call->in = file != NULL ? get_parameters(file) : cim_values_new();
    if (file == NULL)
        return NULL;
    call->uri = get_text(file, CALL, "uri");
    call->class_name = get_text(file, CALL, "class");
    call->method = get_text(file, CALL, "method");
    call->path = get_text(file, CALL, "path");
    call->wait = (guint)g_key_file_get_uint64(file, CALL, "wait", NULL);
    return call->class_name != NULL && call->method != NULL
               ? g_steal_pointer(&call)
               : NULL;
}

InvokeAnswer *
invoke_call_run(const InvokeCall *call,
                RefpointMsvm *msvm,
                gboolean asynchronous)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *out = NULL;
    guint32 number =
        refpoint_msvm_invoke(msvm, call->class_name, call->method, call->path,
                             call->in, asynchronous, &out, &error);

    return invoke_answer_new(number, out, error);
}

/* ---- Answers ------------------------------------------------------------- */

int
invoke_status(guint32 return_value)
{
    int cause = refpoint_msvm_return_cause(return_value);

    return cause < 0 ? REFPOINT_ERROR_FAILED : cause;
}

/* The library says which set a method has by its numbers alone: for a call that
 * did not get there the model's rule stands here. */
RefpointReturnSet
invoke_return_set(const char *class_name, const char *method)
{
    if (g_ascii_strcasecmp(method, "CreateReferencePoint") == 0)
        return REFPOINT_RETURN_CREATE;
    return g_ascii_strcasecmp(class_name,
                              "Msvm_CollectionReferencePointService") == 0 &&
                   g_ascii_strcasecmp(method, "ExportReferencePoint") != 0
               ? REFPOINT_RETURN_CREATE
               : REFPOINT_RETURN_EXPORT;
}

InvokeAnswer *
invoke_answer_new(guint32 return_value, GPtrArray *out, const GError *error)
{
    InvokeAnswer *answer = g_new0(InvokeAnswer, 1);

    answer->return_value = return_value;
    answer->out = out != NULL ? out : cim_values_new();
    if (return_value != 0 && return_value != REFPOINT_MSVM_JOB_STARTED)
        answer->failure = refpoint_failure_new(error);
    return answer;
}

InvokeAnswer *
invoke_answer_error(const InvokeCall *call, const GError *error)
{
    InvokeAnswer *answer = invoke_answer_new(0, NULL, NULL);

    answer->failure = refpoint_failure_new(error);
    answer->return_value =
        refpoint_return_value(invoke_return_set(call->class_name, call->method),
                              (int)answer->failure->cause);
    return answer;
}

InvokeAnswer *
invoke_answer_failed(const InvokeCall *call,
                     RefpointError cause,
                     const char *format,
                     ...)
{
    g_autofree char *message = NULL;
    g_autoptr(GError) error = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    error = g_error_new_literal(REFPOINT_ERROR, (int)cause, message);
    return invoke_answer_error(call, error);
}

void
invoke_answer_free(InvokeAnswer *answer)
{
    if (answer == NULL)
        return;
    g_ptr_array_unref(answer->out);
    refpoint_failure_free(answer->failure);
    g_free(answer);
}

static RefpointMsvmParameter *
find(const InvokeAnswer *answer, const char *name)
{
    for (guint i = 0; i < answer->out->len; i++) {
        RefpointMsvmParameter *parameter = answer->out->pdata[i];

        if (g_ascii_strcasecmp(parameter->name, name) == 0)
            return parameter;
    }
    return NULL;
}

char *
invoke_answer_text(const InvokeAnswer *answer, const char *name)
{
    const RefpointMsvmParameter *parameter = find(answer, name);

    if (parameter == NULL || parameter->values == NULL ||
        parameter->values->len == 0)
        return NULL;
    return cim_value_text(parameter, 0);
}

void
invoke_answer_set(InvokeAnswer *answer,
                  const char *name,
                  const char *type,
                  const char *text)
{
    RefpointMsvmParameter *parameter = find(answer, name);

    if (parameter == NULL) {
        parameter = g_new0(RefpointMsvmParameter, 1);
        parameter->name = g_strdup(name);
        parameter->type = g_strdup(type);
        g_ptr_array_add(answer->out, parameter);
    }
    g_clear_pointer(&parameter->values, g_ptr_array_unref);
    if (text != NULL)
        cim_value_add(parameter, text, strlen(text));
}

static void
set_failure(GKeyFile *file, const RefpointFailure *failure)
{
    g_key_file_set_integer(file, ANSWER, "cause", (int)failure->cause);
    set_text(file, ANSWER, "message", failure->message);
    set_text(file, ANSWER, "object", failure->object);
    set_text(file, ANSWER, "way-out", failure->way_out);
    g_key_file_set_integer(file, ANSWER, "libvirt-code", failure->libvirt_code);
    g_key_file_set_integer(file, ANSWER, "libvirt-domain",
                           failure->libvirt_domain);
    set_text(file, ANSWER, "libvirt-text", failure->libvirt_text);
    g_key_file_set_integer(file, ANSWER, "errno", failure->errnum);
}

static RefpointFailure *
get_failure(GKeyFile *file)
{
    RefpointFailure *failure = g_new0(RefpointFailure, 1);

    failure->cause =
        (RefpointError)g_key_file_get_integer(file, ANSWER, "cause", NULL);
    failure->message = get_text(file, ANSWER, "message");
    failure->object = get_text(file, ANSWER, "object");
    failure->way_out = get_text(file, ANSWER, "way-out");
    failure->libvirt_code =
        g_key_file_get_integer(file, ANSWER, "libvirt-code", NULL);
    failure->libvirt_domain =
        g_key_file_get_integer(file, ANSWER, "libvirt-domain", NULL);
    failure->libvirt_text = get_text(file, ANSWER, "libvirt-text");
    failure->errnum = g_key_file_get_integer(file, ANSWER, "errno", NULL);
    return failure;
}

char *
invoke_answer_format(const InvokeAnswer *answer)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    g_key_file_set_uint64(file, ANSWER, "return-value", answer->return_value);
    if (answer->failure != NULL)
        set_failure(file, answer->failure);
    set_parameters(file, answer->out);
    return g_key_file_to_data(file, NULL, NULL);
}

InvokeAnswer *
invoke_answer_parse(const char *text, gsize length)
{
    g_autoptr(GKeyFile) file = load(text, length, ANSWER);
    InvokeAnswer *answer;

    if (file == NULL)
        return NULL;
    answer = g_new0(InvokeAnswer, 1);
    answer->return_value =
        (guint32)g_key_file_get_uint64(file, ANSWER, "return-value", NULL);
    answer->out = get_parameters(file);
    if (g_key_file_has_key(file, ANSWER, "cause", NULL))
        answer->failure = get_failure(file);
    return answer;
}
