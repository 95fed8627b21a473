/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/manifest-field.h"
#include "base/names.h"
#include "image/cluster.h"
#include "image/digest.h"
#include "set/manifest.h"

#include <inttypes.h>
#include <string.h>

#define TIME_LENGTH 27 /* 2026-11-21T20:30:00.123456Z */
#define TIME_MAX (G_GINT64_CONSTANT(253402300800) * G_USEC_PER_SEC - 1)

#define COMPONENT_MAX 255
#define PATH_BYTES_MAX 1024

static gboolean
component_ok(const char *text, gsize length)
{
    if (length == 0 || length > COMPONENT_MAX)
        return FALSE;
    return !(text[0] == '.' &&
             (length == 1 || (length == 2 && text[1] == '.')));
}

gboolean
rfp_manifest_path_ok(const char *path)
{
    const char *start = path;

    if (path == NULL || strlen(path) > PATH_BYTES_MAX ||
        !g_utf8_validate(path, -1, NULL))
        return FALSE;
    for (const char *p = path; *p != '\0'; p = g_utf8_next_char(p)) {
        if (g_unichar_iscntrl(g_utf8_get_char(p)))
            return FALSE;
    }
    for (;;) {
        const char *end = strchrnul(start, '/');

        if (!component_ok(start, (gsize)(end - start)))
            return FALSE;
        if (*end == '\0')
            return TRUE;
        start = end + 1;
    }
}

gboolean
rfp_manifest_folder_ok(const char *folder)
{
    static const char *const taken[] = {RFP_DISKS_DIR, RFP_SET_FILE,
                                        RFP_FOLDERS_FILE, RFP_MANIFEST_FILE,
                                        NULL};

    return rfp_manifest_path_ok(folder) && folder[0] != '.' &&
           strchr(folder, '/') == NULL && !g_strv_contains(taken, folder);
}

static char *
text_format(const RfpField *field, gconstpointer at)
{
    const char *text = *(char *const *)at;

    if (text != NULL && *text == '\0' && field->optional)
        return NULL;
    return g_strdup(text);
}

static gboolean
text_parse(const RfpField *field, const char *text, gpointer at)
{
    char **value = at;

    if (*text == '\0' || strlen(text) > field->max)
        return FALSE;
    g_free(*value);
    *value = g_strdup(text);
    return TRUE;
}

static gboolean
token_parse(const RfpField *field, const char *text, gpointer at)
{
    if (strspn(text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.-") !=
        strlen(text))
        return FALSE;
    return text_parse(field, text, at);
}

static gboolean
folder_parse(const RfpField *field, const char *text, gpointer at)
{
    return rfp_manifest_folder_ok(text) && text_parse(field, text, at);
}

static gboolean
path_parse(const RfpField *field, const char *text, gpointer at)
{
    return rfp_manifest_path_ok(text) && text_parse(field, text, at);
}

static char *
guid_format(const RfpField *field G_GNUC_UNUSED, gconstpointer at)
{
    const char *guid = *(char *const *)at;

    return guid != NULL ? g_ascii_strdown(guid, -1) : NULL;
}

static gboolean
guid_parse(const RfpField *field G_GNUC_UNUSED, const char *text, gpointer at)
{
    char **value = at;

    if (!rfp_guid_check(text))
        return FALSE;
    g_free(*value);
    *value = g_ascii_strdown(text, -1);
    return TRUE;
}

static char *
uint64_format(const RfpField *field, gconstpointer at)
{
    guint64 value = *(const guint64 *)at;

    if (value == 0 && field->optional)
        return NULL;
    return g_strdup_printf("%" PRIu64, value);
}

static gboolean
uint64_parse(const RfpField *field, const char *text, gpointer at)
{
    return g_ascii_string_to_unsigned(text, 10, field->min, field->max, at,
                                      NULL);
}

static char *
uint_format(const RfpField *field, gconstpointer at)
{
    guint64 value = *(const guint *)at;

    return uint64_format(field, &value);
}

static gboolean
uint_parse(const RfpField *field, const char *text, gpointer at)
{
    guint64 value;

    if (!uint64_parse(field, text, &value) || value > G_MAXUINT)
        return FALSE;
    *(guint *)at = (guint)value;
    return TRUE;
}

static char *
time_format(const RfpField *field, gconstpointer at)
{
    gint64 us = CLAMP(*(const gint64 *)at, 0, TIME_MAX);
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *seconds = NULL;

    if (us == 0 && field->optional)
        return NULL;
    time = g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);
    seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", seconds, (int)(us % G_USEC_PER_SEC));
}

/* The number in @length digits at @text, which are known to be digits. */
static int
digits(const char *text, int length)
{
    int value = 0;

    for (int i = 0; i < length; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

static gboolean
time_parse(const RfpField *field G_GNUC_UNUSED, const char *text, gpointer at)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    g_autoptr(GDateTime) time = NULL;

    if (strlen(text) != TIME_LENGTH)
        return FALSE;
    for (int i = 0; i < TIME_LENGTH; i++) {
        if (shape[i] == 'd' ? !g_ascii_isdigit(text[i]) : text[i] != shape[i])
            return FALSE;
    }
    time = g_date_time_new_utc(digits(text, 4), digits(text + 5, 2),
                               digits(text + 8, 2), digits(text + 11, 2),
                               digits(text + 14, 2), digits(text + 17, 2));
    if (time == NULL || g_date_time_to_unix(time) < 0)
        return FALSE;
    *(gint64 *)at =
        g_date_time_to_unix(time) * G_USEC_PER_SEC + digits(text + 20, 6);
    return TRUE;
}

static char *
sha256_format(const RfpField *field, gconstpointer at)
{
    static const char hex[] = "0123456789abcdef";
    const guint8 *bytes = at;
    char *text = NULL;

    if (field->optional && rfp_is_zero(bytes, RFP_LEAF_SIZE))
        return NULL;
    text = g_malloc(2 * RFP_LEAF_SIZE + 1);
    for (int i = 0; i < RFP_LEAF_SIZE; i++) {
        text[2 * i] = hex[bytes[i] >> 4];
        text[2 * i + 1] = hex[bytes[i] & 15];
    }
    text[2 * RFP_LEAF_SIZE] = '\0';
    return text;
}

static gboolean
sha256_parse(const RfpField *field G_GNUC_UNUSED, const char *text, gpointer at)
{
    guint8 *bytes = at;

    if (strlen(text) != 2 * RFP_LEAF_SIZE ||
        strspn(text, "0123456789abcdefABCDEF") != 2 * RFP_LEAF_SIZE)
        return FALSE;
    for (int i = 0; i < RFP_LEAF_SIZE; i++)
        bytes[i] = (guint8)(g_ascii_xdigit_value(text[2 * i]) << 4 |
                            g_ascii_xdigit_value(text[2 * i + 1]));
    return TRUE;
}

static char *
word_format(const RfpField *field, gconstpointer at)
{
    guint value = *(const guint *)at;

    if (value == 0 && field->optional)
        return NULL;
    return g_strdup(value < g_strv_length((char **)field->words)
                        ? field->words[value]
                        : field->words[0]);
}

static gboolean
word_parse(const RfpField *field, const char *text, gpointer at)
{
    for (guint i = 0; field->words[i] != NULL; i++) {
        if (strcmp(field->words[i], text) == 0) {
            *(guint *)at = i;
            return TRUE;
        }
    }
    return FALSE;
}

static char *
fixed_format(const RfpField *field, gconstpointer at G_GNUC_UNUSED)
{
    return g_strdup(field->words[0]);
}

static gboolean
fixed_parse(const RfpField *field, const char *text, gpointer at G_GNUC_UNUSED)
{
    return strcmp(field->words[0], text) == 0;
}

const RfpFieldType rfp_field_text = {text_format, text_parse};
const RfpFieldType rfp_field_token = {text_format, token_parse};
const RfpFieldType rfp_field_folder = {text_format, folder_parse};
const RfpFieldType rfp_field_path = {text_format, path_parse};
const RfpFieldType rfp_field_guid = {guid_format, guid_parse};
const RfpFieldType rfp_field_uint64 = {uint64_format, uint64_parse};
const RfpFieldType rfp_field_uint = {uint_format, uint_parse};
const RfpFieldType rfp_field_time = {time_format, time_parse};
const RfpFieldType rfp_field_sha256 = {sha256_format, sha256_parse};
const RfpFieldType rfp_field_word = {word_format, word_parse};
const RfpFieldType rfp_field_known = {word_format, word_parse};
const RfpFieldType rfp_field_fixed = {fixed_format, fixed_parse};
