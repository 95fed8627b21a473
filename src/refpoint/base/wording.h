/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Texts of others that decide something here: all of them, so that who meets a
 * new version of libvirt, QEMU or the guest's agent has one place to look at.
 *
 * State and codes decide wherever they can. A text is the last resort: it
 * changes from one version to the next, and libvirt's own are translated where
 * its daemon speaks the language of the host. QEMU's, its tools' and its
 * agent's are not.
 */
#ifndef RFP_WORDING_H
#define RFP_WORDING_H

#include <glib.h>

typedef enum {
    RFP_WORDING_AGENT_DISABLED, /* the agent knows the command and does not
                                 * do it: frozen, or forbidden */
    RFP_WORDING_AGENT_FROZEN,   /* ... because it is frozen: only some say
                                 * so */
    RFP_WORDING_BITMAP_EXISTS,  /* an image has one of that name already */
    RFP_WORDING_BITMAP_LOST,    /* of a checkpoint that libvirt knows */
    RFP_WORDING_BITMAP_SIZES,   /* a disk was resized meanwhile */
    RFP_WORDING_BITMAP_VERSION, /* an image of a version without bitmaps */
    RFP_WORDING_BLOCK_JOB,      /* a disk has one already */
    RFP_WORDING_HASH_SPEED,     /* how fast the host hashes was not measured */
    RFP_WORDING_IMAGE_LOCKED,   /* another process has the image open */
    RFP_WORDING_JOB_BEGINS,     /* a backup job is not there yet */
    RFP_WORDING_PERMISSION_DENIED, /* to open an image */
    RFP_WORDING_STATE_LOCK,        /* another call works on the domain */
    RFP_N_WORDINGS
} RfpWording;

/* Where that begins in @text, in one of the wordings that were seen; NULL where
 * @text is NULL or does not say it. */
const char *
rfp_wording_find(RfpWording wording, const char *text);

#endif
