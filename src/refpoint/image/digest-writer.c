/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/digest-writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "image/digest-file.h"
#include "image/digest-layout.h"

#define OUTPUT_SIZE (256 * 1024)
#define NO_GROUP G_MAXUINT64

struct _RfpDigestWriter {
    int fd;
    char *name;
    guint64 size; /* of the disk, bytes */
    GPtrArray *chain;
    guint64 next_group;
    guint64 n_entries;
    guint64 n_groups;
    guint8 *groups;

    /* The last groups of the base's view and of this one, where their sizes
     * differ, until they are done. */
    guint64 resized[2];

    guint64 offset; /* of the file, behind what was written */
    gsize used;     /* of output */
    RfpSha256 *sha;
    guint8 output[OUTPUT_SIZE];
};

static gboolean
write_failed(RfpDigestWriter *writer, int errnum, GError **error)
{
    rfp_error_set_errno(error, errnum,
                        _("cannot write '%s' at offset %" PRIu64), writer->name,
                        writer->offset);
    rfp_error_add_object(error, writer->name);
    return FALSE;
}

/* The only place that writes. */
static gboolean
flush_output(RfpDigestWriter *writer, GError **error)
{
    gsize done = 0;

    rfp_sha256_update(writer->sha, writer->output, writer->used);
    while (done < writer->used) {
        ssize_t n = pwrite(writer->fd, writer->output + done,
                           writer->used - done, (off_t)writer->offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return write_failed(writer, n < 0 ? errno : EIO, error);
        done += (gsize)n;
        writer->offset += (guint64)n;
    }
    writer->used = 0;
    return TRUE;
}

static gboolean
output(RfpDigestWriter *writer, const void *data, gsize length, GError **error)
{
    const guint8 *bytes = data;

    while (length > 0) {
        gsize n = MIN(length, OUTPUT_SIZE - writer->used);

        memcpy(writer->output + writer->used, bytes, n);
        writer->used += n;
        bytes += n;
        length -= n;
        if (writer->used == OUTPUT_SIZE && !flush_output(writer, error))
            return FALSE;
    }
    return TRUE;
}

/* The groups begin as the base's; those that are written are done again. */
static void
take_base(RfpDigestWriter *writer)
{
    const RfpDigestFile *base;
    guint64 n_groups;

    writer->resized[0] = NO_GROUP;
    writer->resized[1] = NO_GROUP;
    if (writer->chain->len == 0)
        return;
    base = g_ptr_array_index(writer->chain, 0);
    n_groups = rfp_group_count(rfp_digest_file_size(base));
    memcpy(writer->groups, rfp_digest_file_groups(base),
           (gsize)MIN(n_groups, writer->n_groups) * RFP_LEAF_SIZE);
    if (rfp_digest_file_size(base) == writer->size)
        return;
    if (n_groups > 0 && n_groups <= writer->n_groups)
        writer->resized[0] = n_groups - 1;
    if (writer->n_groups > 0 && writer->n_groups <= n_groups)
        writer->resized[1] = writer->n_groups - 1;
}

RfpDigestWriter *
rfp_digest_writer_new(int fd,
                      const char *name,
                      guint64 size,
                      GPtrArray *chain,
                      GError **error)
{
    g_autoptr(RfpDigestWriter) writer = g_new0(RfpDigestWriter, 1);
    guint8 header[RFP_DIGEST_HEADER_SIZE];

    writer->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    writer->name = g_strdup(name);
    writer->size = size;
    writer->sha = rfp_sha256_new();
    writer->chain = chain != NULL ? g_ptr_array_ref(chain) : g_ptr_array_new();
    if (writer->fd < 0) {
        rfp_error_set_errno(error, errno, _("cannot write '%s'"), name);
        return NULL;
    }
    if (size > RFP_DISK_SIZE_MAX) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("cannot write '%s': the disk is larger than 64 TiB"),
                      name);
        return NULL;
    }
    writer->n_groups = rfp_group_count(size);
    writer->groups = g_malloc0(MAX(writer->n_groups, 1) * RFP_LEAF_SIZE);
    take_base(writer);
    rfp_digest_header(size, header);
    if (!output(writer, header, sizeof(header), error))
        return NULL;
    return g_steal_pointer(&writer);
}

static gboolean
output_entries(RfpDigestWriter *writer,
               guint64 group,
               const guint8 *leaves,
               const guint8 *have,
               GError **error)
{
    guint64 first = group * RFP_GROUP_LEAVES;
    guint8 index[8];

    for (guint i = 0; i < RFP_GROUP_LEAVES; i++) {
        if (have[i / 8] == 0) {
            i |= 7;
            continue;
        }
        if (!rfp_digest_have(have, i))
            continue;
        rfp_digest_put_le64(index, first + i);
        if (!output(writer, index, sizeof(index), error) ||
            !output(writer, leaves + (gsize)i * RFP_LEAF_SIZE, RFP_LEAF_SIZE,
                    error))
            return FALSE;
        writer->n_entries++;
    }
    return TRUE;
}

/* The digest of @group, whose stored leaves are given. */
static gboolean
digest_group(RfpDigestWriter *writer,
             guint64 group,
             guint8 *leaves,
             guint8 *have,
             GError **error)
{
    if (!rfp_digest_chain_fill(writer->chain, group, leaves, have, error))
        return FALSE;
    rfp_digest_group(leaves, rfp_digest_group_leaves(writer->size, group),
                     writer->groups + group * RFP_LEAF_SIZE);
    for (guint i = 0; i < G_N_ELEMENTS(writer->resized); i++)
        if (writer->resized[i] == group)
            writer->resized[i] = NO_GROUP;
    return TRUE;
}

/* A caller that gets these wrong must not make a file that looks right. */
static gboolean
check_group(const RfpDigestWriter *writer,
            guint64 group,
            const guint8 *have,
            GError **error)
{
    gboolean good = group >= writer->next_group && group < writer->n_groups;
    guint i = rfp_digest_group_leaves(writer->size, group);

    for (; good && i < RFP_GROUP_LEAVES; i++)
        good = !rfp_digest_have(have, i);
    if (!good)
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("cannot write '%s': group %" PRIu64 " is out of order "
                        "or beyond the disk's end"),
                      writer->name, group);
    return good;
}

gboolean
rfp_digest_writer_group(RfpDigestWriter *writer,
                        guint64 group,
                        guint8 *leaves,
                        guint8 *have,
                        GError **error)
{
    if (!check_group(writer, group, have, error))
        return FALSE;
    writer->next_group = group + 1;
    return output_entries(writer, group, leaves, have, error) &&
           digest_group(writer, group, leaves, have, error);
}

static gboolean
redo_resized(RfpDigestWriter *writer, GError **error)
{
    g_autofree guint8 *leaves = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(writer->resized); i++) {
        guint8 have[RFP_GROUP_LEAVES / 8] = {0};

        if (writer->resized[i] == NO_GROUP)
            continue;
        if (leaves == NULL)
            leaves = g_malloc(RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
        if (!digest_group(writer, writer->resized[i], leaves, have, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_digest_writer_finish(RfpDigestWriter *writer,
                         guint8 *view,
                         guint64 *file_size,
                         guint8 *file_sha256,
                         GError **error)
{
    guint8 trailer[RFP_DIGEST_TRAILER_SIZE];

    if (!redo_resized(writer, error))
        return FALSE;
    rfp_digest_view(writer->size, writer->groups, view);
    rfp_digest_trailer(writer->n_entries, writer->n_groups, view, trailer);
    if (!output(writer, writer->groups, (gsize)writer->n_groups * RFP_LEAF_SIZE,
                error) ||
        !output(writer, trailer, sizeof(trailer), error) ||
        !flush_output(writer, error))
        return FALSE;
    /* The size of a new file is part of what fdatasync() makes durable. */
    if (fdatasync(writer->fd) < 0)
        return write_failed(writer, errno, error);
    rfp_sha256_finish(writer->sha, file_sha256);
    *file_size = writer->offset;
    return TRUE;
}

void
rfp_digest_writer_free(RfpDigestWriter *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    g_free(writer->name);
    g_clear_pointer(&writer->chain, g_ptr_array_unref);
    g_free(writer->groups);
    g_clear_pointer(&writer->sha, rfp_sha256_free);
    g_free(writer);
}
