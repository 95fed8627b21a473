/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/sha256.h"

/* GLib's SHA-256 shares no code with that of GnuTLS. */
static void
assert_abc(const guint8 *digest)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 wanted[RFP_SHA256_SIZE];
    gsize n = sizeof(wanted);

    g_checksum_update(sum, (const guint8 *)"abc", 3);
    g_checksum_get_digest(sum, wanted, &n);
    g_assert_cmpmem(digest, RFP_SHA256_SIZE, wanted, sizeof(wanted));
}

static void
test_whole(void)
{
    guint8 digest[RFP_SHA256_SIZE];

    rfp_sha256("abc", 3, digest);
    assert_abc(digest);
}

static void
test_steps(void)
{
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    guint8 digest[RFP_SHA256_SIZE];

    for (guint i = 0; i < 2; i++) { /* the second one starts anew */
        rfp_sha256_update(sha, "ab", 2);
        rfp_sha256_update(sha, NULL, 0);
        rfp_sha256_update(sha, "c", 1);
        rfp_sha256_finish(sha, digest);
        assert_abc(digest);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sha256/whole", test_whole);
    g_test_add_func("/sha256/steps", test_steps);
    return g_test_run();
}
