/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt-refpoint-guard URI DOMAIN-UUID RECORDS-DIR
 *
 * Not to be started by hand: standard input is a socket pair to the process
 * that works on the domain (refpoint/guard.h).
 */
#include "agent.h"
#include "guard.h"
#include "names.h"
#include "record.h"
#include "text.h"
#include "undo.h"

#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#define RECORD_WAIT_MS 60000
/* How long an undo is tried again while it fails (the daemon is restarted,
 * the domain is shut off); after that the next call does it. */
#define UNDO_TRY_US (15 * 60 * G_USEC_PER_SEC)
#define UNDO_PAUSE_US (1 * G_USEC_PER_SEC)
/* A guest that stays frozen longer than this while its backup begins is
 * thawed, whatever the other side does. */
#define FROZEN_MAX_MS 60000
/* A freeze that timed out may happen this much later, at least. */
#define LATE_MIN_US (10 * 60 * G_USEC_PER_SEC)
#define LATE_MAX_US (24 * 3600 * (gint64)G_USEC_PER_SEC)
#define LATE_PAUSE_MS 1000
#define LATE_THAW_TIMEOUT 5

typedef struct {
    const char *uri;
    const char *uuid;
    const char *records_dir;
    RefpointConnection *conn;
    RfpFd late_lock;   /* of a watch for a late freeze, or -1 */
    gint64 late_begin; /* monotonic, microseconds */
} Guard;

static void
log_error(const char *what, const GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);

    syslog(LOG_WARNING, "%s: %s", what, failure->message);
}

static gboolean
reconnect(Guard *guard)
{
    g_autoptr(GError) error = NULL;

    if (guard->conn != NULL && virConnectIsAlive(guard->conn->virt) == 1)
        return TRUE;
    g_clear_pointer(&guard->conn, refpoint_connection_free);
    guard->conn = refpoint_connection_open(guard->uri, &error);
    if (guard->conn == NULL) {
        log_error("cannot connect", error);
        return FALSE;
    }
    /* the folders are those of the process that started us */
    g_free(guard->conn->records_dir);
    guard->conn->records_dir = g_strdup(guard->records_dir);
    return TRUE;
}

/* *@gone: there is no such domain any more. */
static RfpDomain *
find_domain(Guard *guard, gboolean *gone)
{
    g_autoptr(GError) error = NULL;
    RfpDomain *domain = NULL;

    *gone = FALSE;
    if (!reconnect(guard))
        return NULL;
    domain = rfp_domain_lookup(guard->conn, guard->uuid, &error);
    if (domain == NULL) {
        *gone = rfp_error_libvirt_code(error) == VIR_ERR_NO_DOMAIN;
        log_error("cannot find the domain", error);
    }
    return domain;
}

/* ---- The undo ------------------------------------------------------------------ */

/* TRUE: it is over, one way or the other. */
static gboolean
try_undo(Guard *guard, RfpRecord *record)
{
    gboolean gone = FALSE;
    gboolean frozen = FALSE;
    RfpUndone undone = RFP_UNDO_NOTHING;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);

    if (domain == NULL && !gone)
        return FALSE;
    if (rfp_undo_run(domain, record, NULL, TRUE, &undone, &frozen, &error)) {
        syslog(LOG_NOTICE, "domain %s: the operation that died was %s",
               guard->uuid,
               undone == RFP_UNDO_PUBLISHED ? "completed" :
               undone == RFP_UNDO_KEPT ?
                                              "ended; its files and checkpoint are kept, the set "
                                              "cannot be read" :
                                              "undone");
        return TRUE;
    }
    log_error("cannot undo", error);
    /* the watch below thaws it when it can; the rest must not wait */
    if (frozen && rfp_late_freeze_mark(guard->conn, guard->uuid, NULL))
        rfp_record_append(record, NULL, RFP_STEP_THAWED, NULL);
    return FALSE;
}

static void
take_over(Guard *guard)
{
    gint64 end = g_get_monotonic_time() + UNDO_TRY_US;
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpRecord) record =
        rfp_record_open(guard->records_dir, guard->uuid, RECORD_WAIT_MS,
                        &error);

    if (record == NULL) {
        log_error("cannot take the record over", error);
        return;
    }
    while (record->steps->len > 0 && !try_undo(guard, record) &&
           g_get_monotonic_time() < end)
        g_usleep(UNDO_PAUSE_US);
}

/* ---- Late freezes -------------------------------------------------------------- */

/* Begins the watch where there is something to watch, and nobody does. */
static void
late_start(Guard *guard)
{
    if (guard->late_lock >= 0 || !reconnect(guard))
        return;
    guard->late_lock = rfp_late_freeze_take(guard->conn, guard->uuid);
    guard->late_begin = g_get_monotonic_time();
}

/* TRUE when a late freeze was seen and thawed, or the agent answers and the
 * time in which it could have happened is over, or the guest is off. */
static gboolean
late_is_over(Guard *guard)
{
    gint64 waited = g_get_monotonic_time() - guard->late_begin;
    gboolean gone = FALSE;
    gint thawed = 0;
    RfpDomainState state = {0};
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);

    if (gone || waited > LATE_MAX_US)
        return TRUE;
    if (domain == NULL || !rfp_domain_state(domain, &state, NULL))
        return FALSE;
    return !state.active ||
           (rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, &thawed, NULL) &&
            (thawed > 0 || waited > LATE_MIN_US));
}

static void
late_step(Guard *guard)
{
    if (!late_is_over(guard) || guard->conn == NULL)
        return;
    rfp_late_freeze_clear(guard->conn, guard->uuid);
    rfp_fd_clear(&guard->late_lock);
    syslog(LOG_NOTICE, "domain %s: no late freeze any more", guard->uuid);
}

static void
watch_late_freeze(Guard *guard)
{
    late_start(guard);
    while (guard->late_lock >= 0) {
        late_step(guard);
        g_usleep(LATE_PAUSE_MS * 1000);
    }
}

/* ---- The conversation ----------------------------------------------------------- */

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

static void
thaw_stalled(Guard *guard)
{
    gboolean gone = FALSE;
    g_autoptr(RfpDomain) domain = find_domain(guard, &gone);

    syslog(LOG_WARNING, "domain %s is frozen for too long: thawing it",
           guard->uuid);
    if (domain != NULL)
        rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, NULL, NULL);
}

/* TRUE if the other side said "done". */
static gboolean
converse(Guard *guard)
{
    gboolean frozen = FALSE;

    for (;;) {
        gboolean timed_out = FALSE;
        gboolean late = guard->late_lock >= 0;
        g_autofree char *line = read_line(frozen ? FROZEN_MAX_MS :
                                          late   ? LATE_PAUSE_MS :
                                                   -1,
                                          &timed_out);

        if (timed_out && frozen) {
            thaw_stalled(guard);
            frozen = FALSE;
        } else if (timed_out) {
            late_step(guard);
        } else if (line == NULL) {
            return FALSE;
        } else if (strcmp(line, "done") == 0) {
            return TRUE;
        } else {
            frozen = strcmp(line, "frozen") == 0;
            if (strcmp(line, "late") == 0)
                late_start(guard);
        }
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
    if (null_fd >= 0) {
        dup2(null_fd, STDOUT_FILENO);
        dup2(null_fd, STDERR_FILENO);
    }
    openlog("virt-refpoint-guard", LOG_PID, LOG_DAEMON);
}

static void
say(const char *text)
{
    (void)!send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL);
}

int
main(int argc, char **argv)
{
    Guard guard = {.late_lock = -1};

    if (argc != 4 || !rfp_guid_check(argv[2]) || argv[3][0] != '/')
        return EXIT_FAILURE;
    guard.uri = argv[1];
    guard.uuid = argv[2];
    guard.records_dir = argv[3];
    setlocale(LC_ALL, "");
    become_guard();
    refpoint_silence_libvirt();
    if (!reconnect(&guard)) {
        say("failed no connection to libvirt\n");
        return EXIT_FAILURE;
    }
    say("ready\n");
    late_start(&guard);
    if (!converse(&guard))
        take_over(&guard);
    watch_late_freeze(&guard);
    refpoint_connection_free(guard.conn);
    return EXIT_SUCCESS;
}
