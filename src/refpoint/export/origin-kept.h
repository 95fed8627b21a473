/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data of a point of earlier that a running job keeps (kept.h). */
#ifndef RFP_ORIGIN_KEPT_H
#define RFP_ORIGIN_KEPT_H

#include "export/export-member.h"

extern const RfpOrigin rfp_origin_kept;

#endif
