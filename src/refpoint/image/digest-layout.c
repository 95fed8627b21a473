/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest-layout.h"

#define FORMAT 1

static void
put_le32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(at, &value, sizeof(value));
}

void
rfp_digest_header(guint64 size, guint8 *header)
{
    memset(header, 0, RFP_DIGEST_HEADER_SIZE);
    memcpy(header, "RFPDIG1", 8);
    put_le32(header + 8, FORMAT);
    put_le32(header + 12, RFP_CLUSTER_SIZE);
    rfp_digest_put_le64(header + 16, size);
    put_le32(header + 24, RFP_GROUP_LEAVES);
}

void
rfp_digest_trailer(guint64 n_entries,
                   guint64 n_groups,
                   const guint8 *view,
                   guint8 *trailer)
{
    memset(trailer, 0, RFP_DIGEST_TRAILER_SIZE);
    rfp_digest_put_le64(trailer, n_entries);
    rfp_digest_put_le64(trailer + 8, n_groups);
    memcpy(trailer + 16, view, RFP_LEAF_SIZE);
    memcpy(trailer + 56, "RFPDEND", 8);
}

guint
rfp_digest_group_leaves(guint64 size, guint64 group)
{
    guint64 count = rfp_cluster_count(size);
    guint64 first = group * RFP_GROUP_LEAVES;

    return first >= count ? 0 : (guint)MIN(count - first, RFP_GROUP_LEAVES);
}
