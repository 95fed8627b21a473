/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A chain of qcow2 images as a source: the newest image and, in their order,
 * the images that it builds on. What none of them stores reads as zeroes. Which
 * images these are is up to the caller: the names of backing files that the
 * images have in their headers are not looked at. For images that nobody writes
 * to any more.
 */
#ifndef RFP_QCOW2_SOURCE_H
#define RFP_QCOW2_SOURCE_H

#include "base/files.h"
#include "image/qcow2-reader.h"
#include "image/source.h"

typedef struct _RfpQcow2Source RfpQcow2Source;

/* Describes the newest image; nothing is opened yet. @path is relative to
 * @folder, which must live as long as the source does; where @folder is NULL,
 * @path is absolute. */
RfpQcow2Source *
rfp_qcow2_source_new(const RfpFolder *folder, const char *path);

/* Describes the image, in the same folder, that the last one builds on. As in
 * QEMU, it reads as zeroes from its end on. Not while there are connections. */
void
rfp_qcow2_source_add_backing(RfpQcow2Source *source, const char *path);

void
rfp_qcow2_source_free(RfpQcow2Source *source);

/* The operations for rfp_copy_new(); the source pointer is an RfpQcow2Source.
 * RFP_MAP_DIRTY flags what the newest image stores, zero clusters included: in
 * an image of what changed that is what changed. An older image is opened when
 * something is first looked for in it. */
extern const RfpSourceOps rfp_qcow2_source_ops;

/* The reader of the newest image that a connection of the operations has open.
 * Borrowed from it, and for the same thread. */
RfpQcow2Reader *
rfp_qcow2_source_reader(gpointer connection);

/* How many clusters the newest image stores, zero clusters included. */
gboolean
rfp_qcow2_source_stored(RfpQcow2Source *source,
                        guint64 *clusters,
                        GError **error);

/* Whether QEMU has the newest image open, where the file system has locks: it
 * may still keep tables to itself. */
gboolean
rfp_qcow2_source_in_use(const RfpQcow2Source *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Source, rfp_qcow2_source_free)

#endif
