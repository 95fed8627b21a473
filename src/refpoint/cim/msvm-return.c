/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two return-code sets of the Msvm methods: the only place that knows
 * their numbers. */
#include "base/text.h"
#include "refpoint.h"

/* msvm-model: "Return values: there are two sets". A meaning that the first
 * set lacks becomes Failed or Invalid state there. */
static const struct {
    guint32 create;
    guint32 export;
    const char *name;
} returns[] = {
    [0] = {0, 0, N_("Completed with No Error")},
    [REFPOINT_ERROR_FAILED] = {2, 32768, N_("Failed")},
    [REFPOINT_ERROR_ACCESS_DENIED] = {2, 32769, N_("Access Denied")},
    [REFPOINT_ERROR_NOT_SUPPORTED] = {1, 32770, N_("Not Supported")},
    [REFPOINT_ERROR_STATUS_UNKNOWN] = {2, 32771, N_("Status is unknown")},
    [REFPOINT_ERROR_TIMEOUT] = {3, 32772, N_("Timeout")},
    [REFPOINT_ERROR_INVALID_PARAMETER] = {4, 32773, N_("Invalid parameter")},
    [REFPOINT_ERROR_IN_USE] = {5, 32774, N_("System is in use")},
    [REFPOINT_ERROR_INVALID_STATE] = {5, 32775,
                                      N_("Invalid state for this operation")},
    [REFPOINT_ERROR_INCORRECT_TYPE] = {6, 32776, N_("Incorrect data type")},
    [REFPOINT_ERROR_NOT_AVAILABLE] = {2, 32777, N_("System is not available")},
    [REFPOINT_ERROR_NO_MEMORY] = {2, 32778, N_("Out of memory")},
    [REFPOINT_ERROR_FILE_NOT_FOUND] = {2, 32779, N_("File not found")},
};

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
