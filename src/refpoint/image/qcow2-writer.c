/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-writer.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "image/qcow2-pack.h"

#define TABLES_PER_GROUP (RFP_GROUP_SIZE / RFP_QCOW2_L2_SPAN)

struct _RfpQcow2Writer {
    RfpQcow2File *file;
    const char *display; /* the file's */
    char *backing;       /* or NULL */
    guint64 size;        /* of the disk, bytes */
    guint32 l1_entries;
    RfpQcow2Pack *pack; /* NULL: nothing is compressed */

    /* Shared without a lock. */
    _Atomic(guint64) end;    /* of the clusters handed out, bytes */
    _Atomic(guint64) stored; /* data, bytes */

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

    return data != NULL ? memset(data, 0, length) : NULL;
}

static gboolean
no_memory(const RfpQcow2Writer *writer, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NO_MEMORY,
                  _("no memory for the tables of '%s'"), writer->display);
    return FALSE;
}

/* ---- Clusters ------------------------------------------------------------ */

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
    else if (backing != NULL && strlen(backing) > RFP_QCOW2_BACKING_MAX)
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
    writer->display = display;
    writer->backing = g_strdup(backing);
    writer->size = size;
    writer->l1_entries = rfp_qcow2_l1_entries(size);
    writer->l2 = g_new0(guint64 *, writer->l1_entries);
    writer->l1 =
        new_clusters(rfp_cluster_count((guint64)writer->l1_entries * 8));
    atomic_store(&writer->end, RFP_CLUSTER_SIZE); /* behind the header */
    if (writer->l1 == NULL) {
        no_memory(writer, error);
        return NULL;
    }
    writer->file = rfp_qcow2_file_new(dirfd, name, display, error);
    if (writer->file == NULL)
        return NULL;
    writer->display = rfp_qcow2_file_display(writer->file);
    return g_steal_pointer(&writer);
}

static guint64
take_clusters(RfpQcow2Writer *writer, guint64 n)
{
    return atomic_fetch_add(&writer->end, n << RFP_CLUSTER_BITS);
}

static guint64
take_bytes(gpointer opaque, guint64 length)
{
    return take_clusters(opaque, length >> RFP_CLUSTER_BITS);
}

void
rfp_qcow2_writer_set_compress(RfpQcow2Writer *writer,
                              RfpCompress *compress,
                              gsize buffer)
{
    writer->pack =
        rfp_qcow2_pack_new(writer->file, compress, buffer, take_bytes, writer);
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
    if (writer->l2[i] == NULL)
        writer->l2[i] = new_clusters(1);
    if (writer->l2[i] == NULL) {
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

        if (place == NULL)
            return FALSE;
        *place = GUINT64_TO_BE(entry + i * step);
    }
    return TRUE;
}

static gboolean
write_plain(RfpQcow2Writer *writer,
            guint64 cluster,
            const guint8 *data,
            guint n_clusters,
            GError **error)
{
    gsize length = (gsize)n_clusters << RFP_CLUSTER_BITS;
    guint64 offset;

    if (n_clusters == 0)
        return TRUE;
    offset = take_clusters(writer, n_clusters);
    /* Entered first: data without its entry would be a leak, but an entry
     * without its data is never seen, as a failure ends the image. */
    return enter(writer, cluster, n_clusters, offset | RFP_QCOW2_COPIED,
                 RFP_CLUSTER_SIZE, error) &&
           rfp_qcow2_file_store(writer->file, TRUE, data, length, offset,
                                error);
}

/* Cluster by cluster; those that stay as they are go together. */
static gboolean
write_compressed(RfpQcow2Writer *writer,
                 guint64 cluster,
                 const guint8 *data,
                 guint n_clusters,
                 GError **error)
{
    guint plain = 0; /* the first that is not written yet */

    for (guint i = 0; i < n_clusters; i++) {
        const guint8 *at = data + ((gsize)i << RFP_CLUSTER_BITS);
        guint64 entry = 0;

        if (!rfp_qcow2_pack_add(writer->pack, at, &entry, error))
            return FALSE;
        if (entry == 0)
            continue;
        if (!enter(writer, cluster + i, 1, entry, 0, error) ||
            !write_plain(writer, cluster + plain,
                         data + ((gsize)plain << RFP_CLUSTER_BITS), i - plain,
                         error))
            return FALSE;
        plain = i + 1;
    }
    return write_plain(writer, cluster + plain,
                       data + ((gsize)plain << RFP_CLUSTER_BITS),
                       n_clusters - plain, error);
}

gboolean
rfp_qcow2_writer_write(RfpQcow2Writer *writer,
                       guint64 cluster,
                       const void *data,
                       guint n_clusters,
                       GError **error)
{
    gboolean written =
        writer->pack != NULL
            ? write_compressed(writer, cluster, data, n_clusters, error)
            : write_plain(writer, cluster, data, n_clusters, error);

    if (written)
        atomic_fetch_add(&writer->stored,
                         (guint64)n_clusters << RFP_CLUSTER_BITS);
    return written;
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
    if (table != NULL) {
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
        table == NULL || rfp_qcow2_file_store(writer->file, FALSE, table,
                                              RFP_CLUSTER_SIZE, offset, error);

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

/* ---- The end ------------------------------------------------------------- */

/* Those that are not in the file yet. @cluster: one cluster of memory. */
static gboolean
write_refcount_blocks(RfpQcow2Writer *writer,
                      const RfpQcow2Tail *tail,
                      const RfpQcow2Refcounts *refcounts,
                      guint16 *cluster,
                      GError **error)
{
    guint64 n_clusters = tail->file_size >> RFP_CLUSTER_BITS;
    guint64 n = tail->refcount_blocks + rfp_qcow2_refcounts_n_placed(refcounts);
    guint64 offset = tail->refcount_blocks_offset;

    for (guint64 i = 0; i < n; i++) {
        if (rfp_qcow2_refcounts_place(refcounts, i) != 0)
            continue;
        rfp_qcow2_refcounts_fill(refcounts, i, n_clusters, cluster);
        if (!rfp_qcow2_file_store(writer->file, FALSE, cluster,
                                  RFP_CLUSTER_SIZE, offset, error))
            return FALSE;
        offset += RFP_CLUSTER_SIZE;
    }
    return TRUE;
}

static gboolean
write_refcount_table(RfpQcow2Writer *writer,
                     const RfpQcow2Tail *tail,
                     const RfpQcow2Refcounts *refcounts,
                     guint64 *cluster,
                     GError **error)
{
    guint64 n_entries = RFP_CLUSTER_SIZE / 8;
    guint64 n = tail->refcount_blocks + rfp_qcow2_refcounts_n_placed(refcounts);
    guint64 next = tail->refcount_blocks_offset;

    for (guint64 i = 0; i < tail->refcount_table_clusters; i++) {
        for (guint64 j = 0; j < n_entries; j++) {
            guint64 block = i * n_entries + j;
            guint64 place =
                block < n ? rfp_qcow2_refcounts_place(refcounts, block) : 0;

            if (block < n && place == 0) {
                place = next;
                next += RFP_CLUSTER_SIZE;
            }
            cluster[j] = GUINT64_TO_BE(place);
        }
        if (!rfp_qcow2_file_store(
                writer->file, FALSE, cluster, RFP_CLUSTER_SIZE,
                tail->refcount_table_offset + (i << RFP_CLUSTER_BITS), error))
            return FALSE;
    }
    return TRUE;
}

/* The header is the last write: rfp_qcow2_file_finish(). */
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
        .compression_type =
            writer->pack != NULL ? RFP_QCOW2_TYPE_ZSTD : RFP_QCOW2_TYPE_ZLIB,
    };

    if (!rfp_qcow2_header_write(&header, cluster)) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("cannot write '%s': the name of its backing file is "
                        "too long"),
                      writer->display);
        return FALSE;
    }
    return rfp_qcow2_file_finish(writer->file, tail->file_size, cluster,
                                 RFP_CLUSTER_SIZE, error);
}

static gboolean
write_tail(RfpQcow2Writer *writer,
           gpointer cluster,
           RfpQcow2Tail *tail,
           GError **error)
{
    g_autoptr(RfpQcow2Refcounts) none =
        writer->pack != NULL ? NULL : rfp_qcow2_refcounts_new();
    const RfpQcow2Refcounts *refcounts =
        writer->pack != NULL ? rfp_qcow2_pack_refcounts(writer->pack) : none;
    gsize l1_length;

    rfp_qcow2_tail(atomic_load(&writer->end), writer->size,
                   rfp_qcow2_refcounts_n_placed(refcounts), tail);
    l1_length = (gsize)(tail->refcount_blocks_offset - tail->l1_offset);
    return rfp_qcow2_file_store(writer->file, FALSE, writer->l1, l1_length,
                                tail->l1_offset, error) &&
           write_refcount_blocks(writer, tail, refcounts, cluster, error) &&
           write_refcount_table(writer, tail, refcounts, cluster, error) &&
           write_header(writer, tail, cluster, error);
}

static gboolean
finish_pack(RfpQcow2Writer *writer, GError **error)
{
    guint64 end = atomic_load(&writer->end);
    gboolean good = rfp_qcow2_pack_finish(writer->pack, &end, error);

    atomic_store(&writer->end, end);
    return good;
}

gboolean
rfp_qcow2_writer_finish(RfpQcow2Writer *writer,
                        guint64 *file_size,
                        GError **error)
{
    RfpQcow2Tail tail;
    gpointer cluster;
    gboolean good;

    if (writer->pack != NULL && !finish_pack(writer, error))
        return FALSE;
    for (guint64 i = 0; i < writer->l1_entries; i++)
        if (!flush_table(writer, i, error))
            return FALSE;
    cluster = new_clusters(1);
    if (cluster == NULL)
        return no_memory(writer, error);
    good = write_tail(writer, cluster, &tail, error);
    free(cluster);
    *file_size = good ? tail.file_size : 0;
    return good;
}

void
rfp_qcow2_writer_free(RfpQcow2Writer *writer)
{
    if (writer == NULL)
        return;
    rfp_qcow2_pack_free(writer->pack);
    rfp_qcow2_file_free(writer->file);
    for (guint32 i = 0; writer->l2 != NULL && i < writer->l1_entries; i++)
        free(writer->l2[i]);
    g_free(writer->l2);
    free(writer->l1);
    g_free(writer->backing);
    g_mutex_clear(&writer->lock);
    g_free(writer);
}
