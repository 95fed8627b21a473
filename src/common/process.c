/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/process.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Fields behind the name, which is in parentheses and may have any of its
 * own. */
#define STATE_FIELD 0
#define START_FIELD 19

static char *
read_proc(pid_t pid, const char *name, gsize *length)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", (int)pid, name);
    char *text = NULL;

    return g_file_get_contents(path, &text, length, NULL) ? text : NULL;
}

/* Free with g_free(). NULL: there is no such process, or nobody can tell. */
static char *
read_field(pid_t pid, guint field)
{
    g_autofree char *text = read_proc(pid, "stat", NULL);
    char *name_end = text != NULL ? strrchr(text, ')') : NULL;
    g_auto(GStrv) fields = NULL;

    if (name_end == NULL || name_end[1] != ' ')
        return NULL;
    fields = g_strsplit(name_end + 2, " ", (gint)field + 2);
    return g_strv_length(fields) > field ? g_strdup(fields[field]) : NULL;
}

guint64
rfp_process_start(pid_t pid)
{
    g_autofree char *start = read_field(pid, START_FIELD);

    return start != NULL ? g_ascii_strtoull(start, NULL, 10) : 0;
}

gboolean
rfp_process_is_stopped(pid_t pid)
{
    g_autofree char *state = read_field(pid, STATE_FIELD);

    return state != NULL && (state[0] == 'T' || state[0] == 't');
}

int
rfp_process_hold(pid_t pid, guint64 start)
{
    int pid_fd = -1;

#ifdef SYS_pidfd_open
    if (pid > 1 && start != 0)
        pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
#endif
    /* it is held before it is looked at */
    if (pid_fd < 0 || rfp_process_start(pid) == start)
        return pid_fd;
    close(pid_fd);
    return -1;
}

gboolean
rfp_process_kill(int pid_fd)
{
#ifdef SYS_pidfd_send_signal
    return syscall(SYS_pidfd_send_signal, pid_fd, SIGKILL, NULL, 0) == 0;
#else
    return FALSE;
#endif
}

char *
rfp_process_command(pid_t pid)
{
    gsize length = 0;
    g_autofree char *text = read_proc(pid, "cmdline", &length);

    while (length > 0 && text[length - 1] == '\0')
        length--;
    if (length == 0)
        return NULL;
    for (gsize i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return g_steal_pointer(&text);
}
