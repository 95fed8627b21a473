/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/copy-plan.h"

#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>

/* Dirty extents held at a time: 4 MiB. */
#define MAX_DIRTY 262144

/*
 * Dealt with so far is all before @cursor, a multiple of a cluster or the
 * disk's end; of this, [run, cursor) is data that is not yet cut.
 */
typedef struct {
    const RfpSourceOps *source_ops;
    gpointer connection;
    const RfpCopyOptions *options;
    const RfpCopyPlanOps *ops;
    gpointer opaque;
    guint64 cursor;
    guint64 run;
    guint64 expected; /* where the next extent of a map has to begin */
    RfpExtents dirty;
    GError *error; /* of a callback, on its way through the source */
} Plan;

/* ---- Cutting ------------------------------------------------------------- */

static guint64
step_length(guint64 offset, guint64 end)
{
    return MIN(end - offset, RFP_GROUP_SIZE - offset % RFP_GROUP_SIZE);
}

/* Cuts steps off the run while it has at least @least bytes. */
static gboolean
cut_run(Plan *plan, gsize least)
{
    while (plan->cursor - plan->run >= least) {
        const guint64 length =
            MIN(step_length(plan->run, plan->cursor), plan->options->buffer);

        if (!plan->ops->data(plan->opaque, plan->run, length, &plan->error))
            return FALSE;
        plan->run += length;
    }
    return TRUE;
}

/* From the cursor, where the run is empty, to @end there are zeroes. */
static gboolean
skip_to(Plan *plan, guint64 end)
{
    if (!plan->options->increment) {
        plan->ops->skip(plan->opaque, end - plan->cursor);
        plan->cursor = end;
    }
    while (plan->cursor < end) {
        const guint64 length = step_length(plan->cursor, end);

        if (!plan->ops->zero(plan->opaque, plan->cursor, length, &plan->error))
            return FALSE;
        plan->cursor += length;
    }
    plan->run = end;
    return TRUE;
}

/* Bytes that have to be read, rounded out to clusters. */
static gboolean
add_data(Plan *plan, guint64 offset, guint64 length)
{
    const guint64 begin = offset & ~(RFP_CLUSTER_SIZE - 1);
    const guint64 end =
        MIN(rfp_cluster_count(offset + length) << RFP_CLUSTER_BITS,
            plan->options->size);

    if (begin > plan->cursor && (!cut_run(plan, 1) || !skip_to(plan, begin)))
        return FALSE;
    plan->cursor = MAX(plan->cursor, end);
    return cut_run(plan, plan->options->buffer);
}

/* ---- Maps ---------------------------------------------------------------- */

static void
set_gap(Plan *plan)
{
    rfp_error_set(&plan->error, REFPOINT_ERROR_FAILED,
                  _("the map has a gap at offset %" PRIu64), plan->expected);
}

static gboolean
check_extent(Plan *plan, guint64 offset, guint64 length)
{
    if (offset == plan->expected && length > 0 &&
        length <= plan->options->size - offset) {
        plan->expected = offset + length;
        return TRUE;
    }
    set_gap(plan);
    return FALSE;
}

static gboolean
walk_map(Plan *plan, RfpMap map, guint64 offset, guint64 end, RfpMapFunc func)
{
    plan->expected = offset;
    if (!plan->source_ops->map(plan->connection, map, offset, end - offset,
                               func, plan, &plan->error))
        return FALSE;
    if (plan->error == NULL && plan->expected == offset)
        set_gap(plan);
    return plan->error == NULL;
}

static gboolean
on_allocation(guint64 offset, guint64 length, gboolean zero, gpointer opaque)
{
    Plan *plan = opaque;

    if (!check_extent(plan, offset, length))
        return FALSE;
    return zero || add_data(plan, offset, length);
}

/* [offset, end): multiples of a cluster, or the disk's end. */
static gboolean
plan_range(Plan *plan, guint64 offset, guint64 end)
{
    plan->cursor = offset;
    plan->run = offset;
    /* One read costs no more than asking what is there. */
    if (plan->options->increment && end - offset <= plan->options->buffer)
        return add_data(plan, offset, end - offset) && cut_run(plan, 1);
    if (!walk_map(plan, RFP_MAP_ALLOCATION, offset, end, on_allocation))
        return FALSE;
    if (plan->expected != end) {
        set_gap(plan);
        return FALSE;
    }
    return cut_run(plan, 1) && skip_to(plan, end);
}

/* ---- Increments ---------------------------------------------------------- */

void
rfp_copy_plan_dirty(const RfpCopyOptions *options,
                    RfpExtents *extents,
                    guint64 offset,
                    guint64 length,
                    gboolean dirty)
{
    const guint64 old_size = options->resized_from;
    const guint64 size = options->size;

    if (dirty) {
        rfp_extents_append_rounded(extents, offset, length, RFP_CLUSTER_SIZE,
                                   size);
    } else if (old_size != size) {
        rfp_extents_append_last(extents, MIN(old_size, size), offset, length,
                                RFP_CLUSTER_SIZE, size);
        rfp_extents_append_last(extents, MAX(old_size, size), offset, length,
                                RFP_CLUSTER_SIZE, size);
    }
}

static gboolean
on_dirty(guint64 offset, guint64 length, gboolean dirty, gpointer opaque)
{
    Plan *plan = opaque;

    if (!check_extent(plan, offset, length))
        return FALSE;
    rfp_copy_plan_dirty(plan->options, &plan->dirty, offset, length, dirty);
    return plan->dirty.n < MAX_DIRTY;
}

/* What is before @planned, in the first extent only, was in the extents of
 * last time, which were rounded out. */
static void
trim_dirty(RfpExtents *dirty, guint64 planned)
{
    RfpExtent *first = dirty->items;
    guint64 end;

    if (dirty->n == 0 || first->offset >= planned)
        return;
    end = first->offset + first->length;
    first->offset = MIN(planned, end);
    first->length = end - first->offset;
}

static gboolean
plan_dirty(Plan *plan, guint64 *planned)
{
    for (gsize i = 0; i < plan->dirty.n; i++) {
        const RfpExtent *extent = &plan->dirty.items[i];
        const guint64 end = extent->offset + extent->length;

        if (extent->length > 0 && !plan_range(plan, extent->offset, end))
            return FALSE;
        *planned = MAX(*planned, end);
    }
    return TRUE;
}

static gboolean
plan_increment(Plan *plan)
{
    const guint64 size = plan->options->size;
    guint64 asked = 0;
    guint64 planned = 0;

    while (asked < size) {
        rfp_extents_reset(&plan->dirty);
        if (!walk_map(plan, RFP_MAP_DIRTY, asked, size, on_dirty))
            return FALSE;
        asked = plan->expected;
        trim_dirty(&plan->dirty, planned);
        plan->ops->total(plan->opaque, rfp_extents_total(&plan->dirty),
                         asked == size);
        if (!plan_dirty(plan, &planned))
            return FALSE;
    }
    return TRUE;
}

static gboolean
plan_full(Plan *plan)
{
    plan->ops->total(plan->opaque, plan->options->size, TRUE);
    return plan_range(plan, 0, plan->options->size);
}

gboolean
rfp_copy_plan(const RfpSourceOps *source_ops,
              gpointer connection,
              const RfpCopyOptions *options,
              const RfpCopyPlanOps *ops,
              gpointer opaque,
              GError **error)
{
    Plan plan = {
        .source_ops = source_ops,
        .connection = connection,
        .options = options,
        .ops = ops,
        .opaque = opaque,
    };
    gboolean planned;

    if (options->size == 0) {
        ops->total(opaque, 0, TRUE);
        return TRUE;
    }
    planned = options->increment ? plan_increment(&plan) : plan_full(&plan);
    rfp_extents_clear(&plan.dirty);
    if (plan.error == NULL)
        return planned;
    g_propagate_error(error, plan.error);
    return FALSE;
}
