/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/plan.h"
#include "base/text.h"

typedef struct {
    const char *id;
    const char *text;
} Reason;

static const Reason reasons[RFP_N_REASONS];

const char *
rfp_plan_reason_id(RfpReason reason)
{
    return (guint)reason < RFP_N_REASONS ? reasons[reason].id : NULL;
}

const char *
rfp_plan_reason_text(RfpReason reason)
{
    if ((guint)reason >= RFP_N_REASONS)
        return _("unknown reason");
    return _(reasons[reason].text);
}

static RfpDecision
decide(RefpointMode mode, RfpReason reason)
{
    return (RfpDecision){.mode = mode, .reason = reason};
}

static RfpDecision
increment_on(const RfpPlanCandidate *base)
{
    return (RfpDecision){.mode = REFPOINT_MODE_INCREMENT,
                         .reason = RFP_REASON_NONE,
                         .base = base};
}

/* An image that nothing is known of is not the same image. */
static gboolean
same_source(const RfpPlanDisk *disk, const RfpPlanCandidate *candidate)
{
    return disk->source != NULL && candidate->source != NULL &&
           rfp_disk_source_equal(disk->source, candidate->source);
}

/* Why @candidate cannot be a base, whatever its chain's length; NONE if it
 * can. Another size alone is no reason. */
static RfpReason
refusal(const RfpPlanDisk *disk, const RfpPlanCandidate *candidate)
{
    if (candidate->other)
        return RFP_REASON_OTHER_BASE;
    if (candidate->untracked)
        return RFP_REASON_UNTRACKED_THEN;
    if (!candidate->alive)
        return RFP_REASON_BASE_GONE;
    if (candidate->bitmap != REFPOINT_BITMAP_GOOD)
        return RFP_REASON_BITMAP_BROKEN;
    if (!same_source(disk, candidate))
        return RFP_REASON_SOURCE_CHANGED;
    if (!candidate->chain_ok)
        return candidate->newer ? RFP_REASON_NEWER : RFP_REASON_CHAIN_BROKEN;
    return RFP_REASON_NONE;
}

/* What holds for a disk without a look at the set; FALSE if nothing does. */
static gboolean
decided_by_disk(const RfpPlanDisk *disk, RfpDecision *decision)
{
    if (!disk->wanted)
        *decision = decide(REFPOINT_MODE_LEFT_OUT, RFP_REASON_EXCLUDED);
    else if (disk->unusable != RFP_REASON_NONE)
        *decision = decide(REFPOINT_MODE_LEFT_OUT, disk->unusable);
    else if (disk->untracked != RFP_REASON_NONE)
        *decision = decide(REFPOINT_MODE_FULL, disk->untracked);
    else
        return FALSE;
    return TRUE;
}

RfpDecision
rfp_plan_auto(const RfpPlanDisk *disk,
              const RfpPlanCandidate *candidates,
              gsize n_candidates,
              gboolean base_none,
              guint max_chain)
{
    RfpDecision decision;

    if (decided_by_disk(disk, &decision))
        return decision;
    if (base_none)
        return decide(REFPOINT_MODE_FULL, RFP_REASON_NO_BASE_WANTED);
    if (n_candidates == 0)
        return decide(REFPOINT_MODE_FULL, RFP_REASON_FIRST);
    for (gsize i = 0; i < n_candidates; i++) {
        if (refusal(disk, &candidates[i]) != RFP_REASON_NONE)
            continue;
        /* An older base with a shorter chain would only put the end off. */
        if (candidates[i].depth >= max_chain)
            return decide(REFPOINT_MODE_FULL, RFP_REASON_CHAIN_LENGTH);
        return increment_on(&candidates[i]);
    }
    return decide(REFPOINT_MODE_FULL, refusal(disk, &candidates[0]));
}

RfpDecision
rfp_plan_explicit(const RfpPlanDisk *disk,
                  const RfpPlanCandidate *candidate,
                  guint max_chain)
{
    RfpDecision decision;
    RfpReason reason;

    if (decided_by_disk(disk, &decision))
        return decision;
    if (candidate == NULL)
        return decide(REFPOINT_MODE_FULL, RFP_REASON_NOT_IN_BASE);
    reason = refusal(disk, candidate);
    if (reason == RFP_REASON_NONE && candidate->depth >= max_chain)
        reason = RFP_REASON_CHAIN_LENGTH;
    if (reason != RFP_REASON_NONE)
        return decide(REFPOINT_MODE_LEFT_OUT, reason);
    return increment_on(candidate);
}

static const Reason reasons[RFP_N_REASONS] = {
    [RFP_REASON_NONE] = {NULL, N_("changes since the base")},
    [RFP_REASON_FIRST] = {"first", N_("the set has no data of this disk yet")},
    [RFP_REASON_NO_BASE_WANTED] = {"no-base-wanted",
                                   N_("an export without a base was asked "
                                      "for")},
    [RFP_REASON_UNTRACKED] = {"untracked",
                              N_("changes of this disk cannot be tracked, its "
                                 "format has no bitmaps")},
    [RFP_REASON_QCOW2_V2] = {"qcow2-v2",
                             N_("its image is qcow2 of version 2, which has no "
                                "bitmaps; to convert it while the guest is "
                                "shut off: qemu-img amend -f qcow2 -o "
                                "compat=1.1 IMAGE")},
    [RFP_REASON_UNTRACKED_THEN] = {"untracked-then",
                                   N_("at the set's newest point the disk "
                                      "could not be tracked")},
    [RFP_REASON_BASE_GONE] = {"base-gone",
                              N_("the checkpoint of the set's newest point is "
                                 "gone")},
    [RFP_REASON_BITMAP_BROKEN] = {"bitmap-broken",
                                  N_("the bitmap of the base is missing or "
                                     "inconsistent")},
    [RFP_REASON_SOURCE_CHANGED] = {"source-changed",
                                   N_("the disk has another source than the "
                                      "one that the base recorded")},
    [RFP_REASON_CHAIN_BROKEN] = {"chain-broken",
                                 N_("images that the base builds on are "
                                    "missing or damaged")},
    [RFP_REASON_CHAIN_LENGTH] = {"chain-length",
                                 N_("the chain of images has reached its "
                                    "maximal length")},
    [RFP_REASON_AUDIT_MISMATCH] = {"audit-mismatch",
                                   N_("data that the bitmap calls unchanged "
                                      "differs from the base")},
    [RFP_REASON_NOT_IN_BASE] = {"not-in-base",
                                N_("the base never had this disk")},
    [RFP_REASON_OTHER_BASE] = {"other-base",
                               N_("the point's data was kept with the "
                                  "difference to another base, or none")},
    [RFP_REASON_PUSH_LIMITS] = {"push-limits",
                                N_("QEMU has to write the data itself (the "
                                   "domain has a disk in an iothread): that "
                                   "gives an increment only where the image is "
                                   "on this host and has the base's size")},
    [RFP_REASON_NEWER] = {"newer", N_("what it could build on needs a newer "
                                      "program")},
    [RFP_REASON_EXCLUDED] = {"excluded", N_("not among the disks asked for")},
    [RFP_REASON_READONLY] = {"readonly", N_("the disk is read-only")},
    [RFP_REASON_NO_MEDIUM] = {"no-medium", N_("the drive has no medium")},
    [RFP_REASON_REMOVABLE] = {"removable", N_("a drive for removable media")},
    [RFP_REASON_TRANSIENT] = {"transient",
                              N_("the disk is transient, its changes are "
                                 "thrown away")},
    [RFP_REASON_ENCRYPTED] = {"encrypted",
                              N_("the source is encrypted and a plaintext copy "
                                 "was not allowed")},
    [RFP_REASON_UNSUPPORTED] = {"unsupported",
                                N_("this kind of disk cannot be exported")},
    [RFP_REASON_NOT_IN_POINT] = {"not-in-point",
                                 N_("the point's data was kept without this "
                                    "disk")},
};
