/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-source.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The bytes that QEMU locks in an image that it has open: from 100 on what it
 * does with it, from 200 on what others may not do. Source: QEMU,
 * block/file-posix.c. */
#define QEMU_LOCKS_BEGIN 100
#define QEMU_LOCKS_LENGTH 200

struct _RfpQcow2Source {
    const RfpFolder *folder; /* NULL: the paths are absolute */
    GPtrArray *paths;        /* newest first */
};

/* One for each thread: a reader caches a table. */
typedef struct {
    const RfpQcow2Source *source;
    RfpQcow2Reader **images; /* as the paths; NULL: not opened yet */
    const gint *cancel;
    guint8 *cluster; /* one that is wanted in part, or is compressed */
} Connection;

/* Where a cluster of the view lies. */
typedef struct {
    RfpQcow2Kind kind; /* RFP_QCOW2_UNALLOCATED: no image stores it */
    RfpQcow2Reader *image;
    guint64 host; /* as rfp_qcow2_reader_map() has it */
    gsize length; /* bytes of it that the view has; zeroes follow */
} Place;

RfpQcow2Source *
rfp_qcow2_source_new(const RfpFolder *folder, const char *path)
{
    RfpQcow2Source *source = g_new0(RfpQcow2Source, 1);

    source->folder = folder;
    source->paths = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(source->paths, g_strdup(path));
    return source;
}

void
rfp_qcow2_source_add_backing(RfpQcow2Source *source, const char *path)
{
    g_ptr_array_add(source->paths, g_strdup(path));
}

void
rfp_qcow2_source_free(RfpQcow2Source *source)
{
    if (source == NULL)
        return;
    g_ptr_array_unref(source->paths);
    g_free(source);
}

static int
open_file(const RfpQcow2Source *source, const char *path, GError **error)
{
    int fd = -1;

    if (source->folder != NULL)
        return rfp_files_open(source->folder, path, O_RDONLY, error);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        rfp_error_set_errno(error, errno, _("cannot open '%s'"), path);
    return fd;
}

/* The @i-th image, newest first, which is opened if need be. */
static RfpQcow2Reader *
get_image(Connection *connection, guint i, GError **error)
{
    const RfpQcow2Source *source = connection->source;
    const char *path = g_ptr_array_index(source->paths, i);
    g_auto(RfpFd) fd = -1;
    g_autoptr(RfpQcow2Reader) reader = NULL;

    if (connection->images[i] != NULL)
        return connection->images[i];
    fd = open_file(source, path, error);
    if (fd >= 0)
        reader = rfp_qcow2_reader_open(fd, path, error);
    if (reader == NULL)
        return NULL;
    if (!rfp_qcow2_header_check_features(rfp_qcow2_reader_header(reader),
                                         error)) {
        rfp_error_prefix(error, _("image '%s'"), path);
        rfp_error_add_object(error, path);
        return NULL;
    }
    connection->images[i] = g_steal_pointer(&reader);
    return connection->images[i];
}

static void
close_source(gpointer opaque)
{
    Connection *connection = opaque;

    for (guint i = 0; i < connection->source->paths->len; i++)
        rfp_qcow2_reader_free(connection->images[i]);
    g_free(connection->images);
    g_free(connection->cluster);
    g_free(connection);
}

static gpointer
open_source(gpointer opaque, const gint *cancel, GError **error)
{
    const RfpQcow2Source *source = opaque;
    Connection *connection = g_new0(Connection, 1);

    connection->source = source;
    connection->images = g_new0(RfpQcow2Reader *, source->paths->len);
    connection->cancel = cancel;
    connection->cluster = g_malloc(RFP_CLUSTER_SIZE);
    if (get_image(connection, 0, error) != NULL)
        return connection;
    close_source(connection);
    return NULL;
}

RfpQcow2Reader *
rfp_qcow2_source_reader(gpointer connection)
{
    return ((Connection *)connection)->images[0];
}

static gboolean
check_cancel(const Connection *connection, GError **error)
{
    if (connection->cancel == NULL || !g_atomic_int_get(connection->cancel))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
    return FALSE;
}

/* Looks for a cluster in the newest image, and in those that it builds on until
 * one has it or ends before it. */
static gboolean
find_cluster(Connection *connection,
             guint64 cluster,
             Place *place,
             GError **error)
{
    const guint64 offset = cluster << RFP_CLUSTER_BITS;

    *place = (Place){.length = RFP_CLUSTER_SIZE};
    for (guint i = 0; i < connection->source->paths->len; i++) {
        guint64 size = 0;

        place->image = get_image(connection, i, error);
        if (place->image == NULL)
            return FALSE;
        size = rfp_qcow2_reader_header(place->image)->size;
        if (size <= offset)
            return TRUE;
        place->length = (gsize)MIN(place->length, size - offset);
        if (!rfp_qcow2_reader_map(place->image, cluster, &place->kind,
                                  &place->host, error))
            return FALSE;
        if (place->kind != RFP_QCOW2_UNALLOCATED)
            return TRUE;
    }
    return TRUE;
}

/* ---- Reading ------------------------------------------------------------- */

/* @length bytes of the cluster at @place, from @begin in it on. */
static gboolean
read_part(Connection *connection,
          const Place *place,
          guint8 *data,
          gsize begin,
          gsize length,
          GError **error)
{
    const gboolean whole = length == RFP_CLUSTER_SIZE;
    guint8 *to = whole ? data : connection->cluster;

    if (place->kind == RFP_QCOW2_UNALLOCATED ||
        place->kind == RFP_QCOW2_ZEROES) {
        memset(data, 0, length);
        return TRUE;
    }
    if (place->kind == RFP_QCOW2_DATA
            ? !rfp_qcow2_reader_read(place->image, place->host, 1, to, error)
            : !rfp_qcow2_reader_read_compressed(place->image, place->host, to,
                                                error))
        return FALSE;
    memset(to + place->length, 0, RFP_CLUSTER_SIZE - place->length);
    if (!whole)
        memcpy(data, to + begin, length);
    return TRUE;
}

/* How many of the @n clusters from @cluster on, which lies at @place, are
 * whole and follow one another in one file. What cannot be looked at ends them:
 * its turn comes, and so does its error. */
static guint
run_length(Connection *connection, guint64 cluster, const Place *place, guint n)
{
    guint i = 1;

    while (i < n && place->kind == RFP_QCOW2_DATA &&
           place->length == RFP_CLUSTER_SIZE) {
        Place next;

        if (!find_cluster(connection, cluster + i, &next, NULL) ||
            next.kind != RFP_QCOW2_DATA || next.image != place->image ||
            next.host != place->host + i * RFP_CLUSTER_SIZE ||
            next.length < RFP_CLUSTER_SIZE)
            break;
        i++;
    }
    return i;
}

static gboolean
read_source(gpointer opaque,
            void *data,
            guint64 offset,
            guint32 length,
            GError **error)
{
    Connection *connection = opaque;
    guint8 *at = data;

    if (!check_cancel(connection, error))
        return FALSE;
    while (length > 0) {
        const guint64 cluster = offset >> RFP_CLUSTER_BITS;
        const gsize begin = offset % RFP_CLUSTER_SIZE;
        const guint whole = begin == 0 ? length >> RFP_CLUSTER_BITS : 0;
        gsize n = MIN(length, RFP_CLUSTER_SIZE - begin);
        Place place;
        guint run = 0;

        if (!find_cluster(connection, cluster, &place, error))
            return FALSE;
        run = run_length(connection, cluster, &place, whole);
        if (run > 1)
            n = run * RFP_CLUSTER_SIZE;
        if (run > 1 ? !rfp_qcow2_reader_read(place.image, place.host, run, at,
                                             error)
                    : !read_part(connection, &place, at, begin, n, error))
            return FALSE;
        at += n;
        offset += n;
        length -= (guint32)n;
    }
    return TRUE;
}

/* ---- Maps ---------------------------------------------------------------- */

/* For how many clusters from @cluster on it is known without a look at them
 * that none of the first @n_images has them: a table that is not there stores
 * nothing. */
static gboolean
count_empty(Connection *connection,
            guint64 cluster,
            guint n_images,
            guint64 *n,
            GError **error)
{
    *n = RFP_QCOW2_L2_ENTRIES - cluster % RFP_QCOW2_L2_ENTRIES;
    for (guint i = 0; *n > 0 && i < n_images; i++) {
        RfpQcow2Reader *image = get_image(connection, i, error);

        if (image == NULL)
            return FALSE;
        if (!rfp_qcow2_reader_l1_empty(image, (guint32)(cluster /
                                                        RFP_QCOW2_L2_ENTRIES)))
            *n = 0;
    }
    return TRUE;
}

/* The flag of a cluster, and in *@n how many from it on have the same. */
static gboolean
look_at(Connection *connection,
        RfpMap map,
        guint64 cluster,
        gboolean *flag,
        guint64 *n,
        GError **error)
{
    const gboolean dirty = map == RFP_MAP_DIRTY;
    const guint n_images = dirty ? 1 : connection->source->paths->len;
    Place place = {.kind = RFP_QCOW2_UNALLOCATED};

    if (!count_empty(connection, cluster, n_images, n, error))
        return FALSE;
    *flag = !dirty;
    if (*n > 0)
        return TRUE;
    *n = 1;
    if (dirty ? !rfp_qcow2_reader_map(connection->images[0], cluster,
                                      &place.kind, &place.host, error)
              : !find_cluster(connection, cluster, &place, error))
        return FALSE;
    *flag = dirty ? place.kind != RFP_QCOW2_UNALLOCATED
                  : place.kind == RFP_QCOW2_UNALLOCATED ||
                        place.kind == RFP_QCOW2_ZEROES;
    return TRUE;
}

static gboolean
map_source(gpointer opaque,
           RfpMap map,
           guint64 offset,
           guint64 length,
           RfpMapFunc func,
           gpointer func_opaque,
           GError **error)
{
    Connection *connection = opaque;
    const guint64 end = offset + length;
    guint64 begin = offset; /* of the extent that grows */
    gboolean flag = FALSE;  /* its */

    while (offset < end) {
        gboolean here = FALSE;
        guint64 n = 0;

        if (!check_cancel(connection, error) ||
            !look_at(connection, map, offset >> RFP_CLUSTER_BITS, &here, &n,
                     error))
            return FALSE;
        if (here != flag && offset > begin) {
            if (!func(begin, offset - begin, flag, func_opaque))
                return TRUE;
            begin = offset;
        }
        flag = here;
        offset = ((offset >> RFP_CLUSTER_BITS) + n) << RFP_CLUSTER_BITS;
    }
    if (end > begin)
        func(begin, end - begin, flag, func_opaque);
    return TRUE;
}

static gboolean
add_stored(guint64 offset G_GNUC_UNUSED,
           guint64 length,
           gboolean stored,
           gpointer opaque)
{
    guint64 *clusters = opaque;

    *clusters += stored ? rfp_cluster_count(length) : 0;
    return TRUE;
}

gboolean
rfp_qcow2_source_stored(RfpQcow2Source *source,
                        guint64 *clusters,
                        GError **error)
{
    Connection *connection = open_source(source, NULL, error);
    gboolean done = FALSE;

    *clusters = 0;
    if (connection == NULL)
        return FALSE;
    done = map_source(connection, RFP_MAP_DIRTY, 0,
                      rfp_qcow2_reader_header(connection->images[0])->size,
                      add_stored, clusters, error);
    close_source(connection);
    return done;
}

gboolean
rfp_qcow2_source_in_use(const RfpQcow2Source *source)
{
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = QEMU_LOCKS_BEGIN,
        .l_len = QEMU_LOCKS_LENGTH,
    };
    g_auto(RfpFd) fd =
        open_file(source, g_ptr_array_index(source->paths, 0), NULL);

    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
           lock.l_type != F_UNLCK;
}

const RfpSourceOps rfp_qcow2_source_ops = {
    .open = open_source,
    .close = close_source,
    .read = read_source,
    .map = map_source,
};
