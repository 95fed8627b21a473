/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-refpoint-guard URI DOMAIN-UUID RECORDS-DIR [watch]
 *
 * Not to be started by hand: standard input is a socket pair to the process
 * that works on the domain (refpoint/guard.h). With "watch" it watches what is
 * kept of the domain, and ends when that does; systemd may start it so too.
 */
#include "base/names.h"
#include "base/text.h"
#include "common/process.h"
#include "copy/handshakes.h"
#include "copy/reader.h"
#include "operation/guard.h"
#include "operation/holder.h"
#include "operation/record.h"
#include "operation/undo.h"
#include "virt/agent.h"
#include "virt/backup-job.h"

#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#define RECORD_WAIT_MS 60000
/* How long an undo is tried again while it fails (the domain is shut off);
 * after that the next call does it. A job that may run is never left alone. */
#define UNDO_TRY_US (15 * 60 * G_USEC_PER_SEC)
#define UNDO_PAUSE_US (1 * G_USEC_PER_SEC)
#define UNDO_LATER_US (30 * G_USEC_PER_SEC)
/* A freeze that timed out may happen this much later, at least. */
#define LATE_MIN_US (10 * 60 * G_USEC_PER_SEC)
#define LATE_MAX_US (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define LATE_PAUSE_MS 1000
#define LATE_THAW_TIMEOUT 5
#define THAW_AGAIN_US (1 * G_USEC_PER_SEC)
#define CONNECT_US (10 * G_USEC_PER_SEC)
#define CONNECT_PAUSE_US (200 * 1000)
/* Scratch fills fast; libvirt is asked less often. */
#define JOB_PAUSE_MS 50
#define JOB_STATE_US (500 * 1000)
#define JOB_AGAIN_US (1 * G_USEC_PER_SEC)
#define WATCH_PAUSE_US (200 * 1000)
#define WATCH_JOB_ROUNDS 5
/* It has ended when it cannot be read so many times. */
#define WATCH_MISSING 5

typedef struct {
    const char *uri;
    const char *uuid;
    const char *records_dir;
    RefpointConnection *conn;
    RfpFd handshakes;    /* the lock that keeps them out, or -1 */
    gint64 frozen_until; /* monotonic, microseconds; 0: not frozen */
    GThread *late;       /* watches for a late freeze, or NULL */
    /* of the job that the other side has begun: */
    RfpRecord *job;          /* its record, to look at; NULL: none */
    RfpScratchWatch scratch; /* also of what is kept */
    gint64 state_at;         /* when the guest was looked at last */
    char *why;               /* it has to end; NULL: it may go on */
    gboolean told;           /* the other side knows */
    gint64 end_at;           /* when its end was tried last */
    char *logged;            /* the last error */
} Guard;

/* The watch for a late freeze has a thread and a connection of its own: the
 * agent may take its time, scratch does not wait. */
typedef struct {
    Guard guard;
    RfpFd lock;
    gint64 begin; /* monotonic, microseconds */
} Late;

static void
say(const char *text)
{
    (void)!send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL);
}

/* What is tried again and again fails with the same words: they are logged
 * once. */
static void
log_error(Guard *guard, const char *what, const GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);
    g_autofree char *line = g_strdup_printf("%s: %s", what, failure->message);

    if (g_strcmp0(line, guard->logged) == 0)
        return;
    syslog(LOG_WARNING, "%s", line);
    g_free(guard->logged);
    guard->logged = g_steal_pointer(&line);
}

/* The first time. Whoever started us has met the daemon: it may be about to be
 * restarted. Behind that the connection comes back by itself (domain.h). */
static gboolean
connect_to_libvirt(Guard *guard)
{
    const gint64 end = g_get_monotonic_time() + CONNECT_US;
    g_autoptr(GError) error = NULL;

    while (guard->conn == NULL) {
        g_clear_error(&error);
        guard->conn = refpoint_connection_open(guard->uri, &error);
        if (guard->conn != NULL || g_get_monotonic_time() > end)
            break;
        g_usleep(CONNECT_PAUSE_US);
    }
    if (guard->conn == NULL) {
        log_error(guard, "cannot connect", error);
        return FALSE;
    }
    /* scratch is looked at meanwhile */
    guard->conn->hasty = TRUE;
    /* the folders are those of the process that started us */
    guard->conn->records_dir = guard->records_dir;
    return TRUE;
}

/* *@gone: there is no such domain any more. */
static RfpDomain *
find_domain(Guard *guard, gboolean *gone)
{
    g_autoptr(GError) error = NULL;
    RfpDomain *domain = NULL;

    *gone = FALSE;
    if (!connect_to_libvirt(guard))
        return NULL;
    domain = rfp_domain_lookup(guard->conn, guard->uuid, NULL, &error);
    if (domain == NULL) {
        *gone = rfp_error_libvirt_code(error) == VIR_ERR_NO_DOMAIN;
        log_error(guard, "cannot find the domain", error);
    }
    return domain;
}

/* ---- Late freezes -------------------------------------------------------- */

/* TRUE when a late freeze was seen and thawed, or the agent answers and the
 * time in which it could have happened is over, or the guest is off. */
static gboolean
late_is_over(Late *late)
{
    gint64 waited = g_get_monotonic_time() - late->begin;
    gboolean gone = FALSE;
    gint thawed = 0;
    RfpDomainState state = {0};
    g_autoptr(RfpDomain) domain = find_domain(&late->guard, &gone);

    if (gone || waited > LATE_MAX_US)
        return TRUE;
    if (domain == NULL || !rfp_domain_state(domain, &state, NULL))
        return FALSE;
    return !state.active ||
           (rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, &thawed, NULL) &&
            (thawed > 0 || waited > LATE_MIN_US));
}

static gpointer
late_thread(gpointer opaque)
{
    Late *late = opaque;
    Guard *guard = &late->guard;

    while (!late_is_over(late) || guard->conn == NULL)
        g_usleep(LATE_PAUSE_MS * 1000);
    rfp_late_freeze_clear(guard->conn, guard->uuid);
    rfp_fd_clear(&late->lock);
    syslog(LOG_NOTICE, "domain %s: no late freeze any more", guard->uuid);
    refpoint_connection_free(guard->conn);
    g_free(guard->logged);
    g_free(late);
    return NULL;
}

/* Begins the watch where there is something to watch, and nobody does. */
static void
late_start(Guard *guard)
{
    g_auto(RfpFd) lock = -1;
    Late *late = NULL;

    if (connect_to_libvirt(guard))
        lock = rfp_late_freeze_take(guard->conn, guard->uuid);
    if (lock < 0)
        return;
    late = g_new0(Late, 1);
    late->guard.uri = guard->uri;
    late->guard.uuid = guard->uuid;
    late->guard.records_dir = guard->records_dir;
    late->lock = rfp_fd_steal(&lock);
    late->begin = g_get_monotonic_time();
    if (guard->late != NULL) /* one that is over: the lock was free */
        g_thread_join(guard->late);
    guard->late = g_thread_new("late", late_thread, late);
}

/* ---- The undo ------------------------------------------------------------ */

/* TRUE: it is over, one way or the other. *@host, if not NULL: at least there
 * is no job of it any more. */
static gboolean
try_undo(Guard *guard, RfpRecord *record, gboolean *host)
{
    gboolean gone = FALSE;
    gboolean frozen = FALSE;
    RfpUndone undone = RFP_UNDO_NOTHING;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);

    if (host != NULL)
        *host = FALSE;
    if (domain == NULL && !gone)
        return FALSE;
    if (rfp_undo_run(domain, record, NULL, TRUE, &undone, &frozen, &error)) {
        syslog(LOG_NOTICE, "domain %s: the operation that died was %s",
               guard->uuid,
               undone == RFP_UNDO_PUBLISHED ? "completed"
               : undone == RFP_UNDO_UNSYNCED
                   ? "published, but its set cannot be synced: nothing "
                     "older is let go"
               : undone == RFP_UNDO_KEPT
                   ? "ended; its files and checkpoint are kept, the set "
                     "cannot be read"
                   : "undone");
        return TRUE;
    }
    log_error(guard, "cannot undo", error);
    if (host != NULL)
        *host = undone != RFP_UNDO_NOTHING;
    /* the watch thaws it when it can; the rest must not wait */
    if (frozen && rfp_late_freeze_mark(guard->conn, guard->uuid, NULL)) {
        rfp_record_append(record, NULL, RFP_STEP_THAWED, NULL);
        late_start(guard);
    }
    return FALSE;
}

static void
take_over(Guard *guard)
{
    gint64 end = g_get_monotonic_time() + UNDO_TRY_US;
    gboolean host = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpRecord) record =
        rfp_record_open(guard->records_dir, guard->uuid, RECORD_WAIT_MS,
                        &error);

    if (record == NULL) {
        log_error(guard, "cannot take the record over", error);
        return;
    }
    rfp_holder_note(record, TRUE);
    while (record->steps->len > 0 && !try_undo(guard, record, &host) &&
           (!host || g_get_monotonic_time() < end))
        g_usleep(g_get_monotonic_time() < end ? UNDO_PAUSE_US : UNDO_LATER_US);
}

/* ---- The job of the other side ------------------------------------------- */

static void
job_clear(Guard *guard)
{
    g_clear_pointer(&guard->job, rfp_record_close);
    guard->scratch = (RfpScratchWatch){0};
    g_clear_pointer(&guard->why, g_free);
    guard->state_at = guard->end_at = 0;
    guard->told = FALSE;
}

static void
job_begins(Guard *guard)
{
    job_clear(guard);
    guard->job = rfp_record_peek(guard->records_dir, guard->uuid);
    if (guard->job == NULL)
        syslog(LOG_WARNING, "domain %s: cannot watch its job: no record",
               guard->uuid);
}

/* A guest that cannot write stands still until the job ends. One that stood
 * still before has nothing to do with it. */
static gboolean
guest_stands_still(Guard *guard)
{
    gboolean gone = FALSE;
    RfpDomainState state = {0};
    g_autoptr(RfpDomain) domain = NULL;
    gint64 now = g_get_monotonic_time();

    if (now - guard->state_at < JOB_STATE_US ||
        rfp_record_find(guard->job, RFP_STEP_RAN) == NULL)
        return FALSE;
    guard->state_at = now;
    domain = find_domain(guard, &gone);
    return domain != NULL && rfp_domain_state(domain, &state, NULL) &&
           state.io_error;
}

static gboolean
job_is_there(RfpDomain *domain, const RfpRecord *record)
{
    const RfpStep *job = rfp_record_find(record, RFP_STEP_JOB);
    gboolean there = FALSE;

    return job != NULL &&
           rfp_backup_job_is_there(domain, job->args[0], &there, NULL) && there;
}

/* Who else may read the job, the other side or a reader of what is kept; NULL:
 * nobody. In push mode nobody does. */
static RfpHolder *
find_reader(const Guard *guard, const RfpRecord *record)
{
    g_autoptr(RfpHolder) holder =
        rfp_holder_read(guard->records_dir, guard->uuid);

    if (holder == NULL || holder->pid == getpid() ||
        rfp_scratch_is_pushed(record))
        return NULL;
    return g_steal_pointer(&holder);
}

static void
log_reader(const Guard *guard, const RfpHolder *holder, const char *what)
{
    syslog(LOG_WARNING, "domain %s: process %d, which does not go on, was %s",
           guard->uuid, (int)holder->pid, what);
}

/* Before the end of a job, while no connection is made: a reader that does not
 * go on would make QEMU, and the guest, stand still in that end. */
static void
cut_reader(const Guard *guard, const RfpRecord *record)
{
    const RfpStep *job = rfp_record_find(record, RFP_STEP_JOB);
    g_autoptr(RfpHolder) holder = find_reader(guard, record);
    RfpReader reader =
        job != NULL && holder != NULL
            ? rfp_reader_cut(holder->pid, holder->start, job->args[0])
            : RFP_READER_READS;

    if (reader != RFP_READER_READS)
        log_reader(guard, holder,
                   reader == RFP_READER_CUT ? "cut off from the backup job"
                                            : "killed");
}

/* A reader that was stopped while it made a connection, or ended the job
 * itself, keeps everybody else from ending it. One that is behind the end has
 * the lock of that still: it is let be. */
static void
kill_stopped_reader(Guard *guard, const RfpRecord *record)
{
    gboolean gone = FALSE;
    g_autoptr(RfpHolder) holder = find_reader(guard, record);
    g_autoptr(RfpDomain) domain = NULL;

    if (holder == NULL || !rfp_process_is_stopped(holder->pid))
        return;
    domain = find_domain(guard, &gone);
    if (domain != NULL && job_is_there(domain, record) &&
        rfp_reader_kill_stopped(holder->pid, holder->start))
        log_reader(guard, holder, "killed");
}

/* The other side, which may be in no state to read it now, finds why before it
 * finds that its job is gone. It has the record and goes on with the rest.
 * While it makes a connection, or is about to end the job itself, it is let
 * be, as long as it goes on with that. */
static void
job_end(Guard *guard)
{
    g_auto(RfpFd) others = rfp_handshakes_keep_out(guard->job->path);
    gboolean gone = FALSE;
    gboolean ended = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain =
        others >= 0 ? find_domain(guard, &gone) : NULL;
    g_autofree char *line = g_strconcat(guard->why, "\n", NULL);

    if (others < 0)
        kill_stopped_reader(guard, guard->job);
    if (others >= 0 && domain == NULL) /* the daemon is away */
        guard->end_at = g_get_monotonic_time();
    if (domain == NULL || !job_is_there(domain, guard->job))
        return;
    if (!guard->told)
        say(line);
    guard->told = TRUE;
    guard->end_at = g_get_monotonic_time();
    cut_reader(guard, guard->job);
    if (rfp_undo_job(domain, guard->job, &ended, &error)) {
        syslog(LOG_WARNING, "domain %s: its backup job %s: %s", guard->uuid,
               ended ? "had to end" : "had ended before it had to", guard->why);
        job_clear(guard);
    } else {
        log_error(guard, "cannot end the job", error);
    }
}

/* A frozen guest writes nothing, and its thaw does not wait for an end; but in
 * push mode QEMU writes meanwhile. A reason stays one, where nothing can be
 * done about it yet. */
static void
job_watch(Guard *guard)
{
    gboolean frozen = guard->frozen_until != 0;
    guint64 left = 0;

    if (guard->job == NULL || (frozen && !rfp_scratch_is_pushed(guard->job)) ||
        g_get_monotonic_time() - guard->end_at < JOB_AGAIN_US)
        return;
    if (guard->why == NULL &&
        !rfp_scratch_has_room(&guard->scratch, guard->job, &left))
        guard->why = g_strdup_printf("ended scratch %" PRIu64, left);
    else if (guard->why == NULL && !frozen && guest_stands_still(guard))
        guard->why = g_strdup("ended io-error");
    if (guard->why != NULL)
        job_end(guard);
}

/* ---- Kept data ----------------------------------------------------------- */

/* What is kept, if it is the point @guid's (NULL: any) and goes on. */
static RfpKept *
load_kept(Guard *guard, const char *guid, gboolean locked)
{
    RfpKept *kept = rfp_kept_load(guard->records_dir, guard->uuid, locked);

    if (kept != NULL && kept->ended == NULL &&
        (guid == NULL || rfp_guid_equal(kept->guid, guid)))
        return kept;
    rfp_kept_free(kept);
    return NULL;
}

/* Why it must end, or NULL. A daemon that does not answer is waited for. A
 * guest that cannot write stands still until the job ends. */
static const char *
reason_to_end(Guard *guard, const RfpKept *kept, gboolean ask)
{
    gboolean gone = FALSE;
    gboolean runs = FALSE;
    RfpDomainState state = {0};
    const char *limit = rfp_kept_limit(kept, &guard->scratch);
    g_autoptr(RfpDomain) domain = NULL;

    if (limit != NULL || !ask)
        return limit;
    domain = find_domain(guard, &gone);
    if (gone)
        return RFP_ENDED_STOPPED;
    if (domain == NULL || !rfp_kept_runs(domain, kept, &runs, NULL) ||
        !rfp_domain_state(domain, &state, NULL))
        return NULL;
    if (state.io_error)
        return RFP_ENDED_SCRATCH;
    return runs ? NULL : RFP_ENDED_STOPPED;
}

/* Scratch runs out, and the record is not free: the guest does not wait for
 * that. Who reads looks whether the job is there, and it is noted later. */
static void
end_job_alone(Guard *guard, RfpDomain *domain, const char *guid)
{
    g_autoptr(RfpKept) kept = load_kept(guard, guid, FALSE);
    gboolean ended = FALSE;
    g_autoptr(GError) error = NULL;

    /* While they shake hands the guest may even stop for want of room: it can
     * be woken from that. Kept out they are until the watch is over: the end
     * may take its time. */
    if (kept != NULL && guard->handshakes < 0)
        guard->handshakes = rfp_handshakes_keep_out(kept->record->path);
    if (kept != NULL && guard->handshakes < 0)
        kill_stopped_reader(guard, kept->record);
    else if (kept != NULL && domain != NULL)
        cut_reader(guard, kept->record);
    if (kept != NULL && guard->handshakes >= 0 && domain != NULL &&
        !rfp_undo_job(domain, kept->record, &ended, &error))
        log_error(guard, "cannot end what is kept", error);
}

/* An export that reads it has the record: time is given to it. So it is to an
 * operation that died and cannot be undone yet. */
static void
end_kept(Guard *guard, const char *guid, const char *why)
{
    gboolean gone = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpRecord) record =
        rfp_record_open(guard->records_dir, guard->uuid, 0, NULL);
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);
    g_autoptr(RfpKept) kept = NULL;

    if (record != NULL)
        rfp_holder_note(record, TRUE);
    if ((record == NULL || record->steps->len > 0) &&
        strcmp(why, RFP_ENDED_SCRATCH) == 0)
        end_job_alone(guard, domain, guid);
    if (record == NULL ||
        (record->steps->len > 0 && !try_undo(guard, record, NULL)))
        return;
    kept = load_kept(guard, guid, TRUE);
    if (kept == NULL || (domain == NULL && !gone))
        return;
    if (rfp_undo_kept(domain, kept, why, &error))
        syslog(LOG_NOTICE,
               "domain %s: the data of point %s is not kept any "
               "more: %s",
               guard->uuid, guid, why);
    else
        log_error(guard, "cannot end what is kept", error);
}

/* The first reason stays, but for scratch: that end does not wait for
 * anybody. */
static const char *
worse(const char *why, const char *now)
{
    return why == NULL || g_strcmp0(now, RFP_ENDED_SCRATCH) == 0 ? now : why;
}

static void
watch_kept(Guard *guard)
{
    g_autoptr(RfpKept) first = load_kept(guard, NULL, FALSE);
    g_auto(RfpFd) lock = first != NULL ? rfp_kept_take_watch(first) : -1;
    g_autofree char *guid = first != NULL ? g_strdup(first->guid) : NULL;
    const char *why = NULL;
    guint missing = 0;

    if (lock < 0)
        return;
    say("watching\n");
    for (guint round = 0; missing < WATCH_MISSING; round++) {
        g_autoptr(RfpKept) kept = load_kept(guard, guid, FALSE);

        missing = kept != NULL ? 0 : missing + 1;
        if (kept != NULL)
            why = worse(why, reason_to_end(guard, kept,
                                           round % WATCH_JOB_ROUNDS == 0));
        if (kept != NULL && why != NULL)
            end_kept(guard, guid, why);
        g_usleep(WATCH_PAUSE_US);
    }
    rfp_fd_clear(&guard->handshakes);
}

/* ---- The conversation ---------------------------------------------------- */

/* One line, or NULL on hang-up; *@timed_out where nothing came in time. */
static char *
read_line(int timeout_ms, gboolean *timed_out)
{
    GString *line = g_string_new(NULL);
    char c = '\0';

    *timed_out = FALSE;
    for (;;) {
        struct pollfd poll_fd = {.fd = STDIN_FILENO, .events = POLLIN};

        if (poll(&poll_fd, 1, timeout_ms) == 0) {
            *timed_out = TRUE;
            break;
        }
        if (read(STDIN_FILENO, &c, 1) != 1)
            break;
        if (c == '\n')
            return g_string_free(line, FALSE);
        if (line->len < 64)
            g_string_append_c(line, c);
    }
    g_string_free(line, TRUE);
    return NULL;
}

/* Once, but again as long as libvirt's daemon is away. */
static void
thaw_stalled(Guard *guard)
{
    gboolean gone = FALSE;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);
    gboolean away = domain == NULL && !gone;

    syslog(LOG_WARNING, "domain %s is frozen for too long: thawing it",
           guard->uuid);
    if (domain != NULL)
        away = !rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, NULL, &error) &&
               g_error_matches(error, REFPOINT_ERROR,
                               REFPOINT_ERROR_NOT_AVAILABLE);
    guard->frozen_until = away ? g_get_monotonic_time() + THAW_AGAIN_US : 0;
}

typedef enum {
    END_DIED, /* hung up */
    END_DONE,
    END_KEEP,
} End;

/* How long to listen, before there is something else to do; -1: as long as it
 * takes. */
static int
patience(const Guard *guard)
{
    gint64 left = (guard->frozen_until - g_get_monotonic_time()) / 1000;

    if (guard->job != NULL)
        return JOB_PAUSE_MS;
    return guard->frozen_until != 0 ? (int)MAX(left, 1) : -1;
}

static void
look_around(Guard *guard)
{
    gint64 now = g_get_monotonic_time();

    if (guard->frozen_until != 0 && now >= guard->frozen_until)
        thaw_stalled(guard);
    job_watch(guard);
}

static void
hear(Guard *guard, const char *word)
{
    if (strcmp(word, "frozen") == 0)
        guard->frozen_until =
            g_get_monotonic_time() + (gint64)(RFP_FROZEN_MAX * 1000) * 1000;
    else if (strcmp(word, "job") == 0)
        job_begins(guard);
    else
        guard->frozen_until = 0;
    if (strcmp(word, "late") == 0)
        late_start(guard);
}

/* How the other side ended. */
static End
converse(Guard *guard)
{
    for (;;) {
        gboolean timed_out = FALSE;
        g_autofree char *line = read_line(patience(guard), &timed_out);

        if (timed_out)
            look_around(guard);
        else if (line == NULL)
            return END_DIED;
        else if (strcmp(line, "done") == 0)
            return END_DONE;
        else if (strcmp(line, "keep") == 0)
            return END_KEEP;
        else
            hear(guard, line);
    }
}

static void
become_guard(void)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    setsid();
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    if (null_fd >= 0) {
        dup2(null_fd, STDOUT_FILENO);
        dup2(null_fd, STDERR_FILENO);
    }
    openlog("virt-refpoint-guard", LOG_PID, LOG_DAEMON);
}

int
main(int argc, char **argv)
{
    Guard guard = {.handshakes = -1};

    gboolean watch = argc == 5 && strcmp(argv[4], "watch") == 0;
    End end = END_KEEP;

    if ((argc != 4 && !watch) || !rfp_guid_check(argv[2]) || argv[3][0] != '/')
        return EXIT_FAILURE;
    guard.uri = argv[1];
    guard.uuid = argv[2];
    guard.records_dir = argv[3];
    setlocale(LC_ALL, "");
    become_guard();
    refpoint_silence_libvirt();
    if (!connect_to_libvirt(&guard)) {
        say("failed no connection to libvirt\n");
        return EXIT_FAILURE;
    }
    say("ready\n");
    late_start(&guard);
    if (!watch)
        end = converse(&guard);
    job_clear(&guard);
    if (end == END_DIED) {
        late_start(&guard); /* it may have died before it said so */
        take_over(&guard);
    }
    /* it may have died behind the last step, too */
    if (end != END_DONE)
        watch_kept(&guard);
    if (guard.late != NULL)
        g_thread_join(guard.late);
    refpoint_connection_free(guard.conn);
    g_free(guard.logged);
    return EXIT_SUCCESS;
}
