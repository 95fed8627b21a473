/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Free space of file systems. */
#ifndef RFP_SPACE_H
#define RFP_SPACE_H

#include "base/error.h"

typedef struct {
    guint64 free;   /* bytes this process may still use: the smaller of what is
                     * free and what the quota leaves */
    guint64 total;  /* bytes */
    guint64 device; /* st_dev; compared only while we run */
} RfpSpace;

/* Of the file system of @path, or of its nearest existing parent. */
gboolean
rfp_space_of(const char *path, RfpSpace *space, GError **error);

/* What stays free on a scratch file system unless the user says otherwise: the
 * larger of 1 GiB and 5 %. */
guint64
rfp_space_reserve(const RfpSpace *space);

#endif
