/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guard says, heard by the other side. */
#include "operation/guard.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    RfpGuard guard;
    RfpFd other; /* where the guard would be */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    int pair[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                    ==, 0);
    fixture->guard = (RfpGuard){.fd = pair[0]};
    fixture->other = pair[1];
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    rfp_guard_clear(&fixture->guard);
    rfp_fd_clear(&fixture->other);
}

static void
say(Fixture *fixture, const char *text)
{
    g_assert_cmpint(write(fixture->other, text, strlen(text)), ==,
                    strlen(text));
}

static void
test_watching(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    char heard[16] = "";

    say(fixture, "watching\n");
    g_assert_true(rfp_guard_keep(&fixture->guard));
    g_assert_cmpint(fixture->guard.ended, ==, RFP_GUARD_WATCHES);
    g_assert_cmpint(read(fixture->other, heard, sizeof(heard) - 1), ==, 5);
    g_assert_cmpstr(heard, ==, "keep\n");
}

/* It has ended the job just before it was told that this is kept. */
static void
test_ended(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    say(fixture, "ended scratch 4096\nwatching\n");
    g_assert_true(rfp_guard_keep(&fixture->guard));
    g_assert_cmpint(fixture->guard.ended, ==, RFP_GUARD_ENDED_SCRATCH);
    g_assert_cmpuint(fixture->guard.left, ==, 4096);
}

/* Half of that had been heard before. */
static void
test_halves(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    say(fixture, "ended io-");
    rfp_guard_listen(&fixture->guard);
    say(fixture, "error\nwatching\n");
    g_assert_true(rfp_guard_keep(&fixture->guard));
    g_assert_cmpint(fixture->guard.ended, ==, RFP_GUARD_ENDED_IO);
}

static void
test_gone(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    say(fixture, "ended scratch 4096\n");
    rfp_fd_clear(&fixture->other);
    g_assert_false(rfp_guard_keep(&fixture->guard));
    g_assert_cmpint(fixture->guard.ended, ==, RFP_GUARD_ENDED_SCRATCH);
}

#define ADD(name, func)                                                        \
    g_test_add("/guard/" name, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("watching", test_watching);
    ADD("ended", test_ended);
    ADD("halves", test_halves);
    ADD("gone", test_gone);
    return g_test_run();
}
