/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bitmaps inside images, but for one function of a domain that is shut off,
 * through qemu-img. */
#ifndef RFP_IMAGE_BITMAP_H
#define RFP_IMAGE_BITMAP_H

#include "base/error.h"

typedef enum {
    RFP_IMAGE_BITMAP_MISSING,
    RFP_IMAGE_BITMAP_GOOD,
    RFP_IMAGE_BITMAP_BROKEN, /* inconsistent, or not recording */
} RfpImageBitmap;

/*
 * How the bitmap @name stands in the image @path and the images below it, as
 * libvirt judges a running one: recording in the image itself, and all the way
 * up from where it begins. MISSING: one added to the image would be good.
 * *@in_top: the image itself has one of that name. *@size: virtual size, bytes.
 */
gboolean
rfp_image_bitmap_look(const char *path,
                      const char *name,
                      RfpImageBitmap *state,
                      gboolean *in_top,
                      guint64 *size,
                      GError **error);

/* Whether the image @path, which a guest may run on, has one of that name
 * stored; FALSE where it cannot be looked at, or QEMU has not stored it yet. */
gboolean
rfp_image_bitmap_is_there(const char *path, const char *name);

/* Adds an empty, recording one, as libvirt makes them. */
gboolean
rfp_image_bitmap_add(const char *path, const char *name, GError **error);

/* What is not there is success. */
gboolean
rfp_image_bitmap_remove(const char *path, const char *name, GError **error);

/* Pure: IN_USE or ACCESS_DENIED where the tools of QEMU @complaint of that,
 * else FAILED. */
RefpointError
rfp_image_bitmap_cause(const char *complaint);

/* Pure: the state out of `qemu-img info --backing-chain --output=json`. */
gboolean
rfp_image_bitmap_parse(const char *json,
                       const char *name,
                       RfpImageBitmap *state,
                       gboolean *in_top,
                       guint64 *size,
                       GError **error);

#endif
