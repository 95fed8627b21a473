/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/qemu-process.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char status[] = "Name:\tqemu-system-x86\n"
                             "Uid:\t1\t2\t3\t64055\n"
                             "Gid:\t5\t6\t7\t994\n"
                             "FDSize:\t128\n"
                             "Groups:\t104 994 4294967294 \n"
                             "NStgid:\t9\n";

static void
test_parse(void)
{
    static const char *const bad[] = {
        "",
        "Uid:\t1\t2\t3\t4\n",
        "Uid:\t1\t2\t3\nGid:\t1\t2\t3\t4\n",
        "Uid:\t1\t2\t3\tx\nGid:\t1\t2\t3\t4\n",
        "\tUid:\t1\t2\t3\t4\nGid:\t1\t2\t3\t4\n",
    };
    g_autoptr(RfpIdentity) identity = rfp_identity_parse(status);
    g_autoptr(RfpIdentity) alone =
        rfp_identity_parse("Uid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\nGroups:\t \n");

    g_assert_nonnull(identity);
    g_assert_cmpuint(identity->uid, ==, 64055);
    g_assert_cmpuint(identity->gid, ==, 994);
    g_assert_cmpuint(identity->groups->len, ==, 3);
    g_assert_cmpuint(g_array_index(identity->groups, gid_t, 0), ==, 104);
    g_assert_cmpuint(g_array_index(identity->groups, gid_t, 2), ==, 4294967294);
    g_assert_nonnull(alone);
    g_assert_cmpuint(alone->groups->len, ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_null(rfp_identity_parse(bad[i]));
}

#define UUID "48d6d6e3-5251-4a9a-9d9e-6b29cb80a37a"

static void
test_is_of(void)
{
    static const char ours[] =
        "/usr/bin/qemu\0-name\0guest=vm\0-uuid\0" UUID "\0-S";
    static const char last[] = "qemu\0-uuid\0" UUID;
    static const char other[] = "qemu\0-uuid\0"
                                "00000000-5251-4a9a-9d9e-6b29cb80a37a";
    static const char grep[] = "grep\0" UUID;
    static const char option[] = "guard\0" UUID "\0-uuid";

    g_assert_true(rfp_qemu_is_of(ours, sizeof(ours), UUID));
    g_assert_true(rfp_qemu_is_of(last, sizeof(last), UUID));
    g_assert_false(rfp_qemu_is_of(last, sizeof(last) - 1, UUID));
    g_assert_false(rfp_qemu_is_of(other, sizeof(other), UUID));
    g_assert_false(rfp_qemu_is_of(grep, sizeof(grep), UUID));
    g_assert_false(rfp_qemu_is_of(option, sizeof(option), UUID));
    g_assert_false(rfp_qemu_is_of("", 0, UUID));
}

/* ---- Ways to a folder: temp/a/b, and temp/link to it --------------------- */

typedef struct {
    char *temp;
    char *a;
    char *b;
    char *link;
    RfpIdentity *other;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->temp = g_dir_make_tmp("rfp-XXXXXX", NULL);
    fixture->a = g_build_filename(fixture->temp, "a", NULL);
    fixture->b = g_build_filename(fixture->a, "b", NULL);
    fixture->link = g_build_filename(fixture->temp, "link", NULL);
    fixture->other = rfp_identity_parse(
        "Uid:\t1\t1\t1\t64055\nGid:\t1\t1\t1\t64055\nGroups:\t64056 64057\n");
    g_assert_cmpint(g_mkdir_with_parents(fixture->b, 0755), ==, 0);
    g_assert_cmpint(symlink(fixture->b, fixture->link), ==, 0);
    g_assert_cmpint(chmod(fixture->temp, 0711), ==, 0);
    g_assert_cmpint(chmod(fixture->a, 0711), ==, 0);
    g_assert_cmpint(chmod(fixture->b, 0711), ==, 0);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_unlink(fixture->link);
    g_rmdir(fixture->b);
    g_rmdir(fixture->a);
    g_rmdir(fixture->temp);
    g_free(fixture->link);
    g_free(fixture->b);
    g_free(fixture->a);
    g_free(fixture->temp);
    rfp_identity_free(fixture->other);
}

static void
check_way(const Fixture *fixture, const char *path, const char *stopped_at)
{
    g_autofree char *at = rfp_identity_stopped_at(fixture->other, path);

    g_assert_cmpstr(at, ==, stopped_at);
}

/* Only root may ask for others, and others must get to the temporary files. */
static gboolean
can_ask(const Fixture *fixture)
{
    g_autofree char *at =
        rfp_identity_stopped_at(fixture->other, fixture->temp);

    if (geteuid() == 0 && at == NULL)
        return TRUE;
    g_test_skip("needs root, and a TMPDIR for all users");
    return FALSE;
}

static void
test_way(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *later = g_build_filename(fixture->b, "c", "d", NULL);

    if (!can_ask(fixture))
        return;
    check_way(fixture, fixture->b, NULL);
    check_way(fixture, later, NULL);
    check_way(fixture, "/", NULL);
    g_assert_cmpint(chmod(fixture->b, 0700), ==, 0);
    check_way(fixture, fixture->b, fixture->b);
    check_way(fixture, later, fixture->b);
    check_way(fixture, fixture->link, fixture->b);
    g_assert_cmpint(chmod(fixture->a, 0766), ==, 0);
    check_way(fixture, fixture->b, fixture->a);
    /* and this thread is what it was */
    g_assert_cmpint(access(fixture->b, X_OK), ==, 0);
}

static void
test_groups(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    if (!can_ask(fixture))
        return;
    g_assert_cmpint(chmod(fixture->b, 0710), ==, 0);
    check_way(fixture, fixture->b, fixture->b);
    for (gid_t group = 64055; group <= 64057; group++) {
        g_assert_cmpint(chown(fixture->b, (uid_t)-1, group), ==, 0);
        check_way(fixture, fixture->b, NULL);
    }
    g_assert_cmpint(chown(fixture->b, 64055, 0), ==, 0);
    check_way(fixture, fixture->b, NULL);
    g_assert_cmpint(chmod(fixture->b, 0070), ==, 0);
    check_way(fixture, fixture->b, fixture->b);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qemu-process/parse", test_parse);
    g_test_add_func("/qemu-process/is-of", test_is_of);
    g_test_add("/qemu-process/way", Fixture, NULL, set_up, test_way, tear_down);
    g_test_add("/qemu-process/groups", Fixture, NULL, set_up, test_groups,
               tear_down);
    return g_test_run();
}
