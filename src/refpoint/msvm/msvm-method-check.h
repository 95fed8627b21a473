/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parameters of the services' methods mean, and whether what they name
 * is there. Nothing is changed; what is found goes into the work, and every
 * failure has its cause in @error.
 */
#ifndef RFP_MSVM_METHOD_CHECK_H
#define RFP_MSVM_METHOD_CHECK_H

#include "msvm/msvm-method.h"

/* The domain, and the point, that @parameter names. */
gboolean
rfp_msvm_take_system(const RfpMsvmCall *call,
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

/* NULL where it was not given. */
const RfpMsvmInstance *
rfp_msvm_take_embedded(const RfpMsvmCall *call, const char *parameter);

#endif
