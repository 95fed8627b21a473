/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program and its guard:
 *
 *   HOLD_THAW   while this file exists the program does not come to thaw;
 *               HOLD_THAW.seen is made then
 *   FULL        while this file exists the guard finds no room anywhere. Where
 *               FULL.late exists, too, a job that it is about to end comes to
 * its own end before: FULL.seen is made, and that is waited for UNLINKED what
 * the guard removes is written there
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

int
virDomainFSThaw(void *domain, const char **points, unsigned n, unsigned flags);

int
virDomainGetJobStats(void *domain, int *type, void *params, int *n, unsigned f);

static int
is_guard(void)
{
    return strcmp(program_invocation_short_name, "virt-refpoint-guard") == 0;
}

/* The path in the variable @name, and @suffix; in @path. */
static const char *
path_of(char *path, const char *name, const char *suffix)
{
    const char *value = getenv(name);

    snprintf(path, PATH_MAX, "%s%s", value ? value : "/nowhere", suffix);
    return path;
}

static int
is_there(const char *name, const char *suffix)
{
    char path[PATH_MAX];

    return access(path_of(path, name, suffix), F_OK) == 0;
}

static void
make(const char *name, const char *suffix)
{
    char path[PATH_MAX];

    close(open(path_of(path, name, suffix), O_WRONLY | O_CREAT, 0666));
}

int
virDomainFSThaw(void *domain, const char **points, unsigned n, unsigned flags)
{
    int (*next)(void *, const char **, unsigned, unsigned) =
        (int (*)(void *, const char **, unsigned,
                 unsigned))dlsym(RTLD_NEXT, "virDomainFSThaw");

    if (!is_guard() && is_there("HOLD_THAW", ""))
        make("HOLD_THAW", ".seen");
    while (!is_guard() && is_there("HOLD_THAW", ""))
        usleep(10 * 1000);
    return next(domain, points, n, flags);
}

static void
wait_for_end(void *domain)
{
    char *(*look)(void *, unsigned) =
        (char *(*)(void *, unsigned))dlsym(RTLD_DEFAULT,
                                           "virDomainBackupGetXMLDesc");
    char *xml = NULL;

    make("FULL", ".seen");
    while ((xml = look(domain, 0)) != NULL) {
        free(xml);
        usleep(10 * 1000);
    }
}

int
virDomainGetJobStats(void *domain, int *type, void *params, int *n, unsigned f)
{
    int (*next)(void *, int *, void *, int *, unsigned) =
        (int (*)(void *, int *, void *, int *,
                 unsigned))dlsym(RTLD_NEXT, "virDomainGetJobStats");

    if (is_guard() && is_there("FULL", "") && is_there("FULL", ".late"))
        wait_for_end(domain);
    return next(domain, type, params, n, f);
}

int
fstatvfs(int fd, struct statvfs *fs)
{
    int (*next)(int, struct statvfs *) =
        (int (*)(int, struct statvfs *))dlsym(RTLD_NEXT, "fstatvfs");
    int result = next(fd, fs);

    if (is_guard() && is_there("FULL", ""))
        fs->f_bfree = fs->f_bavail = 0;
    return result;
}

int
unlink(const char *file)
{
    int (*next)(const char *) =
        (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    char path[PATH_MAX];
    int fd = -1;

    if (is_guard() && getenv("UNLINKED") != NULL) {
        fd = open(path_of(path, "UNLINKED", ""),
                  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        dprintf(fd, "%s\n", file);
        close(fd);
    }
    return next(file);
}
