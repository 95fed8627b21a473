/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-stream.h"
#include "base/text.h"
#include "export/export-space.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Disks that are read at a time, by default: one for each CPU, but a few in any
 * case, since much of the time is waiting. */
#define JOBS_MIN 4
#define JOBS_MAX 16
/* Connections of all disks together, and of one; memory of all read buffers. */
#define WORKERS_TOTAL 8
#define WORKERS_MIN 2
#define BUFFERS_TOTAL ((gsize)16 << 20)
/* Compressing takes all CPUs, up to so many; each needs about a MiB. */
#define COMPRESSORS_MAX 16

#define WATCH_US (50 * 1000)
#define PROGRESS_US (200 * 1000)

/* What the calling thread watches while the disks' threads move data. */
typedef struct {
    RfpExport *export;
    GPtrArray *disks;      /* RfpExportDisk, borrowed: those exported */
    GPtrArray *queue;      /* the same, in the order in which they are begun */
    guint at_once;         /* disks that are read at a time */
    RfpCompress *compress; /* NULL: nothing is compressed */
    gint stop;             /* atomic: all copies end */
    GMutex mutex;          /* of what follows, and of what a disk has only
                            * while it is read: writers and copy */
    guint next;            /* in @queue */
    guint running;         /* threads that have not ended */
    GCond ended;           /* one has */
    gint64 progress_at;
    gboolean stopped; /* the copies, and the job if it is ours alone */
    GError *error;    /* what the watch found */
} Stream;

/* ---- The sink of one disk ------------------------------------------------ */

static gboolean
sink_write(gpointer opaque,
           guint64 cluster,
           const void *data,
           guint n_clusters,
           GError **error)
{
    RfpExportDisk *disk = opaque;

    return rfp_qcow2_writer_write(disk->writer, cluster, data, n_clusters,
                                  error);
}

static gboolean
sink_zero(gpointer opaque, guint64 cluster, guint64 n_clusters, GError **error)
{
    RfpExportDisk *disk = opaque;

    return rfp_qcow2_writer_zero(disk->writer, cluster, n_clusters, error);
}

static gboolean
sink_window_end(gpointer opaque,
                guint64 group,
                guint8 *leaves,
                guint8 *have,
                GError **error)
{
    RfpExportDisk *disk = opaque;

    return rfp_qcow2_writer_flush_group(disk->writer, group, error) &&
           rfp_digest_writer_group(disk->digest_writer, group, leaves, have,
                                   error);
}

static const RfpSinkOps sink_ops = {
    .write = sink_write,
    .zero = sink_zero,
    .window_end = sink_window_end,
};

static gboolean
open_sink(RfpExportDisk *disk, GError **error)
{
    RfpExportSet *set = disk->member->export->set;
    RfpFolder *folder = &set->folder;
    g_autofree char *shown = g_build_filename(set->path, disk->image, NULL);
    g_autofree char *dir = g_path_get_dirname(disk->image);
    g_autofree char *name = g_path_get_basename(disk->image);
    g_autofree char *backing = NULL;
    g_auto(RfpFd) dir_fd =
        rfp_files_open(folder, dir, O_RDONLY | O_DIRECTORY, error);
    g_auto(RfpFd) digests = -1;

    if (dir_fd < 0)
        return FALSE;
    if (disk->decision.mode == REFPOINT_MODE_INCREMENT) {
        RfpManifestDisk *base = g_ptr_array_index(disk->chain, 0);

        backing = g_path_get_basename(base->image);
    }
    disk->writer = rfp_qcow2_writer_new(dir_fd, name, shown, disk->state.size,
                                        backing, error);
    if (disk->writer == NULL)
        return FALSE;
    digests =
        rfp_files_open(folder, disk->digests, O_RDWR | O_CREAT | O_EXCL, error);
    if (digests < 0)
        return FALSE;
    disk->digest_writer =
        rfp_digest_writer_new(digests, disk->digests, disk->state.size,
                              backing != NULL ? disk->base_digests : NULL,
                              error);
    return disk->digest_writer != NULL;
}

/* Complete, read-only and durable, the folder included. */
static gboolean
finish_sink(RfpExportDisk *disk, GError **error)
{
    RfpFolder *folder = &disk->member->export->set->folder;
    g_autofree char *dir = g_path_get_dirname(disk->image);
    const char *files[] = {disk->image, disk->digests};

    if (!rfp_qcow2_writer_finish(disk->writer, &disk->image_size, error) ||
        !rfp_digest_writer_finish(disk->digest_writer, disk->view,
                                  &disk->digests_size, disk->digests_sha256,
                                  error))
        return FALSE;
    for (guint i = 0; i < G_N_ELEMENTS(files); i++) {
        g_auto(RfpFd) fd = rfp_files_open(folder, files[i], O_RDONLY, error);

        if (fd < 0)
            return FALSE;
        if (fchmod(fd, 0400) < 0) {
            rfp_error_set_errno(error, errno, _("cannot protect '%s/%s'"),
                                folder->shown, files[i]);
            return FALSE;
        }
    }
    return rfp_files_sync_dir(folder, dir, error);
}

/* ---- One disk ------------------------------------------------------------ */

static guint
n_compressors(void)
{
    return CLAMP(g_get_num_processors(), 1, COMPRESSORS_MAX);
}

static guint
workers_for(const Stream *stream)
{
    guint n = stream->at_once;
    guint workers =
        CLAMP(WORKERS_TOTAL / n, WORKERS_MIN, RFP_EXPORT_WORKERS_MAX);

    return stream->compress != NULL ? MAX(workers, n_compressors() / n)
                                    : workers;
}

/* Where data is compressed, half of the memory is for what comes out. */
static gsize
buffer_for(const Stream *stream)
{
    gsize total = stream->compress != NULL ? BUFFERS_TOTAL / 2 : BUFFERS_TOTAL;
    gsize share = total / (stream->at_once * workers_for(stream));

    share &= ~(gsize)(RFP_CLUSTER_SIZE - 1);
    return CLAMP(share, RFP_CLUSTER_SIZE, RFP_EXPORT_BUFFER_MAX);
}

static gboolean
prepare_disk(Stream *stream, RfpExportDisk *disk, GError **error)
{
    const RfpOrigin *origin = disk->member->origin;
    gboolean increment = disk->decision.mode == REFPOINT_MODE_INCREMENT;
    RfpCopyOptions options = {
        .size = disk->state.size,
        .increment = increment,
        .resized_from = increment ? disk->base_size : disk->state.size,
        .workers = workers_for(stream),
        .buffer = buffer_for(stream),
        .name = disk->state.target,
        .cancel = &stream->stop,
        /* what QEMU has pushed was read from the guest's disks before */
        .rate = origin->pushes ? NULL : &stream->export->job->rate,
    };

    if ((origin->check_disk != NULL && !origin->check_disk(disk, error)) ||
        !open_sink(disk, error))
        return FALSE;
    if (stream->compress != NULL)
        rfp_qcow2_writer_set_compress(disk->writer, stream->compress,
                                      options.buffer);
    g_mutex_lock(&stream->mutex);
    disk->copy =
        rfp_copy_new(disk->source_ops, disk->source, &sink_ops, disk, &options);
    g_mutex_unlock(&stream->mutex);
    return TRUE;
}

/* ---- The threads, each with one disk after the other --------------------- */

static void
close_sink(Stream *stream, RfpExportDisk *disk)
{
    g_mutex_lock(&stream->mutex);
    disk->report->stored = rfp_qcow2_writer_stored(disk->writer);
    rfp_copy_progress(disk->copy, &disk->done, &disk->total, &disk->final,
                      &disk->report->read);
    g_clear_pointer(&disk->copy, rfp_copy_free);
    g_clear_pointer(&disk->digest_writer, rfp_digest_writer_free);
    g_clear_pointer(&disk->writer, rfp_qcow2_writer_free);
    disk->copied = TRUE;
    g_mutex_unlock(&stream->mutex);
}

/* What a disk has in memory it has only now: however many there are, it is that
 * of a few. */
static void
copy_disk(Stream *stream, RfpExportDisk *disk)
{
    if (prepare_disk(stream, disk, &disk->error) &&
        rfp_copy_run(disk->copy, &disk->error) &&
        finish_sink(disk, &disk->error)) {
        close_sink(stream, disk);
        return;
    }
    rfp_error_prefix(&disk->error, _("disk '%s'"), disk->name);
    rfp_error_add_object(&disk->error, disk->name);
    g_atomic_int_set(&stream->stop, 1);
}

static gpointer
disk_thread(gpointer opaque)
{
    Stream *stream = opaque;

    g_mutex_lock(&stream->mutex);
    while (stream->next < stream->queue->len &&
           !g_atomic_int_get(&stream->stop)) {
        RfpExportDisk *disk = g_ptr_array_index(stream->queue, stream->next++);

        g_mutex_unlock(&stream->mutex);
        copy_disk(stream, disk);
        g_mutex_lock(&stream->mutex);
    }
    stream->running--;
    g_cond_signal(&stream->ended);
    g_mutex_unlock(&stream->mutex);
    return NULL;
}

/* ---- The watch ----------------------------------------------------------- */

/* With the lock. Of a disk that is not begun yet there is the plan's
 * estimate. */
static void
look_at_progress(RfpExportDisk *disk, RefpointProgress *progress)
{
    if (disk->copy != NULL) {
        progress->stored = rfp_qcow2_writer_stored(disk->writer);
        rfp_copy_progress(disk->copy, &disk->done, &disk->total, &disk->final,
                          &disk->report->read);
    } else {
        progress->stored = disk->report->stored;
    }
    if (disk->copy == NULL && !disk->copied)
        disk->total = disk->report->estimate;
    /* what came before, by an audit and by QEMU */
    progress->done = disk->done + disk->compared + disk->pushed;
    progress->total = disk->total + disk->compared + disk->pushed;
    progress->final = disk->final;
}

static void
report_progress(Stream *stream)
{
    RefpointJob *job = stream->export->job;
    const guint n = stream->disks->len;
    g_autofree RefpointProgress *progress = g_new0(RefpointProgress, n);

    g_mutex_lock(&stream->mutex);
    for (guint i = 0; i < n; i++) {
        RfpExportDisk *disk = g_ptr_array_index(stream->disks, i);

        progress[i].target = disk->name;
        look_at_progress(disk, &progress[i]);
    }
    g_mutex_unlock(&stream->mutex);
    if (job->progress != NULL)
        job->progress(progress, n, job->progress_opaque);
}

/* The guest must not wait for a disk's thread: that may hang in a write. */
static void
stop(Stream *stream)
{
    g_atomic_int_set(&stream->stop, 1);
    stream->stopped = TRUE;
    rfp_export_stop(stream->export, stream->error);
}

/* A disk that failed stops the others, too. */
static gboolean
is_sound(Stream *stream)
{
    return !g_atomic_int_get(&stream->stop) &&
           !rfp_job_cancelled(stream->export->job) &&
           rfp_export_watch(stream->export, &stream->error);
}

/* Whatever is found stops the copies, and the job. */
static void
watch_once(Stream *stream)
{
    gint64 now = g_get_monotonic_time();

    if (stream->stopped)
        return;
    if (!is_sound(stream)) {
        stop(stream);
        return;
    }
    if (now - stream->progress_at >= PROGRESS_US) {
        stream->progress_at = now;
        report_progress(stream);
    }
}

static void
watch(Stream *stream)
{
    rfp_export_watch_begin(stream->export);
    stream->progress_at = g_get_monotonic_time();
    g_mutex_lock(&stream->mutex);
    while (stream->running > 0) {
        if (!g_cond_wait_until(&stream->ended, &stream->mutex,
                               g_get_monotonic_time() + WATCH_US)) {
            g_mutex_unlock(&stream->mutex);
            watch_once(stream);
            g_mutex_lock(&stream->mutex);
        }
    }
    g_mutex_unlock(&stream->mutex);
}

/* ---- All disks ----------------------------------------------------------- */

/* Nothing waits for a daemon that is away before its answer is needed. */
static void
set_hasty(const RfpExport *export, gboolean hasty)
{
    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);

        member->operation.domain->hasty = hasty;
    }
}

static void
run_threads(Stream *stream)
{
    g_autofree GThread **threads = g_new0(GThread *, stream->at_once);

    stream->running = stream->at_once;
    for (guint i = 0; i < stream->at_once; i++)
        threads[i] = g_thread_new("refpoint-disk", disk_thread, stream);
    set_hasty(stream->export, TRUE);
    watch(stream);
    set_hasty(stream->export, FALSE);
    for (guint i = 0; i < stream->at_once; i++)
        g_thread_join(threads[i]);
}

/* The first cause: what the watch found, the user's wish, then a disk's failure
 * (the others only say that they were told to stop). A server that went away
 * because the guest did is told as such. */
static gboolean
collect(Stream *stream, GError **error)
{
    RfpExportDisk *failed = NULL;
    gboolean complete = TRUE;

    for (guint i = 0; i < stream->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(stream->disks, i);

        complete = complete && disk->copied;
        if (disk->error != NULL &&
            (failed == NULL || g_error_matches(failed->error, REFPOINT_ERROR,
                                               REFPOINT_ERROR_CANCELLED)))
            failed = disk;
    }
    if (complete)
        return TRUE;
    if (failed != NULL && stream->error == NULL &&
        !failed->member->origin->pushes &&
        !rfp_job_cancelled(stream->export->job))
        rfp_export_member_watch(failed->member, TRUE, &stream->error);
    if (stream->error != NULL) {
        g_propagate_error(error, g_steal_pointer(&stream->error));
        return FALSE;
    }
    if (!rfp_job_check(stream->export->job, error))
        return FALSE;
    g_assert(failed != NULL); /* nothing else stops them */
    rfp_export_explain_full(stream->export, &failed->error);
    g_propagate_error(error, g_steal_pointer(&failed->error));
    return FALSE;
}

static void
report_disks(Stream *stream)
{
    for (guint i = 0; i < stream->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(stream->disks, i);

        disk->report->image =
            g_build_filename(stream->export->set->path, disk->image, NULL);
        disk->report->view_digest = rfp_digest_to_hex(disk->view);
    }
}

/* The largest first, so that none of them is left for the end alone. */
static gint
by_estimate(gconstpointer a, gconstpointer b)
{
    const RfpExportDisk *one = *(const RfpExportDisk *const *)a;
    const RfpExportDisk *other = *(const RfpExportDisk *const *)b;

    return (one->report->estimate < other->report->estimate) -
           (one->report->estimate > other->report->estimate);
}

static void
make_queue(Stream *stream)
{
    const guint jobs = stream->export->options->jobs;

    stream->disks = rfp_export_taken(stream->export);
    stream->queue = g_ptr_array_copy(stream->disks, NULL, NULL);
    g_ptr_array_sort(stream->queue, by_estimate);
    stream->at_once =
        jobs != 0 ? jobs : CLAMP(g_get_num_processors(), JOBS_MIN, JOBS_MAX);
    stream->at_once = MIN(stream->at_once, stream->queue->len);
}

gboolean
rfp_export_stream(RfpExport *export, GError **error)
{
    Stream stream = {.export = export};
    gboolean done = FALSE;

    make_queue(&stream);
    if (export->options->compress == REFPOINT_COMPRESS_ZSTD)
        stream.compress =
            rfp_compress_new(export->options->compress_level, n_compressors());
    g_mutex_init(&stream.mutex);
    g_cond_init(&stream.ended);
    run_threads(&stream);
    report_progress(&stream);
    done = collect(&stream, error);
    if (done)
        report_disks(&stream);
    g_clear_error(&stream.error);
    g_ptr_array_unref(stream.queue);
    g_ptr_array_unref(stream.disks);
    rfp_compress_free(stream.compress);
    g_mutex_clear(&stream.mutex);
    g_cond_clear(&stream.ended);
    return done;
}
