/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Of a check: what lies in the folders of a set. Files that no manifest names
 * are reported as left over, and links, and folders that others can use.
 */
#ifndef RFP_VERIFY_TREE_H
#define RFP_VERIFY_TREE_H

#include "set/verify-file.h"
#include "set/set-points.h"

/* Looks at all folders, or only at those of the points that are checked. */
void
rfp_verify_tree(RfpVerify *verify);

/* Adds the paths of all files of a point to @named, a set of texts that it
 * owns. */
void
rfp_verify_add_names(GHashTable *named, const RfpSetPoint *point);

#endif
