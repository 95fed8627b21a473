/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole messages, as they were seen, and the wording that is found in each. */
#include "base/wording.h"

static const struct {
    RfpWording wording;
    const char *text;
} rows[] = {
    {RFP_WORDING_AGENT_DISABLED,
     "internal error: unable to execute QEMU agent command 'guest-fsfreeze-"
     "freeze': Command guest-fsfreeze-freeze has been disabled: the command is "
     "not allowed"},
    {RFP_WORDING_AGENT_DISABLED,
     "internal error: unable to execute QEMU agent command 'guest-fsfreeze-"
     "freeze': The command guest-fsfreeze-freeze has been disabled for this "
     "instance"},
    {RFP_WORDING_BITMAP_EXISTS,
     "internal error: unable to execute QEMU command 'transaction': Bitmap "
     "already exists: p"},
    {RFP_WORDING_BITMAP_LOST,
     "internal error: bitmap 'p' not found in backing chain of 'vda'"},
    {RFP_WORDING_BITMAP_SIZES, "internal error: unable to execute QEMU command "
                               "'transaction': Bitmaps are "
                               "of different sizes (destination size is "
                               "131072, source size is 65536) and "
                               "can't be merged"},
    {RFP_WORDING_BITMAP_VERSION,
     "internal error: unable to execute QEMU command 'transaction': Can't make "
     "bitmap 'p' persistent in 'libvirt-2-format': Cannot store dirty bitmaps "
     "in qcow2 v2 files"},
    {RFP_WORDING_BLOCK_JOB,
     "internal error: disk 'vda' has a blockjob assigned"},
    {RFP_WORDING_HASH_SPEED,
     "internal error: unable to execute QEMU command 'blockdev-create': Unable "
     "to get accurate CPU usage"},
    {RFP_WORDING_IMAGE_LOCKED,
     "qemu-img: Could not open 'i.qcow2': Failed to get \"write\" lock Is "
     "another process using the image [i.qcow2]?"},
    {RFP_WORDING_IMAGE_LOCKED,
     "qemu-nbd: Failed to blk_new_open 'i.qcow2': Failed to get shared "
     "\"write\" lock"},
    {RFP_WORDING_JOB_BEGINS, "internal error: backup job data missing"},
    {RFP_WORDING_PERMISSION_DENIED,
     "qemu-img: Could not open 'i.qcow2': Could not open 'i.qcow2': Permission "
     "denied"},
    {RFP_WORDING_STATE_LOCK,
     "Timed out during operation: cannot acquire state change lock (held by "
     "monitor=remoteDispatchDomainBackupBegin)"},
};

static void
test_each(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].text);
        for (int other = 0; other < RFP_N_WORDINGS; other++)
            g_assert_cmpint(rfp_wording_find(other, rows[i].text) != NULL, ==,
                            other == (int)rows[i].wording);
    }
}

/* Both, of a frozen agent that says so. */
static void
test_frozen(void)
{
    static const char text[] =
        "internal error: unable to execute QEMU agent command 'guest-fsfreeze-"
        "freeze': Command guest-fsfreeze-freeze has been disabled: the agent "
        "is in frozen state";

    g_assert_nonnull(rfp_wording_find(RFP_WORDING_AGENT_DISABLED, text));
    g_assert_nonnull(rfp_wording_find(RFP_WORDING_AGENT_FROZEN, text));
}

static void
test_none(void)
{
    for (int wording = 0; wording < RFP_N_WORDINGS; wording++) {
        g_assert_null(rfp_wording_find(wording, NULL));
        g_assert_null(rfp_wording_find(wording, ""));
        g_assert_null(rfp_wording_find(wording, "internal error"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wording/each", test_each);
    g_test_add_func("/wording/frozen", test_frozen);
    g_test_add_func("/wording/none", test_none);
    return g_test_run();
}
