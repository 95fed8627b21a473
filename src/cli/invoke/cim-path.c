/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "invoke/cim-path.h"

#include <string.h>

#define GUID_LENGTH 36
#define NAME_CHARS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_"

void
cim_path_free(CimPath *path)
{
    if (path == NULL)
        return;
    g_free(path->host);
    g_free(path->name_space);
    g_free(path->class_name);
    g_ptr_array_unref(path->keys);
    g_free(path);
}

/* \\HOST\root\virtualization\v2, the host may be missing. */
static gboolean
read_place(CimPath *path, const char *text, gsize length)
{
    g_autofree char *place = g_strndup(text, length);
    char *rest = g_strdelimit(place, "/", '\\');
    char *end;

    if (g_str_has_prefix(rest, "\\\\")) {
        end = strchr(rest + 2, '\\');
        if (end == NULL || end == rest + 2)
            return FALSE;
        path->host = g_strndup(rest + 2, (gsize)(end - rest) - 2);
        rest = end + 1;
    }
    path->name_space = g_strdup(rest);
    return *rest != '\0';
}

/* A value in quotes; *@at goes behind it. */
static char *
read_value(const char **at)
{
    g_autoptr(GString) value = g_string_new(NULL);
    const char *p = *at;
    char quote = *p;

    if (quote != '"' && quote != '\'')
        return NULL;
    for (p++; *p != quote; p++) {
        if (*p == '\\')
            p++;
        if (*p == '\0')
            return NULL;
        g_string_append_c(value, *p);
    }
    *at = p + 1;
    return g_string_free(g_steal_pointer(&value), FALSE);
}

static gboolean
read_keys(CimPath *path, const char *p)
{
    for (;;) {
        gsize length = strspn(p, NAME_CHARS);
        const char *name = p;
        char *value;

        p += length;
        if (length == 0 || *p++ != '=')
            return FALSE;
        value = read_value(&p);
        if (value == NULL)
            return FALSE;
        g_ptr_array_add(path->keys, g_strndup(name, length));
        g_ptr_array_add(path->keys, value);
        if (*p == '\0')
            return TRUE;
        if (*p++ != ',')
            return FALSE;
    }
}

CimPath *
cim_path_parse(const char *text)
{
    g_autoptr(CimPath) path = g_new0(CimPath, 1);
    gsize before = strcspn(text, ":\"'");
    const char *p = text;
    gsize length;

    path->keys = g_ptr_array_new_with_free_func(g_free);
    if (strnlen(text, CIM_PATH_SIZE_MAX + 1) > CIM_PATH_SIZE_MAX)
        return NULL;
    if (text[before] == ':') {
        if (!read_place(path, text, before))
            return NULL;
        p += before + 1;
    }
    length = strspn(p, NAME_CHARS);
    path->class_name = g_strndup(p, length);
    if (length == 0 || p[length] != '.' || !read_keys(path, p + length + 1))
        return NULL;
    return g_steal_pointer(&path);
}

const char *
cim_path_key(const CimPath *path, const char *name)
{
    for (guint i = 0; i < path->keys->len; i += 2)
        if (g_ascii_strcasecmp(path->keys->pdata[i], name) == 0)
            return path->keys->pdata[i + 1];
    return NULL;
}

gboolean
cim_guid_check(const char *text)
{
    for (guint i = 0; i < GUID_LENGTH; i++) {
        gboolean dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !g_ascii_isxdigit(text[i]))
            return FALSE;
    }
    return text[GUID_LENGTH] == '\0';
}

char *
cim_guid_at_end(const char *text)
{
    gsize length = strlen(text);

    if (length < GUID_LENGTH || !cim_guid_check(text + length - GUID_LENGTH))
        return NULL;
    return g_ascii_strdown(text + length - GUID_LENGTH, -1);
}
