/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running QEMU's own tools against our images. */
#ifndef TEST_TOOL_H
#define TEST_TOOL_H

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

/* Skips the test that calls it if @name is not installed. */
static inline gboolean
tool_exists(const char *name)
{
    g_autofree char *path = g_find_program_in_path(name);
    g_autofree char *reason = g_strdup_printf("%s is not installed", name);

    if (!path)
        g_test_skip(reason);
    return path != NULL;
}

/* The command ends with success, and what it prints. NULL-terminated. */
G_GNUC_NULL_TERMINATED static inline char *
tool_run(const char *name, ...)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autofree char *line = NULL;
    g_autofree char *problems = NULL;
    char *output = NULL;
    int status = -1;
    va_list list;

    va_start(list, name);
    for (const char *arg = name; arg; arg = va_arg(list, const char *))
        g_ptr_array_add(argv, (gpointer)arg);
    va_end(list);
    g_ptr_array_add(argv, NULL);
    line = g_strjoinv(" ", (char **)argv->pdata);
    g_spawn_sync(NULL, (char **)argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL,
                 NULL, &output, &problems, &status, &error);
    g_assert_no_error(error);
    if (status != 0)
        g_error("%s: status %d\n%s%s", line, status, output, problems);
    return output;
}

static inline void
tool_remove_dir(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

#endif
