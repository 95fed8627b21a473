/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/kept.h"
#include "base/space.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define DOMAIN "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"
#define OTHER "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1df"
#define POINT "1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01"
#define BASE "5b0c7a52-52ad-4a0f-9c5e-0d6a4a3f2b11"
#define MIB ((guint64)1 << 20)

typedef struct {
    char *temp;
    char *dir;     /* of records */
    char *file;    /* of what is kept */
    char *scratch; /* a scratch file */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->temp = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->dir = g_build_filename(fixture->temp, "state", NULL);
    fixture->file = g_build_filename(fixture->dir, DOMAIN ".data", NULL);
    fixture->scratch = g_build_filename(fixture->temp, "scratch", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(RfpFd) fd = open(fixture->temp, O_RDONLY | O_DIRECTORY);
    RfpFolder folder = {.fd = fd, .shown = fixture->temp};

    g_assert_true(rfp_files_remove(&folder, "state", NULL));
    g_unlink(fixture->scratch);
    g_assert_cmpint(g_rmdir(fixture->temp), ==, 0);
    g_free(fixture->temp);
    g_free(fixture->dir);
    g_free(fixture->file);
    g_free(fixture->scratch);
}

/* The operation that leaves it behind: a job of two disks. */
static RfpRecord *
begin(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    RfpRecord *record = rfp_record_open(fixture->dir, DOMAIN, 0, &error);

    g_assert_no_error(error);
    rfp_record_append(record, &error, RFP_STEP_OPERATION, "qemu:///session",
                      DOMAIN, POINT, "", "", NULL);
    rfp_record_append(record, &error, RFP_STEP_SCRATCH, fixture->scratch, NULL);
    rfp_record_append(record, &error, RFP_STEP_CHECKPOINT, "a name", POINT,
                      NULL);
    rfp_record_append(record, &error, RFP_STEP_JOB, "/run/a socket", NULL);
    rfp_record_append(record, &error, RFP_STEP_BASE, "vda", BASE, NULL);
    rfp_record_append(record, &error, RFP_STEP_BASE, "vdb", "", NULL);
    rfp_record_append(record, &error, RFP_STEP_AMOUNT, "vda", "1048576",
                      "65536", NULL);
    g_assert_no_error(error);
    return record;
}

static void
store(Fixture *fixture, RefpointKeep keep, gint64 until, guint64 scratch_max)
{
    g_autoptr(RfpRecord) record = begin(fixture);
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_kept_store(record, keep, until, scratch_max, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(record->steps->len, ==, 0);
}

static gint64
in_seconds(gint64 seconds)
{
    return rfp_kept_now() + seconds;
}

static void
test_load(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpKept) kept = NULL;
    const char *base = NULL;
    guint64 allocation = 0;
    guint64 changed = 0;

    g_assert_null(rfp_kept_load(fixture->dir, DOMAIN, FALSE));
    store(fixture, REFPOINT_KEEP_FIRST, 1234567890123, 5 * MIB);
    g_assert_null(rfp_kept_load(fixture->dir, OTHER, FALSE));
    kept = rfp_kept_load(fixture->dir, DOMAIN, FALSE);
    g_assert_nonnull(kept);
    g_assert_cmpint(kept->keep, ==, REFPOINT_KEEP_FIRST);
    g_assert_cmpstr(kept->guid, ==, POINT);
    g_assert_cmpstr(kept->name, ==, "a name");
    g_assert_cmpstr(kept->socket_path, ==, "/run/a socket");
    g_assert_cmpint(kept->until, ==, 1234567890123);
    g_assert_cmpuint(kept->scratch_max, ==, 5 * MIB);
    g_assert_null(kept->ended);
    g_assert_true(rfp_kept_disk(kept, "vda", &base));
    g_assert_cmpstr(base, ==, BASE);
    g_assert_true(rfp_kept_disk(kept, "vdb", &base));
    g_assert_null(base);
    g_assert_false(rfp_kept_disk(kept, "vdc", &base));
    g_assert_true(rfp_kept_amount(kept, "vda", &allocation, &changed));
    g_assert_cmpuint(allocation, ==, MIB);
    g_assert_cmpuint(changed, ==, 65536);
    g_assert_false(rfp_kept_amount(kept, "vdb", &allocation, &changed));
}

/* Why it ended stands in the file until the next one. */
static void
test_ended(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpKept) kept = NULL;
    g_autoptr(RfpKept) again = NULL;
    g_autoptr(RfpKept) next = NULL;
    g_autoptr(GError) error = NULL;

    store(fixture, REFPOINT_KEEP_HOLD, 0, MIB);
    kept = rfp_kept_load(fixture->dir, DOMAIN, TRUE);
    g_assert_cmpint(kept->keep, ==, REFPOINT_KEEP_HOLD);
    g_assert_true(rfp_kept_note_ended(kept, RFP_ENDED_TIME, &error));
    g_assert_cmpstr(kept->ended, ==, RFP_ENDED_TIME);
    again = rfp_kept_load(fixture->dir, DOMAIN, FALSE);
    g_assert_cmpstr(again->ended, ==, RFP_ENDED_TIME);
    store(fixture, REFPOINT_KEEP_HOLD, 0, MIB);
    next = rfp_kept_load(fixture->dir, DOMAIN, FALSE);
    g_assert_null(next->ended);
}

/* Half a file, at any length: nothing is kept, and nothing is read wrongly. */
static void
test_torn(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *text = NULL;
    gsize length = 0;

    store(fixture, REFPOINT_KEEP_HOLD, 0, MIB);
    g_assert_true(g_file_get_contents(fixture->file, &text, &length, NULL));
    for (gsize n = 0; n < length; n++) {
        g_assert_cmpint(truncate(fixture->file, (off_t)n), ==, 0);
        g_assert_null(rfp_kept_load(fixture->dir, DOMAIN, FALSE));
        g_assert_true(
            g_file_set_contents(fixture->file, text, (gssize)length, NULL));
    }
}

static void
test_limit(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const struct {
        gint64 seconds; /* from now; 0: no limit */
        guint64 scratch_max;
        const char *limit;
    } cases[] = {
        {0, 4 * MIB, NULL},
        {600, 4 * MIB, NULL},
        {-1, 4 * MIB, RFP_ENDED_TIME},
        {600, MIB, RFP_ENDED_SCRATCH},
        {0, MIB, RFP_ENDED_SCRATCH},
        /* what fills the disk comes first */
        {-1, MIB, RFP_ENDED_SCRATCH},
    };
    g_autofree char *bytes = g_malloc(2 * MIB);
    RfpSpace space = {0};

    g_assert_true(rfp_space_of(fixture->temp, &space, NULL));
    if (space.free < rfp_space_reserve(&space) + 4 * MIB) {
        g_test_skip("there is no room for scratch files");
        return;
    }
    memset(bytes, 'x', 2 * MIB);
    g_assert_true(g_file_set_contents(fixture->scratch, bytes, 2 * MIB, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 until = cases[i].seconds ? in_seconds(cases[i].seconds) : 0;
        g_autoptr(RfpKept) kept = NULL;

        store(fixture, REFPOINT_KEEP_FIRST, until, cases[i].scratch_max);
        kept = rfp_kept_load(fixture->dir, DOMAIN, FALSE);
        g_assert_cmpuint(rfp_scratch_used(kept->record), >=, 2 * MIB);
        g_assert_cmpstr(rfp_kept_limit(kept, NULL), ==, cases[i].limit);
    }
}

static void
test_watch(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpKept) kept = NULL;
    g_auto(RfpFd) first = -1;

    store(fixture, REFPOINT_KEEP_HOLD, 0, MIB);
    kept = rfp_kept_load(fixture->dir, DOMAIN, FALSE);
    first = rfp_kept_take_watch(kept);
    g_assert_cmpint(first, >=, 0);
    g_assert_cmpint(rfp_kept_take_watch(kept), ==, -1);
    rfp_fd_clear(&first);
    first = rfp_kept_take_watch(kept);
    g_assert_cmpint(first, >=, 0);
}

static void
test_texts(void)
{
    static const char *const ids[] = {RFP_ENDED_EXPORTED, RFP_ENDED_REMOVED,
                                      RFP_ENDED_TIME, RFP_ENDED_SCRATCH,
                                      RFP_ENDED_STOPPED};
    const char *unknown = rfp_kept_ended_text("of a later version");

    g_assert_nonnull(unknown);
    for (gsize i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_cmpstr(rfp_kept_ended_text(ids[i]), !=, unknown);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/kept/load", test_load);
    ADD("/kept/ended", test_ended);
    ADD("/kept/torn", test_torn);
    ADD("/kept/limit", test_limit);
    ADD("/kept/watch", test_watch);
    g_test_add_func("/kept/texts", test_texts);
    return g_test_run();
}
