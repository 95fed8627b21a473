/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's state outside of its disks: firmware variables, TPM, kernel and
 * initrd of a direct boot. They are files that somebody may write at any
 * moment, which no job of QEMU keeps as they were. */
#ifndef RFP_EXPORT_STATE_H
#define RFP_EXPORT_STATE_H

#include "export/export-member.h"

/* How the files are before the point. */
void
rfp_export_look_at_state(RfpExportMember *member);

/* Copies them. What changed since rfp_export_look_at_state(), or since a point
 * that was made before, may be later than the point: a warning. */
gboolean
rfp_export_take_state(RfpExportMember *member, GError **error);

/* Notes a file in the manifest; *@partial_path: where to write it now, free
 * with g_free(). */
RfpManifestFile *
rfp_export_add_file(RfpExportMember *member,
                    const char *role,
                    const char *name,
                    char **partial_path);

#endif
