/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures as Msvm_Error instances; pure. */
#ifndef RFP_MSVM_ERROR_H
#define RFP_MSVM_ERROR_H

#include "cim/msvm-instance.h"

/* @source: path of the object that it happened to, or NULL. */
RfpMsvmInstance *
rfp_msvm_error_new(const RefpointFailure *failure, const char *source);

#endif
