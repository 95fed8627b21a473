/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many files this process may still open. Asked before anything is begun:
 * who runs out of them in the middle cannot undo what was done either, and
 * neither can the guard, which has the same limit.
 */
#ifndef RFP_DESCRIPTORS_H
#define RFP_DESCRIPTORS_H

#include "base/error.h"

/* What any operation on a domain takes, and what each disk that is read takes
 * beside that, with room to spare: half of it was seen to do. */
#define RFP_DESCRIPTORS_OPERATION 48
#define RFP_DESCRIPTORS_DISK 16

/* Fails where less than @needed are left. */
gboolean
rfp_descriptors_check(guint needed, GError **error);

#endif
