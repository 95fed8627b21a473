/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same call for many things: libvirt answers several questions of one
 * connection at a time, and most of the time of one is waiting. */
#ifndef RFP_WORKERS_H
#define RFP_WORKERS_H

#include <glib.h>

typedef void (*RfpWorkFunc)(gpointer item);

/* Work that was begun, for who has to do something else when it takes too
 * long. */
typedef struct _RfpWork RfpWork;

/* Begins to call @func for each of @items, in @n threads at most. */
RfpWork *
rfp_work_begin(GPtrArray *items, RfpWorkFunc func, guint n);

/* FALSE: not all calls have come back until @until, monotonic microseconds; 0:
 * as long as it takes. */
gboolean
rfp_work_wait(RfpWork *work, gint64 until);

/* Whether the call for the item of this index has come back. */
gboolean
rfp_work_is_back(RfpWork *work, guint index);

/* Waits for all calls, and lets the work go. */
void
rfp_work_end(RfpWork *work);

/*
 * Calls @func for each of @items, in a few threads, and returns when all calls
 * have come back; with @patience_ms other than 0 also when none has for so
 * long. An item whose call has not come back is not to be touched any more: the
 * thread holds @items until then. Where all have, nothing holds @items but the
 * caller. Which ones have: a gboolean for each; free with g_free().
 */
gboolean *
rfp_work(GPtrArray *items, RfpWorkFunc func, guint patience_ms);

#endif
