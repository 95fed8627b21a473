/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/reader.h"
#include "common/process.h"

#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child does once it is connected. */
typedef enum {
    READS,
    SLEEPS, /* and takes nothing */
    IS_STOPPED,
    IS_CLOSED, /* to all others, and stopped */
} Behaviour;

typedef struct {
    char *dir;
    char *path;
    char *other_path;
    int server; /* the accepted end of the child's connection */
    int other;  /* of its connection to @other_path */
    pid_t child;
} Fixture;

static int
listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==,
                    0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd
                                                                          : -1;
}

static void
child_main(const Fixture *fixture, Behaviour behaviour)
{
    int other = connect_to(fixture->other_path);
    int fd = connect_to(fixture->path);
    char data[4096];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (behaviour == IS_CLOSED)
        prctl(PR_SET_DUMPABLE, 0);
    (void)!write(other, "x", 1);
    if (behaviour == IS_STOPPED || behaviour == IS_CLOSED)
        raise(SIGSTOP);
    while (behaviour == SLEEPS)
        pause();
    while (read(fd, data, sizeof(data)) > 0)
        continue;
    _exit(other < 0 || fd < 0);
}

/* As many bytes as go into the connection without waiting; 0 and less: none. */
static ssize_t
fill(int fd)
{
    char data[4096] = {0};
    ssize_t n = 0;
    ssize_t all = 0;

    while ((n = send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
        all += n;
    return all;
}

static void
start(Fixture *fixture, Behaviour behaviour)
{
    g_autoptr(GError) error = NULL;
    char byte = '\0';
    int listener = 0;
    int other_listener = 0;

    fixture->dir = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->path = g_build_filename(fixture->dir, "nbd", NULL);
    fixture->other_path = g_build_filename(fixture->dir, "other", NULL);
    listener = listen_at(fixture->path);
    other_listener = listen_at(fixture->other_path);
    fixture->child = fork();
    g_assert_cmpint(fixture->child, >=, 0);
    if (fixture->child == 0)
        child_main(fixture, behaviour);
    fixture->other = accept(other_listener, NULL, NULL);
    fixture->server = accept(listener, NULL, NULL);
    g_assert_cmpint(fixture->server, >=, 0);
    g_assert_cmpint(read(fixture->other, &byte, 1), ==, 1);
    if (behaviour == IS_STOPPED || behaviour == IS_CLOSED)
        g_assert_cmpint(waitpid(fixture->child, NULL, WUNTRACED), ==,
                        fixture->child);
    close(listener);
    close(other_listener);
}

static void
end(Fixture *fixture)
{
    if (fixture->child > 0) {
        kill(fixture->child, SIGKILL);
        waitpid(fixture->child, NULL, 0);
    }
    close(fixture->server);
    close(fixture->other);
    g_unlink(fixture->path);
    g_unlink(fixture->other_path);
    g_assert_cmpint(g_rmdir(fixture->dir), ==, 0);
    g_free(fixture->dir);
    g_free(fixture->path);
    g_free(fixture->other_path);
}

static RfpReader
cut(const Fixture *fixture)
{
    return rfp_reader_cut(fixture->child, rfp_process_start(fixture->child),
                          fixture->path);
}

/* As QEMU waits: until it could write, and then that fails. */
static gboolean
write_ends(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

    return poll(&poll_fd, 1, 1000) == 1 && (poll_fd.revents & POLLOUT) != 0 &&
           send(fd, "x", 1, MSG_NOSIGNAL) == -1;
}

/* Where the kernel forbids to look, as in some containers, it is known by the
 * death of a stopped one. */
static gboolean
may_trace(void)
{
    Fixture fixture = {0};
    RfpReader reader = RFP_READER_READS;

    start(&fixture, IS_STOPPED);
    reader = cut(&fixture);
    end(&fixture);
    if (reader == RFP_READER_CUT)
        return TRUE;
    g_assert_cmpint(reader, ==, RFP_READER_KILLED);
    g_test_skip("no other process may be traced here");
    return FALSE;
}

static void
test_stopped(void)
{
    Fixture fixture = {0};

    if (!may_trace())
        return;
    start(&fixture, IS_STOPPED);
    g_assert_cmpint(fill(fixture.server), >, 0);
    g_assert_cmpint(cut(&fixture), ==, RFP_READER_CUT);
    g_assert_true(write_ends(fixture.server));
    /* and nothing else of that process */
    g_assert_cmpint(send(fixture.other, "x", 1, MSG_NOSIGNAL), ==, 1);
    g_assert_true(rfp_process_is_stopped(fixture.child));
    end(&fixture);
}

static void
test_sleeps(void)
{
    Fixture fixture = {0};

    if (!may_trace())
        return;
    start(&fixture, SLEEPS);
    g_assert_cmpint(cut(&fixture), ==, RFP_READER_READS);
    g_assert_cmpint(fill(fixture.server), >, 0);
    g_assert_cmpint(cut(&fixture), ==, RFP_READER_CUT);
    g_assert_true(write_ends(fixture.server));
    end(&fixture);
}

static void
test_reads(void)
{
    Fixture fixture = {0};
    int untaken = 0;

    start(&fixture, READS);
    g_assert_cmpint(fill(fixture.server), >, 0);
    /* a busy machine may let it wait for its turn */
    do
        g_assert_cmpint(ioctl(fixture.server, SIOCOUTQ, &untaken), ==, 0);
    while (untaken > 0);
    g_assert_cmpint(cut(&fixture), ==, RFP_READER_READS);
    g_assert_false(rfp_reader_kill_stopped(fixture.child,
                                           rfp_process_start(fixture.child)));
    g_assert_cmpint(send(fixture.server, "x", 1, MSG_NOSIGNAL), ==, 1);
    end(&fixture);
}

/* Its memory, and so its descriptors, are nobody's business but root's. */
static void
test_closed(void)
{
    Fixture fixture = {0};
    int status = 0;
    RfpReader reader = RFP_READER_READS;

    start(&fixture, IS_CLOSED);
    reader = cut(&fixture);
    g_assert_true(reader == RFP_READER_KILLED ||
                  (reader == RFP_READER_CUT && geteuid() == 0));
    if (reader == RFP_READER_CUT)
        g_assert_true(
            rfp_reader_kill_stopped(fixture.child,
                                    rfp_process_start(fixture.child)));
    g_assert_cmpint(waitpid(fixture.child, &status, 0), ==, fixture.child);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fixture.child = 0; /* it is gone */
    end(&fixture);
}

static void
test_other_process(void)
{
    Fixture fixture = {0};

    start(&fixture, IS_STOPPED);
    g_assert_cmpint(rfp_reader_cut(fixture.child,
                                   rfp_process_start(fixture.child) + 1,
                                   fixture.path),
                    ==, RFP_READER_READS);
    g_assert_false(
        rfp_reader_kill_stopped(fixture.child,
                                rfp_process_start(fixture.child) + 1));
    g_assert_cmpint(send(fixture.server, "x", 1, MSG_NOSIGNAL), ==, 1);
    end(&fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/reader/stopped", test_stopped);
    g_test_add_func("/reader/sleeps", test_sleeps);
    g_test_add_func("/reader/reads", test_reads);
    g_test_add_func("/reader/closed", test_closed);
    g_test_add_func("/reader/other-process", test_other_process);
    return g_test_run();
}
