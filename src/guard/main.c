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
/* Seconds that a guest may be said to stand still. */
#define FROZEN_MAX 3600
#define THAW_AGAIN_US (1 * G_USEC_PER_SEC)
#define CONNECT_US (10 * G_USEC_PER_SEC)
#define CONNECT_PAUSE_US (200 * 1000)
/* Scratch fills fast; libvirt is asked less often. */
#define JOB_PAUSE_MS 50
#define JOB_STATE_US (500 * 1000)
#define JOB_AGAIN_US (1 * G_USEC_PER_SEC)
#define WATCH_PAUSE_US (200 * 1000)
#define WATCH_JOB_ROUNDS 5
/* So many times in turn the record of kept data cannot be read before the guard
 * takes it that nothing is kept any more. */
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

/* The guard tries many things again and again, and they fail with the same
 * words each time: those are logged once. */
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

/* The guard's first connection. The process that started the guard was
 * connected a moment ago; if libvirt's daemon does not answer now, it is being
 * restarted, so this tries for a while. Later on a connection that is lost
 * comes back by itself (domain.h). */
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

/* The domain that is guarded, or NULL; then *@gone tells whether libvirt knows
 * no such domain any more, or could not be asked. */
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

/* Whether the watch for a late freeze can end: such a freeze was seen and
 * thawed; or the agent answers, and the time in which the freeze could have
 * happened is over; or the guest is off. */
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

/* Begins to watch for a late freeze, if one may come and no other process
 * watches. */
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

/* For the log: what became of an operation whose process died. */
static const char *
undone_text(RfpUndone undone)
{
    if (undone == RFP_UNDO_PUBLISHED)
        return "completed";
    if (undone == RFP_UNDO_UNSYNCED)
        return "published, but its set cannot be synced: nothing older is let "
               "go";
    if (undone == RFP_UNDO_ASIDE)
        return "ended; its files and checkpoint are kept, the set cannot be "
               "read";
    return "undone";
}

/* Undoes the operation of @record. TRUE: nothing of it is left to do. FALSE:
 * try again later; *@host, if not NULL, tells whether its backup job at least
 * is gone. */
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
    if (rfp_undo_run(domain, record, NULL, TRUE, &undone, &frozen, &error) &&
        undone != RFP_UNDO_BUSY) {
        syslog(LOG_NOTICE, "domain %s: the operation that died was %s",
               guard->uuid, undone_text(undone));
        return TRUE;
    }
    if (error != NULL)
        log_error(guard, "cannot undo", error);
    if (host != NULL)
        *host = undone != RFP_UNDO_NOTHING;
    /* the watch for late freezes thaws the guest once it can; what else is left
     * to undo must not wait for that */
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

/* Whether the guest was stopped by a write error since the job began. It goes
 * on only when the job has ended. A guest that was stopped before the job began
 * was not stopped by it. */
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

/* The process that may be reading from the job: the one that works on the
 * domain, or one that exports kept data. NULL: there is none, or the job is one
 * in push mode, from which nobody reads. */
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

/* Called before the guard ends a job. A reader that has stopped in the middle
 * of a reply would make QEMU, and with it the guest, hang as soon as the job is
 * ended: its connections are cut. No connection may be in the making, so the
 * caller has the lock of the handshakes. */
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

/* A reader that was stopped while it made a connection, or while it was ending
 * the job itself, still has the lock of the handshakes, and nobody else could
 * end the job: it is killed. A reader whose job has ended already may have that
 * lock too, and does no harm: it is left alone. */
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

/* Ends the job of the process that is guarded, for the reason @why. The process
 * is told the reason first, so that it finds that before it finds its job gone;
 * it has the record, and undoes the rest. While it makes a connection, or is
 * about to end the job itself, the guard waits, unless the process was stopped
 * in that. */
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

/* Looks whether the job of the process that is guarded can go on, and ends it
 * if not. While the guest is frozen nothing is looked at, since it writes
 * nothing and must be thawed first; in push mode QEMU writes all the same, so
 * it is. If the job cannot be ended now, the reason is kept, and the end is
 * tried again. */
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

/* The kept data of the domain, if there is any, it has not ended, and it is of
 * the point @guid; NULL for @guid: of any point. */
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

/* Why the kept data must be let go now, or NULL: it may stay. If libvirt's
 * daemon does not answer, that is no reason. @ask: also ask libvirt whether the
 * guest was stopped by a write error, which lasts until the job ends. */
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

/* Called when the room for scratch files runs out while another process has the
 * domain's record. The guest cannot wait until that process is done, so the job
 * is ended without the record. An export that reads from the job finds it gone;
 * that the kept data has ended is noted later, under the record's lock. */
static void
end_job_alone(Guard *guard, RfpDomain *domain, const char *guid)
{
    g_autoptr(RfpKept) kept = load_kept(guard, guid, FALSE);
    gboolean ended = FALSE;
    g_autoptr(GError) error = NULL;

    /* A reader that is making a connection is waited for, even if the guest
     * stops for want of room meanwhile: it can be woken from that. Then no
     * reader makes another one until the watch is over, as the end of the job
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

/* Lets the kept data go, for the reason @why, under the lock of the domain's
 * record. While an export reads the data it has that lock, and an operation
 * that died must be undone before: in both cases this returns with nothing
 * done, and the guard tries again later. */
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

/* Which of two reasons counts: the first that was found stays, unless room for
 * the scratch files has run out since, for which nobody is waited for. */
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

/* Whether the process that is guarded has suspended the guest. */
static gboolean
has_suspended(const Guard *guard)
{
    g_autoptr(RfpRecord) record =
        rfp_record_peek(guard->records_dir, guard->uuid);

    return record != NULL && rfp_record_find(record, RFP_STEP_PAUSE) != NULL &&
           rfp_record_find(record, RFP_STEP_RESUMED) == NULL;
}

static gboolean
resume_suspended(RfpDomain *domain, GError **error)
{
    RfpDomainState state = {0};

    return rfp_domain_state(domain, &state, error) &&
           (!state.paused || rfp_domain_resume(domain, error));
}

/* Lets the guest go on, because the process that stopped it does not. This is
 * tried once, and again for as long as libvirt's daemon is away, or a guest
 * that was suspended cannot be resumed. */
static void
thaw_stalled(Guard *guard)
{
    gboolean gone = FALSE;
    gboolean done = TRUE;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);
    gboolean away = domain == NULL && !gone;

    syslog(LOG_WARNING, "domain %s stands still for too long: it goes on",
           guard->uuid);
    if (domain != NULL && has_suspended(guard))
        done = resume_suspended(domain, &error);
    else if (domain != NULL)
        done = rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, NULL, &error);
    if (!done) /* a guest is resumed only once libvirt has time for it */
        away = has_suspended(guard) ||
               g_error_matches(error, REFPOINT_ERROR,
                               REFPOINT_ERROR_NOT_AVAILABLE);
    guard->frozen_until = away ? g_get_monotonic_time() + THAW_AGAIN_US : 0;
}

typedef enum {
    END_DIED, /* hung up */
    END_DONE,
    END_KEEP,
} End;

/* For how many milliseconds the guard may wait for a line from the process that
 * is guarded before it has to look at something else; -1: as long as it takes.
 */
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

/* "frozen <seconds>" */
static gboolean
hear_frozen(Guard *guard, const char *word)
{
    guint64 seconds = 0;

    if (!g_str_has_prefix(word, RFP_GUARD_FROZEN) ||
        !g_ascii_string_to_unsigned(word + strlen(RFP_GUARD_FROZEN), 10, 1,
                                    FROZEN_MAX, &seconds, NULL))
        return FALSE;
    guard->frozen_until =
        g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    return TRUE;
}

static void
hear(Guard *guard, const char *word)
{
    if (hear_frozen(guard, word))
        return;
    if (strcmp(word, "job") == 0)
        job_begins(guard);
    else
        guard->frozen_until = 0;
    if (strcmp(word, "late") == 0)
        late_start(guard);
}

/* Talks with the process that is guarded until that is over, and returns how it
 * ended. */
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
