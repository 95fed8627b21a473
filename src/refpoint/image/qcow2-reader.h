/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads one image of a set, without its backing file, to prove it: structure
 * and content. The file is hostile: everything is bounded by its size.
 */
#ifndef RFP_QCOW2_READER_H
#define RFP_QCOW2_READER_H

#include "image/qcow2-layout.h"

typedef struct _RfpQcow2Reader RfpQcow2Reader;

/* @fd is duplicated. @name is for messages. */
RfpQcow2Reader *
rfp_qcow2_reader_open(int fd, const char *name, GError **error);

void
rfp_qcow2_reader_free(RfpQcow2Reader *reader);

const RfpQcow2Header *
rfp_qcow2_reader_header(const RfpQcow2Reader *reader);

typedef enum {
    RFP_QCOW2_UNALLOCATED, /* reads from the backing file, or zero */
    RFP_QCOW2_ZEROES,
    RFP_QCOW2_DATA,
    RFP_QCOW2_DATA_COMPRESSED,
} RfpQcow2Kind;

/* One cluster's mapping: kind, and host offset for data; for compressed data
 * the L2 entry (rfp_qcow2_compressed_offset()). The current L2 table is cached:
 * ask in ascending order. */
gboolean
rfp_qcow2_reader_map(RfpQcow2Reader *reader,
                     guint64 cluster,
                     RfpQcow2Kind *kind,
                     guint64 *host,
                     GError **error);

/* Whether L1 entry @l1 is empty (its 8192 clusters are unallocated). */
gboolean
rfp_qcow2_reader_l1_empty(RfpQcow2Reader *reader, guint32 l1);

/* Reads @n whole clusters that follow one another in the file
 * (@n * RFP_CLUSTER_SIZE bytes into @data). */
gboolean
rfp_qcow2_reader_read(RfpQcow2Reader *reader,
                      guint64 host,
                      guint n,
                      void *data,
                      GError **error);

/* The same of a compressed cluster. */
gboolean
rfp_qcow2_reader_read_compressed(RfpQcow2Reader *reader,
                                 guint64 entry,
                                 void *data,
                                 GError **error);

/* Tells the system that @length bytes of the file at @offset will not be read
 * again soon: their part of the page cache may be of use to others. */
void
rfp_qcow2_reader_forget(const RfpQcow2Reader *reader,
                        guint64 offset,
                        guint64 length);

/*
 * Checks the structure as qemu-img check does: every table and cluster inside
 * the file and aligned, no host cluster used twice (but by compressed clusters,
 * which share), refcounts equal to the uses (a leaked cluster is damage too).
 * The first damage found is the error (FAILED).
 */
gboolean
rfp_qcow2_reader_check(RfpQcow2Reader *reader, GError **error);

/* How many L2 tables there are to read for that. */
guint32
rfp_qcow2_reader_tables(const RfpQcow2Reader *reader);

/* Only what is read when an image is opened: that the places of the tables are
 * inside the file, aligned, and none is named twice. */
gboolean
rfp_qcow2_reader_check_frame(RfpQcow2Reader *reader, GError **error);

/* As rfp_qcow2_reader_check(), and a look at each cluster that is not
 * unallocated, in ascending order, while its table is at hand. */
typedef gboolean (*RfpQcow2Look)(guint64 cluster,
                                 RfpQcow2Kind kind,
                                 gpointer opaque,
                                 GError **error);

gboolean
rfp_qcow2_reader_check_each(RfpQcow2Reader *reader,
                            RfpQcow2Look look,
                            gpointer opaque,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Reader, rfp_qcow2_reader_free)

#endif
