/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest.h"

#include <string.h>

#include "image/sha256-lanes.h"

/* SHA-256 by GLib, which shares no code with GnuTLS. */
static void
sha256(const void *data, gsize length, guint8 *digest)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = RFP_LEAF_SIZE;

    g_checksum_update(sum, data, (gssize)length);
    g_checksum_get_digest(sum, digest, &n);
}

static void
assert_digest(const guint8 *got, const guint8 *wanted)
{
    g_assert_cmpmem(got, RFP_LEAF_SIZE, wanted, RFP_LEAF_SIZE);
}

static void
test_zero(void)
{
    g_autofree guint8 *data = g_malloc0(RFP_CLUSTER_SIZE + 8);

    g_assert_true(rfp_is_zero(data, 0));
    for (gsize length = 1; length < 300; length++)
        for (gsize at = 0; at < length; at++) {
            data[3 + at] = 1;
            g_assert_false(rfp_is_zero(data + 3, length));
            data[3 + at] = 0;
            g_assert_true(rfp_is_zero(data + 3, length));
        }
    for (guint i = 0; i < 1000; i++) {
        gsize at = (gsize)g_test_rand_int_range(0, RFP_CLUSTER_SIZE);

        data[at] = 0x80;
        g_assert_false(rfp_is_zero(data, RFP_CLUSTER_SIZE));
        data[at] = 0;
    }
    data[RFP_CLUSTER_SIZE] = 1; /* behind it */
    g_assert_true(rfp_is_zero(data, RFP_CLUSTER_SIZE));
}

static void
test_leaf(void)
{
    const guint8 zero[RFP_LEAF_SIZE] = {0};
    g_autofree guint8 *data = g_malloc0(RFP_CLUSTER_SIZE);
    guint8 leaf[RFP_LEAF_SIZE];
    guint8 wanted[RFP_LEAF_SIZE];

    memset(leaf, 0xaa, sizeof(leaf));
    g_assert_true(rfp_digest_leaf(data, RFP_CLUSTER_SIZE, leaf));
    assert_digest(leaf, zero);
    data[100] = 1;
    g_assert_false(rfp_digest_leaf(data, RFP_CLUSTER_SIZE, leaf));
    sha256(data, RFP_CLUSTER_SIZE, wanted);
    assert_digest(leaf, wanted);
    /* The last cluster of a disk is shorter, and is hashed so. */
    g_assert_false(rfp_digest_leaf(data, 101, leaf));
    sha256(data, 101, wanted);
    assert_digest(leaf, wanted);
    g_assert_true(rfp_digest_leaf(data, 100, leaf));
    assert_digest(leaf, zero);
}

/* Every number of clusters, some of them zero: together and one by one. */
static void
test_leaves(void)
{
    enum { MAX_CLUSTERS = 40 };
    g_autofree guint8 *data = g_malloc(MAX_CLUSTERS * RFP_CLUSTER_SIZE + 1);
    guint8 *unaligned = data + 1;
    guint8 leaves[MAX_CLUSTERS * RFP_LEAF_SIZE];
    gboolean is_zero[MAX_CLUSTERS];

    for (gsize i = 0; i <= MAX_CLUSTERS * RFP_CLUSTER_SIZE; i++)
        data[i] = (guint8)g_test_rand_int();
    for (guint n = 0; n <= MAX_CLUSTERS; n++) {
        const gsize cut = n > 0 && n % 3 == 0 ? 77 * n : 0;

        if (n > 0 && n % 4 == 0)
            memset(unaligned + (n - 2) * RFP_CLUSTER_SIZE, 0, RFP_CLUSTER_SIZE);
        rfp_digest_leaves(unaligned, n * RFP_CLUSTER_SIZE - cut, leaves,
                          is_zero);
        for (guint i = 0; i < n; i++) {
            const gsize length = RFP_CLUSTER_SIZE - (i == n - 1 ? cut : 0);
            guint8 wanted[RFP_LEAF_SIZE];

            g_assert_cmpint(rfp_digest_leaf(unaligned + i * RFP_CLUSTER_SIZE,
                                            length, wanted),
                            ==, is_zero[i]);
            assert_digest(leaves + i * RFP_LEAF_SIZE, wanted);
        }
    }
}

/* Lengths that clusters do not have. */
static void
test_lanes(void)
{
    g_autofree guint8 *data = g_malloc(RFP_SHA256_LANES * 1024);
    guint8 got[RFP_SHA256_LANES * RFP_LEAF_SIZE];
    const guint8 *messages[RFP_SHA256_LANES];
    guint8 *digests[RFP_SHA256_LANES];

    if (!rfp_sha256_lanes_work()) {
        g_test_skip("this CPU cannot");
        return;
    }
    for (gsize i = 0; i < RFP_SHA256_LANES * 1024; i++)
        data[i] = (guint8)g_test_rand_int();
    for (guint i = 0; i < RFP_SHA256_LANES; i++) {
        messages[i] = data + i * 1024;
        digests[i] = got + i * RFP_LEAF_SIZE;
    }
    for (gsize length = 0; length <= 1024; length += 64) {
        rfp_sha256_lanes(messages, length, digests);
        for (guint i = 0; i < RFP_SHA256_LANES; i++) {
            guint8 wanted[RFP_LEAF_SIZE];

            sha256(messages[i], length, wanted);
            assert_digest(digests[i], wanted);
        }
    }
}

static void
test_group(void)
{
    const guint8 zero[RFP_LEAF_SIZE] = {0};
    g_autofree guint8 *leaves = g_malloc0(RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    guint8 group[RFP_LEAF_SIZE];
    guint8 wanted[RFP_LEAF_SIZE];

    rfp_digest_group(leaves, RFP_GROUP_LEAVES, group);
    assert_digest(group, zero);
    leaves[RFP_GROUP_LEAVES * RFP_LEAF_SIZE - 1] = 1;
    rfp_digest_group(leaves, RFP_GROUP_LEAVES, group);
    sha256(leaves, RFP_GROUP_LEAVES * RFP_LEAF_SIZE, wanted);
    assert_digest(group, wanted);
    leaves[0] = 1;
    rfp_digest_group(leaves, 1, group);
    sha256(leaves, RFP_LEAF_SIZE, wanted);
    assert_digest(group, wanted);
}

/* The bytes written out by hand, as the format says. */
static void
test_view(void)
{
    guint8 text[15 + 8 + 2 * RFP_LEAF_SIZE] = "refpoint-view-1";
    guint8 view[RFP_LEAF_SIZE];
    guint8 wanted[RFP_LEAF_SIZE];
    guint64 size = RFP_GROUP_SIZE + 0x0102;

    for (guint i = 0; i < 2 * RFP_LEAF_SIZE; i++)
        text[23 + i] = (guint8)i;
    for (guint i = 0; i < 8; i++)
        text[15 + i] = (guint8)(size >> (8 * i));
    rfp_digest_view(size, text + 23, view);
    sha256(text, sizeof(text), wanted);
    assert_digest(view, wanted);

    memset(text + 15, 0, 8); /* an empty disk has no groups */
    rfp_digest_view(0, NULL, view);
    sha256(text, 23, wanted);
    assert_digest(view, wanted);
}

static void
test_hex(void)
{
    static const char hex[] = "ba7816bf8f01cfea414140de5dae2223"
                              "b00361a396177a9cb410ff61f20015ad";
    guint8 digest[RFP_LEAF_SIZE];
    guint8 again[RFP_LEAF_SIZE];
    g_autofree char *text = NULL;
    g_autofree char *upper = g_ascii_strup(hex, -1);
    g_autofree char *longer = g_strconcat(hex, "0", NULL);
    g_autofree char *wrong = g_strdup(hex);

    sha256("abc", 3, digest);
    text = rfp_digest_to_hex(digest);
    g_assert_cmpstr(text, ==, hex);
    g_assert_true(rfp_digest_from_hex(upper, again));
    assert_digest(again, digest);
    g_assert_false(rfp_digest_from_hex("", again));
    g_assert_false(rfp_digest_from_hex(hex + 1, again));
    g_assert_false(rfp_digest_from_hex(longer, again));
    wrong[63] = 'g';
    g_assert_false(rfp_digest_from_hex(wrong, again));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest/zero", test_zero);
    g_test_add_func("/digest/leaf", test_leaf);
    g_test_add_func("/digest/leaves", test_leaves);
    g_test_add_func("/digest/lanes", test_lanes);
    g_test_add_func("/digest/group", test_group);
    g_test_add_func("/digest/view", test_view);
    g_test_add_func("/digest/hex", test_hex);
    return g_test_run();
}
