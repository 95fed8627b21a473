/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <string.h>

#include "set/manifest.h"

/* What was read can be written, and read again. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpManifest) manifest =
        rfp_manifest_parse((const char *)data, size, "input", &error);
    g_autoptr(RfpManifest) again = NULL;
    g_autofree char *printed = NULL;

    fuzz_check(manifest != NULL, error);
    if (manifest == NULL)
        return 0;
    printed = rfp_manifest_format(manifest);
    again = rfp_manifest_parse(printed, strlen(printed), "output", &error);
    if (again == NULL)
        g_error("%s\n%s", error->message, printed);
    return 0;
}
