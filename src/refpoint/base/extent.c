/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/extent.h"

/* Ends saturate, so that a length from outside cannot wrap around. */
static guint64
extent_end(guint64 offset, guint64 length)
{
    return length > G_MAXUINT64 - offset ? G_MAXUINT64 : offset + length;
}

void
rfp_extents_clear(RfpExtents *extents)
{
    g_clear_pointer(&extents->items, g_free);
    extents->n = 0;
    extents->allocated = 0;
}

void
rfp_extents_reset(RfpExtents *extents)
{
    extents->n = 0;
}

static void
extents_grow(RfpExtents *extents)
{
    if (extents->n < extents->allocated)
        return;
    extents->allocated = MAX(16, extents->allocated * 2);
    extents->items = g_renew(RfpExtent, extents->items, extents->allocated);
}

/* Appends [start, end); swallows the items that it reaches back to. */
static void
extents_add(RfpExtents *extents, guint64 start, guint64 end)
{
    while (extents->n > 0) {
        const RfpExtent *last = &extents->items[extents->n - 1];
        guint64 last_end = extent_end(last->offset, last->length);

        if (last_end < start)
            break;
        start = MIN(start, last->offset);
        end = MAX(end, last_end);
        extents->n--;
    }
    extents_grow(extents);
    extents->items[extents->n++] = (RfpExtent){start, end - start};
}

void
rfp_extents_append(RfpExtents *extents, guint64 offset, guint64 length)
{
    g_return_if_fail(length > 0);
    g_return_if_fail(extents->n == 0 ||
                     offset >= extents->items[extents->n - 1].offset);

    extents_add(extents, offset, extent_end(offset, length));
}

void
rfp_extents_append_rounded(RfpExtents *extents,
                           guint64 offset,
                           guint64 length,
                           guint64 unit,
                           guint64 size)
{
    guint64 mask = unit - 1;
    guint64 start = offset & ~mask;
    guint64 end = MIN(extent_end(offset, length), size);

    g_return_if_fail(unit > 0 && (unit & mask) == 0);

    if (length == 0 || offset >= size)
        return;
    /* Clipped first: rounding a clipped end cannot lose anything, and the
     * second clip keeps it inside. */
    end = end > G_MAXUINT64 - mask ? size : MIN((end + mask) & ~mask, size);
    extents_add(extents, start, end);
}

void
rfp_extents_append_last(RfpExtents *extents,
                        guint64 view,
                        guint64 offset,
                        guint64 length,
                        guint64 unit,
                        guint64 size)
{
    const guint64 last = view - 1;

    if (view > 0 && last >= offset && last - offset < length)
        rfp_extents_append_rounded(extents, last, 1, unit, size);
}

guint64
rfp_extents_total(const RfpExtents *extents)
{
    guint64 total = 0;

    for (gsize i = 0; i < extents->n; i++)
        total += extents->items[i].length;
    return total;
}

gboolean
rfp_extents_overlap(const RfpExtents *extents, guint64 offset, guint64 length)
{
    gsize low = 0;
    gsize high = extents->n;

    /* The first item that ends behind @offset. */
    while (low < high) {
        gsize mid = low + (high - low) / 2;
        const RfpExtent *item = &extents->items[mid];

        if (extent_end(item->offset, item->length) > offset)
            high = mid;
        else
            low = mid + 1;
    }
    return length > 0 && low < extents->n &&
           extents->items[low].offset < extent_end(offset, length);
}
