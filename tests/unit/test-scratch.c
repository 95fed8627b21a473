/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/scratch.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

#define DOMAIN "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"
#define POINT "1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01"
#define MIB ((guint64)1 << 20)

static void
test_short(void)
{
    static const struct {
        guint64 left;
        guint64 reserve;
        guint64 growth;
        gboolean is_short;
    } cases[] = {
        {100, 100, 0, FALSE},
        {99, 100, 0, TRUE},
        {0, 0, 0, FALSE},
        {0, 0, 50, FALSE}, /* nothing is to stay free */
        {120, 100, 10, FALSE},
        {119, 100, 10, TRUE},
        {200, 100, 90, FALSE}, /* no more than the reserve again */
        {199, 100, 90, TRUE},
        {G_MAXUINT64, G_MAXUINT64 - 1, G_MAXUINT64, TRUE},
        {G_MAXUINT64, 1, G_MAXUINT64, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(rfp_scratch_is_short(cases[i].left, cases[i].reserve,
                                             cases[i].growth),
                        ==, cases[i].is_short);
}

static void
write_file(const char *path, gsize size)
{
    g_autofree char *bytes = g_malloc(size);

    memset(bytes, 'x', size);
    g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

/* The record of a job of two disks, in @temp; @reserve NULL: the user said
 * nothing of it. */
static RfpRecord *
begin(const char *temp, const char *reserve)
{
    g_autofree char *dir = g_build_filename(temp, "state", NULL);
    g_autofree char *vda = g_build_filename(temp, "vda", NULL);
    g_autofree char *vdb = g_build_filename(temp, "vdb", NULL);
    g_autoptr(GError) error = NULL;
    RfpRecord *record = rfp_record_open(dir, DOMAIN, 0, &error);

    g_assert_no_error(error);
    rfp_record_append(record, &error, RFP_STEP_OPERATION, "qemu:///session",
                      DOMAIN, POINT, "", "", NULL);
    rfp_record_append(record, &error, RFP_STEP_SCRATCH, vda, NULL);
    rfp_record_append(record, &error, RFP_STEP_SCRATCH, vdb, NULL);
    if (reserve != NULL)
        rfp_record_append(record, &error, RFP_STEP_RESERVE, reserve, NULL);
    g_assert_no_error(error);
    write_file(vda, 2 * MIB);
    write_file(vdb, MIB);
    return record;
}

static void
test_room(void)
{
    static const struct {
        const char *reserve;
        gboolean room;
    } cases[] = {
        {"0", TRUE},
        {"1", TRUE},
        {"9223372036854775807", FALSE},
    };
    g_autofree char *temp = g_dir_make_tmp("refpoint-XXXXXX", NULL);
    g_auto(RfpFd) fd = open(temp, O_RDONLY | O_DIRECTORY);
    RfpFolder folder = {.fd = fd, .shown = temp};

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(RfpRecord) record = begin(temp, cases[i].reserve);
        g_autoptr(RfpRecord) seen = NULL;
        g_autofree char *state = g_build_filename(temp, "state", NULL);
        g_autofree char *dir = rfp_scratch_dir(record);
        RfpScratchWatch watch = {0};
        guint64 left = 0;

        g_assert_cmpstr(dir, ==, temp);
        g_assert_cmpuint(rfp_scratch_used(record), >=, 3 * MIB);
        /* who only looks sees the same, while it is locked */
        seen = rfp_record_peek(state, DOMAIN);
        g_assert_nonnull(seen);
        g_assert_cmpint(rfp_scratch_has_room(&watch, seen, &left), ==,
                        cases[i].room);
        g_assert_cmpuint(left, >, 0);
        g_assert_cmpuint(watch.used, ==, rfp_scratch_used(record));
        g_assert_true(rfp_record_clear(record, NULL));
        g_clear_pointer(&seen, rfp_record_close);
        seen = rfp_record_peek(state, DOMAIN);
        g_assert_null(seen);
    }
    g_assert_true(rfp_files_remove(&folder, "state", NULL));
    g_assert_true(rfp_files_remove(&folder, "vda", NULL));
    g_assert_true(rfp_files_remove(&folder, "vdb", NULL));
    g_assert_cmpint(g_rmdir(temp), ==, 0);
}

/* A job without scratch files, and one whose directory does not answer. */
static void
test_nothing(void)
{
    g_autofree char *temp = g_dir_make_tmp("refpoint-XXXXXX", NULL);
    g_auto(RfpFd) fd = open(temp, O_RDONLY | O_DIRECTORY);
    RfpFolder folder = {.fd = fd, .shown = temp};
    g_autoptr(RfpRecord) record = rfp_record_open(temp, DOMAIN, 0, NULL);
    g_autofree char *long_name = g_strnfill(300, 'x');
    g_autofree char *path = g_strdup_printf("/%s/vda", long_name);
    guint64 left = 0;

    g_assert_null(rfp_scratch_dir(record));
    g_assert_true(rfp_scratch_has_room(NULL, record, &left));
    g_assert_true(
        rfp_record_append(record, NULL, RFP_STEP_SCRATCH, path, NULL));
    g_assert_true(rfp_scratch_has_room(NULL, record, &left));
    g_assert_true(rfp_files_remove(&folder, DOMAIN ".record", NULL));
    g_assert_cmpint(g_rmdir(temp), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/scratch/short", test_short);
    g_test_add_func("/scratch/room", test_room);
    g_test_add_func("/scratch/nothing", test_nothing);
    return g_test_run();
}
