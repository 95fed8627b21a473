/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Msvm_ImageManagementService.GetVirtualDiskChanges. */
#ifndef RFP_MSVM_METHOD_CHANGES_H
#define RFP_MSVM_METHOD_CHANGES_H

#include "msvm/msvm-call.h"

/* Runs the method (see msvm-method.c). It is a matter of a moment, never a
 * job. */
guint32
rfp_msvm_run_disk_changes(RfpMsvmCall *call, GError **error);

/* The same with its parameters as refpoint_msvm_get_virtual_disk_changes() has
 * them. FILE_NOT_FOUND where @path is no disk of a domain. @changes are to be
 * cleared by the caller in any case. */
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
