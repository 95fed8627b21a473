/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, bad storage:
 *
 *   HANG_ON     writes to files whose path has this in it do not come back
 *               while the file HANG_WHILE exists; HANG_WHILE.seen is made then
 *   FAIL_ON     writes to files whose path has this in it find no room, once
 *               another one hangs
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether the file of @fd is one that the variable @name means. */
static int
is_meant(int fd, const char *name)
{
    const char *part = getenv(name);
    char link[64];
    char path[PATH_MAX] = "";

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return part != NULL && readlink(link, path, sizeof(path) - 1) > 0 &&
           strstr(path, part) != NULL;
}

static int
exists(const char *path)
{
    return access(path, F_OK) == 0;
}

typedef ssize_t (*WriteFunc)(int, const void *, size_t, off_t);

ssize_t
pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    WriteFunc next = (WriteFunc)dlsym(RTLD_NEXT, "pwrite64");
    const char *hang = getenv("HANG_WHILE");
    char seen[PATH_MAX];

    snprintf(seen, sizeof(seen), "%s.seen", hang ? hang : "");
    if (hang != NULL && exists(hang) && is_meant(fd, "HANG_ON")) {
        close(open(seen, O_WRONLY | O_CREAT, 0666));
        while (exists(hang))
            usleep(10 * 1000);
    }
    if (hang != NULL && is_meant(fd, "FAIL_ON")) {
        while (!exists(seen))
            usleep(10 * 1000);
        errno = ENOSPC;
        return -1;
    }
    return next(fd, data, length, offset);
}

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite64(fd, data, length, offset);
}
