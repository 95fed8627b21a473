/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/extent.h"

static void
assert_extents(const RfpExtents *extents, gsize n, const RfpExtent *items)
{
    g_assert_cmpuint(extents->n, ==, n);
    for (gsize i = 0; i < n; i++) {
        g_assert_cmpuint(extents->items[i].offset, ==, items[i].offset);
        g_assert_cmpuint(extents->items[i].length, ==, items[i].length);
    }
}

static void
test_append(void)
{
    g_auto(RfpExtents) extents = {0};
    const RfpExtent expected[] = {{0, 30}, {31, 9}, {100, 10}};

    rfp_extents_append(&extents, 0, 10);
    rfp_extents_append(&extents, 10, 10); /* touches */
    rfp_extents_append(&extents, 15, 15); /* overlaps */
    rfp_extents_append(&extents, 31, 9);
    rfp_extents_append(&extents, 33, 2); /* inside */
    rfp_extents_append(&extents, 100, 10);
    assert_extents(&extents, G_N_ELEMENTS(expected), expected);
    g_assert_cmpuint(rfp_extents_total(&extents), ==, 49);
    rfp_extents_reset(&extents);
    g_assert_cmpuint(rfp_extents_total(&extents), ==, 0);
    rfp_extents_append(&extents, G_MAXUINT64 - 1, 100);
    g_assert_cmpuint(rfp_extents_total(&extents), ==, 1);
}

static void
test_rounded(void)
{
    g_auto(RfpExtents) extents = {0};
    const RfpExtent expected[] = {{0, 20}, {24, 1}};
    const RfpExtent whole[] = {{0, 25}};

    rfp_extents_append_rounded(&extents, 1, 1, 4, 25);
    rfp_extents_append_rounded(&extents, 3, 2, 4, 25);
    rfp_extents_append_rounded(&extents, 9, 0, 4, 25);
    rfp_extents_append_rounded(&extents, 10, 7, 4, 25);
    rfp_extents_append_rounded(&extents, 24, G_MAXUINT64, 4, 25);
    rfp_extents_append_rounded(&extents, 25, 5, 4, 25); /* beyond the end */
    assert_extents(&extents, G_N_ELEMENTS(expected), expected);
    /* A coarser unit reaches back over items. */
    rfp_extents_append_rounded(&extents, 24, 1, 32, 25);
    assert_extents(&extents, G_N_ELEMENTS(whole), whole);
    rfp_extents_reset(&extents);
    rfp_extents_append_rounded(&extents, G_MAXUINT64 - 9, 9, 8, G_MAXUINT64);
    g_assert_cmpuint(rfp_extents_total(&extents), ==, 15);
}

static void
test_overlap(void)
{
    g_auto(RfpExtents) extents = {0};

    g_assert_false(rfp_extents_overlap(&extents, 0, 100));
    rfp_extents_append(&extents, 10, 10);
    rfp_extents_append(&extents, 30, 10);
    g_assert_false(rfp_extents_overlap(&extents, 0, 10));
    g_assert_true(rfp_extents_overlap(&extents, 0, 11));
    g_assert_true(rfp_extents_overlap(&extents, 19, 1));
    g_assert_false(rfp_extents_overlap(&extents, 20, 10));
    g_assert_true(rfp_extents_overlap(&extents, 20, 11));
    g_assert_true(rfp_extents_overlap(&extents, 39, G_MAXUINT64));
    g_assert_false(rfp_extents_overlap(&extents, 40, G_MAXUINT64));
    g_assert_false(rfp_extents_overlap(&extents, 15, 0));
}

/* Against a map of bytes. */
#define DISK 512

static void
compare_with_map(const RfpExtents *extents, const guint8 *map)
{
    guint64 total = 0;

    for (guint64 i = 0; i < DISK; i++) {
        g_assert_cmpint(rfp_extents_overlap(extents, i, 1), ==, map[i]);
        total += map[i];
    }
    g_assert_cmpuint(rfp_extents_total(extents), ==, total);
    for (gsize i = 1; i < extents->n; i++)
        g_assert_cmpuint(extents->items[i].offset, >,
                         extents->items[i - 1].offset +
                             extents->items[i - 1].length);
}

static void
test_random(void)
{
    for (guint round = 0; round < 2000; round++) {
        g_auto(RfpExtents) extents = {0};
        guint8 map[DISK] = {0};
        guint64 unit = (guint64)1 << g_test_rand_int_range(0, 6);
        guint64 size = (guint64)g_test_rand_int_range(1, DISK + 1);
        guint64 offset = (guint64)g_test_rand_int_range(0, 50);

        while (offset < DISK) {
            guint64 length = (guint64)g_test_rand_int_range(1, 40);
            guint64 end = MIN(offset + length, size);

            rfp_extents_append_rounded(&extents, offset, length, unit, size);
            for (guint64 i = offset / unit * unit;
                 offset < size && i < (end + unit - 1) / unit * unit; i++)
                if (i < size)
                    map[i] = 1;
            offset += (guint64)g_test_rand_int_range(0, 60);
        }
        compare_with_map(&extents, map);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extent/append", test_append);
    g_test_add_func("/extent/rounded", test_rounded);
    g_test_add_func("/extent/overlap", test_overlap);
    g_test_add_func("/extent/random", test_random);
    return g_test_run();
}
