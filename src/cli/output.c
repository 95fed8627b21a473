/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static gboolean
is_harmful(gunichar c)
{
    if (g_unichar_iscntrl(c))
        return TRUE;
    /* Line and paragraph separators; marks that reverse what is read. */
    return c == 0x2028 || c == 0x2029 || c == 0x200e || c == 0x200f ||
           c == 0x061c || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

char *
output_clean(const char *text)
{
    GString *clean = g_string_new(NULL);
    const char *p = text;

    if (text == NULL || *text == '\0')
        return g_string_free(g_string_assign(clean, "-"), FALSE);
    while (*p != '\0') {
        gunichar c = g_utf8_get_char_validated(p, -1);

        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(clean, "\\x%02x", (guint)(guchar)*p++);
            continue;
        }
        if (!is_harmful(c))
            g_string_append_unichar(clean, c);
        else if (c < 0x100)
            g_string_append_printf(clean, "\\x%02x", c);
        else
            g_string_append_printf(clean, "\\u%04x", c);
        p = g_utf8_next_char(p);
    }
    return g_string_free(clean, FALSE);
}

char *
output_path(const char *path)
{
    return isatty(STDOUT_FILENO) ? output_clean(path) : g_strdup(path);
}

static guint
char_width(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint
output_width(const char *text)
{
    guint width = 0;

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        width += char_width(g_utf8_get_char(p));
    return width;
}

void
output_pad(GString *out, const char *text, guint width)
{
    guint used = output_width(text);

    g_string_append(out, text);
    for (; used < width; used++)
        g_string_append_c(out, ' ');
}

void
output_cut(GString *text, guint width)
{
    guint used = 0;
    const char *p = text->str;

    while (*p != '\0') {
        used += char_width(g_utf8_get_char(p));
        if (used > width)
            break;
        p = g_utf8_next_char(p);
    }
    g_string_truncate(text, (gsize)(p - text->str));
}

char *
output_size(guint64 bytes)
{
    static const char *const units[] = {
        N_("B"),   N_("KiB"), N_("MiB"), N_("GiB"),
        N_("TiB"), N_("PiB"), N_("EiB"),
    };
    double value = (double)bytes;
    guint unit = 0;
    int digits;

    while (value >= 1023.5 && unit + 1 < G_N_ELEMENTS(units)) {
        value /= 1024;
        unit++;
    }
    digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return g_strdup_printf("%.*f %s", digits, value, _(units[unit]));
}

static char *
format_time(GDateTime *time)
{
    g_autoptr(GDateTime) local =
        time != NULL ? g_date_time_to_local(time) : NULL;

    return local != NULL ? g_date_time_format(local, "%Y-%m-%d %H:%M:%S %z")
                         : NULL;
}

char *
output_time(gint64 seconds)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    char *text = format_time(time);

    return text != NULL ? text : g_strdup("-");
}

char *
output_iso_time(const char *iso)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time =
        iso != NULL ? g_date_time_new_from_iso8601(iso, utc) : NULL;
    char *text = format_time(time);

    return text != NULL ? text : output_clean(iso);
}

char *
output_duration(guint64 microseconds)
{
    if (microseconds < 1000000)
        return g_strdup_printf(_("%.1f ms"), (double)microseconds / 1000);
    return g_strdup_printf(_("%.2f s"), (double)microseconds / 1000000);
}

char *
output_data(const RefpointPoint *point)
{
    gint64 left =
        MAX(point->keep_until - g_get_real_time() / G_USEC_PER_SEC, 0);

    if (point->keep == REFPOINT_KEEP_NOTHING)
        return NULL;
    if (point->keep_until == 0)
        return g_strdup(_("held"));
    return g_strdup_printf(_("kept, %" PRId64 ":%02d left"), left / 60,
                           (int)(left % 60));
}

const char *
output_mode(RefpointMode mode)
{
    switch (mode) {
    case REFPOINT_MODE_LEFT_OUT:
        return _("left out");
    case REFPOINT_MODE_FULL:
        return _("full");
    case REFPOINT_MODE_INCREMENT:
        return _("increment");
    }
    return "-";
}

const char *
output_consistency(RefpointConsistency consistency)
{
    switch (consistency) {
    case REFPOINT_CONSISTENCY_UNKNOWN:
        break;
    case REFPOINT_CONSISTENCY_APPLICATION:
        return _("application");
    case REFPOINT_CONSISTENCY_CRASH:
        return _("crash");
    }
    return _("unknown");
}

static const char *
state_text(RefpointState state)
{
    switch (state) {
    case REFPOINT_STATE_FOREIGN:
        return _("foreign");
    case REFPOINT_STATE_PENDING:
        return _("pending");
    case REFPOINT_STATE_PUBLISHED:
        return _("published");
    case REFPOINT_STATE_TRACKED:
        return _("tracked");
    }
    return "-";
}

char *
output_state(const RefpointPoint *point)
{
    const char *state = state_text(point->state);

    for (guint i = 0; point->disks != NULL && i < point->disks->len; i++) {
        const RefpointPointDisk *disk = point->disks->pdata[i];

        if (disk->bitmap == REFPOINT_BITMAP_BROKEN)
            return g_strdup_printf(_("%s, bitmap broken"), state);
    }
    return g_strdup(state);
}

const char *
output_bitmap(RefpointBitmap bitmap)
{
    switch (bitmap) {
    case REFPOINT_BITMAP_UNKNOWN:
        break;
    case REFPOINT_BITMAP_GOOD:
        return _("good");
    case REFPOINT_BITMAP_BROKEN:
        return _("broken");
    }
    return _("unknown");
}

void
output_facts(GString *out, const char *label, ...)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new();
    guint width = 0;
    va_list ap;

    va_start(ap, label);
    for (const char *p = label; p != NULL; p = va_arg(ap, const char *)) {
        g_ptr_array_add(lines, (gpointer)p);
        g_ptr_array_add(lines, (gpointer)va_arg(ap, const char *));
        width = MAX(width, output_width(p));
    }
    va_end(ap);
    for (guint i = 0; i < lines->len; i += 2) {
        g_autofree char *value = output_clean(lines->pdata[i + 1]);

        output_pad(out, lines->pdata[i], width + 3);
        g_string_append_printf(out, "%s\n", value);
    }
}

static gboolean
wait_writable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLOUT};

    return poll(&poller, 1, -1) >= 0 || errno == EINTR;
}

gboolean
output_write(int fd, const char *text, gsize length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);

        if (n >= 0) {
            text += n;
            length -= (gsize)n;
        } else if (errno == EAGAIN) {
            if (!wait_writable(fd))
                return FALSE;
        } else if (errno != EINTR) {
            return FALSE;
        }
    }
    return TRUE;
}

void
output_complain(const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    va_list ap;

    va_start(ap, format);
    g_string_vprintf(line, format, ap);
    va_end(ap);
    g_string_append_c(line, '\n');
    if (!output_write(STDERR_FILENO, line->str, line->len))
        return; /* and nowhere else to say so */
}
