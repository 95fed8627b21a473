/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scratch files of a job, as its record names them: QEMU keeps in them what
 * the guest overwrites. A guest stops when their file system is full, so the
 * job has to end before. One arithmetic for all who watch.
 */
#ifndef RFP_SCRATCH_H
#define RFP_SCRATCH_H

#include "operation/record.h"

/* What is remembered from one look to the next; begins with zeros. */
typedef struct {
    gboolean looked;
    gboolean together; /* @used is that of a group's members */
    guint64 used;      /* bytes, when last looked at */
} RfpScratchWatch;

/*
 * Makes one anew, an empty qcow2 image for a disk of @size bytes: what a try to
 * begin the job may have left in it is of another moment. It is made here so
 * that libvirt does not have QEMU make it: while QEMU does, it dies of any
 * question about its block nodes ("qcow2_get_specific_info: Assertion `false'
 * failed", QEMU 7.2), as checkpoint-dumpxml --size and domblkinfo ask them.
 */
gboolean
rfp_scratch_make(const char *path, guint64 size, GError **error);

/* Where QEMU keeps what the guest of @domain_uuid overwrites of a disk, in the
 * job of the point @guid. Free with g_free(). */
char *
rfp_scratch_path(const char *dir,
                 const char *guid,
                 const char *domain_uuid,
                 const char *target);

/* Bytes that they take now. */
guint64
rfp_scratch_used(const RfpRecord *record);

/* The same with those of all domains whose point was made with it, as members
 * of a group: their files lie beside one another. */
guint64
rfp_scratch_used_together(const RfpRecord *record);

/* Their directory, to be freed; NULL where the job has none. */
char *
rfp_scratch_dir(const RfpRecord *record);

/* Whether they are what the job is for: in push mode QEMU writes the data into
 * them, as fast as it can. */
gboolean
rfp_scratch_is_pushed(const RfpRecord *record);

/*
 * Whether the job may go on. FALSE: it has to end now, *@left bytes are free. A
 * file system that does not answer ends nothing. @watch NULL: one look.
 */
gboolean
rfp_scratch_has_room(RfpScratchWatch *watch,
                     const RfpRecord *record,
                     guint64 *left);

/* Pure: whether @left bytes are too few where @reserve is to stay free and
 * @growth came since the last look. As much comes until the next one, and again
 * until the job has ended. */
gboolean
rfp_scratch_is_short(guint64 left, guint64 reserve, guint64 growth);

#endif
