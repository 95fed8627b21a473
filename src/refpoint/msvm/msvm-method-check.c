/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the methods of the services do with their parameters. */
#include "msvm/msvm-method-check.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "msvm/msvm-method-changes.h"
#include "msvm/msvm-method-export.h"
#include "msvm/msvm-object-path.h"

#define VM_SERVICE "Msvm_VirtualSystemReferencePointService"
#define COLLECTION_SERVICE "Msvm_CollectionReferencePointService"
#define SYSTEM "Msvm_ComputerSystem"
#define POINT "Msvm_VirtualSystemReferencePoint"
#define GROUP "Msvm_VirtualSystemCollection"
#define COLLECTION "Msvm_ReferencePointCollection"

/* ---- What is named ------------------------------------------------------- */

/* The domain, and the point if @class_name has one, that a parameter names. */
static gboolean
take_object(const RfpMsvmCall *call,
            const char *parameter,
            const char *class_name,
            RfpMsvmWork *work,
            GError **error)
{
    if (rfp_msvm_resolve(call->msvm, rfp_msvm_call_text(call, parameter),
                         class_name, &work->domain, &work->point, error))
        return TRUE;
    rfp_error_prefix(error, "%s", parameter);
    return FALSE;
}

static gboolean
has_point(GPtrArray *points, const char *guid)
{
    guint i = 0;

    for (i = 0; i < points->len; i++) {
        const RefpointPoint *point = g_ptr_array_index(points, i);

        if (rfp_guid_equal(point->guid, guid))
            return TRUE;
    }
    return FALSE;
}

/* The domain is there, and so is its point if one is named. */
static gboolean
check_there(const RfpMsvmCall *call, const RfpMsvmWork *work, GError **error)
{
    g_autoptr(GPtrArray) points =
        refpoint_list(call->msvm->conn, work->domain, error);

    if (points == NULL)
        return FALSE;
    if (work->point == NULL || has_point(points, work->point))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the domain %s has no reference point %s"), work->domain,
                  work->point);
    rfp_error_add_object(error, work->point);
    return FALSE;
}

gboolean
rfp_msvm_take_system(const RfpMsvmCall *call,
                     const char *parameter,
                     RfpMsvmWork *work,
                     GError **error)
{
    if (!take_object(call, parameter, SYSTEM, work, error))
        return FALSE;
    work->affected = rfp_msvm_system_path(work->domain);
    return check_there(call, work, error);
}

static gboolean
take_group(const RfpMsvmCall *call,
           const char *parameter,
           RfpMsvmWork *work,
           GError **error)
{
    if (!take_object(call, parameter, GROUP, work, error))
        return FALSE;
    work->affected = rfp_msvm_group_path(work->domain);
    return check_there(call, work, error);
}

gboolean
rfp_msvm_take_point(const RfpMsvmCall *call,
                    const char *parameter,
                    RfpMsvmWork *work,
                    GError **error)
{
    if (!take_object(call, parameter, POINT, work, error))
        return FALSE;
    work->affected = rfp_msvm_point_path(work->domain, work->point);
    return check_there(call, work, error);
}

gboolean
rfp_msvm_take_collection(const RfpMsvmCall *call,
                         const char *parameter,
                         RfpMsvmWork *work,
                         GError **error)
{
    if (!take_object(call, parameter, COLLECTION, work, error))
        return FALSE;
    work->affected = rfp_msvm_collection_path(work->domain, work->point);
    return check_there(call, work, error);
}

/* ---- Create -------------------------------------------------------------- */

const RfpMsvmInstance *
rfp_msvm_take_embedded(const RfpMsvmCall *call, const char *parameter)
{
    const RfpMsvmItem *item = rfp_msvm_call_item(call, parameter);

    return item != NULL ? item->instance : NULL;
}

static gboolean
take_consistency(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    const RfpMsvmInstance *settings =
        rfp_msvm_take_embedded(call, "ReferencePointSettings");
    guint64 level = 0;

    work->quiesce = REFPOINT_QUIESCE_AUTO;
    if (settings == NULL ||
        !rfp_msvm_instance_number(settings, "ConsistencyLevel", &level))
        return TRUE;
    if (level == REFPOINT_CONSISTENCY_APPLICATION) {
        work->quiesce = REFPOINT_QUIESCE_REQUIRED;
    } else if (level == REFPOINT_CONSISTENCY_CRASH) {
        work->quiesce = REFPOINT_QUIESCE_NEVER;
    } else {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("there is no ConsistencyLevel %" PRIu64), level);
        return FALSE;
    }
    return TRUE;
}

/* @log: the number of a log based point, the next one is RCT. */
static gboolean
take_type(const RfpMsvmCall *call, guint log, RfpMsvmWork *work, GError **error)
{
    guint64 type = rfp_msvm_call_number(call, "ReferencePointType");

    if (type == log) {
        work->keep = REFPOINT_KEEP_HOLD;
    } else if (type == log + 1) {
        work->keep = REFPOINT_KEEP_FIRST;
    } else {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("there is no ReferencePointType %" PRIu64), type);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_create(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    return take_consistency(call, work, error) &&
           take_type(call, REFPOINT_MSVM_TYPE_LOG, work, error) &&
           rfp_msvm_take_system(call, "AffectedSystem", work, error);
}

static gboolean
check_create_collection(const RfpMsvmCall *call,
                        RfpMsvmWork *work,
                        GError **error)
{
    return take_consistency(call, work, error) &&
           take_type(call, REFPOINT_MSVM_COLLECTION_TYPE_LOG, work, error) &&
           take_group(call, "Collection", work, error);
}

/* ---- Destroy, RemoveAssociatedData --------------------------------------- */

static gboolean
check_affected(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    return rfp_msvm_take_point(call, "AffectedReferencePoint", work, error);
}

static gboolean
check_affected_collection(const RfpMsvmCall *call,
                          RfpMsvmWork *work,
                          GError **error)
{
    return rfp_msvm_take_collection(call, "AffectedReferencePointCollection",
                                    work, error);
}

/* ---- GetVirtualDiskChanges ----------------------------------------------- */

static void
answer_changes(RfpMsvmCall *call, const RefpointMsvmDiskChanges *changes)
{
    RfpMsvmValue *processed = rfp_msvm_call_answer(call, "ProcessedByteLength");
    RfpMsvmValue *offsets = rfp_msvm_call_answer(call, "ChangedByteOffsets");
    RfpMsvmValue *lengths = rfp_msvm_call_answer(call, "ChangedByteLengths");
    gsize i = 0;

    rfp_msvm_value_add_number(processed, changes->processed_byte_length);
    for (i = 0; i < changes->n_changes; i++) {
        rfp_msvm_value_add_number(offsets, changes->changed_byte_offsets[i]);
        rfp_msvm_value_add_number(lengths, changes->changed_byte_lengths[i]);
    }
}

/* A matter of a moment, never a job. */
static guint32
run_disk_changes(RfpMsvmCall *call, GError **error)
{
    RefpointMsvmDiskChanges changes = {0};

    if (rfp_msvm_disk_changes(call->msvm, rfp_msvm_call_text(call, "Path"),
                              rfp_msvm_call_text(call, "LimitId"),
                              rfp_msvm_call_text(call, "TargetSnapshotId"),
                              rfp_msvm_call_number(call, "ByteOffset"),
                              rfp_msvm_call_number(call, "ByteLength"),
                              &changes, error))
        answer_changes(call, &changes);
    refpoint_msvm_disk_changes_clear(&changes);
    return 0;
}

/* ---- The services' methods ----------------------------------------------- */

const RfpMsvmHandler rfp_msvm_service_handlers[] = {
    {.class_name = VM_SERVICE,
     .method = "CreateReferencePoint",
     .action = &rfp_msvm_create_point,
     .result = "ResultingReferencePoint",
     .check = check_create},
    {.class_name = VM_SERVICE,
     .method = "DestroyReferencePoint",
     .action = &rfp_msvm_destroy_point,
     .check = check_affected},
    {.class_name = VM_SERVICE,
     .method = "ExportReferencePoint",
     .action = &rfp_msvm_export_point,
     .check = rfp_msvm_check_export},
    {.class_name = VM_SERVICE,
     .method = "ImportReferencePointMetadata",
     .action = &rfp_msvm_import_point,
     .check = rfp_msvm_check_import},
    {.class_name = VM_SERVICE,
     .method = "RemoveAssociatedData",
     .action = &rfp_msvm_remove_point_data,
     .check = check_affected},
    {.class_name = COLLECTION_SERVICE,
     .method = "CreateReferencePoint",
     .action = &rfp_msvm_create_collection,
     .result = "ResultingReferencePointCollection",
     .check = check_create_collection},
    {.class_name = COLLECTION_SERVICE,
     .method = "DestroyReferencePoint",
     .action = &rfp_msvm_destroy_collection,
     .check = check_affected_collection},
    {.class_name = COLLECTION_SERVICE,
     .method = "ExportReferencePoint",
     .action = &rfp_msvm_export_collection,
     .check = rfp_msvm_check_export_collection},
    {.class_name = COLLECTION_SERVICE,
     .method = "RemoveAssociatedData",
     .action = &rfp_msvm_remove_collection_data,
     .check = check_affected_collection},
    {.class_name = "Msvm_ImageManagementService",
     .method = "GetVirtualDiskChanges",
     .run = run_disk_changes},
    {.class_name = NULL},
};
