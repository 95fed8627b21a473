/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables that look like virsh's; pure. */
#ifndef TABLE_H
#define TABLE_H

#include <glib.h>

typedef struct _Table Table;

/* Translated headings, NULL-terminated. Free with table_free(). */
Table *
table_new(const char *heading, ...) G_GNUC_NULL_TERMINATED;

void
table_free(Table *table);

/* As many cells as there are headings; they are made harmless, NULL and ""
 * are "-". A cell of one space stays empty. */
void
table_add(Table *table, ...);

/* Appends the table and an empty line; without its heading if @quiet. */
void
table_print(const Table *table, gboolean quiet, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

#endif
