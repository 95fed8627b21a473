/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/kept.h"
#include "base/text.h"
#include "operation/holder.h"
#include "virt/backup-job.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP_FIRST "first"
#define KEEP_HOLD "hold"

typedef struct {
    const char *id;
    const char *text;
} Reason;

static const Reason reasons[];

const char *
rfp_kept_ended_text(const char *ended)
{
    guint i = 0;

    while (reasons[i].id != NULL && strcmp(reasons[i].id, ended) != 0)
        i++;
    return _(reasons[i].text);
}

gint64
rfp_kept_now(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

/* An argument of the last step of this kind, or @otherwise. */
static const char *
argument(const RfpRecord *record,
         RfpStepKind kind,
         guint i,
         const char *otherwise)
{
    const RfpStep *step = rfp_record_find(record, kind);

    return step != NULL ? step->args[i] : otherwise;
}

RfpKept *
rfp_kept_load(const char *records_dir, const char *domain_uuid, gboolean locked)
{
    RfpRecord *record = rfp_record_open_kept(records_dir, domain_uuid, locked);
    RfpKept *kept = NULL;
    const RfpStep *step = NULL;

    if (record == NULL)
        return NULL;
    kept = g_new0(RfpKept, 1);
    kept->record = record;
    kept->guid = rfp_record_find(record, RFP_STEP_OPERATION)->args[2];
    step = rfp_record_find(record, RFP_STEP_KEPT);
    kept->keep = strcmp(step->args[0], KEEP_HOLD) == 0 ? REFPOINT_KEEP_HOLD
                                                       : REFPOINT_KEEP_FIRST;
    kept->until = g_ascii_strtoll(step->args[1], NULL, 10);
    kept->scratch_max = g_ascii_strtoull(step->args[2], NULL, 10);
    kept->name = argument(record, RFP_STEP_CHECKPOINT, 0, kept->guid);
    kept->socket_path = argument(record, RFP_STEP_JOB, 0, "");
    kept->xml = argument(record, RFP_STEP_POINT, 0, "");
    kept->ended = argument(record, RFP_STEP_ENDED, 0, NULL);
    return kept;
}

void
rfp_kept_free(RfpKept *kept)
{
    if (kept == NULL)
        return;
    rfp_record_close(kept->record);
    g_free(kept);
}

gboolean
rfp_kept_store(RfpRecord *record,
               RefpointKeep keep,
               gint64 until,
               guint64 scratch_max,
               GError **error)
{
    g_autofree char *until_text = g_strdup_printf("%" PRId64, until);
    g_autofree char *max_text = g_strdup_printf("%" PRIu64, scratch_max);

    return rfp_record_append(record, error, RFP_STEP_KEPT,
                             keep == REFPOINT_KEEP_HOLD ? KEEP_HOLD
                                                        : KEEP_FIRST,
                             until_text, max_text, NULL) &&
           rfp_record_keep(record, error);
}

gboolean
rfp_kept_runs(RfpDomain *domain,
              const RfpKept *kept,
              gboolean *runs,
              GError **error)
{
    *runs = FALSE;
    return kept->ended != NULL ||
           rfp_backup_job_is_there(domain, kept->socket_path, runs, error);
}

gboolean
rfp_kept_may_drain(const char *records_dir, RfpDomain *domain)
{
    g_autoptr(RfpKept) kept = NULL;
    g_autoptr(RfpHolder) holder = NULL;
    gboolean runs = FALSE;

    if (rfp_backup_job_state(domain, NULL, NULL) == RFP_JOB_NONE)
        return TRUE;
    kept = rfp_kept_load(records_dir, domain->uuid, FALSE);
    holder = rfp_holder_read(records_dir, domain->uuid);
    return kept != NULL && (holder == NULL || holder->pid == getpid()) &&
           rfp_kept_runs(domain, kept, &runs, NULL) && runs;
}

/* The step of this kind about a disk, or NULL. */
static const RfpStep *
step_of_disk(const RfpKept *kept, RfpStepKind kind, const char *target)
{
    for (guint i = 0; i < kept->record->steps->len; i++) {
        const RfpStep *step = g_ptr_array_index(kept->record->steps, i);

        if (step->kind == kind && strcmp(step->args[0], target) == 0)
            return step;
    }
    return NULL;
}

gboolean
rfp_kept_disk(const RfpKept *kept, const char *target, const char **base)
{
    const RfpStep *step = step_of_disk(kept, RFP_STEP_BASE, target);

    *base = step != NULL && *step->args[1] ? step->args[1] : NULL;
    return step != NULL;
}

gboolean
rfp_kept_amount(const RfpKept *kept,
                const char *target,
                guint64 *allocation,
                guint64 *changed)
{
    const RfpStep *step = step_of_disk(kept, RFP_STEP_AMOUNT, target);

    return step != NULL &&
           g_ascii_string_to_unsigned(step->args[1], 10, 0, G_MAXUINT64,
                                      allocation, NULL) &&
           g_ascii_string_to_unsigned(step->args[2], 10, 0, G_MAXUINT64,
                                      changed, NULL);
}

const char *
rfp_kept_limit(const RfpKept *kept, RfpScratchWatch *watch)
{
    guint64 left = 0;

    if (rfp_scratch_used_together(kept->record) > kept->scratch_max ||
        !rfp_scratch_has_room(watch, kept->record, &left))
        return RFP_ENDED_SCRATCH;
    if (kept->until != 0 && rfp_kept_now() >= kept->until)
        return RFP_ENDED_TIME;
    return NULL;
}

gboolean
rfp_kept_note_ended(RfpKept *kept, const char *why, GError **error)
{
    if (!rfp_record_append(kept->record, error, RFP_STEP_ENDED, why, NULL))
        return FALSE;
    kept->ended = rfp_record_find(kept->record, RFP_STEP_ENDED)->args[0];
    return rfp_record_sync(kept->record, error);
}

int
rfp_kept_take_watch(const RfpKept *kept)
{
    g_auto(RfpFd) fd =
        open(kept->record->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 ||
        rfp_files_lock(fd, 0, 0, kept->record->path, NULL) != RFP_LOCK_TAKEN)
        return -1;
    return rfp_fd_steal(&fd);
}

static const Reason reasons[] = {
    {RFP_ENDED_EXPORTED, N_("it was exported")},
    {RFP_ENDED_REMOVED, N_("it was removed")},
    {RFP_ENDED_TIME, N_("its time limit passed")},
    {RFP_ENDED_SCRATCH, N_("its scratch files reached their limit")},
    {RFP_ENDED_STOPPED,
     N_("the guest was stopped, or the job was ended by somebody else")},
    {NULL, N_("it ended")},
};
