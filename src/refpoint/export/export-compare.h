/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An audit of all clusters reads as much as a full export. A thread runs it,
 * and the calling one watches meanwhile, as it does while data moves.
 */
#ifndef RFP_EXPORT_COMPARE_H
#define RFP_EXPORT_COMPARE_H

#include "copy/compare.h"
#include "export/export-member.h"

/*
 * All of a disk is compared with its base, but for what the job's bitmap calls
 * dirty; @ahead of the begin there is none. What is not the same goes to @func
 * as in RfpCompareOptions, and the number of clusters compared into the report.
 */
gboolean
rfp_export_compare(RfpExportDisk *disk,
                   const RfpSourceOps *source_ops,
                   gpointer source,
                   gboolean ahead,
                   RfpCompareFunc func,
                   gpointer opaque,
                   GError **error);

#endif
