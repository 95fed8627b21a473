/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One object of the Msvm model, and its instance; pure. */
#ifndef RFP_MSVM_OBJECT_INSTANCE_H
#define RFP_MSVM_OBJECT_INSTANCE_H

#include "cim/msvm-instance.h"

typedef struct _RfpMsvmObject RfpMsvmObject;

struct _RfpMsvmObject {
    const RfpMsvmClass *klass;
    char *path;
    gconstpointer of; /* what it shows; borrowed from the inventory */
    char *ends[2];    /* of associations: paths, in the order of the class's
                       * references; else NULL */
    guint16 effect;   /* of Msvm_AffectedJobElement: ElementEffects */
    /* NULL: it has to be asked for elsewhere (jobs). */
    RfpMsvmInstance *(*make)(const RfpMsvmObject *object);
};

/* Instances (RfpMsvmObject.make). */
RfpMsvmInstance *
rfp_msvm_system_instance(const RfpMsvmObject *object);

RfpMsvmInstance *
rfp_msvm_group_instance(const RfpMsvmObject *object);

RfpMsvmInstance *
rfp_msvm_point_instance(const RfpMsvmObject *object);

RfpMsvmInstance *
rfp_msvm_collection_instance(const RfpMsvmObject *object);

RfpMsvmInstance *
rfp_msvm_service_instance(const RfpMsvmObject *object);

RfpMsvmInstance *
rfp_msvm_association_instance(const RfpMsvmObject *object);

#endif
