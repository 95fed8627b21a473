/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room for what an export writes, and for what the guest overwrites
 * meanwhile. */
#ifndef RFP_EXPORT_SPACE_H
#define RFP_EXPORT_SPACE_H

#include "export/export-member.h"

/* Space on the file systems of the set and of the scratch files, before
 * anything is begun. */
gboolean
rfp_export_check_space(RfpExport *export, GError **error);

/* Of a write to the set that failed: where there is no room any more, *@error
 * becomes FAILED with what was needed and what was there. */
void
rfp_export_explain_full(const RfpExport *export, GError **error);

/* The scratch files alone: room for the reserve and @also bytes more, which
 * something else will take there. */
gboolean
rfp_export_check_scratch(RfpExportMember *member, guint64 also, GError **error);

/* As RfpOrigin's check_room, for a job that begins now. */
gboolean
rfp_export_check_job_room(RfpExportMember *member,
                          const RfpSpace *set,
                          guint64 need,
                          guint64 least,
                          GError **error);

/* "Not enough room in @path", for @need bytes where @have are free. */
void
rfp_export_set_no_room(const char *path,
                       guint64 need,
                       guint64 have,
                       GError **error);

#endif
