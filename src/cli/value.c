/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli.h"

#include "value.h"

#include <errno.h>
#include <string.h>

/* What stands after the digits goes to @end. */
static gboolean
parse_digits(const char *value, guint64 *number, const char **end)
{
    char *rest = NULL;

    /* g_ascii_strtoull() takes spaces and signs, and -1 for 2^64 - 1. */
    if (!g_ascii_isdigit(*value))
        return FALSE;
    errno = 0;
    *number = g_ascii_strtoull(value, &rest, 10);
    *end = rest;
    return errno == 0;
}

gboolean
value_parse_count(const char *option,
                  const char *value,
                  guint min,
                  guint max,
                  guint *count,
                  GError **error)
{
    const char *end;
    guint64 number;

    if (!parse_digits(value, &number, &end) || *end != '\0' || number < min ||
        number > max)
        return cli_bad_usage(error, _("%s=%s: not a number from %u to %u"),
                             option, value, min, max);
    *count = (guint)number;
    return TRUE;
}

static gboolean
scale_of(const char *suffix, guint64 *scale)
{
    static const char letters[] = "kmgtpe";
    const char *letter;
    guint64 base;

    *scale = 1;
    if (*suffix == '\0' || g_ascii_strcasecmp(suffix, "b") == 0 ||
        g_ascii_strcasecmp(suffix, "byte") == 0 ||
        g_ascii_strcasecmp(suffix, "bytes") == 0)
        return TRUE;
    letter = strchr(letters, g_ascii_tolower(*suffix));
    if (letter == NULL)
        return FALSE;
    if (suffix[1] == '\0' || g_ascii_strcasecmp(suffix + 1, "ib") == 0)
        base = 1024;
    else if (g_ascii_strcasecmp(suffix + 1, "b") == 0)
        base = 1000;
    else
        return FALSE;
    for (const char *p = letters; p <= letter; p++)
        *scale *= base;
    return TRUE;
}

gboolean
value_parse_bytes(const char *option,
                  const char *value,
                  guint64 *bytes,
                  GError **error)
{
    const char *end = NULL;
    guint64 number = 0;
    guint64 scale = 1;
    gboolean fits = parse_digits(value, &number, &end);

    if (end != NULL)
        while (*end == ' ')
            end++;
    if (end == NULL || !scale_of(end, &scale))
        return cli_bad_usage(error,
                             _("%s=%s: not a number of bytes (a number and, if "
                               "wanted, a unit as K, MiB, GB)"),
                             option, value);
    if (!fits || !g_uint64_checked_mul(bytes, number, scale))
        return cli_bad_usage(error, _("%s=%s: the number is too large"), option,
                             value);
    return TRUE;
}

gboolean
value_parse_audit(const char *option,
                  const char *value,
                  guint *audit,
                  GError **error)
{
    const char *end;
    guint64 number;

    if (g_str_equal(value, "none")) {
        *audit = 0;
        return TRUE;
    }
    if (g_str_equal(value, "all")) {
        *audit = REFPOINT_AUDIT_ALL;
        return TRUE;
    }
    if (!parse_digits(value, &number, &end) || *end != '\0' ||
        number >= REFPOINT_AUDIT_ALL)
        return cli_bad_usage(error,
                             _("%s=%s: not a number of clusters, nor none, nor "
                               "all"),
                             option, value);
    *audit = (guint)number;
    return TRUE;
}

gboolean
value_parse_compress(const char *option,
                     const char *value,
                     RefpointCompress *compress,
                     int *level,
                     GError **error)
{
    const char *end = value + strlen("zstd");
    guint64 number = 0;

    *compress = REFPOINT_COMPRESS_NONE;
    *level = 0;
    if (g_str_equal(value, "none"))
        return TRUE;
    *compress = REFPOINT_COMPRESS_ZSTD;
    if (g_str_equal(value, "zstd"))
        return TRUE;
    if (!g_str_has_prefix(value, "zstd:") ||
        !parse_digits(end + 1, &number, &end) || *end != '\0' || number < 1 ||
        number > REFPOINT_COMPRESS_LEVEL_MAX)
        return cli_bad_usage(error,
                             _("%s=%s: not none, zstd, or zstd:LEVEL with a "
                               "level from 1 to %d"),
                             option, value, REFPOINT_COMPRESS_LEVEL_MAX);
    *level = (int)number;
    return TRUE;
}

gboolean
value_parse_rate(const char *option,
                 const char *value,
                 guint64 *rate,
                 GError **error)
{
    g_autofree char *bytes = g_strdup(value);

    if (g_str_has_suffix(bytes, "/s"))
        bytes[strlen(bytes) - 2] = '\0';
    if (!value_parse_bytes(option, bytes, rate, NULL))
        return cli_bad_usage(error,
                             _("%s=%s: not a number of bytes in a second"),
                             option, value);
    if (*rate == 0)
        return cli_bad_usage(error, _("%s=%s: nothing would be read"), option,
                             value);
    return TRUE;
}

gboolean
value_parse_quiesce(const char *option,
                    const char *value,
                    RefpointQuiesce *quiesce,
                    GError **error)
{
    static const char *const names[] = {
        [REFPOINT_QUIESCE_AUTO] = "auto",
        [REFPOINT_QUIESCE_REQUIRED] = "required",
        [REFPOINT_QUIESCE_NEVER] = "never",
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        if (g_str_equal(value, names[i])) {
            *quiesce = (RefpointQuiesce)i;
            return TRUE;
        }
    }
    return cli_bad_usage(error, _("%s=%s: not auto, required or never"), option,
                         value);
}

gboolean
value_check_targets(const char *option,
                    char **targets,
                    const char *other_option,
                    char **others,
                    GError **error)
{
    for (char **target = targets; target != NULL && *target != NULL; target++) {
        if (**target == '\0')
            return cli_bad_usage(error, _("%s: the value is empty"), option);
        for (char **other = targets; other < target; other++)
            if (g_str_equal(*other, *target))
                return cli_bad_usage(error, _("%s=%s is given twice"), option,
                                     *target);
        if (others != NULL &&
            g_strv_contains((const char *const *)others, *target))
            return cli_bad_usage(error, _("%s=%s and %s=%s contradict"), option,
                                 *target, other_option, *target);
    }
    return TRUE;
}
