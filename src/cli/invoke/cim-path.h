/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Object paths taken apart, as far as the program has to look into them:
 * \\HOST\namespace:Class.Key="value",Key="value"; pure. */
#ifndef CIM_PATH_H
#define CIM_PATH_H

#include <glib.h>

#define CIM_PATH_SIZE_MAX (64 * 1024)

typedef struct {
    char *host;       /* NULL: none */
    char *name_space; /* NULL: none */
    char *class_name;
    GPtrArray *keys; /* char *, name and value by turns, unescaped */
} CimPath;

/* NULL where @text is none. Free with cim_path_free(). */
CimPath *
cim_path_parse(const char *text);

void
cim_path_free(CimPath *path);

/* The value of a key, names compare without case; NULL if there is none. */
const char *
cim_path_key(const CimPath *path, const char *name);

/* The GUID at the end of @text, in lower case; NULL where there is none. Free
 * with g_free(). */
char *
cim_guid_at_end(const char *text);

/* 36 characters, hexadecimal digits and dashes. */
gboolean
cim_guid_check(const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CimPath, cim_path_free)

#endif
