/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/plan.h"

#include <string.h>

static RfpDiskSource source_here = {(char *)"file", (char *)"/a.qcow2", 7};
static RfpDiskSource source_moved = {(char *)"file", (char *)"/b.qcow2", 7};
static RfpDiskSource source_copied = {(char *)"file", (char *)"/a.qcow2", 8};

static RfpPlanDisk
good_disk(void)
{
    return (RfpPlanDisk){.target = "vda",
                         .wanted = TRUE,
                         .size = 1 << 20,
                         .source = &source_here};
}

static RfpPlanCandidate
good_candidate(guint depth)
{
    return (RfpPlanCandidate){.guid = "g",
                              .name = "n",
                              .alive = TRUE,
                              .bitmap = REFPOINT_BITMAP_GOOD,
                              .chain_ok = TRUE,
                              .depth = depth,
                              .size = 1 << 20,
                              .source = &source_here};
}

/* What can be wrong with a candidate, and what is said then. */
enum {
    GOOD,
    UNTRACKED,
    DEAD,
    BITMAP_BROKEN,
    BITMAP_UNKNOWN,
    OTHER_BASE,
    MOVED,
    COPIED,
    NO_SOURCE,
    BROKEN_CHAIN,
    LONG_CHAIN,
    RESIZED,
    N_FLAWS
};

#define MAX_CHAIN 5

static RfpPlanCandidate
flawed(int flaw)
{
    RfpPlanCandidate c = good_candidate(MAX_CHAIN - 1);

    c.untracked = flaw == UNTRACKED;
    c.alive = flaw != DEAD;
    if (flaw == BITMAP_BROKEN)
        c.bitmap = REFPOINT_BITMAP_BROKEN;
    if (flaw == BITMAP_UNKNOWN)
        c.bitmap = REFPOINT_BITMAP_UNKNOWN;
    c.other = flaw == OTHER_BASE;
    if (flaw == MOVED)
        c.source = &source_moved;
    if (flaw == COPIED)
        c.source = &source_copied;
    if (flaw == NO_SOURCE)
        c.source = NULL;
    c.chain_ok = flaw != BROKEN_CHAIN;
    if (flaw == LONG_CHAIN)
        c.depth = MAX_CHAIN;
    if (flaw == RESIZED)
        c.size = 12345;
    return c;
}

static const RfpReason reason_of[N_FLAWS] = {
    [GOOD] = RFP_REASON_NONE,
    [UNTRACKED] = RFP_REASON_UNTRACKED_THEN,
    [DEAD] = RFP_REASON_BASE_GONE,
    [BITMAP_BROKEN] = RFP_REASON_BITMAP_BROKEN,
    [BITMAP_UNKNOWN] = RFP_REASON_BITMAP_BROKEN,
    [OTHER_BASE] = RFP_REASON_OTHER_BASE,
    [MOVED] = RFP_REASON_SOURCE_CHANGED,
    [COPIED] = RFP_REASON_SOURCE_CHANGED,
    [NO_SOURCE] = RFP_REASON_SOURCE_CHANGED,
    [BROKEN_CHAIN] = RFP_REASON_CHAIN_BROKEN,
    [LONG_CHAIN] = RFP_REASON_CHAIN_LENGTH,
    [RESIZED] = RFP_REASON_NONE,
};

static void
assert_decision(RfpDecision decision,
                RefpointMode mode,
                RfpReason reason,
                const RfpPlanCandidate *base)
{
    g_assert_cmpint(decision.mode, ==, mode);
    g_assert_cmpstr(rfp_plan_reason_id(decision.reason), ==,
                    rfp_plan_reason_id(reason));
    g_assert_true(decision.base == base);
}

/* Every row of three candidates, each with any flaw. */
static void
test_auto_candidates(void)
{
    RfpPlanDisk disk = good_disk();

    for (int row = 0; row < N_FLAWS * N_FLAWS * N_FLAWS; row++) {
        int flaws[3] = {row / N_FLAWS / N_FLAWS, row / N_FLAWS % N_FLAWS,
                        row % N_FLAWS};
        RfpPlanCandidate c[3];

        for (int i = 0; i < 3; i++)
            c[i] = flawed(flaws[i]);
        for (gsize n = 1; n <= 3; n++) {
            RfpDecision decision = rfp_plan_auto(&disk, c, n, FALSE, MAX_CHAIN);
            gsize first = 0;

            while (first < n && reason_of[flaws[first]] != RFP_REASON_NONE &&
                   flaws[first] != LONG_CHAIN)
                first++;
            if (first == n)
                assert_decision(decision, REFPOINT_MODE_FULL,
                                reason_of[flaws[0]], NULL);
            else if (flaws[first] == LONG_CHAIN)
                assert_decision(decision, REFPOINT_MODE_FULL,
                                RFP_REASON_CHAIN_LENGTH, NULL);
            else
                assert_decision(decision, REFPOINT_MODE_INCREMENT,
                                RFP_REASON_NONE, &c[first]);
        }
    }
}

static void
test_auto_explained(void)
{
    RfpPlanDisk disk = good_disk();
    RfpPlanCandidate c[2] = {flawed(DEAD), flawed(GOOD)};

    assert_decision(rfp_plan_auto(&disk, NULL, 0, FALSE, 64),
                    REFPOINT_MODE_FULL, RFP_REASON_FIRST, NULL);
    assert_decision(rfp_plan_auto(&disk, c, 2, FALSE, 64),
                    REFPOINT_MODE_INCREMENT, RFP_REASON_NONE, &c[1]);
    assert_decision(rfp_plan_auto(&disk, c, 2, TRUE, 64), REFPOINT_MODE_FULL,
                    RFP_REASON_NO_BASE_WANTED, NULL);
    assert_decision(rfp_plan_auto(&disk, NULL, 0, TRUE, 64), REFPOINT_MODE_FULL,
                    RFP_REASON_NO_BASE_WANTED, NULL);
    /* An older base with a shorter chain is never looked for. */
    c[0] = good_candidate(MAX_CHAIN);
    c[1] = good_candidate(1);
    assert_decision(rfp_plan_auto(&disk, c, 2, FALSE, MAX_CHAIN),
                    REFPOINT_MODE_FULL, RFP_REASON_CHAIN_LENGTH, NULL);
    assert_decision(rfp_plan_auto(&disk, c, 2, FALSE, MAX_CHAIN + 1),
                    REFPOINT_MODE_INCREMENT, RFP_REASON_NONE, &c[0]);
    assert_decision(rfp_plan_auto(&disk, &c[1], 1, FALSE, 1),
                    REFPOINT_MODE_FULL, RFP_REASON_CHAIN_LENGTH, NULL);
    /* Nothing is known of the disk's source: nothing is proven. */
    disk.source = NULL;
    assert_decision(rfp_plan_auto(&disk, &c[1], 1, FALSE, 64),
                    REFPOINT_MODE_FULL, RFP_REASON_SOURCE_CHANGED, NULL);
}

/* The disk's own state comes before the set's. */
static void
test_disk(void)
{
    static const RfpReason unusable[] = {
        RFP_REASON_NONE,        RFP_REASON_READONLY,  RFP_REASON_NO_MEDIUM,
        RFP_REASON_REMOVABLE,   RFP_REASON_TRANSIENT, RFP_REASON_ENCRYPTED,
        RFP_REASON_UNSUPPORTED,
    };
    static const RfpReason untracked[] = {
        RFP_REASON_NONE,
        RFP_REASON_UNTRACKED,
        RFP_REASON_QCOW2_V2,
    };
    RfpPlanCandidate good = good_candidate(1);

    for (gsize i = 0; i < G_N_ELEMENTS(unusable) * 6; i++) {
        RfpPlanDisk disk = good_disk();
        RefpointMode mode = REFPOINT_MODE_LEFT_OUT;
        RfpReason reason = RFP_REASON_EXCLUDED;

        disk.unusable = unusable[i / 6];
        disk.untracked = untracked[i % 3];
        disk.wanted = i / 3 % 2 != 0;
        if (disk.wanted)
            reason = disk.unusable;
        if (reason == RFP_REASON_NONE) {
            if (disk.untracked == RFP_REASON_NONE)
                continue;
            mode = REFPOINT_MODE_FULL;
            reason = disk.untracked;
        }
        assert_decision(rfp_plan_auto(&disk, &good, 1, FALSE, 64), mode, reason,
                        NULL);
        assert_decision(rfp_plan_auto(&disk, NULL, 0, FALSE, 64), mode, reason,
                        NULL);
        assert_decision(rfp_plan_auto(&disk, &good, 1, TRUE, 64), mode, reason,
                        NULL);
        assert_decision(rfp_plan_explicit(&disk, &good, 64), mode, reason,
                        NULL);
        assert_decision(rfp_plan_explicit(&disk, NULL, 64), mode, reason, NULL);
    }
}

static void
test_explicit(void)
{
    RfpPlanDisk disk = good_disk();

    assert_decision(rfp_plan_explicit(&disk, NULL, MAX_CHAIN),
                    REFPOINT_MODE_FULL, RFP_REASON_NOT_IN_BASE, NULL);
    for (int flaw = 0; flaw < N_FLAWS; flaw++) {
        RfpPlanCandidate c = flawed(flaw);
        RfpDecision decision = rfp_plan_explicit(&disk, &c, MAX_CHAIN);

        if (reason_of[flaw] == RFP_REASON_NONE) {
            assert_decision(decision, REFPOINT_MODE_INCREMENT, RFP_REASON_NONE,
                            &c);
            continue;
        }
        assert_decision(decision, REFPOINT_MODE_LEFT_OUT, reason_of[flaw],
                        NULL);
        g_assert_cmpint(decision.reason, <, RFP_REASON_EXCLUDED);
    }
}

/* The ids are part of the manifest and of --json: they never change. */
static void
test_reasons(void)
{
    static const char *const ids[RFP_N_REASONS] = {
        NULL,           "first",         "no-base-wanted",
        "untracked",    "qcow2-v2",      "untracked-then",
        "base-gone",    "bitmap-broken", "source-changed",
        "chain-broken", "chain-length",  "audit-mismatch",
        "not-in-base",  "other-base",    "push-limits",
        "newer",        "excluded",      "readonly",
        "no-medium",    "removable",     "transient",
        "encrypted",    "unsupported",   "not-in-point",
    };

    for (int i = 0; i < RFP_N_REASONS; i++) {
        const char *text = rfp_plan_reason_text((RfpReason)i);

        g_assert_cmpstr(rfp_plan_reason_id((RfpReason)i), ==, ids[i]);
        g_assert_nonnull(text);
        g_assert_cmpuint(strlen(text), >, 0);
    }
    g_assert_null(rfp_plan_reason_id(RFP_N_REASONS));
    g_assert_nonnull(rfp_plan_reason_text(RFP_N_REASONS));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plan/auto/candidates", test_auto_candidates);
    g_test_add_func("/plan/auto/explained", test_auto_explained);
    g_test_add_func("/plan/disk", test_disk);
    g_test_add_func("/plan/explicit", test_explicit);
    g_test_add_func("/plan/reasons", test_reasons);
    return g_test_run();
}
