/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/verify-file.h"
#include "base/text.h"
#include "set/set-points.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A set from outside can have as many faults as it likes. */
#define FINDINGS_MAX 10000
#define BUFFER_SIZE (1024 * 1024)

/* ---- Findings ------------------------------------------------------------ */

static RefpointFinding *
finding_new(const RfpVerifyPlace *place, RfpFinding id, const char *message)
{
    RefpointFinding *finding = g_new0(RefpointFinding, 1);

    finding->path = g_strdup(place->path);
    finding->id = g_strdup(rfp_finding_id(id));
    finding->message = rfp_text_clean(message);
    finding->offset = place->length > 0 ? place->offset : 0;
    finding->length = place->length;
    return finding;
}

static void
add_finding(RfpVerify *verify,
            GPtrArray *list,
            const RfpVerifyPlace *place,
            RfpFinding id,
            const char *message)
{
    const RfpVerifyPlace all = {.path = "."};

    g_mutex_lock(&verify->lock);
    if (list->len < FINDINGS_MAX)
        g_ptr_array_add(list, finding_new(place, id, message));
    else if (list->len == FINDINGS_MAX)
        g_ptr_array_add(list,
                        finding_new(&all, RFP_FINDING_MORE,
                                    _("there is more, which is not listed")));
    g_mutex_unlock(&verify->lock);
}

static void G_GNUC_PRINTF(5, 0) add_formatted(RfpVerify *verify,
                                              GPtrArray *list,
                                              const RfpVerifyPlace *place,
                                              RfpFinding id,
                                              const char *format,
                                              va_list ap)
{
    g_autofree char *message = g_strdup_vprintf(format, ap);

    add_finding(verify, list, place, id, message);
}

void
rfp_verify_damage(RfpVerify *verify,
                  const char *path,
                  RfpFinding id,
                  const char *format,
                  ...)
{
    const RfpVerifyPlace place = {.path = path};
    va_list ap;

    va_start(ap, format);
    add_formatted(verify, verify->result->damages, &place, id, format, ap);
    va_end(ap);
}

void
rfp_verify_damage_at(RfpVerify *verify,
                     const RfpVerifyPlace *place,
                     RfpFinding id,
                     const char *format,
                     ...)
{
    va_list ap;

    va_start(ap, format);
    add_formatted(verify, verify->result->damages, place, id, format, ap);
    va_end(ap);
}

void
rfp_verify_remark(RfpVerify *verify,
                  const char *path,
                  RfpFinding id,
                  const char *format,
                  ...)
{
    const RfpVerifyPlace place = {.path = path};
    va_list ap;

    va_start(ap, format);
    add_formatted(verify, verify->result->remarks, &place, id, format, ap);
    va_end(ap);
}

void
rfp_verify_newer(RfpVerify *verify,
                 const char *path,
                 RfpFinding id,
                 const char *format,
                 ...)
{
    const RfpVerifyPlace place = {.path = path};
    va_list ap;

    va_start(ap, format);
    add_formatted(verify, verify->result->newer, &place, id, format, ap);
    va_end(ap);
}

void
rfp_verify_widen(RfpVerifyPlace *place, const RfpVerifyPlace *other)
{
    const guint64 start = MIN(place->offset, other->offset);
    const guint64 end =
        MAX(place->offset + place->length, other->offset + other->length);
    const gboolean ranges = place->length > 0 && other->length > 0;

    place->offset = ranges ? start : 0;
    place->length = ranges ? end - start : 0;
}

gboolean
rfp_verify_stopped(RfpVerify *verify)
{
    gboolean stopped = FALSE;

    if (rfp_job_cancelled(verify->job))
        return TRUE;
    g_mutex_lock(&verify->lock);
    stopped = verify->fatal != NULL;
    g_mutex_unlock(&verify->lock);
    return stopped;
}

/* A point may be removed while it is looked at: its folder goes first. */
static gboolean
point_gone(RfpVerify *verify, const RfpSetPoint *point)
{
    g_autofree char *manifest = NULL;

    if (point == NULL || point->manifest == NULL)
        return FALSE;
    manifest = g_build_filename(point->folder, RFP_MANIFEST_FILE, NULL);
    if (faccessat(verify->set->fd, manifest, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
        errno != ENOENT)
        return FALSE;
    g_mutex_lock(&verify->lock);
    g_hash_table_add(verify->gone, (gpointer)point);
    g_mutex_unlock(&verify->lock);
    return TRUE;
}

gboolean
rfp_verify_end(RfpVerify *verify, const GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);

    if (failure->cause != REFPOINT_ERROR_ACCESS_DENIED &&
        failure->cause != REFPOINT_ERROR_NO_MEMORY &&
        failure->errnum != EMFILE && failure->errnum != ENFILE)
        return FALSE;
    g_mutex_lock(&verify->lock);
    if (verify->fatal == NULL)
        verify->fatal = g_error_copy(error);
    g_mutex_unlock(&verify->lock);
    return TRUE;
}

void
rfp_verify_unreadable_at(RfpVerify *verify,
                         const RfpSetPoint *point,
                         const RfpVerifyPlace *place,
                         RfpFinding id,
                         const GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);

    if (rfp_verify_end(verify, error))
        return;
    if (failure->errnum == ENOENT) {
        if (!point_gone(verify, point))
            rfp_verify_damage_at(verify, place, RFP_FINDING_MISSING_FILE,
                                 _("the file is missing"));
    } else if (failure->errnum == ELOOP || failure->errnum == ENOTDIR) {
        rfp_verify_damage_at(verify, place, RFP_FINDING_LINK,
                             _("there is a link where a file or a folder "
                               "should be"));
    } else {
        rfp_verify_damage_at(verify, place,
                             failure->errnum != 0 ? RFP_FINDING_READ_ERROR : id,
                             "%s", failure->message);
    }
}

void
rfp_verify_unreadable(RfpVerify *verify,
                      const RfpSetPoint *point,
                      const char *path,
                      RfpFinding id,
                      const GError *error)
{
    const RfpVerifyPlace place = {.path = path};

    rfp_verify_unreadable_at(verify, point, &place, id, error);
}

/* ---- Files --------------------------------------------------------------- */

static char *
inode_key(const struct stat *st)
{
    return g_strdup_printf("%" PRIu64 ":%" PRIu64, (guint64)st->st_dev,
                           (guint64)st->st_ino);
}

/* All files of the set that have several names, hidden ones too: an export may
 * be under way. */
static GHashTable *
count_names(const RfpVerify *verify)
{
    char *const roots[] = {verify->set->path, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    GHashTable *names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    FTSENT *entry = NULL;

    while (walk != NULL && (entry = fts_read(walk)) != NULL) {
        char *key = NULL;
        guint n = 0;

        if (entry->fts_info != FTS_F || entry->fts_statp->st_nlink < 2)
            continue;
        key = inode_key(entry->fts_statp);
        n = GPOINTER_TO_UINT(g_hash_table_lookup(names, key));
        g_hash_table_insert(names, key, GUINT_TO_POINTER(n + 1));
    }
    if (walk != NULL)
        fts_close(walk);
    return names;
}

static guint
names_inside(RfpVerify *verify, const struct stat *st)
{
    g_autofree char *key = inode_key(st);
    guint n = 0;

    g_mutex_lock(&verify->lock);
    if (verify->names == NULL)
        verify->names = count_names(verify);
    n = GPOINTER_TO_UINT(g_hash_table_lookup(verify->names, key));
    g_mutex_unlock(&verify->lock);
    return n;
}

/* Points of a set share the kernel and the like where it did not change, and
 * nobody else shares anything. */
static void
check_names(RfpVerify *verify, const char *path, const struct stat *st)
{
    const gboolean alone =
        g_str_has_prefix(path, RFP_DISKS_DIR "/") || strchr(path, '/') == NULL;

    if (st->st_nlink < 2 ||
        (!alone && names_inside(verify, st) >= st->st_nlink))
        return;
    rfp_verify_remark(verify, path, RFP_FINDING_HARD_LINK,
                      _("the file has %u names: who writes to one changes "
                        "all"),
                      (guint)st->st_nlink);
}

void
rfp_verify_owner(RfpVerify *verify, const char *path, const struct stat *st)
{
    if (verify->owned && st->st_uid != verify->owner)
        rfp_verify_remark(verify, path, RFP_FINDING_OWNER,
                          _("it belongs to user %u, set.xml to user %u"),
                          (guint)st->st_uid, (guint)verify->owner);
}

void
rfp_verify_inode(RfpVerify *verify,
                 const char *path,
                 const struct stat *st,
                 guint mode)
{
    const guint found = st->st_mode & 07777;
    /* what only its owner can write is no less protected */
    const gboolean good = mode == 0600 ? (found & 07177) == 0 : found == mode;

    if (!good)
        rfp_verify_remark(verify, path, RFP_FINDING_PERMISSIONS,
                          _("the file's mode is %04o, not %04o"), found, mode);
    rfp_verify_owner(verify, path, st);
    check_names(verify, path, st);
}

int
rfp_verify_open(RfpVerify *verify,
                const RfpSetPoint *point,
                const char *path,
                guint64 size)
{
    g_autoptr(GError) error = NULL;
    g_auto(RfpFd) fd =
        rfp_files_open(&verify->set->folder, path, O_RDONLY, &error);
    struct stat st;

    if (fd < 0) {
        rfp_verify_unreadable(verify, point, path, RFP_FINDING_LINK, error);
        return -1;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        rfp_verify_damage(verify, path, RFP_FINDING_LINK,
                          _("this is no regular file"));
        return -1;
    }
    rfp_verify_inode(verify, path, &st, 0400);
    if ((guint64)st.st_size != size) {
        rfp_verify_damage(verify, path, RFP_FINDING_SIZE_MISMATCH,
                          _("the file has %" PRIu64
                            " bytes, the manifest says %" PRIu64),
                          (guint64)st.st_size, size);
        return -1;
    }
    return rfp_fd_steal(&fd);
}

gboolean
rfp_verify_sha256(RfpVerify *verify,
                  const RfpSetPoint *point,
                  const char *path,
                  int fd,
                  const guint8 *sha256)
{
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    guint8 digest[RFP_LEAF_SIZE];
    guint64 offset = 0;
    gsize got = BUFFER_SIZE;
    int failed = 0;

    while (!rfp_verify_stopped(verify) && failed == 0 && got == BUFFER_SIZE) {
        failed = rfp_files_pread(fd, buffer, BUFFER_SIZE, offset, &got);
        rfp_sha256_update(sha, buffer, got);
        offset += got;
    }
    if (rfp_verify_stopped(verify))
        return FALSE;
    if (failed != 0) {
        g_autoptr(GError) error = NULL;

        rfp_error_set_errno(&error, failed, _("cannot read offset %" PRIu64),
                            offset);
        rfp_verify_unreadable(verify, point, path, RFP_FINDING_READ_ERROR,
                              error);
        return FALSE;
    }
    rfp_sha256_finish(sha, digest);
    if (memcmp(digest, sha256, sizeof(digest)) == 0)
        return TRUE;
    rfp_verify_damage(verify, path, RFP_FINDING_DIGEST_MISMATCH,
                      _("the file's SHA-256 is not that of the manifest"));
    return FALSE;
}
