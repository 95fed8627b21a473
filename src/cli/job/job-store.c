/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "job/job-record.h"

#include "invoke/cim-path.h"
#include "job/job-file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the library's other folders of that kind (refpoint/connection.c). */
#define SYSTEM_DIR "/var/lib/virt-refpoint/jobs"
#define PREFIX_MIN 4
/* What was begun and never got a name goes after this many seconds. */
#define NEW_MAX_SECONDS 60

static char *
store_path(void)
{
    const char *given = secure_getenv("REFPOINT_JOBS");
    const char *state = g_getenv("XDG_STATE_HOME");

    if (given != NULL)
        return g_strdup(given);
    if (geteuid() == 0)
        return g_strdup(SYSTEM_DIR);
    if (state != NULL && g_path_is_absolute(state))
        return g_build_filename(state, "virt-refpoint", "jobs", NULL);
    return g_build_filename(g_get_home_dir(), ".local", "state",
                            "virt-refpoint", "jobs", NULL);
}

/* QEMU passes through the parents of root's. */
static gboolean
make_folder(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);

    return g_mkdir_with_parents(parent, geteuid() == 0 ? 0755 : 0700) == 0 &&
           (mkdir(path, 0700) == 0 || errno == EEXIST);
}

static gboolean
fail(GError **error, RefpointError cause, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static gboolean
fail(GError **error, RefpointError cause, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, REFPOINT_ERROR, (int)cause, message);
    return FALSE;
}

JobStore *
job_store_open(gboolean make, GError **error)
{
    g_autoptr(JobStore) store = g_new0(JobStore, 1);
    struct stat info;

    store->path = store_path();
    store->fd = -1;
    if (make && !make_folder(store->path)) {
        fail(error, REFPOINT_ERROR_ACCESS_DENIED,
             _("cannot make the folder '%s': %s"), store->path,
             g_strerror(errno));
        return NULL;
    }
    store->fd = job_file_open(AT_FDCWD, store->path, O_RDONLY | O_DIRECTORY);
    if (store->fd < 0 && errno == ENOENT && !make)
        return g_steal_pointer(&store);
    if (store->fd < 0 || fstat(store->fd, &info) < 0 ||
        (info.st_mode & 077) != 0) {
        fail(error, REFPOINT_ERROR_ACCESS_DENIED,
             _("'%s' is not a folder of this user alone"), store->path);
        return NULL;
    }
    return g_steal_pointer(&store);
}

void
job_store_free(JobStore *store)
{
    if (store == NULL)
        return;
    if (store->fd >= 0)
        close(store->fd);
    g_free(store->path);
    g_free(store);
}

/* ---- All ----------------------------------------------------------------- */

static gint
compare(gconstpointer a, gconstpointer b)
{
    const JobRecord *left = *(JobRecord *const *)a;
    const JobRecord *right = *(JobRecord *const *)b;

    if (left->submitted != right->submitted)
        return left->submitted < right->submitted ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* A process that died before its job had a name. */
static void
tidy_new(JobStore *store, const char *folder)
{
    JobRecord record = {.folder = (char *)folder};
    struct stat info;

    if (fstatat(store->fd, folder, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
        g_get_real_time() / G_USEC_PER_SEC - info.st_mtime < NEW_MAX_SECONDS)
        return;
    record.fd = job_file_open(store->fd, folder, O_RDONLY | O_DIRECTORY);
    if (record.fd < 0)
        return;
    record.lock_fd = job_file_open(record.fd, JOB_LOCK_NAME, O_RDWR);
    record.mine = record.lock_fd < 0 ||
                  (!job_file_is_locked(record.lock_fd, JOB_LOCK_PROCESS) &&
                   job_file_lock(record.lock_fd, JOB_LOCK_LOOKER));
    job_record_remove(&record, store);
    if (record.lock_fd >= 0)
        close(record.lock_fd);
    close(record.fd);
}

GPtrArray *
job_store_list(JobStore *store)
{
    GPtrArray *records =
        g_ptr_array_new_with_free_func((GDestroyNotify)job_record_free);
    DIR *dir = store->fd < 0 ? NULL : fdopendir(dup(store->fd));
    struct dirent *entry;

    if (dir == NULL)
        return records;
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        JobRecord *record = NULL;

        if (g_str_has_prefix(entry->d_name, JOB_STORE_NEW))
            tidy_new(store, entry->d_name);
        else if (cim_guid_check(entry->d_name))
            record = job_store_load(store, entry->d_name);
        if (record != NULL)
            g_ptr_array_add(records, record);
    }
    closedir(dir);
    g_ptr_array_sort(records, compare);
    return records;
}

/* ---- One ----------------------------------------------------------------- */

static gboolean
is_prefix(const char *text)
{
    gsize length = strspn(text, G_CSET_DIGITS "abcdefABCDEF-");

    return length >= PREFIX_MIN && text[length] == '\0';
}

/* What the folder's name must begin with; NULL: @name is no id. */
static char *
prefix_of(const char *name)
{
    g_autoptr(CimPath) path = NULL;
    const char *instance;

    if (is_prefix(name))
        return g_ascii_strdown(name, -1);
    path = cim_path_parse(name);
    instance = path != NULL ? cim_path_key(path, "InstanceID") : NULL;
    return instance != NULL ? cim_guid_at_end(instance) : NULL;
}

JobRecord *
job_store_find(JobStore *store, const char *name, GError **error)
{
    g_autofree char *prefix = prefix_of(name);
    g_autoptr(GPtrArray) records = NULL;
    g_autoptr(JobRecord) found = NULL;

    if (prefix == NULL) {
        fail(error, REFPOINT_ERROR_INVALID_PARAMETER,
             _("'%s' is neither the id of a job, nor at least %d digits of it, "
               "nor its path"),
             name, PREFIX_MIN);
        return NULL;
    }
    records = job_store_list(store);
    for (guint i = 0; i < records->len; i++) {
        const JobRecord *record = records->pdata[i];

        if (!g_str_has_prefix(record->id, prefix))
            continue;
        if (found != NULL) {
            fail(error, REFPOINT_ERROR_INVALID_PARAMETER,
                 _("several jobs begin with '%s'"), prefix);
            return NULL;
        }
        found = g_ptr_array_steal_index(records, i--);
    }
    if (found == NULL)
        fail(error, REFPOINT_ERROR_INVALID_PARAMETER,
             _("there is no job '%s' (any more)"), name);
    return g_steal_pointer(&found);
}
