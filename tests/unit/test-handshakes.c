/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/handshakes.h"

#include <glib/gstdio.h>
#include <unistd.h>

static void
test_closed(void)
{
    RfpHandshakes handshakes;

    rfp_handshakes_init(&handshakes);
    g_assert_true(rfp_handshakes_begin(&handshakes));
    g_assert_true(rfp_handshakes_begin(&handshakes));
    rfp_handshakes_end(&handshakes);
    rfp_handshakes_end(&handshakes);
    rfp_handshakes_close(&handshakes);
    g_assert_false(rfp_handshakes_begin(&handshakes));
    rfp_handshakes_clear(&handshakes);
}

typedef struct {
    RfpHandshakes handshakes;
    gint ended; /* atomic */
} Late;

static gpointer
end_later(gpointer opaque)
{
    Late *late = opaque;

    g_usleep(100 * 1000);
    g_atomic_int_set(&late->ended, TRUE);
    rfp_handshakes_end(&late->handshakes);
    return NULL;
}

static void
test_waited_for(void)
{
    Late late = {0};
    GThread *thread = NULL;

    rfp_handshakes_init(&late.handshakes);
    g_assert_true(rfp_handshakes_begin(&late.handshakes));
    thread = g_thread_new("late", end_later, &late);
    rfp_handshakes_close(&late.handshakes);
    g_assert_true(g_atomic_int_get(&late.ended));
    g_thread_join(thread);
    rfp_handshakes_clear(&late.handshakes);
}

/* Locks are those of open file descriptions: one process will do. */
static void
test_other_process(void)
{
    g_autofree char *path = NULL;
    int made = g_file_open_tmp("refpoint-XXXXXX", &path, NULL);
    RfpHandshakes handshakes;
    int fd = -1;

    g_assert_cmpint(made, >=, 0);
    rfp_handshakes_init(&handshakes);
    handshakes.path = path;
    g_assert_true(rfp_handshakes_begin(&handshakes));
    g_assert_true(rfp_handshakes_begin(&handshakes));
    rfp_handshakes_end(&handshakes);
    g_assert_cmpint(rfp_handshakes_keep_out(path), <, 0);
    rfp_handshakes_end(&handshakes);
    fd = rfp_handshakes_keep_out(path);
    g_assert_cmpint(fd, >=, 0);
    g_assert_false(rfp_handshakes_begin(&handshakes));
    close(fd);
    g_assert_true(rfp_handshakes_begin(&handshakes));
    rfp_handshakes_end(&handshakes);
    handshakes.path = "/nowhere/at/all";
    g_assert_false(rfp_handshakes_begin(&handshakes));
    rfp_handshakes_clear(&handshakes);
    g_unlink(path);
    close(made);
}

/* Who closes first ends the job, and the other one lets it be. */
static void
test_one_ends(void)
{
    g_autofree char *path = NULL;
    int made = g_file_open_tmp("refpoint-XXXXXX", &path, NULL);
    RfpHandshakes handshakes;
    int fd = -1;

    g_assert_cmpint(made, >=, 0);
    rfp_handshakes_init(&handshakes);
    handshakes.path = path;
    g_assert_true(rfp_handshakes_close(&handshakes));
    g_assert_true(rfp_handshakes_close(&handshakes));
    g_assert_cmpint(rfp_handshakes_keep_out(path), <, 0);
    rfp_handshakes_clear(&handshakes);
    fd = rfp_handshakes_keep_out(path);
    g_assert_cmpint(fd, >=, 0);
    rfp_handshakes_init(&handshakes);
    handshakes.path = path;
    g_assert_false(rfp_handshakes_close(&handshakes));
    close(fd);
    g_assert_true(rfp_handshakes_close(&handshakes));
    rfp_handshakes_clear(&handshakes);
    g_unlink(path);
    close(made);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/handshakes/closed", test_closed);
    g_test_add_func("/handshakes/waited-for", test_waited_for);
    g_test_add_func("/handshakes/other-process", test_other_process);
    g_test_add_func("/handshakes/one-ends", test_one_ends);
    return g_test_run();
}
