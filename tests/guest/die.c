/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into virt-refpoint: it is killed before its call number DIE_AT.
 * What counts is what changes or syncs files below the directories DIE_UNDER (a
 * list with colons), or a domain; whichever thread does it. Images count once
 * for each megabyte. All calls are noted in the file DIE_LOG, the one that was
 * not made any more is the last. DIE_ONLY, if not empty: only calls of that
 * name count. DIE_SIGNAL, a number: another one than that of SIGKILL. The
 * guard, which inherits this, lives on.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_long n_calls;
static atomic_int log_fd = -1;

static int
is_meant(void)
{
    return strcmp(program_invocation_short_name, "virt-refpoint") == 0;
}

static int
is_under(const char *path)
{
    const char *dir = getenv("DIE_UNDER");

    while (dir != NULL && *dir != '\0') {
        size_t n = strcspn(dir, ":");

        if (strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return 1;
        dir += n + (dir[n] == ':');
    }
    return 0;
}

static void
count(const char *what, const char *on)
{
    const long at = atol(getenv("DIE_AT"));
    const char *another = getenv("DIE_SIGNAL");
    const char *only = getenv("DIE_ONLY");
    long number = 0;
    char line[5000];
    int n = 0;

    if (only != NULL && *only != '\0' && strcmp(what, only) != 0)
        return;
    if (log_fd < 0) {
        int none = -1;
        int fd = open(getenv("DIE_LOG"),
                      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        if (fd < 0)
            abort();
        if (!atomic_compare_exchange_strong(&log_fd, &none, fd))
            close(fd);
    }
    number = atomic_fetch_add(&n_calls, 1) + 1;
    n = snprintf(line, sizeof(line), "%ld %s %s\n", number, what, on);
    if (NEXT(write)(log_fd, line, (size_t)n) != n)
        abort();
    if (number == at)
        kill(getpid(), another != NULL ? atoi(another) : SIGKILL);
}

static void
count_path(const char *what, const char *path)
{
    const int kept = errno;

    if (is_meant() && is_under(path))
        count(what, path);
    errno = kept;
}

/* Of a path below @dir. */
static void
count_at(const char *what, int dir, const char *path)
{
    const int kept = errno;
    char link[64];
    char whole[8200] = "";
    ssize_t n = 0;

    if (!is_meant())
        return;
    if (dir != AT_FDCWD && path[0] != '/') {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir);
        n = readlink(link, whole, 4096);
    }
    n = n > 0 ? n : 0;
    snprintf(whole + n, sizeof(whole) - (size_t)n, "%s%s", n > 0 ? "/" : "",
             path);
    count_path(what, whole);
    errno = kept;
}

static void
count_fd(const char *what, int fd)
{
    char link[64];
    char path[4096] = "";
    const int kept = errno;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if (is_meant() && readlink(link, path, sizeof(path) - 1) > 0)
        count_path(what, path);
    errno = kept;
}

static void
count_domain(const char *what, virDomainPtr domain)
{
    if (is_meant())
        count(what, virDomainGetName(domain));
}

/* ---- Files --------------------------------------------------------------- */

ssize_t
write(int fd, const void *data, size_t size)
{
    count_fd("write", fd);
    return NEXT(write)(fd, data, size);
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    if (offset >> 20 != (offset + (off64_t)size) >> 20 || offset == 0)
        count_fd("pwrite", fd);
    return NEXT(pwrite64)(fd, data, size, offset);
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

int
ftruncate64(int fd, off64_t size)
{
    count_fd("ftruncate", fd);
    return NEXT(ftruncate64)(fd, size);
}

int
ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

int
fsync(int fd)
{
    count_fd("fsync", fd);
    return NEXT(fsync)(fd);
}

int
fdatasync(int fd)
{
    count_fd("fdatasync", fd);
    return NEXT(fdatasync)(fd);
}

int
fchmod(int fd, mode_t mode)
{
    count_fd("fchmod", fd);
    return NEXT(fchmod)(fd, mode);
}

int
renameat2(int from_dir,
          const char *from,
          int to_dir,
          const char *to,
          unsigned int flags)
{
    count_at("renameat2", to_dir, to);
    return NEXT(renameat2)(from_dir, from, to_dir, to, flags);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    count_at("renameat", to_dir, to);
    return NEXT(renameat)(from_dir, from, to_dir, to);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    count_at("linkat", to_dir, to);
    return NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

int
mkdirat(int dir, const char *path, mode_t mode)
{
    if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        count_at("mkdirat", dir, path);
    return NEXT(mkdirat)(dir, path, mode);
}

int
unlinkat(int dir, const char *path, int flags)
{
    count_at("unlinkat", dir, path);
    return NEXT(unlinkat)(dir, path, flags);
}

/* ---- Domains ------------------------------------------------------------- */

int
virDomainBackupBegin(virDomainPtr domain,
                     const char *backup,
                     const char *checkpoint,
                     unsigned int flags)
{
    int result = 0;

    count_domain("begin", domain);
    result = NEXT(virDomainBackupBegin)(domain, backup, checkpoint, flags);
    count_domain("begun", domain);
    return result;
}

int
virDomainFSFreeze(virDomainPtr domain,
                  const char **points,
                  unsigned int n_points,
                  unsigned int flags)
{
    int result = 0;

    count_domain("freeze", domain);
    result = NEXT(virDomainFSFreeze)(domain, points, n_points, flags);
    count_domain("frozen", domain);
    return result;
}

int
virDomainFSThaw(virDomainPtr domain,
                const char **points,
                unsigned int n_points,
                unsigned int flags)
{
    int result = 0;

    count_domain("thaw", domain);
    result = NEXT(virDomainFSThaw)(domain, points, n_points, flags);
    count_domain("thawed", domain);
    return result;
}

int
virDomainSuspend(virDomainPtr domain)
{
    int result = 0;

    count_domain("suspend", domain);
    result = NEXT(virDomainSuspend)(domain);
    count_domain("suspended", domain);
    return result;
}

int
virDomainResume(virDomainPtr domain)
{
    int result = 0;

    count_domain("resume", domain);
    result = NEXT(virDomainResume)(domain);
    count_domain("resumed", domain);
    return result;
}

int
virDomainAbortJob(virDomainPtr domain)
{
    count_domain("abort", domain);
    return NEXT(virDomainAbortJob)(domain);
}

int
virDomainSetMetadata(virDomainPtr domain,
                     int type,
                     const char *metadata,
                     const char *key,
                     const char *uri,
                     unsigned int flags)
{
    count_domain("metadata", domain);
    return NEXT(virDomainSetMetadata)(domain, type, metadata, key, uri, flags);
}

int
virDomainCheckpointDelete(virDomainCheckpointPtr checkpoint, unsigned int flags)
{
    count_domain("delete", virDomainCheckpointGetDomain(checkpoint));
    return NEXT(virDomainCheckpointDelete)(checkpoint, flags);
}
