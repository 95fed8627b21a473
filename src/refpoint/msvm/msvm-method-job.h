/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of jobs: RequestStateChange, GetError and GetErrorEx (see
 * msvm-method.c). */
#ifndef RFP_MSVM_METHOD_JOB_H
#define RFP_MSVM_METHOD_JOB_H

#include "msvm/msvm-call.h"

guint32
rfp_msvm_run_request_state_change(RfpMsvmCall *call, GError **error);

guint32
rfp_msvm_run_get_error(RfpMsvmCall *call, GError **error);

guint32
rfp_msvm_run_get_error_ex(RfpMsvmCall *call, GError **error);

#endif
