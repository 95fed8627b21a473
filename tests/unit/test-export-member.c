/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-member.h"
#include "set.h"

static const SetMade points[] = {
    {"first", {{"vda", NULL, 131072, "0:a"}}},
    {"second", {{"vda", "first", 131072, "1:b"}}},
    {.name = NULL},
};

/* No point is published in the folder of one that cannot be read. */
static void
test_folders(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autoptr(GError) error = NULL;
    RfpExport export = {.guid = NULL};

    g_assert_false(rfp_export_folder_unreadable(&export, "second"));
    set_make(dir, points);
    set_make_newer(dir, points, "second");
    export.bases = rfp_export_set_open(dir, &error);
    g_assert_no_error(error);
    g_assert_false(rfp_export_folder_unreadable(&export, "first"));
    g_assert_false(rfp_export_folder_unreadable(&export, "third"));
    g_assert_true(rfp_export_folder_unreadable(&export, "second"));
    export.guid = guid;
    g_assert_false(rfp_export_folder_unreadable(&export, "second"));
    rfp_export_set_close(export.bases);
    set_remove(temp);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/export-member/folders", test_folders);
    return g_test_run();
}
