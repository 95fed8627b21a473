/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an undo takes away of a set, and what it does not. */
#include "operation/record.h"
#include "operation/undo.h"
#include "set.h"

#include <errno.h>

#define SIZE ((guint64)131072)
#define IMAGE "disks/vm1/vda/second.qcow2"

static const SetMade points[] = {
    {"first", {{"vda", NULL, SIZE, "0:a"}}},
    {"second", {{"vda", "first", SIZE, "1:b"}}},
    {.name = NULL},
};

typedef struct {
    char *temp;
    char *dir;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->temp = set_temp();
    fixture->dir = g_build_filename(fixture->temp, "set", NULL);
    set_make(fixture->dir, points);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    set_remove(fixture->temp);
    g_free(fixture->temp);
    g_free(fixture->dir);
}

/* The export of the second point died; its domain is gone. */
static RfpUndone
undo(Fixture *fixture)
{
    g_autofree char *records = g_build_filename(fixture->temp, "records", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *partial = rfp_export_set_partial_name(guid);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpRecord) record = rfp_record_open(records, SET_VM, 0, &error);
    g_autoptr(RfpExportSet) set = rfp_export_set_open(fixture->dir, &error);
    RfpUndone undone = RFP_UNDO_NOTHING;

    g_assert_no_error(error);
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_OPERATION,
                                    "test:///default", SET_VM, guid,
                                    fixture->dir, set->file->guid, NULL));
    g_assert_true(
        rfp_record_append(record, &error, RFP_STEP_FOLDER, partial, NULL));
    g_assert_true(
        rfp_record_append(record, &error, RFP_STEP_IMAGE, IMAGE, NULL));
    g_assert_true(
        rfp_undo_run(NULL, record, NULL, FALSE, &undone, NULL, &error));
    g_assert_no_error(error);
    return undone;
}

static gboolean
has(Fixture *fixture, const char *file)
{
    g_autofree char *path = g_build_filename(fixture->dir, file, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
test_published(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(undo(fixture), ==, RFP_UNDO_PUBLISHED);
    g_assert_true(has(fixture, IMAGE));
}

static void
test_unpublished(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *folder = g_build_filename(fixture->dir, "second", NULL);

    set_remove(folder);
    g_assert_cmpint(undo(fixture), ==, RFP_UNDO_REMOVED);
    g_assert_false(has(fixture, IMAGE));
    g_assert_true(has(fixture, "disks/vm1/vda/first.qcow2"));
}

/* It cannot be told whose folder it is: nothing goes. */
static void
test_damaged(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *manifest =
        g_build_filename(fixture->dir, "second", "export.xml", NULL);

    g_assert_cmpint(g_chmod(manifest, 0600), ==, 0);
    g_assert_cmpint(truncate(manifest, 100), ==, 0);
    g_assert_cmpint(undo(fixture), ==, RFP_UNDO_ASIDE);
    g_assert_true(has(fixture, IMAGE));
    g_assert_cmpint(g_unlink(manifest), ==, 0);
    g_assert_cmpint(undo(fixture), ==, RFP_UNDO_ASIDE);
    g_assert_true(has(fixture, IMAGE));
}

/* Nor of a point that needs a newer program. */
static void
test_newer(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    set_make_newer(fixture->dir, points, "second");
    g_assert_cmpint(undo(fixture), ==, RFP_UNDO_ASIDE);
    g_assert_true(has(fixture, IMAGE));
    g_assert_true(has(fixture, "second/export.xml"));
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/undo/published", test_published);
    ADD("/undo/unpublished", test_unpublished);
    ADD("/undo/damaged", test_damaged);
    ADD("/undo/newer", test_newer);
    return g_test_run();
}
