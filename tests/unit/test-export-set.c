/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-points.h"
#include "set/set-folders.h"
#include "set/set-publish.h"
#include "set.h"

#define SIZE ((guint64)131072)

static const SetMade points[] = {
    {"first", {{"vda", NULL, SIZE, "0:a"}, {"vdb", NULL, SIZE, "0:a"}}},
    {"second", {{"vda", "first", SIZE, "1:b"}}},
    {"third", {{"vda", "second", SIZE, "0:0"}, {"vdb", "first", SIZE, ""}}},
    {.name = NULL},
};

static const SetMade two_vms[] = {
    {"first",
     {{"vda", NULL, 131072, "0:a"}, {"vm2/vda", NULL, 131072, "0:x 1:y"}}},
    {"second",
     {{"vda", "first", 131072, "1:b"},
      {"vm2/vda", "first", 131072, "0:z"},
      {"vm2/vdb", NULL, 131072, "1:q"}}},
    {.name = NULL},
};

typedef struct {
    char *temp;
    char *dir; /* below it, not there */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->temp = set_temp();
    fixture->dir = g_build_filename(fixture->temp, "set", NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    set_remove(fixture->temp);
    g_free(fixture->temp);
    g_free(fixture->dir);
}

static void
put(const char *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_unlink(path);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* The first @from in a file becomes @to. */
static void
edit(const char *dir, const char *name, const char *from, const char *to)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *text = NULL;
    g_autofree char *changed = NULL;
    g_autofree char *head = NULL;
    const char *at = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    at = strstr(text, from);
    g_assert_nonnull(at);
    head = g_strndup(text, (gsize)(at - text));
    changed = set_reseal(g_strconcat(head, to, at + strlen(from), NULL));
    put(dir, name, changed);
}

static RfpExportSet *
prepare(const char *dir)
{
    g_autoptr(GError) error = NULL;
    RfpExportSet *set = rfp_export_set_prepare(dir, &set_owner, &error);

    g_assert_no_error(error);
    return set;
}

static RfpExportSet *
open_set(const char *dir)
{
    g_autoptr(GError) error = NULL;
    RfpExportSet *set = rfp_export_set_open(dir, &error);

    g_assert_no_error(error);
    return set;
}

/* ---- The directory ------------------------------------------------------- */

static void
test_fresh(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set = NULL;
    gboolean fresh = FALSE;
    struct stat st;

    g_assert_null(
        rfp_export_set_peek(fixture->dir, &set_owner, &fresh, &error));
    g_assert_no_error(error);
    g_assert_true(fresh);
    g_assert_false(g_file_test(fixture->dir, G_FILE_TEST_EXISTS));

    set = prepare(fixture->dir);
    g_assert_cmpint(stat(fixture->dir, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
    g_assert_cmpint(fstatat(set->fd, "set.xml", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
    g_assert_cmpstr(set->file->vm_uuid, ==, SET_VM);
    g_assert_cmpuint(set->points->len, ==, 0);
    g_assert_null(rfp_export_set_newest(set));
    g_assert_false(set->writable_by_others);
}

static void
test_empty(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *lost = g_build_filename(fixture->dir, "lost+found", NULL);
    g_autoptr(RfpExportSet) set = NULL;
    struct stat st;

    g_assert_cmpint(g_mkdir_with_parents(lost, 0700), ==, 0);
    g_assert_cmpint(g_chmod(fixture->dir, 0777), ==, 0);
    put(fixture->dir, ".set-interrupted", "");
    set = prepare(fixture->dir);
    g_assert_cmpint(stat(fixture->dir, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0777);
    g_assert_true(set->writable_by_others);
    g_assert_cmpuint(set->points->len, ==, 0);
}

/* Whoever comes second finds the first one's set. */
static void
test_again(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    g_autofree char *guid = g_strdup(set->file->guid);
    g_autofree char *dotted =
        g_build_filename(fixture->temp, ".", "set", "", NULL);

    rfp_export_set_close(g_steal_pointer(&set));
    set = prepare(dotted);
    g_assert_cmpstr(set->file->guid, ==, guid);
    g_assert_cmpstr(set->path, ==, fixture->dir);
}

typedef struct {
    const char *name;
    const char *make;  /* file in it, or NULL: itself is a file */
    const char *below; /* under the directory */
} Wrong;

static const Wrong wrong_rows[] = {
    {"a file", NULL, NULL},
    {"another content", "note", NULL},
    {"a hidden content", ".note", NULL},
    {"no parent", "set.xml", "missing/set"},
};

static void
test_wrong(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong_rows); i++) {
        const Wrong *row = &wrong_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autofree char *target =
            g_build_filename(dir, row->below != NULL ? row->below : "", NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) again = NULL;
        gboolean fresh = FALSE;

        g_test_message("%s", row->name);
        if (row->make != NULL)
            g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
        put(row->make != NULL ? dir : temp,
            row->make != NULL ? row->make : "set", "x");
        g_assert_null(rfp_export_set_peek(target, &set_owner, &fresh, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
        g_assert_null(rfp_export_set_prepare(target, &set_owner, &again));
        g_assert_error(again, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
        set_remove(temp);
    }
}

static void
test_other_vm(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    gboolean fresh = TRUE;

    rfp_export_set_close(prepare(fixture->dir));
    g_assert_null(
        rfp_export_set_peek(fixture->dir, &set_other_owner, &fresh, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_assert_nonnull(strstr(error->message, "vm1"));
    g_clear_error(&error);
    g_assert_null(
        rfp_export_set_prepare(fixture->dir, &set_other_owner, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
}

static void
test_set_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *damage = NULL;
    g_autoptr(RfpExportSet) set = NULL;

    set_make(fixture->dir, points);
    put(fixture->dir, "set.xml", "<set");
    g_assert_null(rfp_export_set_open(fixture->dir, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_clear_error(&error);
    set = rfp_export_set_inspect(fixture->dir, &damage, &error);
    g_assert_no_error(error);
    g_assert_nonnull(damage);
    g_assert_null(set->file);
    g_assert_cmpuint(set->points->len, ==, 3);
    g_assert_nonnull(rfp_export_set_newest(set));
}

static void
test_newer_format(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *damage = NULL;

    set_make(fixture->dir, points);
    edit(fixture->dir, "set.xml", "format=\"1\"", "format=\"2\"");
    g_assert_null(rfp_export_set_open(fixture->dir, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);
    g_assert_null(rfp_export_set_inspect(fixture->dir, &damage, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_null(damage);
}

/* Each VM of a point has chains of its own, though targets are the same. */
static void
test_two_vms(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GPtrArray) one = NULL;
    g_autoptr(GPtrArray) other = NULL;
    g_autoptr(GError) error = NULL;
    RfpSetPoint *second = NULL;
    RfpManifestDisk *disk = NULL;

    set_make(fixture->dir, two_vms);
    set = open_set(fixture->dir);
    second = rfp_export_set_newest(set);
    g_assert_cmpuint(second->manifest->vms->len, ==, 2);
    g_assert_cmpstr(rfp_set_point_vm(second, SET_VM)->name, ==, "vm1");
    g_assert_cmpstr(rfp_set_point_vm(second, SET_OTHER_VM)->name, ==, "vm2");
    g_assert_null(rfp_set_point_vm(second, set->file->guid));
    g_assert_null(rfp_set_point_disk(second, SET_VM, "vdb"));
    g_assert_nonnull(rfp_set_point_disk(second, SET_OTHER_VM, "vdb"));
    g_assert_cmpstr(rfp_set_point_file(second, SET_OTHER_VM, "config")->path,
                    ==, "second/vm2/domain.xml");
    g_assert_true(rfp_export_set_newest_of(set, SET_OTHER_VM) == second);
    g_assert_null(rfp_export_set_newest_of(set, set->file->guid));

    one = rfp_export_set_chain(set, second, SET_VM, "vda", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(one->len, ==, 2);
    disk = g_ptr_array_index(one, 1);
    g_assert_cmpstr(disk->image, ==, "disks/vm1/vda/first.qcow2");
    g_assert_true(rfp_export_set_check_chain(set, one, &error));
    other = rfp_export_set_chain(set, second, SET_OTHER_VM, "vda", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(other->len, ==, 2);
    disk = g_ptr_array_index(other, 1);
    g_assert_cmpstr(disk->image, ==, "disks/vm2/vda/first.qcow2");
    g_assert_true(rfp_export_set_check_chain(set, other, &error));
    g_assert_no_error(error);
    g_assert_null(rfp_export_set_chain(set, second, SET_VM, "vdb", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

/* A point that needs a newer program is neither damaged nor found, and chains
 * that go through it are not called broken. */
static void
test_newer_point(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *other = set_guid_of("other");
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GPtrArray) chain = NULL;
    g_autoptr(RefpointFailure) failure = NULL;
    g_autoptr(GError) error = NULL;
    const RfpSetPoint *third = NULL;
    const RfpSetPoint *newer = NULL;

    set_make(fixture->dir, points);
    set_make_newer(fixture->dir, points, "second");
    set = open_set(fixture->dir);
    newer = g_ptr_array_index(set->points, 2);
    g_assert_cmpstr(newer->folder, ==, "second");
    g_assert_null(newer->manifest);
    g_assert_null(newer->damage);
    g_assert_nonnull(strstr(newer->newer, "'later'"));
    g_assert_nonnull(strstr(newer->newer, "newer virt-refpoint"));
    g_assert_cmpstr(newer->newer_guid, ==, guid);
    g_assert_cmpuint(rfp_export_set_count_newer(set), ==, 1);
    g_assert_null(rfp_export_set_resolve(set, "second"));
    g_assert_true(rfp_export_set_find_newer(set, guid) == newer);
    g_assert_null(rfp_export_set_find_newer(set, other));
    g_assert_true(rfp_export_set_check_known(set, "first", &error));
    g_assert_false(rfp_export_set_check_known(set, "second", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_clear_error(&error);

    third = rfp_export_set_resolve(set, "third");
    g_assert_null(rfp_export_set_chain(set, third, SET_VM, "vda", &error));
    failure = refpoint_failure_new(error);
    g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_nonnull(strstr(failure->message, "'second'"));
    g_clear_error(&error);
    chain = rfp_export_set_chain(set, third, SET_VM, "vdb", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(chain->len, ==, 2);
}

/* Where its GUID cannot be read, it may be any that is not there. */
static void
test_newer_unknown(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *guid = set_guid_of("second");
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) error = NULL;

    set_make(fixture->dir, points);
    set_edit_point(fixture->dir, points, "second", "format=\"1\"",
                   "format=\"3\"");
    set_edit_point(fixture->dir, points, "second", "<point name",
                   "<points name");
    set = open_set(fixture->dir);
    g_assert_nonnull(rfp_export_set_find_newer(set, guid));
    g_assert_null(rfp_export_set_chain(set,
                                       rfp_export_set_resolve(set, "third"),
                                       SET_VM, "vda", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
}

/* A new point follows the one with the highest number, even if that needs a
 * newer program. */
static void
test_newer_last(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const SetMade more = {"fourth", {{"vda", NULL, SIZE, "0:c"}}};
    g_autofree char *guid = set_guid_of("third");
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    const RfpSetPoint *last = NULL;
    const RfpManifest *manifest = NULL;

    g_assert_null(rfp_export_set_last(set));
    rfp_export_set_close(g_steal_pointer(&set));
    set_make(fixture->dir, points);
    set_make_newer(fixture->dir, points, "second");
    set = prepare(fixture->dir);
    g_assert_true(rfp_export_set_last(set) == rfp_export_set_newest(set));
    rfp_export_set_close(g_steal_pointer(&set));
    set_make_newer(fixture->dir, points, "third");
    set = prepare(fixture->dir);
    last = rfp_export_set_last(set);
    g_assert_cmpstr(last->folder, ==, "third");
    g_assert_cmpstr(rfp_set_point_guid(last), ==, guid);
    g_assert_cmpuint(rfp_set_point_sequence(last), ==, 3);

    set_add_point(set, &more);
    manifest = rfp_export_set_newest(set)->manifest;
    g_assert_cmpuint(manifest->sequence, ==, 4);
    g_assert_cmpstr(manifest->parent_guid, ==, guid);
    g_assert_true(rfp_export_set_last(set) == rfp_export_set_newest(set));
}

static const char *const no_number[] = {"sequence=", "number="};
static const char *const no_guid[] = {"<point ", "<points "};

/* Where its GUID or number cannot be read, no point can follow. */
static void
test_newer_not_last(Fixture *fixture, gconstpointer data)
{
    const char *const *change = data; /* from, to */
    g_autoptr(GError) error = NULL;
    gboolean fresh = FALSE;

    set_make(fixture->dir, points);
    set_edit_point(fixture->dir, points, "second", change[0], change[1]);
    set_make_newer(fixture->dir, points, "second");
    g_assert_null(rfp_export_set_prepare(fixture->dir, &set_owner, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_nonnull(strstr(error->message, "'later'"));
    g_clear_error(&error);
    g_assert_null(
        rfp_export_set_peek(fixture->dir, &set_owner, &fresh, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_false(fresh);
}

/* A folder of another set beside points that need a newer program does not
 * make set.xml the wrong one. */
static void
test_newer_stranger(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *guid = set_guid_of("another set");
    g_autofree char *other = g_strconcat("<set guid=\"", guid, "\" x=", NULL);
    g_autoptr(RfpExportSet) set = NULL;

    set_make(fixture->dir, points);
    for (gsize i = 0; points[i].name != NULL; i++)
        set_edit_point(fixture->dir, points, points[i].name,
                       "<set guid=", other);
    set = open_set(fixture->dir);
    g_assert_cmpuint(set->strangers, ==, 3);
    g_assert_true(rfp_export_set_is_strange(set));
    set_make_newer(fixture->dir, points, "second");
    g_assert_true(rfp_export_set_load(set, NULL));
    g_assert_cmpuint(set->strangers, ==, 2);
    g_assert_false(rfp_export_set_is_strange(set));
}

/* What cannot be understood is not replaced either. */
static void
test_newer_folders(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autofree char *mended = NULL;
    g_autofree char *folder = NULL;
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) error = NULL;

    set_make(fixture->dir, points);
    set_edit(fixture->dir, "folders.xml", "<vm ",
             "<feature name=\"later\"/><vm ");
    before = set_sha256(fixture->dir, "folders.xml");
    set = prepare(fixture->dir);
    folder = rfp_export_set_vm_folder(set, SET_VM, "vm1", &mended, &error);
    g_assert_null(folder);
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED);
    after = set_sha256(fixture->dir, "folders.xml");
    g_assert_cmpstr(before, ==, after);
}

/* ---- The lock ------------------------------------------------------------ */

static void
test_lock(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    g_autoptr(RfpExportSet) reader = NULL;
    g_autoptr(RfpExportSet) other = NULL;
    g_autofree char *guid = g_strdup(set->file->guid);
    g_autoptr(GError) error = NULL;

    g_assert_null(rfp_export_set_prepare(fixture->dir, &set_owner, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    g_assert_null(rfp_export_set_reopen(fixture->dir, guid, 0, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    reader = open_set(fixture->dir);
    g_assert_cmpint(reader->lock_fd, ==, -1);
    rfp_export_set_close(g_steal_pointer(&set));
    other = rfp_export_set_reopen(fixture->dir, guid, 0, &error);
    g_assert_no_error(error);
    g_assert_nonnull(other);
}

static void
test_reopen(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(rfp_export_set_reopen(fixture->dir, SET_VM, 0, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    rfp_export_set_close(prepare(fixture->dir));
    g_assert_null(rfp_export_set_reopen(fixture->dir, SET_VM, 0, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_STATE);
}

/* ---- Points -------------------------------------------------------------- */

static void
test_points(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *upper = g_ascii_strup(guid, -1);
    g_autoptr(RfpExportSet) set = NULL;
    RfpSetPoint *point = NULL;

    set_make(fixture->dir, points);
    set = open_set(fixture->dir);
    g_assert_cmpuint(set->points->len, ==, 3);
    point = rfp_export_set_newest(set);
    g_assert_cmpstr(point->manifest->folder, ==, "third");
    g_assert_cmpuint(point->manifest->sequence, ==, 3);
    g_assert_cmpstr(point->manifest->parent_guid, ==, guid);
    g_assert_true(rfp_export_set_find(set, upper) ==
                  g_ptr_array_index(set->points, 1));
    g_assert_true(rfp_export_set_resolve(set, "second") ==
                  rfp_export_set_find(set, guid));
    g_assert_true(rfp_export_set_resolve(set, guid) ==
                  rfp_export_set_find(set, guid));
    g_assert_null(rfp_export_set_resolve(set, "nobody"));
    g_assert_null(rfp_export_set_find(set, SET_VM));
    g_assert_cmpstr(rfp_set_point_vm(point, SET_VM)->uuid, ==, SET_VM);
}

typedef struct {
    const char *file;
    const char *from;
    const char *to;
    const char *damaged; /* folder */
    const char *newest;
} Spoilt;

static const Spoilt spoilt_rows[] = {
    {"third/export.xml", "</export>", "", "third", "second"},
    {"third/export.xml", "sequence=\"3\"", "sequence=\"2\"", NULL, "third"},
    {"first/export.xml", "sequence=\"1\"", "sequence=\"7\"", NULL, "first"},
    {"third/export.xml", "format=\"1\"", "format=\"x\"", "third", "second"},
};

static void
test_damaged(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(spoilt_rows); i++) {
        const Spoilt *row = &spoilt_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autoptr(RfpExportSet) set = NULL;
        RfpSetPoint *last = NULL;

        set_make(dir, points);
        edit(dir, row->file, row->from, row->to);
        set = open_set(dir);
        g_assert_cmpuint(set->points->len, ==, 3);
        last = g_ptr_array_index(set->points, 2);
        g_assert_cmpstr(rfp_export_set_newest(set)->folder, ==, row->newest);
        g_assert_true((row->damaged != NULL) == (last->manifest == NULL));
        if (row->damaged != NULL) {
            g_assert_cmpstr(last->folder, ==, row->damaged);
            g_assert_nonnull(last->damage);
            g_assert_null(rfp_set_point_vm(last, SET_VM));
        }
        set_remove(temp);
    }
}

/* A copied folder is not a second point; a point of another set is none. */
static void
test_doubles(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *copy = g_build_filename(fixture->dir, "copy", NULL);
    g_autofree char *from =
        g_build_filename(fixture->dir, "second", "export.xml", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *text = NULL;
    g_autoptr(RfpExportSet) set = NULL;

    set_make(fixture->dir, points);
    g_assert_true(g_file_get_contents(from, &text, NULL, NULL));
    g_assert_cmpint(g_mkdir(copy, 0700), ==, 0);
    put(copy, "export.xml", text);
    edit(copy, "export.xml", "sequence=\"2\"", "sequence=\"9\"");
    set = open_set(fixture->dir);
    g_assert_cmpuint(set->points->len, ==, 4);
    g_assert_cmpstr(rfp_export_set_find(set, guid)->folder, ==, "second");
    g_assert_cmpstr(rfp_export_set_newest(set)->folder, ==, "third");
    g_assert_null(((RfpSetPoint *)g_ptr_array_index(set->points, 3))->manifest);
}

static void
test_other_set(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autofree char *guid = rfp_guid_new();
    g_autofree char *attribute = NULL;
    g_autofree char *other = NULL;

    set_make(fixture->dir, points);
    set = open_set(fixture->dir);
    attribute = g_strdup_printf("<set guid=\"%s\"", set->file->guid);
    other = g_strdup_printf("<set guid=\"%s\"", guid);
    edit(fixture->dir, "third/export.xml", attribute, other);
    g_assert_true(rfp_export_set_load(set, NULL));
    g_assert_cmpstr(rfp_export_set_newest(set)->folder, ==, "second");
}

/* What is no folder, or hidden, or ours, is no point. */
static void
test_not_points(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autofree char *stray = g_build_filename(fixture->dir, "stray", NULL);

    set_make(fixture->dir, points);
    put(fixture->dir, "note", "");
    set = open_set(fixture->dir);
    g_assert_true(rfp_files_make_dirs(&set->folder, ".partial-x", NULL));
    g_assert_true(rfp_files_make_dirs(&set->folder, "lost+found", NULL));
    g_assert_cmpint(symlinkat("third", set->fd, "link"), ==, 0);
    g_assert_true(rfp_export_set_load(set, NULL));
    g_assert_cmpuint(set->points->len, ==, 3);
    g_assert_cmpint(g_mkdir(stray, 0700), ==, 0);
    g_assert_true(rfp_export_set_load(set, NULL));
    g_assert_cmpuint(set->points->len, ==, 4);
}

/* One point alone, and nothing that is none. */
static void
test_open_point(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const char *const none[] = {
        "",      ".",      "..",   "missing", "link",         ".hidden",
        "disks", "first/", "note", "set.xml", "../set/first", "first/vm1",
    };
    g_autofree char *link = g_build_filename(fixture->dir, "link", NULL);
    g_autofree char *hidden = g_build_filename(fixture->dir, ".hidden", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) error = NULL;

    set_make(fixture->dir, points);
    put(fixture->dir, "note", "");
    g_assert_cmpint(symlink("first", link), ==, 0);
    g_assert_cmpint(g_mkdir(hidden, 0700), ==, 0);
    set = rfp_export_set_open_point(fixture->dir, "second", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(set->points->len, ==, 1);
    g_assert_cmpstr(rfp_export_set_find(set, guid)->folder, ==, "second");
    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autoptr(RfpExportSet) other =
            rfp_export_set_open_point(fixture->dir, none[i], &error);

        g_test_message("'%s'", none[i]);
        g_assert_no_error(error);
        g_assert_cmpuint(other->points->len, ==, 0);
    }
    rfp_export_set_close(g_steal_pointer(&set));
    edit(fixture->dir, "second/export.xml", "sequence=\"2\"", "sequence=\"x\"");
    set = rfp_export_set_open_point(fixture->dir, "second", &error);
    g_assert_no_error(error);
    g_assert_nonnull(
        ((RfpSetPoint *)g_ptr_array_index(set->points, 0))->damage);
}

/* ---- Chains -------------------------------------------------------------- */

static void
test_chain(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GPtrArray) vda = NULL;
    g_autoptr(GPtrArray) vdb = NULL;
    g_autoptr(GPtrArray) digests = NULL;
    g_autoptr(GError) error = NULL;
    RfpManifestDisk *disk = NULL;

    set_make(fixture->dir, points);
    set = open_set(fixture->dir);
    vda = rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM, "vda",
                               &error);
    g_assert_no_error(error);
    g_assert_cmpuint(vda->len, ==, 3);
    disk = g_ptr_array_index(vda, 2);
    g_assert_cmpint(disk->mode, ==, REFPOINT_MODE_FULL);
    g_assert_true(rfp_export_set_check_chain(set, vda, &error));
    digests = rfp_export_set_open_digests(set, vda, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(digests->len, ==, 3);
    vdb = rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM, "vdb",
                               &error);
    g_assert_no_error(error);
    g_assert_cmpuint(vdb->len, ==, 2);
    g_assert_null(rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM,
                                       "vdc", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

typedef struct {
    const char *file;
    const char *from; /* text, or NULL: the file goes */
    const char *to;
    gboolean linked; /* the manifests' links are sound */
} Broken;

static const Broken broken_rows[] = {
    /* the middle one is gone */
    {"second", NULL, NULL, FALSE},
    /* a circle, as near as sequence numbers let one come */
    {"first/export.xml", "sequence=\"1\"", "sequence=\"9\"", FALSE},
    {"second/export.xml", "target=\"vda\"", "target=\"vdx\"", FALSE},
    {"second/export.xml", "<base point=\"", "<base point=\"0", FALSE},
    {"second/export.xml", "file-size=\"", "file-size=\"1", TRUE},
    {"disks/vm1/vda/second.qcow2", NULL, NULL, TRUE},
    {"disks/vm1/vda/first.digests", NULL, NULL, TRUE},
};

static void
test_broken(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(broken_rows); i++) {
        const Broken *row = &broken_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autofree char *path = g_build_filename(dir, row->file, NULL);
        g_autoptr(RfpExportSet) set = NULL;
        g_autoptr(GPtrArray) chain = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s %s", row->file, row->from);
        set_make(dir, points);
        if (row->from == NULL)
            set_remove(path);
        else
            edit(dir, row->file, row->from, row->to);
        set = open_set(dir);
        chain = rfp_export_set_chain(set, rfp_export_set_resolve(set, "third"),
                                     SET_VM, "vda", &error);
        g_assert_true((chain != NULL) == row->linked);
        if (chain != NULL)
            g_assert_false(rfp_export_set_check_chain(set, chain, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        set_remove(temp);
    }
}

/* One bit of what a later point builds on. */
typedef struct {
    const char *file;
    gint64 offset;
    guint8 bit;
    const char *text;
} Rotten;

#define ENTRY RFP_DIGEST_HEADER_SIZE
#define L2 (2 * RFP_CLUSTER_SIZE)

static const Rotten rotten_rows[] = {
    {"disks/vm1/vda/first.digests", ENTRY + 8 + 5, 0x10, "SHA-256"},
    {"disks/vm1/vda/second.digests", ENTRY, 1, "SHA-256"},
    {"disks/vm1/vda/first.digests", 30, 1, "SHA-256"},
    /* another cluster, twice the same, no cluster, zeroes */
    {"disks/vm1/vda/first.qcow2", L2 + 5, 1, "damaged"},
    {"disks/vm1/vda/first.qcow2", L2 + 5, 3, "damaged"},
    {"disks/vm1/vda/first.qcow2", L2, 0x80, "damaged"},
    {"disks/vm1/vda/first.qcow2", L2 + 7, 1, "as zeroes"},
    {"disks/vm1/vda/first.qcow2", L2 + 8 + 7, 1, "without a digest"},
    {"disks/vm1/vda/first.qcow2", L2 + 17, 1, "damaged"},
    {"disks/vm1/vda/first.qcow2", 24 + 6, 2, "virtual size"},
};

static void
flip(const char *dir, const char *file, gint64 offset, guint8 bit)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_auto(RfpFd) fd = -1;
    guint8 byte = 0;

    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_RDWR);
    g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
    byte ^= bit;
    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
}

static void
test_rotten(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rotten_rows); i++) {
        const Rotten *row = &rotten_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autoptr(RfpExportSet) set = NULL;
        g_autoptr(GPtrArray) chain = NULL;
        g_autoptr(GError) error = NULL;

        g_test_message("%s %d", row->file, (int)row->offset);
        set_make(dir, points);
        flip(dir, row->file, row->offset, row->bit);
        set = open_set(dir);
        chain = rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM,
                                     "vda", &error);
        g_assert_no_error(error);
        g_assert_false(rfp_export_set_check_chain(set, chain, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, row->text));
        g_assert_nonnull(strstr(error->message, row->file));
        set_remove(temp);
    }
}

/* Of an image with more tables than are worth to be read, the L1 table. */
static void
test_rotten_large(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GString) stored = g_string_new(NULL);
    SetMade made[2] = {{"first", {{"vda", NULL, 0, NULL}}}, {.name = NULL}};
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GPtrArray) chain = NULL;
    g_autoptr(GError) error = NULL;
    RfpManifestDisk *disk = NULL;
    guint8 number[8];
    guint64 l1 = 0;
    g_auto(RfpFd) fd = -1;

    for (guint i = 0; i < 513; i++)
        g_string_append_printf(stored, "%u:a ", i * 8192);
    g_string_truncate(stored, stored->len - 1);
    made[0].disks[0].size = (guint64)513 << 29;
    made[0].disks[0].stored = stored->str;
    set_make(fixture->dir, made);
    set = open_set(fixture->dir);
    chain = rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM, "vda",
                                 NULL);
    g_assert_true(rfp_export_set_check_chain(set, chain, &error));
    disk = g_ptr_array_index(chain, 0);
    fd = rfp_files_open(&set->folder, disk->image, O_RDONLY, NULL);
    g_assert_cmpint(pread(fd, number, sizeof(number), 40), ==, 8);
    for (guint i = 0; i < sizeof(number); i++)
        l1 = l1 << 8 | number[i];
    for (guint bit = 0; bit < 64; bit += 9) {
        g_hash_table_remove_all(set->proven);
        flip(fixture->dir, disk->image, (gint64)l1 + 8 * 500 + bit / 8,
             (guint8)(1 << bit % 8));
        g_assert_false(rfp_export_set_check_chain(set, chain, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_clear_error(&error);
        flip(fixture->dir, disk->image, (gint64)l1 + 8 * 500 + bit / 8,
             (guint8)(1 << bit % 8));
    }
}

/* What a manifest names is read as it was, or not at all. */
static void
test_read_file(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    RfpManifestFile *file = NULL;

    set_make(fixture->dir, points);
    set = open_set(fixture->dir);
    file = rfp_manifest_vm_file(
        rfp_set_point_vm(rfp_export_set_resolve(set, "first"), SET_VM),
        "config");
    text = rfp_export_set_read_file(set, file, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "<domain/>\n");
    flip(fixture->dir, file->path, 3, 1);
    g_assert_null(rfp_export_set_read_file(set, file, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

/* Another content under the same name: the view digest tells. */
static void
test_other_view(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) error = NULL;
    RfpManifestVm *vm = NULL;

    set_make(fixture->dir, points);
    set = open_set(fixture->dir);
    vm = rfp_set_point_vm(rfp_export_set_resolve(set, "first"), SET_VM);
    rfp_manifest_vm_disk(vm, "vda")->view[0] ^= 1;
    g_assert_null(rfp_export_set_chain(set, rfp_export_set_newest(set), SET_VM,
                                       "vda", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "first"));
}

/* ---- Publication --------------------------------------------------------- */

static char *
folder_of(RfpExportSet *set, const char *uuid, const char *name, char **mended)
{
    g_autoptr(GError) error = NULL;
    char *folder = rfp_export_set_vm_folder(set, uuid, name, mended, &error);

    g_assert_no_error(error);
    return folder;
}

static void
test_folders(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    g_autofree char *mended = NULL;
    g_autofree char *one = folder_of(set, SET_VM, "vm/1", &mended);
    g_autofree char *renamed = folder_of(set, SET_VM, "other", &mended);
    g_autofree char *two = folder_of(set, SET_OTHER_VM, "vm/1", &mended);

    g_assert_cmpstr(one, ==, "vm%2F1");
    g_assert_cmpstr(renamed, ==, one);
    g_assert_cmpstr(two, ==, "vm%2F1-2");
    g_assert_null(mended);
}

/* What is done to folders.xml; "": it goes. */
typedef struct {
    const char *from;
    const char *to;
    const char *why;
} Mended;

static const Mended mended_rows[] = {
    {"</folders>", "</folder>", "folders.xml"},
    {"folder=\"vm1\"", "folder=\"vm0\"", "contradicts"},
    {"c1de", "c1dd", "contradicts"},
    {"", "", "missing"},
};

/* The manifests know: a VM never gets a second folder. */
static void
test_mended(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(mended_rows); i++) {
        const Mended *row = &mended_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autofree char *path = g_build_filename(dir, "folders.xml", NULL);
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;
        g_autofree char *folder = NULL;
        g_autofree char *again = NULL;
        g_autofree char *mended = NULL;
        g_autofree char *nothing = NULL;
        g_autoptr(RfpExportSet) set = NULL;

        g_test_message("%s", row->why);
        set_make(dir, points);
        g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
        if (*row->from == '\0')
            g_assert_cmpint(g_unlink(path), ==, 0);
        else
            edit(dir, "folders.xml", row->from, row->to);
        set = open_set(dir);
        folder = folder_of(set, SET_VM, "renamed", &mended);
        g_assert_cmpstr(folder, ==, "vm1");
        g_assert_nonnull(strstr(mended, row->why));
        g_assert_true(g_file_get_contents(path, &after, NULL, NULL));
        g_assert_cmpstr(after, ==, before);
        again = folder_of(set, SET_VM, "renamed", &nothing);
        g_assert_null(nothing);
        set_remove(temp);
    }
}

/* What a point that needs a newer program knows of folders would be lost. */
static void
test_not_mended(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(mended_rows); i++) {
        const Mended *row = &mended_rows[i];
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autofree char *path = g_build_filename(dir, "folders.xml", NULL);
        g_autofree char *before = NULL;
        g_autofree char *after = NULL;
        g_autofree char *mended = NULL;
        g_autoptr(RfpExportSet) set = NULL;
        g_autoptr(RefpointFailure) failure = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(GError) checked = NULL;

        set_make(dir, points);
        set_make_newer(dir, points, "second");
        if (*row->from == '\0')
            g_assert_cmpint(g_unlink(path), ==, 0);
        else
            edit(dir, "folders.xml", row->from, row->to);
        g_file_get_contents(path, &before, NULL, NULL);
        set = open_set(dir);
        g_assert_null(
            rfp_export_set_vm_folder(set, SET_VM, "vm1", &mended, &error));
        failure = refpoint_failure_new(error);
        g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_NOT_SUPPORTED);
        g_assert_nonnull(strstr(failure->message, row->why));
        g_assert_nonnull(strstr(failure->message, "point 'second'"));
        g_assert_nonnull(strstr(failure->way_out, "newer virt-refpoint"));
        g_assert_null(mended);
        /* a dry run says the same */
        g_assert_false(rfp_export_set_check_folders(set, &checked));
        g_assert_cmpstr(checked->message, ==, error->message);
        g_file_get_contents(path, &after, NULL, NULL);
        g_assert_cmpstr(after, ==, before);
        set_remove(temp);
    }
}

/* Another set.xml, as long as this lasts. */
static void
refuse_set_file(const char *dir, const char *from, const char *to)
{
    g_autoptr(GError) error = NULL;
    gboolean fresh = TRUE;

    edit(dir, "set.xml", from, to);
    g_assert_null(rfp_export_set_prepare(dir, &set_owner, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "set.xml' is damaged"));
    g_clear_error(&error);
    g_assert_null(rfp_export_set_peek(dir, &set_owner, &fresh, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    edit(dir, "set.xml", to, from);
}

/* It goes on, and what is new is covered. */
static void
test_old(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    static const SetMade next = {"fourth", {{"vda", "third", SIZE, "1:d"}}};
    g_autofree char *path = g_build_filename(fixture->dir, "folders.xml", NULL);
    g_autofree char *text = NULL;
    g_autofree char *mended = NULL;
    g_autofree char *folder = NULL;
    g_autoptr(RfpExportSet) set = NULL;
    g_autofree char *guid = NULL;
    RfpSetPoint *newest = NULL;

    set_make_old(fixture->dir, points);
    set = prepare(fixture->dir);
    guid = g_strdup(set->file->guid);
    g_assert_cmpuint(set->points->len, ==, 3);
    g_assert_false(rfp_export_set_newest(set)->manifest->vouches);
    folder = folder_of(set, SET_VM, "vm1", &mended);
    g_assert_null(mended);
    g_assert_cmpstr(folder, ==, "vm1");
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(rfp_seal_check(text, strlen(text)), ==, RFP_SEAL_GOOD);
    set_add_point(set, &next);
    newest = rfp_export_set_newest(set);
    g_assert_true(newest->manifest->vouches);
    g_assert_cmpmem(newest->manifest->parent_sha256, RFP_LEAF_SIZE,
                    rfp_export_set_resolve(set, "third")->sha256,
                    RFP_LEAF_SIZE);
    rfp_export_set_close(g_steal_pointer(&set));
    /* nothing but the points vouches for this set.xml */
    refuse_set_file(fixture->dir, "name=\"vm1\"", "name=\"vm2\"");
    refuse_set_file(fixture->dir, guid, SET_OTHER_VM);
}

static void
test_image_path(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    g_autoptr(GError) error = NULL;
    g_autofree char *path =
        rfp_export_set_image_path(set, "vm1", "vda", "p", "qcow2", &error);
    struct stat st;

    g_assert_no_error(error);
    g_assert_cmpstr(path, ==, "disks/vm1/vda/p.qcow2");
    g_assert_cmpint(fstatat(set->fd, "disks/vm1/vda", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
    g_assert_cmpint(symlinkat("nothing", set->fd, path), ==, 0);
    g_assert_null(
        rfp_export_set_image_path(set, "vm1", "vda", "p", "qcow2", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_STATE);
}

/* Nothing that is there is ever replaced, not even an empty folder. */
static void
test_publish(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(RfpExportSet) set = prepare(fixture->dir);
    g_autofree char *guid = rfp_guid_new();
    g_autofree char *partial = rfp_export_set_partial_name(guid);
    g_autofree char *file = g_build_filename(partial, "file", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(*partial, ==, '.');
    g_assert_true(rfp_files_make_dirs(&set->folder, partial, NULL));
    g_assert_true(rfp_files_write(&set->folder, file, "x", 1, 0400, NULL));
    g_assert_true(rfp_files_make_dirs(&set->folder, "taken", NULL));
    g_assert_false(rfp_export_set_publish(set, partial, "taken", &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_cmpint(faccessat(set->fd, file, F_OK, 0), ==, 0);
    put(fixture->dir, "file", "");
    g_assert_false(rfp_export_set_publish(set, partial, "file", &error));
    g_clear_error(&error);
    g_assert_true(rfp_export_set_publish(set, partial, "new", &error));
    g_assert_no_error(error);
    g_assert_true(rfp_export_set_sync(set, &error));
    g_assert_no_error(error);
    g_assert_cmpint(faccessat(set->fd, "new/file", F_OK, 0), ==, 0);
    g_assert_false(rfp_export_set_publish(set, partial, "again", &error));
    g_assert_nonnull(error);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/export-set/fresh", test_fresh);
    ADD("/export-set/empty", test_empty);
    ADD("/export-set/again", test_again);
    g_test_add_func("/export-set/wrong", test_wrong);
    ADD("/export-set/other-vm", test_other_vm);
    ADD("/export-set/set-file", test_set_file);
    ADD("/export-set/newer-format", test_newer_format);
    ADD("/export-set/newer-point", test_newer_point);
    ADD("/export-set/two-vms", test_two_vms);
    ADD("/export-set/newer-unknown", test_newer_unknown);
    ADD("/export-set/newer-folders", test_newer_folders);
    ADD("/export-set/newer-last", test_newer_last);
    ADD("/export-set/newer-stranger", test_newer_stranger);
    g_test_add("/export-set/newer-no-number", Fixture, no_number, set_up,
               test_newer_not_last, tear_down);
    g_test_add("/export-set/newer-no-guid", Fixture, no_guid, set_up,
               test_newer_not_last, tear_down);
    ADD("/export-set/lock", test_lock);
    ADD("/export-set/reopen", test_reopen);
    ADD("/export-set/points", test_points);
    g_test_add_func("/export-set/damaged", test_damaged);
    ADD("/export-set/doubles", test_doubles);
    ADD("/export-set/other-set", test_other_set);
    ADD("/export-set/not-points", test_not_points);
    ADD("/export-set/open-point", test_open_point);
    ADD("/export-set/chain", test_chain);
    g_test_add_func("/export-set/broken", test_broken);
    g_test_add_func("/export-set/rotten", test_rotten);
    ADD("/export-set/rotten-large", test_rotten_large);
    ADD("/export-set/read-file", test_read_file);
    ADD("/export-set/other-view", test_other_view);
    ADD("/export-set/folders", test_folders);
    g_test_add_func("/export-set/mended", test_mended);
    g_test_add_func("/export-set/not-mended", test_not_mended);
    ADD("/export-set/old", test_old);
    ADD("/export-set/image-path", test_image_path);
    ADD("/export-set/publish", test_publish);
    return g_test_run();
}
