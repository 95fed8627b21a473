/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sizes that the export format fixes (refpoint-export(5)). */
#ifndef RFP_CLUSTER_H
#define RFP_CLUSTER_H

#include "base/sha256.h"

/* A cluster: the unit of the images, of the digests and of an increment. */
#define RFP_CLUSTER_BITS 16
#define RFP_CLUSTER_SIZE ((guint64)1 << RFP_CLUSTER_BITS)

/* Leaves of one group of digests: 1 GiB of the disk. Also the window in which
 * a copy proceeds, so that tables can leave memory behind it. */
#define RFP_GROUP_LEAVES 16384
#define RFP_GROUP_SIZE ((guint64)RFP_GROUP_LEAVES << RFP_CLUSTER_BITS)

/* A leaf is a SHA-256. */
#define RFP_LEAF_SIZE RFP_SHA256_SIZE

/* The largest disk: what a qcow2 L1 table of QEMU's limit (32 MiB) and our
 * own bound on tables allow. 64 PiB is far above; we stop at 64 TiB. */
#define RFP_DISK_SIZE_MAX ((guint64)64 << 40)

static inline guint64
rfp_cluster_count(guint64 size)
{
    return (size + RFP_CLUSTER_SIZE - 1) >> RFP_CLUSTER_BITS;
}

static inline guint64
rfp_group_count(guint64 size)
{
    return (size + RFP_GROUP_SIZE - 1) / RFP_GROUP_SIZE;
}

#endif
