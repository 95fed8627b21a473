/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All objects that the Msvm model has of this host: what libvirt and the jobs
 * show at one moment, and the objects and associations that follow from it. All
 * but rfp_msvm_inventory_load() is pure.
 */
#ifndef RFP_MSVM_OBJECT_INVENTORY_H
#define RFP_MSVM_OBJECT_INVENTORY_H

#include "msvm/msvm-job.h"
#include "virt/domain.h"

typedef struct {
    char *uuid; /* lower case */
    char *name;
    RfpDomainState state;
    gboolean saved;     /* shut off with its memory saved */
    gint64 last_backup; /* when its newest published point was made, seconds
                         * since the epoch; 0: none, or not looked for */
} RfpMsvmSystem;

typedef struct {
    char *path;
    GPtrArray *affected; /* RfpMsvmAffected */
} RfpMsvmJobLinks;

typedef struct {
    GPtrArray *systems; /* RfpMsvmSystem */
    GPtrArray *points;  /* RefpointPoint */
    GPtrArray *jobs;    /* RfpMsvmJobLinks */
} RfpMsvmInventory;

typedef enum {
    RFP_MSVM_SYSTEMS = 1 << 0,
    RFP_MSVM_POINTS = 1 << 1,
} RfpMsvmWhat;

/* Nothing in it. */
RfpMsvmInventory *
rfp_msvm_inventory_new(void);

/* Of all domains, or of @domain_uuid alone; the jobs are always in it. No such
 * domain: INVALID_PARAMETER. */
RfpMsvmInventory *
rfp_msvm_inventory_load(RefpointMsvm *msvm,
                        guint what,
                        const char *domain_uuid,
                        GError **error);

void
rfp_msvm_inventory_free(RfpMsvmInventory *inventory);

void
rfp_msvm_system_free(RfpMsvmSystem *system);

void
rfp_msvm_job_links_free(RfpMsvmJobLinks *job);

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

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmInventory, rfp_msvm_inventory_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmSystem, rfp_msvm_system_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmJobLinks, rfp_msvm_job_links_free)

#endif
