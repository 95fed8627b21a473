/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"
#include "base/text.h"
#include "set/set-points.h"
#include "set/verify-data.h"
#include "set/verify-image.h"
#include "set/verify-set.h"
#include "set/verify-tree.h"

#include <string.h>

#define PROGRESS_US (200 * 1000)
#define THREADS_MAX 8

static void
finding_free(gpointer data)
{
    RefpointFinding *finding = data;

    g_free(finding->path);
    g_free(finding->id);
    g_free(finding->message);
    g_free(finding);
}

void
refpoint_verification_free(RefpointVerification *verification)
{
    if (verification == NULL)
        return;
    g_free(verification->path);
    g_free(verification->set_guid);
    g_ptr_array_unref(verification->damages);
    g_ptr_array_unref(verification->remarks);
    g_ptr_array_unref(verification->newer);
    g_free(verification);
}

static RefpointVerification *
verification_new(const RfpExportSet *set)
{
    RefpointVerification *result = g_new0(RefpointVerification, 1);

    result->path = g_strdup(set->path);
    result->set_guid = g_strdup(set->file != NULL ? set->file->guid : NULL);
    result->damages = g_ptr_array_new_with_free_func(finding_free);
    result->remarks = g_ptr_array_new_with_free_func(finding_free);
    result->newer = g_ptr_array_new_with_free_func(finding_free);
    return result;
}

/* ---- What to look at ----------------------------------------------------- */

static RefpointProgress *
find_target(RfpVerify *verify, const char *target)
{
    RefpointProgress *progress = NULL;

    for (guint i = 0; i < verify->targets->len; i++) {
        progress = g_ptr_array_index(verify->targets, i);
        if (strcmp(progress->target, target) == 0)
            return progress;
    }
    progress = g_new0(RefpointProgress, 1);
    progress->target = target;
    g_ptr_array_add(verify->targets, progress);
    return progress;
}

static void
image_free(gpointer data)
{
    RfpVerifyImage *image = data;

    g_clear_error(&image->failure);
    g_free(image);
}

static char *
image_key(const char *guid, const RfpManifestVm *vm, const char *target)
{
    return g_strjoin("/", guid, vm->uuid, target, NULL);
}

/* Points come by sequence: the images of a base are known before those that
 * build on them, and no link can close a circle. */
static void
add_image(RfpVerify *verify,
          GHashTable *known,
          const RfpSetPoint *point,
          const RfpManifestVm *vm,
          const RfpManifestDisk *disk)
{
    RfpVerifyImage *image = g_new0(RfpVerifyImage, 1);
    g_autofree char *base = NULL;

    image->point = point;
    image->vm = vm;
    image->disk = disk;
    image->depth = 1;
    image->chosen = verify->whole;
    if (disk->mode == REFPOINT_MODE_INCREMENT) {
        base = image_key(disk->base_guid, vm, disk->target);
        image->base = g_hash_table_lookup(known, base);
        if (image->base != NULL &&
            image->base->point->manifest->sequence >= point->manifest->sequence)
            image->base = NULL;
    }
    if (image->base != NULL)
        image->depth = image->base->depth + 1;
    g_hash_table_insert(known,
                        image_key(point->manifest->guid, vm, disk->target),
                        image);
    g_ptr_array_add(verify->images, image);
}

static void
add_images(RfpVerify *verify)
{
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < verify->set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(verify->set->points, i);

        rfp_verify_add_names(verify->named, point);
        for (guint v = 0;
             point->manifest != NULL && v < point->manifest->vms->len; v++) {
            RfpManifestVm *vm = g_ptr_array_index(point->manifest->vms, v);

            for (guint d = 0; d < vm->disks->len; d++) {
                RfpManifestDisk *disk = g_ptr_array_index(vm->disks, d);

                if (disk->mode != REFPOINT_MODE_LEFT_OUT)
                    add_image(verify, known, point, vm, disk);
            }
        }
    }
}

/* By name or GUID; a damaged point has only its folder's name, and so may have
 * one that needs a newer program. */
static RfpSetPoint *
find_point(RfpExportSet *set, const char *name, GError **error)
{
    RfpSetPoint *point = rfp_export_set_resolve(set, name);

    for (guint i = 0; point == NULL && i < set->points->len; i++) {
        RfpSetPoint *other = g_ptr_array_index(set->points, i);

        if (other->manifest == NULL &&
            (strcmp(other->folder, name) == 0 ||
             rfp_guid_equal(other->newer_guid, name)))
            point = other;
    }
    if (point == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set '%s' has no point '%s'"), set->path, name);
        rfp_error_add_object(error, name);
        rfp_error_add_way_out(error, _("see: virt-refpoint catalog %s"),
                              set->path);
    }
    return point;
}

/* The point, and all that its images build on. */
static gboolean
choose_point(RfpVerify *verify, const char *name, GError **error)
{
    RfpSetPoint *point = find_point(verify->set, name, error);

    if (point == NULL)
        return FALSE;
    g_ptr_array_add(verify->points, point);
    for (guint i = verify->images->len; i > 0; i--) {
        RfpVerifyImage *image = g_ptr_array_index(verify->images, i - 1);

        if (image->point == point)
            image->chosen = TRUE;
        if (!image->chosen)
            continue;
        if (!g_ptr_array_find(verify->points, image->point, NULL))
            g_ptr_array_add(verify->points, (gpointer)image->point);
        if (image->base != NULL)
            image->base->chosen = TRUE;
    }
    return TRUE;
}

static void
choose_all(RfpVerify *verify)
{
    for (guint i = 0; i < verify->set->points->len; i++)
        g_ptr_array_add(verify->points,
                        g_ptr_array_index(verify->set->points, i));
}

/* What is not chosen goes; what it knew is not needed any more. */
static void
drop_others(RfpVerify *verify)
{
    GPtrArray *all = verify->images;

    verify->images = g_ptr_array_new_with_free_func(image_free);
    g_ptr_array_set_free_func(all, NULL);
    for (guint i = 0; i < all->len; i++) {
        RfpVerifyImage *image = g_ptr_array_index(all, i);

        if (!image->chosen) {
            image_free(image);
            continue;
        }
        image->progress = find_target(verify, image->disk->target);
        g_ptr_array_add(verify->images, image);
    }
    g_ptr_array_unref(all);
}

/* ---- Threads ------------------------------------------------------------- */

static void
report_progress(RfpVerify *verify)
{
    g_autofree RefpointProgress *disks =
        g_new0(RefpointProgress, verify->targets->len + 1);

    g_mutex_lock(&verify->lock);
    for (guint i = 0; i < verify->targets->len; i++) {
        disks[i] = *(RefpointProgress *)g_ptr_array_index(verify->targets, i);
        disks[i].final = TRUE;
    }
    g_mutex_unlock(&verify->lock);
    if (verify->job->progress != NULL)
        verify->job->progress(disks, verify->targets->len,
                              verify->job->progress_opaque);
}

typedef struct {
    RfpVerify *verify;
    GThreadFunc func;
} Work;

static gpointer
work(gpointer opaque)
{
    Work *w = opaque;

    w->func(w->verify);
    g_mutex_lock(&w->verify->lock);
    w->verify->running--;
    g_cond_signal(&w->verify->changed);
    g_mutex_unlock(&w->verify->lock);
    return NULL;
}

/* Waits until all threads have ended; progress goes out meanwhile. */
static void
wait_for_threads(RfpVerify *verify, gboolean moving)
{
    gboolean running = TRUE;

    while (running) {
        gint64 end = g_get_monotonic_time() + PROGRESS_US;

        g_mutex_lock(&verify->lock);
        while (verify->running > 0 &&
               g_cond_wait_until(&verify->changed, &verify->lock, end))
            ;
        running = verify->running > 0;
        g_mutex_unlock(&verify->lock);
        if (moving)
            report_progress(verify);
    }
}

static void
run_threads(RfpVerify *verify, GThreadFunc func, gboolean moving)
{
    guint n = CLAMP(g_get_num_processors(), 2, THREADS_MAX);
    GThread *threads[THREADS_MAX];
    Work w = {verify, func};

    verify->next_image = 0;
    verify->running = n;
    for (guint i = 0; i < n; i++)
        threads[i] = g_thread_new("verify", work, &w);
    wait_for_threads(verify, moving);
    for (guint i = 0; i < n; i++)
        g_thread_join(threads[i]);
}

static gpointer
image_thread(gpointer opaque)
{
    RfpVerify *verify = opaque;

    for (;;) {
        RfpVerifyImage *image = NULL;

        if (rfp_verify_stopped(verify))
            return NULL;
        g_mutex_lock(&verify->lock);
        if (verify->next_image < verify->images->len)
            image = g_ptr_array_index(verify->images, verify->next_image++);
        g_mutex_unlock(&verify->lock);
        if (image == NULL)
            return NULL;
        rfp_verify_image(verify, image);
    }
}

/* ---- All ----------------------------------------------------------------- */

static void
verify_clear(RfpVerify *verify)
{
    g_clear_pointer(&verify->folders, g_hash_table_unref);
    g_clear_pointer(&verify->names, g_hash_table_unref);
    g_ptr_array_unref(verify->points);
    g_ptr_array_unref(verify->images);
    g_ptr_array_unref(verify->targets);
    g_hash_table_unref(verify->named);
    g_hash_table_unref(verify->gone);
    g_clear_error(&verify->fatal);
    g_clear_pointer(&verify->result, refpoint_verification_free);
    rfp_export_set_close(verify->set);
    g_mutex_clear(&verify->lock);
    g_cond_clear(&verify->changed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpVerify, verify_clear)

static void
verify_init(RfpVerify *verify, RfpExportSet *set, RefpointJob *job)
{
    verify->set = set;
    verify->job = job;
    verify->points = g_ptr_array_new();
    verify->images = g_ptr_array_new_with_free_func(image_free);
    verify->targets = g_ptr_array_new_with_free_func(g_free);
    verify->named =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    verify->gone = g_hash_table_new(NULL, NULL);
    verify->result = verification_new(set);
    g_mutex_init(&verify->lock);
    g_cond_init(&verify->changed);
}

/* Whether the base of @disk, which is not known, needs a newer program. */
static gboolean
lacks_newer_base(RfpExportSet *set, const RfpManifestDisk *disk)
{
    return disk->mode == REFPOINT_MODE_INCREMENT &&
           rfp_export_set_find(set, disk->base_guid) == NULL &&
           rfp_export_set_find_newer(set, disk->base_guid) != NULL;
}

/* Bases come first, so each is known when its increments are asked. */
static void
join_passes(RfpVerify *verify)
{
    for (guint i = 0; i < verify->images->len; i++) {
        RfpVerifyImage *image = g_ptr_array_index(verify->images, i);

        image->has_chain = image->has_digests &&
                           (image->disk->mode == REFPOINT_MODE_FULL ||
                            (image->base != NULL && image->base->has_chain));
        image->newer_base = image->base != NULL
                                ? image->base->newer_base
                                : lacks_newer_base(verify->set, image->disk);
        if (image->readable && image->has_digests)
            image->progress->total += image->disk->stored;
    }
}

static void
look_at_images(RfpVerify *verify)
{
    run_threads(verify, image_thread, FALSE);
    if (rfp_verify_stopped(verify))
        return;
    join_passes(verify);
    run_threads(verify, rfp_verify_data, TRUE);
    if (rfp_verify_stopped(verify))
        return;
    for (guint i = 0; i < verify->images->len; i++)
        rfp_verify_data_end(verify, g_ptr_array_index(verify->images, i));
}

static void
remark_gone(RfpVerify *verify)
{
    GHashTableIter iter;
    gpointer point = NULL;

    g_hash_table_iter_init(&iter, verify->gone);
    while (g_hash_table_iter_next(&iter, &point, NULL))
        rfp_verify_remark(verify, ((RfpSetPoint *)point)->folder,
                          RFP_FINDING_POINT_GONE,
                          _("the point was removed while it was looked at"));
}

static gint
by_place(gconstpointer a, gconstpointer b)
{
    const RefpointFinding *left = *(RefpointFinding *const *)a;
    const RefpointFinding *right = *(RefpointFinding *const *)b;
    int order = strcmp(left->path, right->path);

    if (order == 0)
        order = strcmp(left->id, right->id);
    if (order == 0 && left->offset != right->offset)
        order = left->offset < right->offset ? -1 : 1;
    return order != 0 ? order : strcmp(left->message, right->message);
}

static RefpointVerification *
verify_all(RfpVerify *verify, const char *damage, GError **error)
{
    RefpointVerification *result = verify->result;

    rfp_verify_set(verify, damage);
    if (!rfp_verify_stopped(verify))
        look_at_images(verify);
    if (!rfp_verify_stopped(verify))
        rfp_verify_tree(verify);
    if (!rfp_job_check(verify->job, error))
        return NULL;
    if (verify->fatal != NULL) {
        g_propagate_error(error, g_steal_pointer(&verify->fatal));
        return NULL;
    }
    remark_gone(verify);
    /* threads add in any order */
    g_ptr_array_sort(result->damages, by_place);
    g_ptr_array_sort(result->remarks, by_place);
    g_ptr_array_sort(result->newer, by_place);
    result->points = verify->points->len;
    result->images = verify->images->len;
    return g_steal_pointer(&verify->result);
}

static RefpointVerification *
verify_in(RfpExportSet *set,
          const char *damage,
          const char *point,
          RefpointJob *job,
          GError **error)
{
    g_auto(RfpVerify) verify = {.whole = point == NULL};

    verify_init(&verify, set, job);
    add_images(&verify);
    if (point == NULL)
        choose_all(&verify);
    else if (!choose_point(&verify, point, error))
        return NULL;
    drop_others(&verify);
    return verify_all(&verify, damage, error);
}

RefpointVerification *
refpoint_verify(const char *directory,
                const char *point,
                RefpointJob *job,
                GError **error)
{
    RefpointVerification *result = NULL;
    g_autofree char *damage = NULL;
    g_autoptr(GError) problem = NULL;
    RfpExportSet *set = rfp_export_set_inspect(directory, &damage, &problem);

    if (set != NULL)
        result = verify_in(set, damage, point, job, &problem);
    rfp_job_end(job, result != NULL, &problem);
    if (problem != NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    return result;
}
