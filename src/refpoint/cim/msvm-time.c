/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-time.h"

#include <string.h>

#define DAYS_MAX 99999999
#define DAY_SECONDS 86400
#define LENGTH 25
#define POINT_AT 14
#define SIGN_AT 21

char *
rfp_msvm_time_format(gint64 us)
{
    gint64 seconds = us / G_USEC_PER_SEC;
    gint64 rest = us % G_USEC_PER_SEC;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *text = NULL;

    if (rest < 0) {
        rest += G_USEC_PER_SEC;
        seconds--;
    }
    time = g_date_time_new_from_unix_utc(seconds);
    text = time != NULL ? g_date_time_format(time, "%Y%m%d%H%M%S") : NULL;
    return g_strdup_printf("%s.%06d+000",
                           text != NULL ? text : "00010101000000", (int)rest);
}

char *
rfp_msvm_interval_format(guint64 us)
{
    guint64 seconds = us / G_USEC_PER_SEC;
    guint64 days = MIN(seconds / DAY_SECONDS, DAYS_MAX);
    guint day = (guint)(seconds % DAY_SECONDS);

    return g_strdup_printf("%08u%02u%02u%02u.%06u:000", (guint)days, day / 3600,
                           day / 60 % 60, day % 60,
                           (guint)(us % G_USEC_PER_SEC));
}

static gboolean
has_shape(const char *text, const char *digits)
{
    guint i = 0;

    if (strnlen(text, LENGTH + 1) != LENGTH || text[POINT_AT] != '.' ||
        strchr(":+-", text[SIGN_AT]) == NULL)
        return FALSE;
    for (i = 0; i < LENGTH; i++) {
        if (i != POINT_AT && i != SIGN_AT && strchr(digits, text[i]) == NULL)
            return FALSE;
    }
    return TRUE;
}

/* The number that @length digits at @from make; -1 if one of them is a "*". */
static gint
number(const char *text, guint from, guint length)
{
    gint value = 0;
    guint i = 0;

    for (i = from; i < from + length; i++) {
        if (text[i] == '*')
            return -1;
        value = 10 * value + (text[i] - '0');
    }
    return value;
}

static gboolean
check_clock(const char *text)
{
    return number(text, 8, 2) < 24 && number(text, 10, 2) < 60 &&
           number(text, 12, 2) < 60;
}

static gboolean
check_interval(const char *text)
{
    return text[SIGN_AT] == ':' && strcmp(text + SIGN_AT + 1, "000") == 0 &&
           check_clock(text);
}

static gboolean
check_time(const char *text)
{
    gint month = number(text, 4, 2);
    gint day = number(text, 6, 2);

    return text[SIGN_AT] != ':' && month != 0 && month <= 12 && day != 0 &&
           day <= 31 && check_clock(text);
}

gboolean
rfp_msvm_time_check(const char *text)
{
    return has_shape(text, "0123456789*") &&
           (check_interval(text) || check_time(text));
}

gboolean
rfp_msvm_time_parse(const char *text, gint64 *us)
{
    g_autoptr(GDateTime) time = NULL;
    gint offset = 0;

    if (!has_shape(text, "0123456789") || !check_time(text))
        return FALSE;
    time = g_date_time_new_utc(number(text, 0, 4), number(text, 4, 2),
                               number(text, 6, 2), number(text, 8, 2),
                               number(text, 10, 2), number(text, 12, 2));
    if (time == NULL)
        return FALSE;
    offset = number(text, SIGN_AT + 1, 3) * 60;
    if (text[SIGN_AT] == '-')
        offset = -offset;
    *us = (g_date_time_to_unix(time) - offset) * G_USEC_PER_SEC +
          number(text, POINT_AT + 1, 6);
    return TRUE;
}

gboolean
rfp_msvm_interval_parse(const char *text, guint64 *us)
{
    guint64 seconds = 0;

    if (!has_shape(text, "0123456789") || !check_interval(text))
        return FALSE;
    seconds = (guint64)number(text, 0, 8) * DAY_SECONDS +
              (guint64)number(text, 8, 2) * 3600 +
              (guint64)number(text, 10, 2) * 60 + (guint64)number(text, 12, 2);
    *us = seconds * G_USEC_PER_SEC + (guint64)number(text, POINT_AT + 1, 6);
    return TRUE;
}
