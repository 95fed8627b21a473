/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-return.h"

#include "base/ids.h"
#include "base/text.h"
#include "refpoint-msvm.h"

/*
 * A row for each cause: its numbers in the two sets (refpoint-msvm(7),
 * METHODS), and the reference's name for it. The set of Create has fewer
 * numbers than there are causes. Where @own is FALSE, the cause has none of its
 * own there and takes that of Failed or Invalid state. Everything that is known
 * of numbers follows from this table, except for 4096 and 4098.
 */
static const struct {
    guint32 create;
    gboolean own;
    guint32 export;
    const char *name;
} returns[] = {
    [0] = {0, TRUE, 0, N_("Completed with No Error")},
    [REFPOINT_ERROR_FAILED] = {2, TRUE, 32768, N_("Failed")},
    [REFPOINT_ERROR_ACCESS_DENIED] = {2, FALSE, 32769, N_("Access Denied")},
    [REFPOINT_ERROR_NOT_SUPPORTED] = {1, TRUE, 32770, N_("Not Supported")},
    [REFPOINT_ERROR_STATUS_UNKNOWN] = {2, FALSE, 32771,
                                       N_("Status is unknown")},
    [REFPOINT_ERROR_TIMEOUT] = {3, TRUE, 32772, N_("Timeout")},
    [REFPOINT_ERROR_INVALID_PARAMETER] = {4, TRUE, 32773,
                                          N_("Invalid parameter")},
    [REFPOINT_ERROR_IN_USE] = {5, FALSE, 32774, N_("System is in use")},
    [REFPOINT_ERROR_INVALID_STATE] = {5, TRUE, 32775,
                                      N_("Invalid state for this operation")},
    [REFPOINT_ERROR_INCORRECT_TYPE] = {6, TRUE, 32776,
                                       N_("Incorrect data type")},
    [REFPOINT_ERROR_NOT_AVAILABLE] = {2, FALSE, 32777,
                                      N_("System is not available")},
    [REFPOINT_ERROR_NO_MEMORY] = {2, FALSE, 32778, N_("Out of memory")},
    [REFPOINT_ERROR_FILE_NOT_FOUND] = {2, FALSE, 32779, N_("File not found")},
    /* the reference has none for it: it counts as Failed, which stands above */
    [REFPOINT_ERROR_CANCELLED] = {2, FALSE, 32768, N_("Failed")},
};

G_STATIC_ASSERT(G_N_ELEMENTS(returns) == RFP_N_CAUSES);

/* ---- Numbers of causes --------------------------------------------------- */

static int
known_cause(int cause)
{
    if (cause < 0 || cause >= (int)G_N_ELEMENTS(returns))
        return REFPOINT_ERROR_FAILED;
    return cause;
}

guint32
refpoint_return_value(RefpointReturnSet set, int cause)
{
    cause = known_cause(cause);
    return set == REFPOINT_RETURN_CREATE ? returns[cause].create
                                         : returns[cause].export;
}

const char *
refpoint_return_name(int cause)
{
    return returns[known_cause(cause)].name;
}

/* ---- Causes of numbers --------------------------------------------------- */

int
refpoint_msvm_return_cause(guint32 number)
{
    guint cause = 0;

    if (number == REFPOINT_MSVM_JOB_STARTED)
        return 0;
    if (number == REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED)
        return REFPOINT_ERROR_NOT_SUPPORTED;
    for (cause = 0; cause < G_N_ELEMENTS(returns); cause++) {
        if (returns[cause].export == number ||
            (returns[cause].own && returns[cause].create == number))
            return (int)cause;
    }
    return -1;
}

const char *
refpoint_msvm_return_name(guint32 number)
{
    int cause = refpoint_msvm_return_cause(number);

    if (number == REFPOINT_MSVM_JOB_STARTED)
        return "Method Parameters Checked - Job Started";
    if (number == REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED)
        return "Use of Timeout Parameter Not Supported";
    return cause < 0 ? "Unknown" : refpoint_return_name(cause);
}

/* ---- Numbers of a method ------------------------------------------------- */

gboolean
rfp_msvm_method_returns(const RfpMsvmMethod *method, guint32 number)
{
    int cause = 0;

    if (number == REFPOINT_MSVM_JOB_STARTED)
        return rfp_msvm_method_parameter(method, "Job") != NULL;
    if (number == REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED)
        return method->timeout_parameter;
    for (cause = 0; cause < (int)G_N_ELEMENTS(returns); cause++) {
        if (cause == REFPOINT_ERROR_FILE_NOT_FOUND && !method->file_not_found)
            continue;
        if (refpoint_return_value(method->set, cause) == number)
            return TRUE;
    }
    return FALSE;
}

guint32
rfp_msvm_method_number(const RfpMsvmMethod *method, int cause)
{
    guint32 number = refpoint_return_value(method->set, cause);

    if (rfp_msvm_method_returns(method, number))
        return number;
    return refpoint_return_value(method->set, REFPOINT_ERROR_FAILED);
}

guint32
rfp_msvm_method_error_number(const RfpMsvmMethod *method, const GError *error)
{
    if (error == NULL)
        return 0;
    return rfp_msvm_method_number(method, error->domain == REFPOINT_ERROR
                                              ? error->code
                                              : REFPOINT_ERROR_FAILED);
}
