/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an export does with each disk, and why. */
#ifndef RFP_EXPORT_PLAN_H
#define RFP_EXPORT_PLAN_H

#include "export/export-member.h"

/* Checks names and selection, finds base and point, decides for each disk of
 * all members, and writes the plan into the report. Changes nothing. */
gboolean
rfp_export_plan(RfpExport *export, GError **error);

#endif
