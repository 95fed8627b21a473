/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/workers.h"

#include <string.h>

/* libvirt's daemon takes five questions of one connection at a time: one is
 * left for who else uses it. */
#define WORKERS 4

struct _RfpWork {
    GMutex lock;
    GCond back; /* a call has come back */
    GPtrArray *items;
    RfpWorkFunc func;
    guint next; /* item */
    guint n_back;
    gboolean *is_back;  /* of each item */
    GPtrArray *threads; /* of rfp_work_begin() */
};

static void
work_free(gpointer opaque)
{
    RfpWork *work = opaque;

    g_mutex_clear(&work->lock);
    g_cond_clear(&work->back);
    g_ptr_array_unref(work->items);
    g_free(work->is_back);
}

static void
work_unref(RfpWork *work)
{
    g_atomic_rc_box_release_full(work, work_free);
}

static gpointer
worker(gpointer opaque)
{
    RfpWork *work = opaque;

    g_mutex_lock(&work->lock);
    while (work->next < work->items->len) {
        guint i = work->next++;

        g_mutex_unlock(&work->lock);
        work->func(g_ptr_array_index(work->items, i));
        g_mutex_lock(&work->lock);
        work->is_back[i] = TRUE;
        work->n_back++;
        g_cond_signal(&work->back);
    }
    g_mutex_unlock(&work->lock);
    work_unref(work);
    return NULL;
}

/* The threads that could be had. Where there is none, and all the time, the
 * work is done here. */
static GPtrArray *
start(RfpWork *work, guint n, gboolean patient)
{
    GPtrArray *threads = g_ptr_array_new();

    for (guint i = 0; i < MIN(n, work->items->len); i++) {
        GThread *thread = g_thread_try_new("refpoint", worker,
                                           g_atomic_rc_box_acquire(work), NULL);

        if (thread != NULL)
            g_ptr_array_add(threads, thread);
        else
            work_unref(work);
    }
    if (threads->len == 0 && patient)
        worker(g_atomic_rc_box_acquire(work));
    return threads;
}

/* FALSE: nothing has come back for so long. */
static gboolean
wait_for_one(RfpWork *work, guint patience_ms)
{
    guint before = work->n_back;
    gint64 end = g_get_monotonic_time() + (gint64)patience_ms * 1000;

    while (work->n_back == before) {
        if (patience_ms == 0)
            g_cond_wait(&work->back, &work->lock);
        else if (!g_cond_wait_until(&work->back, &work->lock, end))
            return work->n_back != before;
    }
    return TRUE;
}

/* Once every call has come back the threads only have to end. They are waited
 * for: what the items hold, a connection for one, is let go of when rfp_work()
 * returns and not some time later. */
static void
end(GPtrArray *threads, gboolean all_back)
{
    for (guint i = 0; i < threads->len; i++) {
        GThread *thread = g_ptr_array_index(threads, i);

        if (all_back)
            g_thread_join(thread);
        else
            g_thread_unref(thread);
    }
    g_ptr_array_unref(threads);
}

static RfpWork *
work_new(GPtrArray *items, RfpWorkFunc func)
{
    RfpWork *work = g_atomic_rc_box_new0(RfpWork);

    g_mutex_init(&work->lock);
    g_cond_init(&work->back);
    work->items = g_ptr_array_ref(items);
    work->func = func;
    work->is_back = g_new0(gboolean, items->len + 1);
    return work;
}

gboolean *
rfp_work(GPtrArray *items, RfpWorkFunc func, guint patience_ms)
{
    RfpWork *work = work_new(items, func);
    gboolean *is_back = g_new0(gboolean, items->len + 1);
    GPtrArray *threads = start(work, WORKERS, patience_ms == 0);
    gboolean all_back = FALSE;

    g_mutex_lock(&work->lock);
    while (work->n_back < items->len && wait_for_one(work, patience_ms))
        continue;
    work->next = items->len; /* what was not begun is not begun any more */
    memcpy(is_back, work->is_back, items->len * sizeof(gboolean));
    all_back = work->n_back == items->len;
    g_mutex_unlock(&work->lock);
    end(threads, all_back);
    work_unref(work);
    return is_back;
}

RfpWork *
rfp_work_begin(GPtrArray *items, RfpWorkFunc func, guint n)
{
    RfpWork *work = work_new(items, func);

    work->threads = start(work, n, TRUE);
    return work;
}

gboolean
rfp_work_wait(RfpWork *work, gint64 until)
{
    gboolean in_time = TRUE;

    g_mutex_lock(&work->lock);
    while (in_time && work->n_back < work->items->len) {
        if (until == 0)
            g_cond_wait(&work->back, &work->lock);
        else
            in_time = g_cond_wait_until(&work->back, &work->lock, until);
    }
    in_time = work->n_back == work->items->len;
    g_mutex_unlock(&work->lock);
    return in_time;
}

gboolean
rfp_work_is_back(RfpWork *work, guint index)
{
    gboolean is_back = FALSE;

    g_mutex_lock(&work->lock);
    is_back = work->is_back[index];
    g_mutex_unlock(&work->lock);
    return is_back;
}

void
rfp_work_end(RfpWork *work)
{
    rfp_work_wait(work, 0);
    end(work->threads, TRUE);
    work_unref(work);
}
