/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/wording.h"

#include <string.h>

/* One row for each wording; @seen: where, and in which version. */
static const struct {
    RfpWording wording;
    const char *text;
    const char *seen;
} rows[] = {
    /* before 6.0 "The command ... has been disabled for this instance"; now
     * with a reason, in 10.0 "the command is not allowed" for both */
    {RFP_WORDING_AGENT_DISABLED, "has been disabled", "qemu-ga 7.2, 10.0"},
    {RFP_WORDING_AGENT_FROZEN, "the agent is in frozen state", "qemu-ga 7.2"},
    {RFP_WORDING_BITMAP_EXISTS, "Bitmap already exists", "QEMU 7.2"},
    {RFP_WORDING_BITMAP_LOST, "not found in backing chain", "libvirt 9.0"},
    {RFP_WORDING_BITMAP_SIZES, "Bitmaps are of different sizes", "QEMU 7.2"},
    {RFP_WORDING_BITMAP_VERSION, "bitmaps in qcow2 v2 files", "QEMU 7.2"},
    {RFP_WORDING_BLOCK_JOB, "has a blockjob assigned", "libvirt 9.0"},
    {RFP_WORDING_HASH_SPEED, "Unable to get accurate CPU usage", "QEMU 7.2.22"},
    {RFP_WORDING_IMAGE_LOCKED, "Failed to get shared \"", "QEMU 7.2"},
    {RFP_WORDING_IMAGE_LOCKED, "Failed to get \"", "QEMU 7.2"},
    {RFP_WORDING_JOB_BEGINS, "backup job data missing", "libvirt 9.0"},
    {RFP_WORDING_PERMISSION_DENIED, "Permission denied", "QEMU 7.2, glibc"},
    {RFP_WORDING_STATE_LOCK, "cannot acquire state change lock", "libvirt 9.0"},
};

const char *
rfp_wording_find(RfpWording wording, const char *text)
{
    for (gsize i = 0; text != NULL && i < G_N_ELEMENTS(rows); i++) {
        const char *at =
            rows[i].wording == wording ? strstr(text, rows[i].text) : NULL;

        if (at != NULL)
            return at;
    }
    return NULL;
}
