/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods as C functions of refpoint-msvm.h: each gives its parameters
 * their names, and becomes the same call as one of refpoint_msvm_invoke(). */
#include "cim/msvm-return.h"
#include "msvm/msvm-call.h"
#include "msvm/msvm-method.h"

/* An in parameter of a method. The last row of a table of them has no name. */
typedef struct {
    const char *name;
    const char *text; /* or else: */
    const guint64 *number;
} Parameter;

typedef struct {
    const char *class_name;
    const char *method;
    const char *result; /* out parameter of what is made; NULL: none */
    const Parameter *in;
} Shape;

/* ---- From texts to a call, and back -------------------------------------- */

static gboolean
put_all(RfpMsvmCall *call, const Parameter *in, GError **error)
{
    for (; in->name != NULL; in++) {
        if (in->number != NULL
                ? !rfp_msvm_call_put_number(call, in->name, *in->number, error)
                : !rfp_msvm_call_put_text(call, in->name, in->text, error))
            return FALSE;
    }
    return TRUE;
}

static void
hand_out(const RfpMsvmCall *call, const char *name, char **out)
{
    if (name != NULL && out != NULL)
        *out = rfp_msvm_value_format(rfp_msvm_call_answered(call, name), 0);
}

static guint32
run_call(RfpMsvmCall *call, const Parameter *in, char **job, GError **error)
{
    g_autoptr(GError) local = NULL;
    guint32 number = 0;

    if (job != NULL)
        *job = NULL;
    call->asynchronous = job != NULL;
    if (put_all(call, in, &local))
        number = rfp_msvm_method_run(call, &local);
    else
        number = rfp_msvm_method_error_number(call->method, local);
    hand_out(call, "Job", job);
    if (local != NULL)
        g_propagate_error(error, g_steal_pointer(&local));
    return number;
}

static guint32
call_method(RefpointMsvm *msvm,
            const Shape *shape,
            char **result,
            char **job,
            GError **error)
{
    g_autoptr(RfpMsvmCall) call =
        rfp_msvm_call_new(msvm, shape->class_name, shape->method, NULL);
    guint32 number = run_call(call, shape->in, job, error);

    hand_out(call, shape->result, result);
    return number;
}

/* ---- Of one VM ----------------------------------------------------------- */

guint32
refpoint_msvm_create_reference_point(RefpointMsvm *msvm,
                                     const char *affected_system,
                                     const char *settings,
                                     guint16 type,
                                     char **resulting_reference_point,
                                     char **job,
                                     GError **error)
{
    const guint64 number = type;
    const Parameter in[] = {
        {"AffectedSystem", .text = affected_system},
        {"ReferencePointSettings", .text = settings},
        {"ReferencePointType", .number = &number},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_POINT_SERVICE, "CreateReferencePoint",
                         "ResultingReferencePoint", in};

    return call_method(msvm, &shape, resulting_reference_point, job, error);
}

guint32
refpoint_msvm_destroy_reference_point(RefpointMsvm *msvm,
                                      const char *affected_reference_point,
                                      char **job,
                                      GError **error)
{
    const Parameter in[] = {
        {"AffectedReferencePoint", .text = affected_reference_point},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_POINT_SERVICE, "DestroyReferencePoint", NULL,
                         in};

    return call_method(msvm, &shape, NULL, job, error);
}

guint32
refpoint_msvm_export_reference_point(RefpointMsvm *msvm,
                                     const char *reference_point,
                                     const char *export_directory,
                                     const char *settings,
                                     char **job,
                                     GError **error)
{
    const Parameter in[] = {
        {"ReferencePoint", .text = reference_point},
        {"ExportDirectory", .text = export_directory},
        {"ExportSettingData", .text = settings},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_POINT_SERVICE, "ExportReferencePoint", NULL,
                         in};

    return call_method(msvm, &shape, NULL, job, error);
}

guint32
refpoint_msvm_import_reference_point_metadata(
    RefpointMsvm *msvm,
    const char *affected_system,
    const char *config_file_path,
    const char *runtime_state_file_path,
    char **job,
    GError **error)
{
    const Parameter in[] = {
        {"AffectedSystem", .text = affected_system},
        {"ConfigFilePath", .text = config_file_path},
        {"RuntimeStateFilePath", .text = runtime_state_file_path},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_POINT_SERVICE, "ImportReferencePointMetadata",
                         NULL, in};

    return call_method(msvm, &shape, NULL, job, error);
}

guint32
refpoint_msvm_remove_associated_data(RefpointMsvm *msvm,
                                     const char *affected_reference_point,
                                     char **job,
                                     GError **error)
{
    const Parameter in[] = {
        {"AffectedReferencePoint", .text = affected_reference_point},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_POINT_SERVICE, "RemoveAssociatedData", NULL,
                         in};

    return call_method(msvm, &shape, NULL, job, error);
}

/* ---- Of a collection ----------------------------------------------------- */

guint32
refpoint_msvm_collection_create_reference_point(RefpointMsvm *msvm,
                                                const char *collection,
                                                const char *settings,
                                                guint16 type,
                                                char **resulting_collection,
                                                char **job,
                                                GError **error)
{
    const guint64 number = type;
    const Parameter in[] = {
        {"Collection", .text = collection},
        {"ReferencePointSettings", .text = settings},
        {"ReferencePointType", .number = &number},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_COLLECTION_SERVICE, "CreateReferencePoint",
                         "ResultingReferencePointCollection", in};

    return call_method(msvm, &shape, resulting_collection, job, error);
}

guint32
refpoint_msvm_collection_destroy_reference_point(
    RefpointMsvm *msvm,
    const char *affected_collection,
    char **job,
    GError **error)
{
    const Parameter in[] = {
        {"AffectedReferencePointCollection", .text = affected_collection},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_COLLECTION_SERVICE, "DestroyReferencePoint",
                         NULL, in};

    return call_method(msvm, &shape, NULL, job, error);
}

guint32
refpoint_msvm_collection_export_reference_point(
    RefpointMsvm *msvm,
    const char *reference_point_collection,
    const char *export_directory,
    const char *settings,
    char **job,
    GError **error)
{
    const Parameter in[] = {
        {"ReferencePointCollection", .text = reference_point_collection},
        {"ExportDirectory", .text = export_directory},
        {"ExportSettingData", .text = settings},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_COLLECTION_SERVICE, "ExportReferencePoint",
                         NULL, in};

    return call_method(msvm, &shape, NULL, job, error);
}

guint32
refpoint_msvm_collection_remove_associated_data(RefpointMsvm *msvm,
                                                const char *affected_collection,
                                                char **job,
                                                GError **error)
{
    const Parameter in[] = {
        {"AffectedReferencePointCollection", .text = affected_collection},
        {.name = NULL},
    };
    const Shape shape = {RFP_MSVM_COLLECTION_SERVICE, "RemoveAssociatedData",
                         NULL, in};

    return call_method(msvm, &shape, NULL, job, error);
}

/* ---- Of images ----------------------------------------------------------- */

static guint64 *
hand_out_numbers(const RfpMsvmValue *value)
{
    guint64 *numbers = g_new(guint64, value->items->len);
    guint i = 0;

    for (i = 0; i < value->items->len; i++)
        numbers[i] = rfp_msvm_value_item(value, i)->number;
    return numbers;
}

static void
hand_out_changes(const RfpMsvmCall *call, RefpointMsvmDiskChanges *changes)
{
    const RfpMsvmValue *processed =
        rfp_msvm_call_answered(call, "ProcessedByteLength");
    const RfpMsvmValue *offsets =
        rfp_msvm_call_answered(call, "ChangedByteOffsets");
    const RfpMsvmValue *lengths =
        rfp_msvm_call_answered(call, "ChangedByteLengths");

    if (processed == NULL)
        return;
    changes->processed_byte_length = rfp_msvm_value_item(processed, 0)->number;
    changes->n_changes = offsets->items->len;
    changes->changed_byte_offsets = hand_out_numbers(offsets);
    changes->changed_byte_lengths = hand_out_numbers(lengths);
}

guint32
refpoint_msvm_get_virtual_disk_changes(RefpointMsvm *msvm,
                                       const char *path,
                                       const char *limit_id,
                                       const char *target_snapshot_id,
                                       guint64 byte_offset,
                                       guint64 byte_length,
                                       RefpointMsvmDiskChanges *changes,
                                       char **job,
                                       GError **error)
{
    g_autoptr(RfpMsvmCall) call =
        rfp_msvm_call_new(msvm, RFP_MSVM_IMAGE_SERVICE, "GetVirtualDiskChanges",
                          NULL);
    const Parameter in[] = {
        {"Path", .text = path},
        {"LimitId", .text = limit_id},
        {"TargetSnapshotId", .text = target_snapshot_id},
        {"ByteOffset", .number = &byte_offset},
        {"ByteLength", .number = &byte_length},
        {.name = NULL},
    };
    guint32 number = run_call(call, in, job, error);

    *changes = (RefpointMsvmDiskChanges){0};
    hand_out_changes(call, changes);
    return number;
}

/* ---- Of jobs ------------------------------------------------------------- */

/* Jobs of all classes have the same methods. */
static guint32
call_job(RefpointMsvm *msvm,
         const char *method,
         const char *job,
         const Parameter *in,
         RfpMsvmCall **done,
         GError **error)
{
    g_autoptr(RfpMsvmCall) call =
        rfp_msvm_call_new(msvm, RFP_MSVM_JOB_CLASS, method, NULL);
    guint32 number = 0;

    call->klass = rfp_msvm_class_find(RFP_MSVM_ANY_JOB);
    call->path = job;
    number = run_call(call, in, NULL, error);
    if (done != NULL)
        *done = g_steal_pointer(&call);
    return number;
}

guint32
refpoint_msvm_request_state_change(RefpointMsvm *msvm,
                                   const char *job,
                                   guint16 requested_state,
                                   const char *timeout_period,
                                   GError **error)
{
    const guint64 number = requested_state;
    const Parameter in[] = {
        {"RequestedState", .number = &number},
        {"TimeoutPeriod", .text = timeout_period},
        {.name = NULL},
    };

    return call_job(msvm, "RequestStateChange", job, in, NULL, error);
}

guint32
refpoint_msvm_get_error(RefpointMsvm *msvm,
                        const char *job,
                        char **msvm_error,
                        GError **error)
{
    const Parameter in[] = {{.name = NULL}};
    g_autoptr(RfpMsvmCall) call = NULL;
    guint32 number = call_job(msvm, "GetError", job, in, &call, error);

    hand_out(call, "Error", msvm_error);
    return number;
}

guint32
refpoint_msvm_get_error_ex(RefpointMsvm *msvm,
                           const char *job,
                           char ***msvm_errors,
                           GError **error)
{
    const Parameter in[] = {{.name = NULL}};
    g_autoptr(RfpMsvmCall) call = NULL;
    guint32 number = call_job(msvm, "GetErrorEx", job, in, &call, error);
    const RfpMsvmValue *errors = rfp_msvm_call_answered(call, "Errors");

    if (msvm_errors == NULL)
        return number;
    *msvm_errors =
        errors != NULL ? g_new0(char *, errors->items->len + 1) : NULL;
    for (guint i = 0; errors != NULL && i < errors->items->len; i++)
        (*msvm_errors)[i] = rfp_msvm_value_format(errors, i);
    return number;
}
