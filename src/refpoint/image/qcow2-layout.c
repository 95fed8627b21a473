/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-layout.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define MAGIC 0x514649fb /* "QFI\xfb" */
#define QCOW2_VERSION 3
/* With the compression type; the shortest that version 3 allows has 104. */
#define HEADER_LENGTH 112
#define HEADER_LENGTH_MIN 104

#define EXTENSION_END 0
#define EXTENSION_BACKING_FORMAT 0xe2792aca
#define EXTENSION_DATA_FILE 0x44415441

#define INCOMPATIBLE_DIRTY ((guint64)1 << 0)
#define INCOMPATIBLE_CORRUPT ((guint64)1 << 1)
#define INCOMPATIBLE_DATA_FILE ((guint64)1 << 2)
#define INCOMPATIBLE_COMPRESSION ((guint64)1 << 3)

/* QEMU's own limits. */
#define L1_ENTRIES_MAX (32u * 1024 * 1024 / 8)
#define REFCOUNT_TABLE_MAX (8u * 1024 * 1024)
#define BACKING_FORMAT_MAX 15

static const char backing_format[] = "qcow2";

/* Offsets of the fields; all are big endian. */
enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_BACKING_OFFSET = 8,
    AT_BACKING_LENGTH = 16,
    AT_CLUSTER_BITS = 20,
    AT_SIZE = 24,
    AT_CRYPT_METHOD = 32,
    AT_L1_ENTRIES = 36,
    AT_L1_OFFSET = 40,
    AT_REFCOUNT_TABLE_OFFSET = 48,
    AT_REFCOUNT_TABLE_CLUSTERS = 56,
    AT_SNAPSHOTS = 60,
    AT_INCOMPATIBLE = 72,
    AT_REFCOUNT_ORDER = 96,
    AT_HEADER_LENGTH = 100,
    AT_COMPRESSION_TYPE = 104,
};

static guint32
get_be32(const guint8 *at)
{
    guint32 value;

    memcpy(&value, at, sizeof(value));
    return GUINT32_FROM_BE(value);
}

static guint64
get_be64(const guint8 *at)
{
    guint64 value;

    memcpy(&value, at, sizeof(value));
    return GUINT64_FROM_BE(value);
}

static void
put_be32(guint8 *at, guint32 value)
{
    value = GUINT32_TO_BE(value);
    memcpy(at, &value, sizeof(value));
}

static void
put_be64(guint8 *at, guint64 value)
{
    value = GUINT64_TO_BE(value);
    memcpy(at, &value, sizeof(value));
}

void
rfp_qcow2_header_clear(RfpQcow2Header *header)
{
    g_free(header->backing_file);
    g_free(header->backing_format);
    memset(header, 0, sizeof(*header));
}

guint64
rfp_qcow2_round_size(guint64 size)
{
    return (size + 511) & ~(guint64)511;
}

guint32
rfp_qcow2_l1_entries(guint64 size)
{
    guint64 entries = (size + RFP_QCOW2_L2_SPAN - 1) / RFP_QCOW2_L2_SPAN;

    return (guint32)MAX(entries, 1);
}

static guint64
ceil_div(guint64 number, guint64 unit)
{
    return (number + unit - 1) / unit;
}

void
rfp_qcow2_tail(guint64 data_end,
               guint64 size,
               guint64 placed,
               RfpQcow2Tail *tail)
{
    guint64 l1 = rfp_cluster_count((guint64)rfp_qcow2_l1_entries(size) * 8);
    guint64 fixed = (data_end >> RFP_CLUSTER_BITS) + l1;
    guint64 blocks = 0;
    guint64 table = 0;
    guint64 before;

    /* Blocks and table are counted themselves: grows to its fixed point. */
    do {
        guint64 all =
            ceil_div(fixed + blocks + table, RFP_QCOW2_REFCOUNTS_PER_BLOCK);

        before = blocks + table;
        blocks = all - placed;
        table = rfp_cluster_count(all * 8);
    } while (blocks + table != before);

    tail->l1_offset = data_end;
    tail->refcount_blocks_offset = data_end + (l1 << RFP_CLUSTER_BITS);
    tail->refcount_blocks = blocks;
    tail->refcount_table_offset =
        tail->refcount_blocks_offset + (blocks << RFP_CLUSTER_BITS);
    tail->refcount_table_clusters = (guint32)table;
    tail->file_size = (fixed + blocks + table) << RFP_CLUSTER_BITS;
}

guint64
rfp_qcow2_compressed_entry(guint64 offset, guint64 length)
{
    guint64 more =
        (offset + length - 1) / RFP_QCOW2_SECTOR - offset / RFP_QCOW2_SECTOR;

    return RFP_QCOW2_COMPRESSED | more << RFP_QCOW2_SECTORS_SHIFT | offset;
}

guint64
rfp_qcow2_compressed_offset(guint64 entry)
{
    return entry & (((guint64)1 << RFP_QCOW2_SECTORS_SHIFT) - 1);
}

guint32
rfp_qcow2_compressed_length(guint64 entry)
{
    guint64 more = (entry & ~(RFP_QCOW2_COPIED | RFP_QCOW2_COMPRESSED)) >>
                   RFP_QCOW2_SECTORS_SHIFT;

    return (guint32)((more + 1) * RFP_QCOW2_SECTOR -
                     rfp_qcow2_compressed_offset(entry) % RFP_QCOW2_SECTOR);
}

/* The extensions and the backing file's name behind them. */
static gboolean
write_names(const RfpQcow2Header *header, guint8 *buffer)
{
    guint8 *at = buffer + HEADER_LENGTH;
    gsize file_length = strlen(header->backing_file);
    gsize format_length =
        header->backing_format != NULL ? strlen(header->backing_format) : 0;

    if (file_length == 0 || file_length > RFP_QCOW2_BACKING_MAX ||
        format_length > BACKING_FORMAT_MAX)
        return FALSE;
    if (format_length > 0) {
        put_be32(at, EXTENSION_BACKING_FORMAT);
        put_be32(at + 4, (guint32)format_length);
        memcpy(at + 8, header->backing_format, format_length);
        at += 8 + ((format_length + 7) & ~(gsize)7);
    }
    at += 8; /* the end of the extensions: all zero */
    memcpy(at, header->backing_file, file_length);
    put_be64(buffer + AT_BACKING_OFFSET, (guint64)(at - buffer));
    put_be32(buffer + AT_BACKING_LENGTH, (guint32)file_length);
    return TRUE;
}

gboolean
rfp_qcow2_header_write(const RfpQcow2Header *header, guint8 *buffer)
{
    memset(buffer, 0, RFP_CLUSTER_SIZE);
    put_be32(buffer + AT_MAGIC, MAGIC);
    put_be32(buffer + AT_VERSION, QCOW2_VERSION);
    put_be32(buffer + AT_CLUSTER_BITS, RFP_CLUSTER_BITS);
    put_be64(buffer + AT_SIZE, header->size);
    put_be32(buffer + AT_L1_ENTRIES, header->l1_entries);
    put_be64(buffer + AT_L1_OFFSET, header->l1_offset);
    put_be64(buffer + AT_REFCOUNT_TABLE_OFFSET, header->refcount_table_offset);
    put_be32(buffer + AT_REFCOUNT_TABLE_CLUSTERS,
             header->refcount_table_clusters);
    put_be32(buffer + AT_REFCOUNT_ORDER, 4);
    put_be32(buffer + AT_HEADER_LENGTH, HEADER_LENGTH);
    if (header->compression_type != RFP_QCOW2_TYPE_ZLIB)
        put_be64(buffer + AT_INCOMPATIBLE, INCOMPATIBLE_COMPRESSION);
    buffer[AT_COMPRESSION_TYPE] = header->compression_type;
    return header->backing_file == NULL || write_names(header, buffer);
}

static gboolean
damaged(GError **error, const char *what)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED, "%s", what);
    return FALSE;
}

/* A name inside the file; NULL if a byte of it is NUL, which would hide the
 * rest of it from some readers. */
static char *
take_name(const guint8 *at, gsize length)
{
    if (memchr(at, '\0', length) != NULL)
        return NULL;
    return g_strndup((const char *)at, length);
}

static gboolean
read_extension(RfpQcow2Header *header,
               guint32 type,
               const guint8 *data,
               guint32 length,
               GError **error)
{
    if (type == EXTENSION_DATA_FILE)
        header->data_file = TRUE;
    if (type != EXTENSION_BACKING_FORMAT)
        return TRUE;
    if (header->backing_format != NULL)
        return damaged(error, _("the header names two backing formats"));
    if (length <= BACKING_FORMAT_MAX)
        header->backing_format = take_name(data, length);
    if (header->backing_format == NULL)
        return damaged(error, _("the header's backing format is damaged"));
    return TRUE;
}

/* @end: where the extensions must have ended. */
static gboolean
read_extensions(RfpQcow2Header *header,
                const guint8 *buffer,
                guint64 at,
                guint64 end,
                GError **error)
{
    while (at + 8 <= end) {
        guint32 type = get_be32(buffer + at);
        guint32 length = get_be32(buffer + at + 4);

        if (type == EXTENSION_END)
            return TRUE;
        at += 8;
        if (length > end - at)
            return damaged(error, _("a header extension is too long"));
        if (!read_extension(header, type, buffer + at, length, error))
            return FALSE;
        at += ((guint64)length + 7) & ~(guint64)7;
    }
    return TRUE;
}

static gboolean
read_backing(RfpQcow2Header *header,
             const guint8 *buffer,
             guint64 start,
             guint64 end,
             GError **error)
{
    guint64 offset = get_be64(buffer + AT_BACKING_OFFSET);
    guint32 length = get_be32(buffer + AT_BACKING_LENGTH);

    if (offset == 0)
        return read_extensions(header, buffer, start, end, error);
    if (offset < start || offset > end || length > end - offset ||
        length == 0 || length > RFP_QCOW2_BACKING_MAX)
        return damaged(error, _("the backing file's name is not inside the "
                                "header"));
    header->backing_file = take_name(buffer + offset, length);
    if (header->backing_file == NULL)
        return damaged(error, _("the backing file's name is damaged"));
    return read_extensions(header, buffer, start, offset, error);
}

static void
read_fields(RfpQcow2Header *header, const guint8 *buffer)
{
    header->size = get_be64(buffer + AT_SIZE);
    header->l1_offset = get_be64(buffer + AT_L1_OFFSET);
    header->l1_entries = get_be32(buffer + AT_L1_ENTRIES);
    header->refcount_table_offset = get_be64(buffer + AT_REFCOUNT_TABLE_OFFSET);
    header->refcount_table_clusters =
        get_be32(buffer + AT_REFCOUNT_TABLE_CLUSTERS);
    header->cluster_bits = get_be32(buffer + AT_CLUSTER_BITS);
    header->refcount_order = get_be32(buffer + AT_REFCOUNT_ORDER);
    header->incompatible = get_be64(buffer + AT_INCOMPATIBLE);
    header->crypt_method = get_be32(buffer + AT_CRYPT_METHOD);
    header->snapshots = get_be32(buffer + AT_SNAPSHOTS);
    header->data_file = (header->incompatible & INCOMPATIBLE_DATA_FILE) != 0;
    if (get_be32(buffer + AT_HEADER_LENGTH) > AT_COMPRESSION_TYPE)
        header->compression_type = buffer[AT_COMPRESSION_TYPE];
}

static gboolean
check_fields(const RfpQcow2Header *header, GError **error)
{
    guint64 mask;

    if (header->cluster_bits < 9 || header->cluster_bits > 21)
        return damaged(error, _("the cluster size is impossible"));
    mask = ((guint64)1 << header->cluster_bits) - 1;
    if (header->refcount_order > 6)
        return damaged(error, _("the width of the refcounts is impossible"));
    if (header->size % 512 != 0 || header->size > G_MAXINT64)
        return damaged(error, _("the virtual size is impossible"));
    if (header->l1_entries > L1_ENTRIES_MAX || header->l1_offset & mask ||
        header->l1_offset > G_MAXINT64 - L1_ENTRIES_MAX * 8)
        return damaged(error, _("the place of the L1 table is impossible"));
    if (header->refcount_table_clusters > REFCOUNT_TABLE_MAX >>
            header->cluster_bits ||
        header->refcount_table_offset & mask ||
        header->refcount_table_offset > G_MAXINT64 - REFCOUNT_TABLE_MAX)
        return damaged(error, _("the place of the refcount table is "
                                "impossible"));
    if (!(header->incompatible & INCOMPATIBLE_COMPRESSION) !=
        (header->compression_type == 0))
        return damaged(error, _("the compression type contradicts its "
                                "feature bit"));
    return TRUE;
}

guint32
rfp_qcow2_version(const guint8 *buffer)
{
    return get_be32(buffer + AT_MAGIC) == MAGIC ? get_be32(buffer + AT_VERSION)
                                                : 0;
}

static gboolean
read_all(const guint8 *buffer,
         gsize length,
         RfpQcow2Header *header,
         GError **error)
{
    guint32 header_length;
    guint64 end;

    if (length < HEADER_LENGTH_MIN || get_be32(buffer + AT_MAGIC) != MAGIC)
        return damaged(error, _("it is not a qcow2 image"));
    if (get_be32(buffer + AT_VERSION) != QCOW2_VERSION)
        return damaged(error, _("it is not a qcow2 image of version 3"));
    header_length = get_be32(buffer + AT_HEADER_LENGTH);
    if (header_length < HEADER_LENGTH_MIN || header_length > length)
        return damaged(error, _("the header's length is impossible"));
    read_fields(header, buffer);
    if (!check_fields(header, error))
        return FALSE;
    end = MIN(length, (guint64)1 << header->cluster_bits);
    if (header_length > end)
        return damaged(error, _("the header's length is impossible"));
    return read_backing(header, buffer, header_length, end, error);
}

gboolean
rfp_qcow2_header_read(const guint8 *buffer,
                      gsize length,
                      RfpQcow2Header *header,
                      GError **error)
{
    memset(header, 0, sizeof(*header));
    if (read_all(buffer, length, header, error))
        return TRUE;
    rfp_qcow2_header_clear(header);
    return FALSE;
}

gboolean
rfp_qcow2_header_check_features(const RfpQcow2Header *header, GError **error)
{
    if (header->incompatible & (INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT))
        return damaged(error, _("it is marked as dirty or corrupt"));
    if (header->data_file)
        return damaged(error, _("its data is in another file"));
    if (header->incompatible & ~INCOMPATIBLE_COMPRESSION)
        return damaged(error, _("it needs unknown features"));
    if (header->compression_type > RFP_QCOW2_TYPE_ZSTD)
        return damaged(error, _("its compression type is unknown"));
    if (header->crypt_method != 0)
        return damaged(error, _("it is encrypted"));
    if (header->snapshots != 0)
        return damaged(error, _("it has internal snapshots"));
    if (header->cluster_bits != RFP_CLUSTER_BITS)
        return damaged(error, _("its clusters are not 64 KiB"));
    return TRUE;
}

static gboolean
check_backing(const RfpQcow2Header *header, const char *backing, GError **error)
{
    g_autofree char *name = header->backing_file != NULL
                                ? rfp_text_clean(header->backing_file)
                                : NULL;

    if (backing == NULL && header->backing_file == NULL)
        return TRUE;
    if (g_strcmp0(header->backing_file, backing) != 0) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("its backing file is '%s' instead of '%s'"),
                      name != NULL ? name : "", backing != NULL ? backing : "");
        return FALSE;
    }
    if (g_strcmp0(header->backing_format, backing_format) != 0)
        return damaged(error, _("its backing file's format is not qcow2"));
    return TRUE;
}

gboolean
rfp_qcow2_header_check(const RfpQcow2Header *header,
                       guint64 size,
                       const char *backing,
                       GError **error)
{
    if (!rfp_qcow2_header_check_features(header, error))
        return FALSE;
    if (header->size != rfp_qcow2_round_size(size)) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("its virtual size is %" PRIu64 " instead of %" PRIu64),
                      header->size, rfp_qcow2_round_size(size));
        return FALSE;
    }
    return check_backing(header, backing, error);
}
