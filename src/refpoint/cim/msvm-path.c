/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-path.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define SHOWN_MAX 200 /* characters of a bad path in its message */

static void
free_key(gpointer opaque)
{
    RfpMsvmKey *key = opaque;

    g_free(key->name);
    g_free(key->value);
    g_free(key);
}

static RfpMsvmPath *
new_path(void)
{
    RfpMsvmPath *path = g_new0(RfpMsvmPath, 1);

    path->keys = g_ptr_array_new_with_free_func(free_key);
    return path;
}

RfpMsvmPath *
rfp_msvm_path_new(const char *class_name)
{
    RfpMsvmPath *path = new_path();

    path->name_space = g_strdup(RFP_MSVM_NAMESPACE);
    path->class_name = g_strdup(class_name);
    return path;
}

void
rfp_msvm_path_free(RfpMsvmPath *path)
{
    if (path == NULL)
        return;
    g_free(path->host);
    g_free(path->name_space);
    g_free(path->class_name);
    g_ptr_array_unref(path->keys);
    g_free(path);
}

static void
add_key(RfpMsvmPath *path, char *name, char *value, RfpCimType type)
{
    RfpMsvmKey *key = g_new0(RfpMsvmKey, 1);

    key->name = name;
    key->value = value;
    key->type = type;
    g_ptr_array_add(path->keys, key);
}

void
rfp_msvm_path_add(RfpMsvmPath *path, const char *name, const char *value)
{
    add_key(path, g_strdup(name), g_strdup(value), RFP_CIM_STRING);
}

const char *
rfp_msvm_path_key(const RfpMsvmPath *path, const char *name)
{
    const RfpMsvmKey *key = NULL;
    guint i = 0;

    for (i = 0; i < path->keys->len; i++) {
        key = g_ptr_array_index(path->keys, i);
        if (key->name != NULL && g_ascii_strcasecmp(key->name, name) == 0)
            return key->value;
    }
    return NULL;
}

/* ---- Reading ------------------------------------------------------------- */

/* What is still to be read; every function moves behind what it took. */
typedef const char *Rest;

static gboolean
is_slash(char c)
{
    return c == '\\' || c == '/';
}

/* One or more characters that are alphanumeric or in @more. */
static char *
take_word(Rest *rest, const char *more)
{
    const char *begin = *rest;

    while (g_ascii_isalnum(**rest) || (**rest && strchr(more, **rest) != NULL))
        (*rest)++;
    return *rest > begin ? g_strndup(begin, (gsize)(*rest - begin)) : NULL;
}

/* A CIM name: a letter or "_", then also digits. */
static char *
take_name(Rest *rest)
{
    return g_ascii_isdigit(**rest) ? NULL : take_word(rest, "_");
}

static gboolean
read_host(Rest *rest, RfpMsvmPath *path)
{
    if (!is_slash((*rest)[0]))
        return TRUE;
    if (!is_slash((*rest)[1]))
        return FALSE;
    *rest += 2;
    path->host = take_word(rest, "_-.");
    if (path->host == NULL || !is_slash(**rest))
        return FALSE;
    (*rest)++;
    return TRUE;
}

/* A ":" before anything that follows a class name ends a namespace. */
static gboolean
has_namespace(Rest rest)
{
    return rest[strcspn(rest, ":.=\"'")] == ':';
}

static gboolean
read_namespace(Rest *rest, RfpMsvmPath *path)
{
    g_autoptr(GString) all = g_string_new(NULL);

    if (!has_namespace(*rest))
        return path->host == NULL;
    for (;;) {
        g_autofree char *part = take_word(rest, "_-");

        if (part == NULL)
            return FALSE;
        g_string_append(all, part);
        if (**rest == ':')
            break;
        if (!is_slash(**rest))
            return FALSE;
        g_string_append_c(all, '\\');
        (*rest)++;
    }
    (*rest)++;
    path->name_space = g_string_free(g_steal_pointer(&all), FALSE);
    return TRUE;
}

static char *
take_quoted(Rest *rest)
{
    g_autoptr(GString) value = g_string_new(NULL);
    char quote = *(*rest)++;

    for (; **rest != quote; (*rest)++) {
        if (**rest == '\\') {
            (*rest)++;
            if (**rest == '\0' || strchr("\\\"'", **rest) == NULL)
                return NULL;
        }
        if (**rest == '\0')
            return NULL;
        g_string_append_c(value, **rest);
    }
    (*rest)++;
    return g_string_free(g_steal_pointer(&value), FALSE);
}

static char *
take_bare(Rest *rest, RfpCimType *type)
{
    g_autofree char *word = take_word(rest, "+-");
    const char *digits = word;

    if (word == NULL)
        return NULL;
    if (g_ascii_strcasecmp(word, "TRUE") == 0 ||
        g_ascii_strcasecmp(word, "FALSE") == 0) {
        *type = RFP_CIM_BOOLEAN;
        return g_steal_pointer(&word);
    }
    if (*digits == '+' || *digits == '-')
        digits++;
    if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
        return NULL;
    *type = RFP_CIM_SINT64;
    return g_steal_pointer(&word);
}

/* The value behind a "=". */
static gboolean
read_value(Rest *rest, RfpMsvmPath *path, char *name)
{
    g_autofree char *owned = name;
    RfpCimType type = RFP_CIM_STRING;
    char *value = NULL;

    if (**rest == '"' || **rest == '\'')
        value = take_quoted(rest);
    else
        value = take_bare(rest, &type);
    if (value == NULL)
        return FALSE;
    add_key(path, g_steal_pointer(&owned), value, type);
    return TRUE;
}

static gboolean
read_keys(Rest *rest, RfpMsvmPath *path)
{
    do {
        g_autofree char *name = NULL;

        (*rest)++;
        name = take_name(rest);
        if (name == NULL || *(*rest)++ != '=' ||
            rfp_msvm_path_key(path, name) != NULL ||
            path->keys->len == RFP_MSVM_PATH_KEYS_MAX ||
            !read_value(rest, path, g_steal_pointer(&name)))
            return FALSE;
    } while (**rest == ',');
    return TRUE;
}

static gboolean
read_object(Rest *rest, RfpMsvmPath *path)
{
    path->class_name = take_name(rest);
    if (path->class_name == NULL)
        return FALSE;
    if (**rest == '.')
        return read_keys(rest, path);
    if (**rest != '=')
        return TRUE;
    (*rest)++;
    if (**rest != '@')
        return read_value(rest, path, NULL);
    (*rest)++;
    path->singleton = TRUE;
    return TRUE;
}

static void
refuse(const char *text, GError **error)
{
    g_autofree char *begin = g_strndup(text, SHOWN_MAX);
    g_autofree char *shown = rfp_text_clean(begin);

    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("this is not an object path: '%s%s'"), shown,
                  strlen(begin) == SHOWN_MAX ? "..." : "");
}

RfpMsvmPath *
rfp_msvm_path_parse(const char *text, GError **error)
{
    g_autoptr(RfpMsvmPath) path = new_path();
    g_autofree char *copy = NULL;
    Rest rest = NULL;

    if (strnlen(text, RFP_MSVM_PATH_SIZE_MAX + 1) > RFP_MSVM_PATH_SIZE_MAX) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the object path is longer than %d bytes"),
                      RFP_MSVM_PATH_SIZE_MAX);
        return NULL;
    }
    copy = g_strstrip(g_strdup(text));
    rest = copy;
    if (!g_utf8_validate(copy, -1, NULL) || !read_host(&rest, path) ||
        !read_namespace(&rest, path) || !read_object(&rest, path) ||
        *rest != '\0') {
        refuse(text, error);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* ---- Printing ------------------------------------------------------------ */

static void
append_quoted(GString *text, const char *value)
{
    g_string_append_c(text, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            g_string_append_c(text, '\\');
        g_string_append_c(text, *value);
    }
    g_string_append_c(text, '"');
}

static void
append_key(GString *text, const RfpMsvmKey *key)
{
    if (key->name != NULL)
        g_string_append(text, key->name);
    g_string_append_c(text, '=');
    if (key->type == RFP_CIM_STRING)
        append_quoted(text, key->value);
    else
        g_string_append(text, key->value);
}

char *
rfp_msvm_path_format(const RfpMsvmPath *path)
{
    GString *text = g_string_new(NULL);
    const RfpMsvmKey *key = NULL;
    guint i = 0;

    if (path->host != NULL)
        g_string_append_printf(text, "\\\\%s\\", path->host);
    if (path->name_space != NULL)
        g_string_append_printf(text, "%s:", path->name_space);
    g_string_append(text, path->class_name);
    if (path->singleton)
        g_string_append(text, "=@");
    for (i = 0; i < path->keys->len; i++) {
        key = g_ptr_array_index(path->keys, i);
        if (key->name != NULL)
            g_string_append_c(text, i == 0 ? '.' : ',');
        append_key(text, key);
    }
    return g_string_free(text, FALSE);
}

/* ---- Checking ------------------------------------------------------------ */

/* How many keys the class has; if that is one, *@name is its name. */
static guint
count_keys(const RfpMsvmClass *klass, const char **name)
{
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
    const RfpMsvmProperty *property = NULL;
    guint i = 0;
    guint n = 0;

    for (i = 0; i < all->len; i++) {
        property = g_ptr_array_index(all, i);
        if (property->flags & RFP_MSVM_KEY) {
            *name = property->name;
            n++;
        }
    }
    return n;
}

/* Names are distinct, so as many good keys as the class has are all of them. */
static gboolean
check_keys(RfpMsvmPath *path, const RfpMsvmClass *klass)
{
    const RfpMsvmProperty *property = NULL;
    const char *only = NULL;
    RfpMsvmKey *key = NULL;
    guint n = count_keys(klass, &only);
    guint i = 0;

    if (path->singleton || path->keys->len != n)
        return FALSE;
    for (i = 0; i < n; i++) {
        key = g_ptr_array_index(path->keys, i);
        if (key->name == NULL)
            key->name = g_strdup(only);
        property = rfp_msvm_class_property(klass, key->name);
        if (property == NULL || !(property->flags & RFP_MSVM_KEY) ||
            key->type != RFP_CIM_STRING)
            return FALSE;
    }
    return TRUE;
}

const RfpMsvmClass *
rfp_msvm_path_check(RfpMsvmPath *path, const char *expected, GError **error)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find(path->class_name);
    g_autofree char *begin = g_strndup(path->class_name, SHOWN_MAX);

    if (path->name_space != NULL &&
        g_ascii_strcasecmp(path->name_space, RFP_MSVM_NAMESPACE) != 0) {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("the object path is not one of the namespace %s"),
                      RFP_MSVM_NAMESPACE);
        return NULL;
    }
    if (klass == NULL || !rfp_msvm_class_is_a(klass, expected)) {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("the object path names a %s, not a %s"), begin,
                      expected);
        return NULL;
    }
    if (!check_keys(path, klass)) {
        rfp_error_set(error, REFPOINT_ERROR_INCORRECT_TYPE,
                      _("the object path has not the keys of a %s"),
                      klass->name);
        return NULL;
    }
    return klass;
}

RfpMsvmPath *
rfp_msvm_path_parse_as(const char *text, const char *expected, GError **error)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_parse(text, error);

    if (path == NULL || rfp_msvm_path_check(path, expected, error) == NULL) {
        rfp_msvm_path_add_example(expected, error);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* ---- An example ---------------------------------------------------------- */

/* The keys of paths that a caller hands in, in the order in which this library
 * prints them. */
static const struct {
    const char *class_name;
    const char *key;
    const char *value;
} samples[] = {
    {RFP_MSVM_SYSTEM_CLASS, "CreationClassName", RFP_MSVM_SYSTEM_CLASS},
    {RFP_MSVM_SYSTEM_CLASS, "Name", "UUID"},
    {RFP_MSVM_POINT_CLASS, "InstanceID", "refpoint:UUID/GUID"},
    {RFP_MSVM_POINT_CLASS, "VirtualSystemIdentifier", "UUID"},
    {RFP_MSVM_JOB_CLASS, "InstanceID", "refpoint-job:GUID"},
};

/* The first of these classes that is an @expected one; that of domains where
 * none is. */
static const char *
example_class(const char *expected)
{
    for (gsize i = 0; expected != NULL && i < G_N_ELEMENTS(samples); i++)
        if (rfp_msvm_class_is_a(rfp_msvm_class_find(samples[i].class_name),
                                expected))
            return samples[i].class_name;
    return RFP_MSVM_SYSTEM_CLASS;
}

void
rfp_msvm_path_add_example(const char *expected, GError **error)
{
    g_autoptr(RfpMsvmPath) path = new_path();
    g_autofree char *text = NULL;

    path->class_name = g_strdup(example_class(expected));
    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++)
        if (strcmp(samples[i].class_name, path->class_name) == 0)
            rfp_msvm_path_add(path, samples[i].key, samples[i].value);
    text = rfp_msvm_path_format(path);
    rfp_error_add_way_out(error,
                          _("an object path is one like %s, see "
                            "refpoint-msvm(7)"),
                          text);
}
