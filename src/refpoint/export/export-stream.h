/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data of all disks, from their sources into the set. */
#ifndef RFP_EXPORT_STREAM_H
#define RFP_EXPORT_STREAM_H

#include "export/export-member.h"

/* Moves the data; images and digests are complete and durable afterwards. */
gboolean
rfp_export_stream(RfpExport *export, GError **error);

#endif
