/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/compress.h"

#include <zstd.h>

struct _RfpCompress {
    int level;

    GMutex lock;
    GCond given;
    GPtrArray *idle; /* RfpCompressor */
    guint left;      /* that may still be made */
};

static void
compressor_free(gpointer data)
{
    RfpCompressor *compressor = data;

    ZSTD_freeCCtx(compressor->context);
    g_free(compressor);
}

RfpCompress *
rfp_compress_new(int level, guint n)
{
    RfpCompress *compress = g_new0(RfpCompress, 1);

    compress->level = level != 0 ? level : RFP_COMPRESS_LEVEL;
    compress->left = n;
    compress->idle = g_ptr_array_new_with_free_func(compressor_free);
    g_mutex_init(&compress->lock);
    g_cond_init(&compress->given);
    return compress;
}

void
rfp_compress_free(RfpCompress *compress)
{
    if (compress == NULL)
        return;
    g_ptr_array_unref(compress->idle);
    g_mutex_clear(&compress->lock);
    g_cond_clear(&compress->given);
    g_free(compress);
}

static RfpCompressor *
compressor_new(void)
{
    RfpCompressor *compressor = g_try_new(RfpCompressor, 1);

    if (compressor == NULL)
        return NULL;
    compressor->context = ZSTD_createCCtx();
    if (compressor->context == NULL)
        g_clear_pointer(&compressor, g_free);
    return compressor;
}

RfpCompressor *
rfp_compress_take(RfpCompress *compress)
{
    g_autoptr(GMutexLocker) locker = NULL;

    locker = g_mutex_locker_new(&compress->lock);
    while (compress->idle->len == 0 && compress->left == 0)
        g_cond_wait(&compress->given, &compress->lock);
    if (compress->idle->len > 0)
        return g_ptr_array_steal_index_fast(compress->idle,
                                            compress->idle->len - 1);
    compress->left--;
    return compressor_new();
}

void
rfp_compress_give(RfpCompress *compress, RfpCompressor *compressor)
{
    g_mutex_lock(&compress->lock);
    if (compressor != NULL)
        g_ptr_array_add(compress->idle, compressor);
    else
        compress->left++;
    g_cond_signal(&compress->given);
    g_mutex_unlock(&compress->lock);
}

gsize
rfp_compressor_run(const RfpCompress *compress,
                   RfpCompressor *compressor,
                   const void *cluster)
{
    const gsize length =
        ZSTD_compressCCtx(compressor->context, compressor->data,
                          sizeof(compressor->data), cluster, RFP_CLUSTER_SIZE,
                          compress->level);

    return ZSTD_isError(length) ? 0 : length;
}

gboolean
rfp_decompress(gpointer *context, const void *data, gsize length, void *cluster)
{
    const guint8 *at = data;
    guint8 *out = cluster;
    gsize left = RFP_CLUSTER_SIZE;

    if (*context == NULL)
        *context = ZSTD_createDCtx();
    /* Another writer may have made several frames of it. */
    while (*context != NULL && left > 0) {
        const gsize frame = ZSTD_findFrameCompressedSize(at, length);
        gsize n;

        if (ZSTD_isError(frame) || frame == 0 || frame > length)
            return FALSE;
        n = ZSTD_decompressDCtx(*context, out, left, at, frame);
        if (ZSTD_isError(n))
            return FALSE;
        at += frame;
        length -= frame;
        out += n;
        left -= n;
    }
    return left == 0;
}

void
rfp_decompress_end(gpointer *context)
{
    ZSTD_freeDCtx(*context);
    *context = NULL;
}
