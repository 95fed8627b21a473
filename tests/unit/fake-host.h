/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host that is not there: behind the calls of libvirt (virt/virt-calls.h) are
 * one domain with one disk, its QEMU, its guest and the guest's agent, all of
 * them a few variables of this process. Any call can be made to fail. What the
 * program called, in which order, is written down.
 *
 * libvirt's test driver gives the handles of connection, domain and
 * checkpoints, and nothing else. Time is not waited for: g_usleep() moves the
 * clock on. The guard is not started: who speaks to it speaks to this file.
 */
#ifndef TEST_FAKE_HOST_H
#define TEST_FAKE_HOST_H

#include "base/files.h"
#include "virt/connection.h"

#define FAKE_UUID "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"
#define FAKE_NAME "vm1"
#define FAKE_TARGET "vda"
#define FAKE_SIZE ((guint64)256 * 1024)

/* What becomes of a call that fails. */
typedef enum {
    FAKE_REFUSED,    /* nothing was done */
    FAKE_UNANSWERED, /* it was done, and yet its caller hears of a failure */
    FAKE_LOST,       /* the daemon was restarted before it was done */
    FAKE_CUT_OFF,    /* ... after it was done, before its caller heard of it */
    FAKE_GONE,       /* it was done, and from here on there is no daemon */
    FAKE_CANCELLED,  /* it succeeds, and the job is cancelled meanwhile */
    FAKE_KILLED,     /* it was done, and its caller, a child process, is no
                      * more: fake_host_run() */
    FAKE_N_FAILURES
} FakeFailure;

/* For messages. */
extern const char *const fake_failures[FAKE_N_FAILURES];

/* A checkpoint as the domain has it. */
typedef struct {
    char *name;
    char *description;
    gint64 created;
} FakeCheckpoint;

typedef struct {
    char *dir;         /* temporary: of all files */
    char *disk;        /* path of the image of FAKE_TARGET, a qcow2 header */
    gboolean diskless; /* the domain does not have it */
    RefpointConnection conn;
    virConnectPtr lost; /* the connection of a daemon that is gone, or NULL */

    /* The domain. */
    gboolean running;
    gboolean frozen;
    char *metadata;         /* or NULL */
    char *job;              /* XML of its backup job, or NULL */
    GPtrArray *checkpoints; /* FakeCheckpoint, oldest first */
    GHashTable *bitmaps;    /* names of those in the image */
    gint64 clock;       /* seconds since the epoch: when a checkpoint is made */
    int agent_timeout;  /* seconds */
    const char *server; /* socket of the NBD server that its jobs have, or
                         * NULL: their clients find nobody */

    /* What fails. */
    guint fail_at; /* which call, from 1; 0: none */
    FakeFailure failure;
    RefpointJob *job_to_cancel; /* borrowed, or NULL */
    gboolean gone;              /* there is no daemon */

    /* What was seen. */
    guint n_calls;
    char *failed; /* the call that failed, or NULL */
    gboolean
        stale; /* a job got a scratch file that another one had written to */
    gboolean unrecorded; /* a change was made that the record could not undo */
    GString *trace; /* calls that change something, and words to the guard; and
                     * behind each of them what the record has more than before,
                     * "clear" where it has nothing any more */
    char *record;   /* its steps at the last line of @trace, or NULL */
    goffset synced; /* bytes of it that were synced */
    GString *calls; /* all calls */
    RfpFd watch;    /* the lock of who watches what is kept, or -1 */
    RfpFd guard;    /* our end of what the guard would hear, or -1 */
} FakeHost;

/* There is one at a time. */
FakeHost *
fake_host_new(void);

void
fake_host_free(FakeHost *host);

/* The call number @n from now on fails, once, but for FAKE_GONE; @job is what
 * is cancelled then. */
void
fake_host_fail(FakeHost *host, guint n, FakeFailure failure, RefpointJob *job);

/* Nothing fails any more, the daemon is there, and the program has been started
 * anew; what was seen until now is forgotten. */
void
fake_host_calm(FakeHost *host);

/*
 * Runs @func in a child process, which ends with it, or in the midst of the
 * call that fails as FAKE_KILLED. What has become of the host meanwhile is in
 * @host afterwards, and what @func has answered in *@done. FALSE: it was
 * killed.
 */
gboolean
fake_host_run(FakeHost *host,
              gboolean (*func)(FakeHost *host,
                               RefpointJob *job,
                               GError **error),
              gboolean *done);

/* Writes down what the guard has been told since the last call. */
void
fake_host_listen(FakeHost *host);

/* What a guard would do of which it was told: thaws a guest whose freeze may
 * come late. */
void
fake_host_guard_late(FakeHost *host);

/* The words of the record, "operation checkpoint", or "" if it is clear. Free
 * with g_free(). */
char *
fake_host_record(FakeHost *host);

FakeCheckpoint *
fake_host_checkpoint(FakeHost *host, const char *name);

/* As if another program had made it: with its bitmap. */
void
fake_host_add_checkpoint(FakeHost *host, const char *name, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeHost, fake_host_free)

#endif
