/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/qcow2-writer.h"
#include "refpoint.h"
#include "tool.h"

/*
 * The sample, a disk of 8 clusters: 0 and 1 are data, 2 is a zero cluster.
 * Its file in clusters:
 */
enum { HEADER, DATA_0, DATA_1, L2, L1, BLOCK, TABLE, END };

#define AT(cluster) ((cluster)*RFP_CLUSTER_SIZE)
#define COPIED RFP_QCOW2_COPIED

static int
temporary_file(char **path)
{
    int fd = g_file_open_tmp("refpoint-XXXXXX", path, NULL);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static int
sample_open(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("refpoint-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "image", NULL);
    g_autofree guint8 *data = g_malloc(2 * RFP_CLUSTER_SIZE);
    guint64 file_size;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(RfpQcow2Writer) writer =
        rfp_qcow2_writer_new(fd, "image", "image", 8 * RFP_CLUSTER_SIZE, NULL,
                             &error);

    g_assert_no_error(error);
    memset(data, 0x11, RFP_CLUSTER_SIZE);
    memset(data + RFP_CLUSTER_SIZE, 0x22, RFP_CLUSTER_SIZE);
    rfp_qcow2_writer_write(writer, 0, data, 2, &error);
    g_assert_no_error(error);
    rfp_qcow2_writer_zero(writer, 2, 1, &error);
    g_assert_no_error(error);
    rfp_qcow2_writer_finish(writer, &file_size, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(file_size, ==, AT(END));
    close(fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    tool_remove_dir(dir);
    return fd;
}

/* The same, compressed: 0 and 1 share a cluster of the file, 2 has its own, 3
 * is a zero cluster. */
enum { C_PACKED = 1, C_PLAIN, C_L2, C_L1, C_BLOCK, C_TABLE, C_END };

static int
compressed_open(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpCompress) compress = rfp_compress_new(0, 1);
    g_autofree char *dir = g_dir_make_tmp("refpoint-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "image", NULL);
    g_autofree guint8 *data = g_malloc(3 * RFP_CLUSTER_SIZE);
    guint64 file_size;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(RfpQcow2Writer) writer =
        rfp_qcow2_writer_new(fd, "image", "image", 8 * RFP_CLUSTER_SIZE, NULL,
                             &error);

    g_assert_no_error(error);
    rfp_qcow2_writer_set_compress(writer, compress, RFP_CLUSTER_SIZE);
    memset(data, 0x11, RFP_CLUSTER_SIZE);
    memset(data + RFP_CLUSTER_SIZE, 0x22, RFP_CLUSTER_SIZE);
    for (gsize i = 2 * RFP_CLUSTER_SIZE; i < 3 * RFP_CLUSTER_SIZE; i++)
        data[i] = (guint8)g_test_rand_int();
    rfp_qcow2_writer_write(writer, 0, data, 3, &error);
    g_assert_no_error(error);
    rfp_qcow2_writer_zero(writer, 3, 1, &error);
    g_assert_no_error(error);
    rfp_qcow2_writer_finish(writer, &file_size, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(file_size, ==, AT(C_END));
    close(fd);
    fd = open(path, O_RDWR | O_CLOEXEC);
    tool_remove_dir(dir);
    return fd;
}

/* Opens, checks, and maps and reads everything, whatever check() says. */
static gboolean
try_image(int fd, GError **error)
{
    g_autoptr(RfpQcow2Reader) reader = rfp_qcow2_reader_open(fd, "bad", error);
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    guint64 count;

    if (reader == NULL)
        return FALSE;
    count = MIN(rfp_cluster_count(rfp_qcow2_reader_header(reader)->size), 100);
    for (guint64 i = 0; i < count; i++) {
        RfpQcow2Kind kind;
        guint64 host;

        if (rfp_qcow2_reader_map(reader, i, &kind, &host, NULL) &&
            kind == RFP_QCOW2_DATA &&
            !rfp_qcow2_reader_read(reader, host, 1, data, NULL))
            g_error("cluster %" G_GUINT64_FORMAT ": not read", i);
        if (kind == RFP_QCOW2_DATA_COMPRESSED)
            rfp_qcow2_reader_read_compressed(reader, host, data, NULL);
    }
    return rfp_qcow2_reader_check(reader, error);
}

static void
test_sample(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autofree guint8 *data = g_malloc(2 * RFP_CLUSTER_SIZE);
    RfpQcow2Kind kind;
    guint64 host;
    const RfpQcow2Kind kinds[] = {RFP_QCOW2_DATA, RFP_QCOW2_DATA,
                                  RFP_QCOW2_ZEROES, RFP_QCOW2_UNALLOCATED};
    int fd = sample_open();

    g_assert_true(try_image(fd, &error));
    g_assert_no_error(error);
    reader = rfp_qcow2_reader_open(fd, "good", &error);
    g_assert_no_error(error);
    close(fd);
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        rfp_qcow2_reader_map(reader, i, &kind, &host, &error);
        g_assert_no_error(error);
        g_assert_cmpint(kind, ==, kinds[i]);
        g_assert_cmpuint(host, ==, i < 2 ? AT(DATA_0 + i) : 0);
    }
    g_assert_true(rfp_qcow2_reader_read(reader, AT(DATA_1), 1, data, &error));
    g_assert_cmpuint(data[100], ==, 0x22);
    g_assert_true(rfp_qcow2_reader_read(reader, AT(DATA_0), 2, data, &error));
    g_assert_cmpuint(data[100], ==, 0x11);
    g_assert_cmpuint(data[RFP_CLUSTER_SIZE + 100], ==, 0x22);
    g_assert_false(rfp_qcow2_reader_read(reader, AT(END), 1, data, &error));
    g_clear_error(&error);
    g_assert_false(rfp_qcow2_reader_read(reader, AT(END - 1), 2, data, &error));
    g_assert_nonnull(strstr(error->message, "beyond the end of the file"));
    g_clear_error(&error);
    g_assert_false(rfp_qcow2_reader_read(reader, 512, 1, data, &error));
    g_assert_false(rfp_qcow2_reader_l1_empty(reader, 0));
    g_assert_true(rfp_qcow2_reader_l1_empty(reader, 1));
    g_assert_true(rfp_qcow2_reader_map(reader, 8, &kind, &host, NULL));
    g_assert_cmpint(kind, ==, RFP_QCOW2_UNALLOCATED);
}

typedef struct {
    const char *name;
    guint64 offset;
    guint width;
    guint64 value;
    const char *message;
} Damage;

static const Damage damages[];
static const Damage compressed_damages[];

static void
damage(int fd, const Damage *change)
{
    guint8 bytes[8];

    for (guint i = 0; i < change->width; i++)
        bytes[i] = (guint8)(change->value >> (8 * (change->width - 1 - i)));
    g_assert_cmpint(pwrite(fd, bytes, change->width, (off_t)change->offset), ==,
                    (gssize)change->width);
}

static void
check_damages(const Damage *change, int (*open_image)(void))
{
    for (; change->name != NULL; change++) {
        g_autoptr(GError) error = NULL;
        int fd = open_image();

        damage(fd, change);
        if (try_image(fd, &error))
            g_error("%s: not found", change->name);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        if (strstr(error->message, change->message) == NULL ||
            strstr(error->message, "'bad'") == NULL)
            g_error("%s: %s", change->name, error->message);
        close(fd);
    }
}

static void
test_damages(void)
{
    check_damages(damages, sample_open);
}

static void
test_compressed_damages(void)
{
    check_damages(compressed_damages, compressed_open);
}

/* Cut anywhere. */
static void
test_cut(void)
{
    int fd = sample_open();

    for (gint64 size = (gint64)AT(END) - 1; size >= 0; size -= 4099) {
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(ftruncate(fd, size), ==, 0);
        g_assert_false(try_image(fd, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    }
    close(fd);
}

/* A sparse file that claims a size must not cost memory for it. */
static void
test_large_file(void)
{
    g_autoptr(GError) error = NULL;
    int fd = sample_open();

    g_assert_cmpint(ftruncate(fd, (off_t)1 << 40), ==, 0);
    g_assert_false(try_image(fd, &error));
    g_assert_nonnull(strstr(error->message, "too large"));
    close(fd);
}

static gboolean
try_frame(int fd, GError **error)
{
    g_autoptr(RfpQcow2Reader) reader =
        rfp_qcow2_reader_open(fd, "image", error);

    return reader != NULL && rfp_qcow2_reader_check_frame(reader, error);
}

/* What header and the places of tables show, and no more. */
static void
test_frame(void)
{
    int sound = sample_open();

    g_assert_true(try_frame(sound, NULL));
    close(sound);
    for (const Damage *change = damages; change->name != NULL; change++) {
        const guint64 cluster = change->offset / RFP_CLUSTER_SIZE;
        g_autoptr(GError) error = NULL;
        int fd = sample_open();

        g_test_message("%s", change->name);
        damage(fd, change);
        /* a table that is not named cannot be missed here */
        g_assert_cmpint(try_frame(fd, &error), ==,
                        cluster == L2 || cluster == BLOCK ||
                            (cluster != HEADER && change->value == 0));
        if (error != NULL)
            g_assert_nonnull(strstr(error->message, change->message));
        close(fd);
    }
}

static void
test_not_a_file(void)
{
    g_autoptr(GError) error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    g_assert_null(rfp_qcow2_reader_open(fd, "null", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_clear_error(&error);
    close(fd);
    g_assert_null(rfp_qcow2_reader_open(-1, "none", &error));
    g_assert_nonnull(error);
}

/* Nonsense in the header and the tables: an answer, never a crash. */
static void
check_random(int fd, const guint *clusters, guint n_clusters)
{

    for (guint i = 0; i < 3000; i++) {
        g_autoptr(GError) error = NULL;
        guint8 before[96];
        guint8 bytes[96];
        guint64 offset =
            AT(clusters[g_test_rand_int_range(0, (gint32)n_clusters)]);

        g_assert_cmpint(pread(fd, before, sizeof(before), (off_t)offset), ==,
                        sizeof(before));
        memcpy(bytes, before, sizeof(bytes));
        for (guint j = 0; j < 3; j++)
            bytes[g_test_rand_int_range(0, sizeof(bytes))] =
                (guint8)g_test_rand_int();
        g_assert_cmpint(pwrite(fd, bytes, sizeof(bytes), (off_t)offset), ==,
                        sizeof(bytes));
        if (!try_image(fd, &error))
            g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_assert_cmpint(pwrite(fd, before, sizeof(before), (off_t)offset), ==,
                        sizeof(before));
    }
    g_assert_true(try_image(fd, NULL));
    close(fd);
}

static void
test_random(void)
{
    const guint plain[] = {HEADER, L2, L1, BLOCK, TABLE};
    const guint compressed[] = {HEADER, C_PACKED, C_L2, C_BLOCK};

    check_random(sample_open(), plain, G_N_ELEMENTS(plain));
    check_random(compressed_open(), compressed, G_N_ELEMENTS(compressed));
}

/* Images that QEMU wrote. */
static void
check_foreign(const char *options, gboolean good)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = temporary_file(&path);

    g_free(tool_run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options,
                    path, "3G", NULL));
    g_free(tool_run("qemu-io", "-f", "qcow2", "-c", "write -P 5 1M 200k", "-c",
                    "write -P 6 2G 300k", "-c", "write -z 2G 64k", "-c",
                    "write -z 1G 64k", path, NULL));
    g_assert_cmpint(try_image(fd, &error), ==, good);
    if (good)
        g_assert_no_error(error);
    close(fd);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_foreign(void)
{
    if (!tool_exists("qemu-img") || !tool_exists("qemu-io"))
        return;
    check_foreign("compat=1.1", TRUE);
    check_foreign("compat=1.1,compression_type=zstd", TRUE);
    check_foreign("compat=1.1,cluster_size=4096", FALSE);
    check_foreign("compat=1.1,refcount_bits=1", FALSE);
    check_foreign("compat=0.10", FALSE);
}

/* Clusters that are compressed are read back. */
static void
test_compressed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    const guint8 patterns[] = {0x11, 0x22};
    RfpQcow2Kind kind;
    guint64 host;
    int fd = compressed_open();

    g_assert_true(try_image(fd, &error));
    g_assert_no_error(error);
    reader = rfp_qcow2_reader_open(fd, "good", &error);
    g_assert_no_error(error);
    close(fd);
    for (guint i = 0; i < G_N_ELEMENTS(patterns); i++) {
        rfp_qcow2_reader_map(reader, i, &kind, &host, &error);
        g_assert_no_error(error);
        g_assert_cmpint(kind, ==, RFP_QCOW2_DATA_COMPRESSED);
        rfp_qcow2_reader_read_compressed(reader, host, data, &error);
        g_assert_no_error(error);
        for (guint j = 0; j < RFP_CLUSTER_SIZE; j++)
            g_assert_cmpuint(data[j], ==, patterns[i]);
    }
    rfp_qcow2_reader_map(reader, 2, &kind, &host, &error);
    g_assert_cmpint(kind, ==, RFP_QCOW2_DATA);
    rfp_qcow2_reader_map(reader, 3, &kind, &host, &error);
    g_assert_cmpint(kind, ==, RFP_QCOW2_ZEROES);
}

/* The data alone: the structure is whole, reading says what is wrong. */
static void
test_compressed_data(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    RfpQcow2Kind kind;
    guint64 host;
    int fd = compressed_open();

    g_assert_cmpint(pwrite(fd, "bad", 3, AT(C_PACKED)), ==, 3);
    g_assert_true(try_image(fd, &error));
    reader = rfp_qcow2_reader_open(fd, "bad", &error);
    g_assert_no_error(error);
    close(fd);
    g_assert_true(rfp_qcow2_reader_map(reader, 0, &kind, &host, &error));
    g_assert_false(
        rfp_qcow2_reader_read_compressed(reader, host, data, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "offset 65536: the compressed"));
}

/* As QEMU writes them, with zstd and with what we do not read. */
static void
check_foreign_compressed(const char *options, gboolean good)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = temporary_file(&path);

    g_free(tool_run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options,
                    path, "10M", NULL));
    g_free(tool_run("qemu-io", "-f", "qcow2", "-c", "write -c -P 7 0 64k", "-c",
                    "write -c -P 8 64k 64k", "-c", "write -P 9 1M 64k", "-c",
                    "write -c -P 1 5M 64k", path, NULL));
    g_assert_cmpint(try_image(fd, &error), ==, good);
    if (good) {
        g_autoptr(RfpQcow2Reader) reader =
            rfp_qcow2_reader_open(fd, "image", &error);
        g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
        RfpQcow2Kind kind;
        guint64 host;

        rfp_qcow2_reader_map(reader, 1, &kind, &host, &error);
        rfp_qcow2_reader_read_compressed(reader, host, data, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < RFP_CLUSTER_SIZE; i++)
            g_assert_cmpuint(data[i], ==, 8);
    }
    close(fd);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void
test_foreign_compressed(void)
{
    if (!tool_exists("qemu-img") || !tool_exists("qemu-io"))
        return;
    check_foreign_compressed("compression_type=zstd", TRUE);
    check_foreign_compressed("compression_type=zlib", FALSE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-reader/sample", test_sample);
    g_test_add_func("/qcow2-reader/damages", test_damages);
    g_test_add_func("/qcow2-reader/cut", test_cut);
    g_test_add_func("/qcow2-reader/large-file", test_large_file);
    g_test_add_func("/qcow2-reader/not-a-file", test_not_a_file);
    g_test_add_func("/qcow2-reader/random", test_random);
    g_test_add_func("/qcow2-reader/foreign", test_foreign);
    g_test_add_func("/qcow2-reader/frame", test_frame);
    g_test_add_func("/qcow2-reader/compressed", test_compressed);
    g_test_add_func("/qcow2-reader/compressed-data", test_compressed_data);
    g_test_add_func("/qcow2-reader/compressed-damages",
                    test_compressed_damages);
    g_test_add_func("/qcow2-reader/foreign-compressed",
                    test_foreign_compressed);
    return g_test_run();
}

static const Damage damages[] = {
    {"magic", 0, 4, 0, "not a qcow2 image"},
    {"clusters of 32 KiB", 20, 4, 15, "not 64 KiB"},
    {"size of 65 TiB", 24, 8, (guint64)65 << 40, "above 64 TiB"},
    {"L1 table too short", 24, 8, (guint64)1 << 30, "does not fit its size"},
    {"L1 table too long", 36, 4, 131073, "does not fit its size"},
    {"L1 table beyond the end", 40, 8, AT(END), "beyond the end"},
    {"L1 table on the header", 40, 8, 0, "used twice"},
    {"L1 table on data", 40, 8, AT(DATA_0), "impossible L1 entry"},
    {"L1 table on the refcount table", 40, 8, AT(TABLE), "used twice"},
    {"refcount table beyond the end", 48, 8, AT(END), "beyond the end"},
    {"refcount table longer", 56, 4, 2, "beyond the end"},
    {"no refcount table", 56, 4, 0, "no refcount table"},
    {"refcount table on L1", 48, 8, AT(L1), "used twice"},
    {"snapshots", 60, 4, 1, "snapshots"},
    {"data file", 79, 1, 4, "another file"},
    {"refcounts of 32 bits", 96, 4, 5, "16 bits"},

    {"L1 entry empty", AT(L1), 8, 0, "leaked"},
    {"L1 entry not copied", AT(L1), 8, AT(L2), "impossible L1 entry"},
    {"L1 entry reserved bit", AT(L1), 8, AT(L2) | COPIED | 1,
     "impossible L1 entry"},
    {"L1 entry without place", AT(L1), 8, COPIED, "impossible L1 entry"},
    {"L1 entry not aligned", AT(L1), 8, (AT(L2) + 512) | COPIED,
     "begin of a cluster"},
    {"L1 entry beyond the end", AT(L1), 8, AT(END) | COPIED, "beyond the end"},
    {"L1 entry far away", AT(L1), 8, 0x00ffffffffff0000 | COPIED,
     "beyond the end"},
    {"L1 entry on a refcount block", AT(L1), 8, AT(BLOCK) | COPIED,
     "used twice"},

    {"L2 entry lost", AT(L2), 8, 0, "leaked"},
    {"L2 entry twice", AT(L2) + 8, 8, AT(DATA_0) | COPIED, "used twice"},
    {"L2 entry not copied", AT(L2), 8, AT(DATA_0), "impossible L2 entry"},
    {"L2 entry reserved bit", AT(L2), 8, AT(DATA_0) | COPIED | 2,
     "impossible L2 entry"},
    {"L2 entry high bit", AT(L2), 8, AT(DATA_0) | COPIED | (guint64)1 << 56,
     "impossible L2 entry"},
    {"L2 entry not aligned", AT(L2), 8, (AT(DATA_0) + 512) | COPIED,
     "begin of a cluster"},
    {"L2 entry beyond the end", AT(L2), 8, AT(END) | COPIED, "beyond the end"},
    {"L2 entry of its own table", AT(L2) + 24, 8, AT(L2) | COPIED,
     "used twice"},
    {"L2 entry beyond the disk", AT(L2) + 64, 8, AT(DATA_0) | COPIED,
     "beyond the disk's end"},
    {"zero cluster with a used place", AT(L2) + 16, 8,
     AT(DATA_0) | COPIED | RFP_QCOW2_ZERO, "used twice"},
    {"compressed", AT(L2), 8, AT(DATA_0) | RFP_QCOW2_COMPRESSED,
     "not compressed with zstd"},

    {"refcount block lost", AT(TABLE), 8, 0, "counted as free"},
    {"refcount block beyond the end", AT(TABLE), 8, AT(END), "beyond the end"},
    {"refcount block not aligned", AT(TABLE), 8, AT(BLOCK) + 1,
     "begin of a cluster"},
    {"refcount block twice", AT(TABLE) + 8, 8, AT(BLOCK), "used twice"},
    {"refcount 0", AT(BLOCK) + 2, 2, 0, "counted as free"},
    {"refcount 2", AT(BLOCK) + 2, 2, 2, "refcount is not 1"},
    {"refcount behind the end", AT(BLOCK) + 2 * END, 2, 1,
     "beyond the end of the file is counted"},
    {"last refcount", AT(BLOCK) + RFP_CLUSTER_SIZE - 2, 2, 7,
     "beyond the end of the file is counted"},
    {0},
};

#define PACKED(offset, more)                                                   \
    (RFP_QCOW2_COMPRESSED | (guint64)(more) << 54 | (AT(C_PACKED) + (offset)))

static const Damage compressed_damages[] = {
    {"type zlib", 104, 1, 0, "compression type"},
    {"copied", AT(C_L2), 8, COPIED | PACKED(0, 0), "impossible L2 entry"},
    {"beyond the end", AT(C_L2), 8, RFP_QCOW2_COMPRESSED | AT(C_END),
     "beyond the end"},
    {"one sector too many", AT(C_L2), 8,
     RFP_QCOW2_COMPRESSED | (guint64)1 << 54 | (AT(C_END) - 1),
     "beyond the end"},
    {"far away", AT(C_L2), 8, ~COPIED, "beyond the end"},
    {"in a plain cluster", AT(C_L2), 8, RFP_QCOW2_COMPRESSED | AT(C_PLAIN),
     "used twice"},
    {"into a plain cluster", AT(C_L2), 8, PACKED(65535, 1), "used twice"},
    {"in the header", AT(C_L2), 8, RFP_QCOW2_COMPRESSED | 512, "used twice"},
    {"plain where others are compressed", AT(C_L2) + 16, 8,
     AT(C_PACKED) | COPIED, "used twice"},
    {"one more", AT(C_L2) + 32, 8, PACKED(100, 0), "number of compressed"},
    {"one less", AT(C_L2), 8, 0, "number of compressed"},
    {"refcount 1", AT(C_BLOCK) + 2, 2, 1, "number of compressed"},
    {"refcount 0", AT(C_BLOCK) + 2, 2, 0, "counted as free"},
    {0},
};
