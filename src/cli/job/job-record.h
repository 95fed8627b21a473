/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The durable records of jobs that run in processes of their own: a folder a
 * job, named by its GUID, below one of this user that nobody else gets into.
 *
 *   job      key file: what was called, by whom it can be seen, the instance of
 *            the job as CIM XML, its errors; replaced as a whole
 *   lock     locked (OFD) as long as the process lives
 *   killed   there, if it was killed with `job kill`
 *   found    there, if its process was found to be gone; of that moment
 *   socket   where the process takes requests
 *
 * A job whose process is gone before it ended is an Exception; what it had
 * begun is the guard's to undo. Records go TimeBeforeRemoval after the job has
 * ended, or was found to be gone, removed by whoever looks.
 */
#ifndef JOB_RECORD_H
#define JOB_RECORD_H

#include "invoke/cim-xml.h"
#include "invoke/invoke-call.h"

/* Names in the folders. */
#define JOB_STORE_NEW ".new."
#define JOB_LOCK_NAME "lock"
#define JOB_SOCKET_NAME "socket"

/* TimeBeforeRemoval, where the instance has none. */
#define JOB_REMOVAL_SECONDS 300

typedef struct {
    char *path;
    int fd; /* -1: there are no records */
} JobStore;

typedef struct {
    char *id;   /* GUID */
    char *path; /* of the object */
    char *class_name;
    char *method;
    char *uri;         /* NULL: by default */
    char *domain_name; /* NULL where it is not known, as the next two */
    char *domain_uuid;
    char *point;          /* GUID */
    char *result;         /* path of what it has made */
    gint64 submitted;     /* seconds since the epoch */
    gint64 ended;         /* 0: it has not; of a process that is gone: the
                           * last that was heard of it */
    gint64 found;         /* when its process was found to be gone; 0: it was
                           * not, or by somebody before */
    guint64 pid;          /* of its process; 0: not known */
    guint64 start;        /* of that, as rfp_process_start() has it */
    guint32 return_value; /* of the job, once it has ended */
    CimInstance *instance;
    char **errors; /* Msvm_Error, CIM XML; NULL: none */

    gboolean alive; /* its process is */
    gboolean mine;  /* the record may be changed by us */
    char *folder;   /* in the store */
    int fd;         /* of the folder */
    int lock_fd;
} JobRecord;

/* The folder of all records; it is made with @make. Errors: ACCESS_DENIED. */
JobStore *
job_store_open(gboolean make, GError **error);

void
job_store_free(JobStore *store);

/* Those that have not expired, oldest first: GPtrArray of JobRecord. */
GPtrArray *
job_store_list(JobStore *store);

/* By GUID, a prefix of it of at least 4 digits, or the object's path. Errors:
 * INVALID_PARAMETER. */
JobRecord *
job_store_find(JobStore *store, const char *name, GError **error);

/* Looks at a record again; NULL if it is gone. */
JobRecord *
job_store_load(JobStore *store, const char *id);

/* A new record, locked, which nobody sees before job_record_publish(). */
JobRecord *
job_record_new(JobStore *store, GError **error);

/* Writes it and gives it the name of its id. */
gboolean
job_record_publish(JobRecord *record, JobStore *store, GError **error);

/* Replaces the file. @durable: also over a crash of the machine. */
gboolean
job_record_save(JobRecord *record, gboolean durable, GError **error);

/* Removes the folder, if it may. */
void
job_record_remove(JobRecord *record, JobStore *store);

/* Notes that its process is about to be killed on purpose. */
void
job_record_mark_killed(const JobRecord *record);

void
job_record_free(JobRecord *record);

/* JobState. */
guint
job_record_state(const JobRecord *record);

/* "Running", not translated. */
const char *
job_state_name(guint state);

/* Whether a job in this state has come to its end. */
gboolean
job_state_is_final(guint state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobStore, job_store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JobRecord, job_record_free)

#endif
