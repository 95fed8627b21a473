/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters of ExportReferencePoint of both services and of
 * ImportReferencePointMetadata (see msvm-method.c). */
#ifndef RFP_MSVM_METHOD_EXPORT_H
#define RFP_MSVM_METHOD_EXPORT_H

#include "msvm/msvm-call.h"
#include "msvm/msvm-work.h"

/* ExportReferencePoint of one VM, and of a collection. */
gboolean
rfp_msvm_check_export(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);

gboolean
rfp_msvm_check_export_collection(const RfpMsvmCall *call,
                                 RfpMsvmWork *work,
                                 GError **error);

/* ImportReferencePointMetadata. */
gboolean
rfp_msvm_check_import(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);

#endif
