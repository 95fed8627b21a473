/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files of job records: of this user, never through a symbolic link. On
 * failure errno is set. */
#ifndef JOB_FILE_H
#define JOB_FILE_H

#include <glib.h>

/* Opens a regular file, or with O_DIRECTORY a folder, of this user; with
 * O_CREAT for nobody else. -1 on failure. */
int
job_file_open(int folder, const char *name, int flags);

/* A file of at most @max bytes. Free with g_free(). */
char *
job_file_read(int folder, const char *name, gsize max, gsize *length);

/* Writes @temporary and renames it. */
gboolean
job_file_replace(int folder,
                 const char *name,
                 const char *temporary,
                 const char *text,
                 gsize length,
                 gboolean durable);

/* OFD locks on bytes of the lock file: no process takes one with it. */
typedef enum {
    JOB_LOCK_PROCESS, /* the job's process, as long as it lives */
    JOB_LOCK_LOOKER,  /* who changes the record of one that is gone */
} JobLock;

/* FALSE: somebody has it. */
gboolean
job_file_lock(int fd, JobLock which);

/* Whether somebody else has it. */
gboolean
job_file_is_locked(int fd, JobLock which);

#endif
