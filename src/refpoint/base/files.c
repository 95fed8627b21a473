/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"
#include "base/sha256.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 8
#define LOCK_POLL_US 20000
#define HASH_BUFFER (1024 * 1024)

void
rfp_fd_clear(RfpFd *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int
rfp_fd_steal(RfpFd *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* ---- Finding ------------------------------------------------------------- */

/* The folder that holds the last component of @path, which goes to *@name.
 * -1 with errno set on failure. */
static int
open_parent(int dirfd, const char *path, char **name)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", DEPTH_MAX + 1);
    guint n = g_strv_length(parts);
    g_auto(RfpFd) fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (n == 0 || n > DEPTH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (guint i = 0; i < n && fd >= 0; i++) {
        int next = -1;

        if (*parts[i] == '\0' || strcmp(parts[i], "..") == 0) {
            errno = EINVAL;
            return -1;
        }
        if (i == n - 1)
            break;
        next = openat(fd, parts[i],
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        rfp_fd_clear(&fd);
        fd = next;
    }
    *name = g_strdup(parts[n - 1]);
    return fd < 0 ? -1 : rfp_fd_steal(&fd);
}

int
rfp_files_open(const RfpFolder *folder,
               const char *path,
               int flags,
               GError **error)
{
    g_autofree char *name = NULL;
    g_auto(RfpFd) parent = open_parent(folder->fd, path, &name);
    g_auto(RfpFd) fd = -1;
    struct stat st;

    if (parent >= 0)
        fd = openat(parent, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    0600);
    if (fd < 0 || fstat(fd, &st) < 0) {
        rfp_error_set_errno(error, errno, _("cannot open '%s/%s'"),
                            folder->shown, path);
        return -1;
    }
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("'%s/%s' is neither a file nor a folder"),
                      folder->shown, path);
        return -1;
    }
    return rfp_fd_steal(&fd);
}

/* ---- Reading and writing ------------------------------------------------- */

int
rfp_files_pread(int fd, void *data, gsize length, guint64 offset, gsize *got)
{
    guint8 *bytes = data;

    *got = 0;
    while (*got < length) {
        gssize n =
            pread(fd, bytes + *got, length - *got, (off_t)(offset + *got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        *got += (gsize)n;
    }
    return 0;
}

static gboolean
read_all(int fd, char *buffer, gsize length)
{
    gsize got = 0;
    int failed = rfp_files_pread(fd, buffer, length, 0, &got);

    errno = failed != 0 ? failed : EIO;
    return failed == 0 && got == length;
}

char *
rfp_files_read(const RfpFolder *folder,
               const char *path,
               gsize max,
               gsize *length,
               GError **error)
{
    g_auto(RfpFd) fd = rfp_files_open(folder, path, O_RDONLY, error);
    g_autofree char *text = NULL;
    struct stat st;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (gsize)st.st_size > max) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("'%s/%s' is no file of a sensible size"), folder->shown,
                      path);
        return NULL;
    }
    text = g_try_malloc((gsize)st.st_size + 1);
    if (text == NULL || !read_all(fd, text, (gsize)st.st_size)) {
        rfp_error_set_errno(error, text != NULL ? errno : ENOMEM,
                            _("cannot read '%s/%s'"), folder->shown, path);
        return NULL;
    }
    text[st.st_size] = '\0';
    *length = (gsize)st.st_size;
    return g_steal_pointer(&text);
}

int
rfp_files_sha256(int fd, guint8 *sha256)
{
    g_autofree guint8 *buffer = g_malloc(HASH_BUFFER);
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    guint64 offset = 0;
    gsize got = 0;

    do {
        int failed = rfp_files_pread(fd, buffer, HASH_BUFFER, offset, &got);

        if (failed != 0)
            return failed;
        rfp_sha256_update(sha, buffer, got);
        offset += got;
    } while (got == HASH_BUFFER);
    rfp_sha256_finish(sha, sha256);
    return 0;
}

int
rfp_files_write_all(int fd, const void *data, gsize length)
{
    const char *p = data;

    while (length > 0) {
        gssize n = write(fd, p, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        p += n;
        length -= (gsize)n;
    }
    return 0;
}

static gboolean
write_new(const RfpFolder *folder,
          const char *path,
          const void *data,
          gsize length,
          guint mode,
          gboolean durable,
          GError **error)
{
    g_auto(RfpFd) fd =
        rfp_files_open(folder, path, O_WRONLY | O_CREAT | O_EXCL, error);
    int failed = 0;

    if (fd < 0)
        return FALSE;
    failed = rfp_files_write_all(fd, data, length);
    if (failed == 0 && (fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0)))
        failed = errno;
    if (failed != 0) {
        rfp_error_set_errno(error, failed, _("cannot write '%s/%s'"),
                            folder->shown, path);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_files_write(const RfpFolder *folder,
                const char *path,
                const void *data,
                gsize length,
                guint mode,
                GError **error)
{
    return write_new(folder, path, data, length, mode, TRUE, error);
}

gboolean
rfp_files_stage(const RfpFolder *folder,
                const char *path,
                const void *data,
                gsize length,
                guint mode,
                GError **error)
{
    return write_new(folder, path, data, length, mode, FALSE, error);
}

/* ---- Folders ------------------------------------------------------------- */

static gboolean
make_dir(const RfpFolder *folder,
         const char *path,
         gboolean durable,
         GError **error)
{
    g_autofree char *name = NULL;
    g_auto(RfpFd) parent = open_parent(folder->fd, path, &name);

    if (parent >= 0 && mkdirat(parent, name, 0700) < 0) {
        if (errno == EEXIST)
            return TRUE;
        rfp_fd_clear(&parent);
    }
    if (parent < 0 || (durable && fsync(parent) < 0)) {
        rfp_error_set_errno(error, errno, _("cannot make the folder '%s/%s'"),
                            folder->shown, path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
make_dirs(const RfpFolder *folder,
          const char *path,
          gboolean durable,
          GError **error)
{
    g_autofree char *copy = g_strdup(path);

    for (char *slash = strchr(copy, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_dir(folder, copy, durable, error))
            return FALSE;
        *slash = '/';
    }
    return make_dir(folder, copy, durable, error);
}

gboolean
rfp_files_make_dirs(const RfpFolder *folder, const char *path, GError **error)
{
    return make_dirs(folder, path, TRUE, error);
}

gboolean
rfp_files_stage_dirs(const RfpFolder *folder, const char *path, GError **error)
{
    return make_dirs(folder, path, FALSE, error);
}

gboolean
rfp_files_sync_dir(const RfpFolder *folder, const char *path, GError **error)
{
    g_auto(RfpFd) fd =
        rfp_files_open(folder, path, O_RDONLY | O_DIRECTORY, error);

    if (fd < 0)
        return FALSE;
    if (fsync(fd) < 0) {
        rfp_error_set_errno(error, errno, _("cannot sync the folder '%s/%s'"),
                            folder->shown, path);
        return FALSE;
    }
    return TRUE;
}

static int
sync_at(int parent, const char *name, guint depth);

/* 0, or errno. */
static int
sync_below(int fd, guint depth)
{
    /* of its own: it is read from the beginning */
    g_auto(RfpFd) own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = own < 0 ? NULL : fdopendir(own);
    struct dirent *entry = NULL;
    int failed = 0;

    if (dir == NULL)
        return errno;
    rfp_fd_steal(&own);
    errno = 0;
    while (failed == 0 && (entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            failed = sync_at(fd, entry->d_name, depth - 1);
        errno = 0;
    }
    if (failed == 0)
        failed = errno;
    closedir(dir);
    return failed;
}

/* 0, or errno. What is in a folder goes before the folder. */
static int
sync_at(int parent, const char *name, guint depth)
{
    g_auto(RfpFd) fd =
        openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int failed = 0;

    if (fd < 0 || fstat(fd, &st) < 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        failed = depth == 0 ? ELOOP : sync_below(fd, depth);
    if (failed != 0)
        return failed;
    return fsync(fd) < 0 ? errno : 0;
}

gboolean
rfp_files_sync_tree(const RfpFolder *folder, const char *path, GError **error)
{
    g_autofree char *name = NULL;
    g_auto(RfpFd) parent = open_parent(folder->fd, path, &name);
    int failed = parent < 0 ? errno : sync_at(parent, name, DEPTH_MAX);

    if (failed == 0)
        return TRUE;
    rfp_error_set_errno(error, failed, _("cannot sync the folder '%s/%s'"),
                        folder->shown, path);
    return FALSE;
}

/* 0, or errno. Links are removed, never followed. */
static int
remove_at(int parent, const char *name, guint depth)
{
    g_auto(RfpFd) fd = -1;
    DIR *dir = NULL;
    struct dirent *entry = NULL;
    int failed = 0;

    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return errno;
    if (depth == 0)
        return ELOOP;
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno;
    dir = fdopendir(dup(fd));
    if (dir == NULL)
        return errno;
    while (failed == 0 && (entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            failed = remove_at(fd, entry->d_name, depth - 1);
    closedir(dir);
    if (failed == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0)
        failed = errno;
    return failed;
}

gboolean
rfp_files_remove(const RfpFolder *folder, const char *path, GError **error)
{
    g_autofree char *name = NULL;
    g_auto(RfpFd) parent = open_parent(folder->fd, path, &name);
    int failed = 0;

    if (parent < 0 && errno == ENOENT)
        return TRUE;
    failed = parent < 0 ? errno : remove_at(parent, name, DEPTH_MAX);
    if (failed != 0) {
        rfp_error_set_errno(error, failed, _("cannot remove '%s/%s'"),
                            folder->shown, path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
sync_parent(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_auto(RfpFd) fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0;
}

gboolean
rfp_make_dirs(const char *path, guint mode, GError **error)
{
    g_autofree char *parent = NULL;

    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return TRUE;
    parent = g_path_get_dirname(path);
    if (strcmp(parent, path) != 0 && !rfp_make_dirs(parent, mode | 0011, error))
        return FALSE;
    if (mkdir(path, mode) < 0 &&
        (errno != EEXIST || !g_file_test(path, G_FILE_TEST_IS_DIR))) {
        rfp_error_set_errno(error, errno, _("cannot make the folder '%s'"),
                            path);
        return FALSE;
    }
    if (!sync_parent(path)) {
        rfp_error_set_errno(error, errno, _("cannot sync the folder of '%s'"),
                            path);
        return FALSE;
    }
    return TRUE;
}

static char *
real_path(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy = g_strdup(real);

    free(real);
    return copy;
}

char *
rfp_path_absolute(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autofree char *dir = NULL;
    g_autofree char *name = NULL;
    g_autofree char *real = NULL;

    if (!g_strv_contains((const char *const *)parts, ".."))
        return g_canonicalize_filename(path, NULL);
    real = real_path(path);
    if (real != NULL)
        return g_steal_pointer(&real);
    /* the last part of it is still to be made */
    name = g_path_get_basename(path);
    dir = g_strndup(path, (gsize)(g_strrstr(path, name) - path));
    real = real_path(*dir != '\0' ? dir : ".");
    return g_canonicalize_filename(real != NULL ? name : path, real);
}

/* ---- Locks --------------------------------------------------------------- */

static struct flock
range(short type, goffset start)
{
    struct flock lock = {
        .l_type = type,
        .l_whence = SEEK_SET,
        .l_start = start,
        .l_len = 1,
    };

    return lock;
}

RfpLock
rfp_files_lock(int fd,
               goffset start,
               guint wait_ms,
               const char *shown,
               GError **error)
{
    gint64 end = g_get_monotonic_time() + (gint64)wait_ms * 1000;
    struct flock lock = range(F_WRLCK, start);

    for (;;) {
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return RFP_LOCK_TAKEN;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            break;
        if (g_get_monotonic_time() >= end)
            return RFP_LOCK_BUSY;
        g_usleep(LOCK_POLL_US);
    }
    if (errno == EINVAL || errno == ENOLCK || errno == EOPNOTSUPP)
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("the file system of '%s' has no locks"), shown);
    else
        rfp_error_set_errno(error, errno, _("cannot lock '%s'"), shown);
    return RFP_LOCK_FAILED;
}

void
rfp_files_unlock(int fd, goffset start)
{
    struct flock lock = range(F_UNLCK, start);

    fcntl(fd, F_OFD_SETLK, &lock);
}
