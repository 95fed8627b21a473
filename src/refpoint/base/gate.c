/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/gate.h"

/* How often who waits to be let in looks at its cancellation. */
#define LOOK_US (20 * 1000)

void
rfp_gate_init(RfpGate *gate)
{
    *gate = (RfpGate){.closed = FALSE};
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->change);
}

void
rfp_gate_clear(RfpGate *gate)
{
    g_mutex_clear(&gate->lock);
    g_cond_clear(&gate->change);
}

static gboolean
is_set(const gint *cancel)
{
    return cancel != NULL && g_atomic_int_get(cancel);
}

gboolean
rfp_gate_enter(RfpGate *gate, const gint *cancel)
{
    gboolean may = FALSE;

    g_mutex_lock(&gate->lock);
    while (gate->closed && !is_set(cancel))
        g_cond_wait_until(&gate->change, &gate->lock,
                          g_get_monotonic_time() + LOOK_US);
    may = !gate->closed;
    if (may)
        gate->n++;
    g_mutex_unlock(&gate->lock);
    return may;
}

void
rfp_gate_leave(RfpGate *gate)
{
    g_mutex_lock(&gate->lock);
    if (--gate->n == 0)
        g_cond_broadcast(&gate->change);
    g_mutex_unlock(&gate->lock);
}

gboolean
rfp_gate_close(RfpGate *gate, guint wait_ms)
{
    const gint64 end = g_get_monotonic_time() + (gint64)wait_ms * 1000;
    gboolean none = FALSE;

    g_mutex_lock(&gate->lock);
    gate->closed = TRUE;
    while (gate->n > 0 && g_cond_wait_until(&gate->change, &gate->lock, end))
        continue;
    none = gate->n == 0;
    g_mutex_unlock(&gate->lock);
    return none;
}

void
rfp_gate_open(RfpGate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->closed = FALSE;
    g_cond_broadcast(&gate->change);
    g_mutex_unlock(&gate->lock);
}
