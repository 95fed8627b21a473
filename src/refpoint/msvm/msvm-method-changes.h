/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Msvm_ImageManagementService.GetVirtualDiskChanges. */
#ifndef RFP_MSVM_METHOD_CHANGES_H
#define RFP_MSVM_METHOD_CHANGES_H

#include "msvm/msvm-service.h"

/* GetVirtualDiskChanges, without its number (cause in @error; FILE_NOT_FOUND
 * where @path is no disk of a domain). */
gboolean
rfp_msvm_disk_changes(RefpointMsvm *msvm,
                      const char *path,
                      const char *limit_id,
                      const char *target_snapshot_id,
                      guint64 byte_offset,
                      guint64 byte_length,
                      RefpointMsvmDiskChanges *changes,
                      GError **error);

#endif
