/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <string.h>

#include "cim/msvm-path.h"

/* What was read is printed, reads as the same, and is checked as a point's. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(text, &error);
    g_autoptr(RfpMsvmPath) again = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *twice = NULL;
    gboolean good = FALSE;

    fuzz_check(path != NULL, error);
    if (path == NULL)
        return 0;
    printed = rfp_msvm_path_format(path);
    if (strlen(printed) <= RFP_MSVM_PATH_SIZE_MAX) {
        again = rfp_msvm_path_parse(printed, NULL);
        twice = rfp_msvm_path_format(again);
        if (strcmp(printed, twice) != 0)
            g_error("'%s' reads as '%s'", printed, twice);
    }
    good = rfp_msvm_path_check(path, "CIM_ManagedElement", &error) != NULL;
    fuzz_check(good, error);
    return 0;
}
