/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The turn of an operation on its domain: waiting for others who work on it, as
 * long as the caller has said (refpoint_job_set_wait()), and naming them.
 */
#ifndef RFP_OPERATION_TURN_H
#define RFP_OPERATION_TURN_H

#include "operation/operation.h"

/* Waits for the record and its lock, and writes down that this process has
 * them. IN_USE names who has them instead. */
gboolean
rfp_operation_take_turn(RfpOperation *operation, GError **error);

/* Whether it waits for others, and its time for that is not over. */
gboolean
rfp_operation_may_wait(const RfpOperation *operation);

/* Gives the lock back, before anything was begun under it: it can be taken
 * again. */
void
rfp_operation_give_back(RfpOperation *operation);

/*
 * Behind a failure, *@error, of an operation that has the lock: where it says
 * that the domain has a job or kept data (IN_USE) and that may end in time,
 * gives the lock back and waits for that end. The end may need the lock. TRUE:
 * *@error is cleared, and the lock is to be taken again. FALSE: *@error is set,
 * to the same failure where there is nothing to wait for.
 */
gboolean
rfp_operation_wait_free(RfpOperation *operation, GError **error);

/* IN_USE, naming who or what is in the way, unless QEMU may be made to drain
 * (rfp_kept_may_drain()). */
gboolean
rfp_operation_check_drain(RfpOperation *operation, GError **error);

#endif
