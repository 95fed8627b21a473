/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the target on the files given, or on those of the folder given, or on
 * its seeds; speaks TAP. libFuzzer brings a main() of its own. */
#include "fuzz.h"

#ifndef FUZZ_ENGINE

#include <stdio.h>
#include <string.h>

static GPtrArray *
list_folder(const char *path)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(files, g_build_filename(path, name, NULL));
    return files;
}

/* "seeds/msvm-path" for "fuzz-msvm-path", also under libtool's name. */
static char *
seed_folder(const char *program)
{
    g_autofree char *name = g_path_get_basename(program);
    const char *target = strstr(name, "fuzz-");
    const char *source = g_getenv("SRCDIR");

    return g_build_filename(source != NULL ? source : ".", "tests", "fuzz",
                            "seeds",
                            target != NULL ? target + strlen("fuzz-") : name,
                            NULL);
}

static gboolean
run(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize size = 0;

    if (!g_file_get_contents(path, &text, &size, &error)) {
        printf("# %s\n", error->message);
        return FALSE;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)text, size);
    return TRUE;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int
main(int argc, char **argv)
{
    g_autofree char *folder = seed_folder(argv[0]);
    g_autoptr(GPtrArray) files = list_folder(argc > 1 ? argv[1] : folder);
    gboolean all = TRUE;
    guint i = 0;

    if (files->len == 0) {
        for (i = 1; i < (guint)argc; i++)
            g_ptr_array_add(files, g_strdup(argv[i]));
    }
    g_ptr_array_sort(files, by_name);
    if (files->len == 0) {
        printf("Bail out! no seeds in %s\n", folder);
        return 1;
    }
    printf("1..%u\n", files->len);
    for (i = 0; i < files->len; i++) {
        const char *path = g_ptr_array_index(files, i);
        g_autofree char *name = g_path_get_basename(path);
        gboolean good = run(path);

        printf("%s %u - %s\n", good ? "ok" : "not ok", i + 1, name);
        fflush(stdout);
        all = all && good;
    }
    return all ? 0 : 1;
}

#endif
