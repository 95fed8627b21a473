/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Undoing an operation that fails, and those that died before it, with what is
 * to be told to the user about it. */
#ifndef RFP_OPERATION_UNDO_H
#define RFP_OPERATION_UNDO_H

#include "operation/operation.h"
#include "operation/undo.h"

/* Under the lock: undoes, or completes, what earlier processes have left in the
 * domain's records. What cannot be undone because its set cannot be read is set
 * aside, with a warning. FALSE: it cannot be undone now, nothing else may
 * begin. */
gboolean
rfp_operation_undo_stale(RfpOperation *operation, GError **error);

/* Undoes everything that @operation has written into the record. If that fails
 * too it is a warning, and the guard goes on with it. @set: the set, if the
 * caller has it locked, or NULL. */
void
rfp_operation_undo(RfpOperation *operation, RfpExportSet *set);

/* The same while it is known that nothing was published: the set is not read
 * again. */
void
rfp_operation_undo_unpublished(RfpOperation *operation, RfpExportSet *set);

#endif
