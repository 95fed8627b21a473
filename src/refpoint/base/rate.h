/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A limit on bytes in a second, shared by threads: a bucket of a tenth of a
 * second. Who takes more than is left goes on at once and leaves a debt; the
 * next ones wait until it is paid. So the limit holds over any second or two,
 * whatever the pieces are.
 */
#ifndef RFP_RATE_H
#define RFP_RATE_H

#include <glib.h>

typedef struct {
    guint64 limit; /* atomic; bytes in a second, 0: none */
    gint state;    /* atomic; whether it goes, is paused or finished */

    GMutex lock;  /* of everything below */
    gint64 level; /* bytes that may be taken; below 0: a debt */
    gint64 at_us; /* when that was so */
} RfpRate;

void
rfp_rate_init(RfpRate *rate);

void
rfp_rate_clear(RfpRate *rate);

/* From any thread and from signal handlers, also while others wait. */
void
rfp_rate_set(RfpRate *rate, guint64 limit);

/* Bytes in a second, 0: no limit. From any thread. */
guint64
rfp_rate_limit(const RfpRate *rate);

/* Lets nobody take anything, or lets them again; FALSE: all is taken, it is too
 * late. As above. */
gboolean
rfp_rate_pause(RfpRate *rate, gboolean paused);

gboolean
rfp_rate_is_paused(const RfpRate *rate);

/* All is taken: waits for the end of a pause, behind that there is no other.
 * Returns without that once *@cancel is set. */
void
rfp_rate_finish(RfpRate *rate, const gint *cancel);

/* How many bytes are best taken at a time, at most @length: a multiple of
 * @unit, which also is the least. */
guint32
rfp_rate_piece(RfpRate *rate, guint32 length, guint32 unit);

/* Takes @length bytes. Returns without them once *@cancel (may be NULL) is set,
 * which is looked at every 20 ms. */
void
rfp_rate_take(RfpRate *rate, guint64 length, const gint *cancel);

#endif
