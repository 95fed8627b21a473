/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-objects.h"

#include "msvm/msvm-job-instance.h"
#include "msvm/msvm-object-path.h"

/* From which RfpMsvmInventoryParts the instances of a class come. */
typedef struct {
    const char *class_name;
    guint parts;
} Source;

static const Source sources[8];
static const char *const services[3];

static void
free_object(gpointer opaque)
{
    RfpMsvmObject *object = opaque;

    g_free(object->path);
    g_free(object->ends[0]);
    g_free(object->ends[1]);
    g_free(object);
}

/* Takes @path. */
static void
add(GPtrArray *objects,
    const char *class_name,
    char *path,
    gconstpointer shown,
    RfpMsvmInstance *(*make)(const RfpMsvmObject *object))
{
    RfpMsvmObject *object = g_new0(RfpMsvmObject, 1);

    object->klass = rfp_msvm_class_find(class_name);
    object->path = path;
    object->shown = shown;
    object->make = make;
    g_ptr_array_add(objects, object);
}

/* Takes both ends, which are in the order of the class's references. */
static void
associate(GPtrArray *objects,
          const char *class_name,
          char *first,
          char *second,
          guint16 effect)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find(class_name);
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
    const RfpMsvmProperty *a = g_ptr_array_index(all, 0);
    const RfpMsvmProperty *b = g_ptr_array_index(all, 1);
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(klass->name);
    RfpMsvmObject *object = NULL;

    rfp_msvm_path_add(path, a->name, first);
    rfp_msvm_path_add(path, b->name, second);
    add(objects, class_name, rfp_msvm_path_format(path), NULL,
        rfp_msvm_association_instance);
    object = g_ptr_array_index(objects, objects->len - 1);
    object->ends[0] = first;
    object->ends[1] = second;
    object->effect = effect;
}

static void
add_system(GPtrArray *objects, const RfpMsvmSystem *system)
{
    const char *uuid = system->uuid;

    add(objects, RFP_MSVM_SYSTEM_CLASS, rfp_msvm_system_path(uuid), system,
        rfp_msvm_system_instance);
    add(objects, RFP_MSVM_GROUP_CLASS, rfp_msvm_group_path(uuid), system,
        rfp_msvm_group_instance);
    associate(objects, "Msvm_CollectedVirtualSystems",
              rfp_msvm_group_path(uuid), rfp_msvm_system_path(uuid), 0);
}

static void
add_point(GPtrArray *objects, const RefpointPoint *point)
{
    const char *uuid = point->domain_uuid;
    const char *guid = point->guid;

    add(objects, RFP_MSVM_POINT_CLASS, rfp_msvm_point_path(uuid, guid), point,
        rfp_msvm_point_instance);
    add(objects, RFP_MSVM_COLLECTION_CLASS,
        rfp_msvm_collection_path(uuid, guid), point,
        rfp_msvm_collection_instance);
    associate(objects, "Msvm_ReferencePointOfVirtualSystem",
              rfp_msvm_system_path(uuid), rfp_msvm_point_path(uuid, guid), 0);
    associate(objects, "Msvm_ReferencePointOfVirtualSystemCollection",
              rfp_msvm_group_path(uuid), rfp_msvm_collection_path(uuid, guid),
              0);
    associate(objects, "Msvm_CollectedReferencePoints",
              rfp_msvm_collection_path(uuid, guid),
              rfp_msvm_point_path(uuid, guid), 0);
}

static void
add_job(GPtrArray *objects, const RfpMsvmJobLinks *job)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(job->path, NULL);
    guint i = 0;

    if (path == NULL)
        return;
    add(objects, path->class_name, g_strdup(job->path), job, NULL);
    for (i = 0; i < job->affected->len; i++) {
        const RfpMsvmAffected *affected = g_ptr_array_index(job->affected, i);

        associate(objects, "Msvm_AffectedJobElement", g_strdup(affected->path),
                  g_strdup(job->path), affected->effect);
    }
}

GPtrArray *
rfp_msvm_objects(const RfpMsvmInventory *inventory)
{
    GPtrArray *objects = g_ptr_array_new_with_free_func(free_object);
    guint i = 0;

    for (i = 0; i < inventory->systems->len; i++)
        add_system(objects, g_ptr_array_index(inventory->systems, i));
    for (i = 0; i < inventory->points->len; i++)
        add_point(objects, g_ptr_array_index(inventory->points, i));
    for (i = 0; i < G_N_ELEMENTS(services); i++)
        add(objects, services[i], rfp_msvm_service_path(services[i]), NULL,
            rfp_msvm_service_instance);
    for (i = 0; i < inventory->jobs->len; i++)
        add_job(objects, g_ptr_array_index(inventory->jobs, i));
    return objects;
}

const RfpMsvmObject *
rfp_msvm_objects_find(GPtrArray *objects, const char *path)
{
    guint i = 0;

    for (i = 0; i < objects->len; i++) {
        const RfpMsvmObject *object = g_ptr_array_index(objects, i);

        if (g_ascii_strcasecmp(object->path, path) == 0)
            return object;
    }
    return NULL;
}

guint
rfp_msvm_objects_need(const RfpMsvmClass *klass)
{
    guint parts = 0;
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (rfp_msvm_class_is_a(rfp_msvm_class_find(sources[i].class_name),
                                klass->name))
            parts |= sources[i].parts;
    }
    return parts;
}

static const Source sources[8] = {
    {RFP_MSVM_SYSTEM_CLASS, RFP_MSVM_SYSTEMS},
    {RFP_MSVM_GROUP_CLASS, RFP_MSVM_SYSTEMS},
    {"Msvm_CollectedVirtualSystems", RFP_MSVM_SYSTEMS},
    {RFP_MSVM_POINT_CLASS, RFP_MSVM_POINTS},
    {RFP_MSVM_COLLECTION_CLASS, RFP_MSVM_POINTS},
    {"Msvm_ReferencePointOfVirtualSystem", RFP_MSVM_POINTS},
    {"Msvm_ReferencePointOfVirtualSystemCollection", RFP_MSVM_POINTS},
    {"Msvm_CollectedReferencePoints", RFP_MSVM_POINTS},
};

static const char *const services[3] = {
    RFP_MSVM_POINT_SERVICE,
    RFP_MSVM_COLLECTION_SERVICE,
    RFP_MSVM_IMAGE_SERVICE,
};
