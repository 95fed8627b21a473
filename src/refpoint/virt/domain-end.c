/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/domain-end.h"
#include "base/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SYSTEM_LOGS "/var/log/libvirt/qemu"
/* Of the log's end. */
#define LOG_MAX 16384
#define COMPLAINT_MAX 300

#define PATIENCE_US (2 * G_USEC_PER_SEC)
#define POLL_US (20 * 1000)

/* ---- What QEMU said ------------------------------------------------------ */

/* "2026-11-30 11:38:34.518+0000: shutting down, reason=crashed" */
static gboolean
is_of_libvirt(const char *line)
{
    return strlen(line) > 20 && line[4] == '-' && line[7] == '-' &&
           line[10] == ' ';
}

/* A word of QEMU's command line or environment: all but the last end in a
 * backslash, and the last one is an option. */
static gboolean
is_of_command(const char *line)
{
    return *line == '-' || g_str_has_suffix(line, "\\");
}

/* "2026-11-30T11:38:34.518000Z qemu-system-x86_64: ..." */
static const char *
skip_time(const char *line)
{
    gsize length = strspn(line, G_CSET_DIGITS "-:.TZ");

    return length > 18 && line[length] == ' ' ? line + length + 1 : line;
}

char *
rfp_domain_log_complaint(const char *log)
{
    g_auto(GStrv) lines = g_strsplit(log, "\n", -1);

    for (guint i = g_strv_length(lines); i > 0; i--) {
        const char *line = g_strstrip(lines[i - 1]);

        /* what is before belongs to an earlier start */
        if (is_of_command(line))
            return NULL;
        if (*line != '\0' && !is_of_libvirt(line))
            return g_utf8_make_valid(skip_time(line), -1);
    }
    return NULL;
}

/* The end of a file that others may write to while it is read. */
static char *
read_tail(const char *path)
{
    g_auto(RfpFd) fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    g_autofree char *text = g_malloc(LOG_MAX + 1);
    off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
    gssize got =
        end < 0 ? -1
                : pread(fd, text, LOG_MAX, end > LOG_MAX ? end - LOG_MAX : 0);

    if (got < 0)
        return NULL;
    text[got] = '\0';
    return g_steal_pointer(&text);
}

static char *
complaint_of(RefpointConnection *conn, const RfpDomain *domain)
{
    g_autofree char *dir =
        conn->system ? g_strdup(SYSTEM_LOGS)
                     : g_build_filename(g_get_user_cache_dir(), "libvirt",
                                        "qemu", "log", NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.log", dir, domain->name);
    g_autofree char *log =
        strchr(domain->name, '/') == NULL ? read_tail(path) : NULL;
    g_autofree char *complaint =
        log != NULL ? rfp_domain_log_complaint(log) : NULL;

    if (complaint == NULL)
        return NULL;
    return g_utf8_substring(complaint, 0,
                            MIN(g_utf8_strlen(complaint, -1), COMPLAINT_MAX));
}

/* ---- The error ----------------------------------------------------------- */

gboolean
rfp_domain_end_is_gone(const GError *error)
{
    return rfp_error_libvirt_code(error) == VIR_ERR_NO_DOMAIN;
}

static void
set_gone(const RfpDomain *domain, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("domain '%s' was shut off meanwhile, and is not defined "
                    "any more"),
                  domain->name);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error, _("define and start it again, then repeat "
                                   "this command"));
}

void
rfp_domain_end_set(RefpointConnection *conn,
                   RfpDomain *domain,
                   const RfpDomainState *state,
                   GError **error)
{
    g_autofree char *complaint =
        state != NULL && state->crashed ? complaint_of(conn, domain) : NULL;

    if (state == NULL) {
        set_gone(domain, error);
        return;
    }
    if (!state->crashed)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' was shut off meanwhile"), domain->name);
    else if (complaint == NULL)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' crashed"), domain->name);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("domain '%s' crashed (QEMU: %s)"), domain->name,
                      complaint);
    rfp_error_add_object(error, domain->name);
    rfp_error_add_way_out(error,
                          _("start it again with: virsh start %s; then "
                            "repeat this command"),
                          domain->shell_name);
}

/* What a client of QEMU gets when that ends: of a connection, in the middle of
 * a reply too, or of the try to make one. */
static gboolean
is_lost_connection(const GError *error)
{
    switch (rfp_error_errno(error)) {
    case ECONNRESET:
    case ECONNREFUSED:
    case ENOENT:
    case EPIPE:
    case ENOTCONN:
    case EPROTO:
        return TRUE;
    default:
        return FALSE;
    }
}

void
rfp_domain_end_explain(RefpointConnection *conn,
                       RfpDomain *domain,
                       GError **error)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_US;
    RfpDomainState state = {0};
    gboolean known = FALSE;
    gboolean wait = FALSE;
    g_autoptr(GError) why = NULL;

    if (error == NULL || *error == NULL)
        return;
    wait = is_lost_connection(*error);
    /* a full set, say, is a cause of its own */
    if (!wait && rfp_error_errno(*error) != 0)
        return;
    while ((known = rfp_domain_state(domain, &state, &why)) && state.active &&
           wait && g_get_monotonic_time() < end)
        g_usleep(POLL_US);
    if (known ? state.active : !rfp_domain_end_is_gone(why))
        return;
    g_clear_error(error);
    rfp_domain_end_set(conn, domain, known ? &state : NULL, error);
}
