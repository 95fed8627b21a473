/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/holder.h"
#include "common/process.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"

typedef struct {
    char *dir;
    char *file;
    RfpRecord *record;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->dir = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->file = g_build_filename(fixture->dir, DOMAIN ".holder", NULL);
    fixture->record = rfp_record_open(fixture->dir, DOMAIN, 0, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *record =
        g_build_filename(fixture->dir, DOMAIN ".record", NULL);

    rfp_record_close(fixture->record);
    g_assert_false(g_file_test(fixture->file, G_FILE_TEST_EXISTS));
    g_unlink(record);
    g_assert_cmpint(g_rmdir(fixture->dir), ==, 0);
    g_free(fixture->dir);
    g_free(fixture->file);
}

static void
step(Fixture *fixture, RfpStepKind kind, const char *a, const char *b)
{
    g_autoptr(GError) error = NULL;

    rfp_record_append(fixture->record, &error, kind, a, b, NULL);
    g_assert_no_error(error);
}

static void
test_named(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    gint64 before = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(RfpHolder) holder = NULL;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *since = NULL;
    g_autofree char *text = NULL;
    g_autofree char *wanted = NULL;

    g_assert_null(rfp_holder_read(fixture->dir, DOMAIN));
    rfp_holder_note(fixture->record, FALSE);
    holder = rfp_holder_read(fixture->dir, DOMAIN);
    g_assert_nonnull(holder);
    g_assert_cmpint(holder->pid, ==, getpid());
    g_assert_cmpint(holder->since, >=, before);
    g_assert_cmpint(holder->since, <=, g_get_real_time() / G_USEC_PER_SEC);
    g_assert_false(rfp_holder_is_program(holder));
    time = g_date_time_new_from_unix_local(holder->since);
    since = g_date_time_format(time, "%F %T %z");
    wanted = g_strdup_printf("), since %s: it gets ready", since);
    text = rfp_holder_text(holder);
    g_assert_true(g_str_has_prefix(text, "process "));
    g_assert_nonnull(strstr(text, "test-holder"));
    g_assert_nonnull(strstr(text, wanted));
}

static void
test_undoes(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpHolder) holder = NULL;

    rfp_holder_note(fixture->record, TRUE);
    holder = rfp_holder_read(fixture->dir, DOMAIN);
    g_assert_nonnull(holder);
    g_assert_cmpstr(holder->phase, ==, "it undoes an operation that died");
}

/* What somebody left behind, or another one with his number, is not named. */
static void
test_not_named(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    guint64 start = rfp_process_start(getpid());
    g_autofree char *other = g_strdup_printf("%d %" G_GUINT64_FORMAT " 1 w\n",
                                             (int)getpid(), start + 1);
    const char *texts[] = {other,
                           "",
                           "\n",
                           "1",
                           "0 0 0 w\n",
                           "-1 5 5 w\n",
                           "999999999 5 5 w\n",
                           "x y z w\n"};

    rfp_holder_note(fixture->record, FALSE);
    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_assert_true(g_file_set_contents(fixture->file, texts[i], -1, NULL));
        g_assert_null(rfp_holder_read(fixture->dir, DOMAIN));
    }
}

static void
test_phase(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpRecord *record = fixture->record;

    g_assert_cmpstr(rfp_holder_phase(record), ==,
                    "it gets ready, or is about to end");
    step(fixture, RFP_STEP_RAN, NULL, NULL);
    step(fixture, RFP_STEP_CHECKPOINT, "a", "b");
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it makes a point");
    step(fixture, RFP_STEP_JOB, "/socket", NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it begins the backup job");
    step(fixture, RFP_STEP_FREEZE, NULL, NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it freezes the guest");
    step(fixture, RFP_STEP_THAWED, NULL, NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it begins the backup job");
    step(fixture, RFP_STEP_BEGUN, NULL, NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it reads the disks");
    step(fixture, RFP_STEP_JOB, "/again", NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it begins the backup job");
    rfp_record_clear(record, NULL);
    step(fixture, RFP_STEP_IMAGE, "disks/a", NULL);
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it reads the disks");
    step(fixture, RFP_STEP_REDEFINED, "a", "b");
    g_assert_cmpstr(rfp_holder_phase(record), ==, "it imports points");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/holder/named", Fixture, NULL, set_up, test_named, tear_down);
    g_test_add("/holder/undoes", Fixture, NULL, set_up, test_undoes, tear_down);
    g_test_add("/holder/not-named", Fixture, NULL, set_up, test_not_named,
               tear_down);
    g_test_add("/holder/phase", Fixture, NULL, set_up, test_phase, tear_down);
    return g_test_run();
}
