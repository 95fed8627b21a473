/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parameters of ExportReferencePoint and ImportReferencePointMetadata. */
#ifndef RFP_MSVM_METHOD_EXPORT_H
#define RFP_MSVM_METHOD_EXPORT_H

#include "msvm/msvm-method.h"

/* RfpMsvmHandler.check of ExportReferencePoint of one VM, ... */
gboolean
rfp_msvm_check_export(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);

/* ... of that of a collection, ... */
gboolean
rfp_msvm_check_export_collection(const RfpMsvmCall *call,
                                 RfpMsvmWork *work,
                                 GError **error);

/* ... and of ImportReferencePointMetadata. */
gboolean
rfp_msvm_check_import(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);

#endif
