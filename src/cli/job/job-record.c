/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-record.h"

#include "common/process.h"
#include "invoke/cim-path.h"
#include "job/job-error.h"
#include "job/job-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP "job"
#define FILE_NAME "job"
#define FILE_NEW "job.new"
#define KILLED_NAME "killed"
#define FOUND_NAME "found"
#define FILE_SIZE_MAX (4 * 1024 * 1024)

static const char *const state_names[];

guint
job_record_state(const JobRecord *record)
{
    return (guint)cim_instance_number(record->instance, "JobState");
}

gboolean
job_state_is_final(guint state)
{
    return state >= REFPOINT_MSVM_JOB_COMPLETED &&
           state <= REFPOINT_MSVM_JOB_EXCEPTION;
}

void
job_record_free(JobRecord *record)
{
    if (record == NULL)
        return;
    g_free(record->id);
    g_free(record->path);
    g_free(record->class_name);
    g_free(record->method);
    g_free(record->uri);
    g_free(record->domain_name);
    g_free(record->domain_uuid);
    g_free(record->point);
    g_free(record->result);
    cim_instance_free(record->instance);
    g_strfreev(record->errors);
    g_free(record->folder);
    if (record->lock_fd >= 0)
        close(record->lock_fd);
    if (record->fd >= 0)
        close(record->fd);
    g_free(record);
}

/* ---- The file ------------------------------------------------------------ */

static void
set_text(GKeyFile *file, const char *key, const char *text)
{
    if (text != NULL)
        g_key_file_set_string(file, GROUP, key, text);
}

static char *
format(const JobRecord *record, gsize *length)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *instance = cim_instance_format(record->instance);

    set_text(file, "id", record->id);
    set_text(file, "path", record->path);
    set_text(file, "class", record->class_name);
    set_text(file, "method", record->method);
    set_text(file, "uri", record->uri);
    set_text(file, "domain-name", record->domain_name);
    set_text(file, "domain-uuid", record->domain_uuid);
    set_text(file, "point", record->point);
    set_text(file, "result", record->result);
    g_key_file_set_int64(file, GROUP, "submitted", record->submitted);
    g_key_file_set_int64(file, GROUP, "ended", record->ended);
    g_key_file_set_uint64(file, GROUP, "return-value", record->return_value);
    g_key_file_set_uint64(file, GROUP, "pid", record->pid);
    g_key_file_set_uint64(file, GROUP, "start", record->start);
    set_text(file, "instance", instance);
    if (record->errors != NULL)
        g_key_file_set_string_list(file, GROUP, "errors",
                                   (const char *const *)record->errors,
                                   g_strv_length(record->errors));
    return g_key_file_to_data(file, length, NULL);
}

static char *
get_text(GKeyFile *file, const char *key)
{
    return g_key_file_get_string(file, GROUP, key, NULL);
}

static gboolean
parse(JobRecord *record, const char *text, gsize length)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *instance = NULL;

    if (!g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL))
        return FALSE;
    record->id = get_text(file, "id");
    record->path = get_text(file, "path");
    record->class_name = get_text(file, "class");
    record->method = get_text(file, "method");
    record->uri = get_text(file, "uri");
    record->domain_name = get_text(file, "domain-name");
    record->domain_uuid = get_text(file, "domain-uuid");
    record->point = get_text(file, "point");
    record->result = get_text(file, "result");
    record->submitted = g_key_file_get_int64(file, GROUP, "submitted", NULL);
    record->ended = g_key_file_get_int64(file, GROUP, "ended", NULL);
    record->return_value =
        (guint32)g_key_file_get_uint64(file, GROUP, "return-value", NULL);
    record->pid = g_key_file_get_uint64(file, GROUP, "pid", NULL);
    record->start = g_key_file_get_uint64(file, GROUP, "start", NULL);
    record->errors =
        g_key_file_get_string_list(file, GROUP, "errors", NULL, NULL);
    instance = get_text(file, "instance");
    record->instance = instance != NULL ? cim_instance_parse(instance) : NULL;
    return record->path != NULL && record->class_name != NULL &&
           record->method != NULL && record->instance != NULL &&
           g_strcmp0(record->id, record->folder) == 0;
}

static gboolean
fail(GError **error, const char *format, const char *name)
{
    int errnum = errno;
    g_autofree char *what = g_strdup_printf(format, name);

    g_set_error(error, REFPOINT_ERROR,
                errnum == EACCES || errnum == EPERM || errnum == EROFS
                    ? REFPOINT_ERROR_ACCESS_DENIED
                    : REFPOINT_ERROR_FAILED,
                "%s: %s", what, g_strerror(errnum));
    return FALSE;
}

gboolean
job_record_save(JobRecord *record, gboolean durable, GError **error)
{
    gsize length = 0;
    g_autofree char *text = format(record, &length);

    if (job_file_replace(record->fd, FILE_NAME, FILE_NEW, text, length,
                         durable))
        return TRUE;
    return fail(error, _("cannot write the record of job %s"),
                record->id != NULL ? record->id : record->folder);
}

/* ---- Folders ------------------------------------------------------------- */

/* A record without content; the folder and its lock file are opened. */
static JobRecord *
open_folder(JobStore *store, const char *folder, int flags)
{
    g_autoptr(JobRecord) record = g_new0(JobRecord, 1);

    record->folder = g_strdup(folder);
    record->lock_fd = -1;
    record->fd = job_file_open(store->fd, folder, O_RDONLY | O_DIRECTORY);
    if (record->fd < 0)
        return NULL;
    record->lock_fd = job_file_open(record->fd, JOB_LOCK_NAME, O_RDWR | flags);
    return record->lock_fd < 0 ? NULL : g_steal_pointer(&record);
}

JobRecord *
job_record_new(JobStore *store, GError **error)
{
    g_autofree char *path =
        g_build_filename(store->path, JOB_STORE_NEW "XXXXXX", NULL);
    g_autofree char *folder = NULL;
    g_autoptr(JobRecord) record = NULL;

    if (g_mkdtemp(path) == NULL) {
        fail(error, _("cannot make a record in '%s'"), store->path);
        return NULL;
    }
    folder = g_path_get_basename(path);
    record = open_folder(store, folder, O_CREAT);
    if (record == NULL || !job_file_lock(record->lock_fd, JOB_LOCK_PROCESS)) {
        fail(error, _("cannot lock a record in '%s'"), store->path);
        return NULL;
    }
    record->alive = record->mine = TRUE;
    record->pid = (guint64)getpid();
    record->start = rfp_process_start(getpid());
    return g_steal_pointer(&record);
}

gboolean
job_record_publish(JobRecord *record, JobStore *store, GError **error)
{
    if (!job_record_save(record, TRUE, error))
        return FALSE;
    if (renameat(store->fd, record->folder, store->fd, record->id) < 0 ||
        fsync(store->fd) < 0)
        return fail(error, _("cannot name the record of job %s"), record->id);
    g_free(record->folder);
    record->folder = g_strdup(record->id);
    return TRUE;
}

void
job_record_remove(JobRecord *record, JobStore *store)
{
    static const char *const names[] = {FILE_NAME,       FILE_NEW,
                                        KILLED_NAME,     FOUND_NAME,
                                        JOB_SOCKET_NAME, JOB_LOCK_NAME};

    if (!record->mine)
        return;
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        unlinkat(record->fd, names[i], 0);
    unlinkat(store->fd, record->folder, AT_REMOVEDIR);
}

/* ---- The end of a process that is gone ----------------------------------- */

/* The record of what has to be undone on the domain (refpoint/record.h) stands
 * beside ours. */
static gboolean
is_undone(const JobRecord *record, const JobStore *store)
{
    g_autofree char *name =
        g_strconcat("../records/", record->domain_uuid, ".record", NULL);
    struct stat info;

    if (record->domain_uuid == NULL || !cim_guid_check(record->domain_uuid))
        return FALSE;
    return fstatat(store->fd, name, &info, 0) < 0 || info.st_size == 0;
}

static char *
end_message(const JobRecord *record, const JobStore *store, guint state)
{
    const char *what = state == REFPOINT_MSVM_JOB_KILLED
                           ? _("the process of the job was killed")
                           : _("the process of the job ended unexpectedly");

    if (is_undone(record, store))
        return g_strdup_printf(
            _("%s; its guard has undone what it had begun, only what was "
              "published already stays"),
            what);
    return g_strdup_printf(
        _("%s; its guard, or the next command on the domain, undoes what it "
          "had begun"),
        what);
}

/* When a file was written; @otherwise where there is none. */
static gint64
written(const JobRecord *record, const char *name, gint64 otherwise)
{
    struct stat info;

    return fstatat(record->fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0
               ? (gint64)info.st_mtime
               : otherwise;
}

/* One that is there keeps its time. */
static void
mark(const JobRecord *record, const char *name)
{
    int fd = job_file_open(record->fd, name, O_WRONLY | O_CREAT);

    if (fd >= 0)
        close(fd);
}

void
job_record_mark_killed(const JobRecord *record)
{
    mark(record, KILLED_NAME);
}

static void
end_record(JobRecord *record, JobStore *store)
{
    guint state = faccessat(record->fd, KILLED_NAME, F_OK, 0) == 0
                      ? REFPOINT_MSVM_JOB_KILLED
                      : REFPOINT_MSVM_JOB_EXCEPTION;
    RefpointReturnSet set =
        invoke_return_set(record->class_name, record->method);
    g_autofree char *message = end_message(record, store, state);
    g_autofree char *state_text = g_strdup_printf("%u", state);
    g_autofree char *code = NULL;

    record->return_value = refpoint_return_value(set, REFPOINT_ERROR_FAILED);
    record->ended = written(record, FILE_NAME, record->submitted);
    mark(record, FOUND_NAME);
    /* also where that cannot be written now */
    record->found =
        written(record, FOUND_NAME, g_get_real_time() / G_USEC_PER_SEC);
    code = g_strdup_printf("%u", record->return_value);
    cim_instance_set(record->instance, "JobState", "uint16", state_text);
    cim_instance_set(record->instance, "ErrorCode", "uint16", code);
    cim_instance_set(record->instance, "ErrorDescription", "string", message);
    g_strfreev(record->errors);
    record->errors = g_new0(char *, 2);
    record->errors[0] = job_error_of_process(message);
    /* until then each look says anew how far the undo has come */
    if (record->mine && is_undone(record, store))
        job_record_save(record, TRUE, NULL);
}

/* ---- Looking ------------------------------------------------------------- */

/* Also one from the future: the clock was set, or it is none of ours. A process
 * may have been silent for long before it was gone (stopped, or on a disk that
 * hangs), and nobody knew of its end before that was found. */
static gboolean
is_expired(const JobRecord *record)
{
    gint64 since = record->found != 0
                       ? record->found
                       : written(record, FOUND_NAME, record->ended);
    gint64 seconds =
        (gint64)cim_instance_seconds(record->instance, "TimeBeforeRemoval");
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    if (seconds == 0)
        seconds = JOB_REMOVAL_SECONDS;
    return record->ended != 0 &&
           (since < now - seconds || since > now + seconds);
}

JobRecord *
job_store_load(JobStore *store, const char *id)
{
    g_autoptr(JobRecord) record = open_folder(store, id, 0);
    g_autofree char *text = NULL;
    gsize length = 0;
    gboolean parsed;

    if (record == NULL)
        return NULL;
    record->alive = job_file_is_locked(record->lock_fd, JOB_LOCK_PROCESS);
    record->mine =
        !record->alive && job_file_lock(record->lock_fd, JOB_LOCK_LOOKER);
    text = job_file_read(record->fd, FILE_NAME, FILE_SIZE_MAX, &length);
    parsed = text != NULL && parse(record, text, length);
    if (!record->alive && !parsed) {
        job_record_remove(record, store);
        return NULL;
    }
    if (!parsed)
        return NULL;
    if (!record->alive && record->ended == 0)
        end_record(record, store);
    if (!record->alive && is_expired(record)) {
        job_record_remove(record, store);
        return NULL;
    }
    return g_steal_pointer(&record);
}

const char *
job_state_name(guint state)
{
    return state >= REFPOINT_MSVM_JOB_NEW &&
                   state <= REFPOINT_MSVM_JOB_EXCEPTION
               ? state_names[state]
               : "-";
}

static const char *const state_names[] = {
    [REFPOINT_MSVM_JOB_NEW] = N_("New"),
    [REFPOINT_MSVM_JOB_STARTING] = N_("Starting"),
    [REFPOINT_MSVM_JOB_RUNNING] = N_("Running"),
    [REFPOINT_MSVM_JOB_SUSPENDED] = N_("Suspended"),
    [REFPOINT_MSVM_JOB_SHUTTING_DOWN] = N_("Shutting Down"),
    [REFPOINT_MSVM_JOB_COMPLETED] = N_("Completed"),
    [REFPOINT_MSVM_JOB_TERMINATED] = N_("Terminated"),
    [REFPOINT_MSVM_JOB_KILLED] = N_("Killed"),
    [REFPOINT_MSVM_JOB_EXCEPTION] = N_("Exception"),
};
