/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "image/digest-writer.h"
#include "refpoint.h"

#define LEAVES_BYTES ((gsize)RFP_GROUP_LEAVES * RFP_LEAF_SIZE)

/* A file without a name. */
static int
temporary_file(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("refpoint-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(g_unlink(path), ==, 0);
    return fd;
}

static guint8 *
copy_bytes(const guint8 *bytes, gsize length)
{
    return memcpy(g_malloc(length), bytes, length);
}

/* ---- The model: a view is its leaves ------------------------------------- */

typedef struct {
    guint64 size;
    guint8 *leaves; /* of whole groups, zero behind the end */
    guint8 *stored; /* a byte for each cluster */
} View;

static void
view_free(gpointer opaque)
{
    View *view = opaque;

    g_free(view->leaves);
    g_free(view->stored);
    g_free(view);
}

static View *
view_new(guint64 size)
{
    View *view = g_new0(View, 1);
    gsize n = (gsize)rfp_group_count(size) * RFP_GROUP_LEAVES;

    view->size = size;
    view->leaves = g_malloc0(n * RFP_LEAF_SIZE + 1);
    view->stored = g_malloc0(n + 1);
    return view;
}

static guint8 *
view_leaf(const View *view, guint64 cluster)
{
    return view->leaves + cluster * RFP_LEAF_SIZE;
}

static void
view_store(View *view, guint64 cluster)
{
    view->stored[cluster] = 1;
    memset(view_leaf(view, cluster), 0, RFP_LEAF_SIZE);
    if (g_test_rand_int_range(0, 4) == 0)
        return; /* a zero cluster is stored too */
    for (guint i = 0; i < RFP_LEAF_SIZE; i += 4) {
        guint32 word = (guint32)g_test_rand_int();

        memcpy(view_leaf(view, cluster) + i, &word, 4);
    }
}

static void
view_store_some(View *view)
{
    guint64 count = rfp_cluster_count(view->size);
    guint n = (guint)g_test_rand_int_range(0, 3) * 1000;

    if (count == 0)
        return;
    n += (guint)g_test_rand_int_range(0, 10);
    for (guint i = 0; i < n; i++)
        view_store(view, (guint64)g_test_rand_int_range(0, (gint32)count));
}

/* A view upon @base (or none) as a copy makes it. */
static View *
view_make(const View *base, guint64 size)
{
    View *view = view_new(size);
    guint64 count = rfp_cluster_count(size);
    guint64 old = base != NULL ? rfp_cluster_count(base->size) : 0;

    if (base != NULL)
        memcpy(view->leaves, base->leaves, MIN(old, count) * RFP_LEAF_SIZE);
    view_store_some(view);
    if (base != NULL && base->size != size) {
        if (count > 0)
            view_store(view, count - 1);
        if (old > 0 && old <= count)
            view_store(view, old - 1);
    }
    return view;
}

static void
sha256(const void *a, gsize n_a, const void *b, gsize n_b, guint8 *digest)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize n = RFP_LEAF_SIZE;

    g_checksum_update(sum, a, (gssize)n_a);
    if (n_b > 0)
        g_checksum_update(sum, b, (gssize)n_b);
    g_checksum_get_digest(sum, digest, &n);
}

static void
view_digest(const View *view, guint8 *digest)
{
    guint64 n_groups = rfp_group_count(view->size);
    guint64 count = rfp_cluster_count(view->size);
    guint64 size_le = GUINT64_TO_LE(view->size);
    guint8 prefix[15 + 8];
    g_autofree guint8 *groups = g_malloc0(n_groups * RFP_LEAF_SIZE + 1);

    for (guint64 i = 0; i < n_groups; i++) {
        guint64 first = i * RFP_GROUP_LEAVES;
        gsize n = (gsize)MIN(count - first, RFP_GROUP_LEAVES) * RFP_LEAF_SIZE;
        gboolean zero = TRUE;

        for (gsize j = 0; j < n && zero; j++)
            zero = view_leaf(view, first)[j] == 0;
        if (!zero)
            sha256(view_leaf(view, first), n, NULL, 0,
                   groups + i * RFP_LEAF_SIZE);
    }
    memcpy(prefix, "refpoint-view-1", 15);
    memcpy(prefix + 15, &size_le, 8);
    sha256(prefix, sizeof(prefix), groups, n_groups * RFP_LEAF_SIZE, digest);
}

/* ---- Files of views ------------------------------------------------------ */

static void
write_groups(RfpDigestWriter *writer, const View *view)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *leaves = g_malloc(LEAVES_BYTES);

    for (guint64 i = 0; i < rfp_group_count(view->size); i++) {
        guint8 have[RFP_GROUP_LEAVES / 8] = {0};
        gboolean some = FALSE;

        memset(leaves, 0xee, LEAVES_BYTES); /* the rest is not looked at */
        for (guint j = 0; j < RFP_GROUP_LEAVES; j++) {
            guint64 cluster = i * RFP_GROUP_LEAVES + j;

            if (!view->stored[cluster])
                continue;
            some = TRUE;
            have[j / 8] |= (guint8)(1 << j % 8);
            memcpy(leaves + j * RFP_LEAF_SIZE, view_leaf(view, cluster),
                   RFP_LEAF_SIZE);
        }
        if (some && !rfp_digest_writer_group(writer, i, leaves, have, &error))
            g_error("%s", error->message);
    }
}

static void
assert_file_sum(int fd, guint64 file_size, const guint8 *sum)
{
    g_autofree guint8 *bytes = g_malloc(file_size);
    guint8 wanted[RFP_LEAF_SIZE];

    g_assert_cmpuint((guint64)lseek(fd, 0, SEEK_END), ==, file_size);
    g_assert_cmpint(pread(fd, bytes, file_size, 0), ==, (gssize)file_size);
    sha256(bytes, file_size, NULL, 0, wanted);
    g_assert_cmpmem(sum, RFP_LEAF_SIZE, wanted, RFP_LEAF_SIZE);
}

static RfpDigestFile *
write_view(const View *view, GPtrArray *chain)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestWriter) writer = NULL;
    int fd = temporary_file();
    guint8 digest[RFP_LEAF_SIZE];
    guint8 wanted[RFP_LEAF_SIZE];
    guint8 sum[RFP_LEAF_SIZE];
    guint64 file_size;
    RfpDigestFile *file;

    writer = rfp_digest_writer_new(fd, "new", view->size, chain, &error);
    g_assert_no_error(error);
    write_groups(writer, view);
    rfp_digest_writer_finish(writer, digest, &file_size, sum, &error);
    g_assert_no_error(error);
    view_digest(view, wanted);
    g_assert_cmpmem(digest, RFP_LEAF_SIZE, wanted, RFP_LEAF_SIZE);
    assert_file_sum(fd, file_size, sum);
    file = rfp_digest_file_open(fd, "file", &error);
    g_assert_no_error(error);
    g_assert_cmpmem(rfp_digest_file_view(file), RFP_LEAF_SIZE, wanted,
                    RFP_LEAF_SIZE);
    g_assert_cmpuint(rfp_digest_file_size(file), ==, view->size);
    close(fd);
    return file;
}

static void
assert_entries(RfpDigestFile *file, const View *view)
{
    g_autoptr(GError) error = NULL;
    guint64 entry = 0;

    for (guint64 i = 0; i < rfp_cluster_count(view->size); i++) {
        guint64 cluster;
        guint8 leaf[RFP_LEAF_SIZE];

        if (!view->stored[i])
            continue;
        rfp_digest_file_entry(file, entry++, &cluster, leaf, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(cluster, ==, i);
        g_assert_cmpmem(leaf, RFP_LEAF_SIZE, view_leaf(view, i), RFP_LEAF_SIZE);
    }
    g_assert_cmpuint(rfp_digest_file_entries(file), ==, entry);
}

static void
assert_leaves(GPtrArray *chain, const View *view)
{
    g_autoptr(GError) error = NULL;
    guint64 count = rfp_cluster_count(view->size);
    guint8 zero[RFP_LEAF_SIZE] = {0};
    guint8 leaf[RFP_LEAF_SIZE];

    for (guint i = 0; i < 200 && count > 0; i++) {
        guint64 cluster = (guint64)g_test_rand_int_range(0, (gint32)count);

        if (i < 2)
            cluster = i == 0 ? 0 : count - 1;
        rfp_digest_chain_leaf(chain, cluster, leaf, &error);
        g_assert_no_error(error);
        g_assert_cmpmem(leaf, RFP_LEAF_SIZE, view_leaf(view, cluster),
                        RFP_LEAF_SIZE);
    }
    g_assert_true(rfp_digest_chain_leaf(chain, count, leaf, &error));
    g_assert_cmpmem(leaf, RFP_LEAF_SIZE, zero, RFP_LEAF_SIZE);
}

/* With some leaves given beforehand, which must stay. */
static void
assert_fill(GPtrArray *chain, const View *view)
{
    g_autoptr(GError) error = NULL;
    g_autofree guint8 *leaves = g_malloc(LEAVES_BYTES);

    for (guint64 i = 0; i < rfp_group_count(view->size); i++) {
        guint8 have[RFP_GROUP_LEAVES / 8] = {0};
        guint given = (guint)g_test_rand_int_range(0, RFP_GROUP_LEAVES);
        g_autofree guint8 *wanted =
            copy_bytes(view_leaf(view, i * RFP_GROUP_LEAVES), LEAVES_BYTES);

        memset(leaves, 0xee, LEAVES_BYTES);
        memset(wanted + given * RFP_LEAF_SIZE, 0xee, RFP_LEAF_SIZE);
        have[given / 8] |= (guint8)(1 << given % 8);
        rfp_digest_chain_fill(chain, i, leaves, have, &error);
        g_assert_no_error(error);
        g_assert_cmpint(memcmp(leaves, wanted, LEAVES_BYTES), ==, 0);
        for (guint j = 0; j < sizeof(have); j++)
            g_assert_cmpuint(have[j], ==, 0xff);
    }
}

/* A chain of views with these sizes, checked at each link. */
static void
check_chain(const guint64 *sizes, guint n)
{
    g_autoptr(GPtrArray) chain =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_digest_file_free);
    g_autoptr(GPtrArray) views = g_ptr_array_new_with_free_func(view_free);

    for (guint i = 0; i < n; i++) {
        View *view =
            view_make(i > 0 ? g_ptr_array_index(views, i - 1) : NULL, sizes[i]);

        g_ptr_array_add(views, view);
        g_ptr_array_insert(chain, 0, write_view(view, i > 0 ? chain : NULL));
        assert_entries(g_ptr_array_index(chain, 0), view);
        assert_leaves(chain, view);
        assert_fill(chain, view);
    }
}

static void
test_sizes(void)
{
    const guint64 sizes[] = {0,     1,     511,   512,
                             65535, 65536, 65537, RFP_GROUP_SIZE + 1};

    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++)
        check_chain(&sizes[i], 1);
}

static void
test_resized(void)
{
    const guint64 group = RFP_GROUP_SIZE;
    const guint64 sizes[] = {
        3 * group - 5, group + 65537, 2 * group, group,
        group + 1,     3 * group,     100000,    65536,
        65535,         100000,        100001,    0,
        group,         group,         512,       group * 2 + 70000,
    };

    check_chain(sizes, G_N_ELEMENTS(sizes));
}

static void
test_random(void)
{
    for (guint round = 0; round < 25; round++) {
        guint64 sizes[8];

        for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
            guint64 base =
                RFP_GROUP_SIZE * (guint64)g_test_rand_int_range(0, 3);
            guint64 more = (guint64)g_test_rand_int_range(0, 40000000);

            sizes[i] = i > 0 && g_test_rand_bit() ? sizes[i - 1] : base + more;
        }
        check_chain(sizes, G_N_ELEMENTS(sizes));
    }
}

/* A disk of 63 TiB: nothing but its ends is touched. */
static void
test_huge(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestWriter) writer = NULL;
    g_autoptr(RfpDigestFile) file = NULL;
    g_autofree guint8 *leaves = g_malloc0(LEAVES_BYTES);
    guint8 have[RFP_GROUP_LEAVES / 8] = {1};
    guint8 view[RFP_LEAF_SIZE];
    guint8 sum[RFP_LEAF_SIZE];
    guint8 leaf[RFP_LEAF_SIZE];
    guint64 size = (guint64)63 << 40;
    guint64 file_size;
    guint64 cluster;
    int fd = temporary_file();

    writer = rfp_digest_writer_new(fd, "huge", size, NULL, &error);
    g_assert_no_error(error);
    leaves[0] = 1;
    g_assert_true(rfp_digest_writer_group(writer, 0, leaves, have, &error));
    memset(have, 0, sizeof(have));
    have[sizeof(have) - 1] = 0x80;
    leaves[LEAVES_BYTES - 1] = 2;
    g_assert_true(
        rfp_digest_writer_group(writer, 63 * 1024 - 1, leaves, have, &error));
    g_assert_true(
        rfp_digest_writer_finish(writer, view, &file_size, sum, &error));
    g_assert_cmpuint(file_size, ==, 64 + 80 + 63 * 1024 * 32 + 64);
    file = rfp_digest_file_open(fd, "huge", &error);
    g_assert_no_error(error);
    g_assert_true(rfp_digest_file_entry(file, 1, &cluster, leaf, &error));
    g_assert_cmpuint(cluster, ==, rfp_cluster_count(size) - 1);
    g_assert_false(rfp_digest_file_entry(file, 2, &cluster, leaf, &error));
    close(fd);
}

/* The writer's caller is wrong. */
static void
test_misuse(void)
{
    const struct {
        guint64 group;
        guint leaf;
        gboolean good;
    } steps[] = {
        {1, 0, TRUE},  {1, 0, FALSE}, {0, 0, FALSE},
        {2, 1, FALSE}, {3, 0, FALSE}, {2, 0, TRUE},
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestWriter) writer = NULL;
    g_autofree guint8 *leaves = g_malloc0(LEAVES_BYTES);
    int fd = temporary_file();

    g_assert_null(
        rfp_digest_writer_new(fd, "x", RFP_DISK_SIZE_MAX + 1, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    writer =
        rfp_digest_writer_new(fd, "x", 2 * RFP_GROUP_SIZE + 1, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        guint8 have[RFP_GROUP_LEAVES / 8] = {0};

        have[0] = (guint8)(1 << steps[i].leaf);
        g_assert_cmpint(rfp_digest_writer_group(writer, steps[i].group, leaves,
                                                have, &error),
                        ==, steps[i].good);
        g_assert_true(steps[i].good == (error == NULL));
        g_clear_error(&error);
    }
    close(fd);
}

static void
test_write_error(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestWriter) writer = NULL;
    guint8 view[RFP_LEAF_SIZE];
    guint8 sum[RFP_LEAF_SIZE];
    guint64 file_size;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        g_test_skip("no /dev/full");
        return;
    }
    writer = rfp_digest_writer_new(fd, "vda.digests", 1, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(
        rfp_digest_writer_finish(writer, view, &file_size, sum, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "vda.digests"));
    g_assert_nonnull(strstr(error->message, "offset 0"));
    g_assert_nonnull(strstr(error->message, g_strerror(ENOSPC)));
    close(fd);
}

/* ---- Damage -------------------------------------------------------------- */

/* Opens the bytes and looks at every entry. */
static gboolean
try_bytes(const guint8 *bytes, gsize length, GError **error)
{
    g_autoptr(RfpDigestFile) file = NULL;
    int fd = temporary_file();
    gboolean good = TRUE;

    g_assert_cmpint(pwrite(fd, bytes, length, 0), ==, (gssize)length);
    file = rfp_digest_file_open(fd, "damaged", error);
    close(fd);
    for (guint64 i = 0;
         file != NULL && good && i < rfp_digest_file_entries(file); i++) {
        guint64 cluster;
        guint8 leaf[RFP_LEAF_SIZE];

        good = rfp_digest_file_entry(file, i, &cluster, leaf, error);
    }
    return file != NULL && good;
}

static void
assert_damaged(const guint8 *bytes, gsize length)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(try_bytes(bytes, length, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "damaged"));
}

/* A file of 1500 entries, more than the reader takes at once. */
static guint8 *
sample_bytes(gsize *length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestWriter) writer = NULL;
    g_autofree guint8 *leaves = g_malloc0(LEAVES_BYTES);
    guint8 have[RFP_GROUP_LEAVES / 8] = {0};
    guint8 view[RFP_LEAF_SIZE];
    guint8 sum[RFP_LEAF_SIZE];
    guint64 file_size;
    guint8 *bytes;
    int fd = temporary_file();

    writer = rfp_digest_writer_new(fd, "x", RFP_GROUP_SIZE, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < 1500; i++) {
        have[i / 4] |= (guint8)(1 << 2 * (i % 4));
        leaves[2 * i * RFP_LEAF_SIZE] = 1;
    }
    g_assert_true(rfp_digest_writer_group(writer, 0, leaves, have, &error));
    g_assert_true(
        rfp_digest_writer_finish(writer, view, &file_size, sum, &error));
    bytes = g_malloc(file_size);
    g_assert_cmpint(pread(fd, bytes, file_size, 0), ==, (gssize)file_size);
    close(fd);
    *length = file_size;
    return bytes;
}

static void
test_damage_frame(void)
{
    gsize length;
    g_autofree guint8 *bytes = sample_bytes(&length);

    g_assert_true(try_bytes(bytes, length, NULL));
    for (gsize i = 0; i < length; i++) {
        /* Every byte of header, groups and trailer. */
        if (i == 64)
            i = 64 + 1500 * 40;
        bytes[i] ^= 0x10;
        assert_damaged(bytes, length);
        bytes[i] ^= 0x10;
    }
    for (gsize i = 0; i < length; i += 1 + i / 16)
        assert_damaged(bytes, i);
    assert_damaged(bytes, length - 1);
}

static void
test_damage_order(void)
{
    const guint entries[] = {0, 1, 511, 512, 513, 1023, 1024, 1499};
    gsize length;
    g_autofree guint8 *bytes = sample_bytes(&length);

    for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
        guint8 *entry = bytes + 64 + entries[i] * 40;
        guint8 before = entry[0];

        entry[0] += entries[i] == 1499 ? -2 : 2; /* as its neighbour */
        assert_damaged(bytes, length);
        entry[0] = before;
        entry[5] = 1; /* beyond the disk */
        assert_damaged(bytes, length);
        entry[5] = 0;
    }
    g_assert_true(try_bytes(bytes, length, NULL));
}

/* Whatever is in there: no crash, no endless loop, and fill() comes back. */
static void
test_damage_random(void)
{
    gsize length;
    g_autofree guint8 *bytes = sample_bytes(&length);
    g_autofree guint8 *leaves = g_malloc(LEAVES_BYTES);

    for (guint i = 0; i < 300; i++) {
        g_autofree guint8 *copy = copy_bytes(bytes, length);
        g_autoptr(GError) error = NULL;
        g_autoptr(RfpDigestFile) file = NULL;
        guint8 have[RFP_GROUP_LEAVES / 8] = {0};
        int fd = temporary_file();

        for (guint j = 0; j < 3; j++)
            copy[64 + g_test_rand_int_range(0, 1500) * 40 +
                 g_test_rand_int_range(0, 8)] = (guint8)g_test_rand_int();
        g_assert_cmpint(pwrite(fd, copy, length, 0), ==, (gssize)length);
        file = rfp_digest_file_open(fd, "random", &error);
        g_assert_no_error(error);
        if (!rfp_digest_file_fill(file, 0, leaves, have, &error))
            g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        close(fd);
    }
}

static void
test_not_a_file(void)
{
    g_autoptr(GError) error = NULL;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    g_assert_null(rfp_digest_file_open(fd, "null", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_clear_error(&error);
    close(fd);
    g_assert_null(rfp_digest_file_open(-1, "none", &error));
    g_assert_nonnull(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/digest-file/sizes", test_sizes);
    g_test_add_func("/digest-file/resized", test_resized);
    g_test_add_func("/digest-file/random", test_random);
    g_test_add_func("/digest-file/huge", test_huge);
    g_test_add_func("/digest-file/misuse", test_misuse);
    g_test_add_func("/digest-file/write-error", test_write_error);
    g_test_add_func("/digest-file/damage/frame", test_damage_frame);
    g_test_add_func("/digest-file/damage/order", test_damage_order);
    g_test_add_func("/digest-file/damage/random", test_damage_random);
    g_test_add_func("/digest-file/damage/not-a-file", test_not_a_file);
    return g_test_run();
}
