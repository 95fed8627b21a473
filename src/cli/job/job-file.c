/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-file.h"

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int
job_file_open(int folder, const char *name, int flags)
{
    int fd =
        openat(folder, name,
               flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);
    struct stat info;

    if (fd < 0)
        return -1;
    if (fstat(fd, &info) < 0 || info.st_uid != geteuid() ||
        !((flags & O_DIRECTORY) != 0 ? S_ISDIR(info.st_mode)
                                     : S_ISREG(info.st_mode))) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    return fd;
}

char *
job_file_read(int folder, const char *name, gsize max, gsize *length)
{
    int fd = job_file_open(folder, name, O_RDONLY);
    g_autoptr(GString) text = g_string_new(NULL);
    char part[16384];
    ssize_t n = 0;

    if (fd < 0)
        return NULL;
    while (text->len <= max && (n = read(fd, part, sizeof(part))) > 0)
        g_string_append_len(text, part, n);
    close(fd);
    if (n < 0 || text->len > max)
        return NULL;
    *length = text->len;
    return g_string_free(g_steal_pointer(&text), FALSE);
}

gboolean
job_file_replace(int folder,
                 const char *name,
                 const char *temporary,
                 const char *text,
                 gsize length,
                 gboolean durable)
{
    int fd = job_file_open(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC);
    gboolean written;
    int errnum;

    if (fd < 0)
        return FALSE;
    written = output_write(fd, text, length) && (!durable || fsync(fd) == 0);
    errnum = errno;
    close(fd);
    errno = errnum;
    return written && renameat(folder, temporary, folder, name) == 0 &&
           (!durable || fsync(folder) == 0);
}

static struct flock
lock_of(JobLock which)
{
    return (struct flock){.l_type = F_WRLCK,
                          .l_whence = SEEK_SET,
                          .l_start = which,
                          .l_len = 1};
}

gboolean
job_file_lock(int fd, JobLock which)
{
    struct flock lock = lock_of(which);

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

gboolean
job_file_is_locked(int fd, JobLock which)
{
    struct flock lock = lock_of(which);

    return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
