/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/record.h"
#include "base/names.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD_MAX (4 * 1024 * 1024)
#define RECORD ".record"
/* Of steps that were set aside. The word was chosen before there was data that
 * is kept (kept.h), which has the other suffix: files of that name are on
 * disks. */
#define ASIDE ".kept"
#define DATA ".data"
#define SET ".set"
#define UUID_LENGTH 36
/* Bytes of the file that are locked; between them is that of handshakes.c. */
#define LOCK_BYTE 0
#define TURN_BYTE 2
#define TURN_POLL_US (100 * 1000)

static const struct {
    const char *keyword;
    guint n_args;
} kinds[RFP_N_STEPS] = {
    [RFP_STEP_OPERATION] = {"operation", 5},
    [RFP_STEP_RAN] = {"ran", 0},
    [RFP_STEP_FREEZE] = {"freeze", 0},
    [RFP_STEP_THAWED] = {"thawed", 0},
    [RFP_STEP_PAUSE] = {"pause", 0},
    [RFP_STEP_RESUMED] = {"resumed", 0},
    [RFP_STEP_SOCKET] = {"socket", 1},
    [RFP_STEP_SCRATCH] = {"scratch", 1},
    [RFP_STEP_RESERVE] = {"reserve", 1},
    [RFP_STEP_JOB] = {"job", 1},
    [RFP_STEP_BEGUN] = {"begun", 0},
    [RFP_STEP_CHECKPOINT] = {"checkpoint", 2},
    [RFP_STEP_IMAGE] = {"image", 1},
    [RFP_STEP_FOLDER] = {"folder", 1},
    [RFP_STEP_DESTROY] = {"destroy", 2},
    [RFP_STEP_REDEFINED] = {"redefined", 2},
    [RFP_STEP_BITMAP] = {"bitmap", 2},
    [RFP_STEP_RELEASE] = {"release", 0},
    [RFP_STEP_BASE] = {"base", 2},
    [RFP_STEP_AMOUNT] = {"amount", 3},
    [RFP_STEP_POINT] = {"point", 1},
    [RFP_STEP_KEPT] = {"kept", 3},
    [RFP_STEP_ENDED] = {"ended", 1},
};

/* ---- Lines --------------------------------------------------------------- */

void
rfp_step_free(RfpStep *step)
{
    if (step == NULL)
        return;
    g_strfreev(step->args);
    g_free(step);
}

static RfpStep *
step_new(RfpStepKind kind)
{
    RfpStep *step = g_new0(RfpStep, 1);

    step->kind = kind;
    step->args = g_new0(char *, kinds[kind].n_args + 1);
    return step;
}

RfpStep *
rfp_step_parse(const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 16);
    g_autoptr(RfpStep) step = NULL;
    guint kind = 0;

    if (words[0] == NULL)
        return NULL;
    while (kind < RFP_N_STEPS && strcmp(kinds[kind].keyword, words[0]) != 0)
        kind++;
    if (kind == RFP_N_STEPS || g_strv_length(words) != kinds[kind].n_args + 1)
        return NULL;
    step = step_new(kind);
    for (guint i = 0; i < kinds[kind].n_args; i++) {
        step->args[i] = g_uri_unescape_string(words[i + 1], NULL);
        if (step->args[i] == NULL)
            return NULL;
    }
    return g_steal_pointer(&step);
}

char *
rfp_step_format(const RfpStep *step)
{
    GString *line = g_string_new(kinds[step->kind].keyword);

    for (guint i = 0; step->args[i] != NULL; i++) {
        g_string_append_c(line, ' ');
        g_string_append_uri_escaped(line, step->args[i], "/", FALSE);
    }
    return g_string_free(line, FALSE);
}

/* ---- The file ------------------------------------------------------------ */

static char *
line_end(char *line, const char *end)
{
    return memchr(line, '\n', (gsize)(end - line));
}

static gboolean
load(RfpRecord *record, gboolean locked, GError **error)
{
    g_autofree char *text = NULL;
    char *line = NULL;
    goffset size = lseek(record->fd, 0, SEEK_END);
    gssize got = 0;

    if (size < 0 || size > RECORD_MAX)
        errno = size < 0 ? errno : EFBIG;
    else if ((text = g_malloc0((gsize)size + 1)) != NULL)
        got = pread(record->fd, text, (gsize)size, 0);
    if (text == NULL || got != size) {
        rfp_error_set_errno(error, errno, _("cannot read the record '%s'"),
                            record->path);
        return FALSE;
    }
    line = text;
    for (char *end = line_end(line, text + size); end != NULL;
         line = end + 1, end = line_end(line, text + size)) {
        RfpStep *step = NULL;

        *end = '\0';
        /* a NUL in it is what a crash leaves of unwritten blocks */
        step =
            strlen(line) == (gsize)(end - line) ? rfp_step_parse(line) : NULL;
        if (step == NULL) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("the record '%s' is damaged"), record->path);
            rfp_error_add_way_out(error,
                                  _("see that the domain has no backup job, "
                                    "then remove that file"));
            return FALSE;
        }
        g_ptr_array_add(record->steps, step);
    }
    /* a torn last line goes, so that the next one does not join it */
    if (locked && line < text + size &&
        ftruncate(record->fd, (goffset)(line - text)) < 0) {
        rfp_error_set_errno(error, errno, _("cannot mend the record '%s'"),
                            record->path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
open_file(RfpRecord *record, const char *records_dir, GError **error)
{
    RfpFolder folder = {.shown = records_dir};
    g_auto(RfpFd) dir = -1;
    gboolean is_new = FALSE;

    if (!rfp_make_dirs(records_dir, 0700, error))
        return FALSE;
    dir = open(records_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder.fd = dir;
    is_new = dir >= 0 && access(record->path, F_OK) != 0;
    if (dir < 0)
        rfp_error_set_errno(error, errno, _("cannot open '%s'"), records_dir);
    else
        record->fd = rfp_files_open(&folder, strrchr(record->path, '/') + 1,
                                    O_RDWR | O_CREAT | O_APPEND, error);
    if (record->fd < 0)
        return FALSE;
    return !is_new || rfp_files_sync_dir(&folder, ".", error);
}

static RfpRecord *
record_new(const char *records_dir, const char *name)
{
    RfpRecord *record = g_new0(RfpRecord, 1);

    record->fd = -1;
    record->path = g_build_filename(records_dir, name, NULL);
    record->steps =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_step_free);
    return record;
}

/* The file, without its lock. */
static RfpRecord *
open_unlocked(const char *records_dir, const char *name, GError **error)
{
    g_autoptr(RfpRecord) record = record_new(records_dir, name);

    if (open_file(record, records_dir, error))
        return g_steal_pointer(&record);
    rfp_error_prefix(error, _("cannot record what is about to be done"));
    return NULL;
}

/* How long who wants the lock waits for it: @wait_ms, or in line as long as
 * @patience says. */
typedef struct {
    guint wait_ms;
    gboolean turn;
    RfpRecordPatience patience;
    gpointer opaque;
} Waiting;

static RfpLock
take(RfpRecord *record, goffset byte, const Waiting *waiting, GError **error)
{
    RfpLock lock = RFP_LOCK_BUSY;

    while ((lock = rfp_files_lock(record->fd, byte, waiting->wait_ms,
                                  record->path, error)) == RFP_LOCK_BUSY &&
           waiting->patience != NULL && waiting->patience(waiting->opaque))
        g_usleep(TURN_POLL_US);
    return lock;
}

static RfpLock
take_lock(RfpRecord *record, const Waiting *waiting, GError **error)
{
    RfpLock lock = RFP_LOCK_TAKEN;

    if (waiting->turn)
        lock = take(record, TURN_BYTE, waiting, error);
    if (lock == RFP_LOCK_TAKEN)
        lock = take(record, LOCK_BYTE, waiting, error);
    if (lock == RFP_LOCK_TAKEN && waiting->turn)
        rfp_files_unlock(record->fd, TURN_BYTE);
    return lock;
}

static gboolean
is_there(const RfpRecord *record)
{
    struct stat ours;
    struct stat there;

    return fstat(record->fd, &ours) == 0 && stat(record->path, &there) == 0 &&
           ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* Whoever removes a record (tidy.h) has its lock. He who waited for that has
 * one that nobody else can find any more: he opens it again. */
static RfpRecord *
open_locked(const char *records_dir,
            const char *id,
            const char *suffix,
            const Waiting *waiting,
            GError **error)
{
    g_autofree char *name = g_strconcat(id, suffix, NULL);

    for (;;) {
        g_autoptr(RfpRecord) record = open_unlocked(records_dir, name, error);
        RfpLock lock = record != NULL ? take_lock(record, waiting, error)
                                      : RFP_LOCK_FAILED;

        if (lock == RFP_LOCK_TAKEN && !is_there(record))
            continue;
        if (lock == RFP_LOCK_TAKEN && load(record, TRUE, error))
            return g_steal_pointer(&record);
        if (lock == RFP_LOCK_BUSY) {
            rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                          strcmp(suffix, SET) == 0
                              ? _("another virt-refpoint works on this set")
                              : _("another virt-refpoint works on this "
                                  "domain"));
            rfp_error_add_object(error, id);
            rfp_error_add_way_out(error, _("wait until it ends"));
        }
        return NULL;
    }
}

RfpRecord *
rfp_record_open(const char *records_dir,
                const char *domain_uuid,
                guint wait_ms,
                GError **error)
{
    const Waiting waiting = {.wait_ms = wait_ms};

    return open_locked(records_dir, domain_uuid, RECORD, &waiting, error);
}

RfpRecord *
rfp_record_open_set(const char *records_dir,
                    const char *set_guid,
                    guint wait_ms,
                    GError **error)
{
    const Waiting waiting = {.wait_ms = wait_ms};

    return open_locked(records_dir, set_guid, SET, &waiting, error);
}

RfpRecord *
rfp_record_take_turn(const char *records_dir,
                     const char *domain_uuid,
                     RfpRecordPatience patience,
                     gpointer opaque,
                     GError **error)
{
    const Waiting waiting = {.turn = TRUE,
                             .patience = patience,
                             .opaque = opaque};

    return open_locked(records_dir, domain_uuid, RECORD, &waiting, error);
}

void
rfp_record_close(RfpRecord *record)
{
    if (record == NULL)
        return;
    if (record->holder_path != NULL)
        unlink(record->holder_path);
    g_free(record->holder_path);
    if (record->fd >= 0)
        close(record->fd);
    g_ptr_array_unref(record->steps);
    g_free(record->path);
    g_free(record);
}

gboolean
rfp_record_append(RfpRecord *record, GError **error, RfpStepKind kind, ...)
{
    RfpStep *step = step_new(kind);
    g_autofree char *line = NULL;
    g_autofree char *text = NULL;
    const char *arg = NULL;
    guint n = 0;
    goffset before = 0;
    int failed = 0;
    va_list ap;

    va_start(ap, kind);
    while ((arg = va_arg(ap, const char *)) != NULL) {
        g_assert(n < kinds[kind].n_args);
        step->args[n++] = g_strdup(arg);
    }
    va_end(ap);
    g_assert(n == kinds[kind].n_args);
    g_ptr_array_add(record->steps, step);
    line = rfp_step_format(step);
    text = g_strconcat(line, "\n", NULL);
    before = lseek(record->fd, 0, SEEK_END);
    failed = rfp_files_write_all(record->fd, text, strlen(text));
    if (failed == 0)
        return TRUE;
    rfp_error_set_errno(error, failed, _("cannot write the record '%s'"),
                        record->path);
    /* half a line must not be joined by the next one */
    if (before >= 0 && ftruncate(record->fd, before) < 0)
        rfp_error_prefix(error, _("cannot mend the record"));
    return FALSE;
}

gboolean
rfp_record_sync(RfpRecord *record, GError **error)
{
    if (fdatasync(record->fd) < 0) {
        rfp_error_set_errno(error, errno, _("cannot sync the record '%s'"),
                            record->path);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_record_clear(RfpRecord *record, GError **error)
{
    g_ptr_array_set_size(record->steps, 0);
    if (ftruncate(record->fd, 0) < 0) {
        rfp_error_set_errno(error, errno, _("cannot clear the record '%s'"),
                            record->path);
        return FALSE;
    }
    return TRUE;
}

/* A crash on the way leaves the record as it was, and perhaps half a file. */
static gboolean
move_to(RfpRecord *record, const char *name, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(record->path);
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(RfpFd) fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    RfpFolder folder = {.fd = fd, .shown = dir};

    for (guint i = 0; i < record->steps->len; i++) {
        g_autofree char *line =
            rfp_step_format(g_ptr_array_index(record->steps, i));

        g_string_append_printf(text, "%s\n", line);
    }
    return rfp_files_remove(&folder, name, error) &&
           rfp_files_write(&folder, name, text->str, text->len, 0600, error) &&
           rfp_files_sync_dir(&folder, ".", error) &&
           rfp_record_clear(record, error);
}

gboolean
rfp_record_set_aside(RfpRecord *record, GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);
    g_autofree char *name =
        g_strdup_printf("%s.%s" ASIDE, operation->args[1], operation->args[2]);

    return move_to(record, name, error);
}

gboolean
rfp_record_keep(RfpRecord *record, GError **error)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);
    g_autofree char *name = g_strconcat(operation->args[1], DATA, NULL);

    return move_to(record, name, error);
}

/* NULL where there is none, or nothing stands in it. */
static RfpRecord *
open_there(const char *records_dir,
           const char *domain_uuid,
           const char *suffix,
           gboolean locked)
{
    g_autofree char *name = g_strconcat(domain_uuid, suffix, NULL);
    g_autoptr(RfpRecord) record = record_new(records_dir, name);

    record->fd = open(record->path,
                      O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (record->fd < 0 || !load(record, locked, NULL) ||
        rfp_record_find(record, RFP_STEP_OPERATION) == NULL)
        return NULL;
    return g_steal_pointer(&record);
}

RfpRecord *
rfp_record_peek(const char *records_dir, const char *domain_uuid)
{
    return open_there(records_dir, domain_uuid, RECORD, FALSE);
}

RfpRecord *
rfp_record_peek_set(const char *records_dir, const char *set_guid)
{
    return open_there(records_dir, set_guid, SET, FALSE);
}

char *
rfp_record_kept_path(const char *records_dir, const char *domain_uuid)
{
    g_autofree char *name = g_strconcat(domain_uuid, DATA, NULL);

    return g_build_filename(records_dir, name, NULL);
}

/* Half a file has no KEPT step: its operation has not come to an end. */
RfpRecord *
rfp_record_open_kept(const char *records_dir,
                     const char *domain_uuid,
                     gboolean locked)
{
    g_autoptr(RfpRecord) record =
        open_there(records_dir, domain_uuid, DATA, locked);

    if (record == NULL || rfp_record_find(record, RFP_STEP_KEPT) == NULL)
        return NULL;
    return g_steal_pointer(&record);
}

GPtrArray *
rfp_record_list_aside(const char *records_dir, const char *domain_uuid)
{
    GPtrArray *list =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_record_close);
    g_autoptr(GDir) dir = g_dir_open(records_dir, 0, NULL);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autoptr(RfpRecord) record = NULL;

        if (!g_str_has_prefix(name, domain_uuid) ||
            !g_str_has_suffix(name, ASIDE))
            continue;
        record = record_new(records_dir, name);
        record->fd = open(record->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (record->fd >= 0 && load(record, TRUE, NULL) &&
            rfp_record_find(record, RFP_STEP_OPERATION) != NULL)
            g_ptr_array_add(list, g_steal_pointer(&record));
    }
    return list;
}

gboolean
rfp_record_remove(RfpRecord *record, GError **error)
{
    if (unlink(record->path) < 0 && errno != ENOENT) {
        rfp_error_set_errno(error, errno, _("cannot remove the record '%s'"),
                            record->path);
        return FALSE;
    }
    return TRUE;
}

/* What may go with its domain: not the records that were set aside. */
static gboolean
names_domain(const char *name)
{
    g_autofree char *uuid = g_strndup(name, UUID_LENGTH);

    return rfp_guid_check(uuid) && (strcmp(name + UUID_LENGTH, RECORD) == 0 ||
                                    strcmp(name + UUID_LENGTH, DATA) == 0);
}

GHashTable *
rfp_record_domains(const char *records_dir)
{
    GHashTable *uuids =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDir) dir = g_dir_open(records_dir, 0, NULL);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (names_domain(name))
            g_hash_table_add(uuids, g_strndup(name, UUID_LENGTH));
    return uuids;
}

const RfpStep *
rfp_record_find(const RfpRecord *record, RfpStepKind kind)
{
    for (guint i = record->steps->len; i > 0; i--) {
        const RfpStep *step = g_ptr_array_index(record->steps, i - 1);

        if (step->kind == kind)
            return step;
    }
    return NULL;
}
