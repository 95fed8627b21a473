/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-error.h"

#define OTHER 1

/* The reference's numbers, by cause: see msvm-table-names. */
typedef struct {
    const char *id;     /* MessageID */
    guint16 type;       /* ErrorType */
    guint16 severity;   /* PerceivedSeverity */
    guint16 probable;   /* ProbableCause */
    guint32 cim_status; /* CIMStatusCode */
} Row;

static const Row rows[REFPOINT_ERROR_CANCELLED + 1];

static const Row *
find_row(RefpointError cause)
{
    if ((guint)cause >= G_N_ELEMENTS(rows) || rows[cause].id == NULL)
        cause = REFPOINT_ERROR_FAILED;
    return &rows[cause];
}

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
    const Row *row = find_row(failure->cause);
    const char *const arguments[] = {failure->object, NULL};
    const char *const actions[] = {failure->way_out, NULL};
    g_autofree char *origin = describe_origin(failure);

    rfp_msvm_instance_set_number(instance, "ErrorType", row->type);
    if (row->type == OTHER)
        rfp_msvm_instance_set_text(instance, "OtherErrorType", row->id);
    rfp_msvm_instance_set_text(instance, "OwningEntity", "virt-refpoint");
    rfp_msvm_instance_set_text(instance, "MessageID", row->id);
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

static const Row rows[REFPOINT_ERROR_CANCELLED + 1] = {
    [REFPOINT_ERROR_FAILED] = {"failed", 4, 4, 47, 1},
    [REFPOINT_ERROR_ACCESS_DENIED] = {"access-denied", 7, 4, 65, 2},
    [REFPOINT_ERROR_NOT_SUPPORTED] = {"not-supported", 10, 3, 129, 7},
    [REFPOINT_ERROR_STATUS_UNKNOWN] = {"status-unknown", 2, 4, 7, 1},
    [REFPOINT_ERROR_TIMEOUT] = {"timeout", 2, 4, 111, 1},
    [REFPOINT_ERROR_INVALID_PARAMETER] = {"invalid-parameter", 4, 3, 129, 4},
    [REFPOINT_ERROR_IN_USE] = {"in-use", 9, 2, 57, 1},
    [REFPOINT_ERROR_INVALID_STATE] = {"invalid-state", 4, 3, 129, 1},
    [REFPOINT_ERROR_INCORRECT_TYPE] = {"incorrect-type", 4, 3, 129, 13},
    [REFPOINT_ERROR_NOT_AVAILABLE] = {"not-available", 9, 4, 72, 1},
    [REFPOINT_ERROR_NO_MEMORY] = {"no-memory", 8, 5, 33, 1},
    [REFPOINT_ERROR_FILE_NOT_FOUND] = {"file-not-found", 9, 3, 73, 6},
    [REFPOINT_ERROR_CANCELLED] = {"cancelled", 1, 2, 1, 1},
};
