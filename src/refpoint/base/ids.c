/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ids.h"

#include <glib.h>

static const char *const causes[] = {
    [REFPOINT_ERROR_FAILED] = "failed",
    [REFPOINT_ERROR_ACCESS_DENIED] = "access-denied",
    [REFPOINT_ERROR_NOT_SUPPORTED] = "not-supported",
    [REFPOINT_ERROR_STATUS_UNKNOWN] = "status-unknown",
    [REFPOINT_ERROR_TIMEOUT] = "timeout",
    [REFPOINT_ERROR_INVALID_PARAMETER] = "invalid-parameter",
    [REFPOINT_ERROR_IN_USE] = "in-use",
    [REFPOINT_ERROR_INVALID_STATE] = "invalid-state",
    [REFPOINT_ERROR_INCORRECT_TYPE] = "incorrect-type",
    [REFPOINT_ERROR_NOT_AVAILABLE] = "not-available",
    [REFPOINT_ERROR_NO_MEMORY] = "no-memory",
    [REFPOINT_ERROR_FILE_NOT_FOUND] = "file-not-found",
    [REFPOINT_ERROR_CANCELLED] = "cancelled",
};

/* A cause without a row. */
G_STATIC_ASSERT(G_N_ELEMENTS(causes) == RFP_N_CAUSES);

const char *
refpoint_cause_id(RefpointError cause)
{
    return (guint)cause < RFP_N_CAUSES ? causes[cause] : NULL;
}

static const char *const warnings[RFP_N_WARNINGS];
static const char *const findings[RFP_N_FINDINGS];

const char *
rfp_warning_id(RfpWarning warning)
{
    return (guint)warning < RFP_N_WARNINGS ? warnings[warning] : NULL;
}

const char *
rfp_finding_id(RfpFinding finding)
{
    return (guint)finding < RFP_N_FINDINGS ? findings[finding] : NULL;
}

static const char *const warnings[RFP_N_WARNINGS] = {
    [RFP_WARNING_AGENT_LOST] = "agent-lost",
    [RFP_WARNING_AUDIT_MISMATCH] = "audit-mismatch",
    [RFP_WARNING_CHAIN_BROKEN] = "chain-broken",
    [RFP_WARNING_CHAIN_NEWER] = "chain-newer",
    [RFP_WARNING_COMPLETION_PENDING] = "completion-pending",
    [RFP_WARNING_CRASH_INSTEAD_OF_APPLICATION] = "crash-instead-of-application",
    [RFP_WARNING_DAMAGED_POINT] = "damaged-point",
    [RFP_WARNING_DISK_LEFT_OUT] = "disk-left-out",
    [RFP_WARNING_FOLDERS_MENDED] = "folders-mended",
    [RFP_WARNING_FULL_INSTEAD_OF_INCREMENT] = "full-instead-of-increment",
    [RFP_WARNING_GUEST_STATE_LATER] = "guest-state-later",
    [RFP_WARNING_GUEST_STATE_MISSING] = "guest-state-missing",
    [RFP_WARNING_JOB_GOES_ON] = "job-goes-on",
    [RFP_WARNING_LATE_FREEZE] = "late-freeze",
    [RFP_WARNING_LOW_RATE] = "low-rate",
    [RFP_WARNING_MANY_POINTS] = "many-points",
    [RFP_WARNING_MEMBER_JOINED] = "member-joined",
    [RFP_WARNING_MEMBER_LEFT] = "member-left",
    [RFP_WARNING_MEMBER_MISSING] = "member-missing",
    [RFP_WARNING_MEMBER_RENAMED] = "member-renamed",
    [RFP_WARNING_MEMBER_TRANSIENT] = "member-transient",
    [RFP_WARNING_METADATA_MISSING] = "metadata-missing",
    [RFP_WARNING_MOMENT_APART] = "moment-apart",
    [RFP_WARNING_NEWER_POINT] = "newer-point",
    [RFP_WARNING_NOT_IMPORTED] = "not-imported",
    [RFP_WARNING_NOT_WATCHED] = "not-watched",
    [RFP_WARNING_RECOVERED] = "recovered",
    [RFP_WARNING_SET_WRITABLE_BY_OTHERS] = "set-writable-by-others",
    [RFP_WARNING_SYNC_FAILED] = "sync-failed",
    [RFP_WARNING_UNCERTAIN_ROOM] = "uncertain-room",
    [RFP_WARNING_UNDO_UNFINISHED] = "undo-unfinished",
    [RFP_WARNING_UNFINISHED_OPERATION] = "unfinished-operation",
    [RFP_WARNING_UNSYNCED_PUBLICATION] = "unsynced-publication",
};

static const char *const findings[RFP_N_FINDINGS] = {
    [RFP_FINDING_BASE_MISMATCH] = "base-mismatch",
    [RFP_FINDING_BASE_MISSING] = "base-missing",
    [RFP_FINDING_CHAIN_TOO_LONG] = "chain-too-long",
    [RFP_FINDING_DIGEST_MISMATCH] = "digest-mismatch",
    [RFP_FINDING_DIGESTS_DAMAGED] = "digests-damaged",
    [RFP_FINDING_HARD_LINK] = "hard-link",
    [RFP_FINDING_IMAGE_DAMAGED] = "image-damaged",
    [RFP_FINDING_LEFTOVER] = "leftover",
    [RFP_FINDING_LINK] = "link",
    [RFP_FINDING_MANIFEST_DAMAGED] = "manifest-damaged",
    [RFP_FINDING_MISSING_FILE] = "missing-file",
    [RFP_FINDING_MORE] = "more",
    [RFP_FINDING_NEWER_BASE] = "newer-base",
    [RFP_FINDING_NEWER_FILE] = "newer-file",
    [RFP_FINDING_NEWER_POINT] = "newer-point",
    [RFP_FINDING_NOT_COMPARED] = "not-compared",
    [RFP_FINDING_NUMBER_TWICE] = "number-twice",
    [RFP_FINDING_OWNER] = "owner",
    [RFP_FINDING_PARENT_MISSING] = "parent-missing",
    [RFP_FINDING_PERMISSIONS] = "permissions",
    [RFP_FINDING_POINT_GONE] = "point-gone",
    [RFP_FINDING_READ_ERROR] = "read-error",
    [RFP_FINDING_SCHEMA] = "schema",
    [RFP_FINDING_SCHEMA_MISSING] = "schema-missing",
    [RFP_FINDING_SIZE_MISMATCH] = "size-mismatch",
    [RFP_FINDING_VIEW_MISMATCH] = "view-mismatch",
};
