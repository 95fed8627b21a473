/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GnuTLS cannot fail at this unless it was built without SHA-256; a digest that
 * is wrong and nobody sees it would be worse than the end of the process.
 */
#include "base/sha256.h"

#include <gnutls/crypto.h>

struct _RfpSha256 {
    gnutls_hash_hd_t handle;
};

void
rfp_sha256(const void *data, gsize length, guint8 *digest)
{
    int status = gnutls_hash_fast(GNUTLS_DIG_SHA256, data, length, digest);

    g_assert(status == 0);
}

RfpSha256 *
rfp_sha256_new(void)
{
    RfpSha256 *sha = g_new0(RfpSha256, 1);
    int status = gnutls_hash_init(&sha->handle, GNUTLS_DIG_SHA256);

    g_assert(status == 0);
    return sha;
}

void
rfp_sha256_update(RfpSha256 *sha, const void *data, gsize length)
{
    int status = length > 0 ? gnutls_hash(sha->handle, data, length) : 0;

    g_assert(status == 0);
}

void
rfp_sha256_finish(RfpSha256 *sha, guint8 *digest)
{
    gnutls_hash_output(sha->handle, digest); /* resets the state */
}

void
rfp_sha256_free(RfpSha256 *sha)
{
    if (sha == NULL)
        return;
    gnutls_hash_deinit(sha->handle, NULL);
    g_free(sha);
}
