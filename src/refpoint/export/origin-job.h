/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A backup job that begins now. Its operations are those of rfp_origin_job; the
 * other origins that begin a job take most of them, so they stand here.
 */
#ifndef RFP_ORIGIN_JOB_H
#define RFP_ORIGIN_JOB_H

#include "export/export-member.h"

/* A new point: pull mode, a checkpoint in the same transaction. */
extern const RfpOrigin rfp_origin_job;

/* Names the new point as the options want it, or by default. */
gboolean
rfp_origin_job_find_point(RfpExportMember *member, GError **error);

/* Scratch files for all disks that are exported; what marks a job in pull mode
 * is its socket, one in push mode its first scratch file. */
gboolean
rfp_origin_job_choose(RfpExportMember *member, GError **error);

/* The steps of a job that sees the guest running as it does now. */
gboolean
rfp_origin_job_record(RfpExportMember *member, GError **error);

/* The same of one that may see the guest resumed later. */
gboolean
rfp_origin_job_record_resumed(RfpExportMember *member, GError **error);

/* Makes the scratch files, where that can be done before QEMU needs them: not
 * that of an encrypted disk, which libvirt has QEMU encrypt. */
gboolean
rfp_origin_job_make_scratch(RfpExportMember *member, GError **error);

/* The domain's own note of the new point, as @state, and held or not. What
 * fails is a warning: the checkpoint's description says alone which point it
 * is. */
void
rfp_origin_job_note(RfpExportMember *member,
                    RefpointState state,
                    gboolean held);

/* The transaction. Where QEMU refuses a bitmap, or one has broken since the
 * plan, once more without it. */
gboolean
rfp_origin_job_begin(RfpExportMember *member, GError **error);

gboolean
rfp_origin_job_take_checkpoint(RfpExportMember *member, GError **error);

/* Opens the NBD export that the job has for the disk. @bitmap: ask for the
 * bitmap of the job, too. */
gboolean
rfp_origin_job_open_nbd(RfpExportDisk *disk, gboolean bitmap, GError **error);

gboolean
rfp_origin_job_open_disk(RfpExportDisk *disk, GError **error);

gboolean
rfp_origin_job_watch(RfpExportMember *member, GError **error);

/* Looks at the guest, if the last look is half a second ago. */
gboolean
rfp_origin_job_watch_guest(RfpExportMember *member, GError **error);

void
rfp_origin_job_stop(RfpExportMember *member, const GError *cause);

gboolean
rfp_origin_job_check_served(RfpExportMember *member, GError **error);

/* @kept: the job keeps data, so that it goes on. */
gboolean
rfp_origin_job_check_served_by(RfpExportMember *member,
                               gboolean kept,
                               GError **error);

gboolean
rfp_origin_job_ask_end(RfpExportMember *member);

#endif
