/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The object paths of this host: how domains, points, services and jobs are
 * called in the Msvm model, and what a path that a caller hands in names. Pure:
 * no function looks whether the domain or point exists.
 *
 * The model has two kinds of collections. Here a group is an
 * Msvm_VirtualSystemCollection, and a collection is an
 * Msvm_ReferencePointCollection. A group has one system, and a collection one
 * point.
 */
#ifndef RFP_MSVM_OBJECT_PATH_H
#define RFP_MSVM_OBJECT_PATH_H

#include "cim/msvm-path.h"

/* The path of a system, point, group or collection, without a host; free with
 * g_free(). */
char *
rfp_msvm_system_path(const char *domain_uuid);

char *
rfp_msvm_point_path(const char *domain_uuid, const char *point_guid);

char *
rfp_msvm_group_path(const char *domain_uuid);

char *
rfp_msvm_collection_path(const char *domain_uuid, const char *point_guid);

/* The same of a service; @class_name is its class. */
char *
rfp_msvm_service_path(const char *class_name);

/*
 * Parses a path that a caller hands in. INVALID_PARAMETER: @text is NULL, not
 * well-formed, or names another host than this one. INCORRECT_TYPE: it is
 * neither of @class_name (NULL: of any class of the model) nor of a class
 * derived from it. Free with rfp_msvm_path_free().
 */
RfpMsvmPath *
rfp_msvm_object_path_parse(const char *text,
                           const char *class_name,
                           GError **error);

/*
 * The path @text, of any class, in the one spelling that this library gives it,
 * so that equal paths are equal texts but for the case of letters; for an
 * association the paths at its ends, too. *@domain_uuid: the domain that it is
 * of; NULL for services and jobs. Free both with g_free(). Errors as above.
 */
char *
rfp_msvm_object_path_canonical(const char *text,
                               char **domain_uuid,
                               GError **error);

/*
 * What a path of the class @class_name, or of one derived from it, names:
 * *@domain_uuid, and for points and collections *@point_guid, both in lower
 * case, to be freed with g_free(). *@point_guid is NULL for systems and groups;
 * @point_guid itself may be NULL. INVALID_PARAMETER, too, for an id that this
 * library does not give; other errors as above.
 */
gboolean
rfp_msvm_object_path_resolve(const char *path,
                             const char *class_name,
                             char **domain_uuid,
                             char **point_guid,
                             GError **error);

/*
 * The targets ("vda") of disks, from their instance ids, as DisksToExport has
 * them; each once, NULL-terminated, free with g_strfreev(). No @ids, or NULL:
 * no targets. INVALID_PARAMETER: one is not the id of a disk, or of another
 * domain than @domain_uuid.
 */
char **
rfp_msvm_disk_ids_resolve(const char *const *ids,
                          const char *domain_uuid,
                          GError **error);

#endif
