/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Maps as an NBD server sends them, up to the steps of a copy. Input: a byte
 * (1: an increment; 2, 4: the buffer), the sizes of the disk and of its base
 * (8 bytes each), then replies: a byte (how many extents; 64: of another
 * context first, 128: twice) and for each extent its length (4 bytes) and
 * flags (1 byte).
 */
#include "fuzz.h"

#include <string.h>

#include "base/error.h"
#include "base/extent.h"
#include "copy/block-status.h"
#include "copy/copy-plan.h"

#define MAP_STEP (((guint64)1 << 32) - RFP_CLUSTER_SIZE)
#define EXTENTS_MAX 63
#define STEPS_MAX 4096

/* What the server says, and what the plan makes of it. */
typedef struct {
    const uint8_t *data; /* the replies that are left */
    size_t left;
    RfpCopyOptions options;
    RfpMapFunc func;
    gpointer opaque;
    RfpMap map;

    RfpExtents dirty;   /* has to be stored */
    RfpExtents nonzero; /* has to be read */
    RfpExtents stored;
    RfpExtents read;
    guint n_steps;
    guint64 at; /* end of the last step */
    guint64 in_steps;
    guint64 total;
    gboolean final;
} Model;

static guint64
take(Model *model, size_t n)
{
    guint64 value = 0;

    n = MIN(n, model->left);
    memcpy(&value, model->data, n);
    model->data += n;
    model->left -= n;
    return GUINT64_FROM_LE(value);
}

/* ---- The server ---------------------------------------------------------- */

static void
reply(Model *model, RfpBlockStatus *status)
{
    const guint how = take(model, 1);
    const guint n = how & EXTENTS_MAX;
    guint32 entries[2 * EXTENTS_MAX] = {0};

    for (guint i = 0; i < n && model->left > 0; i++) {
        entries[2 * i] = (guint32)take(model, 4);
        entries[2 * i + 1] = (guint32)take(model, 1);
    }
    if (how & 64)
        rfp_block_status_take(status, "other", entries, 2 * n);
    if (how & 128)
        rfp_block_status_take(status, "this", entries, 2 * n);
    rfp_block_status_take(status, "this", entries, 2 * n);
}

static gboolean
on_extent(guint64 offset, guint64 length, gboolean flag, gpointer opaque)
{
    Model *model = opaque;

    if (model->map == RFP_MAP_DIRTY && flag)
        rfp_extents_append(&model->dirty, offset, length);
    if (model->map == RFP_MAP_ALLOCATION && !flag)
        rfp_extents_append(&model->nonzero, offset, length);
    return model->func(offset, length, flag, model->opaque);
}

static gboolean
source_map(gpointer connection,
           RfpMap map,
           guint64 offset,
           guint64 length,
           RfpMapFunc func,
           gpointer opaque,
           GError **error)
{
    Model *model = connection;
    RfpMapWalk walk = {
        .size = model->options.size,
        .offset = offset,
        .end = offset + length,
        .mask = 1,
        .func = on_extent,
        .opaque = model,
    };

    model->map = map;
    model->func = func;
    model->opaque = opaque;
    while (walk.offset < walk.end && !walk.stopped) {
        g_auto(RfpBlockStatus) status = {.context = "this"};

        reply(model, &status);
        if (!rfp_block_status_report(&status,
                                     MIN(walk.end - walk.offset, MAP_STEP),
                                     &walk, error))
            return FALSE;
    }
    return TRUE;
}

static const RfpSourceOps source_ops = {.map = source_map};

/* ---- The steps ----------------------------------------------------------- */

static gboolean
check_step(Model *model, guint64 offset, guint64 length, GError **error)
{
    const guint64 end = offset + length;

    if (length == 0 || offset < model->at || end > model->options.size ||
        offset % RFP_CLUSTER_SIZE != 0 ||
        (end % RFP_CLUSTER_SIZE != 0 && end != model->options.size) ||
        offset / RFP_GROUP_SIZE != (end - 1) / RFP_GROUP_SIZE)
        g_error("a step of %" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT,
                length, offset);
    model->at = end;
    model->in_steps += length;
    rfp_extents_append(&model->stored, offset, length);
    if (++model->n_steps < STEPS_MAX)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED, "long enough");
    return FALSE;
}

static gboolean
plan_data(gpointer opaque, guint64 offset, guint32 length, GError **error)
{
    Model *model = opaque;

    if (length > model->options.buffer)
        g_error("%u bytes are read", length);
    rfp_extents_append(&model->read, offset, length);
    return check_step(model, offset, length, error);
}

static gboolean
plan_zero(gpointer opaque, guint64 offset, guint64 length, GError **error)
{
    Model *model = opaque;

    if (!model->options.increment)
        g_error("zeroes are stored");
    return check_step(model, offset, length, error);
}

static void
plan_skip(gpointer opaque, guint64 length)
{
    Model *model = opaque;

    model->in_steps += length;
}

static void
plan_total(gpointer opaque, guint64 length, gboolean final)
{
    Model *model = opaque;

    model->total += length;
    model->final = final;
}

static const RfpCopyPlanOps plan_ops = {
    .data = plan_data,
    .zero = plan_zero,
    .skip = plan_skip,
    .total = plan_total,
};

/* ---- The whole ----------------------------------------------------------- */

static void
check_covers(const RfpExtents *outer, const RfpExtents *inner)
{
    gsize at = 0;

    for (gsize i = 0; i < inner->n; i++) {
        const RfpExtent *want = &inner->items[i];
        const guint64 end = want->offset + want->length;

        while (at < outer->n &&
               outer->items[at].offset + outer->items[at].length < end)
            at++;
        if (at == outer->n || outer->items[at].offset > want->offset)
            g_error("%" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT
                    " are missing",
                    want->length, want->offset);
    }
}

static void
check_plan(Model *model)
{
    check_covers(&model->stored, &model->dirty);
    check_covers(&model->read, &model->nonzero);
    if (model->in_steps != model->total || !model->final)
        g_error("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " are planned",
                model->in_steps, model->total);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Model model = {.data = data, .left = size};
    const guint how = take(&model, 1);
    g_autoptr(GError) error = NULL;
    gboolean good;

    model.options = (RfpCopyOptions){
        .increment = how & 1,
        .buffer = RFP_CLUSTER_SIZE << (how >> 1 & 3),
        .size = take(&model, 8) % (RFP_DISK_SIZE_MAX + 1),
        .resized_from = take(&model, 8) % (RFP_DISK_SIZE_MAX + 1),
    };
    good = rfp_copy_plan(&source_ops, &model, &model.options, &plan_ops, &model,
                         &error);
    fuzz_check(good, error);
    if (good)
        check_plan(&model);
    rfp_extents_clear(&model.dirty);
    rfp_extents_clear(&model.nonzero);
    rfp_extents_clear(&model.stored);
    rfp_extents_clear(&model.read);
    return 0;
}
