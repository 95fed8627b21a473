/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The layout of help texts. */
#ifndef HELP_H
#define HELP_H

#include <glib.h>

/*
 * @text laid out anew for 80 columns, in whatever language: rows of two columns
 * ("  --option=VALUE   what it does", each block of them for itself) and lines.
 * Free with g_free().
 */
char *
help_layout(const char *text);

#endif
