/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "image/compress.h"

/* Bits that must be zero. */
#define L1_RESERVED (~(RFP_QCOW2_COPIED | RFP_QCOW2_OFFSET_MASK))
#define L2_RESERVED (L1_RESERVED & ~(RFP_QCOW2_COMPRESSED | RFP_QCOW2_ZERO))

#define NO_TABLE G_MAXUINT32

struct _RfpQcow2Reader {
    int fd;
    char *name;
    guint64 file_size;
    RfpQcow2Header header;
    guint64 *l1;         /* header.l1_entries, big endian */
    gpointer decompress; /* of rfp_decompress() */
    guint8 *compressed;  /* RFP_QCOW2_SECTORS_MAX sectors, or NULL */

    guint32 l2_index; /* of the L1 entry whose table is in l2, or NO_TABLE */
    guint64 l2[RFP_QCOW2_L2_ENTRIES]; /* big endian */
};

static gboolean
damaged(const RfpQcow2Reader *reader,
        guint64 offset,
        const char *what,
        GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("image '%s' is damaged: offset %" PRIu64 ": %s"),
                  reader->name, offset, what);
    rfp_error_add_object(error, reader->name);
    return FALSE;
}

/* ---- Reading ------------------------------------------------------------- */

static gboolean
read_failed(const RfpQcow2Reader *reader,
            guint64 offset,
            int errnum,
            GError **error)
{
    rfp_error_set_errno(error, errnum, _("cannot read '%s' at offset %" PRIu64),
                        reader->name, offset);
    rfp_error_add_object(error, reader->name);
    return FALSE;
}

static gboolean
read_at(const RfpQcow2Reader *reader,
        void *data,
        gsize length,
        guint64 offset,
        GError **error)
{
    gsize got = 0;
    int failed = rfp_files_pread(reader->fd, data, length, offset, &got);

    if (failed != 0)
        return read_failed(reader, offset + got, failed, error);
    return got == length ||
           damaged(reader, offset + got, _("the file ends too early"), error);
}

/* Whether @length bytes at @offset are inside the file and begin a cluster. */
static gboolean
check_place(const RfpQcow2Reader *reader,
            guint64 offset,
            guint64 length,
            GError **error)
{
    if (offset % RFP_CLUSTER_SIZE != 0)
        return damaged(reader, offset, _("not at the begin of a cluster"),
                       error);
    if (offset > reader->file_size || length > reader->file_size - offset)
        return damaged(reader, offset, _("beyond the end of the file"), error);
    return TRUE;
}

static gboolean
read_header(RfpQcow2Reader *reader, GError **error)
{
    gsize length = (gsize)MIN(reader->file_size, RFP_CLUSTER_SIZE);
    g_autofree guint8 *buffer = g_malloc(MAX(length, 1));

    if (!read_at(reader, buffer, length, 0, error))
        return FALSE;
    if (rfp_qcow2_header_read(buffer, length, &reader->header, error))
        return TRUE;
    rfp_error_prefix(error, _("image '%s'"), reader->name);
    rfp_error_add_object(error, reader->name);
    return FALSE;
}

/* What this reader can take, and what keeps its tables small. */
static gboolean
check_shape(const RfpQcow2Reader *reader, GError **error)
{
    const RfpQcow2Header *header = &reader->header;

    if (header->cluster_bits != RFP_CLUSTER_BITS)
        return damaged(reader, 0, _("its clusters are not 64 KiB"), error);
    if (header->refcount_order != 4)
        return damaged(reader, 0, _("its refcounts are not 16 bits wide"),
                       error);
    if (header->size > RFP_DISK_SIZE_MAX)
        return damaged(reader, 0, _("its virtual size is above 64 TiB"), error);
    if (header->l1_entries > rfp_qcow2_l1_entries(RFP_DISK_SIZE_MAX) ||
        header->l1_entries < header->size / RFP_QCOW2_L2_SPAN +
                                 (header->size % RFP_QCOW2_L2_SPAN != 0))
        return damaged(reader, 0, _("its L1 table does not fit its size"),
                       error);
    return TRUE;
}

static gboolean
read_l1(RfpQcow2Reader *reader, GError **error)
{
    guint64 length = (guint64)reader->header.l1_entries * 8;

    reader->l1 = g_malloc(MAX(length, 8));
    return check_place(reader, reader->header.l1_offset, length, error) &&
           read_at(reader, reader->l1, (gsize)length, reader->header.l1_offset,
                   error);
}

static gboolean
open_file(RfpQcow2Reader *reader, GError **error)
{
    struct stat status;

    if (reader->fd < 0 || fstat(reader->fd, &status) < 0)
        return read_failed(reader, 0, errno, error);
    if (!S_ISREG(status.st_mode))
        return damaged(reader, 0, _("it is not a regular file"), error);
    reader->file_size = (guint64)status.st_size;
    return read_header(reader, error) && check_shape(reader, error) &&
           read_l1(reader, error);
}

RfpQcow2Reader *
rfp_qcow2_reader_open(int fd, const char *name, GError **error)
{
    g_autoptr(RfpQcow2Reader) reader = g_new0(RfpQcow2Reader, 1);

    reader->name = g_strdup(name);
    reader->l2_index = NO_TABLE;
    reader->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (!open_file(reader, error))
        return NULL;
    return g_steal_pointer(&reader);
}

void
rfp_qcow2_reader_free(RfpQcow2Reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    rfp_qcow2_header_clear(&reader->header);
    g_free(reader->name);
    g_free(reader->l1);
    g_free(reader->compressed);
    rfp_decompress_end(&reader->decompress);
    g_free(reader);
}

const RfpQcow2Header *
rfp_qcow2_reader_header(const RfpQcow2Reader *reader)
{
    return &reader->header;
}

gboolean
rfp_qcow2_reader_l1_empty(RfpQcow2Reader *reader, guint32 l1)
{
    return l1 >= reader->header.l1_entries || reader->l1[l1] == 0;
}

guint32
rfp_qcow2_reader_tables(const RfpQcow2Reader *reader)
{
    guint32 n = 0;

    for (guint32 i = 0; i < reader->header.l1_entries; i++)
        n += reader->l1[i] != 0;
    return n;
}

/* Where the table of L1 entry @i is, which is not empty. */
static gboolean
place_of_l2(const RfpQcow2Reader *reader,
            guint32 i,
            guint64 *offset,
            GError **error)
{
    guint64 entry = GUINT64_FROM_BE(reader->l1[i]);
    guint64 at = reader->header.l1_offset + (guint64)i * 8;

    *offset = entry & RFP_QCOW2_OFFSET_MASK;
    if (entry & L1_RESERVED || !(entry & RFP_QCOW2_COPIED) || *offset == 0)
        return damaged(reader, at, _("an impossible L1 entry"), error);
    return check_place(reader, *offset, RFP_CLUSTER_SIZE, error);
}

/* Makes reader->l2 the table of L1 entry @i, which is not empty. */
static gboolean
load_l2(RfpQcow2Reader *reader, guint32 i, GError **error)
{
    guint64 offset = 0;

    if (reader->l2_index == i)
        return TRUE;
    reader->l2_index = NO_TABLE;
    if (!place_of_l2(reader, i, &offset, error) ||
        !read_at(reader, reader->l2, RFP_CLUSTER_SIZE, offset, error))
        return FALSE;
    reader->l2_index = i;
    return TRUE;
}

/* @at: where the entry stands. */
static gboolean
check_compressed(const RfpQcow2Reader *reader,
                 guint64 entry,
                 guint64 at,
                 GError **error)
{
    guint64 offset = rfp_qcow2_compressed_offset(entry);
    guint64 length = rfp_qcow2_compressed_length(entry);

    if (reader->header.compression_type != RFP_QCOW2_TYPE_ZSTD)
        return damaged(reader, at, _("a cluster is not compressed with zstd"),
                       error);
    if (entry & RFP_QCOW2_COPIED)
        return damaged(reader, at, _("an impossible L2 entry"), error);
    if (offset > reader->file_size || length > reader->file_size - offset)
        return damaged(reader, offset, _("beyond the end of the file"), error);
    return TRUE;
}

/* Entry @i of the table that is loaded. A zero cluster may have a place. */
static gboolean
decode_entry(const RfpQcow2Reader *reader,
             guint i,
             RfpQcow2Kind *kind,
             guint64 *host,
             GError **error)
{
    guint64 entry = GUINT64_FROM_BE(reader->l2[i]);
    guint64 table = GUINT64_FROM_BE(reader->l1[reader->l2_index]);
    guint64 at = (table & RFP_QCOW2_OFFSET_MASK) + i * 8;

    *host = entry & RFP_QCOW2_OFFSET_MASK;
    if (entry & RFP_QCOW2_COMPRESSED) {
        *kind = RFP_QCOW2_DATA_COMPRESSED;
        *host = entry;
        return check_compressed(reader, entry, at, error);
    }
    if (entry & L2_RESERVED || (*host != 0) != !!(entry & RFP_QCOW2_COPIED))
        return damaged(reader, at, _("an impossible L2 entry"), error);
    if (*host != 0 && !check_place(reader, *host, RFP_CLUSTER_SIZE, error))
        return FALSE;
    if (entry & RFP_QCOW2_ZERO)
        *kind = RFP_QCOW2_ZEROES;
    else
        *kind = *host != 0 ? RFP_QCOW2_DATA : RFP_QCOW2_UNALLOCATED;
    return TRUE;
}

gboolean
rfp_qcow2_reader_map(RfpQcow2Reader *reader,
                     guint64 cluster,
                     RfpQcow2Kind *kind,
                     guint64 *host,
                     GError **error)
{
    guint64 l1 = cluster / RFP_QCOW2_L2_ENTRIES;
    guint i = (guint)(cluster % RFP_QCOW2_L2_ENTRIES);

    *kind = RFP_QCOW2_UNALLOCATED;
    *host = 0;
    if (cluster >= rfp_cluster_count(reader->header.size) ||
        rfp_qcow2_reader_l1_empty(reader, (guint32)l1))
        return TRUE;
    return load_l2(reader, (guint32)l1, error) &&
           decode_entry(reader, i, kind, host, error);
}

gboolean
rfp_qcow2_reader_read(RfpQcow2Reader *reader,
                      guint64 host,
                      guint n,
                      void *data,
                      GError **error)
{
    const gsize length = n * RFP_CLUSTER_SIZE;

    return check_place(reader, host, length, error) &&
           read_at(reader, data, length, host, error);
}

gboolean
rfp_qcow2_reader_read_compressed(RfpQcow2Reader *reader,
                                 guint64 entry,
                                 void *data,
                                 GError **error)
{
    guint64 offset = rfp_qcow2_compressed_offset(entry);
    guint32 length = rfp_qcow2_compressed_length(entry);

    if (reader->compressed == NULL)
        reader->compressed = g_malloc(RFP_QCOW2_SECTORS_MAX * RFP_QCOW2_SECTOR);
    if (!read_at(reader, reader->compressed, length, offset, error))
        return FALSE;
    if (!rfp_decompress(&reader->decompress, reader->compressed, length, data))
        return damaged(reader, offset, _("the compressed data is damaged"),
                       error);
    return TRUE;
}

void
rfp_qcow2_reader_forget(const RfpQcow2Reader *reader,
                        guint64 offset,
                        guint64 length)
{
    /* a hint: nothing depends on it */
    (void)posix_fadvise(reader->fd, (off_t)offset, (off_t)length,
                        POSIX_FADV_DONTNEED);
}

/* ---- Checking ------------------------------------------------------------ */

typedef struct {
    RfpQcow2Reader *reader;
    guint64 n_clusters; /* of the file, the last one may be cut */
    guint8 *used;       /* a bit for each */
    GHashTable *shared; /* refcount block -> its counts of compressed clusters,
                         * where there are any: guint16 each */
    guint64 *table;     /* refcount table, big endian */
    guint64 n_blocks;   /* its entries */
    RfpQcow2Look look;  /* or NULL */
    gpointer opaque;
} Check;

static void
check_clear(Check *check)
{
    g_free(check->used);
    g_free(check->table);
    g_clear_pointer(&check->shared, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Check, check_clear)

static gboolean
no_memory(const RfpQcow2Reader *reader, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NO_MEMORY, _("no memory to check '%s'"),
                  reader->name);
    return FALSE;
}

static gboolean
is_used(const Check *check, guint64 cluster)
{
    return cluster < check->n_clusters &&
           (check->used[cluster / 8] & (1 << cluster % 8)) != 0;
}

/* How many compressed clusters touch @cluster. NULL: none in its block. */
static guint16 *
find_shared(const Check *check, guint64 cluster)
{
    guint64 block = cluster / RFP_QCOW2_REFCOUNTS_PER_BLOCK;
    guint16 *counts = NULL;

    if (g_hash_table_size(check->shared) > 0)
        counts = g_hash_table_lookup(check->shared, &block);
    return counts != NULL ? counts + cluster % RFP_QCOW2_REFCOUNTS_PER_BLOCK
                          : NULL;
}

static guint16 *
make_shared(Check *check, guint64 cluster, GError **error)
{
    guint16 *count = find_shared(check, cluster);
    guint16 *counts;
    guint64 *block;

    if (count != NULL)
        return count;
    counts = g_try_malloc0(RFP_CLUSTER_SIZE);
    if (counts == NULL) {
        no_memory(check->reader, error);
        return NULL;
    }
    block = g_new(guint64, 1);
    *block = cluster / RFP_QCOW2_REFCOUNTS_PER_BLOCK;
    g_hash_table_insert(check->shared, block, counts);
    return counts + cluster % RFP_QCOW2_REFCOUNTS_PER_BLOCK;
}

/* A compressed cluster, whose place has been checked. */
static gboolean
use_compressed(Check *check, guint64 entry, GError **error)
{
    guint64 offset = rfp_qcow2_compressed_offset(entry);
    guint64 last = offset + rfp_qcow2_compressed_length(entry) - 1;

    for (guint64 i = offset >> RFP_CLUSTER_BITS; i <= last >> RFP_CLUSTER_BITS;
         i++) {
        guint16 *count = make_shared(check, i, error);

        if (count == NULL)
            return FALSE;
        if (is_used(check, i) || *count == G_MAXUINT16)
            return damaged(check->reader, i << RFP_CLUSTER_BITS,
                           _("a cluster is used twice"), error);
        ++*count;
    }
    return TRUE;
}

/* @length: bytes, rounded up to clusters. */
static gboolean
use(Check *check, guint64 offset, guint64 length, GError **error)
{
    if (!check_place(check->reader, offset, length, error))
        return FALSE;
    for (guint64 i = 0; i < rfp_cluster_count(length); i++) {
        guint64 cluster = (offset >> RFP_CLUSTER_BITS) + i;
        const guint16 *count = find_shared(check, cluster);

        if (is_used(check, cluster) || (count != NULL && *count > 0))
            return damaged(check->reader, cluster << RFP_CLUSTER_BITS,
                           _("a cluster is used twice"), error);
        check->used[cluster / 8] |= (guint8)(1 << cluster % 8);
    }
    return TRUE;
}

/*
 * A sparse file can claim any size, and memory follows it: more than twice
 * what the disk fully written needs is refused.
 */
static gboolean
check_begin(Check *check, RfpQcow2Reader *reader, GError **error)
{
    const RfpQcow2Header *header = &reader->header;
    guint64 most = 1 + rfp_cluster_count(header->size) + header->l1_entries;
    RfpQcow2Tail tail;

    check->reader = reader;
    if (header->snapshots != 0)
        return damaged(reader, 0, _("it has internal snapshots"), error);
    if (header->data_file)
        return damaged(reader, 0, _("its data is in another file"), error);
    rfp_qcow2_tail(most << RFP_CLUSTER_BITS, header->size, 0, &tail);
    if (reader->file_size > 2 * tail.file_size)
        return damaged(reader, tail.file_size,
                       _("the file is too large for its disk"), error);
    check->n_clusters = rfp_cluster_count(reader->file_size);
    check->shared =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    check->used = g_try_malloc0((gsize)(check->n_clusters / 8 + 1));
    return check->used != NULL ? TRUE : no_memory(reader, error);
}

static gboolean
read_refcount_table(Check *check, GError **error)
{
    const RfpQcow2Header *header = &check->reader->header;
    guint64 offset = header->refcount_table_offset;
    guint64 length = (guint64)header->refcount_table_clusters
                     << RFP_CLUSTER_BITS;

    if (length == 0)
        return damaged(check->reader, offset, _("no refcount table"), error);
    if (!use(check, offset, length, error))
        return FALSE;
    check->n_blocks = length / 8;
    check->table = g_malloc((gsize)length); /* at most 8 MiB, by the header */
    return read_at(check->reader, check->table, (gsize)length, offset, error);
}

static gboolean
use_frame(Check *check, GError **error)
{
    const RfpQcow2Header *header = &check->reader->header;
    guint64 l1_length = (guint64)header->l1_entries * 8;

    if (!use(check, 0, 1, error) ||
        !use(check, header->l1_offset, l1_length, error) ||
        !read_refcount_table(check, error))
        return FALSE;
    for (guint64 i = 0; i < check->n_blocks; i++)
        if (check->table[i] != 0 &&
            !use(check, GUINT64_FROM_BE(check->table[i]), RFP_CLUSTER_SIZE,
                 error))
            return FALSE;
    return TRUE;
}

/* The table of L1 entry @l1 and its clusters. */
static gboolean
use_table(Check *check, guint32 l1, GError **error)
{
    RfpQcow2Reader *reader = check->reader;
    guint64 offset = GUINT64_FROM_BE(reader->l1[l1]) & RFP_QCOW2_OFFSET_MASK;
    guint64 n_clusters = rfp_cluster_count(reader->header.size);
    guint64 first = (guint64)l1 * RFP_QCOW2_L2_ENTRIES;
    RfpQcow2Kind kind;
    guint64 host;

    if (!load_l2(reader, l1, error) ||
        !use(check, offset, RFP_CLUSTER_SIZE, error))
        return FALSE;
    for (guint i = 0; i < RFP_QCOW2_L2_ENTRIES; i++) {
        if (reader->l2[i] == 0) /* most are, in an increment */
            continue;
        if (!decode_entry(reader, i, &kind, &host, error))
            return FALSE;
        if (kind == RFP_QCOW2_UNALLOCATED)
            continue;
        if (first + i >= n_clusters)
            return damaged(reader, offset + i * 8,
                           _("an entry lies beyond the disk's end"), error);
        if (check->look != NULL &&
            !check->look(first + i, kind, check->opaque, error))
            return FALSE;
        if (kind == RFP_QCOW2_DATA_COMPRESSED
                ? !use_compressed(check, host, error)
                : host != 0 && !use(check, host, RFP_CLUSTER_SIZE, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_refcount(const Check *check,
               guint64 cluster,
               guint16 count,
               GError **error)
{
    guint64 offset = cluster << RFP_CLUSTER_BITS;
    const guint16 *shared = find_shared(check, cluster);
    gboolean is_shared = shared != NULL && *shared > 0;

    if (count == (is_shared ? *shared : is_used(check, cluster)))
        return TRUE;
    if (count == 0)
        return damaged(check->reader, offset,
                       _("a cluster in use is counted as free"), error);
    if (cluster >= check->n_clusters)
        return damaged(check->reader, offset,
                       _("a cluster beyond the end of the file is counted"),
                       error);
    if (is_shared)
        return damaged(check->reader, offset,
                       _("a cluster's refcount is not the number of compressed "
                         "clusters in it"),
                       error);
    return damaged(check->reader, offset,
                   count > 1 ? _("a cluster's refcount is not 1")
                             : _("a leaked cluster"),
                   error);
}

/* @block: refcounts, big endian, of the clusters of refcount block @i. */
static gboolean
check_block(const Check *check, guint64 i, const guint16 *block, GError **error)
{
    guint64 first = i * RFP_QCOW2_REFCOUNTS_PER_BLOCK;

    for (guint j = 0; j < RFP_QCOW2_REFCOUNTS_PER_BLOCK; j++)
        if (!check_refcount(check, first + j, GUINT16_FROM_BE(block[j]), error))
            return FALSE;
    return TRUE;
}

static gboolean
check_refcounts(const Check *check, GError **error)
{
    g_autofree guint16 *block = g_malloc(RFP_CLUSTER_SIZE);
    guint64 needed = check->n_clusters / RFP_QCOW2_REFCOUNTS_PER_BLOCK + 1;

    for (guint64 i = 0; i < MAX(needed, check->n_blocks); i++) {
        guint64 place =
            i < check->n_blocks ? GUINT64_FROM_BE(check->table[i]) : 0;

        if (place == 0 && i >= needed)
            continue;
        if (place == 0)
            memset(block, 0, RFP_CLUSTER_SIZE);
        else if (!read_at(check->reader, block, RFP_CLUSTER_SIZE, place, error))
            return FALSE;
        if (!check_block(check, i, block, error))
            return FALSE;
    }
    return TRUE;
}

/* So that the disk is asked for the next tables while the first are looked
 * at; a hint only. */
static void
will_need_tables(const RfpQcow2Reader *reader)
{
    for (guint32 i = 0; i < reader->header.l1_entries; i++) {
        guint64 offset = GUINT64_FROM_BE(reader->l1[i]) & RFP_QCOW2_OFFSET_MASK;

        if (offset != 0)
            (void)posix_fadvise(reader->fd, (off_t)offset, RFP_CLUSTER_SIZE,
                                POSIX_FADV_WILLNEED);
    }
}

gboolean
rfp_qcow2_reader_check(RfpQcow2Reader *reader, GError **error)
{
    return rfp_qcow2_reader_check_each(reader, NULL, NULL, error);
}

gboolean
rfp_qcow2_reader_check_frame(RfpQcow2Reader *reader, GError **error)
{
    g_auto(Check) check = {0};

    if (!check_begin(&check, reader, error) || !use_frame(&check, error))
        return FALSE;
    for (guint32 i = 0; i < reader->header.l1_entries; i++) {
        guint64 offset = 0;

        if (rfp_qcow2_reader_l1_empty(reader, i))
            continue;
        if (!place_of_l2(reader, i, &offset, error) ||
            !use(&check, offset, RFP_CLUSTER_SIZE, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_qcow2_reader_check_each(RfpQcow2Reader *reader,
                            RfpQcow2Look look,
                            gpointer opaque,
                            GError **error)
{
    g_auto(Check) check = {.look = look, .opaque = opaque};

    will_need_tables(reader);
    if (!check_begin(&check, reader, error) || !use_frame(&check, error))
        return FALSE;
    for (guint32 i = 0; i < reader->header.l1_entries; i++)
        if (!rfp_qcow2_reader_l1_empty(reader, i) &&
            !use_table(&check, i, error))
            return FALSE;
    return check_refcounts(&check, error);
}
