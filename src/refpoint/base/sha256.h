/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256 of bytes that are here, or that come in steps. */
#ifndef RFP_SHA256_H
#define RFP_SHA256_H

#include <glib.h>

#define RFP_SHA256_SIZE 32 /* bytes of a digest */

/* Writes RFP_SHA256_SIZE bytes to @digest. */
void
rfp_sha256(const void *data, gsize length, guint8 *digest);

typedef struct _RfpSha256 RfpSha256;

RfpSha256 *
rfp_sha256_new(void);

void
rfp_sha256_update(RfpSha256 *sha, const void *data, gsize length);

/* Writes RFP_SHA256_SIZE bytes to @digest and starts anew. */
void
rfp_sha256_finish(RfpSha256 *sha, guint8 *digest);

void
rfp_sha256_free(RfpSha256 *sha);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpSha256, rfp_sha256_free)

#endif
