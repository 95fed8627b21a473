/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to the local QEMU driver, and where its things are kept. */
#ifndef RFP_CONNECTION_H
#define RFP_CONNECTION_H

#include "base/gate.h"
#include "virt/virt-calls.h"

/* Starts the process that guards an operation on a domain (operation/guard.h).
 * @word: what its command line has more, or NULL. Returns our end of the socket
 * pair to it; -1, with @error: there is none. */
typedef int (*RfpStartGuard)(RefpointConnection *conn,
                             const char *domain_uuid,
                             const char *word,
                             GError **error);

struct _RefpointConnection {
    /* What a test puts in place of the world outside; NULL: libvirt itself, and
     * the program virt-refpoint-guard. */
    const RfpVirtCalls *calls;
    RfpStartGuard start_guard;
    GMutex lock;        /* of the four below: several threads may use it */
    virConnectPtr virt; /* for others: rfp_connection_ref() */
    gint64 lost_at; /* monotonic, when the daemon was missed; 0: it is there */
    gint64 reopened_at; /* monotonic, the last time */
    guint n_reopened;   /* times, with no calm between them */
    gboolean hasty;     /* its domains do not wait for a daemon that is away */
    RfpGate gate;       /* of requests to QEMU's NBD servers */
    char *uri;          /* canonical, as libvirt reports it */
    gboolean system;    /* the system daemon, else a session daemon */
    /* Folders of ours, absolute; made when they are first needed. */
    const char *records_dir; /* interned: one thread may claim another one while
                              * others read it */
    char *scratch_dir;
    char *runtime_dir;     /* sockets of a session daemon; NULL for system */
    char *own_records_dir; /* by this process's environment; @records_dir is
                            * another one where an earlier process chose it
                            * (records-dir.h); NULL for system */
};

/* One more to the same libvirt, with the same folders and calls: its daemon
 * answers only five requests of one connection at a time. */
RefpointConnection *
rfp_connection_another(const RefpointConnection *conn, GError **error);

/* What libvirt is called through. */
const RfpVirtCalls *
rfp_connection_calls(const RefpointConnection *conn);

/* The connection as it is now, with a reference for virConnectClose(). */
virConnectPtr
rfp_connection_ref(RefpointConnection *conn);

/*
 * Behind a call over @virt that failed, when @error is set: TRUE where that
 * connection is lost (libvirt's daemon was restarted, or has died) and there is
 * a new one: *@error is cleared, and what was looked up over @virt is to be
 * looked up again. @wait: for a daemon that is away, 60 s at most since it was
 * missed, or REFPOINT_DAEMON_TIMEOUT seconds of the environment; until *@cancel
 * (atomic, may be NULL) is set. FALSE: @virt is not to blame, and *@error
 * stays; or there is no daemon, or one that goes away each time, and *@error
 * says so instead: NOT_AVAILABLE, of the @object that cannot be reached. From
 * any thread.
 */
gboolean
rfp_connection_again(RefpointConnection *conn,
                     virConnectPtr virt,
                     gboolean wait,
                     const gint *cancel,
                     const char *object,
                     GError **error);

/* Before something is recorded: makes @records_dir the one that counts, for
 * this process and for all that come. */
gboolean
rfp_connection_claim_records(RefpointConnection *conn, GError **error);

/* Makes a folder for scratch files, which QEMU of the system daemon can
 * enter. */
gboolean
rfp_connection_make_scratch(const RefpointConnection *conn,
                            const char *dir,
                            GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virConnect, virConnectClose)

#endif
