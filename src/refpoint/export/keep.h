/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new point whose data a running job keeps (kept.h). */
#ifndef RFP_KEEP_H
#define RFP_KEEP_H

#include "base/job.h"

/* refpoint_create() with @options->keep other than NOTHING. */
gboolean
rfp_keep_create(RefpointConnection *conn,
                const RefpointCreateOptions *options,
                RefpointJob *job,
                GError **error);

#endif
