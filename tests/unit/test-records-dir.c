/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/records-dir.h"
#include "virt/connection.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *temp;
    char *runtime; /* not made yet */
    char *link;
    char *login; /* two homes of one user, not made yet */
    char *cron;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->temp = g_dir_make_tmp("rfp-XXXXXX", NULL);
    fixture->runtime = g_build_filename(fixture->temp, "run", NULL);
    fixture->link = g_build_filename(fixture->runtime, ".records", NULL);
    fixture->login = g_build_filename(fixture->temp, "login", NULL);
    fixture->cron = g_build_filename(fixture->temp, "cron", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_unlink(fixture->link);
    g_rmdir(fixture->runtime);
    g_rmdir(fixture->login);
    g_rmdir(fixture->cron);
    g_rmdir(fixture->temp);
    g_free(fixture->runtime);
    g_free(fixture->link);
    g_free(fixture->login);
    g_free(fixture->cron);
    g_free(fixture->temp);
}

static void
check_found(const Fixture *fixture, const char *own, const char *wanted)
{
    g_autofree char *found = rfp_records_dir_find(fixture->runtime, own);

    g_assert_cmpstr(found, ==, wanted);
}

static void
check_claimed(const Fixture *fixture, const char *own, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *claimed =
        rfp_records_dir_claim(fixture->runtime, own, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(claimed, ==, wanted);
    g_assert_true(g_file_test(claimed, G_FILE_TEST_IS_DIR));
}

static void
test_first(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    check_found(fixture, fixture->cron, fixture->cron);
    g_assert_false(g_file_test(fixture->runtime, G_FILE_TEST_EXISTS));
    check_claimed(fixture, fixture->login, fixture->login);
    check_found(fixture, fixture->cron, fixture->login);
    check_claimed(fixture, fixture->cron, fixture->login);
    g_assert_false(g_file_test(fixture->cron, G_FILE_TEST_EXISTS));
}

static void
test_gone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    check_claimed(fixture, fixture->login, fixture->login);
    g_assert_cmpint(g_rmdir(fixture->login), ==, 0);
    check_found(fixture, fixture->cron, fixture->cron);
    check_claimed(fixture, fixture->cron, fixture->cron);
    check_found(fixture, fixture->login, fixture->cron);
}

static void
test_others(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    check_claimed(fixture, fixture->login, fixture->login);
    g_assert_cmpint(chmod(fixture->login, 0777), ==, 0);
    check_found(fixture, fixture->cron, fixture->cron);
    g_assert_cmpint(chmod(fixture->login, 0700), ==, 0);
    check_found(fixture, fixture->cron, fixture->login);
    g_assert_cmpint(chmod(fixture->runtime, 01777), ==, 0);
    check_found(fixture, fixture->cron, fixture->cron);
}

static void
test_cannot(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(fixture->login, "", 0, NULL));
    g_assert_null(
        rfp_records_dir_claim(fixture->runtime, fixture->login, &error));
    g_assert_nonnull(error);
    g_unlink(fixture->login);
}

static void
test_no_runtime(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    g_assert_true(g_file_set_contents(fixture->runtime, "", 0, NULL));
    g_assert_null(
        rfp_records_dir_claim(fixture->runtime, fixture->login, &error));
    failure = refpoint_failure_new(error);
    g_assert_cmpstr(failure->way_out, ==,
                    "set XDG_RUNTIME_DIR to a folder of this user's that can "
                    "be written to");
    g_unlink(fixture->runtime);
}

/* Others read it meanwhile. */
static void
test_connection(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RefpointConnection conn = {.runtime_dir = fixture->runtime,
                               .own_records_dir = fixture->login};
    g_autoptr(GError) error = NULL;
    const char *claimed = NULL;

    g_assert_true(rfp_connection_claim_records(&conn, &error));
    g_assert_no_error(error);
    claimed = conn.records_dir;
    g_assert_cmpstr(claimed, ==, fixture->login);
    g_assert_true(rfp_connection_claim_records(&conn, &error));
    g_assert_true(conn.records_dir == claimed);
}

#define ROUNDS 300

typedef struct {
    const Fixture *fixture;
    const char *own;
    gint *ready;
    char *claimed;
} Claim;

static gpointer
claim_thread(gpointer opaque)
{
    Claim *claim = opaque;

    g_atomic_int_inc(claim->ready);
    while (g_atomic_int_get(claim->ready) < 2)
        g_thread_yield();
    claim->claimed =
        rfp_records_dir_claim(claim->fixture->runtime, claim->own, NULL);
    return NULL;
}

static void
test_at_once(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    for (guint i = 0; i < ROUNDS; i++) {
        gint ready = 0;
        Claim login = {fixture, fixture->login, &ready, NULL};
        Claim cron = {fixture, fixture->cron, &ready, NULL};
        GThread *thread = g_thread_new("login", claim_thread, &login);

        claim_thread(&cron);
        g_thread_join(thread);
        g_assert_nonnull(login.claimed);
        g_assert_cmpstr(login.claimed, ==, cron.claimed);
        g_free(login.claimed);
        g_free(cron.claimed);
        g_unlink(fixture->link);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/records-dir/first", Fixture, NULL, set_up, test_first,
               tear_down);
    g_test_add("/records-dir/gone", Fixture, NULL, set_up, test_gone,
               tear_down);
    g_test_add("/records-dir/others", Fixture, NULL, set_up, test_others,
               tear_down);
    g_test_add("/records-dir/cannot", Fixture, NULL, set_up, test_cannot,
               tear_down);
    g_test_add("/records-dir/no-runtime", Fixture, NULL, set_up,
               test_no_runtime, tear_down);
    g_test_add("/records-dir/connection", Fixture, NULL, set_up,
               test_connection, tear_down);
    g_test_add("/records-dir/at-once", Fixture, NULL, set_up, test_at_once,
               tear_down);
    return g_test_run();
}
