/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the methods do, above all of msvm-method-*: a call's parameters are
 * checked, and its work is run here or handed to a job.
 */
#ifndef RFP_MSVM_METHOD_H
#define RFP_MSVM_METHOD_H

#include "msvm/msvm-call.h"

/*
 * Runs @call, whose in parameters have their values, and fills its out
 * parameters. Returns what the method returns: 0, or 4096 where a job was
 * started; any other number is a failure, and comes with @error.
 */
guint32
rfp_msvm_method_run(RfpMsvmCall *call, GError **error);

#endif
