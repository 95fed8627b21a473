/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"

#include <string.h>

#include "base/sha256.h"
#include "image/sha256-lanes.h"

static const char view_prefix[] = "refpoint-view-1";

gboolean
rfp_is_zero(const void *data, gsize length)
{
    static const guint8 zeroes[64];
    const guint8 *bytes = data;

    if (length <= sizeof(zeroes))
        return memcmp(bytes, zeroes, length) == 0;
    /* If the first bytes are zero and all bytes equal those 64 before them,
     * all are zero. The C library's memcmp is as wide as the CPU. */
    return memcmp(bytes, zeroes, sizeof(zeroes)) == 0 &&
           memcmp(bytes, bytes + sizeof(zeroes), length - sizeof(zeroes)) == 0;
}

gboolean
rfp_digest_leaf(const void *data, gsize length, guint8 *leaf)
{
    if (rfp_is_zero(data, length)) {
        memset(leaf, 0, RFP_LEAF_SIZE);
        return TRUE;
    }
    rfp_sha256(data, length, leaf);
    return FALSE;
}

/* Whole clusters that wait for others to be hashed with. */
typedef struct {
    const guint8 *messages[RFP_SHA256_LANES];
    guint8 *digests[RFP_SHA256_LANES];
    guint n;
} Batch;

/* Lanes without a message hash the first one again. */
static void
hash_lanes(Batch *batch)
{
    guint8 unused[RFP_LEAF_SIZE];

    for (guint i = batch->n; i < RFP_SHA256_LANES; i++) {
        batch->messages[i] = batch->messages[0];
        batch->digests[i] = unused;
    }
    rfp_sha256_lanes(batch->messages, RFP_CLUSTER_SIZE, batch->digests);
}

static void
hash_batch(Batch *batch)
{
    if (batch->n >= RFP_SHA256_LANES_MIN && rfp_sha256_lanes_work())
        hash_lanes(batch);
    else
        for (guint i = 0; i < batch->n; i++)
            rfp_sha256(batch->messages[i], RFP_CLUSTER_SIZE, batch->digests[i]);
    batch->n = 0;
}

/* Returns whether it is all zero. */
static gboolean
add_to_batch(Batch *batch, const guint8 *cluster, guint8 *leaf)
{
    if (rfp_is_zero(cluster, RFP_CLUSTER_SIZE)) {
        memset(leaf, 0, RFP_LEAF_SIZE);
        return TRUE;
    }
    batch->messages[batch->n] = cluster;
    batch->digests[batch->n++] = leaf;
    if (batch->n == RFP_SHA256_LANES)
        hash_batch(batch);
    return FALSE;
}

void
rfp_digest_leaves(const void *data,
                  gsize length,
                  guint8 *leaves,
                  gboolean *is_zero)
{
    const guint8 *at = data;
    Batch batch = {.n = 0};

    while (length > 0) {
        const gsize n = MIN(length, RFP_CLUSTER_SIZE);
        const gboolean zero = n == RFP_CLUSTER_SIZE
                                  ? add_to_batch(&batch, at, leaves)
                                  : rfp_digest_leaf(at, n, leaves);

        if (is_zero != NULL)
            *is_zero++ = zero;
        at += n;
        length -= n;
        leaves += RFP_LEAF_SIZE;
    }
    hash_batch(&batch);
}

void
rfp_digest_group(const guint8 *leaves, guint n_leaves, guint8 *group)
{
    rfp_digest_leaf(leaves, (gsize)n_leaves * RFP_LEAF_SIZE, group);
}

void
rfp_digest_view(guint64 size, const guint8 *groups, guint8 *view)
{
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    guint64 size_le = GUINT64_TO_LE(size);

    rfp_sha256_update(sha, view_prefix, sizeof(view_prefix) - 1);
    rfp_sha256_update(sha, &size_le, sizeof(size_le));
    rfp_sha256_update(sha, groups, rfp_group_count(size) * RFP_LEAF_SIZE);
    rfp_sha256_finish(sha, view);
}

char *
rfp_digest_to_hex(const guint8 *digest)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = g_malloc(RFP_LEAF_SIZE * 2 + 1);

    for (guint i = 0; i < RFP_LEAF_SIZE; i++) {
        hex[i * 2] = digits[digest[i] >> 4];
        hex[i * 2 + 1] = digits[digest[i] & 15];
    }
    hex[RFP_LEAF_SIZE * 2] = '\0';
    return hex;
}

gboolean
rfp_digest_from_hex(const char *hex, guint8 *digest)
{
    if (strlen(hex) != RFP_LEAF_SIZE * 2)
        return FALSE;
    for (guint i = 0; i < RFP_LEAF_SIZE; i++) {
        int high = g_ascii_xdigit_value(hex[i * 2]);
        int low = g_ascii_xdigit_value(hex[i * 2 + 1]);

        if (high < 0 || low < 0)
            return FALSE;
        digest[i] = (guint8)(high << 4 | low);
    }
    return TRUE;
}
