/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * librefpoint: the Msvm reference point services on libvirt.
 *
 * The methods of the model with the model's own strings: references are object
 * paths, settings are embedded instances in CIM DTD 2.0 XML (UTF-8; files and
 * other encodings go through refpoint_msvm_invoke()). Source: the public
 * Hyper-V WMI (v2) reference, names and numbers as there; where this differs,
 * librefpoint(3) says so.
 *
 * All methods return a number, 0 or 4096 for success, and describe a failure in
 * @error (refpoint_failure_new() takes it apart), which may be NULL. The
 * reference has two sets of numbers, and each method says which one is its own:
 * the left set counts from 0 (REFPOINT_RETURN_CREATE), the right set from 32768
 * (REFPOINT_RETURN_EXPORT). Parameters are checked before anything else
 * happens.
 *
 * @job: NULL: the method runs to its end. Else a job may be started: the method
 * returns 4096 (REFPOINT_MSVM_JOB_STARTED) and the path of the job; if not,
 * *job is NULL. Out parameters that are only known at the end are then found
 * through the job. Strings handed out are freed with g_free(), on failure they
 * are NULL.
 *
 * Thread-safe. Jobs run in threads of the library, one a domain at a time; a
 * second one for a domain ends with System is in use.
 */
#ifndef REFPOINT_MSVM_H
#define REFPOINT_MSVM_H

#include "refpoint.h"

G_BEGIN_DECLS

#define REFPOINT_MSVM_JOB_STARTED 4096
#define REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED 4098

typedef struct _RefpointMsvm RefpointMsvm;

/* The services over a connection, which is borrowed and must outlive them. */
RefpointMsvm *
refpoint_msvm_new(RefpointConnection *conn);

/* Terminates the jobs that still run and waits for them. */
void
refpoint_msvm_free(RefpointMsvm *msvm);

/* ---- Msvm_VirtualSystemReferencePointService ----------------------------- */

/* The type as the method of the VM service takes it; the property
 * ReferencePointType, and the collection service, count from 1. */
#define REFPOINT_MSVM_TYPE_LOG 0
#define REFPOINT_MSVM_TYPE_RCT 1

/*
 * Makes a point of a running VM. @affected_system: path of an
 * Msvm_ComputerSystem. @settings: embedded
 * Msvm_VirtualSystemReferencePointSettingData; NULL or "": ConsistencyLevel is
 * not given, freezing is tried. RCT: the data is kept for a first export (10
 * minutes); log: it is held until RemoveAssociatedData. Left set (from 0).
 */
guint32
refpoint_msvm_create_reference_point(RefpointMsvm *msvm,
                                     const char *affected_system,
                                     const char *settings,
                                     guint16 type,
                                     char **resulting_reference_point,
                                     char **job,
                                     GError **error);

/* Deletes a point; exports made of it stay. Right set (from 32768). */
guint32
refpoint_msvm_destroy_reference_point(RefpointMsvm *msvm,
                                      const char *affected_reference_point,
                                      char **job,
                                      GError **error);

/*
 * Exports a point into @export_directory, an absolute path; a directory that is
 * a set of this VM goes on with it. @settings: embedded
 * Msvm_VirtualSystemReferencePointExportSettingData; BaseReferencePoint absent:
 * a full export; DisksToExport absent: all. Right set.
 */
guint32
refpoint_msvm_export_reference_point(RefpointMsvm *msvm,
                                     const char *reference_point,
                                     const char *export_directory,
                                     const char *settings,
                                     char **job,
                                     GError **error);

/*
 * Makes an exported point live again. @config_file_path: the point's domain.xml
 * in its set, @runtime_state_file_path: its checkpoint.xml; absolute. Right
 * set.
 */
guint32
refpoint_msvm_import_reference_point_metadata(
    RefpointMsvm *msvm,
    const char *affected_system,
    const char *config_file_path,
    const char *runtime_state_file_path,
    char **job,
    GError **error);

/* Ends the job that keeps or holds the data of a point; the point stays. Right
 * set. */
guint32
refpoint_msvm_remove_associated_data(RefpointMsvm *msvm,
                                     const char *affected_reference_point,
                                     char **job,
                                     GError **error);

/* ---- Msvm_CollectionReferencePointService -------------------------------- */

#define REFPOINT_MSVM_COLLECTION_TYPE_LOG 1
#define REFPOINT_MSVM_COLLECTION_TYPE_RCT 2

/*
 * The same for all VMs of an Msvm_VirtualSystemCollection. Every VM is a
 * collection of one of its own (refpoint-group:<domain uuid>), every point is
 * in a Msvm_ReferencePointCollection (refpoint-collection:<point guid>).
 * Create, destroy, remove: left set; export: right set. @settings are
 * Msvm_CollectionReferencePointSettingData and
 * Msvm_CollectionReferencePointExportSettingData.
 */
guint32
refpoint_msvm_collection_create_reference_point(RefpointMsvm *msvm,
                                                const char *collection,
                                                const char *settings,
                                                guint16 type,
                                                char **resulting_collection,
                                                char **job,
                                                GError **error);

guint32
refpoint_msvm_collection_destroy_reference_point(
    RefpointMsvm *msvm,
    const char *affected_collection,
    char **job,
    GError **error);

guint32
refpoint_msvm_collection_export_reference_point(
    RefpointMsvm *msvm,
    const char *reference_point_collection,
    const char *export_directory,
    const char *settings,
    char **job,
    GError **error);

guint32
refpoint_msvm_collection_remove_associated_data(RefpointMsvm *msvm,
                                                const char *affected_collection,
                                                char **job,
                                                GError **error);

/* ---- Msvm_ImageManagementService ----------------------------------------- */

/* Allocated by the caller, filled by the library; never grows (refpoint.h).
 * Free what it holds with refpoint_msvm_disk_changes_clear(). */
typedef struct {
    guint64 processed_byte_length; /* what was looked at; go on behind it */
    gsize n_changes;
    guint64 *changed_byte_offsets; /* n_changes, ascending */
    guint64 *changed_byte_lengths;
} RefpointMsvmDiskChanges;

/*
 * What changed on a disk since a point, as of the call: exact from a held
 * point, else a superset. @path: of the image, absolute, looked for on all
 * domains (none: 32779). @limit_id: an entry of
 * ResilientChangeTrackingIdentifiers, of this disk. @target_snapshot_id: VHD
 * sets only, anything but NULL or "" is Not Supported. At most 65536 changes
 * come at a time. A matter of a moment: *@job is NULL always. Right set.
 */
guint32
refpoint_msvm_get_virtual_disk_changes(RefpointMsvm *msvm,
                                       const char *path,
                                       const char *limit_id,
                                       const char *target_snapshot_id,
                                       guint64 byte_offset,
                                       guint64 byte_length,
                                       RefpointMsvmDiskChanges *changes,
                                       char **job,
                                       GError **error);

void
refpoint_msvm_disk_changes_clear(RefpointMsvmDiskChanges *changes);

/* ---- Jobs (CIM_ConcreteJob) ---------------------------------------------- */

/* JobState. */
enum {
    REFPOINT_MSVM_JOB_NEW = 2,
    REFPOINT_MSVM_JOB_STARTING = 3,
    REFPOINT_MSVM_JOB_RUNNING = 4,
    REFPOINT_MSVM_JOB_SUSPENDED = 5,
    REFPOINT_MSVM_JOB_SHUTTING_DOWN = 6,
    REFPOINT_MSVM_JOB_COMPLETED = 7,
    REFPOINT_MSVM_JOB_TERMINATED = 8,
    REFPOINT_MSVM_JOB_KILLED = 9,
    REFPOINT_MSVM_JOB_EXCEPTION = 10,
};

/* RequestedState. */
enum {
    REFPOINT_MSVM_REQUEST_START = 2,
    REFPOINT_MSVM_REQUEST_SUSPEND = 3,
    REFPOINT_MSVM_REQUEST_TERMINATE = 4,
    REFPOINT_MSVM_REQUEST_KILL = 5,
};

/*
 * Start (also: go on after Suspend), Suspend (reading stops within a second,
 * and nothing is published before it goes on), Terminate (everything is undone,
 * the job ends as Terminated), Kill (the same, nobody waits for it: Killed).
 * @timeout_period: a CIM interval; NULL or zero: the call returns at once;
 * anything else: 4098. A job that has ended, or cannot be suspended (any more:
 * it publishes already): Invalid state. Right set.
 */
guint32
refpoint_msvm_request_state_change(RefpointMsvm *msvm,
                                   const char *job,
                                   guint16 requested_state,
                                   const char *timeout_period,
                                   GError **error);

/* *@msvm_error: embedded Msvm_Error; NULL for a job that runs or succeeded. */
guint32
refpoint_msvm_get_error(RefpointMsvm *msvm,
                        const char *job,
                        char **msvm_error,
                        GError **error);

/* *@msvm_errors: all of them, NULL-terminated, free with g_strfreev(); NULL as
 * above. */
guint32
refpoint_msvm_get_error_ex(RefpointMsvm *msvm,
                           const char *job,
                           char ***msvm_errors,
                           GError **error);

/* Waits until the job has ended, @timeout_ms at most (-1: for ever): its state,
 * or 0 where there is no such job. */
guint16
refpoint_msvm_wait(RefpointMsvm *msvm, const char *job, gint timeout_ms);

/*
 * Called whenever the state or progress of a job changes, at most every 200 ms
 * for progress: from a thread of the library, or within
 * refpoint_msvm_request_state_change(). May call anything but
 * refpoint_msvm_free(), and must not block for long. Set before a job is
 * started.
 */
typedef void (*RefpointMsvmJobFunc)(RefpointMsvm *msvm,
                                    const char *job,
                                    guint16 state,
                                    guint percent_complete,
                                    gpointer opaque);

void
refpoint_msvm_set_job_func(RefpointMsvm *msvm,
                           RefpointMsvmJobFunc func,
                           gpointer opaque);

/*
 * As refpoint_job_set_wait(), for all methods that are called from then on and
 * can be jobs; a job that waits is Running, and can be terminated, whatever its
 * method is. GetVirtualDiskChanges, which nobody could stop, never waits. Those
 * of one RefpointMsvm on one domain do not wait for one another. @func is
 * called from a thread of the library.
 */
void
refpoint_msvm_set_wait(RefpointMsvm *msvm,
                       guint seconds,
                       RefpointWaitFunc func,
                       gpointer opaque);

/* ---- Instances ----------------------------------------------------------- */

/* The instance at an object path, in CIM DTD 2.0 XML; NULL with @error
 * (INVALID_PARAMETER: there is none). */
char *
refpoint_msvm_get_instance(RefpointMsvm *msvm,
                           const char *path,
                           GError **error);

/*
 * The paths of all instances of a class and the classes derived from it:
 * computer systems, reference points, collections of both kinds, associations,
 * services, jobs of @msvm. GPtrArray of char *, free with g_ptr_array_unref().
 * INCORRECT_TYPE: no such class.
 */
GPtrArray *
refpoint_msvm_enumerate(RefpointMsvm *msvm,
                        const char *class_name,
                        GError **error);

/*
 * The paths of what is associated with an instance: the reference points of a
 * system, the system of a point, the members of a collection. @association,
 * @result_class: only through, only of this class; NULL: any. As above.
 */
GPtrArray *
refpoint_msvm_associators(RefpointMsvm *msvm,
                          const char *path,
                          const char *association,
                          const char *result_class,
                          GError **error);

/* ---- Any method by its name ---------------------------------------------- */

/* A parameter, in or out. Arrays have any number of values, others one. Callers
 * allocate those that they pass in: never grows (refpoint.h). */
typedef struct {
    char *name;
    char *type; /* "string", "uint16", "datetime", "reference", ...: out
                 * and listed parameters only */
    gboolean array;
    gboolean in; /* of listed parameters */
    gboolean out;
    GPtrArray *values; /* GBytes, each the text of a value (embedded instances:
                        * XML, UTF-8 or UTF-16); NULL: the parameter is NULL */
} RefpointMsvmParameter;

void
refpoint_msvm_parameter_free(RefpointMsvmParameter *parameter);

typedef struct {
    char *class_name;
    char *name;
    GPtrArray *parameters; /* RefpointMsvmParameter, no values */
} RefpointMsvmMethod;

void
refpoint_msvm_method_free(RefpointMsvmMethod *method);

/* All methods of the model: GPtrArray of RefpointMsvmMethod. */
GPtrArray *
refpoint_msvm_methods(void);

/*
 * Calls a method. @path: of the object, for methods of jobs; else NULL. @in:
 * GPtrArray of RefpointMsvmParameter, names compare without case.
 * @asynchronous: as with a non-NULL job. *@out, if not NULL: the out
 * parameters, free with g_ptr_array_unref(). An unknown class, method or
 * parameter, or a missing one: Invalid parameter; a wrong type: Incorrect data
 * type.
 */
guint32
refpoint_msvm_invoke(RefpointMsvm *msvm,
                     const char *class_name,
                     const char *method,
                     const char *path,
                     GPtrArray *in,
                     gboolean asynchronous,
                     GPtrArray **out,
                     GError **error);

/* The meaning of a number that a method returned, in English as the reference
 * has it; and its cause (0 success, also for 4096), or -1 where it is none. */
const char *
refpoint_msvm_return_name(guint32 number);

int
refpoint_msvm_return_cause(guint32 number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointMsvm, refpoint_msvm_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointMsvmParameter,
                              refpoint_msvm_parameter_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointMsvmMethod, refpoint_msvm_method_free)

G_END_DECLS

#endif
