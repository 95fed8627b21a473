/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An NBD export over a Unix socket as the source of a copy. The only file
 * that calls libnbd. The server is not trusted: an extent outside what was
 * asked, of no length, or a reply without progress is an error; sizes are
 * bounded.
 */
#ifndef RFP_NBD_SOURCE_H
#define RFP_NBD_SOURCE_H

#include "base/gate.h"
#include "copy/handshakes.h"
#include "image/source.h"

typedef struct _RfpNbdSource RfpNbdSource;

/*
 * Describes an export; nothing is connected yet. @bitmap: name of the dirty
 * bitmap context ("backup-vda", asked for as "qemu:dirty-bitmap:backup-vda"),
 * or NULL. @stall_ms: a reply that takes longer is TIMEOUT; 0: no limit.
 */
RfpNbdSource *
rfp_nbd_source_new(const char *socket_path,
                   const char *export_name,
                   const char *bitmap,
                   guint stall_ms);

/* For QEMU's own server, which somebody may end meanwhile, and which waits for
 * who leaves a reply half read: its connections are made with @handshakes,
 * these and its requests pass through @gate. Both are borrowed. */
void
rfp_nbd_source_share(RfpNbdSource *source,
                     RfpHandshakes *handshakes,
                     RfpGate *gate);

void
rfp_nbd_source_free(RfpNbdSource *source);

/* Connects once and asks for the exact size in bytes. Also checks that the
 * server offers the contexts that are wanted. @cancel as in RfpSourceOps, may
 * be NULL. */
gboolean
rfp_nbd_source_probe(RfpNbdSource *source,
                     const gint *cancel,
                     guint64 *size,
                     GError **error);

/* The operations for rfp_copy_new(); the source pointer is an RfpNbdSource.
 * A connection asks for one context at a time: a map of a kind opens, lazily,
 * a handle that negotiated only that context, so that dirty bits are asked
 * without walking the allocation of a whole disk. */
extern const RfpSourceOps rfp_nbd_source_ops;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpNbdSource, rfp_nbd_source_free)

#endif
