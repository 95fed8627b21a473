/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compressed clusters of a qcow2 image that is written: packed one behind
 * another, at any byte, into buffers of whole clusters of the file. Several
 * threads compress, then fill the one buffer in turn; who finds it full writes
 * it, with O_DIRECT.
 *
 * Where the next buffer follows the last one in the file, a compressed cluster
 * may lie in both; else the end of the last one stays empty.
 */
#ifndef RFP_QCOW2_PACK_H
#define RFP_QCOW2_PACK_H

#include "image/compress.h"
#include "image/qcow2-file.h"
#include "image/qcow2-refcount.h"

typedef struct _RfpQcow2Pack RfpQcow2Pack;

/* Reserves @length bytes, whole clusters of the file, for the buffer. Returns
 * their offset. Must be thread-safe. */
typedef guint64 (*RfpQcow2TakeFunc)(gpointer opaque, guint64 length);

/* @file and @compress are borrowed. @buffer: the size of the buffer, bytes, a
 * multiple of a cluster. @take is called with @opaque. */
RfpQcow2Pack *
rfp_qcow2_pack_new(RfpQcow2File *file,
                   RfpCompress *compress,
                   gsize buffer,
                   RfpQcow2TakeFunc take,
                   gpointer opaque);

void
rfp_qcow2_pack_free(RfpQcow2Pack *pack);

/* Compresses one cluster. *@entry: its entry in the L2 table, 0 if it did not
 * get smaller and is left to the caller. Thread-safe. */
gboolean
rfp_qcow2_pack_add(RfpQcow2Pack *pack,
                   const void *cluster,
                   guint64 *entry,
                   GError **error);

/* Writes what is left in the buffer. *@end is the end of the clusters of the
 * file that were reserved by anybody; it moves down where the last ones of the
 * buffer turn out not to be needed. */
gboolean
rfp_qcow2_pack_finish(RfpQcow2Pack *pack, guint64 *end, GError **error);

/* The refcounts of the file; complete after rfp_qcow2_pack_finish(). */
const RfpQcow2Refcounts *
rfp_qcow2_pack_refcounts(const RfpQcow2Pack *pack);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Pack, rfp_qcow2_pack_free)

#endif
