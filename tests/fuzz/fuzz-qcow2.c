/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "image/cluster.h"
#include "image/qcow2-reader.h"
#include "memory-file.h"

#define CLUSTERS_MAX 256
#define PIECE 1024 /* of each cluster */

static void
run_header(const uint8_t *data, size_t size)
{
    g_auto(RfpQcow2Header) header = {0};
    g_autoptr(GError) error = NULL;
    gboolean good = rfp_qcow2_header_read(data, size, &header, &error);

    fuzz_check(good, error);
    if (good)
        rfp_qcow2_header_check(&header, header.size, NULL, NULL);
}

static void
walk(RfpQcow2Reader *reader)
{
    guint64 clusters = rfp_qcow2_reader_header(reader)->size / RFP_CLUSTER_SIZE;
    g_autofree guint8 *data = g_malloc0(RFP_CLUSTER_SIZE);
    RfpQcow2Kind kind = RFP_QCOW2_UNALLOCATED;
    guint64 host = 0;
    guint64 i = 0;

    rfp_qcow2_reader_check(reader, NULL);
    for (i = 0; i < MIN(clusters, CLUSTERS_MAX); i++) {
        if (!rfp_qcow2_reader_map(reader, i, &kind, &host, NULL))
            continue;
        if (kind == RFP_QCOW2_DATA)
            rfp_qcow2_reader_read(reader, host, 1, data, NULL);
        else if (kind == RFP_QCOW2_DATA_COMPRESSED)
            rfp_qcow2_reader_read_compressed(reader, host, data, NULL);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memory_file_spread(data, size, PIECE, RFP_CLUSTER_SIZE);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;

    run_header(data, MIN(size, PIECE));
    if (fd < 0)
        return 0;
    reader = rfp_qcow2_reader_open(fd, "input", &error);
    close(fd);
    fuzz_check(reader != NULL, error);
    if (reader != NULL)
        walk(reader);
    return 0;
}
