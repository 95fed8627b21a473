/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/export-set.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "set/seal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SET_FILE "set.xml"
#define SET_FILE_NEW ".set-"
#define FOLDERS_FILE "folders.xml"
#define DISKS_DIR "disks"
#define MANIFEST_FILE "export.xml"

/* ---- Opening ------------------------------------------------------------- */

static void
point_free(gpointer data)
{
    RfpSetPoint *point = data;

    g_free(point->folder);
    rfp_manifest_free(point->manifest);
    g_free(point->damage);
    g_free(point->newer);
    g_free(point->newer_guid);
    g_free(point);
}

void
rfp_export_set_close(RfpExportSet *set)
{
    if (set == NULL)
        return;
    rfp_fd_clear(&set->lock_fd);
    rfp_fd_clear(&set->fd);
    rfp_set_file_free(set->file);
    g_hash_table_unref(set->proven);
    g_ptr_array_unref(set->points);
    g_free(set->path);
    g_free(set);
}

/* The folder alone; -1 for @set->fd and errno left where it is missing. */
static RfpExportSet *
set_new(const char *directory)
{
    RfpExportSet *set = g_new0(RfpExportSet, 1);
    struct stat st;

    set->path = rfp_path_absolute(directory);
    set->lock_fd = -1;
    set->points = g_ptr_array_new_with_free_func(point_free);
    set->proven = g_hash_table_new(NULL, NULL);
    set->fd = open(set->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    set->folder.fd = set->fd;
    set->folder.shown = set->path;
    if (set->fd >= 0 && fstat(set->fd, &st) == 0)
        set->writable_by_others = (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    return set;
}

static gboolean
read_set_file(RfpExportSet *set, GError **error)
{
    g_autofree char *text = NULL;
    g_autofree char *what = g_build_filename(set->path, SET_FILE, NULL);
    gsize length = 0;

    text = rfp_files_read(&set->folder, SET_FILE, RFP_XML_SIZE_MAX, &length,
                          error);
    if (text == NULL)
        return FALSE;
    rfp_sha256(text, length, set->file_sha256);
    set->file = rfp_set_file_parse(text, length, what, error);
    return set->file != NULL;
}

static gboolean
has_file(const RfpExportSet *set, const char *name)
{
    return faccessat(set->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* "lost+found" counts as nothing, and so does what make_set_file() leaves when
 * it is interrupted. */
static gboolean
is_empty(const RfpExportSet *set)
{
    g_autoptr(GDir) dir = g_dir_open(set->path, 0, NULL);
    const char *name = NULL;

    if (dir == NULL)
        return FALSE;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (strcmp(name, "lost+found") != 0 &&
            !g_str_has_prefix(name, SET_FILE_NEW))
            return FALSE;
    return TRUE;
}

static void
not_a_set(const RfpExportSet *set, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' is no export set: it has no %s"), set->path,
                  SET_FILE);
    rfp_error_add_object(error, set->path);
    rfp_error_add_way_out(error,
                          _("name the directory that an export went to"));
}

/* The folder of a set, with a set.xml in it that has not been read. */
static RfpExportSet *
find_set(const char *directory, GError **error)
{
    g_autoptr(RfpExportSet) set = set_new(directory);

    if (set->fd < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot open the set '%s'"),
                                 set->path);
        rfp_error_add_object(error, set->path);
        return NULL;
    }
    if (!has_file(set, SET_FILE)) {
        not_a_set(set, error);
        return NULL;
    }
    return g_steal_pointer(&set);
}

RfpExportSet *
rfp_export_set_open(const char *directory, GError **error)
{
    g_autoptr(RfpExportSet) set = find_set(directory, error);

    if (set == NULL || !read_set_file(set, error) ||
        !rfp_export_set_load(set, error))
        return NULL;
    return g_steal_pointer(&set);
}

RfpExportSet *
rfp_export_set_inspect(const char *directory, char **damage, GError **error)
{
    g_autoptr(RfpExportSet) set = find_set(directory, error);
    g_autoptr(GError) problem = NULL;

    *damage = NULL;
    if (set == NULL)
        return NULL;
    if (!read_set_file(set, &problem)) {
        if (!g_error_matches(problem, REFPOINT_ERROR, REFPOINT_ERROR_FAILED)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return NULL;
        }
        rfp_error_make_plain(problem);
        *damage = g_strdup(problem->message);
    }
    if (!rfp_export_set_load(set, error)) {
        g_clear_pointer(damage, g_free);
        return NULL;
    }
    return g_steal_pointer(&set);
}

/* ---- The directory an export goes to ------------------------------------- */

static gboolean
check_owner(RfpExportSet *set, const char *uuid, GError **error)
{
    if (rfp_guid_equal(set->file->vm_uuid, uuid))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' holds the chain of another VM, '%s' (%s)"), set->path,
                  set->file->vm_name, set->file->vm_uuid);
    rfp_error_add_object(error, set->path);
    rfp_error_add_way_out(error, _("use a directory of its own for each VM"));
    return FALSE;
}

/* A missing directory can become a set if its parent is there. */
static gboolean
check_parent(const RfpExportSet *set, GError **error)
{
    g_autofree char *parent = g_path_get_dirname(set->path);
    g_autofree char *word = rfp_text_shell(parent);

    if (g_file_test(parent, G_FILE_TEST_IS_DIR)) {
        if (access(parent, W_OK | X_OK) == 0)
            return TRUE;
        rfp_error_set_path_errno(error, errno, _("cannot make '%s'"),
                                 set->path);
    } else {
        rfp_error_set_path_errno(error, ENOENT, _("cannot make '%s'"),
                                 set->path);
        rfp_error_add_way_out(error,
                              _("make its parent first, or mount what "
                                "should be there: mkdir -p %s"),
                              word);
    }
    rfp_error_add_object(error, set->path);
    return FALSE;
}

/* TRUE: *@fresh tells whether a set must still be made. */
static gboolean
examine(RfpExportSet *set, const char *uuid, gboolean *fresh, GError **error)
{
    *fresh = TRUE;
    if (set->fd < 0 && errno == ENOENT)
        return check_parent(set, error);
    if (set->fd < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot use '%s'"), set->path);
        rfp_error_add_object(error, set->path);
        return FALSE;
    }
    if (access(set->path, W_OK | X_OK) < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot write into '%s'"),
                                 set->path);
        rfp_error_add_object(error, set->path);
        return FALSE;
    }
    if (has_file(set, SET_FILE)) {
        *fresh = FALSE;
        return read_set_file(set, error) && check_owner(set, uuid, error);
    }
    if (is_empty(set))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' is not empty and no export set"), set->path);
    rfp_error_add_object(error, set->path);
    rfp_error_add_way_out(error, _("use an empty directory, or one that does "
                                   "not exist yet"));
    return FALSE;
}

static gboolean
set_file_damaged(const RfpExportSet *set, const char *what, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED, _("'%s/%s' is damaged: %s"),
                  set->path, SET_FILE, what);
    rfp_error_add_object(error, set->path);
    rfp_error_add_way_out(error, _("take the file from a copy of the set, or "
                                   "export to another directory"));
    return FALSE;
}

/* set.xml is never replaced: it is the one that the set's points were made
 * with, or it is damaged, and what it says of the set may be wrong. */
static gboolean
check_set_file(RfpExportSet *set, GError **error)
{
    if (rfp_export_set_is_strange(set))
        return set_file_damaged(set, _("no point of the set belongs to it"),
                                error);
    for (guint i = set->points->len; i > 0; i--) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i - 1);

        if (point->manifest == NULL || !point->manifest->vouches)
            continue;
        if (memcmp(point->manifest->set_file_sha256, set->file_sha256,
                   RFP_LEAF_SIZE) == 0)
            return TRUE;
        return set_file_damaged(set,
                                _("the newest point was made with another one"),
                                error);
    }
    return TRUE;
}

static gboolean
needs_newer(const RfpSetPoint *point, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED, "%s", point->newer);
    rfp_error_add_object(error, point->folder);
    return FALSE;
}

/* A new point names the one before it, which may be one that needs a newer
 * program. */
static gboolean
check_last_known(const RfpExportSet *set, GError **error)
{
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer != NULL &&
            (point->newer_guid == NULL || point->newer_sequence == 0))
            return needs_newer(point, error);
    }
    return TRUE;
}

/* Reads the points, to which one is to be added. */
static gboolean
load_to_add(RfpExportSet *set, GError **error)
{
    return rfp_export_set_load(set, error) && check_set_file(set, error) &&
           check_last_known(set, error);
}

RfpExportSet *
rfp_export_set_peek(const char *directory,
                    const char *uuid,
                    gboolean *fresh,
                    GError **error)
{
    g_autoptr(RfpExportSet) set = set_new(directory);

    if (!examine(set, uuid, fresh, error))
        return NULL;
    if (*fresh || !load_to_add(set, error))
        return NULL;
    return g_steal_pointer(&set);
}

static gboolean
make_directory(RfpExportSet **set, GError **error)
{
    g_autofree char *path = g_strdup((*set)->path);

    if ((*set)->fd >= 0)
        return TRUE;
    if (!rfp_make_dirs(path, 0700, error))
        return FALSE;
    rfp_export_set_close(*set);
    *set = set_new(path);
    if ((*set)->fd < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot open '%s'"), path);
        return FALSE;
    }
    return TRUE;
}

/* set.xml appears whole and once, whoever else tries: written under another
 * name, then linked. */
static gboolean
make_set_file(RfpExportSet *set,
              const char *uuid,
              const char *name,
              GError **error)
{
    g_autofree char *guid = rfp_guid_new();
    g_autofree char *hidden = g_strconcat(SET_FILE_NEW, guid, NULL);
    RfpSetFile file = {guid, (char *)uuid, (char *)name};
    g_autofree char *text = rfp_set_file_format(&file);
    gboolean linked = FALSE;

    if (!rfp_files_write(&set->folder, hidden, text, strlen(text), 0600, error))
        return FALSE;
    linked =
        linkat(set->fd, hidden, set->fd, SET_FILE, 0) == 0 || errno == EEXIST;
    /* no hard links there (vfat, some network file systems) */
    if (!linked && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS))
        linked = rfp_files_write(&set->folder, SET_FILE, text, strlen(text),
                                 0600, NULL) ||
                 errno == EEXIST;
    if (!linked)
        rfp_error_set_errno(error, errno, _("cannot make '%s/%s'"), set->path,
                            SET_FILE);
    unlinkat(set->fd, hidden, 0);
    return linked && rfp_files_sync_dir(&set->folder, ".", error);
}

static gboolean
take_lock(RfpExportSet *set, guint wait_ms, GError **error)
{
    set->lock_fd = rfp_files_open(&set->folder, SET_FILE, O_RDWR, error);
    if (set->lock_fd < 0)
        return FALSE;
    switch (rfp_files_lock(set->lock_fd, 0, wait_ms, set->path, error)) {
    case RFP_LOCK_TAKEN:
        return TRUE;
    case RFP_LOCK_BUSY:
        rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                      _("another virt-refpoint works on the set '%s'"),
                      set->path);
        rfp_error_add_object(error, set->path);
        rfp_error_add_way_out(error, _("wait until it ends"));
        return FALSE;
    case RFP_LOCK_FAILED:
        break;
    }
    return FALSE;
}

RfpExportSet *
rfp_export_set_prepare(const char *directory,
                       const char *uuid,
                       const char *name,
                       GError **error)
{
    g_autoptr(RfpExportSet) set = set_new(directory);
    gboolean fresh = FALSE;

    if (!examine(set, uuid, &fresh, error))
        return NULL;
    if (fresh) {
        if (!make_directory(&set, error) ||
            !make_set_file(set, uuid, name, error) ||
            !read_set_file(set, error) || !check_owner(set, uuid, error))
            return NULL;
    }
    if (!take_lock(set, 0, error) || !load_to_add(set, error))
        return NULL;
    return g_steal_pointer(&set);
}

RfpExportSet *
rfp_export_set_reopen(const char *path,
                      const char *guid,
                      guint wait_ms,
                      GError **error)
{
    g_autoptr(RfpExportSet) set = rfp_export_set_open(path, error);

    if (set == NULL)
        return NULL;
    if (!rfp_guid_equal(set->file->guid, guid)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("'%s' is another set than it was"), path);
        return NULL;
    }
    if (!take_lock(set, wait_ms, error) || !rfp_export_set_load(set, error))
        return NULL;
    return g_steal_pointer(&set);
}

/* ---- Points -------------------------------------------------------------- */

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
    g_autofree char *path = g_build_filename(folder, MANIFEST_FILE, NULL);
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

    return *name != '.' && strcmp(name, DISKS_DIR) != 0 &&
           strcmp(name, "lost+found") != 0 &&
           fstatat(set->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
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
    set->strangers = 0;
    g_hash_table_remove_all(set->proven);
    g_ptr_array_set_size(set->points, 0);
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

/* ---- A new point --------------------------------------------------------- */

static GHashTable *
new_folders(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* What the manifests say: UUID -> folder. */
static GHashTable *
folders_of_points(const RfpExportSet *set)
{
    GHashTable *folders = new_folders();

    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        for (guint v = 0;
             point->manifest != NULL && v < point->manifest->vms->len; v++) {
            RfpManifestVm *vm = g_ptr_array_index(point->manifest->vms, v);

            g_hash_table_insert(folders, g_strdup(vm->uuid),
                                g_strdup(vm->folder));
        }
    }
    return folders;
}

/* Whether all of @part stands in @folders, which may have more: a VM whose
 * first export failed. */
static gboolean
has_all(GHashTable *folders, GHashTable *part)
{
    GHashTableIter iter;
    gpointer uuid = NULL;
    gpointer folder = NULL;

    g_hash_table_iter_init(&iter, part);
    while (g_hash_table_iter_next(&iter, &uuid, &folder))
        if (g_strcmp0(g_hash_table_lookup(folders, uuid), folder) != 0)
            return FALSE;
    return TRUE;
}

/* NULL with no error: there is no such file. */
static GHashTable *
read_folders(RfpExportSet *set, RfpSeal *seal, GError **error)
{
    g_autofree char *what = g_build_filename(set->path, FOLDERS_FILE, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!has_file(set, FOLDERS_FILE))
        return NULL;
    text = rfp_files_read(&set->folder, FOLDERS_FILE, RFP_XML_SIZE_MAX, &length,
                          error);
    if (text == NULL)
        return NULL;
    *seal = rfp_seal_check(text, length);
    return rfp_folders_parse(text, length, what, error);
}

/* The manifests say all that folders.xml has to only if each of them can be
 * read. */
static gboolean
check_all_readable(const RfpExportSet *set, const char *why, GError **error)
{
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer == NULL)
            continue;
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("'%s/%s' cannot be made again (%s): point '%s' needs "
                        "a newer program"),
                      set->path, FOLDERS_FILE, why, point->folder);
        rfp_error_add_object(error, point->folder);
        rfp_error_add_way_out(error, _("use a newer virt-refpoint"));
        return FALSE;
    }
    return TRUE;
}

/*
 * A wrong folder would part the images of one disk, of which QEMU knows only
 * bare names. *@mended: why the manifests had to be asked. *@write: the file
 * must be made again, if only because it has no seal yet.
 */
static GHashTable *
find_folders(RfpExportSet *set, char **mended, gboolean *write, GError **error)
{
    g_autoptr(GHashTable) known = folders_of_points(set);
    g_autoptr(GError) local = NULL;
    const char *why = NULL;
    RfpSeal seal = RFP_SEAL_NONE;
    g_autoptr(GHashTable) folders = read_folders(set, &seal, &local);

    *write = seal != RFP_SEAL_GOOD;
    if (folders != NULL && has_all(folders, known))
        return g_steal_pointer(&folders);
    if (local != NULL &&
        !g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_FAILED)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    if (local != NULL)
        rfp_error_make_plain(local);
    why = local != NULL     ? local->message
          : folders != NULL ? _("it contradicts the manifests")
                            : _("it is missing");
    if (!check_all_readable(set, why, error))
        return NULL;
    if (local != NULL || folders != NULL || g_hash_table_size(known) > 0)
        *mended = g_strdup(why);
    *write = TRUE;
    return g_steal_pointer(&known);
}

static gboolean
replace_file(RfpExportSet *set,
             const char *name,
             const char *text,
             GError **error)
{
    g_autofree char *hidden = g_strconcat(".", name, ".new", NULL);

    if (!rfp_files_remove(&set->folder, hidden, error) ||
        !rfp_files_write(&set->folder, hidden, text, strlen(text), 0600, error))
        return FALSE;
    if (renameat(set->fd, hidden, set->fd, name) < 0) {
        rfp_error_set_errno(error, errno, _("cannot replace '%s/%s'"),
                            set->path, name);
        return FALSE;
    }
    return rfp_files_sync_dir(&set->folder, ".", error);
}

static gboolean
folder_taken(const char *folder, gpointer opaque)
{
    GHashTableIter iter;
    gpointer value = NULL;

    if (strcmp(folder, MANIFEST_FILE) == 0)
        return TRUE;
    g_hash_table_iter_init(&iter, opaque);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (strcmp(value, folder) == 0)
            return TRUE;
    return FALSE;
}

char *
rfp_export_set_vm_folder(RfpExportSet *set,
                         const char *uuid,
                         const char *name,
                         char **mended,
                         GError **error)
{
    gboolean write = FALSE;
    g_autofree char *why = NULL;
    g_autoptr(GHashTable) folders = find_folders(set, &why, &write, error);
    g_autofree char *text = NULL;
    char *folder = NULL;

    *mended = NULL;
    if (folders == NULL)
        return NULL;
    folder = g_strdup(g_hash_table_lookup(folders, uuid));
    if (folder == NULL) {
        folder = rfp_folder_name(name, uuid, folder_taken, folders);
        g_hash_table_insert(folders, g_strdup(uuid), g_strdup(folder));
        write = TRUE;
    }
    text = rfp_folders_format(folders);
    if (write && !replace_file(set, FOLDERS_FILE, text, error)) {
        g_free(folder);
        return NULL;
    }
    *mended = g_steal_pointer(&why);
    return folder;
}

char *
rfp_export_set_image_path(RfpExportSet *set,
                          const char *folder,
                          const char *target,
                          const char *name,
                          const char *suffix,
                          GError **error)
{
    g_autofree char *dir = g_build_filename(DISKS_DIR, folder, target, NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.%s", dir, name, suffix);

    if (!rfp_files_make_dirs(&set->folder, dir, error))
        return NULL;
    if (has_file(set, path)) {
        g_autofree char *word = rfp_text_shell(set->path);

        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("'%s/%s' is there already, though no point of the set "
                        "names it"),
                      set->path, path);
        rfp_error_add_way_out(error,
                              _("choose another name for the point; "
                                "see: virt-refpoint verify %s"),
                              word);
        return NULL;
    }
    return g_steal_pointer(&path);
}

char *
rfp_export_set_partial_name(const char *guid)
{
    return g_strdup_printf(".partial-%s", guid);
}

static int
rename_noreplace(int fd, const char *from, const char *to)
{
    if (renameat2(fd, from, fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    /* rename(2) replaces an empty folder at most, and the set is locked */
    if (faccessat(fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(fd, from, fd, to);
}

gboolean
rfp_export_set_publish(RfpExportSet *set,
                       const char *partial,
                       const char *name,
                       GError **error)
{
    if (rename_noreplace(set->fd, partial, name) < 0) {
        rfp_error_set_errno(error, errno, _("cannot publish the point '%s/%s'"),
                            set->path, name);
        return FALSE;
    }
    return TRUE;
}

/* A sync that failed once may succeed the next time with nothing written: it
 * has given up what it could not write. So there is a new change, which the
 * sync must write; it goes behind the former ones. */
gboolean
rfp_export_set_sync(RfpExportSet *set, GError **error)
{
    (void)!futimens(set->fd, NULL);
    if (fsync(set->fd) == 0)
        return TRUE;
    rfp_error_set_errno(error, errno, _("cannot sync the folder '%s'"),
                        set->path);
    return FALSE;
}
