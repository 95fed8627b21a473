/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes one qcow2 image, clusters in any order from several threads, tables
 * at the end.
 *
 * An L2 table is in memory from its first entry until
 * rfp_qcow2_writer_flush_group() writes it.
 */
#ifndef RFP_QCOW2_WRITER_H
#define RFP_QCOW2_WRITER_H

#include "image/compress.h"
#include "image/qcow2-file.h"
#include "image/qcow2-layout.h"

typedef struct _RfpQcow2Writer RfpQcow2Writer;

/*
 * Creates @name (must not exist, O_EXCL, mode 0600) in @dirfd. @size: exact
 * size of the disk. @backing: bare name of the backing file or NULL; its format
 * is qcow2. @display is the path used in messages.
 */
RfpQcow2Writer *
rfp_qcow2_writer_new(int dirfd,
                     const char *name,
                     const char *display,
                     guint64 size,
                     const char *backing,
                     GError **error);

/*
 * Before the first cluster: clusters are compressed where that makes them
 * smaller. @compress is borrowed. @buffer: bytes of compressed data that are
 * written at a time, for each thread and once more; a multiple of a cluster.
 */
void
rfp_qcow2_writer_set_compress(RfpQcow2Writer *writer,
                              RfpCompress *compress,
                              gsize buffer);

/*
 * Stores @n_clusters whole clusters from @data at cluster index @cluster. The
 * disk's last cluster is handed in padded with zeroes; aligned to
 * RFP_QCOW2_BUFFER_ALIGN for O_DIRECT. Thread-safe; a cluster may be written
 * once only. A failure names the file and the offset.
 */
gboolean
rfp_qcow2_writer_write(RfpQcow2Writer *writer,
                       guint64 cluster,
                       const void *data,
                       guint n_clusters,
                       GError **error);

/* Marks clusters as reading zero, hiding the backing file. Thread-safe. */
gboolean
rfp_qcow2_writer_zero(RfpQcow2Writer *writer,
                      guint64 cluster,
                      guint64 n_clusters,
                      GError **error);

/* No cluster of group @group (1 GiB) will come any more: its L2 tables are
 * written and leave memory. Thread-safe. */
gboolean
rfp_qcow2_writer_flush_group(RfpQcow2Writer *writer,
                             guint64 group,
                             GError **error);

/* Bytes of the disk in data clusters written so far, whatever became of them by
 * compression. Thread-safe. */
guint64
rfp_qcow2_writer_stored(RfpQcow2Writer *writer);

/* Writes the tables, then the header last, cuts the file to its size and
 * syncs it. */
gboolean
rfp_qcow2_writer_finish(RfpQcow2Writer *writer,
                        guint64 *file_size,
                        GError **error);

/* Closes. The file stays, whole or not: removing it is the caller's. */
void
rfp_qcow2_writer_free(RfpQcow2Writer *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Writer, rfp_qcow2_writer_free)

#endif
