/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "progress.h"

#include "interrupt.h"
#include "output.h"

#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FIRST_AFTER_US (1 * G_USEC_PER_SEC)
#define LINES_EVERY_US (2 * G_USEC_PER_SEC)
#define DRAW_EVERY_US (G_USEC_PER_SEC / 8)
/* The rate is that of about the last seconds. */
#define RATE_WINDOW_US (4 * G_USEC_PER_SEC)
#define DISKS_MAX 65536

typedef struct {
    gint64 time;
    guint64 done;
    double rate; /* bytes a second, 0 unknown */
} Pace;

struct _Progress {
    GMutex lock;
    Writer *writer;    /* borrowed, or NULL */
    gboolean terminal; /* lines are rewritten in place */
    gboolean dumb;     /* a terminal that cannot go up a line */
    gint64 begun;
    gint64 drawn;  /* time of the last update shown, 0 never */
    guint n_shown; /* lines on the terminal now, the cursor in the last */
    GArray *paces; /* Pace, one a disk and one for all */
};

Progress *
progress_new(gboolean wanted, gboolean quiet)
{
    gboolean terminal = isatty(STDERR_FILENO);
    const char *term = g_getenv("TERM");
    Progress *progress;

    if (!wanted && (quiet || !terminal))
        return NULL;
    progress = g_new0(Progress, 1);
    g_mutex_init(&progress->lock);
    progress->terminal = terminal;
    progress->dumb = term == NULL || g_str_equal(term, "dumb");
    progress->begun = g_get_monotonic_time();
    progress->paces = g_array_new(FALSE, TRUE, sizeof(Pace));
    return progress;
}

static void
terminal_size(guint *columns, guint *rows)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0)
        size.ws_col = 0;
    *columns = size.ws_col > 0 ? size.ws_col : 80;
    *rows = size.ws_row > 0 ? size.ws_row : 24;
}

/* A stopped terminal must not stop the operation. */
static void
show(const Progress *progress, const GString *text)
{
    struct pollfd poller = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (progress->writer != NULL)
        writer_add(progress->writer, STDERR_FILENO, text->str, text->len);
    else if (poll(&poller, 1, 0) == 1 && (poller.revents & POLLOUT) != 0)
        output_write(STDERR_FILENO, text->str, text->len);
}

static void
append_home(const Progress *progress, GString *out)
{
    if (progress->n_shown == 0)
        return;
    g_string_append_c(out, '\r');
    if (progress->n_shown > 1)
        g_string_append_printf(out, "\033[%uA", progress->n_shown - 1);
}

static void
clear_shown(Progress *progress)
{
    g_autoptr(GString) out = g_string_new(NULL);
    guint columns, rows;

    /* After an interruption the cursor is where the notice left it. */
    if (progress->n_shown == 0 || interrupt_signal() != 0)
        return;
    append_home(progress, out);
    if (progress->dumb) {
        terminal_size(&columns, &rows);
        g_string_append_printf(out, "%*s\r", (int)columns - 1, "");
    } else {
        g_string_append(out, "\033[J");
    }
    show(progress, out);
    progress->n_shown = 0;
}

void
progress_use(Progress *progress, Writer *writer)
{
    if (progress == NULL)
        return;
    g_mutex_lock(&progress->lock);
    progress->writer = writer;
    g_mutex_unlock(&progress->lock);
}

void
progress_hide(Progress *progress)
{
    if (progress == NULL)
        return;
    g_mutex_lock(&progress->lock);
    clear_shown(progress);
    g_mutex_unlock(&progress->lock);
}

void
progress_free(Progress *progress)
{
    if (progress == NULL)
        return;
    clear_shown(progress);
    g_array_unref(progress->paces);
    g_mutex_clear(&progress->lock);
    g_free(progress);
}

static void
pace_update(Pace *pace, guint64 done, gint64 now)
{
    gint64 elapsed = now - pace->time;
    double share, rate;

    if (pace->time == 0 || done < pace->done) {
        *pace = (Pace){.time = now, .done = done};
        return;
    }
    if (elapsed < DRAW_EVERY_US)
        return;
    rate = (double)(done - pace->done) * G_USEC_PER_SEC / (double)elapsed;
    share = MIN(1.0, (double)elapsed / RATE_WINDOW_US);
    if (pace->rate > 0)
        rate = pace->rate * (1 - share) + rate * share;
    *pace = (Pace){.time = now, .done = done, .rate = rate};
}

static void
append_time_left(GString *out, guint64 bytes, double rate)
{
    double seconds = (double)bytes / rate;
    guint left;

    if (seconds > 359999)
        return;
    left = (guint)(seconds + 0.999);
    if (left >= 3600)
        g_string_append_printf(out, _("   %u:%02u:%02u left"), left / 3600,
                               left / 60 % 60, left % 60);
    else
        g_string_append_printf(out, _("   %u:%02u left"), left / 60, left % 60);
}

static void
append_line(GString *out,
            const RefpointProgress *disk,
            guint width,
            double rate)
{
    g_autofree char *target = output_clean(disk->target);
    g_autofree char *done = output_size(disk->done);
    g_autofree char *total = output_size(disk->total);
    g_autofree char *per_second = output_size((guint64)rate);
    guint percent = disk->total == 0
                        ? 100
                        : (guint)((double)MIN(disk->done, disk->total) * 100 /
                                  (double)disk->total);

    output_pad(out, target, width);
    if (disk->final)
        g_string_append_printf(out, "   %3u %%   ", percent);
    else
        g_string_append(out, "     - %   ");
    g_string_append_printf(out, _("%s of %s"), done, total);
    if (rate > 0) {
        g_string_append_printf(out, _("   %s/s"), per_second);
        if (disk->final && disk->done < disk->total)
            append_time_left(out, disk->total - disk->done, rate);
    }
}

static void
add_to(RefpointProgress *sum, const RefpointProgress *disk)
{
    sum->done += disk->done;
    sum->total += disk->total;
    sum->stored += disk->stored;
    sum->final = sum->final && disk->final;
}

static RefpointProgress
sum_of(const RefpointProgress *disks, guint n_disks, const char *name)
{
    RefpointProgress sum = {.target = name, .final = TRUE};

    for (guint i = 0; i < n_disks; i++)
        add_to(&sum, &disks[i]);
    return sum;
}

static guint
target_width(const RefpointProgress *disks, guint n_disks)
{
    guint width = 0;

    for (guint i = 0; i < n_disks; i++) {
        g_autofree char *target = output_clean(disks[i].target);

        width = MAX(width, output_width(target));
    }
    return width;
}

static void
append_disks(Progress *progress,
             GString *out,
             const RefpointProgress *disks,
             guint n_disks,
             const Pace *paces)
{
    guint columns = G_MAXUINT;
    guint rows;
    guint width = target_width(disks, n_disks);

    if (progress->terminal)
        terminal_size(&columns, &rows);
    for (guint i = 0; i < n_disks; i++) {
        g_autoptr(GString) line = g_string_new(NULL);

        append_line(line, &disks[i], width, paces[i].rate);
        output_cut(line, columns - 1);
        if (progress->dumb && progress->terminal)
            output_pad(out, line->str, columns - 1);
        else
            g_string_append(out, line->str);
        if (!progress->terminal)
            g_string_append_c(out, '\n');
        else if (!progress->dumb)
            g_string_append(out, i + 1 < n_disks ? "\033[K\n" : "\033[J");
    }
}

static gboolean
is_due(const Progress *progress, gboolean finished, gint64 now)
{
    if (progress->writer != NULL && writer_is_behind(progress->writer))
        return FALSE;
    if (!progress->terminal)
        return finished ||
               now - MAX(progress->drawn, progress->begun) >= LINES_EVERY_US;
    return now - progress->begun >= FIRST_AFTER_US &&
           now - progress->drawn >= DRAW_EVERY_US && interrupt_signal() == 0;
}

static gboolean
all_done(const RefpointProgress *disks, guint n_disks)
{
    for (guint i = 0; i < n_disks; i++)
        if (!disks[i].final || disks[i].done < disks[i].total)
            return FALSE;
    return TRUE;
}

/* The last entry is that of all disks together. */
static const Pace *
update_paces(Progress *progress,
             const RefpointProgress *disks,
             guint n_disks,
             const RefpointProgress *sum,
             gint64 now)
{
    Pace *paces;

    g_array_set_size(progress->paces, n_disks + 1);
    paces = &g_array_index(progress->paces, Pace, 0);
    for (guint i = 0; i < n_disks; i++)
        pace_update(&paces[i], disks[i].done, now);
    pace_update(&paces[n_disks], sum->done, now);
    return paces;
}

static void
draw(Progress *progress,
     const RefpointProgress *disks,
     guint n_disks,
     const Pace *paces)
{
    g_autoptr(GString) out = g_string_new(NULL);

    append_home(progress, out);
    append_disks(progress, out, disks, n_disks, paces);
    show(progress, out);
    progress->n_shown = progress->terminal ? n_disks : 0;
}

/* ---- The lines: a disk each, or a member of a group ---------------------- */

typedef struct {
    GPtrArray *names; /* of members */
    GArray *lines;    /* RefpointProgress */
} Lines;

static void
lines_clear(Lines *lines)
{
    g_ptr_array_unref(lines->names);
    g_array_unref(lines->lines);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Lines, lines_clear)

/* Of a disk of a group, DOMAIN:TARGET, the domain; a target has no colon. NULL:
 * it is none of a group. */
static char *
domain_of(const RefpointProgress *disk)
{
    const char *colon = strrchr(disk->target, ':');

    return colon != NULL
               ? g_strndup(disk->target, (gsize)(colon - disk->target))
               : NULL;
}

/* The disks of a member come in a row. */
static void
add_disk(Lines *lines, const RefpointProgress *disk)
{
    g_autofree char *domain = domain_of(disk);
    const guint n = lines->lines->len;
    RefpointProgress *last =
        n > 0 ? &g_array_index(lines->lines, RefpointProgress, n - 1) : NULL;
    RefpointProgress line = *disk;

    if (domain != NULL && last != NULL && g_str_equal(last->target, domain)) {
        add_to(last, disk);
        return;
    }
    if (domain != NULL) {
        line.target = domain;
        g_ptr_array_add(lines->names, g_steal_pointer(&domain));
    }
    g_array_append_val(lines->lines, line);
}

static Lines
lines_of(const RefpointProgress *disks, guint n_disks)
{
    Lines lines = {.names = g_ptr_array_new_with_free_func(g_free),
                   .lines = g_array_new(FALSE, TRUE, sizeof(RefpointProgress))};

    for (guint i = 0; i < n_disks; i++)
        add_disk(&lines, &disks[i]);
    return lines;
}

static gboolean
is_moving(const RefpointProgress *line)
{
    return line->done > 0 && (!line->final || line->done < line->total);
}

/* As many as there is room for, those that move first; the last line is that of
 * all of them. */
static void
draw_some(Progress *progress,
          const RefpointProgress *lines,
          guint n_lines,
          const Pace *paces,
          guint room)
{
    g_autofree RefpointProgress *some = g_new0(RefpointProgress, room + 1);
    g_autofree Pace *some_paces = g_new0(Pace, room + 1);
    guint n = 0;

    for (guint i = 0; i < n_lines && n + 1 < room; i++)
        if (is_moving(&lines[i])) {
            some[n] = lines[i];
            some_paces[n++] = paces[i];
        }
    some[n] = lines[n_lines];
    some_paces[n++] = paces[n_lines];
    draw(progress, some, n, some_paces);
}

void
progress_update(const RefpointProgress *disks, guint n_disks, gpointer opaque)
{
    Progress *progress = opaque;
    g_auto(Lines) lines = {0};
    RefpointProgress sum;
    const RefpointProgress *line;
    const Pace *paces;
    gint64 now = g_get_monotonic_time();
    guint columns, rows, n;

    if (n_disks == 0 || n_disks > DISKS_MAX)
        return;
    lines = lines_of(disks, n_disks);
    n = lines.lines->len;
    sum = sum_of(disks, n_disks,
                 lines.names->len > 0 ? _("all domains") : _("all disks"));
    g_array_append_val(lines.lines, sum);
    line = (const RefpointProgress *)(void *)lines.lines->data;
    terminal_size(&columns, &rows);
    g_mutex_lock(&progress->lock);
    paces = update_paces(progress, line, n, &sum, now);
    if (is_due(progress, all_done(disks, n_disks), now)) {
        if (progress->terminal && n > 1 && (progress->dumb || n + 1 > rows))
            draw_some(progress, line, n, paces,
                      progress->dumb || rows < 3 ? 1 : rows - 1);
        else
            draw(progress, line, n, paces);
        progress->drawn = now;
    }
    g_mutex_unlock(&progress->lock);
}
