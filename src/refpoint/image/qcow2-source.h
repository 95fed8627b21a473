/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One qcow2 image as the source of a copy, without its backing file: what it
 * does not store reads as zeroes. For images that QEMU wrote for us, and that
 * nobody writes to any more.
 */
#ifndef RFP_QCOW2_SOURCE_H
#define RFP_QCOW2_SOURCE_H

#include "image/source.h"

typedef struct _RfpQcow2Source RfpQcow2Source;

/* Describes the image at @path; nothing is opened yet. */
RfpQcow2Source *
rfp_qcow2_source_new(const char *path);

void
rfp_qcow2_source_free(RfpQcow2Source *source);

/* The operations for rfp_copy_new(); the source pointer is an RfpQcow2Source.
 * RFP_MAP_DIRTY flags what the image stores, zero clusters included: in an
 * image of what changed that is what changed. */
extern const RfpSourceOps rfp_qcow2_source_ops;

/* How many clusters the image stores, zero clusters included. */
gboolean
rfp_qcow2_source_stored(RfpQcow2Source *source,
                        guint64 *clusters,
                        GError **error);

/* Whether QEMU has the image open, where the file system has locks: it may
 * still keep tables to itself. */
gboolean
rfp_qcow2_source_in_use(const RfpQcow2Source *source);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpQcow2Source, rfp_qcow2_source_free)

#endif
