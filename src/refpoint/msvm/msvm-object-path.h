/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The object paths of this library: how domains, points, services and jobs are
 * called in the Msvm model, and what a path that a caller hands in names. */
#ifndef RFP_MSVM_OBJECT_PATH_H
#define RFP_MSVM_OBJECT_PATH_H

#include "msvm/msvm-service.h"

/* Paths of our objects, without a host; pure, free with g_free(). */
char *
rfp_msvm_system_path(const char *domain_uuid);

char *
rfp_msvm_point_path(const char *domain_uuid, const char *point_guid);

char *
rfp_msvm_group_path(const char *domain_uuid);

/* Both parts, as VirtualSystemCollectionId is a key, too. */
char *
rfp_msvm_collection_path(const char *domain_uuid, const char *point_guid);

/* @class_name: of a service. */
char *
rfp_msvm_service_path(const char *class_name);

/*
 * A path that a caller hands in: NULL, not well-formed, or of another host than
 * this one: INVALID_PARAMETER; not of @class_name (NULL: of any class that
 * there is) or a class derived from it: INCORRECT_TYPE.
 */
RfpMsvmPath *
rfp_msvm_path_parse_local(const char *text,
                          const char *class_name,
                          GError **error);

/*
 * A path of any class, spelled as this library spells it (but for the case of
 * services and jobs); associations with their ends. *@domain_uuid: of what
 * domain it is, NULL for services and jobs. Free both with g_free().
 */
char *
rfp_msvm_path_canonical(const char *text, char **domain_uuid, GError **error);

/*
 * What a path of the class @class_name (or of one derived from it) names: the
 * domain's UUID, and the point's GUID for classes of points; both lower case,
 * free with g_free(); @point_guid may be NULL, and is set to NULL for other
 * classes. Whether a domain or point of that name exists is left to the call
 * that uses it; nothing is asked, @msvm may be NULL. INCORRECT_TYPE: another
 * class; INVALID_PARAMETER: NULL, not well-formed, another host, or an id that
 * is none of ours.
 */
gboolean
rfp_msvm_resolve(RefpointMsvm *msvm,
                 const char *path,
                 const char *class_name,
                 char **domain_uuid,
                 char **point_guid,
                 GError **error);

/* The targets behind instance ids of disks (DisksToExport), all of
 * @domain_uuid, each once: NULL-terminated, free with g_strfreev(). No ids, or
 * NULL: none, which is no error. */
char **
rfp_msvm_resolve_disks(const char *const *ids,
                       const char *domain_uuid,
                       GError **error);

#endif
