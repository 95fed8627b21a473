/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All objects of the Msvm model that follow from an inventory, associations
 * with them; pure. */
#ifndef RFP_MSVM_OBJECTS_H
#define RFP_MSVM_OBJECTS_H

#include "msvm/msvm-object-instance.h"
#include "msvm/msvm-object-inventory.h"

/* The objects that @inventory stands for, their associations, and the services:
 * GPtrArray of RfpMsvmObject with its free function. They borrow from the
 * inventory, which must outlive them. */
GPtrArray *
rfp_msvm_objects(const RfpMsvmInventory *inventory);

/* The one of @objects with this canonical path, borrowed; NULL if there is
 * none. */
const RfpMsvmObject *
rfp_msvm_objects_find(GPtrArray *objects, const char *path);

/* Which RfpMsvmInventoryParts have to be loaded to find all instances of @klass
 * and of the classes derived from it. */
guint
rfp_msvm_objects_need(const RfpMsvmClass *klass);

#endif
