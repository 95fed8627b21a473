/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-publish.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

char *
rfp_export_set_image_path(RfpExportSet *set,
                          const char *folder,
                          const char *target,
                          const char *name,
                          const char *suffix,
                          GError **error)
{
    g_autofree char *dir =
        g_build_filename(RFP_DISKS_DIR, folder, target, NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.%s", dir, name, suffix);

    if (!rfp_files_make_dirs(&set->folder, dir, error))
        return NULL;
    if (rfp_export_set_has(set, path)) {
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
