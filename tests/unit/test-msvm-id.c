/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-id.h"

#include "refpoint.h"

#define A "1f0c9a3e-0000-4000-8000-0123456789ab"
#define B "2b5d71aa-1111-4111-9111-ba9876543210"
#define UPPER_A "1F0C9A3E-0000-4000-8000-0123456789AB"

static void
check(RfpMsvmIdKind kind, const char *guid, const char *part, const char *id)
{
    g_autofree char *text = rfp_msvm_id_format(kind, guid, part);
    g_autofree char *found = NULL;
    g_autofree char *behind = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(text, ==, id);
    g_assert_true(rfp_msvm_id_parse(kind, text, &found, &behind, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, guid);
    g_assert_cmpstr(behind, ==, part);
}

static void
test_round(void)
{
    check(RFP_MSVM_ID_POINT, A, B, "refpoint:" A "/" B);
    check(RFP_MSVM_ID_DISK, A, "vda", "refpoint-disk:" A "/vda");
    check(RFP_MSVM_ID_RCT, B, "sdb", "refpoint-rct:" B "/sdb");
    check(RFP_MSVM_ID_GROUP, A, NULL, "refpoint-group:" A);
    check(RFP_MSVM_ID_COLLECTION, A, NULL, "refpoint-collection:" A);
    check(RFP_MSVM_ID_JOB, A, NULL, "refpoint-job:" A);
}

/* Case does not count in prefix and GUIDs, but does in targets. */
static void
test_case(void)
{
    g_autofree char *guid = NULL;
    g_autofree char *part = NULL;

    g_assert_true(rfp_msvm_id_parse(RFP_MSVM_ID_DISK,
                                    "RefPoint-Disk:" UPPER_A "/vdA", &guid,
                                    &part, NULL));
    g_assert_cmpstr(guid, ==, A);
    g_assert_cmpstr(part, ==, "vdA");
    g_clear_pointer(&guid, g_free);
    g_assert_true(rfp_msvm_id_parse(RFP_MSVM_ID_GROUP,
                                    "refpoint-group:" UPPER_A, &guid, NULL,
                                    NULL));
    g_assert_cmpstr(guid, ==, A);
}

static void
test_refused(void)
{
    static const struct {
        RfpMsvmIdKind kind;
        const char *text;
    } rows[] = {
        {RFP_MSVM_ID_POINT, ""},
        {RFP_MSVM_ID_POINT, "refpoint:"},
        {RFP_MSVM_ID_POINT, "refpoint:" A},
        {RFP_MSVM_ID_POINT, "refpoint:" A "/"},
        {RFP_MSVM_ID_POINT, "refpoint:" A "/vda"},
        {RFP_MSVM_ID_POINT, "refpoint:" A "/" B "/"},
        {RFP_MSVM_ID_POINT, "refpoint:" A "/" B " "},
        {RFP_MSVM_ID_POINT, " refpoint:" A "/" B},
        {RFP_MSVM_ID_POINT, "refpoint:{" A "}/" B},
        {RFP_MSVM_ID_POINT, "refpoint-disk:" A "/" B},
        {RFP_MSVM_ID_POINT, "refpoint" A "/" B},
        {RFP_MSVM_ID_POINT, "Microsoft:" A "/" B},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A "/"},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A "/a/b"},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A "/.."},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A "/v a"},
        {RFP_MSVM_ID_DISK, "refpoint-disk:" A "/v\n"},
        {RFP_MSVM_ID_DISK, "refpoint-disk:x/vda"},
        {RFP_MSVM_ID_DISK,
         "refpoint-disk:" A
         "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {RFP_MSVM_ID_RCT, "refpoint-disk:" A "/vda"},
        {RFP_MSVM_ID_GROUP, "refpoint-group:" A "/vda"},
        {RFP_MSVM_ID_GROUP, "refpoint-group:" A "/"},
        {RFP_MSVM_ID_GROUP, "refpoint-group:" A "x"},
        {RFP_MSVM_ID_COLLECTION, "refpoint-group:" A},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *guid = NULL;
        g_autofree char *part = NULL;
        g_autoptr(GError) error = NULL;

        if (rfp_msvm_id_parse(rows[i].kind, rows[i].text, &guid, &part, &error))
            g_error("accepted: %s", rows[i].text);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-id/round", test_round);
    g_test_add_func("/msvm-id/case", test_case);
    g_test_add_func("/msvm-id/refused", test_refused);
    return g_test_run();
}
