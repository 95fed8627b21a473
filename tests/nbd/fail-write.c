/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program, makes one of its calls fail, once:
 *
 *   FAIL_CALL   pwrite, ftruncate or fdatasync
 *   FAIL_AT     which of them, from 0
 *   FAIL_ERRNO  the error, or 0: a pwrite is short (the first half of it is
 *               written, and one byte at least)
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this call is the one. *@error: what with. */
static int
is_chosen(const char *name, int *error)
{
    const char *call = getenv("FAIL_CALL");
    const char *at = getenv("FAIL_AT");
    const char *number = getenv("FAIL_ERRNO");

    if (call == NULL || at == NULL || number == NULL ||
        strcmp(call, name) != 0 ||
        atomic_fetch_add(&calls, 1) != strtol(at, NULL, 10))
        return 0;
    *error = (int)strtol(number, NULL, 10);
    return 1;
}

typedef ssize_t (*WriteFunc)(int, const void *, size_t, off_t);

ssize_t
pwrite(int fd, const void *data, size_t length, off_t offset)
{
    WriteFunc next = (WriteFunc)dlsym(RTLD_NEXT, "pwrite64");
    int error = 0;

    if (!is_chosen("pwrite", &error))
        return next(fd, data, length, offset);
    if (error == 0)
        return next(fd, data, length > 8192 ? length / 8192 * 4096 : 1, offset);
    errno = error;
    return -1;
}

typedef int (*TruncateFunc)(int, off_t);

int
ftruncate(int fd, off_t length)
{
    TruncateFunc next = (TruncateFunc)dlsym(RTLD_NEXT, "ftruncate64");
    int error = 0;

    if (!is_chosen("ftruncate", &error))
        return next(fd, length);
    errno = error;
    return -1;
}

/* With 64-bit offsets by macro, the two above have these names already. */
#ifndef __USE_FILE_OFFSET64
ssize_t
pwrite64(int fd, const void *data, size_t length, off_t offset)
{
    return pwrite(fd, data, length, offset);
}

int
ftruncate64(int fd, off_t length)
{
    return ftruncate(fd, length);
}
#endif

typedef int (*SyncFunc)(int);

int
fdatasync(int fd)
{
    SyncFunc next = (SyncFunc)dlsym(RTLD_NEXT, "fdatasync");
    int error = 0;

    if (!is_chosen("fdatasync", &error))
        return next(fd);
    errno = error;
    return -1;
}
