/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What all parts of a check share: its state, its findings, and the files of
 * the set as they are opened and looked at. The parts: verify-set.h (all small
 * files), verify-image.h (the structure of an image), verify-data.h (the data
 * of the images, group by group, in several threads), verify-tree.h (what else
 * lies in the folders).
 */
#ifndef RFP_VERIFY_FILE_H
#define RFP_VERIFY_FILE_H

#include "base/ids.h"
#include "base/job.h"
#include "set/set-points.h"

#include <sys/stat.h>

/* What a finding is about. */
typedef struct {
    const char *path; /* relative to the set */
    guint64 offset;   /* bytes of the disk whose image or file of digests */
    guint64 length;   /* @path is; length 0: not known, or no range */
} RfpVerifyPlace;

/* An image of the set. */
typedef struct _RfpVerifyImage RfpVerifyImage;
struct _RfpVerifyImage {
    const RfpSetPoint *point;
    const RfpManifestVm *vm;
    const RfpManifestDisk *disk;
    RfpVerifyImage *base; /* NULL: none, or the link is broken */
    RefpointProgress *progress;
    guint depth;     /* images in the chain, this one included */
    gboolean chosen; /* to be looked at */

    /* By the first pass. */
    gboolean readable;    /* its clusters can be mapped and read */
    gboolean has_digests; /* its .digests is that of the manifest */
    gboolean has_chain;   /* and so are those of all it builds on */
    gboolean newer_base;  /* something it builds on needs a newer program */

    /* By the second pass, under the lock. */
    guint64 next_group;
    guint64 clusters;    /* of data, found in it */
    guint64 bad;         /* findings in its data */
    guint64 more_start;  /* bytes of the disk from the first to the end of */
    guint64 more_end;    /* the last of them that are counted but not listed */
    gboolean incomplete; /* not all of it could be looked at */
    /* Why some of its groups could not be looked at, or NULL: the first
     * failure, at a place that covers the groups of all. */
    GError *failure;
    RfpFinding failure_id;
    RfpVerifyPlace failure_place;
};

typedef struct {
    RfpExportSet *set;
    RefpointJob *job;
    gboolean whole;      /* all of the set, not one point */
    GHashTable *folders; /* of folders.xml; NULL: none */
    gboolean owned;      /* @owner is known */
    uid_t owner;         /* of set.xml */
    GPtrArray *points;   /* RfpSetPoint chosen, borrowed */
    GPtrArray *images;   /* RfpVerifyImage of all points, by sequence */
    GHashTable *named;   /* paths that a manifest names */
    GPtrArray *targets;  /* RefpointProgress, one a disk */

    GMutex lock;   /* of what follows */
    GCond changed; /* a thread has ended */
    guint running;
    guint next_image;
    RefpointVerification *result;
    GHashTable *gone;  /* RfpSetPoint that were removed meanwhile */
    GHashTable *names; /* of files with several: how many are in the set; NULL:
                        * not counted yet */
    GError *fatal;     /* why the check cannot go on */
} RfpVerify;

/* Add a finding: data is wrong or missing; something is odd; the program is
 * too old for something. Thread-safe. @path is relative to the set. */
void
rfp_verify_damage(RfpVerify *verify,
                  const char *path,
                  RfpFinding id,
                  const char *format,
                  ...) G_GNUC_PRINTF(4, 5);

/* The same about a range of a disk. */
void
rfp_verify_damage_at(RfpVerify *verify,
                     const RfpVerifyPlace *place,
                     RfpFinding id,
                     const char *format,
                     ...) G_GNUC_PRINTF(4, 5);

void
rfp_verify_remark(RfpVerify *verify,
                  const char *path,
                  RfpFinding id,
                  const char *format,
                  ...) G_GNUC_PRINTF(4, 5);

void
rfp_verify_newer(RfpVerify *verify,
                 const char *path,
                 RfpFinding id,
                 const char *format,
                 ...) G_GNUC_PRINTF(4, 5);

/* @place grows until it covers the range of @other too. Where one of them has
 * no range, and so is about all of a file, @place has none afterwards. */
void
rfp_verify_widen(RfpVerifyPlace *place, const RfpVerifyPlace *other);

/* A finding, or the end of the check, out of an error: the file cannot be
 * opened or read. @point: whose file it is, or NULL. */
void
rfp_verify_unreadable(RfpVerify *verify,
                      const RfpSetPoint *point,
                      const char *path,
                      RfpFinding id,
                      const GError *error);

/* The same about a range of a disk. */
void
rfp_verify_unreadable_at(RfpVerify *verify,
                         const RfpSetPoint *point,
                         const RfpVerifyPlace *place,
                         RfpFinding id,
                         const GError *error);

/* Ends the check where an error says nothing about the set (out of memory, no
 * right to read). Returns whether it does. */
gboolean
rfp_verify_end(RfpVerify *verify, const GError *error);

/* Remarks about mode (@mode: as it should be), owner, and names outside of the
 * set. */
void
rfp_verify_inode(RfpVerify *verify,
                 const char *path,
                 const struct stat *st,
                 guint mode);

/* The owner alone: of a folder. */
void
rfp_verify_owner(RfpVerify *verify, const char *path, const struct stat *st);

/* Whether it was cancelled or cannot go on. */
gboolean
rfp_verify_stopped(RfpVerify *verify);

/*
 * Opens a file that a manifest names and looks at its kind, size and mode. -1
 * where there is nothing to look at further; that has been reported.
 */
int
rfp_verify_open(RfpVerify *verify,
                const RfpSetPoint *point,
                const char *path,
                guint64 size);

/* Compares the SHA-256 of a file. FALSE: reported, or stopped. */
gboolean
rfp_verify_sha256(RfpVerify *verify,
                  const RfpSetPoint *point,
                  const char *path,
                  int fd,
                  const guint8 *sha256);

#endif
