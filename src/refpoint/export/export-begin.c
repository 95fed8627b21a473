/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-begin.h"
#include "base/descriptors.h"
#include "base/text.h"
#include "export/export-moment.h"
#include "export/export-publish.h"
#include "set/set-folders.h"
#include "set/set-publish.h"

/* ---- Names --------------------------------------------------------------- */

static gboolean
choose_folder(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    const RfpDomain *domain = member->operation.domain;
    g_autofree char *mended = NULL;

    member->vm_folder = rfp_export_set_vm_folder(export->set, domain->uuid,
                                                 domain->name, &mended, error);
    if (mended != NULL)
        rfp_job_warn(export->job, RFP_WARNING_FOLDERS_MENDED, export->set->path,
                     _("folders.xml was made again out of the manifests: %s"),
                     mended);
    return member->vm_folder != NULL;
}

static gboolean
choose_files(RfpExportDisk *disk, GError **error)
{
    const RfpExportMember *member = disk->member;
    const RfpExport *export = member->export;

    disk->image = rfp_export_set_image_path(export->set, member->vm_folder,
                                            disk->state.target, export->folder,
                                            "qcow2", error);
    if (disk->image == NULL)
        return FALSE;
    disk->digests = rfp_export_set_image_path(export->set, member->vm_folder,
                                              disk->state.target,
                                              export->folder, "digests", error);
    return disk->digests != NULL;
}

static gboolean
choose_names(RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);

    if (export->set == NULL)
        return TRUE;
    export->partial = rfp_export_set_partial_name(export->guid);
    if (!rfp_export_each(export, choose_folder, error))
        return FALSE;
    for (guint i = 0; i < taken->len; i++)
        if (!choose_files(g_ptr_array_index(taken, i), error))
            return FALSE;
    return TRUE;
}

static gboolean
check_descriptors(const RfpExport *export, GError **error)
{
    g_autoptr(GPtrArray) taken = rfp_export_taken(export);

    return rfp_descriptors_check(RFP_DESCRIPTORS_OPERATION +
                                     taken->len * RFP_DESCRIPTORS_DISK,
                                 error);
}

/* ---- The record ---------------------------------------------------------- */

static gboolean
record_disk(const RfpExportDisk *disk, GError **error)
{
    RfpRecord *record = disk->member->operation.record;

    return (disk->scratch == NULL ||
            rfp_record_append(record, error, RFP_STEP_SCRATCH, disk->scratch,
                              NULL)) &&
           (disk->image == NULL ||
            (rfp_record_append(record, error, RFP_STEP_IMAGE, disk->image,
                               NULL) &&
             rfp_record_append(record, error, RFP_STEP_IMAGE, disk->digests,
                               NULL)));
}

/* All inverse steps that can be named ahead, in one durable write. */
static gboolean
write_record(RfpExportMember *member, GError **error)
{
    const RfpExport *export = member->export;
    RfpRecord *record = member->operation.record;

    if (!rfp_operation_begin(&member->operation, export->guid, export->set,
                             error) ||
        (export->set != NULL &&
         !rfp_record_append(record, error, RFP_STEP_FOLDER, export->partial,
                            NULL)))
        return FALSE;
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && !record_disk(disk, error))
            return FALSE;
    }
    return member->origin->record(member, error) &&
           rfp_record_sync(record, error);
}

/* ---- The begin ----------------------------------------------------------- */

static gboolean
prepare(RfpExportMember *member, GError **error)
{
    if (member->origin->prepare != NULL &&
        !member->origin->prepare(member, error))
        return FALSE;
    if (member->export->set != NULL && member->origin->begin != NULL)
        rfp_export_look_beside(member);
    return TRUE;
}

static gboolean
choose(RfpExportMember *member, GError **error)
{
    return member->origin->choose(member, error);
}

static gboolean
take_checkpoint(RfpExportMember *member, GError **error)
{
    return member->origin->take_checkpoint(member, error);
}

gboolean
rfp_export_begin(RfpExport *export, GError **error)
{
    return choose_names(export, error) &&
           rfp_export_each(export, choose, error) &&
           check_descriptors(export, error) &&
           rfp_export_each(export, write_record, error) &&
           rfp_export_each(export, prepare, error) &&
           rfp_export_moment(export, error) &&
           rfp_export_each(export, take_checkpoint, error);
}
