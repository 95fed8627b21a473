/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-object-inventory.h"

#include "base/names.h"
#include "base/text.h"
#include "msvm/msvm-job-instance.h"
#include "msvm/msvm-job.h"

void
rfp_msvm_system_free(RfpMsvmSystem *system)
{
    if (system == NULL)
        return;
    g_free(system->uuid);
    g_free(system->name);
    g_free(system);
}

void
rfp_msvm_job_links_free(RfpMsvmJobLinks *job)
{
    if (job == NULL)
        return;
    g_free(job->path);
    g_ptr_array_unref(job->affected);
    g_free(job);
}

RfpMsvmInventory *
rfp_msvm_inventory_new(void)
{
    RfpMsvmInventory *inventory = g_new0(RfpMsvmInventory, 1);

    inventory->systems =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_msvm_system_free);
    inventory->points =
        g_ptr_array_new_with_free_func((GDestroyNotify)refpoint_point_free);
    inventory->jobs =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_msvm_job_links_free);
    return inventory;
}

void
rfp_msvm_inventory_free(RfpMsvmInventory *inventory)
{
    if (inventory == NULL)
        return;
    g_ptr_array_unref(inventory->systems);
    g_ptr_array_unref(inventory->points);
    g_ptr_array_unref(inventory->jobs);
    g_free(inventory);
}

/* ---- Loading ------------------------------------------------------------- */

static gboolean
add_system(RfpDomain *domain, gpointer opaque, GError **error)
{
    RfpMsvmInventory *inventory = opaque;
    RfpMsvmSystem *system = NULL;
    RfpDomainState state = {0};

    if (!rfp_domain_state(domain, &state, error))
        return FALSE;
    system = g_new0(RfpMsvmSystem, 1);
    system->uuid = g_strdup(domain->uuid);
    system->name = g_strdup(domain->name);
    system->state = state;
    system->saved = !state.active && rfp_domain_has_saved_memory(domain);
    g_ptr_array_add(inventory->systems, system);
    return TRUE;
}

/* Adds the one domain with this UUID. The lookup takes names as well, and a
 * name can look like a UUID: a domain that is only called so is not the one. */
static gboolean
add_one_system(RfpMsvmInventory *inventory,
               RefpointConnection *conn,
               const char *uuid,
               GError **error)
{
    g_autoptr(RfpDomain) domain = rfp_domain_lookup(conn, uuid, NULL, error);

    if (domain == NULL)
        return FALSE;
    if (rfp_guid_equal(domain->uuid, uuid))
        return add_system(domain, inventory, error);
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("there is no domain with the UUID '%s'"), uuid);
    return FALSE;
}

static void
note_backups(RfpMsvmInventory *inventory)
{
    guint i = 0;
    guint k = 0;

    for (i = 0; i < inventory->systems->len; i++) {
        RfpMsvmSystem *system = g_ptr_array_index(inventory->systems, i);

        for (k = 0; k < inventory->points->len; k++) {
            RefpointPoint *point = g_ptr_array_index(inventory->points, k);

            if (point->state == REFPOINT_STATE_PUBLISHED &&
                rfp_guid_equal(point->domain_uuid, system->uuid))
                system->last_backup = MAX(system->last_backup, point->created);
        }
    }
}

static gboolean
add_points(RfpMsvmInventory *inventory,
           RefpointConnection *conn,
           const char *domain_uuid,
           GError **error)
{
    GPtrArray *points = refpoint_list(conn, domain_uuid, error);

    if (points == NULL)
        return FALSE;
    g_ptr_array_unref(inventory->points);
    inventory->points = points;
    note_backups(inventory);
    return TRUE;
}

static void
add_jobs(RfpMsvmInventory *inventory, RefpointMsvm *msvm)
{
    g_autoptr(GPtrArray) paths = rfp_msvm_job_paths(msvm);
    guint i = 0;

    for (i = 0; i < paths->len; i++) {
        RfpMsvmJobLinks *job = g_new0(RfpMsvmJobLinks, 1);

        job->path = g_strdup(g_ptr_array_index(paths, i));
        job->affected = rfp_msvm_job_affected(msvm, job->path);
        g_ptr_array_add(inventory->jobs, job);
    }
}

RfpMsvmInventory *
rfp_msvm_inventory_load(RefpointMsvm *msvm,
                        guint parts,
                        const char *domain_uuid,
                        GError **error)
{
    g_autoptr(RfpMsvmInventory) inventory = rfp_msvm_inventory_new();

    add_jobs(inventory, msvm);
    if (domain_uuid != NULL) {
        if (!add_one_system(inventory, msvm->conn, domain_uuid, error))
            return NULL;
    } else if (parts & RFP_MSVM_SYSTEMS) {
        if (!rfp_domain_each(msvm->conn, add_system, inventory, error))
            return NULL;
    }
    if (parts & RFP_MSVM_POINTS &&
        !add_points(inventory, msvm->conn, domain_uuid, error))
        return NULL;
    return g_steal_pointer(&inventory);
}
