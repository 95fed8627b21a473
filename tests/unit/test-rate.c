/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/rate.h"

#define MIB ((guint64)1 << 20)

typedef struct {
    RfpRate *rate;
    const gint *cancel;
    gint left; /* atomic: pieces */
    guint32 piece;
} Takers;

static gpointer
take_thread(gpointer opaque)
{
    Takers *takers = opaque;

    while (g_atomic_int_add(&takers->left, -1) > 0)
        rfp_rate_take(takers->rate, takers->piece, takers->cancel);
    return NULL;
}

/* Microseconds that four threads need. */
static gint64
run_takers(Takers *takers)
{
    const gint64 begin = g_get_monotonic_time();
    GThread *threads[4];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("take", take_thread, takers);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    return g_get_monotonic_time() - begin;
}

static void
test_unlimited(void)
{
    RfpRate rate;

    rfp_rate_init(&rate);
    g_assert_cmpuint(rfp_rate_piece(&rate, 12345, 64), ==, 12345);
    rfp_rate_take(&rate, G_MAXUINT64, NULL);
    rfp_rate_set(&rate, G_MAXUINT64);
    rfp_rate_take(&rate, G_MAXINT64, NULL);
    rfp_rate_take(&rate, G_MAXINT64, NULL);
    rfp_rate_clear(&rate);
}

static void
test_piece(void)
{
    RfpRate rate;

    rfp_rate_init(&rate);
    rfp_rate_set(&rate, 1);
    g_assert_cmpuint(rfp_rate_piece(&rate, MIB, 65536), ==, 65536);
    g_assert_cmpuint(rfp_rate_piece(&rate, 1000, 65536), ==, 1000);
    rfp_rate_set(&rate, 10 * MIB);
    g_assert_cmpuint(rfp_rate_piece(&rate, MIB, 65536), ==, MIB / 2);
    rfp_rate_set(&rate, 100 * MIB);
    g_assert_cmpuint(rfp_rate_piece(&rate, MIB, 65536), ==, MIB);
    rfp_rate_clear(&rate);
}

/* 6 MiB at 10 MiB/s: half a second behind the bucket of 1 MiB and a debt. */
static void
test_limit(void)
{
    RfpRate rate;
    Takers takers = {.rate = &rate, .left = 96, .piece = 65536};

    rfp_rate_init(&rate);
    rfp_rate_set(&rate, 10 * MIB);
    g_assert_cmpint(run_takers(&takers), >, 400 * 1000);
    rfp_rate_clear(&rate);
}

/* A slow limit brings something after all: what it owes is 40 bytes. */
static void
test_slow(void)
{
    RfpRate rate;
    const gint64 begin = g_get_monotonic_time();

    rfp_rate_init(&rate);
    rfp_rate_set(&rate, 40);
    rfp_rate_take(&rate, 24, NULL);
    rfp_rate_take(&rate, 1, NULL);
    g_assert_cmpint(g_get_monotonic_time() - begin, >, 400 * 1000);
    rfp_rate_clear(&rate);
}

static gpointer
later_thread(gpointer opaque)
{
    g_usleep(200 * 1000);
    rfp_rate_set(opaque, 0);
    return NULL;
}

static void
test_change(void)
{
    RfpRate rate;
    GThread *thread;
    Takers takers = {.rate = &rate, .left = 1000, .piece = 65536};

    rfp_rate_init(&rate);
    rfp_rate_set(&rate, 1);
    thread = g_thread_new("later", later_thread, &rate);
    g_assert_cmpint(run_takers(&takers), <, 60 * G_USEC_PER_SEC);
    g_thread_join(thread);
    rfp_rate_clear(&rate);
}

static gpointer
cancel_thread(gpointer opaque)
{
    g_usleep(100 * 1000);
    g_atomic_int_set((gint *)opaque, TRUE);
    return NULL;
}

static void
test_cancel(void)
{
    RfpRate rate;
    gint cancel = FALSE;
    GThread *thread = g_thread_new("cancel", cancel_thread, &cancel);
    Takers takers = {.rate = &rate,
                     .cancel = &cancel,
                     .left = 100,
                     .piece = 65536};

    rfp_rate_init(&rate);
    rfp_rate_set(&rate, 1);
    g_assert_cmpint(run_takers(&takers), <, 60 * G_USEC_PER_SEC);
    g_thread_join(thread);
    rfp_rate_clear(&rate);
}

static gpointer
resume_thread(gpointer opaque)
{
    g_usleep(100 * 1000);
    g_assert_true(rfp_rate_pause(opaque, FALSE));
    return NULL;
}

/* Who has taken everything waits for the end of the pause; behind that there is
 * no other. */
static void
test_finish(void)
{
    RfpRate rate;
    gint cancel = FALSE;
    GThread *thread;

    rfp_rate_init(&rate);
    g_assert_true(rfp_rate_pause(&rate, TRUE));
    g_assert_true(rfp_rate_pause(&rate, TRUE));
    thread = g_thread_new("resume", resume_thread, &rate);
    rfp_rate_finish(&rate, &cancel);
    g_thread_join(thread);
    g_assert_false(rfp_rate_is_paused(&rate));
    g_assert_false(rfp_rate_pause(&rate, TRUE));
    g_assert_false(rfp_rate_is_paused(&rate));
    rfp_rate_finish(&rate, &cancel);
    rfp_rate_clear(&rate);
}

static void
test_finish_cancelled(void)
{
    RfpRate rate;
    gint cancel = FALSE;
    GThread *thread = g_thread_new("cancel", cancel_thread, &cancel);

    rfp_rate_init(&rate);
    rfp_rate_pause(&rate, TRUE);
    rfp_rate_finish(&rate, &cancel);
    g_thread_join(thread);
    g_assert_true(rfp_rate_is_paused(&rate));
    rfp_rate_clear(&rate);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rate/unlimited", test_unlimited);
    g_test_add_func("/rate/piece", test_piece);
    g_test_add_func("/rate/limit", test_limit);
    g_test_add_func("/rate/slow", test_slow);
    g_test_add_func("/rate/change", test_change);
    g_test_add_func("/rate/cancel", test_cancel);
    g_test_add_func("/rate/finish", test_finish);
    g_test_add_func("/rate/finish-cancelled", test_finish_cancelled);
    return g_test_run();
}
