/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the data of a member of an export comes from: a table of operations for
 * each kind, in a file of its own.
 *
 * - origin-job.c: a new point, of a backup job that begins now
 * - origin-push.c: the same where QEMU must not serve a disk: it writes the
 *   data itself
 * - origin-kept.c: a point of earlier whose data a running job keeps
 * - origin-point.c: a point of earlier whose data nobody keeps: a job that
 *   begins now, and the proof that nothing changed since
 * - keep.c: a new point whose data is to be kept: the job goes on, for a later
 *   export
 *
 * An export calls the operations of all members in the order in which they
 * stand here. One that is NULL has nothing to do.
 */
#ifndef RFP_ORIGIN_H
#define RFP_ORIGIN_H

#include "base/space.h"

typedef struct _RfpExportMember RfpExportMember;
typedef struct _RfpExportDisk RfpExportDisk;

typedef struct {
    /* ---- What it is ---- */
    gboolean makes_point; /* a new point, at the moment of the begin */
    gboolean pushes; /* QEMU writes all data into the scratch files, and the
                      * guest has no part in what follows */
    gboolean keeps;  /* nothing is exported now */
    /* N_(): why QEMU cannot write the data itself, and what to do about it (may
     * have one %s, the domain); NULL: it can */
    const char *cannot_push;
    const char *cannot_push_way_out;

    /* ---- The plan; changes nothing ---- */

    /* Finds or names the point; sets the GUID, the name and the folder of the
     * export. */
    gboolean (*find_point)(RfpExportMember *member, GError **error);
    /* What is known of a disk otherwise than by looking at the domain. */
    void (*look_at_disk)(RfpExportDisk *disk);
    /* Behind the decisions: whether the data can be had at all. */
    gboolean (*check)(RfpExportMember *member, GError **error);
    /* Room beside what goes into the set: @set is its file system, on which
     * between @least and @need bytes will be taken. */
    gboolean (*check_room)(RfpExportMember *member,
                           const RfpSpace *set,
                           guint64 need,
                           guint64 least,
                           GError **error);

    /* ---- The begin ---- */

    /* Chooses scratch files and what marks the job. */
    gboolean (*choose)(RfpExportMember *member, GError **error);
    /* Appends to the record how the begin is undone. */
    gboolean (*record)(RfpExportMember *member, GError **error);
    /* The last step before the guest is frozen. */
    gboolean (*prepare)(RfpExportMember *member, GError **error);
    /* The transaction; the job runs when it returns. NULL: it ran before, and
     * the guest is not frozen. */
    gboolean (*begin)(RfpExportMember *member, GError **error);
    /* Behind the thaw: the checkpoint's XML. */
    gboolean (*take_checkpoint)(RfpExportMember *member, GError **error);

    /* ---- The data ---- */

    /* Waits until the data can be opened. */
    gboolean (*fetch)(RfpExportMember *member, GError **error);
    /* Opens the source of a disk that is exported. */
    gboolean (*open_disk)(RfpExportDisk *disk, GError **error);
    /* Proves that the data is of the point, and says how consistent that is. */
    gboolean (*prove)(RfpExportMember *member, GError **error);
    /* Whether the source has what the decision for the disk needs. */
    gboolean (*check_disk)(const RfpExportDisk *disk, GError **error);
    /* While the data is read, every 50 ms: whether it goes on. */
    gboolean (*watch)(RfpExportMember *member, GError **error);
    /* Where a read has failed: TRUE, and the error, if the data is gone. */
    gboolean (*is_gone)(RfpExportMember *member, GError **error);
    /* The job ends before those who read from it have come back; @cause: what
     * the watch found, or NULL. What fails here is tried again by the undo. */
    void (*stop)(RfpExportMember *member, const GError *cause);
    /* Behind the last read: whether it all came from the job. */
    gboolean (*check_served)(RfpExportMember *member, GError **error);
    /* Begins to end the job. TRUE: rfp_backup_job_wait_ended() is to follow. */
    gboolean (*ask_end)(RfpExportMember *member);
} RfpOrigin;

#endif
