/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The points of domains: list, info, create, destroy (refpoint.h). */
#include "base/names.h"
#include "base/options.h"
#include "base/text.h"
#include "base/workers.h"
#include "export/keep.h"
#include "export/tracking.h"
#include "operation/operation-freeze.h"
#include "operation/operation-lock.h"
#include "operation/operation-turn.h"
#include "operation/operation-undo.h"

#include <stdlib.h>
#include <string.h>

/* How long a job that was aborted may take to go, and how often that is looked
 * at. */
#define ABORTED_US (5 * G_USEC_PER_SEC)
#define LOOK_US (100 * 1000)

/* ---- Looking ------------------------------------------------------------- */

static void
point_disk_free(gpointer data)
{
    RefpointPointDisk *disk = data;

    g_free(disk->target);
    g_free(disk);
}

void
refpoint_point_free(RefpointPoint *point)
{
    if (point == NULL)
        return;
    g_free(point->domain_name);
    g_free(point->domain_uuid);
    g_free(point->name);
    g_free(point->guid);
    g_free(point->parent);
    g_free(point->set_guid);
    g_ptr_array_unref(point->disks);
    g_free(point);
}

static RefpointBitmap
bitmap_of(const RfpCheckpointDisk *disk, gboolean sizes)
{
    if (!sizes)
        return REFPOINT_BITMAP_UNKNOWN;
    return disk->has_size ? REFPOINT_BITMAP_GOOD : REFPOINT_BITMAP_BROKEN;
}

static void
add_disks(RefpointPoint *point,
          const RfpCheckpointXml *checkpoint,
          gboolean sizes)
{
    for (guint i = 0; i < checkpoint->disks->len; i++) {
        RfpCheckpointDisk *disk = g_ptr_array_index(checkpoint->disks, i);
        RefpointPointDisk *copy = NULL;

        if (!disk->tracked)
            continue;
        copy = g_new0(RefpointPointDisk, 1);
        copy->target = g_strdup(disk->target);
        copy->bitmap = bitmap_of(disk, sizes);
        copy->changed = disk->changed;
        g_ptr_array_add(point->disks, copy);
    }
}

/* The description alone says which point it is; the metadata only adds to it. A
 * point with a set but without a note was made for it by an export. */
static RefpointPoint *
point_of(RfpDomain *domain,
         const RfpCheckpointXml *checkpoint,
         GPtrArray *notes,
         gboolean sizes)
{
    RefpointPoint *point = g_new0(RefpointPoint, 1);
    RfpMetadataPoint *note = NULL;

    point->domain_name = g_strdup(domain->name);
    point->domain_uuid = g_strdup(domain->uuid);
    point->name = g_strdup(checkpoint->name);
    point->guid = rfp_checkpoint_guid(domain, checkpoint);
    point->parent = g_strdup(checkpoint->parent);
    point->set_guid = g_strdup(checkpoint->set_guid);
    point->created = checkpoint->created;
    point->disks = g_ptr_array_new_with_free_func(point_disk_free);
    add_disks(point, checkpoint, sizes);
    note = rfp_metadata_find(notes, point->guid);
    if (checkpoint->guid == NULL)
        point->state = REFPOINT_STATE_FOREIGN;
    else if (note != NULL)
        point->state = note->state;
    else
        point->state = checkpoint->set_guid != NULL ? REFPOINT_STATE_PENDING
                                                    : REFPOINT_STATE_TRACKED;
    if (note != NULL) {
        point->consistency = note->consistency;
        point->held = note->held;
    }
    return point;
}

/* What is kept of the domain now; NULL also where the job is gone and nobody
 * has noticed yet. */
static RfpKept *
running_kept(RefpointConnection *conn, RfpDomain *domain)
{
    g_autoptr(RfpKept) kept =
        rfp_kept_load(conn->records_dir, domain->uuid, FALSE);
    gboolean runs = FALSE;

    if (kept == NULL || !rfp_kept_runs(domain, kept, &runs, NULL) || !runs)
        return NULL;
    /* as far as that is possible: this is only a look */
    rfp_guard_watch(conn, kept, NULL);
    return g_steal_pointer(&kept);
}

static void
add_kept(RefpointPoint *point, const RfpKept *kept)
{
    if (kept == NULL || !rfp_guid_equal(kept->guid, point->guid))
        return;
    point->keep = kept->keep;
    if (kept->until != 0)
        point->keep_until =
            g_get_real_time() / G_USEC_PER_SEC + (kept->until - rfp_kept_now());
    point->scratch_used = rfp_scratch_used(kept->record);
    point->scratch_max = kept->scratch_max;
}

/* @sizes: if it runs, and QEMU can be asked. Of a domain that was stopped
 * meanwhile all bitmaps seem to be gone. */
static GPtrArray *
list_domain(RefpointConnection *conn,
            RfpDomain *domain,
            gboolean sizes,
            GError **error)
{
    g_autoptr(GPtrArray) notes = rfp_metadata_load(domain, error);
    g_autoptr(GPtrArray) checkpoints = NULL;
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)refpoint_point_free);
    g_autoptr(RfpKept) kept = running_kept(conn, domain);
    RfpDomainState state = {0};

    if (notes == NULL || (sizes && !rfp_domain_state(domain, &state, error)))
        return NULL;
    sizes =
        sizes && state.active && rfp_kept_may_drain(conn->records_dir, domain);
    checkpoints = rfp_checkpoint_list(domain, sizes, error);
    if (checkpoints == NULL ||
        (sizes && !rfp_domain_state(domain, &state, error)))
        return NULL;
    for (guint i = 0; i < checkpoints->len; i++) {
        RefpointPoint *point =
            point_of(domain, g_ptr_array_index(checkpoints, i), notes,
                     sizes && state.active);

        add_kept(point, kept);
        g_ptr_array_add(list, point);
    }
    return g_steal_pointer(&list);
}

/* ---- Of all domains ------------------------------------------------------ */

/* One of them, for a thread. */
typedef struct {
    RefpointConnection *conn;
    RfpDomain *domain;
    GPtrArray *points; /* or NULL */
    GError *error;
} Listing;

static void
listing_free(gpointer opaque)
{
    Listing *listing = opaque;

    rfp_domain_free(listing->domain);
    if (listing->points != NULL)
        g_ptr_array_unref(listing->points);
    g_clear_error(&listing->error);
    g_free(listing);
}

static void
list_one(gpointer item)
{
    Listing *listing = item;

    listing->points =
        list_domain(listing->conn, listing->domain, FALSE, &listing->error);
}

/* NULL: nobody can tell. */
static GPtrArray *
find_domains(RefpointConnection *conn, GError **error)
{
    g_autoptr(GPtrArray) listings =
        g_ptr_array_new_with_free_func(listing_free);
    g_autoptr(GPtrArray) domains =
        rfp_domain_list(conn, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, NULL,
                        error);

    if (domains == NULL)
        return NULL;
    g_ptr_array_set_free_func(domains, NULL);
    for (guint i = 0; i < domains->len; i++) {
        Listing *listing = g_new0(Listing, 1);

        listing->conn = conn;
        listing->domain = g_ptr_array_index(domains, i);
        g_ptr_array_add(listings, listing);
    }
    return g_steal_pointer(&listings);
}

/* A domain that goes away while we look has no points. */
static GPtrArray *
list_all(RefpointConnection *conn, GError **error)
{
    g_autoptr(GPtrArray) points =
        g_ptr_array_new_with_free_func((GDestroyNotify)refpoint_point_free);
    g_autoptr(GPtrArray) listings = find_domains(conn, error);

    if (listings == NULL)
        return NULL;
    g_free(rfp_work(listings, list_one, 0));
    for (guint i = 0; i < listings->len; i++) {
        Listing *listing = g_ptr_array_index(listings, i);

        if (listing->points != NULL) {
            g_ptr_array_extend_and_steal(points,
                                         g_steal_pointer(&listing->points));
        } else if (rfp_error_libvirt_code(listing->error) !=
                   VIR_ERR_NO_DOMAIN) {
            g_propagate_error(error, g_steal_pointer(&listing->error));
            return NULL;
        }
    }
    return g_steal_pointer(&points);
}

GPtrArray *
refpoint_list(RefpointConnection *conn, const char *domain, GError **error)
{
    g_autoptr(RfpDomain) found = NULL;

    if (domain == NULL)
        return list_all(conn, error);
    found = rfp_domain_lookup(conn, domain, NULL, error);
    return found != NULL ? list_domain(conn, found, FALSE, error) : NULL;
}

/* FALSE: nobody can tell. TRUE, and NULL in *@point: there is none. */
static gboolean
look_for_point(RefpointConnection *conn,
               RfpDomain *domain,
               const char *name,
               gboolean sizes,
               RefpointPoint **point,
               GError **error)
{
    g_autoptr(GPtrArray) points = list_domain(conn, domain, sizes, error);

    *point = NULL;
    if (points == NULL)
        return FALSE;
    for (guint i = 0; *point == NULL && i < points->len; i++) {
        RefpointPoint *one = g_ptr_array_index(points, i);

        if (strcmp(one->name, name) == 0 || rfp_guid_equal(one->guid, name))
            *point = g_ptr_array_steal_index(points, i);
    }
    return TRUE;
}

static RefpointPoint *
find_point(RefpointConnection *conn,
           RfpDomain *domain,
           const char *name,
           gboolean sizes,
           GError **error)
{
    RefpointPoint *point = NULL;

    if (look_for_point(conn, domain, name, sizes, &point, error) &&
        point == NULL)
        rfp_checkpoint_set_unknown(domain, name, error);
    return point;
}

RefpointPoint *
refpoint_info(RefpointConnection *conn,
              const char *domain,
              const char *point,
              GError **error)
{
    g_autoptr(RfpDomain) found = rfp_domain_lookup(conn, domain, NULL, error);

    return found != NULL ? find_point(conn, found, point, TRUE, error) : NULL;
}

/* ---- Create -------------------------------------------------------------- */

typedef struct {
    RfpOperation operation;
    RfpDomainState state;
    RfpDomainXml *domain_xml;
    GPtrArray *tracked; /* RfpDomainDisk, borrowed from @domain_xml */
    char *guid;
    char *name;
    RefpointConsistency consistency;
} Create;

static gboolean
choose_name(Create *create, const char *wanted, GError **error)
{
    g_autoptr(RefpointPoint) there = NULL;

    create->guid = rfp_guid_new();
    create->name = wanted != NULL
                       ? g_strdup(wanted)
                       : rfp_name_default(g_get_real_time(), create->guid);
    if (!rfp_name_check(create->name, error) ||
        !look_for_point(create->operation.conn, create->operation.domain,
                        create->name, FALSE, &there, error))
        return FALSE;
    if (there == NULL)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("domain '%s' has a point '%s' already"),
                  create->operation.domain->name, create->name);
    rfp_error_add_object(error, create->name);
    rfp_error_add_way_out(error, _("choose another name"));
    return FALSE;
}

static gboolean
read_domain(Create *create, GError **error)
{
    RfpDomain *domain = create->operation.domain;
    g_autofree char *text = rfp_domain_xml_text(domain, FALSE, NULL, error);

    g_clear_pointer(&create->tracked, g_ptr_array_unref);
    g_clear_pointer(&create->domain_xml, rfp_domain_xml_free);
    if (text != NULL)
        create->domain_xml = rfp_domain_xml_parse(text, error);
    if (create->domain_xml == NULL)
        return FALSE;
    create->tracked = g_ptr_array_new();
    for (guint i = 0; i < create->domain_xml->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(create->domain_xml->disks, i);

        if (rfp_tracking_refusal(domain, disk) == RFP_REASON_NONE)
            g_ptr_array_add(create->tracked, disk);
    }
    if (create->tracked->len > 0)
        return TRUE;
    rfp_tracking_set_none(domain, create->domain_xml, error);
    return FALSE;
}

static char *
format_checkpoint(Create *create)
{
    g_autoptr(GPtrArray) targets = g_ptr_array_new();
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    for (guint i = 0; i < create->domain_xml->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(create->domain_xml->disks, i);

        g_ptr_array_add(g_ptr_array_find(create->tracked, disk, NULL) ? targets
                                                                      : others,
                        disk->target);
    }
    g_ptr_array_add(targets, NULL);
    g_ptr_array_add(others, NULL);
    return rfp_checkpoint_xml_format(create->name, create->guid, NULL,
                                     (const char *const *)targets->pdata,
                                     (const char *const *)others->pdata);
}

/* Sizes and sources at the point, so that an export of it can tell that
 * nothing was exchanged. */
static void
note(Create *create)
{
    RfpDomain *domain = create->operation.domain;
    RfpMetadataPoint *point =
        rfp_metadata_point_new(create->guid, create->name);
    guint64 size = 0;
    guint64 allocation = 0;

    point->state = REFPOINT_STATE_TRACKED;
    point->consistency = create->consistency;
    for (guint i = 0; i < create->tracked->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(create->tracked, i);

        if (!rfp_domain_disk_size(domain, disk->target, &size, &allocation,
                                  NULL))
            continue;
        rfp_domain_identify_source(&disk->source);
        rfp_metadata_point_add_disk(point, disk->target, size, &disk->source);
    }
    rfp_metadata_update(domain, NULL, point, NULL, NULL);
}

/* QEMU has the last word on what can be tracked. */
static gboolean
create_checkpoint(Create *create, GError **error)
{
    RfpDomain *domain = create->operation.domain;

    for (;;) {
        g_autofree char *xml = format_checkpoint(create);
        g_autoptr(GError) local = NULL;
        RfpDomainDisk *refused = NULL;

        if (rfp_checkpoint_create(domain, xml, &local))
            return TRUE;
        refused = rfp_tracking_refused(create->domain_xml, local);
        if (!g_ptr_array_remove(create->tracked, refused)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        if (create->tracked->len == 0) {
            rfp_tracking_set_none(domain, create->domain_xml, error);
            rfp_tracking_add_conversion(domain, refused, error);
            return FALSE;
        }
    }
}

static gboolean
make_checkpoint(Create *create, RefpointQuiesce quiesce, GError **error)
{
    RfpOperation *operation = &create->operation;
    RfpRecord *record = operation->record;
    gboolean made = FALSE;

    if (!rfp_operation_begin(operation, create->guid, NULL, error) ||
        !rfp_record_append(record, error, RFP_STEP_CHECKPOINT, create->name,
                           create->guid, NULL) ||
        !rfp_record_sync(record, error) ||
        !rfp_operation_freeze(operation, quiesce, &create->state,
                              &create->consistency, error))
        return FALSE;
    made = create_checkpoint(create, error);
    if (!rfp_operation_thaw(operation, &create->consistency,
                            made ? error : NULL))
        return FALSE;
    if (!made)
        rfp_tracking_explain_bitmap(operation->domain, create->domain_xml,
                                    create->name, error);
    return made && rfp_job_check(operation->job, error);
}

static gboolean
look(Create *create, GError **error)
{
    return rfp_operation_check_active(&create->operation, &create->state,
                                      error) &&
           read_domain(create, error);
}

static gboolean
is_free(gpointer opaque, GError **error)
{
    Create *create = opaque;

    return rfp_operation_check_free(&create->operation, error);
}

static gboolean
run_create(Create *create, const RefpointCreateOptions *options, GError **error)
{
    RfpOperation *operation = &create->operation;
    RefpointReport *report = &operation->job->report;

    if (!look(create, error) ||
        !rfp_operation_lock_free(operation, is_free, create, error) ||
        (operation->waited && !look(create, error)) ||
        !rfp_operation_start_guard(operation, error) ||
        !choose_name(create, options->name, error))
        return FALSE;
    if (!make_checkpoint(create, options->quiesce, error)) {
        rfp_operation_undo(operation, NULL);
        return FALSE;
    }
    note(create);
    report->changed = TRUE;
    report->point_name = g_strdup(create->name);
    report->point_guid = g_strdup(create->guid);
    report->consistency = create->consistency;
    create->operation.report->consistency = create->consistency;
    return rfp_record_clear(operation->record, error);
}

static gboolean
track_only(RefpointConnection *conn,
           const RefpointCreateOptions *options,
           RefpointJob *job,
           GError **error)
{
    Create create = {.operation.guard.fd = -1};
    gboolean done = rfp_operation_open(&create.operation, conn, options->domain,
                                       job, error) &&
                    run_create(&create, options, error);

    rfp_operation_clear(&create.operation);
    if (create.tracked != NULL)
        g_ptr_array_unref(create.tracked);
    rfp_domain_xml_free(create.domain_xml);
    g_free(create.guid);
    g_free(create.name);
    return done;
}

gboolean
refpoint_create(RefpointConnection *conn,
                const RefpointCreateOptions *given,
                RefpointJob *job,
                GError **error)
{
    RefpointCreateOptions options = {0};
    g_autoptr(GError) local = NULL;
    gboolean done = RFP_OPTIONS_TAKE(&options, given, &local) &&
                    (options.keep == REFPOINT_KEEP_NOTHING
                         ? track_only(conn, &options, job, &local)
                         : rfp_keep_create(conn, &options, job, &local));

    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}

/* ---- Destroy ------------------------------------------------------------- */

typedef gboolean (*PointFunc)(RfpOperation *operation,
                              const char *point,
                              GError **error);

/* An operation that needs nothing but the name of a point. */
static gboolean
run_on_point(RefpointConnection *conn,
             const char *domain,
             const char *point,
             PointFunc func,
             RefpointJob *job,
             GError **error)
{
    RfpOperation operation = {.guard.fd = -1};
    g_autoptr(GError) local = NULL;
    gboolean done = rfp_operation_open(&operation, conn, domain, job, &local) &&
                    func(&operation, point, &local);

    rfp_operation_clear(&operation);
    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}

/* libvirt itself lets a checkpoint be deleted beside the jobs of other
 * programs. One that was aborted goes a little later than the answer to that
 * comes. */
static gboolean
is_drainable(gpointer opaque, GError **error)
{
    RfpOperation *operation = opaque;
    gint64 end = g_get_monotonic_time() + ABORTED_US;
    gboolean may_drain = FALSE;

    while (!(may_drain = rfp_kept_may_drain(operation->conn->records_dir,
                                            operation->domain)) &&
           !rfp_job_cancelled(operation->job) && g_get_monotonic_time() < end)
        g_usleep(LOOK_US);
    return may_drain || rfp_operation_check_drain(operation, error);
}

static gboolean
run_destroy(RfpOperation *operation, const char *name, GError **error)
{
    RefpointReport *report = &operation->job->report;
    g_autoptr(RefpointPoint) point = NULL;
    g_autoptr(GError) local = NULL;
    gboolean kept = FALSE;

    if (!rfp_operation_lock_free(operation, is_drainable, operation, error))
        return FALSE;
    point = find_point(operation->conn, operation->domain, name, FALSE, error);
    if (point == NULL)
        return FALSE;
    report->point_name = g_strdup(point->name);
    report->point_guid = g_strdup(point->guid);
    kept = rfp_operation_keeps(operation, point->guid);
    if (kept && !rfp_undo_kept(operation->domain, operation->kept,
                               RFP_ENDED_REMOVED, error))
        return FALSE;
    if (!rfp_checkpoint_delete(operation->domain, point->name, point->guid,
                               error)) {
        rfp_error_add_way_out(error, _("a domain that is shut off must be "
                                       "started for it"));
        return FALSE;
    }
    report->changed = TRUE;
    g_ptr_array_add(report->destroyed, g_strdup(point->name));
    if (!rfp_metadata_update(operation->domain, NULL, NULL, point->guid,
                             &local)) {
        g_autoptr(RefpointFailure) failure = refpoint_failure_new(local);

        rfp_job_warn(operation->job, RFP_WARNING_METADATA_MISSING,
                     operation->domain->name, "%s", failure->message);
    }
    if (kept)
        rfp_operation_check_agent(operation);
    return TRUE;
}

gboolean
refpoint_destroy(RefpointConnection *conn,
                 const char *domain,
                 const char *point,
                 RefpointJob *job,
                 GError **error)
{
    return run_on_point(conn, domain, point, run_destroy, job, error);
}

/* ---- The data of a point ------------------------------------------------- */

static gboolean
run_remove(RfpOperation *operation, const char *name, GError **error)
{
    RefpointReport *report = &operation->job->report;
    g_autoptr(RefpointPoint) point = NULL;

    if (!rfp_operation_lock(operation, error))
        return FALSE;
    /* its checkpoint may be gone */
    report->changed = rfp_operation_keeps(operation, name);
    if (report->changed) {
        report->point_name = g_strdup(operation->kept->name);
        report->point_guid = g_strdup(operation->kept->guid);
        if (!rfp_undo_kept(operation->domain, operation->kept,
                           RFP_ENDED_REMOVED, error))
            return FALSE;
        rfp_operation_check_agent(operation);
        return TRUE;
    }
    point = find_point(operation->conn, operation->domain, name, FALSE, error);
    if (point == NULL)
        return FALSE;
    report->point_name = g_strdup(point->name);
    report->point_guid = g_strdup(point->guid);
    if (point->held || (operation->kept != NULL &&
                        rfp_guid_equal(operation->kept->guid, point->guid))) {
        rfp_operation_check_agent(operation);
        return TRUE;
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("point '%s' of domain '%s' has no data that could be "
                    "removed"),
                  point->name, operation->domain->name);
    rfp_error_add_object(error, point->name);
    rfp_error_add_way_out(error,
                          _("see whose data is kept with: virt-refpoint "
                            "list %s"),
                          operation->domain->shell_name);
    return FALSE;
}

gboolean
refpoint_remove_data(RefpointConnection *conn,
                     const char *domain,
                     const char *point,
                     RefpointJob *job,
                     GError **error)
{
    return run_on_point(conn, domain, point, run_remove, job, error);
}
