/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/origin-push.h"
#include "base/text.h"
#include "image/qcow2-source.h"
#include "export/export-audit.h"
#include "export/export-space.h"
#include "export/origin-job.h"
#include "virt/qemu-version.h"

#include <fcntl.h>
#include <inttypes.h>

#define POLL_US (20 * 1000)
#define PROGRESS_US (200 * 1000)
#define LOOK_US (500 * 1000)
/* How long QEMU may take to close its images once the job is over. */
#define CLOSE_US (30 * G_USEC_PER_SEC)

/* ---- Whether ------------------------------------------------------------- */

/* The first disk that is exported and that QEMU must not serve, or NULL. */
static const RfpExportDisk *
unservable(RfpExportMember *member)
{
    const RfpExportDisk *found = NULL;

    for (guint i = 0; i < member->disks->len && found == NULL; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && disk->disk->iothread)
            found = disk;
    }
    if (found != NULL &&
        rfp_qemu_version_at_least(member->operation.conn,
                                  member->operation.domain,
                                  member->domain_xml) >= RFP_QEMU_IOTHREAD_NBD)
        return NULL;
    return found;
}

/* NULL: QEMU can write the data. */
static const char *
why_not_pushed(const RfpExportMember *member)
{
    if (member->origin->cannot_push != NULL)
        return _(member->origin->cannot_push);
    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && disk->disk->encrypted)
            return _("an encrypted disk would be written unencrypted into the "
                     "scratch directory");
    }
    return NULL;
}

/* QEMU writes only what is dirty: not the last clusters of a disk of another
 * size, which are stored again. And what is not a file or device of this host
 * can only be read by the QEMU of the guest. */
static gboolean
can_increase(const RfpExportDisk *disk)
{
    g_autofree char *path =
        rfp_domain_local_path(disk->member->operation.domain,
                              disk->state.source);

    return disk->decision.base->size == disk->state.size && path != NULL;
}

static gboolean
check_increments(RfpExportMember *member, GError **error)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (disk->decision.mode == REFPOINT_MODE_INCREMENT &&
            !can_increase(disk) &&
            !rfp_export_refuse_increment(disk, RFP_REASON_PUSH_LIMITS,
                                         RFP_WARNING_FULL_INSTEAD_OF_INCREMENT,
                                         rfp_plan_reason_text(
                                             RFP_REASON_PUSH_LIMITS),
                                         error))
            return FALSE;
    }
    rfp_export_report_plan(member);
    return TRUE;
}

gboolean
rfp_origin_choose_push(RfpExportMember *member, GError **error)
{
    const RfpExportDisk *disk = unservable(member);
    const char *why_not = disk != NULL ? why_not_pushed(member) : NULL;

    if (disk == NULL)
        return TRUE;
    if (why_not == NULL) {
        member->origin = &rfp_origin_push;
        return check_increments(member, error);
    }
    rfp_qemu_set_unservable(member->operation.domain, disk->state.target,
                            why_not, error);
    if (member->origin->cannot_push_way_out != NULL)
        rfp_error_add_way_out(error, _(member->origin->cannot_push_way_out),
                              member->operation.domain->shell_name);
    return FALSE;
}

/* ---- The images ---------------------------------------------------------- */

static guint
count_increments(const RfpExportMember *member)
{
    guint n = 0;

    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        n += disk->decision.mode == REFPOINT_MODE_INCREMENT;
    }
    return n;
}

static gboolean
prepare(RfpExportMember *member, GError **error)
{
    const guint planned = count_increments(member);

    /* what is exported in full after all needs more room than was looked for */
    if (!rfp_export_audit_ahead(member, error) ||
        (count_increments(member) != planned &&
         !rfp_export_check_space(member->export, error)))
        return FALSE;
    return rfp_origin_job.prepare(member, error);
}

/* Tells QEMU the job's limit of the rate, if it is another than it was told:
 * for all disks together, from the begin on. What is suspended goes on as
 * slowly as QEMU can: it knows no pause. */
static void
tell_limit(RfpExportMember *member)
{
    const RfpRate *rate = &member->export->job->rate;
    const guint64 limit = rfp_rate_is_paused(rate) ? 1 : rfp_rate_limit(rate);
    guint n = 0;

    if (limit == member->push_rate)
        return;
    member->push_rate = limit;
    for (guint i = 0; i < member->disks->len; i++)
        n += rfp_export_takes(g_ptr_array_index(member->disks, i));
    for (guint i = 0; i < member->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk))
            rfp_backup_job_set_rate(member->operation.domain,
                                    disk->state.target,
                                    limit ? MAX(limit / n, 1) : 0);
    }
}

static gboolean
begin(RfpExportMember *member, GError **error)
{
    if (!rfp_origin_job_begin(member, error))
        return FALSE;
    tell_limit(member);
    return TRUE;
}

/* ---- The wait ------------------------------------------------------------ */

typedef struct {
    RfpExportMember *member;
    GPtrArray *disks;           /* RfpExportDisk, borrowed: those exported */
    RefpointProgress *progress; /* as many */
    guint64 written;            /* bytes, when progress was last seen */
    gint64 moved_at;
    gint64 told_at;
    gint64 looked_at;
} Wait;

static void
ask_progress(Wait *wait)
{
    guint64 written = 0;

    for (guint i = 0; i < wait->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(wait->disks, i);
        RefpointProgress *progress = &wait->progress[i];
        guint64 total = 0;

        progress->target = disk->name;
        if (rfp_backup_job_progress(wait->member->operation.domain,
                                    disk->state.target, &progress->done,
                                    &total)) {
            disk->pushed = total;
            /* all of it is read once more from the image */
            progress->total = disk->compared + 2 * total;
        } else {
            progress->done = disk->pushed;
        }
        progress->done += disk->compared;
        written += progress->done;
    }
    if (written == wait->written)
        return;
    wait->written = written;
    wait->moved_at = g_get_monotonic_time();
}

static void
tell_progress(Wait *wait)
{
    RefpointJob *job = wait->member->operation.job;

    if (job->progress != NULL)
        job->progress(wait->progress, wait->disks->len, job->progress_opaque);
}

static gboolean
check_stall(const Wait *wait, GError **error)
{
    const guint seconds = wait->member->export->options->stall_timeout;

    if (seconds == 0 ||
        rfp_rate_is_paused(&wait->member->operation.job->rate) ||
        g_get_monotonic_time() - wait->moved_at <
            (gint64)seconds * G_USEC_PER_SEC)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                  _("QEMU has written nothing of domain '%s' for %u seconds"),
                  wait->member->operation.domain->name, seconds);
    rfp_error_add_object(error, wait->member->operation.domain->name);
    rfp_error_add_way_out(error,
                          _("look at the file systems of its images and of "
                            "the scratch directory '%s'"),
                          rfp_export_scratch_dir(wait->member));
    return FALSE;
}

/* Room is looked at each time: QEMU fills it as fast as it can. */
static gboolean
look(Wait *wait, GError **error)
{
    const gint64 now = g_get_monotonic_time();

    if (!rfp_operation_watch(&wait->member->operation, error))
        return FALSE;
    if (now - wait->looked_at < LOOK_US)
        return TRUE;
    wait->looked_at = now;
    tell_limit(wait->member);
    return rfp_export_member_watch(wait->member, FALSE, error) &&
           check_stall(wait, error);
}

/* *@runs FALSE: the job is over. */
static gboolean
wait_once(Wait *wait, gboolean *runs, GError **error)
{
    const RfpOperation *operation = &wait->member->operation;

    if (!rfp_job_check(operation->job, error) ||
        !rfp_backup_job_is_there(operation->domain, wait->member->job_mark,
                                 runs, error))
        return FALSE;
    if (!*runs)
        return TRUE;
    if (g_get_monotonic_time() - wait->told_at >= PROGRESS_US) {
        wait->told_at = g_get_monotonic_time();
        ask_progress(wait);
        tell_progress(wait);
    }
    g_usleep(POLL_US);
    return look(wait, error);
}

/* ---- What came of it ----------------------------------------------------- */

/* The job is over a moment before QEMU has closed its images. A call that has
 * to wait for what libvirt is at comes back after that; the lock says it where
 * the file system has locks. */
static gboolean
wait_closed(RfpExportDisk *disk, GError **error)
{
    const RfpExportMember *member = disk->member;
    const gint64 end = g_get_monotonic_time() + CLOSE_US;
    guint64 size = 0;
    guint64 allocation = 0;

    if (!rfp_domain_disk_size(member->operation.domain, disk->state.target,
                              &size, &allocation, error))
        return FALSE;
    while (rfp_qcow2_source_in_use(disk->source)) {
        if (g_get_monotonic_time() > end) {
            rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                          _("QEMU does not close the image '%s' of disk "
                            "'%s'"),
                          disk->scratch, disk->state.target);
            rfp_error_add_object(error, disk->state.target);
            rfp_error_add_way_out(error,
                                  _("look at the file system of the scratch "
                                    "directory '%s', and whether QEMU answers "
                                    "(virsh domcontrol %s); then repeat this "
                                    "command"),
                                  rfp_export_scratch_dir(member),
                                  member->operation.domain->shell_name);
            return FALSE;
        }
        g_usleep(POLL_US);
    }
    return TRUE;
}

/* Clusters that QEMU has dealt with, as the image shows them: in full mode all
 * of the disk, whatever it left out because it reads as zeroes. */
static gboolean
count_written(RfpExportDisk *disk, guint64 *clusters, GError **error)
{
    *clusters = rfp_cluster_count(disk->state.size);
    return !disk->begun_increment ||
           rfp_qcow2_source_stored(disk->source, clusters, error);
}

/* What libvirt says of the job, and what the images hold, must agree. */
static gboolean
check_written(Wait *wait, guint64 wanted, GError **error)
{
    guint64 all = 0;

    for (guint i = 0; i < wait->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(wait->disks, i);
        guint64 clusters = 0;

        if (!wait_closed(disk, error) || !count_written(disk, &clusters, error))
            return FALSE;
        all += clusters;
    }
    if (all * RFP_CLUSTER_SIZE >= wanted)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("QEMU had %" PRIu64 " bytes of domain '%s' to write, and "
                    "wrote %" PRIu64),
                  wanted, wait->member->operation.domain->name,
                  all * RFP_CLUSTER_SIZE);
    rfp_error_add_object(error, wait->member->operation.domain->name);
    rfp_error_add_way_out(error, _("export without a base: --base none"));
    return FALSE;
}

static gboolean
run(Wait *wait, GError **error)
{
    RfpExportMember *member = wait->member;
    gboolean runs = TRUE;
    guint64 wanted = 0;

    ask_progress(wait);
    while (runs)
        if (!wait_once(wait, &runs, error))
            return FALSE;
    member->pushed =
        rfp_export_member_watch(member, FALSE, error) &&
        rfp_backup_job_check_pushed(member->operation.domain, member->begun,
                                    &wanted, error) &&
        check_written(wait, wanted, error);
    return member->pushed;
}

static void
open_image(RfpExportDisk *disk)
{
    disk->source = rfp_qcow2_source_new(NULL, disk->scratch);
    disk->source_ops = &rfp_qcow2_source_ops;
    disk->source_free = (void (*)(gpointer))rfp_qcow2_source_free;
}

static gboolean
fetch(RfpExportMember *member, GError **error)
{
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    g_autofree RefpointProgress *progress =
        g_new0(RefpointProgress, member->disks->len);
    Wait wait = {.member = member, .disks = disks, .progress = progress};

    wait.moved_at = wait.told_at = wait.looked_at = g_get_monotonic_time();
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (!rfp_export_takes(disk))
            continue;
        g_ptr_array_add(disks, disk);
        open_image(disk);
    }
    return run(&wait, error);
}

/* ---- The data ------------------------------------------------------------ */

/* It was opened to be looked at. */
static gboolean
open_disk(RfpExportDisk *disk G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

/* An image that QEMU wrote has no more than it was asked for: all else would
 * read as zeroes. */
static gboolean
check_disk(const RfpExportDisk *disk, GError **error)
{
    gboolean increment = disk->decision.mode == REFPOINT_MODE_INCREMENT;

    if (increment == disk->begun_increment &&
        (!increment || disk->base_size == disk->state.size))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("QEMU has not written all of disk '%s'"),
                  disk->state.target);
    rfp_error_add_object(error, disk->state.target);
    rfp_error_add_way_out(error, _("export without a base: --base none"));
    return FALSE;
}

/* The end of the job was looked at when it was waited for. */
static gboolean
check_served(RfpExportMember *member G_GNUC_UNUSED,
             GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

const RfpOrigin rfp_origin_push = {
    .makes_point = TRUE,
    .pushes = TRUE,
    .find_point = rfp_origin_job_find_point,
    .check_room = rfp_export_check_job_room,
    .choose = rfp_origin_job_choose,
    .record = rfp_origin_job_record,
    .prepare = prepare,
    .begin = begin,
    .take_checkpoint = rfp_origin_job_take_checkpoint,
    .fetch = fetch,
    .open_disk = open_disk,
    .check_disk = check_disk,
    .stop = rfp_origin_job_stop,
    .check_served = check_served,
    .ask_end = rfp_origin_job_ask_end,
};
