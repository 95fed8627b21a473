/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of a .digests file (see digest-file.h), pure; for its reader and
 * its writer only. */
#ifndef RFP_DIGEST_LAYOUT_H
#define RFP_DIGEST_LAYOUT_H

#include "image/digest.h"

#include <string.h>

#define RFP_DIGEST_HEADER_SIZE 64
#define RFP_DIGEST_ENTRY_SIZE 40
#define RFP_DIGEST_TRAILER_SIZE 64

/* Both are functions of their arguments: a reader compares them whole. */
void
rfp_digest_header(guint64 size, guint8 *header);

void
rfp_digest_trailer(guint64 n_entries,
                   guint64 n_groups,
                   const guint8 *view,
                   guint8 *trailer);

/* Leaves of @group in a view of @size bytes; 0 behind its end. */
guint
rfp_digest_group_leaves(guint64 size, guint64 group);

static inline guint64
rfp_digest_get_le64(const guint8 *at)
{
    guint64 value;

    memcpy(&value, at, sizeof(value));
    return GUINT64_FROM_LE(value);
}

static inline void
rfp_digest_put_le64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

/* The bitmap beside the leaves of a group. */
static inline gboolean
rfp_digest_have(const guint8 *have, guint i)
{
    return (have[i / 8] & (1 << i % 8)) != 0;
}

static inline void
rfp_digest_set(guint8 *leaves, guint8 *have, guint i, const guint8 *leaf)
{
    memcpy(leaves + (gsize)i * RFP_LEAF_SIZE, leaf, RFP_LEAF_SIZE);
    have[i / 8] |= (guint8)(1 << i % 8);
}

#endif
