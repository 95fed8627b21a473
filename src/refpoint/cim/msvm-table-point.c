/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Systems, reference points, their groups, settings and associations. */
#include "cim/msvm-table.h"

static const RfpMsvmProperty computer_system[] = {
    {.name = "OperationalStatus",
     .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_ARRAY,
     .values = rfp_msvm_system_status},
    {.name = "OnTimeInMilliseconds", .type = RFP_CIM_UINT64},
    {.name = "ProcessID", .type = RFP_CIM_UINT32},
    {.name = "TimeOfLastConfigurationChange", .type = RFP_CIM_DATETIME},
    {.name = "NumberOfNumaNodes", .type = RFP_CIM_UINT16},
    {.name = "ReplicationState",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_replication_state},
    {.name = "ReplicationHealth",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_replication_health},
    {.name = "ReplicationMode",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_replication_mode},
    {.name = "FailedOverReplicationType",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_replication_type},
    {.name = "LastReplicationType",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_replication_type},
    {.name = "LastApplicationConsistentReplicationTime",
     .type = RFP_CIM_DATETIME},
    {.name = "LastReplicationTime", .type = RFP_CIM_DATETIME},
    {.name = "LastSuccessfulBackupTime", .type = RFP_CIM_DATETIME},
    {.name = "EnhancedSessionModeState",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_enhanced_session},
    {.name = NULL},
};

static const RfpMsvmProperty virtual_system_collection[] = {
    {.name = "CollectionID", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "ElementName", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty virtual_system_reference_point[] = {
    {.name = "InstanceID", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "ReferencePointType",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_point_type},
    {.name = "ConsistencyLevel",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_consistency},
    {.name = "VirtualSystemIdentifier",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_KEY},
    {.name = "HasAssociatedData", .type = RFP_CIM_BOOLEAN},
    {.name = "VirtualDiskIdentifiers",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ResilientChangeTrackingIdentifiers",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = NULL},
};

static const RfpMsvmProperty reference_point_collection[] = {
    {.name = "CollectionID", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "ElementName", .type = RFP_CIM_STRING},
    {.name = "ReferencePointType",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_collection_type},
    {.name = "ConsistencyLevel",
     .type = RFP_CIM_UINT16,
     .values = rfp_msvm_collection_consistency},
    {.name = "VirtualSystemCollectionId",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_KEY},
    {.name = "HasAssociatedLog", .type = RFP_CIM_BOOLEAN},
    {.name = NULL},
};

static const RfpMsvmProperty virtual_system_reference_point_setting_data[] = {
    {.name = "ConsistencyLevel",
     .type = RFP_CIM_UINT8,
     .values = rfp_msvm_consistency},
    {.name = NULL},
};

static const RfpMsvmProperty collection_reference_point_setting_data[] = {
    {.name = "ConsistencyLevel",
     .type = RFP_CIM_UINT8,
     .values = rfp_msvm_consistency},
    {.name = NULL},
};

static const RfpMsvmProperty
    virtual_system_reference_point_export_setting_data[] = {
        {.name = "BaseReferencePoint", .type = RFP_CIM_STRING},
        {.name = "DisksToExport",
         .type = RFP_CIM_STRING,
         .flags = RFP_MSVM_ARRAY},
        {.name = NULL},
};

static const RfpMsvmProperty virtual_machine_to_disks[] = {
    {.name = "VirtualMachineId", .type = RFP_CIM_STRING},
    {.name = "DisksToExport", .type = RFP_CIM_STRING, .flags = RFP_MSVM_ARRAY},
    {.name = NULL},
};

static const RfpMsvmProperty collection_reference_point_export_setting_data[] =
    {
        {.name = "BaseReferencePointCollection", .type = RFP_CIM_STRING},
        {.name = "VirtualMachinesToDisksToExport",
         .type = RFP_CIM_STRING,
         .flags = RFP_MSVM_ARRAY | RFP_MSVM_EMBEDDED,
         .of = "Msvm_VirtualMachineToDisks"},
        {.name = NULL},
};

static const RfpMsvmProperty reference_point_of_virtual_system[] = {
    {.name = "Antecedent",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_ComputerSystem"},
    {.name = "Dependent",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = NULL},
};

static const RfpMsvmProperty reference_point_of_virtual_system_collection[] = {
    {.name = "Antecedent",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "CIM_CollectionOfMSEs"},
    {.name = "Dependent",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "CIM_Collection"},
    {.name = NULL},
};

static const RfpMsvmProperty collected_reference_points[] = {
    {.name = "Collection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_ReferencePointCollection"},
    {.name = "Member",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = NULL},
};

static const RfpMsvmProperty collected_virtual_systems[] = {
    {.name = "Collection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_VirtualSystemCollection"},
    {.name = "Member",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "Msvm_ComputerSystem"},
    {.name = NULL},
};

const RfpMsvmClass rfp_msvm_point_classes[] = {
    {.name = "Msvm_ComputerSystem",
     .super = "CIM_ComputerSystem",
     .properties = computer_system},
    {.name = "Msvm_VirtualSystemCollection",
     .super = "CIM_CollectionOfMSEs",
     .properties = virtual_system_collection},
    {.name = "Msvm_VirtualSystemReferencePoint",
     .super = "CIM_ManagedElement",
     .properties = virtual_system_reference_point},
    {.name = "Msvm_ReferencePointCollection",
     .super = "CIM_Collection",
     .properties = reference_point_collection},
    {.name = "Msvm_VirtualSystemReferencePointSettingData",
     .super = "CIM_SettingData",
     .properties = virtual_system_reference_point_setting_data},
    {.name = "Msvm_CollectionReferencePointSettingData",
     .super = "CIM_SettingData",
     .properties = collection_reference_point_setting_data},
    {.name = "Msvm_VirtualSystemReferencePointExportSettingData",
     .super = "CIM_SettingData",
     .properties = virtual_system_reference_point_export_setting_data},
    {.name = "Msvm_VirtualMachineToDisks",
     .properties = virtual_machine_to_disks},
    {.name = "Msvm_CollectionReferencePointExportSettingData",
     .super = "CIM_SettingData",
     .properties = collection_reference_point_export_setting_data},
    {.name = "Msvm_ReferencePointOfVirtualSystem",
     .super = "CIM_Dependency",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = reference_point_of_virtual_system},
    {.name = "Msvm_ReferencePointOfVirtualSystemCollection",
     .super = "CIM_Dependency",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = reference_point_of_virtual_system_collection},
    {.name = "Msvm_CollectedReferencePoints",
     .super = "CIM_CollectedMSEs",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = collected_reference_points},
    {.name = "Msvm_CollectedVirtualSystems",
     .super = "CIM_CollectedMSEs",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = collected_virtual_systems},
    {.name = NULL},
};
