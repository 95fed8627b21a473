/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/process.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t
start_child(const char *name)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        pause();
}

static void
end_child(pid_t pid)
{
    kill(pid, SIGKILL);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

static gboolean
has_name(pid_t pid, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
    g_autofree char *comm = NULL;

    return g_file_get_contents(path, &comm, NULL, NULL) &&
           strcmp(g_strchomp(comm), name) == 0;
}

/* Field 22 of a line whose second field may have blanks and parentheses. */
static void
test_start(void)
{
    const char *name = ") Z 1 2 (";
    pid_t pid = start_child(name);
    guint64 start = rfp_process_start(pid);

    g_assert_cmpuint(start, >=, rfp_process_start(getpid()));
    g_assert_cmpuint(rfp_process_start(getpid()), >, 0);
    while (!has_name(pid, name))
        g_usleep(1000);
    g_assert_cmpuint(rfp_process_start(pid), ==, start);
    end_child(pid);
    g_assert_cmpuint(rfp_process_start(pid), ==, 0);
}

static void
test_command(void)
{
    g_autofree char *command = rfp_process_command(getpid());
    pid_t pid = start_child("child");

    g_assert_nonnull(command);
    g_assert_nonnull(strstr(command, "test-process"));
    g_assert_false(g_str_has_suffix(command, " "));
    end_child(pid);
    g_assert_null(rfp_process_command(pid));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/process/start", test_start);
    g_test_add_func("/process/command", test_command);
    return g_test_run();
}
