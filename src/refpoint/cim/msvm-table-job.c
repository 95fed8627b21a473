/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs and errors. */
#include "cim/msvm-table.h"

static const RfpMsvmProperty concrete_job[] = {
    {.name = "ErrorSummaryDescription", .type = RFP_CIM_STRING},
    {.name = "Cancellable", .type = RFP_CIM_BOOLEAN},
    {.name = "JobType", .type = RFP_CIM_UINT16, .values = rfp_msvm_job_type},
    {.name = NULL},
};

static const RfpMsvmProperty get_error[] = {
    {.name = "Error",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_OUT,
     .of = "Msvm_Error"},
    {.name = NULL},
};

static const RfpMsvmProperty get_error_ex[] = {
    {.name = "Errors",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY | RFP_MSVM_EMBEDDED | RFP_MSVM_OUT,
     .of = "Msvm_Error"},
    {.name = NULL},
};

static const RfpMsvmMethod job_methods[] = {
    {.name = "GetError",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = get_error},
    {.name = "GetErrorEx",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = get_error_ex},
    {.name = NULL},
};

static const RfpMsvmProperty virtual_system_reference_point_export_job[] = {
    {.name = "Cancellable", .type = RFP_CIM_BOOLEAN},
    {.name = "ErrorSummaryDescription", .type = RFP_CIM_STRING},
    {.name = "ExportDirectory", .type = RFP_CIM_STRING},
    {.name = "VirtualMachineId", .type = RFP_CIM_STRING},
    {.name = "ReferencePointId", .type = RFP_CIM_STRING},
    {.name = "BaseReferencePointId", .type = RFP_CIM_STRING},
    {.name = "ExportedDisks", .type = RFP_CIM_STRING, .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedLogFilePaths",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedConfigFilePath", .type = RFP_CIM_STRING},
    {.name = "ExportedRuntimeFilePath", .type = RFP_CIM_STRING},
    {.name = "ExportedGuestStateFilePath", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty collection_reference_point_export_job[] = {
    {.name = "Cancellable", .type = RFP_CIM_BOOLEAN},
    {.name = "ErrorSummaryDescription", .type = RFP_CIM_STRING},
    {.name = "CollectionId", .type = RFP_CIM_STRING},
    {.name = "ReferencePointGroupId", .type = RFP_CIM_STRING},
    {.name = "BaseReferencePointGroupId", .type = RFP_CIM_STRING},
    {.name = "VirtualMachineId",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ExportDirectory", .type = RFP_CIM_STRING},
    {.name = "ExportedDisks", .type = RFP_CIM_STRING, .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedLogFilePaths",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedConfigFilePaths",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedRuntimeFilePaths",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ExportedGuestStateFilePaths",
     .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = NULL},
};

/* The reference has Msvm_ConcreteJob here, of which the export jobs are
 * none. */
static const RfpMsvmProperty affected_job_element[] = {
    {.name = "AffectingElement",
     .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY,
     .of = "CIM_ConcreteJob"},
    {.name = NULL},
};

const RfpMsvmClass rfp_msvm_job_classes[] = {
    {.name = "Msvm_Error", .super = "CIM_Error"},
    {.name = "Msvm_ConcreteJob",
     .super = "CIM_ConcreteJob",
     .properties = concrete_job,
     .methods = job_methods},
    {.name = "Msvm_VirtualSystemReferencePointExportJob",
     .super = "CIM_ConcreteJob",
     .properties = virtual_system_reference_point_export_job,
     .methods = job_methods},
    {.name = "Msvm_CollectionReferencePointExportJob",
     .super = "CIM_ConcreteJob",
     .properties = collection_reference_point_export_job,
     .methods = job_methods},
    {.name = "Msvm_AffectedJobElement",
     .super = "CIM_AffectedJobElement",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = affected_job_element},
    {.name = NULL},
};
