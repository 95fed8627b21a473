/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all modules that call libvirt share: handles and errors. */
#ifndef RFP_VIRT_H
#define RFP_VIRT_H

#include "base/error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/*
 * Of libvirt 11.2 and later, by number: this library may be older than the
 * daemon. What was sent to the guest's agent was not answered in time, and may
 * happen yet (VIR_ERR_AGENT_COMMAND_TIMEOUT); or the agent answered that it
 * failed (VIR_ERR_AGENT_COMMAND_FAILED). Before, that is AGENT_UNRESPONSIVE, as
 * if nothing had been sent, and INTERNAL_ERROR.
 */
#define RFP_VIRT_AGENT_TIMEOUT 112
#define RFP_VIRT_AGENT_FAILED 113

/*
 * The cause of a virErrorNumber when nothing else is known (mapping: Errors).
 * Complete at compile time for the installed headers: a new code is a
 * compiler warning here.
 *
 * Only what is not there (NO_DOMAIN, NO_DOMAIN_CHECKPOINT) can be about what
 * the caller named: names are checked before libvirt sees them. INVALID_ARG and
 * the other INVALID_ codes are about the arguments of a call of ours, or inside
 * libvirt: FAILED.
 */
RefpointError
rfp_virt_cause(int code);

/*
 * The same with the message looked at: INTERNAL_ERROR carries many state
 * errors. That OPERATION_UNSUPPORTED also means an inactive domain is not seen
 * here: rfp_domain_correct_cause().
 */
RefpointError
rfp_virt_cause_of(const virError *error);

/* Makes an error of the last libvirt error of this thread. @object is the
 * domain, checkpoint or disk it is about, or NULL. */
void
rfp_virt_error_set(GError **error, const char *object, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static inline void
rfp_virt_domain_free(virDomainPtr domain)
{
    if (domain != NULL)
        virDomainFree(domain);
}

static inline void
rfp_virt_checkpoint_free(virDomainCheckpointPtr checkpoint)
{
    if (checkpoint != NULL)
        virDomainCheckpointFree(checkpoint);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, rfp_virt_domain_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomainCheckpoint, rfp_virt_checkpoint_free)

#endif
