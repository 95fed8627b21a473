/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/disk-source.h"

void
rfp_disk_source_clear(RfpDiskSource *source)
{
    g_clear_pointer(&source->type, g_free);
    g_clear_pointer(&source->path, g_free);
    source->inode = 0;
}

void
rfp_disk_source_copy(const RfpDiskSource *from, RfpDiskSource *to)
{
    RfpDiskSource copy = {
        .type = g_strdup(from->type),
        .path = g_strdup(from->path),
        .inode = from->inode,
    };

    rfp_disk_source_clear(to);
    *to = copy;
}

gboolean
rfp_disk_source_equal(const RfpDiskSource *a, const RfpDiskSource *b)
{
    if (g_strcmp0(a->type, b->type) != 0 || g_strcmp0(a->path, b->path) != 0)
        return FALSE;
    return a->inode == 0 || b->inode == 0 || a->inode == b->inode;
}
