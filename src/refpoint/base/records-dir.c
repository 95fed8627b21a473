/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/records-dir.h"
#include "base/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINK ".records"

/* What others could put there would be carried out as ours. */
static gboolean
is_ours_alone(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* NULL: there is no link, or it leads nowhere. */
static char *
linked(const char *runtime_dir)
{
    g_autofree char *link = g_build_filename(runtime_dir, LINK, NULL);
    g_autofree char *target =
        is_ours_alone(runtime_dir) ? g_file_read_link(link, NULL) : NULL;

    return target != NULL && g_path_is_absolute(target) && is_ours_alone(target)
               ? g_steal_pointer(&target)
               : NULL;
}

char *
rfp_records_dir_find(const char *runtime_dir, const char *own)
{
    char *found = linked(runtime_dir);

    return found != NULL ? found : g_strdup(own);
}

static gboolean
make_link(const char *runtime_dir, const char *own, GError **error)
{
    g_autofree char *link = g_build_filename(runtime_dir, LINK, NULL);

    /* one that leads nowhere: its records are gone */
    if (unlink(link) < 0 && errno != ENOENT) {
        rfp_error_set_errno(error, errno, _("cannot remove '%s'"), link);
        return FALSE;
    }
    if (symlink(own, link) < 0) {
        rfp_error_set_errno(error, errno, _("cannot write '%s'"), link);
        return FALSE;
    }
    return TRUE;
}

static char *
claim(const char *runtime_dir, const char *own, GError **error)
{
    g_auto(RfpFd) lock = -1;
    char *found = NULL;

    if (!rfp_make_dirs(runtime_dir, 0700, error))
        return NULL;
    /* two who come first at once must not take away each other's link */
    lock = open(runtime_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        rfp_error_set_errno(error, errno, _("cannot lock '%s'"), runtime_dir);
        return NULL;
    }
    found = linked(runtime_dir);
    if (found != NULL || !make_link(runtime_dir, own, error))
        return found;
    return rfp_records_dir_find(runtime_dir, own);
}

char *
rfp_records_dir_claim(const char *runtime_dir, const char *own, GError **error)
{
    char *dir = linked(runtime_dir);

    if (dir != NULL || !rfp_make_dirs(own, 0700, error))
        return dir;
    dir = claim(runtime_dir, own, error);
    if (dir == NULL)
        rfp_error_add_way_out(error, _("set XDG_RUNTIME_DIR to a folder of "
                                       "this user's that can be written to"));
    return dir;
}
