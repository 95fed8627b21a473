/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stop.h"

#include "interrupt.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>

/* How long requests may take to end, and one look at whether to wait on. */
#define PATIENCE_US (2 * G_USEC_PER_SEC)
#define LOOK_MS 20

enum {
    WANT_NOTHING,
    WANT_STOP,
    WANT_STOP_NOW, /* a second Ctrl-Z */
};

/* For signal handlers, as in interrupt.c. They only say what is wanted; a
 * thread does it, for a handler may have interrupted one of the requests. */
static struct {
    GThread *thread; /* NULL: not begun */
    RefpointConnection *conn;
    sem_t wake;
    gint want;  /* atomic */
    gint ended; /* atomic */
    struct sigaction before;
    struct sigaction before_continue;
} state;

static void
on_stop(int number G_GNUC_UNUSED)
{
    int saved = errno;

    if (!g_atomic_int_compare_and_exchange(&state.want, WANT_NOTHING,
                                           WANT_STOP))
        g_atomic_int_set(&state.want, WANT_STOP_NOW);
    sem_post(&state.wake);
    errno = saved;
}

static void
on_continue(int number G_GNUC_UNUSED)
{
    g_atomic_int_set(&state.want, WANT_NOTHING);
}

static void
catch_stop(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

    sigfillset(&action.sa_mask);
    sigaction(SIGTSTP, &action, NULL);
}

/* As if the signal had not been caught: not where no shell could continue the
 * program. Comes back when it is continued. */
static void
stop_all_threads(void)
{
    signal(SIGTSTP, SIG_DFL);
    raise(SIGTSTP);
    catch_stop();
}

static void
stop_politely(void)
{
    const gint64 end = g_get_monotonic_time() + PATIENCE_US;
    const int interrupted = interrupt_signal();

    while (!refpoint_connection_hold(state.conn, LOOK_MS) &&
           g_atomic_int_get(&state.want) == WANT_STOP &&
           interrupt_signal() == interrupted && g_get_monotonic_time() < end)
        continue;
    /* nothing is wanted any more: SIGCONT has come meanwhile */
    if (g_atomic_int_exchange(&state.want, WANT_NOTHING) != WANT_NOTHING &&
        interrupt_signal() == interrupted)
        stop_all_threads();
    refpoint_connection_release(state.conn);
}

static gpointer
stop_thread(gpointer opaque)
{
    while (!g_atomic_int_get(&state.ended)) {
        while (sem_wait(&state.wake) < 0 && errno == EINTR)
            continue;
        if (g_atomic_int_get(&state.want) != WANT_NOTHING)
            stop_politely();
    }
    return opaque;
}

void
stop_begin(RefpointConnection *conn)
{
    struct sigaction action = {.sa_handler = on_continue,
                               .sa_flags = SA_RESTART};

    sigaction(SIGTSTP, NULL, &state.before);
    if (state.before.sa_handler == SIG_IGN)
        return;
    state.conn = conn;
    state.ended = FALSE;
    sem_init(&state.wake, 0, 0);
    state.thread = g_thread_try_new("stop", stop_thread, NULL, NULL);
    if (state.thread == NULL)
        return; /* Ctrl-Z stops at once, then */
    sigfillset(&action.sa_mask);
    sigaction(SIGCONT, &action, &state.before_continue);
    catch_stop();
}

void
stop_end(void)
{
    if (state.thread == NULL)
        return;
    g_atomic_int_set(&state.ended, TRUE);
    sem_post(&state.wake);
    g_thread_join(g_steal_pointer(&state.thread));
    sigaction(SIGTSTP, &state.before, NULL);
    sigaction(SIGCONT, &state.before_continue, NULL);
    /* one that came behind the thread's last look */
    if (g_atomic_int_exchange(&state.want, WANT_NOTHING) != WANT_NOTHING)
        raise(SIGTSTP);
    sem_destroy(&state.wake);
}
