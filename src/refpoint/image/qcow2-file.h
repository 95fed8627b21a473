/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file below a qcow2 image that is written: O_DIRECT where the file system
 * takes it, else buffered writes whose pages are pushed out behind the writer.
 * It is prepared ahead of the data (growing a file with many writers is slow),
 * by at most 256 MiB, which the end gives back. Thread-safe.
 */
#ifndef RFP_QCOW2_FILE_H
#define RFP_QCOW2_FILE_H

#include <glib.h>

/* Alignment that data, length and offset need for O_DIRECT. */
#define RFP_QCOW2_BUFFER_ALIGN 4096

typedef struct _RfpQcow2File RfpQcow2File;

/* Creates @name in @dirfd (O_EXCL, mode 0600). @display is for messages. */
RfpQcow2File *
rfp_qcow2_file_new(int dirfd,
                   const char *name,
                   const char *display,
                   GError **error);

/* Closes; the file stays. */
void
rfp_qcow2_file_free(RfpQcow2File *file);

const char *
rfp_qcow2_file_display(const RfpQcow2File *file);

/* Writes data, with O_DIRECT if @direct and where that works. A failure names
 * the file and the offset. */
gboolean
rfp_qcow2_file_store(RfpQcow2File *file,
                     gboolean direct,
                     const void *data,
                     gsize length,
                     guint64 offset,
                     GError **error);

/* Gives back the space of bytes that will not be written; where the file
 * system cannot, it stays. */
void
rfp_qcow2_file_punch(RfpQcow2File *file, guint64 offset, guint64 length);

/* Cuts the file to @size, writes its first bytes (the last write, so a process
 * that dies before leaves no image) and syncs. */
gboolean
rfp_qcow2_file_finish(RfpQcow2File *file,
                      guint64 size,
                      const void *header,
                      gsize header_length,
                      GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2File, rfp_qcow2_file_free)

#endif
