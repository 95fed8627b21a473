/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/gate.h"

typedef struct {
    RfpGate gate;
    gint cancel;   /* atomic */
    gint entered;  /* atomic: requests that were let in */
    gint refused;  /* atomic */
    gint inside;   /* atomic: requests in flight now */
    gint finished; /* atomic: no more begin */
} Requests;

/* What a thread does that asks again and again. */
static gpointer
ask_on(gpointer opaque)
{
    Requests *requests = opaque;

    while (!g_atomic_int_get(&requests->finished)) {
        if (!rfp_gate_enter(&requests->gate, &requests->cancel)) {
            g_atomic_int_inc(&requests->refused);
            return NULL;
        }
        g_atomic_int_inc(&requests->inside);
        g_atomic_int_inc(&requests->entered);
        g_usleep(500);
        g_atomic_int_add(&requests->inside, -1);
        rfp_gate_leave(&requests->gate);
    }
    return NULL;
}

static gpointer
leave_later(gpointer opaque)
{
    Requests *requests = opaque;

    g_usleep(100 * 1000);
    g_atomic_int_set(&requests->finished, TRUE);
    rfp_gate_leave(&requests->gate);
    return NULL;
}

static gpointer
cancel_later(gpointer opaque)
{
    Requests *requests = opaque;

    g_usleep(100 * 1000);
    g_atomic_int_set(&requests->cancel, TRUE);
    return NULL;
}

static void
wait_for_more(Requests *requests)
{
    const gint before = g_atomic_int_get(&requests->entered);

    while (g_atomic_int_get(&requests->entered) < before + 8)
        g_usleep(1000);
}

/* With several threads: nothing is in flight while it is closed, and all go on
 * behind that. */
static void
test_threads(void)
{
    Requests requests = {0};
    GThread *threads[4];

    rfp_gate_init(&requests.gate);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("ask", ask_on, &requests);
    for (guint i = 0; i < 20; i++) {
        gint entered = 0;

        wait_for_more(&requests);
        g_assert_true(rfp_gate_close(&requests.gate, 60 * 1000));
        entered = g_atomic_int_get(&requests.entered);
        g_assert_cmpint(g_atomic_int_get(&requests.inside), ==, 0);
        g_usleep(5000);
        g_assert_cmpint(g_atomic_int_get(&requests.entered), ==, entered);
        rfp_gate_open(&requests.gate);
    }
    wait_for_more(&requests);
    g_atomic_int_set(&requests.finished, TRUE);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(requests.refused, ==, 0);
    rfp_gate_clear(&requests.gate);
}

/* A request that does not end is waited for no longer than that; who closes
 * twice waits on. */
static void
test_hangs(void)
{
    Requests requests = {0};
    const gint64 begin = g_get_monotonic_time();
    GThread *thread = NULL;

    rfp_gate_init(&requests.gate);
    g_assert_true(rfp_gate_enter(&requests.gate, NULL));
    g_assert_false(rfp_gate_close(&requests.gate, 0));
    g_assert_false(rfp_gate_close(&requests.gate, 50));
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 50 * 1000);
    thread = g_thread_new("leave", leave_later, &requests);
    g_assert_true(rfp_gate_close(&requests.gate, 60 * 1000));
    g_assert_true(g_atomic_int_get(&requests.finished));
    g_thread_join(thread);
    g_assert_true(rfp_gate_close(&requests.gate, 0));
    rfp_gate_open(&requests.gate);
    g_assert_true(rfp_gate_enter(&requests.gate, NULL));
    rfp_gate_leave(&requests.gate);
    rfp_gate_clear(&requests.gate);
}

/* A cancelled one does not wait for the gate; an open one lets it in, it is for
 * others to look. */
static void
test_cancelled(void)
{
    Requests requests = {0};
    GThread *thread = NULL;

    rfp_gate_init(&requests.gate);
    g_assert_true(rfp_gate_close(&requests.gate, 0));
    thread = g_thread_new("cancel", cancel_later, &requests);
    g_assert_false(rfp_gate_enter(&requests.gate, &requests.cancel));
    g_thread_join(thread);
    g_assert_true(rfp_gate_close(&requests.gate, 0));
    rfp_gate_open(&requests.gate);
    g_assert_true(rfp_gate_enter(&requests.gate, &requests.cancel));
    rfp_gate_leave(&requests.gate);
    rfp_gate_clear(&requests.gate);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gate/threads", test_threads);
    g_test_add_func("/gate/hangs", test_hangs);
    g_test_add_func("/gate/cancelled", test_cancelled);
    return g_test_run();
}
