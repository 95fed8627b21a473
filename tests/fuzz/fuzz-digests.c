/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "image/digest-file.h"
#include "memory-file.h"

#define GROUPS_MAX 4
#define ENTRIES_MAX 64

/* First and last groups, first entries, and a leaf by search. */
static void
walk(RfpDigestFile *file)
{
    g_autofree guint8 *leaves = g_malloc0(RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    g_autofree guint8 *have = g_malloc0(RFP_GROUP_LEAVES / 8);
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    guint64 groups = rfp_group_count(rfp_digest_file_size(file));
    guint64 cluster = 0;
    guint64 i = 0;

    g_ptr_array_add(chain, file);
    for (i = 0; i < MIN(groups, GROUPS_MAX); i++) {
        rfp_digest_file_fill(file, i, leaves, have, NULL);
        rfp_digest_chain_fill(chain, groups - 1 - i, leaves, have, NULL);
    }
    for (i = 0; i < MIN(rfp_digest_file_entries(file), ENTRIES_MAX); i++) {
        if (rfp_digest_file_entry(file, i, &cluster, leaves, NULL))
            rfp_digest_chain_leaf(chain, cluster, leaves, NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memory_file(data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDigestFile) file = NULL;

    if (fd < 0)
        return 0;
    file = rfp_digest_file_open(fd, "input", &error);
    close(fd);
    fuzz_check(file != NULL, error);
    if (file != NULL)
        walk(file);
    return 0;
}
