/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export, its members, their disks. The stages of an export, each in a file
 * of its own:
 *
 * - export-plan.c: which disks, full or increment, and why
 * - export-base.c: on which base
 * - export-space.c: room for it
 * - export-begin.c: record, freeze, job and checkpoint in one transaction
 * - export-audit.c: clean clusters compared with the base's digests
 * - export-compare.c: all of them, with many requests at a time, watched
 * - export-stream.c: all disks at once, watched
 * - export-state.c: what the guest has beside its disks
 * - export-publish.c: configuration, manifest, the rename; the files that are
 *   of the point are taken right behind the begin
 * - export.c: the order of them, and what happens on failure
 *
 * Where the data comes from is a member's origin (origin.h). A stage that is of
 * one domain takes the member; one that is of the set takes the export.
 */
#ifndef RFP_EXPORT_MEMBER_H
#define RFP_EXPORT_MEMBER_H

#include "base/workers.h"
#include "copy/copy.h"
#include "export/origin.h"
#include "export/plan.h"
#include "image/digest-file.h"
#include "image/digest-writer.h"
#include "image/qcow2-writer.h"
#include "operation/operation.h"
#include "set/set-points.h"
#include "virt/group-xml.h"

/* Connections to one disk, at most, and what each reads at once. */
#define RFP_EXPORT_WORKERS_MAX 4
#define RFP_EXPORT_BUFFER_MAX ((gsize)1 << 20)

/* One export: what is published at once. */
typedef struct {
    /* the caller's, borrowed */
    const RefpointExportOptions *options;
    RefpointJob *job;
    char *scratch_dir;      /* of the options, absolute; NULL: by default */
    RfpGroupNote *group;    /* whose members they are; NULL: a single domain */
    GPtrArray *connections; /* RefpointConnection, owned, for members; or
                             * NULL */
    GPtrArray *members;     /* RfpExportMember */
    /* the plan's */
    RfpExportSet *set;   /* that is written to, locked; NULL: none is */
    RfpExportSet *bases; /* where bases are looked for: @set, or one that is
                          * only looked at; NULL: there is none yet */
    RfpSetPoint *base;   /* that the options name, borrowed from @bases */
    char *guid;          /* of the point */
    char *name;          /* of the point, and of its checkpoints */
    char *folder;        /* of the point, in the set */
    gboolean already;    /* the set has this point: nothing to do */
    gboolean told;       /* the caller knows the plan */
    /* the begin's */
    char *partial;         /* the hidden folder that becomes @folder */
    RfpManifest *manifest; /* of the point, as far as it is known */
    gint64 window_end;     /* monotonic: until when all must go on again; 0:
                            * that is not watched here */
    /* the publication's */
    gboolean publishing; /* it may be published */
    gboolean unsynced;   /* published, but not proven to last */
} RfpExport;

/* One domain of it. */
struct _RfpExportMember {
    RfpExport *export; /* borrowed */
    RfpOperation operation;
    const RfpOrigin *origin; /* where its data comes from */
    char **wanted;           /* targets that the caller wants; NULL: all */
    char **unwanted;         /* targets that he does not */
    /* as rfp_export_member_look() found it */
    RfpDomainState state;
    char *domain_text; /* live XML */
    gboolean secure;   /* it has its secrets */
    RfpDomainXml *domain_xml;
    /* the plan's */
    GPtrArray *checkpoints;  /* RfpCheckpointXml with sizes */
    GPtrArray *notes;        /* RfpMetadataPoint, the domain's own */
    GPtrArray *disks;        /* RfpExportDisk, the domain's order */
    RfpCheckpointXml *point; /* of earlier, borrowed from @checkpoints; NULL: a
                              * new one is made */
    /* the begin's */
    char *vm_folder;            /* its folder in the set, and in the point's */
    RfpManifestVm *manifest_vm; /* its part of the manifest, borrowed */
    char *job_mark;        /* what tells the job from others (backup-job.h) */
    gboolean scratch_made; /* the scratch files of all its disks are there
                            * before the job begins */
    gint64 begun;          /* when the job was asked for, monotonic,
                            * microseconds */
    gint64 begun_by;       /* when it was there, the same */
    gint64 stopped_by;     /* when its guest stood still, or it had turned out
                            * that it cannot; the same; 0: not reached */
    gint64 took;           /* microseconds that its own calls have taken in the
                            * moment, without waiting for others */
    const GError *stop_cause; /* of rfp_export_stop(), borrowed */
    guint n_destroyed;        /* checkpoints that went behind the publication */
    GError *error;     /* of its thread, while all members are worked on at
                        * once */
    gint64 created_us; /* when the point was made, since 1970 */
    GHashTable *state_before;  /* path -> struct stat: what it has beside its
                                * disks, as it was before the point */
    char *inactive_before;     /* persistent XML before the point, or NULL */
    char *checkpoint_xml_text; /* as libvirt has it, at the point; NULL: it has
                                * none */
    RefpointConsistency consistency;
    gint64 looked_at;  /* when the guest was looked at last, monotonic,
                        * microseconds */
    guint64 push_rate; /* bytes a second, as QEMU was told; 0: no limit */
    gboolean pushed;   /* QEMU has written all: the guest has no part in the
                        * rest */
};

/* One disk of the domain, on its way into the set. */
struct _RfpExportDisk {
    RfpExportMember *member; /* borrowed */
    /* the plan's */
    RfpDomainDisk *disk; /* borrowed from the domain's XML */
    char *name; /* as messages have it: the target, of a group DOMAIN:TARGET */
    RfpPlanDisk state;
    guint64 allocation;   /* bytes that its image takes, at most its size */
    GArray *candidates;   /* RfpPlanCandidate, newest first */
    RfpDecision decision; /* what was planned; an audit may change it */
    RefpointDiskReport *report; /* borrowed from the job */
    /* where data is kept already, origin-kept.c's */
    gboolean base_fixed;     /* only @fixed_base can be its base */
    const char *fixed_base;  /* GUID that the job was begun with; NULL: none */
    gboolean amount_known;   /* it was noted how much there was at the point: */
    guint64 kept_allocation; /* bytes of the image */
    guint64 kept_changed;    /* bytes that had changed since the base */
    /* the begin's */
    gboolean begun_increment; /* the job has a bitmap for it */
    char *scratch;            /* path */
    char *image;              /* relative to the set */
    char *digests;            /* relative to the set */
    /* of the base, once the audit has opened it */
    GPtrArray *chain;        /* RfpManifestDisk, borrowed */
    GPtrArray *base_digests; /* of the chain: RfpDigestFile */
    guint64 base_size;       /* of the base's view, bytes */
    /* the data's, opened by the origin */
    const RfpSourceOps *source_ops; /* of what @source is */
    gpointer source;
    void (*source_free)(gpointer source);
    guint64 pushed;    /* bytes of the guest that QEMU wrote to @scratch */
    guint64 compared;  /* bytes of it that an audit of all has dealt with */
    guint8 *sampled;   /* an audit ahead of the begin: a bit for each cluster
                        * that was compared */
    guint8 *differing; /* ... and for each that was not as in the base */
    /* the stream's */
    RfpQcow2Writer *writer;
    RfpDigestWriter *digest_writer;
    RfpCopy *copy;
    guint64 done;  /* bytes of the copy, when it was looked at last, or at its
                    * end */
    guint64 total; /* the same */
    gboolean final;
    gboolean copied; /* its image is complete */
    GError *error;   /* of its thread */
    guint64 image_size;
    guint64 digests_size;
    guint8 digests_sha256[RFP_LEAF_SIZE];
    guint8 view[RFP_LEAF_SIZE];
};

/* ---- The export ---------------------------------------------------------- */

/* Where the scratch files of a new job go. */
const char *
rfp_export_scratch_dir(const RfpExportMember *member);

/* Where the caller wants the scratch files; NULL: by default. Before anything
 * else. */
gboolean
rfp_export_take_scratch_dir(RfpExport *export, const char *dir, GError **error);

/* The disks that are exported, of all members: RfpExportDisk, borrowed. Free
 * with g_ptr_array_unref(). */
GPtrArray *
rfp_export_taken(const RfpExport *export);

/* Whether the set has a folder @name of a point whose manifest cannot be read,
 * or needs a newer program: no point of that folder can be published. One that
 * is this export's point is none of them. */
gboolean
rfp_export_folder_unreadable(const RfpExport *export, const char *name);

/* While data is read, every 50 ms: whether the sources of all members go on.
 * From rfp_export_watch_begin() on the guests are looked at every half second.
 */
void
rfp_export_watch_begin(const RfpExport *export);

gboolean
rfp_export_watch(const RfpExport *export, GError **error);

/* The jobs end before those who read from them have come back; @cause: what the
 * watch found, or NULL. */
void
rfp_export_stop(const RfpExport *export, const GError *cause);

/* Forgets what the begin chose and opened: another one can follow. */
void
rfp_export_begin_clear(RfpExport *export);

/* Lets all of it go, but for @options and @job. */
void
rfp_export_clear(RfpExport *export);

/* Of members, at once: libvirt's daemon has 20 threads for the requests of all
 * its clients, and an agent that hangs keeps one of them. */
#define RFP_EXPORT_AT_ONCE_MAX 16

/* Calls @func with each of @members, at once as far as libvirt's daemon bears
 * it, and waits for all. */
void
rfp_export_at_once(GPtrArray *members, RfpWorkFunc func);

/* Calls @func with each member, one after the other, until it fails: then
 * *@error says for which one of a group. */
gboolean
rfp_export_each(const RfpExport *export,
                gboolean (*func)(RfpExportMember *member, GError **error),
                GError **error);

/* To whom the set belongs. */
RfpSetOwner
rfp_export_owner(const RfpExport *export);

/* What all of its members have reached: the least. */
RefpointConsistency
rfp_export_consistency(const RfpExport *export);

/* Where a step failed for one member of a group: which one, in *@error. Returns
 * @done. */
gboolean
rfp_export_name_member(const RfpExportMember *member,
                       gboolean done,
                       GError **error);

/* ---- A member ------------------------------------------------------------ */

/* Adds one, for the domain of that name, UUID or id; nothing is looked at yet.
 * Borrowed from the export; NULL: there is no such domain. */
RfpExportMember *
rfp_export_add_member(RfpExport *export,
                      RefpointConnection *conn,
                      const char *domain,
                      GError **error);

/* The domain's state and XML; INVALID_STATE unless it is active. */
gboolean
rfp_export_member_look(RfpExportMember *member, GError **error);

/* Does the checkpoint of some disk get a bitmap? */
gboolean
rfp_export_tracks_any(const RfpExportMember *member);

/* NOT_SUPPORTED unless some disk gets one: without a checkpoint there is no
 * point that could be named later. */
gboolean
rfp_export_check_tracks(const RfpExportMember *member, GError **error);

/* The domain was shut off, or has stopped for want of room: FALSE. @failed: a
 * disk's server is gone. */
gboolean
rfp_export_member_watch(RfpExportMember *member,
                        gboolean failed,
                        GError **error);

/* ---- A disk -------------------------------------------------------------- */

/* Adds one to its member, which has the disk in its XML. */
RfpExportDisk *
rfp_export_add_disk(RfpExportMember *member, RfpDomainDisk *domain_disk);

/* Exported at all? */
static inline gboolean
rfp_export_takes(const RfpExportDisk *disk)
{
    return disk->decision.mode != REFPOINT_MODE_LEFT_OUT;
}

/* Does its checkpoint get a bitmap? Only what is exported does: a bitmap of a
 * disk whose data no set has could never be a base. A point that is made for
 * later also tracks what its job may not serve. */
gboolean
rfp_export_tracks(const RfpExportDisk *disk);

/* Where its data comes from is let go. */
void
rfp_export_disk_close_source(RfpExportDisk *disk);

/*
 * No increment on this disk, for @reason and with the words @detail: in full,
 * with the warning @warning; INVALID_STATE where the user named the base.
 */
gboolean
rfp_export_refuse_increment(RfpExportDisk *disk,
                            RfpReason reason,
                            RfpWarning warning,
                            const char *detail,
                            GError **error);

/* Copies the decisions for a member's disks into their reports. */
void
rfp_export_report_plan(const RfpExportMember *member);

#endif
