/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <string.h>

/* Fields behind the name, which is in parentheses and may have any of its own:
 * the state is the first of them. */
#define START_FIELD 19

static char *
read_proc(pid_t pid, const char *name, gsize *length)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, length, NULL) ? text : NULL;
}

guint64
rfp_process_start(pid_t pid)
{
    g_autofree char *text = read_proc(pid, "stat", NULL);
    char *name_end = text ? strrchr(text, ')') : NULL;
    g_auto(GStrv) fields = NULL;

    if (name_end == NULL || name_end[1] != ' ')
        return 0;
    fields = g_strsplit(name_end + 2, " ", START_FIELD + 2);
    if (g_strv_length(fields) <= START_FIELD)
        return 0;
    return g_ascii_strtoull(fields[START_FIELD], NULL, 10);
}

char *
rfp_process_command(pid_t pid)
{
    gsize length = 0;
    g_autofree char *text = read_proc(pid, "cmdline", &length);

    while (length > 0 && text[length - 1] == '\0')
        length--;
    if (length == 0)
        return NULL;
    for (gsize i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return g_steal_pointer(&text);
}
