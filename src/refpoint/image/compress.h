/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One cluster made smaller by zstd, and back. The only file that calls
 * libzstd. */
#ifndef RFP_COMPRESS_H
#define RFP_COMPRESS_H

#include "image/cluster.h"

/* QEMU's level 3 makes clusters 2 % (words) to 5 % (programs) smaller, and
 * takes up to half as long again. */
#define RFP_COMPRESS_LEVEL 1

/* A cluster whose compressed data is not smaller than itself by at least one
 * sector is stored as it is. */
#define RFP_COMPRESS_MAX (RFP_CLUSTER_SIZE - 512)

/* Shared by all writers of an operation: it bounds how many clusters are
 * compressed at a time, and so the memory for it. */
typedef struct _RfpCompress RfpCompress;

/* Used by one thread at a time. */
typedef struct {
    gpointer context;
    guint8 data[RFP_COMPRESS_MAX]; /* what came out */
} RfpCompressor;

/* @level: 1 to 22, 0 by default; @n: compressors at a time, at least 1. */
RfpCompress *
rfp_compress_new(int level, guint n);

void
rfp_compress_free(RfpCompress *compress);

/* Waits for a compressor to be free. NULL: no memory for one. Thread-safe. */
RfpCompressor *
rfp_compress_take(RfpCompress *compress);

void
rfp_compress_give(RfpCompress *compress, RfpCompressor *compressor);

/* Compresses a cluster into @compressor->data. Returns how many bytes came out;
 * 0: more than RFP_COMPRESS_MAX. */
gsize
rfp_compressor_run(const RfpCompress *compress,
                   RfpCompressor *compressor,
                   const void *cluster);

/*
 * Decompresses one cluster. The compressed data begins at @data and ends at or
 * before @length bytes behind that. FALSE: it is damaged, or is not exactly one
 * cluster; the data may be hostile. *@context is NULL at the first call; later
 * calls use it again, until rfp_decompress_end() frees it.
 */
gboolean
rfp_decompress(gpointer *context,
               const void *data,
               gsize length,
               void *cluster);

void
rfp_decompress_end(gpointer *context);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpCompress, rfp_compress_free)

#endif
