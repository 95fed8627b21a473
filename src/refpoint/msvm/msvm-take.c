/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-take.h"

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "msvm/msvm-object-path.h"

/* Takes the domain that a parameter names as the member of the work, and the
 * point, if objects of @class_name have one. */
static gboolean
take_object(const RfpMsvmCall *call,
            const char *parameter,
            const char *class_name,
            RfpMsvmWork *work,
            GError **error)
{
    g_autofree char *domain = NULL;

    if (!rfp_msvm_object_path_resolve(rfp_msvm_call_text(call, parameter),
                                      class_name, &domain, &work->point,
                                      error)) {
        rfp_error_prefix(error, "%s", parameter);
        return FALSE;
    }
    rfp_msvm_work_add(work, domain);
    return TRUE;
}

gboolean
rfp_msvm_points_have(GPtrArray *points, const char *guid)
{
    guint i = 0;

    for (i = 0; i < points->len; i++) {
        const RefpointPoint *point = g_ptr_array_index(points, i);

        if (rfp_guid_equal(point->guid, guid))
            return TRUE;
    }
    return FALSE;
}

/* Whether the domain is there, and its point, if the work has one. */
static gboolean
check_there(const RfpMsvmCall *call, const RfpMsvmWork *work, GError **error)
{
    const char *domain = rfp_msvm_work_domain(work);
    g_autoptr(GPtrArray) points =
        refpoint_list(call->msvm->conn, domain, error);

    if (points == NULL)
        return FALSE;
    if (work->point == NULL || rfp_msvm_points_have(points, work->point))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the domain %s has no reference point %s"), domain,
                  work->point);
    rfp_error_add_object(error, work->point);
    return FALSE;
}

gboolean
rfp_msvm_take_system(const RfpMsvmCall *call,
                     const char *parameter,
                     RfpMsvmWork *work,
                     GError **error)
{
    if (!take_object(call, parameter, RFP_MSVM_SYSTEM_CLASS, work, error))
        return FALSE;
    work->affected = rfp_msvm_system_path(rfp_msvm_work_domain(work));
    return check_there(call, work, error);
}

gboolean
rfp_msvm_take_group(const RfpMsvmCall *call,
                    const char *parameter,
                    RfpMsvmWork *work,
                    GError **error)
{
    if (!take_object(call, parameter, RFP_MSVM_GROUP_CLASS, work, error))
        return FALSE;
    work->affected = rfp_msvm_group_path(rfp_msvm_work_domain(work));
    return check_there(call, work, error);
}

gboolean
rfp_msvm_take_point(const RfpMsvmCall *call,
                    const char *parameter,
                    RfpMsvmWork *work,
                    GError **error)
{
    if (!take_object(call, parameter, RFP_MSVM_POINT_CLASS, work, error))
        return FALSE;
    work->affected =
        rfp_msvm_point_path(rfp_msvm_work_domain(work), work->point);
    return check_there(call, work, error);
}

gboolean
rfp_msvm_take_collection(const RfpMsvmCall *call,
                         const char *parameter,
                         RfpMsvmWork *work,
                         GError **error)
{
    if (!take_object(call, parameter, RFP_MSVM_COLLECTION_CLASS, work, error))
        return FALSE;
    work->affected =
        rfp_msvm_collection_path(rfp_msvm_work_domain(work), work->point);
    return check_there(call, work, error);
}
