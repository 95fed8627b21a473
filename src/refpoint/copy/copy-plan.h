/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts a disk's maps into the steps of a copy, in ascending order. Does no
 * I/O but the source's map(); runs in one thread.
 */
#ifndef RFP_COPY_PLAN_H
#define RFP_COPY_PLAN_H

#include "base/extent.h"
#include "copy/copy.h"

/*
 * What is done with the steps. No step crosses a window; each begins at a
 * cluster and ends at one or at the disk's end. FALSE stops the planning.
 */
typedef struct {
    /* To be read; at most options.buffer bytes. */
    gboolean (*data)(gpointer opaque,
                     guint64 offset,
                     guint32 length,
                     GError **error);
    /* Reads as zeroes, and has to be stored as such: increments only. */
    gboolean (*zero)(gpointer opaque,
                     guint64 offset,
                     guint64 length,
                     GError **error);
    /* So many bytes need nothing. */
    void (*skip)(gpointer opaque, guint64 length);
    /* So many more bytes will be in steps. @final: that is all. */
    void (*total)(gpointer opaque, guint64 length, gboolean final);
} RfpCopyPlanOps;

/* Appends what an increment stores of one extent of the dirty map, in clusters:
 * all of it if it is @dirty, else where a resized disk ended or ends in it. */
void
rfp_copy_plan_dirty(const RfpCopyOptions *options,
                    RfpExtents *extents,
                    guint64 offset,
                    guint64 length,
                    gboolean dirty);

/*
 * Plans all of a disk. @connection is one of @source_ops. An increment's dirty
 * map is asked for the whole disk, its allocation only inside of what is dirty
 * and where that is more than one read.
 */
gboolean
rfp_copy_plan(const RfpSourceOps *source_ops,
              gpointer connection,
              const RfpCopyOptions *options,
              const RfpCopyPlanOps *ops,
              gpointer opaque,
              GError **error);

#endif
