/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-object-path.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "cim/msvm-id.h"

#define SHOWN_MAX 64 /* characters of a bad value in its message */

/* A class whose objects are a domain or a point: @take reads which one from the
 * keys of a path, @make makes the path again. */
typedef struct {
    const char *class_name;
    gboolean (*take)(const RfpMsvmPath *path,
                     char **domain_uuid,
                     char **point_guid,
                     GError **error);
    char *(*make)(const char *domain_uuid, const char *point_guid);
} Named;

static const Named named[4];

/* ---- Printing ------------------------------------------------------------ */

char *
rfp_msvm_system_path(const char *domain_uuid)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(RFP_MSVM_SYSTEM_CLASS);

    rfp_msvm_path_add(path, "CreationClassName", RFP_MSVM_SYSTEM_CLASS);
    rfp_msvm_path_add(path, "Name", domain_uuid);
    return rfp_msvm_path_format(path);
}

char *
rfp_msvm_point_path(const char *domain_uuid, const char *point_guid)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(RFP_MSVM_POINT_CLASS);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_POINT, domain_uuid, point_guid);

    rfp_msvm_path_add(path, "InstanceID", id);
    rfp_msvm_path_add(path, "VirtualSystemIdentifier", domain_uuid);
    return rfp_msvm_path_format(path);
}

char *
rfp_msvm_group_path(const char *domain_uuid)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(RFP_MSVM_GROUP_CLASS);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_GROUP, domain_uuid, NULL);

    rfp_msvm_path_add(path, "CollectionID", id);
    return rfp_msvm_path_format(path);
}

char *
rfp_msvm_collection_path(const char *domain_uuid, const char *point_guid)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(RFP_MSVM_COLLECTION_CLASS);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_COLLECTION, point_guid, NULL);
    g_autofree char *group =
        rfp_msvm_id_format(RFP_MSVM_ID_GROUP, domain_uuid, NULL);

    rfp_msvm_path_add(path, "CollectionID", id);
    rfp_msvm_path_add(path, "VirtualSystemCollectionId", group);
    return rfp_msvm_path_format(path);
}

char *
rfp_msvm_service_path(const char *class_name)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(class_name);

    rfp_msvm_path_add(path, "CreationClassName", class_name);
    rfp_msvm_path_add(path, "Name", class_name);
    rfp_msvm_path_add(path, "SystemCreationClassName", RFP_MSVM_SYSTEM_CLASS);
    rfp_msvm_path_add(path, "SystemName", g_get_host_name());
    return rfp_msvm_path_format(path);
}

/* ---- Reading ------------------------------------------------------------- */

static void
refuse(const char *what, const char *value, GError **error)
{
    g_autofree char *begin = g_strndup(value, SHOWN_MAX);
    g_autofree char *shown = rfp_text_clean(begin);

    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the object path names no object of this host: %s is "
                    "'%s'"),
                  what, shown);
}

/* Whether @host is this host: ".", its name, or its name without the domain. */
static gboolean
is_this_host(const char *host)
{
    const char *name = g_get_host_name();
    gsize length = strcspn(name, ".");

    return strcmp(host, ".") == 0 || g_ascii_strcasecmp(host, name) == 0 ||
           (strlen(host) == length &&
            g_ascii_strncasecmp(host, name, length) == 0);
}

static RfpMsvmPath *
parse_local(const char *text, const char *class_name, GError **error)
{
    g_autoptr(RfpMsvmPath) path = NULL;

    if (text == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the object path is missing"));
        return NULL;
    }
    path = rfp_msvm_path_parse(text, error);
    if (path == NULL)
        return NULL;
    if (path->host != NULL && !is_this_host(path->host)) {
        refuse(_("the host"), path->host, error);
        return NULL;
    }
    if (class_name == NULL && rfp_msvm_class_find(path->class_name) == NULL) {
        g_autofree char *shown = g_strndup(path->class_name, SHOWN_MAX);

        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("there is no class '%s'"), shown);
        return NULL;
    }
    if (class_name == NULL)
        class_name = path->class_name;
    return rfp_msvm_path_check(path, class_name, error) != NULL
               ? g_steal_pointer(&path)
               : NULL;
}

RfpMsvmPath *
rfp_msvm_object_path_parse(const char *text,
                           const char *class_name,
                           GError **error)
{
    RfpMsvmPath *path = parse_local(text, class_name, error);

    if (path == NULL)
        rfp_msvm_path_add_example(class_name, error);
    return path;
}

/* A GUID with or without braces; NULL if it is none. */
static char *
take_guid(const char *text)
{
    gsize length = strlen(text);
    g_autofree char *bare = NULL;

    if (length > 2 && text[0] == '{' && text[length - 1] == '}')
        bare = g_strndup(text + 1, length - 2);
    else
        bare = g_strdup(text);
    return rfp_guid_check(bare) ? g_ascii_strdown(bare, -1) : NULL;
}

static gboolean
take_system(const RfpMsvmPath *path,
            char **domain_uuid,
            char **point_guid G_GNUC_UNUSED,
            GError **error)
{
    const char *creation = rfp_msvm_path_key(path, "CreationClassName");
    const char *name = rfp_msvm_path_key(path, "Name");

    if (g_ascii_strcasecmp(creation, RFP_MSVM_SYSTEM_CLASS) != 0) {
        refuse("CreationClassName", creation, error);
        return FALSE;
    }
    *domain_uuid = take_guid(name);
    if (*domain_uuid == NULL)
        refuse("Name", name, error);
    return *domain_uuid != NULL;
}

static gboolean
take_point(const RfpMsvmPath *path,
           char **domain_uuid,
           char **point_guid,
           GError **error)
{
    const char *system = rfp_msvm_path_key(path, "VirtualSystemIdentifier");
    g_autofree char *uuid = take_guid(system);
    g_autofree char *found = NULL;
    g_autofree char *guid = NULL;

    if (!rfp_msvm_id_parse(RFP_MSVM_ID_POINT,
                           rfp_msvm_path_key(path, "InstanceID"), &found, &guid,
                           error))
        return FALSE;
    if (!rfp_guid_equal(uuid, found)) {
        refuse("VirtualSystemIdentifier", system, error);
        return FALSE;
    }
    *domain_uuid = g_steal_pointer(&found);
    *point_guid = g_steal_pointer(&guid);
    return TRUE;
}

static gboolean
take_group(const RfpMsvmPath *path,
           char **domain_uuid,
           char **point_guid G_GNUC_UNUSED,
           GError **error)
{
    return rfp_msvm_id_parse(RFP_MSVM_ID_GROUP,
                             rfp_msvm_path_key(path, "CollectionID"),
                             domain_uuid, NULL, error);
}

static gboolean
take_collection(const RfpMsvmPath *path,
                char **domain_uuid,
                char **point_guid,
                GError **error)
{
    const char *group = rfp_msvm_path_key(path, "VirtualSystemCollectionId");
    g_autofree char *uuid = NULL;

    if (!rfp_msvm_id_parse(RFP_MSVM_ID_GROUP, group, &uuid, NULL, error) ||
        !rfp_msvm_id_parse(RFP_MSVM_ID_COLLECTION,
                           rfp_msvm_path_key(path, "CollectionID"), point_guid,
                           NULL, error))
        return FALSE;
    *domain_uuid = g_steal_pointer(&uuid);
    return TRUE;
}

static const Named *
find_named(const RfpMsvmPath *path)
{
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(named); i++) {
        if (g_ascii_strcasecmp(path->class_name, named[i].class_name) == 0)
            return &named[i];
    }
    return NULL;
}

gboolean
rfp_msvm_object_path_resolve(const char *path,
                             const char *class_name,
                             char **domain_uuid,
                             char **point_guid,
                             GError **error)
{
    g_autoptr(RfpMsvmPath) parsed =
        rfp_msvm_object_path_parse(path, class_name, error);
    const Named *row = parsed != NULL ? find_named(parsed) : NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *guid = NULL;

    if (parsed == NULL)
        return FALSE;
    if (row == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("the object path names a %s, which is no domain and "
                        "no reference point"),
                      parsed->class_name);
        rfp_msvm_path_add_example(class_name, error);
        return FALSE;
    }
    if (!row->take(parsed, &uuid, &guid, error)) {
        rfp_msvm_path_add_example(parsed->class_name, error);
        return FALSE;
    }
    *domain_uuid = g_steal_pointer(&uuid);
    if (point_guid != NULL)
        *point_guid = g_steal_pointer(&guid);
    return TRUE;
}

char **
rfp_msvm_disk_ids_resolve(const char *const *ids,
                          const char *domain_uuid,
                          GError **error)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new_with_free_func(g_free);

    for (; ids != NULL && *ids != NULL; ids++) {
        g_autofree char *uuid = NULL;
        g_autofree char *target = NULL;

        if (!rfp_msvm_id_parse(RFP_MSVM_ID_DISK, *ids, &uuid, &target, error))
            return NULL;
        if (!rfp_guid_equal(uuid, domain_uuid)) {
            rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                          _("'%s' is a disk of another domain"), *ids);
            rfp_error_add_object(error, *ids);
            return NULL;
        }
        if (!g_ptr_array_find_with_equal_func(targets, target, g_str_equal,
                                              NULL))
            g_ptr_array_add(targets, g_steal_pointer(&target));
    }
    g_ptr_array_add(targets, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&targets), FALSE);
}

/* ---- One spelling -------------------------------------------------------- */

/* The canonical form of a key of an association, which is a path. */
static char *
canonical_end(const char *text, char **domain_uuid, GError **error)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_object_path_parse(text, NULL, error);

    if (path == NULL)
        return NULL;
    if (rfp_msvm_class_find(path->class_name)->flags & RFP_MSVM_ASSOCIATION) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("an association has no association at its end"));
        return NULL;
    }
    return rfp_msvm_object_path_canonical(text, domain_uuid, error);
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
    const RfpMsvmProperty *const *first = a;
    const RfpMsvmProperty *const *second = b;

    return strcmp((*first)->name, (*second)->name);
}

/* The canonical path of a service, job or association: its keys in the order of
 * their names, as WMI has them. */
static char *
canonical_keys(const RfpMsvmPath *path, char **domain_uuid, GError **error)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find(path->class_name);
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
    g_autoptr(RfpMsvmPath) copy = rfp_msvm_path_new(klass->name);
    guint i = 0;

    g_ptr_array_sort(all, by_name);
    for (i = 0; i < all->len; i++) {
        const RfpMsvmProperty *property = g_ptr_array_index(all, i);
        const char *value = rfp_msvm_path_key(path, property->name);
        g_autofree char *end = NULL;
        g_autofree char *uuid = NULL;

        if (value == NULL)
            continue;
        if (property->type == RFP_CIM_REFERENCE) {
            value = end = canonical_end(value, &uuid, error);
            if (end == NULL)
                return NULL;
        }
        rfp_msvm_path_add(copy, property->name, value);
        if (*domain_uuid == NULL)
            *domain_uuid = g_steal_pointer(&uuid);
    }
    return rfp_msvm_path_format(copy);
}

char *
rfp_msvm_object_path_canonical(const char *text,
                               char **domain_uuid,
                               GError **error)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_object_path_parse(text, NULL, error);
    const Named *row = path != NULL ? find_named(path) : NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *guid = NULL;
    char *canonical = NULL;

    if (path == NULL)
        return NULL;
    if (row == NULL)
        canonical = canonical_keys(path, &uuid, error);
    else if (row->take(path, &uuid, &guid, error))
        canonical = row->make(uuid, guid);
    if (canonical != NULL)
        *domain_uuid = g_steal_pointer(&uuid);
    return canonical;
}

/* ---- Tables -------------------------------------------------------------- */

static char *
make_system(const char *domain_uuid, const char *point_guid G_GNUC_UNUSED)
{
    return rfp_msvm_system_path(domain_uuid);
}

static char *
make_group(const char *domain_uuid, const char *point_guid G_GNUC_UNUSED)
{
    return rfp_msvm_group_path(domain_uuid);
}

static const Named named[4] = {
    {RFP_MSVM_SYSTEM_CLASS, take_system, make_system},
    {RFP_MSVM_POINT_CLASS, take_point, rfp_msvm_point_path},
    {RFP_MSVM_GROUP_CLASS, take_group, make_group},
    {RFP_MSVM_COLLECTION_CLASS, take_collection, rfp_msvm_collection_path},
};
