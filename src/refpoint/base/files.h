/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files below a folder: never through a symbolic link, never out of it, durable
 * where it is said. @path is relative to @dirfd, its components are checked
 * one by one. Messages name @shown (the folder's path) and @path.
 */
#ifndef RFP_FILES_H
#define RFP_FILES_H

#include "base/error.h"

typedef struct {
    int fd;            /* the folder */
    const char *shown; /* its path, for messages */
} RfpFolder;

/* A descriptor that closes itself; -1 is none. */
typedef int RfpFd;

void
rfp_fd_clear(RfpFd *fd);

/* The descriptor, which will not be closed any more. */
int
rfp_fd_steal(RfpFd *fd);

/* Opens with openat(2) @flags (O_CLOEXEC, O_NOFOLLOW and O_NONBLOCK are
 * added). Only regular files and, with O_DIRECTORY, folders. -1 on failure;
 * errno is kept in the error. */
int
rfp_files_open(const RfpFolder *folder,
               const char *path,
               int flags,
               GError **error);

/* The whole text of a file of at most @max bytes. Free with g_free(). */
char *
rfp_files_read(const RfpFolder *folder,
               const char *path,
               gsize max,
               gsize *length,
               GError **error);

/*
 * Reads @length bytes of @fd at @offset, over short reads and signals. Returns
 * 0 or an errno. *@got: how many bytes were read; where 0 is returned, fewer
 * than @length only because the file ends.
 */
int
rfp_files_pread(int fd, void *data, gsize length, guint64 offset, gsize *got);

/* The SHA-256 (32 bytes) of the whole of @fd, read from its begin. 0, or an
 * errno. */
int
rfp_files_sha256(int fd, guint8 *sha256);

/* Makes a new file, mode @mode, durable but for its name: the folder it is in
 * is not synced. */
gboolean
rfp_files_write(const RfpFolder *folder,
                const char *path,
                const void *data,
                gsize length,
                guint mode,
                GError **error);

/* The same, durable only after rfp_files_sync_tree(). */
gboolean
rfp_files_stage(const RfpFolder *folder,
                const char *path,
                const void *data,
                gsize length,
                guint mode,
                GError **error);

/* Makes the folders of @path that are missing, mode 0700, durable. */
gboolean
rfp_files_make_dirs(const RfpFolder *folder, const char *path, GError **error);

/* The same, durable only after rfp_files_sync_tree(). */
gboolean
rfp_files_stage_dirs(const RfpFolder *folder, const char *path, GError **error);

/* Syncs a folder with all below it (a few levels), but not its own name. */
gboolean
rfp_files_sync_tree(const RfpFolder *folder, const char *path, GError **error);

/* Syncs a folder below; "." is the folder itself. */
gboolean
rfp_files_sync_dir(const RfpFolder *folder, const char *path, GError **error);

/* Removes a file, or a folder with all below it (a few levels). What is not
 * there is success. */
gboolean
rfp_files_remove(const RfpFolder *folder, const char *path, GError **error);

/* Writes all, over short writes and signals. 0, or errno. */
int
rfp_files_write_all(int fd, const void *data, gsize length);

typedef enum {
    RFP_LOCK_TAKEN,
    RFP_LOCK_BUSY,
    RFP_LOCK_FAILED, /* error is set; NOT_SUPPORTED: no locks there */
} RfpLock;

/* An OFD write lock on bytes [@start, @start + 1) of @fd; @wait_ms 0: no
 * waiting. Source: fcntl(2), "Open file description locks". */
RfpLock
rfp_files_lock(int fd,
               goffset start,
               guint wait_ms,
               const char *shown,
               GError **error);

void
rfp_files_unlock(int fd, goffset start);

/* @path as it is known to who works in another folder (QEMU, libvirt, the
 * guard): absolute, without "." and "//"; and without "..", by what is above in
 * the file system, not in the text. It need not exist. Free with g_free(). */
char *
rfp_path_absolute(const char *path);

/* Makes an absolute @path with @mode, and its missing parents, which others may
 * pass through; what exists is left alone. Durable. */
gboolean
rfp_make_dirs(const char *path, guint mode, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RfpFd, rfp_fd_clear)

#endif
