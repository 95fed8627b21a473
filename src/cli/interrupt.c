/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "interrupt.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};

/* A signal handler has no argument of ours: hence this one static object. It
 * changes only while the handlers are not installed, but for the flags. */
static struct {
    RefpointJob *job;
    char *notice; /* NULL: nothing, or nothing more, to say */
    size_t notice_length;
    volatile sig_atomic_t signal;
    volatile sig_atomic_t told;
    struct sigaction before[G_N_ELEMENTS(signals)];
} state;

static void
on_signal(int number)
{
    int saved = errno;

    if (state.signal == 0)
        state.signal = number;
    refpoint_job_cancel(state.job);
    if (state.notice != NULL && !state.told) {
        state.told = 1;
        if (write(STDERR_FILENO, state.notice, state.notice_length) < 0)
            state.told = 1; /* there is nobody to tell */
    }
    errno = saved;
}

void
interrupt_begin(RefpointJob *job, gboolean notice)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    state.job = job;
    if (notice && isatty(STDERR_FILENO)) {
        state.notice =
            g_strconcat("\n", _("interrupted, undoing ..."), "\n", NULL);
        state.notice_length = strlen(state.notice);
    }
    sigfillset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
        sigaction(signals[i], NULL, &state.before[i]);
        if (state.before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

void
interrupt_end(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &state.before[i], NULL);
    g_clear_pointer(&state.notice, g_free);
    state.job = NULL;
}

int
interrupt_signal(void)
{
    return state.signal;
}

void
interrupt_die(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}
