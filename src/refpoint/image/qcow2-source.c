/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-source.h"
#include "base/files.h"
#include "base/text.h"
#include "image/qcow2-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The bytes that QEMU locks in an image that it has open: from 100 on what it
 * does with it, from 200 on what others may not do. Source: QEMU,
 * block/file-posix.c. */
#define QEMU_LOCKS_BEGIN 100
#define QEMU_LOCKS_LENGTH 200

struct _RfpQcow2Source {
    char *path;
};

/* One for each thread: a reader caches a table. */
typedef struct {
    RfpQcow2Reader *reader;
    const gint *cancel;
    guint8 *cluster; /* one that is wanted in part, or is compressed */
} Connection;

RfpQcow2Source *
rfp_qcow2_source_new(const char *path)
{
    RfpQcow2Source *source = g_new0(RfpQcow2Source, 1);

    source->path = g_strdup(path);
    return source;
}

void
rfp_qcow2_source_free(RfpQcow2Source *source)
{
    if (source == NULL)
        return;
    g_free(source->path);
    g_free(source);
}

static void
close_source(gpointer opaque)
{
    Connection *connection = opaque;

    rfp_qcow2_reader_free(connection->reader);
    g_free(connection->cluster);
    g_free(connection);
}

static gpointer
open_source(gpointer opaque, const gint *cancel, GError **error)
{
    const RfpQcow2Source *source = opaque;
    g_auto(RfpFd) fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    Connection *connection = NULL;
    RfpQcow2Reader *reader = NULL;

    if (fd < 0) {
        rfp_error_set_errno(error, errno, _("cannot open '%s'"), source->path);
        return NULL;
    }
    reader = rfp_qcow2_reader_open(fd, source->path, error);
    if (reader == NULL)
        return NULL;
    connection = g_new0(Connection, 1);
    connection->reader = reader;
    connection->cancel = cancel;
    connection->cluster = g_malloc(RFP_CLUSTER_SIZE);
    return connection;
}

static gboolean
check_cancel(const Connection *connection, GError **error)
{
    if (connection->cancel == NULL || !g_atomic_int_get(connection->cancel))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
    return FALSE;
}

/* ---- Reading ------------------------------------------------------------- */

/* @length bytes of a cluster, from @begin in it on. */
static gboolean
read_cluster(Connection *connection,
             guint64 cluster,
             guint8 *data,
             gsize begin,
             gsize length,
             GError **error)
{
    RfpQcow2Kind kind = RFP_QCOW2_UNALLOCATED;
    gboolean whole = length == RFP_CLUSTER_SIZE;
    guint8 *to = whole ? data : connection->cluster;
    guint64 host = 0;

    if (!rfp_qcow2_reader_map(connection->reader, cluster, &kind, &host, error))
        return FALSE;
    if (kind == RFP_QCOW2_UNALLOCATED || kind == RFP_QCOW2_ZEROES) {
        memset(data, 0, length);
        return TRUE;
    }
    if (kind == RFP_QCOW2_DATA
            ? !rfp_qcow2_reader_read(connection->reader, host, to, error)
            : !rfp_qcow2_reader_read_compressed(connection->reader, host, to,
                                                error))
        return FALSE;
    if (!whole)
        memcpy(data, to + begin, length);
    return TRUE;
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
        gsize begin = offset % RFP_CLUSTER_SIZE;
        gsize n = MIN(length, RFP_CLUSTER_SIZE - begin);

        if (!read_cluster(connection, offset >> RFP_CLUSTER_BITS, at, begin, n,
                          error))
            return FALSE;
        at += n;
        offset += n;
        length -= (guint32)n;
    }
    return TRUE;
}

/* ---- Maps ---------------------------------------------------------------- */

/* The flag of a cluster, and in *@n for how many from it on it is known without
 * a further look: a table that is not there stores nothing. */
static gboolean
look_at(Connection *connection,
        RfpMap map,
        guint64 cluster,
        gboolean *flag,
        guint64 *n,
        GError **error)
{
    RfpQcow2Kind kind = RFP_QCOW2_UNALLOCATED;
    guint64 host = 0;

    *n = 1;
    if (rfp_qcow2_reader_l1_empty(connection->reader,
                                  (guint32)(cluster / RFP_QCOW2_L2_ENTRIES)))
        *n = RFP_QCOW2_L2_ENTRIES - cluster % RFP_QCOW2_L2_ENTRIES;
    else if (!rfp_qcow2_reader_map(connection->reader, cluster, &kind, &host,
                                   error))
        return FALSE;
    if (map == RFP_MAP_DIRTY)
        *flag = kind != RFP_QCOW2_UNALLOCATED;
    else
        *flag = kind == RFP_QCOW2_UNALLOCATED || kind == RFP_QCOW2_ZEROES;
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
                      rfp_qcow2_reader_header(connection->reader)->size,
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
    g_auto(RfpFd) fd = open(source->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
           lock.l_type != F_UNLCK;
}

const RfpSourceOps rfp_qcow2_source_ops = {
    .open = open_source,
    .close = close_source,
    .read = read_source,
    .map = map_source,
};
