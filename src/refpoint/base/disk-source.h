/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a disk's data comes from, as recorded to recognise it again; pure. */
#ifndef RFP_DISK_SOURCE_H
#define RFP_DISK_SOURCE_H

#include <glib.h>

/* All strings may be NULL. */
typedef struct {
    char *type;    /* "file", "block", "network", "volume", ... as libvirt's */
    char *path;    /* file, device, or "protocol:name@host:port,..." */
    guint64 inode; /* of a file; 0: unknown or not a file. Never st_dev: it
                    * changes at reboot on many file systems */
} RfpDiskSource;

void
rfp_disk_source_clear(RfpDiskSource *source);

void
rfp_disk_source_copy(const RfpDiskSource *from, RfpDiskSource *to);

/* Same type, path and, where both know it, inode. */
gboolean
rfp_disk_source_equal(const RfpDiskSource *a, const RfpDiskSource *b);

#endif
