/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The constant tables behind msvm-class.h: only msvm-class.c and the tables
 * themselves include this header. It is the header of all msvm-table-*.c, as
 * they refer to one another: msvm-table-cim.c, -point.c, -job.c and -service.c
 * have a table of classes each, msvm-table-names.c has the enumerations of
 * their properties.
 */
#ifndef RFP_MSVM_TABLE_H
#define RFP_MSVM_TABLE_H

#include "cim/msvm-class.h"

/* Each ends with a class without a name. */
extern const RfpMsvmClass rfp_msvm_cim_classes[];
extern const RfpMsvmClass rfp_msvm_point_classes[];
extern const RfpMsvmClass rfp_msvm_job_classes[];
extern const RfpMsvmClass rfp_msvm_service_classes[];

/* The names of an enumeration's values; each ends with a row without a name. */
extern const RfpMsvmName rfp_msvm_operational_status[];
extern const RfpMsvmName rfp_msvm_system_status[];
extern const RfpMsvmName rfp_msvm_health_state[];
extern const RfpMsvmName rfp_msvm_communication_status[];
extern const RfpMsvmName rfp_msvm_detailed_status[];
extern const RfpMsvmName rfp_msvm_operating_status[];
extern const RfpMsvmName rfp_msvm_primary_status[];
extern const RfpMsvmName rfp_msvm_enabled_state[];
extern const RfpMsvmName rfp_msvm_requested_state[];
extern const RfpMsvmName rfp_msvm_enabled_default[];
extern const RfpMsvmName rfp_msvm_available_states[];
extern const RfpMsvmName rfp_msvm_dedicated[];
extern const RfpMsvmName rfp_msvm_reset_capability[];
extern const RfpMsvmName rfp_msvm_power_capabilities[];
extern const RfpMsvmName rfp_msvm_replication_state[];
extern const RfpMsvmName rfp_msvm_replication_health[];
extern const RfpMsvmName rfp_msvm_replication_mode[];
extern const RfpMsvmName rfp_msvm_replication_type[];
extern const RfpMsvmName rfp_msvm_enhanced_session[];
extern const RfpMsvmName rfp_msvm_run_month[];
extern const RfpMsvmName rfp_msvm_run_day_of_week[];
extern const RfpMsvmName rfp_msvm_local_or_utc[];
extern const RfpMsvmName rfp_msvm_recovery_action[];
extern const RfpMsvmName rfp_msvm_job_state[];
extern const RfpMsvmName rfp_msvm_job_request[];
extern const RfpMsvmName rfp_msvm_job_type[];
extern const RfpMsvmName rfp_msvm_error_type[];
extern const RfpMsvmName rfp_msvm_severity[];
extern const RfpMsvmName rfp_msvm_probable_cause[];
extern const RfpMsvmName rfp_msvm_source_format[];
extern const RfpMsvmName rfp_msvm_cim_status[];
extern const RfpMsvmName rfp_msvm_element_effects[];
extern const RfpMsvmName rfp_msvm_point_type[];
extern const RfpMsvmName rfp_msvm_create_type[];
extern const RfpMsvmName rfp_msvm_collection_type[];
extern const RfpMsvmName rfp_msvm_consistency[];
extern const RfpMsvmName rfp_msvm_collection_consistency[];

#endif
