/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "workers.h"

#include <string.h>

/* libvirt's daemon takes five questions of one connection at a time: one is left
 * for who else uses it. */
#define WORKERS 4

typedef struct {
    GMutex lock;
    GCond back; /* a call has come back */
    GPtrArray *items;
    RfpWorkFunc func;
    guint next; /* item */
    guint n_back;
    gboolean *is_back; /* of each item */
} Work;

static void
work_free(gpointer opaque)
{
    Work *work = opaque;

    g_mutex_clear(&work->lock);
    g_cond_clear(&work->back);
    g_ptr_array_unref(work->items);
    g_free(work->is_back);
}

static void
work_unref(Work *work)
{
    g_atomic_rc_box_release_full(work, work_free);
}

static gpointer
worker(gpointer opaque)
{
    Work *work = opaque;

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

/* Where no thread can be had, and there is all the time, it is done here. */
static void
start(Work *work, gboolean patient)
{
    guint n = 0;

    for (guint i = 0; i < MIN(WORKERS, work->items->len); i++) {
        GThread *thread =
            g_thread_try_new("refpoint", worker,
                             g_atomic_rc_box_acquire(work), NULL);

        if (thread != NULL)
            g_thread_unref(thread);
        else
            work_unref(work);
        n += thread != NULL;
    }
    if (n == 0 && patient)
        worker(g_atomic_rc_box_acquire(work));
}

/* FALSE: nothing has come back for so long. */
static gboolean
wait_for_one(Work *work, guint patience_ms)
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

gboolean *
rfp_work(GPtrArray *items, RfpWorkFunc func, guint patience_ms)
{
    Work *work = g_atomic_rc_box_new0(Work);
    gboolean *is_back = g_new0(gboolean, items->len + 1);

    g_mutex_init(&work->lock);
    g_cond_init(&work->back);
    work->items = g_ptr_array_ref(items);
    work->func = func;
    work->is_back = g_new0(gboolean, items->len + 1);
    start(work, patience_ms == 0);
    g_mutex_lock(&work->lock);
    while (work->n_back < items->len && wait_for_one(work, patience_ms))
        continue;
    work->next = items->len; /* what was not begun is not begun any more */
    memcpy(is_back, work->is_back, items->len * sizeof(gboolean));
    g_mutex_unlock(&work->lock);
    work_unref(work);
    return is_back;
}
