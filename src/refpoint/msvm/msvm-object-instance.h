/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One object of the Msvm model, and its instance; pure. */
#ifndef RFP_MSVM_OBJECT_INSTANCE_H
#define RFP_MSVM_OBJECT_INSTANCE_H

#include "cim/msvm-instance.h"

typedef struct _RfpMsvmObject RfpMsvmObject;

struct _RfpMsvmObject {
    const RfpMsvmClass *klass;
    char *path; /* canonical: rfp_msvm_object_path_canonical() */
    /* The RfpMsvmSystem or RefpointPoint of the inventory that the object
     * shows, borrowed; NULL for services and associations. */
    gconstpointer shown;
    /* Of an association: the paths of its two ends, in the order of the class's
     * references. NULL for other objects. */
    char *ends[2];
    guint16 effect; /* ElementEffects of an Msvm_AffectedJobElement; else 0 */
    /* Makes its instance: one of the functions below. NULL for jobs, whose
     * instances rfp_msvm_job_instance() makes. */
    RfpMsvmInstance *(*make)(const RfpMsvmObject *object);
};

/* The instances of a computer system; of the group that has this one system; of
 * a point; of the collection that has this one point; of a service; of an
 * association. Free with rfp_msvm_instance_free(). */
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
