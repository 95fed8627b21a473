/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections to QEMU that are being made. Who ends the job of an NBD server
 * sees to it that there are none: QEMU 7.2.22 (Debian 12, with the mend of
 * CVE-2024-7409) waits in nbd-server-stop for clients that have not finished
 * their handshake, and listens to nobody meanwhile: it stands still for good,
 * and its guest with it.
 */
#ifndef RFP_HANDSHAKES_H
#define RFP_HANDSHAKES_H

#include <glib.h>

typedef struct {
    GMutex lock; /* of all below */
    GCond none;
    guint n;          /* being made now */
    gboolean closed;  /* no more are made */
    const char *path; /* NULL, or a file whose lock tells other processes of
                       * them: the record of the job. Borrowed */
    int fd;           /* of it, while there are any, and once closed */
} RfpHandshakes;

void
rfp_handshakes_init(RfpHandshakes *handshakes);

void
rfp_handshakes_clear(RfpHandshakes *handshakes);

/* Around the making of one; FALSE: the server is about to end, none may be
 * begun. From any thread. */
gboolean
rfp_handshakes_begin(RfpHandshakes *handshakes);

void
rfp_handshakes_end(RfpHandshakes *handshakes);

/*
 * Lets no more begin, and waits for those that are being made: a cancelled one
 * ends at once. Then no other process may end the job, until clear(). FALSE:
 * one is about to. Who asks twice for the end of a job could meet another one.
 */
gboolean
rfp_handshakes_close(RfpHandshakes *handshakes);

/* For the other process: a file descriptor if there are none, and there will be
 * none until it is closed; else -1. */
int
rfp_handshakes_keep_out(const char *path);

#endif
