/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Instances, classes and associations of the Msvm model (refpoint-msvm.h). */
#include "base/text.h"
#include "msvm/msvm-job-instance.h"
#include "msvm/msvm-object-path.h"
#include "msvm/msvm-objects.h"

#define SHOWN_MAX 64 /* characters of a bad name in its message */

static const RfpMsvmClass *
find_class(const char *name, GError **error)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find(name != NULL ? name : "");
    g_autofree char *begin = g_strndup(name != NULL ? name : "", SHOWN_MAX);
    g_autofree char *shown = rfp_text_clean(begin);

    if (klass == NULL)
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("there is no class '%s'"), shown);
    return klass;
}

static void
no_such_object(const char *path, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("there is no object '%s'"), path);
    rfp_error_add_object(error, path);
}

/* ---- One instance -------------------------------------------------------- */

static RfpMsvmInstance *
make_instance(RefpointMsvm *msvm, const RfpMsvmObject *object)
{
    g_autoptr(RfpMsvmPath) path = NULL;

    if (object->make != NULL)
        return object->make(object);
    path = rfp_msvm_path_parse(object->path, NULL);
    return path != NULL ? rfp_msvm_job_instance(msvm, path) : NULL;
}

/* The objects of one domain, and those of none; *@inventory holds what they
 * show. @domain_uuid NULL: only those of none. */
static GPtrArray *
load_around(RefpointMsvm *msvm,
            const char *domain_uuid,
            RfpMsvmInventory **inventory,
            GError **error)
{
    guint parts = domain_uuid != NULL ? RFP_MSVM_SYSTEMS | RFP_MSVM_POINTS : 0;

    *inventory = rfp_msvm_inventory_load(msvm, parts, domain_uuid, error);
    return *inventory != NULL ? rfp_msvm_objects(*inventory) : NULL;
}

char *
refpoint_msvm_get_instance(RefpointMsvm *msvm, const char *path, GError **error)
{
    g_autoptr(RfpMsvmInventory) inventory = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *canonical =
        rfp_msvm_object_path_canonical(path, &uuid, error);
    g_autoptr(GPtrArray) objects =
        canonical != NULL ? load_around(msvm, uuid, &inventory, error) : NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;
    const RfpMsvmObject *object = NULL;

    if (objects == NULL)
        return NULL;
    object = rfp_msvm_objects_find(objects, canonical);
    if (object != NULL)
        instance = make_instance(msvm, object);
    if (instance == NULL) {
        no_such_object(canonical, error);
        return NULL;
    }
    return rfp_msvm_instance_format(instance);
}

/* ---- All of a class ------------------------------------------------------ */

GPtrArray *
refpoint_msvm_enumerate(RefpointMsvm *msvm,
                        const char *class_name,
                        GError **error)
{
    const RfpMsvmClass *klass = find_class(class_name, error);
    g_autoptr(RfpMsvmInventory) inventory = NULL;
    g_autoptr(GPtrArray) objects = NULL;
    GPtrArray *paths = NULL;
    guint i = 0;

    if (klass != NULL)
        inventory = rfp_msvm_inventory_load(msvm, rfp_msvm_objects_need(klass),
                                            NULL, error);
    if (inventory == NULL)
        return NULL;
    objects = rfp_msvm_objects(inventory);
    paths = g_ptr_array_new_with_free_func(g_free);
    for (i = 0; i < objects->len; i++) {
        const RfpMsvmObject *object = g_ptr_array_index(objects, i);

        if (rfp_msvm_class_is_a(object->klass, klass->name))
            g_ptr_array_add(paths, g_strdup(object->path));
    }
    return paths;
}

/* ---- Associations -------------------------------------------------------- */

/* Whether the filter is a class, or NULL or "", which let any pass. */
static gboolean
check_filter(const char *name, GError **error)
{
    return name == NULL || *name == '\0' || find_class(name, error) != NULL;
}

static gboolean
passes(const RfpMsvmClass *klass, const char *filter)
{
    return filter == NULL || *filter == '\0' ||
           rfp_msvm_class_is_a(klass, filter);
}

/* Of an association with the end @path, the other end; NULL if @link has no end
 * @path. */
static const char *
other_end(const RfpMsvmObject *link, const char *path)
{
    if (link->ends[0] == NULL)
        return NULL;
    if (g_ascii_strcasecmp(link->ends[0], path) == 0)
        return link->ends[1];
    return g_ascii_strcasecmp(link->ends[1], path) == 0 ? link->ends[0] : NULL;
}

static gboolean
path_passes(const char *text, const char *filter)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(text, NULL);

    return path != NULL &&
           passes(rfp_msvm_class_find(path->class_name), filter);
}

GPtrArray *
refpoint_msvm_associators(RefpointMsvm *msvm,
                          const char *path,
                          const char *association,
                          const char *result_class,
                          GError **error)
{
    g_autoptr(RfpMsvmInventory) inventory = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *canonical =
        rfp_msvm_object_path_canonical(path, &uuid, error);
    g_autoptr(GPtrArray) objects = NULL;
    GPtrArray *paths = NULL;
    guint i = 0;

    if (canonical == NULL || !check_filter(association, error) ||
        !check_filter(result_class, error))
        return NULL;
    objects = load_around(msvm, uuid, &inventory, error);
    if (objects == NULL)
        return NULL;
    if (rfp_msvm_objects_find(objects, canonical) == NULL) {
        no_such_object(canonical, error);
        return NULL;
    }
    paths = g_ptr_array_new_with_free_func(g_free);
    for (i = 0; i < objects->len; i++) {
        const RfpMsvmObject *link = g_ptr_array_index(objects, i);
        const char *other = other_end(link, canonical);

        if (other != NULL && passes(link->klass, association) &&
            path_passes(other, result_class))
            g_ptr_array_add(paths, g_strdup(other));
    }
    return paths;
}
