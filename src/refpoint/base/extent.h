/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ranges of a disk, pure. Offsets and lengths are bytes. */
#ifndef RFP_EXTENT_H
#define RFP_EXTENT_H

#include <glib.h>

typedef struct {
    guint64 offset;
    guint64 length;
} RfpExtent;

/* A growing list of ascending extents that neither overlap nor touch.
 * Zero-initialise; free with rfp_extents_clear(). */
typedef struct {
    RfpExtent *items;
    gsize n;
    gsize allocated;
} RfpExtents;

void
rfp_extents_clear(RfpExtents *extents);

/* Forgets the items, keeps the memory. */
void
rfp_extents_reset(RfpExtents *extents);

/* Appends; an extent that overlaps or touches the last one is merged with it.
 * @offset must not lie before the last item's offset; @length > 0. */
void
rfp_extents_append(RfpExtents *extents, guint64 offset, guint64 length);

/* Appends with both ends rounded out to multiples of @unit (a power of two)
 * and clipped to @size. */
void
rfp_extents_append_rounded(RfpExtents *extents,
                           guint64 offset,
                           guint64 length,
                           guint64 unit,
                           guint64 size);

/* Appends the unit in which a view of @view bytes ends, where its last byte is
 * in [offset, offset + length); rounded and clipped as above. */
void
rfp_extents_append_last(RfpExtents *extents,
                        guint64 view,
                        guint64 offset,
                        guint64 length,
                        guint64 unit,
                        guint64 size);

/* Sum of the lengths. */
guint64
rfp_extents_total(const RfpExtents *extents);

/* Whether [offset, offset + length) overlaps an item. O(log n). */
gboolean
rfp_extents_overlap(const RfpExtents *extents, guint64 offset, guint64 length);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpExtents, rfp_extents_clear)

#endif
