/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes the .digests file of one image; its layout stands in digest-file.h. */
#ifndef RFP_DIGEST_WRITER_H
#define RFP_DIGEST_WRITER_H

#include "image/digest.h"

typedef struct _RfpDigestWriter RfpDigestWriter;

/*
 * Writes a file for a view of @size bytes into @fd (duplicated), from offset
 * 0. @chain: of the base, newest first, or NULL for a full image; held until
 * the writer is freed. @name is for messages.
 */
RfpDigestWriter *
rfp_digest_writer_new(int fd,
                      const char *name,
                      guint64 size,
                      GPtrArray *chain,
                      GError **error);

/*
 * Adds the stored clusters of one group. Groups come in ascending order;
 * groups without stored clusters may be left out. @leaves and @have as in
 * rfp_digest_file_fill() of digest-file.h: @have marks what the image stores.
 * Both may be changed by the call.
 */
gboolean
rfp_digest_writer_group(RfpDigestWriter *writer,
                        guint64 group,
                        guint8 *leaves,
                        guint8 *have,
                        GError **error);

/*
 * Completes and syncs the file. A group of the base that changed its number
 * of leaves (the disk grew or shrunk) is done again here. Outputs: the view
 * digest, the file's size in bytes and its SHA-256 (32 bytes each).
 */
gboolean
rfp_digest_writer_finish(RfpDigestWriter *writer,
                         guint8 *view,
                         guint64 *file_size,
                         guint8 *file_sha256,
                         GError **error);

void
rfp_digest_writer_free(RfpDigestWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpDigestWriter, rfp_digest_writer_free)

#endif
