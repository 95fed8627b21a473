/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Push mode. A QEMU that would die of a client of its NBD server (see
 * qemu-version.h) is not asked to serve the data, but to write it into images
 * of ours, which lie where scratch files do: the set's folders are closed to
 * QEMU, and what QEMU had open once is no place for a backup. When they are
 * complete the job is over, and the set's images are made from them as from any
 * other source.
 */
#include "base/text.h"
#include "engine/export.h"
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
unservable(RfpExport *export)
{
    const RfpExportDisk *found = NULL;

    for (guint i = 0; i < export->disks->len && found == NULL; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk) && disk->disk->iothread)
            found = disk;
    }
    if (found != NULL &&
        rfp_qemu_version_at_least(export->operation.conn,
                                  export->operation.domain,
                                  export->domain_xml) >= RFP_QEMU_IOTHREAD_NBD)
        return NULL;
    return found;
}

/* NULL: QEMU can write the data. */
static const char *
why_not_pushed(RfpExport *export)
{
    if (export->keeps)
        return _("nobody could read the data that is kept");
    if (export->options->point != NULL)
        return _("nobody can read what it held at that point");
    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

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
can_increase(RfpExport *export, const RfpExportDisk *disk)
{
    g_autofree char *path =
        rfp_domain_local_path(export->operation.domain, disk->state.source);

    return disk->decision.base->size == disk->state.size && path != NULL;
}

static gboolean
check_increments(RfpExport *export, GError **error)
{
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (disk->decision.mode == REFPOINT_MODE_INCREMENT &&
            !can_increase(export, disk) &&
            !rfp_export_refuse_increment(export, disk, RFP_REASON_PUSH_LIMITS,
                                         "full-instead-of-increment",
                                         rfp_plan_reason_text(
                                             RFP_REASON_PUSH_LIMITS),
                                         error))
            return FALSE;
    }
    rfp_export_report_plan(export);
    return TRUE;
}

gboolean
rfp_export_choose_mode(RfpExport *export, GError **error)
{
    const RfpExportDisk *disk = unservable(export);
    const char *why_not = disk != NULL ? why_not_pushed(export) : NULL;

    export->push = disk != NULL && why_not == NULL;
    if (why_not == NULL)
        return !export->push || check_increments(export, error);
    rfp_qemu_set_unservable(export->operation.domain, disk->state.target,
                            why_not, error);
    if (export->keeps)
        rfp_error_add_way_out(error,
                              _("make a point that keeps no data "
                                "(--track-only), or point and export in one "
                                "step: virt-refpoint export %s DIRECTORY"),
                              export->operation.domain->word);
    else if (export->options->point != NULL)
        rfp_error_add_way_out(error, _("export a new point (without --point)"));
    return FALSE;
}

/* ---- The images ---------------------------------------------------------- */

static gboolean
make_image(RfpExportDisk *disk, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(disk->scratch);
    g_autofree char *name = g_path_get_basename(disk->scratch);
    g_auto(RfpFd) dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(RfpQcow2Writer) writer = NULL;
    guint64 size = 0;

    writer = rfp_qcow2_writer_new(dir_fd, name, disk->scratch, disk->state.size,
                                  NULL, error);
    return writer != NULL && rfp_qcow2_writer_finish(writer, &size, error);
}

static guint
count_increments(const RfpExport *export)
{
    guint n = 0;

    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        n += disk->decision.mode == REFPOINT_MODE_INCREMENT;
    }
    return n;
}

gboolean
rfp_export_push_prepare(RfpExport *export, GError **error)
{
    const guint planned = count_increments(export);

    /* what is exported in full after all needs more room than was looked for */
    if (!rfp_export_audit_ahead(export, error) ||
        (count_increments(export) != planned &&
         !rfp_export_check_space(export, error)))
        return FALSE;
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk) && !make_image(disk, error))
            return FALSE;
    }
    return TRUE;
}

/* What is suspended goes on as slowly as QEMU can: it knows no pause. */
void
rfp_export_push_limit(RfpExport *export)
{
    const RfpRate *rate = &rfp_export_job(export)->rate;
    const guint64 limit = rfp_rate_is_paused(rate) ? 1 : rfp_rate_limit(rate);
    guint n = 0;

    if (limit == export->push_rate)
        return;
    export->push_rate = limit;
    for (guint i = 0; i < export->disks->len; i++)
        n += rfp_export_takes(g_ptr_array_index(export->disks, i));
    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            rfp_backup_job_set_rate(export->operation.domain,
                                    disk->state.target,
                                    limit ? MAX(limit / n, 1) : 0);
    }
}

/* ---- The wait ------------------------------------------------------------ */

typedef struct {
    RfpExport *export;
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

        progress->target = disk->state.target;
        if (rfp_backup_job_progress(wait->export->operation.domain,
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
    RefpointJob *job = rfp_export_job(wait->export);

    if (job->progress != NULL)
        job->progress(wait->progress, wait->disks->len, job->progress_opaque);
}

static gboolean
check_stall(const Wait *wait, GError **error)
{
    const guint seconds = wait->export->options->stall_timeout;

    if (seconds == 0 ||
        rfp_rate_is_paused(&rfp_export_job(wait->export)->rate) ||
        g_get_monotonic_time() - wait->moved_at <
            (gint64)seconds * G_USEC_PER_SEC)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                  _("QEMU has written nothing of domain '%s' for %u seconds"),
                  wait->export->operation.domain->name, seconds);
    rfp_error_add_object(error, wait->export->operation.domain->name);
    rfp_error_add_way_out(error,
                          _("look at the file systems of its images and of "
                            "the scratch directory '%s'"),
                          rfp_export_scratch_dir(wait->export));
    return FALSE;
}

/* Room is looked at each time: QEMU fills it as fast as it can. */
static gboolean
look(Wait *wait, GError **error)
{
    const gint64 now = g_get_monotonic_time();

    if (!rfp_operation_watch(&wait->export->operation, error))
        return FALSE;
    if (now - wait->looked_at < LOOK_US)
        return TRUE;
    wait->looked_at = now;
    rfp_export_push_limit(wait->export);
    return rfp_export_watch_guest(wait->export, FALSE, error) &&
           check_stall(wait, error);
}

/* *@runs FALSE: the job is over. */
static gboolean
wait_once(Wait *wait, gboolean *runs, GError **error)
{
    const RfpOperation *operation = &wait->export->operation;

    if (!rfp_job_check(operation->job, error) ||
        !rfp_backup_job_is_there(operation->domain, wait->export->job_mark,
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
wait_closed(RfpExport *export, RfpExportDisk *disk, GError **error)
{
    const gint64 end = g_get_monotonic_time() + CLOSE_US;
    guint64 size = 0;
    guint64 allocation = 0;

    if (!rfp_domain_disk_size(export->operation.domain, disk->state.target,
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
                                  rfp_export_scratch_dir(export),
                                  export->operation.domain->word);
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

        if (!wait_closed(wait->export, disk, error) ||
            !count_written(disk, &clusters, error))
            return FALSE;
        all += clusters;
    }
    if (all * RFP_CLUSTER_SIZE >= wanted)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("QEMU had %" PRIu64 " bytes of domain '%s' to write, and "
                    "wrote %" PRIu64),
                  wanted, wait->export->operation.domain->name,
                  all * RFP_CLUSTER_SIZE);
    rfp_error_add_object(error, wait->export->operation.domain->name);
    rfp_error_add_way_out(error, _("export without a base: --base none"));
    return FALSE;
}

static gboolean
run(Wait *wait, GError **error)
{
    RfpExport *export = wait->export;
    gboolean runs = TRUE;
    guint64 wanted = 0;

    ask_progress(wait);
    while (runs)
        if (!wait_once(wait, &runs, error))
            return FALSE;
    export->pushed =
        rfp_export_watch_guest(export, FALSE, error) &&
        rfp_backup_job_check_pushed(export->operation.domain, export->begun,
                                    &wanted, error) &&
        check_written(wait, wanted, error);
    return export->pushed;
}

gboolean
rfp_export_push(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    g_autofree RefpointProgress *progress =
        g_new0(RefpointProgress, export->disks->len);
    Wait wait = {.export = export, .disks = disks, .progress = progress};

    wait.moved_at = wait.told_at = wait.looked_at = g_get_monotonic_time();
    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (!rfp_export_takes(disk))
            continue;
        g_ptr_array_add(disks, disk);
        disk->source = rfp_qcow2_source_new(disk->scratch);
        disk->source_ops = &rfp_qcow2_source_ops;
    }
    return run(&wait, error);
}
