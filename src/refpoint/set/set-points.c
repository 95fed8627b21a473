/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-points.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* ---- A point ------------------------------------------------------------- */

void
rfp_set_point_free(gpointer data)
{
    RfpSetPoint *point = data;

    g_free(point->folder);
    rfp_manifest_free(point->manifest);
    g_free(point->damage);
    g_free(point->newer);
    g_free(point->newer_guid);
    g_free(point);
}

const char *
rfp_set_point_guid(const RfpSetPoint *point)
{
    return point->manifest != NULL ? point->manifest->guid : point->newer_guid;
}

guint64
rfp_set_point_sequence(const RfpSetPoint *point)
{
    return point->manifest != NULL ? point->manifest->sequence
                                   : point->newer_sequence;
}

RfpManifestVm *
rfp_set_point_vm(const RfpSetPoint *point, const char *vm_uuid)
{
    for (guint i = 0; point->manifest != NULL && i < point->manifest->vms->len;
         i++) {
        RfpManifestVm *vm = g_ptr_array_index(point->manifest->vms, i);

        if (rfp_guid_equal(vm->uuid, vm_uuid))
            return vm;
    }
    return NULL;
}

RefpointConsistency
rfp_set_point_consistency(const RfpSetPoint *point, const char *vm_uuid)
{
    const RfpManifestVm *vm = rfp_set_point_vm(point, vm_uuid);

    return vm != NULL && vm->consistency != REFPOINT_CONSISTENCY_UNKNOWN
               ? vm->consistency
               : point->manifest->consistency;
}

RfpManifestFile *
rfp_set_point_file(const RfpSetPoint *point,
                   const char *vm_uuid,
                   const char *role)
{
    const RfpManifestVm *vm = rfp_set_point_vm(point, vm_uuid);

    return vm != NULL ? rfp_manifest_vm_file(vm, role) : NULL;
}

RfpManifestDisk *
rfp_set_point_disk(const RfpSetPoint *point,
                   const char *vm_uuid,
                   const char *target)
{
    const RfpManifestVm *vm = rfp_set_point_vm(point, vm_uuid);
    RfpManifestDisk *disk =
        vm != NULL ? rfp_manifest_vm_disk(vm, target) : NULL;

    return disk != NULL && disk->mode != REFPOINT_MODE_LEFT_OUT ? disk : NULL;
}

/* ---- Loading ------------------------------------------------------------- */

/* Why @point has no manifest. @text: of its export.xml, or NULL. */
static void
set_problem(RfpSetPoint *point, const char *text, gsize length, GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);

    if (text == NULL || failure->cause != REFPOINT_ERROR_NOT_SUPPORTED) {
        point->damage = g_strdup(failure->message);
        return;
    }
    point->newer =
        g_strdup_printf("%s; %s", failure->message, failure->way_out);
    point->newer_guid = rfp_manifest_peek_guid(text, length);
    point->newer_sequence = rfp_manifest_peek_sequence(text, length);
}

static RfpSetPoint *
load_point(RfpExportSet *set, const char *folder)
{
    RfpSetPoint *point = g_new0(RfpSetPoint, 1);
    g_autofree char *path = g_build_filename(folder, RFP_MANIFEST_FILE, NULL);
    g_autofree char *what = g_build_filename(set->path, path, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;

    point->folder = g_strdup(folder);
    text =
        rfp_files_read(&set->folder, path, RFP_XML_SIZE_MAX, &length, &error);
    if (text != NULL) {
        rfp_sha256(text, length, point->sha256);
        point->manifest = rfp_manifest_parse(text, length, what, &error);
    }
    if (point->manifest != NULL && set->file != NULL &&
        !rfp_guid_equal(point->manifest->set_guid, set->file->guid)) {
        rfp_error_set(&error, REFPOINT_ERROR_FAILED,
                      _("'%s' belongs to another set"), what);
        set->strangers++;
        g_clear_pointer(&point->manifest, rfp_manifest_free);
    }
    if (error != NULL)
        set_problem(point, text, length, error);
    return point;
}

static gint
by_sequence(gconstpointer a, gconstpointer b)
{
    const RfpSetPoint *left = *(RfpSetPoint *const *)a;
    const RfpSetPoint *right = *(RfpSetPoint *const *)b;

    if (left->manifest == NULL || right->manifest == NULL)
        return (left->manifest == NULL) - (right->manifest == NULL);
    if (left->manifest->sequence != right->manifest->sequence)
        return left->manifest->sequence < right->manifest->sequence ? -1 : 1;
    return strcmp(left->folder, right->folder);
}

/* Two manifests of one GUID: a folder was copied. Which of them is right cannot
 * be known; the later in order counts as damaged. Equal numbers alone are no
 * damage: a point was made while the newest one's folder was away. */
static void
reject_doubles(RfpExportSet *set)
{
    g_autoptr(GHashTable) guids = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->manifest == NULL)
            continue;
        if (!g_hash_table_contains(guids, point->manifest->guid)) {
            g_hash_table_add(guids, point->manifest->guid);
            continue;
        }
        point->damage =
            g_strdup_printf(_("'%s/%s' has the GUID of another point"),
                            set->path, point->folder);
        g_clear_pointer(&point->manifest, rfp_manifest_free);
    }
}

static gboolean
is_point_folder(RfpExportSet *set, const char *name)
{
    struct stat st;

    return *name != '.' && strcmp(name, RFP_DISKS_DIR) != 0 &&
           strcmp(name, "lost+found") != 0 &&
           fstatat(set->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static void
forget_points(RfpExportSet *set)
{
    set->strangers = 0;
    g_hash_table_remove_all(set->proven);
    g_ptr_array_set_size(set->points, 0);
}

void
rfp_export_set_load_point(RfpExportSet *set, const char *folder)
{
    forget_points(set);
    if (strchr(folder, '/') == NULL && is_point_folder(set, folder))
        g_ptr_array_add(set->points, load_point(set, folder));
}

gboolean
rfp_export_set_load(RfpExportSet *set, GError **error)
{
    g_autoptr(GDir) dir = g_dir_open(set->path, 0, NULL);
    const char *name = NULL;

    if (dir == NULL) {
        rfp_error_set_path_errno(error, errno, _("cannot read '%s'"),
                                 set->path);
        return FALSE;
    }
    forget_points(set);
    while ((name = g_dir_read_name(dir)) != NULL) {
        if (!is_point_folder(set, name))
            continue;
        if (set->points->len >= RFP_SET_POINTS_MAX) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("'%s' has more than %d points"), set->path,
                          RFP_SET_POINTS_MAX);
            return FALSE;
        }
        g_ptr_array_add(set->points, load_point(set, name));
    }
    g_ptr_array_sort(set->points, by_sequence);
    reject_doubles(set);
    g_ptr_array_sort(set->points, by_sequence);
    return TRUE;
}

/* ---- Finding ------------------------------------------------------------- */

RfpSetPoint *
rfp_export_set_find(RfpExportSet *set, const char *guid)
{
    for (guint i = 0; i < set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->manifest != NULL &&
            rfp_guid_equal(point->manifest->guid, guid))
            return point;
    }
    return NULL;
}

RfpSetPoint *
rfp_export_set_resolve(RfpExportSet *set, const char *name)
{
    for (guint i = set->points->len; i > 0; i--) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i - 1);

        if (point->manifest != NULL &&
            strcmp(point->manifest->folder, name) == 0)
            return point;
    }
    return rfp_export_set_find(set, name);
}

const RfpSetPoint *
rfp_export_set_find_newer(const RfpExportSet *set, const char *guid)
{
    const RfpSetPoint *unknown = NULL;

    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (rfp_guid_equal(point->newer_guid, guid))
            return point;
        if (point->newer != NULL && point->newer_guid == NULL)
            unknown = point;
    }
    return unknown;
}

static gboolean
needs_newer(const RfpSetPoint *point, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED, "%s", point->newer);
    rfp_error_add_object(error, point->folder);
    return FALSE;
}

gboolean
rfp_export_set_has_vm(RfpExportSet *set, const char *vm_uuid)
{
    return rfp_guid_equal(set->file->vm_uuid, vm_uuid) ||
           rfp_export_set_newest_of(set, vm_uuid) != NULL;
}

gboolean
rfp_export_set_check_last_known(const RfpExportSet *set, GError **error)
{
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer != NULL &&
            (point->newer_guid == NULL || point->newer_sequence == 0))
            return needs_newer(point, error);
    }
    return TRUE;
}

gboolean
rfp_export_set_check_known(const RfpExportSet *set,
                           const char *name,
                           GError **error)
{
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer == NULL || (strcmp(point->folder, name) != 0 &&
                                     !rfp_guid_equal(point->newer_guid, name)))
            continue;
        return needs_newer(point, error);
    }
    return TRUE;
}

guint
rfp_export_set_count_newer(const RfpExportSet *set)
{
    guint n = 0;

    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        n += point->newer != NULL;
    }
    return n;
}

gboolean
rfp_export_set_is_strange(RfpExportSet *set)
{
    return set->strangers > 0 && rfp_export_set_newest(set) == NULL &&
           rfp_export_set_count_newer(set) == 0;
}

RfpSetPoint *
rfp_export_set_newest(RfpExportSet *set)
{
    RfpSetPoint *newest = NULL;

    for (guint i = 0; i < set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->manifest != NULL)
            newest = point;
    }
    return newest;
}

const RfpSetPoint *
rfp_export_set_last(RfpExportSet *set)
{
    const RfpSetPoint *last = rfp_export_set_newest(set);

    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer_guid != NULL &&
            point->newer_sequence >
                (last != NULL ? rfp_set_point_sequence(last) : 0))
            last = point;
    }
    return last;
}

RfpSetPoint *
rfp_export_set_newest_of(RfpExportSet *set, const char *vm_uuid)
{
    for (guint i = set->points->len; i > 0; i--) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i - 1);

        if (rfp_set_point_vm(point, vm_uuid) != NULL)
            return point;
    }
    return NULL;
}
