/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-method.h"

#include <string.h>

#include "base/error.h"
#include "cim/msvm-return.h"
#include "msvm/msvm-job.h"
#include "msvm/msvm-method-changes.h"
#include "msvm/msvm-method-export.h"
#include "msvm/msvm-method-job.h"
#include "msvm/msvm-method-point.h"

/*
 * What a method does, in one of two ways. With @check and @action: @check turns
 * the parameters into work, which runs here or in a job as @action says. With
 * @run, for what takes a moment: it does everything, and returns 0 or a number
 * of its own; where it sets @error and returns 0, the number is that of the
 * error.
 */
typedef struct {
    const char *class_name; /* the class that has the method, or derived */
    const char *method;
    const RfpMsvmAction *action;
    const char *result; /* out parameter for the path of what is made; NULL:
                         * none */
    gboolean (*check)(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);
    guint32 (*run)(RfpMsvmCall *call, GError **error);
} Handler;

static const Handler handlers[13];

/* Every method of the classes has one. */
static const Handler *
find_handler(const RfpMsvmCall *call)
{
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(handlers); i++) {
        if (strcmp(handlers[i].method, call->method->name) == 0 &&
            rfp_msvm_class_is_a(call->klass, handlers[i].class_name))
            return &handlers[i];
    }
    g_assert_not_reached();
}

/* ---- Work ---------------------------------------------------------------- */

static RfpMsvmWork *
prepare(const RfpMsvmCall *call, const Handler *handler, GError **error)
{
    g_autoptr(RfpMsvmWork) work =
        rfp_msvm_work_new(handler->action, call->method);

    if (!handler->check(call, work, error) ||
        !rfp_msvm_job_check_free(call->msvm, work, error))
        return NULL;
    return g_steal_pointer(&work);
}

static gboolean
run_here(RfpMsvmCall *call,
         const Handler *handler,
         const RfpMsvmWork *work,
         GError **error)
{
    const RefpointMsvm *msvm = call->msvm;
    g_autoptr(RefpointJob) handle = refpoint_job_new();
    g_autoptr(RefpointFailure) failure = NULL;
    g_autoptr(RfpMsvmOutcome) outcome = NULL;

    refpoint_job_set_wait(handle, msvm->wait_seconds, msvm->wait_func,
                          msvm->wait_opaque);
    outcome = rfp_msvm_work_run(msvm->conn, work, handle, &failure);
    if (outcome == NULL) {
        rfp_error_set_failure(error, failure);
        return FALSE;
    }
    if (handler->result != NULL && outcome->result != NULL)
        rfp_msvm_value_add_text(rfp_msvm_call_answer(call, handler->result),
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
run_work(RfpMsvmCall *call, const Handler *handler, GError **error)
{
    g_autoptr(RfpMsvmWork) work = prepare(call, handler, error);

    if (work == NULL)
        return 0;
    if (!call->asynchronous) {
        run_here(call, handler, work, error);
        return 0;
    }
    return run_as_job(call, g_steal_pointer(&work), error)
               ? REFPOINT_MSVM_JOB_STARTED
               : 0;
}

guint32
rfp_msvm_method_run(RfpMsvmCall *call, GError **error)
{
    const Handler *handler = find_handler(call);
    g_autoptr(GError) local = NULL;
    guint32 number = 0;

    if (rfp_msvm_call_check(call, &local))
        number = handler->run != NULL ? handler->run(call, &local)
                                      : run_work(call, handler, &local);
    if (local != NULL && number == 0)
        number = rfp_msvm_method_error_number(call->method, local);
    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return number;
}

/* ---- The table ----------------------------------------------------------- */

static const Handler handlers[13] = {
    {.class_name = RFP_MSVM_POINT_SERVICE,
     .method = "CreateReferencePoint",
     .action = &rfp_msvm_action_create_point,
     .result = "ResultingReferencePoint",
     .check = rfp_msvm_check_create},
    {.class_name = RFP_MSVM_POINT_SERVICE,
     .method = "DestroyReferencePoint",
     .action = &rfp_msvm_action_destroy_point,
     .check = rfp_msvm_check_affected},
    {.class_name = RFP_MSVM_POINT_SERVICE,
     .method = "ExportReferencePoint",
     .action = &rfp_msvm_action_export_point,
     .check = rfp_msvm_check_export},
    {.class_name = RFP_MSVM_POINT_SERVICE,
     .method = "ImportReferencePointMetadata",
     .action = &rfp_msvm_action_import_point,
     .check = rfp_msvm_check_import},
    {.class_name = RFP_MSVM_POINT_SERVICE,
     .method = "RemoveAssociatedData",
     .action = &rfp_msvm_action_remove_point_data,
     .check = rfp_msvm_check_affected},
    {.class_name = RFP_MSVM_COLLECTION_SERVICE,
     .method = "CreateReferencePoint",
     .action = &rfp_msvm_action_create_collection,
     .result = "ResultingReferencePointCollection",
     .check = rfp_msvm_check_create_collection},
    {.class_name = RFP_MSVM_COLLECTION_SERVICE,
     .method = "DestroyReferencePoint",
     .action = &rfp_msvm_action_destroy_collection,
     .check = rfp_msvm_check_affected_collection},
    {.class_name = RFP_MSVM_COLLECTION_SERVICE,
     .method = "ExportReferencePoint",
     .action = &rfp_msvm_action_export_collection,
     .check = rfp_msvm_check_export_collection},
    {.class_name = RFP_MSVM_COLLECTION_SERVICE,
     .method = "RemoveAssociatedData",
     .action = &rfp_msvm_action_remove_collection_data,
     .check = rfp_msvm_check_affected_collection},
    {.class_name = RFP_MSVM_IMAGE_SERVICE,
     .method = "GetVirtualDiskChanges",
     .run = rfp_msvm_run_disk_changes},
    {.class_name = RFP_MSVM_ANY_JOB,
     .method = "RequestStateChange",
     .run = rfp_msvm_run_request_state_change},
    {.class_name = RFP_MSVM_ANY_JOB,
     .method = "GetError",
     .run = rfp_msvm_run_get_error},
    {.class_name = RFP_MSVM_ANY_JOB,
     .method = "GetErrorEx",
     .run = rfp_msvm_run_get_error_ex},
};
