/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which base a disk could have, and which it gets. */
#ifndef RFP_EXPORT_BASE_H
#define RFP_EXPORT_BASE_H

#include "export/export-member.h"

/* Finds the base that the user named, if any. */
gboolean
rfp_export_find_base(RfpExport *export, GError **error);

/* Looks at what could be a disk's base, and decides for it. */
gboolean
rfp_export_decide(RfpExportDisk *disk, GError **error);

#endif
