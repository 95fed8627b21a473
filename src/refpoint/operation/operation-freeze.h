/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Freezing the guest's file systems while the point of an operation is made. */
#ifndef RFP_OPERATION_FREEZE_H
#define RFP_OPERATION_FREEZE_H

#include "operation/operation.h"

/*
 * Freezes the guest as @quiesce wants. *@reached is the consistency that the
 * point has if thawing succeeds, too. Where the guest cannot be frozen the
 * operation goes on with a warning and a crash consistent point, or, with
 * REFPOINT_QUIESCE_REQUIRED, fails. A guest that somebody else has frozen is a
 * failure (IN_USE) in any case, unless @quiesce is never.
 */
gboolean
rfp_operation_freeze(RfpOperation *operation,
                     RefpointQuiesce quiesce,
                     const RfpDomainState *state,
                     RefpointConsistency *reached,
                     GError **error);

/* As far as that can be known without asking the guest: whether it could be
 * frozen. */
gboolean
rfp_operation_check_freeze(RfpOperation *operation,
                           const RfpDomainState *state,
                           GError **error);

/*
 * Thaws what rfp_operation_freeze() froze. Where the agent does not answer, the
 * guard goes on trying. Then, and where the guest had not stayed frozen until
 * now, *@reached falls to crash: that is a warning, but a failure where
 * freezing is required.
 */
gboolean
rfp_operation_thaw(RfpOperation *operation,
                   RefpointConsistency *reached,
                   GError **error);

/*
 * Suspends a guest that runs, instead of freezing it: its data is as a power
 * failure would leave it. One that its administrator has suspended stays as it
 * is, and is not resumed. It is checked that it runs now; @state tells whether
 * it ran when the operation began.
 */
gboolean
rfp_operation_pause(RfpOperation *operation,
                    const RfpDomainState *state,
                    GError **error);

/* Resumes what rfp_operation_pause() suspended. INVALID_STATE: somebody else
 * had resumed it. */
gboolean
rfp_operation_resume(RfpOperation *operation, GError **error);

/* Leaves the guest to the guard, which watches and thaws it: its freeze has
 * timed out and may still happen, or it cannot be thawed now. */
gboolean
rfp_operation_hand_over(RfpOperation *operation, GError **error);

#endif
