/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/workers.h"

#define N 100

typedef struct {
    GMutex lock;
    GCond changed;
    guint n_called;
    guint n_freed;
    gboolean go_on; /* those that hang */
} Ground;

typedef struct {
    Ground *ground;
    gboolean hangs;
    guint n_called;
} Item;

static void
item_free(gpointer opaque)
{
    Item *item = opaque;

    g_mutex_lock(&item->ground->lock);
    item->ground->n_freed++;
    g_cond_broadcast(&item->ground->changed);
    g_mutex_unlock(&item->ground->lock);
    g_free(item);
}

static GPtrArray *
items_new(Ground *ground, guint n)
{
    GPtrArray *items = g_ptr_array_new_with_free_func(item_free);

    for (guint i = 0; i < n; i++) {
        Item *item = g_new0(Item, 1);

        item->ground = ground;
        g_ptr_array_add(items, item);
    }
    return items;
}

static void
call(gpointer opaque)
{
    Item *item = opaque;

    g_mutex_lock(&item->ground->lock);
    item->n_called++;
    item->ground->n_called++;
    while (item->hangs && !item->ground->go_on)
        g_cond_wait(&item->ground->changed, &item->ground->lock);
    g_mutex_unlock(&item->ground->lock);
}

/* What the items hold is let go of with the caller's own reference: no thread
 * has one any more. */
static void
test_all(void)
{
    Ground ground = {0};

    for (guint round = 1; round <= 200; round++) {
        GPtrArray *items = items_new(&ground, N);
        g_autofree gboolean *is_back = rfp_work(items, call, 0);

        for (guint i = 0; i < N; i++) {
            const Item *item = g_ptr_array_index(items, i);

            g_assert_cmpuint(item->n_called, ==, 1);
            g_assert_true(is_back[i]);
        }
        g_ptr_array_unref(items);
        g_assert_cmpuint(ground.n_freed, ==, round * N);
    }
}

static void
test_none(void)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();

    g_free(rfp_work(items, call, 0));
    g_free(rfp_work(items, call, 1));
}

/* All threads hang: what is left is not begun later, and all of it is kept
 * until the last one is back. */
static void
test_hangs(void)
{
    static Ground ground; /* the last thread may outlive this call */
    GPtrArray *items = items_new(&ground, N);
    g_autofree gboolean *is_back = NULL;

    for (guint i = 0; i < N; i++)
        ((Item *)g_ptr_array_index(items, i))->hangs = TRUE;
    is_back = rfp_work(items, call, 50);
    for (guint i = 0; i < N; i++)
        g_assert_false(is_back[i]);
    g_ptr_array_unref(items);
    g_mutex_lock(&ground.lock);
    g_assert_cmpuint(ground.n_freed, ==, 0);
    ground.go_on = TRUE;
    g_cond_broadcast(&ground.changed);
    while (ground.n_freed < N)
        g_cond_wait(&ground.changed, &ground.lock);
    g_assert_cmpuint(ground.n_called, <, N);
    g_mutex_unlock(&ground.lock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/workers/all", test_all);
    g_test_add_func("/workers/none", test_none);
    g_test_add_func("/workers/hangs", test_hangs);
    return g_test_run();
}
