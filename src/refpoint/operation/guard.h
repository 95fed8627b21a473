/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guard: a small process that outlives us. Started before the first
 * change, with a connection of its own; when the pipe to it closes without
 * "done" it undoes the operation from its record (undo.h). It watches the job
 * of the operation, which we may be in no state to do: stopped, or waiting for
 * a terminal, a disk, a caller. It also goes on thawing a guest whose freeze
 * timed out and may still happen.
 *
 * Protocol, lines over a socket pair, its standard input: the guard says
 * "ready" or "failed <text>"; we say "frozen <seconds>" (it is about to stand
 * still, for so long at most), "thawed", "done", and "late" for a freeze that
 * timed out (rfp_late_freeze_mark()). "job": one is about to
 * begin, and the record has all of it. Where the guard has to end it, it says
 * so before: "ended scratch <bytes that are left>" or "ended io-error". "keep"
 * is "done" for an operation whose job goes on (kept.h): the guard answers
 * "watching" and watches it until it ends. A guard that is started with the
 * word "watch" does only that.
 */
#ifndef RFP_GUARD_H
#define RFP_GUARD_H

#include "operation/kept.h"

/* Why the guard ended the job that it watched. */
typedef enum {
    RFP_GUARD_WATCHES,       /* it has not */
    RFP_GUARD_ENDED_SCRATCH, /* its scratch files would have filled all room */
    RFP_GUARD_ENDED_IO,      /* the guest had stopped with an I/O error */
} RfpGuardEnded;

/* Seconds: a guest that stays frozen longer while its point is made is thawed
 * by the guard, whatever the other side does. That of a group is thawed when
 * the group's window is over. */
#define RFP_FROZEN_MAX 60

/* What rfp_guard_tell_frozen() says before the seconds. */
#define RFP_GUARD_FROZEN "frozen "

typedef struct {
    RfpFd fd;
    gboolean ready;    /* it has said so */
    gboolean gone;     /* it has hung up: nobody watches but we */
    gboolean watching; /* it has said that it watches what is kept */
    RfpGuardEnded ended;
    guint64 left;  /* bytes, where it ended for scratch */
    GString *line; /* what was heard of the next one; or NULL */
} RfpGuard;

/* Starts it; does not wait until it is ready. */
gboolean
rfp_guard_start(RefpointConnection *conn,
                const char *domain_uuid,
                RfpGuard *guard,
                GError **error);

gboolean
rfp_guard_wait_ready(RfpGuard *guard, GError **error);

/* "thawed", "late", "job" or "done". A guard that is gone is no failure here:
 * the next call does its work from the record. */
void
rfp_guard_tell(RfpGuard *guard, const char *word);

/* The guest is about to be frozen or suspended; the guard ends that after
 * @seconds. */
void
rfp_guard_tell_frozen(RfpGuard *guard, guint seconds);

/* Takes what the guard said meanwhile, into @guard; answers at once. */
void
rfp_guard_listen(RfpGuard *guard);

/* Leaves what is kept to this guard. FALSE: it does not answer. That it had
 * ended the job before is in @guard, either way. */
gboolean
rfp_guard_keep(RfpGuard *guard);

/* Sees that a guard watches what is kept, starting one if none does. */
gboolean
rfp_guard_watch(RefpointConnection *conn, const RfpKept *kept, GError **error);

/* Hangs up. */
void
rfp_guard_clear(RfpGuard *guard);

/*
 * A late freeze: while the file of a domain is there, its guest may freeze
 * unasked. mark() makes it; the guard removes it when the danger is over.
 */
gboolean
rfp_late_freeze_mark(RefpointConnection *conn,
                     const char *domain_uuid,
                     GError **error);

gboolean
rfp_late_freeze_pending(RefpointConnection *conn, const char *domain_uuid);

/*
 * Takes the watch if nobody has it: its lock; -1 if somebody has, or there is
 * nothing to watch.
 */
int
rfp_late_freeze_take(RefpointConnection *conn, const char *domain_uuid);

void
rfp_late_freeze_clear(RefpointConnection *conn, const char *domain_uuid);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpGuard, rfp_guard_clear)

#endif
