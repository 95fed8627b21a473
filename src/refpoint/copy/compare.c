/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy whose source hides what is not compared, and whose sink keeps nothing
 * but the leaves: each group of them is judged when its window ends. A group
 * without data has no window; it is judged before the next one that has, so
 * that differences come in ascending order.
 */
#include "copy/compare.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "copy/copy-plan.h"
#include "image/digest-layout.h"

#define LEAVES_SIZE ((gsize)RFP_GROUP_LEAVES * RFP_LEAF_SIZE)
#define HAVE_SIZE (RFP_GROUP_LEAVES / 8)

struct _RfpCompare {
    RfpCompareOptions options;
    RfpCopy *copy;
    guint16 *left_out; /* clusters of each group; from who walks the maps */

    /* Of who judges, one thread at a time, behind the walk. */
    gpointer connection;
    guint64 next;     /* group */
    guint64 compared; /* clusters */
    guint8 *expected;
    guint8 *have;
    gboolean enough; /* for the caller's function */
};

/* ---- What is left out ---------------------------------------------------- */

typedef struct {
    const RfpCopyOptions *options;
    RfpExtents *extents;
} LeftOut;

static gboolean
note_left_out(guint64 offset, guint64 length, gboolean dirty, gpointer opaque)
{
    LeftOut *left_out = opaque;

    rfp_copy_plan_dirty(left_out->options, left_out->extents, offset, length,
                        dirty);
    return TRUE;
}

/* [offset, offset + length): of one group. */
static gboolean
find_left_out(const RfpCompare *compare,
              gpointer connection,
              guint64 offset,
              guint64 length,
              RfpExtents *extents,
              GError **error)
{
    LeftOut left_out = {&compare->options.copy, extents};

    rfp_extents_reset(extents);
    return !compare->options.copy.increment ||
           compare->options.source_ops->map(connection, RFP_MAP_DIRTY, offset,
                                            length, note_left_out, &left_out,
                                            error);
}

/* ---- The source ---------------------------------------------------------- */

typedef struct {
    RfpCompare *compare;
    gpointer connection; /* the real one */
    RfpExtents left_out; /* of the group that is being mapped */
    gsize at;            /* the first of them that is not passed */
    RfpMapFunc func;
    gpointer opaque;
    gboolean stopped; /* by @func */
} Connection;

static gpointer
open_source(gpointer source, const gint *cancel, GError **error)
{
    RfpCompare *compare = source;
    gpointer real = compare->options.source_ops->open(compare->options.source,
                                                      cancel, error);
    Connection *connection = NULL;

    if (real == NULL)
        return NULL;
    connection = g_new0(Connection, 1);
    connection->compare = compare;
    connection->connection = real;
    return connection;
}

static void
close_source(gpointer opaque)
{
    Connection *connection = opaque;

    connection->compare->options.source_ops->close(connection->connection);
    rfp_extents_clear(&connection->left_out);
    g_free(connection);
}

static gboolean
read_source(gpointer opaque,
            void *data,
            guint64 offset,
            guint32 length,
            GError **error)
{
    Connection *connection = opaque;

    return connection->compare->options.source_ops->read(connection->connection,
                                                         data, offset, length,
                                                         error);
}

/* Where what is told of @offset ends, at @end or before; *@hidden: it is left
 * out. */
static guint64
piece_end(Connection *connection, guint64 offset, guint64 end, gboolean *hidden)
{
    const RfpExtents *left_out = &connection->left_out;
    const RfpExtent *next = NULL;

    while (connection->at < left_out->n) {
        next = &left_out->items[connection->at];
        if (next->offset + next->length > offset)
            break;
        connection->at++;
    }
    *hidden = connection->at < left_out->n && next->offset <= offset;
    if (connection->at == left_out->n)
        return end;
    return MIN(end, *hidden ? next->offset + next->length : next->offset);
}

/* What is left out is told as zero: nobody reads it. */
static gboolean
on_allocation(guint64 offset, guint64 length, gboolean zero, gpointer opaque)
{
    Connection *connection = opaque;
    const guint64 end = offset + length;

    while (offset < end && !connection->stopped) {
        gboolean hidden = FALSE;
        const guint64 next = piece_end(connection, offset, end, &hidden);

        connection->stopped =
            !connection->func(offset, next - offset, zero || hidden,
                              connection->opaque);
        offset = next;
    }
    return !connection->stopped;
}

static gboolean
map_group(Connection *connection,
          guint64 offset,
          guint64 length,
          GError **error)
{
    RfpCompare *compare = connection->compare;

    if (!find_left_out(compare, connection->connection, offset, length,
                       &connection->left_out, error))
        return FALSE;
    connection->at = 0;
    compare->left_out[offset / RFP_GROUP_SIZE] =
        (guint16)rfp_cluster_count(rfp_extents_total(&connection->left_out));
    return compare->options.source_ops->map(connection->connection,
                                            RFP_MAP_ALLOCATION, offset, length,
                                            on_allocation, connection, error);
}

static gboolean
map_source(gpointer opaque,
           RfpMap map G_GNUC_UNUSED,
           guint64 offset,
           guint64 length,
           RfpMapFunc func,
           gpointer func_opaque,
           GError **error)
{
    Connection *connection = opaque;
    const guint64 end = offset + length;

    connection->func = func;
    connection->opaque = func_opaque;
    connection->stopped = FALSE;
    while (offset < end && !connection->stopped) {
        const guint64 n =
            MIN(end - offset, RFP_GROUP_SIZE - offset % RFP_GROUP_SIZE);

        if (!map_group(connection, offset, n, error))
            return FALSE;
        offset += n;
    }
    return TRUE;
}

static const RfpSourceOps source_ops = {
    .open = open_source,
    .close = close_source,
    .read = read_source,
    .map = map_source,
};

/* ---- Judging ------------------------------------------------------------- */

/* @found: the leaves of the disk, or NULL: all is zero. */
static gboolean
leaf_differs(const RfpCompare *compare, const guint8 *found, guint i)
{
    const gsize at = (gsize)i * RFP_LEAF_SIZE;

    if (found == NULL)
        return !rfp_is_zero(compare->expected + at, RFP_LEAF_SIZE);
    return memcmp(compare->expected + at, found + at, RFP_LEAF_SIZE) != 0;
}

static gboolean
tell_different(RfpCompare *compare,
               guint64 group,
               const guint8 *found,
               const RfpExtents *left_out,
               GError **error)
{
    const guint n = rfp_digest_group_leaves(compare->options.copy.size, group);

    for (guint i = 0; i < n && !compare->enough; i++) {
        const guint64 cluster = group * RFP_GROUP_LEAVES + i;

        if (rfp_extents_overlap(left_out, cluster << RFP_CLUSTER_BITS, 1))
            continue;
        compare->compared++;
        if (leaf_differs(compare, found, i))
            compare->enough =
                !compare->options.func(cluster, compare->options.opaque);
    }
    if (!compare->enough)
        return TRUE;
    /* which ends the copy */
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
    return FALSE;
}

static gboolean
judge(RfpCompare *compare, guint64 group, const guint8 *found, GError **error)
{
    const guint64 offset = group * RFP_GROUP_SIZE;
    const guint64 size = compare->options.copy.size;
    const gsize n = rfp_digest_group_leaves(size, group);
    g_auto(RfpExtents) left_out = {0};

    memset(compare->have, 0, HAVE_SIZE);
    if (!rfp_digest_chain_fill(compare->options.base, group, compare->expected,
                               compare->have, error))
        return FALSE;
    if (found == NULL
            ? rfp_is_zero(compare->expected, n * RFP_LEAF_SIZE)
            : memcmp(compare->expected, found, n * RFP_LEAF_SIZE) == 0) {
        compare->compared += n - compare->left_out[group];
        return TRUE;
    }
    return find_left_out(compare, compare->connection, offset,
                         MIN(RFP_GROUP_SIZE, size - offset), &left_out,
                         error) &&
           tell_different(compare, group, found, &left_out, error);
}

/* The groups before @group that have no data. */
static gboolean
judge_empty(RfpCompare *compare, guint64 group, GError **error)
{
    const gint *cancel = compare->options.copy.cancel;

    for (; compare->next < group; compare->next++) {
        if (cancel != NULL && g_atomic_int_get(cancel)) {
            rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
            return FALSE;
        }
        if (!judge(compare, compare->next, NULL, error))
            return FALSE;
    }
    return TRUE;
}

/* ---- The sink ------------------------------------------------------------ */

static gboolean
drop_data(gpointer sink G_GNUC_UNUSED,
          guint64 cluster G_GNUC_UNUSED,
          const void *data G_GNUC_UNUSED,
          guint n_clusters G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean
drop_zeroes(gpointer sink G_GNUC_UNUSED,
            guint64 cluster G_GNUC_UNUSED,
            guint64 n_clusters G_GNUC_UNUSED,
            GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

/* What was not read has a leaf of zeroes. */
static gboolean
end_window(gpointer sink,
           guint64 group,
           guint8 *leaves,
           guint8 *have G_GNUC_UNUSED,
           GError **error)
{
    RfpCompare *compare = sink;

    if (!judge_empty(compare, group, error) ||
        !judge(compare, group, leaves, error))
        return FALSE;
    compare->next = group + 1;
    return TRUE;
}

static const RfpSinkOps sink_ops = {
    .write = drop_data,
    .zero = drop_zeroes,
    .window_end = end_window,
};

/* ---- The whole ----------------------------------------------------------- */

RfpCompare *
rfp_compare_new(const RfpCompareOptions *options)
{
    RfpCompare *compare = g_new0(RfpCompare, 1);
    RfpCopyOptions copy = options->copy;

    copy.increment = FALSE;
    compare->options = *options;
    compare->expected = g_malloc(LEAVES_SIZE);
    compare->have = g_malloc(HAVE_SIZE);
    compare->left_out = g_new0(guint16, rfp_group_count(options->copy.size));
    compare->copy =
        rfp_copy_new(&source_ops, compare, &sink_ops, compare, &copy);
    return compare;
}

gboolean
rfp_compare_run(RfpCompare *compare, GError **error)
{
    const RfpCompareOptions *options = &compare->options;
    g_autoptr(GError) local = NULL;

    compare->connection =
        options->source_ops->open(options->source, options->copy.cancel, error);
    if (compare->connection == NULL)
        return FALSE;
    if (rfp_copy_run(compare->copy, &local))
        judge_empty(compare, rfp_group_count(options->copy.size), &local);
    options->source_ops->close(compare->connection);
    if (local == NULL || compare->enough)
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

guint64
rfp_compare_clusters(const RfpCompare *compare)
{
    return compare->compared;
}

guint64
rfp_compare_done(RfpCompare *compare)
{
    guint64 done = 0;
    guint64 total = 0;
    guint64 read = 0;
    gboolean final = FALSE;

    rfp_copy_progress(compare->copy, &done, &total, &final, &read);
    return done;
}

void
rfp_compare_free(RfpCompare *compare)
{
    if (compare == NULL)
        return;
    rfp_copy_free(compare->copy);
    g_free(compare->expected);
    g_free(compare->have);
    g_free(compare->left_out);
    g_free(compare);
}
