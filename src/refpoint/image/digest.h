/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The digests of guest content, pure (export-format: "Digests").
 *
 * leaf:  SHA-256 of one cluster (the disk's last may be shorter); 32 zero bytes
 *        if the cluster is all zero.
 * group: SHA-256 over the leaves of 1 GiB in order; 32 zero bytes if all are
 *        zero.
 * view:  SHA-256 over "refpoint-view-1", the exact size (64-bit little endian)
 *        and the groups in order.
 */
#ifndef RFP_DIGEST_H
#define RFP_DIGEST_H

#include "image/cluster.h"

/* Whether all @length bytes are zero. */
gboolean
rfp_is_zero(const void *data, gsize length);

/* @leaf: RFP_LEAF_SIZE bytes. Returns whether the cluster was all zero. */
gboolean
rfp_digest_leaf(const void *data, gsize length, guint8 *leaf);

/* The same for every cluster of @length bytes of data, the last of which may
 * be shorter; several at once where the CPU can. @is_zero may be NULL. */
void
rfp_digest_leaves(const void *data,
                  gsize length,
                  guint8 *leaves,
                  gboolean *is_zero);

/* @leaves: @n_leaves * RFP_LEAF_SIZE bytes; 1 to RFP_GROUP_LEAVES of them. */
void
rfp_digest_group(const guint8 *leaves, guint n_leaves, guint8 *group);

/* @groups: rfp_group_count(size) * RFP_LEAF_SIZE bytes. */
void
rfp_digest_view(guint64 size, const guint8 *groups, guint8 *view);

/* 64 lower-case hexadecimal digits. Free with g_free(). */
char *
rfp_digest_to_hex(const guint8 *digest);

/* Accepts exactly 64 hexadecimal digits. */
gboolean
rfp_digest_from_hex(const char *hex, guint8 *digest);

#endif
