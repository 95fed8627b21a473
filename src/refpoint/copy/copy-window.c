/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/copy-window.h"

#include <string.h>

#define LEAVES_SIZE (RFP_GROUP_LEAVES * RFP_LEAF_SIZE)
#define HAVE_SIZE (RFP_GROUP_LEAVES / 8)

void
rfp_copy_windows_clear(RfpCopyWindows *windows)
{
    for (guint i = 0; i < RFP_COPY_WINDOWS_MAX; i++) {
        g_free(windows->items[i].leaves);
        g_free(windows->items[i].have);
    }
    memset(windows, 0, sizeof(*windows));
}

gboolean
rfp_copy_windows_full(const RfpCopyWindows *windows)
{
    return windows->n == RFP_COPY_WINDOWS_MAX;
}

RfpCopyWindow *
rfp_copy_windows_open(RfpCopyWindows *windows, guint64 group)
{
    const guint at = (windows->first + windows->n) % RFP_COPY_WINDOWS_MAX;
    RfpCopyWindow *window = &windows->items[at];

    if (window->leaves == NULL)
        window->leaves = g_try_malloc(LEAVES_SIZE);
    if (window->have == NULL)
        window->have = g_try_malloc(HAVE_SIZE);
    if (window->leaves == NULL || window->have == NULL)
        return NULL;
    memset(window->leaves, 0, LEAVES_SIZE);
    memset(window->have, 0, HAVE_SIZE);
    window->group = group;
    window->chunks = 0;
    window->planned = FALSE;
    window->used = FALSE;
    windows->n++;
    return window;
}

RfpCopyWindow *
rfp_copy_windows_done(RfpCopyWindows *windows)
{
    RfpCopyWindow *oldest = &windows->items[windows->first];

    if (windows->n == 0 || !oldest->planned || oldest->chunks > 0)
        return NULL;
    return oldest;
}

void
rfp_copy_windows_close(RfpCopyWindows *windows)
{
    windows->first = (windows->first + 1) % RFP_COPY_WINDOWS_MAX;
    windows->n--;
}

void
rfp_copy_window_set(RfpCopyWindow *window, guint64 cluster)
{
    const guint i = cluster % RFP_GROUP_LEAVES;

    window->have[i / 8] |= 1 << i % 8;
    window->used = TRUE;
}
