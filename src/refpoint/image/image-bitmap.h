/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bitmaps inside image files, looked at and changed with qemu-img. The domain
 * of the image must be shut off, unless a function says otherwise. */
#ifndef RFP_IMAGE_BITMAP_H
#define RFP_IMAGE_BITMAP_H

#include "base/error.h"

typedef enum {
    RFP_IMAGE_BITMAP_MISSING,
    RFP_IMAGE_BITMAP_GOOD,
    RFP_IMAGE_BITMAP_BROKEN, /* inconsistent, or not recording */
} RfpImageBitmap;

/*
 * Whether the bitmap @name can be used in the image @path and the images below
 * it, by the rules that libvirt has for a running domain. GOOD: it records in
 * the image itself and in each image between that one and the image in which it
 * begins. MISSING: no image has it, so that one that is added to @path would be
 * good. *@in_top: the image itself has one of that name. *@size: the virtual
 * size, bytes.
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

/* Adds an empty bitmap that records, as libvirt makes them. */
gboolean
rfp_image_bitmap_add(const char *path, const char *name, GError **error);

/* Removes a bitmap; that there is none of the name is no error. */
gboolean
rfp_image_bitmap_remove(const char *path, const char *name, GError **error);

/* Pure: the cause of a failure, by @complaint, which is what qemu-img wrote to
 * its standard error: IN_USE, ACCESS_DENIED, else FAILED. */
RefpointError
rfp_image_bitmap_cause(const char *complaint);

/* Pure: what rfp_image_bitmap_look() returns, out of the output of
 * `qemu-img info --backing-chain --output=json`. */
gboolean
rfp_image_bitmap_parse(const char *json,
                       const char *name,
                       RfpImageBitmap *state,
                       gboolean *in_top,
                       guint64 *size,
                       GError **error);

#endif
