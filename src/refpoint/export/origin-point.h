/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A point of earlier whose data nobody keeps. The disks hold what they held
 * then if nothing has changed since: a job that begins now has the point's own
 * bitmap, which shows whether that is so.
 */
#ifndef RFP_ORIGIN_POINT_H
#define RFP_ORIGIN_POINT_H

#include "export/export-member.h"

extern const RfpOrigin rfp_origin_point;

/* Finds the point that the options name, by name or GUID, among the checkpoints
 * of the domain. */
gboolean
rfp_origin_point_find(RfpExportMember *member, GError **error);

/* How consistent it is, by the domain's own note of it. */
void
rfp_origin_point_consistency(RfpExportMember *member);

#endif
