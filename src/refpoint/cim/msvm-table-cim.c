/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CIM classes that the others derive from. */
#include "cim/msvm-table.h"

static const RfpMsvmProperty cim_managed_element[] = {
    {.name = "InstanceID", .type = RFP_CIM_STRING},
    {.name = "Caption", .type = RFP_CIM_STRING},
    {.name = "Description", .type = RFP_CIM_STRING},
    {.name = "ElementName", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty cim_managed_system_element[] = {
    {.name = "InstallDate", .type = RFP_CIM_DATETIME},
    {.name = "Name", .type = RFP_CIM_STRING},
    {.name = "OperationalStatus", .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_ARRAY, .values = rfp_msvm_operational_status},
    {.name = "StatusDescriptions", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "Status", .type = RFP_CIM_STRING},
    {.name = "HealthState", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_health_state},
    {.name = "CommunicationStatus", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_communication_status},
    {.name = "DetailedStatus", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_detailed_status},
    {.name = "OperatingStatus", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_operating_status},
    {.name = "PrimaryStatus", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_primary_status},
    {.name = NULL},
};

static const RfpMsvmProperty cim_enabled_logical_element[] = {
    {.name = "EnabledState", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_enabled_state},
    {.name = "OtherEnabledState", .type = RFP_CIM_STRING},
    {.name = "RequestedState", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_requested_state},
    {.name = "EnabledDefault", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_enabled_default},
    {.name = "TimeOfLastStateChange", .type = RFP_CIM_DATETIME},
    {.name = "AvailableRequestedStates", .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_ARRAY, .values = rfp_msvm_available_states},
    {.name = "TransitioningToState", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_requested_state},
    {.name = NULL},
};

static const RfpMsvmProperty cim_system[] = {
    {.name = "CreationClassName", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_KEY},
    {.name = "Name", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "PrimaryOwnerName", .type = RFP_CIM_STRING},
    {.name = "PrimaryOwnerContact", .type = RFP_CIM_STRING},
    {.name = "Roles", .type = RFP_CIM_STRING, .flags = RFP_MSVM_ARRAY},
    {.name = NULL},
};

static const RfpMsvmProperty cim_computer_system[] = {
    {.name = "NameFormat", .type = RFP_CIM_STRING},
    {.name = "OtherIdentifyingInfo", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "IdentifyingDescriptions", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "Dedicated", .type = RFP_CIM_UINT16, .flags = RFP_MSVM_ARRAY,
     .values = rfp_msvm_dedicated},
    {.name = "OtherDedicatedDescriptions", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ResetCapability", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_reset_capability},
    {.name = "PowerManagementCapabilities", .type = RFP_CIM_UINT16,
     .flags = RFP_MSVM_ARRAY, .values = rfp_msvm_power_capabilities},
    {.name = NULL},
};

static const RfpMsvmProperty cim_service[] = {
    {.name = "SystemCreationClassName", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_KEY},
    {.name = "SystemName", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "CreationClassName", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_KEY},
    {.name = "Name", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "PrimaryOwnerName", .type = RFP_CIM_STRING},
    {.name = "PrimaryOwnerContact", .type = RFP_CIM_STRING},
    {.name = "StartMode", .type = RFP_CIM_STRING},
    {.name = "Started", .type = RFP_CIM_BOOLEAN},
    {.name = NULL},
};

static const RfpMsvmProperty cim_collection_of_mses[] = {
    {.name = "CollectionID", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty cim_setting_data[] = {
    {.name = "InstanceID", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "ElementName", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty cim_job[] = {
    {.name = "JobStatus", .type = RFP_CIM_STRING},
    {.name = "TimeSubmitted", .type = RFP_CIM_DATETIME},
    {.name = "ScheduledStartTime", .type = RFP_CIM_DATETIME},
    {.name = "StartTime", .type = RFP_CIM_DATETIME},
    {.name = "ElapsedTime", .type = RFP_CIM_DATETIME},
    {.name = "JobRunTimes", .type = RFP_CIM_UINT32},
    {.name = "RunMonth", .type = RFP_CIM_UINT8, .values = rfp_msvm_run_month},
    {.name = "RunDay", .type = RFP_CIM_SINT8},
    {.name = "RunDayOfWeek", .type = RFP_CIM_SINT8,
     .values = rfp_msvm_run_day_of_week},
    {.name = "RunStartInterval", .type = RFP_CIM_DATETIME},
    {.name = "LocalOrUtcTime", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_local_or_utc},
    {.name = "UntilTime", .type = RFP_CIM_DATETIME},
    {.name = "Notify", .type = RFP_CIM_STRING},
    {.name = "Owner", .type = RFP_CIM_STRING},
    {.name = "Priority", .type = RFP_CIM_UINT32},
    {.name = "PercentComplete", .type = RFP_CIM_UINT16},
    {.name = "DeleteOnCompletion", .type = RFP_CIM_BOOLEAN},
    {.name = "ErrorCode", .type = RFP_CIM_UINT16},
    {.name = "ErrorDescription", .type = RFP_CIM_STRING},
    {.name = "RecoveryAction", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_recovery_action},
    {.name = "OtherRecoveryAction", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty cim_concrete_job[] = {
    {.name = "InstanceID", .type = RFP_CIM_STRING, .flags = RFP_MSVM_KEY},
    {.name = "Name", .type = RFP_CIM_STRING},
    {.name = "JobState", .type = RFP_CIM_UINT16, .values = rfp_msvm_job_state},
    {.name = "TimeOfLastStateChange", .type = RFP_CIM_DATETIME},
    {.name = "TimeBeforeRemoval", .type = RFP_CIM_DATETIME},
    {.name = NULL},
};

static const RfpMsvmProperty request_state_change[] = {
    {.name = "RequestedState", .type = RFP_CIM_UINT16, .flags = RFP_MSVM_IN,
     .values = rfp_msvm_job_request},
    {.name = "TimeoutPeriod", .type = RFP_CIM_DATETIME, .flags = RFP_MSVM_IN},
    {.name = NULL},
};

static const RfpMsvmProperty get_error[] = {
    {.name = "Error", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_EMBEDDED | RFP_MSVM_OUT, .of = "CIM_Error"},
    {.name = NULL},
};

static const RfpMsvmMethod cim_concrete_job_methods[] = {
    {.name = "RequestStateChange",
     .set = REFPOINT_RETURN_EXPORT,
     .timeout_parameter = TRUE,
     .parameters = request_state_change},
    {.name = "GetError",
     .set = REFPOINT_RETURN_EXPORT,
     .parameters = get_error},
    {.name = NULL},
};

static const RfpMsvmProperty cim_error[] = {
    {.name = "ErrorType", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_error_type},
    {.name = "OtherErrorType", .type = RFP_CIM_STRING},
    {.name = "OwningEntity", .type = RFP_CIM_STRING},
    {.name = "MessageID", .type = RFP_CIM_STRING},
    {.name = "Message", .type = RFP_CIM_STRING},
    {.name = "MessageArguments", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "PerceivedSeverity", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_severity},
    {.name = "ProbableCause", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_probable_cause},
    {.name = "ProbableCauseDescription", .type = RFP_CIM_STRING},
    {.name = "RecommendedActions", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = "ErrorSource", .type = RFP_CIM_STRING},
    {.name = "ErrorSourceFormat", .type = RFP_CIM_UINT16,
     .values = rfp_msvm_source_format},
    {.name = "OtherErrorSourceFormat", .type = RFP_CIM_STRING},
    {.name = "CIMStatusCode", .type = RFP_CIM_UINT32,
     .values = rfp_msvm_cim_status},
    {.name = "CIMStatusCodeDescription", .type = RFP_CIM_STRING},
    {.name = NULL},
};

static const RfpMsvmProperty cim_dependency[] = {
    {.name = "Antecedent", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_ManagedElement"},
    {.name = "Dependent", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_ManagedElement"},
    {.name = NULL},
};

static const RfpMsvmProperty cim_member_of_collection[] = {
    {.name = "Collection", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_Collection"},
    {.name = "Member", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_ManagedElement"},
    {.name = NULL},
};

static const RfpMsvmProperty cim_collected_mses[] = {
    {.name = "Collection", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_CollectionOfMSEs"},
    {.name = "Member", .type = RFP_CIM_REFERENCE, .flags = RFP_MSVM_KEY,
     .of = "CIM_ManagedSystemElement"},
    {.name = NULL},
};

static const RfpMsvmProperty cim_affected_job_element[] = {
    {.name = "AffectedElement", .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY, .of = "CIM_ManagedElement"},
    {.name = "AffectingElement", .type = RFP_CIM_REFERENCE,
     .flags = RFP_MSVM_KEY, .of = "CIM_Job"},
    {.name = "ElementEffects", .type = RFP_CIM_UINT16, .flags = RFP_MSVM_ARRAY,
     .values = rfp_msvm_element_effects},
    {.name = "OtherElementEffectsDescriptions", .type = RFP_CIM_STRING,
     .flags = RFP_MSVM_ARRAY},
    {.name = NULL},
};

const RfpMsvmClass rfp_msvm_cim_classes[] = {
    {.name = "CIM_ManagedElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_managed_element},
    {.name = "CIM_ManagedSystemElement",
     .super = "CIM_ManagedElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_managed_system_element},
    {.name = "CIM_LogicalElement",
     .super = "CIM_ManagedSystemElement",
     .flags = RFP_MSVM_ABSTRACT},
    {.name = "CIM_EnabledLogicalElement",
     .super = "CIM_LogicalElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_enabled_logical_element},
    {.name = "CIM_System",
     .super = "CIM_EnabledLogicalElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_system},
    {.name = "CIM_ComputerSystem",
     .super = "CIM_System",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_computer_system},
    {.name = "CIM_Service",
     .super = "CIM_EnabledLogicalElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_service},
    {.name = "CIM_Collection",
     .super = "CIM_ManagedElement",
     .flags = RFP_MSVM_ABSTRACT},
    {.name = "CIM_CollectionOfMSEs",
     .super = "CIM_Collection",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_collection_of_mses},
    {.name = "CIM_SettingData",
     .super = "CIM_ManagedElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_setting_data},
    {.name = "CIM_Job",
     .super = "CIM_LogicalElement",
     .flags = RFP_MSVM_ABSTRACT,
     .properties = cim_job},
    {.name = "CIM_ConcreteJob",
     .super = "CIM_Job",
     .properties = cim_concrete_job,
     .methods = cim_concrete_job_methods},
    {.name = "CIM_Error",
     .properties = cim_error},
    {.name = "CIM_Dependency",
     .flags = RFP_MSVM_ABSTRACT | RFP_MSVM_ASSOCIATION,
     .properties = cim_dependency},
    {.name = "CIM_MemberOfCollection",
     .flags = RFP_MSVM_ABSTRACT | RFP_MSVM_ASSOCIATION,
     .properties = cim_member_of_collection},
    {.name = "CIM_CollectedMSEs",
     .super = "CIM_MemberOfCollection",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = cim_collected_mses},
    {.name = "CIM_AffectedJobElement",
     .flags = RFP_MSVM_ASSOCIATION,
     .properties = cim_affected_job_element},
    {.name = NULL},
};
