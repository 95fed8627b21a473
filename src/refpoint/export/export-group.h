/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The members of an export: one domain, or those of a group. */
#ifndef RFP_EXPORT_GROUP_H
#define RFP_EXPORT_GROUP_H

#include "export/export-member.h"

/*
 * Adds the members that the options name, with the disks that are wanted of
 * each. Of a group every member must be here (INVALID_PARAMETER), unless the
 * options allow that some are missing, which is a warning then.
 */
gboolean
rfp_export_add_members(RfpExport *export,
                       RefpointConnection *conn,
                       GError **error);

/* Says which VMs joined the group since the newest point of its set, and which
 * left it. */
void
rfp_export_warn_changed(const RfpExport *export);

#endif
