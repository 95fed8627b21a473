/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-space.h"
#include "base/text.h"
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

/* Data, its digests, tables; and what one member has beside its disks. */
static guint64
estimated_need(const RfpExport *export)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);
    guint64 need = 0;

    for (guint i = 0; i < export->members->len; i++) {
        const RfpExportMember *member = g_ptr_array_index(export->members, i);
        const RfpDomainXml *domain = member->domain_xml;

        need += file_size(domain->nvram) + file_size(domain->kernel) +
                file_size(domain->initrd);
    }
    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);
        guint64 data = disk->report->estimate;

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
warn_uncertain_room(const RfpExport *export, guint64 need, guint64 have)
{
    const char *path = export->options->directory;
    g_autofree char *need_text =
        g_format_size_full(need, G_FORMAT_SIZE_IEC_UNITS);
    g_autofree char *have_text =
        g_format_size_full(have, G_FORMAT_SIZE_IEC_UNITS);

    rfp_job_warn(export->job, RFP_WARNING_UNCERTAIN_ROOM, path,
                 _("%s are free in '%s' for %s of data: whether they are "
                   "enough depends on how well it compresses"),
                 have_text, path, need_text);
}

void
rfp_export_set_no_room(const char *path,
                       guint64 need,
                       guint64 have,
                       GError **error)
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
scratch_reserve(const RfpExportMember *member, const RfpSpace *space)
{
    const RefpointExportOptions *options = member->export->options;

    return options->scratch_reserve_set ? options->scratch_reserve
                                        : rfp_space_reserve(space);
}

/* Scratch inside the set would be exported data's neighbour and be counted
 * twice. */
static gboolean
check_scratch_dir(RfpExportMember *member, GError **error)
{
    const char *scratch = rfp_export_scratch_dir(member);
    const char *directory = member->export->options->directory;
    g_autofree char *set =
        directory != NULL ? rfp_path_absolute(directory) : NULL;
    gsize length = set != NULL ? strlen(set) : 0;

    if (member->export->scratch_dir != NULL &&
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

gboolean
rfp_export_check_scratch(RfpExportMember *member, guint64 also, GError **error)
{
    RfpSpace scratch = {0};
    guint64 reserve = 0;

    if (!check_scratch_dir(member, error) ||
        !rfp_qemu_check_reach(member->operation.conn, member->operation.domain,
                              rfp_export_scratch_dir(member), error) ||
        !rfp_space_of(rfp_export_scratch_dir(member), &scratch, error))
        return FALSE;
    reserve = scratch_reserve(member, &scratch) + also;
    if (scratch.free >= reserve)
        return TRUE;
    rfp_export_set_no_room(rfp_export_scratch_dir(member), reserve,
                           scratch.free, error);
    rfp_error_add_way_out(
        error, member->origin->keeps
                   ? _("use another file system for the scratch files "
                       "(--scratch-dir), "
                       "or make a point that keeps no data (--track-only)")
                   : _("use another file system for the scratch files "
                       "(--scratch-dir), "
                       "or keep less of it free (--scratch-reserve)"));
    return FALSE;
}

/* Of the disks that are exported, of all members: their sizes, and what QEMU
 * will write of them where it writes all into the scratch files. These lie
 * beside one another. */
static void
sum_of_disks(const RfpExport *export, guint64 *size, guint64 *data)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);

    *size = *data = 0;
    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);

        *size += disk->state.size;
        if (disk->member->origin->pushes)
            *data += disk->report->estimate + IMAGE_OVERHEAD;
    }
}

/* The longer it takes, the more of what the guest overwrites is in scratch
 * files, up to all of its disks, @size bytes. @room: bytes that these may
 * take. */
static void
warn_low_rate(const RfpExportMember *member,
              guint64 need,
              guint64 size,
              guint64 room)
{
    RefpointJob *job = member->export->job;
    const guint64 limit = rfp_rate_limit(&job->rate);
    const guint64 seconds = limit ? need / limit : 0;
    g_autofree char *writes = NULL;

    if (seconds == 0 || room >= size || room / seconds >= GUEST_WRITES)
        return;
    writes = g_format_size_full(room / seconds, G_FORMAT_SIZE_IEC_UNITS);
    rfp_job_warn(job, RFP_WARNING_LOW_RATE, rfp_export_scratch_dir(member),
                 _("with this limit the export takes about %" PRIu64
                   " minutes, and is ended if the guest overwrites more than "
                   "%s a second meanwhile: the scratch directory '%s' has no "
                   "room for more"),
                 seconds / 60 + 1, writes, rfp_export_scratch_dir(member));
}

gboolean
rfp_export_check_job_room(RfpExportMember *member,
                          const RfpSpace *set,
                          guint64 need,
                          guint64 least,
                          GError **error)
{
    RfpSpace scratch = {0};
    guint64 size = 0;
    guint64 data = 0;
    guint64 also = 0;

    if (!rfp_space_of(rfp_export_scratch_dir(member), &scratch, error))
        return FALSE;
    sum_of_disks(member->export, &size, &data);
    also = (set->device == scratch.device ? least : 0) + data;
    if (!rfp_export_check_scratch(member, also, error))
        return FALSE;
    /* all of them have the same scratch directory */
    if (member == g_ptr_array_index(member->export->members, 0))
        warn_low_rate(member, need, size,
                      scratch.free - scratch_reserve(member, &scratch) - also);
    return TRUE;
}

gboolean
rfp_export_check_space(RfpExport *export, GError **error)
{
    const char *directory = export->options->directory;
    const guint64 need = estimated_need(export);
    const guint64 least = least_need(export, need);
    RfpSpace set = {0};

    if (!rfp_space_of(directory, &set, error))
        return FALSE;
    if (set.free < least) {
        rfp_export_set_no_room(directory, least, set.free, error);
        rfp_error_add_way_out(error, _("make room, use another directory, or "
                                       "leave disks out"));
        return FALSE;
    }
    if (set.free < need)
        warn_uncertain_room(export, need, set.free);
    for (guint i = 0; i < export->members->len; i++) {
        RfpExportMember *member = g_ptr_array_index(export->members, i);

        if (!rfp_export_name_member(
                member,
                member->origin->check_room(member, &set, need, least, error),
                error))
            return FALSE;
    }
    return TRUE;
}

/* ---- No room after all --------------------------------------------------- */

static guint64
written_so_far(const RfpExport *export)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);
    guint64 written = 0;

    for (guint i = 0; i < taken->len; i++) {
        const RfpExportDisk *disk = g_ptr_array_index(taken, i);

        written += disk->writer != NULL ? rfp_qcow2_writer_stored(disk->writer)
                                        : disk->report->stored;
    }
    return written;
}

void
rfp_export_explain_full(const RfpExport *export, GError **error)
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
