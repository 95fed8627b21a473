/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The .digests file of one image, and the chain of them.
 *
 * Layout, integers little endian:
 *   header, 64 bytes
 *      0  magic "RFPDIG1\0"
 *      8  u32 format, 1
 *     12  u32 cluster size, 65536
 *     16  u64 exact size of the disk in bytes
 *     24  u32 leaves of a group, 16384
 *     28  36 bytes, zero
 *   entries, 40 bytes each, sorted by index, none twice: the clusters that
 *   this image stores, zero clusters included
 *      0  u64 cluster index
 *      8  leaf
 *   groups, 32 bytes each: the group table of the whole view at this point
 *   trailer, 64 bytes
 *      0  u64 number of entries
 *      8  u64 number of groups
 *     16  view digest
 *     48  8 bytes, zero
 *     56  magic "RFPDEND\0"
 *
 * The leaf of a cluster that an increment does not store is that of the
 * nearest older file of the chain that has it; zero if none has it, and zero
 * from the first older view on that ends before it (a disk that was shrunk and
 * grown again reads as zero there, as QEMU reads beyond a backing file's end).
 * The last cluster of a view is stored again where the size changed, so a
 * partial last cluster never has to be cut.
 *
 * The reader distrusts its file: sizes against the file's size, order of the
 * entries, indexes within the view; damage is REFPOINT_ERROR_FAILED.
 */
#ifndef RFP_DIGEST_FILE_H
#define RFP_DIGEST_FILE_H

#include "image/digest.h"

typedef struct _RfpDigestFile RfpDigestFile;

/* Opens for reading. @fd is duplicated; @name is for messages only. A file is
 * for one thread at a time: it keeps the entries that it read last. */
RfpDigestFile *
rfp_digest_file_open(int fd, const char *name, GError **error);

void
rfp_digest_file_free(RfpDigestFile *file);

guint64
rfp_digest_file_size(const RfpDigestFile *file); /* of the disk, bytes */

guint64
rfp_digest_file_entries(const RfpDigestFile *file);

const guint8 *
rfp_digest_file_view(const RfpDigestFile *file);

const guint8 *
rfp_digest_file_groups(const RfpDigestFile *file);

/* Entry number @i (ascending by cluster index). */
gboolean
rfp_digest_file_entry(RfpDigestFile *file,
                      guint64 i,
                      guint64 *cluster,
                      guint8 *leaf,
                      GError **error);

/*
 * The entries of group @group: leaf i of the group goes to
 * leaves + i * RFP_LEAF_SIZE and bit i of @have is set, only where the bit was
 * clear. @have: RFP_GROUP_LEAVES / 8 bytes, bit i is have[i / 8] & 1 << i % 8.
 */
gboolean
rfp_digest_file_fill(RfpDigestFile *file,
                     guint64 group,
                     guint8 *leaves,
                     guint8 *have,
                     GError **error);

/*
 * A chain of files, newest first. Borrowed by writers, owned by who made it.
 * GPtrArray of RfpDigestFile with rfp_digest_file_free() as free function.
 */

/*
 * The leaves of one group of the chain's newest view, completed where @have is
 * clear. All RFP_GROUP_LEAVES are set; those beyond the newest view's end
 * are zero.
 */
gboolean
rfp_digest_chain_fill(GPtrArray *chain,
                      guint64 group,
                      guint8 *leaves,
                      guint8 *have,
                      GError **error);

/* The leaf of one cluster in the chain's newest view, by binary search. */
gboolean
rfp_digest_chain_leaf(GPtrArray *chain,
                      guint64 cluster,
                      guint8 *leaf,
                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpDigestFile, rfp_digest_file_free)

#endif
