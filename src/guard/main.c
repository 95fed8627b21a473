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
#define LATE_PAUSE_US (1 * G_USEC_PER_SEC)
#define LATE_THAW_TIMEOUT 5

typedef struct {
    const char *uri;
    const char *uuid;
    const char *records_dir;
    RefpointConnection *conn;
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

/* Ends when a late freeze was seen and thawed, or the agent answers and the
 * time in which it could have happened is over, or the guest is off. */
static void
watch_late_freeze(Guard *guard)
{
    g_auto(RfpFd) lock = -1;
    gint64 begin = g_get_monotonic_time();

    if (!reconnect(guard))
        return;
    lock = rfp_late_freeze_take(guard->conn, guard->uuid);
    while (lock >= 0 && g_get_monotonic_time() - begin < LATE_MAX_US) {
        gboolean gone = FALSE;
        gint thawed = 0;
        RfpDomainState state = {0};
        g_autoptr(RfpDomain) domain = find_domain(guard, &gone);

        if (gone)
            break;
        if (domain != NULL && rfp_domain_state(domain, &state, NULL)) {
            if (!state.active)
                break;
            if (rfp_agent_thaw(domain, LATE_THAW_TIMEOUT, &thawed, NULL) &&
                (thawed > 0 || g_get_monotonic_time() - begin > LATE_MIN_US))
                break;
        }
        g_usleep(LATE_PAUSE_US);
    }
    if (lock >= 0) {
        rfp_late_freeze_clear(guard->conn, guard->uuid);
        syslog(LOG_NOTICE, "domain %s: no late freeze any more", guard->uuid);
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
    int timeout_ms = -1;

    for (;;) {
        gboolean timed_out = FALSE;
        g_autofree char *line = read_line(timeout_ms, &timed_out);

        if (timed_out) {
            thaw_stalled(guard);
            timeout_ms = -1;
            continue;
        }
        if (line == NULL)
            return FALSE;
        if (strcmp(line, "done") == 0)
            return TRUE;
        timeout_ms = strcmp(line, "frozen") == 0 ? FROZEN_MAX_MS : -1;
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
    Guard guard = {0};

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
    if (!converse(&guard))
        take_over(&guard);
    if (rfp_late_freeze_pending(guard.conn, guard.uuid))
        watch_late_freeze(&guard);
    refpoint_connection_free(guard.conn);
    return EXIT_SUCCESS;
}
