/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/block-status.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Extents taken from one reply, the rest is asked for again. QEMU never sends
 * more. */
#define MAX_EXTENTS 131072

void
rfp_block_status_take(RfpBlockStatus *status,
                      const char *context,
                      const guint32 *entries,
                      gsize n_entries)
{
    const gsize n = MIN(n_entries / 2, MAX_EXTENTS);

    if (strcmp(context, status->context) != 0 || ++status->calls > 1)
        return;
    status->entries = g_try_malloc_n(n, 2 * sizeof(guint32));
    if (status->entries == NULL)
        return;
    memcpy(status->entries, entries, n * 2 * sizeof(guint32));
    status->n_extents = n;
}

/* The protocol allows the last extent to reach beyond what was asked, and
 * nbdkit sends one more behind it; never beyond the export. */
gboolean
rfp_block_status_report(const RfpBlockStatus *status,
                        guint64 length,
                        RfpMapWalk *walk,
                        GError **error)
{
    const guint64 end = walk->offset + length;
    guint64 extent_end = walk->offset;

    if (status->calls != 1 || status->n_extents == 0) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the NBD server sent no extents, or twice"));
        return FALSE;
    }
    for (gsize i = 0; i < status->n_extents; i++) {
        const guint32 *entry = status->entries + 2 * i;
        const guint64 begin = extent_end;

        extent_end += entry[0];
        if (entry[0] == 0 || extent_end > walk->size) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("the NBD server sent an extent of %u bytes at "
                            "offset %" PRIu64),
                          entry[0], begin);
            return FALSE;
        }
        if (begin >= end || walk->stopped)
            continue;
        walk->offset = MIN(extent_end, end);
        walk->stopped = !walk->func(begin, walk->offset - begin,
                                    (entry[1] & walk->mask) != 0, walk->opaque);
    }
    return TRUE;
}

void
rfp_block_status_clear(RfpBlockStatus *status)
{
    g_clear_pointer(&status->entries, g_free);
}
