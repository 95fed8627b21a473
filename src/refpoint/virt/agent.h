/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Freezing a guest's file systems through its agent. */
#ifndef RFP_AGENT_H
#define RFP_AGENT_H

#include "virt/domain.h"

typedef enum {
    RFP_FREEZE_DONE,
    RFP_FREEZE_FOREIGN, /* somebody else froze the guest: never thawed by us */
    RFP_FREEZE_FAILED,  /* it is not frozen, and will not be */
    RFP_FREEZE_LATE,    /* no answer: it may freeze any time later */
} RfpFreeze;

/*
 * Freezes all file systems, *@n_frozen of them; a reply is waited for @timeout
 * seconds. Anything but DONE sets @error: IN_USE for FOREIGN, TIMEOUT for LATE
 * (STATUS_UNKNOWN where libvirt went away meanwhile), else why (INVALID_STATE
 * where the agent is missing, or was forbidden to freeze). What an agent
 * refuses is told apart by asking the guest for its time: while it is frozen it
 * refuses that, too.
 */
RfpFreeze
rfp_agent_freeze(RfpDomain *domain,
                 guint timeout,
                 gint *n_frozen,
                 GError **error);

/* Thaws; succeeds too where nothing is frozen. TRUE means that the agent has
 * answered. *@n_thawed (may be NULL): file systems that were frozen. */
gboolean
rfp_agent_thaw(RfpDomain *domain,
               guint timeout,
               gint *n_thawed,
               GError **error);

/* Whether libvirt is connected to the agent, which still may not answer; else
 * INVALID_STATE, with the way out. Asks libvirt alone, not the guest. */
gboolean
rfp_agent_check_connected(RfpDomain *domain, GError **error);

/*
 * Whether the agent answers at all, within some seconds, without being asked to
 * do anything: what is sent to one that does not may happen much later. TIMEOUT
 * where it does not, INVALID_STATE where it is missing. That it refuses is an
 * answer.
 */
gboolean
rfp_agent_check_answers(RfpDomain *domain, GError **error);

/*
 * Whether libvirt has lost an agent that is there: it takes the agent's channel
 * for open in the guest, and yet fails at once. That happens where the guest is
 * reset, or its agent restarted, while a job runs. libvirt 9.0 hears that the
 * channel was closed, waits 30 s for the end of the job, which it cannot see
 * meanwhile, and gives up; opened again, the channel counts as one that is in
 * use. That lasts until the agent opens the channel once more while no job
 * runs, or libvirt's daemon starts again. Takes seconds where it is so.
 */
gboolean
rfp_agent_lost(RfpDomain *domain);

/* Seconds to wait for an agent: REFPOINT_AGENT_TIMEOUT, or 30. */
guint
rfp_agent_timeout(void);

#endif
