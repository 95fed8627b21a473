/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-refcount.h"

#include <string.h>

/* Bytes of the file that a refcount block counts: 2 GiB. */
#define BLOCK_SPAN (RFP_QCOW2_REFCOUNTS_PER_BLOCK << RFP_CLUSTER_BITS)

typedef struct {
    guint64 block;
    guint16 *counts; /* big endian */
} Open;

typedef struct {
    guint64 block;
    guint64 place;
} Placed;

struct _RfpQcow2Refcounts {
    GArray *open;   /* Open, ascending */
    GArray *placed; /* Placed, ascending */
};

static void
open_clear(gpointer data)
{
    Open *open = data;

    g_free(open->counts);
}

RfpQcow2Refcounts *
rfp_qcow2_refcounts_new(void)
{
    RfpQcow2Refcounts *refcounts = g_new0(RfpQcow2Refcounts, 1);

    refcounts->open = g_array_new(FALSE, FALSE, sizeof(Open));
    refcounts->placed = g_array_new(FALSE, FALSE, sizeof(Placed));
    g_array_set_clear_func(refcounts->open, open_clear);
    return refcounts;
}

void
rfp_qcow2_refcounts_free(RfpQcow2Refcounts *refcounts)
{
    if (refcounts == NULL)
        return;
    g_array_unref(refcounts->open);
    g_array_unref(refcounts->placed);
    g_free(refcounts);
}

static void
fill_ones(guint16 *counts, guint64 n)
{
    for (guint64 i = 0; i < n; i++)
        counts[i] = GUINT16_TO_BE(1);
    memset(counts + n, 0, (RFP_QCOW2_REFCOUNTS_PER_BLOCK - n) * 2);
}

static guint16 *
find_open(const RfpQcow2Refcounts *refcounts, guint64 block)
{
    for (guint i = 0; i < refcounts->open->len; i++) {
        const Open *open = &g_array_index(refcounts->open, Open, i);

        if (open->block == block)
            return open->counts;
    }
    return NULL;
}

/* The place of @cluster's count, in a block that is made if it is not there. */
static guint16 *
count_of(RfpQcow2Refcounts *refcounts, guint64 cluster)
{
    const guint64 block = cluster / RFP_QCOW2_REFCOUNTS_PER_BLOCK;
    guint16 *counts = find_open(refcounts, block);
    Open open;

    if (counts == NULL) {
        counts = g_malloc(RFP_CLUSTER_SIZE);
        fill_ones(counts, RFP_QCOW2_REFCOUNTS_PER_BLOCK);
        open = (Open){block, counts};
        g_array_append_val(refcounts->open, open);
    }
    return counts + cluster % RFP_QCOW2_REFCOUNTS_PER_BLOCK;
}

static void
set(RfpQcow2Refcounts *refcounts, guint64 offset, guint64 length, guint16 count)
{
    for (guint64 at = offset; at < offset + length; at += RFP_CLUSTER_SIZE)
        *count_of(refcounts, at >> RFP_CLUSTER_BITS) = GUINT16_TO_BE(count);
}

void
rfp_qcow2_refcounts_open(RfpQcow2Refcounts *refcounts,
                         guint64 offset,
                         guint64 length)
{
    set(refcounts, offset, length, 0);
}

void
rfp_qcow2_refcounts_close(RfpQcow2Refcounts *refcounts,
                          guint64 offset,
                          guint64 length)
{
    set(refcounts, offset, length, 1);
}

void
rfp_qcow2_refcounts_use(RfpQcow2Refcounts *refcounts,
                        guint64 offset,
                        guint64 length)
{
    const guint64 last = (offset + length - 1) >> RFP_CLUSTER_BITS;

    for (guint64 i = offset >> RFP_CLUSTER_BITS; i <= last; i++) {
        guint16 *count = count_of(refcounts, i);

        *count = GUINT16_TO_BE(GUINT16_FROM_BE(*count) + 1);
    }
}

gboolean
rfp_qcow2_refcounts_done(const RfpQcow2Refcounts *refcounts, guint64 end)
{
    return refcounts->open->len > 0 &&
           (g_array_index(refcounts->open, Open, 0).block + 1) * BLOCK_SPAN <=
               end;
}

guint16 *
rfp_qcow2_refcounts_take(RfpQcow2Refcounts *refcounts, guint64 place)
{
    Open *first = &g_array_index(refcounts->open, Open, 0);
    const Placed placed = {first->block, place};
    guint16 *counts = g_steal_pointer(&first->counts);

    g_array_remove_index(refcounts->open, 0);
    g_array_append_val(refcounts->placed, placed);
    return counts;
}

guint64
rfp_qcow2_refcounts_n_placed(const RfpQcow2Refcounts *refcounts)
{
    return refcounts->placed->len;
}

static gint
by_block(gconstpointer a, gconstpointer b)
{
    const Placed *left = a;
    const Placed *right = b;

    return left->block < right->block ? -1 : left->block > right->block;
}

guint64
rfp_qcow2_refcounts_place(const RfpQcow2Refcounts *refcounts, guint64 block)
{
    const Placed wanted = {block, 0};
    guint i;

    if (!g_array_binary_search(refcounts->placed, &wanted, by_block, &i))
        return 0;
    return g_array_index(refcounts->placed, Placed, i).place;
}

void
rfp_qcow2_refcounts_fill(const RfpQcow2Refcounts *refcounts,
                         guint64 block,
                         guint64 n_clusters,
                         guint16 *counts)
{
    const guint64 first = block * RFP_QCOW2_REFCOUNTS_PER_BLOCK;
    const guint16 *open = find_open(refcounts, block);
    const guint64 n = n_clusters > first ? MIN(n_clusters - first,
                                               RFP_QCOW2_REFCOUNTS_PER_BLOCK)
                                         : 0;

    fill_ones(counts, n);
    if (open != NULL)
        memcpy(counts, open, n * 2);
}
