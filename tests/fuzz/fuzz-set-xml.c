/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <string.h>

#include "set/set-xml.h"

static void
run_set(const char *text, gsize size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpSetFile) set =
        rfp_set_file_parse(text, size, "set.xml", &error);
    g_autoptr(RfpSetFile) again = NULL;
    g_autofree char *printed = NULL;

    fuzz_check(set != NULL, error);
    if (set == NULL)
        return;
    printed = rfp_set_file_format(set);
    again = rfp_set_file_parse(printed, strlen(printed), "output", &error);
    if (again == NULL)
        g_error("%s\n%s", error->message, printed);
}

static void
run_folders(const char *text, gsize size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) folders =
        rfp_folders_parse(text, size, "folders.xml", &error);
    g_autoptr(GHashTable) again = NULL;
    g_autofree char *printed = NULL;

    fuzz_check(folders != NULL, error);
    if (folders == NULL)
        return;
    printed = rfp_folders_format(folders);
    again = rfp_folders_parse(printed, strlen(printed), "output", &error);
    if (again == NULL)
        g_error("%s\n%s", error->message, printed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_set((const char *)data, size);
    run_folders((const char *)data, size);
    return 0;
}
