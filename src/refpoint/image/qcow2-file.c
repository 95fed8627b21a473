/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/qcow2-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

/* How far the file is prepared ahead of the data: as far again as it is long,
 * within these. */
#define AHEAD_MIN ((guint64)8 << 20)
#define AHEAD_MAX ((guint64)256 << 20)

/* Buffered data is waited for in steps of this, one step behind the writer. */
#define PUSH_STEP ((guint64)32 << 20)

struct _RfpQcow2File {
    int fd;
    int direct_fd; /* the same file opened with O_DIRECT, or -1 */
    char *display;

    /* Shared without a lock. */
    atomic_bool direct;        /* direct_fd works, as far as is known */
    _Atomic(guint64) extended; /* the file is prepared up to here */

    GMutex lock; /* of who prepares */
};

static gboolean
file_failed(const RfpQcow2File *file,
            int errnum,
            guint64 offset,
            GError **error)
{
    rfp_error_set_errno(error, errnum,
                        _("cannot write '%s' at offset %" PRIu64),
                        file->display, offset);
    rfp_error_add_object(error, file->display);
    if (errnum == EFBIG)
        rfp_error_add_way_out(error, _("use a file system without this limit "
                                       "on the size of files, or raise the "
                                       "limit (ulimit -f)"));
    return FALSE;
}

static gboolean
is_aligned(const void *data, gsize length, guint64 offset)
{
    guint64 bits = (uintptr_t)data | length | offset;

    return (bits & (RFP_QCOW2_BUFFER_ALIGN - 1)) == 0;
}

/* The only place that writes. @direct asks for O_DIRECT, where it works. */
static gboolean
write_at(RfpQcow2File *file,
         gboolean direct,
         const void *data,
         gsize length,
         guint64 offset,
         GError **error)
{
    const guint8 *at = data;

    while (length > 0) {
        int fd = direct && is_aligned(at, length, offset) ? file->direct_fd
                                                          : file->fd;
        ssize_t n = pwrite(fd, at, length, (off_t)offset);

        if (n > 0) {
            at += n;
            offset += (guint64)n;
            length -= (gsize)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EINVAL && fd == file->direct_fd) {
            direct = FALSE;
            atomic_store(&file->direct, FALSE);
            continue;
        }
        return file_failed(file, n < 0 ? errno : EIO, offset, error);
    }
    return TRUE;
}

/*
 * Space is taken too, for O_DIRECT: ext4 lets only one writer at a time fill a
 * hole, but many fill space that is allocated (3 GiB, 4 threads, 2 CPUs: 2.0 s
 * instead of 3.3 s). Where there is no space left, or the file system cannot,
 * the size alone is set.
 */
static gboolean
extend(RfpQcow2File *file, guint64 from, guint64 to)
{
    if (atomic_load(&file->direct) &&
        fallocate(file->fd, 0, (off_t)from, (off_t)(to - from)) == 0)
        return TRUE;
    return ftruncate(file->fd, (off_t)to) == 0;
}

/*
 * Prepares the file ahead of @end. Where that fails (a limit on the size of
 * files that the data itself may keep) the writes grow the file, and report
 * what is wrong if they cannot.
 */
static void
extend_ahead(RfpQcow2File *file, guint64 end)
{
    g_autoptr(GMutexLocker) locker = NULL;
    guint64 from;
    guint64 to;

    if (end <= atomic_load(&file->extended))
        return;
    locker = g_mutex_locker_new(&file->lock);
    from = atomic_load(&file->extended);
    if (end <= from)
        return;
    to = end + CLAMP(end, AHEAD_MIN, AHEAD_MAX);
    atomic_store(&file->extended, extend(file, from, to) ? to : G_MAXUINT64);
}

/*
 * Starts writing out what was just written, and whenever a step is complete
 * waits for the one before it: dirty pages stay bounded. The wait takes an
 * error away from the later fsync(), so it is reported here.
 */
static gboolean
push_out(RfpQcow2File *file, guint64 offset, gsize length, GError **error)
{
    guint64 start = (offset + length) / PUSH_STEP * PUSH_STEP;
    int flags = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                SYNC_FILE_RANGE_WAIT_AFTER;

    sync_file_range(file->fd, (off_t)offset, (off_t)length,
                    SYNC_FILE_RANGE_WRITE);
    if (offset >= start || start < 2 * PUSH_STEP)
        return TRUE;
    start -= 2 * PUSH_STEP;
    if (sync_file_range(file->fd, (off_t)start, PUSH_STEP, flags) < 0 &&
        (errno == EIO || errno == ENOSPC || errno == EDQUOT))
        return file_failed(file, errno, start, error);
    posix_fadvise(file->fd, (off_t)start, PUSH_STEP, POSIX_FADV_DONTNEED);
    return TRUE;
}

static gboolean
create(RfpQcow2File *file, int dirfd, const char *name, GError **error)
{
    g_autofree char *again = NULL;

    file->fd = openat(dirfd, name,
                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file->fd < 0) {
        rfp_error_set_path_errno(error, errno, _("cannot create '%s'"),
                                 file->display);
        rfp_error_add_object(error, file->display);
        return FALSE;
    }
    /* A description of its own, as tables go through the page cache, and of
     * this very file, whatever happens to its name. */
    again = g_strdup_printf("/proc/self/fd/%d", file->fd);
    file->direct_fd = open(again, O_WRONLY | O_DIRECT | O_CLOEXEC);
    atomic_store(&file->direct, file->direct_fd >= 0);
    return TRUE;
}

RfpQcow2File *
rfp_qcow2_file_new(int dirfd,
                   const char *name,
                   const char *display,
                   GError **error)
{
    g_autoptr(RfpQcow2File) file = g_new0(RfpQcow2File, 1);

    g_mutex_init(&file->lock);
    file->fd = -1;
    file->direct_fd = -1;
    file->display = g_strdup(display);
    if (!create(file, dirfd, name, error))
        return NULL;
    return g_steal_pointer(&file);
}

void
rfp_qcow2_file_free(RfpQcow2File *file)
{
    if (file == NULL)
        return;
    if (file->direct_fd >= 0)
        close(file->direct_fd);
    if (file->fd >= 0)
        close(file->fd);
    g_free(file->display);
    g_mutex_clear(&file->lock);
    g_free(file);
}

const char *
rfp_qcow2_file_display(const RfpQcow2File *file)
{
    return file->display;
}

gboolean
rfp_qcow2_file_store(RfpQcow2File *file,
                     gboolean direct,
                     const void *data,
                     gsize length,
                     guint64 offset,
                     GError **error)
{
    direct = direct && atomic_load(&file->direct);
    extend_ahead(file, offset + length);
    return write_at(file, direct, data, length, offset, error) &&
           (direct || push_out(file, offset, length, error));
}

void
rfp_qcow2_file_punch(RfpQcow2File *file, guint64 offset, guint64 length)
{
    (void)!fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                     (off_t)offset, (off_t)length);
}

gboolean
rfp_qcow2_file_finish(RfpQcow2File *file,
                      guint64 size,
                      const void *header,
                      gsize header_length,
                      GError **error)
{
    if (ftruncate(file->fd, (off_t)size) < 0)
        return file_failed(file, errno, size, error);
    /* One sync is enough, as nobody publishes the file before it: after a
     * power cut in between, the name is in no manifest. */
    if (!write_at(file, FALSE, header, header_length, 0, error))
        return FALSE;
    if (fdatasync(file->fd) < 0)
        return file_failed(file, errno, 0, error);
    return TRUE;
}
