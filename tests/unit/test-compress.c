/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/compress.h"

#include <string.h>

static void
fill_text(guint8 *data)
{
    for (guint i = 0; i < RFP_CLUSTER_SIZE; i++)
        data[i] = "all work and no play "[(i + i / 1000) % 21];
}

static void
fill_random(guint8 *data)
{
    for (guint i = 0; i < RFP_CLUSTER_SIZE; i++)
        data[i] = (guint8)g_test_rand_int();
}

static gsize
compress_with(RfpCompress *compress, const guint8 *data, guint8 *out)
{
    RfpCompressor *compressor = rfp_compress_take(compress);
    const gsize length = rfp_compressor_run(compress, compressor, data);

    memcpy(out, compressor->data, length);
    rfp_compress_give(compress, compressor);
    return length;
}

static void
test_levels(void)
{
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *out = g_malloc0(2 * RFP_CLUSTER_SIZE);
    g_autofree guint8 *back = g_malloc(RFP_CLUSTER_SIZE);
    gpointer context = NULL;

    fill_text(data);
    for (int level = 0; level <= 22; level++) {
        g_autoptr(RfpCompress) compress = rfp_compress_new(level, 1);
        const gsize length = compress_with(compress, data, out);

        g_assert_cmpuint(length, >, 0);
        g_assert_cmpuint(length, <, RFP_CLUSTER_SIZE / 4);
        /* With what happens to stand behind it in the sector. */
        memset(out + length, level, 512);
        memset(back, 0xee, RFP_CLUSTER_SIZE);
        g_assert_true(rfp_decompress(&context, out, length + 511, back));
        g_assert_cmpint(memcmp(data, back, RFP_CLUSTER_SIZE), ==, 0);
    }
    rfp_decompress_end(&context);
    rfp_decompress_end(&context);
}

static void
test_incompressible(void)
{
    g_autoptr(RfpCompress) compress = rfp_compress_new(0, 2);
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *out = g_malloc(RFP_CLUSTER_SIZE);

    fill_random(data);
    g_assert_cmpuint(compress_with(compress, data, out), ==, 0);
    fill_text(data);
    g_assert_cmpuint(compress_with(compress, data, out), >, 0);
}

/* Less than a frame, or none. */
static void
test_frames(void)
{
    g_autoptr(RfpCompress) compress = rfp_compress_new(0, 1);
    g_autofree guint8 *data = g_malloc0(RFP_CLUSTER_SIZE);
    g_autofree guint8 *out = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *back = g_malloc(RFP_CLUSTER_SIZE);
    gpointer context = NULL;
    const gsize length = compress_with(compress, data, out);

    g_assert_true(rfp_decompress(&context, out, length, back));
    g_assert_false(rfp_decompress(&context, out, length - 1, back));
    g_assert_false(rfp_decompress(&context, out, 0, back));
    memset(out, 0, 512);
    g_assert_false(rfp_decompress(&context, out, 512, back));
    rfp_decompress_end(&context);
}

/* Nonsense: an answer, never a crash. */
static void
test_hostile(void)
{
    g_autoptr(RfpCompress) compress = rfp_compress_new(0, 1);
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *out = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *bad = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *back = g_malloc(RFP_CLUSTER_SIZE);
    gpointer context = NULL;
    gsize length;

    fill_text(data);
    length = compress_with(compress, data, out);
    for (guint i = 0; i < 5000; i++) {
        memcpy(bad, out, length);
        for (guint j = 0; j <= i % 3; j++)
            bad[g_test_rand_int_range(0, MIN((gint32)length, 200))] =
                (guint8)g_test_rand_int();
        rfp_decompress(&context, bad, length, back);
    }
    g_assert_true(rfp_decompress(&context, out, length, back));
    g_assert_cmpint(memcmp(data, back, RFP_CLUSTER_SIZE), ==, 0);
    rfp_decompress_end(&context);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compress/levels", test_levels);
    g_test_add_func("/compress/incompressible", test_incompressible);
    g_test_add_func("/compress/frames", test_frames);
    g_test_add_func("/compress/hostile", test_hostile);
    return g_test_run();
}
