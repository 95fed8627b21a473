/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* Bytes of the file that are filled; data NULL: none. */
typedef struct {
    guint8 *data;
    guint64 offset;
    gsize size;
    gsize used;
} Buffer;

struct _RfpQcow2Pack {
    RfpQcow2File *file;
    RfpCompress *compress;
    gsize size; /* of a buffer at most */
    RfpQcow2TakeFunc take;
    gpointer opaque;

    GMutex lock; /* of everything below */
    Buffer buffer;
    RfpQcow2Refcounts *refcounts;
};

RfpQcow2Pack *
rfp_qcow2_pack_new(RfpQcow2File *file,
                   RfpCompress *compress,
                   gsize buffer,
                   RfpQcow2TakeFunc take,
                   gpointer opaque)
{
    RfpQcow2Pack *pack = g_new0(RfpQcow2Pack, 1);

    pack->file = file;
    pack->compress = compress;
    pack->size = buffer;
    pack->take = take;
    pack->opaque = opaque;
    pack->refcounts = rfp_qcow2_refcounts_new();
    g_mutex_init(&pack->lock);
    return pack;
}

void
rfp_qcow2_pack_free(RfpQcow2Pack *pack)
{
    if (pack == NULL)
        return;
    free(pack->buffer.data);
    rfp_qcow2_refcounts_free(pack->refcounts);
    g_mutex_clear(&pack->lock);
    g_free(pack);
}

const RfpQcow2Refcounts *
rfp_qcow2_pack_refcounts(const RfpQcow2Pack *pack)
{
    return pack->refcounts;
}

static gboolean
no_memory(const RfpQcow2Pack *pack, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NO_MEMORY,
                  _("no memory for compressed data of '%s'"),
                  rfp_qcow2_file_display(pack->file));
    return FALSE;
}

/* Takes over the buffer's memory. The bytes behind its end are zero. */
static gboolean
write_out(RfpQcow2Pack *pack, Buffer *buffer, GError **error)
{
    const gsize length = (gsize)rfp_cluster_count(buffer->used)
                         << RFP_CLUSTER_BITS;
    gboolean written;

    if (buffer->data == NULL)
        return TRUE;
    memset(buffer->data + buffer->used, 0, length - buffer->used);
    written = rfp_qcow2_file_store(pack->file, TRUE, buffer->data, length,
                                   buffer->offset, error);
    free(buffer->data);
    buffer->data = NULL;
    return written;
}

/* A new, empty buffer: twice as large as the last one, so that little is left
 * over where there is little. With the lock. */
static gboolean
open_buffer(RfpQcow2Pack *pack, Buffer *buffer, GError **error)
{
    const gsize size =
        CLAMP(2 * pack->buffer.size, RFP_CLUSTER_SIZE, pack->size);

    *buffer = (Buffer){.size = size};
    buffer->data = aligned_alloc(RFP_QCOW2_BUFFER_ALIGN, size);
    if (buffer->data == NULL)
        return no_memory(pack, error);
    buffer->offset = pack->take(pack->opaque, size);
    rfp_qcow2_refcounts_open(pack->refcounts, buffer->offset, size);
    return TRUE;
}

static void
append(Buffer *buffer, const guint8 *data, gsize length)
{
    memcpy(buffer->data + buffer->used, data, length);
    buffer->used += length;
}

/*
 * Finds a place for @length bytes and fills it. *@full: the buffer that has to
 * be written now, if it has data. With the lock.
 */
static gboolean
place(RfpQcow2Pack *pack,
      const guint8 *data,
      gsize length,
      guint64 *entry,
      Buffer *full,
      GError **error)
{
    Buffer *buffer = &pack->buffer;
    const gsize room = buffer->size - buffer->used;
    guint64 offset = buffer->offset + buffer->used;
    gsize first = MIN(length, room);
    Buffer next;

    if (length > room) {
        if (!open_buffer(pack, &next, error))
            return FALSE;
        if (next.offset == buffer->offset + buffer->size && first > 0) {
            append(buffer, data, first);
        } else {
            first = 0;
            offset = next.offset;
        }
        *full = *buffer;
        *buffer = next;
        append(buffer, data + first, length - first);
    } else {
        append(buffer, data, length);
    }
    rfp_qcow2_refcounts_use(pack->refcounts, offset, length);
    *entry = rfp_qcow2_compressed_entry(offset, length);
    return TRUE;
}

/* The next refcount block in which nothing more will be counted. */
static guint16 *
take_refcounts(RfpQcow2Pack *pack, guint64 *offset)
{
    guint16 *counts = NULL;

    g_mutex_lock(&pack->lock);
    if (rfp_qcow2_refcounts_done(pack->refcounts, pack->buffer.offset)) {
        *offset = pack->take(pack->opaque, RFP_CLUSTER_SIZE);
        counts = rfp_qcow2_refcounts_take(pack->refcounts, *offset);
    }
    g_mutex_unlock(&pack->lock);
    return counts;
}

/* Memory for refcounts stays the same however long the file gets. */
static gboolean
write_refcounts(RfpQcow2Pack *pack, GError **error)
{
    gboolean written = TRUE;
    guint64 offset = 0;
    guint16 *counts;

    while (written && (counts = take_refcounts(pack, &offset)) != NULL) {
        written = rfp_qcow2_file_store(pack->file, FALSE, counts,
                                       RFP_CLUSTER_SIZE, offset, error);
        g_free(counts);
    }
    return written;
}

static gboolean
add(RfpQcow2Pack *pack,
    const guint8 *data,
    gsize length,
    guint64 *entry,
    GError **error)
{
    Buffer full = {0};
    gboolean placed;

    g_mutex_lock(&pack->lock);
    placed = place(pack, data, length, entry, &full, error);
    g_mutex_unlock(&pack->lock);
    if (!placed || full.data == NULL)
        return placed;
    return write_out(pack, &full, error) && write_refcounts(pack, error);
}

gboolean
rfp_qcow2_pack_add(RfpQcow2Pack *pack,
                   const void *cluster,
                   guint64 *entry,
                   GError **error)
{
    RfpCompressor *compressor = rfp_compress_take(pack->compress);
    gsize length = 0;
    gboolean added = TRUE;

    *entry = 0;
    if (compressor == NULL) {
        no_memory(pack, error);
        added = FALSE;
    } else {
        length = rfp_compressor_run(pack->compress, compressor, cluster);
    }
    if (length > 0)
        added = add(pack, compressor->data, length, entry, error);
    rfp_compress_give(pack->compress, compressor);
    return added;
}

gboolean
rfp_qcow2_pack_finish(RfpQcow2Pack *pack, guint64 *end, GError **error)
{
    Buffer *buffer = &pack->buffer;
    const guint64 used =
        buffer->offset + (rfp_cluster_count(buffer->used) << RFP_CLUSTER_BITS);
    const guint64 unused = buffer->offset + buffer->size - used;

    if (!write_out(pack, buffer, error))
        return FALSE;
    if (unused == 0)
        return TRUE;
    if (used + unused == *end) {
        rfp_qcow2_refcounts_close(pack->refcounts, used, unused);
        *end = used;
    } else {
        rfp_qcow2_file_punch(pack->file, used, unused);
    }
    return TRUE;
}
