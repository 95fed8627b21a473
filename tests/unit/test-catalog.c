/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refpoint.h"
#include "set.h"

static const SetMade points[] = {
    {"first", {{"vda", NULL, 131072, "0:a"}, {"vdb", NULL, 1, ""}}},
    {"second", {{"vda", "first", 131072, "1:b"}}},
    {"third", {{"vda", "second", 131072, "0:c 1:d"}, {"vdb", "first", 1, ""}}},
    {.name = NULL},
};

static void
test_points(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autoptr(RefpointCatalog) catalog = NULL;
    g_autoptr(GError) error = NULL;
    RefpointCatalogPoint *point = NULL;
    RefpointCatalogDisk *disk = NULL;

    set_make(dir, points);
    catalog = refpoint_catalog(dir, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(catalog->path, ==, dir);
    g_assert_cmpstr(catalog->domain_name, ==, "vm1");
    g_assert_cmpstr(catalog->domain_uuid, ==, SET_VM);
    g_assert_cmpuint(catalog->points->len, ==, 3);

    point = g_ptr_array_index(catalog->points, 0);
    g_assert_cmpstr(point->name, ==, "first");
    g_assert_null(point->parent_guid);
    g_assert_cmpstr(point->created, ==, "2026-11-21T20:30:00Z");
    g_assert_cmpuint(point->disks->len, ==, 2);

    point = g_ptr_array_index(catalog->points, 2);
    g_assert_cmpstr(point->folder, ==, "third");
    g_assert_cmpuint(point->sequence, ==, 3);
    g_assert_cmpstr(point->parent_guid, ==, guid);
    g_assert_cmpstr(point->domain_uuid, ==, SET_VM);
    g_assert_null(point->damage);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpint(disk->mode, ==, REFPOINT_MODE_INCREMENT);
    g_assert_cmpstr(disk->base_guid, ==, guid);
    g_assert_cmpuint(disk->depth, ==, 3);
    g_assert_cmpuint(disk->stored, ==, 131072);
    g_assert_cmpuint(disk->size, ==, 131072);
    g_assert_cmpstr(disk->image, ==, "disks/vm1/vda/third.qcow2");
    g_assert_cmpuint(strlen(disk->view_digest), ==, 64);
    disk = g_ptr_array_index(point->disks, 1);
    g_assert_cmpuint(disk->depth, ==, 2);
    set_remove(temp);
}

static const SetMade two_vms[] = {
    {"first",
     {{"vda", NULL, 131072, "0:a"}, {"vm2/vda", NULL, 131072, "0:x 1:y"}}},
    {"second",
     {{"vda", "first", 131072, "1:b"},
      {"vm2/vda", "first", 131072, "0:z"},
      {"vm2/vdb", NULL, 131072, "1:q"}}},
    {.name = NULL},
};

/* All disks of all VMs are shown, each with its own chain. */
static void
test_two_vms(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointCatalog) catalog = NULL;
    g_autoptr(GError) error = NULL;
    RefpointCatalogPoint *point = NULL;
    RefpointCatalogDisk *disk = NULL;

    set_make(dir, two_vms);
    catalog = refpoint_catalog(dir, &error);
    g_assert_no_error(error);
    point = g_ptr_array_index(catalog->points, 1);
    g_assert_cmpstr(point->domain_uuid, ==, SET_VM);
    g_assert_cmpuint(point->disks->len, ==, 3);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpstr(disk->domain_uuid, ==, SET_VM);
    g_assert_cmpstr(disk->domain_name, ==, "vm1");
    disk = g_ptr_array_index(point->disks, 1);
    g_assert_cmpstr(disk->domain_uuid, ==, SET_OTHER_VM);
    g_assert_cmpstr(disk->image, ==, "disks/vm2/vda/second.qcow2");
    g_assert_cmpuint(disk->depth, ==, 2);
    disk = g_ptr_array_index(point->disks, 2);
    g_assert_cmpstr(disk->target, ==, "vdb");
    g_assert_cmpstr(disk->domain_name, ==, "vm2");
    g_assert_cmpuint(disk->depth, ==, 1);
    set_remove(temp);
}

static void
test_newer(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointCatalog) catalog = NULL;
    g_autoptr(GError) error = NULL;
    RefpointCatalogPoint *point = NULL;
    RefpointCatalogDisk *disk = NULL;

    set_make(dir, points);
    set_make_newer(dir, points, "second");
    catalog = refpoint_catalog(dir, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(catalog->points->len, ==, 3);
    point = g_ptr_array_index(catalog->points, 2);
    g_assert_cmpstr(point->folder, ==, "second");
    g_assert_null(point->name);
    g_assert_null(point->damage);
    g_assert_nonnull(strstr(point->newer, "'later'"));
    point = g_ptr_array_index(catalog->points, 1);
    g_assert_cmpstr(point->folder, ==, "third");
    g_assert_null(point->newer);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpuint(disk->depth, ==, 0);
    set_remove(temp);
}

static void
test_damaged(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *manifest =
        g_build_filename(dir, "second", "export.xml", NULL);
    g_autoptr(RefpointCatalog) catalog = NULL;
    g_autoptr(GError) error = NULL;
    RefpointCatalogPoint *point = NULL;
    RefpointCatalogDisk *disk = NULL;

    set_make(dir, points);
    g_unlink(manifest);
    g_assert_true(g_file_set_contents(manifest, "<export", -1, NULL));
    catalog = refpoint_catalog(dir, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(catalog->points->len, ==, 3);
    point = g_ptr_array_index(catalog->points, 2);
    g_assert_cmpstr(point->folder, ==, "second");
    g_assert_nonnull(point->damage);
    g_assert_null(point->name);
    g_assert_cmpuint(point->disks->len, ==, 0);
    point = g_ptr_array_index(catalog->points, 1);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpuint(disk->depth, ==, 0);
    disk = g_ptr_array_index(point->disks, 1);
    g_assert_cmpuint(disk->depth, ==, 2);
    set_remove(temp);
}

static void
test_no_set(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *file = g_build_filename(temp, "file", NULL);
    g_autoptr(GError) nothing = NULL;
    g_autoptr(GError) not_folder = NULL;
    g_autoptr(GError) missing = NULL;

    g_assert_null(refpoint_catalog(temp, &nothing));
    g_assert_error(nothing, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_assert_null(refpoint_catalog(file, &missing));
    g_assert_error(missing, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_null(refpoint_catalog(file, &not_folder));
    g_assert_error(not_folder, REFPOINT_ERROR,
                   REFPOINT_ERROR_INVALID_PARAMETER);
    set_remove(temp);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/catalog/points", test_points);
    g_test_add_func("/catalog/damaged", test_damaged);
    g_test_add_func("/catalog/newer", test_newer);
    g_test_add_func("/catalog/two-vms", test_two_vms);
    g_test_add_func("/catalog/no-set", test_no_set);
    return g_test_run();
}
