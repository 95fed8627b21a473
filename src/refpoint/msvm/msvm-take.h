/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking what a parameter of a call names into the work that is made of the
 * call, where it is there. Nothing is changed.
 */
#ifndef RFP_MSVM_TAKE_H
#define RFP_MSVM_TAKE_H

#include "msvm/msvm-call.h"
#include "msvm/msvm-work.h"

/*
 * @parameter has the path of a computer system, of a group (which stands for
 * its one system), of a point, of a collection (for its one point). Sets the
 * domain, the point of the latter two, and what is affected. The errors are
 * those of rfp_msvm_object_path_resolve(), with the name of the parameter, and
 * of looking for the domain and its points; INVALID_PARAMETER, too, where the
 * domain has no such point.
 */
gboolean
rfp_msvm_take_system(const RfpMsvmCall *call,
                     const char *parameter,
                     RfpMsvmWork *work,
                     GError **error);

gboolean
rfp_msvm_take_group(const RfpMsvmCall *call,
                    const char *parameter,
                    RfpMsvmWork *work,
                    GError **error);

gboolean
rfp_msvm_take_point(const RfpMsvmCall *call,
                    const char *parameter,
                    RfpMsvmWork *work,
                    GError **error);

gboolean
rfp_msvm_take_collection(const RfpMsvmCall *call,
                         const char *parameter,
                         RfpMsvmWork *work,
                         GError **error);

/* Whether one of @points, which are RefpointPoint, has this GUID. */
gboolean
rfp_msvm_points_have(GPtrArray *points, const char *guid);

#endif
