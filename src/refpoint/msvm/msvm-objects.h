/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All objects of the Msvm model that follow from an inventory, associations
 * with them; pure. */
#ifndef RFP_MSVM_OBJECTS_H
#define RFP_MSVM_OBJECTS_H

#include "msvm/msvm-object-instance.h"
#include "msvm/msvm-object-inventory.h"

/* All of them: GPtrArray of RfpMsvmObject with its free function. Valid as long
 * as the inventory. */
GPtrArray *
rfp_msvm_objects(const RfpMsvmInventory *inventory);

/* The object with this canonical path; NULL if there is none. */
const RfpMsvmObject *
rfp_msvm_objects_find(GPtrArray *objects, const char *path);

/* What has to be loaded for the instances of a class and of the classes derived
 * from it: RfpMsvmWhat. */
guint
rfp_msvm_objects_need(const RfpMsvmClass *klass);

#endif
