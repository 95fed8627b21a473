/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/backup-job.h"
#include "base/text.h"
#include "base/wording.h"
#include "virt/backup-xml.h"

#include <stdlib.h>
#include <string.h>

#define END_US (10 * G_USEC_PER_SEC)
#define END_POLL_US (1 * 1000)
#define SERVED_US (250 * 1000)
#define MAX_MEASURES 20
/* So long a begin of somebody else looks like a job that is lost. */
#define LOST_US (3 * G_USEC_PER_SEC)
/* A begin that QEMU has not answered when the daemon comes back. */
#define BEGUN_US (35 * G_USEC_PER_SEC)
#define BEGUN_POLL_US (50 * 1000)

/* *@backup: there is a backup job; *@ours: it is the one with that mark. */
static gboolean
look_at_backup(RfpDomain *domain,
               const char *mark,
               gboolean *backup,
               gboolean *ours,
               GError **error)
{
    char *xml = NULL;
    gboolean done = TRUE;

    *ours = FALSE;
    while ((xml = domain->calls->backup_get_xml(domain->virt, 0)) == NULL &&
           virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_BACKUP &&
           virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot ask for the job of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    *backup = xml != NULL;
    if (xml != NULL)
        done =
            rfp_backup_xml_matches(xml, mark != NULL ? mark : "", ours, error);
    free(xml);
    return done;
}

gboolean
rfp_backup_job_is_there(RfpDomain *domain,
                        const char *mark,
                        gboolean *there,
                        GError **error)
{
    gboolean backup = FALSE;

    return look_at_backup(domain, mark, &backup, there, error);
}

/* What QEMU has of a backup job: its blocks to copy, or to keep. */
static gboolean
has_blocks(virTypedParameterPtr params, int n_params)
{
    unsigned long long pull = 0;
    unsigned long long push = 0;

    virTypedParamsGetULLong(params, n_params, VIR_DOMAIN_JOB_DISK_TEMP_TOTAL,
                            &pull);
    virTypedParamsGetULLong(params, n_params, VIR_DOMAIN_JOB_DISK_TOTAL, &push);
    return pull > 0 || push > 0;
}

/*
 * A begin that was cut off (the daemon died in it, or somebody cut in) leaves a
 * domain whose job libvirt neither knows nor forgets, until QEMU has ended and
 * the daemon has started once more. A begin of now looks the same for a moment.
 */
static gboolean
is_lost_job(const virError *error)
{
    return error != NULL && error->code == VIR_ERR_INTERNAL_ERROR &&
           rfp_virt_cause_of(error) == REFPOINT_ERROR_IN_USE;
}

static void
set_lost_job(const RfpDomain *domain, GError **why)
{
    rfp_virt_error_set(why, domain->name,
                       _("domain '%s' has a backup job that is about to begin, "
                         "or that libvirt has lost: it cannot be ended "
                         "now, and no other one can begin"),
                       domain->name);
    rfp_error_add_way_out(why,
                          _("if virsh domjobinfo %s still fails in a minute: "
                            "shut the guest down, then restart libvirt's "
                            "daemon (systemctl restart libvirtd, or "
                            "virtqemud), then start the guest"),
                          domain->shell_name);
}

/* libvirt did not say. Who waits in vain for the lock of its state waits for a
 * command that QEMU has not answered. */
static void
set_not_told(const RfpDomain *domain, GError **why)
{
    const int code = virGetLastErrorCode();

    rfp_virt_error_set(why, domain->name,
                       _("libvirt does not tell whether domain '%s' has a "
                         "job"),
                       domain->name);
    if (code == VIR_ERR_OPERATION_TIMEOUT)
        rfp_error_add_way_out(why,
                              _("try again when QEMU answers (virsh domcontrol "
                                "%s): storage that hangs stops it"),
                              domain->shell_name);
}

/* The statistics of what runs now. FALSE: libvirt did not say, *@code is
 * why. */
static gboolean
get_stats(RfpDomain *domain,
          int *type,
          virTypedParameterPtr *params,
          int *n_params,
          int *code,
          GError **why)
{
    while (domain->calls->get_job_stats(domain->virt, type, params, n_params,
                                        0) < 0) {
        *code = virGetLastErrorCode();
        if (is_lost_job(virGetLastError()))
            set_lost_job(domain, why);
        else if (*code != VIR_ERR_OPERATION_INVALID)
            set_not_told(domain, why);
        if (!rfp_domain_again(domain, why))
            return FALSE;
    }
    return TRUE;
}

/* Waits for its turn behind a begin: what it hears is of before or behind that,
 * never of the midst. A domain that was shut off meanwhile has no job. */
static RfpJobState
ask_stats(RfpDomain *domain, gboolean ours, GError **why)
{
    virTypedParameterPtr params = NULL;
    int n_params = 0;
    int type = VIR_DOMAIN_JOB_NONE;
    int code = 0;
    RfpJobState state = RFP_JOB_NONE;

    if (!get_stats(domain, &type, &params, &n_params, &code, why)) {
        if (code == VIR_ERR_OPERATION_INVALID)
            return RFP_JOB_NONE;
        return ours && code == VIR_ERR_OPERATION_TIMEOUT ? RFP_JOB_BEGINNING
                                                         : RFP_JOB_UNKNOWN;
    }
    if (type != VIR_DOMAIN_JOB_NONE && !ours)
        state = RFP_JOB_OTHER;
    else if (type != VIR_DOMAIN_JOB_NONE)
        state = has_blocks(params, n_params) ? RFP_JOB_RUNNING : RFP_JOB_ENDING;
    virTypedParamsFree(params, n_params);
    return state;
}

RfpJobState
rfp_backup_job_state(RfpDomain *domain, const char *mark, GError **why)
{
    gboolean backup = FALSE;
    gboolean ours = FALSE;

    if (!look_at_backup(domain, mark, &backup, &ours, why))
        return RFP_JOB_UNKNOWN;
    return backup && !ours ? RFP_JOB_BACKUP : ask_stats(domain, ours, why);
}

/* ---- Begin and end ------------------------------------------------------- */

/* set_lost_job() has set it. */
static gboolean
is_lost(const GError *why)
{
    return g_error_matches(why, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE) &&
           rfp_error_libvirt_code(why) == VIR_ERR_INTERNAL_ERROR;
}

/* Of the point, or operation, whose job runs, if it has the shape of one that
 * virt-refpoint begins; else NULL. */
static char *
guid_of_job(RfpDomain *domain)
{
    char *xml = domain->calls->backup_get_xml(domain->virt, 0);
    char *guid = xml != NULL ? rfp_backup_xml_guid(xml) : NULL;

    free(xml);
    return guid;
}

/* A job that has the shape of ours, and of which there is no record here: that
 * was lost, or is below another home. */
static void
set_unrecorded(const RfpDomain *domain, const char *guid, GError **error)
{
    const RefpointConnection *conn = domain->conn;
    const char *word = domain->shell_name;

    rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                  _("domain '%s' has a backup job of virt-refpoint, for point "
                    "%s, and there is no record of it in '%s'"),
                  domain->name, guid, conn->records_dir);
    rfp_error_add_object(error, domain->name);
    if (conn->system)
        rfp_error_add_way_out(error,
                              _("if nobody works on it any more, end it with: "
                                "virsh domjobabort %s; then remove the point, "
                                "if it is listed: virt-refpoint destroy %s %s"),
                              word, word, guid);
    else
        rfp_error_add_way_out(error,
                              _("try it with HOME and XDG_STATE_HOME as they "
                                "were when it began; or, if nobody works on it "
                                "any more, end it with: virsh domjobabort %s; "
                                "then remove the point, if it is listed: "
                                "virt-refpoint destroy %s %s"),
                              word, word, guid);
}

gboolean
rfp_backup_job_check_free(RfpDomain *domain, GError **error)
{
    const gint64 end = g_get_monotonic_time() + LOST_US;
    g_autofree char *guid = NULL;
    g_autoptr(GError) why = NULL;
    RfpJobState state = RFP_JOB_UNKNOWN;

    while ((state = rfp_backup_job_state(domain, NULL, &why)) ==
               RFP_JOB_UNKNOWN &&
           is_lost(why) && g_get_monotonic_time() < end) {
        g_clear_error(&why);
        g_usleep(BEGUN_POLL_US);
    }
    if (state == RFP_JOB_NONE)
        return TRUE;
    if (is_lost(why)) /* waiting does not help */
        why->code = REFPOINT_ERROR_INVALID_STATE;
    if (why != NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    guid = state == RFP_JOB_BACKUP ? guid_of_job(domain) : NULL;
    if (guid != NULL) {
        set_unrecorded(domain, guid, error);
        return FALSE;
    }
    rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                  state == RFP_JOB_BACKUP
                      ? _("domain '%s' has a backup job of another program")
                      : _("domain '%s' is busy with another job"),
                  domain->name);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error,
                          _("wait until it ends (virsh domjobinfo %s), or end "
                            "it with: virsh domjobabort %s"),
                          domain->shell_name, domain->shell_name);
    return FALSE;
}

/* Before QEMU formats an encrypted scratch file it measures how fast it hashes.
 * A processor that is done before the kernel has counted its time makes that
 * fail, now and then (seen in QEMU 7.2.22). Nothing has begun then, and the
 * next try measures anew. */
static gboolean
failed_to_measure(void)
{
    virErrorPtr origin = virGetLastError();

    return origin != NULL &&
           rfp_wording_find(RFP_WORDING_HASH_SPEED, origin->message) != NULL;
}

static gboolean
begin(RfpDomain *domain,
      const char *backup_xml,
      const char *checkpoint_xml,
      unsigned int flags)
{
    for (int i = 0; i < MAX_MEASURES; i++) {
        if (domain->calls->backup_begin(domain->virt, backup_xml,
                                        checkpoint_xml, flags) == 0)
            return TRUE;
        if (!failed_to_measure())
            return FALSE;
    }
    return FALSE;
}

/* The daemon died in the begin. TRUE: *@again tells whether it got through, or
 * did not, and can be repeated. */
static gboolean
find_begun(RfpDomain *domain, const char *mark, gboolean *again, GError **error)
{
    const gint64 end = g_get_monotonic_time() + BEGUN_US;
    g_autoptr(GError) why = NULL;
    RfpJobState state = RFP_JOB_UNKNOWN;

    while ((state = rfp_backup_job_state(domain, mark, &why)) !=
               RFP_JOB_RUNNING &&
           state != RFP_JOB_NONE && g_get_monotonic_time() < end) {
        g_usleep(BEGUN_POLL_US);
        g_clear_error(&why);
    }
    *again = state == RFP_JOB_NONE;
    if (state == RFP_JOB_NONE || state == RFP_JOB_RUNNING)
        return TRUE;
    if (why == NULL)
        rfp_error_set(&why, REFPOINT_ERROR_STATUS_UNKNOWN,
                      _("what came of it in domain '%s' is not known"),
                      domain->name);
    why->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    rfp_error_prefix(&why, _("libvirt's daemon went away while the backup job "
                             "began"));
    rfp_error_add_object(&why, domain->name);
    rfp_error_add_way_out(&why,
                          _("look at it with: virsh domjobinfo %s; when there "
                            "is none any more, repeat this command"),
                          domain->shell_name);
    g_propagate_error(error, g_steal_pointer(&why));
    return FALSE;
}

gboolean
rfp_backup_job_begin(RfpDomain *domain,
                     const char *mark,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     RfpBackupRemake remake,
                     gpointer opaque,
                     GError **error)
{
    const unsigned int flags =
        remake != NULL ? VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL : 0;
    gboolean again = TRUE;

    while (again && !begin(domain, backup_xml, checkpoint_xml, flags)) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot begin the backup job of domain '%s'"),
                           domain->name);
        rfp_domain_correct_cause(domain, error);
        if (error != NULL && (*error)->code == REFPOINT_ERROR_IN_USE)
            rfp_error_add_way_out(error,
                                  _("wait until it ends, or look at it with: "
                                    "virsh blockjob %s DISK"),
                                  domain->name);
        if (!rfp_domain_again(domain, error) ||
            !find_begun(domain, mark, &again, error) ||
            (again && remake != NULL && !remake(opaque, error)))
            return FALSE;
    }
    return TRUE;
}

/* FALSE: there is none any more; with *@error, nobody can tell. */
static gboolean
ask_block_job(RfpDomain *domain,
              const char *target,
              virDomainBlockJobInfoPtr info,
              GError **error)
{
    int n = 0;

    while ((n = domain->calls->get_block_job(domain->virt, target, info, 0)) <
           0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot ask for the job of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    return n == 1;
}

/* Asks QEMU for the block jobs: what it said of their end before is read by
 * libvirt before the answer. */
static gboolean
is_served(RfpDomain *domain,
          const char *mark,
          GPtrArray *targets,
          GError **error)
{
    gboolean there = FALSE;
    virDomainBlockJobInfo info = {0};

    for (guint i = 0; i < targets->len; i++)
        if (!ask_block_job(domain, g_ptr_array_index(targets, i), &info, error))
            return FALSE;
    return rfp_backup_job_is_there(domain, mark, &there, error) && there;
}

gboolean
rfp_backup_job_check_served(RfpDomain *domain,
                            const char *mark,
                            GPtrArray *targets,
                            gboolean patience,
                            GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean served = is_served(domain, mark, targets, &local);

    if (served && patience) {
        g_usleep(SERVED_US);
        served = is_served(domain, mark, targets, &local);
    }
    if (served)
        return TRUE;
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
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
 * job until then is told that the domain is busy. FALSE: the job is still
 * there, or, with @error, nobody can tell. */
static gboolean
wait_gone(RfpDomain *domain, const char *mark, GError **error)
{
    gint64 end = g_get_monotonic_time() + END_US;
    gboolean told = TRUE;
    gboolean there = TRUE;

    while ((told = rfp_backup_job_is_there(domain, mark, &there, error)) &&
           there && g_get_monotonic_time() < end)
        g_usleep(END_POLL_US);
    return told && !there;
}

gboolean
rfp_backup_job_wait_ended(RfpDomain *domain, const char *mark)
{
    return wait_gone(domain, mark, NULL);
}

gboolean
rfp_backup_job_ask_end(RfpDomain *domain, const char *mark)
{
    return rfp_backup_job_state(domain, mark, NULL) == RFP_JOB_RUNNING &&
           domain->calls->abort_job(domain->virt) == 0;
}

/* It may have ended by itself meanwhile, whatever libvirt says of the wish. */
static gboolean
abort_job(RfpDomain *domain, const char *mark, gboolean *ended, GError **error)
{
    gboolean taken = domain->calls->abort_job(domain->virt) == 0;
    g_autoptr(GError) local = NULL;
    g_autoptr(GError) untold = NULL;

    if (ended != NULL)
        *ended = taken;
    if (!taken)
        rfp_virt_error_set(&local, domain->name,
                           _("cannot end the backup job of domain '%s'"),
                           domain->name);
    /* it may have come through: looked at again before it is asked again */
    if (!taken && rfp_domain_again(domain, &local))
        return rfp_backup_job_end(domain, mark, ended, error);
    if (wait_gone(domain, mark, &untold))
        return TRUE;
    if (taken && untold != NULL)
        local = g_steal_pointer(&untold);
    else if (taken)
        rfp_error_set(&local, REFPOINT_ERROR_IN_USE,
                      _("the backup job of domain '%s' goes on although "
                        "libvirt was told to end it"),
                      domain->name);
    rfp_error_add_object(&local, domain->name);
    rfp_error_add_way_out(&local, _("end it with: virsh domjobabort %s"),
                          domain->shell_name);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean
rfp_backup_job_end(RfpDomain *domain,
                   const char *mark,
                   gboolean *ended,
                   GError **error)
{
    if (ended != NULL)
        *ended = FALSE;
    switch (rfp_backup_job_state(domain, mark, error)) {
    case RFP_JOB_NONE:
    case RFP_JOB_BACKUP:
    case RFP_JOB_OTHER:
        return TRUE;
    case RFP_JOB_BEGINNING:
    case RFP_JOB_UNKNOWN:
        return FALSE;
    case RFP_JOB_ENDING:
        if (rfp_backup_job_wait_ended(domain, mark))
            return TRUE;
        break;
    case RFP_JOB_RUNNING:
        break;
    }
    return abort_job(domain, mark, ended, error);
}

/* ---- Push mode ----------------------------------------------------------- */

gboolean
rfp_backup_job_progress(RfpDomain *domain,
                        const char *target,
                        guint64 *done,
                        guint64 *total)
{
    virDomainBlockJobInfo info = {0};

    if (!ask_block_job(domain, target, &info, NULL))
        return FALSE;
    *done = info.cur;
    *total = info.end;
    return TRUE;
}

void
rfp_backup_job_set_rate(RfpDomain *domain, const char *target, guint64 rate)
{
    domain->calls->set_block_job_speed(
        domain->virt, target, (unsigned long)rate,
        VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES);
}

typedef struct {
    int type;
    int operation;
    gboolean success;
    guint64 elapsed_ms;
    guint64 total;
    guint64 processed;
    char *complaint;
} Ended;

static void
ended_clear(Ended *ended)
{
    g_free(ended->complaint);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Ended, ended_clear)

/* Of the last job that ended; the statistics stay for others. */
static gboolean
ask_ended(RfpDomain *domain, Ended *ended)
{
    virTypedParameterPtr params = NULL;
    const char *complaint = NULL;
    unsigned long long number = 0;
    int success = 0;
    int n = 0;

    while (
        domain->calls->get_job_stats(domain->virt, &ended->type, &params, &n,
                                     VIR_DOMAIN_JOB_STATS_COMPLETED |
                                         VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) <
        0)
        if (!rfp_domain_again(domain, NULL))
            return FALSE;
    virTypedParamsGetInt(params, n, VIR_DOMAIN_JOB_OPERATION,
                         &ended->operation);
    virTypedParamsGetBoolean(params, n, VIR_DOMAIN_JOB_SUCCESS, &success);
    ended->success = success != 0;
    if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_TIME_ELAPSED,
                                &number) == 1)
        ended->elapsed_ms = number;
    if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DISK_TOTAL,
                                &number) == 1)
        ended->total = number;
    if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DISK_PROCESSED,
                                &number) == 1)
        ended->processed = number;
    if (virTypedParamsGetString(params, n, VIR_DOMAIN_JOB_ERRMSG, &complaint) ==
        1)
        ended->complaint = rfp_text_clean(complaint);
    virTypedParamsFree(params, n);
    return TRUE;
}

gboolean
rfp_backup_job_was_cut(RfpDomain *domain)
{
    g_auto(Ended) ended = {0};

    return ask_ended(domain, &ended) &&
           ended.operation == VIR_DOMAIN_JOB_OPERATION_BACKUP &&
           ended.type != VIR_DOMAIN_JOB_COMPLETED;
}

static gboolean
set_not_pushed(RfpDomain *domain, const Ended *ended, GError **error)
{
    if (ended->type == VIR_DOMAIN_JOB_FAILED)
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the backup job of domain '%s' failed: %s"),
                      domain->name,
                      ended->complaint != NULL ? ended->complaint : "-");
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("the backup job of domain '%s' was ended by somebody "
                        "else before all data was written"),
                      domain->name);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error, _("export a new point; let the job run until "
                                   "the export ends"));
    return FALSE;
}

gboolean
rfp_backup_job_check_pushed(RfpDomain *domain,
                            gint64 begun,
                            guint64 *bytes,
                            GError **error)
{
    const guint64 at_most_ms =
        (guint64)(g_get_monotonic_time() - begun) / 1000 + 1;
    g_auto(Ended) ended = {0};
    gboolean known = ask_ended(domain, &ended);

    if (!known || ended.operation != VIR_DOMAIN_JOB_OPERATION_BACKUP ||
        ended.elapsed_ms > at_most_ms) {
        rfp_error_set(error, REFPOINT_ERROR_STATUS_UNKNOWN,
                      _("how the backup job of domain '%s' ended is not "
                        "known: libvirt does not tell (its daemon was "
                        "restarted, or another job has come and gone)"),
                      domain->name);
        rfp_error_add_object(error, domain->name);
        rfp_error_add_way_out(error, _("repeat this command: the point is "
                                       "undone, and a new one is made"));
        return FALSE;
    }
    if (ended.type != VIR_DOMAIN_JOB_COMPLETED || !ended.success ||
        ended.processed != ended.total)
        return set_not_pushed(domain, &ended, error);
    *bytes = ended.total;
    return TRUE;
}
