/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data of a point that a running backup job keeps for a later export: at
 * most one a domain. What there is to know of it stands in a file of its own
 * beside the domain's record ("<domain>.data"), which changes under the
 * domain's lock. A guard watches it (guard.h); who has the lock on the file is
 * the watcher. It stays when it has ended, to say why, until the next one.
 */
#ifndef RFP_KEPT_H
#define RFP_KEPT_H

#include "operation/scratch.h"
#include "virt/domain.h"

typedef struct {
    RfpRecord *record;
    RefpointKeep keep;
    const char *guid;        /* of the point */
    const char *name;        /* of its checkpoint */
    const char *socket_path; /* where the job serves */
    const char *xml;         /* of the checkpoint, as it was made */
    gint64 until;            /* as rfp_kept_now(); 0: no limit */
    guint64 scratch_max;     /* bytes */
    const char *ended;       /* an id of why, or NULL: it goes on */
} RfpKept;

/* Why it ended. */
#define RFP_ENDED_EXPORTED "exported"
#define RFP_ENDED_REMOVED "removed"
#define RFP_ENDED_TIME "time"
#define RFP_ENDED_SCRATCH "scratch"
#define RFP_ENDED_STOPPED "stopped" /* the guest, or by somebody else */

/* A sentence for people. */
const char *
rfp_kept_ended_text(const char *ended);

/* Seconds of CLOCK_BOOTTIME: the clock may be set, and a job ends with the
 * boot. */
gint64
rfp_kept_now(void);

/* NULL where there is none. @locked as rfp_record_open_kept() has it. */
RfpKept *
rfp_kept_load(const char *records_dir,
              const char *domain_uuid,
              gboolean locked);

void
rfp_kept_free(RfpKept *kept);

/* Makes what @record describes, an operation whose job runs, the kept data of
 * the domain, and clears the record. */
gboolean
rfp_kept_store(RfpRecord *record,
               RefpointKeep keep,
               gint64 until,
               guint64 scratch_max,
               GError **error);

/*
 * Whether QEMU may be made to drain its block layer, as it does when it is
 * asked how much changed since a checkpoint, or to delete one: not while
 * somebody else may read a backup job. QEMU, and its guest with it, stands
 * still until every reader has taken what it asked for, and one that was
 * stopped takes nothing (reader.h). Data that is kept is no hindrance, as long
 * as no other process has the lock of the domain.
 */
gboolean
rfp_kept_may_drain(const char *records_dir, RfpDomain *domain);

/* Whether its job runs now. */
gboolean
rfp_kept_runs(RfpDomain *domain,
              const RfpKept *kept,
              gboolean *runs,
              GError **error);

/* Whether the job serves @target; *@base: GUID of the point that it has the
 * difference to, NULL for none. */
gboolean
rfp_kept_disk(const RfpKept *kept, const char *target, const char **base);

/* How much of a disk there is to read: bytes in use at the point, and of these
 * what changed since the base, 0 where there is none. FALSE: it was not
 * noted. */
gboolean
rfp_kept_amount(const RfpKept *kept,
                const char *target,
                guint64 *allocation,
                guint64 *changed);

/* Why it must end now: RFP_ENDED_TIME, RFP_ENDED_SCRATCH (the limit, or no room
 * behind it), NULL: it may go on. @watch as rfp_scratch_has_room() has it. */
const char *
rfp_kept_limit(const RfpKept *kept, RfpScratchWatch *watch);

/* Notes why it ended; for rfp_undo_kept(). */
gboolean
rfp_kept_note_ended(RfpKept *kept, const char *why, GError **error);

/* The watcher's lock: -1 if somebody has it. */
int
rfp_kept_take_watch(const RfpKept *kept);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpKept, rfp_kept_free)

#endif
