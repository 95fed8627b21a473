/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "image/digest-layout.h"

#define HEADER_SIZE RFP_DIGEST_HEADER_SIZE
#define ENTRY_SIZE RFP_DIGEST_ENTRY_SIZE
#define TRAILER_SIZE RFP_DIGEST_TRAILER_SIZE

/* Entries read at once, 20 KiB: a search loads one block at its end, a scan
 * loses nothing. */
#define BLOCK_ENTRIES 512

struct _RfpDigestFile {
    int fd;
    char *name;
    guint64 size; /* of the disk, bytes */
    guint64 n_entries;
    guint64 n_groups;
    guint8 *groups;
    guint8 view[RFP_LEAF_SIZE];

    /* Entries block_start to block_start + block_n, checked, are in block. */
    guint64 block_start;
    guint block_n;
    guint8 block[BLOCK_ENTRIES * ENTRY_SIZE];
};

static gboolean
damaged(const RfpDigestFile *file, const char *what, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("digest file '%s' is damaged: %s"), file->name, what);
    rfp_error_add_object(error, file->name);
    return FALSE;
}

static gboolean
read_at(const RfpDigestFile *file,
        void *data,
        gsize length,
        guint64 offset,
        GError **error)
{
    gsize got = 0;
    int failed = rfp_files_pread(file->fd, data, length, offset, &got);

    if (failed != 0) {
        rfp_error_set_errno(error, failed,
                            _("cannot read '%s' at offset %" PRIu64),
                            file->name, offset + got);
        rfp_error_add_object(error, file->name);
        return FALSE;
    }
    return got == length || damaged(file, _("it ends too early"), error);
}

static gboolean
read_header(RfpDigestFile *file, GError **error)
{
    guint8 header[HEADER_SIZE];
    guint8 expected[HEADER_SIZE];

    if (!read_at(file, header, sizeof(header), 0, error))
        return FALSE;
    file->size = rfp_digest_get_le64(header + 16);
    rfp_digest_header(file->size, expected);
    if (memcmp(header, expected, sizeof(header)) != 0)
        return damaged(file, _("its header is not one of this format"), error);
    if (file->size > RFP_DISK_SIZE_MAX)
        return damaged(file, _("the disk's size is impossible"), error);
    return TRUE;
}

static gboolean
read_trailer(RfpDigestFile *file, guint64 file_size, GError **error)
{
    guint8 trailer[TRAILER_SIZE];
    guint8 expected[TRAILER_SIZE];

    if (!read_at(file, trailer, sizeof(trailer), file_size - sizeof(trailer),
                 error))
        return FALSE;
    file->n_entries = rfp_digest_get_le64(trailer);
    file->n_groups = rfp_digest_get_le64(trailer + 8);
    memcpy(file->view, trailer + 16, RFP_LEAF_SIZE);
    rfp_digest_trailer(file->n_entries, file->n_groups, file->view, expected);
    if (memcmp(trailer, expected, sizeof(trailer)) != 0)
        return damaged(file, _("its trailer is not one of this format"), error);
    if (file->n_groups != rfp_group_count(file->size) ||
        file->n_entries > rfp_cluster_count(file->size))
        return damaged(file, _("its counts do not fit the disk's size"), error);
    if (file_size != HEADER_SIZE + file->n_entries * ENTRY_SIZE +
                         file->n_groups * RFP_LEAF_SIZE + TRAILER_SIZE)
        return damaged(file, _("its size does not fit its counts"), error);
    return TRUE;
}

static gboolean
read_groups(RfpDigestFile *file, GError **error)
{
    gsize length = (gsize)file->n_groups * RFP_LEAF_SIZE;
    guint8 view[RFP_LEAF_SIZE];

    file->groups = g_malloc(MAX(length, 1));
    if (!read_at(file, file->groups, length,
                 HEADER_SIZE + file->n_entries * ENTRY_SIZE, error))
        return FALSE;
    rfp_digest_view(file->size, file->groups, view);
    if (memcmp(view, file->view, sizeof(view)) != 0)
        return damaged(file, _("its view digest does not fit its groups"),
                       error);
    return TRUE;
}

static gboolean
read_frame(RfpDigestFile *file, GError **error)
{
    struct stat status;

    if (file->fd < 0 || fstat(file->fd, &status) < 0) {
        rfp_error_set_errno(error, errno, _("cannot read '%s'"), file->name);
        rfp_error_add_object(error, file->name);
        return FALSE;
    }
    if (!S_ISREG(status.st_mode))
        return damaged(file, _("it is not a regular file"), error);
    if (status.st_size < HEADER_SIZE + TRAILER_SIZE)
        return damaged(file, _("it ends too early"), error);
    return read_header(file, error) &&
           read_trailer(file, (guint64)status.st_size, error) &&
           read_groups(file, error);
}

RfpDigestFile *
rfp_digest_file_open(int fd, const char *name, GError **error)
{
    g_autoptr(RfpDigestFile) file = g_new0(RfpDigestFile, 1);

    file->name = g_strdup(name);
    file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (!read_frame(file, error))
        return NULL;
    return g_steal_pointer(&file);
}

void
rfp_digest_file_free(RfpDigestFile *file)
{
    if (file == NULL)
        return;
    if (file->fd >= 0)
        close(file->fd);
    g_free(file->name);
    g_free(file->groups);
    g_free(file);
}

guint64
rfp_digest_file_size(const RfpDigestFile *file)
{
    return file->size;
}

guint64
rfp_digest_file_entries(const RfpDigestFile *file)
{
    return file->n_entries;
}

const guint8 *
rfp_digest_file_view(const RfpDigestFile *file)
{
    return file->view;
}

const guint8 *
rfp_digest_file_groups(const RfpDigestFile *file)
{
    return file->groups;
}

/* Entry @i, or NULL if it is not in the block. */
static const guint8 *
entry_in_block(const RfpDigestFile *file, guint64 i)
{
    if (i < file->block_start || i - file->block_start >= file->block_n)
        return NULL;
    return file->block + (i - file->block_start) * ENTRY_SIZE;
}

/* @before: the entry in front of the block, or NULL. */
static gboolean
check_block(const RfpDigestFile *file,
            const guint8 *before,
            guint n,
            GError **error)
{
    guint64 count = rfp_cluster_count(file->size);
    guint64 least = before != NULL ? rfp_digest_get_le64(before) + 1 : 0;

    for (guint i = 0; i < n; i++) {
        guint64 cluster = rfp_digest_get_le64(file->block + i * ENTRY_SIZE);

        if (cluster >= count)
            return damaged(file, _("an entry lies beyond the disk's end"),
                           error);
        if (cluster < least)
            return damaged(file, _("its entries are not in order"), error);
        least = cluster + 1;
    }
    return TRUE;
}

/* Makes entry @i and those behind it available. */
static gboolean
load_block(RfpDigestFile *file, guint64 i, GError **error)
{
    guint n = (guint)MIN(BLOCK_ENTRIES, file->n_entries - i);
    guint64 offset = HEADER_SIZE + i * ENTRY_SIZE;
    guint8 before[ENTRY_SIZE];

    file->block_n = 0;
    if (i > 0 &&
        !read_at(file, before, sizeof(before), offset - ENTRY_SIZE, error))
        return FALSE;
    if (!read_at(file, file->block, (gsize)n * ENTRY_SIZE, offset, error) ||
        !check_block(file, i > 0 ? before : NULL, n, error))
        return FALSE;
    file->block_start = i;
    file->block_n = n;
    return TRUE;
}

/* Entry @i, which stays valid until the next call. */
static const guint8 *
get_entry(RfpDigestFile *file, guint64 i, GError **error)
{
    if (entry_in_block(file, i) == NULL && !load_block(file, i, error))
        return NULL;
    return entry_in_block(file, i);
}

gboolean
rfp_digest_file_entry(RfpDigestFile *file,
                      guint64 i,
                      guint64 *cluster,
                      guint8 *leaf,
                      GError **error)
{
    const guint8 *entry;

    if (i >= file->n_entries)
        return damaged(file, _("it has too few entries"), error);
    entry = get_entry(file, i, error);
    if (entry == NULL)
        return FALSE;
    *cluster = rfp_digest_get_le64(entry);
    memcpy(leaf, entry + 8, RFP_LEAF_SIZE);
    return TRUE;
}

/* The index of entry @i alone: a search jumps too far for blocks. */
static gboolean
peek_cluster(RfpDigestFile *file, guint64 i, guint64 *cluster, GError **error)
{
    const guint8 *entry = entry_in_block(file, i);
    guint8 index[8];

    if (entry != NULL) {
        *cluster = rfp_digest_get_le64(entry);
        return TRUE;
    }
    if (!read_at(file, index, sizeof(index), HEADER_SIZE + i * ENTRY_SIZE,
                 error))
        return FALSE;
    *cluster = rfp_digest_get_le64(index);
    return TRUE;
}

/* The first entry at or behind @cluster; the number of entries if none. */
static gboolean
find_entry(RfpDigestFile *file, guint64 cluster, guint64 *found, GError **error)
{
    guint64 low = 0;
    guint64 high = file->n_entries;

    while (low < high) {
        guint64 mid = low + (high - low) / 2;
        guint64 at;

        if (high - low <= BLOCK_ENTRIES && entry_in_block(file, mid) == NULL &&
            !load_block(file, low, error))
            return FALSE;
        if (!peek_cluster(file, mid, &at, error))
            return FALSE;
        if (at >= cluster)
            high = mid;
        else
            low = mid + 1;
    }
    *found = low;
    return TRUE;
}

gboolean
rfp_digest_file_fill(RfpDigestFile *file,
                     guint64 group,
                     guint8 *leaves,
                     guint8 *have,
                     GError **error)
{
    guint64 first = group * RFP_GROUP_LEAVES;
    guint64 i;

    if (!find_entry(file, first, &i, error))
        return FALSE;
    for (; i < file->n_entries; i++) {
        const guint8 *entry = get_entry(file, i, error);
        guint64 cluster;

        if (entry == NULL)
            return FALSE;
        cluster = rfp_digest_get_le64(entry);
        if (cluster >= first + RFP_GROUP_LEAVES)
            break;
        /* A damaged order can lead the search astray. */
        if (cluster < first)
            return damaged(file, _("its entries are not in order"), error);
        if (!rfp_digest_have(have, (guint)(cluster - first)))
            rfp_digest_set(leaves, have, (guint)(cluster - first), entry + 8);
    }
    return TRUE;
}

/* ---- The chain ----------------------------------------------------------- */

/* Leaves from @start on that are not there yet are zero. */
static void
fill_zero(guint8 *leaves, guint8 *have, guint start)
{
    static const guint8 zero[RFP_LEAF_SIZE];

    for (guint i = start; i < RFP_GROUP_LEAVES; i++)
        if (!rfp_digest_have(have, i))
            rfp_digest_set(leaves, have, i, zero);
}

static gboolean
is_complete(const guint8 *have)
{
    for (guint i = 0; i < RFP_GROUP_LEAVES / 8; i++)
        if (have[i] != 0xff)
            return FALSE;
    return TRUE;
}

gboolean
rfp_digest_chain_fill(GPtrArray *chain,
                      guint64 group,
                      guint8 *leaves,
                      guint8 *have,
                      GError **error)
{
    for (guint i = 0; i < chain->len && !is_complete(have); i++) {
        RfpDigestFile *file = g_ptr_array_index(chain, i);

        /* What lies behind this view's end hides whatever is older. */
        fill_zero(leaves, have, rfp_digest_group_leaves(file->size, group));
        if (!rfp_digest_file_fill(file, group, leaves, have, error))
            return FALSE;
    }
    fill_zero(leaves, have, 0);
    return TRUE;
}

gboolean
rfp_digest_chain_leaf(GPtrArray *chain,
                      guint64 cluster,
                      guint8 *leaf,
                      GError **error)
{
    memset(leaf, 0, RFP_LEAF_SIZE);
    for (guint i = 0; i < chain->len; i++) {
        RfpDigestFile *file = g_ptr_array_index(chain, i);
        const guint8 *entry;
        guint64 found;

        if (cluster >= rfp_cluster_count(file->size))
            return TRUE;
        if (!find_entry(file, cluster, &found, error))
            return FALSE;
        if (found == file->n_entries)
            continue;
        entry = get_entry(file, found, error);
        if (entry == NULL)
            return FALSE;
        if (rfp_digest_get_le64(entry) == cluster) {
            memcpy(leaf, entry + 8, RFP_LEAF_SIZE);
            return TRUE;
        }
    }
    return TRUE;
}
