/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/record.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOMAIN "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"
#define OTHER "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1df"
#define POINT "1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01"
#define SET "5b0c7a52-52ad-4a0f-9c5e-0d6a4a3f2b11"

typedef struct {
    char *temp;
    char *dir;  /* of records, not there */
    char *file; /* of the domain */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->temp = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->dir = g_build_filename(fixture->temp, "state", "records", NULL);
    fixture->file = g_build_filename(fixture->dir, DOMAIN ".record", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_auto(RfpFd) fd = open(fixture->temp, O_RDONLY | O_DIRECTORY);
    RfpFolder folder = {.fd = fd, .shown = fixture->temp};

    g_assert_true(rfp_files_remove(&folder, "state", NULL));
    g_assert_cmpint(g_rmdir(fixture->temp), ==, 0);
    g_free(fixture->temp);
    g_free(fixture->dir);
    g_free(fixture->file);
}

static RfpRecord *
open_record(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    RfpRecord *record = rfp_record_open(fixture->dir, DOMAIN, 0, &error);

    g_assert_no_error(error);
    return record;
}

static void
begin(RfpRecord *record, const char *set)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_record_append(record, &error, RFP_STEP_OPERATION,
                                    "qemu:///system", DOMAIN, POINT, set, SET,
                                    NULL));
    g_assert_no_error(error);
}

static void
put(Fixture *fixture, const char *text, gsize length)
{
    g_assert_cmpint(g_mkdir_with_parents(fixture->dir, 0700), ==, 0);
    g_assert_true(
        g_file_set_contents(fixture->file, text, (gssize)length, NULL));
}

static guint64
file_size(Fixture *fixture)
{
    struct stat st;

    g_assert_cmpint(stat(fixture->file, &st), ==, 0);
    return (guint64)st.st_size;
}

/* ---- Lines --------------------------------------------------------------- */

static const char *const good_lines[] = {
    "operation qemu%3A///system " DOMAIN " " POINT " /srv/a%20b%0A%25 " SET,
    "operation uri uuid point  ",
    "ran",
    "freeze",
    "thawed",
    "socket /run/x",
    "scratch /tmp/%C3%BC",
    "job /run/x",
    "begun",
    "checkpoint name " POINT,
    "image disks/vm1/vda/p.qcow2",
    "folder .partial-x",
    "destroy name " POINT,
};

static const char *const bad_lines[] = {
    "",
    " ",
    "unknown",
    "ran x",
    "socket",
    "socket a b",
    "Ran",
    "ran ",
    "image %zz",
    "image %00",
    "image %",
    "checkpoint a",
    "operation a b c d",
    "a b c d e f g h i j k l m n o p q r s",
};

static void
test_lines(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good_lines); i++) {
        g_autoptr(RfpStep) step = rfp_step_parse(good_lines[i]);
        g_autofree char *line = NULL;

        g_assert_nonnull(step);
        line = rfp_step_format(step);
        g_assert_cmpstr(line, ==, good_lines[i]);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad_lines); i++) {
        g_test_message("'%s'", bad_lines[i]);
        g_assert_null(rfp_step_parse(bad_lines[i]));
    }
}

/* ---- The file ------------------------------------------------------------ */

static void
test_round_trip(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char set[] = "/srv/\xc3\xbc a\nb%20/\x01\x7f";
    g_autoptr(RfpRecord) record = open_record(fixture);
    g_autoptr(GError) error = NULL;
    const RfpStep *step = NULL;

    g_assert_cmpuint(record->steps->len, ==, 0);
    begin(record, set);
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_RAN, NULL));
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_IMAGE, "a", NULL));
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_IMAGE, "b", NULL));
    g_assert_true(rfp_record_sync(record, &error));
    g_assert_no_error(error);
    rfp_record_close(g_steal_pointer(&record));

    record = open_record(fixture);
    g_assert_cmpuint(record->steps->len, ==, 4);
    step = rfp_record_find(record, RFP_STEP_OPERATION);
    g_assert_cmpstr(step->args[3], ==, set);
    g_assert_cmpuint(g_strv_length(step->args), ==, 5);
    g_assert_cmpstr(rfp_record_find(record, RFP_STEP_IMAGE)->args[0], ==, "b");
    g_assert_nonnull(rfp_record_find(record, RFP_STEP_RAN));
    g_assert_null(rfp_record_find(record, RFP_STEP_JOB));

    g_assert_true(rfp_record_clear(record, &error));
    g_assert_cmpuint(record->steps->len, ==, 0);
    g_assert_cmpuint(file_size(fixture), ==, 0);
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_RAN, NULL));
    g_assert_cmpuint(file_size(fixture), ==, strlen("ran\n"));
}

static void
test_permissions(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpRecord) record = open_record(fixture);
    struct stat st;

    g_assert_cmpint(stat(fixture->dir, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
    g_assert_cmpint(stat(fixture->file, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
    g_assert_cmpstr(record->path, ==, fixture->file);
    g_assert_true(fcntl(record->fd, F_GETFD) & FD_CLOEXEC);
}

typedef struct {
    const char *text;
    gsize length;
    int steps; /* -1: damaged */
    gsize left;
} File;

#define FILE_ROW(text, steps, left)                                            \
    {                                                                          \
        text, sizeof(text) - 1, steps, left                                    \
    }

static const File files[] = {
    FILE_ROW("", 0, 0),
    FILE_ROW("ran\n", 1, 4),
    FILE_ROW("ran\nimage a", 1, 4),
    FILE_ROW("ran", 0, 0),
    FILE_ROW("ran\n\0\0\0\0", 1, 4),
    FILE_ROW("ran\nbegun\0\0", 1, 4),
    FILE_ROW("ran\nodd\n", -1, 0),
    FILE_ROW("ran\n\nbegun\n", -1, 0),
    FILE_ROW("ran\nbeg\0un\nran\n", -1, 0),
    FILE_ROW("ran\n\0\0\0\nbegun\n", -1, 0),
    FILE_ROW("begun\0\n", -1, 0),
};

/* A torn last line is none, and goes; any other damage is said. */
static void
test_damage(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autoptr(RfpRecord) record = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("row %u", (guint)i);
        put(fixture, files[i].text, files[i].length);
        record = rfp_record_open(fixture->dir, DOMAIN, 0, &error);
        if (files[i].steps < 0) {
            g_assert_null(record);
            g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
            g_assert_cmpuint(file_size(fixture), ==, files[i].length);
            continue;
        }
        g_assert_no_error(error);
        g_assert_cmpuint(record->steps->len, ==, (guint)files[i].steps);
        g_assert_cmpuint(file_size(fixture), ==, files[i].left);
    }
}

/* Not through a link: a hostile state folder must not be written elsewhere. */
static void
test_link(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *target = g_build_filename(fixture->dir, "target", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(g_mkdir_with_parents(fixture->dir, 0700), ==, 0);
    g_assert_cmpint(symlink(target, fixture->file), ==, 0);
    g_assert_null(rfp_record_open(fixture->dir, DOMAIN, 0, &error));
    g_assert_nonnull(error);
    g_assert_false(g_file_test(target, G_FILE_TEST_EXISTS));
}

static void
test_no_dir(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *state = g_build_filename(fixture->temp, "state", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(state, "", 0, NULL));
    g_assert_null(rfp_record_open(fixture->dir, DOMAIN, 0, &error));
    g_assert_nonnull(strstr(error->message, state));
}

/* ---- The lock ------------------------------------------------------------ */

static void
test_lock(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpRecord) record = open_record(fixture);
    g_autoptr(RfpRecord) other = NULL;
    g_autoptr(GError) error = NULL;

    begin(record, "/srv/x");
    g_assert_null(rfp_record_open(fixture->dir, DOMAIN, 0, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    g_assert_null(rfp_record_open(fixture->dir, DOMAIN, 50, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    other = rfp_record_open(fixture->dir, OTHER, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(other->steps->len, ==, 0);
    rfp_record_close(g_steal_pointer(&record));
    record = open_record(fixture);
    g_assert_cmpuint(record->steps->len, ==, 1);
}

typedef struct {
    const char *dir;
    RfpRecord *holder; /* NULL: given back */
    guint asked;
} Line;

/* It is given back, and somebody comes who does not wait. */
static gboolean
gives_back(gpointer opaque)
{
    Line *line = opaque;
    g_autoptr(GError) error = NULL;

    if (line->asked++ > 0)
        return TRUE;
    rfp_record_close(g_steal_pointer(&line->holder));
    g_assert_null(rfp_record_take_turn(line->dir, DOMAIN, NULL, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    return TRUE;
}

static gboolean
gives_up(gpointer opaque)
{
    Line *line = opaque;

    return line->asked++ < 2;
}

/* Who waits comes before who comes later. */
static void
test_turn(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    Line line = {.dir = fixture->dir, .holder = open_record(fixture)};
    g_autoptr(RfpRecord) record = NULL;
    g_autoptr(GError) error = NULL;

    begin(line.holder, "/srv/x");
    g_assert_null(
        rfp_record_take_turn(fixture->dir, DOMAIN, gives_up, &line, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    g_assert_cmpuint(line.asked, ==, 3);
    line.asked = 0;
    record =
        rfp_record_take_turn(fixture->dir, DOMAIN, gives_back, &line, &error);
    g_assert_no_error(error);
    g_assert_nonnull(record);
    g_assert_cmpuint(line.asked, >, 0);
    g_assert_cmpuint(record->steps->len, ==, 1);
    rfp_record_close(g_steal_pointer(&record));
    record = rfp_record_take_turn(fixture->dir, DOMAIN, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(record);
}

/* ---- Set aside ----------------------------------------------------------- */

static void
test_aside(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpRecord) record = open_record(fixture);
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) others = NULL;
    g_autoptr(GPtrArray) none = NULL;
    g_autoptr(GError) error = NULL;
    RfpRecord *aside = NULL;

    for (guint i = 0; i < 2; i++) { /* the second one replaces the first */
        begin(record, "/srv/x");
        g_assert_true(rfp_record_append(record, &error, RFP_STEP_IMAGE,
                                        i ? "b b" : "a", NULL));
        g_assert_true(rfp_record_set_aside(record, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(record->steps->len, ==, 0);
        g_assert_cmpuint(file_size(fixture), ==, 0);
    }
    list = rfp_record_list_aside(fixture->dir, DOMAIN);
    g_assert_cmpuint(list->len, ==, 1);
    aside = g_ptr_array_index(list, 0);
    g_assert_cmpuint(aside->steps->len, ==, 2);
    g_assert_cmpstr(rfp_record_find(aside, RFP_STEP_IMAGE)->args[0], ==, "b b");
    others = rfp_record_list_aside(fixture->dir, OTHER);
    g_assert_cmpuint(others->len, ==, 0);

    g_assert_true(rfp_record_remove(aside, &error));
    g_assert_true(rfp_record_remove(aside, &error));
    g_assert_no_error(error);
    none = rfp_record_list_aside(fixture->dir, DOMAIN);
    g_assert_cmpuint(none->len, ==, 0);
}

static void
test_aside_bad(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *damaged =
        g_build_filename(fixture->dir, DOMAIN ".x.kept", NULL);
    g_autofree char *empty =
        g_build_filename(fixture->dir, DOMAIN ".y.kept", NULL);
    g_autoptr(GPtrArray) list = NULL;
    g_autoptr(GPtrArray) nowhere = rfp_record_list_aside(fixture->dir, DOMAIN);

    g_assert_cmpuint(nowhere->len, ==, 0);
    put(fixture, "", 0);
    g_assert_true(g_file_set_contents(damaged, "odd\n", -1, NULL));
    g_assert_true(g_file_set_contents(empty, "", 0, NULL));
    list = rfp_record_list_aside(fixture->dir, DOMAIN);
    g_assert_cmpuint(list->len, ==, 0);
    g_assert_true(g_file_test(damaged, G_FILE_TEST_EXISTS));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

/* ---- Removed under its lock ---------------------------------------------- */

/* How many descriptors of this process are the file. */
static guint
n_open(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    const char *name = NULL;
    guint n = 0;

    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        n += g_strcmp0(target, path) == 0;
    }
    return n;
}

static gpointer
wait_for_record(gpointer fixture)
{
    return rfp_record_open(((Fixture *)fixture)->dir, DOMAIN, 60000, NULL);
}

/* Who waits for the lock meanwhile gets that of the file that others will find,
 * or two would have it. */
static void
test_removed(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpRecord *record = open_record(fixture);
    char *real = realpath(record->path, NULL);
    g_autoptr(RfpRecord) later = NULL;
    g_autoptr(GError) error = NULL;
    GThread *waiting = NULL;

    waiting = g_thread_new("waits", wait_for_record, fixture);
    while (n_open(real) < 2)
        g_thread_yield();
    free(real);
    g_assert_true(rfp_record_remove(record, NULL));
    rfp_record_close(record);
    later = g_thread_join(waiting);
    g_assert_nonnull(later);
    g_assert_true(g_file_test(later->path, G_FILE_TEST_EXISTS));
    g_assert_null(rfp_record_open(fixture->dir, DOMAIN, 0, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
}

static void
test_domains(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    const char *const names[] = {OTHER ".data", OTHER "." POINT ".kept",
                                 POINT ".late", "README", DOMAIN ".record.tmp"};
    g_autoptr(RfpRecord) record = open_record(fixture);
    g_autoptr(GHashTable) uuids = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(fixture->dir, names[i], NULL);

        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    }
    uuids = rfp_record_domains(fixture->dir);
    g_assert_cmpuint(g_hash_table_size(uuids), ==, 2);
    g_assert_true(g_hash_table_contains(uuids, DOMAIN));
    g_assert_true(g_hash_table_contains(uuids, OTHER));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/lines", test_lines);
    ADD("/record/round-trip", test_round_trip);
    ADD("/record/permissions", test_permissions);
    ADD("/record/damage", test_damage);
    ADD("/record/removed", test_removed);
    ADD("/record/domains", test_domains);
    ADD("/record/link", test_link);
    ADD("/record/no-dir", test_no_dir);
    ADD("/record/lock", test_lock);
    ADD("/record/turn", test_turn);
    ADD("/record/aside", test_aside);
    ADD("/record/aside-bad", test_aside_bad);
    return g_test_run();
}
