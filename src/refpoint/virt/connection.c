/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/connection.h"
#include "base/files.h"
#include "base/records-dir.h"
#include "base/text.h"
#include "base/uri.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STATE_DIR "/var/lib/virt-refpoint"
/* Of systemd, for each user who has logged in. */
#define LOGIN_RUNTIME "/run/user/%u"
#define OPEN_TRIES 3
#define OPEN_PAUSE_US (150 * G_TIME_SPAN_MILLISECOND)

#define DAEMON_TIMEOUT_DEFAULT 60
#define DAEMON_TIMEOUT_MAX 3600
/* A daemon that dies of what it is asked is not asked for ever. */
#define REOPEN_MAX 5
#define CALM_US (60 * G_USEC_PER_SEC)

/* libvirt prints errors to stderr unless a handler is there; per connection,
 * so that the program's own handler stays as it is. */
static void
keep_quiet(void *opaque G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

void
refpoint_silence_libvirt(void)
{
    virSetErrorFunc(NULL, keep_quiet);
}

/* ---- Which daemon -------------------------------------------------------- */

static gboolean
check_here(const RfpUri *uri, const char *shown, GError **error)
{
    if (uri == NULL || uri->local)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("'%s' is on another host: the data of a guest is read "
                    "over a Unix socket beside it"),
                  shown);
    rfp_error_add_object(error, shown);
    if (uri->host != NULL)
        rfp_error_add_way_out(error, _("run virt-refpoint on that host: '%s'"),
                              uri->host);
    else
        rfp_error_add_way_out(error, _("run virt-refpoint on that host"));
    return FALSE;
}

/* cron, su and sudo leave it out: libvirt would then take, and start, a daemon
 * in the user's cache, which has the same domains and knows of no guest of the
 * other one: to it they are shut off. */
static gboolean
check_login(const RfpUri *uri, GError **error)
{
    const char *given = g_getenv("XDG_RUNTIME_DIR");
    g_autofree char *runtime = g_strdup_printf(LOGIN_RUNTIME, (guint)geteuid());
    g_autofree char *libvirt = g_build_filename(runtime, "libvirt", NULL);

    if (geteuid() == 0 || uri == NULL || !uri->session || uri->socket != NULL ||
        (given != NULL && *given != '\0') ||
        !g_file_test(libvirt, G_FILE_TEST_IS_DIR))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_AVAILABLE,
                  _("XDG_RUNTIME_DIR is not set: libvirt would start a second "
                    "session daemon, to which the guests of the one in '%s' "
                    "are shut off"),
                  libvirt);
    rfp_error_add_object(error, libvirt);
    rfp_error_add_way_out(error, _("set it: XDG_RUNTIME_DIR=%s"), runtime);
    return FALSE;
}

static gboolean
check_driver(virConnectPtr virt, const char *uri, GError **error)
{
    const char *type = virConnectGetType(virt);

    if (type != NULL && strcmp(type, "QEMU") == 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("'%s' is served by the %s driver of libvirt, which "
                    "has no backup jobs"),
                  uri, type != NULL ? type : "?");
    rfp_error_add_object(error, uri);
    rfp_error_add_way_out(error, _("connect to qemu:///system or "
                                   "qemu:///session"));
    return FALSE;
}

/* Who listens at a socket; if nobody does any more, whose it is. */
static gboolean
user_of_socket(const char *path, uid_t *user)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_auto(RfpFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct ucred peer = {0};
    socklen_t length = sizeof(peer);

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
        return FALSE;
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return FALSE;
    *user = peer.uid;
    return TRUE;
}

/*
 * Who runs the daemon. By that, and by nothing else, its QEMU driver takes the
 * folders, the user of QEMU and the security drivers of the system, or of a
 * session; "/session" of root is the system's. A daemon tells only by its
 * capabilities (a security model "dac" is the system's), and probes the CPU for
 * seconds each time.
 */
static gboolean
find_user(const char *text, uid_t *user)
{
    g_autoptr(RfpUri) uri = rfp_uri_parse(text);

    if (uri != NULL && uri->socket != NULL)
        return user_of_socket(uri->socket, user);
    *user = uri == NULL || !uri->session ? 0 : geteuid();
    return TRUE;
}

static gboolean
find_daemon(RefpointConnection *conn, GError **error)
{
    uid_t user = 0;

    if (!find_user(conn->uri, &user)) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_AVAILABLE,
                      _("cannot tell who runs the daemon at '%s'"), conn->uri);
        rfp_error_add_object(error, conn->uri);
        rfp_error_add_way_out(error, _("try again when it answers"));
        return FALSE;
    }
    conn->system = user == 0;
    if (conn->system || user == geteuid())
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("'%s' is the session daemon of another user (%u)"),
                  conn->uri, (guint)user);
    rfp_error_add_object(error, conn->uri);
    rfp_error_add_way_out(error, _("run virt-refpoint as that user"));
    return FALSE;
}

/* A path that is not absolute is to be ignored (XDG Base Directory
 * Specification). */
static char *
state_home(void)
{
    const char *given = g_getenv("XDG_STATE_HOME");

    if (given != NULL && g_path_is_absolute(given))
        return g_strdup(given);
    return g_build_filename(g_get_home_dir(), ".local", "state", NULL);
}

static void
find_folders(RefpointConnection *conn)
{
    g_autofree char *state = NULL;
    g_autofree char *records = NULL;

    if (conn->system) {
        conn->records_dir = g_intern_static_string(STATE_DIR "/records");
        conn->scratch_dir = g_strdup(STATE_DIR "/scratch");
        return;
    }
    state = state_home();
    conn->own_records_dir =
        g_build_filename(state, "virt-refpoint", "records", NULL);
    conn->scratch_dir = g_build_filename(g_get_user_cache_dir(),
                                         "virt-refpoint", "scratch", NULL);
    conn->runtime_dir =
        g_build_filename(g_get_user_runtime_dir(), "virt-refpoint", NULL);
    records = rfp_records_dir_find(conn->runtime_dir, conn->own_records_dir);
    conn->records_dir = g_intern_string(records);
}

gboolean
rfp_connection_claim_records(RefpointConnection *conn, GError **error)
{
    g_autofree char *dir = NULL;

    if (conn->system)
        return TRUE;
    dir =
        rfp_records_dir_claim(conn->runtime_dir, conn->own_records_dir, error);
    if (dir == NULL) {
        rfp_error_prefix(error, _("cannot record what is about to be done"));
        return FALSE;
    }
    g_atomic_pointer_set(&conn->records_dir, g_intern_string(dir));
    return TRUE;
}

gboolean
rfp_connection_make_scratch(const RefpointConnection *conn,
                            const char *dir,
                            GError **error)
{
    if (rfp_make_dirs(dir, conn->system ? 0711 : 0700, error))
        return TRUE;
    rfp_error_prefix(error, _("cannot keep scratch files"));
    if (!conn->system)
        rfp_error_add_way_out(error,
                              _("set XDG_CACHE_HOME, or HOME, to a folder that "
                                "can be written to"));
    return FALSE;
}

/* ---- Connecting ---------------------------------------------------------- */

/* A daemon that is being restarted still takes connections as it goes, and then
 * resets them. */
static virConnectPtr
open_patiently(const char *uri)
{
    virConnectPtr virt = virConnectOpen(uri);

    for (guint i = 1; i < OPEN_TRIES && virt == NULL; i++) {
        virErrorPtr last = virGetLastError();

        if (last == NULL || last->domain != VIR_FROM_RPC)
            break;
        g_usleep(OPEN_PAUSE_US);
        virt = virConnectOpen(uri);
    }
    return virt;
}

/* By the socket's permissions, or by polkit; which may not answer, for want of
 * D-Bus: then nobody but root is let in. */
static gboolean
is_refused(void)
{
    const virError *origin = virGetLastError();

    return origin != NULL &&
           (rfp_virt_cause_of(origin) == REFPOINT_ERROR_ACCESS_DENIED ||
            origin->code == VIR_ERR_DBUS_SERVICE ||
            origin->domain == VIR_FROM_DBUS ||
            origin->domain == VIR_FROM_POLKIT);
}

static void
set_not_connected(const char *shown, const RfpUri *uri, GError **error)
{
    gboolean session = uri != NULL && uri->session && geteuid() != 0;
    g_autofree char *word = rfp_text_shell(shown);

    rfp_virt_error_set(error, shown, _("cannot connect to libvirt at %s"),
                       shown);
    if (error == NULL)
        return;
    if (!session && is_refused()) {
        (*error)->code = REFPOINT_ERROR_ACCESS_DENIED;
        rfp_error_add_way_out(error, _("run it as root (sudo)"));
        return;
    }
    (*error)->code = REFPOINT_ERROR_NOT_AVAILABLE;
    if (session && is_refused())
        rfp_error_add_way_out(error,
                              _("set HOME and XDG_RUNTIME_DIR as they are "
                                "where you log in"));
    else
        rfp_error_add_way_out(error,
                              _("is the daemon running? Try: virsh -c %s uri"),
                              word);
}

/* @resolved: what @uri stands for; @wanted: the same, taken apart. */
static gboolean
connect_to(RefpointConnection *conn,
           const char *uri,
           const char *resolved,
           const RfpUri *wanted,
           GError **error)
{
    char *canonical = NULL;

    conn->virt = open_patiently(uri);
    if (conn->virt == NULL) {
        set_not_connected(resolved, wanted, error);
        return FALSE;
    }
    virConnSetErrorFunc(conn->virt, NULL, keep_quiet);
    canonical = virConnectGetURI(conn->virt);
    conn->uri = g_strdup(canonical != NULL ? canonical : resolved);
    free(canonical);
    return TRUE;
}

RefpointConnection *
refpoint_connection_open(const char *uri, GError **error)
{
    g_autoptr(RefpointConnection) conn = g_new0(RefpointConnection, 1);
    g_autofree char *resolved = rfp_uri_resolve(uri);
    g_autoptr(RfpUri) wanted = rfp_uri_parse(resolved);
    g_autoptr(RfpUri) got = NULL;

    g_mutex_init(&conn->lock);
    rfp_gate_init(&conn->gate);
    if (!check_here(wanted, resolved, error) || !check_login(wanted, error) ||
        !connect_to(conn, uri, resolved, wanted, error) ||
        !check_driver(conn->virt, conn->uri, error))
        return NULL;
    got = rfp_uri_parse(conn->uri);
    if (!check_here(got, conn->uri, error) || !find_daemon(conn, error))
        return NULL;
    find_folders(conn);
    return g_steal_pointer(&conn);
}

RefpointConnection *
rfp_connection_another(const RefpointConnection *conn, GError **error)
{
    RefpointConnection *other = refpoint_connection_open(conn->uri, error);

    if (other == NULL)
        return NULL;
    other->calls = conn->calls;
    other->start_guard = conn->start_guard;
    other->records_dir = conn->records_dir;
    return other;
}

void
refpoint_connection_free(RefpointConnection *conn)
{
    if (conn == NULL)
        return;
    if (conn->virt != NULL)
        virConnectClose(conn->virt);
    g_mutex_clear(&conn->lock);
    rfp_gate_clear(&conn->gate);
    g_free(conn->uri);
    g_free(conn->scratch_dir);
    g_free(conn->runtime_dir);
    g_free(conn->own_records_dir);
    g_free(conn);
}

gboolean
refpoint_connection_hold(RefpointConnection *conn, guint wait_ms)
{
    return rfp_gate_close(&conn->gate, wait_ms);
}

void
refpoint_connection_release(RefpointConnection *conn)
{
    rfp_gate_open(&conn->gate);
}

const RfpVirtCalls *
rfp_connection_calls(const RefpointConnection *conn)
{
    return conn->calls != NULL ? conn->calls : &rfp_virt_calls;
}

/* ---- A daemon that was restarted ----------------------------------------- */

virConnectPtr
rfp_connection_ref(RefpointConnection *conn)
{
    virConnectPtr virt = NULL;

    g_mutex_lock(&conn->lock);
    virt = conn->virt;
    virConnectRef(virt);
    g_mutex_unlock(&conn->lock);
    return virt;
}

static gint64
daemon_timeout_us(void)
{
    const char *text = g_getenv("REFPOINT_DAEMON_TIMEOUT");
    guint64 seconds = DAEMON_TIMEOUT_DEFAULT;

    if (text != NULL)
        g_ascii_string_to_unsigned(text, 10, 0, DAEMON_TIMEOUT_MAX, &seconds,
                                   NULL);
    return (gint64)seconds * G_USEC_PER_SEC;
}

/* The former one is freed with the last thing that was looked up over it. */
static void
take_fresh(RefpointConnection *conn, virConnectPtr fresh)
{
    const gint64 now = g_get_monotonic_time();

    virConnSetErrorFunc(fresh, NULL, keep_quiet);
    virConnectClose(conn->virt);
    conn->virt = fresh;
    conn->n_reopened =
        now - conn->reopened_at < CALM_US ? conn->n_reopened + 1 : 1;
    conn->reopened_at = now;
    conn->lost_at = 0;
}

/* One try. *@again: another one makes sense. */
static gboolean
try_reopen(RefpointConnection *conn, gboolean *again)
{
    const gint64 now = g_get_monotonic_time();
    virConnectPtr fresh = NULL;

    *again = FALSE;
    if (rfp_connection_calls(conn)->is_alive(conn->virt) == 1)
        return TRUE;
    if (conn->lost_at == 0)
        conn->lost_at = now;
    if (conn->n_reopened >= REOPEN_MAX && now - conn->reopened_at < CALM_US)
        return FALSE;
    fresh = virConnectOpen(conn->uri);
    if (fresh != NULL)
        take_fresh(conn, fresh);
    *again = now - conn->lost_at < daemon_timeout_us();
    return fresh != NULL;
}

static gboolean
reopen(RefpointConnection *conn, gboolean wait, const gint *cancel)
{
    for (;;) {
        gboolean again = FALSE;
        gboolean there = FALSE;

        g_mutex_lock(&conn->lock);
        there = try_reopen(conn, &again);
        g_mutex_unlock(&conn->lock);
        if (there || !wait || !again ||
            (cancel != NULL && g_atomic_int_get(cancel)))
            return there;
        g_usleep(OPEN_PAUSE_US);
    }
}

static gint
seconds_lost(RefpointConnection *conn)
{
    gint64 us = 0;

    g_mutex_lock(&conn->lock);
    if (conn->lost_at != 0)
        us = g_get_monotonic_time() - conn->lost_at;
    g_mutex_unlock(&conn->lock);
    return (gint)(us / G_USEC_PER_SEC);
}

gboolean
rfp_connection_again(RefpointConnection *conn,
                     virConnectPtr virt,
                     gboolean wait,
                     const gint *cancel,
                     const char *object,
                     GError **error)
{
    g_autofree char *word = rfp_text_shell(conn->uri);
    gboolean there = FALSE;

    /* known without asking: the call has found it out */
    if (rfp_connection_calls(conn)->is_alive(virt) == 1)
        return FALSE;
    there = reopen(conn, wait, cancel);
    g_clear_error(error);
    if (there)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_AVAILABLE,
                  _("cannot reach '%s': libvirt's daemon has gone away, and is "
                    "not back after %d s"),
                  object, seconds_lost(conn));
    rfp_error_add_object(error, object);
    rfp_error_add_way_out(error,
                          _("start it again (see with: virsh -c %s uri), then "
                            "repeat this command"),
                          word);
    return FALSE;
}
