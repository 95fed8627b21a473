/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of a check: the folders and the small files of a set. */
#ifndef RFP_VERIFY_SET_H
#define RFP_VERIFY_SET_H

#include "set/verify-file.h"

/* Looks at set.xml, folders.xml, manifests, and the files they name but
 * for images and digests. */
void
rfp_verify_set(RfpVerify *verify, const char *damage);

/* Looks at what lies in the folders, and how it is protected. */
void
rfp_verify_tree(RfpVerify *verify);

/* Puts the paths that a manifest names into @named. */
void
rfp_verify_add_names(GHashTable *named, const RfpSetPoint *point);

#endif
