/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain's backup job, in pull mode, or in push mode where QEMU itself writes
 * the data into images. A job is told from all others by a mark: the socket at
 * which it serves, or one of the images that it writes.
 */
#ifndef RFP_BACKUP_JOB_H
#define RFP_BACKUP_JOB_H

#include "virt/domain.h"

/*
 * What runs on a domain. Only where it is NONE, BACKUP or OTHER is there no job
 * of ours; only where it is RUNNING may ours be ended. In all other cases
 * nothing that belongs to it is touched: a checkpoint that is deleted, or a job
 * that is aborted, in the midst of a begin leaves a domain that libvirt cannot
 * back up any more, nor start once it is off.
 */
typedef enum {
    RFP_JOB_NONE,      /* the domain is free */
    RFP_JOB_BEGINNING, /* ours, and QEMU has not answered its begin */
    RFP_JOB_RUNNING,   /* ours */
    RFP_JOB_ENDING,    /* ours, QEMU has none any more: it is about to go */
    RFP_JOB_BACKUP,    /* another backup job */
    RFP_JOB_OTHER,     /* migration, save, dump, ... */
    RFP_JOB_UNKNOWN,   /* libvirt does not say; it may be that ours begins */
} RfpJobState;

/*
 * What runs now; ours is the job with @mark, which may be NULL. *@why, if not
 * NULL, is set where it is BEGINNING or UNKNOWN. Answers at once, but where
 * QEMU does not: then after libvirt's 30 s.
 */
RfpJobState
rfp_backup_job_state(RfpDomain *domain, const char *mark, GError **why);

/*
 * Whether libvirt has the job with @mark: from somewhere in its begin to the
 * last moment of its end. Answers at once, always: for jobs that are known to
 * have begun.
 */
gboolean
rfp_backup_job_is_there(RfpDomain *domain,
                        const char *mark,
                        gboolean *there,
                        GError **error);

/* IN_USE, naming what runs, unless the domain is free. A job of virt-refpoint
 * is named as such: no record of it is known to @conn. */
gboolean
rfp_backup_job_check_free(RfpDomain *domain, GError **error);

typedef gboolean (*RfpBackupRemake)(gpointer opaque, GError **error);

/*
 * Begins the job and, in the same transaction, the checkpoint (NULL: none).
 * @remake: the images for QEMU to write to are there already, and are made anew
 * by this before the begin is repeated; NULL: libvirt makes them. Where the
 * daemon dies meanwhile, what runs with @mark behind that is what was begun;
 * the checkpoint is to be looked for. STATUS_UNKNOWN: nobody can tell.
 */
gboolean
rfp_backup_job_begin(RfpDomain *domain,
                     const char *mark,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     RfpBackupRemake remake,
                     gpointer opaque,
                     GError **error);

/*
 * INVALID_STATE unless the job with @mark still runs on all of @targets (char
 * *): what was read before is of its moment. When a job is ended QEMU first
 * stops keeping that moment, and the server goes a little later. @patience:
 * look twice, with the time between that libvirt takes to hear of it.
 */
gboolean
rfp_backup_job_check_served(RfpDomain *domain,
                            const char *mark,
                            GPtrArray *targets,
                            gboolean patience,
                            GError **error);

/*
 * Asks for the end of the job with @mark and does not wait for it; what goes
 * wrong rfp_backup_job_end() says. Where this was TRUE nobody may ask again
 * before rfp_backup_job_wait_ended(): libvirt would carry that out on whatever
 * job has begun by then.
 */
gboolean
rfp_backup_job_ask_end(RfpDomain *domain, const char *mark);

/* Until that job is gone, for ten seconds at most. FALSE: it is not, or nobody
 * can tell. */
gboolean
rfp_backup_job_wait_ended(RfpDomain *domain, const char *mark);

/*
 * Ends the job with @mark, if it runs. TRUE: there is none any more. libvirt
 * may take the wish and do nothing, or QEMU not listen: then this is FALSE, and
 * to be tried again. *@ended, if not NULL: it ran, and libvirt took the wish.
 */
gboolean
rfp_backup_job_end(RfpDomain *domain,
                   const char *mark,
                   gboolean *ended,
                   GError **error);

/* ---- Push mode ----------------------------------------------------------- */

/* How far the job is with one disk, in bytes of the guest's data; FALSE: that
 * disk is done, or the job is over. */
gboolean
rfp_backup_job_progress(RfpDomain *domain,
                        const char *target,
                        guint64 *done,
                        guint64 *total);

/* Bytes a second that QEMU reads of one disk; 0: no limit. A disk that is done
 * has none to be changed. */
void
rfp_backup_job_set_rate(RfpDomain *domain, const char *target, guint64 rate);

/* Whether libvirt says of the last job, one in push mode, that it was cut
 * off. */
gboolean
rfp_backup_job_was_cut(RfpDomain *domain);

/*
 * Whether the job that was seen to be gone came to its end, with all data
 * written: the statistics that libvirt keeps of the last job say so. @begun,
 * monotonic microseconds: when it was asked for; a job that lasted longer is
 * another one. *@bytes: what it had to write, over all disks. Ended by
 * somebody: INVALID_STATE; failed: FAILED, with what QEMU says.
 */
gboolean
rfp_backup_job_check_pushed(RfpDomain *domain,
                            gint64 begun,
                            guint64 *bytes,
                            GError **error);

#endif
