/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a qcow2 version 3 image as this program writes them, pure.
 * Source: QEMU, docs/interop/qcow2.txt.
 *
 * One 64 KiB header cluster; data clusters and L2 tables in the order they
 * were finished; then the L1 table, the refcount blocks and the refcount table.
 * Refcounts are 16 bits wide, and 1 but for clusters with compressed data:
 * there, as many as compressed clusters touch it.
 */
#ifndef RFP_QCOW2_LAYOUT_H
#define RFP_QCOW2_LAYOUT_H

#include "image/cluster.h"

#define RFP_QCOW2_L2_ENTRIES (RFP_CLUSTER_SIZE / 8)
/* Bytes of the disk behind one L2 table: 512 MiB. */
#define RFP_QCOW2_L2_SPAN (RFP_QCOW2_L2_ENTRIES << RFP_CLUSTER_BITS)
#define RFP_QCOW2_REFCOUNTS_PER_BLOCK (RFP_CLUSTER_SIZE / 2)

#define RFP_QCOW2_COPIED ((guint64)1 << 63)
#define RFP_QCOW2_COMPRESSED ((guint64)1 << 62)
#define RFP_QCOW2_ZERO ((guint64)1)
#define RFP_QCOW2_OFFSET_MASK (G_GUINT64_CONSTANT(0x00fffffffffffe00))

/* Compressed data, of which the entry of a cluster names the first byte and how
 * many sectors of 512 bytes it reaches into beyond that of the first. */
#define RFP_QCOW2_SECTOR 512
#define RFP_QCOW2_SECTORS_SHIFT (62 - (RFP_CLUSTER_BITS - 8))
#define RFP_QCOW2_SECTORS_MAX 256

#define RFP_QCOW2_TYPE_ZLIB 0
#define RFP_QCOW2_TYPE_ZSTD 1

/* Longest backing file name that QEMU reads. */
#define RFP_QCOW2_BACKING_MAX 1023

/* Bytes at the begin of an image that tell its version. */
#define RFP_QCOW2_VERSION_LENGTH 8

typedef struct {
    guint64 size;         /* virtual, bytes; a multiple of 512 */
    char *backing_file;   /* NULL for none */
    char *backing_format; /* NULL where the extension is missing */
    guint64 l1_offset;
    guint32 l1_entries;
    guint64 refcount_table_offset;
    guint32 refcount_table_clusters;
    guint32 cluster_bits;
    guint32 refcount_order;
    guint64 incompatible; /* feature bits */
    guint32 crypt_method;
    guint32 snapshots;
    gboolean data_file;      /* external data file bit or name present */
    guint8 compression_type; /* RFP_QCOW2_TYPE_... */
} RfpQcow2Header;

void
rfp_qcow2_header_clear(RfpQcow2Header *header);

/* The version of the image that begins with @buffer, of
 * RFP_QCOW2_VERSION_LENGTH bytes; 0 if it is none. */
guint32
rfp_qcow2_version(const guint8 *buffer);

/* The virtual size QEMU can express for @size bytes: rounded up to 512. */
guint64
rfp_qcow2_round_size(guint64 size);

/* Entries of the L1 table for a virtual size; at least 1. */
guint32
rfp_qcow2_l1_entries(guint64 size);

/* Where the tables behind the data go. All in bytes, cluster aligned. */
typedef struct {
    guint64 l1_offset;
    guint64 refcount_blocks_offset;
    guint64 refcount_blocks; /* clusters, without those placed before */
    guint64 refcount_table_offset;
    guint32 refcount_table_clusters;
    guint64 file_size;
} RfpQcow2Tail;

/* @data_end: end of the data and L2 clusters, cluster aligned. @placed: how
 * many refcount blocks lie among those. The refcounts cover themselves. */
void
rfp_qcow2_tail(guint64 data_end,
               guint64 size,
               guint64 placed,
               RfpQcow2Tail *tail);

/* The entry of a cluster whose compressed data is in @length bytes. */
guint64
rfp_qcow2_compressed_entry(guint64 offset, guint64 length);

/* The first byte of what such an entry names, and how many there are to the end
 * of the last sector. */
guint64
rfp_qcow2_compressed_offset(guint64 entry);

guint32
rfp_qcow2_compressed_length(guint64 entry);

/* Fills one cluster of @buffer with the header; size, backing names, l1,
 * refcount table and compression type of @header are used. FALSE if the names
 * do not fit. */
gboolean
rfp_qcow2_header_write(const RfpQcow2Header *header, guint8 *buffer);

/*
 * Reads a header from the first @length bytes (at most one cluster is needed)
 * of a file that comes from outside. INVALID data: REFPOINT_ERROR_FAILED.
 * Accepts any well-formed version 3 header; rfp_qcow2_header_check() says
 * whether it is one of ours.
 */
gboolean
rfp_qcow2_header_read(const guint8 *buffer,
                      gsize length,
                      RfpQcow2Header *header,
                      GError **error);

/* Whether the clusters of an image can be read as they are: 64 KiB clusters, no
 * external data file, no encryption, no internal snapshots, no unknown
 * incompatible features, not dirty or corrupt. */
gboolean
rfp_qcow2_header_check_features(const RfpQcow2Header *header, GError **error);

/*
 * Whether an image of an export set may be opened: its features as above, the
 * virtual size that of @size rounded up, the backing file exactly @backing
 * (NULL: none) with format qcow2.
 */
gboolean
rfp_qcow2_header_check(const RfpQcow2Header *header,
                       guint64 size,
                       const char *backing,
                       GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpQcow2Header, rfp_qcow2_header_clear)

#endif
