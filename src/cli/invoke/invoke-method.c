/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "invoke/invoke-method.h"

#include "invoke/cim-xml.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#define FILE_SIZE_MAX (1024 * 1024)
#define JOB "Job"

/* ---- Methods ------------------------------------------------------------- */

gboolean
invoke_method_is_of_job(const char *class_name)
{
    gsize length = strlen(class_name);

    return length >= strlen(JOB) &&
           g_ascii_strcasecmp(class_name + length - strlen(JOB), JOB) == 0;
}

gboolean
invoke_method_has_class(const GPtrArray *methods, const char *class_name)
{
    for (guint i = 0; i < methods->len; i++) {
        const RefpointMsvmMethod *method = methods->pdata[i];

        if (g_ascii_strcasecmp(method->class_name, class_name) == 0)
            return TRUE;
    }
    return FALSE;
}

static gboolean
fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static gboolean
fail(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER,
                        message);
    return FALSE;
}

/* The classes of jobs have each other's methods. */
static gboolean
has_method(const RefpointMsvmMethod *method,
           const char *class_name,
           gboolean of_job,
           const char *name)
{
    if (g_ascii_strcasecmp(method->name, name) != 0)
        return FALSE;
    return class_name == NULL ||
           g_ascii_strcasecmp(method->class_name, class_name) == 0 ||
           (of_job && invoke_method_is_of_job(method->class_name));
}

const RefpointMsvmMethod *
invoke_method_find(const GPtrArray *methods, const char *name, GError **error)
{
    const char *dot = strrchr(name, '.');
    g_autofree char *class_name =
        dot != NULL ? g_strndup(name, (gsize)(dot - name)) : NULL;
    gboolean of_job = class_name != NULL &&
                      invoke_method_is_of_job(class_name) &&
                      invoke_method_has_class(methods, class_name);
    const RefpointMsvmMethod *found = NULL;

    for (guint i = 0; i < methods->len; i++) {
        const RefpointMsvmMethod *method = methods->pdata[i];

        if (!has_method(method, class_name, of_job,
                        dot != NULL ? dot + 1 : name))
            continue;
        if (found == NULL) {
            found = method;
        } else if (!invoke_method_is_of_job(method->class_name)) {
            fail(error, _("several classes have a method '%s': %s, %s"), name,
                 found->class_name, method->class_name);
            return NULL;
        }
    }
    if (found == NULL)
        fail(error,
             _("there is no method '%s' (see virt-refpoint invoke --list)"),
             name);
    return found;
}

/* ---- Parameters ---------------------------------------------------------- */

static const RefpointMsvmParameter *
find_parameter(const RefpointMsvmMethod *method, const char *name)
{
    for (guint i = 0; i < method->parameters->len; i++) {
        const RefpointMsvmParameter *parameter = method->parameters->pdata[i];

        if (parameter->in && g_ascii_strcasecmp(parameter->name, name) == 0)
            return parameter;
    }
    return NULL;
}

static gboolean
fail_errno(GError **error, const char *path)
{
    int errnum = errno;
    RefpointError cause = errnum == EACCES || errnum == EPERM
                              ? REFPOINT_ERROR_ACCESS_DENIED
                              : REFPOINT_ERROR_INVALID_PARAMETER;

    g_set_error(error, REFPOINT_ERROR, (int)cause, _("cannot read '%s': %s"),
                path, g_strerror(errnum));
    return FALSE;
}

/* A pipe will do, too. */
static gboolean
read_file(const char *path, GByteArray *data, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    guint8 part[16384];
    ssize_t n;

    if (fd < 0)
        return fail_errno(error, path);
    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || data->len + (gsize)n > FILE_SIZE_MAX)
            break;
        g_byte_array_append(data, part, (guint)n);
    }
    if (n < 0)
        fail_errno(error, path);
    else if (n > 0)
        fail(error, _("'%s' is larger than %d bytes"), path, FILE_SIZE_MAX);
    close(fd);
    return n == 0;
}

static gboolean
add_value(RefpointMsvmParameter *parameter, const char *text, GError **error)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    if (text[0] != '@' || text[1] == '@') {
        text += text[0] == '@';
        cim_value_add(parameter, text, strlen(text));
        return TRUE;
    }
    if (!read_file(text + 1, data, error))
        return FALSE;
    cim_value_add(parameter, data->data, data->len);
    return TRUE;
}

/* The parameter of this name in the call, made where it is not yet there. */
static RefpointMsvmParameter *
in_call(InvokeCall *call, const RefpointMsvmParameter *wanted, gboolean *again)
{
    RefpointMsvmParameter *parameter;

    *again = TRUE;
    for (guint i = 0; i < call->in->len; i++) {
        parameter = call->in->pdata[i];
        if (g_str_equal(parameter->name, wanted->name))
            return parameter;
    }
    *again = FALSE;
    parameter = g_new0(RefpointMsvmParameter, 1);
    parameter->name = g_strdup(wanted->name);
    parameter->type = g_strdup(wanted->type);
    parameter->array = wanted->array;
    parameter->in = TRUE;
    g_ptr_array_add(call->in, parameter);
    return parameter;
}

static gboolean
take_job(InvokeCall *call, const char *path, GError **error)
{
    if (call->path != NULL)
        return fail(error, _("the job is given twice"));
    call->path = g_strdup(path);
    return TRUE;
}

static gboolean
take_argument(const RefpointMsvmMethod *method,
              const char *argument,
              InvokeCall *call,
              GError **error)
{
    const char *equals = strchr(argument, '=');
    g_autofree char *name =
        equals != NULL ? g_strndup(argument, (gsize)(equals - argument)) : NULL;
    const RefpointMsvmParameter *wanted;
    RefpointMsvmParameter *parameter;
    gboolean again;

    if (equals == NULL)
        return fail(error, _("'%s' is not PARAM=VALUE"), argument);
    wanted = find_parameter(method, name);
    if (wanted == NULL && g_ascii_strcasecmp(name, JOB) == 0 &&
        invoke_method_is_of_job(method->class_name))
        return take_job(call, equals + 1, error);
    if (wanted == NULL)
        return fail(error, _("%s.%s has no in parameter '%s'"),
                    method->class_name, method->name, name);
    parameter = in_call(call, wanted, &again);
    if (again && !wanted->array)
        return fail(error, _("%s is no array and is given twice"),
                    wanted->name);
    return add_value(parameter, equals + 1, error);
}

gboolean
invoke_method_take_arguments(const RefpointMsvmMethod *method,
                             char **arguments,
                             InvokeCall *call,
                             GError **error)
{
    for (; *arguments != NULL; arguments++)
        if (!take_argument(method, *arguments, call, error))
            return FALSE;
    return TRUE;
}

/* ---- The list ------------------------------------------------------------ */

static void
append_parameters(GString *out, const RefpointMsvmMethod *method, guint width)
{
    for (guint i = 0; i < method->parameters->len; i++) {
        const RefpointMsvmParameter *parameter = method->parameters->pdata[i];

        g_string_append(out, "    ");
        output_pad(out,
                   parameter->in && parameter->out ? "in, out"
                   : parameter->in                 ? "in"
                                                   : "out",
                   10);
        output_pad(out, parameter->name, width + 3);
        g_string_append_printf(out, "%s%s\n", parameter->type,
                               parameter->array ? "[]" : "");
    }
}

char *
invoke_method_list(const GPtrArray *methods, const char *class_name)
{
    GString *out = g_string_new(NULL);
    guint width = 0;

    for (guint i = 0; i < methods->len; i++) {
        const RefpointMsvmMethod *method = methods->pdata[i];

        for (guint j = 0; j < method->parameters->len; j++) {
            const RefpointMsvmParameter *parameter =
                method->parameters->pdata[j];

            width = MAX(width, output_width(parameter->name));
        }
    }
    for (guint i = 0; i < methods->len; i++) {
        const RefpointMsvmMethod *method = methods->pdata[i];

        if (class_name != NULL &&
            g_ascii_strcasecmp(method->class_name, class_name) != 0)
            continue;
        g_string_append_printf(out, "%s%s.%s\n", out->len > 0 ? "\n" : "",
                               method->class_name, method->name);
        append_parameters(out, method, width);
    }
    return g_string_free(out, FALSE);
}
