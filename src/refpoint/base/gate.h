/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What requests to a server pass through, from any thread: who closes it lets
 * no more begin, and knows when those in flight have ended.
 */
#ifndef RFP_GATE_H
#define RFP_GATE_H

#include <glib.h>

typedef struct {
    GMutex lock; /* of all below */
    GCond change;
    gboolean closed;
    guint n; /* requests in flight */
} RfpGate;

void
rfp_gate_init(RfpGate *gate);

void
rfp_gate_clear(RfpGate *gate);

/* Before a request: waits while the gate is closed. FALSE: *@cancel (atomic,
 * may be NULL) was set meanwhile, the request may not begin. */
gboolean
rfp_gate_enter(RfpGate *gate, const gint *cancel);

/* Behind a request whose rfp_gate_enter() was TRUE, however it has ended. */
void
rfp_gate_leave(RfpGate *gate);

/* Closes the gate, if it is not, and waits @wait_ms at most for the requests in
 * flight. FALSE: there are still some. */
gboolean
rfp_gate_close(RfpGate *gate, guint wait_ms);

void
rfp_gate_open(RfpGate *gate);

#endif
