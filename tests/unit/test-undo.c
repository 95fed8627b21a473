/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an undo takes away of a set, and what it does not. */
#include "operation/record.h"
#include "operation/undo.h"
#include "set.h"
#include "set/set-publish.h"

#include <errno.h>

#define SIZE ((guint64)131072)
#define NEW_GUID "11111111-2222-4333-8444-555555555555"
#define IMAGE "disks/vm1/vda/second.qcow2"

static const SetMade points[] = {
    {"first", {{"vda", NULL, SIZE, "0:a"}}},
    {"second", {{"vda", "first", SIZE, "1:b"}}},
    {.name = NULL},
};

typedef struct {
    char *temp;
    char *dir;
    char *records;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->temp = set_temp();
    fixture->dir = g_build_filename(fixture->temp, "set", NULL);
    fixture->records = g_build_filename(fixture->temp, "records", NULL);
    set_make(fixture->dir, points);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    set_remove(fixture->temp);
    g_free(fixture->temp);
    g_free(fixture->dir);
    g_free(fixture->records);
}

/* The export of the second point died; its domain is gone. */
static RfpUndone
undo_image(Fixture *fixture, const char *image)
{
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *partial = rfp_export_set_partial_name(guid);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpRecord) record =
        rfp_record_open(fixture->records, SET_VM, 0, &error);
    g_autoptr(RfpExportSet) set = rfp_export_set_open(fixture->dir, &error);
    RfpUndone undone = RFP_UNDO_NOTHING;

    g_assert_no_error(error);
    g_assert_true(rfp_record_append(record, &error, RFP_STEP_OPERATION,
                                    "test:///default", SET_VM, guid,
                                    fixture->dir, set->file->guid, NULL));
    g_assert_true(
        rfp_record_append(record, &error, RFP_STEP_FOLDER, partial, NULL));
    g_assert_true(
        rfp_record_append(record, &error, RFP_STEP_IMAGE, image, NULL));
    g_assert_true(
        rfp_undo_run(NULL, record, NULL, FALSE, &undone, NULL, &error));
    g_assert_no_error(error);
    return undone;
}

static RfpUndone
undo(Fixture *fixture)
{
    return undo_image(fixture, IMAGE);
}

static gboolean
has(Fixture *fixture, const char *file)
{
    g_autofree char *path = g_build_filename(fixture->dir, file, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
make_file(Fixture *fixture, const char *folder, const char *name)
{
    g_autofree char *dir = g_build_filename(fixture->dir, folder, NULL);
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
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

/* A later program may call its images as it likes: the GUID tells. */
static void
test_newer_names(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char image[] = "disks/vm1/vda/0002.qcow2";

    set_make_newer(fixture->dir, points, "second");
    make_file(fixture, "disks/vm1/vda", "0002.qcow2");
    g_assert_cmpint(undo_image(fixture, image), ==, RFP_UNDO_ASIDE);
    g_assert_true(has(fixture, image));
}

/* ---- A set alone --------------------------------------------------------- */

/* An operation on the set at @path has died. */
static void
die_in_set(Fixture *fixture, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set = rfp_export_set_open(fixture->dir, &error);
    g_autoptr(RfpRecord) record =
        rfp_record_open_set(fixture->records, set->file->guid, 0, &error);

    g_assert_no_error(error);
    g_assert_true(rfp_record_append(record, NULL, RFP_STEP_OPERATION, "", "",
                                    NEW_GUID, path, set->file->guid, NULL));
    g_assert_true(
        rfp_record_append(record, NULL, RFP_STEP_FOLDER, ".partial-x", NULL));
    g_assert_true(rfp_record_append(record, NULL, RFP_STEP_IMAGE,
                                    "disks/vm1/vda/new.qcow2", NULL));
    make_file(fixture, ".partial-x", "export.xml");
    make_file(fixture, "disks/vm1/vda", "new.qcow2");
}

static RfpUndone
undo_set(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set =
        rfp_export_set_prepare(fixture->dir, &set_owner, &error);
    RfpUndone undone = RFP_UNDO_UNSYNCED;

    g_assert_no_error(error);
    g_assert_true(rfp_undo_set(fixture->records, set, &undone, &error));
    g_assert_no_error(error);
    return undone;
}

static void
test_set(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_cmpint(undo_set(fixture), ==, RFP_UNDO_NOTHING);
    die_in_set(fixture, fixture->dir);
    g_assert_cmpint(undo_set(fixture), ==, RFP_UNDO_REMOVED);
    g_assert_false(has(fixture, ".partial-x"));
    g_assert_false(has(fixture, "disks/vm1/vda/new.qcow2"));
    g_assert_true(has(fixture, IMAGE));
    g_assert_true(has(fixture, "second/export.xml"));
    g_assert_cmpint(undo_set(fixture), ==, RFP_UNDO_NOTHING);
    /* no domain is thought to have a record */
    {
        g_autoptr(GHashTable) domains = rfp_record_domains(fixture->records);

        g_assert_cmpuint(g_hash_table_size(domains), ==, 0);
    }
}

/* The record of a set is not of its copy elsewhere. */
static void
test_copy(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    die_in_set(fixture, "/backup/vm1");
    g_assert_cmpint(undo_set(fixture), ==, RFP_UNDO_NOTHING);
    g_assert_true(has(fixture, "disks/vm1/vda/new.qcow2"));
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
    ADD("/undo/newer-names", test_newer_names);
    ADD("/undo/set", test_set);
    ADD("/undo/copy", test_copy);
    return g_test_run();
}
