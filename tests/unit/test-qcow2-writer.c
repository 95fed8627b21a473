/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/qcow2-reader.h"
#include "refpoint.h"
#include "tool.h"

#define TIB ((guint64)1 << 40)
#define RUN 16 /* clusters of one write */

/* ---- A directory for the images ------------------------------------------ */

typedef struct {
    char *path;
    int fd;
    RfpCompress *compress; /* NULL: images are not compressed */
} Dir;

static void
dir_open(Dir *dir, const char *parent)
{
    dir->path = g_build_filename(parent, "refpoint-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(dir->path));
    dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(dir->fd, >=, 0);
}

static void
dir_clear(Dir *dir)
{
    if (dir->path == NULL)
        return;
    close(dir->fd);
    tool_remove_dir(dir->path);
    rfp_compress_free(dir->compress);
    g_free(dir->path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Dir, dir_clear)

static char *
dir_file(const Dir *dir, const char *name)
{
    return g_build_filename(dir->path, name, NULL);
}

/* ---- Writing ------------------------------------------------------------- */

static RfpQcow2Writer *
writer_new(const Dir *dir, const char *name, guint64 size, const char *backing)
{
    g_autoptr(GError) error = NULL;
    RfpQcow2Writer *writer =
        rfp_qcow2_writer_new(dir->fd, name, name, size, backing, &error);

    g_assert_no_error(error);
    if (dir->compress != NULL)
        rfp_qcow2_writer_set_compress(writer, dir->compress,
                                      4 * RFP_CLUSTER_SIZE);
    return writer;
}

/* A cluster that says where it belongs; large seeds make noise. */
static void
fill(guint8 *data, guint64 cluster, guint8 seed)
{
    guint32 state = seed + (guint32)cluster * 256;

    memset(data, seed, RFP_CLUSTER_SIZE);
    for (guint i = 0; seed >= 0x80 && i < RFP_CLUSTER_SIZE; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (guint8)(state >> 24);
    }
    /* In between: makes compressed clusters of all sizes. */
    for (guint i = 0; seed >= 0x80 && i < seed % 4 * RFP_CLUSTER_SIZE / 4; i++)
        data[i] = seed;
    memcpy(data, &cluster, sizeof(cluster));
}

static void
put(RfpQcow2Writer *writer, guint64 cluster, guint n, guint8 seed)
{
    g_autoptr(GError) error = NULL;
    guint8 *data =
        aligned_alloc(RFP_QCOW2_BUFFER_ALIGN, n * (gsize)RFP_CLUSTER_SIZE);

    for (guint i = 0; i < n; i++)
        fill(data + i * RFP_CLUSTER_SIZE, cluster + i, seed);
    rfp_qcow2_writer_write(writer, cluster, data, n, &error);
    g_assert_no_error(error);
    free(data);
}

static void
put_zero(RfpQcow2Writer *writer, guint64 cluster, guint64 n)
{
    g_autoptr(GError) error = NULL;

    rfp_qcow2_writer_zero(writer, cluster, n, &error);
    g_assert_no_error(error);
}

static void
flush(RfpQcow2Writer *writer, guint64 group)
{
    g_autoptr(GError) error = NULL;

    rfp_qcow2_writer_flush_group(writer, group, &error);
    g_assert_no_error(error);
}

static void
finish(RfpQcow2Writer *writer, const Dir *dir, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = dir_file(dir, name);
    guint64 file_size = 0;
    struct stat status;

    rfp_qcow2_writer_finish(writer, &file_size, &error);
    g_assert_no_error(error);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(file_size, ==, (guint64)status.st_size);
    g_assert_cmpuint(status.st_mode & 07777, ==, 0600);
}

/* ---- Looking at images --------------------------------------------------- */

static RfpQcow2Reader *
reader_new(const Dir *dir, const char *name)
{
    g_autoptr(GError) error = NULL;
    int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC);
    RfpQcow2Reader *reader = rfp_qcow2_reader_open(fd, name, &error);

    g_assert_no_error(error);
    close(fd);
    return reader;
}

/* No errors and no leaks, as we see it and as QEMU sees it. */
static void
assert_clean(const Dir *dir, const char *name, guint64 size, const char *base)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpQcow2Reader) reader = reader_new(dir, name);
    g_autofree char *path = dir_file(dir, name);
    g_autofree char *program = g_find_program_in_path("qemu-img");

    rfp_qcow2_reader_check(reader, &error);
    g_assert_no_error(error);
    rfp_qcow2_header_check(rfp_qcow2_reader_header(reader), size, base, &error);
    g_assert_no_error(error);
    if (program != NULL)
        g_free(tool_run("qemu-img", "check", "-q", "-f", "qcow2", path, NULL));
}

static void
assert_cluster(RfpQcow2Reader *reader, guint64 cluster, guint8 seed)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE);
    g_autofree guint8 *wanted = g_malloc(RFP_CLUSTER_SIZE);
    RfpQcow2Kind kind;
    guint64 host;

    rfp_qcow2_reader_map(reader, cluster, &kind, &host, &error);
    g_assert_no_error(error);
    if (kind == RFP_QCOW2_DATA_COMPRESSED) {
        rfp_qcow2_reader_read_compressed(reader, host, data, &error);
    } else {
        g_assert_cmpint(kind, ==, RFP_QCOW2_DATA);
        rfp_qcow2_reader_read(reader, host, 1, data, &error);
    }
    g_assert_no_error(error);
    fill(wanted, cluster, seed);
    g_assert_cmpint(memcmp(data, wanted, RFP_CLUSTER_SIZE), ==, 0);
}

static void
assert_kind(RfpQcow2Reader *reader, guint64 cluster, RfpQcow2Kind wanted)
{
    g_autoptr(GError) error = NULL;
    RfpQcow2Kind kind;
    guint64 host;

    rfp_qcow2_reader_map(reader, cluster, &kind, &host, &error);
    g_assert_no_error(error);
    g_assert_cmpint(kind, ==, wanted);
}

/* ---- Every size, against the truth in a raw file ------------------------- */

/* Clusters of the model: a seed, or one of these. */
#define ABSENT 0
#define ZERO 1

static void
truth_write(int fd, guint64 size, guint64 cluster, guint8 seed)
{
    g_autofree guint8 *data = g_malloc0(RFP_CLUSTER_SIZE);
    guint64 offset = cluster * RFP_CLUSTER_SIZE;
    gsize length = (gsize)MIN(RFP_CLUSTER_SIZE, size - offset);

    if (seed != ZERO)
        fill(data, cluster, seed);
    g_assert_cmpint(pwrite(fd, data, length, (off_t)offset), ==,
                    (gssize)length);
}

/* One cluster into image and truth; the last one is padded with zeroes. */
static void
write_both(RfpQcow2Writer *writer,
           int fd,
           guint64 size,
           guint64 cluster,
           guint8 seed)
{
    g_autoptr(GError) error = NULL;
    guint8 *data = aligned_alloc(RFP_QCOW2_BUFFER_ALIGN, RFP_CLUSTER_SIZE);
    guint64 left = size - cluster * RFP_CLUSTER_SIZE;

    truth_write(fd, size, cluster, seed);
    fill(data, cluster, seed);
    if (left < RFP_CLUSTER_SIZE)
        memset(data + left, 0, RFP_CLUSTER_SIZE - left);
    if (seed == ZERO)
        rfp_qcow2_writer_zero(writer, cluster, 1, &error);
    else
        rfp_qcow2_writer_write(writer, cluster, data, 1, &error);
    g_assert_no_error(error);
    free(data);
}

/* Some clusters, first and last one included. */
static void
write_some(RfpQcow2Writer *writer, int fd, guint64 size, gboolean zeroes)
{
    guint64 count = rfp_cluster_count(size);
    guint64 cluster = 0;

    while (cluster < count) {
        guint8 seed = (guint8)g_test_rand_int_range(2, 256);

        if (zeroes && g_test_rand_bit())
            seed = ZERO;
        write_both(writer, fd, size, cluster, seed);
        if (cluster == count - 1)
            break;
        cluster += (guint64)g_test_rand_int_range(1, (gint32)(count / 20 + 2));
        cluster = MIN(cluster, count - 1);
    }
}

static void
compare(const Dir *dir, const char *name)
{
    g_autofree char *image = dir_file(dir, name);
    g_autofree char *truth = dir_file(dir, "truth");
    g_autofree char *program = g_find_program_in_path("qemu-img");

    if (program != NULL)
        g_free(tool_run("qemu-img", "compare", "-q", "-f", "qcow2", "-F", "raw",
                        image, truth, NULL));
}

static void
check_size(const Dir *dir, guint64 size)
{
    g_autofree char *truth = dir_file(dir, "truth");
    int fd = open(truth, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    g_autoptr(RfpQcow2Writer) full = writer_new(dir, "full", size, NULL);
    g_autoptr(RfpQcow2Writer) increment =
        writer_new(dir, "increment", size, "full");

    g_assert_cmpint(ftruncate(fd, (off_t)size), ==, 0);
    write_some(full, fd, size, FALSE);
    finish(full, dir, "full");
    assert_clean(dir, "full", size, NULL);
    compare(dir, "full");
    write_some(increment, fd, size, TRUE);
    finish(increment, dir, "increment");
    assert_clean(dir, "increment", size, "full");
    compare(dir, "increment");
    close(fd);
    g_assert_cmpint(unlinkat(dir->fd, "full", 0), ==, 0);
    g_assert_cmpint(unlinkat(dir->fd, "increment", 0), ==, 0);
}

static void
test_sizes(void)
{
    const guint64 sizes[] = {
        0,     1,     511,   512,         513,
        65535, 65536, 65537, 10000 * 512, ((guint64)1 << 30) + 1,
    };
    g_auto(Dir) dir = {0};

    dir_open(&dir, g_get_tmp_dir());
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_size(&dir, sizes[i]);
    tool_exists("qemu-img");
}

/* Page cache instead of O_DIRECT, which tmpfs refuses (or takes, if new). */
static void
test_tmpfs(void)
{
    g_auto(Dir) dir = {0};

    if (g_access("/dev/shm", W_OK) != 0) {
        g_test_skip("/dev/shm is not writable");
        return;
    }
    dir_open(&dir, "/dev/shm");
    check_size(&dir, 100 * RFP_CLUSTER_SIZE + 1);
}

/* ---- Huge and sparse, from several threads ------------------------------- */

typedef struct {
    RfpQcow2Writer *writer;
    guint64 *runs; /* first clusters, in random order */
    guint n_runs;
    gint next;
    guint8 seed;
} Work;

static gpointer
work_thread(gpointer opaque)
{
    Work *work = opaque;
    guint i;

    while ((i = (guint)g_atomic_int_add(&work->next, 1)) < work->n_runs) {
        put(work->writer, work->runs[i], RUN, work->seed);
        put_zero(work->writer, work->runs[i] + RUN, 1);
    }
    return NULL;
}

static void
shuffle(guint64 *runs, guint n)
{
    for (guint i = n; i > 1; i--) {
        guint j = (guint)g_test_rand_int_range(0, (gint32)i);
        guint64 run = runs[i - 1];

        runs[i - 1] = runs[j];
        runs[j] = run;
    }
}

/* Runs at both ends of the disk, one over the border of two L2 tables, each
 * followed by a zero cluster. */
static guint64 *
make_runs(guint64 size, guint n)
{
    guint64 count = rfp_cluster_count(size);
    guint64 *runs = g_new(guint64, n);

    for (guint i = 0; i < n / 2; i++) {
        runs[i] = i * 2 * RUN;
        runs[n - 1 - i] = count - (i + 1) * 2 * RUN;
    }
    runs[0] = RFP_QCOW2_L2_ENTRIES - RUN / 2;
    shuffle(runs, n);
    return runs;
}

static void
write_runs(RfpQcow2Writer *writer, guint64 *runs, guint n, guint8 seed)
{
    Work work = {writer, runs, n, 0, seed};
    GThread *threads[4];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("write", work_thread, &work);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(rfp_qcow2_writer_stored(writer), ==,
                     n * RUN * RFP_CLUSTER_SIZE);
}

static void
assert_runs(const Dir *dir,
            const char *name,
            const guint64 *runs,
            guint n,
            guint8 seed)
{
    g_autoptr(RfpQcow2Reader) reader = reader_new(dir, name);

    for (guint i = 0; i < n; i++) {
        for (guint j = 0; j < RUN; j++)
            assert_cluster(reader, runs[i] + j, seed);
        assert_kind(reader, runs[i] + RUN, RFP_QCOW2_ZEROES);
        assert_kind(reader, runs[i] + RUN + 1, RFP_QCOW2_UNALLOCATED);
    }
}

/* Through the whole chain, with QEMU's eyes. */
static void
assert_io(const Dir *dir, const char *name, guint64 cluster, guint8 seed)
{
    g_autofree char *path = dir_file(dir, name);
    g_autofree char *program = g_find_program_in_path("qemu-io");
    guint64 offset = cluster * RFP_CLUSTER_SIZE + 512;
    g_autofree char *read =
        g_strdup_printf("read -P %u %" PRIu64 " 65024", seed, offset);
    g_autofree char *output = NULL;

    if (program == NULL)
        return;
    output = tool_run("qemu-io", "-r", "-f", "qcow2", "-c", read, path, NULL);
    if (strstr(output, "ailed") != NULL)
        g_error("%s: %s", read, output);
}

static void
check_huge(guint64 size, RfpCompress *compress)
{
    const guint n = 40;
    guint64 count = rfp_cluster_count(size);
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) full = NULL;
    g_autoptr(RfpQcow2Writer) increment = NULL;
    g_autofree guint64 *runs = make_runs(size, n);
    guint64 last[1] = {count - 2 * RUN};

    dir_open(&dir, g_get_tmp_dir());
    dir.compress = compress;
    full = writer_new(&dir, "full", size, NULL);
    write_runs(full, runs, n, 0x55);
    put(full, count - 1, 1, 0x56);
    finish(full, &dir, "full");
    assert_clean(&dir, "full", size, NULL);
    assert_runs(&dir, "full", runs, n, 0x55);

    increment = writer_new(&dir, "increment", size, "full");
    write_runs(increment, last, 1, 0x77);
    put_zero(increment, 2 * RUN, 1);
    flush(increment, 0);
    finish(increment, &dir, "increment");
    assert_clean(&dir, "increment", size, "full");
    assert_runs(&dir, "increment", last, 1, 0x77);
    assert_io(&dir, "increment", last[0], 0x77);
    assert_io(&dir, "increment", last[0] + RUN, 0);
    assert_io(&dir, "increment", count - 1, 0x56);
    assert_io(&dir, "increment", 2 * RUN, 0);
    assert_io(&dir, "increment", 2 * RUN + 1, 0x55);
    assert_io(&dir, "increment", count / 2, 0);
}

static void
test_16_tib(void)
{
    check_huge(16 * TIB, NULL);
    tool_exists("qemu-io");
}

static void
test_63_tib(void)
{
    check_huge(63 * TIB, NULL);
    tool_exists("qemu-io");
}

static void
test_63_tib_compressed(void)
{
    check_huge(63 * TIB, rfp_compress_new(1, 2));
    tool_exists("qemu-io");
}

/* ---- Compressed ---------------------------------------------------------- */

static void
test_compressed_sizes(void)
{
    const guint64 sizes[] = {
        0, 1, 511, 65536, 65537, 10000 * 512, ((guint64)1 << 30) + 1,
    };
    g_auto(Dir) dir = {0};

    dir_open(&dir, g_get_tmp_dir());
    dir.compress = rfp_compress_new(0, 2);
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_size(&dir, sizes[i]);
    tool_exists("qemu-img");
}

/* An increment that is compressed on a base that is not, and back. */
static void
test_compressed_chain(void)
{
    const guint64 size = 64 * RFP_CLUSTER_SIZE;
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) writer = NULL;

    dir_open(&dir, g_get_tmp_dir());
    writer = writer_new(&dir, "a", size, NULL);
    put(writer, 0, 40, 3);
    finish(writer, &dir, "a");
    g_clear_pointer(&writer, rfp_qcow2_writer_free);
    dir.compress = rfp_compress_new(19, 1);
    writer = writer_new(&dir, "b", size, "a");
    put(writer, 10, 20, 4);
    finish(writer, &dir, "b");
    g_clear_pointer(&writer, rfp_qcow2_writer_free);
    g_clear_pointer(&dir.compress, rfp_compress_free);
    writer = writer_new(&dir, "c", size, "b");
    put(writer, 20, 20, 5);
    finish(writer, &dir, "c");
    assert_clean(&dir, "a", size, NULL);
    assert_clean(&dir, "b", size, "a");
    assert_clean(&dir, "c", size, "b");
    assert_io(&dir, "c", 9, 3);
    assert_io(&dir, "c", 10, 4);
    assert_io(&dir, "c", 19, 4);
    assert_io(&dir, "c", 20, 5);
    assert_io(&dir, "c", 39, 5);
}

/* What can be compressed takes little room, to the cluster; what cannot is
 * stored as it is. */
static void
test_compressed_room(void)
{
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) writer = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autofree char *path = NULL;
    struct stat status;

    dir_open(&dir, g_get_tmp_dir());
    dir.compress = rfp_compress_new(0, 1);
    writer = writer_new(&dir, "a", 1000 * RFP_CLUSTER_SIZE, NULL);
    put(writer, 0, 1, 3);
    put(writer, 1, 1, 0x80);
    put(writer, 2, 900, 5);
    g_assert_cmpuint(rfp_qcow2_writer_stored(writer), ==,
                     902 * RFP_CLUSTER_SIZE);
    finish(writer, &dir, "a");
    assert_clean(&dir, "a", 1000 * RFP_CLUSTER_SIZE, NULL);
    path = dir_file(&dir, "a");
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint((guint64)status.st_size, <=, 10 * RFP_CLUSTER_SIZE);
    reader = reader_new(&dir, "a");
    assert_kind(reader, 0, RFP_QCOW2_DATA_COMPRESSED);
    assert_kind(reader, 1, RFP_QCOW2_DATA);
    assert_kind(reader, 2, RFP_QCOW2_DATA_COMPRESSED);
    assert_cluster(reader, 1, 0x80);
    assert_cluster(reader, 901, 5);
}

/* Noise and patterns in turn, from several threads. */
static void
test_compressed_threads(void)
{
    const guint64 size = 20000 * RFP_CLUSTER_SIZE;
    const guint n = 60;
    g_auto(Dir) dir = {0};

    dir_open(&dir, g_get_tmp_dir());
    dir.compress = rfp_compress_new(1, 3);
    for (guint8 seed = 0x80; seed < 0x84; seed++) {
        g_autofree guint64 *runs = make_runs(size, n);
        g_autofree char *name = g_strdup_printf("image-%u", seed);
        g_autoptr(RfpQcow2Writer) writer = writer_new(&dir, name, size, NULL);

        write_runs(writer, runs, n, seed);
        finish(writer, &dir, name);
        assert_clean(&dir, name, size, NULL);
        assert_runs(&dir, name, runs, n, seed);
    }
}

/* What qemu-img says about each range of a small image. */
static void
test_map(void)
{
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) base = NULL;
    g_autoptr(RfpQcow2Writer) writer = NULL;
    g_autofree char *path = NULL;
    g_autofree char *map = NULL;

    if (!tool_exists("qemu-img"))
        return;
    dir_open(&dir, g_get_tmp_dir());
    base = writer_new(&dir, "base", 8 * RFP_CLUSTER_SIZE, NULL);
    put(base, 0, 4, 9);
    finish(base, &dir, "base");
    writer = writer_new(&dir, "top", 8 * RFP_CLUSTER_SIZE, "base");
    put(writer, 2, 1, 9);
    put_zero(writer, 3, 1);
    finish(writer, &dir, "top");
    path = dir_file(&dir, "top");
    map =
        tool_run("qemu-img", "map", "-f", "qcow2", "--output=json", path, NULL);
    g_assert_nonnull(strstr(map, "\"start\": 0, \"length\": 131072, "
                                 "\"depth\": 1"));
    g_assert_nonnull(strstr(map, "\"start\": 131072, \"length\": 65536, "
                                 "\"depth\": 0"));
    g_assert_nonnull(strstr(map, "\"start\": 196608, \"length\": 65536, "
                                 "\"depth\": 0, \"present\": true, "
                                 "\"zero\": true"));
}

/* ---- Order of calls ------------------------------------------------------ */

static void
test_not_before_the_end(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) writer = NULL;
    g_autofree char *path = NULL;
    g_autofree guint8 *bytes = g_malloc(RFP_CLUSTER_SIZE);
    int fd;

    dir_open(&dir, g_get_tmp_dir());
    writer = writer_new(&dir, "image", TIB, NULL);
    put(writer, 0, 1, 9);
    flush(writer, 0);
    path = dir_file(&dir, "image");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_null(rfp_qcow2_reader_open(fd, "image", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_cmpint(pread(fd, bytes, RFP_CLUSTER_SIZE, 0), ==,
                    RFP_CLUSTER_SIZE);
    for (gsize i = 0; i < RFP_CLUSTER_SIZE; i++)
        g_assert_cmpuint(bytes[i], ==, 0);
    close(fd);
}

static void
assert_refused(gboolean good, GError **error)
{
    g_assert_false(good);
    g_assert_error(*error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr((*error)->message, "image"));
    g_clear_error(error);
}

static void
test_misuse(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) writer = NULL;
    g_autofree guint8 *data = g_malloc0(2 * RFP_CLUSTER_SIZE);
    guint64 count = 3 * RFP_GROUP_LEAVES;

    dir_open(&dir, g_get_tmp_dir());
    writer = writer_new(&dir, "image", count * RFP_CLUSTER_SIZE, NULL);
    put(writer, 5, 1, 9);
    flush(writer, 1);
    flush(writer, 0);
    flush(writer, 0);
    flush(writer, 5); /* beyond the disk: nothing */
    /* After its group's end, twice, beyond the end. */
    assert_refused(rfp_qcow2_writer_write(writer, 6, data, 1, &error), &error);
    put_zero(writer, 2 * RFP_GROUP_LEAVES, 1);
    assert_refused(rfp_qcow2_writer_write(writer, 2 * RFP_GROUP_LEAVES, data, 1,
                                          &error),
                   &error);
    assert_refused(rfp_qcow2_writer_write(writer, count - 1, data, 2, &error),
                   &error);
    assert_refused(rfp_qcow2_writer_zero(writer, count + 1, 1, &error), &error);
    assert_refused(rfp_qcow2_writer_zero(writer, 9, G_MAXUINT64 - 5, &error),
                   &error);
}

static void
test_create(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Dir) dir = {0};
    g_autofree char *longer = g_strnfill(RFP_QCOW2_BACKING_MAX + 1, 'x');
    g_autoptr(RfpQcow2Writer) writer = NULL;

    dir_open(&dir, g_get_tmp_dir());
    writer = writer_new(&dir, "image", 1, NULL);
    g_assert_null(
        rfp_qcow2_writer_new(dir.fd, "image", "the image", 1, NULL, &error));
    g_assert_nonnull(strstr(error->message, "the image"));
    g_clear_error(&error);
    g_assert_null(
        rfp_qcow2_writer_new(dir.fd, "no/image", "the image", 1, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_clear_error(&error);
    g_assert_null(rfp_qcow2_writer_new(dir.fd, "huge", "huge",
                                       RFP_DISK_SIZE_MAX + 1, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    g_assert_null(
        rfp_qcow2_writer_new(dir.fd, "long", "long", 1, longer, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_cmpint(faccessat(dir.fd, "long", F_OK, 0), !=, 0);
}

/* Memory that O_DIRECT cannot take. */
static void
test_unaligned(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Dir) dir = {0};
    g_autoptr(RfpQcow2Writer) writer = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autofree guint8 *data = g_malloc(RFP_CLUSTER_SIZE + 1);

    dir_open(&dir, g_get_tmp_dir());
    writer = writer_new(&dir, "image", RFP_CLUSTER_SIZE, NULL);
    fill(data + 1, 0, 7);
    rfp_qcow2_writer_write(writer, 0, data + 1, 1, &error);
    g_assert_no_error(error);
    finish(writer, &dir, "image");
    reader = reader_new(&dir, "image");
    assert_cluster(reader, 0, 7);
}

/* ---- A file system that does not take more ------------------------------- */

static gboolean
write_until_failure(RfpQcow2Writer *writer, guint n, GError **error)
{
    guint8 *data = aligned_alloc(RFP_QCOW2_BUFFER_ALIGN, RFP_CLUSTER_SIZE);
    guint64 file_size;
    gboolean good = TRUE;

    memset(data, 1, RFP_CLUSTER_SIZE);
    for (guint i = 0; i < n && good; i++)
        good = rfp_qcow2_writer_write(writer, i, data, 1, error);
    free(data);
    return good && rfp_qcow2_writer_finish(writer, &file_size, error);
}

/* The limit on the size of files stands for a full disk: 8 clusters of data
 * need 13 of the file. It also keeps the size from being set ahead. */
static void
test_limit(void)
{
    struct rlimit before;
    struct rlimit limit;
    g_auto(Dir) dir = {0};

    dir_open(&dir, g_get_tmp_dir());
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    for (guint64 i = 0; i < 15; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RfpQcow2Writer) writer =
            writer_new(&dir, "image", 8 * RFP_CLUSTER_SIZE, NULL);
        gboolean good;

        limit = before;
        limit.rlim_cur = (rlim_t)(i * RFP_CLUSTER_SIZE + (i & 1) * 4608);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
        good = write_until_failure(writer, 8, &error);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
        g_assert_cmpint(good, ==, i >= 13);
        if (!good) {
            g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
            g_assert_nonnull(strstr(error->message, "'image' at offset "));
            g_assert_nonnull(strstr(error->message, g_strerror(EFBIG)));
        }
        g_assert_cmpint(unlinkat(dir.fd, "image", 0), ==, 0);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-writer/sizes", test_sizes);
    g_test_add_func("/qcow2-writer/tmpfs", test_tmpfs);
    g_test_add_func("/qcow2-writer/16-tib", test_16_tib);
    g_test_add_func("/qcow2-writer/63-tib", test_63_tib);
    g_test_add_func("/qcow2-writer/63-tib-compressed", test_63_tib_compressed);
    g_test_add_func("/qcow2-writer/compressed-sizes", test_compressed_sizes);
    g_test_add_func("/qcow2-writer/compressed-chain", test_compressed_chain);
    g_test_add_func("/qcow2-writer/compressed-room", test_compressed_room);
    g_test_add_func("/qcow2-writer/compressed-threads",
                    test_compressed_threads);
    g_test_add_func("/qcow2-writer/map", test_map);
    g_test_add_func("/qcow2-writer/not-before-the-end",
                    test_not_before_the_end);
    g_test_add_func("/qcow2-writer/misuse", test_misuse);
    g_test_add_func("/qcow2-writer/create", test_create);
    g_test_add_func("/qcow2-writer/unaligned", test_unaligned);
    g_test_add_func("/qcow2-writer/limit", test_limit);
    return g_test_run();
}
