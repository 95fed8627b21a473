/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-compare.h"

#define WATCH_US (50 * 1000)
#define PROGRESS_US (200 * 1000)

typedef struct {
    RfpExport *export;
    RfpExportDisk *disk;
    RfpCompare *compare;
    gboolean ahead; /* no job runs yet */
    gint stop;      /* atomic */
    GMutex mutex;
    GCond ended;
    gboolean done; /* the thread is; with @mutex */
    GError *error; /* its */
    gint64 told_at;
    GError *found; /* by the watch */
} Comparison;

static gpointer
compare_thread(gpointer opaque)
{
    Comparison *comparison = opaque;

    rfp_compare_run(comparison->compare, &comparison->error);
    g_mutex_lock(&comparison->mutex);
    comparison->done = TRUE;
    g_cond_signal(&comparison->ended);
    g_mutex_unlock(&comparison->mutex);
    return NULL;
}

/* How much is streamed behind it is not known yet. */
static void
tell_progress(Comparison *comparison)
{
    RefpointJob *job = comparison->export->job;
    g_autoptr(GPtrArray) taken = rfp_export_taken(comparison->export);
    g_autofree RefpointProgress *progress =
        g_new0(RefpointProgress, taken->len);

    comparison->told_at = g_get_monotonic_time();
    comparison->disk->compared = rfp_compare_done(comparison->compare);
    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);

        progress[i].target = disk->name;
        progress[i].done = disk->compared;
        progress[i].total = disk->state.size;
    }
    if (job->progress != NULL)
        job->progress(progress, taken->len, job->progress_opaque);
}

static gboolean
is_sound(Comparison *comparison)
{
    return !rfp_job_cancelled(comparison->export->job) &&
           (comparison->ahead ||
            rfp_export_watch(comparison->export, &comparison->found));
}

static void
watch_once(Comparison *comparison)
{
    if (g_atomic_int_get(&comparison->stop))
        return;
    if (!is_sound(comparison)) {
        g_atomic_int_set(&comparison->stop, 1);
        if (!comparison->ahead)
            rfp_export_stop(comparison->export, comparison->found);
    } else if (g_get_monotonic_time() - comparison->told_at >= PROGRESS_US) {
        tell_progress(comparison);
    }
}

static void
watch(Comparison *comparison)
{
    rfp_export_watch_begin(comparison->export);
    comparison->told_at = g_get_monotonic_time();
    g_mutex_lock(&comparison->mutex);
    while (!comparison->done) {
        if (!g_cond_wait_until(&comparison->ended, &comparison->mutex,
                               g_get_monotonic_time() + WATCH_US)) {
            g_mutex_unlock(&comparison->mutex);
            watch_once(comparison);
            g_mutex_lock(&comparison->mutex);
        }
    }
    g_mutex_unlock(&comparison->mutex);
}

/* The first cause: what the watch found, the user's wish, a guest that took its
 * server along, then what the thread says. */
static gboolean
collect(Comparison *comparison, GError **error)
{
    gboolean failed = comparison->error != NULL;

    if (comparison->found == NULL &&
        !rfp_job_check(comparison->export->job, error))
        return FALSE;
    if (comparison->found == NULL && failed && !comparison->ahead)
        rfp_export_member_watch(comparison->disk->member, TRUE,
                                &comparison->found);
    if (comparison->found == NULL && !failed)
        return TRUE;
    g_propagate_error(error, comparison->found != NULL
                                 ? g_steal_pointer(&comparison->found)
                                 : g_steal_pointer(&comparison->error));
    return FALSE;
}

static RfpCompareOptions
options_for(Comparison *comparison, const RfpSourceOps *source_ops)
{
    const RfpExportDisk *disk = comparison->disk;

    return (RfpCompareOptions){
        .source_ops = source_ops,
        .base = disk->base_digests,
        .copy =
            {
                .size = disk->state.size,
                .increment = !comparison->ahead,
                .resized_from = disk->base_size,
                .workers = RFP_EXPORT_WORKERS_MAX,
                .buffer = RFP_EXPORT_BUFFER_MAX,
                .name = disk->state.target,
                .cancel = &comparison->stop,
                .rate = &comparison->export->job->rate,
            },
    };
}

gboolean
rfp_export_compare(RfpExportDisk *disk,
                   const RfpSourceOps *source_ops,
                   gpointer source,
                   gboolean ahead,
                   RfpCompareFunc func,
                   gpointer opaque,
                   GError **error)
{
    Comparison comparison = {.export = disk->member->export,
                             .disk = disk,
                             .ahead = ahead};
    RfpCompareOptions options = options_for(&comparison, source_ops);
    GThread *thread = NULL;
    gboolean done = FALSE;

    options.source = source;
    options.func = func;
    options.opaque = opaque;
    comparison.compare = rfp_compare_new(&options);
    g_mutex_init(&comparison.mutex);
    g_cond_init(&comparison.ended);
    thread = g_thread_new("refpoint-compare", compare_thread, &comparison);
    watch(&comparison);
    g_thread_join(thread);
    disk->compared = rfp_compare_done(comparison.compare);
    disk->report->audited = (guint)rfp_compare_clusters(comparison.compare);
    done = collect(&comparison, error);
    g_clear_error(&comparison.error);
    g_clear_error(&comparison.found);
    rfp_compare_free(comparison.compare);
    g_mutex_clear(&comparison.mutex);
    g_cond_clear(&comparison.ended);
    return done;
}
