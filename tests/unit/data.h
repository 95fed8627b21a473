/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of tests/data, found from tests/unit (G_TEST_SRCDIR). */
#ifndef TEST_DATA_H
#define TEST_DATA_H

#include <glib.h>

/* Free with g_free(). */
static inline char *
data_read(const char *name)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "..", "data", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* @text is what the golden file @name holds. */
static inline void
data_compare(const char *name, const char *text)
{
    g_autofree char *golden = data_read(name);

    g_assert_cmpstr(text, ==, golden);
}

#endif
