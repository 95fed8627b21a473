/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "table.h"

#include "output.h"

#include <stdarg.h>

struct _Table {
    guint n_columns;
    GPtrArray *cells; /* char *, row by row, the headings first */
};

Table *
table_new(const char *heading, ...)
{
    Table *table = g_new0(Table, 1);
    va_list ap;

    table->cells = g_ptr_array_new_with_free_func(g_free);
    va_start(ap, heading);
    for (const char *p = heading; p != NULL; p = va_arg(ap, const char *))
        g_ptr_array_add(table->cells, g_strdup(p));
    va_end(ap);
    table->n_columns = table->cells->len;
    return table;
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->cells);
    g_free(table);
}

void
table_add(Table *table, ...)
{
    va_list ap;

    va_start(ap, table);
    for (guint i = 0; i < table->n_columns; i++)
        g_ptr_array_add(table->cells, output_clean(va_arg(ap, const char *)));
    va_end(ap);
}

static void
print_row(GString *out, char *const *cells, const guint *widths, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_string_append_c(out, ' ');
        output_pad(out, cells[i], i + 1 < n ? widths[i] + 2 : 0);
    }
    while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

void
table_print(const Table *table, gboolean quiet, GString *out)
{
    guint n = table->n_columns;
    g_autofree guint *widths = g_new0(guint, n);
    char **cells = (char **)table->cells->pdata;
    guint total = 0;

    for (guint i = quiet ? n : 0; i < table->cells->len; i++)
        widths[i % n] = MAX(widths[i % n], output_width(cells[i]));
    for (guint i = 0; i < n; i++)
        total += widths[i] + 3;
    if (!quiet) {
        print_row(out, cells, widths, n);
        for (guint i = 0; i < total; i++)
            g_string_append_c(out, '-');
        g_string_append_c(out, '\n');
    }
    for (guint i = n; i < table->cells->len; i += n)
        print_row(out, cells + i, widths, n);
    g_string_append_c(out, '\n');
}
