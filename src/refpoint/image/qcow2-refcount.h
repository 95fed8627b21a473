/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The refcounts of the clusters of a qcow2 file that is being written. Pure;
 * the caller has the lock.
 *
 * The refcount of a cluster of the file is 1, unless compressed data may lie in
 * it. Clusters for compressed data are announced ("opened"), and are then
 * counted: once for each compressed cluster of the disk that has bytes in them.
 *
 * A refcount block holds the counts of 2 GiB of the file. Only blocks with
 * opened clusters are kept in memory. The caller takes a block out, to write
 * it, when nothing more will be counted in it.
 */
#ifndef RFP_QCOW2_REFCOUNT_H
#define RFP_QCOW2_REFCOUNT_H

#include "image/qcow2-layout.h"

typedef struct _RfpQcow2Refcounts RfpQcow2Refcounts;

RfpQcow2Refcounts *
rfp_qcow2_refcounts_new(void);

void
rfp_qcow2_refcounts_free(RfpQcow2Refcounts *refcounts);

/* Opens the clusters of [@offset, @offset + @length) of the file, both
 * multiples of a cluster: their refcounts begin with 0. Ranges come in
 * ascending order. */
void
rfp_qcow2_refcounts_open(RfpQcow2Refcounts *refcounts,
                         guint64 offset,
                         guint64 length);

/* Undoes that for clusters in which no compressed data came: their refcount is
 * 1 again. */
void
rfp_qcow2_refcounts_close(RfpQcow2Refcounts *refcounts,
                          guint64 offset,
                          guint64 length);

/* Counts one compressed cluster of the disk, which lies in these bytes of the
 * file; their clusters have been opened. */
void
rfp_qcow2_refcounts_use(RfpQcow2Refcounts *refcounts,
                        guint64 offset,
                        guint64 length);

/* Whether the first block in memory is only about bytes of the file before
 * @end. */
gboolean
rfp_qcow2_refcounts_done(const RfpQcow2Refcounts *refcounts, guint64 end);

/* Takes the first block out of memory, for the caller to write it at @place of
 * the file. Returns its bytes, one cluster; free with g_free(). */
guint16 *
rfp_qcow2_refcounts_take(RfpQcow2Refcounts *refcounts, guint64 place);

/* How many blocks were taken out. */
guint64
rfp_qcow2_refcounts_n_placed(const RfpQcow2Refcounts *refcounts);

/* Where in the file block number @block lies; 0 if it was not taken out. */
guint64
rfp_qcow2_refcounts_place(const RfpQcow2Refcounts *refcounts, guint64 block);

/* Writes block number @block, of a file that has @n_clusters clusters, to
 * @counts (one cluster). */
void
rfp_qcow2_refcounts_fill(const RfpQcow2Refcounts *refcounts,
                         guint64 block,
                         guint64 n_clusters,
                         guint16 *counts);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Refcounts, rfp_qcow2_refcounts_free)

#endif
