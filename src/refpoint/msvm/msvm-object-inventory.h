/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt and the jobs show of this host at one moment. The objects of the
 * Msvm model that follow from it: msvm-objects.h. */
#ifndef RFP_MSVM_OBJECT_INVENTORY_H
#define RFP_MSVM_OBJECT_INVENTORY_H

#include "msvm/msvm-service.h"
#include "virt/domain.h"

/* A domain. */
typedef struct {
    char *uuid; /* lower case */
    char *name;
    RfpDomainState state;
    gboolean saved;     /* it is shut off, with its memory saved */
    gint64 last_backup; /* when its newest published point was made, seconds
                         * since the epoch; 0: there is none, or the points were
                         * not loaded */
} RfpMsvmSystem;

/* A job, and what it affects. */
typedef struct {
    char *path;
    GPtrArray *affected; /* RfpMsvmAffected */
} RfpMsvmJobLinks;

typedef struct {
    GPtrArray *systems; /* RfpMsvmSystem */
    GPtrArray *points;  /* RefpointPoint */
    GPtrArray *jobs;    /* RfpMsvmJobLinks */
} RfpMsvmInventory;

/* What can be loaded; the jobs always are. */
typedef enum {
    RFP_MSVM_SYSTEMS = 1 << 0,
    RFP_MSVM_POINTS = 1 << 1,
} RfpMsvmInventoryParts;

/* An empty inventory; free with rfp_msvm_inventory_free(). */
RfpMsvmInventory *
rfp_msvm_inventory_new(void);

/*
 * Asks libvirt for the @parts (RfpMsvmInventoryParts) of all domains, or, where
 * @domain_uuid is not NULL, of that one: its system is then always loaded. No
 * such domain: INVALID_PARAMETER.
 */
RfpMsvmInventory *
rfp_msvm_inventory_load(RefpointMsvm *msvm,
                        guint parts,
                        const char *domain_uuid,
                        GError **error);

void
rfp_msvm_inventory_free(RfpMsvmInventory *inventory);

void
rfp_msvm_system_free(RfpMsvmSystem *system);

void
rfp_msvm_job_links_free(RfpMsvmJobLinks *job);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmInventory, rfp_msvm_inventory_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmSystem, rfp_msvm_system_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmJobLinks, rfp_msvm_job_links_free)

#endif
