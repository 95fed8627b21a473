/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "interrupt.h"
#include "invoke/cim-xml.h"
#include "invoke/invoke-method.h"
#include "invoke/invoke-output.h"
#include "invoke/invoke-wait.h"
#include "job/job-client.h"
#include "job/job-process.h"
#include "json.h"
#include "output.h"

#include <unistd.h>

typedef struct {
    gboolean list;
    gboolean asynchronous;
    gboolean xml;
    char *path;
} Request;

static gboolean
parse_invoke(Cli *cli, char **args, Request *request, GError **error)
{
    const GOptionEntry entries[] = {
        {"async", 0, 0, G_OPTION_ARG_NONE, &request->asynchronous,
         N_("leave it to a job in a process of its own"), NULL},
        {"list", 0, 0, G_OPTION_ARG_NONE, &request->list,
         N_("show the methods and their parameters, of one class or all"),
         NULL},
        {"path", 0, 0, G_OPTION_ARG_FILENAME, &request->path,
         N_("the job, for methods of jobs: its path or id"), "OBJECT"},
        {"xml", 0, 0, G_OPTION_ARG_NONE, &request->xml,
         N_("print the answer in CIM XML"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    if (!cli_parse(cli, args, entries, error))
        return FALSE;
    if (request->list && (request->asynchronous || request->xml ||
                          request->path != NULL || cli_operand(cli, 1) != NULL))
        return cli_bad_usage(error, _("--list takes a class alone"));
    if (!request->list && cli_operand(cli, 0) == NULL)
        return cli_bad_usage(error, _("%s is missing"), "CLASS.METHOD");
    if (request->xml && cli->json)
        return cli_bad_usage(error, _("--xml and --json contradict"));
    return TRUE;
}

static int
print_list(Cli *cli, const GPtrArray *methods)
{
    const char *class_name = cli_operand(cli, 0);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    JsonObject *document;

    if (class_name != NULL && !invoke_method_has_class(methods, class_name)) {
        error =
            g_error_new(REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER,
                        _("there is no class '%s' with methods"), class_name);
        return cli_failed(cli, error);
    }
    if (cli->json) {
        document = json_document_new(cli, NULL, NULL, 0);
        json_object_set_array_member(document, "methods",
                                     invoke_output_methods(methods,
                                                           class_name));
        return cli_done_json(cli, document, 0);
    }
    text = invoke_method_list(methods, class_name);
    return cli_done(cli, text);
}

/* ---- The call ------------------------------------------------------------ */

static InvokeAnswer *
call_job(InvokeCall *call)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(JobStore) store = NULL;
    g_autoptr(JobRecord) record = NULL;

    if (call->path == NULL)
        return invoke_answer_failed(call, REFPOINT_ERROR_INVALID_PARAMETER,
                                    _("%s is missing"), "Job");
    store = job_store_open(FALSE, &error);
    if (store != NULL)
        record = job_store_find(store, call->path, &error);
    return record != NULL ? job_client_call(store, record, call)
                          : invoke_answer_error(call, error);
}

static InvokeAnswer *
call_method(Cli *cli, const Request *request, InvokeCall *call)
{
    if (invoke_method_is_of_job(call->class_name))
        return call_job(call);
    if (call->path != NULL)
        return invoke_answer_failed(call, REFPOINT_ERROR_INVALID_PARAMETER,
                                    _("%s.%s is not called on an object"),
                                    call->class_name, call->method);
    return request->asynchronous ? job_process_start(call)
                                 : invoke_wait(cli, call);
}

/* What was meant; a name that is none stands in the call as it was given. */
static InvokeAnswer *
run_call(Cli *cli,
         const Request *request,
         const GPtrArray *methods,
         InvokeCall *call)
{
    g_autoptr(GError) error = NULL;
    const RefpointMsvmMethod *method =
        invoke_method_find(methods, cli_operand(cli, 0), &error);

    call->uri = g_strdup(cli->uri);
    call->wait = cli->wait;
    call->path = g_strdup(request->path);
    call->class_name = g_strdup(method != NULL ? method->class_name : "");
    call->method =
        g_strdup(method != NULL ? method->name : cli_operand(cli, 0));
    if (method == NULL ||
        !invoke_method_take_arguments(method, cli->operands + 1, call, &error))
        return invoke_answer_error(call, error);
    return call_method(cli, request, call);
}

/* ---- The answer ---------------------------------------------------------- */

static int
status_of(const InvokeAnswer *answer)
{
    if (answer->failure != NULL && interrupt_signal() != 0)
        return 128 + interrupt_signal();
    return invoke_status(answer->return_value);
}

static int
print_text(Cli *cli,
           const Request *request,
           const InvokeCall *call,
           const InvokeAnswer *answer)
{
    g_autofree char *text =
        request->xml ? cim_response_format(call->method, answer->return_value,
                                           answer->out)
                     : invoke_output_text(answer, cli->quiet);
    int printed = cli_done(cli, text);

    if (answer->failure != NULL)
        cli_print_failure(answer->failure);
    return printed;
}

static int
print_answer(Cli *cli,
             const Request *request,
             const InvokeCall *call,
             const InvokeAnswer *answer)
{
    int status = status_of(answer);
    int printed =
        cli->json
            ? cli_done_json(cli, invoke_output_json(answer, status), status)
            : print_text(cli, request, call, answer);

    if (status != 0)
        return status;
    if (printed != 0)
        output_complain(_("hint: only the output is missing: %s returned %u"),
                        call->method, answer->return_value);
    return printed;
}

static int
run_invoke(Cli *cli, char **args)
{
    Request request = {0};
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) methods = NULL;
    g_autoptr(InvokeCall) call = invoke_call_new();
    g_autoptr(InvokeAnswer) answer = NULL;
    int status;

    if (!parse_invoke(cli, args, &request, &error)) {
        status = cli_usage(cli, error);
    } else {
        methods = refpoint_msvm_methods();
        if (request.list) {
            status = print_list(cli, methods);
        } else {
            answer = run_call(cli, &request, methods, call);
            status = print_answer(cli, &request, call, answer);
        }
    }
    g_free(request.path);
    return status;
}

const Command command_invoke = {
    .name = "invoke",
    .operands = "[CLASS.METHOD] [PARAM=VALUE|PARAM=@FILE]...",
    .summary = N_("call a method of the Msvm services by its name"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_invoke,
};
