/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/rate.h"

/* The bucket, and a piece, are the bytes of a second divided by these. */
#define BUCKET_PART 10
#define PIECE_PART 20
/* The longest sleep: the delay of a cancellation, and of another limit. */
#define SLEEP_US (20 * 1000)
/* More is no limit, and no longer a while counts; both keep the arithmetic
 * inside 64 bits. */
#define LIMIT_MAX ((guint64)1 << 40)
#define ELAPSED_MAX_US ((gint64)3600 * G_USEC_PER_SEC)

enum { GOING, PAUSED, FINISHED };

void
rfp_rate_init(RfpRate *rate)
{
    *rate = (RfpRate){.limit = 0};
    g_mutex_init(&rate->lock);
}

void
rfp_rate_clear(RfpRate *rate)
{
    g_mutex_clear(&rate->lock);
}

void
rfp_rate_set(RfpRate *rate, guint64 limit)
{
    __atomic_store_n(&rate->limit, limit < LIMIT_MAX ? limit : 0,
                     __ATOMIC_RELAXED);
}

gboolean
rfp_rate_pause(RfpRate *rate, gboolean paused)
{
    g_atomic_int_compare_and_exchange(&rate->state, paused ? GOING : PAUSED,
                                      paused ? PAUSED : GOING);
    return g_atomic_int_get(&rate->state) != FINISHED;
}

gboolean
rfp_rate_is_paused(const RfpRate *rate)
{
    return g_atomic_int_get(&rate->state) == PAUSED;
}

void
rfp_rate_finish(RfpRate *rate, const gint *cancel)
{
    while (!g_atomic_int_compare_and_exchange(&rate->state, GOING, FINISHED) &&
           rfp_rate_is_paused(rate)) {
        if (g_atomic_int_get(cancel))
            return;
        g_usleep(SLEEP_US);
    }
}

guint64
rfp_rate_limit(const RfpRate *rate)
{
    return __atomic_load_n(&rate->limit, __ATOMIC_RELAXED);
}

static gint64
get_limit(const RfpRate *rate)
{
    return (gint64)rfp_rate_limit(rate);
}

guint32
rfp_rate_piece(RfpRate *rate, guint32 length, guint32 unit)
{
    const gint64 limit = get_limit(rate);
    const gint64 piece = limit / PIECE_PART / unit * unit;

    if (limit == 0 || piece >= length)
        return length;
    return MIN(length, (guint32)MAX(piece, unit));
}

/* Fills the bucket with what time has brought. */
static void
refill(RfpRate *rate, gint64 limit)
{
    const gint64 now = g_get_monotonic_time();
    const gint64 elapsed = CLAMP(now - rate->at_us, 0, ELAPSED_MAX_US);
    /* In two parts, which cannot overflow. */
    const gint64 gained = limit / G_USEC_PER_SEC * elapsed +
                          limit % G_USEC_PER_SEC * elapsed / G_USEC_PER_SEC;

    if (gained == 0)
        return; /* what a slow limit has brought so far is not lost */
    rate->level = MIN(rate->level + gained, limit / BUCKET_PART);
    rate->at_us = now;
}

/* Microseconds to wait, 0 if the bytes were taken. */
static gint64
try_take(RfpRate *rate, gint64 limit, guint64 length)
{
    gint64 wait = 0;

    g_mutex_lock(&rate->lock);
    refill(rate, limit);
    if (rate->level >= 0)
        rate->level -= (gint64)length;
    else
        wait = CLAMP(-rate->level / (limit / G_USEC_PER_SEC + 1), 1, SLEEP_US);
    g_mutex_unlock(&rate->lock);
    return wait;
}

void
rfp_rate_take(RfpRate *rate, guint64 length, const gint *cancel)
{
    gint64 limit = get_limit(rate);
    gboolean paused = rfp_rate_is_paused(rate);
    gint64 wait = 1;

    while (paused || (limit != 0 && wait != 0)) {
        if (cancel != NULL && g_atomic_int_get(cancel))
            return;
        wait = paused ? SLEEP_US : try_take(rate, limit, length);
        if (wait != 0)
            g_usleep((gulong)wait);
        limit = get_limit(rate);
        paused = rfp_rate_is_paused(rate);
    }
}
