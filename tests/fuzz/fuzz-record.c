/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <string.h>

#include "operation/record.h"

/* A step that was read is printed as a line that reads as the same. */
static void
run(const char *line)
{
    g_autoptr(RfpStep) step = rfp_step_parse(line);
    g_autoptr(RfpStep) again = NULL;
    g_autofree char *printed = NULL;
    g_autofree char *twice = NULL;

    if (step == NULL)
        return;
    printed = rfp_step_format(step);
    again = rfp_step_parse(printed);
    if (again == NULL)
        g_error("'%s' does not read", printed);
    twice = rfp_step_format(again);
    if (strcmp(printed, twice) != 0)
        g_error("'%s' reads as '%s'", printed, twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 64);
    char **line = NULL;

    for (line = lines; *line != NULL; line++)
        run(*line);
    return 0;
}
