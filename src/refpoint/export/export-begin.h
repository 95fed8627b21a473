/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the record to the thaw: what makes the point. */
#ifndef RFP_EXPORT_BEGIN_H
#define RFP_EXPORT_BEGIN_H

#include "export/export-member.h"

/* The jobs of all members run when this ends; or they ran before, and only the
 * records are written. */
gboolean
rfp_export_begin(RfpExport *export, GError **error);

#endif
