/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an NBD server answers when it is asked for a map, and what that says of
 * the disk. Pure; the server is not trusted.
 */
#ifndef RFP_BLOCK_STATUS_H
#define RFP_BLOCK_STATUS_H

#include "image/source.h"

/* One reply. Zero-initialise with @context; free with
 * rfp_block_status_clear(). */
typedef struct {
    const char *context; /* that was asked for; borrowed */
    guint32 *entries;    /* length and flags in turn */
    gsize n_extents;
    guint calls; /* how often the server answered */
} RfpBlockStatus;

/* A map that is asked for, request by request. */
typedef struct {
    guint64 size;   /* of the export */
    guint64 offset; /* of the next request */
    guint64 end;    /* of what is asked for */
    guint32 mask;   /* of the flags that count */
    RfpMapFunc func;
    gpointer opaque;
    gboolean stopped; /* by @func */
} RfpMapWalk;

/* Keeps what the server sent for a context. */
void
rfp_block_status_take(RfpBlockStatus *status,
                      const char *context,
                      const guint32 *entries,
                      gsize n_entries);

/* Hands on the reply to a request of @length bytes from @walk->offset on, and
 * moves that. An extent of no length or beyond the export is an error. */
gboolean
rfp_block_status_report(const RfpBlockStatus *status,
                        guint64 length,
                        RfpMapWalk *walk,
                        GError **error);

void
rfp_block_status_clear(RfpBlockStatus *status);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpBlockStatus, rfp_block_status_clear)

#endif
