/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <string.h>

#include "cim/msvm-instance-read.h"

static const char *const classes[4];

static void
run(const char *text, gsize size, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpMsvmInstance) instance =
        rfp_msvm_instance_parse(text, size, expected, &error);
    g_autoptr(RfpMsvmInstance) again = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *twice = NULL;

    fuzz_check(instance != NULL, error);
    if (instance == NULL)
        return;
    printed = rfp_msvm_instance_format(instance);
    if (strlen(printed) > RFP_MSVM_INSTANCE_SIZE_MAX)
        return;
    again = rfp_msvm_instance_parse(printed, strlen(printed), expected, &error);
    if (again == NULL)
        g_error("%s\n%s", error->message, printed);
    twice = rfp_msvm_instance_format(again);
    if (strcmp(printed, twice) != 0)
        g_error("'%s' reads as '%s'", printed, twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(classes); i++)
        run((const char *)data, size, classes[i]);
    return 0;
}

static const char *const classes[4] = {"CIM_ManagedElement", "CIM_Dependency",
                                       "CIM_MemberOfCollection",
                                       "Msvm_VirtualMachineToDisks"};
