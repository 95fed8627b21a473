/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SHA-256 of 16 messages of one length at once, one in each 32-bit lane of the
 * AVX-512 registers: half the time of one after another with the instructions
 * that a CPU has for SHA-256, which depend on one another.
 */
#ifndef RFP_SHA256_LANES_H
#define RFP_SHA256_LANES_H

#include <glib.h>

#define RFP_SHA256_LANES 16
/* For fewer messages, one after another is faster. */
#define RFP_SHA256_LANES_MIN 9

/* Whether this CPU can. */
gboolean
rfp_sha256_lanes_work(void);

/* Only where they work. @length: of each message, a multiple of 64 bytes below
 * 512 MiB. @digests: 32 bytes each. */
void
rfp_sha256_lanes(const guint8 *const *messages,
                 gsize length,
                 guint8 *const *digests);

#endif
