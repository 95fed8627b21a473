/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The moment of an export's point: the same one for all of its members. All are
 * frozen (or suspended), then all jobs begin, then all go on, each of it at
 * once.
 */
#ifndef RFP_EXPORT_MOMENT_H
#define RFP_EXPORT_MOMENT_H

#include "export/export-member.h"

/*
 * What can be prepared has been. When it returns everybody goes on, or is left
 * to his guard. FALSE: some member has no point; the caller undoes it all.
 */
gboolean
rfp_export_moment(RfpExport *export, GError **error);

#endif
