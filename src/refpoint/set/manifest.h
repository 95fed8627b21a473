/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manifest of a point (export.xml): its structures and its XML, both
 * directions; no files are touched here. Documented in refpoint-export(5) and
 * data/refpoint-export.rng. All paths are relative to the set, checked when
 * read: no "..", no absolute path, no empty component.
 */
#ifndef RFP_MANIFEST_H
#define RFP_MANIFEST_H

#include "base/disk-source.h"
#include "image/digest.h"
#include "refpoint.h"

#define RFP_MANIFEST_URI "urn:virt-refpoint:export:1"
#define RFP_MANIFEST_FORMAT 1
/* What readers of format 1 may pass over. */
#define RFP_INTEGRITY_URI "urn:virt-refpoint:integrity:1"
#define RFP_MANIFEST_FILES_MAX 1024 /* of a VM */
#define RFP_MANIFEST_DISKS_MAX 1024 /* of a VM */
#define RFP_MANIFEST_VMS_MAX 4096

typedef struct {
    char *role; /* "config", "config-inactive", "runtime", "nvram", "tpm",
                 * "kernel", "initrd" */
    char *path;
    guint64 size;
    guint8 sha256[RFP_LEAF_SIZE];
} RfpManifestFile;

typedef struct {
    char *target;
    guint64 size;       /* exact, bytes */
    RefpointMode mode;  /* LEFT_OUT disks have only target and reason */
    char *reason_id;    /* or NULL (a plain increment) */
    gboolean tracked;   /* the point's checkpoint has a bitmap for it */
    gboolean plaintext; /* of an encrypted source, allowed by the user */
    RfpDiskSource source;
    char *base_guid;                 /* increments: the base point's */
    guint8 base_view[RFP_LEAF_SIZE]; /* increments */
    char *image;                     /* path */
    guint64 image_size;              /* of the file, bytes */
    guint64 stored;                  /* bytes of the disk in data clusters */
    RefpointCompress compress;
    char *digests; /* path */
    guint64 digests_size;
    guint8 digests_sha256[RFP_LEAF_SIZE];
    guint8 view[RFP_LEAF_SIZE];
    RefpointAudit audit;
    guint audited; /* clusters compared */
} RfpManifestDisk;

typedef struct {
    char *uuid;
    char *name;
    char *folder;             /* one component */
    gboolean secrets_missing; /* the connection gave no secrets */
    GPtrArray *files;         /* RfpManifestFile */
    GPtrArray *disks;         /* RfpManifestDisk */
} RfpManifestVm;

typedef struct {
    char *generator; /* "virt-refpoint 0.1.0" */
    char *set_guid;
    guint64 sequence;  /* 1 for the set's first point */
    char *parent_guid; /* the set's newest point when this was made, or
                        * NULL; disks may have other bases */
    char *folder;      /* of the point in the set, which is the point's name
                        * there; the checkpoint's name in libvirt may be
                        * another, it stands in the "runtime" file */
    char *guid;
    gboolean held; /* log based; FALSE: RCT */
    RefpointConsistency consistency;
    gint64 created_us; /* microseconds since the epoch */
    gint64 published_us;
    guint64 frozen_us;
    char *collection_name; /* NULL: the point alone */
    char *collection_guid;
    /* What it says of other files; not of points that earlier versions made. */
    gboolean vouches;
    guint8 set_file_sha256[RFP_LEAF_SIZE]; /* of set.xml */
    guint8 parent_sha256[RFP_LEAF_SIZE];   /* of the parent's export.xml */
    GPtrArray *vms;                        /* RfpManifestVm */
} RfpManifest;

RfpManifest *
rfp_manifest_new(void);

void
rfp_manifest_free(RfpManifest *manifest);

RfpManifestVm *
rfp_manifest_add_vm(RfpManifest *manifest);

RfpManifestFile *
rfp_manifest_vm_add_file(RfpManifestVm *vm);

/* The first of that role, NULL if there is none. */
RfpManifestFile *
rfp_manifest_vm_file(const RfpManifestVm *vm, const char *role);

RfpManifestDisk *
rfp_manifest_vm_add_disk(RfpManifestVm *vm);

/* NULL if there is none. */
RfpManifestDisk *
rfp_manifest_vm_disk(const RfpManifestVm *vm, const char *target);

/* The text, sealed (seal.h). Free with g_free(). */
char *
rfp_manifest_format(const RfpManifest *manifest);

/*
 * Reads and checks text from outside, its seal too. Damage is FAILED. What
 * needs a newer program, because it has a higher format number or requires a
 * feature that is not known here, is NOT_SUPPORTED. Elements and attributes
 * that are not known are passed over. @what names the file in messages.
 */
RfpManifest *
rfp_manifest_parse(const char *text,
                   gsize length,
                   const char *what,
                   GError **error);

/*
 * The GUID of the point out of a manifest that needs a newer program, if it
 * stands where it does in this format, and only once; else NULL. Free with
 * g_free().
 */
char *
rfp_manifest_peek_guid(const char *text, gsize length);

/* The same for the number of the point in its set; 0: it cannot be read, or no
 * other number could follow it. */
guint64
rfp_manifest_peek_sequence(const char *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpManifest, rfp_manifest_free)

#endif
