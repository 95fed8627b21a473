/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One export from start to end. The stages, each in a file of its own:
 *
 *   export-plan.c    which disks, full or increment, and why
 *   export-base.c    on which base
 *   export-space.c   room for it
 *   export-begin.c   record, freeze, job and checkpoint in one transaction
 *   export-push.c    where QEMU must not serve a disk: it writes the data
 * itself export-audit.c   clean clusters compared with the base's digests
 *   export-compare.c all of them, with many requests at a time, watched
 *   export-stream.c  all disks at once, watched
 *   export-state.c   what the guest has beside its disks
 *   export-publish.c configuration, manifest, the rename: the files that are of
 *                    the point are taken right behind the begin
 *   export.c         the order of them, and what happens on failure
 *   keep.c           plan and begin alone: the job goes on, for a later export
 */
#ifndef RFP_EXPORT_H
#define RFP_EXPORT_H

#include "copy/compare.h"
#include "copy/copy.h"
#include "copy/nbd-source.h"
#include "copy/qcow2-source.h"
#include "engine/plan.h"
#include "image/digest-file.h"
#include "image/qcow2-writer.h"
#include "operation/operation.h"

/* Connections to one disk, at most, and what each reads at once. */
#define RFP_EXPORT_WORKERS_MAX 4
#define RFP_EXPORT_BUFFER_MAX ((gsize)1 << 20)

/* A disk of the domain on its way into the set. */
typedef struct {
    RfpDomainDisk *disk; /* borrowed from the domain's XML */
    RfpPlanDisk state;
    guint64 allocation;       /* bytes that its image takes, at most its size */
    GArray *candidates;       /* RfpPlanCandidate, newest first */
    RfpDecision decision;     /* what was planned; an audit may change it */
    gboolean begun_increment; /* the job has a bitmap for it */
    const char *kept_base;    /* GUID, where the job was begun for kept data */
    gboolean kept_amount;     /* ... and it was noted how much there is: */
    guint64 kept_changed;    /* bytes changed between that base and the point */
    GPtrArray *chain;        /* of the base: RfpManifestDisk, borrowed */
    GPtrArray *base_digests; /* of the chain: RfpDigestFile */
    guint64 base_size;       /* of the base's view, bytes */
    RefpointDiskReport *report;     /* borrowed from the job */
    char *scratch;                  /* path */
    char *image;                    /* relative to the set */
    char *digests;                  /* relative to the set */
    const RfpSourceOps *source_ops; /* of what @source is */
    gpointer source;   /* RfpNbdSource, or RfpQcow2Source of @scratch */
    guint64 pushed;    /* bytes of the guest that QEMU wrote to @scratch */
    guint64 compared;  /* bytes of it that an audit of all has dealt with */
    guint8 *sampled;   /* an audit ahead of the begin: a bit for each cluster
                        * that was compared */
    guint8 *differing; /* ... and for each that was not as in the base */
    RfpQcow2Writer *writer;
    RfpDigestWriter *digest_writer;
    RfpCopy *copy;
    GError *error; /* of its thread */
    guint64 image_size;
    guint64 digests_size;
    guint8 digests_sha256[RFP_LEAF_SIZE];
    guint8 view[RFP_LEAF_SIZE];
} RfpExportDisk;

typedef struct {
    const RefpointExportOptions *options; /* borrowed */
    RfpOperation operation;
    RfpDomainState state;
    char *domain_text; /* live XML at the start */
    gboolean secure;   /* it has its secrets */
    RfpDomainXml *domain_xml;
    RfpExportSet *set;       /* locked; NULL: a fresh one in a dry run */
    GPtrArray *checkpoints;  /* RfpCheckpointXml with sizes */
    GPtrArray *notes;        /* RfpMetadataPoint, the domain's own */
    GPtrArray *disks;        /* RfpExportDisk, the domain's order */
    RfpSetPoint *base;       /* explicit base, borrowed from the set */
    RfpCheckpointXml *point; /* --point: borrowed from @checkpoints */
    char *guid;              /* the point's */
    char *name;              /* the point's, and its checkpoint's */
    char *folder;            /* its folder in the set */
    char *scratch_dir;       /* absolute; NULL: by default */
    char *vm_folder;
    char *partial;  /* hidden folder */
    char *job_mark; /* what tells the job from others (backup-job.h) */
    gint64 begun;   /* when the job was asked for, monotonic, microseconds */
    char *checkpoint_xml_text; /* as libvirt has it, at the point */
    GHashTable *state_before;  /* path -> struct stat: what it has beside its
                                * disks, as it was before the point */
    char *inactive_before;     /* persistent XML before the point, or NULL */
    RfpManifest *manifest;     /* of the point, as far as it is known */
    gint64 created_us;
    RefpointConsistency consistency;
    gboolean unsynced;  /* published, but not proven to last */
    gboolean already;   /* the set has this point: nothing to do */
    gboolean keeps;     /* no export: a point whose data is kept (keep.c);
                         * @set is only looked at, and may be NULL */
    gboolean held;      /* with @keeps: as a held (log based) point */
    gboolean from_kept; /* --point: its data is kept, the job runs */
    guint64 push_rate;  /* bytes a second, as QEMU was told; 0: no limit */
    gboolean push;      /* the job is one in push mode (export-push.c) */
    gboolean pushed;    /* it is over, the guest has no part in the rest */
    gboolean told;      /* the caller knows the plan */
} RfpExport;

static inline RefpointJob *
rfp_export_job(RfpExport *export)
{
    return export->operation.job;
}

/* Where the scratch files of a new job go. */
static inline const char *
rfp_export_scratch_dir(const RfpExport *export)
{
    return export->scratch_dir ? export->scratch_dir
                               : export->operation.conn->scratch_dir;
}

/* Exported at all? */
static inline gboolean
rfp_export_takes(const RfpExportDisk *disk)
{
    return disk->decision.mode != REFPOINT_MODE_LEFT_OUT;
}

/* Where its data comes from is let go. */
void
rfp_export_disk_close_source(RfpExportDisk *disk);

/* Where the caller wants the scratch files; NULL: by default. Before anything
 * else. */
gboolean
rfp_export_take_scratch_dir(RfpExport *export, const char *dir, GError **error);

/* The domain's state and XML. */
gboolean
rfp_export_look(RfpExport *export, GError **error);

void
rfp_export_clear(RfpExport *export);

/* Does its checkpoint get a bitmap? Only what is exported does: a bitmap of a
 * disk whose data no set has could never be a base. A point that is made for
 * later also tracks what its job may not serve. */
static inline gboolean
rfp_export_tracks(const RfpExport *export, const RfpExportDisk *disk)
{
    return disk->state.untracked == RFP_REASON_NONE &&
           (rfp_export_takes(disk) ||
            (export->keeps && disk->state.unusable == RFP_REASON_ENCRYPTED));
}

gboolean
rfp_export_tracks_any(RfpExport *export);

/* NOT_SUPPORTED unless some disk gets one: without a checkpoint there is no
 * point that could be named later. */
gboolean
rfp_export_check_tracks(RfpExport *export, GError **error);

/* Checks names and selection, finds base and point, decides for each disk, and
 * writes the plan into the report. Changes nothing. */
gboolean
rfp_export_plan(RfpExport *export, GError **error);

/* Finds the base that the user named, if any. */
gboolean
rfp_export_find_base(RfpExport *export, GError **error);

/* Looks at what could be a disk's base, and decides for it. */
gboolean
rfp_export_decide(RfpExport *export, RfpExportDisk *disk, GError **error);

/* Copies decisions into the report's disks. */
void
rfp_export_report_plan(RfpExport *export);

/* Space on the set's and the scratch file systems, before anything is begun. */
gboolean
rfp_export_check_space(RfpExport *export, GError **error);

/* Of a write to the set that failed: where there is no room any more, *@error
 * becomes FAILED with what was needed and what was there. */
void
rfp_export_explain_full(RfpExport *export, GError **error);

/* The part of it that the scratch files are; @also: bytes that something else
 * will take there. */
gboolean
rfp_export_check_scratch(RfpExport *export, guint64 also, GError **error);

/* From the record to the thaw: the job runs when this ends. With @from_kept it
 * ran before, and only the record is written. */
gboolean
rfp_export_begin(RfpExport *export, GError **error);

/* Forgets what the begin chose and opened: another one can follow. */
void
rfp_export_begin_clear(RfpExport *export);

/* The last word of the plan: whether QEMU may serve the disks. If not, push
 * mode, where some disks have to be exported in full; or NOT_SUPPORTED where
 * that cannot do it. */
gboolean
rfp_export_choose_mode(RfpExport *export, GError **error);

/* Audits ahead, and makes the images that QEMU will write to. */
gboolean
rfp_export_push_prepare(RfpExport *export, GError **error);

/* Tells QEMU the job's limit of the rate, if it is another than it was told:
 * for all disks together, from the begin on. */
void
rfp_export_push_limit(RfpExport *export);

/* Waits until QEMU has written them; all are complete afterwards. */
gboolean
rfp_export_push(RfpExport *export, GError **error);

/* In push mode, before the begin: what did not change since the base is then as
 * it was, and later cannot be read any more. Compares more than is wanted, as
 * it is not known yet what the bitmap calls clean. */
gboolean
rfp_export_audit_ahead(RfpExport *export, GError **error);

/*
 * All of a disk is compared with its base, but for what the job's bitmap calls
 * dirty; @ahead of the begin there is none. What is not the same goes to @func
 * as in RfpCompareOptions, and the number of clusters compared into the report.
 */
gboolean
rfp_export_compare(RfpExport *export,
                   RfpExportDisk *disk,
                   const RfpSourceOps *source_ops,
                   gpointer source,
                   gboolean ahead,
                   RfpCompareFunc func,
                   gpointer opaque,
                   GError **error);

/*
 * No increment on this disk, for @reason and with the words @detail: in full,
 * with the warning @id; INVALID_STATE where the user named the base.
 */
gboolean
rfp_export_refuse_increment(RfpExport *export,
                            RfpExportDisk *disk,
                            RfpReason reason,
                            const char *id,
                            const char *detail,
                            GError **error);

/* Opens the base's digests and compares; a mismatch turns the disk's decision
 * into a full export. */
gboolean
rfp_export_audit(RfpExport *export, GError **error);

/* --point: nothing may have changed since that point. */
gboolean
rfp_export_check_point(RfpExport *export, GError **error);

/* While the job runs: whether it can go on, for scratch, for what is kept, and
 * every half second for the guest; *@looked_at is when that was. */
gboolean
rfp_export_watch(RfpExport *export, gint64 *looked_at, GError **error);

/* The job ends before those who read from it have come back; @cause: what the
 * watch found, or NULL. What fails here is tried again by the undo. */
void
rfp_export_stop_job(RfpExport *export, const GError *cause);

/* Moves the data; images and digests are complete and durable afterwards. */
gboolean
rfp_export_stream(RfpExport *export, GError **error);

/* The guest was shut off, or has stopped for want of room. @failed: a disk's
 * server is gone. */
gboolean
rfp_export_watch_guest(RfpExport *export, gboolean failed, GError **error);

/* Notes a file in the manifest; *@partial_path: where to write it now. */
RfpManifestFile *
rfp_export_add_file(RfpExport *export,
                    const char *role,
                    const char *name,
                    char **partial_path);

/*
 * Firmware variables, TPM, kernel and initrd, where the VM has them: how they
 * are before the point, and copied. What changed in between, or since a point
 * that was made before, may be later than the point: a warning.
 */
void
rfp_export_look_at_state(RfpExport *export);

gboolean
rfp_export_take_state(RfpExport *export, GError **error);

/* Just before the point is made: what can be changed by others, and is compared
 * with what rfp_export_take_files() finds. */
void
rfp_export_look_beside(RfpExport *export);

/*
 * Just behind it: all files of the point but for disks and manifest, in its
 * hidden folder. They are not durable before rfp_export_fill(): the stream does
 * not wait for that.
 */
gboolean
rfp_export_take_files(RfpExport *export, GError **error);

/* Completes the manifest, and syncs the folder; nothing of it is seen yet. */
gboolean
rfp_export_fill(RfpExport *export, GError **error);

/* What goes afterwards is noted, then the rename. A set that cannot be synced
 * behind it is a warning, and @unsynced. */
gboolean
rfp_export_publish(RfpExport *export, GError **error);

#endif
