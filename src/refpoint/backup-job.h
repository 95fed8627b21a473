/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's pull-mode backup job. */
#ifndef RFP_BACKUP_JOB_H
#define RFP_BACKUP_JOB_H

#include "domain.h"

typedef enum {
    RFP_JOB_NONE,    /* the domain is free */
    RFP_JOB_OURS,    /* a backup job that serves at the given socket */
    RFP_JOB_BACKUP,  /* another backup job */
    RFP_JOB_OTHER,   /* migration, save, dump, ... */
} RfpJobKind;

/* What runs on the domain now; answers at once. @socket_path may be NULL. */
gboolean
rfp_backup_job_kind(RfpDomain *domain,
                    const char *socket_path,
                    RfpJobKind *kind,
                    GError **error);

/* IN_USE, naming what runs, unless the domain is free. */
gboolean
rfp_backup_job_check_free(RfpDomain *domain, GError **error);

/* Begins the job and, in the same transaction, the checkpoint (NULL: none). */
gboolean
rfp_backup_job_begin(RfpDomain *domain,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     GError **error);

/*
 * INVALID_STATE unless the job that serves at @socket_path still runs on all of
 * @targets (char *): what was read before is of its moment. When a job is
 * ended QEMU first stops keeping that moment, and the server goes a little
 * later. @patience: look twice, with the time between that libvirt takes to
 * hear of it.
 */
gboolean
rfp_backup_job_check_served(RfpDomain *domain,
                            const char *socket_path,
                            GPtrArray *targets,
                            gboolean patience,
                            GError **error);

/*
 * Asks for the end of the job that serves at @socket_path and does not wait for
 * it; what goes wrong rfp_backup_job_end() says. Where this was TRUE nobody may
 * ask again before rfp_backup_job_wait_ended(): libvirt would carry that out on
 * whatever job has begun by then.
 */
gboolean
rfp_backup_job_ask_end(RfpDomain *domain, const char *socket_path);

/* Until that job has ended, for ten seconds at most. */
void
rfp_backup_job_wait_ended(RfpDomain *domain, const char *socket_path);

/* Ends the job that serves at @socket_path, if it runs. */
gboolean
rfp_backup_job_end(RfpDomain *domain,
                   const char *socket_path,
                   GError **error);

#endif
