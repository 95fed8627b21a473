/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/undo.h"
#include "base/names.h"
#include "base/text.h"
#include "image/image-bitmap.h"
#include "operation/scratch.h"
#include "set/set-points.h"
#include "set/set-publish.h"
#include "virt/agent.h"
#include "virt/backup-job.h"
#include "virt/metadata.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What the dead process sent is carried out within milliseconds; what waits for
 * another job's state lock within libvirt's 30 s. */
#define SETTLE_IDLE_US (800 * 1000)
#define SETTLE_BUSY_US (35 * G_USEC_PER_SEC)
#define SETTLE_POLL_US (50 * 1000)
/* libvirt says "shut off" so much later than it ceases to tell of a job. */
#define OFF_US (3 * G_USEC_PER_SEC)

#define THAW_TIMEOUT 5
#define SET_WAIT_MS 5000

/* ---- The host ------------------------------------------------------------ */

static gboolean
undo_freeze(RfpDomain *domain,
            RfpRecord *record,
            gboolean *frozen,
            GError **error)
{
    RfpDomainState state = {0};

    if (rfp_record_find(record, RFP_STEP_FREEZE) == NULL ||
        rfp_record_find(record, RFP_STEP_THAWED) != NULL)
        return TRUE;
    if (!rfp_domain_state(domain, &state, error))
        return FALSE;
    if (!state.active || rfp_agent_thaw(domain, THAW_TIMEOUT, NULL, error))
        return rfp_record_append(record, error, RFP_STEP_THAWED, NULL);
    if (frozen != NULL)
        *frozen = TRUE;
    return FALSE;
}

/* A guest that its administrator suspended has no such step; one that somebody
 * resumed meanwhile goes on. */
static gboolean
is_to_resume(const RfpRecord *record)
{
    return rfp_record_find(record, RFP_STEP_PAUSE) != NULL &&
           rfp_record_find(record, RFP_STEP_RESUMED) == NULL;
}

/* @may_come: the call that suspends it may be under way, so this is not the
 * end. */
static gboolean
undo_pause(RfpDomain *domain,
           RfpRecord *record,
           gboolean may_come,
           GError **error)
{
    RfpDomainState state = {0};

    if (!is_to_resume(record))
        return TRUE;
    return rfp_domain_state(domain, &state, error) &&
           (!state.paused || rfp_domain_resume(domain, error)) &&
           (may_come ||
            rfp_record_append(record, error, RFP_STEP_RESUMED, NULL));
}

/* Whatever the guest's state: libvirt has this call wait for one that suspends
 * it and is being carried out, and refuses it where there was none. */
static gboolean
undo_late_pause(RfpDomain *domain, RfpRecord *record, GError **error)
{
    g_autoptr(GError) local = NULL;

    if (!is_to_resume(record))
        return TRUE;
    if (!rfp_domain_resume(domain, &local) &&
        rfp_error_libvirt_code(local) != VIR_ERR_OPERATION_INVALID) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    return rfp_record_append(record, error, RFP_STEP_RESUMED, NULL);
}

/* Waits until what was under way when its caller died, the begin of a job or a
 * checkpoint of its own, has come out, one way or the other. */
static gboolean
wait_settled(RfpDomain *domain, const char *socket_path, GError **error)
{
    gint64 begin = g_get_monotonic_time();
    gint64 idle_since = begin;

    for (;;) {
        g_autoptr(GError) why = NULL;
        RfpJobState state = rfp_backup_job_state(domain, socket_path, &why);
        gint64 now = g_get_monotonic_time();

        if (state == RFP_JOB_RUNNING || state == RFP_JOB_ENDING)
            return TRUE;
        if (state != RFP_JOB_NONE)
            idle_since = now;
        else if (now - idle_since > SETTLE_IDLE_US)
            return TRUE;
        if (now - begin > SETTLE_BUSY_US && why == NULL)
            return TRUE;
        if (now - begin > SETTLE_BUSY_US) {
            g_propagate_error(error, g_steal_pointer(&why));
            return FALSE;
        }
        g_usleep(SETTLE_POLL_US);
    }
}

/* Whether the process may have died inside a call that changes the domain. */
static gboolean
may_be_under_way(const RfpRecord *record)
{
    return rfp_record_find(record, RFP_STEP_BEGUN) == NULL &&
           (rfp_record_find(record, RFP_STEP_JOB) != NULL ||
            rfp_record_find(record, RFP_STEP_CHECKPOINT) != NULL);
}

static gboolean
wake(RfpDomain *domain, RfpRecord *record, GError **error)
{
    RfpDomainState state = {0};

    if (rfp_record_find(record, RFP_STEP_RAN) == NULL)
        return TRUE;
    if (!rfp_domain_state(domain, &state, error))
        return FALSE;
    return !state.io_error || rfp_domain_resume(domain, error);
}

/* A domain that ends takes its job along, and libvirt cannot tell of that until
 * it is off. */
static gboolean
goes_off(RfpDomain *domain)
{
    gint64 end = g_get_monotonic_time() + OFF_US;
    RfpDomainState state = {0};
    gboolean known = FALSE;

    while ((known = rfp_domain_state(domain, &state, NULL)) && state.ending &&
           g_get_monotonic_time() < end)
        g_usleep(SETTLE_POLL_US);
    return known && !state.active;
}

static gboolean
end_job(RfpDomain *domain,
        const char *socket_path,
        gboolean *ended,
        GError **error)
{
    g_autoptr(GError) local = NULL;

    if (rfp_backup_job_end(domain, socket_path, ended, &local) ||
        goes_off(domain))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* *@ended, if not NULL: as rfp_backup_job_end() has it. */
static gboolean
undo_job(RfpDomain *domain,
         RfpRecord *record,
         gboolean settle,
         gboolean *ended,
         GError **error)
{
    const RfpStep *job = rfp_record_find(record, RFP_STEP_JOB);
    const char *socket_path = job != NULL ? job->args[0] : NULL;
    RfpDomainState state = {0};

    settle = settle && may_be_under_way(record);
    if (job == NULL && !settle)
        return TRUE;
    if (!rfp_domain_state(domain, &state, error))
        return FALSE;
    if (!state.active)
        return TRUE;
    if (settle && !wait_settled(domain, socket_path, error))
        return FALSE;
    return job == NULL || (end_job(domain, socket_path, ended, error) &&
                           wake(domain, record, error));
}

/* Socket and scratch files: made by QEMU and libvirt, in folders of ours or of
 * the domain. */
static gboolean
undo_files(RfpRecord *record, GError **error)
{
    for (guint i = 0; i < record->steps->len; i++) {
        RfpStep *step = g_ptr_array_index(record->steps, i);

        if (step->kind != RFP_STEP_SOCKET && step->kind != RFP_STEP_SCRATCH)
            continue;
        if (unlink(step->args[0]) < 0 && errno != ENOENT && errno != ENOTDIR) {
            rfp_error_set_errno(error, errno, _("cannot remove '%s'"),
                                step->args[0]);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
rfp_undo_job(RfpDomain *domain,
             RfpRecord *record,
             gboolean *ended,
             GError **error)
{
    *ended = FALSE;
    if (!undo_job(domain, record, FALSE, ended, error))
        return FALSE;
    if (*ended && rfp_scratch_is_pushed(record))
        *ended = rfp_backup_job_was_cut(domain);
    return !*ended || undo_files(record, error);
}

gboolean
rfp_undo_host(RfpDomain *domain,
              RfpRecord *record,
              gboolean settle,
              gboolean *frozen,
              GError **error)
{
    g_autoptr(GError) thaw_error = NULL;
    gboolean may_come = settle && may_be_under_way(record);
    gboolean thawed = undo_pause(domain, record, may_come, &thaw_error) &&
                      undo_freeze(domain, record, frozen, &thaw_error);

    /* a guest that cannot be thawed now must not keep its job too */
    if (!undo_job(domain, record, settle, NULL, error))
        return FALSE;
    /* by now what the dead process sent has begun to be carried out */
    thawed = thawed && undo_late_pause(domain, record, &thaw_error);
    if (!undo_files(record, error))
        return FALSE;
    if (!thawed)
        g_propagate_error(error, g_steal_pointer(&thaw_error));
    return thawed;
}

/* ---- The data ------------------------------------------------------------ */

/* While the domain runs, QEMU has the image and the bitmap: nothing refers to
 * it, so it stays. */
static gboolean
undo_bitmap(RfpDomain *domain, const RfpStep *step, GError **error)
{
    RfpDomainState state = {0};

    if (domain != NULL && !rfp_domain_state(domain, &state, error))
        return FALSE;
    return state.active ||
           rfp_image_bitmap_remove(step->args[0], step->args[1], error);
}

static gboolean
undo_step(RfpDomain *domain,
          const RfpStep *step,
          RfpExportSet *set,
          GError **error)
{
    switch (step->kind) {
    case RFP_STEP_CHECKPOINT:
        return domain == NULL || rfp_checkpoint_delete(domain, step->args[0],
                                                       step->args[1], error);
    case RFP_STEP_REDEFINED:
        return domain == NULL || rfp_checkpoint_forget(domain, step->args[0],
                                                       step->args[1], error);
    case RFP_STEP_BITMAP:
        return undo_bitmap(domain, step, error);
    case RFP_STEP_IMAGE:
    case RFP_STEP_FOLDER:
        return set == NULL ||
               rfp_files_remove(&set->folder, step->args[0], error);
    default:
        return TRUE;
    }
}

/* One that fails (the checkpoint of a domain that was shut off meanwhile) does
 * not keep the others; the record stays, and all of it is tried again. */
static gboolean
undo_data(RfpDomain *domain,
          RfpRecord *record,
          RfpExportSet *set,
          GError **error)
{
    gboolean done = TRUE;

    for (guint i = record->steps->len; i > 0; i--) {
        RfpStep *step = g_ptr_array_index(record->steps, i - 1);

        if (!undo_step(domain, step, set, done ? error : NULL))
            done = FALSE;
    }
    /* entries without a checkpoint go; a domain that will not have it changed
     * is no reason to fail, the next call does it */
    if (done && domain != NULL)
        rfp_metadata_update(domain, NULL, NULL, NULL, NULL);
    return done;
}

gboolean
rfp_undo_unpublished(RfpDomain *domain,
                     RfpRecord *record,
                     RfpExportSet *held,
                     GError **error)
{
    return (domain != NULL ? rfp_undo_host(domain, record, FALSE, NULL, error)
                           : undo_files(record, error)) &&
           undo_data(domain, record, held, error) &&
           rfp_record_clear(record, error);
}

gboolean
rfp_undo_kept(RfpDomain *domain, RfpKept *kept, const char *why, GError **error)
{
    if (kept->ended != NULL)
        return TRUE;
    if (domain != NULL && !undo_job(domain, kept->record, FALSE, NULL, error))
        return FALSE;
    /* a file that cannot be removed now must not keep the domain busy */
    undo_files(kept->record, NULL);
    return rfp_kept_note_ended(kept, why, error);
}

/* The data that was kept for the point's first export. */
static gboolean
release(RfpDomain *domain, const RfpRecord *record, GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);
    g_autofree char *records_dir = g_path_get_dirname(record->path);
    g_autoptr(RfpKept) kept = NULL;

    if (rfp_record_find(record, RFP_STEP_RELEASE) == NULL)
        return TRUE;
    kept = rfp_kept_load(records_dir, operation->args[1], TRUE);
    return kept == NULL || !rfp_guid_equal(kept->guid, operation->args[2]) ||
           rfp_undo_kept(domain, kept, RFP_ENDED_EXPORTED, error);
}

gboolean
rfp_undo_complete(RfpDomain *domain,
                  RfpRecord *record,
                  RefpointConsistency reached,
                  GPtrArray *destroyed,
                  GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);

    if (domain != NULL &&
        !rfp_metadata_publish(domain, operation->args[2], reached, error))
        return FALSE;
    for (guint i = 0; domain != NULL && i < record->steps->len; i++) {
        RfpStep *step = g_ptr_array_index(record->steps, i);

        if (step->kind != RFP_STEP_DESTROY)
            continue;
        if (!rfp_checkpoint_delete(domain, step->args[0], step->args[1], error))
            return FALSE;
        if (destroyed != NULL)
            g_ptr_array_add(destroyed, g_strdup(step->args[0]));
    }
    if (!release(domain, record, error))
        return FALSE;
    if (rfp_record_find(record, RFP_STEP_DESTROY) != NULL && domain != NULL)
        rfp_metadata_update(domain, NULL, NULL, NULL, NULL);
    return rfp_record_clear(record, error);
}

/* The operation's set: @held, or opened (then *@opened is to be closed). NULL
 * with no error: the operation has none. */
static RfpExportSet *
find_set(const RfpStep *operation,
         RfpExportSet *held,
         RfpExportSet **opened,
         GError **error)
{
    if (held != NULL || *operation->args[3] == '\0')
        return held;
    *opened = rfp_export_set_reopen(operation->args[3], operation->args[4],
                                    SET_WAIT_MS, error);
    return *opened;
}

/* Whether the operation was about to write an image of the point @folder. */
static gboolean
makes_images_of(const RfpRecord *record, const char *folder)
{
    g_autofree char *image = g_strconcat(folder, ".qcow2", NULL);

    for (guint i = 0; i < record->steps->len; i++) {
        const RfpStep *step = g_ptr_array_index(record->steps, i);
        g_autofree char *name = step->kind == RFP_STEP_IMAGE
                                    ? g_path_get_basename(step->args[0])
                                    : NULL;

        if (g_strcmp0(name, image) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A point whose manifest cannot be read has no GUID; that of one which needs a
 * newer program may be known. */
static gboolean
may_be_published(const RfpRecord *record, const RfpExportSet *set)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);

    if (rfp_export_set_find_newer(set, operation->args[2]) != NULL)
        return TRUE;
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->manifest == NULL && makes_images_of(record, point->folder))
            return TRUE;
    }
    return FALSE;
}

/* Whoever published it may have died before he knew whether it lasts. */
static gboolean
complete_published(RfpDomain *domain,
                   RfpRecord *record,
                   RfpExportSet *set,
                   const RfpSetPoint *point,
                   RfpUndone *undone,
                   GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);

    *undone = RFP_UNDO_UNSYNCED;
    if (!rfp_export_set_sync(set, NULL))
        return TRUE;
    *undone = RFP_UNDO_PUBLISHED;
    return rfp_undo_complete(domain, record,
                             rfp_set_point_consistency(point,
                                                       operation->args[1]),
                             NULL, error);
}

gboolean
rfp_undo_run(RfpDomain *domain,
             RfpRecord *record,
             RfpExportSet *held,
             gboolean settle,
             RfpUndone *undone,
             gboolean *frozen,
             GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);
    g_autoptr(RfpExportSet) opened = NULL;
    g_autoptr(GError) set_error = NULL;
    RfpExportSet *set = NULL;
    RfpSetPoint *point = NULL;

    *undone = RFP_UNDO_NOTHING;
    if (operation == NULL)
        return rfp_record_clear(record, error);
    if (domain != NULL ? !rfp_undo_host(domain, record, settle, frozen, error)
                       : !undo_files(record, error))
        return FALSE;
    *undone = RFP_UNDO_REMOVED;
    set = find_set(operation, held, &opened, &set_error);
    if (set_error != NULL) {
        *undone =
            g_error_matches(set_error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE)
                ? RFP_UNDO_BUSY
                : RFP_UNDO_ASIDE;
        return TRUE;
    }
    if (set != NULL && !rfp_export_set_load(set, error))
        return FALSE;
    if (set != NULL)
        point = rfp_export_set_find(set, operation->args[2]);
    if (point != NULL)
        return complete_published(domain, record, set, point, undone, error);
    if (set != NULL && may_be_published(record, set)) {
        *undone = RFP_UNDO_ASIDE;
        return TRUE;
    }
    return undo_data(domain, record, set, error) &&
           rfp_record_clear(record, error);
}

/* Whether there is a record that has something to undo in @set, where it lies.
 */
static gboolean
is_of_set(const RfpRecord *record, const RfpExportSet *set)
{
    const RfpStep *operation =
        record != NULL ? rfp_record_find(record, RFP_STEP_OPERATION) : NULL;

    return operation != NULL && strcmp(operation->args[3], set->path) == 0 &&
           rfp_guid_equal(operation->args[4], set->file->guid);
}

gboolean
rfp_undo_set(const char *records_dir,
             RfpExportSet *set,
             RfpUndone *undone,
             GError **error)
{
    const char *guid = set->file->guid;
    g_autoptr(RfpRecord) seen = rfp_record_peek_set(records_dir, guid);
    g_autoptr(RfpRecord) record = NULL;

    *undone = RFP_UNDO_NOTHING;
    if (!is_of_set(seen, set))
        return TRUE;
    record = rfp_record_open_set(records_dir, guid, 0, error);
    if (record == NULL)
        return FALSE;
    if (is_of_set(record, set) &&
        !rfp_undo_run(NULL, record, set, FALSE, undone, NULL, error))
        return FALSE;
    return record->steps->len > 0 || rfp_record_remove(record, error);
}
