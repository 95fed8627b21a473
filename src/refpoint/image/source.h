/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the data of a disk comes from, as a struct of operations. Who reads
 * does not know what is behind it: an NBD server (copy/nbd-source.h), or a
 * chain of images (qcow2-source.h).
 */
#ifndef RFP_SOURCE_H
#define RFP_SOURCE_H

#include <glib.h>

typedef enum {
    RFP_MAP_ALLOCATION, /* flag: the source says that the extent reads zero */
    RFP_MAP_DIRTY,      /* flag: the extent changed since the base */
} RfpMap;

/* One extent of a map. Returns FALSE to stop asking. */
typedef gboolean (*RfpMapFunc)(guint64 offset,
                               guint64 length,
                               gboolean flag,
                               gpointer opaque);

/*
 * Where data comes from. A connection is used by one thread at a time. map()
 * reports extents that cover [offset, offset + length) in
 * order without gaps, clipped to it. All calls give up on @cancel (set
 * atomically) with REFPOINT_ERROR_CANCELLED.
 */
typedef struct {
    gpointer (*open)(gpointer source, const gint *cancel, GError **error);
    void (*close)(gpointer connection);
    gboolean (*read)(gpointer connection,
                     void *data,
                     guint64 offset,
                     guint32 length,
                     GError **error);
    gboolean (*map)(gpointer connection,
                    RfpMap map,
                    guint64 offset,
                    guint64 length,
                    RfpMapFunc func,
                    gpointer opaque,
                    GError **error);
} RfpSourceOps;

#endif
