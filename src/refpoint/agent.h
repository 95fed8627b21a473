/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Freezing a guest's file systems through its agent. */
#ifndef RFP_AGENT_H
#define RFP_AGENT_H

#include "domain.h"

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
 * where the agent is missing).
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

/* Seconds to wait for an agent: REFPOINT_AGENT_TIMEOUT, or 30. */
guint
rfp_agent_timeout(void);

#endif
