/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two return-code sets, row by row. */
#include "base/ids.h"
#include "cim/msvm-return.h"

#include "refpoint-msvm.h"

static const struct {
    int cause;
    guint32 create;
    guint32 export;
    const char *name;
} rows[] = {
    {0, 0, 0, "Completed with No Error"},
    {REFPOINT_ERROR_FAILED, 2, 32768, "Failed"},
    {REFPOINT_ERROR_ACCESS_DENIED, 2, 32769, "Access Denied"},
    {REFPOINT_ERROR_NOT_SUPPORTED, 1, 32770, "Not Supported"},
    {REFPOINT_ERROR_STATUS_UNKNOWN, 2, 32771, "Status is unknown"},
    {REFPOINT_ERROR_TIMEOUT, 3, 32772, "Timeout"},
    {REFPOINT_ERROR_INVALID_PARAMETER, 4, 32773, "Invalid parameter"},
    {REFPOINT_ERROR_IN_USE, 5, 32774, "System is in use"},
    {REFPOINT_ERROR_INVALID_STATE, 5, 32775,
     "Invalid state for this operation"},
    {REFPOINT_ERROR_INCORRECT_TYPE, 6, 32776, "Incorrect data type"},
    {REFPOINT_ERROR_NOT_AVAILABLE, 2, 32777, "System is not available"},
    {REFPOINT_ERROR_NO_MEMORY, 2, 32778, "Out of memory"},
    {REFPOINT_ERROR_FILE_NOT_FOUND, 2, 32779, "File not found"},
    {REFPOINT_ERROR_CANCELLED, 2, 32768, "Failed"},
    {-1, 2, 32768, "Failed"},
    {RFP_N_CAUSES, 2, 32768, "Failed"},
    {G_MAXINT, 2, 32768, "Failed"},
    {G_MININT, 2, 32768, "Failed"},
};

static void
test_rows(void)
{
    for (int cause = 0; cause < RFP_N_CAUSES; cause++)
        g_assert_cmpint(rows[cause].cause, ==, cause);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpuint(refpoint_return_value(REFPOINT_RETURN_CREATE,
                                               rows[i].cause),
                         ==, rows[i].create);
        g_assert_cmpuint(refpoint_return_value(REFPOINT_RETURN_EXPORT,
                                               rows[i].cause),
                         ==, rows[i].export);
        g_assert_cmpstr(refpoint_return_name(rows[i].cause), ==, rows[i].name);
    }
}

/* The causes are the exit statuses, in the order of the reference. */
static void
test_order(void)
{
    for (int cause = 1; cause < REFPOINT_ERROR_CANCELLED; cause++)
        g_assert_cmpuint(refpoint_return_value(REFPOINT_RETURN_EXPORT, cause),
                         ==, 32767 + (guint)cause);
}

/* A cause that is added without its row, or that a search passes over, is seen
 * here: the last one above all. */
static void
test_causes(void)
{
    for (int cause = 1; cause < RFP_N_CAUSES; cause++) {
        guint32 number = refpoint_return_value(REFPOINT_RETURN_EXPORT, cause);

        /* the one cause that has no number of its own */
        if (cause == REFPOINT_ERROR_CANCELLED)
            continue;
        g_assert_cmpint(refpoint_msvm_return_cause(number), ==, cause);
        g_assert_cmpstr(refpoint_msvm_return_name(number), ==,
                        refpoint_return_name(cause));
    }
    g_assert_cmpint(refpoint_msvm_return_cause(0), ==, 0);
    g_assert_cmpint(refpoint_msvm_return_cause(32767), ==, -1);
    g_assert_cmpint(refpoint_msvm_return_cause(32767 +
                                               REFPOINT_ERROR_CANCELLED),
                    ==, -1);
}

/* A number of the set of Create that several causes have means one of them. */
static void
test_causes_of_create(void)
{
    static const int causes[] = {
        0,
        REFPOINT_ERROR_NOT_SUPPORTED,
        REFPOINT_ERROR_FAILED,
        REFPOINT_ERROR_TIMEOUT,
        REFPOINT_ERROR_INVALID_PARAMETER,
        REFPOINT_ERROR_INVALID_STATE,
        REFPOINT_ERROR_INCORRECT_TYPE,
        -1,
    };

    for (guint number = 0; number < G_N_ELEMENTS(causes); number++)
        g_assert_cmpint(refpoint_msvm_return_cause(number), ==, causes[number]);
}

/* What a method returns is told by the same rows. */
static void
test_methods(void)
{
    const RfpMsvmMethod method = {
        .name = "Method",
        .set = REFPOINT_RETURN_EXPORT,
        .file_not_found = TRUE,
        .parameters = (const RfpMsvmProperty[]){{.name = NULL}},
    };
    guint found = 0;

    for (guint number = 0; number <= G_MAXUINT16; number++)
        found += rfp_msvm_method_returns(&method, number) ? 1 : 0;
    /* success, and each cause but one */
    g_assert_cmpuint(found, ==, RFP_N_CAUSES - 1);
    for (int cause = 0; cause < RFP_N_CAUSES; cause++)
        g_assert_cmpuint(rfp_msvm_method_number(&method, cause), ==,
                         refpoint_return_value(method.set, cause));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-return/rows", test_rows);
    g_test_add_func("/msvm-return/order", test_order);
    g_test_add_func("/msvm-return/causes", test_causes);
    g_test_add_func("/msvm-return/causes-of-create", test_causes_of_create);
    g_test_add_func("/msvm-return/methods", test_methods);
    return g_test_run();
}
