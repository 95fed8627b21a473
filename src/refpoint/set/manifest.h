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

/* What lies in a set. In base/names.c stand the names that a new point or the
 * folder of a VM does not get for that reason. */
#define RFP_SET_FILE "set.xml"
#define RFP_FOLDERS_FILE "folders.xml"
#define RFP_DISKS_DIR "disks"
#define RFP_MANIFEST_FILE "export.xml" /* in the folder of a point */

#define RFP_MANIFEST_URI "urn:virt-refpoint:export:1"
#define RFP_MANIFEST_FORMAT 1
/* Of the element in which a manifest vouches for other files; readers of format
 * 1 that do not know it pass it over. */
#define RFP_INTEGRITY_URI "urn:virt-refpoint:integrity:1"
#define RFP_MANIFEST_FILES_MAX 1024 /* of a VM */
#define RFP_MANIFEST_DISKS_MAX 1024 /* of a VM */
#define RFP_MANIFEST_VMS_MAX 4096

/* A small file of a VM, beside the manifest. */
typedef struct {
    char *role; /* what the file is: "config", "config-inactive", "runtime",
                 * "nvram", "tpm", "kernel", "initrd" */
    char *path;
    guint64 size; /* bytes */
    guint8 sha256[RFP_LEAF_SIZE];
} RfpManifestFile;

/* A disk of a VM. One that was left out has only the first group of members. */
typedef struct {
    char *target; /* "vda" */
    RefpointMode mode;
    char *reason_id;  /* why it has that mode; NULL: a plain increment */
    gboolean tracked; /* the point's checkpoint has a bitmap for it */

    guint64 size;               /* of the disk, exact, bytes */
    guint8 view[RFP_LEAF_SIZE]; /* digest of all that the guest saw */
    RfpDiskSource source;       /* what the disk was on the host */
    gboolean plaintext; /* the source was encrypted, the image is not, which
                         * the user has allowed */

    /* Of increments: the point that has the image's backing file, and the
     * digest of all that the guest saw then. */
    char *base_guid;
    guint8 base_view[RFP_LEAF_SIZE];

    char *image;        /* path */
    guint64 image_size; /* of the file, bytes */
    guint64 stored;     /* bytes of the disk that are stored as data */
    RefpointCompress compress;
    char *digests; /* path of the file of digests (image/digest-file.h) */
    guint64 digests_size;
    guint8 digests_sha256[RFP_LEAF_SIZE];

    RefpointAudit audit; /* what an audit of earlier data found */
    guint audited;       /* how many clusters it compared */
} RfpManifestDisk;

/* A VM of a point. */
typedef struct {
    char *uuid;               /* of its domain */
    char *name;               /* of its domain at that time */
    char *folder;             /* its folder in the set, one component */
    gboolean secrets_missing; /* in the files: the connection gave none */
    /* Of a member of a group, microseconds since the epoch; 0: not known, or it
     * was not frozen or suspended. */
    RefpointConsistency consistency; /* that this VM has reached */
    gint64 frozen_us;                /* when it stood still */
    gint64 begun_us;                 /* when its job was there: its moment */
    gint64 thawed_us;                /* when it went on */
    GPtrArray *files;                /* RfpManifestFile */
    GPtrArray *disks;                /* RfpManifestDisk */
} RfpManifestVm;

/* A point. Strings and arrays are owned. */
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
    gboolean held; /* the point is log based: its data was held; else RCT */
    RefpointConsistency consistency;
    gint64 created_us;     /* microseconds since the epoch */
    gint64 published_us;   /* the same */
    guint64 frozen_us;     /* how long file systems were frozen, microseconds */
    char *collection_name; /* of the group whose point it is; NULL: it is that
                            * of a single VM */
    char *collection_guid;
    RefpointMoment moment; /* of a group's */
    guint64 window_us; /* from the first freeze to the last thaw; 0: none was
                        * frozen or suspended */
    guint64 skew_us;   /* between the begins of the first and the last job */
    gboolean vouches; /* for the two files below; no point that an early version
                       * made does */
    guint8 set_file_sha256[RFP_LEAF_SIZE]; /* of set.xml */
    guint8 parent_sha256[RFP_LEAF_SIZE];   /* of the parent's export.xml */
    GPtrArray *vms;                        /* RfpManifestVm */
} RfpManifest;

/* An empty manifest, to be freed with rfp_manifest_free(). */
RfpManifest *
rfp_manifest_new(void);

void
rfp_manifest_free(RfpManifest *manifest);

/* Each of these adds an empty one at the end, to be filled. */
RfpManifestVm *
rfp_manifest_add_vm(RfpManifest *manifest);

RfpManifestFile *
rfp_manifest_vm_add_file(RfpManifestVm *vm);

RfpManifestDisk *
rfp_manifest_vm_add_disk(RfpManifestVm *vm);

/* The first file of that role, NULL if there is none. */
RfpManifestFile *
rfp_manifest_vm_file(const RfpManifestVm *vm, const char *role);

/* The disk with that target, NULL if there is none. */
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
