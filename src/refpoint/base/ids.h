/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stable identifiers of causes, of warnings, and of what verify finds: all
 * of them, so that none means two things and each is documented. Scripts
 * compare them; an identifier that was once in a release is never changed. A
 * new one also wants a line in virt-refpoint(1), below DIAGNOSTICS, and in the
 * schema of the output (data/virt-refpoint-output.schema.json): a unit test
 * compares the three.
 *
 * The reasons why a disk is exported as it is are in export/plan.h.
 */
#ifndef RFP_IDS_H
#define RFP_IDS_H

#include "refpoint.h"

/* One behind the last cause: as many rows has each table of them. */
#define RFP_N_CAUSES (REFPOINT_ERROR_CANCELLED + 1)

typedef enum {
    RFP_WARNING_AGENT_LOST,
    RFP_WARNING_AUDIT_MISMATCH,
    RFP_WARNING_CHAIN_BROKEN,
    RFP_WARNING_CHAIN_NEWER,
    RFP_WARNING_COMPLETION_PENDING,
    RFP_WARNING_CRASH_INSTEAD_OF_APPLICATION,
    RFP_WARNING_DAMAGED_POINT,
    RFP_WARNING_DISK_LEFT_OUT,
    RFP_WARNING_FOLDERS_MENDED,
    RFP_WARNING_FULL_INSTEAD_OF_INCREMENT,
    RFP_WARNING_GUEST_STATE_LATER,
    RFP_WARNING_GUEST_STATE_MISSING,
    RFP_WARNING_JOB_GOES_ON,
    RFP_WARNING_LATE_FREEZE,
    RFP_WARNING_LOW_RATE,
    RFP_WARNING_MANY_POINTS,
    RFP_WARNING_MEMBER_JOINED,
    RFP_WARNING_MEMBER_LEFT,
    RFP_WARNING_MEMBER_MISSING,
    RFP_WARNING_MEMBER_RENAMED,
    RFP_WARNING_MEMBER_TRANSIENT,
    RFP_WARNING_METADATA_MISSING,
    RFP_WARNING_MOMENT_APART,
    RFP_WARNING_NEWER_POINT,
    RFP_WARNING_NOT_IMPORTED,
    RFP_WARNING_NOT_WATCHED,
    RFP_WARNING_RECOVERED,
    RFP_WARNING_SET_WRITABLE_BY_OTHERS,
    RFP_WARNING_SYNC_FAILED,
    RFP_WARNING_UNCERTAIN_ROOM,
    RFP_WARNING_UNDO_UNFINISHED,
    RFP_WARNING_UNFINISHED_OPERATION,
    RFP_WARNING_UNSYNCED_PUBLICATION,
    RFP_N_WARNINGS
} RfpWarning;

/* "agent-lost", ...; NULL for a number that is none. */
const char *
rfp_warning_id(RfpWarning warning);

typedef enum {
    RFP_FINDING_BASE_MISMATCH,
    RFP_FINDING_BASE_MISSING,
    RFP_FINDING_CHAIN_TOO_LONG,
    RFP_FINDING_DIGEST_MISMATCH,
    RFP_FINDING_DIGESTS_DAMAGED,
    RFP_FINDING_HARD_LINK,
    RFP_FINDING_IMAGE_DAMAGED,
    RFP_FINDING_LEFTOVER,
    RFP_FINDING_LINK,
    RFP_FINDING_MANIFEST_DAMAGED,
    RFP_FINDING_MISSING_FILE,
    RFP_FINDING_MORE,
    RFP_FINDING_NEWER_BASE,
    RFP_FINDING_NEWER_FILE,
    RFP_FINDING_NEWER_POINT,
    RFP_FINDING_NOT_COMPARED,
    RFP_FINDING_NUMBER_TWICE,
    RFP_FINDING_OWNER,
    RFP_FINDING_PARENT_MISSING,
    RFP_FINDING_PERMISSIONS,
    RFP_FINDING_POINT_GONE,
    RFP_FINDING_READ_ERROR,
    RFP_FINDING_SCHEMA,
    RFP_FINDING_SCHEMA_MISSING,
    RFP_FINDING_SIZE_MISMATCH,
    RFP_FINDING_VIEW_MISMATCH,
    RFP_N_FINDINGS
} RfpFinding;

/* "digest-mismatch", ...; NULL for a number that is none. */
const char *
rfp_finding_id(RfpFinding finding);

#endif
