/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is to be done with each disk, and why; pure. The state of a disk on the
 * host and what the set has for it go in, a decision comes out. Whatever
 * changes the decision has a row here and a unit test.
 */
#ifndef RFP_PLAN_H
#define RFP_PLAN_H

#include "base/disk-source.h"
#include "refpoint.h"

/* Why a disk is exported as it is, or left out. The id of each stands in the
 * manifest and in --json: rfp_plan_reason_id(). */
typedef enum {
    RFP_REASON_NONE,           /* increment on the wanted base */
    RFP_REASON_FIRST,          /* the set has no data of this disk */
    RFP_REASON_NO_BASE_WANTED, /* --base none */
    RFP_REASON_UNTRACKED,      /* format or driver has no bitmaps (raw) */
    RFP_REASON_QCOW2_V2,       /* nor has qcow2 before version 3 */
    RFP_REASON_UNTRACKED_THEN, /* it could not be tracked at the base */
    RFP_REASON_BASE_GONE,      /* no base's checkpoint is alive */
    RFP_REASON_BITMAP_BROKEN,  /* alive, the bitmap is missing or broken */
    RFP_REASON_SOURCE_CHANGED, /* another image than the one recorded */
    RFP_REASON_CHAIN_BROKEN,   /* files of the chain are missing or damaged */
    RFP_REASON_CHAIN_LENGTH,   /* the chain has its maximal length */
    RFP_REASON_AUDIT_MISMATCH, /* clean clusters differ from the base */
    RFP_REASON_NOT_IN_BASE,    /* the explicit base never had this disk */
    RFP_REASON_OTHER_BASE,     /* the kept data has no difference to the base */
    RFP_REASON_PUSH_LIMITS,    /* in push mode: a network image, or resized */
    RFP_REASON_NEWER,          /* the base needs a newer program */
    /* left out: */
    RFP_REASON_EXCLUDED, /* by --disk or --exclude-disk */
    RFP_REASON_READONLY,
    RFP_REASON_NO_MEDIUM,
    RFP_REASON_REMOVABLE, /* cdrom, floppy */
    RFP_REASON_TRANSIENT,
    RFP_REASON_ENCRYPTED,    /* and plaintext was not allowed */
    RFP_REASON_UNSUPPORTED,  /* lun, vhost-user, shareable, bus sd */
    RFP_REASON_NOT_IN_POINT, /* the kept data has no such disk */
    RFP_N_REASONS
} RfpReason;

/* NULL for NONE, which is no reason. */
const char *
rfp_plan_reason_id(RfpReason reason);

/* Translated sentence for people. */
const char *
rfp_plan_reason_text(RfpReason reason);

/* A disk as it is on the host. */
typedef struct {
    const char *target;
    RfpReason unusable;  /* cannot be exported at all; NONE if it can */
    RfpReason untracked; /* no bitmap can be made for it; NONE if one can */
    gboolean wanted;     /* by the user's selection, which goes first */
    guint64 size;        /* exact, 0 unknown */
    const RfpDiskSource *source;
} RfpPlanDisk;

/* One point of the set that holds data of that disk, newest first. */
typedef struct {
    const char *guid;
    const char *name;      /* of its checkpoint, where alive */
    gboolean untracked;    /* the point had no bitmap of this disk */
    gboolean alive;        /* a checkpoint with that GUID is there */
    RefpointBitmap bitmap; /* of this disk in that checkpoint */
    gboolean chain_ok;     /* down to the full image */
    gboolean newer;        /* it is not, as a link needs a newer program */
    gboolean other;        /* the kept data was begun with another base */
    guint depth;           /* images in its chain */
    guint64 size;
    guint64 changed; /* bytes changed since, where the bitmap is good:
                      * up to the point, of kept data */
    const RfpDiskSource *source; /* as recorded */
} RfpPlanCandidate;

typedef struct {
    RefpointMode mode;
    RfpReason reason;
    const RfpPlanCandidate *base; /* increments */
} RfpDecision;

/* --base auto or none: the newest usable candidate. @candidates: newest
 * first. A newer point that is not usable is passed over where an older one
 * is; the reason of a full export is that of the newest. Where the newest
 * usable one ends a chain of @max_chain images: full, CHAIN_LENGTH. */
RfpDecision
rfp_plan_auto(const RfpPlanDisk *disk,
              const RfpPlanCandidate *candidates,
              gsize n_candidates,
              gboolean base_none,
              guint max_chain);

/*
 * An explicit base. @candidate: what the set has of it for this disk, NULL if
 * the base never had it (full, NOT_IN_BASE). A candidate that cannot be used
 * gives mode LEFT_OUT with the reason why, one below EXCLUDED: the caller
 * fails with INVALID_STATE.
 */
RfpDecision
rfp_plan_explicit(const RfpPlanDisk *disk,
                  const RfpPlanCandidate *candidate,
                  guint max_chain);

#endif
