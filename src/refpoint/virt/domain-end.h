/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Why a domain is off that ran a moment ago, in words for the user. */
#ifndef RFP_DOMAIN_END_H
#define RFP_DOMAIN_END_H

#include "virt/domain.h"

/*
 * The last thing that QEMU said, from the text of libvirt's log of a domain:
 * its lines stand between those of libvirt, which begin with a date, and the
 * command line. NULL: nothing. Free with g_free().
 */
char *
rfp_domain_log_complaint(const char *log);

/* Whether it says that there is no such domain (any more): one that was not
 * defined ends with its QEMU. */
gboolean
rfp_domain_end_is_gone(const GError *error);

/* INVALID_STATE: the domain, of which @state says that it is off, crashed (with
 * what QEMU said, where its log can be read) or was shut off meanwhile. NULL:
 * it is gone. */
void
rfp_domain_end_set(RefpointConnection *conn,
                   RfpDomain *domain,
                   const RfpDomainState *state,
                   GError **error);

/*
 * Of something that failed while a job ran: replaces *@error by
 * rfp_domain_end_set() where the domain is off or gone, unless it is one of a
 * file. libvirt hears of QEMU's end a moment later than who was connected to
 * it: where *@error is a connection that was lost it is waited for, two seconds
 * at most. No effect where @error or *@error is NULL.
 */
void
rfp_domain_end_explain(RefpointConnection *conn,
                       RfpDomain *domain,
                       GError **error);

#endif
