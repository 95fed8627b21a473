/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Object paths as CIM XML has them: <VALUE.REFERENCE>, with an <INSTANCEPATH>,
 * <LOCALINSTANCEPATH> or <INSTANCENAME>; pure. */
#ifndef RFP_MSVM_REFERENCE_H
#define RFP_MSVM_REFERENCE_H

#include "base/xml.h"
#include "cim/msvm-path.h"

/* Adds a <VALUE.REFERENCE> to @parent. */
void
rfp_msvm_reference_write(xmlNodePtr parent, const RfpMsvmPath *path);

/* The path in a <VALUE.REFERENCE>; NULL if it is not well-formed. */
RfpMsvmPath *
rfp_msvm_reference_read(xmlNodePtr node);

#endif
