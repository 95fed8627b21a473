/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/space.h"
#include "base/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/quota.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RESERVE_MIN ((guint64)1 << 30)

/* Bytes that the user's quota leaves; all where there is none. */
static guint64
quota_left(int fd)
{
#ifdef SYS_quotactl_fd
    struct dqblk quota = {0};
    guint64 limit = 0;

    /* unsigned: QCMD() shifts beyond an int */
    if (syscall(SYS_quotactl_fd, fd, QCMD((guint)Q_GETQUOTA, USRQUOTA),
                geteuid(), &quota) < 0)
        return G_MAXUINT64;
    limit = quota.dqb_bhardlimit * 1024;
    if (limit == 0)
        return G_MAXUINT64;
    return limit > quota.dqb_curspace ? limit - quota.dqb_curspace : 0;
#else
    (void)fd;
    return G_MAXUINT64;
#endif
}

static int
open_nearest(const char *path)
{
    g_autofree char *current = g_strdup(path);
    int fd = open(current, O_RDONLY | O_CLOEXEC);

    while (fd < 0 && errno == ENOENT && g_strcmp0(current, "/") != 0 &&
           g_strcmp0(current, ".") != 0) {
        char *parent = g_path_get_dirname(current);

        g_free(current);
        current = parent;
        fd = open(current, O_RDONLY | O_CLOEXEC);
    }
    return fd;
}

gboolean
rfp_space_of(const char *path, RfpSpace *space, GError **error)
{
    g_auto(RfpFd) fd = open_nearest(path);
    struct statvfs fs;
    struct stat st;

    if (fd < 0 || fstatvfs(fd, &fs) < 0 || fstat(fd, &st) < 0) {
        rfp_error_set_path_errno(error, errno,
                                 _("cannot ask for the free space of '%s'"),
                                 path);
        return FALSE;
    }
    space->total = (guint64)fs.f_blocks * fs.f_frsize;
    space->free =
        (guint64)(geteuid() == 0 ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    space->free = MIN(space->free, quota_left(fd));
    space->device = st.st_dev;
    return TRUE;
}

guint64
rfp_space_reserve(const RfpSpace *space)
{
    return MAX(RESERVE_MIN, space->total / 20);
}
