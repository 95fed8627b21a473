/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The moment of an export's point: the same one for all of its members. All are
 * frozen (or suspended), then all jobs begin, then all go on, each of it at
 * once.
 */
#ifndef RFP_EXPORT_MOMENT_H
#define RFP_EXPORT_MOMENT_H

#include "base/workers.h"
#include "export/export-member.h"

/* Calls @func with each of @members, at once as far as libvirt's daemon bears
 * it, and waits for all. */
void
rfp_export_at_once(GPtrArray *members, RfpWorkFunc func);

/*
 * What can be prepared has been. When it returns everybody goes on, or is left
 * to his guard. FALSE: some member has no point; the caller undoes it all.
 */
gboolean
rfp_export_moment(RfpExport *export, GError **error);

#endif
