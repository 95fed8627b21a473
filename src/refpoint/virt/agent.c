/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/agent.h"
#include "base/text.h"
#include "base/wording.h"

#include <stdlib.h>

/* A channel that was just closed counts as open until libvirt comes to know:
 * what is lost is so in all looks. */
#define LOST_LOOKS 3
#define LOST_PAUSE_US (1 * G_USEC_PER_SEC)
#define LOST_TIMEOUT 3
/* How long the guest has to tell that it is not frozen, each time. */
#define LOOK_TIMEOUT 5
/* How often one that may be busy is asked whether it is there. */
#define LOOKS 2
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
 * domain as a whole; the default is put back behind each call. There is no way
 * to ask what somebody else had set.
 */
static void
limit_response(RfpDomain *domain, guint timeout)
{
    domain->calls->agent_set_timeout(domain->virt, (int)timeout, 0);
}

static void
unlimit_response(RfpDomain *domain)
{
    domain->calls->agent_set_timeout(domain->virt,
                                     VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK,
                                     0);
}

/* What libvirt tells from 11.2 on: it had been sent. Before, the time that it
 * took is the only witness. */
static gboolean
used_up(gint64 begin, guint timeout)
{
    return virGetLastErrorCode() == RFP_VIRT_AGENT_TIMEOUT ||
           g_get_monotonic_time() - begin >=
               (gint64)timeout * G_USEC_PER_SEC * 9 / 10;
}

/* It was sent, and the agent answered that it does not do it, or failed. */
static gboolean
agent_refused(void)
{
    virErrorPtr last = virGetLastError();

    return last != NULL && (last->code == RFP_VIRT_AGENT_FAILED ||
                            (last->code == VIR_ERR_INTERNAL_ERROR &&
                             last->domain != VIR_FROM_RPC));
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
        text != NULL ? rfp_domain_xml_parse(text, NULL) : NULL;

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
    fails =
        domain->calls->get_time(domain->virt, &seconds, &nanoseconds, 0) < 0 &&
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

/* ---- Whether it is frozen ------------------------------------------------ */

typedef enum {
    ANSWER_NONE, /* the agent did not tell, for now */
    ANSWER_GIVEN,
    ANSWER_REFUSED,
} Answer;

static Answer
answer_of(gboolean given)
{
    if (given)
        return ANSWER_GIVEN;
    return agent_refused() ? ANSWER_REFUSED : ANSWER_NONE;
}

static Answer
ask_time(RfpDomain *domain)
{
    long long seconds = 0;
    unsigned int nanoseconds = 0;

    return answer_of(
        domain->calls->get_time(domain->virt, &seconds, &nanoseconds, 0) == 0);
}

static Answer
ask_hostname(RfpDomain *domain)
{
    char *name = domain->calls->get_hostname(domain->virt,
                                             VIR_DOMAIN_GET_HOSTNAME_AGENT);
    Answer answer = answer_of(name != NULL);

    free(name);
    return answer;
}

/*
 * While the file systems are frozen the agent refuses all but a few commands;
 * in its words this is no different from what its administrator forbids. One
 * answer is enough to know that it is not frozen. The two that are asked for
 * are seldom forbidden, and change nothing.
 */
static Answer
ask_guest(RfpDomain *domain)
{
    Answer answer = ANSWER_NONE;

    limit_response(domain, LOOK_TIMEOUT);
    for (guint i = 0; i < GREETINGS && answer == ANSWER_NONE; i++)
        answer = ask_time(domain);
    if (answer == ANSWER_REFUSED && ask_hostname(domain) == ANSWER_GIVEN)
        answer = ANSWER_GIVEN;
    unlimit_response(domain);
    return answer;
}

/* Of a guest whose agent has refused a freeze, as @message tells, and now gave
 * this @answer. */
static gboolean
is_frozen(Answer answer, const char *message)
{
    return answer == ANSWER_REFUSED ||
           (answer == ANSWER_NONE &&
            rfp_wording_find(RFP_WORDING_AGENT_FROZEN, message) != NULL);
}

/* ---- Freezing ------------------------------------------------------------ */

typedef struct {
    int n;            /* file systems, or -1 */
    gboolean refused; /* the agent has answered: it does not */
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
        guint left = i == 0 ? timeout : (guint)((end - begin) / G_USEC_PER_SEC);

        tried.again = i > 0;
        limit_response(domain, left);
        tried.n = domain->calls->fs_freeze(domain->virt, NULL, 0, 0);
        tried.refused = tried.n < 0 && agent_refused();
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

gboolean
rfp_agent_check_connected(RfpDomain *domain, GError **error)
{
    Channel channel = look_at_channel(domain);
    g_autoptr(GError) local = NULL;

    if (channel != CHANNEL_NONE && channel != CHANNEL_CLOSED)
        return TRUE;
    rfp_error_set(&local, REFPOINT_ERROR_INVALID_STATE,
                  channel == CHANNEL_NONE
                      ? _("domain '%s' has no channel to a guest agent")
                      : _("the agent of domain '%s' is not connected"),
                  domain->name);
    rfp_error_add_object(&local, domain->name);
    explain_missing(channel, &local);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

gboolean
rfp_agent_check_answers(RfpDomain *domain, GError **error)
{
    const guint timeout = MIN(LOOK_TIMEOUT, rfp_agent_timeout());
    g_autoptr(GError) local = NULL;
    Answer answer = ANSWER_NONE;
    gboolean slow = TRUE;

    limit_response(domain, timeout);
    for (guint i = 0; i < LOOKS && answer == ANSWER_NONE && slow; i++) {
        gint64 begin = g_get_monotonic_time();

        g_clear_error(&local);
        answer = ask_time(domain);
        if (answer == ANSWER_NONE)
            rfp_virt_error_set(&local, domain->name,
                               _("the agent of domain '%s' does not answer"),
                               domain->name);
        slow = g_get_monotonic_time() - begin >=
               (gint64)timeout * G_USEC_PER_SEC * 8 / 10;
    }
    unlimit_response(domain);
    if (answer != ANSWER_NONE)
        return TRUE;
    local->code = slow ? REFPOINT_ERROR_TIMEOUT : REFPOINT_ERROR_INVALID_STATE;
    if (!slow)
        explain_missing(look_at_channel(domain), &local);
    rfp_error_add_way_out(&local, _("see what keeps the agent in the guest "
                                    "busy, or use --quiesce=never"));
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* What helps against an agent that is there and does not freeze. */
static void
explain_refusal(const char *message, GError **error)
{
    if (rfp_wording_find(RFP_WORDING_AGENT_DISABLED, message) != NULL)
        rfp_error_add_way_out(error,
                              _("allow guest-fsfreeze-freeze and "
                                "guest-fsfreeze-thaw in the guest (block-rpcs "
                                "or allow-rpcs of its agent, in qemu-ga.conf "
                                "or in the options of its service), or use "
                                "--quiesce=never"));
    else
        rfp_error_add_way_out(error,
                              _("see what the agent in the guest, or its "
                                "freeze hook, complains about, or use "
                                "--quiesce=never"));
}

/* The agent is missing, or does not want to. */
static void
explain_failure(RfpDomain *domain, const Tried *tried, GError **error)
{
    int code = rfp_error_libvirt_code(*error);

    if (tried->at_once && (code == VIR_ERR_AGENT_UNRESPONSIVE ||
                           code == VIR_ERR_ARGUMENT_UNSUPPORTED))
        explain_missing(look_at_channel(domain), error);
    else if (tried->refused)
        explain_refusal((*error)->message, error);
    rfp_error_add_way_out(error,
                          _("install and start qemu-guest-agent in the guest, "
                            "or use --quiesce=never"));
}

static RfpFreeze
set_late(RefpointError cause, GError *error)
{
    error->code = cause;
    return RFP_FREEZE_LATE;
}

/* What became of a freeze that failed with @error, which gets its cause and the
 * way out. */
static RfpFreeze
judge(RfpDomain *domain, const Tried *tried, GError **error)
{
    Answer answer = tried->refused ? ask_guest(domain) : ANSWER_NONE;
    gboolean frozen = tried->refused && is_frozen(answer, (*error)->message);

    /* before what libvirt says: that may be of the thaw behind it */
    if ((*error)->code == REFPOINT_ERROR_NOT_AVAILABLE)
        return set_late(REFPOINT_ERROR_STATUS_UNKNOWN, *error);
    if (rfp_error_libvirt_code(*error) == VIR_ERR_OPERATION_TIMEOUT) {
        /* not sent: somebody else had the agent all the time */
        (*error)->code = REFPOINT_ERROR_TIMEOUT;
        return RFP_FREEZE_FAILED;
    }
    /* the agent does one thing after the other: with an answer that is over */
    if (frozen ? tried->again : tried->late && answer != ANSWER_GIVEN) {
        rfp_error_add_way_out(error,
                              _("the guest may freeze later, it is watched and "
                                "thawed; see what its freeze hooks do"));
        return set_late(REFPOINT_ERROR_TIMEOUT, *error);
    }
    if (frozen) {
        (*error)->code = REFPOINT_ERROR_IN_USE;
        rfp_error_add_way_out(error,
                              _("who froze it may still be at work; "
                                "if not: virsh domfsthaw %s"),
                              domain->shell_name);
        return RFP_FREEZE_FOREIGN;
    }
    (*error)->code = REFPOINT_ERROR_INVALID_STATE;
    explain_failure(domain, tried, error);
    return RFP_FREEZE_FAILED;
}

RfpFreeze
rfp_agent_freeze(RfpDomain *domain,
                 guint timeout,
                 gint *n_frozen,
                 GError **error)
{
    g_autoptr(GError) local = NULL;
    RfpFreeze result = RFP_FREEZE_DONE;
    Tried tried = freeze_patiently(domain, timeout);
    gboolean lost = FALSE;

    *n_frozen = tried.n;
    if (tried.n < 0) {
        rfp_virt_error_set(&local, domain->name,
                           _("cannot freeze the file systems of domain '%s'"),
                           domain->name);
        lost = local->code == REFPOINT_ERROR_NOT_AVAILABLE;
        /* the daemon is back: what it had sent to the agent comes to its end
         * before the thaw */
        if (lost && rfp_domain_again(domain, &local) &&
            rfp_agent_thaw(domain, timeout, NULL, &local))
            return rfp_agent_freeze(domain, timeout, n_frozen, error);
        if (lost) /* whatever kept it from that: it may freeze yet */
            local->code = REFPOINT_ERROR_NOT_AVAILABLE;
        result = judge(domain, &tried, &local);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    unlimit_response(domain);
    return result;
}

/* Of a thaw that failed: what the agent said is no fault of libvirt's. A daemon
 * that went away while the answer was late is a cause of its own. */
static void
set_thaw_cause(GError *error, gboolean no_answer)
{
    if (no_answer && error->code != REFPOINT_ERROR_NOT_AVAILABLE)
        error->code = REFPOINT_ERROR_TIMEOUT;
    else if (error->code == REFPOINT_ERROR_FAILED)
        error->code = REFPOINT_ERROR_INVALID_STATE;
}

gboolean
rfp_agent_thaw(RfpDomain *domain, guint timeout, gint *n_thawed, GError **error)
{
    g_autoptr(GError) local = NULL;
    gboolean no_answer = FALSE;
    int n = -1;

    do {
        gint64 begin = g_get_monotonic_time();

        limit_response(domain, timeout);
        n = domain->calls->fs_thaw(domain->virt, NULL, 0, 0);
        no_answer = n < 0 && used_up(begin, timeout);
        if (n < 0 && local == NULL)
            rfp_virt_error_set(&local, domain->name,
                               _("cannot thaw the file systems of domain '%s'"),
                               domain->name);
    } while (n < 0 && rfp_domain_again(domain, &local));
    if (n_thawed != NULL)
        *n_thawed = n;
    if (n < 0) {
        set_thaw_cause(local, no_answer);
        rfp_error_add_way_out(&local, _("thaw it with: virsh domfsthaw %s"),
                              domain->shell_name);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    unlimit_response(domain);
    return n >= 0;
}
