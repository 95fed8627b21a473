/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/verify-tree.h"
#include "base/text.h"
#include "set/set-points.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8
#define DISKS_PREFIX RFP_DISKS_DIR "/"

typedef struct {
    RfpVerify *verify;
    GHashTable *folders;  /* that hold what a manifest names */
    GHashTable *damaged;  /* of points without a manifest */
    GPtrArray *leftovers; /* paths */
} Tree;

static void
add_folders_of(GHashTable *folders, const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    while (strcmp(folder, ".") != 0 &&
           !g_hash_table_contains(folders, folder)) {
        char *parent = g_path_get_dirname(folder);

        g_hash_table_add(folders, folder);
        folder = parent;
    }
}

void
rfp_verify_add_names(GHashTable *named, const RfpSetPoint *point)
{
    g_hash_table_add(named,
                     g_build_filename(point->folder, RFP_MANIFEST_FILE, NULL));
    for (guint v = 0; point->manifest != NULL && v < point->manifest->vms->len;
         v++) {
        RfpManifestVm *vm = g_ptr_array_index(point->manifest->vms, v);

        for (guint i = 0; i < vm->files->len; i++) {
            RfpManifestFile *file = g_ptr_array_index(vm->files, i);

            g_hash_table_add(named, g_strdup(file->path));
        }
        for (guint i = 0; i < vm->disks->len; i++) {
            RfpManifestDisk *disk = g_ptr_array_index(vm->disks, i);

            if (disk->mode == REFPOINT_MODE_LEFT_OUT)
                continue;
            g_hash_table_add(named, g_strdup(disk->image));
            g_hash_table_add(named, g_strdup(disk->digests));
        }
    }
}

static void
walk(Tree *tree, int fd, const char *path, guint depth);

/* Folders without a file say nothing; below disks all are looked into. What
 * belongs to a damaged point is not known. */
static void
look_at_folder(Tree *tree,
               int parent,
               const char *name,
               const char *path,
               const struct stat *st,
               guint depth)
{
    /* That new files inherit the folder's group is no right of anybody: folders
     * take it over from the one that the set is made in. */
    const guint mode = st->st_mode & 07777 & ~(guint)S_ISGID;
    g_auto(RfpFd) fd = -1;
    gboolean known = g_hash_table_contains(tree->folders, path) ||
                     strcmp(path, RFP_DISKS_DIR) == 0 ||
                     g_str_has_prefix(path, DISKS_PREFIX);

    if (g_hash_table_contains(tree->damaged, path))
        return;
    if (!known || depth >= DEPTH_MAX) {
        g_ptr_array_add(tree->leftovers, g_strdup(path));
        return;
    }
    if (mode != 0700)
        rfp_verify_remark(tree->verify, path, RFP_FINDING_PERMISSIONS,
                          _("the folder's mode is %04o, not 0700"), mode);
    rfp_verify_owner(tree->verify, path, st);
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        walk(tree, fd, path, depth + 1);
}

static void
look_at(Tree *tree, int parent, const char *name, const char *path, guint depth)
{
    gboolean named = g_hash_table_contains(tree->verify->named, path) ||
                     strcmp(path, RFP_SET_FILE) == 0 ||
                     strcmp(path, RFP_FOLDERS_FILE) == 0;
    struct stat st;

    if (strcmp(path, "lost+found") == 0 ||
        fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISDIR(st.st_mode)) {
        look_at_folder(tree, parent, name, path, &st, depth);
        return;
    }
    if (named) /* has been reported where it is no file */
        return;
    if (S_ISREG(st.st_mode))
        g_ptr_array_add(tree->leftovers, g_strdup(path));
    else
        rfp_verify_damage(tree->verify, path, RFP_FINDING_LINK,
                          S_ISLNK(st.st_mode)
                              ? _("this is a link, a set has none")
                              : _("this is neither a file nor a folder"));
}

static void
walk(Tree *tree, int fd, const char *path, guint depth)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry = NULL;

    if (dir == NULL) {
        if (copy >= 0)
            close(copy);
        return;
    }
    rewinddir(dir);
    while (!rfp_verify_stopped(tree->verify) &&
           (entry = readdir(dir)) != NULL) {
        g_autofree char *below = NULL;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        below = *path != '\0' ? g_build_filename(path, entry->d_name, NULL)
                              : g_strdup(entry->d_name);
        look_at(tree, fd, entry->d_name, below, depth);
    }
    closedir(dir);
}

/* Whether somebody holds the set's lock; it is not taken. */
static gboolean
set_is_locked(RfpVerify *verify)
{
    g_auto(RfpFd) fd =
        rfp_files_open(&verify->set->folder, RFP_SET_FILE, O_RDONLY, NULL);
    struct flock lock = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_len = 1,
    };

    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
           lock.l_type != F_UNLCK;
}

/* What has been published since the points were read. *@newer becomes TRUE if
 * one of the points needs a newer program. */
static GHashTable *
read_names_again(RfpVerify *verify, gboolean *newer)
{
    GHashTable *named =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *damage = NULL;
    g_autoptr(RfpExportSet) set =
        rfp_export_set_inspect(verify->set->path, &damage, NULL);

    if (set != NULL && rfp_export_set_count_newer(set) > 0)
        *newer = TRUE;
    for (guint i = 0; set != NULL && i < set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(set->points, i);

        g_hash_table_add(named, g_strdup(point->folder));
        rfp_verify_add_names(named, point);
    }
    return named;
}

static void
report_leftovers(Tree *tree)
{
    g_autoptr(GHashTable) named = NULL;
    /* points whose files are not known */
    gboolean newer = rfp_export_set_count_newer(tree->verify->set) > 0;
    gboolean locked = FALSE;

    if (tree->leftovers->len == 0)
        return;
    named = read_names_again(tree->verify, &newer);
    locked = set_is_locked(tree->verify);
    for (guint i = 0; i < tree->leftovers->len; i++) {
        const char *path = g_ptr_array_index(tree->leftovers, i);

        if (g_hash_table_contains(named, path) ||
            (newer && g_str_has_prefix(path, DISKS_PREFIX)))
            continue;
        rfp_verify_remark(tree->verify, path, RFP_FINDING_LEFTOVER,
                          locked ? _("no point names it; an operation works on "
                                     "the set now, it may be writing it")
                                 : _("no point names it"));
    }
}

static void
walk_folder(Tree *tree, const char *folder)
{
    g_auto(RfpFd) fd = rfp_files_open(&tree->verify->set->folder, folder,
                                      O_RDONLY | O_DIRECTORY, NULL);

    if (fd >= 0)
        walk(tree, fd, folder, 1);
}

static void
find_folders(Tree *tree)
{
    RfpVerify *verify = tree->verify;
    GHashTableIter iter;
    gpointer path = NULL;

    g_hash_table_iter_init(&iter, verify->named);
    while (g_hash_table_iter_next(&iter, &path, NULL))
        add_folders_of(tree->folders, path);
    for (guint i = 0; i < verify->set->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(verify->set->points, i);

        if (point->manifest == NULL)
            g_hash_table_add(tree->damaged, point->folder);
    }
}

void
rfp_verify_tree(RfpVerify *verify)
{
    g_autoptr(GHashTable) folders =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) damaged = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) leftovers = g_ptr_array_new_with_free_func(g_free);
    Tree tree = {verify, folders, damaged, leftovers};

    find_folders(&tree);
    if (verify->whole)
        walk(&tree, verify->set->fd, "", 0);
    for (guint i = 0; !verify->whole && i < verify->points->len; i++) {
        RfpSetPoint *point = g_ptr_array_index(verify->points, i);

        if (point->manifest != NULL)
            walk_folder(&tree, point->folder);
    }
    report_leftovers(&tree);
}
