/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"
#include "base/text.h"
#include "copy/copy.h"
#include "copy/image-server.h"
#include "copy/nbd-source.h"
#include "engine/import-disks.h"
#include "export/tracking.h"
#include "image/image-bitmap.h"
#include "virt/sockets.h"

#include <string.h>

#define STALL_MS (120 * 1000)
#define WORKERS 2
#define BUFFER ((gsize)1 << 20)
#define PROGRESS_US (200 * 1000)
/* qcow2 counts in sectors: a restored disk may be that much larger. */
#define SECTOR 512

/* ---- Images -------------------------------------------------------------- */

/* The image of a disk that the point tracks. */
static RfpDomainDisk *
find_image(RfpImport *import,
           const RfpImportPoint *point,
           const char *target,
           GError **error)
{
    RfpDomainDisk *disk = rfp_domain_xml_disk(import->domain_xml, target);
    const char *type = disk != NULL ? disk->source.type : NULL;

    if (disk == NULL || !disk->has_source ||
        g_strcmp0(disk->driver, "qcow2") != 0) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' has a bitmap on disk '%s', but domain '%s' "
                        "has no such qcow2 disk"),
                      point->xml->name, target, import->operation.domain->name);
    } else if ((g_strcmp0(type, "file") != 0 &&
                g_strcmp0(type, "block") != 0) ||
               disk->source.path == NULL || disk->source.path[0] != '/') {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("disk '%s' of domain '%s' is no local file or device: "
                        "its bitmaps cannot be seen while it is shut off"),
                      target, import->operation.domain->name);
        rfp_error_add_way_out(error, _("start the domain, then import"));
    } else {
        return disk;
    }
    rfp_error_add_object(error, target);
    return NULL;
}

void
rfp_import_add_missing_way_out(GError **error)
{
    rfp_error_add_way_out(error, _("a disk that was restored from the set: "
                                   "import --restored; else export: it will "
                                   "be in full"));
}

static void
set_bitmap_wrong(const RfpImportPoint *point,
                 const char *target,
                 gboolean missing,
                 GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  missing ? _("cannot import point '%s': its bitmap is missing "
                              "on disk '%s'")
                          : _("cannot import point '%s': its bitmap is broken "
                              "on disk '%s'"),
                  point->xml->name, target);
    rfp_error_add_object(error, target);
    if (missing)
        rfp_import_add_missing_way_out(error);
    else
        rfp_error_add_way_out(error, _("export: it will be in full"));
}

gboolean
rfp_import_check_bitmaps(RfpImport *import,
                         const RfpImportPoint *point,
                         gboolean *missing,
                         GError **error)
{
    for (guint i = 0; i < point->xml->disks->len; i++) {
        RfpCheckpointDisk *disk = g_ptr_array_index(point->xml->disks, i);
        RfpDomainDisk *image = NULL;
        RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
        gboolean in_top = FALSE;
        guint64 size = 0;

        if (!disk->tracked)
            continue;
        image = find_image(import, point, disk->target, error);
        if (image == NULL ||
            !rfp_image_bitmap_look(image->source.path, point->xml->name, &state,
                                   &in_top, &size, error))
            return FALSE;
        if (state == RFP_IMAGE_BITMAP_GOOD)
            continue;
        *missing = state == RFP_IMAGE_BITMAP_MISSING;
        set_bitmap_wrong(point, disk->target, *missing, error);
        return FALSE;
    }
    return TRUE;
}

/* ---- The view of a disk -------------------------------------------------- */

typedef struct {
    guint64 size; /* exact, bytes */
    guint8 *groups;
} View;

static gboolean
drop_data(gpointer sink G_GNUC_UNUSED,
          guint64 cluster G_GNUC_UNUSED,
          const void *data G_GNUC_UNUSED,
          guint n_clusters G_GNUC_UNUSED,
          GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean
drop_zeroes(gpointer sink G_GNUC_UNUSED,
            guint64 cluster G_GNUC_UNUSED,
            guint64 n_clusters G_GNUC_UNUSED,
            GError **error G_GNUC_UNUSED)
{
    return TRUE;
}

static gboolean
take_group(gpointer sink,
           guint64 group,
           guint8 *leaves,
           guint8 *have,
           GError **error G_GNUC_UNUSED)
{
    View *view = sink;
    guint64 left = rfp_cluster_count(view->size) - group * RFP_GROUP_LEAVES;
    guint n = (guint)MIN(left, RFP_GROUP_LEAVES);

    for (guint i = 0; i < n; i++)
        if ((have[i / 8] & 1 << i % 8) == 0)
            memset(leaves + (gsize)i * RFP_LEAF_SIZE, 0, RFP_LEAF_SIZE);
    rfp_digest_group(leaves, n, view->groups + group * RFP_LEAF_SIZE);
    return TRUE;
}

static const RfpSinkOps view_ops = {
    .write = drop_data,
    .zero = drop_zeroes,
    .window_end = take_group,
};

/* Runs the copy in a thread, so that this one can tell how far it is. */
typedef struct {
    RfpCopy *copy;
    GMutex mutex;
    GCond ended;
    gboolean done;
    gboolean success;
    GError *error;
} Run;

static gpointer
run_thread(gpointer opaque)
{
    Run *run = opaque;
    gboolean success = rfp_copy_run(run->copy, &run->error);

    g_mutex_lock(&run->mutex);
    run->success = success;
    run->done = TRUE;
    g_cond_signal(&run->ended);
    g_mutex_unlock(&run->mutex);
    return NULL;
}

static void
tell_progress(RefpointJob *job, const char *target, RfpCopy *copy)
{
    RefpointProgress progress = {.target = target};
    guint64 read = 0;

    if (job->progress == NULL)
        return;
    rfp_copy_progress(copy, &progress.done, &progress.total, &progress.final,
                      &read);
    job->progress(&progress, 1, job->progress_opaque);
}

static gboolean
run_copy(RefpointJob *job, const char *target, RfpCopy *copy, GError **error)
{
    Run run = {.copy = copy};
    GThread *thread = NULL;

    g_mutex_init(&run.mutex);
    g_cond_init(&run.ended);
    thread = g_thread_new("refpoint-view", run_thread, &run);
    g_mutex_lock(&run.mutex);
    while (!run.done)
        if (!g_cond_wait_until(&run.ended, &run.mutex,
                               g_get_monotonic_time() + PROGRESS_US))
            tell_progress(job, target, copy);
    g_mutex_unlock(&run.mutex);
    g_thread_join(thread);
    tell_progress(job, target, copy);
    g_mutex_clear(&run.mutex);
    g_cond_clear(&run.ended);
    if (!run.success)
        g_propagate_error(error, run.error);
    return run.success;
}

/* The digest of the first @size bytes of what is served. */
static gboolean
digest_view(RefpointJob *job,
            const char *target,
            const char *socket_path,
            guint64 size,
            guint8 *digest,
            GError **error)
{
    g_autoptr(RfpNbdSource) source =
        rfp_nbd_source_new(socket_path, "", NULL, STALL_MS);
    g_autofree guint8 *groups =
        g_malloc0(MAX(rfp_group_count(size), 1) * RFP_LEAF_SIZE);
    View view = {.size = size, .groups = groups};
    RfpCopyOptions options = {
        .size = size,
        .resized_from = size,
        .workers = WORKERS,
        .buffer = BUFFER,
        .name = target,
        .cancel = &job->cancel,
        .rate = &job->rate,
    };
    g_autoptr(RfpCopy) copy = NULL;
    guint64 served = 0;

    if (!rfp_nbd_source_probe(source, &job->cancel, &served, error))
        return FALSE;
    copy =
        rfp_copy_new(&rfp_nbd_source_ops, source, &view_ops, &view, &options);
    if (!run_copy(job, target, copy, error))
        return FALSE;
    rfp_digest_view(size, groups, digest);
    return TRUE;
}

/* ---- A restored disk ----------------------------------------------------- */

/* @had_bitmap: its image had one of the point's name already. */
static void
set_differs(const RfpImportPoint *point,
            const char *target,
            gboolean had_bitmap,
            GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("disk '%s' does not hold what it held at point '%s'"),
                  target, point->xml->name);
    rfp_error_add_object(error, target);
    rfp_error_add_way_out(
        error,
        had_bitmap
            ? _("restore it again, or name the point that it was restored "
                "from; a disk that was not restored, and has its bitmap: "
                "import without --restored")
            : _("restore it again, or name the point that it was "
                "restored from"));
}

/* One that came along with the image, and cannot be relied upon. */
static void
set_bitmap_in_the_way(const RfpImportPoint *point,
                      const RfpDomainDisk *disk,
                      GError **error)
{
    g_autofree char *path = rfp_text_shell(disk->source.path);
    g_autofree char *name = rfp_text_shell(point->xml->name);

    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the bitmap '%s' in the image of disk '%s' is broken"),
                  point->xml->name, disk->target);
    rfp_error_add_object(error, disk->target);
    rfp_error_add_way_out(error,
                          _("remove it, from the images below it too, with: "
                            "qemu-img bitmap --remove %s %s; then import "
                            "again"),
                          path, name);
}

static gboolean
check_content(RfpImport *import,
              const RfpImportPoint *point,
              const RfpManifestDisk *data,
              const RfpDomainDisk *disk,
              gboolean had_bitmap,
              GError **error)
{
    RfpOperation *operation = &import->operation;
    g_autoptr(RfpImageServer) server = NULL;
    g_autofree char *socket_path =
        rfp_socket_of_ours(operation->conn, point->in_set->manifest->guid,
                           error);
    guint8 view[RFP_LEAF_SIZE];

    if (socket_path == NULL ||
        !rfp_record_append(operation->record, error, RFP_STEP_SOCKET,
                           socket_path, NULL))
        return FALSE;
    server =
        rfp_image_server_start(disk->source.path, RFP_IMAGE_LOCKED, socket_path,
                               &operation->job->cancel, error);
    if (server == NULL || !digest_view(operation->job, data->target,
                                       socket_path, data->size, view, error))
        return FALSE;
    if (memcmp(view, data->view, RFP_LEAF_SIZE) == 0)
        return TRUE;
    set_differs(point, data->target, had_bitmap, error);
    return FALSE;
}

static gboolean
check_takes_bitmap(RfpImport *import, const RfpDomainDisk *disk, GError **error)
{
    RfpReason reason = rfp_tracking_refusal(import->operation.domain, disk);

    if (reason == RFP_REASON_NONE)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("disk '%s' cannot get a bitmap: %s"), disk->target,
                  rfp_plan_reason_text(reason));
    rfp_error_add_object(error, disk->target);
    return FALSE;
}

static gboolean
add_bitmap(RfpImport *import,
           const char *path,
           const char *name,
           GError **error)
{
    RfpRecord *record = import->operation.record;

    return rfp_record_append(record, error, RFP_STEP_BITMAP, path, name,
                             NULL) &&
           rfp_record_sync(record, error) &&
           rfp_image_bitmap_add(path, name, error);
}

/* The point's data of a disk, if that can be compared with its image, which has
 * the virtual size @size. */
static RfpManifestDisk *
find_data(const RfpImportPoint *point,
          const RfpDomainDisk *disk,
          guint64 size,
          gboolean had_bitmap,
          GError **error)
{
    RfpManifestDisk *data = rfp_manifest_vm_disk(point->vm, disk->target);

    if (disk->encrypted) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("disk '%s' is encrypted: it cannot be compared while "
                        "the domain is shut off"),
                      disk->target);
    } else if (data == NULL || data->mode == REFPOINT_MODE_LEFT_OUT) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' has no data of disk '%s' to compare it "
                        "with"),
                      point->xml->name, disk->target);
    } else if (size < data->size || size - data->size >= SECTOR) {
        set_differs(point, disk->target, had_bitmap, error);
        return NULL;
    } else {
        return data;
    }
    rfp_error_add_object(error, disk->target);
    return NULL;
}

/* Where the disk is now. *@made: it is another place than was known. */
static void
note_source(RfpImportPoint *point, RfpDomainDisk *disk, gboolean *made)
{
    RfpMetadataDisk *fact = rfp_metadata_point_disk(point->note, disk->target);

    rfp_domain_identify_source(&disk->source);
    if (fact == NULL || rfp_disk_source_equal(&fact->source, &disk->source))
        return;
    rfp_disk_source_clear(&fact->source);
    rfp_disk_source_copy(&disk->source, &fact->source);
    *made = TRUE;
}

/*
 * The bitmap comes first and the comparison after it: whoever writes from here
 * on, a guest that is started meanwhile too, either differs or is recorded. One
 * that the image has already says nothing of its content; one that only an
 * image below has records nothing of what is written into this one.
 */
static gboolean
restore_disk(RfpImport *import,
             RfpImportPoint *point,
             RfpDomainDisk *disk,
             gboolean *made,
             GError **error)
{
    const char *path = disk->source.path;
    const char *name = point->xml->name;
    RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
    RfpManifestDisk *data = NULL;
    gboolean in_top = FALSE;
    guint64 size = 0;

    if (!rfp_image_bitmap_look(path, name, &state, &in_top, &size, error))
        return FALSE;
    if (state == RFP_IMAGE_BITMAP_BROKEN) {
        set_bitmap_in_the_way(point, disk, error);
        return FALSE;
    }
    if (!in_top && !check_takes_bitmap(import, disk, error))
        return FALSE;
    data = find_data(point, disk, size, in_top, error);
    if (data == NULL ||
        !rfp_operation_begin(&import->operation, point->in_set->manifest->guid,
                             NULL, error) ||
        (!in_top && !add_bitmap(import, path, name, error)) ||
        !check_content(import, point, data, disk, in_top, error))
        return FALSE;
    *made = *made || !in_top;
    note_source(point, disk, made);
    return TRUE;
}

gboolean
rfp_import_restore_bitmaps(RfpImport *import,
                           RfpImportPoint *point,
                           gboolean *made,
                           GError **error)
{
    for (guint i = 0; i < point->xml->disks->len; i++) {
        RfpCheckpointDisk *tracked = g_ptr_array_index(point->xml->disks, i);
        RfpDomainDisk *disk = NULL;

        if (!tracked->tracked)
            continue;
        disk = find_image(import, point, tracked->target, error);
        if (disk == NULL || !restore_disk(import, point, disk, made, error))
            return FALSE;
    }
    return TRUE;
}
