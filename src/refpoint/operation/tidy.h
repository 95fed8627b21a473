/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The folder of records is kept small: what is left there of a domain that
 * libvirt does not have any more goes, a day after it was last written to.
 */
#ifndef RFP_TIDY_H
#define RFP_TIDY_H

#include "virt/connection.h"

/*
 * Each operation calls this when it has given its own lock back. It costs a
 * look at the folder, where there are records of other domains one question to
 * libvirt, and what it removes is limited.
 *
 * What still has something to undo stays, and what belongs to somebody: an
 * operation or a guard that lives, another daemon.
 */
void
rfp_tidy(RefpointConnection *conn, const char *own_uuid);

#endif
