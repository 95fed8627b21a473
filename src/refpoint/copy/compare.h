/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All of a disk against the digests of a base, with the engine of a copy: maps
 * are walked once, only what the source does not call zero is read, by several
 * workers. Zero on both sides costs neither.
 */
#ifndef RFP_COMPARE_H
#define RFP_COMPARE_H

#include "copy/copy.h"
#include "image/digest-file.h"

/* A cluster that is not as in the base; in ascending order, from one thread at
 * a time. FALSE: enough was seen, the rest is not compared. */
typedef gboolean (*RfpCompareFunc)(guint64 cluster, gpointer opaque);

typedef struct {
    const RfpSourceOps *source_ops;
    gpointer source;
    GPtrArray *base;     /* RfpDigestFile, newest first; nobody else reads them
                          * meanwhile */
    RfpCopyOptions copy; /* @increment: what RFP_MAP_DIRTY flags is left out,
                          * and the last clusters of a resized disk */
    RfpCompareFunc func;
    gpointer opaque; /* of @func */
} RfpCompareOptions;

typedef struct _RfpCompare RfpCompare;

/* What @options borrows must outlive it. */
RfpCompare *
rfp_compare_new(const RfpCompareOptions *options);

/* To the end, as rfp_copy_run(); TRUE also where @func has had enough. */
gboolean
rfp_compare_run(RfpCompare *compare, GError **error);

/* How many clusters were compared; to be asked behind the run. */
guint64
rfp_compare_clusters(const RfpCompare *compare);

/* Thread-safe. Bytes of the disk that were dealt with. */
guint64
rfp_compare_done(RfpCompare *compare);

void
rfp_compare_free(RfpCompare *compare);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpCompare, rfp_compare_free)

#endif
