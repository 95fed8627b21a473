/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The windows of a copy: what is known of the groups that it works on, oldest
 * first. Pure, without a lock.
 */
#ifndef RFP_COPY_WINDOW_H
#define RFP_COPY_WINDOW_H

#include "image/cluster.h"

/* Open at a time; each has half a MiB of leaves. */
#define RFP_COPY_WINDOWS_MAX 4

typedef struct {
    guint64 group;
    guint chunks;     /* cut, and not yet done */
    gboolean planned; /* no more chunks will come */
    gboolean used;    /* something was stored or zeroed */
    guint8 *leaves;   /* as in rfp_digest_file_fill() */
    guint8 *have;
} RfpCopyWindow;

/* Zero-initialise; free with rfp_copy_windows_clear(). */
typedef struct {
    RfpCopyWindow items[RFP_COPY_WINDOWS_MAX];
    guint first;
    guint n;
} RfpCopyWindows;

void
rfp_copy_windows_clear(RfpCopyWindows *windows);

gboolean
rfp_copy_windows_full(const RfpCopyWindows *windows);

/* Opens one where they are not full. NULL: no memory. */
RfpCopyWindow *
rfp_copy_windows_open(RfpCopyWindows *windows, guint64 group);

/* The oldest one if nothing is left to be done in it, or NULL. */
RfpCopyWindow *
rfp_copy_windows_done(RfpCopyWindows *windows);

/* Closes the oldest one. */
void
rfp_copy_windows_close(RfpCopyWindows *windows);

/* Notes that a cluster of the window's group was stored or zeroed. */
void
rfp_copy_window_set(RfpCopyWindow *window, guint64 cluster);

#endif
