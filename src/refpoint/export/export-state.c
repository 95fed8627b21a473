/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-state.h"
#include "base/text.h"
#include "set/set-points.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BUFFER (256 * 1024)
/* What is larger is none of these. */
#define STATE_FILE_MAX ((guint64)2 << 30)
#define TPM_SYSTEM_DIR "/var/lib/libvirt/swtpm"
#define TPM_FILES_MAX 64
/* The times of files are those of the kernel's last tick. */
#define TICK_US (10 * 1000)

/* One of the files. */
typedef struct {
    const char *role;
    char *name; /* in the VM's folder */
    char *source;
} State;

static void
state_free(gpointer data)
{
    State *state = data;

    g_free(state->name);
    g_free(state->source);
    g_free(state);
}

static void
add_state(GPtrArray *list,
          const char *role,
          const char *name,
          const char *source)
{
    State *state = g_new0(State, 1);

    state->role = role;
    state->name = g_strdup(name);
    state->source = g_strdup(source);
    g_ptr_array_add(list, state);
}

/* Paths inside the point's folder are told to the manifest as they will be
 * once it has its name. */
RfpManifestFile *
rfp_export_add_file(RfpExportMember *member,
                    const char *role,
                    const char *name,
                    char **partial_path)
{
    const RfpExport *export = member->export;
    RfpManifestFile *file = rfp_manifest_vm_add_file(member->manifest_vm);

    file->role = g_strdup(role);
    file->path =
        g_build_filename(export->folder, member->vm_folder, name, NULL);
    *partial_path =
        g_build_filename(export->partial, member->vm_folder, name, NULL);
    return file;
}

/* ---- Which there are ----------------------------------------------------- */

static char *
tpm_dir(RfpExportMember *member)
{
    const char *uuid = member->operation.domain->uuid;

    if (member->operation.conn->system)
        return g_build_filename(TPM_SYSTEM_DIR, uuid, NULL);
    return g_build_filename(g_get_user_config_dir(), "libvirt", "qemu", "swtpm",
                            uuid, NULL);
}

/* swtpm keeps its state in "tpm1.2" or "tpm2"; locks and sockets are not
 * state. */
static void
list_tpm(GPtrArray *list, const char *dir, const char *version)
{
    g_autofree char *from = g_build_filename(dir, version, NULL);
    g_autoptr(GDir) files = g_dir_open(from, 0, NULL);
    const char *name = NULL;
    guint n = 0;

    while (files != NULL && (name = g_dir_read_name(files)) != NULL &&
           n < TPM_FILES_MAX) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename("tpm", version, name, NULL);

        if (*name == '.' || strpbrk(name, ":/") != NULL)
            continue;
        add_state(list, "tpm", target, source);
        n++;
    }
}

/* GPtrArray of State. */
static GPtrArray *
list_state(RfpExportMember *member)
{
    const RfpDomainXml *domain = member->domain_xml;
    GPtrArray *list = g_ptr_array_new_with_free_func(state_free);

    if (domain->nvram != NULL)
        add_state(list, "nvram", "nvram.fd", domain->nvram);
    if (domain->kernel != NULL)
        add_state(list, "kernel", "kernel", domain->kernel);
    if (domain->initrd != NULL)
        add_state(list, "initrd", "initrd", domain->initrd);
    if (domain->tpm_emulated) {
        g_autofree char *dir = tpm_dir(member);

        list_tpm(list, dir, "tpm2");
        list_tpm(list, dir, "tpm1.2");
    }
    return list;
}

/* ---- Of which moment ----------------------------------------------------- */

static gint64
changed_us(const struct stat *st)
{
    return (gint64)st->st_ctim.tv_sec * G_USEC_PER_SEC +
           st->st_ctim.tv_nsec / 1000;
}

static gboolean
same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* One that was written in this very tick is not noted: written again in the
 * same one it would look the same. */
void
rfp_export_look_at_state(RfpExportMember *member)
{
    g_autoptr(GPtrArray) list = list_state(member);

    member->state_before =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < list->len; i++) {
        const State *state = g_ptr_array_index(list, i);
        g_autofree struct stat *st = g_new0(struct stat, 1);

        if (stat(state->source, st) == 0 &&
            changed_us(st) < g_get_real_time() - TICK_US)
            g_hash_table_insert(member->state_before, g_strdup(state->source),
                                g_steal_pointer(&st));
    }
}

/* @st: of the file behind its copy. Of a point that was made before, all that
 * is known is when. */
static void
check_moment(RfpExportMember *member, const State *state, const struct stat *st)
{
    const struct stat *before = NULL;

    if (!member->origin->makes_point) {
        if (changed_us(st) >= member->created_us)
            rfp_job_warn(member->operation.job, RFP_WARNING_GUEST_STATE_LATER,
                         state->source,
                         _("'%s' (%s) was written after the point was made: "
                           "the export has what it holds now"),
                         state->source, state->role);
        return;
    }
    before = g_hash_table_lookup(member->state_before, state->source);
    if (before == NULL || !same_file(before, st))
        rfp_job_warn(member->operation.job, RFP_WARNING_GUEST_STATE_LATER,
                     state->source,
                     _("'%s' (%s) was written while the point was made: the "
                       "export may have it as it was a moment later"),
                     state->source, state->role);
}

/* ---- Content ------------------------------------------------------------- */

/* Copies @from to its end, for size and digest too; not synced. 0, or an
 * errno. */
static int
copy_content(int from, int to, RfpManifestFile *file)
{
    g_autofree guint8 *buffer = g_malloc(COPY_BUFFER);
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    gsize got = 0;

    file->size = 0;
    do {
        int failed =
            rfp_files_pread(from, buffer, COPY_BUFFER, file->size, &got);

        if (failed == 0)
            failed = rfp_files_write_all(to, buffer, got);
        file->size += got;
        if (failed != 0 || file->size > STATE_FILE_MAX)
            return failed ? failed : EFBIG;
        rfp_sha256_update(sha, buffer, got);
    } while (got == COPY_BUFFER);
    rfp_sha256_finish(sha, file->sha256);
    return fchmod(to, 0400) < 0 ? errno : 0;
}

static gboolean
same_content(int a, int b)
{
    g_autofree guint8 *buffer = g_malloc(COPY_BUFFER);
    g_autofree guint8 *other = g_malloc(COPY_BUFFER);
    guint64 offset = 0;
    gsize got = 0;
    gsize there = 0;

    do {
        if (rfp_files_pread(a, buffer, COPY_BUFFER, offset, &got) != 0 ||
            rfp_files_pread(b, other, COPY_BUFFER, offset, &there) != 0 ||
            got != there || memcmp(buffer, other, got) != 0)
            return FALSE;
        offset += got;
    } while (got == COPY_BUFFER);
    return TRUE;
}

/* ---- The same file as last time ------------------------------------------ */

static const RfpManifestFile *
find_last(RfpExportMember *member, const State *state)
{
    const char *uuid = member->operation.domain->uuid;
    RfpSetPoint *newest = rfp_export_set_newest_of(member->export->set, uuid);
    /* a digest is taken on only where a bit of it cannot have changed */
    RfpManifestVm *vm = newest != NULL && newest->manifest->vouches
                            ? rfp_set_point_vm(newest, uuid)
                            : NULL;

    for (guint i = 0; vm != NULL && i < vm->files->len; i++) {
        RfpManifestFile *file = g_ptr_array_index(vm->files, i);
        g_autofree char *name = g_path_get_basename(file->path);

        if (strcmp(file->role, state->role) == 0 &&
            g_str_has_suffix(state->name, name))
            return file;
    }
    return NULL;
}

/* A kernel that did not change since the set's newest point is one more name
 * for the same file: points share it, as they share base images. Its digest is
 * that of the same bytes. */
static gboolean
link_last(RfpExportMember *member,
          const State *state,
          int from,
          RfpManifestFile *file,
          const char *path)
{
    RfpFolder *folder = &member->export->set->folder;
    const RfpManifestFile *last = find_last(member, state);
    g_auto(RfpFd) there = -1;

    if (last == NULL)
        return FALSE;
    there = rfp_files_open(folder, last->path, O_RDONLY, NULL);
    if (there < 0 || !same_content(from, there) ||
        linkat(folder->fd, last->path, folder->fd, path, 0) < 0)
        return FALSE;
    file->size = last->size;
    memcpy(file->sha256, last->sha256, RFP_LEAF_SIZE);
    return TRUE;
}

/* ---- One file ------------------------------------------------------------ */

static gboolean
copy_opened(RfpExportMember *member,
            const State *state,
            int from,
            GError **error)
{
    RfpFolder *folder = &member->export->set->folder;
    g_autofree char *path = NULL;
    g_autofree char *dir = NULL;
    RfpManifestFile *file =
        rfp_export_add_file(member, state->role, state->name, &path);
    g_auto(RfpFd) to = -1;
    int failed = 0;

    dir = g_path_get_dirname(path);
    if (!rfp_files_stage_dirs(folder, dir, error))
        return FALSE;
    if (link_last(member, state, from, file, path))
        return TRUE;
    to = rfp_files_open(folder, path, O_WRONLY | O_CREAT | O_EXCL, error);
    if (to < 0)
        return FALSE;
    failed = copy_content(from, to, file);
    if (failed != 0)
        rfp_error_set_errno(error, failed, _("cannot copy '%s' to '%s/%s'"),
                            state->source, folder->shown, path);
    return failed == 0;
}

/* One that cannot be read is a warning: the disks are worth more than
 * nothing. */
static gboolean
copy_state(RfpExportMember *member, const State *state, GError **error)
{
    g_auto(RfpFd) from = open(state->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (from >= 0 && fstat(from, &st) == 0 && S_ISREG(st.st_mode)) {
        if (!copy_opened(member, state, from, error))
            return FALSE;
        if (fstat(from, &st) == 0)
            check_moment(member, state, &st);
        return TRUE;
    }
    rfp_job_warn(member->operation.job, RFP_WARNING_GUEST_STATE_MISSING,
                 state->source,
                 _("'%s' (%s) cannot be read and is not in the export: %s"),
                 state->source, state->role,
                 from < 0 ? g_strerror(errno) : _("no regular file"));
    return TRUE;
}

/* ---- All ----------------------------------------------------------------- */

gboolean
rfp_export_take_state(RfpExportMember *member, GError **error)
{
    g_autoptr(GPtrArray) list = list_state(member);
    gboolean tpm = FALSE;

    for (guint i = 0; i < list->len; i++) {
        const State *state = g_ptr_array_index(list, i);

        tpm = tpm || strcmp(state->role, "tpm") == 0;
        if (!copy_state(member, state, error))
            return FALSE;
    }
    if (member->domain_xml->tpm_emulated && !tpm) {
        g_autofree char *dir = tpm_dir(member);

        rfp_job_warn(member->operation.job, RFP_WARNING_GUEST_STATE_MISSING,
                     dir,
                     _("the state of the TPM cannot be read in '%s' and is "
                       "not in the export; keep the recovery keys of what it "
                       "protects"),
                     dir);
    }
    return TRUE;
}
