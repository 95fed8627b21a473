/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/export-set.h"
#include "set/set-points.h"
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

#define SET_FILE_NEW ".set-"

/* ---- Opening ------------------------------------------------------------- */

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
    set->points = g_ptr_array_new_with_free_func(rfp_set_point_free);
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
    g_autofree char *what = g_build_filename(set->path, RFP_SET_FILE, NULL);
    gsize length = 0;

    text = rfp_files_read(&set->folder, RFP_SET_FILE, RFP_XML_SIZE_MAX, &length,
                          error);
    if (text == NULL)
        return FALSE;
    rfp_sha256(text, length, set->file_sha256);
    set->file = rfp_set_file_parse(text, length, what, error);
    return set->file != NULL;
}

gboolean
rfp_export_set_has(const RfpExportSet *set, const char *path)
{
    return faccessat(set->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
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
                  RFP_SET_FILE);
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
    if (!rfp_export_set_has(set, RFP_SET_FILE)) {
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
rfp_export_set_open_point(const char *directory,
                          const char *point,
                          GError **error)
{
    g_autoptr(RfpExportSet) set = find_set(directory, error);

    if (set == NULL || !read_set_file(set, error))
        return NULL;
    rfp_export_set_load_point(set, point);
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
is_owner(const RfpSetFile *file, const RfpSetOwner *owner)
{
    return rfp_guid_equal(owner->is_group ? file->group_guid : file->vm_uuid,
                          owner->guid);
}

/* One of a single VM never becomes a group's, or the reverse, by accident: the
 * group may have that VM as a member. */
static gboolean
check_owner(RfpExportSet *set, const RfpSetOwner *owner, GError **error)
{
    const RfpSetFile *file = set->file;

    if (is_owner(file, owner))
        return TRUE;
    if (file->group_guid != NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      owner->is_group
                          ? _("'%s' holds the chain of another group, '%s' "
                              "(%s)")
                          : _("'%s' holds the chain of a group, '%s' (%s), not "
                              "of a single VM"),
                      set->path, file->group_name, file->group_guid);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      owner->is_group
                          ? _("'%s' holds the chain of a single VM, '%s' (%s), "
                              "not of a group")
                          : _("'%s' holds the chain of another VM, '%s' (%s)"),
                      set->path, file->vm_name, file->vm_uuid);
    rfp_error_add_object(error, set->path);
    rfp_error_add_way_out(error, _("use a directory of its own for each VM, "
                                   "and for each group"));
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
examine(RfpExportSet *set,
        const RfpSetOwner *owner,
        gboolean *fresh,
        GError **error)
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
    if (rfp_export_set_has(set, RFP_SET_FILE)) {
        *fresh = FALSE;
        return read_set_file(set, error) && check_owner(set, owner, error);
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
                  set->path, RFP_SET_FILE, what);
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

/* Reads the points, to which one is to be added. */
static gboolean
load_to_add(RfpExportSet *set, GError **error)
{
    return rfp_export_set_load(set, error) && check_set_file(set, error) &&
           rfp_export_set_check_last_known(set, error);
}

RfpExportSet *
rfp_export_set_peek(const char *directory,
                    const RfpSetOwner *owner,
                    gboolean *fresh,
                    GError **error)
{
    g_autoptr(RfpExportSet) set = set_new(directory);

    if (!examine(set, owner, fresh, error))
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
make_set_file(RfpExportSet *set, const RfpSetOwner *owner, GError **error)
{
    g_autofree char *guid = rfp_guid_new();
    g_autofree char *hidden = g_strconcat(SET_FILE_NEW, guid, NULL);
    char *owner_guid = (char *)owner->guid;
    char *owner_name = (char *)owner->name;
    RfpSetFile file = {
        .guid = guid,
        .vm_uuid = owner->is_group ? NULL : owner_guid,
        .vm_name = owner->is_group ? NULL : owner_name,
        .group_guid = owner->is_group ? owner_guid : NULL,
        .group_name = owner->is_group ? owner_name : NULL,
    };
    g_autofree char *text = rfp_set_file_format(&file);
    gboolean linked = FALSE;

    if (!rfp_files_write(&set->folder, hidden, text, strlen(text), 0600, error))
        return FALSE;
    linked = linkat(set->fd, hidden, set->fd, RFP_SET_FILE, 0) == 0 ||
             errno == EEXIST;
    /* no hard links there (vfat, some network file systems) */
    if (!linked && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS))
        linked = rfp_files_write(&set->folder, RFP_SET_FILE, text, strlen(text),
                                 0600, NULL) ||
                 errno == EEXIST;
    if (!linked)
        rfp_error_set_errno(error, errno, _("cannot make '%s/%s'"), set->path,
                            RFP_SET_FILE);
    unlinkat(set->fd, hidden, 0);
    return linked && rfp_files_sync_dir(&set->folder, ".", error);
}

static gboolean
take_lock(RfpExportSet *set, guint wait_ms, GError **error)
{
    set->lock_fd = rfp_files_open(&set->folder, RFP_SET_FILE, O_RDWR, error);
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
                       const RfpSetOwner *owner,
                       GError **error)
{
    g_autoptr(RfpExportSet) set = set_new(directory);
    gboolean fresh = FALSE;

    if (!examine(set, owner, &fresh, error))
        return NULL;
    if (fresh) {
        if (!make_directory(&set, error) || !make_set_file(set, owner, error) ||
            !read_set_file(set, error) || !check_owner(set, owner, error))
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
