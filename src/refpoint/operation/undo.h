/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Undoing an operation from its record. Success, failure, cancellation, the
 * guard and the next call share it. It looks before it cuts: each step is
 * inverted only where its effect is there and ours.
 */
#ifndef RFP_UNDO_H
#define RFP_UNDO_H

#include "operation/kept.h"
#include "set/export-set.h"
#include "virt/domain.h"

typedef enum {
    RFP_UNDO_NOTHING,   /* the record had no steps; or not even the host
                         * could be undone: its job may run, or begin */
    RFP_UNDO_REMOVED,   /* the operation is undone */
    RFP_UNDO_PUBLISHED, /* its point was published: it stays, and is completed
                         */
    RFP_UNDO_ASIDE,     /* the set, or what may be the point in it, cannot be
                         * read: the host is undone, checkpoint and files stay
                         * until it can, and so does the record, which the
                         * caller may set aside (rfp_record_set_aside()) */
    RFP_UNDO_BUSY,      /* the same, because others work on the set: the guards
                         * of a group's members undo it one after the other */
    RFP_UNDO_UNSYNCED, /* its point was published, but the set cannot be synced:
                        * nothing is let go, the rest stays to be done */
} RfpUndone;

/*
 * What runs on the host: thaws or resumes, ends the job, wakes a guest that an
 * I/O error stopped meanwhile, removes socket and scratch. @settle: the process
 * that did it may have died inside a call that libvirt is still carrying out;
 * wait for that, for a while. Where nobody can tell whether the job runs, or it
 * goes on (backup-job.h), this fails and nothing else has been touched.
 * @frozen, if not NULL: set where thawing failed, the guest may stand still.
 */
gboolean
rfp_undo_host(RfpDomain *domain,
              RfpRecord *record,
              gboolean settle,
              gboolean *frozen,
              GError **error);

/*
 * The same for who only looks at the record, of an operation that lives or of
 * what is kept: ends the job, wakes the guest, removes socket and scratch, and
 * notes nothing. *@ended: it was this that ended it. Where it was not, the
 * files stay: in push mode they may be images that have just been completed,
 * which their operation is about to read.
 */
gboolean
rfp_undo_job(RfpDomain *domain,
             RfpRecord *record,
             gboolean *ended,
             GError **error);

/*
 * The whole, then clears the record (not where ASIDE or UNSYNCED). Where it
 * fails *@undone tells how far it came. @domain NULL: it exists no more. @held:
 * the set, if the caller has it locked, else NULL: opened and locked here.
 */
gboolean
rfp_undo_run(RfpDomain *domain,
             RfpRecord *record,
             RfpExportSet *held,
             gboolean settle,
             RfpUndone *undone,
             gboolean *frozen,
             GError **error);

/* The same while it is known that nothing was published: the set, which the
 * caller has locked, is not read again, and what was borrowed from it stays.
 * @domain NULL: it exists no more. */
gboolean
rfp_undo_unpublished(RfpDomain *domain,
                     RfpRecord *record,
                     RfpExportSet *held,
                     GError **error);

/*
 * What an operation on a set alone has left when it died: undone, or completed
 * if its point was published; then the record goes. @set: locked by the caller.
 * A record that names another path is of a copy of the set, and is left alone.
 * Does nothing where there is no record.
 */
gboolean
rfp_undo_set(const char *records_dir,
             RfpExportSet *set,
             RfpUndone *undone,
             GError **error);

/* Ends what is kept of a domain: its job, socket and scratch, noting @why. The
 * point itself stays. @domain NULL: it exists no more. Under the domain's
 * lock. */
gboolean
rfp_undo_kept(RfpDomain *domain,
              RfpKept *kept,
              const char *why,
              GError **error);

/* What comes after publication, once the set was synced: marks the point as
 * published, destroys the checkpoints that are named to go, ends what was kept
 * for it, and clears the record. @destroyed, if not NULL: names are added. */
gboolean
rfp_undo_complete(RfpDomain *domain,
                  RfpRecord *record,
                  RefpointConsistency reached,
                  GPtrArray *destroyed,
                  GError **error);

#endif
