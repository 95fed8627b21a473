/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/domain-end.h"

#define STARTED                                                                \
    "2026-11-30 11:38:31.001+0000: starting up libvirt version: 9.0.0\n"       \
    "LC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-msg timestamp=on\n"

static void
test_complaint(void)
{
    static const struct {
        const char *log;
        const char *complaint;
    } cases[] = {
        {STARTED "2026-11-30 11:38:34.518+0000: Domain id=1 is tainted: x\n"
                 "qemu-system-x86_64: ../../blockdev-nbd.c:62: "
                 "nbd_update_server_watch: Assertion `x' failed.\n"
                 "2026-11-30 11:39:01.420+0000: shutting down, "
                 "reason=crashed\n",
         "qemu-system-x86_64: ../../blockdev-nbd.c:62: "
         "nbd_update_server_watch: Assertion `x' failed."},
        {STARTED "2026-11-30T11:38:34.518123Z qemu-system-x86_64: no\n\n",
         "qemu-system-x86_64: no"},
        /* of an earlier start */
        {STARTED "qemu: an old complaint\n" STARTED
                 "2026-11-30 11:39:01.420+0000: shutting down\n",
         NULL},
        /* the log's end, which begins in the middle of a line */
        {"tion `x' failed.", "tion `x' failed."},
        {"\xff\xfe", "\357\277\275\357\277\275"},
        {STARTED, NULL},
        {"", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *complaint = rfp_domain_log_complaint(cases[i].log);

        g_assert_cmpstr(complaint, ==, cases[i].complaint);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-end/complaint", test_complaint);
    return g_test_run();
}
