/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-method-point.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/text.h"
#include "msvm/msvm-take.h"

/* ---- Create -------------------------------------------------------------- */

static gboolean
take_consistency(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    const RfpMsvmInstance *settings =
        rfp_msvm_call_instance(call, "ReferencePointSettings");
    guint64 level = 0;

    work->quiesce = REFPOINT_QUIESCE_AUTO;
    if (settings == NULL ||
        !rfp_msvm_instance_number(settings, "ConsistencyLevel", &level))
        return TRUE;
    if (level == REFPOINT_CONSISTENCY_APPLICATION) {
        work->quiesce = REFPOINT_QUIESCE_REQUIRED;
    } else if (level == REFPOINT_CONSISTENCY_CRASH) {
        work->quiesce = REFPOINT_QUIESCE_NEVER;
    } else {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("there is no ConsistencyLevel %" PRIu64), level);
        return FALSE;
    }
    return TRUE;
}

/* ReferencePointType: @log for a log based point, whose data is held; the next
 * number for an RCT based one, whose data is kept for a first export. */
static gboolean
take_type(const RfpMsvmCall *call, guint log, RfpMsvmWork *work, GError **error)
{
    guint64 type = rfp_msvm_call_number(call, "ReferencePointType");

    if (type == log) {
        work->keep = REFPOINT_KEEP_HOLD;
    } else if (type == log + 1) {
        work->keep = REFPOINT_KEEP_FIRST;
    } else {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("there is no ReferencePointType %" PRIu64), type);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_msvm_check_create(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error)
{
    return take_consistency(call, work, error) &&
           take_type(call, REFPOINT_MSVM_TYPE_LOG, work, error) &&
           rfp_msvm_take_system(call, "AffectedSystem", work, error);
}

gboolean
rfp_msvm_check_create_collection(const RfpMsvmCall *call,
                                 RfpMsvmWork *work,
                                 GError **error)
{
    return take_consistency(call, work, error) &&
           take_type(call, REFPOINT_MSVM_COLLECTION_TYPE_LOG, work, error) &&
           rfp_msvm_take_group(call, "Collection", work, error);
}

/* ---- Destroy, RemoveAssociatedData --------------------------------------- */

gboolean
rfp_msvm_check_affected(const RfpMsvmCall *call,
                        RfpMsvmWork *work,
                        GError **error)
{
    return rfp_msvm_take_point(call, "AffectedReferencePoint", work, error);
}

gboolean
rfp_msvm_check_affected_collection(const RfpMsvmCall *call,
                                   RfpMsvmWork *work,
                                   GError **error)
{
    return rfp_msvm_take_collection(call, "AffectedReferencePointCollection",
                                    work, error);
}
