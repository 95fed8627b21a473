/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all modules that call libvirt share: handles and errors. */
#ifndef RFP_VIRT_H
#define RFP_VIRT_H

#include "error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

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
 * errors, and OPERATION_UNSUPPORTED also means an inactive domain.
 */
RefpointError
rfp_virt_cause_of(const virError *error);

/* Makes an error of the last libvirt error of this thread. @object is the
 * domain, checkpoint or disk it is about, or NULL. */
void
rfp_virt_error_set(GError **error,
                   const char *object,
                   const char *format,
                   ...) G_GNUC_PRINTF(3, 4);

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
