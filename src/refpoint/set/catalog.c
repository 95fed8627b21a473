/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-points.h"

static void
disk_free(gpointer data)
{
    RefpointCatalogDisk *disk = data;

    g_free(disk->target);
    g_free(disk->reason_id);
    g_free(disk->base_guid);
    g_free(disk->image);
    g_free(disk->view_digest);
    g_free(disk->domain_name);
    g_free(disk->domain_uuid);
    g_free(disk);
}

static void
point_free(gpointer data)
{
    RefpointCatalogPoint *point = data;

    g_free(point->name);
    g_free(point->guid);
    g_free(point->folder);
    g_free(point->parent_guid);
    g_free(point->created);
    g_free(point->domain_name);
    g_free(point->domain_uuid);
    g_ptr_array_unref(point->disks);
    g_free(point->damage);
    g_free(point->newer);
    g_free(point);
}

void
refpoint_catalog_free(RefpointCatalog *catalog)
{
    if (catalog == NULL)
        return;
    g_free(catalog->path);
    g_free(catalog->set_guid);
    g_free(catalog->domain_name);
    g_free(catalog->domain_uuid);
    g_free(catalog->group_name);
    g_free(catalog->group_guid);
    g_ptr_array_unref(catalog->points);
    g_free(catalog);
}

static char *
time_text(gint64 us)
{
    g_autoptr(GDateTime) time =
        g_date_time_new_from_unix_utc(us / G_USEC_PER_SEC);

    return time != NULL ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

/*
 * Images in the chain of a disk; 0 where a link is missing. Points come by
 * sequence, so the base's depth is known already. @depths: by the GUIDs of
 * point and VM, and the target.
 */
static guint
disk_depth(GHashTable *depths,
           const char *guid,
           const RfpManifestVm *vm,
           const RfpManifestDisk *disk)
{
    char *key = g_strjoin("/", guid, vm->uuid, disk->target, NULL);
    g_autofree char *base = NULL;
    guint depth = 1;

    if (disk->mode == REFPOINT_MODE_INCREMENT) {
        base = g_strjoin("/", disk->base_guid, vm->uuid, disk->target, NULL);
        depth = GPOINTER_TO_UINT(g_hash_table_lookup(depths, base));
        depth = depth > 0 ? depth + 1 : 0;
    }
    g_hash_table_insert(depths, key, GUINT_TO_POINTER(depth));
    return depth;
}

static RefpointCatalogDisk *
describe_disk(GHashTable *depths,
              const char *guid,
              const RfpManifestVm *vm,
              const RfpManifestDisk *from)
{
    RefpointCatalogDisk *disk = g_new0(RefpointCatalogDisk, 1);

    disk->target = g_strdup(from->target);
    disk->mode = from->mode;
    disk->reason_id = g_strdup(from->reason_id);
    disk->domain_name = g_strdup(vm->name);
    disk->domain_uuid = g_strdup(vm->uuid);
    if (from->mode == REFPOINT_MODE_LEFT_OUT)
        return disk;
    disk->base_guid = g_strdup(from->base_guid);
    disk->size = from->size;
    disk->stored = from->stored;
    disk->image = g_strdup(from->image);
    disk->view_digest = rfp_digest_to_hex(from->view);
    disk->depth = disk_depth(depths, guid, vm, from);
    return disk;
}

/* All disks of all VMs of the point. */
static void
describe_disks(RefpointCatalogPoint *point,
               GHashTable *depths,
               const RfpManifest *manifest)
{
    for (guint v = 0; v < manifest->vms->len; v++) {
        const RfpManifestVm *vm = g_ptr_array_index(manifest->vms, v);

        for (guint i = 0; i < vm->disks->len; i++)
            g_ptr_array_add(point->disks,
                            describe_disk(depths, manifest->guid, vm,
                                          g_ptr_array_index(vm->disks, i)));
    }
}

/* The VM that the set belongs to, else the first. */
static const RfpManifestVm *
main_vm(const RfpExportSet *set, const RfpSetPoint *point)
{
    const char *uuid = set->file->vm_uuid;
    const RfpManifestVm *vm =
        uuid != NULL ? rfp_set_point_vm(point, uuid) : NULL;

    return vm != NULL ? vm : g_ptr_array_index(point->manifest->vms, 0);
}

static RefpointCatalogPoint *
describe_point(const RfpExportSet *set,
               GHashTable *depths,
               const RfpSetPoint *from)
{
    RefpointCatalogPoint *point = g_new0(RefpointCatalogPoint, 1);
    const RfpManifest *manifest = from->manifest;

    point->folder = g_strdup(from->folder);
    point->damage = g_strdup(from->damage);
    point->newer = g_strdup(from->newer);
    point->disks = g_ptr_array_new_with_free_func(disk_free);
    if (manifest == NULL)
        return point;
    point->name = g_strdup(manifest->folder);
    point->guid = g_strdup(manifest->guid);
    point->parent_guid = g_strdup(manifest->parent_guid);
    point->sequence = manifest->sequence;
    point->created = time_text(manifest->created_us);
    point->consistency = manifest->consistency;
    point->domain_name = g_strdup(main_vm(set, from)->name);
    point->domain_uuid = g_strdup(main_vm(set, from)->uuid);
    describe_disks(point, depths, manifest);
    return point;
}

RefpointCatalog *
refpoint_catalog(const char *directory, GError **error)
{
    g_autoptr(RfpExportSet) set = rfp_export_set_open(directory, error);
    g_autoptr(GHashTable) depths =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    RefpointCatalog *catalog = NULL;

    if (set == NULL)
        return NULL;
    catalog = g_new0(RefpointCatalog, 1);
    catalog->path = g_strdup(set->path);
    catalog->set_guid = g_strdup(set->file->guid);
    catalog->domain_name = g_strdup(set->file->vm_name);
    catalog->domain_uuid = g_strdup(set->file->vm_uuid);
    catalog->group_name = g_strdup(set->file->group_name);
    catalog->group_guid = g_strdup(set->file->group_guid);
    catalog->points = g_ptr_array_new_with_free_func(point_free);
    for (guint i = 0; i < set->points->len; i++)
        g_ptr_array_add(catalog->points,
                        describe_point(set, depths,
                                       g_ptr_array_index(set->points, i)));
    return catalog;
}
