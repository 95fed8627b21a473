/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"
#include "text.h"

#define TIMEOUT_DEFAULT 30
#define TIMEOUT_MAX 600
#define GREETINGS 3
#define GREETING_US (4 * G_USEC_PER_SEC)

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

/* What was not sent can be asked for again. *@late: it was, perhaps, and may
 * happen yet. */
static int
freeze_patiently(RfpDomain *domain, guint timeout, gboolean *late)
{
    gint64 end = g_get_monotonic_time() + (gint64)timeout * G_USEC_PER_SEC;
    int n = -1;

    for (guint i = 0; i < GREETINGS; i++) {
        gint64 begin = g_get_monotonic_time();
        guint left = (guint)(MAX(end - begin, G_USEC_PER_SEC) / G_USEC_PER_SEC);

        limit_response(domain, left);
        n = virDomainFSFreeze(domain->virt, NULL, 0, 0);
        *late = n < 0 && used_up(begin, left);
        if (n >= 0 || !missed_greeting(begin, left))
            break;
    }
    return n;
}

RfpFreeze
rfp_agent_freeze(RfpDomain *domain,
                 guint timeout,
                 gint *n_frozen,
                 GError **error)
{
    g_autoptr(GError) local = NULL;
    RfpFreeze result = RFP_FREEZE_FAILED;
    gboolean late = FALSE;

    *n_frozen = freeze_patiently(domain, timeout, &late);
    if (*n_frozen >= 0) {
        unlimit_response(domain);
        return RFP_FREEZE_DONE;
    }
    rfp_virt_error_set(&local, domain->name,
                       _("cannot freeze the file systems of domain '%s'"),
                       domain->name);
    /* an answer is one, however late it comes */
    if (late && local->code != REFPOINT_ERROR_IN_USE) {
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
        rfp_error_add_way_out(&local,
                              _("install and start qemu-guest-agent in the "
                                "guest, or use --quiesce=never"));
    }
    unlimit_response(domain);
    g_propagate_error(error, g_steal_pointer(&local));
    return result;
}

gboolean
rfp_agent_thaw(RfpDomain *domain,
               guint timeout,
               gint *n_thawed,
               GError **error)
{
    int n = 0;

    limit_response(domain, timeout);
    n = virDomainFSThaw(domain->virt, NULL, 0, 0);
    if (n_thawed != NULL)
        *n_thawed = n;
    if (n < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot thaw the file systems of domain '%s'"),
                           domain->name);
        rfp_error_add_way_out(error, _("thaw it with: virsh domfsthaw %s"),
                              domain->word);
    }
    unlimit_response(domain);
    return n >= 0;
}
