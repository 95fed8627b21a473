/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "msvm/msvm-work.h"

#include <string.h>

#include "base/job.h"
#include "base/names.h"
#include "cim/msvm-id.h"
#include "msvm/msvm-object-path.h"
#include "set/set-points.h"

static void
member_free(gpointer opaque)
{
    RfpMsvmMember *member = opaque;

    g_free(member->domain);
    g_strfreev(member->disks);
    g_free(member);
}

RfpMsvmWork *
rfp_msvm_work_new(const RfpMsvmAction *action, const RfpMsvmMethod *method)
{
    RfpMsvmWork *work = g_new0(RfpMsvmWork, 1);

    work->action = action;
    work->method = method;
    work->members = g_ptr_array_new_with_free_func(member_free);
    return work;
}

void
rfp_msvm_work_free(RfpMsvmWork *work)
{
    if (work == NULL)
        return;
    g_ptr_array_unref(work->members);
    g_free(work->point);
    g_free(work->base);
    g_free(work->directory);
    g_free(work->affected);
    g_free(work);
}

void
rfp_msvm_work_add(RfpMsvmWork *work, const char *domain)
{
    RfpMsvmMember *member = g_new0(RfpMsvmMember, 1);

    member->domain = g_strdup(domain);
    g_ptr_array_add(work->members, member);
}

RfpMsvmMember *
rfp_msvm_work_find(const RfpMsvmWork *work, const char *domain)
{
    for (guint i = 0; i < work->members->len; i++) {
        RfpMsvmMember *member = g_ptr_array_index(work->members, i);

        if (rfp_guid_equal(member->domain, domain))
            return member;
    }
    return NULL;
}

static const RfpMsvmMember *
only_member(const RfpMsvmWork *work)
{
    g_assert(work->members->len == 1);
    return g_ptr_array_index(work->members, 0);
}

const char *
rfp_msvm_work_domain(const RfpMsvmWork *work)
{
    return only_member(work)->domain;
}

void
rfp_msvm_outcome_free(RfpMsvmOutcome *outcome)
{
    if (outcome == NULL)
        return;
    g_free(outcome->result);
    g_ptr_array_unref(outcome->disks);
    g_ptr_array_unref(outcome->images);
    g_ptr_array_unref(outcome->states);
    g_ptr_array_unref(outcome->configs);
    g_ptr_array_unref(outcome->runtimes);
    g_free(outcome);
}

static RfpMsvmOutcome *
new_outcome(void)
{
    RfpMsvmOutcome *outcome = g_new0(RfpMsvmOutcome, 1);

    outcome->disks = g_ptr_array_new_with_free_func(g_free);
    outcome->images = g_ptr_array_new_with_free_func(g_free);
    outcome->states = g_ptr_array_new_with_free_func(g_free);
    outcome->configs = g_ptr_array_new_with_free_func(g_free);
    outcome->runtimes = g_ptr_array_new_with_free_func(g_free);
    return outcome;
}

RfpMsvmOutcome *
rfp_msvm_work_run(RefpointConnection *conn,
                  const RfpMsvmWork *work,
                  RefpointJob *handle,
                  RefpointFailure **failure)
{
    const RefpointReport *report = refpoint_job_get_report(handle);
    g_autoptr(GError) error = NULL;
    RfpMsvmOutcome *outcome = NULL;

    *failure = NULL;
    if (!work->action->run(conn, work, handle, &error)) {
        *failure = g_steal_pointer(&handle->report.failure);
        if (*failure == NULL)
            *failure = refpoint_failure_new(error);
        return NULL;
    }
    outcome = new_outcome();
    if (work->action->finish != NULL)
        work->action->finish(work, report, outcome);
    return outcome;
}

/* ---- Running ------------------------------------------------------------- */

static gboolean
run_create(RefpointConnection *conn,
           const RfpMsvmWork *work,
           RefpointJob *handle,
           GError **error)
{
    RefpointCreateOptions options = REFPOINT_CREATE_OPTIONS_INIT;

    options.domain = rfp_msvm_work_domain(work);
    options.quiesce = work->quiesce;
    options.keep = work->keep;
    return refpoint_create(conn, &options, handle, error);
}

static gboolean
run_destroy(RefpointConnection *conn,
            const RfpMsvmWork *work,
            RefpointJob *handle,
            GError **error)
{
    return refpoint_destroy(conn, rfp_msvm_work_domain(work), work->point,
                            handle, error);
}

static gboolean
run_remove_data(RefpointConnection *conn,
                const RfpMsvmWork *work,
                RefpointJob *handle,
                GError **error)
{
    return refpoint_remove_data(conn, rfp_msvm_work_domain(work), work->point,
                                handle, error);
}

static gboolean
run_import(RefpointConnection *conn,
           const RfpMsvmWork *work,
           RefpointJob *handle,
           GError **error)
{
    RefpointImportOptions options = REFPOINT_IMPORT_OPTIONS_INIT;

    options.domain = rfp_msvm_work_domain(work);
    options.directory = work->directory;
    options.point = work->point;
    return refpoint_import(conn, &options, handle, error);
}

static gboolean
run_export(RefpointConnection *conn,
           const RfpMsvmWork *work,
           RefpointJob *handle,
           GError **error)
{
    RefpointExportOptions options = REFPOINT_EXPORT_OPTIONS_INIT;

    options.domain = rfp_msvm_work_domain(work);
    options.directory = work->directory;
    options.point = work->point;
    options.base = work->base != NULL ? work->base : "none";
    options.disks = (const char *const *)only_member(work)->disks;
    return refpoint_export(conn, &options, handle, error);
}

/* ---- What came of it ----------------------------------------------------- */

static void
finish_create_point(const RfpMsvmWork *work,
                    const RefpointReport *report,
                    RfpMsvmOutcome *outcome)
{
    outcome->result =
        rfp_msvm_point_path(rfp_msvm_work_domain(work), report->point_guid);
}

static void
finish_create_collection(const RfpMsvmWork *work,
                         const RefpointReport *report,
                         RfpMsvmOutcome *outcome)
{
    outcome->result = rfp_msvm_collection_path(rfp_msvm_work_domain(work),
                                               report->point_guid);
}

/* Adds the path of @file, which may be NULL. */
static void
add_file(GPtrArray *paths, const RfpExportSet *set, const RfpManifestFile *file)
{
    if (file != NULL)
        g_ptr_array_add(paths, g_build_filename(set->path, file->path, NULL));
}

static void
add_disks(const RfpExportSet *set,
          const RfpManifestVm *vm,
          RfpMsvmOutcome *outcome)
{
    for (guint i = 0; i < vm->disks->len; i++) {
        const RfpManifestDisk *disk = g_ptr_array_index(vm->disks, i);

        if (disk->image == NULL)
            continue;
        g_ptr_array_add(outcome->disks,
                        rfp_msvm_id_format(RFP_MSVM_ID_DISK, vm->uuid,
                                           disk->target));
        g_ptr_array_add(outcome->images,
                        g_build_filename(set->path, disk->image, NULL));
    }
}

static void
add_vm(const RfpExportSet *set,
       const RfpManifestVm *vm,
       RfpMsvmOutcome *outcome)
{
    add_disks(set, vm, outcome);
    for (guint i = 0; i < vm->files->len; i++) {
        const RfpManifestFile *file = g_ptr_array_index(vm->files, i);

        if (strcmp(file->role, "nvram") == 0 || strcmp(file->role, "tpm") == 0)
            add_file(outcome->states, set, file);
    }
    add_file(outcome->configs, set, rfp_manifest_vm_file(vm, "config"));
    add_file(outcome->runtimes, set, rfp_manifest_vm_file(vm, "runtime"));
}

/* The files are read from the set and not from the report: where the point was
 * in the set already, the report has none, but they are there. */
static void
finish_export(const RfpMsvmWork *work,
              const RefpointReport *report,
              RfpMsvmOutcome *outcome)
{
    g_autofree char *folder = g_path_get_basename(report->point_path);
    g_autoptr(RfpExportSet) set =
        rfp_export_set_open_point(work->directory, folder, NULL);
    const RfpSetPoint *point =
        set != NULL ? rfp_export_set_find(set, work->point) : NULL;

    for (guint i = 0; point != NULL && i < work->members->len; i++) {
        const RfpMsvmMember *member = g_ptr_array_index(work->members, i);
        const RfpManifestVm *vm = rfp_set_point_vm(point, member->domain);

        if (vm != NULL)
            add_vm(set, vm, outcome);
    }
}

/* ---- The actions --------------------------------------------------------- */

/* Job types: the reference's numbers, see msvm-table-names. Deleting a
 * checkpoint and ending a job take a moment and cannot be stopped. */
const RfpMsvmAction rfp_msvm_action_create_point = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 201,
    .cancellable = TRUE,
    .run = run_create,
    .finish = finish_create_point,
};

const RfpMsvmAction rfp_msvm_action_destroy_point = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 202,
    .run = run_destroy,
};

const RfpMsvmAction rfp_msvm_action_export_point = {
    .job_class = RFP_MSVM_POINT_EXPORT_JOB,
    .job_type = 203,
    .cancellable = TRUE,
    .suspendable = TRUE,
    .run = run_export,
    .finish = finish_export,
};

const RfpMsvmAction rfp_msvm_action_remove_point_data = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 204,
    .run = run_remove_data,
};

const RfpMsvmAction rfp_msvm_action_import_point = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 209,
    .cancellable = TRUE,
    .run = run_import,
};

const RfpMsvmAction rfp_msvm_action_create_collection = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 205,
    .cancellable = TRUE,
    .run = run_create,
    .finish = finish_create_collection,
};

const RfpMsvmAction rfp_msvm_action_export_collection = {
    .job_class = RFP_MSVM_COLLECTION_EXPORT_JOB,
    .job_type = 206,
    .cancellable = TRUE,
    .suspendable = TRUE,
    .run = run_export,
    .finish = finish_export,
};

const RfpMsvmAction rfp_msvm_action_remove_collection_data = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 207,
    .run = run_remove_data,
};

const RfpMsvmAction rfp_msvm_action_destroy_collection = {
    .job_class = RFP_MSVM_JOB_CLASS,
    .job_type = 208,
    .run = run_destroy,
};
