/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters of CreateReferencePoint, DestroyReferencePoint and
 * RemoveAssociatedData of both services (see msvm-method.c). */
#ifndef RFP_MSVM_METHOD_POINT_H
#define RFP_MSVM_METHOD_POINT_H

#include "msvm/msvm-call.h"
#include "msvm/msvm-work.h"

/* CreateReferencePoint of one VM, and of a collection. */
gboolean
rfp_msvm_check_create(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);

gboolean
rfp_msvm_check_create_collection(const RfpMsvmCall *call,
                                 RfpMsvmWork *work,
                                 GError **error);

/* DestroyReferencePoint and RemoveAssociatedData: of one VM, and of a
 * collection. */
gboolean
rfp_msvm_check_affected(const RfpMsvmCall *call,
                        RfpMsvmWork *work,
                        GError **error);

gboolean
rfp_msvm_check_affected_collection(const RfpMsvmCall *call,
                                   RfpMsvmWork *work,
                                   GError **error);

#endif
