/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads of a copy: the caller's watches for cancellation, one walks the map
 * and cuts chunks (Planner), the others copy them (Worker). @lock guards all
 * that they share; sources and sinks are called without it.
 */
#include "copy/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "copy/copy-plan.h"
#include "copy/copy-window.h"
#include "image/digest.h"

/* How often the caller's thread looks at options.cancel. */
#define WATCH_US (50 * 1000)
/* Page size: what O_DIRECT needs of a buffer. */
#define BUFFER_ALIGN 4096

typedef struct {
    RfpCopyWindow *window;
    guint64 offset;
    guint32 length; /* not a multiple of a cluster at the disk's end only */
} Chunk;

struct _RfpCopy {
    const RfpSourceOps *source_ops;
    gpointer source;
    const RfpSinkOps *sink_ops;
    gpointer sink;
    RfpCopyOptions options;
    char *name;

    GMutex lock;
    GCond work;  /* chunks were queued, or no more will be */
    GCond room;  /* the queue or the windows have room */
    GCond ended; /* a thread ended */
    RfpCopyWindows windows;
    gboolean ending; /* a thread is telling the sink about a window */
    Chunk *queue;
    guint queue_size;
    guint first_chunk;
    guint n_chunks;
    gboolean planned; /* no more chunks will be queued */
    guint running;    /* threads */
    GError *error;    /* the first failure */
    gint stop;        /* set with @error; read without the lock by g_atomic */

    /* Progress, by __atomic builtins without the lock. */
    guint64 done;
    guint64 total;
    guint64 read;
    gint final;
};

typedef struct {
    RfpCopy *copy;
    gpointer connection; /* this and the rest: made when first needed */
    guint8 *buffer;
    gboolean *is_zero; /* of each cluster in the buffer */
} Worker;

/* The thread that cuts. */
typedef struct {
    RfpCopy *copy;
    RfpCopyWindow *window; /* the newest one, NULL at first */
} Cutter;

/* ---- Failing ------------------------------------------------------------- */

static gboolean
is_stopped(RfpCopy *copy)
{
    return g_atomic_int_get(&copy->stop);
}

/* Takes @error; keeps the first one. With the lock. */
static void
fail_locked(RfpCopy *copy, GError *error)
{
    if (copy->error == NULL)
        copy->error = error;
    else
        g_error_free(error);
    g_atomic_int_set(&copy->stop, TRUE);
    g_cond_broadcast(&copy->work);
    g_cond_broadcast(&copy->room);
}

static void
fail(RfpCopy *copy, GError *error)
{
    g_mutex_lock(&copy->lock);
    fail_locked(copy, error);
    g_mutex_unlock(&copy->lock);
}

static gboolean
set_cancelled(GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("the copy was cancelled"));
    return FALSE;
}

static gboolean
set_no_memory(GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NO_MEMORY, _("not enough memory"));
    return FALSE;
}

static gboolean
is_cancelled(const GError *error)
{
    return g_error_matches(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
}

/* The offset is the disk's, which the sink may not know. */
static gboolean
prefix_offset(GError **error, guint64 offset)
{
    if (error == NULL || !is_cancelled(*error))
        rfp_error_prefix(error, _("at offset %" PRIu64), offset);
    return FALSE;
}

/* ---- Windows ------------------------------------------------------------- */

static gboolean
tell_sink(RfpCopy *copy, RfpCopyWindow *window, GError **error)
{
    return !window->used ||
           copy->sink_ops->window_end(copy->sink, window->group, window->leaves,
                                      window->have, error);
}

/* Ends the oldest windows, where nothing is left to do in them. With the lock,
 * which it lets go meanwhile. */
static void
end_windows(RfpCopy *copy)
{
    RfpCopyWindow *window;

    while (!copy->ending && !is_stopped(copy) &&
           (window = rfp_copy_windows_done(&copy->windows)) != NULL) {
        GError *error = NULL;

        copy->ending = TRUE;
        g_mutex_unlock(&copy->lock);
        tell_sink(copy, window, &error);
        g_mutex_lock(&copy->lock);
        copy->ending = FALSE;
        if (error != NULL) {
            fail_locked(copy, error);
            return;
        }
        rfp_copy_windows_close(&copy->windows);
        g_cond_signal(&copy->room);
    }
}

/* With the lock. */
static void
leave_window(Cutter *cutter)
{
    if (cutter->window == NULL)
        return;
    cutter->window->planned = TRUE;
    cutter->window = NULL;
    end_windows(cutter->copy);
}

/* Goes to the window of @offset, once there is room for it. With the lock. */
static gboolean
enter_window(Cutter *cutter, guint64 offset, GError **error)
{
    RfpCopy *copy = cutter->copy;
    const guint64 group = offset / RFP_GROUP_SIZE;

    if (cutter->window != NULL && cutter->window->group == group)
        return TRUE;
    leave_window(cutter);
    while (rfp_copy_windows_full(&copy->windows) && !is_stopped(copy))
        g_cond_wait(&copy->room, &copy->lock);
    if (is_stopped(copy))
        return set_cancelled(error);
    cutter->window = rfp_copy_windows_open(&copy->windows, group);
    return cutter->window != NULL ? TRUE : set_no_memory(error);
}

/* ---- Workers ------------------------------------------------------------- */

static gboolean
take_chunk(RfpCopy *copy, Chunk *chunk)
{
    gboolean taken = FALSE;

    g_mutex_lock(&copy->lock);
    while (copy->n_chunks == 0 && !copy->planned && !is_stopped(copy))
        g_cond_wait(&copy->work, &copy->lock);
    if (copy->n_chunks > 0 && !is_stopped(copy)) {
        *chunk = copy->queue[copy->first_chunk];
        copy->first_chunk = (copy->first_chunk + 1) % copy->queue_size;
        copy->n_chunks--;
        g_cond_signal(&copy->room);
        taken = TRUE;
    }
    g_mutex_unlock(&copy->lock);
    return taken;
}

static gboolean
prepare_worker(Worker *worker, GError **error)
{
    RfpCopy *copy = worker->copy;
    const gsize size = copy->options.buffer;
    void *buffer = NULL;

    if (worker->connection != NULL)
        return TRUE;
    if (posix_memalign(&buffer, BUFFER_ALIGN, size) != 0)
        return set_no_memory(error);
    worker->buffer = buffer;
    worker->is_zero = g_new(gboolean, size / RFP_CLUSTER_SIZE);
    worker->connection =
        copy->source_ops->open(copy->source, &copy->stop, error);
    return worker->connection != NULL;
}

static void
clear_worker(Worker *worker)
{
    if (worker->connection != NULL)
        worker->copy->source_ops->close(worker->connection);
    free(worker->buffer);
    g_free(worker->is_zero);
}

/* Small pieces where the rate is limited: the guest feels no bursts. */
static guint32
take_piece(RfpCopy *copy, guint32 length)
{
    RfpRate *rate = copy->options.rate;

    if (rate == NULL)
        return length;
    length = rfp_rate_piece(rate, length, RFP_CLUSTER_SIZE);
    rfp_rate_take(rate, length, &copy->stop);
    return length;
}

static gboolean
read_piece(Worker *worker,
           guint64 chunk,
           guint32 begin,
           guint32 length,
           GError **error)
{
    RfpCopy *copy = worker->copy;

    if (is_stopped(copy))
        return set_cancelled(error);
    if (!copy->source_ops->read(worker->connection, worker->buffer + begin,
                                chunk + begin, length, error))
        return prefix_offset(error, chunk + begin);
    __atomic_fetch_add(&copy->read, length, __ATOMIC_RELAXED);
    return TRUE;
}

static gboolean
read_chunk(Worker *worker, const Chunk *chunk, GError **error)
{
    guint32 done = 0;

    while (done < chunk->length) {
        const guint32 n = take_piece(worker->copy, chunk->length - done);

        if (!read_piece(worker, chunk->offset, done, n, error))
            return FALSE;
        done += n;
    }
    return TRUE;
}

/* Leaves are over the exact bytes, the sink gets whole clusters. */
static void
hash_chunk(Worker *worker, const Chunk *chunk)
{
    const gsize first = (chunk->offset >> RFP_CLUSTER_BITS) % RFP_GROUP_LEAVES;
    const gsize padded = (gsize)rfp_cluster_count(chunk->length)
                         << RFP_CLUSTER_BITS;

    rfp_digest_leaves(worker->buffer, chunk->length,
                      chunk->window->leaves + first * RFP_LEAF_SIZE,
                      worker->is_zero);
    memset(worker->buffer + chunk->length, 0, padded - chunk->length);
}

/* @n clusters of a kind, from the chunk's @i-th on. */
static gboolean
store_run(Worker *worker, const Chunk *chunk, guint i, guint n, GError **error)
{
    RfpCopy *copy = worker->copy;
    const guint64 cluster = (chunk->offset >> RFP_CLUSTER_BITS) + i;
    const guint8 *data = worker->buffer + ((gsize)i << RFP_CLUSTER_BITS);
    gboolean stored = TRUE;

    if (!worker->is_zero[i])
        stored = copy->sink_ops->write(copy->sink, cluster, data, n, error);
    else if (copy->options.increment)
        stored = copy->sink_ops->zero(copy->sink, cluster, n, error);
    return stored || prefix_offset(error, cluster << RFP_CLUSTER_BITS);
}

static gboolean
store_chunk(Worker *worker, const Chunk *chunk, GError **error)
{
    const guint n = rfp_cluster_count(chunk->length);
    guint i = 0;

    while (i < n) {
        guint end = i + 1;

        while (end < n && worker->is_zero[end] == worker->is_zero[i])
            end++;
        if (!store_run(worker, chunk, i, end - i, error))
            return FALSE;
        i = end;
    }
    return TRUE;
}

static gboolean
copy_chunk(Worker *worker, const Chunk *chunk, GError **error)
{
    if (!prepare_worker(worker, error) || !read_chunk(worker, chunk, error))
        return FALSE;
    hash_chunk(worker, chunk);
    return store_chunk(worker, chunk, error);
}

static void
finish_chunk(Worker *worker, const Chunk *chunk)
{
    RfpCopy *copy = worker->copy;
    const guint64 cluster = chunk->offset >> RFP_CLUSTER_BITS;
    const guint n = rfp_cluster_count(chunk->length);

    __atomic_fetch_add(&copy->done, chunk->length, __ATOMIC_RELAXED);
    g_mutex_lock(&copy->lock);
    for (guint i = 0; i < n; i++)
        if (copy->options.increment || !worker->is_zero[i])
            rfp_copy_window_set(chunk->window, cluster + i);
    chunk->window->chunks--;
    end_windows(copy);
    g_mutex_unlock(&copy->lock);
}

static void
thread_ended(RfpCopy *copy)
{
    g_mutex_lock(&copy->lock);
    copy->running--;
    g_cond_signal(&copy->ended);
    g_mutex_unlock(&copy->lock);
}

static gpointer
work_thread(gpointer opaque)
{
    RfpCopy *copy = opaque;
    Worker worker = {.copy = copy};
    GError *error = NULL;
    Chunk chunk;

    while (error == NULL && take_chunk(copy, &chunk))
        if (copy_chunk(&worker, &chunk, &error))
            finish_chunk(&worker, &chunk);
    if (error != NULL)
        fail(copy, error);
    clear_worker(&worker);
    thread_ended(copy);
    return NULL;
}

/* ---- Cutting ------------------------------------------------------------- */

static gboolean
queue_chunk(Cutter *cutter, guint64 offset, guint32 length, GError **error)
{
    RfpCopy *copy = cutter->copy;

    if (!enter_window(cutter, offset, error))
        return FALSE;
    while (copy->n_chunks == copy->queue_size && !is_stopped(copy))
        g_cond_wait(&copy->room, &copy->lock);
    if (is_stopped(copy))
        return set_cancelled(error);
    copy->queue[(copy->first_chunk + copy->n_chunks) % copy->queue_size] =
        (Chunk){cutter->window, offset, length};
    copy->n_chunks++;
    cutter->window->chunks++;
    g_cond_signal(&copy->work);
    return TRUE;
}

static gboolean
on_data(gpointer opaque, guint64 offset, guint32 length, GError **error)
{
    Cutter *cutter = opaque;
    gboolean queued;

    g_mutex_lock(&cutter->copy->lock);
    queued = queue_chunk(cutter, offset, length, error);
    g_mutex_unlock(&cutter->copy->lock);
    return queued;
}

static gboolean
on_zero(gpointer opaque, guint64 offset, guint64 length, GError **error)
{
    Cutter *cutter = opaque;
    RfpCopy *copy = cutter->copy;
    const guint64 cluster = offset >> RFP_CLUSTER_BITS;
    const guint64 n = rfp_cluster_count(length);
    gboolean entered;

    g_mutex_lock(&copy->lock);
    entered = enter_window(cutter, offset, error);
    for (guint64 i = 0; entered && i < n; i++)
        rfp_copy_window_set(cutter->window, cluster + i);
    g_mutex_unlock(&copy->lock);
    if (!entered)
        return FALSE;
    if (!copy->sink_ops->zero(copy->sink, cluster, n, error))
        return prefix_offset(error, offset);
    __atomic_fetch_add(&copy->done, length, __ATOMIC_RELAXED);
    return TRUE;
}

static void
on_skip(gpointer opaque, guint64 length)
{
    Cutter *cutter = opaque;

    __atomic_fetch_add(&cutter->copy->done, length, __ATOMIC_RELAXED);
}

static void
on_total(gpointer opaque, guint64 length, gboolean final)
{
    Cutter *cutter = opaque;

    __atomic_fetch_add(&cutter->copy->total, length, __ATOMIC_RELAXED);
    g_atomic_int_set(&cutter->copy->final, final);
}

static const RfpCopyPlanOps plan_ops = {
    .data = on_data,
    .zero = on_zero,
    .skip = on_skip,
    .total = on_total,
};

static void
plan_with(Cutter *cutter, gpointer connection, GError **error)
{
    RfpCopy *copy = cutter->copy;

    rfp_copy_plan(copy->source_ops, connection, &copy->options, &plan_ops,
                  cutter, error);
    copy->source_ops->close(connection);
}

static gpointer
cut_thread(gpointer opaque)
{
    RfpCopy *copy = opaque;
    Cutter cutter = {.copy = copy};
    GError *error = NULL;
    gpointer connection =
        copy->source_ops->open(copy->source, &copy->stop, &error);

    if (connection != NULL)
        plan_with(&cutter, connection, &error);
    if (error != NULL)
        fail(copy, error);
    g_mutex_lock(&copy->lock);
    leave_window(&cutter);
    copy->planned = TRUE;
    g_cond_broadcast(&copy->work);
    g_mutex_unlock(&copy->lock);
    thread_ended(copy);
    return NULL;
}

/* ---- The whole ----------------------------------------------------------- */

static GThread *
start_thread(RfpCopy *copy, GThreadFunc func)
{
    g_autoptr(GError) cause = NULL;
    GError *error = NULL;
    GThread *thread;

    g_mutex_lock(&copy->lock);
    copy->running++;
    g_mutex_unlock(&copy->lock);
    thread = g_thread_try_new("copy", func, copy, &cause);
    if (thread != NULL)
        return thread;
    rfp_error_set(&error, REFPOINT_ERROR_FAILED, _("cannot start a thread: %s"),
                  cause->message);
    fail(copy, error);
    thread_ended(copy);
    return NULL;
}

static gboolean
user_cancelled(const RfpCopy *copy)
{
    return copy->options.cancel != NULL &&
           g_atomic_int_get(copy->options.cancel);
}

/* Sources see @stop only: it is also set when another thread fails. */
static void
watch(RfpCopy *copy)
{
    g_mutex_lock(&copy->lock);
    while (copy->running > 0) {
        if (user_cancelled(copy) && !is_stopped(copy)) {
            GError *error = NULL;

            set_cancelled(&error);
            fail_locked(copy, error);
        }
        g_cond_wait_until(&copy->ended, &copy->lock,
                          g_get_monotonic_time() + WATCH_US);
    }
    g_mutex_unlock(&copy->lock);
}

RfpCopy *
rfp_copy_new(const RfpSourceOps *source_ops,
             gpointer source,
             const RfpSinkOps *sink_ops,
             gpointer sink,
             const RfpCopyOptions *options)
{
    RfpCopy *copy = g_new0(RfpCopy, 1);

    copy->source_ops = source_ops;
    copy->source = source;
    copy->sink_ops = sink_ops;
    copy->sink = sink;
    copy->options = *options;
    copy->name = g_strdup(options->name);
    copy->options.name = copy->name;
    copy->queue_size = 2 * options->workers;
    copy->queue = g_new0(Chunk, copy->queue_size);
    g_mutex_init(&copy->lock);
    g_cond_init(&copy->work);
    g_cond_init(&copy->room);
    g_cond_init(&copy->ended);
    return copy;
}

gboolean
rfp_copy_run(RfpCopy *copy, GError **error)
{
    g_autoptr(GPtrArray) threads = g_ptr_array_new();

    g_ptr_array_add(threads, start_thread(copy, cut_thread));
    for (guint i = 0; i < copy->options.workers && !is_stopped(copy); i++)
        g_ptr_array_add(threads, start_thread(copy, work_thread));
    watch(copy);
    for (guint i = 0; i < threads->len; i++)
        if (threads->pdata[i] != NULL)
            g_thread_join(threads->pdata[i]);
    if (copy->error == NULL)
        return TRUE;
    if (!is_cancelled(copy->error)) {
        rfp_error_add_object(&copy->error, copy->name);
        rfp_error_prefix(&copy->error, _("disk %s"), copy->name);
    }
    g_propagate_error(error, g_steal_pointer(&copy->error));
    return FALSE;
}

void
rfp_copy_progress(RfpCopy *copy,
                  guint64 *done,
                  guint64 *total,
                  gboolean *final,
                  guint64 *read)
{
    *final = g_atomic_int_get(&copy->final);
    *total = __atomic_load_n(&copy->total, __ATOMIC_RELAXED);
    *done = __atomic_load_n(&copy->done, __ATOMIC_RELAXED);
    *read = __atomic_load_n(&copy->read, __ATOMIC_RELAXED);
}

void
rfp_copy_free(RfpCopy *copy)
{
    if (copy == NULL)
        return;
    rfp_copy_windows_clear(&copy->windows);
    g_clear_error(&copy->error);
    g_mutex_clear(&copy->lock);
    g_cond_clear(&copy->work);
    g_cond_clear(&copy->room);
    g_cond_clear(&copy->ended);
    g_free(copy->queue);
    g_free(copy->name);
    g_free(copy);
}
