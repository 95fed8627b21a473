/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-error.h"
#include "base/ids.h"

#define OTHER 1

/* The reference's numbers, by cause: see msvm-table-names. */
typedef struct {
    guint16 type;       /* ErrorType */
    guint16 severity;   /* PerceivedSeverity */
    guint16 probable;   /* ProbableCause */
    guint32 cim_status; /* CIMStatusCode */
} Row;

static const Row rows[] = {
    [REFPOINT_ERROR_FAILED] = {4, 4, 47, 1},
    [REFPOINT_ERROR_ACCESS_DENIED] = {7, 4, 65, 2},
    [REFPOINT_ERROR_NOT_SUPPORTED] = {10, 3, 129, 7},
    [REFPOINT_ERROR_STATUS_UNKNOWN] = {2, 4, 7, 1},
    [REFPOINT_ERROR_TIMEOUT] = {2, 4, 111, 1},
    [REFPOINT_ERROR_INVALID_PARAMETER] = {4, 3, 129, 4},
    [REFPOINT_ERROR_IN_USE] = {9, 2, 57, 1},
    [REFPOINT_ERROR_INVALID_STATE] = {4, 3, 129, 1},
    [REFPOINT_ERROR_INCORRECT_TYPE] = {4, 3, 129, 13},
    [REFPOINT_ERROR_NOT_AVAILABLE] = {9, 4, 72, 1},
    [REFPOINT_ERROR_NO_MEMORY] = {8, 5, 33, 1},
    [REFPOINT_ERROR_FILE_NOT_FOUND] = {9, 3, 73, 6},
    [REFPOINT_ERROR_CANCELLED] = {1, 2, 1, 1},
};

/* A cause without a row. */
G_STATIC_ASSERT(G_N_ELEMENTS(rows) == RFP_N_CAUSES);

/* What caused the failure: the words of libvirt or of the system where it came
 * from there, else the name of the cause. */
static char *
describe_origin(const RefpointFailure *failure)
{
    if (failure->libvirt_text != NULL)
        return g_strdup_printf("libvirt: %s (%d)", failure->libvirt_text,
                               failure->libvirt_code);
    if (failure->errnum)
        return g_strdup(g_strerror(failure->errnum));
    return g_strdup(refpoint_return_name((int)failure->cause));
}

static void
set_status(RfpMsvmInstance *instance, guint32 status)
{
    const RfpMsvmProperty *property =
        rfp_msvm_class_property(instance->klass, "CIMStatusCode");

    rfp_msvm_instance_set_number(instance, "CIMStatusCode", status);
    rfp_msvm_instance_set_text(instance, "CIMStatusCodeDescription",
                               rfp_msvm_property_value_name(property, status));
}

static void
set_source(RfpMsvmInstance *instance, const char *source)
{
    rfp_msvm_instance_set_text(instance, "ErrorSource", source);
    rfp_msvm_instance_set_number(instance, "ErrorSourceFormat",
                                 source != NULL ? 2 : 0);
}

RfpMsvmInstance *
rfp_msvm_error_new(const RefpointFailure *failure, const char *source)
{
    RfpMsvmInstance *instance = rfp_msvm_instance_new("Msvm_Error");
    const RefpointError cause = refpoint_cause_id(failure->cause) != NULL
                                    ? failure->cause
                                    : REFPOINT_ERROR_FAILED;
    const char *id = refpoint_cause_id(cause);
    const Row *row = &rows[cause];
    const char *const arguments[] = {failure->object, NULL};
    const char *const actions[] = {failure->way_out, NULL};
    g_autofree char *origin = describe_origin(failure);

    rfp_msvm_instance_set_number(instance, "ErrorType", row->type);
    if (row->type == OTHER)
        rfp_msvm_instance_set_text(instance, "OtherErrorType", id);
    rfp_msvm_instance_set_text(instance, "OwningEntity", "virt-refpoint");
    rfp_msvm_instance_set_text(instance, "MessageID", id);
    rfp_msvm_instance_set_text(instance, "Message", failure->message);
    rfp_msvm_instance_set_texts(instance, "MessageArguments", arguments);
    rfp_msvm_instance_set_number(instance, "PerceivedSeverity", row->severity);
    rfp_msvm_instance_set_number(instance, "ProbableCause", row->probable);
    rfp_msvm_instance_set_text(instance, "ProbableCauseDescription", origin);
    rfp_msvm_instance_set_texts(instance, "RecommendedActions", actions);
    set_source(instance, source);
    set_status(instance, row->cim_status);
    return instance;
}
