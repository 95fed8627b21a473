/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an export has beside the images, and how all of it is seen at once. */
#ifndef RFP_EXPORT_PUBLISH_H
#define RFP_EXPORT_PUBLISH_H

#include "export/export-member.h"

/* Just before the point is made: what can be changed by others, and is compared
 * with what rfp_export_take_files() finds. */
void
rfp_export_look_beside(RfpExportMember *member);

/*
 * Just behind it: all files of the point but for disks and manifest, in its
 * hidden folder. They are not durable before rfp_export_fill(): the stream does
 * not wait for that.
 */
gboolean
rfp_export_take_files(RfpExport *export, GError **error);

/* Completes the manifest, and syncs the folder; nothing of it is seen yet. */
gboolean
rfp_export_fill(RfpExport *export, GError **error);

/* What goes afterwards is noted, then the rename. A set that cannot be synced
 * behind it is a warning, and @unsynced. */
gboolean
rfp_export_publish(RfpExport *export, GError **error);

#endif
