/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-method-export.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"
#include "base/names.h"
#include "base/text.h"
#include "msvm/msvm-object-path.h"
#include "msvm/msvm-take.h"
#include "set/set-points.h"

/* ---- Export -------------------------------------------------------------- */

static char *
take_absolute(const RfpMsvmCall *call, const char *parameter, GError **error)
{
    const char *path = rfp_msvm_call_text(call, parameter);

    if (g_path_is_absolute(path))
        return rfp_path_absolute(path);
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("%s: '%s' is not an absolute path"), parameter, path);
    rfp_error_add_object(error, path);
    return NULL;
}

/* The base of an export: its object path, of the class @class_name, is in a
 * string property of the settings. */
static gboolean
take_base(const RfpMsvmCall *call,
          const char *property,
          const char *class_name,
          RfpMsvmWork *work,
          GError **error)
{
    const RfpMsvmInstance *settings =
        rfp_msvm_call_instance(call, "ExportSettingData");
    const char *path =
        settings != NULL ? rfp_msvm_instance_text(settings, property) : NULL;
    g_autofree char *domain = NULL;

    if (path == NULL || !*path)
        return TRUE;
    if (!rfp_msvm_object_path_resolve(path, class_name, &domain, &work->base,
                                      error)) {
        rfp_error_prefix(error, "%s", property);
        return FALSE;
    }
    if (rfp_msvm_work_find(work, domain) != NULL)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("%s: the base is a point of another domain, %s"), property,
                  domain);
    rfp_error_add_object(error, domain);
    return FALSE;
}

/* The disks of DisksToExport; an id that is NULL or empty is passed over. */
static gboolean
take_disks(const RfpMsvmInstance *settings,
           RfpMsvmMember *member,
           GError **error)
{
    const RfpMsvmValue *value =
        rfp_msvm_instance_value(settings, "DisksToExport");
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    guint i = 0;

    for (i = 0; value != NULL && i < value->items->len; i++) {
        const RfpMsvmItem *item = rfp_msvm_value_item(value, i);

        if (item != NULL && *item->text)
            g_ptr_array_add(ids, item->text);
    }
    if (ids->len == 0)
        return TRUE;
    g_ptr_array_add(ids, NULL);
    member->disks = rfp_msvm_disk_ids_resolve((const char *const *)ids->pdata,
                                              member->domain, error);
    if (member->disks == NULL)
        rfp_error_prefix(error, "DisksToExport");
    return member->disks != NULL;
}

/* ExportDirectory: a set of the domain, or a directory that can become one. The
 * base, if there is one, must be a point of that set. */
static gboolean
take_directory(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    const RfpSetOwner owner = {.guid = rfp_msvm_work_domain(work)};
    g_autoptr(RfpExportSet) set = NULL;
    g_autoptr(GError) local = NULL;
    gboolean fresh = FALSE;

    work->directory = take_absolute(call, "ExportDirectory", error);
    if (work->directory == NULL)
        return FALSE;
    set = rfp_export_set_peek(work->directory, &owner, &fresh, &local);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (work->base == NULL ||
        (set != NULL && rfp_export_set_find(set, work->base) != NULL))
        return TRUE;
    if (set != NULL && !rfp_export_set_check_known(set, work->base, error))
        return FALSE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the set '%s' has no point %s to be the base"),
                  work->directory, work->base);
    rfp_error_add_object(error, work->base);
    rfp_error_add_way_out(error, _("export to the set that has it, or without "
                                   "a base"));
    return FALSE;
}

gboolean
rfp_msvm_check_export(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error)
{
    const RfpMsvmInstance *settings =
        rfp_msvm_call_instance(call, "ExportSettingData");

    return rfp_msvm_take_point(call, "ReferencePoint", work, error) &&
           take_base(call, "BaseReferencePoint", RFP_MSVM_POINT_CLASS, work,
                     error) &&
           (settings == NULL ||
            take_disks(settings, g_ptr_array_index(work->members, 0), error)) &&
           take_directory(call, work, error);
}

/* An entry of VirtualMachinesToDisksToExport, which names a member. @taken: the
 * members that former entries named. */
static gboolean
take_vm(const RfpMsvmInstance *vm,
        GHashTable *taken,
        RfpMsvmWork *work,
        GError **error)
{
    const char *uuid = rfp_msvm_instance_text(vm, "VirtualMachineId");
    RfpMsvmMember *member = rfp_msvm_work_find(work, uuid);

    if (member == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("VirtualMachinesToDisksToExport: the collection has no "
                        "virtual machine '%s'"),
                      uuid != NULL ? uuid : "");
        return FALSE;
    }
    if (!g_hash_table_add(taken, member)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("VirtualMachinesToDisksToExport names '%s' twice"),
                      uuid);
        return FALSE;
    }
    return take_disks(vm, member, error);
}

static gboolean
take_vms(const RfpMsvmInstance *settings, RfpMsvmWork *work, GError **error)
{
    const RfpMsvmValue *value =
        rfp_msvm_instance_value(settings, "VirtualMachinesToDisksToExport");
    g_autoptr(GHashTable) taken = g_hash_table_new(NULL, NULL);

    for (guint i = 0; value != NULL && i < value->items->len; i++) {
        const RfpMsvmItem *item = rfp_msvm_value_item(value, i);

        if (item != NULL && !take_vm(item->instance, taken, work, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_msvm_check_export_collection(const RfpMsvmCall *call,
                                 RfpMsvmWork *work,
                                 GError **error)
{
    const RfpMsvmInstance *settings =
        rfp_msvm_call_instance(call, "ExportSettingData");

    return rfp_msvm_take_collection(call, "ReferencePointCollection", work,
                                    error) &&
           take_base(call, "BaseReferencePointCollection",
                     RFP_MSVM_COLLECTION_CLASS, work, error) &&
           (settings == NULL || take_vms(settings, work, error)) &&
           take_directory(call, work, error);
}

/* ---- Import -------------------------------------------------------------- */

static gboolean
is_file(const RfpExportSet *set,
        const RfpSetPoint *point,
        const char *domain,
        const char *role,
        const char *path)
{
    const RfpManifestFile *file = rfp_set_point_file(point, domain, role);
    g_autofree char *found =
        file != NULL ? g_build_filename(set->path, file->path, NULL) : NULL;

    return found != NULL && strcmp(found, path) == 0;
}

/* The GUID of the point of @set that has these two files. */
static char *
find_point_of(const RfpExportSet *set,
              const char *domain,
              const char *config,
              const char *runtime,
              GError **error)
{
    guint i = 0;

    for (i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (is_file(set, point, domain, "config", config) &&
            is_file(set, point, domain, "runtime", runtime))
            return g_strdup(point->manifest->guid);
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' and '%s' are not the configuration and the "
                    "checkpoint of one point of the set '%s'"),
                  config, runtime, set->path);
    rfp_error_add_object(error, config);
    return NULL;
}

/* The directory of the set that a file SET/POINT/VM/NAME is in. */
static char *
set_of_file(const char *path)
{
    g_autofree char *vm = g_path_get_dirname(path);
    g_autofree char *point = g_path_get_dirname(vm);

    return g_path_get_dirname(point);
}

static gboolean
take_files(const RfpMsvmCall *call, RfpMsvmWork *work, GError **error)
{
    const char *domain = rfp_msvm_work_domain(work);
    g_autofree char *config = take_absolute(call, "ConfigFilePath", error);
    g_autofree char *runtime =
        config != NULL ? take_absolute(call, "RuntimeStateFilePath", error)
                       : NULL;
    g_autoptr(RfpExportSet) set = NULL;

    if (runtime == NULL)
        return FALSE;
    work->directory = set_of_file(config);
    set = rfp_export_set_open(work->directory, error);
    if (set == NULL)
        return FALSE;
    if (rfp_export_set_has_vm(set, domain)) {
        work->point = find_point_of(set, domain, config, runtime, error);
        return work->point != NULL;
    }
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("the set '%s' belongs to another domain, or group, %s"),
                  work->directory,
                  set->file->group_guid != NULL ? set->file->group_guid
                                                : set->file->vm_uuid);
    rfp_error_add_object(error, work->directory);
    return FALSE;
}

gboolean
rfp_msvm_check_import(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error)
{
    return rfp_msvm_take_system(call, "AffectedSystem", work, error) &&
           take_files(call, work, error);
}
