/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains and points as the objects of the Msvm model: their paths, instances
 * and associations. */
#ifndef RFP_MSVM_OBJECTS_H
#define RFP_MSVM_OBJECTS_H

#include "msvm-service.h"

/* Paths of our objects; pure, free with g_free(). */
char *
rfp_msvm_system_path(const char *domain_uuid);

char *
rfp_msvm_point_path(const char *domain_uuid, const char *point_guid);

char *
rfp_msvm_group_path(const char *domain_uuid);

char *
rfp_msvm_collection_path(const char *point_guid);

/*
 * What a path of the class @class_name names: the domain's UUID, and the
 * point's GUID for classes of points (@point_guid may be NULL for others). A
 * collection names only the point: its domain is looked for. Whether a domain or
 * point of that name exists is otherwise left to the call that uses it.
 * INCORRECT_TYPE: another class; INVALID_PARAMETER: not well-formed, no such
 * collection, or an id that is none of ours.
 */
gboolean
rfp_msvm_resolve(RefpointMsvm *msvm,
                 const char *path,
                 const char *class_name,
                 char **domain_uuid,
                 char **point_guid,
                 GError **error);

/* The targets behind instance ids of disks (DisksToExport), all of
 * @domain_uuid: NULL-terminated, free with g_strfreev(). */
char **
rfp_msvm_resolve_disks(const char *const *ids,
                       const char *domain_uuid,
                       GError **error);

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
