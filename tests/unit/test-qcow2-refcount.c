/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-refcount.h"

#include <string.h>

#define AT(cluster) ((guint64)(cluster)*RFP_CLUSTER_SIZE)
#define BLOCK RFP_QCOW2_REFCOUNTS_PER_BLOCK

static guint16
get(const RfpQcow2Refcounts *refcounts, guint64 n_clusters, guint64 cluster)
{
    g_autofree guint16 *counts = g_malloc(RFP_CLUSTER_SIZE);

    rfp_qcow2_refcounts_fill(refcounts, cluster / BLOCK, n_clusters, counts);
    return GUINT16_FROM_BE(counts[cluster % BLOCK]);
}

static void
test_plain(void)
{
    g_autoptr(RfpQcow2Refcounts) refcounts = rfp_qcow2_refcounts_new();

    g_assert_false(rfp_qcow2_refcounts_done(refcounts, G_MAXUINT64));
    g_assert_cmpuint(get(refcounts, 10, 0), ==, 1);
    g_assert_cmpuint(get(refcounts, 10, 9), ==, 1);
    g_assert_cmpuint(get(refcounts, 10, 10), ==, 0);
    g_assert_cmpuint(get(refcounts, 10, BLOCK), ==, 0);
    g_assert_cmpuint(get(refcounts, BLOCK + 1, BLOCK), ==, 1);
    g_assert_cmpuint(get(refcounts, BLOCK + 1, BLOCK + 1), ==, 0);
    g_assert_cmpuint(rfp_qcow2_refcounts_n_placed(refcounts), ==, 0);
}

static void
test_use(void)
{
    g_autoptr(RfpQcow2Refcounts) refcounts = rfp_qcow2_refcounts_new();

    rfp_qcow2_refcounts_open(refcounts, AT(2), AT(3));
    rfp_qcow2_refcounts_use(refcounts, AT(2), 100);
    rfp_qcow2_refcounts_use(refcounts, AT(2) + 100, 1);
    rfp_qcow2_refcounts_use(refcounts, AT(3) - 1, 1);
    rfp_qcow2_refcounts_use(refcounts, AT(3) - 1, 2);
    g_assert_cmpuint(get(refcounts, 5, 1), ==, 1);
    g_assert_cmpuint(get(refcounts, 5, 2), ==, 4);
    g_assert_cmpuint(get(refcounts, 5, 3), ==, 1);
    g_assert_cmpuint(get(refcounts, 5, 4), ==, 0);
    g_assert_cmpuint(get(refcounts, 6, 5), ==, 1);
    g_assert_cmpuint(get(refcounts, 4, 4), ==, 0);
    rfp_qcow2_refcounts_close(refcounts, AT(4), AT(1));
    g_assert_cmpuint(get(refcounts, 5, 4), ==, 1);
}

/* Opened clusters on both sides of a block's end. */
static void
test_take(void)
{
    g_autoptr(RfpQcow2Refcounts) refcounts = rfp_qcow2_refcounts_new();
    g_autofree guint16 *counts = NULL;

    rfp_qcow2_refcounts_open(refcounts, AT(2 * BLOCK - 1), AT(2));
    rfp_qcow2_refcounts_use(refcounts, AT(2 * BLOCK) - 9, 20);
    g_assert_false(rfp_qcow2_refcounts_done(refcounts, AT(2 * BLOCK) - 1));
    g_assert_true(rfp_qcow2_refcounts_done(refcounts, AT(2 * BLOCK)));
    counts = rfp_qcow2_refcounts_take(refcounts, AT(2 * BLOCK + 7));
    g_assert_cmpuint(counts[BLOCK - 1], ==, GUINT16_TO_BE(1));
    g_assert_cmpuint(counts[BLOCK - 2], ==, GUINT16_TO_BE(1));
    g_assert_false(rfp_qcow2_refcounts_done(refcounts, AT(2 * BLOCK + 7)));
    g_assert_cmpuint(rfp_qcow2_refcounts_n_placed(refcounts), ==, 1);
    g_assert_cmpuint(rfp_qcow2_refcounts_place(refcounts, 0), ==, 0);
    g_assert_cmpuint(rfp_qcow2_refcounts_place(refcounts, 1), ==,
                     AT(2 * BLOCK + 7));
    g_assert_cmpuint(rfp_qcow2_refcounts_place(refcounts, 2), ==, 0);
    g_assert_cmpuint(get(refcounts, 2 * BLOCK + 8, 2 * BLOCK), ==, 1);
    g_assert_cmpuint(get(refcounts, 2 * BLOCK + 8, 2 * BLOCK + 1), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-refcount/plain", test_plain);
    g_test_add_func("/qcow2-refcount/use", test_use);
    g_test_add_func("/qcow2-refcount/take", test_take);
    return g_test_run();
}
