/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a check: the small files of a set. */
#ifndef RFP_VERIFY_SET_H
#define RFP_VERIFY_SET_H

#include "set/verify-file.h"

/*
 * Looks at set.xml, folders.xml, the manifests of the points that are checked,
 * and the files that these name, but not at images and files of digests.
 * @damage: what is wrong with set.xml (rfp_export_set_inspect()), or NULL.
 */
void
rfp_verify_set(RfpVerify *verify, const char *damage);

#endif
