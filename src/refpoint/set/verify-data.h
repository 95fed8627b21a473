/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a check: the second pass over the images, which reads their data. */
#ifndef RFP_VERIFY_DATA_H
#define RFP_VERIFY_DATA_H

#include "set/verify-file.h"

/* The second pass over all images; a function for several threads at once.
 * @verify: a RfpVerify. Returns NULL. */
gpointer
rfp_verify_data(gpointer verify);

/* Says what can be said of an image only after the second pass. */
void
rfp_verify_data_end(RfpVerify *verify, RfpVerifyImage *image);

#endif
