/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/scratch.h"
#include "base/space.h"
#include "image/qcow2-writer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 512
/* So little is near in any case: some seconds of a fast disk. */
#define NEAR_MIN ((guint64)1 << 30)

gboolean
rfp_scratch_make(const char *path, guint64 size, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_auto(RfpFd) dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_autoptr(RfpQcow2Writer) writer = NULL;
    guint64 file_size = 0;

    if (dir_fd >= 0)
        unlinkat(dir_fd, name, 0);
    writer = rfp_qcow2_writer_new(dir_fd, name, path, size, NULL, error);
    return writer != NULL && rfp_qcow2_writer_finish(writer, &file_size, error);
}

guint64
rfp_scratch_used(const RfpRecord *record)
{
    guint64 used = 0;
    struct stat st;

    for (guint i = 0; i < record->steps->len; i++) {
        RfpStep *step = g_ptr_array_index(record->steps, i);

        if (step->kind == RFP_STEP_SCRATCH && stat(step->args[0], &st) == 0)
            used += (guint64)st.st_blocks * BLOCK;
    }
    return used;
}

char *
rfp_scratch_path(const char *dir,
                 const char *guid,
                 const char *domain_uuid,
                 const char *target)
{
    return g_strdup_printf("%s/%s-%s-%s.qcow2", dir, guid, domain_uuid, target);
}

guint64
rfp_scratch_used_together(const RfpRecord *record)
{
    const RfpStep *operation = rfp_record_find(record, RFP_STEP_OPERATION);
    g_autofree char *path = rfp_scratch_dir(record);
    g_autoptr(GDir) dir = path != NULL ? g_dir_open(path, 0, NULL) : NULL;
    const char *guid = operation != NULL ? operation->args[2] : "";
    const char *name = NULL;
    guint64 used = 0;

    while (dir != NULL && *guid != '\0' &&
           (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        struct stat st;

        if (g_str_has_prefix(name, guid) && stat(file, &st) == 0)
            used += (guint64)st.st_blocks * BLOCK;
    }
    return MAX(used, rfp_scratch_used(record));
}

char *
rfp_scratch_dir(const RfpRecord *record)
{
    const RfpStep *scratch = rfp_record_find(record, RFP_STEP_SCRATCH);

    return scratch != NULL ? g_path_get_dirname(scratch->args[0]) : NULL;
}

gboolean
rfp_scratch_is_pushed(const RfpRecord *record)
{
    const RfpStep *job = rfp_record_find(record, RFP_STEP_JOB);

    for (guint i = 0; job != NULL && i < record->steps->len; i++) {
        const RfpStep *step = g_ptr_array_index(record->steps, i);

        if (step->kind == RFP_STEP_SCRATCH &&
            strcmp(step->args[0], job->args[0]) == 0)
            return TRUE;
    }
    return FALSE;
}

/* Since the last look. The files of others are looked at only where it matters:
 * each of the members' guards looks at those of all. */
static guint64
growth_of(RfpScratchWatch *watch, const RfpRecord *record, gboolean together)
{
    RfpScratchWatch before = {0};

    if (watch == NULL)
        return 0;
    before = *watch;
    watch->looked = TRUE;
    watch->together = together;
    watch->used =
        together ? rfp_scratch_used_together(record) : rfp_scratch_used(record);
    return before.looked && before.together == together &&
                   watch->used > before.used
               ? watch->used - before.used
               : 0;
}

gboolean
rfp_scratch_is_short(guint64 left, guint64 reserve, guint64 growth)
{
    guint64 coming = MIN(growth, G_MAXUINT64 / 2) * 2;

    return left < reserve || left - reserve < MIN(coming, reserve);
}

gboolean
rfp_scratch_has_room(RfpScratchWatch *watch,
                     const RfpRecord *record,
                     guint64 *left)
{
    g_autofree char *dir = rfp_scratch_dir(record);
    const RfpStep *step = rfp_record_find(record, RFP_STEP_RESERVE);
    RfpSpace space = {0};
    guint64 reserve = 0;
    gboolean near = FALSE;

    *left = 0;
    if (dir == NULL || !rfp_space_of(dir, &space, NULL))
        return TRUE;
    *left = space.free;
    reserve = step != NULL ? g_ascii_strtoull(step->args[0], NULL, 10)
                           : rfp_space_reserve(&space);
    near = space.free / 2 < MAX(reserve, NEAR_MIN);
    return !rfp_scratch_is_short(space.free, reserve,
                                 growth_of(watch, record, near));
}
