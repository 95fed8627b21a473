/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room for what an export writes, and for what the guest overwrites
 * meanwhile. */
#include "base/space.h"
#include "base/text.h"
#include "engine/export.h"
#include "virt/qemu-process.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* Room for what an image has beside its data. */
#define IMAGE_OVERHEAD ((guint64)1 << 20)
/* How many times smaller compression makes data at best, as far as the room for
 * it goes. */
#define COMPRESS_BEST 8
/* Bytes in a second that any guest may write while it is exported. */
#define GUEST_WRITES ((guint64)1 << 20)

/* ---- Space --------------------------------------------------------------- */

static guint64
file_size(const char *path)
{
    struct stat st;

    return path != NULL && stat(path, &st) == 0 ? (guint64)st.st_size : 0;
}

/* What QEMU writes in push mode, before it goes into the set. */
static guint64
estimated_data(const RfpExport *export)
{
    guint64 data = 0;

    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            data += disk->report->estimate + IMAGE_OVERHEAD;
    }
    return data;
}

static guint64
estimated_need(RfpExport *export)
{
    const RfpDomainXml *domain = export->domain_xml;
    guint64 need = file_size(domain->nvram) + file_size(domain->kernel) +
                   file_size(domain->initrd);

    for (guint i = 0; i < export->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(export->disks, i);
        guint64 data = disk->report->estimate;

        if (rfp_export_takes(disk)) /* data, its digests, tables */
            need += data + data / 1024 + IMAGE_OVERHEAD;
    }
    return need;
}

/* What is needed at the least: how well data will compress nobody knows. */
static guint64
least_need(const RfpExport *export, guint64 need)
{
    return export->options->compress == REFPOINT_COMPRESS_NONE
               ? need
               : need / COMPRESS_BEST;
}

static void
warn_uncertain_room(RfpExport *export, guint64 need, guint64 have)
{
    const char *path = export->options->directory;
    g_autofree char *need_text =
        g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *have_text =
        g_format_size_full(have, G_FORMAT_SIZE_IEC_UNITS);

    rfp_job_warn(rfp_export_job(export), "uncertain-room", path,
                 _("%s are free in '%s' for %s of data: whether they are "
                   "enough depends on how well it compresses"),
                 have_text, path, need_text);
}

static void
no_room(const char *path, guint64 need, guint64 have, GError **error)
{
    g_autofree char *need_text =
        g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *have_text =
        g_format_size_full(have, G_FORMAT_SIZE_IEC_UNITS);

    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("not enough room in '%s': about %s are needed, %s are "
                    "free"),
                  path, need_text, have_text);
    rfp_error_add_object(error, path);
}

static guint64
scratch_reserve(const RfpExport *export, const RfpSpace *space)
{
    return export->options->scratch_reserve_set
               ? export->options->scratch_reserve
               : rfp_space_reserve(space);
}

/* Scratch inside the set would be exported data's neighbour and be counted
 * twice. */
static gboolean
check_scratch_dir(RfpExport *export, GError **error)
{
    const char *scratch = rfp_export_scratch_dir(export);
    g_autofree char *set = export->options->directory != NULL
                               ? rfp_path_absolute(export->options->directory)
                               : NULL;
    gsize length = set != NULL ? strlen(set) : 0;

    if (export->scratch_dir != NULL &&
        !g_file_test(scratch, G_FILE_TEST_IS_DIR)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the scratch directory '%s' is no directory"), scratch);
        rfp_error_add_object(error, scratch);
        rfp_error_add_way_out(error, _("make it first: mkdir -p %s"), scratch);
        return FALSE;
    }
    if (set != NULL && strncmp(scratch, set, length) == 0 &&
        (scratch[length] == '/' || scratch[length] == '\0')) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the scratch directory '%s' is inside the set"),
                      scratch);
        rfp_error_add_object(error, scratch);
        rfp_error_add_way_out(error, _("use a directory outside of it"));
        return FALSE;
    }
    return TRUE;
}

/* Where the data is kept, an export needs no scratch file any more, and where
 * it is to be kept there is no set to be filled yet. */
gboolean
rfp_export_check_scratch(RfpExport *export, guint64 also, GError **error)
{
    RfpSpace scratch = {0};
    guint64 reserve = 0;

    if (!check_scratch_dir(export, error) ||
        !rfp_qemu_check_reach(export->operation.conn, export->operation.domain,
                              rfp_export_scratch_dir(export), error) ||
        !rfp_space_of(rfp_export_scratch_dir(export), &scratch, error))
        return FALSE;
    reserve = scratch_reserve(export, &scratch) + also;
    if (scratch.free >= reserve)
        return TRUE;
    no_room(rfp_export_scratch_dir(export), reserve, scratch.free, error);
    rfp_error_add_way_out(
        error, export->keeps
                   ? _("use another file system for the scratch files "
                       "(--scratch-dir), "
                       "or make a point that keeps no data (--track-only)")
                   : _("use another file system for the scratch files "
                       "(--scratch-dir), "
                       "or keep less of it free (--scratch-reserve)"));
    return FALSE;
}

static guint64
size_of_disks(const RfpExport *export)
{
    guint64 size = 0;

    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (rfp_export_takes(disk))
            size += disk->state.size;
    }
    return size;
}

/* The longer it takes, the more of what the guest overwrites is in scratch
 * files, up to all of its disks. @room: bytes that these may take. */
static void
warn_low_rate(RfpExport *export, guint64 need, guint64 room)
{
    RefpointJob *job = rfp_export_job(export);
    const guint64 limit = rfp_rate_limit(&job->rate);
    const guint64 seconds = limit ? need / limit : 0;
    g_autofree char *writes = NULL;

    if (seconds == 0 || room >= size_of_disks(export) ||
        room / seconds >= GUEST_WRITES)
        return;
    writes = g_format_size_full(room / seconds, G_FORMAT_SIZE_IEC_UNITS);
    rfp_job_warn(job, "low-rate", rfp_export_scratch_dir(export),
                 _("with this limit the export takes about %" PRIu64
                   " minutes, and is ended if the guest overwrites more than "
                   "%s a second meanwhile: the scratch directory '%s' has no "
                   "room for more"),
                 seconds / 60 + 1, writes, rfp_export_scratch_dir(export));
}

/* What is exported must not take the room of the scratch files that keep it. */
static gboolean
check_kept_room(const RfpExport *export,
                const RfpSpace *set,
                guint64 need,
                GError **error)
{
    const RfpStep *step =
        rfp_record_find(export->operation.kept->record, RFP_STEP_SCRATCH);
    g_autofree char *dir =
        step != NULL ? g_path_get_dirname(step->args[0]) : NULL;
    RfpSpace scratch = {0};

    if (dir == NULL || !rfp_space_of(dir, &scratch, error))
        return dir == NULL;
    need += rfp_space_reserve(&scratch);
    if (set->device != scratch.device || set->free >= need)
        return TRUE;
    no_room(export->options->directory, need, set->free, error);
    rfp_error_add_way_out(error, _("the scratch files of the point are on the "
                                   "same file system and need their reserve: "
                                   "make room, or use another directory"));
    return FALSE;
}

gboolean
rfp_export_check_space(RfpExport *export, GError **error)
{
    const guint64 need = estimated_need(export);
    const guint64 least = least_need(export, need);
    guint64 also = 0;
    RfpSpace set = {0};
    RfpSpace scratch = {0};

    if (!rfp_space_of(export->options->directory, &set, error) ||
        !rfp_space_of(rfp_export_scratch_dir(export), &scratch, error))
        return FALSE;
    if (set.free < least) {
        no_room(export->options->directory, least, set.free, error);
        rfp_error_add_way_out(error, _("make room, use another directory, or "
                                       "leave disks out"));
        return FALSE;
    }
    if (set.free < need)
        warn_uncertain_room(export, need, set.free);
    if (export->from_kept)
        return check_kept_room(export, &set, least, error);
    also = set.device == scratch.device ? least : 0;
    if (export->push)
        also += estimated_data(export);
    if (!rfp_export_check_scratch(export, also, error))
        return FALSE;
    warn_low_rate(export, need,
                  scratch.free - scratch_reserve(export, &scratch) - also);
    return TRUE;
}

/* ---- No room after all --------------------------------------------------- */

static guint64
written_so_far(const RfpExport *export)
{
    guint64 written = 0;

    for (guint i = 0; i < export->disks->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(export->disks, i);

        if (disk->writer != NULL)
            written += rfp_qcow2_writer_stored(disk->writer);
    }
    return written;
}

void
rfp_export_explain_full(RfpExport *export, GError **error)
{
    const int errnum = rfp_error_errno(*error);
    const guint64 needed = estimated_need(export);
    guint64 found = written_so_far(export);
    RfpSpace set = {0};
    g_autofree char *need = NULL;
    g_autofree char *have = NULL;
    g_autofree char *message = NULL;
    RefpointFailure failure = {.cause = REFPOINT_ERROR_FAILED,
                               .object = export->set->path,
                               .errnum = errnum};

    if ((errnum != ENOSPC && errnum != EDQUOT) ||
        !rfp_space_of(export->set->path, &set, NULL))
        return;
    if (errnum == ENOSPC)
        found += set.free;
    if (errnum == ENOSPC &&
        found >= needed) /* of something that is not bytes */
        return;
    need = g_format_size_full(needed, G_FORMAT_SIZE_IEC_UNITS);
    have = g_format_size_full(found, G_FORMAT_SIZE_IEC_UNITS);
    message = g_strdup_printf(
        errnum == EDQUOT
            ? _("the quota of '%s' is used up: the export needs about %s, and "
                "found room for %s")
            : _("the file system of '%s' is full: the export needs about %s, "
                "and found room for %s"),
        export->set->path, need, have);
    failure.message = message;
    failure.way_out =
        (char *)(errnum == EDQUOT
                     ? _("raise the quota, which may be of the user, the "
                         "group, the "
                         "project or the subvolume, make room there, or export "
                         "to another "
                         "directory; --compress=zstd may take less")
                     : _("make room there, or export to another directory; "
                         "--compress=zstd may take less"));
    g_clear_error(error);
    rfp_error_set_failure(error, &failure);
}
