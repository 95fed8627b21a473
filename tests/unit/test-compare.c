/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk made up here against digests that the real writer wrote. Both are
 * texts like those of tests/unit/set.h: "3:a 4:b" is a disk whose cluster 3 is
 * full of "a"; what is not named is a hole, and "0" is data that reads as
 * zeroes. "3:a+" has one byte of another kind at its end, "3:-a" holds data in
 * its second half only, and the map says so. "g" counts in groups of a GiB.
 */
#include "copy/compare.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "image/digest-layout.h"
#include "image/digest-writer.h"

#define CLUSTER RFP_CLUSTER_SIZE

typedef struct {
    guint64 cluster;
    char byte;
    gboolean flipped; /* its last byte */
    gboolean half;    /* its second half */
} Piece;

typedef struct {
    guint64 size;
    GArray *pieces; /* Piece, ascending */
} View;

/* What is compared, and what was asked of it. */
typedef struct {
    View now;
    View dirty; /* the clusters that the bitmap has */
    gboolean hang;

    GMutex lock; /* of all below */
    guint opened;
    guint maps;
    GHashTable *reads; /* cluster */
    GString *found;    /* clusters that differ: " 3 17" */
    guint enough;      /* so many of them */
} Disk;

/* ---- Texts --------------------------------------------------------------- */

static guint64
parse_cluster(const char *text, char **end)
{
    const guint64 n = g_ascii_strtoull(text, end, 10);

    if (**end != 'g')
        return n;
    return n * RFP_GROUP_LEAVES + g_ascii_strtoull(*end + 1, end, 10);
}

static View
view_new(guint64 size, const char *text)
{
    View view = {size, g_array_new(FALSE, TRUE, sizeof(Piece))};
    char *next = (char *)text;

    while (*next != '\0') {
        Piece piece = {.cluster = parse_cluster(next, &next)};

        g_assert_cmpint(*next, ==, ':');
        piece.half = *++next == '-';
        next += piece.half;
        piece.byte = *next++;
        piece.flipped = *next == '+';
        next += piece.flipped;
        g_array_append_val(view.pieces, piece);
        next += strspn(next, " ");
    }
    return view;
}

static guint64
cluster_length(const View *view, guint64 cluster)
{
    return MIN(CLUSTER, view->size - cluster * CLUSTER);
}

static const Piece *
find_piece(const View *view, guint64 cluster)
{
    for (guint i = 0; i < view->pieces->len; i++) {
        const Piece *piece = &g_array_index(view->pieces, Piece, i);

        if (piece->cluster == cluster)
            return piece;
    }
    return NULL;
}

static void
content(const View *view, guint64 cluster, guint8 *data)
{
    const Piece *piece = find_piece(view, cluster);
    const guint64 length = cluster_length(view, cluster);

    memset(data, 0, CLUSTER);
    if (piece == NULL)
        return;
    if (piece->byte != '0')
        memset(data + (piece->half ? CLUSTER / 2 : 0), piece->byte,
               length - (piece->half ? CLUSTER / 2 : 0));
    if (piece->flipped)
        data[length - 1] ^= 1;
}

/* ---- The base ------------------------------------------------------------ */

static void
add_leaf(RfpDigestWriter *writer,
         const View *view,
         const Piece *piece,
         guint8 *leaves,
         guint8 *have)
{
    const guint i = piece->cluster % RFP_GROUP_LEAVES;
    g_autofree guint8 *data = g_malloc(CLUSTER);
    guint8 leaf[RFP_LEAF_SIZE];
    gboolean last =
        piece + 1 == &g_array_index(view->pieces, Piece, view->pieces->len);
    g_autoptr(GError) error = NULL;

    content(view, piece->cluster, data);
    rfp_digest_leaf(data, cluster_length(view, piece->cluster), leaf);
    rfp_digest_set(leaves, have, i, leaf);
    if (!last && piece[1].cluster / RFP_GROUP_LEAVES ==
                     piece->cluster / RFP_GROUP_LEAVES)
        return;
    rfp_digest_writer_group(writer, piece->cluster / RFP_GROUP_LEAVES, leaves,
                            have, &error);
    g_assert_no_error(error);
    memset(have, 0, RFP_GROUP_LEAVES / 8);
}

static GPtrArray *
base_new(const View *view)
{
    g_autofree char *path = NULL;
    g_autofree guint8 *leaves = g_malloc0(RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    g_autofree guint8 *have = g_malloc0(RFP_GROUP_LEAVES / 8);
    g_autoptr(GError) error = NULL;
    GPtrArray *base =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_digest_file_free);
    int fd = g_file_open_tmp("refpoint-XXXXXX", &path, NULL);
    g_autoptr(RfpDigestWriter) writer =
        rfp_digest_writer_new(fd, "base", view->size, NULL, &error);
    guint8 digest[RFP_LEAF_SIZE];
    guint64 size = 0;

    g_assert_cmpint(g_unlink(path), ==, 0);
    for (guint i = 0; i < view->pieces->len; i++)
        add_leaf(writer, view, &g_array_index(view->pieces, Piece, i), leaves,
                 have);
    rfp_digest_writer_finish(writer, digest, &size, digest, &error);
    g_assert_no_error(error);
    g_ptr_array_add(base, rfp_digest_file_open(fd, "base", &error));
    g_assert_no_error(error);
    close(fd);
    return base;
}

/* ---- The source ---------------------------------------------------------- */

typedef struct {
    Disk *disk;
    const gint *cancel;
} Connection;

static gpointer
source_open(gpointer source, const gint *cancel, GError **error)
{
    Connection *connection = g_new0(Connection, 1);

    (void)error;
    connection->disk = source;
    connection->cancel = cancel;
    g_mutex_lock(&connection->disk->lock);
    connection->disk->opened++;
    g_mutex_unlock(&connection->disk->lock);
    return connection;
}

static void
source_close(gpointer opaque)
{
    Connection *connection = opaque;

    g_mutex_lock(&connection->disk->lock);
    connection->disk->opened--;
    g_mutex_unlock(&connection->disk->lock);
    g_free(connection);
}

static gboolean
source_read(gpointer opaque,
            void *data,
            guint64 offset,
            guint32 length,
            GError **error)
{
    Connection *connection = opaque;
    Disk *disk = connection->disk;
    g_autofree guint8 *cluster = g_malloc(CLUSTER);

    while (disk->hang && !g_atomic_int_get(connection->cancel))
        g_usleep(1000);
    if (disk->hang) {
        rfp_error_set(error, REFPOINT_ERROR_CANCELLED, "given up");
        return FALSE;
    }
    g_assert_cmpuint(offset + length, <=, disk->now.size);
    for (guint32 done = 0; done < length; done += CLUSTER) {
        const guint64 at = (offset + done) / CLUSTER;

        content(&disk->now, at, cluster);
        memcpy((guint8 *)data + done, cluster, MIN(CLUSTER, length - done));
        g_mutex_lock(&disk->lock);
        g_assert_true(g_hash_table_add(disk->reads, GSIZE_TO_POINTER(at)));
        g_mutex_unlock(&disk->lock);
    }
    return TRUE;
}

/* Piece by piece: a hole, or a cluster, or half of one. */
static gboolean
source_map(gpointer opaque,
           RfpMap map,
           guint64 offset,
           guint64 length,
           RfpMapFunc func,
           gpointer func_opaque,
           GError **error)
{
    Disk *disk = ((Connection *)opaque)->disk;
    const gboolean is_dirty = map == RFP_MAP_DIRTY;
    const View *view = is_dirty ? &disk->dirty : &disk->now;
    const guint64 end = offset + length;

    (void)error;
    g_mutex_lock(&disk->lock);
    disk->maps++;
    g_mutex_unlock(&disk->lock);
    for (guint i = 0; i < view->pieces->len && offset < end; i++) {
        const Piece *piece = &g_array_index(view->pieces, Piece, i);
        const guint64 begin =
            piece->cluster * CLUSTER + (piece->half ? CLUSTER / 2 : 0);
        const guint64 next = MIN((piece->cluster + 1) * CLUSTER, view->size);

        if (begin < offset || begin >= end)
            continue;
        if (begin > offset &&
            !func(offset, begin - offset, !is_dirty, func_opaque))
            return TRUE;
        if (!func(begin, next - begin, is_dirty, func_opaque))
            return TRUE;
        offset = next;
    }
    if (offset < end)
        func(offset, end - offset, !is_dirty, func_opaque);
    return TRUE;
}

static const RfpSourceOps source_ops = {
    .open = source_open,
    .close = source_close,
    .read = source_read,
    .map = source_map,
};

/* ---- One comparison ------------------------------------------------------ */

static gboolean
on_different(guint64 cluster, gpointer opaque)
{
    Disk *disk = opaque;

    g_string_append_printf(disk->found, " %" G_GUINT64_FORMAT, cluster);
    return --disk->enough > 0;
}

typedef struct {
    guint64 base_size; /* 0: as @size */
    const char *base;
    guint64 size;
    const char *now;
    const char *dirty;  /* "3:d"; NULL: it is not asked for */
    const char *differ; /* of all clusters that are told */
    guint64 compared;
    guint reads; /* clusters */
} Case;

static void
disk_clear(Disk *disk)
{
    g_assert_cmpuint(disk->opened, ==, 0);
    g_array_unref(disk->now.pieces);
    g_array_unref(disk->dirty.pieces);
    g_hash_table_unref(disk->reads);
    g_string_free(disk->found, TRUE);
    g_mutex_clear(&disk->lock);
}

static Disk *
disk_new(const Case *wanted)
{
    Disk *disk = g_new0(Disk, 1);

    disk->now = view_new(wanted->size, wanted->now);
    disk->dirty =
        view_new(wanted->size, wanted->dirty != NULL ? wanted->dirty : "");
    disk->reads = g_hash_table_new(g_direct_hash, g_direct_equal);
    disk->found = g_string_new(NULL);
    disk->enough = G_MAXUINT;
    g_mutex_init(&disk->lock);
    return disk;
}

static RfpCompare *
compare_new(const Case *wanted, Disk *disk, GPtrArray *base, const gint *cancel)
{
    RfpCompareOptions options = {
        .source_ops = &source_ops,
        .source = disk,
        .base = base,
        .copy =
            {
                .size = wanted->size,
                .increment = wanted->dirty != NULL,
                .resized_from =
                    wanted->base_size ? wanted->base_size : wanted->size,
                .workers = 3,
                .buffer = 4 * CLUSTER,
                .name = "vda",
                .cancel = cancel,
            },
        .func = on_different,
        .opaque = disk,
    };

    return rfp_compare_new(&options);
}

static GPtrArray *
base_of(const Case *wanted)
{
    View view = view_new(wanted->base_size ? wanted->base_size : wanted->size,
                         wanted->base);
    GPtrArray *base = base_new(&view);

    g_array_unref(view.pieces);
    return base;
}

/* All differences are told; then once more until the first. */
static void
check_case(const Case *wanted)
{
    g_autofree Disk *disk = disk_new(wanted);
    g_autoptr(GPtrArray) base = base_of(wanted);
    g_autoptr(RfpCompare) compare = compare_new(wanted, disk, base, NULL);
    g_autoptr(RfpCompare) again = compare_new(wanted, disk, base, NULL);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) differ = g_strsplit(wanted->differ, " ", 0);

    g_assert_true(rfp_compare_run(compare, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(disk->found->str, ==, wanted->differ);
    g_assert_cmpuint(rfp_compare_clusters(compare), ==, wanted->compared);
    g_assert_cmpuint(rfp_compare_done(compare), ==, wanted->size);
    g_assert_cmpuint(g_hash_table_size(disk->reads), ==, wanted->reads);
    /* each group is asked for its two maps, and once more what is dirty in it
     * where something differs */
    g_assert_cmpuint(disk->maps, <=, 3 * rfp_group_count(wanted->size));

    g_hash_table_remove_all(disk->reads);
    g_string_truncate(disk->found, 0);
    disk->enough = 1;
    g_assert_true(rfp_compare_run(again, &error));
    g_assert_no_error(error);
    if (differ[0] != NULL)
        g_assert_cmpstr(disk->found->str + 1, ==, differ[1]);
    disk_clear(disk);
}

/* ---- Tests --------------------------------------------------------------- */

#define GROUP RFP_GROUP_LEAVES
#define SIZE (2 * RFP_GROUP_SIZE + 5 * CLUSTER)
#define ALL (2 * GROUP + 5)

static const Case cases[] = {
    /* the same */
    {0, "", SIZE, "", "", "", ALL, 0},
    {0, "", SIZE, "", NULL, "", ALL, 0},
    {0, "", SIZE, "3:0 1g7:0", "", "", ALL, 2},
    {0, "0:a 9:0 1g0:b 2g4:c", SIZE, "0:a 1g0:b 2g4:c", "", "", ALL, 3},
    {0, "3:-a", SIZE, "3:-a", "", "", ALL, 1},
    {0, "5:a 6:a 7:a 8:a 9:a", SIZE, "5:a 6:a 7:a 8:a 9:a", "", "", ALL, 5},
    /* one byte, in the first, the last and any cluster */
    {0, "0:a 7:b 2g4:c", SIZE, "0:a+ 7:b 2g4:c", "", " 0", ALL, 3},
    {0, "0:a 7:b 2g4:c", SIZE, "0:a 7:b 2g4:c+", "", " 32772", ALL, 3},
    {0, "0:a 7:b 2g4:c", SIZE, "0:a+ 7:b+ 2g4:c+", "", " 0 7 32772", ALL, 3},
    {0, "0:a 7:b", SIZE, "0:a 7:b+", NULL, " 7", ALL, 2},
    {0, "", SIZE, "1g3:0+", "", " 16387", ALL, 1},
    /* a hole on one side, in a group with and without other data */
    {0, "0:a 7:b", SIZE, "0:a", "", " 7", ALL, 1},
    {0, "0:a 1g1:b", SIZE, "0:a", "", " 16385", ALL, 1},
    {0, "0:a 1g1:b 2g0:c", SIZE, "2g0:c", "", " 0 16385", ALL, 1},
    {0, "0:a", SIZE, "0:a 7:b 1g1:c", "", " 7 16385", ALL, 3},
    {0, "3:a", SIZE, "3:-a", "", " 3", ALL, 1},
    /* behind differences of a group without data comes one with */
    {0, "1g1:b", SIZE, "2g0:c", "", " 16385 32768", ALL, 1},
    /* what is dirty is neither read nor compared */
    {0, "0:a 7:b", SIZE, "0:x 7:b", "0:d", "", ALL - 1, 1},
    {0, "0:a 7:b", SIZE, "0:x 7:y", "0:d", " 7", ALL - 1, 1},
    {0, "0:a 1g1:b", SIZE, "2:c", "0:d 2:d 1g1:d", "", ALL - 3, 0},
    {0, "4:a 5:b 6:c", SIZE, "4:x 5:y 6:z", "5:d", " 4 6", ALL - 1, 2},
    {0, "2g4:c", SIZE, "2g4:x", "2g4:d", "", ALL - 1, 0},
    /* the disk does not end with a cluster */
    {0, "0:a", 1, "0:a", "", "", 1, 1},
    {0, "0:a", 1, "0:b", "", " 0", 1, 1},
    {0, "7:a", 7 * CLUSTER + 512, "7:a", "", "", 8, 1},
    {0, "7:a", 7 * CLUSTER + 512, "7:a+", "", " 7", 8, 1},
    {0, "7:a", 7 * CLUSTER + 512, "", "", " 7", 8, 0},
    {0, "", 7 * CLUSTER + 512, "7:0+", "", " 7", 8, 1},
    {0, "7:a", 7 * CLUSTER + 512, "7:b", "7:d", "", 7, 0},
    /* it grew, or shrank: the last clusters of then and now are stored again */
    {9 * CLUSTER, "8:a", 20 * CLUSTER, "8:x 19:y", "", "", 18, 0},
    {9 * CLUSTER, "8:a", 20 * CLUSTER, "8:a 12:y", "", " 12", 18, 1},
    {9 * CLUSTER - 512, "8:a", 9 * CLUSTER, "8:a", "", "", 8, 0},
    {20 * CLUSTER, "7:a 8:b 19:c", 9 * CLUSTER, "7:x 8:x", "", " 7", 8, 1},
    {CLUSTER, "0:a", SIZE, "1g0:b", "", " 16384", ALL - 2, 1},
};

static void
test_cases(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u: %s / %s", i, cases[i].base, cases[i].now);
        check_case(&cases[i]);
    }
}

/* What was compared until the first difference counts, and no more. */
static void
test_enough(void)
{
    const Case wanted = {0,     "0:a 1g1:b", SIZE, "0:x 1g1:y 1g5:z",
                         "0:d", "",          0,    0};
    g_autofree Disk *disk = disk_new(&wanted);
    g_autoptr(GPtrArray) base = base_of(&wanted);
    g_autoptr(RfpCompare) compare = compare_new(&wanted, disk, base, NULL);
    g_autoptr(GError) error = NULL;

    disk->enough = 1;
    g_assert_true(rfp_compare_run(compare, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(disk->found->str, ==, " 16385");
    g_assert_cmpuint(rfp_compare_clusters(compare), ==, GROUP - 1 + 2);
    disk_clear(disk);
}

static gpointer
cancel_soon(gpointer opaque)
{
    g_usleep(20 * 1000);
    g_atomic_int_set((gint *)opaque, 1);
    return NULL;
}

/* While it reads, and while nothing is read at all. */
static void
test_cancel(void)
{
    const Case wanted[] = {
        {0, "0:a", SIZE, "0:a", "", "", 0, 0},
        {0, "", SIZE, "", "", "", 0, 0},
    };

    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_autofree Disk *disk = disk_new(&wanted[i]);
        g_autoptr(GPtrArray) base = base_of(&wanted[i]);
        gint cancel = i; /* the second one is so from the beginning */
        g_autoptr(RfpCompare) compare =
            compare_new(&wanted[i], disk, base, &cancel);
        g_autoptr(GError) error = NULL;
        GThread *thread = g_thread_new(NULL, cancel_soon, &cancel);

        disk->hang = TRUE;
        g_assert_false(rfp_compare_run(compare, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
        g_thread_join(thread);
        disk_clear(disk);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/compare/cases", test_cases);
    g_test_add_func("/compare/enough", test_enough);
    g_test_add_func("/compare/cancel", test_cancel);
    return g_test_run();
}
