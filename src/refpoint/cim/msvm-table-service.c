/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The services and their methods. */
#include "cim/msvm-table.h"

static const RfpMsvmProperty point_create[] = {
    {.name = "AffectedSystem",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_ComputerSystem"},
    {.name = "ReferencePointSettings",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemReferencePointSettingData"},
    {.name = "ReferencePointType",
     .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_IN,
     .values = rfp_msvm_create_type},
    {.name = "ResultingReferencePoint",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN | RFP_MSVM_OUT,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty point_destroy[] = {
    {.name = "AffectedReferencePoint",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty point_export[] = {
    {.name = "ReferencePoint",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = "ExportDirectory", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "ExportSettingData",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemReferencePointExportSettingData"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty point_import[] = {
    {.name = "AffectedSystem",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_ComputerSystem"},
    {.name = "ConfigFilePath", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "RuntimeStateFilePath",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_IN},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty point_remove_data[] = {
    {.name = "AffectedReferencePoint",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemReferencePoint"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmMethod virtual_system_reference_point_service_methods[] = {
    {.name = "CreateReferencePoint",
     .set = REFPOINT_RETURN_CREATE,
     .parameters = point_create},
    {.name = "DestroyReferencePoint",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = point_destroy},
    {.name = "ExportReferencePoint",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = point_export},
    {.name = "ImportReferencePointMetadata",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = point_import},
    {.name = "RemoveAssociatedData",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = point_remove_data},
    {.name = NULL},
};

static const RfpMsvmProperty collection_create[] = {
    {.name = "Collection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_VirtualSystemCollection"},
    {.name = "ReferencePointSettings",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_IN,
     .of = "Msvm_CollectionReferencePointSettingData"},
    {.name = "ReferencePointType",
     .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_IN,
     .values = rfp_msvm_collection_type},
    {.name = "ResultingReferencePointCollection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN | RFP_MSVM_OUT,
     .of = "CIM_Collection"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty collection_destroy[] = {
    {.name = "AffectedReferencePointCollection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_ReferencePointCollection"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty collection_export[] = {
    {.name = "ReferencePointCollection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_ReferencePointCollection"},
    {.name = "ExportDirectory", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "ExportSettingData",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_IN,
     .of = "Msvm_CollectionReferencePointExportSettingData"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmProperty collection_remove_data[] = {
    {.name = "AffectedReferencePointCollection",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_IN,
     .of = "Msvm_ReferencePointCollection"},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmMethod collection_reference_point_service_methods[] = {
    {.name = "CreateReferencePoint",
     .set = REFPOINT_RETURN_CREATE,
     .parameters = collection_create},
    {.name = "DestroyReferencePoint",
     .set = REFPOINT_RETURN_CREATE,
     .parameters = collection_destroy},
    {.name = "ExportReferencePoint",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = collection_export},
    {.name = "RemoveAssociatedData",
     .set = REFPOINT_RETURN_CREATE,
     .parameters = collection_remove_data},
    {.name = NULL},
};

static const RfpMsvmProperty disk_changes[] = {
    {.name = "Path", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "LimitId", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "TargetSnapshotId", .type = RFP_CIM_STRING, .flags = RFP_MSVM_IN},
    {.name = "ByteOffset", .type = RFP_CIM_UINT64, .flags = RFP_MSVM_IN},
    {.name = "ByteLength", .type = RFP_CIM_UINT64, .flags = RFP_MSVM_IN},
    {.name = "ProcessedByteLength",
     .type = RFP_CIM_UINT64,
     .flags = RFP_MSVM_OUT},
    {.name = "ChangedByteOffsets",
     .type = RFP_CIM_UINT64,
     .flags = RFP_MSVM_ARRAY | RFP_MSVM_OUT},
    {.name = "ChangedByteLengths",
     .type = RFP_CIM_UINT64,
     .flags = RFP_MSVM_ARRAY | RFP_MSVM_OUT},
    {.name = "Job",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_OUT,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

static const RfpMsvmMethod image_management_service_methods[] = {
    {.name = "GetVirtualDiskChanges",
     .set = REFPOINT_RETURN_EXPORT,
     .file_not_found = TRUE,
     .parameters = disk_changes},
    {.name = NULL},
};

const RfpMsvmClass rfp_msvm_service_classes[] = {
    {.name = "Msvm_VirtualSystemReferencePointService",
     .super = "CIM_Service",
     .methods = virtual_system_reference_point_service_methods},
    {.name = "Msvm_CollectionReferencePointService",
     .super = "CIM_Service",
     .methods = collection_reference_point_service_methods},
    {.name = "Msvm_ImageManagementService",
     .super = "CIM_Service",
     .methods = image_management_service_methods},
    {.name = NULL},
};
