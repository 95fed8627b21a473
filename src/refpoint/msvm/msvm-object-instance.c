/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-object-instance.h"

#include "cim/msvm-id.h"
#include "cim/msvm-time.h"
#include "msvm/msvm-object-inventory.h"

/* OperationalStatus and HealthState. */
enum {
    STATUS_OK = 2,
    STATUS_DEGRADED = 3,
    HEALTH_OK = 5,
    HEALTH_MAJOR_FAILURE = 20,
};

/* EnabledState. */
enum {
    STATE_ENABLED = 2,
    STATE_DISABLED = 3,
    STATE_SHUTTING_DOWN = 4,
    STATE_NOT_APPLICABLE = 5,
    STATE_ENABLED_BUT_OFFLINE = 6,
    STATE_QUIESCE = 9,
};

/* ReferencePointType: the property counts from 1, where the parameter of the VM
 * service counts from 0. */
enum {
    TYPE_LOG = 1,
    TYPE_RCT = 2,
};

/* ---- Domains ------------------------------------------------------------- */

/* EnabledState as Hyper-V gives it to its VMs: one that is saved is "Enabled
 * but Offline", one that is paused is in "Quiesce". */
static guint
enabled_state(const RfpMsvmSystem *system)
{
    if (system->state.running)
        return STATE_ENABLED;
    if (system->state.ending)
        return STATE_SHUTTING_DOWN;
    if (system->state.active)
        return STATE_QUIESCE;
    return system->saved ? STATE_ENABLED_BUT_OFFLINE : STATE_DISABLED;
}

static void
set_health(RfpMsvmInstance *instance, gboolean good)
{
    rfp_msvm_value_add_number(rfp_msvm_instance_put(instance,
                                                    "OperationalStatus"),
                              good ? STATUS_OK : STATUS_DEGRADED);
    rfp_msvm_instance_set_number(instance, "HealthState",
                                 good ? HEALTH_OK : HEALTH_MAJOR_FAILURE);
}

RfpMsvmInstance *
rfp_msvm_system_instance(const RfpMsvmObject *object)
{
    const RfpMsvmSystem *system = object->shown;
    RfpMsvmInstance *instance = rfp_msvm_instance_new(object->klass->name);

    rfp_msvm_instance_set_text(instance, "Caption", "Virtual Machine");
    rfp_msvm_instance_set_text(instance, "ElementName", system->name);
    rfp_msvm_instance_set_text(instance, "CreationClassName",
                               object->klass->name);
    rfp_msvm_instance_set_text(instance, "Name", system->uuid);
    rfp_msvm_instance_set_number(instance, "EnabledState",
                                 enabled_state(system));
    set_health(instance, !system->state.io_error);
    if (system->last_backup != 0) {
        g_autofree char *time =
            rfp_msvm_time_format(system->last_backup * G_USEC_PER_SEC);

        rfp_msvm_instance_set_text(instance, "LastSuccessfulBackupTime", time);
    }
    return instance;
}

RfpMsvmInstance *
rfp_msvm_group_instance(const RfpMsvmObject *object)
{
    const RfpMsvmSystem *system = object->shown;
    RfpMsvmInstance *instance = rfp_msvm_instance_new(object->klass->name);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_GROUP, system->uuid, NULL);

    rfp_msvm_instance_set_text(instance, "CollectionID", id);
    rfp_msvm_instance_set_text(instance, "ElementName", system->name);
    return instance;
}

/* ---- Points -------------------------------------------------------------- */

static gboolean
has_data(const RefpointPoint *point)
{
    return point->held && point->keep == REFPOINT_KEEP_HOLD;
}

/* Two arrays with an entry for each disk, in the same order. */
static void
set_disks(RfpMsvmInstance *instance, const RefpointPoint *point)
{
    RfpMsvmValue *disks =
        rfp_msvm_instance_put(instance, "VirtualDiskIdentifiers");
    RfpMsvmValue *changes =
        rfp_msvm_instance_put(instance, "ResilientChangeTrackingIdentifiers");
    guint i = 0;

    for (i = 0; i < point->disks->len; i++) {
        const RefpointPointDisk *disk = g_ptr_array_index(point->disks, i);
        g_autofree char *disk_id =
            rfp_msvm_id_format(RFP_MSVM_ID_DISK, point->domain_uuid,
                               disk->target);
        g_autofree char *rct_id =
            rfp_msvm_id_format(RFP_MSVM_ID_RCT, point->guid, disk->target);

        rfp_msvm_value_add_text(disks, disk_id);
        rfp_msvm_value_add_text(changes, rct_id);
    }
}

RfpMsvmInstance *
rfp_msvm_point_instance(const RfpMsvmObject *object)
{
    const RefpointPoint *point = object->shown;
    RfpMsvmInstance *instance = rfp_msvm_instance_new(object->klass->name);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_POINT, point->domain_uuid, point->guid);

    rfp_msvm_instance_set_text(instance, "InstanceID", id);
    rfp_msvm_instance_set_text(instance, "ElementName", point->name);
    rfp_msvm_instance_set_number(instance, "ReferencePointType",
                                 point->held ? TYPE_LOG : TYPE_RCT);
    if (point->consistency != REFPOINT_CONSISTENCY_UNKNOWN)
        rfp_msvm_instance_set_number(instance, "ConsistencyLevel",
                                     point->consistency);
    rfp_msvm_instance_set_text(instance, "VirtualSystemIdentifier",
                               point->domain_uuid);
    rfp_msvm_instance_set_number(instance, "HasAssociatedData",
                                 has_data(point));
    set_disks(instance, point);
    return instance;
}

RfpMsvmInstance *
rfp_msvm_collection_instance(const RfpMsvmObject *object)
{
    const RefpointPoint *point = object->shown;
    RfpMsvmInstance *instance = rfp_msvm_instance_new(object->klass->name);
    g_autofree char *id =
        rfp_msvm_id_format(RFP_MSVM_ID_COLLECTION, point->guid, NULL);
    g_autofree char *group =
        rfp_msvm_id_format(RFP_MSVM_ID_GROUP, point->domain_uuid, NULL);

    rfp_msvm_instance_set_text(instance, "CollectionID", id);
    rfp_msvm_instance_set_text(instance, "ElementName", point->name);
    rfp_msvm_instance_set_number(instance, "ReferencePointType",
                                 point->held ? TYPE_LOG : TYPE_RCT);
    rfp_msvm_instance_set_number(instance, "ConsistencyLevel",
                                 point->consistency);
    rfp_msvm_instance_set_text(instance, "VirtualSystemCollectionId", group);
    rfp_msvm_instance_set_number(instance, "HasAssociatedLog", has_data(point));
    return instance;
}

/* ---- Services and associations ------------------------------------------- */

RfpMsvmInstance *
rfp_msvm_service_instance(const RfpMsvmObject *object)
{
    const char *name = object->klass->name;
    RfpMsvmInstance *instance = rfp_msvm_instance_new(name);

    rfp_msvm_instance_set_text(instance, "ElementName", name);
    rfp_msvm_instance_set_text(instance, "SystemCreationClassName",
                               RFP_MSVM_SYSTEM_CLASS);
    rfp_msvm_instance_set_text(instance, "SystemName", g_get_host_name());
    rfp_msvm_instance_set_text(instance, "CreationClassName", name);
    rfp_msvm_instance_set_text(instance, "Name", name);
    rfp_msvm_instance_set_number(instance, "EnabledState",
                                 STATE_NOT_APPLICABLE);
    rfp_msvm_instance_set_number(instance, "Started", TRUE);
    set_health(instance, TRUE);
    return instance;
}

RfpMsvmInstance *
rfp_msvm_association_instance(const RfpMsvmObject *object)
{
    RfpMsvmInstance *instance = rfp_msvm_instance_new(object->klass->name);
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(object->klass);
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(object->ends); i++) {
        const RfpMsvmProperty *property = g_ptr_array_index(all, i);

        rfp_msvm_instance_set_text(instance, property->name, object->ends[i]);
    }
    if (object->effect != 0)
        rfp_msvm_value_add_number(rfp_msvm_instance_put(instance,
                                                        "ElementEffects"),
                                  object->effect);
    return instance;
}
