/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a check: the first pass over the images. */
#ifndef RFP_VERIFY_IMAGE_H
#define RFP_VERIFY_IMAGE_H

#include "set/verify-file.h"

/* Looks at all of an image but its data: the link to its base, its structure,
 * its file of digests. */
void
rfp_verify_image(RfpVerify *verify, RfpVerifyImage *image);

#endif
