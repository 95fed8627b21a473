/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-path.h"

#include <string.h>

#define POINT "Msvm_VirtualSystemReferencePoint"
#define NS "root\\virtualization\\v2"

static void
test_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(
        "\\\\HOST-1.example\\root\\virtualization\\v2:" POINT
        ".InstanceID=\"a\\\\b\\\"c,d=e\",VirtualSystemIdentifier=''",
        &error);

    g_assert_no_error(error);
    g_assert_cmpstr(path->host, ==, "HOST-1.example");
    g_assert_cmpstr(path->name_space, ==, NS);
    g_assert_cmpstr(path->class_name, ==, POINT);
    g_assert_false(path->singleton);
    g_assert_cmpuint(path->keys->len, ==, 2);
    g_assert_cmpstr(rfp_msvm_path_key(path, "instanceID"), ==, "a\\b\"c,d=e");
    g_assert_cmpstr(rfp_msvm_path_key(path, "VirtualSystemIdentifier"), ==, "");
    g_assert_null(rfp_msvm_path_key(path, "Name"));
}

/* What is read comes out in one spelling, which reads as itself. */
static void
test_spelling(void)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: as it was */
    } rows[] = {
        {"C", NULL},
        {"C.K=\"v\"", NULL},
        {"C.K='v'", "C.K=\"v\""},
        {"C.K='it\\'s \"x\"'", "C.K=\"it's \\\"x\\\"\""},
        {"C.B=\"1\",A=\"2\"", NULL},
        {" \tC.K=\"v\"\r\n", "C.K=\"v\""},
        {"C=@", NULL},
        {"C=\"v\"", NULL},
        {"C=12", NULL},
        {"C.K=-12,L=TRUE,M=false,N=+7", NULL},
        {"_C9._K=\"v\"", NULL},
        {"root/virtualization/v2:C", NS ":C"},
        {"//h/root/virtualization\\v2:C.K=\"/\"", "\\\\h\\" NS ":C.K=\"/\""},
        {"\\\\.\\" NS ":C=@", NULL},
        {"ROOT:C", NULL},
        {"C.K=\"a:b\"", NULL},
        {"C.K=\"\xc3\xa4\xe2\x82\xac\"", NULL},
        {"C.K=\"\\\\\\\\HOST\\\\root:X.Y=\\\"z\\\"\"", NULL},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *printed =
            rows[i].printed != NULL ? rows[i].printed : rows[i].text;
        g_autoptr(GError) error = NULL;
        g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(rows[i].text, &error);
        g_autoptr(RfpMsvmPath) again = NULL;
        g_autofree char *text = NULL;
        g_autofree char *twice = NULL;

        g_assert_no_error(error);
        text = rfp_msvm_path_format(path);
        g_assert_cmpstr(text, ==, printed);
        again = rfp_msvm_path_parse(text, &error);
        g_assert_no_error(error);
        twice = rfp_msvm_path_format(again);
        g_assert_cmpstr(twice, ==, text);
    }
}

static void
test_malformed(void)
{
    static const char *const rows[] = {
        "",
        " ",
        ".",
        "=",
        ":",
        "C.",
        "C=",
        "C.K",
        "C.K=",
        "C.=\"v\"",
        "C.K=\"v",
        "C.K=\"v\\",
        "C.K=\"v\\\"",
        "C.K=\"v\\n\"",
        "C.K=\"v'",
        "C.K=\"v\"x",
        "C.K=\"v\",",
        "C.K=\"v\",L",
        "C.K=\"v\" ,L=\"w\"",
        "C.K=\"v\";L=\"w\"",
        "C.K=\"v\",k=\"w\"",
        "C.K=v",
        "C.K=1.5",
        "C.K=-",
        "C.K=12a",
        "C.K=@",
        "C=@x",
        "C=\"v\",K=\"w\"",
        "9C.K=\"v\"",
        "C.9K=\"v\"",
        "C-D.K=\"v\"",
        "C D.K=\"v\"",
        "C\xc3\xa4.K=\"v\"",
        "C.K=\"\xff\"",
        "\\C.K=\"v\"",
        "\\\\C.K=\"v\"",
        "\\\\h\\C.K=\"v\"",
        "\\\\h\\C",
        "\\\\h:C",
        "\\\\\\root:C",
        "//h/:C",
        "root\\\\v2:C",
        "root\\:C",
        "\\root:C",
        ":C",
        "root:v2:C",
        "root:",
        "root:=\"v\"",
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        RfpMsvmPath *path = rfp_msvm_path_parse(rows[i], &error);

        if (path != NULL)
            g_error("accepted: %s", rows[i]);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    }
}

static char *
long_path(gsize length)
{
    GString *text = g_string_new("C.K=\"");

    while (text->len < length - 1)
        g_string_append_c(text, 'x');
    return g_string_free(g_string_append_c(text, '"'), FALSE);
}

static char *
many_keys(guint n)
{
    GString *text = g_string_new("C.");
    guint i = 0;

    for (i = 0; i < n; i++)
        g_string_append_printf(text, "%sk%u=\"\"", i == 0 ? "" : ",", i);
    return g_string_free(text, FALSE);
}

static void
check_bound(char *text, gboolean good)
{
    g_autofree char *owned = text;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(owned, &error);

    g_assert_cmpint(path != NULL, ==, good);
    if (!good) {
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
        g_assert_cmpuint(strlen(error->message), <, 1024);
    }
}

static void
test_bounds(void)
{
    check_bound(long_path(RFP_MSVM_PATH_SIZE_MAX), TRUE);
    check_bound(long_path(RFP_MSVM_PATH_SIZE_MAX + 1), FALSE);
    check_bound(many_keys(RFP_MSVM_PATH_KEYS_MAX), TRUE);
    check_bound(many_keys(RFP_MSVM_PATH_KEYS_MAX + 1), FALSE);
    check_bound(g_strnfill(60000, '\\'), FALSE);
}

static void
test_check(void)
{
    static const struct {
        const char *text;
        const char *expected;
        gboolean good;
    } rows[] = {
        {POINT ".InstanceID=\"a\",VirtualSystemIdentifier=\"b\"", POINT, TRUE},
        {NS ":" POINT ".InstanceID=\"a\",VirtualSystemIdentifier=\"b\"", POINT,
         TRUE},
        {"Root/Virtualization/V2:msvm_virtualsystemREFERENCEpoint"
         ".virtualsystemidentifier=\"b\",instanceid=\"a\"",
         POINT, TRUE},
        {POINT ".InstanceID=\"a\",VirtualSystemIdentifier=\"b\"",
         "CIM_ManagedElement", TRUE},
        {"Msvm_VirtualSystemCollection=\"a\"", "Msvm_VirtualSystemCollection",
         TRUE},
        {"Msvm_ConcreteJob.InstanceID=\"a\"", "CIM_ConcreteJob", TRUE},
        /* wrong class or namespace */
        {"root\\cimv2:" POINT ".InstanceID=\"a\",VirtualSystemIdentifier=\"b\"",
         POINT, FALSE},
        {"Msvm_ComputerSystem.CreationClassName=\"a\",Name=\"b\"", POINT,
         FALSE},
        {"Win32_Process.Handle=\"1\"", POINT, FALSE},
        {"CIM_ConcreteJob.InstanceID=\"a\"", "Msvm_ConcreteJob", FALSE},
        /* wrong keys */
        {POINT, POINT, FALSE},
        {POINT "=@", POINT, FALSE},
        {POINT "=\"a\"", POINT, FALSE},
        {POINT ".InstanceID=\"a\"", POINT, FALSE},
        {POINT ".InstanceID=\"a\",Name=\"b\"", POINT, FALSE},
        {POINT ".InstanceID=\"a\",ElementName=\"b\"", POINT, FALSE},
        {POINT ".InstanceID=\"a\",VirtualSystemIdentifier=\"b\",Name=\"c\"",
         POINT, FALSE},
        {POINT ".InstanceID=\"a\",VirtualSystemIdentifier=7", POINT, FALSE},
        {POINT ".InstanceID=\"a\",VirtualSystemIdentifier=TRUE", POINT, FALSE},
        {"Msvm_VirtualSystemCollection=7", "Msvm_VirtualSystemCollection",
         FALSE},
        {"Msvm_VirtualMachineToDisks.VirtualMachineId=\"a\"",
         "Msvm_VirtualMachineToDisks", FALSE},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RfpMsvmPath) path =
            rfp_msvm_path_parse_as(rows[i].text, rows[i].expected, &error);

        if ((path != NULL) != rows[i].good)
            g_error("%s: %s", rows[i].text,
                    error != NULL ? error->message : "good");
        if (path == NULL)
            g_assert_error(error, REFPOINT_ERROR,
                           REFPOINT_ERROR_INCORRECT_TYPE);
    }
}

/* Who hands in something else is shown how the path of such an object looks. */
static void
test_example(void)
{
    static const struct {
        const char *expected;
        const char *example;
    } rows[] = {
        {POINT, POINT ".InstanceID=\"refpoint:UUID/GUID\","
                      "VirtualSystemIdentifier=\"UUID\""},
        {"CIM_ConcreteJob",
         "Msvm_ConcreteJob.InstanceID=\"refpoint-job:GUID\""},
        {"CIM_ComputerSystem", "Msvm_ComputerSystem.CreationClassName="
                               "\"Msvm_ComputerSystem\",Name=\"UUID\""},
        {"No_Class", "Msvm_ComputerSystem.CreationClassName="
                     "\"Msvm_ComputerSystem\",Name=\"UUID\""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RefpointFailure) failure = NULL;
        g_autoptr(RfpMsvmPath) path = NULL;

        g_assert_null(rfp_msvm_path_parse_as("vm", rows[i].expected, &error));
        failure = refpoint_failure_new(error);
        g_assert_nonnull(failure->way_out);
        if (strstr(failure->way_out, rows[i].example) == NULL)
            g_error("%s: %s", rows[i].expected, failure->way_out);
        g_clear_error(&error);
        /* it is one: but for what stands in it */
        path = rfp_msvm_path_parse_as(rows[i].example,
                                      i < 3 ? rows[i].expected : "CIM_System",
                                      &error);
        g_assert_no_error(error);
        g_assert_nonnull(path);
    }
}

/* A key without a name has one after the check. */
static void
test_only_key(void)
{
    g_autoptr(RfpMsvmPath) path =
        rfp_msvm_path_parse_as("Msvm_ConcreteJob=\"j\"", "CIM_ConcreteJob",
                               NULL);
    g_autofree char *text = rfp_msvm_path_format(path);

    g_assert_cmpstr(rfp_msvm_path_key(path, "InstanceID"), ==, "j");
    g_assert_cmpstr(text, ==, "Msvm_ConcreteJob.InstanceID=\"j\"");
}

static void
test_new(void)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(POINT);
    g_autofree char *text = NULL;

    path->host = g_strdup("HOST");
    rfp_msvm_path_add(path, "InstanceID", "a\"\\");
    rfp_msvm_path_add(path, "VirtualSystemIdentifier", "b");
    text = rfp_msvm_path_format(path);
    g_assert_cmpstr(text, ==,
                    "\\\\HOST\\" NS ":" POINT ".InstanceID=\"a\\\"\\\\\","
                    "VirtualSystemIdentifier=\"b\"");
    g_assert_nonnull(rfp_msvm_path_check(path, POINT, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-path/read", test_read);
    g_test_add_func("/msvm-path/spelling", test_spelling);
    g_test_add_func("/msvm-path/malformed", test_malformed);
    g_test_add_func("/msvm-path/bounds", test_bounds);
    g_test_add_func("/msvm-path/check", test_check);
    g_test_add_func("/msvm-path/example", test_example);
    g_test_add_func("/msvm-path/only-key", test_only_key);
    g_test_add_func("/msvm-path/new", test_new);
    return g_test_run();
}
