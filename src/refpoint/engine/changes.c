/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changed since a point (refpoint.h): the frozen bitmap of a backup job
 * that is begun for it, and ended at once; or that of the job that keeps
 * another point's data, if it has the difference to this one. */
#include "base/extent.h"
#include "base/names.h"
#include "base/options.h"
#include "base/space.h"
#include "base/text.h"
#include "copy/nbd-source.h"
#include "operation/operation-lock.h"
#include "operation/operation-undo.h"
#include "virt/backup-xml.h"
#include "virt/qemu-process.h"
#include "virt/qemu-version.h"
#include "virt/sockets.h"

#include <inttypes.h>
#include <string.h>

/* A server that says nothing for so long is dead. */
#define SECTOR 512
#define STALL_MS (120 * 1000)

typedef struct {
    const RefpointChangesOptions *options; /* borrowed */
    RfpOperation operation;
    RfpDomainState state;
    RfpDomainXml *domain_xml;
    GPtrArray *checkpoints;
    RfpCheckpointXml *point; /* borrowed from @checkpoints */
    const char *target;      /* borrowed from @point */
    char *guid;              /* of this operation */
    char *socket_path;
    char *scratch;
    guint64 size; /* of the disk, bytes, before the job began */
} Changes;

void
refpoint_changes_free(RefpointChanges *changes)
{
    if (changes == NULL)
        return;
    g_free(changes->target);
    g_array_unref(changes->extents);
    g_free(changes);
}

/* ---- Point and disk ------------------------------------------------------ */

static gboolean
find_point(Changes *changes, GError **error)
{
    RfpDomain *domain = changes->operation.domain;
    RefpointReport *report = &changes->operation.job->report;

    g_clear_pointer(&changes->checkpoints, g_ptr_array_unref);
    changes->checkpoints = rfp_checkpoint_list(domain, FALSE, error);
    if (changes->checkpoints == NULL)
        return FALSE;
    changes->point = rfp_checkpoint_find(domain, changes->checkpoints,
                                         changes->options->point, error);
    if (changes->point == NULL)
        return FALSE;
    g_free(report->point_name);
    g_free(report->point_guid);
    report->point_name = g_strdup(changes->point->name);
    report->point_guid = rfp_checkpoint_guid(domain, changes->point);
    return TRUE;
}

/* The only disk that the point tracks; else *@n says how many there are. */
static RfpCheckpointDisk *
only_disk(RfpCheckpointXml *point, guint *n)
{
    RfpCheckpointDisk *only = NULL;

    *n = 0;
    for (guint i = 0; i < point->disks->len; i++) {
        RfpCheckpointDisk *disk = g_ptr_array_index(point->disks, i);

        if (disk->tracked && (*n)++ == 0)
            only = disk;
    }
    return *n == 1 ? only : NULL;
}

static gboolean
find_disk(Changes *changes, GError **error)
{
    const char *wanted = changes->options->target;
    const char *name = changes->point->name;
    guint n = 0;
    RfpCheckpointDisk *disk =
        wanted != NULL ? rfp_checkpoint_xml_disk(changes->point, wanted)
                       : only_disk(changes->point, &n);

    if (disk == NULL && wanted == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("point '%s' tracks %u disks: name one"), name, n);
        rfp_error_add_object(error, name);
        return FALSE;
    }
    if (disk == NULL || !disk->tracked) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("point '%s' does not track a disk '%s'"), name, wanted);
        rfp_error_add_object(error, wanted);
        return FALSE;
    }
    changes->target = disk->target;
    return TRUE;
}

/* Behind the look whether the domain is free: rfp_kept_may_drain() tells
 * why. */
static gboolean
check_bitmap(Changes *changes, GError **error)
{
    g_autofree char *target = g_strdup(changes->target);
    RfpCheckpointDisk *disk = NULL;

    if (!rfp_checkpoint_measure(changes->operation.domain, changes->point,
                                error))
        return FALSE;
    disk = rfp_checkpoint_xml_disk(changes->point, target);
    if (disk != NULL && disk->has_size) {
        changes->target = disk->target;
        return TRUE;
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("the bitmap of point '%s' on disk '%s' is missing or "
                    "broken"),
                  changes->point->name, target);
    rfp_error_add_object(error, target);
    rfp_error_add_way_out(error, _("what changed since is not known any "
                                   "more: take all of the disk, and make a "
                                   "new point"));
    return FALSE;
}

/* ---- The job ------------------------------------------------------------- */

/* A full scratch file system would stop the guest. */
static gboolean
check_scratch(Changes *changes, GError **error)
{
    RefpointConnection *conn = changes->operation.conn;
    RfpSpace space = {0};

    if (!rfp_connection_make_scratch(conn, conn->scratch_dir, error) ||
        !rfp_qemu_check_reach(conn, changes->operation.domain,
                              conn->scratch_dir, error) ||
        !rfp_space_of(conn->scratch_dir, &space, error))
        return FALSE;
    if (space.free >= rfp_space_reserve(&space))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("not enough room in '%s': %" PRIu64 " bytes are free"),
                  conn->scratch_dir, space.free);
    rfp_error_add_object(error, conn->scratch_dir);
    rfp_error_add_way_out(error, _("make room there"));
    return FALSE;
}

static gboolean
choose_files(Changes *changes, GError **error)
{
    RfpOperation *operation = &changes->operation;

    changes->guid = rfp_guid_new();
    changes->socket_path =
        rfp_socket_of_job(operation->conn, operation->domain, changes->state.id,
                          changes->guid, error);
    changes->scratch =
        g_strdup_printf("%s/%s-%s.qcow2", operation->conn->scratch_dir,
                        changes->guid, changes->target);
    return changes->socket_path != NULL && check_scratch(changes, error);
}

static gboolean
write_record(Changes *changes, GError **error)
{
    RfpOperation *operation = &changes->operation;
    RfpRecord *record = operation->record;

    return rfp_operation_begin(operation, changes->guid, NULL, error) &&
           (!changes->state.running ||
            rfp_record_append(record, error, RFP_STEP_RAN, NULL)) &&
           rfp_record_append(record, error, RFP_STEP_SOCKET,
                             changes->socket_path, NULL) &&
           rfp_record_append(record, error, RFP_STEP_SCRATCH, changes->scratch,
                             NULL) &&
           rfp_record_append(record, error, RFP_STEP_JOB, changes->socket_path,
                             NULL) &&
           rfp_record_sync(record, error);
}

static char *
format_backup(Changes *changes)
{
    RfpDomainDisk *encrypted =
        rfp_domain_xml_disk(changes->domain_xml, changes->target);
    const RfpBackupDisk disk = {
        .target = changes->target,
        .base = changes->point->name,
        .scratch = changes->scratch,
        .secret = encrypted != NULL ? encrypted->secret : NULL,
    };
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    for (guint i = 0; i < changes->domain_xml->disks->len; i++) {
        RfpDomainDisk *other = g_ptr_array_index(changes->domain_xml->disks, i);

        if (strcmp(other->target, changes->target) != 0)
            g_ptr_array_add(others, other->target);
    }
    g_ptr_array_add(others, NULL);
    return rfp_backup_xml_format(changes->socket_path, &disk, 1,
                                 (const char *const *)others->pdata);
}

static gboolean
remake_scratch(gpointer opaque, GError **error)
{
    Changes *changes = opaque;

    return rfp_scratch_make(changes->scratch, changes->size, error);
}

/* *@made: as rfp_origin_job_make_scratch(). */
static gboolean
make_scratch(Changes *changes, gboolean *made, GError **error)
{
    const RfpDomainDisk *disk =
        rfp_domain_xml_disk(changes->domain_xml, changes->target);
    guint64 allocation = 0;

    if (!rfp_domain_disk_size(changes->operation.domain, changes->target,
                              &changes->size, &allocation, error))
        return FALSE;
    *made =
        (disk == NULL || disk->secret == NULL) && changes->size % SECTOR == 0;
    return !*made || remake_scratch(changes, error);
}

static gboolean
begin(Changes *changes, GError **error)
{
    RfpOperation *operation = &changes->operation;
    g_autofree char *xml = format_backup(changes);
    gboolean made = FALSE;

    if (!write_record(changes, error) || !rfp_job_check(operation->job, error))
        return FALSE;
    if (!make_scratch(changes, &made, error))
        return FALSE;
    if (rfp_operation_begin_job(operation, xml, NULL,
                                made ? remake_scratch : NULL, changes, error))
        return TRUE;
    if (error != NULL && (*error)->code == REFPOINT_ERROR_NOT_AVAILABLE)
        (*error)->code = REFPOINT_ERROR_STATUS_UNKNOWN;
    return FALSE;
}

/* ---- The bitmap ---------------------------------------------------------- */

typedef struct {
    RfpExtents extents;
    guint max;
    guint64 end; /* what was looked at ends here */
} Walk;

static gboolean
add_extent(guint64 offset, guint64 length, gboolean dirty, gpointer opaque)
{
    Walk *walk = opaque;
    RfpExtents *extents = &walk->extents;
    const RfpExtent *last =
        extents->n > 0 ? &extents->items[extents->n - 1] : NULL;

    if (dirty && extents->n >= walk->max &&
        (last == NULL || last->offset + last->length != offset))
        return FALSE;
    if (dirty)
        rfp_extents_append(extents, offset, length);
    walk->end = offset + length;
    return TRUE;
}

static gboolean
clip_window(Changes *changes, RefpointChanges *result, GError **error)
{
    const RefpointChangesOptions *options = changes->options;

    if (options->offset > result->size) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("offset %" PRIu64 " is beyond the end of "
                        "disk '%s', %" PRIu64 " bytes"),
                      options->offset, changes->target, result->size);
        rfp_error_add_object(error, changes->target);
        return FALSE;
    }
    result->offset = options->offset;
    result->length = result->size - options->offset;
    if (options->length != 0)
        result->length = MIN(result->length, options->length);
    return TRUE;
}

static void
take_extents(RefpointChanges *result, const Walk *walk)
{
    result->processed = walk->end - result->offset;
    for (gsize i = 0; i < walk->extents.n; i++) {
        RefpointExtent extent = {
            .offset = walk->extents.items[i].offset,
            .length = walk->extents.items[i].length,
        };

        g_array_append_val(result->extents, extent);
    }
}

static gboolean
read_bitmap(Changes *changes, RefpointChanges *result, GError **error)
{
    guint max = changes->options->max_extents;
    g_autofree char *bitmap = g_strconcat("backup-", changes->target, NULL);
    g_autoptr(RfpNbdSource) source =
        rfp_nbd_source_new(changes->socket_path, changes->target, bitmap,
                           STALL_MS);
    gpointer connection = NULL;
    Walk walk = {.max = max ? MIN(max, REFPOINT_CHANGES_LIMIT)
                            : REFPOINT_CHANGES_DEFAULT};
    gboolean done = TRUE;

    rfp_nbd_source_share(source, &changes->operation.handshakes,
                         &changes->operation.conn->gate);
    if (!rfp_nbd_source_probe(source, &changes->operation.job->cancel,
                              &result->size, error) ||
        !clip_window(changes, result, error))
        return FALSE;
    walk.end = result->offset;
    if (result->length > 0) {
        connection =
            rfp_nbd_source_ops.open(source, &changes->operation.job->cancel,
                                    error);
        done = connection != NULL &&
               rfp_nbd_source_ops.map(connection, RFP_MAP_DIRTY, result->offset,
                                      result->length, add_extent, &walk, error);
        g_clear_pointer(&connection, rfp_nbd_source_ops.close);
    }
    if (done)
        take_extents(result, &walk);
    rfp_extents_clear(&walk.extents);
    return done;
}

/* ---- The whole ----------------------------------------------------------- */

static gboolean
read_domain(Changes *changes, GError **error)
{
    RfpOperation *operation = &changes->operation;
    g_autofree char *text = NULL;

    if (!rfp_operation_check_active(operation, &changes->state, error))
        return FALSE;
    text = rfp_domain_xml_text(operation->domain, FALSE, NULL, error);
    g_clear_pointer(&changes->domain_xml, rfp_domain_xml_free);
    if (text != NULL)
        changes->domain_xml = rfp_domain_xml_parse(text, error);
    return changes->domain_xml != NULL;
}

/* Exact as of the kept point, and nothing is begun for it. */
static gboolean
kept_has_it(Changes *changes)
{
    RfpOperation *operation = &changes->operation;
    const RfpKept *kept = operation->kept;
    const char *base = NULL;

    return kept != NULL && kept->ended == NULL &&
           rfp_kept_disk(kept, changes->target, &base) && base != NULL &&
           rfp_guid_equal(base, operation->job->report.point_guid);
}

static gboolean
check_served(Changes *changes, GError **error)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();

    g_ptr_array_add(targets, (char *)changes->target);
    return rfp_backup_job_check_served(changes->operation.domain,
                                       changes->socket_path, targets, TRUE,
                                       error);
}

/* Its bitmap is read from QEMU's NBD server. */
static gboolean
check_servable(Changes *changes, GError **error)
{
    RfpOperation *operation = &changes->operation;
    const RfpDomainDisk *disk =
        rfp_domain_xml_disk(changes->domain_xml, changes->target);

    if (disk == NULL || !disk->iothread ||
        rfp_qemu_version_at_least(operation->conn, operation->domain,
                                  changes->domain_xml) >= RFP_QEMU_IOTHREAD_NBD)
        return TRUE;
    rfp_qemu_set_unservable(operation->domain, changes->target,
                            _("nobody can read what changed on it"), error);
    rfp_error_add_way_out(error,
                          _("an export to a set with the base shows it: "
                            "virt-refpoint export %s DIRECTORY"),
                          operation->domain->shell_name);
    return FALSE;
}

/* What is kept needs no job of its own. */
static gboolean
is_free(gpointer opaque, GError **error)
{
    Changes *changes = opaque;

    return (!changes->operation.waited || read_domain(changes, error)) &&
           find_point(changes, error) && find_disk(changes, error) &&
           check_servable(changes, error) &&
           (kept_has_it(changes) ||
            rfp_operation_check_free(&changes->operation, error)) &&
           check_bitmap(changes, error);
}

static gboolean
run(Changes *changes, RefpointChanges *result, GError **error)
{
    RfpOperation *operation = &changes->operation;

    if (!read_domain(changes, error) ||
        !rfp_operation_lock_free(operation, is_free, changes, error))
        return FALSE;
    result->target = g_strdup(changes->target);
    if (kept_has_it(changes)) {
        changes->socket_path = g_strdup(operation->kept->socket_path);
        if (read_bitmap(changes, result, error) && check_served(changes, error))
            return TRUE;
        rfp_operation_explain(operation, error);
        return FALSE;
    }
    if (!rfp_operation_start_guard(operation, error) ||
        !choose_files(changes, error))
        return FALSE;
    if (begin(changes, error) && read_bitmap(changes, result, error) &&
        rfp_operation_end_job(operation, error))
        return operation->job_goes_on ||
               rfp_record_clear(operation->record, error);
    rfp_operation_explain(operation, error);
    rfp_operation_undo(operation, NULL);
    return FALSE;
}

static gboolean
check_options(const RefpointChangesOptions *options, GError **error)
{
    if (options->point != NULL && *options->point != '\0')
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("no point is named"));
    return FALSE;
}

static void
changes_clear(Changes *changes)
{
    rfp_operation_clear(&changes->operation);
    rfp_domain_xml_free(changes->domain_xml);
    if (changes->checkpoints != NULL)
        g_ptr_array_unref(changes->checkpoints);
    g_free(changes->guid);
    g_free(changes->socket_path);
    g_free(changes->scratch);
}

RefpointChanges *
refpoint_changes(RefpointConnection *conn,
                 const RefpointChangesOptions *given,
                 RefpointJob *job,
                 GError **error)
{
    RefpointChangesOptions options = {0};
    Changes changes = {.options = &options, .operation.guard.fd = -1};
    g_autoptr(RefpointChanges) result = g_new0(RefpointChanges, 1);
    g_autoptr(GError) local = NULL;
    gboolean done = FALSE;

    result->extents = g_array_new(FALSE, FALSE, sizeof(RefpointExtent));
    done = RFP_OPTIONS_TAKE(&options, given, &local) &&
           check_options(&options, &local) &&
           rfp_operation_open(&changes.operation, conn, options.domain, job,
                              &local) &&
           run(&changes, result, &local);
    changes_clear(&changes);
    rfp_job_end(job, done, &local);
    if (done)
        return g_steal_pointer(&result);
    g_propagate_error(error, g_steal_pointer(&local));
    return NULL;
}
