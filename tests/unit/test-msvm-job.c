/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs, with work that stands in for that of the engine: no hypervisor. */
#include "msvm/msvm-job.h"

#include <string.h>

#include "base/error.h"
#include "base/ids.h"
#include "base/job.h"
#include "cim/msvm-error.h"
#include "cim/msvm-instance-read.h"
#include "cim/msvm-return.h"
#include "cim/msvm-time.h"
#include "msvm/msvm-job-instance.h"
#include "msvm/msvm-object-path.h"

#define VM "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define OTHER_VM "00000000-edaf-9455-926a-d65c16db1809"
#define POINT "1f0c9a3e-0000-4000-8000-000000000001"
#define BASE "1f0c9a3e-0000-4000-8000-000000000002"
#define SERVICE "Msvm_VirtualSystemReferencePointService"
#define COLLECTION_SERVICE "Msvm_CollectionReferencePointService"
#define LONG_MS (60 * 1000)

/* ---- Work ---------------------------------------------------------------- */

static gboolean
run_well(RefpointConnection *conn,
         const RfpMsvmWork *work,
         RefpointJob *operation,
         GError **error)
{
    (void)conn;
    (void)error;
    operation->report.point_guid = g_strdup(POINT);
    operation->report.changed = work != NULL;
    return TRUE;
}

/* The cause is the directory's name; as the engine does it, in the report,
 * too. */
static gboolean
run_badly(RefpointConnection *conn,
          const RfpMsvmWork *work,
          RefpointJob *operation,
          GError **error)
{
    int cause = (int)g_ascii_strtoll(work->directory, NULL, 10);

    (void)conn;
    rfp_error_set(error, (RefpointError)cause, "injected");
    rfp_error_add_object(error, "thing");
    rfp_error_add_way_out(error, "turn round");
    return rfp_job_end(operation, FALSE, error);
}

/* Reads until it is told to stop. */
static gboolean
run_for_ever(RefpointConnection *conn,
             const RfpMsvmWork *work,
             RefpointJob *operation,
             GError **error)
{
    RefpointProgress progress = {.target = "vda", .total = 10000};

    (void)conn;
    (void)work;
    while (rfp_job_check(operation, error)) {
        rfp_rate_take(&operation->rate, 1, &operation->cancel);
        progress.done++;
        operation->progress(&progress, 1, operation->progress_opaque);
        g_usleep(1000);
    }
    return rfp_job_end(operation, FALSE, error);
}

/* What cannot be stopped ends well after all. */
static gboolean
run_past_cancel(RefpointConnection *conn,
                const RfpMsvmWork *work,
                RefpointJob *operation,
                GError **error)
{
    while (!rfp_job_cancelled(operation))
        g_usleep(1000);
    return run_well(conn, work, operation, error);
}

/* Has read everything when it is suspended; behind that only the end is
 * left. */
static gboolean
run_to_publication(RefpointConnection *conn,
                   const RfpMsvmWork *work,
                   RefpointJob *operation,
                   GError **error)
{
    while (!rfp_rate_is_paused(&operation->rate))
        g_usleep(1000);
    if (!rfp_job_finish_reading(operation, error))
        return rfp_job_end(operation, FALSE, error);
    return run_past_cancel(conn, work, operation, error);
}

static void
finish(const RfpMsvmWork *work,
       const RefpointReport *report,
       RfpMsvmOutcome *outcome)
{
    outcome->result =
        rfp_msvm_point_path(rfp_msvm_work_domain(work), report->point_guid);
    g_ptr_array_add(outcome->configs, g_strdup("/set/point/vm/domain.xml"));
    g_ptr_array_add(outcome->runtimes,
                    g_strdup("/set/point/vm/checkpoint.xml"));
    g_ptr_array_add(outcome->disks, g_strdup("refpoint-disk:" VM "/vda"));
    g_ptr_array_add(outcome->disks, g_strdup("refpoint-disk:" VM "/vdb"));
    g_ptr_array_add(outcome->images, g_strdup("/set/disks/vm/vda/point.qcow2"));
    g_ptr_array_add(outcome->images, g_strdup("/set/disks/vm/vdb/point.qcow2"));
    g_ptr_array_add(outcome->states, g_strdup("/set/point/vm/nvram.fd"));
}

#define EXPORT_JOB "Msvm_VirtualSystemReferencePointExportJob"

static const RfpMsvmAction well = {.job_class = EXPORT_JOB,
                                   .job_type = 203,
                                   .cancellable = TRUE,
                                   .suspendable = TRUE,
                                   .run = run_well,
                                   .finish = finish};
static const RfpMsvmAction collection_well = {
    .job_class = "Msvm_CollectionReferencePointExportJob",
    .job_type = 206,
    .cancellable = TRUE,
    .run = run_well,
    .finish = finish};
static const RfpMsvmAction badly = {.job_class = "Msvm_ConcreteJob",
                                    .job_type = 201,
                                    .cancellable = TRUE,
                                    .run = run_badly};
static const RfpMsvmAction for_ever = {.job_class = EXPORT_JOB,
                                       .job_type = 203,
                                       .cancellable = TRUE,
                                       .suspendable = TRUE,
                                       .run = run_for_ever};
static const RfpMsvmAction to_publication = {.job_class = EXPORT_JOB,
                                             .job_type = 203,
                                             .cancellable = TRUE,
                                             .suspendable = TRUE,
                                             .run = run_to_publication};
static const RfpMsvmAction past_cancel = {.job_class = "Msvm_ConcreteJob",
                                          .job_type = 202,
                                          .cancellable = TRUE,
                                          .run = run_past_cancel};
static const RfpMsvmAction stubborn = {.job_class = "Msvm_ConcreteJob",
                                       .job_type = 202,
                                       .run = run_past_cancel};

static RfpMsvmWork *
new_work(const RfpMsvmAction *action, const char *domain)
{
    RfpMsvmWork *work =
        rfp_msvm_work_new(action,
                          rfp_msvm_class_method(rfp_msvm_class_find(SERVICE),
                                                "ExportReferencePoint"));

    rfp_msvm_work_add(work, domain);
    work->point = g_strdup(POINT);
    work->base = g_strdup(BASE);
    work->directory = g_strdup("/set");
    work->affected = rfp_msvm_point_path(domain, POINT);
    return work;
}

static gboolean
is_free(RefpointMsvm *msvm)
{
    g_autoptr(RfpMsvmWork) work = new_work(&for_ever, VM);

    return rfp_msvm_job_check_free(msvm, work, NULL);
}

/* ---- What is said of a job ----------------------------------------------- */

static RefpointMsvm *
new_service(void)
{
    return refpoint_msvm_new(NULL);
}

static char *
start(RefpointMsvm *msvm, const RfpMsvmAction *action)
{
    g_autoptr(GError) error = NULL;
    char *path = rfp_msvm_job_start(msvm, new_work(action, VM), &error);

    g_assert_no_error(error);
    g_assert_nonnull(path);
    return path;
}

static RfpMsvmInstance *
look(RefpointMsvm *msvm, const char *path)
{
    g_autoptr(RfpMsvmPath) parsed = rfp_msvm_path_parse(path, NULL);

    return rfp_msvm_job_instance(msvm, parsed);
}

static guint64
number_of(RefpointMsvm *msvm, const char *path, const char *name)
{
    g_autoptr(RfpMsvmInstance) instance = look(msvm, path);
    guint64 number = G_MAXUINT64;

    g_assert_nonnull(instance);
    g_assert_true(rfp_msvm_instance_number(instance, name, &number));
    return number;
}

static void
text_is(const RfpMsvmInstance *instance, const char *name, const char *wanted)
{
    g_test_message("%s", name);
    g_assert_cmpstr(rfp_msvm_instance_text(instance, name), ==, wanted);
}

static void
texts_are(const RfpMsvmInstance *instance,
          const char *name,
          const char *first,
          const char *second)
{
    const RfpMsvmValue *value = rfp_msvm_instance_value(instance, name);

    g_test_message("%s", name);
    g_assert_cmpuint(value->items->len, ==, 2);
    g_assert_cmpstr(rfp_msvm_value_item(value, 0)->text, ==, first);
    g_assert_cmpstr(rfp_msvm_value_item(value, 1)->text, ==, second);
}

static guint32
request(RefpointMsvm *msvm, const char *path, guint16 wanted)
{
    return refpoint_msvm_request_state_change(msvm, path, wanted, NULL, NULL);
}

static void
is_failure(RefpointMsvm *msvm, const char *path, guint status)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) all = NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;
    g_autoptr(GError) error = NULL;
    guint64 found = 0;

    g_assert_cmpuint(refpoint_msvm_get_error(msvm, path, &text, &error), ==, 0);
    g_assert_no_error(error);
    g_assert_nonnull(text);
    instance =
        rfp_msvm_instance_parse(text, strlen(text), "Msvm_Error", &error);
    g_assert_no_error(error);
    g_assert_true(rfp_msvm_instance_number(instance, "CIMStatusCode", &found));
    g_assert_cmpuint(found, ==, status);
    g_assert_cmpuint(refpoint_msvm_get_error_ex(msvm, path, &all, &error), ==,
                     0);
    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(all), ==, 1);
    g_assert_cmpstr(all[0], ==, text);
}

static void
is_no_failure(RefpointMsvm *msvm, const char *path)
{
    char *text = (char *)1;
    char **all = &text;

    g_assert_cmpuint(refpoint_msvm_get_error(msvm, path, &text, NULL), ==, 0);
    g_assert_null(text);
    g_assert_cmpuint(refpoint_msvm_get_error_ex(msvm, path, &all, NULL), ==, 0);
    g_assert_null(all);
}

/* ---- Ends ---------------------------------------------------------------- */

static void
check_times(const RfpMsvmInstance *instance)
{
    gint64 submitted = 0;
    gint64 started = 0;
    gint64 changed = 0;
    guint64 removal = 0;
    guint64 elapsed = 0;

    g_assert_true(
        rfp_msvm_time_parse(rfp_msvm_instance_text(instance, "TimeSubmitted"),
                            &submitted));
    g_assert_true(
        rfp_msvm_time_parse(rfp_msvm_instance_text(instance, "StartTime"),
                            &started));
    g_assert_true(rfp_msvm_time_parse(
        rfp_msvm_instance_text(instance, "TimeOfLastStateChange"), &changed));
    g_assert_true(
        rfp_msvm_interval_parse(rfp_msvm_instance_text(instance, "ElapsedTime"),
                                &elapsed));
    g_assert_true(rfp_msvm_interval_parse(
        rfp_msvm_instance_text(instance, "TimeBeforeRemoval"), &removal));
    g_assert_cmpint(submitted, <=, started);
    g_assert_cmpint(started, <=, changed);
    g_assert_cmpint(submitted, >, g_get_real_time() - LONG_MS * 1000);
    g_assert_cmpuint(elapsed, <, LONG_MS * 1000);
    g_assert_cmpuint(removal, ==, 5 * 60 * G_USEC_PER_SEC);
}

/* The disks by their ids, and their files in the same order. */
static void
check_disks(const RfpMsvmInstance *instance)
{
    texts_are(instance, "ExportedDisks", "refpoint-disk:" VM "/vda",
              "refpoint-disk:" VM "/vdb");
    texts_are(instance, "ExportedLogFilePaths", "/set/disks/vm/vda/point.qcow2",
              "/set/disks/vm/vdb/point.qcow2");
}

static void
test_completed(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &well);
    g_autoptr(GPtrArray) made = NULL;
    g_autofree char *wanted = rfp_msvm_point_path(VM, POINT);
    g_autoptr(RfpMsvmInstance) instance = NULL;
    g_autoptr(RfpMsvmInstance) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = NULL;

    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    instance = look(msvm, path);
    text_is(instance, "Name", "Export Reference Point");
    text_is(instance, "JobStatus", "Completed");
    text_is(instance, "ExportDirectory", "/set");
    text_is(instance, "VirtualMachineId", VM);
    text_is(instance, "ReferencePointId", POINT);
    text_is(instance, "BaseReferencePointId", BASE);
    check_disks(instance);
    text_is(instance, "ExportedConfigFilePath", "/set/point/vm/domain.xml");
    text_is(instance, "ExportedRuntimeFilePath",
            "/set/point/vm/checkpoint.xml");
    text_is(instance, "ExportedGuestStateFilePath", "/set/point/vm/nvram.fd");
    text_is(instance, "ErrorDescription", NULL);
    text_is(instance, "Owner", g_get_user_name());
    check_times(instance);
    g_assert_cmpuint(number_of(msvm, path, "PercentComplete"), ==, 100);
    g_assert_cmpuint(number_of(msvm, path, "ErrorCode"), ==, 0);
    g_assert_cmpuint(number_of(msvm, path, "Cancellable"), ==, FALSE);
    g_assert_cmpuint(number_of(msvm, path, "DeleteOnCompletion"), ==, TRUE);
    is_no_failure(msvm, path);
    made = rfp_msvm_job_affected(msvm, path);
    g_assert_cmpuint(made->len, ==, 2);
    g_assert_cmpstr(((RfpMsvmAffected *)made->pdata[1])->path, ==, wanted);
    /* All of it is of the types that the class has. */
    xml = rfp_msvm_instance_format(instance);
    again = rfp_msvm_instance_parse(xml, strlen(xml), EXPORT_JOB, &error);
    g_assert_no_error(error);
    text_is(again, "ExportedConfigFilePath", "/set/point/vm/domain.xml");
}

static void
test_collection(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &collection_well);
    g_autoptr(RfpMsvmInstance) instance = NULL;

    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    instance = look(msvm, path);
    text_is(instance, "CollectionId", "refpoint-group:" VM);
    text_is(instance, "ReferencePointGroupId", "refpoint-collection:" POINT);
    text_is(instance, "BaseReferencePointGroupId", "refpoint-collection:" BASE);
    text_is(instance, "VirtualMachineId", VM);
    check_disks(instance);
    text_is(instance, "ExportedConfigFilePaths", "/set/point/vm/domain.xml");
    text_is(instance, "ExportedRuntimeFilePaths",
            "/set/point/vm/checkpoint.xml");
    text_is(instance, "ExportedGuestStateFilePaths", "/set/point/vm/nvram.fd");
}

/* Every cause reaches ErrorCode with the number of the method's set. */
static void
check_cause(RefpointMsvm *msvm, const RfpMsvmMethod *method, int cause)
{
    RfpMsvmWork *work = new_work(&badly, VM);
    g_autofree char *path = NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;

    g_free(work->directory);
    work->directory = g_strdup_printf("%d", cause);
    work->method = method;
    msvm->removal_us = G_MAXINT64;
    path = rfp_msvm_job_start(msvm, work, NULL);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_EXCEPTION);
    instance = look(msvm, path);
    text_is(instance, "ErrorDescription", "injected");
    text_is(instance, "ErrorSummaryDescription", refpoint_return_name(cause));
    g_assert_cmpuint(number_of(msvm, path, "ErrorCode"), ==,
                     rfp_msvm_method_number(method, cause));
    g_assert_cmpuint(number_of(msvm, path, "PercentComplete"), ==, 0);
    while (!is_free(msvm))
        g_usleep(1000);
}

static void
test_causes(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    const RfpMsvmMethod *left =
        rfp_msvm_class_method(rfp_msvm_class_find(SERVICE),
                              "CreateReferencePoint");
    const RfpMsvmMethod *right =
        rfp_msvm_class_method(rfp_msvm_class_find(SERVICE),
                              "ExportReferencePoint");
    int cause = 0;

    for (cause = 1; cause < RFP_N_CAUSES; cause++) {
        check_cause(msvm, left, cause);
        check_cause(msvm, right, cause);
    }
}

/* Each has its row of numbers for Msvm_Error. */
static void
test_error_rows(void)
{
    for (int cause = 1; cause < RFP_N_CAUSES; cause++) {
        const RefpointFailure failure = {.cause = (RefpointError)cause};
        g_autoptr(RfpMsvmInstance) instance =
            rfp_msvm_error_new(&failure, NULL);
        guint64 severity = 0;

        text_is(instance, "MessageID", refpoint_cause_id((RefpointError)cause));
        g_assert_true(
            rfp_msvm_instance_number(instance, "PerceivedSeverity", &severity));
        g_assert_cmpuint(severity, >=, 2);
    }
}

static void
test_error(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    RfpMsvmWork *work = new_work(&badly, VM);
    g_autofree char *affected = g_strdup(work->affected);
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;

    g_free(work->directory);
    work->directory = g_strdup_printf("%d", REFPOINT_ERROR_IN_USE);
    path = rfp_msvm_job_start(msvm, work, NULL);
    refpoint_msvm_wait(msvm, path, LONG_MS);
    is_failure(msvm, path, 1);
    refpoint_msvm_get_error(msvm, path, &text, NULL);
    instance = rfp_msvm_instance_parse(text, strlen(text), "Msvm_Error", NULL);
    text_is(instance, "Message", "injected");
    text_is(instance, "MessageID", "in-use");
    text_is(instance, "MessageArguments", "thing");
    text_is(instance, "RecommendedActions", "turn round");
    text_is(instance, "ErrorSource", affected);
    text_is(instance, "CIMStatusCodeDescription", "CIM_ERR_FAILED");
}

/* ---- Changes of state ---------------------------------------------------- */

static void
wait_until_read(RefpointMsvm *msvm, const char *path, guint64 percent)
{
    while (number_of(msvm, path, "PercentComplete") <= percent)
        g_usleep(1000);
}

static void
test_terminated(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);

    wait_until_read(msvm, path, 0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_RUNNING);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 20), ==,
                     REFPOINT_MSVM_JOB_RUNNING);
    g_assert_cmpuint(number_of(msvm, path, "Cancellable"), ==, TRUE);
    is_no_failure(msvm, path);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE), ==,
                     0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, -1), ==,
                     REFPOINT_MSVM_JOB_TERMINATED);
    g_assert_cmpuint(number_of(msvm, path, "ErrorCode"), ==, 32768);
    g_assert_cmpuint(number_of(msvm, path, "PercentComplete"), <, 100);
    is_failure(msvm, path, 1);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_START), ==,
                     32775);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_KILL), ==,
                     32775);
}

/* Nothing is read while it is suspended, and it goes on where it was. */
static void
test_suspended(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);
    guint64 before = 0;

    wait_until_read(msvm, path, 0);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND), ==, 0);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND), ==, 0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_SUSPENDED);
    g_usleep(500 * 1000);
    before = number_of(msvm, path, "PercentComplete");
    g_usleep(100 * 1000);
    g_assert_cmpuint(number_of(msvm, path, "PercentComplete"), ==, before);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_START), ==, 0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_RUNNING);
    wait_until_read(msvm, path, before);
    /* A suspended one can be ended. */
    request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE), ==,
                     0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_TERMINATED);
}

/* Nothing is published while it is suspended; what publishes does not stop. */
static void
test_suspended_late(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &to_publication);

    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND), ==, 0);
    g_usleep(100 * 1000);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_SUSPENDED);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_START), ==, 0);
    while (request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND) == 0) {
        request(msvm, path, REFPOINT_MSVM_REQUEST_START);
        g_usleep(1000);
    }
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND), ==,
                     32775);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_RUNNING);
    request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
}

static void
test_killed(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);

    wait_until_read(msvm, path, 0);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_KILL), ==, 0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_KILLED);
    g_assert_cmpuint(number_of(msvm, path, "ErrorCode"), ==, 32768);
    is_failure(msvm, path, 1);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE), ==,
                     32775);
    /* The thread ends, too, and the domain is free again. */
    while (!is_free(msvm))
        g_usleep(1000);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_KILLED);
}

/* Too late: what was done is told as done. */
static void
test_too_late(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &past_cancel);

    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE), ==,
                     0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    is_no_failure(msvm, path);
}

/* Neither stopped nor suspended; only the service's end ends it. */
static void
test_stubborn(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &stubborn);

    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND), ==,
                     32775);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE), ==,
                     32775);
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_KILL), ==,
                     32775);
    g_assert_cmpuint(number_of(msvm, path, "Cancellable"), ==, FALSE);
}

static guint32
request_for(RefpointMsvm *msvm, const char *path, const char *period)
{
    return refpoint_msvm_request_state_change(msvm, path,
                                              REFPOINT_MSVM_REQUEST_SUSPEND,
                                              period, NULL);
}

static void
test_bad_requests(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);
    const char *unknown = "Msvm_ConcreteJob.InstanceID=\"refpoint-job:" VM "\"";
    const char *system = "Msvm_ComputerSystem.CreationClassName="
                         "\"Msvm_ComputerSystem\",Name=\"" VM "\"";
    char *text = NULL;

    g_assert_cmpuint(request_for(msvm, path, "00000000000001.000000:000"), ==,
                     REFPOINT_MSVM_TIMEOUT_NOT_SUPPORTED);
    g_assert_cmpuint(request_for(msvm, path, "00000000000000.000000:000"), ==,
                     0);
    g_assert_cmpuint(request_for(msvm, path, "20261121203000.000000+000"), ==,
                     32773);
    g_assert_cmpuint(request_for(msvm, path, "soon"), ==, 32776);
    g_assert_cmpuint(request_for(msvm, unknown, NULL), ==, 32773);
    g_assert_cmpuint(request_for(msvm, system, NULL), ==, 32776);
    g_assert_cmpuint(request_for(msvm, "...", NULL), ==, 32773);
    g_assert_cmpuint(request_for(msvm, NULL, NULL), ==, 32773);
    g_assert_cmpuint(request(msvm, path, 0), ==, 32773);
    g_assert_cmpuint(request(msvm, path, 6), ==, 32770);
    g_assert_cmpuint(request(msvm, path, 7), ==, 32773);
    g_assert_cmpuint(refpoint_msvm_get_error(msvm, unknown, &text, NULL), ==,
                     32773);
    g_assert_null(text);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, unknown, -1), ==, 0);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, "...", -1), ==, 0);
}

/* ---- Several ------------------------------------------------------------- */

static void
test_one_a_domain(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);
    g_autofree char *second = NULL;
    g_autofree char *other = NULL;
    RfpMsvmWork *both = new_work(&well, OTHER_VM);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths = NULL;

    second = rfp_msvm_job_start(msvm, new_work(&well, VM), &error);
    g_assert_null(second);
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_clear_error(&error);
    /* whichever of its members it is */
    rfp_msvm_work_add(both, VM);
    g_assert_null(rfp_msvm_job_start(msvm, both, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_assert_nonnull(strstr(error->message, VM));
    other = rfp_msvm_job_start(msvm, new_work(&well, OTHER_VM), NULL);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, other, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    paths = rfp_msvm_job_paths(msvm);
    g_assert_cmpuint(paths->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(paths, 0), ==, path);
    g_assert_cmpstr(g_ptr_array_index(paths, 1), ==, other);
    request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_TERMINATED);
}

static gpointer
wait_thread(gpointer opaque)
{
    gpointer *arguments = opaque;

    return GUINT_TO_POINTER(
        refpoint_msvm_wait(arguments[0], arguments[1], LONG_MS));
}

static void
test_concurrent(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    GThread *threads[16];
    char *paths[16];
    gpointer arguments[16][2];

    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *domain = g_strdup_printf("domain-%u", i);

        paths[i] = rfp_msvm_job_start(msvm, new_work(&for_ever, domain), NULL);
        arguments[i][0] = msvm;
        arguments[i][1] = paths[i];
        threads[i] = g_thread_new("wait", wait_thread, arguments[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++)
        request(msvm, paths[i],
                i % 2 ? REFPOINT_MSVM_REQUEST_TERMINATE
                      : REFPOINT_MSVM_REQUEST_KILL);
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        guint state = GPOINTER_TO_UINT(g_thread_join(threads[i]));

        g_assert_cmpuint(state, ==,
                         i % 2 ? REFPOINT_MSVM_JOB_TERMINATED
                               : REFPOINT_MSVM_JOB_KILLED);
        g_free(paths[i]);
    }
}

/* ---- Time ---------------------------------------------------------------- */

static void
test_removed(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &well);
    g_autofree char *running = NULL;

    running = rfp_msvm_job_start(msvm, new_work(&for_ever, OTHER_VM), NULL);
    refpoint_msvm_wait(msvm, path, LONG_MS);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, path, 0), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    msvm->removal_us = 0;
    while (refpoint_msvm_wait(msvm, path, 0) != 0)
        g_usleep(1000);
    g_assert_null(look(msvm, path));
    g_assert_cmpuint(request(msvm, path, REFPOINT_MSVM_REQUEST_START), ==,
                     32773);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, running, 0), !=, 0);
}

/* ---- The callback -------------------------------------------------------- */

typedef struct {
    GMutex lock;
    GString *states; /* a digit a call, as long as the state is a new one */
    gboolean hundred;
    guint repeated; /* calls of the same state as the call before */
    char *path;
} Seen;

static void
on_job(RefpointMsvm *msvm,
       const char *job,
       guint16 state,
       guint percent,
       gpointer opaque)
{
    Seen *seen = opaque;
    g_autoptr(RfpMsvmInstance) instance = look(msvm, job);
    char digit = (char)('0' + state);

    g_assert_nonnull(instance);
    g_mutex_lock(&seen->lock);
    if (seen->states->len > 0 &&
        seen->states->str[seen->states->len - 1] == digit)
        seen->repeated++;
    else
        g_string_append_c(seen->states, digit);
    seen->hundred = percent == 100;
    g_mutex_unlock(&seen->lock);
}

static void
test_callback(void)
{
    RefpointMsvm *msvm = new_service();
    g_autoptr(GString) states = g_string_new(NULL);
    Seen seen = {.states = states};
    g_autofree char *path = NULL;
    g_autofree char *done = NULL;
    const gint64 begin = g_get_monotonic_time();

    g_mutex_init(&seen.lock);
    refpoint_msvm_set_job_func(msvm, on_job, &seen);
    path = start(msvm, &for_ever);
    wait_until_read(msvm, path, 3);
    request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND);
    request(msvm, path, REFPOINT_MSVM_REQUEST_START);
    request(msvm, path, REFPOINT_MSVM_REQUEST_TERMINATE);
    refpoint_msvm_wait(msvm, path, LONG_MS);
    while (!is_free(msvm))
        g_usleep(1000);
    g_assert_cmpstr(states->str, ==, "45468");
    g_assert_false(seen.hundred);
    /* five times a second at most */
    g_assert_cmpint((gint64)(seen.repeated) * 200 * 1000, <=,
                    g_get_monotonic_time() - begin + 200 * 1000);
    done = start(msvm, &well);
    refpoint_msvm_wait(msvm, done, LONG_MS);
    refpoint_msvm_free(msvm);
    g_assert_cmpstr(states->str, ==, "4546847");
    g_assert_true(seen.hundred);
    g_mutex_clear(&seen.lock);
}

/* ---- What it affects ----------------------------------------------------- */

static void
test_affected(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *point = rfp_msvm_point_path(VM, POINT);
    g_autofree char *system = rfp_msvm_system_path(VM);
    RfpMsvmWork *work = new_work(&well, VM);
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) affected = NULL;
    g_autoptr(GPtrArray) none = NULL;
    const RfpMsvmAffected *row = NULL;

    g_free(work->affected);
    work->affected = g_strdup(system);
    path = rfp_msvm_job_start(msvm, work, NULL);
    refpoint_msvm_wait(msvm, path, LONG_MS);
    affected = rfp_msvm_job_affected(msvm, path);
    g_assert_cmpuint(affected->len, ==, 2);
    row = g_ptr_array_index(affected, 0);
    g_assert_cmpstr(row->path, ==, system);
    g_assert_cmpuint(row->effect, ==, 2);
    row = g_ptr_array_index(affected, 1);
    g_assert_cmpstr(row->path, ==, point);
    g_assert_cmpuint(row->effect, ==, 5);
    none = rfp_msvm_job_affected(msvm, system);
    g_assert_cmpuint(none->len, ==, 0);
}

/* The class of the path must be the job's, or above it. */
static void
test_paths(void)
{
    g_autoptr(RefpointMsvm) msvm = new_service();
    g_autofree char *path = start(msvm, &well);
    g_autoptr(RfpMsvmPath) parsed = rfp_msvm_path_parse(path, NULL);
    const char *id = rfp_msvm_path_key(parsed, "InstanceID");
    g_autofree char *upper = g_ascii_strup(id, -1);
    g_autofree char *above =
        g_strdup_printf("cim_concretejob.instanceid=\"%s\"", upper);
    g_autofree char *beside =
        g_strdup_printf("Msvm_ConcreteJob.InstanceID=\"%s\"", id);

    g_assert_true(g_str_has_prefix(id, "refpoint-job:"));
    g_assert_cmpuint(refpoint_msvm_wait(msvm, above, LONG_MS), ==,
                     REFPOINT_MSVM_JOB_COMPLETED);
    g_assert_cmpuint(refpoint_msvm_wait(msvm, beside, LONG_MS), ==, 0);
}

/* Everything that runs is ended and waited for. */
static void
test_free(void)
{
    RefpointMsvm *msvm = new_service();
    g_autofree char *path = start(msvm, &for_ever);
    g_autofree char *other =
        rfp_msvm_job_start(msvm, new_work(&stubborn, OTHER_VM), NULL);

    g_assert_nonnull(other);
    wait_until_read(msvm, path, 0);
    request(msvm, path, REFPOINT_MSVM_REQUEST_SUSPEND);
    refpoint_msvm_free(msvm);
    refpoint_msvm_free(NULL);
}

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-job/completed", test_completed);
    g_test_add_func("/msvm-job/collection", test_collection);
    g_test_add_func("/msvm-job/causes", test_causes);
    g_test_add_func("/msvm-job/error-rows", test_error_rows);
    g_test_add_func("/msvm-job/error", test_error);
    g_test_add_func("/msvm-job/terminated", test_terminated);
    g_test_add_func("/msvm-job/suspended", test_suspended);
    g_test_add_func("/msvm-job/suspended-late", test_suspended_late);
    g_test_add_func("/msvm-job/killed", test_killed);
    g_test_add_func("/msvm-job/too-late", test_too_late);
    g_test_add_func("/msvm-job/stubborn", test_stubborn);
    g_test_add_func("/msvm-job/bad-requests", test_bad_requests);
    g_test_add_func("/msvm-job/one-a-domain", test_one_a_domain);
    g_test_add_func("/msvm-job/concurrent", test_concurrent);
    g_test_add_func("/msvm-job/removed", test_removed);
    g_test_add_func("/msvm-job/callback", test_callback);
    g_test_add_func("/msvm-job/affected", test_affected);
    g_test_add_func("/msvm-job/paths", test_paths);
    g_test_add_func("/msvm-job/free", test_free);
    return g_test_run();
}
