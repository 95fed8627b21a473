/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-layout.h"

#include <string.h>

#include "refpoint.h"

#define TIB ((guint64)1 << 40)

static char qcow2[] = "qcow2";
static char backing[] = "20261121T203000Z-1f0c9a3e.qcow2";

static const RfpQcow2Header sample = {
    .size = (guint64)5 << 30,
    .backing_file = backing,
    .backing_format = qcow2,
    .l1_offset = 0x30000,
    .l1_entries = 10,
    .refcount_table_offset = 0x50000,
    .refcount_table_clusters = 1,
};

static guint8 *
sample_bytes(void)
{
    guint8 *bytes = g_malloc(RFP_CLUSTER_SIZE);

    memset(bytes, 0xee, RFP_CLUSTER_SIZE);
    g_assert_true(rfp_qcow2_header_write(&sample, bytes));
    return bytes;
}

static void
test_round(void)
{
    const guint64 sizes[][3] = {
        /* bytes, rounded, L1 entries */
        {0, 0, 1},
        {1, 512, 1},
        {511, 512, 1},
        {512, 512, 1},
        {513, 1024, 1},
        {65537, 66048, 1},
        {RFP_QCOW2_L2_SPAN, RFP_QCOW2_L2_SPAN, 1},
        {RFP_QCOW2_L2_SPAN + 1, RFP_QCOW2_L2_SPAN + 512, 2},
        {63 * TIB, 63 * TIB, 63 * 2048},
    };

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_assert_cmpuint(rfp_qcow2_round_size(sizes[i][0]), ==, sizes[i][1]);
        g_assert_cmpuint(rfp_qcow2_l1_entries(sizes[i][0]), ==, sizes[i][2]);
    }
}

static void
assert_tail_placed(guint64 data_end, guint64 size, guint64 placed)
{
    RfpQcow2Tail tail;
    guint64 clusters;
    guint64 covered;

    rfp_qcow2_tail(data_end, size, placed, &tail);
    clusters = tail.file_size / RFP_CLUSTER_SIZE;
    covered = (tail.refcount_blocks + placed) * RFP_QCOW2_REFCOUNTS_PER_BLOCK;
    g_assert_cmpuint(tail.l1_offset, ==, data_end);
    g_assert_cmpuint(tail.refcount_blocks_offset, ==,
                     data_end +
                         rfp_cluster_count(rfp_qcow2_l1_entries(size) * 8) *
                             RFP_CLUSTER_SIZE);
    g_assert_cmpuint(tail.refcount_table_offset, ==,
                     tail.refcount_blocks_offset +
                         tail.refcount_blocks * RFP_CLUSTER_SIZE);
    g_assert_cmpuint(tail.file_size, ==,
                     tail.refcount_table_offset +
                         tail.refcount_table_clusters * RFP_CLUSTER_SIZE);
    /* All clusters are covered, by no more blocks than needed. */
    g_assert_cmpuint(covered, >=, clusters);
    g_assert_cmpuint(covered - clusters, <, RFP_QCOW2_REFCOUNTS_PER_BLOCK);
    g_assert_cmpuint(tail.refcount_table_clusters, ==,
                     rfp_cluster_count((tail.refcount_blocks + placed) * 8));
}

static void
assert_tail(guint64 data_end, guint64 size)
{
    assert_tail_placed(data_end, size, 0);
}

static void
test_tail(void)
{
    assert_tail(RFP_CLUSTER_SIZE, 0);
    assert_tail(63 * TIB, 63 * TIB);
    assert_tail(64 * TIB, 64 * TIB);
    /* Around the points where a block, or a table cluster, is added. */
    for (guint64 i = 1; i < 40; i++) {
        assert_tail((32768 - i) * RFP_CLUSTER_SIZE, TIB);
        assert_tail_placed((65536 - i) * RFP_CLUSTER_SIZE, TIB, 1);
        assert_tail((8192 * 32768 - i) * RFP_CLUSTER_SIZE, 63 * TIB);
        assert_tail((8192 * 32768 - 8192 - i) * RFP_CLUSTER_SIZE, 63 * TIB);
    }
}

static void
test_compressed(void)
{
    const guint64 cases[][4] = {
        /* offset, length, further sectors, bytes to the end of the last */
        {65536, 1, 0, 512},
        {65536, 512, 0, 512},
        {65536, 513, 1, 1024},
        {66047, 1, 0, 1},
        {66047, 2, 1, 513},
        {65600, 65024, 127, 65472},
        {((guint64)1 << 53) + 511, 65536, 128, 65537},
    };

    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const guint64 entry =
            rfp_qcow2_compressed_entry(cases[i][0], cases[i][1]);

        g_assert_cmpuint(entry, ==,
                         (guint64)1 << 62 | cases[i][2] << 54 | cases[i][0]);
        g_assert_cmpuint(rfp_qcow2_compressed_offset(entry), ==, cases[i][0]);
        g_assert_cmpuint(rfp_qcow2_compressed_length(entry), ==, cases[i][3]);
    }
}

static void
test_compression_type(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *bytes = g_malloc(RFP_CLUSTER_SIZE);
    RfpQcow2Header header = sample;
    g_auto(RfpQcow2Header) again = {0};

    header.compression_type = RFP_QCOW2_TYPE_ZSTD;
    g_assert_true(rfp_qcow2_header_write(&header, bytes));
    rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &again, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(again.compression_type, ==, RFP_QCOW2_TYPE_ZSTD);
    g_assert_cmpuint(again.incompatible, ==, 8);
    g_assert_true(rfp_qcow2_header_check(&again, sample.size, backing, &error));
    g_assert_no_error(error);
}

static void
test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *bytes = sample_bytes();
    g_auto(RfpQcow2Header) header = {0};

    rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &header, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(header.size, ==, sample.size);
    g_assert_cmpstr(header.backing_file, ==, backing);
    g_assert_cmpstr(header.backing_format, ==, "qcow2");
    g_assert_cmpuint(header.l1_offset, ==, sample.l1_offset);
    g_assert_cmpuint(header.l1_entries, ==, sample.l1_entries);
    g_assert_cmpuint(header.refcount_table_offset, ==,
                     sample.refcount_table_offset);
    g_assert_cmpuint(header.refcount_table_clusters, ==, 1);
    g_assert_cmpuint(header.cluster_bits, ==, 16);
    g_assert_cmpuint(header.refcount_order, ==, 4);
    g_assert_cmpuint(header.incompatible, ==, 0);
    g_assert_true(
        rfp_qcow2_header_check(&header, sample.size - 511, backing, &error));
    g_assert_no_error(error);
    for (gsize i = 400; i < RFP_CLUSTER_SIZE; i++)
        g_assert_cmpuint(bytes[i], ==, 0);
}

static void
test_backing_names(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *bytes = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree char *longest = g_strnfill(RFP_QCOW2_BACKING_MAX, 'x');
    g_autofree char *longer = g_strnfill(RFP_QCOW2_BACKING_MAX + 1, 'x');
    RfpQcow2Header header = sample;
    g_auto(RfpQcow2Header) again = {0};
    g_auto(RfpQcow2Header) none = {0};

    header.backing_file = longer;
    g_assert_false(rfp_qcow2_header_write(&header, bytes));
    header.backing_file = longest;
    g_assert_true(rfp_qcow2_header_write(&header, bytes));
    rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &again, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again.backing_file, ==, longest);

    header.backing_file = NULL;
    header.backing_format = NULL;
    g_assert_true(rfp_qcow2_header_write(&header, bytes));
    rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &none, &error);
    g_assert_no_error(error);
    g_assert_null(none.backing_file);
    g_assert_true(rfp_qcow2_header_check(&none, sample.size, NULL, &error));
}

/* Patches of the sample, big endian, and what the reader says. */
typedef struct {
    const char *name;
    guint offset;
    guint width;
    guint64 value;
    const char *message;
} Patch;

static const Patch unreadable[];
static const Patch unacceptable[];

static void
patch(guint8 *bytes, const Patch *change)
{
    for (guint i = 0; i < change->width; i++)
        bytes[change->offset + i] =
            (guint8)(change->value >> (8 * (change->width - 1 - i)));
}

static void
assert_message(const Patch *change, const GError *error)
{
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    if (strstr(error->message, change->message) == NULL)
        g_error("%s: %s", change->name, error->message);
}

static void
test_unreadable(void)
{
    for (const Patch *change = unreadable; change->name != NULL; change++) {
        g_autoptr(GError) error = NULL;
        g_autofree guint8 *bytes = sample_bytes();
        RfpQcow2Header header;

        patch(bytes, change);
        if (rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &header, &error))
            g_error("%s: was read", change->name);
        assert_message(change, error);
        g_assert_null(header.backing_file);
    }
}

static void
test_unacceptable(void)
{
    for (const Patch *change = unacceptable; change->name != NULL; change++) {
        g_autoptr(GError) error = NULL;
        g_autofree guint8 *bytes = sample_bytes();
        g_auto(RfpQcow2Header) header = {0};

        patch(bytes, change);
        if (!rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &header, &error))
            g_error("%s: %s", change->name, error->message);
        if (rfp_qcow2_header_check(&header, sample.size, backing, &error))
            g_error("%s: was accepted", change->name);
        assert_message(change, error);
    }
}

/* Backing files that are not the expected one, either way. */
static void
test_other_backing(void)
{
    g_autofree guint8 *bytes = sample_bytes();
    g_auto(RfpQcow2Header) header = {0};

    g_assert_true(
        rfp_qcow2_header_read(bytes, RFP_CLUSTER_SIZE, &header, NULL));
    g_assert_false(rfp_qcow2_header_check(&header, sample.size, NULL, NULL));
    g_assert_false(rfp_qcow2_header_check(&header, sample.size, "x", NULL));
    g_clear_pointer(&header.backing_file, g_free);
    g_assert_false(rfp_qcow2_header_check(&header, sample.size, backing, NULL));
    g_assert_true(rfp_qcow2_header_check(&header, sample.size, NULL, NULL));
}

/* A file that ends inside its header is never read beyond that. */
static void
test_cut(void)
{
    g_autofree guint8 *bytes = sample_bytes();
    gsize end = 136 + strlen(backing); /* of the name */

    for (gsize i = 0; i < 1000; i++) {
        g_autofree guint8 *cut = memcpy(g_malloc(i + 1), bytes, i);
        g_auto(RfpQcow2Header) header = {0};
        gboolean good = rfp_qcow2_header_read(cut, i, &header, NULL);

        g_assert_cmpint(good, ==, i >= end);
    }
}

static void
test_random(void)
{
    for (guint i = 0; i < 20000; i++) {
        g_autofree guint8 *bytes = sample_bytes();
        g_auto(RfpQcow2Header) header = {0};
        g_autoptr(GError) error = NULL;
        gsize length = (gsize)g_test_rand_int_range(100, 400);

        for (guint j = 0; j < 3; j++)
            bytes[g_test_rand_int_range(0, 200)] = (guint8)g_test_rand_int();
        if (!rfp_qcow2_header_read(bytes, length, &header, &error))
            g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-layout/round", test_round);
    g_test_add_func("/qcow2-layout/tail", test_tail);
    g_test_add_func("/qcow2-layout/compressed", test_compressed);
    g_test_add_func("/qcow2-layout/compression-type", test_compression_type);
    g_test_add_func("/qcow2-layout/header/round-trip", test_round_trip);
    g_test_add_func("/qcow2-layout/header/backing-names", test_backing_names);
    g_test_add_func("/qcow2-layout/header/unreadable", test_unreadable);
    g_test_add_func("/qcow2-layout/header/unacceptable", test_unacceptable);
    g_test_add_func("/qcow2-layout/header/other-backing", test_other_backing);
    g_test_add_func("/qcow2-layout/header/cut", test_cut);
    g_test_add_func("/qcow2-layout/header/random", test_random);
    return g_test_run();
}

/* The extensions begin at 112: backing format (type, length, "qcow2", padding)
 * to 128, the end to 136, then the backing file's name. */
static const Patch unreadable[] = {
    {"magic", 0, 4, 0x514649fa, "not a qcow2 image"},
    {"version 2", 4, 4, 2, "version 3"},
    {"version 4", 4, 4, 4, "version 3"},
    {"name inside the fields", 8, 8, 8, "not inside the header"},
    {"name beyond the cluster", 8, 8, 65537, "not inside the header"},
    {"name far away", 8, 8, G_MAXUINT64, "not inside the header"},
    {"name too long", 16, 4, 1024, "not inside the header"},
    {"name of no length", 16, 4, 0, "not inside the header"},
    {"name with NUL", 140, 1, 0, "name is damaged"},
    {"clusters of 256 bytes", 20, 4, 8, "cluster size"},
    {"clusters of 4 MiB", 20, 4, 22, "cluster size"},
    {"clusters of nonsense", 20, 4, G_MAXUINT32, "cluster size"},
    {"size of no sectors", 24, 8, 513, "virtual size"},
    {"negative size", 24, 8, (guint64)1 << 63, "virtual size"},
    {"long L1 table", 36, 4, 4 * 1024 * 1024 + 1, "L1 table"},
    {"L1 table not aligned", 40, 8, 0x30200, "L1 table"},
    {"L1 table far away", 40, 8, 0x7fffffffffff0000, "L1 table"},
    {"refcount table not aligned", 48, 8, 0x50001, "refcount table"},
    {"refcount table far away", 48, 8, 0xffffffffffff0000, "refcount table"},
    {"long refcount table", 56, 4, 129, "refcount table"},
    {"refcounts of 128 bits", 96, 4, 7, "refcounts"},
    {"short header", 100, 4, 96, "header's length"},
    {"long header", 100, 4, 65544, "header's length"},
    {"compression without its bit", 104, 1, 1, "compression type"},
    {"compression bit alone", 79, 1, 8, "compression type"},
    {"extension too long", 116, 4, 65536, "extension is too long"},
    {"extension of nonsense", 116, 4, G_MAXUINT32, "extension is too long"},
    {"backing format too long", 116, 4, 16, "backing format is damaged"},
    {"backing format with NUL", 121, 1, 0, "backing format is damaged"},
    {"second backing format", 128, 4, 0xe2792aca, "two backing formats"},
    {0},
};

static const Patch unacceptable[] = {
    {"size", 24, 8, (guint64)6 << 30, "virtual size"},
    {"backing file", 136, 1, '/', "backing file is '/"},
    {"backing file shorter", 16, 4, 8, "backing file is '20261121'"},
    {"backing format", 120, 1, 'Q', "format is not qcow2"},
    {"no backing format", 112, 4, 0x12345678, "format is not qcow2"},
    {"clusters of 32 KiB", 20, 4, 15, "64 KiB"},
    {"encrypted", 32, 4, 2, "encrypted"},
    {"snapshots", 60, 4, 1, "snapshots"},
    {"dirty", 79, 1, 1, "dirty or corrupt"},
    {"corrupt", 79, 1, 2, "dirty or corrupt"},
    {"data file bit", 79, 1, 4, "another file"},
    {"data file name", 112, 4, 0x44415441, "another file"},
    {"extended L2 entries", 79, 1, 16, "unknown features"},
    {"unknown feature", 72, 1, 0x80, "unknown features"},
    {0},
};
