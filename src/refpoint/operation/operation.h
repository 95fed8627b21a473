/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every operation that changes a domain has around it: the record, the
 * guard, the backup job. The other parts of an operation, which build on this
 * one:
 *
 *   operation-turn    waiting for others who work on the domain
 *   operation-freeze  freezing and thawing the guest
 *   operation-undo    undoing this operation, and those that died before
 *   operation-lock    taking the domain: its turn, its lock, those undos
 */
#ifndef RFP_OPERATION_H
#define RFP_OPERATION_H

#include "base/job.h"
#include "copy/handshakes.h"
#include "operation/guard.h"
#include "set/export-set.h"
#include "virt/agent.h"
#include "virt/backup-job.h"
#include "virt/metadata.h"

typedef struct {
    RefpointConnection *conn;     /* borrowed */
    RefpointJob *job;             /* borrowed */
    RefpointMemberReport *report; /* of the domain, borrowed from the job */
    RfpDomain *domain;
    RfpDomain *thaw_domain; /* the same over another connection, for who must
                             * not wait behind others' calls; NULL: @domain */
    RfpRecord *record;      /* NULL until rfp_operation_lock() */
    RfpKept *kept;          /* what is kept of the domain, or has ended; NULL:
                             * nothing */
    RfpGuard guard;
    RfpHandshakes handshakes; /* with the job's NBD server */
    gboolean must_freeze;     /* a point that is not consistent is none */
    GError *no_agent; /* why the agent is not asked to freeze, owned; NULL: it
                       * is */
    guint agent_timeout;     /* seconds, for a freeze; 0: by default */
    guint window;            /* seconds that the guest may stand still; 0:
                              * RFP_FROZEN_MAX */
    gboolean frozen;         /* by us, now */
    gboolean paused;         /* by us, now */
    gint n_frozen;           /* file systems */
    gint64 frozen_at;        /* or suspended; monotonic, microseconds; 0: it was
                              * not */
    gint64 thawed_at;        /* or resumed; the same */
    gboolean job_goes_on;    /* libvirt did not end it: the record stays */
    RfpScratchWatch scratch; /* of ours, where there is no guard */
    gint64 patience_until;   /* monotonic, microseconds; 0: it waits for
                              * nobody, G_MAXINT64: as long as it takes */
    gboolean leaves_tidying; /* (tidy.h) to another one: it is one of several */
    gboolean waited;         /* for others: what was looked at before may be
                              * as they have found it */
    gint64 waited_since;     /* monotonic, the first time */
    gboolean waits;          /* now, and has told for whom */
    gint64 waits_for;        /* who was told last: a process, or -1 */
} RfpOperation;

/* Finds the domain and names it in the report; changes nothing. */
gboolean
rfp_operation_open(RfpOperation *operation,
                   RefpointConnection *conn,
                   const char *domain,
                   RefpointJob *job,
                   GError **error);

/* INVALID_STATE, with the way out, unless the domain is active. */
gboolean
rfp_operation_check_active(RfpOperation *operation,
                           RfpDomainState *state,
                           GError **error);

/* Whether the data of the point @point, a name or GUID, is kept now. */
gboolean
rfp_operation_keeps(const RfpOperation *operation, const char *point);

/* Has its calls go over @conn, and those that thaw over @thaw: libvirt's daemon
 * answers only five requests of one connection at a time. Borrowed. */
gboolean
rfp_operation_reach_over(RfpOperation *operation,
                         RefpointConnection *conn,
                         RefpointConnection *thaw,
                         GError **error);

/* IN_USE, naming what runs, where the domain has a job, kept data included. */
gboolean
rfp_operation_check_free(RfpOperation *operation, GError **error);

/* Starts the guard; rfp_operation_begin() waits for it. */
gboolean
rfp_operation_start_guard(RfpOperation *operation, GError **error);

/*
 * Before the first change: waits until the guard watches, and begins the record
 * with what the operation is about: the point of the GUID @guid, and the set
 * that it is written to, NULL if to none. The caller appends how its changes
 * are undone, and syncs the record, before it makes them. Does nothing where
 * the record was begun already.
 */
gboolean
rfp_operation_begin(RfpOperation *operation,
                    const char *guid,
                    const RfpExportSet *set,
                    GError **error);

/*
 * Ends the job and what else runs on the host, behind the last read: a job that
 * goes on all the same does not change what was read. That is a warning and
 * @job_goes_on, and the guard goes on with it from the record.
 */
gboolean
rfp_operation_end_job(RfpOperation *operation, GError **error);

/* Begins the job that the record describes, which the guard watches from here
 * on; @checkpoint_xml NULL: without one. @remake: as
 * rfp_backup_job_begin() has it. */
gboolean
rfp_operation_begin_job(RfpOperation *operation,
                        const char *backup_xml,
                        const char *checkpoint_xml,
                        RfpBackupRemake remake,
                        gpointer opaque,
                        GError **error);

/*
 * FALSE: the job cannot go on, for its scratch files or the guest; the guard
 * has ended it, or, where there is none any more, the caller has to. To be
 * asked now and then while the job runs.
 */
gboolean
rfp_operation_watch(RfpOperation *operation, GError **error);

/* Behind a failure while a job ran: where the guard has ended it, or the domain
 * is off, that is the cause and takes the place of *@error. */
void
rfp_operation_explain(RfpOperation *operation, GError **error);

/* That the guest stopped, as the cause. */
void
rfp_operation_set_io_error(RfpOperation *operation, GError **error);

/*
 * Before the end of the job: lets no more connections to it begin. FALSE: the
 * guard was about to end it; that is waited for.
 */
gboolean
rfp_operation_close_job(RfpOperation *operation);

/*
 * Behind the job of this operation that has frozen the guest, or behind kept
 * data: a warning where libvirt has lost the agent meanwhile
 * (rfp_agent_lost()). An operation of less than 5 s cannot have met that, it
 * does not look.
 */
void
rfp_operation_check_agent(RfpOperation *operation);

/*
 * Makes what the operation began the kept data of the domain, which the guard
 * watches from here on. Fails, with nothing kept, where nobody watches.
 */
gboolean
rfp_operation_keep(RfpOperation *operation,
                   RefpointKeep keep,
                   gint64 until,
                   guint64 scratch_max,
                   GError **error);

/* Lets everything go; the guard is told "done" if the record is clear. */
void
rfp_operation_clear(RfpOperation *operation);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpOperation, rfp_operation_clear)

#endif
