/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qcow2-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "text.h"

/* How far the file is prepared ahead of the data: as far again as it is long,
 * within these. */
#define AHEAD_MIN ((guint64)8 << 20)
#define AHEAD_MAX ((guint64)256 << 20)

/* Buffered data is waited for in steps of this, one step behind the writer. */
#define PUSH_STEP ((guint64)32 << 20)

#define TABLES_PER_GROUP (RFP_GROUP_SIZE / RFP_QCOW2_L2_SPAN)

struct _RfpQcow2Writer {
    int fd;
    int direct_fd; /* the same file opened with O_DIRECT, or -1 */
    char *display;
    char *backing; /* or NULL */
    guint64 size;  /* of the disk, bytes */
    guint32 l1_entries;

    /* Shared without a lock. */
    atomic_bool direct;        /* direct_fd works, as far as is known */
    _Atomic(guint64) end;      /* of the clusters handed out, bytes */
    _Atomic(guint64) stored;   /* data, bytes */
    _Atomic(guint64) extended; /* the file is prepared up to here */

    /* Under the lock: both tables have big-endian entries; an L1 entry is set
     * when its L2 table, then no longer in l2, has got its place. */
    GMutex lock;
    guint64 *l1;
    guint64 **l2;
};

/* Zeroed and aligned for O_DIRECT; NULL if there is no memory: tables of a
 * large disk are large. Free with free(). */
static void *
new_clusters(guint64 n)
{
    gsize length = (gsize)(n << RFP_CLUSTER_BITS);
    void *data = aligned_alloc(RFP_QCOW2_BUFFER_ALIGN, length);

    return data ? memset(data, 0, length) : NULL;
}

static gboolean
no_memory(const RfpQcow2Writer *writer, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NO_MEMORY,
                  _("no memory for the tables of '%s'"), writer->display);
    return FALSE;
}

/* ---- The file ---------------------------------------------------------- */

static gboolean
file_failed(const RfpQcow2Writer *writer,
            int errnum,
            guint64 offset,
            GError **error)
{
    rfp_error_set_errno(error, errnum,
                        _("cannot write '%s' at offset %" PRIu64),
                        writer->display, offset);
    rfp_error_add_object(error, writer->display);
    if (errnum == EFBIG)
        rfp_error_add_way_out(error, _("use a file system without this limit "
                                       "on the size of files, or raise the "
                                       "limit (ulimit -f)"));
    return FALSE;
}

static gboolean
is_aligned(const void *data, gsize length, guint64 offset)
{
    guint64 bits = (uintptr_t)data | length | offset;

    return (bits & (RFP_QCOW2_BUFFER_ALIGN - 1)) == 0;
}

/* The only place that writes. @direct asks for O_DIRECT, where it works. */
static gboolean
write_at(RfpQcow2Writer *writer,
         gboolean direct,
         const void *data,
         gsize length,
         guint64 offset,
         GError **error)
{
    const guint8 *at = data;

    while (length > 0) {
        int fd = direct && is_aligned(at, length, offset) ? writer->direct_fd :
                                                            writer->fd;
        ssize_t n = pwrite(fd, at, length, (off_t)offset);

        if (n > 0) {
            at += n;
            offset += (guint64)n;
            length -= (gsize)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EINVAL && fd == writer->direct_fd) {
            direct = FALSE;
            atomic_store(&writer->direct, FALSE);
            continue;
        }
        return file_failed(writer, n < 0 ? errno : EIO, offset, error);
    }
    return TRUE;
}

/*
 * Space is taken too, for O_DIRECT: ext4 lets only one writer at a time fill a
 * hole, but many fill space that is allocated (3 GiB, 4 threads, 2 CPUs: 2.0 s
 * instead of 3.3 s). Where there is no space left, or the file system cannot,
 * the size alone is set.
 */
static gboolean
extend(RfpQcow2Writer *writer, guint64 from, guint64 to)
{
    if (atomic_load(&writer->direct) &&
        fallocate(writer->fd, 0, (off_t)from, (off_t)(to - from)) == 0)
        return TRUE;
    return ftruncate(writer->fd, (off_t)to) == 0;
}

/*
 * Prepares the file ahead of @end. Where that fails (a limit on the size of
 * files that the data itself may keep) the writes grow the file, and report
 * what is wrong if they cannot.
 */
static void
extend_ahead(RfpQcow2Writer *writer, guint64 end)
{
    g_autoptr(GMutexLocker) locker = NULL;
    guint64 from;
    guint64 to;

    if (end <= atomic_load(&writer->extended))
        return;
    locker = g_mutex_locker_new(&writer->lock);
    from = atomic_load(&writer->extended);
    if (end <= from)
        return;
    to = end + CLAMP(end, AHEAD_MIN, AHEAD_MAX);
    atomic_store(&writer->extended,
                 extend(writer, from, to) ? to : G_MAXUINT64);
}

/*
 * Starts writing out what was just written, and whenever a step is complete
 * waits for the one before it: dirty pages stay bounded. The wait takes an
 * error away from the later fsync(), so it is reported here.
 */
static gboolean
push_out(RfpQcow2Writer *writer, guint64 offset, gsize length, GError **error)
{
    guint64 start = (offset + length) / PUSH_STEP * PUSH_STEP;
    int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                SYNC_FILE_RANGE_WAIT_AFTER;

    sync_file_range(writer->fd, (off_t)offset, (off_t)length,
                    SYNC_FILE_RANGE_WRITE);
    if (offset >= start || start < 2 * PUSH_STEP)
        return TRUE;
    start -= 2 * PUSH_STEP;
    if (sync_file_range(writer->fd, (off_t)start, PUSH_STEP, flags) < 0 &&
        (errno == EIO || errno == ENOSPC || errno == EDQUOT))
        return file_failed(writer, errno, start, error);
    posix_fadvise(writer->fd, (off_t)start, PUSH_STEP, POSIX_FADV_DONTNEED);
    return TRUE;
}

static gboolean
store(RfpQcow2Writer *writer,
      gboolean direct,
      const void *data,
      gsize length,
      guint64 offset,
      GError **error)
{
    direct = direct && atomic_load(&writer->direct);
    extend_ahead(writer, offset + length);
    return write_at(writer, direct, data, length, offset, error) &&
           (direct || push_out(writer, offset, length, error));
}

static gboolean
create_file(RfpQcow2Writer *writer,
            int dirfd,
            const char *name,
            GError **error)
{
    g_autofree char *again = NULL;

    writer->fd = openat(dirfd, name,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        0600);
    if (writer->fd < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot create '%s'"),
                                 writer->display);
        rfp_error_add_object(error, writer->display);
        return FALSE;
    }
    /* A description of its own, as tables go through the page cache, and of
     * this very file, whatever happens to its name. */
    again = g_strdup_printf("/proc/self/fd/%d", writer->fd);
    writer->direct_fd = open(again, O_WRONLY | O_DIRECT | O_CLOEXEC);
    atomic_store(&writer->direct, writer->direct_fd >= 0);
    return TRUE;
}

/* ---- Clusters ---------------------------------------------------------- */

static gboolean
check_request(const char *display,
              guint64 size,
              const char *backing,
              GError **error)
{
    if (size > RFP_DISK_SIZE_MAX)
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("cannot write '%s': the disk is larger than 64 TiB"),
                      display);
    else if (backing && strlen(backing) > RFP_QCOW2_BACKING_MAX)
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("cannot write '%s': the name of its backing file is "
                        "too long"),
                      display);
    else
        return TRUE;
    return FALSE;
}

RfpQcow2Writer *
rfp_qcow2_writer_new(int dirfd,
                     const char *name,
                     const char *display,
                     guint64 size,
                     const char *backing,
                     GError **error)
{
    g_autoptr(RfpQcow2Writer) writer = NULL;

    if (!check_request(display, size, backing, error))
        return NULL;
    writer = g_new0(RfpQcow2Writer, 1);
    g_mutex_init(&writer->lock);
    writer->fd = -1;
    writer->direct_fd = -1;
    writer->display = g_strdup(display);
    writer->backing = g_strdup(backing);
    writer->size = size;
    writer->l1_entries = rfp_qcow2_l1_entries(size);
    writer->l2 = g_new0(guint64 *, writer->l1_entries);
    writer->l1 =
        new_clusters(rfp_cluster_count((guint64)writer->l1_entries * 8));
    atomic_store(&writer->end, RFP_CLUSTER_SIZE); /* behind the header */
    if (!writer->l1) {
        no_memory(writer, error);
        return NULL;
    }
    if (!create_file(writer, dirfd, name, error))
        return NULL;
    return g_steal_pointer(&writer);
}

static guint64
take_clusters(RfpQcow2Writer *writer, guint64 n)
{
    return atomic_fetch_add(&writer->end, n << RFP_CLUSTER_BITS);
}

static gboolean
misused(const RfpQcow2Writer *writer, guint64 cluster, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("cannot write '%s': cluster %" PRIu64 " comes twice, too "
                    "late or beyond the disk's end"),
                  writer->display, cluster);
    rfp_error_add_object(error, writer->display);
    return FALSE;
}

/* The place of @cluster's entry in its L2 table. */
static guint64 *
find_entry(RfpQcow2Writer *writer, guint64 cluster, GError **error)
{
    guint64 i = cluster / RFP_QCOW2_L2_ENTRIES;
    guint64 *entry;

    if (writer->l1[i] != 0) {
        misused(writer, cluster, error);
        return NULL;
    }
    if (!writer->l2[i])
        writer->l2[i] = new_clusters(1);
    if (!writer->l2[i]) {
        no_memory(writer, error);
        return NULL;
    }
    entry = &writer->l2[i][cluster % RFP_QCOW2_L2_ENTRIES];
    if (*entry != 0) {
        misused(writer, cluster, error);
        return NULL;
    }
    return entry;
}

/* Enters clusters that lie one behind another from @entry on; @step 0: all
 * have the same entry. */
static gboolean
enter(RfpQcow2Writer *writer,
      guint64 cluster,
      guint64 n,
      guint64 entry,
      guint64 step,
      GError **error)
{
    g_autoptr(GMutexLocker) locker = NULL;
    guint64 count = rfp_cluster_count(writer->size);

    if (cluster > count || n > count - cluster)
        return misused(writer, cluster, error);
    locker = g_mutex_locker_new(&writer->lock);
    for (guint64 i = 0; i < n; i++) {
        guint64 *place = find_entry(writer, cluster + i, error);

        if (!place)
            return FALSE;
        *place = GUINT64_TO_BE(entry + i * step);
    }
    return TRUE;
}

gboolean
rfp_qcow2_writer_write(RfpQcow2Writer *writer,
                       guint64 cluster,
                       const void *data,
                       guint n_clusters,
                       GError **error)
{
    gsize length = (gsize)n_clusters << RFP_CLUSTER_BITS;
    guint64 offset = take_clusters(writer, n_clusters);

    /* Entered first: data without its entry would be a leak, but an entry
     * without its data is never seen, as a failure ends the image. */
    if (!enter(writer, cluster, n_clusters, offset | RFP_QCOW2_COPIED,
               RFP_CLUSTER_SIZE, error) ||
        !store(writer, TRUE, data, length, offset, error))
        return FALSE;
    atomic_fetch_add(&writer->stored, length);
    return TRUE;
}

gboolean
rfp_qcow2_writer_zero(RfpQcow2Writer *writer,
                      guint64 cluster,
                      guint64 n_clusters,
                      GError **error)
{
    return enter(writer, cluster, n_clusters, RFP_QCOW2_ZERO, 0, error);
}

/* Gives L2 table @i its place. Returns it, or NULL if there is none. */
static guint64 *
take_table(RfpQcow2Writer *writer, guint64 i, guint64 *offset)
{
    guint64 *table;

    g_mutex_lock(&writer->lock);
    table = g_steal_pointer(&writer->l2[i]);
    if (table) {
        *offset = take_clusters(writer, 1);
        writer->l1[i] = GUINT64_TO_BE(*offset | RFP_QCOW2_COPIED);
    }
    g_mutex_unlock(&writer->lock);
    return table;
}

/* Tables go through the page cache: they are small and nobody waits for the
 * disk then. */
static gboolean
flush_table(RfpQcow2Writer *writer, guint64 i, GError **error)
{
    guint64 offset = 0;
    guint64 *table = take_table(writer, i, &offset);
    gboolean good =
        !table || store(writer, FALSE, table, RFP_CLUSTER_SIZE, offset, error);

    free(table);
    return good;
}

gboolean
rfp_qcow2_writer_flush_group(RfpQcow2Writer *writer,
                             guint64 group,
                             GError **error)
{
    for (guint64 i = 0; i < TABLES_PER_GROUP; i++) {
        guint64 table = group * TABLES_PER_GROUP + i;

        if (table < writer->l1_entries && !flush_table(writer, table, error))
            return FALSE;
    }
    return TRUE;
}

guint64
rfp_qcow2_writer_stored(RfpQcow2Writer *writer)
{
    return atomic_load(&writer->stored);
}

/* ---- The end ----------------------------------------------------------- */

/* Every cluster of the file is used once. @cluster: one cluster of memory. */
static gboolean
write_refcount_blocks(RfpQcow2Writer *writer,
                      const RfpQcow2Tail *tail,
                      guint16 *cluster,
                      GError **error)
{
    guint64 left = tail->file_size >> RFP_CLUSTER_BITS;
    guint64 offset = tail->refcount_blocks_offset;

    for (guint i = 0; i < RFP_QCOW2_REFCOUNTS_PER_BLOCK; i++)
        cluster[i] = GUINT16_TO_BE(1);
    for (guint64 i = 0; i < tail->refcount_blocks; i++) {
        guint64 n = MIN(left, RFP_QCOW2_REFCOUNTS_PER_BLOCK);

        memset(cluster + n, 0, RFP_CLUSTER_SIZE - n * 2);
        if (!store(writer, FALSE, cluster, RFP_CLUSTER_SIZE, offset, error))
            return FALSE;
        offset += RFP_CLUSTER_SIZE;
        left -= n;
    }
    return TRUE;
}

static gboolean
write_refcount_table(RfpQcow2Writer *writer,
                     const RfpQcow2Tail *tail,
                     guint64 *cluster,
                     GError **error)
{
    guint64 n_entries = RFP_CLUSTER_SIZE / 8;

    for (guint64 i = 0; i < tail->refcount_table_clusters; i++) {
        for (guint64 j = 0; j < n_entries; j++) {
            guint64 block = i * n_entries + j;
            guint64 place = tail->refcount_blocks_offset +
                            (block << RFP_CLUSTER_BITS);

            cluster[j] =
                block < tail->refcount_blocks ? GUINT64_TO_BE(place) : 0;
        }
        if (!store(writer, FALSE, cluster, RFP_CLUSTER_SIZE,
                   tail->refcount_table_offset + (i << RFP_CLUSTER_BITS),
                   error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
write_header(RfpQcow2Writer *writer,
             const RfpQcow2Tail *tail,
             guint8 *cluster,
             GError **error)
{
    char format[] = "qcow2";
    RfpQcow2Header header = {
        .size = rfp_qcow2_round_size(writer->size),
        .backing_file = writer->backing,
        .backing_format = format,
        .l1_offset = tail->l1_offset,
        .l1_entries = writer->l1_entries,
        .refcount_table_offset = tail->refcount_table_offset,
        .refcount_table_clusters = tail->refcount_table_clusters,
    };

    if (!rfp_qcow2_header_write(&header, cluster))
        return file_failed(writer, ENAMETOOLONG, 0, error);
    return write_at(writer, FALSE, cluster, RFP_CLUSTER_SIZE, 0, error);
}

static gboolean
write_tail(RfpQcow2Writer *writer,
           const RfpQcow2Tail *tail,
           gpointer cluster,
           GError **error)
{
    gsize l1_length =
        (gsize)(tail->refcount_blocks_offset - tail->l1_offset);

    if (!store(writer, FALSE, writer->l1, l1_length, tail->l1_offset, error) ||
        !write_refcount_blocks(writer, tail, cluster, error) ||
        !write_refcount_table(writer, tail, cluster, error))
        return FALSE;
    if (ftruncate(writer->fd, (off_t)tail->file_size) < 0)
        return file_failed(writer, errno, tail->file_size, error);
    /* The header is the last write, so a process that dies before leaves no
     * qcow2 image; one sync is enough, as nobody publishes the file before
     * it: after a power cut in between, the name is in no manifest. */
    if (!write_header(writer, tail, cluster, error))
        return FALSE;
    if (fdatasync(writer->fd) < 0)
        return file_failed(writer, errno, 0, error);
    return TRUE;
}

gboolean
rfp_qcow2_writer_finish(RfpQcow2Writer *writer,
                        guint64 *file_size,
                        GError **error)
{
    RfpQcow2Tail tail;
    gpointer cluster;
    gboolean good;

    for (guint64 i = 0; i < writer->l1_entries; i++)
        if (!flush_table(writer, i, error))
            return FALSE;
    rfp_qcow2_tail(atomic_load(&writer->end), writer->size, &tail);
    cluster = new_clusters(1);
    if (!cluster)
        return no_memory(writer, error);
    good = write_tail(writer, &tail, cluster, error);
    free(cluster);
    *file_size = tail.file_size;
    return good;
}

void
rfp_qcow2_writer_free(RfpQcow2Writer *writer)
{
    if (!writer)
        return;
    if (writer->direct_fd >= 0)
        close(writer->direct_fd);
    if (writer->fd >= 0)
        close(writer->fd);
    for (guint32 i = 0; writer->l2 && i < writer->l1_entries; i++)
        free(writer->l2[i]);
    g_free(writer->l2);
    free(writer->l1);
    g_free(writer->display);
    g_free(writer->backing);
    g_mutex_clear(&writer->lock);
    g_free(writer);
}
