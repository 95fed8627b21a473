/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "interrupt.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define RATE_FIRST ((guint64)128 << 20)
#define RATE_LEAST ((guint64)1 << 20)

static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
static const int rate_signals[] = {SIGUSR1, SIGUSR2};

/* A signal handler has no argument of ours: hence this one static object. It
 * changes only while the handlers are not installed, but for the flags. */
static struct {
    RefpointJob *job;
    char *notice; /* NULL: nothing, or nothing more, to say */
    size_t notice_length;
    volatile sig_atomic_t signal;
    volatile sig_atomic_t told;
    struct sigaction before[G_N_ELEMENTS(signals)];
    volatile guint64 rate; /* bytes in a second; 0: no limit */
    gboolean has_rate;
    struct sigaction before_rate[G_N_ELEMENTS(rate_signals)];
} state;

static void
on_signal(int number)
{
    int saved = errno;
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (state.signal == 0)
        state.signal = number;
    refpoint_job_cancel(state.job);
    if (state.notice != NULL && !state.told) {
        state.told = 1;
        /* a terminal that was stopped must not stop what is undone */
        if (poll(&terminal, 1, 0) == 1 && (terminal.revents & POLLOUT) &&
            write(STDERR_FILENO, state.notice, state.notice_length) < 0)
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

static void
on_rate_signal(int number)
{
    guint64 rate = state.rate;

    if (number == SIGUSR1)
        rate = rate != 0 ? MAX(rate / 2, MIN(rate, RATE_LEAST)) : RATE_FIRST;
    else
        rate = MIN(rate, G_MAXUINT64 / 4) * 2;
    state.rate = rate;
    refpoint_job_set_rate(state.job, rate);
}

void
interrupt_rate(guint64 rate)
{
    struct sigaction action = {.sa_handler = on_rate_signal,
                               .sa_flags = SA_RESTART};

    state.rate = rate;
    state.has_rate = TRUE;
    sigfillset(&action.sa_mask);
    for (guint i = 0; i < G_N_ELEMENTS(rate_signals); i++)
        sigaction(rate_signals[i], &action, &state.before_rate[i]);
}

void
interrupt_end(void)
{
    for (guint i = 0; state.has_rate && i < G_N_ELEMENTS(rate_signals); i++)
        sigaction(rate_signals[i], &state.before_rate[i], NULL);
    state.has_rate = FALSE;
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
