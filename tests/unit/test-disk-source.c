/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/disk-source.h"

static char file_type[] = "file";
static char block_type[] = "block";
static char path_a[] = "/a";
static char path_b[] = "/b";

static void
test_equal(void)
{
    RfpDiskSource a = {.type = file_type, .path = path_a, .inode = 7};
    RfpDiskSource b = a;

    g_assert_true(rfp_disk_source_equal(&a, &b));
    b.inode = 8;
    g_assert_false(rfp_disk_source_equal(&a, &b));
    b.inode = 0;
    g_assert_true(rfp_disk_source_equal(&a, &b));
    g_assert_true(rfp_disk_source_equal(&b, &a));
    b.path = path_b;
    g_assert_false(rfp_disk_source_equal(&a, &b));
    b.path = NULL;
    g_assert_false(rfp_disk_source_equal(&a, &b));
    b = a;
    b.type = block_type;
    g_assert_false(rfp_disk_source_equal(&a, &b));
    b.type = NULL;
    g_assert_false(rfp_disk_source_equal(&a, &b));
}

static void
test_copy(void)
{
    RfpDiskSource a = {.type = file_type, .path = path_a, .inode = 7};
    RfpDiskSource empty = {0};
    RfpDiskSource b = {0};

    rfp_disk_source_copy(&a, &b);
    g_assert_true(rfp_disk_source_equal(&a, &b));
    g_assert_cmpuint(b.inode, ==, 7);
    g_assert_true(b.path != a.path);
    rfp_disk_source_copy(&b, &b);
    g_assert_true(rfp_disk_source_equal(&a, &b));
    rfp_disk_source_copy(&empty, &b);
    g_assert_null(b.type);
    g_assert_null(b.path);
    g_assert_cmpuint(b.inode, ==, 0);

    rfp_disk_source_copy(&a, &b);
    rfp_disk_source_clear(&b);
    rfp_disk_source_clear(&b);
    g_assert_true(rfp_disk_source_equal(&b, &empty));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/disk-source/equal", test_equal);
    g_test_add_func("/disk-source/copy", test_copy);
    return g_test_run();
}
