/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup-job.h"
#include "backup-xml.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define END_US (10 * G_USEC_PER_SEC)
#define END_POLL_US (1 * 1000)
#define SERVED_US (250 * 1000)

/* The running job's socket; *backup tells whether there is a backup job. */
static gboolean
running_socket(RfpDomain *domain,
               gboolean *backup,
               char **socket_path,
               GError **error)
{
    char *xml = virDomainBackupGetXMLDesc(domain->virt, 0);
    gboolean done = TRUE;

    *backup = xml != NULL;
    *socket_path = NULL;
    if (xml != NULL) {
        g_autoptr(GError) local = NULL;

        *socket_path = rfp_backup_xml_socket(xml, &local);
        done = local == NULL;
        if (!done)
            g_propagate_error(error, g_steal_pointer(&local));
        free(xml);
    } else if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_BACKUP &&
               virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot ask for the job of domain '%s'"),
                           domain->name);
        done = FALSE;
    }
    return done;
}

gboolean
rfp_backup_job_kind(RfpDomain *domain,
                    const char *socket_path,
                    RfpJobKind *kind,
                    GError **error)
{
    g_autofree char *running = NULL;
    virDomainJobInfo info = {0};
    gboolean backup = FALSE;

    if (!running_socket(domain, &backup, &running, error))
        return FALSE;
    if (backup) {
        *kind = g_strcmp0(running, socket_path) == 0 && running != NULL ?
                    RFP_JOB_OURS :
                    RFP_JOB_BACKUP;
        return TRUE;
    }
    *kind = RFP_JOB_NONE;
    if (virDomainGetJobInfo(domain->virt, &info) == 0 &&
        info.type != VIR_DOMAIN_JOB_NONE)
        *kind = RFP_JOB_OTHER;
    return TRUE;
}

gboolean
rfp_backup_job_check_free(RfpDomain *domain, GError **error)
{
    RfpJobKind kind = RFP_JOB_NONE;

    if (!rfp_backup_job_kind(domain, NULL, &kind, error))
        return FALSE;
    if (kind == RFP_JOB_NONE)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                  kind == RFP_JOB_BACKUP ?
                      _("domain '%s' has a backup job of another program") :
                      _("domain '%s' is busy with another job"),
                  domain->name);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error,
                          _("wait until it ends (virsh domjobinfo %s), or end "
                            "it with: virsh domjobabort %s"),
                          domain->word, domain->word);
    return FALSE;
}

gboolean
rfp_backup_job_begin(RfpDomain *domain,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     GError **error)
{
    if (virDomainBackupBegin(domain->virt, backup_xml, checkpoint_xml, 0) < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot begin the backup job of domain '%s'"),
                           domain->name);
        if (error != NULL && (*error)->code == REFPOINT_ERROR_IN_USE)
            rfp_error_add_way_out(error,
                                  _("wait until it ends, or look at it with: "
                                    "virsh blockjob %s DISK"),
                                  domain->name);
        return FALSE;
    }
    return TRUE;
}

/* Asks QEMU for the block jobs: what it said of their end before is read by
 * libvirt before the answer. */
static gboolean
is_served(RfpDomain *domain, const char *socket_path, GPtrArray *targets)
{
    RfpJobKind kind = RFP_JOB_NONE;
    virDomainBlockJobInfo info = {0};

    for (guint i = 0; i < targets->len; i++)
        if (virDomainGetBlockJobInfo(domain->virt,
                                     g_ptr_array_index(targets, i), &info,
                                     0) != 1)
            return FALSE;
    return rfp_backup_job_kind(domain, socket_path, &kind, NULL) &&
           kind == RFP_JOB_OURS;
}

gboolean
rfp_backup_job_check_served(RfpDomain *domain,
                            const char *socket_path,
                            GPtrArray *targets,
                            gboolean patience,
                            GError **error)
{
    gboolean served = is_served(domain, socket_path, targets);

    if (served && patience) {
        g_usleep(SERVED_US);
        served = is_served(domain, socket_path, targets);
    }
    if (served)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the backup job of domain '%s' was ended by somebody else "
                    "while its data was read: what was read is not of one "
                    "moment"),
                  domain->name);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error, _("export a new point; let the job run until "
                                   "the export ends"));
    return FALSE;
}

/* libvirt takes the wish and carries it out a moment later; who begins another
 * job until then is told that the domain is busy. */
void
rfp_backup_job_wait_ended(RfpDomain *domain, const char *socket_path)
{
    gint64 end = g_get_monotonic_time() + END_US;
    RfpJobKind kind = RFP_JOB_OURS;

    while (rfp_backup_job_kind(domain, socket_path, &kind, NULL) &&
           kind == RFP_JOB_OURS && g_get_monotonic_time() < end)
        g_usleep(END_POLL_US);
}

gboolean
rfp_backup_job_ask_end(RfpDomain *domain, const char *socket_path)
{
    RfpJobKind kind = RFP_JOB_NONE;

    return rfp_backup_job_kind(domain, socket_path, &kind, NULL) &&
           kind == RFP_JOB_OURS && virDomainAbortJob(domain->virt) == 0;
}

gboolean
rfp_backup_job_end(RfpDomain *domain,
                   const char *socket_path,
                   GError **error)
{
    RfpJobKind kind = RFP_JOB_NONE;

    if (!rfp_backup_job_kind(domain, socket_path, &kind, error))
        return FALSE;
    if (kind != RFP_JOB_OURS)
        return TRUE;
    if (virDomainAbortJob(domain->virt) == 0) {
        rfp_backup_job_wait_ended(domain, socket_path);
        return TRUE;
    }
    /* it may have ended by itself meanwhile */
    if (rfp_backup_job_kind(domain, socket_path, &kind, NULL) &&
        kind != RFP_JOB_OURS)
        return TRUE;
    rfp_virt_error_set(error, domain->name,
                       _("cannot end the backup job of domain '%s'"),
                       domain->name);
    rfp_error_add_way_out(error, _("end it with: virsh domjobabort %s"),
                          domain->word);
    return FALSE;
}
