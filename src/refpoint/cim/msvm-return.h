/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The numbers that the methods of the Msvm classes return, and the causes of
 * failure behind them; pure. Also here are refpoint_return_value() and
 * refpoint_return_name() of refpoint.h, and refpoint_msvm_return_cause() and
 * refpoint_msvm_return_name() of refpoint-msvm.h.
 */
#ifndef RFP_MSVM_RETURN_H
#define RFP_MSVM_RETURN_H

#include "cim/msvm-class.h"

/* Whether the reference lists @number among those that @method returns. */
gboolean
rfp_msvm_method_returns(const RfpMsvmMethod *method, guint32 number);

/* What @method returns for @cause, a RefpointError or 0 for success: the
 * number of Failed where the reference does not list the cause's own. */
guint32
rfp_msvm_method_number(const RfpMsvmMethod *method, int cause);

/* What @method returns for @error, which may come from any domain; 0 for
 * NULL. */
guint32
rfp_msvm_method_error_number(const RfpMsvmMethod *method, const GError *error);

#endif
