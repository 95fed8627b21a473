/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/qemu-version.h"

static void
test_machine(void)
{
    static const struct {
        const char *machine;
        gulong version;
    } cases[] = {
        {"pc-q35-7.2", 7002000},
        {"pc-i440fx-2.12", 2012000},
        {"s390-ccw-virtio-10.1", 10001000},
        {"virt-9.0", 9000000},
        {"pc-q35-rhel9.4.0", 0},
        {"pc-i440fx-noble", 0},
        {"q35", 0},
        {"microvm", 0},
        {"x-9.0.1", 0},
        {"x-9", 0},
        {"x-.0", 0},
        {"x-9.", 0},
        {"x-99999.0", 0},
        {"x--9.0", 9000000},
        {"", 0},
        {NULL, 0},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(rfp_qemu_version_of_machine(cases[i].machine), ==,
                         cases[i].version);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-version/machine", test_machine);
    return g_test_run();
}
