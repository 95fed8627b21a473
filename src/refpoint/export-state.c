/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's state outside of its disks: firmware variables, TPM, kernel and
 * initrd of a direct boot. */
#include "export.h"
#include "text.h"

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

/* One file on its way. */
typedef struct {
    RfpExport *export;
    RfpManifestVm *vm;
    const char *role;
    const char *name;   /* in the VM's folder */
    const char *source;
} State;

/* ---- Content --------------------------------------------------------------------------- */

/* Like read(), over signals and short reads. */
static gssize
read_full(int fd, guint8 *buffer, gsize length)
{
    gsize got = 0;

    while (got < length) {
        gssize n = read(fd, buffer + got, length - got);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        got += (gsize)n;
    }
    return (gssize)got;
}

/* Copies @from to its end, for size and digest too. 0, or an errno. */
static int
copy_content(int from, int to, RfpManifestFile *file)
{
    g_autofree guint8 *buffer = g_malloc(COPY_BUFFER);
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    gssize n = 0;

    file->size = 0;
    while ((n = read_full(from, buffer, COPY_BUFFER)) > 0) {
        int failed = rfp_files_write_all(to, buffer, (gsize)n);

        file->size += (guint64)n;
        if (failed != 0 || file->size > STATE_FILE_MAX)
            return failed ? failed : EFBIG;
        rfp_sha256_update(sha, buffer, (gsize)n);
    }
    rfp_sha256_finish(sha, file->sha256);
    return n < 0 || fchmod(to, 0400) < 0 || fsync(to) < 0 ? errno : 0;
}

static gboolean
same_content(int a, int b)
{
    g_autofree guint8 *buffer = g_malloc(COPY_BUFFER);
    g_autofree guint8 *other = g_malloc(COPY_BUFFER);
    gssize n = 0;

    do {
        n = read_full(a, buffer, COPY_BUFFER);
        if (n < 0 || read_full(b, other, COPY_BUFFER) != n ||
            memcmp(buffer, other, (gsize)n) != 0)
            return FALSE;
    } while (n > 0);
    return TRUE;
}

/* ---- The same file as last time ----------------------------------------------------------- */

static const RfpManifestFile *
find_last(const State *state)
{
    RfpSetPoint *newest = rfp_export_set_newest(state->export->set);
    RfpManifestVm *vm = newest ? rfp_set_point_vm(newest) : NULL;

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
link_last(State *state, int from, RfpManifestFile *file, const char *path)
{
    RfpFolder *folder = &state->export->set->folder;
    const RfpManifestFile *last = find_last(state);
    g_auto(RfpFd) there = -1;

    if (last == NULL)
        return FALSE;
    there = rfp_files_open(folder, last->path, O_RDONLY, NULL);
    if (there < 0 || !same_content(from, there) ||
        linkat(folder->fd, last->path, folder->fd, path, 0) < 0) {
        (void)!lseek(from, 0, SEEK_SET);
        return FALSE;
    }
    file->size = last->size;
    memcpy(file->sha256, last->sha256, RFP_LEAF_SIZE);
    return TRUE;
}

/* ---- One file -------------------------------------------------------------------------------- */

static gboolean
copy_opened(State *state, int from, GError **error)
{
    RfpFolder *folder = &state->export->set->folder;
    g_autofree char *path = NULL;
    RfpManifestFile *file = rfp_export_add_file(
        state->export, state->vm, state->role, state->name, &path);
    g_auto(RfpFd) to = -1;
    int failed = 0;

    if (link_last(state, from, file, path))
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
copy_state(RfpExport *export,
           RfpManifestVm *vm,
           const char *role,
           const char *name,
           const char *source,
           GError **error)
{
    State state = {export, vm, role, name, source};
    g_auto(RfpFd) from = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (from >= 0 && fstat(from, &st) == 0 && S_ISREG(st.st_mode)) {
        if (export->from_kept &&
            st.st_mtime > export->created_us / G_USEC_PER_SEC)
            rfp_job_warn(rfp_export_job(export), "guest-state-later", source,
                         _("'%s' (%s) was written after the point was made: "
                           "the export has what it holds now"),
                         source, role);
        return copy_opened(&state, from, error);
    }
    rfp_job_warn(rfp_export_job(export), "guest-state-missing", source,
                 _("'%s' (%s) cannot be read and is not in the export: %s"),
                 source, role,
                 from < 0 ? g_strerror(errno) : _("no regular file"));
    return TRUE;
}

/* ---- TPM --------------------------------------------------------------------------------------- */

static char *
tpm_dir(RfpExport *export)
{
    const char *uuid = export->operation.domain->uuid;

    if (export->operation.conn->system)
        return g_build_filename(TPM_SYSTEM_DIR, uuid, NULL);
    return g_build_filename(g_get_user_config_dir(), "libvirt", "qemu",
                            "swtpm", uuid, NULL);
}

/* swtpm keeps its state in "tpm1.2" or "tpm2"; locks and sockets are not
 * state. */
static gboolean
copy_tpm_version(RfpExport *export,
                 RfpManifestVm *vm,
                 const char *dir,
                 const char *version,
                 guint *n,
                 GError **error)
{
    g_autofree char *from = g_build_filename(dir, version, NULL);
    g_autofree char *to = g_build_filename(export->partial, export->vm_folder,
                                           "tpm", version, NULL);
    g_autoptr(GDir) files = g_dir_open(from, 0, NULL);
    const char *name = NULL;

    if (files == NULL)
        return TRUE;
    if (!rfp_files_make_dirs(&export->set->folder, to, error))
        return FALSE;
    while ((name = g_dir_read_name(files)) != NULL && *n < TPM_FILES_MAX) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target =
            g_build_filename("tpm", version, name, NULL);

        if (*name == '.' || strpbrk(name, ":/") != NULL)
            continue;
        if (!copy_state(export, vm, "tpm", target, source, error))
            return FALSE;
        (*n)++;
    }
    return rfp_files_sync_dir(&export->set->folder, to, error);
}

static gboolean
copy_tpm(RfpExport *export, RfpManifestVm *vm, GError **error)
{
    g_autofree char *dir = tpm_dir(export);
    guint n = 0;

    if (!copy_tpm_version(export, vm, dir, "tpm2", &n, error) ||
        !copy_tpm_version(export, vm, dir, "tpm1.2", &n, error))
        return FALSE;
    if (n == 0)
        rfp_job_warn(rfp_export_job(export), "guest-state-missing", dir,
                     _("the state of the TPM cannot be read in '%s' and is "
                       "not in the export; keep the recovery keys of what it "
                       "protects"),
                     dir);
    return TRUE;
}

/* ---- All ------------------------------------------------------------------------------------------ */

gboolean
rfp_export_write_state(RfpExport *export, RfpManifestVm *vm, GError **error)
{
    RfpDomainXml *domain = export->domain_xml;

    return (domain->nvram == NULL ||
            copy_state(export, vm, "nvram", "nvram.fd", domain->nvram,
                       error)) &&
           (domain->kernel == NULL ||
            copy_state(export, vm, "kernel", "kernel", domain->kernel,
                       error)) &&
           (domain->initrd == NULL ||
            copy_state(export, vm, "initrd", "initrd", domain->initrd,
                       error)) &&
           (!domain->tpm_emulated || copy_tpm(export, vm, error));
}
