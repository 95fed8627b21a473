/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "help.h"

#include "output.h"

#include <string.h>

#define WIDTH 80
#define INDENT 2
/* What stands left of the second column at most; longer ones have a line of
 * their own. */
#define LEFT_MAX 26

/* The second column of a row; NULL: it is a line. */
static const char *
find_second(const char *line)
{
    const char *gap = NULL;

    if (strspn(line, " ") != INDENT)
        return NULL;
    gap = strstr(line + INDENT, "  ");
    return gap != NULL && gap[strspn(gap, " ")] != '\0' ? gap + strspn(gap, " ")
                                                        : NULL;
}

/* The first column of a row, without its indentation. GLib writes
 * --option=[VALUE] of an option that can stand without its value: it is
 * --option[=VALUE] here. Free with g_free(). */
static char *
first_of(const char *line)
{
    char *first =
        g_strndup(line + INDENT,
                  (gsize)(strstr(line + INDENT, "  ") - line) - INDENT);
    char *value = strstr(first, "=[");

    if (value != NULL)
        memcpy(value, "[=", 2);
    return first;
}

static void
append_spaces(GString *out, guint n)
{
    for (; n > 0; n--)
        g_string_append_c(out, ' ');
}

/* Where the line has @used columns by now; further ones begin at @column. */
static void
append_words(GString *out, const char *text, guint used, guint column)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    gboolean first = TRUE;

    for (guint i = 0; words[i] != NULL; i++) {
        guint width = output_width(words[i]);

        if (!first && used + 1 + width > WIDTH) {
            g_string_append_c(out, '\n');
            append_spaces(out, column);
            used = column;
            first = TRUE;
        }
        if (!first)
            g_string_append_c(out, ' ');
        g_string_append(out, words[i]);
        used += width + (first ? 0 : 1);
        first = FALSE;
    }
    g_string_append_c(out, '\n');
}

/* Of the block of rows that begins at @lines. */
static guint
second_column(char **lines)
{
    guint left = 0;

    for (; *lines != NULL && find_second(*lines) != NULL; lines++) {
        g_autofree char *first = first_of(*lines);
        guint width = output_width(first);

        if (width <= LEFT_MAX)
            left = MAX(left, width);
    }
    return INDENT + left + 2;
}

static void
append_row(GString *out, const char *line, guint column)
{
    g_autofree char *first = first_of(line);

    append_spaces(out, INDENT);
    if (INDENT + output_width(first) + 2 <= column) {
        output_pad(out, first, column - INDENT);
    } else {
        g_string_append(out, first);
        g_string_append_c(out, '\n');
        append_spaces(out, column);
    }
    append_words(out, find_second(line), column, column);
}

char *
help_layout(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);
    guint column = 0;

    for (char **line = lines; *line != NULL; line++) {
        gboolean row = find_second(*line) != NULL;

        if (row && column == 0)
            column = second_column(line);
        if (row)
            append_row(out, *line, column);
        else
            append_words(out, *line, 0, INDENT);
        if (!row)
            column = 0;
    }
    g_string_truncate(out, out->len - 1);
    return g_string_free(out, FALSE);
}
