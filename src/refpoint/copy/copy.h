/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a source to a sink over extents, in windows of one group (1 GiB), with
 * several workers and bounded memory. Knows neither NBD nor qcow2.
 *
 * One thread walks the source's map and cuts work into chunks; workers, each
 * with a connection of its own, read, find zeroes, hash leaves and hand
 * clusters to the sink. When all chunks of a window are done the sink is told,
 * window by window in ascending order.
 */
#ifndef RFP_COPY_H
#define RFP_COPY_H

#include "base/rate.h"
#include "image/cluster.h"
#include "image/source.h"
#include "refpoint.h"

/*
 * Where data goes. write() and zero() come from several threads, for one
 * cluster once. window_end() comes in ascending order, one at a time, for
 * each window in which something was written or zeroed; @leaves and @have as in
 * rfp_digest_file_fill(), and may be changed.
 */
typedef struct {
    gboolean (*write)(gpointer sink,
                      guint64 cluster,
                      const void *data,
                      guint n_clusters,
                      GError **error);
    gboolean (*zero)(gpointer sink,
                     guint64 cluster,
                     guint64 n_clusters,
                     GError **error);
    gboolean (*window_end)(gpointer sink,
                           guint64 group,
                           guint8 *leaves,
                           guint8 *have,
                           GError **error);
} RfpSinkOps;

/* One copy, from rfp_copy_new() to rfp_copy_free(). While rfp_copy_run() works
 * in one thread, others may call rfp_copy_progress(), and nothing else. */
typedef struct _RfpCopy RfpCopy;

typedef struct {
    guint64 size;         /* exact size of the disk */
    gboolean increment;   /* only what RFP_MAP_DIRTY flags, rounded out to
                           * clusters; zeroes are stored as zero clusters */
    guint64 resized_from; /* increments: the base view's size if it differs,
                           * else @size; the old last and the new last cluster
                           * are stored again */
    guint workers;        /* connections, at least 1 */
    gsize buffer;       /* bytes of one read, a multiple of the cluster size */
    const char *name;   /* of the disk, for messages */
    const gint *cancel; /* set atomically by others to stop */
    RfpRate *rate;      /* of reading, shared with other copies; or NULL */
} RfpCopyOptions;

RfpCopy *
rfp_copy_new(const RfpSourceOps *source_ops,
             gpointer source,
             const RfpSinkOps *sink_ops,
             gpointer sink,
             const RfpCopyOptions *options);

/* Runs to the end in threads of its own plus the caller's; the first failure
 * stops all. */
gboolean
rfp_copy_run(RfpCopy *copy, GError **error);

/* Thread-safe. @done and @total: bytes of guest data; @final: the total is
 * known. @read: bytes read from the source. */
void
rfp_copy_progress(RfpCopy *copy,
                  guint64 *done,
                  guint64 *total,
                  gboolean *final,
                  guint64 *read);

void
rfp_copy_free(RfpCopy *copy);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpCopy, rfp_copy_free)

#endif
