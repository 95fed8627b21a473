/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy between a source and a sink made up here, against a plain model:
 * a disk is a list of ranges with a pattern, everything else reads as zeroes.
 */
#include "copy/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CLUSTER RFP_CLUSTER_SIZE
#define MAX_RANGES 48
#define NO_FAULT G_MAXUINT

typedef struct {
    guint64 begin;
    guint64 end;
    gboolean blank; /* data that reads as zeroes */
} Range;

typedef enum {
    CALL_OPEN,
    CALL_READ,
    CALL_MAP,
    CALL_WRITE,
    CALL_ZERO,
    CALL_WINDOW,
    N_CALLS,
} Call;

/* A disk, what is asked of it, and what the sink got. */
typedef struct {
    RfpCopyOptions options;
    Range data[MAX_RANGES];
    guint n_data;
    Range dirty[MAX_RANGES];
    guint n_dirty;
    guint32 split_seed;   /* maps come in pieces */
    gboolean every_other; /* every second cluster is dirty, nothing else */

    GMutex lock; /* of everything below */
    guint calls[N_CALLS];
    Call fault_call;       /* which of them fails ... */
    guint fault_at;        /* ... at this count */
    gint *cancel_at_fault; /* set instead of failing */
    gboolean hang;         /* reads never come back but by cancellation */
    gint opened;
    guint64 bytes_read;
    GHashTable *stored; /* cluster -> leaf, or NULL for a zero cluster */
    gint64 last_window;
    guint64 n_confirmed; /* clusters in window_end() */
} Model;

static guint64 *
key_new(guint64 cluster)
{
    guint64 *key = g_new(guint64, 1);

    *key = cluster;
    return key;
}

static guint64
key_hash(guint64 value)
{
    value = (value ^ (value >> 31)) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    return value ^ (value >> 29);
}

/* ---- The disk ------------------------------------------------------------ */

static void
content(const Model *model, guint64 offset, guint64 length, guint8 *data)
{
    memset(data, 0, length);
    for (guint i = 0; i < model->n_data; i++) {
        const Range *range = &model->data[i];
        const guint64 begin = MAX(range->begin, offset);
        const guint64 end = MIN(range->end, offset + length);

        for (guint64 at = begin; !range->blank && at < end; at++)
            data[at - offset] = (guint8)(at % 251 + 1 + at / CLUSTER % 4);
    }
}

static gboolean
touches(const Range *ranges, guint n, guint64 begin, guint64 end)
{
    for (guint i = 0; i < n; i++)
        if (ranges[i].begin < end && ranges[i].end > begin)
            return TRUE;
    return FALSE;
}

/* Where the answer at @offset changes. */
static guint64
piece_end(const Model *model,
          RfpMap map,
          guint64 offset,
          guint64 end,
          gboolean *flag)
{
    const gboolean is_dirty = map == RFP_MAP_DIRTY;
    const Range *ranges = is_dirty ? model->dirty : model->data;
    const guint n = is_dirty ? model->n_dirty : model->n_data;

    if (is_dirty && model->every_other) {
        *flag = offset / CLUSTER % 2 == 0;
        return MIN(end, (offset / CLUSTER + 1) * CLUSTER);
    }
    *flag = is_dirty == touches(ranges, n, offset, offset + 1);
    for (guint i = 0; i < n; i++) {
        if (ranges[i].begin > offset)
            end = MIN(end, ranges[i].begin);
        if (ranges[i].end > offset)
            end = MIN(end, ranges[i].end);
    }
    return end;
}

/* ---- Faults -------------------------------------------------------------- */

static gboolean
count_call(Model *model, Call call, GError **error)
{
    gboolean faulty;

    g_mutex_lock(&model->lock);
    faulty = call == model->fault_call && model->calls[call] == model->fault_at;
    model->calls[call]++;
    g_mutex_unlock(&model->lock);
    if (faulty && model->cancel_at_fault != NULL) {
        g_atomic_int_set(model->cancel_at_fault, TRUE);
        return TRUE;
    }
    if (faulty)
        rfp_error_set(error, REFPOINT_ERROR_IN_USE, "made to fail");
    return !faulty;
}

/* ---- Source -------------------------------------------------------------- */

typedef struct {
    Model *model;
    const gint *cancel;
    GThread *thread;
} Connection;

static gpointer
source_open(gpointer source, const gint *cancel, GError **error)
{
    Connection *connection;

    if (!count_call(source, CALL_OPEN, error))
        return NULL;
    connection = g_new0(Connection, 1);
    connection->model = source;
    connection->cancel = cancel;
    connection->thread = g_thread_self();
    g_atomic_int_inc(&connection->model->opened);
    return connection;
}

static void
source_close(gpointer opaque)
{
    Connection *connection = opaque;

    g_assert_true(connection->thread == g_thread_self());
    g_atomic_int_add(&connection->model->opened, -1);
    g_free(connection);
}

static gboolean
source_read(gpointer opaque,
            void *data,
            guint64 offset,
            guint32 length,
            GError **error)
{
    Connection *connection = opaque;
    Model *model = connection->model;

    g_assert_true(connection->thread == g_thread_self());
    g_assert_cmpuint(offset % CLUSTER, ==, 0);
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(length, <=, model->options.buffer);
    g_assert_cmpuint(offset + length, <=, model->options.size);
    if (!count_call(model, CALL_READ, error))
        return FALSE;
    while (model->hang && !g_atomic_int_get(connection->cancel))
        g_usleep(1000);
    if (model->hang) {
        rfp_error_set(error, REFPOINT_ERROR_CANCELLED, "given up");
        return FALSE;
    }
    content(model, offset, length, data);
    g_mutex_lock(&model->lock);
    model->bytes_read += length;
    g_mutex_unlock(&model->lock);
    return TRUE;
}

static gboolean
source_map(gpointer opaque,
           RfpMap map,
           guint64 offset,
           guint64 length,
           RfpMapFunc func,
           gpointer func_opaque,
           GError **error)
{
    Connection *connection = opaque;
    Model *model = connection->model;
    g_autoptr(GRand) rand = g_rand_new_with_seed(model->split_seed);
    const guint64 end = offset + length;

    g_assert_true(connection->thread == g_thread_self());
    g_assert_cmpuint(length, >, 0);
    g_assert_cmpuint(end, <=, model->options.size);
    if (!count_call(model, CALL_MAP, error))
        return FALSE;
    while (offset < end) {
        gboolean flag;
        guint64 piece = piece_end(model, map, offset, end, &flag) - offset;

        if (piece > 1 && g_rand_boolean(rand))
            piece -= g_rand_int_range(rand, 0, MIN(piece, 1 << 20));
        if (!func(offset, piece, flag, func_opaque))
            return TRUE;
        offset += piece;
    }
    return TRUE;
}

static const RfpSourceOps source_ops = {
    .open = source_open,
    .close = source_close,
    .read = source_read,
    .map = source_map,
};

/* ---- Sink ---------------------------------------------------------------- */

static guint64
cluster_length(const Model *model, guint64 cluster)
{
    return MIN(CLUSTER, model->options.size - cluster * CLUSTER);
}

static void
reference_leaf(const guint8 *data, gsize length, guint8 *leaf)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize size = RFP_LEAF_SIZE;

    g_checksum_update(sum, data, length);
    g_checksum_get_digest(sum, leaf, &size);
}

static void
store(Model *model, guint64 cluster, guint8 *leaf)
{
    guint64 *key = key_new(cluster);

    g_mutex_lock(&model->lock);
    g_assert_cmpint(cluster / RFP_GROUP_LEAVES, >, model->last_window);
    g_assert_true(g_hash_table_insert(model->stored, key, leaf));
    g_mutex_unlock(&model->lock);
}

static gboolean
sink_write(gpointer sink,
           guint64 cluster,
           const void *data,
           guint n_clusters,
           GError **error)
{
    Model *model = sink;

    if (!count_call(model, CALL_WRITE, error))
        return FALSE;
    g_assert_cmpuint(GPOINTER_TO_SIZE(data) % 4096, ==, 0);
    for (guint i = 0; i < n_clusters; i++) {
        const guint8 *at = (const guint8 *)data + i * CLUSTER;
        const guint64 length = cluster_length(model, cluster + i);
        g_autofree guint8 *wanted = g_malloc0(CLUSTER);
        guint8 *leaf = g_malloc(RFP_LEAF_SIZE);

        content(model, (cluster + i) * CLUSTER, length, wanted);
        g_assert_cmpint(memcmp(at, wanted, CLUSTER), ==, 0);
        reference_leaf(at, length, leaf);
        store(model, cluster + i, leaf);
    }
    return TRUE;
}

static gboolean
sink_zero(gpointer sink, guint64 cluster, guint64 n_clusters, GError **error)
{
    Model *model = sink;

    if (!count_call(model, CALL_ZERO, error))
        return FALSE;
    g_assert_true(model->options.increment);
    for (guint64 i = 0; i < n_clusters; i++)
        store(model, cluster + i, NULL);
    return TRUE;
}

static void
check_leaf(Model *model, guint64 cluster, const guint8 *leaf, gboolean have)
{
    static const guint8 zero[RFP_LEAF_SIZE];
    gpointer wanted;

    if (!g_hash_table_lookup_extended(model->stored, &cluster, NULL, &wanted)) {
        g_assert_false(have);
        return;
    }
    g_assert_true(have);
    g_assert_cmpmem(leaf, RFP_LEAF_SIZE, wanted != NULL ? wanted : zero,
                    RFP_LEAF_SIZE);
    model->n_confirmed++;
}

static gboolean
sink_window_end(gpointer sink,
                guint64 group,
                guint8 *leaves,
                guint8 *have,
                GError **error)
{
    Model *model = sink;
    const guint64 before = model->n_confirmed;

    if (!count_call(model, CALL_WINDOW, error))
        return FALSE;
    g_mutex_lock(&model->lock);
    g_assert_cmpint(group, >, model->last_window);
    model->last_window = group;
    for (guint i = 0; i < RFP_GROUP_LEAVES; i++)
        check_leaf(model, group * RFP_GROUP_LEAVES + i,
                   leaves + (gsize)i * RFP_LEAF_SIZE, have[i / 8] >> i % 8 & 1);
    g_assert_cmpuint(model->n_confirmed, >, before);
    g_mutex_unlock(&model->lock);
    /* May be changed: shows whether it is used again as it is. */
    memset(leaves, 0xff, RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    memset(have, 0xff, RFP_GROUP_LEAVES / 8);
    return TRUE;
}

static const RfpSinkOps sink_ops = {
    .write = sink_write,
    .zero = sink_zero,
    .window_end = sink_window_end,
};

/* ---- Models -------------------------------------------------------------- */

static void
model_init(Model *model, guint64 size)
{
    memset(model, 0, sizeof(*model));
    model->options = (RfpCopyOptions){
        .size = size,
        .resized_from = size,
        .workers = 3,
        .buffer = 4 * CLUSTER,
        .name = "vda",
    };
    model->fault_at = NO_FAULT;
    model->last_window = -1;
    model->stored =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    g_mutex_init(&model->lock);
}

static void
model_clear(Model *model)
{
    g_assert_cmpint(model->opened, ==, 0);
    g_hash_table_unref(model->stored);
    g_mutex_clear(&model->lock);
}

static guint64
random_below(GRand *rand, guint64 limit)
{
    const guint64 high = g_rand_int(rand);

    return limit == 0 ? 0 : (high << 32 | g_rand_int(rand)) % limit;
}

static guint64
random_size(GRand *rand)
{
    static const guint64 sizes[] = {
        1,
        511,
        512,
        CLUSTER - 1,
        CLUSTER,
        CLUSTER + 1,
        17 * CLUSTER,
        RFP_GROUP_SIZE - 1,
        RFP_GROUP_SIZE,
        RFP_GROUP_SIZE + 1,
        7 * RFP_GROUP_SIZE + 12345,
    };
    const guint64 size = sizes[g_rand_int_range(rand, 0, G_N_ELEMENTS(sizes))];

    return g_rand_boolean(rand) ? size : 1 + random_below(rand, size);
}

/* Ascending; they do not overlap, but may touch. */
static guint
random_ranges(GRand *rand, guint64 size, Range *ranges)
{
    const guint wanted = g_rand_int_range(rand, 0, MAX_RANGES + 1);
    const guint64 longest = g_rand_boolean(rand) ? 20 * CLUSTER : CLUSTER / 2;
    guint64 at = 0;
    guint n = 0;

    while (n < wanted && at < size) {
        Range *range = &ranges[n++];

        if (g_rand_boolean(rand))
            at += random_below(rand, g_rand_boolean(rand)
                                         ? longest
                                         : MAX(size / wanted, 1));
        range->begin = MIN(at, size - 1);
        range->end = MIN(range->begin + 1 + random_below(rand, longest), size);
        range->blank = g_rand_int_range(rand, 0, 4) == 0;
        at = range->end;
    }
    return n;
}

static void
model_randomize(Model *model, GRand *rand)
{
    RfpCopyOptions *options = &model->options;

    model->split_seed = g_rand_int(rand);
    options->workers = g_rand_int_range(rand, 1, 5);
    options->buffer = CLUSTER << g_rand_int_range(rand, 0, 5);
    options->increment = g_rand_boolean(rand);
    model->n_data = random_ranges(rand, options->size, model->data);
    if (!options->increment)
        return;
    model->n_dirty = random_ranges(rand, options->size, model->dirty);
    if (g_rand_boolean(rand))
        options->resized_from = random_size(rand);
}

/* ---- Checks -------------------------------------------------------------- */

static gboolean
is_last_cluster(guint64 size, guint64 cluster)
{
    return size > 0 && (size - 1) / CLUSTER == cluster;
}

static gboolean
is_wanted(const Model *model, guint64 cluster)
{
    const RfpCopyOptions *options = &model->options;
    const guint64 begin = cluster * CLUSTER;
    g_autofree guint8 *data = NULL;
    guint64 length;

    if (options->increment)
        return touches(model->dirty, model->n_dirty, begin, begin + CLUSTER) ||
               (options->resized_from != options->size &&
                (is_last_cluster(options->size, cluster) ||
                 is_last_cluster(options->resized_from, cluster)));
    length = cluster_length(model, cluster);
    data = g_malloc(length);
    content(model, begin, length, data);
    for (guint64 i = 0; i < length; i++)
        if (data[i] != 0)
            return TRUE;
    return FALSE;
}

/* Only clusters that ranges touch, and the last ones, can be wanted. */
static void
add_candidates(GHashTable *set, const Model *model, guint64 begin, guint64 end)
{
    for (guint64 cluster = begin / CLUSTER; cluster * CLUSTER < end; cluster++)
        if (cluster * CLUSTER < model->options.size &&
            is_wanted(model, cluster))
            g_hash_table_add(set, key_new(cluster));
}

static void
check_stored(const Model *model)
{
    const RfpCopyOptions *options = &model->options;
    g_autoptr(GHashTable) wanted =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    const Range *ranges = options->increment ? model->dirty : model->data;
    const guint n = options->increment ? model->n_dirty : model->n_data;
    GHashTableIter iter;
    gpointer key;

    for (guint i = 0; i < n; i++)
        add_candidates(wanted, model, ranges[i].begin, ranges[i].end);
    add_candidates(wanted, model, options->size - 1, options->size);
    if (options->resized_from > 0)
        add_candidates(wanted, model, options->resized_from - 1,
                       options->resized_from);
    g_assert_cmpuint(g_hash_table_size(wanted), ==,
                     g_hash_table_size(model->stored));
    g_hash_table_iter_init(&iter, wanted);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_assert_true(g_hash_table_contains(model->stored, key));
    g_assert_cmpuint(model->n_confirmed, ==, g_hash_table_size(wanted));
}

static void
check_progress(const Model *model, RfpCopy *copy)
{
    guint64 done;
    guint64 total;
    guint64 read;
    gboolean final;

    rfp_copy_progress(copy, &done, &total, &final, &read);
    g_assert_true(final);
    g_assert_cmpuint(done, ==, total);
    g_assert_cmpuint(read, ==, model->bytes_read);
    if (!model->options.increment)
        g_assert_cmpuint(total, ==, model->options.size);
}

/* Nothing is read but clusters that the map has data in. */
static void
check_read(const Model *model)
{
    guint64 most = 0;

    for (guint i = 0; i < model->n_data; i++)
        most += model->data[i].end - model->data[i].begin + 2 * CLUSTER;
    if (!model->options.increment)
        g_assert_cmpuint(model->bytes_read, <=, most);
}

static void
run_model(Model *model)
{
    g_autoptr(RfpCopy) copy =
        rfp_copy_new(&source_ops, model, &sink_ops, model, &model->options);
    g_autoptr(GError) error = NULL;

    rfp_copy_run(copy, &error);
    g_assert_no_error(error);
    check_stored(model);
    check_progress(model, copy);
    check_read(model);
}

static void
run_random(guint32 seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    Model model;

    g_test_message("seed %u", seed);
    model_init(&model, random_size(rand));
    model_randomize(&model, rand);
    run_model(&model);
    model_clear(&model);
}

/* ---- Tests --------------------------------------------------------------- */

/* TEST_SEED runs one case only; TEST_CASES so many. */
static void
test_random(void)
{
    const char *seed = g_getenv("TEST_SEED");
    const char *cases = g_getenv("TEST_CASES");
    const guint n = cases != NULL ? (guint)atoi(cases) : 300;

    if (seed != NULL) {
        run_random(strtoul(seed, NULL, 10));
        return;
    }
    for (guint i = 0; i < n; i++)
        run_random((guint32)key_hash(i + 1));
}

static void
test_empty(void)
{
    for (guint increment = 0; increment < 2; increment++) {
        Model model;
        g_autoptr(RfpCopy) copy = NULL;
        g_autoptr(GError) error = NULL;

        model_init(&model, 0);
        model.options.increment = increment;
        model.options.resized_from = 5 * CLUSTER;
        copy = rfp_copy_new(&source_ops, &model, &sink_ops, &model,
                            &model.options);
        rfp_copy_run(copy, &error);
        g_assert_no_error(error);
        check_progress(&model, copy);
        g_assert_cmpuint(g_hash_table_size(model.stored), ==, 0);
        model_clear(&model);
    }
}

/* What is dirty and large and zero by the map is not read. */
static void
test_zero_extent(void)
{
    Model model;

    model_init(&model, 3 * RFP_GROUP_SIZE);
    model.options.increment = TRUE;
    model.n_dirty = 1;
    model.dirty[0] = (Range){CLUSTER / 2, 2 * RFP_GROUP_SIZE + 1, FALSE};
    model.n_data = 1;
    model.data[0] = (Range){5 * CLUSTER + 3, 6 * CLUSTER + 1, FALSE};
    run_model(&model);
    g_assert_cmpuint(model.bytes_read, ==, 2 * CLUSTER);
    g_assert_cmpint(model.last_window, ==, 2);
    model_clear(&model);
}

/* More dirty extents than are held at a time. */
static void
test_many_extents(void)
{
    const guint64 n = 262144 + 3000;
    Model model;
    g_autoptr(RfpCopy) copy = NULL;
    g_autoptr(GError) error = NULL;

    model_init(&model, 2 * n * CLUSTER);
    model.options.increment = TRUE;
    model.every_other = TRUE;
    copy = rfp_copy_new(&source_ops, &model, &sink_ops, &model, &model.options);
    rfp_copy_run(copy, &error);
    g_assert_no_error(error);
    check_progress(&model, copy);
    g_assert_cmpuint(g_hash_table_size(model.stored), ==, n);
    g_assert_cmpuint(model.n_confirmed, ==, n);
    model_clear(&model);
}

/* Data, blank data, zero extents and two windows: every call comes up. */
static void
model_eventful(Model *model, gboolean increment)
{
    model_init(model, RFP_GROUP_SIZE + 40 * CLUSTER + 7);
    model->options.increment = increment;
    model->n_data = 3;
    model->data[0] = (Range){3 * CLUSTER + 1, 12 * CLUSTER, FALSE};
    model->data[1] = (Range){14 * CLUSTER, 17 * CLUSTER, TRUE};
    model->data[2] = (Range){RFP_GROUP_SIZE - 9, RFP_GROUP_SIZE + 9, FALSE};
    model->n_dirty = 2;
    model->dirty[0] = (Range){CLUSTER, 30 * CLUSTER, FALSE};
    model->dirty[1] = (Range){RFP_GROUP_SIZE - 9, RFP_GROUP_SIZE + 9, FALSE};
}

/* Whether the fault was met. */
static gboolean
run_fault(gboolean increment, Call call, guint at)
{
    Model model;
    g_autoptr(RfpCopy) copy = NULL;
    g_autoptr(GError) error = NULL;
    gboolean met;

    model_eventful(&model, increment);
    model.fault_call = call;
    model.fault_at = at;
    copy = rfp_copy_new(&source_ops, &model, &sink_ops, &model, &model.options);
    met = !rfp_copy_run(copy, &error);
    if (met) {
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
        rfp_error_make_plain(error);
        g_assert_nonnull(strstr(error->message, "vda"));
        g_assert_nonnull(strstr(error->message, "made to fail"));
        if (call == CALL_READ || call == CALL_WRITE || call == CALL_ZERO)
            g_assert_nonnull(strstr(error->message, "t offset"));
    }
    model_clear(&model);
    return met;
}

static void
test_faults(void)
{
    for (guint increment = 0; increment < 2; increment++) {
        for (guint call = 0; call < N_CALLS; call++) {
            guint at = 0;

            while (run_fault(increment, call, at))
                at++;
            g_test_message("call %u: %u faults", call, at);
            if (call != CALL_ZERO || increment)
                g_assert_cmpuint(at, >, 0);
        }
    }
}

static void
run_cancel(Call call, gboolean hang)
{
    Model model;
    gint cancel = FALSE;
    g_autoptr(RfpCopy) copy = NULL;
    g_autoptr(GError) error = NULL;
    const gint64 begin = g_get_monotonic_time();
    gboolean copied;

    model_eventful(&model, TRUE);
    model.options.cancel = &cancel;
    model.fault_call = call;
    model.fault_at = 0;
    model.cancel_at_fault = &cancel;
    model.hang = hang;
    copy = rfp_copy_new(&source_ops, &model, &sink_ops, &model, &model.options);
    copied = rfp_copy_run(copy, &error);
    /* A copy may have been done before anybody looked. */
    if (hang || !copied)
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 60 * G_USEC_PER_SEC);
    model_clear(&model);
}

static void
test_cancel(void)
{
    for (guint call = 0; call < N_CALLS; call++)
        run_cancel(call, FALSE);
    run_cancel(CALL_READ, TRUE);
}

/* A failure ends readers that wait, too. */
static void
test_fault_while_hanging(void)
{
    Model model;
    g_autoptr(RfpCopy) copy = NULL;
    g_autoptr(GError) error = NULL;

    model_eventful(&model, TRUE);
    model.hang = TRUE;
    model.fault_call = CALL_READ;
    model.fault_at = 2;
    copy = rfp_copy_new(&source_ops, &model, &sink_ops, &model, &model.options);
    g_assert_false(rfp_copy_run(copy, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    model_clear(&model);
}

/* A map with a hole in it, or of no length. */
static gboolean
gap_map(gpointer opaque G_GNUC_UNUSED,
        RfpMap map G_GNUC_UNUSED,
        guint64 offset,
        guint64 length,
        RfpMapFunc func,
        gpointer func_opaque,
        GError **error G_GNUC_UNUSED)
{
    if (func(offset, length / 2, TRUE, func_opaque))
        func(offset + length / 2 + 1, 1, TRUE, func_opaque);
    return TRUE;
}

static gboolean
short_map(gpointer opaque G_GNUC_UNUSED,
          RfpMap map G_GNUC_UNUSED,
          guint64 offset,
          guint64 length G_GNUC_UNUSED,
          RfpMapFunc func,
          gpointer func_opaque,
          GError **error G_GNUC_UNUSED)
{
    func(offset, 1, FALSE, func_opaque);
    return TRUE;
}

static gboolean
silent_map(gpointer opaque G_GNUC_UNUSED,
           RfpMap map G_GNUC_UNUSED,
           guint64 offset G_GNUC_UNUSED,
           guint64 length G_GNUC_UNUSED,
           RfpMapFunc func G_GNUC_UNUSED,
           gpointer func_opaque G_GNUC_UNUSED,
           GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static void
run_bad_map(const RfpSourceOps *ops, gboolean increment)
{
    Model model;
    g_autoptr(RfpCopy) copy = NULL;
    g_autoptr(GError) error = NULL;

    model_eventful(&model, increment);
    copy = rfp_copy_new(ops, &model, &sink_ops, &model, &model.options);
    g_assert_false(rfp_copy_run(copy, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    model_clear(&model);
}

static void
test_bad_maps(void)
{
    RfpSourceOps ops = source_ops;

    for (guint increment = 0; increment < 2; increment++) {
        ops.map = gap_map;
        run_bad_map(&ops, increment);
        ops.map = silent_map;
        run_bad_map(&ops, increment);
    }
    ops.map = short_map;
    run_bad_map(&ops, FALSE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/copy/random", test_random);
    g_test_add_func("/copy/empty", test_empty);
    g_test_add_func("/copy/zero-extent", test_zero_extent);
    g_test_add_func("/copy/many-extents", test_many_extents);
    g_test_add_func("/copy/faults", test_faults);
    g_test_add_func("/copy/cancel", test_cancel);
    g_test_add_func("/copy/fault-while-hanging", test_fault_while_hanging);
    g_test_add_func("/copy/bad-maps", test_bad_maps);
    return g_test_run();
}
