/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-error.h"

#include "invoke/invoke-call.h"
#include "json.h"

#include <string.h>

guint32
job_error_number(const CimInstance *instance,
                 const char *class_name,
                 const char *method)
{
    RefpointReturnSet set = invoke_return_set(class_name, method);
    guint64 code = 0;

    if (instance != NULL && cim_instance_number(instance, "JobState") ==
                                REFPOINT_MSVM_JOB_COMPLETED)
        return 0;
    if (instance != NULL)
        code = cim_instance_number(instance, "ErrorCode");
    return code > 0 && code <= G_MAXUINT16
               ? (guint32)code
               : refpoint_return_value(set, REFPOINT_ERROR_FAILED);
}

RefpointFailure *
job_error_failure(const char *text, guint32 number)
{
    g_autoptr(CimInstance) error =
        text != NULL ? cim_instance_parse(text) : NULL;
    RefpointFailure *failure = g_new0(RefpointFailure, 1);
    g_autofree char *id =
        error != NULL ? cim_instance_text(error, "MessageID") : NULL;

    failure->cause = (RefpointError)invoke_status(number);
    if (error != NULL) {
        json_find_cause(id, &failure->cause);
        failure->message = cim_instance_text(error, "Message");
        failure->object = cim_instance_text(error, "MessageArguments");
        failure->way_out = cim_instance_text(error, "RecommendedActions");
    }
    if (failure->message == NULL)
        failure->message = g_strdup(refpoint_msvm_return_name(number));
    return failure;
}

char *
job_error_of_process(const char *message)
{
    g_autoptr(CimInstance) error = g_new0(CimInstance, 1);

    error->class_name = g_strdup("Msvm_Error");
    error->properties = cim_values_new();
    cim_instance_set(error, "ErrorType", "uint16", "4");
    cim_instance_set(error, "OwningEntity", "string", "virt-refpoint");
    cim_instance_set(error, "MessageID", "string", "failed");
    cim_instance_set(error, "Message", "string", message);
    cim_instance_set(error, "PerceivedSeverity", "uint16", "4");
    /* Software Program Abnormally Terminated */
    cim_instance_set(error, "ProbableCause", "uint16", "48");
    cim_instance_set(error, "CIMStatusCode", "uint32", "1");
    return cim_instance_format(error);
}
