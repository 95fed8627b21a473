/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"
#include "base/options.h"
#include "base/text.h"
#include "base/xml.h"
#include "engine/import-disks.h"
#include "operation/operation-lock.h"
#include "operation/operation-undo.h"
#include "set/set-chain.h"
#include "set/set-points.h"

#include <string.h>

/* ---- A point of the set -------------------------------------------------- */

static void
import_point_free(RfpImportPoint *point)
{
    if (point == NULL)
        return;
    g_free(point->text);
    rfp_checkpoint_xml_free(point->xml);
    rfp_metadata_point_free(point->note);
    g_free(point);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpImportPoint, import_point_free)

/* The checkpoint's XML; nothing of it is looked at before its digest is. */
static char *
read_runtime(RfpImport *import, RfpSetPoint *point, GError **error)
{
    RfpManifestFile *file =
        rfp_set_point_file(point, import->operation.domain->uuid, "runtime");

    if (file == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("point '%s' had no checkpoint"),
                      point->manifest->folder);
        rfp_error_add_object(error, point->manifest->folder);
        return NULL;
    }
    return rfp_export_set_read_file(import->set, file, error);
}

/* The checkpoint must be the one that the manifest is about. */
static gboolean
check_identity(RfpImport *import, const RfpImportPoint *point, GError **error)
{
    const RfpManifest *manifest = point->in_set->manifest;
    g_autofree char *guid =
        rfp_checkpoint_guid(import->operation.domain, point->xml);

    if (rfp_guid_equal(guid, manifest->guid))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("the checkpoint of point '%s' is another one's"),
                  manifest->folder);
    rfp_error_add_object(error, manifest->folder);
    return FALSE;
}

/* A disk that was restored once has another source than the manifest says. */
static const RfpDiskSource *
known_source(RfpImport *import, const char *guid, const RfpManifestDisk *disk)
{
    const RfpMetadataDisk *known =
        rfp_metadata_point_disk(rfp_metadata_find(import->notes, guid),
                                disk->target);

    return known != NULL ? &known->source : &disk->source;
}

static void
make_note(RfpImport *import, RfpImportPoint *point)
{
    const RfpManifest *manifest = point->in_set->manifest;
    const RfpManifestVm *vm = point->vm;

    point->note = rfp_metadata_point_new(manifest->guid, point->xml->name);
    point->note->set_guid = g_strdup(import->set->file->guid);
    point->note->group_guid = g_strdup(import->set->file->group_guid);
    point->note->state = REFPOINT_STATE_PUBLISHED;
    point->note->consistency =
        rfp_set_point_consistency(point->in_set, vm->uuid);
    for (guint i = 0; i < vm->disks->len; i++) {
        RfpManifestDisk *disk = g_ptr_array_index(vm->disks, i);

        if (disk->mode != REFPOINT_MODE_LEFT_OUT && disk->tracked)
            rfp_metadata_point_add_disk(point->note, disk->target, disk->size,
                                        known_source(import, manifest->guid,
                                                     disk));
    }
}

static RfpImportPoint *
read_point(RfpImport *import, RfpSetPoint *set_point, GError **error)
{
    g_autoptr(RfpImportPoint) point = g_new0(RfpImportPoint, 1);

    point->in_set = set_point;
    point->vm = rfp_set_point_vm(set_point, import->operation.domain->uuid);
    point->text = read_runtime(import, set_point, error);
    if (point->text == NULL)
        return NULL;
    point->xml = rfp_checkpoint_xml_parse(point->text, error);
    if (point->xml == NULL || !check_identity(import, point, error))
        return NULL;
    make_note(import, point);
    return g_steal_pointer(&point);
}

/* ---- What is live -------------------------------------------------------- */

static gboolean
look_at_live(RfpImport *import, GError **error)
{
    RfpDomain *domain = import->operation.domain;
    g_autoptr(GPtrArray) list = rfp_checkpoint_list(domain, FALSE, error);

    if (list == NULL)
        return FALSE;
    import->live =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < list->len; i++) {
        RfpCheckpointXml *checkpoint = g_ptr_array_index(list, i);

        g_hash_table_insert(import->live, g_strdup(checkpoint->name),
                            rfp_checkpoint_guid(domain, checkpoint));
    }
    return TRUE;
}

static gboolean
is_live(RfpImport *import, const char *guid)
{
    GHashTableIter iter;
    gpointer found = NULL;

    g_hash_table_iter_init(&iter, import->live);
    while (g_hash_table_iter_next(&iter, NULL, &found))
        if (rfp_guid_equal(found, guid))
            return TRUE;
    return FALSE;
}

static gboolean
check_name_free(RfpImport *import, const RfpImportPoint *point, GError **error)
{
    const char *name = point->xml->name;

    if (!g_hash_table_contains(import->live, name))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("domain '%s' has another checkpoint of the name '%s'"),
                  import->operation.domain->name, name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error,
                          _("delete it, if nobody needs it: virt-refpoint "
                            "destroy %s %s; the next export is then full"),
                          import->operation.domain->shell_name, name);
    return FALSE;
}

/*
 * The nearest ancestor that lives, by the checkpoints in the set: libvirt takes
 * no parent that it does not know. Bitmaps do not depend on it.
 */
static char *
live_ancestor(RfpImport *import, const RfpImportPoint *point)
{
    g_autofree char *name = g_strdup(point->xml->parent);

    for (guint i = 0; name != NULL && i <= import->set->points->len; i++) {
        RfpSetPoint *in_set = rfp_export_set_resolve(import->set, name);
        const char *guid = g_hash_table_lookup(import->live, name);
        g_autoptr(RfpImportPoint) parent = NULL;

        if (guid != NULL &&
            (in_set == NULL || rfp_guid_equal(guid, in_set->manifest->guid)))
            return g_steal_pointer(&name);
        if (in_set != NULL)
            parent = read_point(import, in_set, NULL);
        g_free(name);
        name = parent != NULL ? g_strdup(parent->xml->parent) : NULL;
    }
    return NULL;
}

/* ---- One point ----------------------------------------------------------- */

static gboolean
redefine(RfpImport *import,
         const RfpImportPoint *point,
         gboolean *missing,
         GError **error)
{
    RfpOperation *operation = &import->operation;
    const char *name = point->xml->name;
    const char *guid = point->in_set->manifest->guid;
    g_autofree char *ancestor = live_ancestor(import, point);
    g_autofree char *xml =
        rfp_checkpoint_xml_rebuild(point->text, ancestor, error);
    g_autoptr(GError) local = NULL;

    if (xml == NULL)
        return FALSE;
    if (!rfp_operation_begin(operation, guid, NULL, error)) {
        import->stuck = TRUE;
        return FALSE;
    }
    if (!rfp_record_append(operation->record, error, RFP_STEP_REDEFINED, name,
                           guid, NULL) ||
        !rfp_record_sync(operation->record, error))
        return FALSE;
    if (rfp_checkpoint_redefine(operation->domain, xml, import->state.active,
                                &local)) {
        g_hash_table_insert(import->live, g_strdup(name), g_strdup(guid));
        return TRUE;
    }
    *missing = rfp_error_libvirt_code(local) == VIR_ERR_CHECKPOINT_INCONSISTENT;
    /* a disk that the domain does not have any more */
    if (rfp_error_libvirt_code(local) == VIR_ERR_CONFIG_UNSUPPORTED)
        local->code = REFPOINT_ERROR_INVALID_STATE;
    rfp_error_prefix(&local, _("cannot import point '%s'"), name);
    rfp_error_add_object(&local, name);
    if (*missing)
        rfp_import_add_missing_way_out(&local);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static void
note(RfpImport *import, RfpImportPoint *point)
{
    RfpOperation *operation = &import->operation;
    g_autoptr(GError) local = NULL;

    /* points of other tools have no entry */
    if (point->xml->guid != NULL &&
        !rfp_metadata_update(operation->domain, NULL,
                             g_steal_pointer(&point->note), NULL, &local)) {
        g_autoptr(RefpointFailure) failure = refpoint_failure_new(local);

        rfp_job_warn(operation->job, RFP_WARNING_METADATA_MISSING,
                     operation->domain->name, "%s", failure->message);
    }
    operation->job->report.changed = TRUE;
    g_ptr_array_add(operation->job->report.imported,
                    g_strdup(point->xml->name));
}

/* *@missing: its bitmaps are not there, and that is all. */
static gboolean
import_plain(RfpImport *import,
             RfpSetPoint *set_point,
             gboolean *missing,
             GError **error)
{
    g_autoptr(RfpImportPoint) point = NULL;

    *missing = FALSE;
    if (is_live(import, set_point->manifest->guid))
        return TRUE;
    point = read_point(import, set_point, error);
    if (point == NULL || !check_name_free(import, point, error) ||
        (!import->state.active &&
         !rfp_import_check_bitmaps(import, point, missing, error)) ||
        !redefine(import, point, missing, error))
        return FALSE;
    note(import, point);
    return TRUE;
}

/* libvirt may still have the checkpoint: the images came back without it. */
static gboolean
import_restored(RfpImport *import, RfpSetPoint *set_point, GError **error)
{
    g_autoptr(RfpImportPoint) point = read_point(import, set_point, error);
    gboolean live = is_live(import, set_point->manifest->guid);
    gboolean missing = FALSE;
    gboolean made = FALSE;

    if (point == NULL || (!live && !check_name_free(import, point, error)) ||
        !rfp_import_restore_bitmaps(import, point, &made, error) ||
        !rfp_import_check_bitmaps(import, point, &missing, error) ||
        (!live && !redefine(import, point, &missing, error)))
        return FALSE;
    if (made || !live)
        note(import, point);
    return TRUE;
}

/* ---- All of them --------------------------------------------------------- */

/* What has no bitmaps any more was let go, that is how it should be; what is
 * wrong with one does not keep the others. */
static void
warn_newer(const RfpImport *import, const RfpSetPoint *point)
{
    rfp_job_warn(import->operation.job, RFP_WARNING_NEWER_POINT, point->folder,
                 _("point '%s' is not imported: %s"), point->folder,
                 point->newer);
}

static gboolean
import_all(RfpImport *import, GError **error)
{
    RefpointJob *job = import->operation.job;
    const guint n_newer = rfp_export_set_count_newer(import->set);
    guint n_live = 0;

    for (guint i = 0; i < import->set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(import->set->points, i);
        gboolean missing = FALSE;
        g_autoptr(GError) local = NULL;
        g_autoptr(RefpointFailure) failure = NULL;

        if (!rfp_job_check(job, error))
            return FALSE;
        if (point->newer != NULL)
            warn_newer(import, point);
        if (point->manifest == NULL)
            continue;
        if (import_plain(import, point, &missing, &local)) {
            n_live++;
            continue;
        }
        if (import->stuck || (local->code != REFPOINT_ERROR_INVALID_STATE &&
                              local->code != REFPOINT_ERROR_FAILED)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        failure = refpoint_failure_new(local);
        if (!missing)
            rfp_job_warn(job, RFP_WARNING_NOT_IMPORTED, point->manifest->folder,
                         _("point '%s' is not imported: %s"),
                         point->manifest->folder, failure->message);
    }
    if (n_live > 0)
        return TRUE;
    rfp_error_set(error,
                  n_newer > 0 ? REFPOINT_ERROR_NOT_SUPPORTED
                              : REFPOINT_ERROR_INVALID_STATE,
                  _("the disks of domain '%s' have the bitmaps of no point of "
                    "the set"),
                  import->operation.domain->name);
    rfp_error_add_object(error, import->operation.domain->name);
    if (n_newer > 0)
        rfp_error_add_way_out(error, _("use a newer virt-refpoint"));
    else
        rfp_error_add_way_out(
            error, _("disks that were restored from the set: import "
                     "--restored, while the domain is shut off; else "
                     "export: it will be in full"));
    return FALSE;
}

static RfpSetPoint *
find_point(RfpImport *import, GError **error)
{
    const char *name = import->options->point;
    g_autofree char *directory = rfp_text_shell(import->set->path);
    RfpSetPoint *point = name != NULL
                             ? rfp_export_set_resolve(import->set, name)
                             : rfp_export_set_newest(import->set);

    if (point != NULL)
        return point;
    if (name != NULL && !rfp_export_set_check_known(import->set, name, error))
        return NULL;
    if (name != NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set '%s' has no point '%s'"), import->set->path,
                      name);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set '%s' has no point"), import->set->path);
    rfp_error_add_object(error, name != NULL ? name : import->set->path);
    rfp_error_add_way_out(error,
                          _("see what it has with: virt-refpoint "
                            "catalog %s"),
                          directory);
    return NULL;
}

static gboolean
import_points(RfpImport *import, GError **error)
{
    RefpointReport *report = &import->operation.job->report;
    gboolean missing = FALSE;
    RfpSetPoint *point = NULL;

    if (import->options->point == NULL && !import->options->restored)
        return import_all(import, error);
    point = find_point(import, error);
    if (point == NULL || !rfp_job_check(import->operation.job, error))
        return FALSE;
    report->point_name = g_strdup(point->manifest->folder);
    report->point_guid = g_strdup(point->manifest->guid);
    report->consistency = point->manifest->consistency;
    report->point_path =
        g_build_filename(import->set->path, point->folder, NULL);
    return import->options->restored
               ? import_restored(import, point, error)
               : import_plain(import, point, &missing, error);
}

/* ---- The whole ----------------------------------------------------------- */

static gboolean
open_set(RfpImport *import, GError **error)
{
    const RfpDomain *domain = import->operation.domain;

    RefpointReport *report = &import->operation.job->report;

    rfp_export_set_close(import->set);
    import->set = rfp_export_set_open(import->options->directory, error);
    if (import->set == NULL)
        return FALSE;
    g_free(report->set_guid);
    report->set_guid = g_strdup(import->set->file->guid);
    if (rfp_export_set_has_vm(import->set, domain->uuid))
        return TRUE;
    if (import->set->file->group_guid != NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set '%s' belongs to the group '%s' (%s), and no "
                        "point in it has '%s' (%s)"),
                      import->set->path, import->set->file->group_name,
                      import->set->file->group_guid, domain->name,
                      domain->uuid);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the set '%s' belongs to another VM, '%s' (%s), not "
                        "to '%s' (%s)"),
                      import->set->path, import->set->file->vm_name,
                      import->set->file->vm_uuid, domain->name, domain->uuid);
    rfp_error_add_object(error, import->set->path);
    rfp_error_add_way_out(error, _("define the domain with the UUID that it "
                                   "had"));
    return FALSE;
}

static gboolean
look_at_domain(RfpImport *import, GError **error)
{
    RfpOperation *operation = &import->operation;
    g_autofree char *text = NULL;

    if (!rfp_domain_state(operation->domain, &import->state, error))
        return FALSE;
    import->notes = rfp_metadata_load(operation->domain, error);
    if (import->notes == NULL)
        return FALSE;
    if (import->options->restored && import->state.active) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' runs: its disks cannot be compared with "
                        "a point"),
                      operation->domain->name);
        rfp_error_add_object(error, operation->domain->name);
        rfp_error_add_way_out(error, _("shut it off, restore its disks, and "
                                       "import before it is started"));
        return FALSE;
    }
    text = rfp_domain_xml_text(operation->domain, FALSE, NULL, error);
    if (text != NULL)
        import->domain_xml = rfp_domain_xml_parse(text, error);
    return import->domain_xml != NULL && look_at_live(import, error);
}

static gboolean
is_free(gpointer opaque, GError **error)
{
    RfpImport *import = opaque;

    return rfp_operation_check_free(&import->operation, error);
}

static gboolean
run(RfpImport *import, GError **error)
{
    RfpOperation *operation = &import->operation;

    if (!open_set(import, error) ||
        !rfp_operation_lock_free(operation, is_free, import, error) ||
        (operation->waited && !open_set(import, error)) ||
        !look_at_domain(import, error) ||
        !rfp_operation_start_guard(operation, error))
        return FALSE;
    if (!import_points(import, error)) {
        operation->job->report.changed = FALSE;
        g_ptr_array_set_size(operation->job->report.imported, 0);
        rfp_operation_undo(operation, NULL);
        return FALSE;
    }
    return rfp_record_clear(operation->record, error);
}

static gboolean
check_options(const RefpointImportOptions *options, GError **error)
{
    if (options->directory != NULL && *options->directory != '\0')
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("no directory is named"));
    return FALSE;
}

gboolean
refpoint_import(RefpointConnection *conn,
                const RefpointImportOptions *given,
                RefpointJob *job,
                GError **error)
{
    RefpointImportOptions options = {0};
    RfpImport import = {.options = &options, .operation.guard.fd = -1};
    g_autoptr(GError) local = NULL;
    gboolean done = RFP_OPTIONS_TAKE(&options, given, &local) &&
                    check_options(&options, &local) &&
                    rfp_operation_open(&import.operation, conn, options.domain,
                                       job, &local) &&
                    run(&import, &local);

    rfp_operation_clear(&import.operation);
    rfp_export_set_close(import.set);
    rfp_domain_xml_free(import.domain_xml);
    if (import.live != NULL)
        g_hash_table_unref(import.live);
    if (import.notes != NULL)
        g_ptr_array_unref(import.notes);
    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}
