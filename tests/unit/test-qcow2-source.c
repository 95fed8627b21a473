/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-source.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "image/qcow2-writer.h"
#include "tool.h"

/*
 * A disk of more than two L2 tables, not of whole clusters: 1 and 2 are data, 4
 * is a zero cluster, the first one of the second table is data, the third table
 * is missing, and the last cluster, which is cut, is data.
 */
#define TABLE RFP_QCOW2_L2_ENTRIES
#define LAST (3 * TABLE + 5)
#define SIZE ((LAST << RFP_CLUSTER_BITS) + 1024)
#define AT(cluster) ((guint64)(cluster) << RFP_CLUSTER_BITS)

typedef struct {
    char *dir;
    char *path;
    RfpFolder folder;
    RfpQcow2Source *source;
} Fixture;

static void
write_clusters(RfpQcow2Writer *writer, guint64 first, guint n, guint8 value)
{
    g_autofree guint8 *data = g_malloc(n * RFP_CLUSTER_SIZE);
    g_autoptr(GError) error = NULL;

    memset(data, value, n * RFP_CLUSTER_SIZE);
    rfp_qcow2_writer_write(writer, first, data, n, &error);
    g_assert_no_error(error);
}

static RfpQcow2Writer *
start_image(const Fixture *fixture, const char *name, guint64 size)
{
    g_autoptr(GError) error = NULL;
    RfpQcow2Writer *writer = rfp_qcow2_writer_new(fixture->folder.fd, name,
                                                  name, size, NULL, &error);

    g_assert_no_error(error);
    return writer;
}

static void
zero_cluster(RfpQcow2Writer *writer, guint64 cluster)
{
    g_autoptr(GError) error = NULL;

    rfp_qcow2_writer_zero(writer, cluster, 1, &error);
    g_assert_no_error(error);
}

static void
finish_image(RfpQcow2Writer *writer)
{
    g_autoptr(GError) error = NULL;
    guint64 size = 0;

    rfp_qcow2_writer_finish(writer, &size, &error);
    g_assert_no_error(error);
    rfp_qcow2_writer_free(writer);
}

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpQcow2Writer *writer = NULL;

    fixture->dir = g_dir_make_tmp("refpoint-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->dir, "image", NULL);
    fixture->folder.fd = open(fixture->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->folder.shown = fixture->dir;
    writer = start_image(fixture, "image", SIZE);
    write_clusters(writer, 1, 1, 0x11);
    write_clusters(writer, 2, 1, 0x22);
    zero_cluster(writer, 4);
    write_clusters(writer, TABLE, 1, 0x33);
    write_clusters(writer, LAST, 1, 0x44);
    finish_image(writer);
    fixture->source = rfp_qcow2_source_new(NULL, fixture->path);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    rfp_qcow2_source_free(fixture->source);
    close(fixture->folder.fd);
    tool_remove_dir(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->path);
}

static gpointer
connect_to(Fixture *fixture, const gint *cancel)
{
    g_autoptr(GError) error = NULL;
    gpointer connection =
        rfp_qcow2_source_ops.open(fixture->source, cancel, &error);

    g_assert_no_error(error);
    return connection;
}

/* ---- Maps ---------------------------------------------------------------- */

static gboolean
print_extent(guint64 offset, guint64 length, gboolean flag, gpointer opaque)
{
    GString *text = opaque;

    g_assert_cmpuint(length, >, 0);
    if (flag)
        g_string_append_printf(text, "%u+%u ",
                               (guint)(offset >> RFP_CLUSTER_BITS),
                               (guint)rfp_cluster_count(length));
    return TRUE;
}

static gboolean
first_only(guint64 offset, guint64 length, gboolean flag, gpointer opaque)
{
    print_extent(offset, length, flag, opaque);
    return FALSE;
}

static char *
map(Fixture *fixture,
    RfpMap what,
    guint64 offset,
    guint64 length,
    RfpMapFunc func)
{
    gpointer connection = connect_to(fixture, NULL);
    GString *text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_qcow2_source_ops.map(connection, what, offset, length,
                                           func, text, &error));
    g_assert_no_error(error);
    rfp_qcow2_source_ops.close(connection);
    return g_string_free(text, FALSE);
}

static void
test_map(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *dirty = map(fixture, RFP_MAP_DIRTY, 0, SIZE, print_extent);
    g_autofree char *zero =
        map(fixture, RFP_MAP_ALLOCATION, 0, SIZE, print_extent);
    g_autofree char *part =
        map(fixture, RFP_MAP_DIRTY, AT(2), AT(1), print_extent);
    g_autofree char *byte = map(fixture, RFP_MAP_DIRTY, AT(4), 1, print_extent);
    g_autofree char *stopped =
        map(fixture, RFP_MAP_ALLOCATION, 0, SIZE, first_only);
    guint64 clusters = 0;
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(dirty, ==, "1+2 4+1 8192+1 24581+1 ");
    g_assert_cmpstr(zero, ==, "0+1 3+8189 8193+16388 ");
    g_assert_cmpstr(part, ==, "2+1 ");
    g_assert_cmpstr(byte, ==, "4+1 ");
    g_assert_cmpstr(stopped, ==, "0+1 ");
    g_assert_true(rfp_qcow2_source_stored(fixture->source, &clusters, &error));
    g_assert_cmpuint(clusters, ==, 5);
}

/* ---- Data ---------------------------------------------------------------- */

static void
read_byte(Fixture *fixture,
          guint64 offset,
          guint32 length,
          guint at,
          guint8 wanted)
{
    gpointer connection = connect_to(fixture, NULL);
    g_autofree guint8 *data = g_malloc(length);
    g_autoptr(GError) error = NULL;

    memset(data, 0xff, length);
    g_assert_true(
        rfp_qcow2_source_ops.read(connection, data, offset, length, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(data[at], ==, wanted);
    rfp_qcow2_source_ops.close(connection);
}

static void
test_read(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    read_byte(fixture, 0, 2 * RFP_CLUSTER_SIZE, 0, 0);
    read_byte(fixture, 0, 2 * RFP_CLUSTER_SIZE, RFP_CLUSTER_SIZE, 0x11);
    /* both of them with one read of the file */
    read_byte(fixture, AT(1), 2 * RFP_CLUSTER_SIZE, 0, 0x11);
    read_byte(fixture, AT(1), 2 * RFP_CLUSTER_SIZE, RFP_CLUSTER_SIZE, 0x22);
    /* over the border of two clusters, both in part */
    read_byte(fixture, AT(2) - 512, 1024, 511, 0x11);
    read_byte(fixture, AT(2) - 512, 1024, 512, 0x22);
    read_byte(fixture, AT(3) - 512, 1024, 512, 0);
    read_byte(fixture, AT(4), RFP_CLUSTER_SIZE, 7, 0);
    read_byte(fixture, AT(TABLE), RFP_CLUSTER_SIZE, 0, 0x33);
    read_byte(fixture, AT(LAST), 1024, 1023, 0x44);
}

static void
test_cancel(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const gint cancel = 1;
    gpointer connection = connect_to(fixture, &cancel);
    g_autoptr(GError) error = NULL;
    char byte = '\0';

    g_assert_false(rfp_qcow2_source_ops.read(connection, &byte, 0, 1, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
    rfp_qcow2_source_ops.close(connection);
}

static void
test_missing(Fixture *fixture G_GNUC_UNUSED, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpQcow2Source) source =
        rfp_qcow2_source_new(NULL, "/nowhere/image");
    g_autoptr(GError) error = NULL;

    g_assert_null(rfp_qcow2_source_ops.open(source, NULL, &error));
    g_assert_nonnull(strstr(error->message, "/nowhere/image"));
    g_assert_false(rfp_qcow2_source_in_use(source));
}

/* ---- A chain ------------------------------------------------------------- */

#define CHAIN_SIZE AT(10)

/*
 * The disk has ten clusters, all of data but the last. It is shrunk to four and
 * a half, where the second is zeroed and the last is written, which is cut; it
 * is grown again, and the third is written.
 */
static void
set_up_chain(Fixture *fixture, gconstpointer data)
{
    RfpQcow2Writer *writer = NULL;

    set_up(fixture, data);
    writer = start_image(fixture, "old", CHAIN_SIZE);
    write_clusters(writer, 0, 9, 0xaa);
    finish_image(writer);
    writer = start_image(fixture, "middle", AT(4) + 512);
    zero_cluster(writer, 1);
    write_clusters(writer, 4, 1, 0xbb);
    finish_image(writer);
    writer = start_image(fixture, "new", CHAIN_SIZE);
    write_clusters(writer, 2, 1, 0xcc);
    finish_image(writer);
    rfp_qcow2_source_free(fixture->source);
    fixture->source = rfp_qcow2_source_new(&fixture->folder, "new");
    rfp_qcow2_source_add_backing(fixture->source, "middle");
    rfp_qcow2_source_add_backing(fixture->source, "old");
}

static void
test_chain_read(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const guint8 wanted[] = {0xaa, 0, 0xcc, 0xaa, 0xbb, 0, 0, 0, 0, 0};
    g_autofree guint8 *view = g_malloc(CHAIN_SIZE);
    gpointer connection = connect_to(fixture, NULL);
    g_autoptr(GError) error = NULL;

    memset(view, 0xff, CHAIN_SIZE);
    rfp_qcow2_source_ops.read(connection, view, 0, CHAIN_SIZE, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(wanted); i++) {
        g_assert_cmphex(view[AT(i)], ==, wanted[i]);
        g_assert_cmphex(view[AT(i) + 511], ==, wanted[i]);
        g_assert_cmphex(view[AT(i + 1) - 1], ==, i == 4 ? 0 : wanted[i]);
    }
    rfp_qcow2_source_ops.close(connection);
    /* over the end of the image in the middle */
    read_byte(fixture, AT(4) + 256, 512, 255, 0xbb);
    read_byte(fixture, AT(4) + 256, 512, 256, 0);
}

static void
test_chain_map(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *dirty =
        map(fixture, RFP_MAP_DIRTY, 0, CHAIN_SIZE, print_extent);
    g_autofree char *zero =
        map(fixture, RFP_MAP_ALLOCATION, 0, CHAIN_SIZE, print_extent);

    g_assert_cmpstr(dirty, ==, "2+1 ");
    g_assert_cmpstr(zero, ==, "1+1 5+5 ");
}

/*
 * Two images, alike as files: their first clusters lie at the same places. Each
 * has a cluster where the other has none, so neighbours on the disk that seem
 * to be neighbours in a file are in two. The last cluster of the newer one is
 * cut, and the older one has more of it.
 */
static void
test_chain_places(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree guint8 *view = g_malloc(AT(6));
    RfpQcow2Writer *writer = start_image(fixture, "below", AT(6));
    g_autoptr(RfpQcow2Source) source =
        rfp_qcow2_source_new(&fixture->folder, "above");
    gpointer connection = NULL;
    g_autoptr(GError) error = NULL;

    write_clusters(writer, 0, 6, 0x10);
    finish_image(writer);
    writer = start_image(fixture, "above", AT(5) + 512);
    write_clusters(writer, 0, 1, 0x20);
    write_clusters(writer, 3, 2, 0x20);
    finish_image(writer);
    rfp_qcow2_source_add_backing(source, "below");
    connection = rfp_qcow2_source_ops.open(source, NULL, &error);
    g_assert_no_error(error);
    memset(view, 0xff, AT(6));
    rfp_qcow2_source_ops.read(connection, view, 0, AT(6), &error);
    g_assert_no_error(error);
    rfp_qcow2_source_ops.close(connection);
    for (guint i = 0; i < 6; i++) {
        const guint8 wanted = i == 0 || i == 3 || i == 4 ? 0x20 : 0x10;

        g_assert_cmphex(view[AT(i)], ==, wanted);
        g_assert_cmphex(view[AT(i + 1) - 1], ==, i == 5 ? 0 : wanted);
    }
}

/* Compressed, and cut by what is above it. */
static void
test_chain_compressed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpCompress) compress = rfp_compress_new(1, 1);
    RfpQcow2Writer *writer = start_image(fixture, "packed", AT(3));

    rfp_qcow2_writer_set_compress(writer, compress, RFP_CLUSTER_SIZE);
    write_clusters(writer, 0, 3, 0x77);
    finish_image(writer);
    finish_image(start_image(fixture, "cut", AT(1) + 1024));
    finish_image(start_image(fixture, "grown", AT(3)));
    rfp_qcow2_source_free(fixture->source);
    fixture->source = rfp_qcow2_source_new(&fixture->folder, "grown");
    rfp_qcow2_source_add_backing(fixture->source, "cut");
    rfp_qcow2_source_add_backing(fixture->source, "packed");
    read_byte(fixture, 0, 3 * RFP_CLUSTER_SIZE, RFP_CLUSTER_SIZE - 1, 0x77);
    read_byte(fixture, 0, 3 * RFP_CLUSTER_SIZE, AT(1) + 1023, 0x77);
    read_byte(fixture, 0, 3 * RFP_CLUSTER_SIZE, AT(1) + 1024, 0);
    read_byte(fixture, 0, 3 * RFP_CLUSTER_SIZE, AT(2), 0);
    read_byte(fixture, AT(1) + 1000, 100, 23, 0x77);
    read_byte(fixture, AT(1) + 1000, 100, 24, 0);
}

/* One that QEMU would read in another way is not read. */
static void
test_chain_features(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const guint8 data_file = 1 << 2;
    g_autofree char *old = g_build_filename(fixture->dir, "old", NULL);
    int fd = open(old, O_WRONLY | O_CLOEXEC);
    gpointer connection = connect_to(fixture, NULL);
    guint8 byte = 0;
    g_autoptr(GError) error = NULL;

    /* the last byte of the incompatible features */
    g_assert_cmpint(pwrite(fd, &data_file, 1, 79), ==, 1);
    close(fd);
    g_assert_false(
        rfp_qcow2_source_ops.read(connection, &byte, AT(3), 1, &error));
    g_assert_nonnull(strstr(error->message, "'old'"));
    g_assert_nonnull(strstr(error->message, "another file"));
    rfp_qcow2_source_ops.close(connection);
}

/* An image that is missing matters where something is looked for in it. */
static void
test_chain_broken(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *old = g_build_filename(fixture->dir, "old", NULL);
    g_autofree guint8 *cluster = g_malloc(RFP_CLUSTER_SIZE);
    gpointer connection = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(unlink(old), ==, 0);
    connection = connect_to(fixture, NULL);
    read_byte(fixture, AT(2), RFP_CLUSTER_SIZE, 0, 0xcc);
    g_assert_false(rfp_qcow2_source_ops.read(connection, cluster, AT(3),
                                             RFP_CLUSTER_SIZE, &error));
    g_assert_nonnull(strstr(error->message, old));
    rfp_qcow2_source_ops.close(connection);
}

/* ---- Locks --------------------------------------------------------------- */

/* A lock such as QEMU has on an image that it reads. */
static void
test_in_use(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    struct flock lock = {.l_type = F_RDLCK,
                         .l_whence = SEEK_SET,
                         .l_start = 100,
                         .l_len = 1};
    int fd = open(fixture->path, O_RDWR | O_CLOEXEC);

    g_assert_false(rfp_qcow2_source_in_use(fixture->source));
    g_assert_cmpint(fcntl(fd, F_OFD_SETLK, &lock), ==, 0);
    g_assert_true(rfp_qcow2_source_in_use(fixture->source));
    close(fd);
    g_assert_false(rfp_qcow2_source_in_use(fixture->source));
}

#define ADD(name, function)                                                    \
    g_test_add("/qcow2-source/" name, Fixture, NULL, set_up, function,         \
               tear_down)
#define ADD_CHAIN(name, function)                                              \
    g_test_add("/qcow2-source/chain/" name, Fixture, NULL, set_up_chain,       \
               function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("map", test_map);
    ADD("read", test_read);
    ADD("cancel", test_cancel);
    ADD_CHAIN("read", test_chain_read);
    ADD_CHAIN("map", test_chain_map);
    ADD_CHAIN("broken", test_chain_broken);
    ADD_CHAIN("features", test_chain_features);
    ADD("chain/places", test_chain_places);
    ADD("chain/compressed", test_chain_compressed);
    ADD("missing", test_missing);
    ADD("in-use", test_in_use);
    return g_test_run();
}
