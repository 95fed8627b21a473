/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Taking a domain for an operation. */
#ifndef RFP_OPERATION_LOCK_H
#define RFP_OPERATION_LOCK_H

#include "operation/operation.h"

/*
 * Takes the domain's lock and undoes what earlier processes left; what cannot
 * be undone now is a warning. Looks at the data that is kept of the domain: its
 * job must still run, and a guard must watch it. Waits for its turn as long as
 * the caller has said; if it has waited, @waited is set, and what was looked at
 * before is to be looked at again. IN_USE names who works on the domain.
 */
gboolean
rfp_operation_lock(RfpOperation *operation, GError **error);

/* Whether an operation may go on with the domain as it is. IN_USE: not before
 * the domain's job has ended, or its kept data was let go. */
typedef gboolean (*RfpOperationFree)(gpointer opaque, GError **error);

/* rfp_operation_lock() until also @is_free says so. While it does not, the lock
 * is given back, because the job's end may need it, and taken again. @is_free
 * may be asked several times. */
gboolean
rfp_operation_lock_free(RfpOperation *operation,
                        RfpOperationFree is_free,
                        gpointer opaque,
                        GError **error);

#endif
