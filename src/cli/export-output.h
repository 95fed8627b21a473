/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan and the result of an export, for people. */
#ifndef EXPORT_OUTPUT_H
#define EXPORT_OUTPUT_H

#include "refpoint.h"

void
export_print_plan(const RefpointReport *plan, gboolean quiet, GString *out);

/* The last line is the path of the published point, and the only one if
 * @quiet. */
void
export_print_result(const RefpointReport *report, gboolean quiet, GString *out);

#endif
