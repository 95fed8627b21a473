/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Refcounts of an image that is written: 1 for every cluster but those that
 * were opened for compressed data, which have one for each compressed cluster
 * that touches them. Pure, without a lock.
 *
 * In memory are only refcount blocks (2 GiB of the file each) with opened
 * clusters; they are taken out when nothing more will be counted in them.
 */
#ifndef RFP_QCOW2_REFCOUNT_H
#define RFP_QCOW2_REFCOUNT_H

#include "image/qcow2-layout.h"

typedef struct _RfpQcow2Refcounts RfpQcow2Refcounts;

RfpQcow2Refcounts *
rfp_qcow2_refcounts_new(void);

void
rfp_qcow2_refcounts_free(RfpQcow2Refcounts *refcounts);

/* The clusters of [@offset, @offset + @length), aligned, count nothing yet.
 * Ranges come in ascending order. */
void
rfp_qcow2_refcounts_open(RfpQcow2Refcounts *refcounts,
                         guint64 offset,
                         guint64 length);

/* The same clusters are no longer special: 1. */
void
rfp_qcow2_refcounts_close(RfpQcow2Refcounts *refcounts,
                          guint64 offset,
                          guint64 length);

/* One compressed cluster lies in these bytes, which were opened. */
void
rfp_qcow2_refcounts_use(RfpQcow2Refcounts *refcounts,
                        guint64 offset,
                        guint64 length);

/* Whether the first block in memory ends at or before @end. */
gboolean
rfp_qcow2_refcounts_done(const RfpQcow2Refcounts *refcounts, guint64 end);

/* Takes that block out, which will lie at @place of the file. Returns its
 * bytes, one cluster; free with g_free(). */
guint16 *
rfp_qcow2_refcounts_take(RfpQcow2Refcounts *refcounts, guint64 place);

/* Blocks that were taken out. */
guint64
rfp_qcow2_refcounts_n_placed(const RfpQcow2Refcounts *refcounts);

/* Where block @block lies, 0 if it was not taken out. */
guint64
rfp_qcow2_refcounts_place(const RfpQcow2Refcounts *refcounts, guint64 block);

/* Fills a cluster with block @block of a file of @n_clusters. */
void
rfp_qcow2_refcounts_fill(const RfpQcow2Refcounts *refcounts,
                         guint64 block,
                         guint64 n_clusters,
                         guint16 *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Refcounts, rfp_qcow2_refcounts_free)

#endif
