/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"
#include "text.h"

/* A channel that was just closed counts as open until libvirt comes to know:
 * what is lost is so in all looks. */
#define LOST_LOOKS 3
#define LOST_PAUSE_US (1 * G_USEC_PER_SEC)
#define LOST_TIMEOUT 3
#define TIMEOUT_DEFAULT 30
#define TIMEOUT_MAX 600
#define GREETINGS 3
#define GREETING_US (4 * G_USEC_PER_SEC)
#define GREETING_MAX_US (6 * G_USEC_PER_SEC)

guint
rfp_agent_timeout(void)
{
    const char *text = g_getenv("REFPOINT_AGENT_TIMEOUT");
    guint64 seconds = TIMEOUT_DEFAULT;

    if (text != NULL)
        g_ascii_string_to_unsigned(text, 10, 1, TIMEOUT_MAX, &seconds, NULL);
    return (guint)seconds;
}

/*
 * libvirt waits for an agent without limit unless told otherwise, for the
 * domain as a whole; the default is put back behind each call. There is no way to
 * ask what somebody else had set.
 */
static void
limit_response(RfpDomain *domain, guint timeout)
{
    virDomainAgentSetResponseTimeout(domain->virt, (int)timeout, 0);
}

static void
unlimit_response(RfpDomain *domain)
{
    virDomainAgentSetResponseTimeout(
        domain->virt, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, 0);
}

/* The code differs between versions (AGENT_UNRESPONSIVE on 9.0,
 * AGENT_COMMAND_TIMEOUT from 11.2): what counts is the time it took. */
static gboolean
used_up(gint64 begin, guint timeout)
{
    return g_get_monotonic_time() - begin >=
           (gint64)timeout * G_USEC_PER_SEC * 9 / 10;
}

/* libvirt greets the agent before it sends a command, for 5 s at most: a guest
 * that is busy can miss that. An agent that is not there fails at once. */
static gboolean
missed_greeting(gint64 begin, guint timeout)
{
    virErrorPtr last = virGetLastError();

    return last != NULL && last->code == VIR_ERR_AGENT_UNRESPONSIVE &&
           g_get_monotonic_time() - begin > GREETING_US &&
           !used_up(begin, timeout);
}

/* The channel of the agent, as libvirt knows it. */
typedef enum {
    CHANNEL_UNKNOWN,
    CHANNEL_NONE,
    CHANNEL_CLOSED,
    CHANNEL_OPEN,
} Channel;

static Channel
look_at_channel(RfpDomain *domain)
{
    g_autofree char *text = rfp_domain_xml_text(domain, FALSE, NULL, NULL);
    g_autoptr(RfpDomainXml) xml =
        text ? rfp_domain_xml_parse(text, NULL) : NULL;

    if (xml == NULL)
        return CHANNEL_UNKNOWN;
    if (!xml->has_agent)
        return CHANNEL_NONE;
    return xml->agent_connected ? CHANNEL_OPEN : CHANNEL_CLOSED;
}

/* Asks for the guest's time, which changes nothing. */
static gboolean
fails_at_once(RfpDomain *domain)
{
    gint64 begin = g_get_monotonic_time();
    long long seconds = 0;
    unsigned int nanoseconds = 0;
    gboolean fails = FALSE;

    limit_response(domain, LOST_TIMEOUT);
    fails = virDomainGetTime(domain->virt, &seconds, &nanoseconds, 0) < 0 &&
            virGetLastErrorCode() == VIR_ERR_AGENT_UNRESPONSIVE &&
            !used_up(begin, LOST_TIMEOUT);
    unlimit_response(domain);
    return fails;
}

gboolean
rfp_agent_lost(RfpDomain *domain)
{
    for (guint i = 0; i < LOST_LOOKS; i++) {
        if (i > 0)
            g_usleep(LOST_PAUSE_US);
        if (look_at_channel(domain) != CHANNEL_OPEN || !fails_at_once(domain))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    int n;            /* file systems, or -1 */
    gboolean late;    /* it was sent, perhaps, and may happen yet */
    gboolean again;   /* it was tried before: then it may have happened by us */
    gboolean at_once; /* it failed before an agent could have answered */
} Tried;

/* What was not sent can be asked for again. */
static Tried
freeze_patiently(RfpDomain *domain, guint timeout)
{
    gint64 end = g_get_monotonic_time() + (gint64)timeout * G_USEC_PER_SEC;
    Tried tried = {.n = -1};

    for (guint i = 0; i < GREETINGS; i++) {
        gint64 begin = g_get_monotonic_time();
        guint left =
            i == 0 ? timeout : (guint)((end - begin) / G_USEC_PER_SEC);

        tried.again = i > 0;
        limit_response(domain, left);
        tried.n = virDomainFSFreeze(domain->virt, NULL, 0, 0);
        tried.late = tried.n < 0 && used_up(begin, left);
        tried.at_once = g_get_monotonic_time() - begin <= GREETING_US;
        if (tried.n >= 0 || !missed_greeting(begin, left) ||
            end - g_get_monotonic_time() < GREETING_MAX_US)
            break;
    }
    return tried;
}

/* What helps against an agent that libvirt does not reach. */
static void
explain_missing(Channel channel, GError **error)
{
    if (channel == CHANNEL_OPEN) {
        rfp_error_prefix(error,
                         _("libvirt has lost the agent (the guest was reset, "
                           "or the agent restarted, while a backup job "
                           "ran)"));
        rfp_error_add_way_out(error,
                              _("restart qemu-guest-agent in the guest, or "
                                "libvirt's daemon, or reboot the guest, while "
                                "no backup job runs; or use --quiesce=never"));
    } else if (channel == CHANNEL_CLOSED) {
        rfp_error_add_way_out(error,
                              _("install and start qemu-guest-agent in the "
                                "guest (if it runs there, restart it: libvirt "
                                "may have missed it), or use "
                                "--quiesce=never"));
    } else if (channel == CHANNEL_NONE) {
        rfp_error_add_way_out(error,
                              _("give the domain a channel "
                                "org.qemu.guest_agent.0, install and start "
                                "qemu-guest-agent in the guest, or use "
                                "--quiesce=never"));
    }
}

/* The agent is missing, or does not want to. */
static void
explain_failure(RfpDomain *domain, const Tried *tried, GError **error)
{
    int code = rfp_error_libvirt_code(*error);

    if (tried->at_once && (code == VIR_ERR_AGENT_UNRESPONSIVE ||
                           code == VIR_ERR_ARGUMENT_UNSUPPORTED))
        explain_missing(look_at_channel(domain), error);
    rfp_error_add_way_out(error,
                          _("install and start qemu-guest-agent in the guest, "
                            "or use --quiesce=never"));
}

RfpFreeze
rfp_agent_freeze(RfpDomain *domain,
                 guint timeout,
                 gint *n_frozen,
                 GError **error)
{
    g_autoptr(GError) local = NULL;
    RfpFreeze result = RFP_FREEZE_FAILED;
    Tried tried = freeze_patiently(domain, timeout);

    *n_frozen = tried.n;
    if (*n_frozen >= 0) {
        unlimit_response(domain);
        return RFP_FREEZE_DONE;
    }
    rfp_virt_error_set(&local, domain->name,
                       _("cannot freeze the file systems of domain '%s'"),
                       domain->name);
    if (rfp_error_libvirt_code(local) == VIR_ERR_OPERATION_TIMEOUT) {
        /* not sent: somebody else had the agent all the time */
        local->code = REFPOINT_ERROR_TIMEOUT;
    } else if (local->code == REFPOINT_ERROR_IN_USE ? tried.again :
                                                      tried.late) {
        local->code = REFPOINT_ERROR_TIMEOUT;
        rfp_error_add_way_out(&local,
                              _("the guest may freeze later, it is watched and "
                                "thawed; see what its freeze hooks do"));
        result = RFP_FREEZE_LATE;
    } else if (local->code == REFPOINT_ERROR_NOT_AVAILABLE) {
        local->code = REFPOINT_ERROR_STATUS_UNKNOWN;
        result = RFP_FREEZE_LATE;
    } else if (local->code == REFPOINT_ERROR_IN_USE) {
        rfp_error_add_way_out(&local, _("who froze it may still be at work; "
                                        "if not: virsh domfsthaw %s"),
                              domain->word);
        result = RFP_FREEZE_FOREIGN;
    } else {
        local->code = REFPOINT_ERROR_INVALID_STATE;
        explain_failure(domain, &tried, &local);
    }
    unlimit_response(domain);
    g_propagate_error(error, g_steal_pointer(&local));
    return result;
}

/* Of a thaw that failed: what the agent said is no fault of libvirt's. */
static void
set_thaw_cause(GError *error, gboolean no_answer)
{
    if (no_answer)
        error->code = REFPOINT_ERROR_TIMEOUT;
    else if (error->code == REFPOINT_ERROR_FAILED)
        error->code = REFPOINT_ERROR_INVALID_STATE;
}

gboolean
rfp_agent_thaw(RfpDomain *domain,
               guint timeout,
               gint *n_thawed,
               GError **error)
{
    gint64 begin = g_get_monotonic_time();
    g_autoptr(GError) local = NULL;
    int n = 0;

    limit_response(domain, timeout);
    n = virDomainFSThaw(domain->virt, NULL, 0, 0);
    if (n_thawed != NULL)
        *n_thawed = n;
    if (n < 0) {
        rfp_virt_error_set(&local, domain->name,
                           _("cannot thaw the file systems of domain '%s'"),
                           domain->name);
        set_thaw_cause(local, used_up(begin, timeout));
        rfp_error_add_way_out(&local, _("thaw it with: virsh domfsthaw %s"),
                              domain->word);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    unlimit_response(domain);
    return n >= 0;
}
