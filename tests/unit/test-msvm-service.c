/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods' parameters and numbers, on libvirt's test driver: every call
 * here ends before the engine would begin. */
#include "refpoint-msvm.h"

#include "base/error.h"
#include "base/job.h"
#include "cim/msvm-return.h"
#include "msvm/msvm-job.h"
#include "msvm/msvm-method.h"
#include "msvm/msvm-object-path.h"
#include "set.h"
#include "virt/connection.h"

#define VM_SERVICE "Msvm_VirtualSystemReferencePointService"
#define COLLECTION_SERVICE "Msvm_CollectionReferencePointService"
#define IMAGE_SERVICE "Msvm_ImageManagementService"
#define POINT "1f0c9a3e-0000-4000-8000-000000000001"
#define NO_POINT "1f0c9a3e-0000-4000-8000-000000000002"

/* ---- Numbers ------------------------------------------------------------- */

/* msvm-model: "Return values", by cause. */
static const struct {
    guint32 left;
    guint32 right;
    const char *name;
} numbers[] = {
    [0] = {0, 0, "Completed with No Error"},
    [REFPOINT_ERROR_FAILED] = {2, 32768, "Failed"},
    [REFPOINT_ERROR_ACCESS_DENIED] = {2, 32769, "Access Denied"},
    [REFPOINT_ERROR_NOT_SUPPORTED] = {1, 32770, "Not Supported"},
    [REFPOINT_ERROR_STATUS_UNKNOWN] = {2, 32771, "Status is unknown"},
    [REFPOINT_ERROR_TIMEOUT] = {3, 32772, "Timeout"},
    [REFPOINT_ERROR_INVALID_PARAMETER] = {4, 32773, "Invalid parameter"},
    [REFPOINT_ERROR_IN_USE] = {5, 32774, "System is in use"},
    [REFPOINT_ERROR_INVALID_STATE] = {5, 32775,
                                      "Invalid state for this operation"},
    [REFPOINT_ERROR_INCORRECT_TYPE] = {6, 32776, "Incorrect data type"},
    [REFPOINT_ERROR_NOT_AVAILABLE] = {2, 32777, "System is not available"},
    [REFPOINT_ERROR_NO_MEMORY] = {2, 32778, "Out of memory"},
    [REFPOINT_ERROR_FILE_NOT_FOUND] = {2, 32779, "File not found"},
    [REFPOINT_ERROR_CANCELLED] = {2, 32768, "Failed"},
};

static const struct {
    const char *class_name;
    const char *method;
    gboolean left;
    gboolean file_not_found;
} methods[] = {
    {VM_SERVICE, "CreateReferencePoint", TRUE, FALSE},
    {VM_SERVICE, "DestroyReferencePoint", FALSE, FALSE},
    {VM_SERVICE, "ExportReferencePoint", FALSE, FALSE},
    {VM_SERVICE, "ImportReferencePointMetadata", FALSE, FALSE},
    {VM_SERVICE, "RemoveAssociatedData", FALSE, FALSE},
    {COLLECTION_SERVICE, "CreateReferencePoint", TRUE, FALSE},
    {COLLECTION_SERVICE, "DestroyReferencePoint", TRUE, FALSE},
    {COLLECTION_SERVICE, "ExportReferencePoint", FALSE, FALSE},
    {COLLECTION_SERVICE, "RemoveAssociatedData", TRUE, FALSE},
    {IMAGE_SERVICE, "GetVirtualDiskChanges", FALSE, TRUE},
    {"Msvm_ConcreteJob", "RequestStateChange", FALSE, FALSE},
    {"Msvm_ConcreteJob", "GetError", FALSE, FALSE},
    {"Msvm_ConcreteJob", "GetErrorEx", FALSE, FALSE},
};

static void
test_numbers(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        g_autoptr(RfpMsvmCall) call =
            rfp_msvm_call_new(NULL, methods[i].class_name, methods[i].method,
                              NULL);

        g_assert_nonnull(call);
        for (guint cause = 0; cause < G_N_ELEMENTS(numbers); cause++) {
            guint32 wanted =
                methods[i].left ? numbers[cause].left : numbers[cause].right;

            if (cause == REFPOINT_ERROR_FILE_NOT_FOUND && !methods[i].left &&
                !methods[i].file_not_found)
                wanted = 32768;
            g_assert_cmpuint(rfp_msvm_method_number(call->method, (int)cause),
                             ==, wanted);
        }
    }
}

static void
test_foreign_errors(void)
{
    g_autoptr(RfpMsvmCall) call =
        rfp_msvm_call_new(NULL, VM_SERVICE, "ExportReferencePoint", NULL);
    g_autoptr(GError) error =
        g_error_new(G_FILE_ERROR, G_FILE_ERROR_ACCES, "no");

    g_assert_cmpuint(rfp_msvm_method_error_number(call->method, NULL), ==, 0);
    g_assert_cmpuint(rfp_msvm_method_error_number(call->method, error), ==,
                     32768);
}

static void
test_names(void)
{
    for (guint cause = 0; cause <= REFPOINT_ERROR_FILE_NOT_FOUND; cause++) {
        g_assert_cmpint(refpoint_msvm_return_cause(numbers[cause].right), ==,
                        (int)cause);
        g_assert_cmpstr(refpoint_msvm_return_name(numbers[cause].right), ==,
                        numbers[cause].name);
    }
    for (guint32 left = 0; left <= 6; left++) {
        int cause = refpoint_msvm_return_cause(left);

        g_assert_cmpint(cause, >=, 0);
        g_assert_cmpuint(numbers[cause].left, ==, left);
    }
    g_assert_cmpint(refpoint_msvm_return_cause(4096), ==, 0);
    g_assert_cmpint(refpoint_msvm_return_cause(4098), ==,
                    REFPOINT_ERROR_NOT_SUPPORTED);
    g_assert_cmpint(refpoint_msvm_return_cause(7), ==, -1);
    g_assert_cmpint(refpoint_msvm_return_cause(32780), ==, -1);
    g_assert_cmpstr(refpoint_msvm_return_name(4096), ==,
                    "Method Parameters Checked - Job Started");
    g_assert_cmpstr(refpoint_msvm_return_name(4098), ==,
                    "Use of Timeout Parameter Not Supported");
    g_assert_cmpstr(refpoint_msvm_return_name(7), ==, "Unknown");
}

/* ---- A host with one domain, busy ---------------------------------------- */

typedef struct {
    RefpointConnection conn;
    RefpointMsvm *msvm;
    char *dir;
    char *set;   /* of the domain */
    char *alien; /* a set of another one */
    char *mess;  /* a folder with other content */
    char *busy;  /* the job that runs */
} Host;

static gboolean
run_for_ever(RefpointConnection *conn,
             const RfpMsvmWork *work,
             RefpointJob *operation,
             GError **error)
{
    (void)conn;
    (void)work;
    while (rfp_job_check(operation, error))
        g_usleep(1000);
    return FALSE;
}

static const RfpMsvmAction for_ever = {.job_class = "Msvm_ConcreteJob",
                                       .job_type = 201,
                                       .cancellable = TRUE,
                                       .run = run_for_ever};

static void
make_busy(Host *host)
{
    RfpMsvmWork *work =
        rfp_msvm_work_new(&for_ever,
                          rfp_msvm_class_method(rfp_msvm_class_find(VM_SERVICE),
                                                "ExportReferencePoint"));

    rfp_msvm_work_add(work, SET_VM);
    host->busy = rfp_msvm_job_start(host->msvm, work, NULL);
    g_assert_nonnull(host->busy);
}

static void
define_domain(Host *host)
{
    virDomainPtr domain = virDomainCreateXML(
        host->conn.virt,
        "<domain type='test'><name>vm1</name><uuid>" SET_VM "</uuid>"
        "<memory>1024</memory><os><type>hvm</type></os><devices>"
        "<disk type='file'><source file='/images/vm1.qcow2'/>"
        "<target dev='vda'/></disk></devices></domain>",
        0);
    virDomainCheckpointPtr checkpoint = NULL;

    g_assert_nonnull(domain);
    checkpoint = virDomainCheckpointCreateXML(
        domain,
        "<domaincheckpoint><name>p1</name>"
        "<description>virt-refpoint 1 point=" POINT " set=-</description>"
        "<disks><disk name='vda' checkpoint='bitmap'/></disks>"
        "</domaincheckpoint>",
        0);
    g_assert_nonnull(checkpoint);
    virDomainCheckpointFree(checkpoint);
    virDomainFree(domain);
}

static void
make_folders(Host *host)
{
    static const SetMade points[] = {
        {"one", {{"vda", NULL, 65536, "0:a"}}},
        {NULL, {{NULL, NULL, 0, NULL}}},
    };
    g_autoptr(RfpExportSet) alien = NULL;
    g_autofree char *file = NULL;

    host->dir = set_temp();
    host->set = g_build_filename(host->dir, "set", NULL);
    host->alien = g_build_filename(host->dir, "alien", NULL);
    host->mess = g_build_filename(host->dir, "mess", NULL);
    file = g_build_filename(host->mess, "file", NULL);
    set_make(host->set, points);
    alien = rfp_export_set_prepare(host->alien, &set_other_owner, NULL);
    g_assert_nonnull(alien);
    g_assert_cmpint(g_mkdir(host->mess, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static void
host_open(Host *host)
{
    refpoint_silence_libvirt();
    host->conn = (RefpointConnection){
        .virt = virConnectOpen("test:///default"),
        .uri = (char *)"test:///default",
    };
    g_assert_nonnull(host->conn.virt);
    host->msvm = refpoint_msvm_new(&host->conn);
    define_domain(host);
    make_folders(host);
    make_busy(host);
}

static void
host_close(Host *host)
{
    virDomainPtr domain = virDomainLookupByUUIDString(host->conn.virt, SET_VM);

    refpoint_msvm_free(host->msvm);
    virDomainDestroy(domain);
    virDomainFree(domain);
    virConnectClose(host->conn.virt);
    set_remove(host->dir);
    g_free(host->dir);
    g_free(host->set);
    g_free(host->alien);
    g_free(host->mess);
    g_free(host->busy);
}

/* ---- Calls --------------------------------------------------------------- */

#define SYSTEM_PATH(uuid)                                                      \
    "Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\",Name="      \
    "\"" uuid "\""
#define POINT_PATH(uuid, guid)                                                 \
    "Msvm_VirtualSystemReferencePoint.InstanceID=\"refpoint:" uuid "/" guid    \
    "\",VirtualSystemIdentifier=\"" uuid "\""
#define GROUP_PATH(uuid)                                                       \
    "Msvm_VirtualSystemCollection.CollectionID=\"refpoint-group:" uuid "\""
#define COLLECTION_PATH(uuid, guid)                                            \
    "Msvm_ReferencePointCollection.CollectionID=\"refpoint-collection:" guid   \
    "\",VirtualSystemCollectionId=\"refpoint-group:" uuid "\""

#define POINT_SETTINGS "Msvm_VirtualSystemReferencePointSettingData"
#define COLLECTION_SETTINGS "Msvm_CollectionReferencePointSettingData"
#define POINT_EXPORT "Msvm_VirtualSystemReferencePointExportSettingData"
#define COLLECTION_EXPORT "Msvm_CollectionReferencePointExportSettingData"
#define INSTANCE(name, content)                                                \
    "<INSTANCE CLASSNAME=\"" name "\">" content "</INSTANCE>"
#define PROPERTY(name, type, value)                                            \
    "<PROPERTY NAME=\"" name "\" TYPE=\"" type "\"><VALUE>" value              \
    "</VALUE></PROPERTY>"
#define ARRAY(name, value)                                                     \
    "<PROPERTY.ARRAY NAME=\"" name                                             \
    "\" TYPE=\"string\"><VALUE.ARRAY><VALUE>" value                            \
    "</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>"
#define VM_TO_DISKS(uuid, disk)                                                \
    ARRAY("VirtualMachinesToDisksToExport",                                    \
          "&lt;INSTANCE CLASSNAME=\"Msvm_VirtualMachineToDisks\"&gt;"          \
          "&lt;PROPERTY NAME=\"VirtualMachineId\" TYPE=\"string\"&gt;"         \
          "&lt;VALUE&gt;" uuid "&lt;/VALUE&gt;&lt;/PROPERTY&gt;"               \
          "&lt;PROPERTY.ARRAY NAME=\"DisksToExport\" TYPE=\"string\"&gt;"      \
          "&lt;VALUE.ARRAY&gt;&lt;VALUE&gt;" disk "&lt;/VALUE&gt;"             \
          "&lt;/VALUE.ARRAY&gt;&lt;/PROPERTY.ARRAY&gt;&lt;/INSTANCE&gt;")
#define DISK "refpoint-disk:" SET_VM "/vda"
#define OTHER_DISK "refpoint-disk:" SET_OTHER_VM "/vda"

/* Values with which a method would begin; "%" is the temporary folder. Methods
 * whose ReferencePointType begins at 1 take this one, too. */
static const struct {
    const char *name;
    const char *text;
} good[] = {
    {"AffectedSystem", SYSTEM_PATH(SET_VM)},
    {"AffectedReferencePoint", POINT_PATH(SET_VM, POINT)},
    {"ReferencePoint", POINT_PATH(SET_VM, POINT)},
    {"Collection", GROUP_PATH(SET_VM)},
    {"AffectedReferencePointCollection", COLLECTION_PATH(SET_VM, POINT)},
    {"ReferencePointCollection", COLLECTION_PATH(SET_VM, POINT)},
    {"ReferencePointType", "1"},
    {"ExportDirectory", "%/fresh"},
    {"ConfigFilePath", "%/set/one/vm1/domain.xml"},
    {"RuntimeStateFilePath", "%/set/one/vm1/checkpoint.xml"},
    {"Path", "%/mess/file"},
    {"LimitId", "refpoint-rct:" POINT "/vda"},
    {"ByteOffset", "0"},
    {"ByteLength", "0"},
};

static const char *
good_text(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
        if (strcmp(good[i].name, name) == 0)
            return good[i].text;
    }
    return NULL;
}

static RefpointMsvmParameter *
new_parameter(Host *host, const char *name, const char *text)
{
    RefpointMsvmParameter *parameter = g_new0(RefpointMsvmParameter, 1);
    g_auto(GStrv) parts = g_strsplit(text, "%", -1);
    char *whole = g_strjoinv(host->dir, parts);

    parameter->name = g_strdup(name);
    parameter->values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    g_ptr_array_add(parameter->values, g_bytes_new_take(whole, strlen(whole)));
    return parameter;
}

/* All in parameters that are needed, with @text for @changed (NULL: without
 * it). */
static GPtrArray *
parameters(Host *host,
           const RfpMsvmMethod *method,
           const char *changed,
           const char *text)
{
    GPtrArray *in = g_ptr_array_new_with_free_func(
        (GDestroyNotify)refpoint_msvm_parameter_free);
    const RfpMsvmProperty *property = method->parameters;

    for (; property->name != NULL; property++) {
        const char *value = g_strcmp0(property->name, changed) == 0
                                ? text
                                : good_text(property->name);

        if ((property->flags & RFP_MSVM_IN) && value != NULL)
            g_ptr_array_add(in, new_parameter(host, property->name, value));
    }
    return in;
}

static guint32
invoke(Host *host,
       const char *class_name,
       const char *method,
       const char *changed,
       const char *text,
       gboolean asynchronous)
{
    const RfpMsvmMethod *found =
        rfp_msvm_class_method(rfp_msvm_class_find(class_name), method);
    g_autoptr(GPtrArray) in = parameters(host, found, changed, text);
    g_autoptr(GPtrArray) out = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointFailure) failure = NULL;
    guint32 number = refpoint_msvm_invoke(host->msvm, class_name, method, NULL,
                                          in, asynchronous, &out, &error);

    failure = refpoint_failure_new(error);
    g_test_message("%s %s=%s: %u %s", method, changed, text, number,
                   failure->message);
    g_assert_true((number == 0) == (error == NULL));
    g_assert_true((out != NULL) == (error == NULL));
    if (error != NULL) {
        g_assert_cmpuint(error->domain, ==, REFPOINT_ERROR);
        g_assert_cmpuint(number, ==,
                         rfp_msvm_method_error_number(found, error));
    }
    return number;
}

/* The number in the method's set. */
static guint32
number_of(const char *class_name, const char *method, RefpointError cause)
{
    const RfpMsvmMethod *found =
        rfp_msvm_class_method(rfp_msvm_class_find(class_name), method);

    return rfp_msvm_method_number(found, (int)cause);
}

/* With good parameters the checks pass, and the domain is busy. */
static void
test_busy(void)
{
    Host host = {0};

    host_open(&host);
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        if (strstr(methods[i].class_name, "Service") == NULL ||
            g_str_has_prefix(methods[i].method, "Import") ||
            methods[i].file_not_found)
            continue;
        for (gboolean asynchronous = 0; asynchronous <= 1; asynchronous++)
            g_assert_cmpuint(invoke(&host, methods[i].class_name,
                                    methods[i].method, NULL, NULL,
                                    asynchronous),
                             ==, methods[i].left ? 5 : 32774);
    }
    host_close(&host);
}

/* Every parameter that is needed, left out and not readable. */
static void
test_missing(void)
{
    Host host = {0};

    host_open(&host);
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        const RfpMsvmMethod *method =
            rfp_msvm_class_method(rfp_msvm_class_find(methods[i].class_name),
                                  methods[i].method);
        const RfpMsvmProperty *property = method->parameters;

        for (; property->name != NULL; property++) {
            if (good_text(property->name) == NULL ||
                strstr(methods[i].class_name, "Service") == NULL)
                continue;
            g_assert_cmpuint(invoke(&host, methods[i].class_name,
                                    methods[i].method, property->name, NULL,
                                    TRUE),
                             ==, methods[i].left ? 4 : 32773);
        }
    }
    host_close(&host);
}

typedef struct {
    const char *class_name;
    const char *method;
    const char *parameter;
    const char *text;
    RefpointError cause;
} Bad;

static const Bad bad[];

static void
test_bad(void)
{
    Host host = {0};
    const Bad *row = NULL;

    host_open(&host);
    for (row = bad; row->class_name != NULL; row++)
        g_assert_cmpuint(invoke(&host, row->class_name, row->method,
                                row->parameter, row->text, TRUE),
                         ==,
                         number_of(row->class_name, row->method, row->cause));
    host_close(&host);
}

/* ---- Any method ---------------------------------------------------------- */

static guint32
invoke_raw(Host *host,
           const char *class_name,
           const char *method,
           const char *path,
           const char *parameter,
           const char *text,
           gsize length,
           guint n)
{
    g_autoptr(GPtrArray) in = g_ptr_array_new_with_free_func(
        (GDestroyNotify)refpoint_msvm_parameter_free);
    RefpointMsvmParameter *only = g_new0(RefpointMsvmParameter, 1);

    only->name = g_strdup(parameter);
    only->values =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(only->values, g_bytes_new(text, length));
    g_ptr_array_add(in, only);
    return refpoint_msvm_invoke(host->msvm, class_name, method, path, in, FALSE,
                                NULL, NULL);
}

static void
test_invoke(void)
{
    Host host = {0};
    const char *system = SYSTEM_PATH(SET_VM);
    gsize length = strlen(system);

    host_open(&host);
    g_assert_cmpuint(refpoint_msvm_invoke(host.msvm, "No_Class", "No", NULL,
                                          NULL, FALSE, NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_invoke(host.msvm, VM_SERVICE, "No", NULL,
                                          NULL, FALSE, NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_invoke(host.msvm, NULL, NULL, NULL, NULL,
                                          FALSE, NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "CreateReferencePoint", NULL,
                                "No", "x", 1, 1),
                     ==, 4);
    /* Out parameters are no in parameters. */
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "CreateReferencePoint", NULL,
                                "Job", "x", 1, 1),
                     ==, 4);
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "CreateReferencePoint", NULL,
                                "AffectedSystem", system, length, 2),
                     ==, 6);
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "CreateReferencePoint", NULL,
                                "AffectedSystem", system, length, 0),
                     ==, 6);
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "ExportReferencePoint", NULL,
                                "ExportDirectory", "/a\0b", 4, 1),
                     ==, 32773);
    /* The path of another object. */
    g_assert_cmpuint(invoke_raw(&host, VM_SERVICE, "ExportReferencePoint",
                                system, "ExportDirectory", "/", 1, 1),
                     ==, 32776);
    host_close(&host);
}

/* Of a job, by its path; names compare without case. */
static void
test_invoke_job(void)
{
    Host host = {0};
    g_autoptr(GPtrArray) out = NULL;
    const RefpointMsvmParameter *only = NULL;

    host_open(&host);
    g_assert_cmpuint(invoke_raw(&host, "cim_concretejob", "requestSTATEchange",
                                host.busy, "requestedstate", "2", 1, 1),
                     ==, 0);
    g_assert_cmpuint(invoke_raw(&host, "Msvm_ConcreteJob", "RequestStateChange",
                                NULL, "RequestedState", "2", 1, 1),
                     ==, 32773);
    g_assert_cmpuint(invoke_raw(&host, "Msvm_ConcreteJob", "RequestStateChange",
                                host.busy, "RequestedState", "two", 3, 1),
                     ==, 32776);
    g_assert_cmpuint(refpoint_msvm_invoke(host.msvm, "Msvm_ConcreteJob",
                                          "GetErrorEx", host.busy, NULL, FALSE,
                                          &out, NULL),
                     ==, 0);
    g_assert_cmpuint(out->len, ==, 1);
    only = g_ptr_array_index(out, 0);
    g_assert_cmpstr(only->name, ==, "Errors");
    g_assert_cmpstr(only->type, ==, "string");
    g_assert_true(only->array);
    g_assert_null(only->values);
    host_close(&host);
}

/* Embedded instances as PowerShell writes them into files. */
static void
test_utf16(void)
{
    Host host = {0};
    const char *xml =
        INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "uint8", "2"));
    gsize length = 0;
    g_autofree char *text =
        g_convert(xml, -1, "UTF-16", "UTF-8", NULL, &length, NULL);
    g_autoptr(GPtrArray) in = NULL;
    RefpointMsvmParameter *settings = NULL;
    const RfpMsvmMethod *method =
        rfp_msvm_class_method(rfp_msvm_class_find(VM_SERVICE),
                              "CreateReferencePoint");

    g_assert_nonnull(text);
    host_open(&host);
    in = parameters(&host, method, NULL, NULL);
    settings = new_parameter(&host, "ReferencePointSettings", "");
    g_ptr_array_remove_index(settings->values, 0);
    g_ptr_array_add(settings->values, g_bytes_new(text, length));
    g_ptr_array_add(in, settings);
    g_assert_cmpuint(refpoint_msvm_invoke(host.msvm, VM_SERVICE,
                                          "CreateReferencePoint", NULL, in,
                                          FALSE, NULL, NULL),
                     ==, 5);
    host_close(&host);
}

static void
test_methods(void)
{
    g_autoptr(GPtrArray) all = refpoint_msvm_methods();
    guint found = 0;

    for (guint i = 0; i < all->len; i++) {
        const RefpointMsvmMethod *method = g_ptr_array_index(all, i);
        g_autoptr(RfpMsvmCall) call =
            rfp_msvm_call_new(NULL, method->class_name, method->name, NULL);

        g_autoptr(GError) error = NULL;

        /* What is listed can be called; without its parameters it fails. */
        g_assert_nonnull(call);
        g_assert_cmpuint(rfp_msvm_method_run(call, &error), !=, 0);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
        for (guint j = 0; j < G_N_ELEMENTS(methods); j++) {
            if (strcmp(methods[j].class_name, method->class_name) == 0 &&
                strcmp(methods[j].method, method->name) == 0)
                found++;
        }
    }
    /* RequestStateChange is listed with the class that has it. */
    g_assert_cmpuint(found, ==, G_N_ELEMENTS(methods) - 1);
}

/* ---- The C functions ----------------------------------------------------- */

static void
test_typed_null(void)
{
    g_autoptr(RefpointMsvm) msvm = refpoint_msvm_new(NULL);
    RefpointMsvmDiskChanges changes = {.n_changes = 7};
    char *result = (char *)1;
    char *job = (char *)1;

    g_assert_cmpuint(refpoint_msvm_create_reference_point(msvm, NULL, NULL, 0,
                                                          &result, &job, NULL),
                     ==, 4);
    g_assert_null(result);
    g_assert_null(job);
    g_assert_cmpuint(refpoint_msvm_destroy_reference_point(msvm, NULL, NULL,
                                                           NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_export_reference_point(msvm, NULL, NULL,
                                                          NULL, NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_import_reference_point_metadata(msvm, NULL,
                                                                   NULL, NULL,
                                                                   NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_remove_associated_data(msvm, NULL, NULL,
                                                          NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_collection_create_reference_point(
                         msvm, NULL, NULL, 0, NULL, NULL, NULL),
                     ==, 4);
    g_assert_cmpuint(refpoint_msvm_collection_destroy_reference_point(
                         msvm, NULL, NULL, NULL),
                     ==, 4);
    g_assert_cmpuint(refpoint_msvm_collection_export_reference_point(
                         msvm, NULL, NULL, NULL, NULL, NULL),
                     ==, 32773);
    g_assert_cmpuint(refpoint_msvm_collection_remove_associated_data(msvm, NULL,
                                                                     NULL,
                                                                     NULL),
                     ==, 4);
    g_assert_cmpuint(refpoint_msvm_get_virtual_disk_changes(
                         msvm, NULL, NULL, NULL, 0, 0, &changes, &job, NULL),
                     ==, 32773);
    g_assert_cmpuint(changes.n_changes, ==, 0);
}

static void
test_typed_busy(void)
{
    Host host = {0};
    g_autofree char *fresh = NULL;
    g_autoptr(GError) error = NULL;

    host_open(&host);
    fresh = g_build_filename(host.dir, "fresh", NULL);
    g_assert_cmpuint(refpoint_msvm_create_reference_point(
                         host.msvm, SYSTEM_PATH(SET_VM), "",
                         REFPOINT_MSVM_TYPE_LOG, NULL, NULL, NULL),
                     ==, 5);
    g_assert_cmpuint(refpoint_msvm_collection_create_reference_point(
                         host.msvm, GROUP_PATH(SET_VM), NULL,
                         REFPOINT_MSVM_COLLECTION_TYPE_RCT, NULL, NULL, NULL),
                     ==, 5);
    g_assert_cmpuint(refpoint_msvm_export_reference_point(
                         host.msvm, POINT_PATH(SET_VM, POINT), fresh, NULL,
                         NULL, &error),
                     ==, 32774);
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_IN_USE);
    g_assert_false(g_file_test(fresh, G_FILE_TEST_EXISTS));
    host_close(&host);
}

/* ---- Rows ---------------------------------------------------------------- */

#define POINT_CREATE VM_SERVICE, "CreateReferencePoint"
#define GROUP_CREATE COLLECTION_SERVICE, "CreateReferencePoint"
#define POINT_EXPORTS VM_SERVICE, "ExportReferencePoint"
#define GROUP_EXPORTS COLLECTION_SERVICE, "ExportReferencePoint"
#define IMPORT VM_SERVICE, "ImportReferencePointMetadata"
#define INVALID REFPOINT_ERROR_INVALID_PARAMETER
#define TYPE REFPOINT_ERROR_INCORRECT_TYPE
#define BUSY REFPOINT_ERROR_IN_USE /* it was good */

static const Bad bad[] = {
    /* Systems */
    {POINT_CREATE, "AffectedSystem", "vm1", TYPE},
    {POINT_CREATE, "AffectedSystem", "\\\\", INVALID},
    {POINT_CREATE, "AffectedSystem", POINT_PATH(SET_VM, POINT), TYPE},
    {POINT_CREATE, "AffectedSystem", SYSTEM_PATH(SET_OTHER_VM), INVALID},
    {POINT_CREATE, "ResultingReferencePoint", POINT_PATH(SET_VM, POINT),
     REFPOINT_ERROR_NOT_SUPPORTED},
    /* Types */
    {POINT_CREATE, "ReferencePointType", "0", BUSY},
    {POINT_CREATE, "ReferencePointType", "2", TYPE},
    {POINT_CREATE, "ReferencePointType", "65536", TYPE},
    {POINT_CREATE, "ReferencePointType", "-1", TYPE},
    {POINT_CREATE, "ReferencePointType", "RCT", TYPE},
    {GROUP_CREATE, "ReferencePointType", "2", BUSY},
    {GROUP_CREATE, "ReferencePointType", "0", TYPE},
    {GROUP_CREATE, "ReferencePointType", "3", TYPE},
    {GROUP_CREATE, "Collection", SYSTEM_PATH(SET_VM), TYPE},
    {GROUP_CREATE, "Collection", GROUP_PATH(SET_OTHER_VM), INVALID},
    /* Settings */
    {POINT_CREATE, "ReferencePointSettings", "", BUSY},
    {POINT_CREATE, "ReferencePointSettings", INSTANCE(POINT_SETTINGS, ""),
     BUSY},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "uint8", "1")),
     BUSY},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "uint8", "0")),
     INVALID},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "uint8", "3")),
     INVALID},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "uint8", "256")),
     TYPE},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("ConsistencyLevel", "string", "1")),
     TYPE},
    {POINT_CREATE, "ReferencePointSettings",
     INSTANCE(POINT_SETTINGS, PROPERTY("Level", "uint8", "1")), TYPE},
    {POINT_CREATE, "ReferencePointSettings", INSTANCE(POINT_EXPORT, ""), TYPE},
    {POINT_CREATE, "ReferencePointSettings", "<INSTANCE>", INVALID},
    {GROUP_CREATE, "ReferencePointSettings", INSTANCE(COLLECTION_SETTINGS, ""),
     BUSY},
    {GROUP_CREATE, "ReferencePointSettings", INSTANCE(POINT_SETTINGS, ""),
     TYPE},
    /* Points */
    {VM_SERVICE, "DestroyReferencePoint", "AffectedReferencePoint",
     SYSTEM_PATH(SET_VM), TYPE},
    {VM_SERVICE, "DestroyReferencePoint", "AffectedReferencePoint",
     POINT_PATH(SET_VM, NO_POINT), INVALID},
    {VM_SERVICE, "RemoveAssociatedData", "AffectedReferencePoint",
     POINT_PATH(SET_OTHER_VM, POINT), INVALID},
    {COLLECTION_SERVICE, "DestroyReferencePoint",
     "AffectedReferencePointCollection", POINT_PATH(SET_VM, POINT), TYPE},
    {COLLECTION_SERVICE, "RemoveAssociatedData",
     "AffectedReferencePointCollection", COLLECTION_PATH(SET_VM, NO_POINT),
     INVALID},
    {POINT_EXPORTS, "ReferencePoint", POINT_PATH(SET_VM, NO_POINT), INVALID},
    {POINT_EXPORTS, "ReferencePoint", GROUP_PATH(SET_VM), TYPE},
    /* Directories */
    {POINT_EXPORTS, "ExportDirectory", "%/set", BUSY},
    {POINT_EXPORTS, "ExportDirectory", "set", INVALID},
    {POINT_EXPORTS, "ExportDirectory", "", INVALID},
    {POINT_EXPORTS, "ExportDirectory", "%/mess", INVALID},
    {POINT_EXPORTS, "ExportDirectory", "%/mess/file", INVALID},
    {POINT_EXPORTS, "ExportDirectory", "%/alien", INVALID},
    {POINT_EXPORTS, "ExportDirectory", "%/none/fresh", INVALID},
    {GROUP_EXPORTS, "ExportDirectory", "%/alien", INVALID},
    /* Bases */
    {POINT_EXPORTS, "ExportSettingData", INSTANCE(POINT_EXPORT, ""), BUSY},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT, PROPERTY("BaseReferencePoint", "string", "")),
     BUSY},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT, PROPERTY("BaseReferencePoint", "string", "\\\\")),
     INVALID},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT,
              PROPERTY("BaseReferencePoint", "string", SYSTEM_PATH(SET_VM))),
     TYPE},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT,
              PROPERTY("BaseReferencePoint",
                       "string",
                       POINT_PATH(SET_OTHER_VM, POINT))),
     INVALID},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT,
              PROPERTY("BaseReferencePoint",
                       "string",
                       POINT_PATH(SET_VM, NO_POINT))),
     INVALID},
    {POINT_EXPORTS, "ExportSettingData", INSTANCE(COLLECTION_EXPORT, ""), TYPE},
    {POINT_EXPORTS, "ExportSettingData", "<", INVALID},
    {GROUP_EXPORTS, "ExportSettingData",
     INSTANCE(COLLECTION_EXPORT,
              PROPERTY("BaseReferencePointCollection",
                       "string",
                       POINT_PATH(SET_VM, POINT))),
     TYPE},
    /* Disks */
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT, ARRAY("DisksToExport", DISK)), BUSY},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT, ARRAY("DisksToExport", "vda")), INVALID},
    {POINT_EXPORTS, "ExportSettingData",
     INSTANCE(POINT_EXPORT, ARRAY("DisksToExport", OTHER_DISK)), INVALID},
    {GROUP_EXPORTS, "ExportSettingData",
     INSTANCE(COLLECTION_EXPORT, VM_TO_DISKS(SET_VM, DISK)), BUSY},
    {GROUP_EXPORTS, "ExportSettingData",
     INSTANCE(COLLECTION_EXPORT, VM_TO_DISKS(SET_OTHER_VM, OTHER_DISK)),
     INVALID},
    {GROUP_EXPORTS, "ExportSettingData",
     INSTANCE(COLLECTION_EXPORT, VM_TO_DISKS(SET_VM, OTHER_DISK)), INVALID},
    {GROUP_EXPORTS, "ExportSettingData",
     INSTANCE(COLLECTION_EXPORT,
              ARRAY("VirtualMachinesToDisksToExport", "vm1")),
     INVALID},
    /* Files of a set: this one has no checkpoint of its point */
    {IMPORT, "AffectedSystem", GROUP_PATH(SET_VM), TYPE},
    {IMPORT, "ConfigFilePath", "domain.xml", INVALID},
    {IMPORT, "RuntimeStateFilePath", "checkpoint.xml", INVALID},
    {IMPORT, "ConfigFilePath", "%/mess/one/vm1/domain.xml", INVALID},
    {IMPORT, "ConfigFilePath", "%/none/one/vm1/domain.xml", INVALID},
    {IMPORT, "ConfigFilePath", "/", INVALID},
    {IMPORT, "RuntimeStateFilePath", "%/mess/file", INVALID},
    /* Disk changes */
    {IMAGE_SERVICE, "GetVirtualDiskChanges", "ByteOffset", "-1", TYPE},
    {IMAGE_SERVICE, "GetVirtualDiskChanges", "LimitId", "x", INVALID},
    {IMAGE_SERVICE, "GetVirtualDiskChanges", "TargetSnapshotId", "x",
     REFPOINT_ERROR_NOT_SUPPORTED},
    {IMAGE_SERVICE, "GetVirtualDiskChanges", "Path", "%/mess/file",
     REFPOINT_ERROR_FILE_NOT_FOUND},
    {NULL, NULL, NULL, NULL, INVALID},
};

int
main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-service/numbers", test_numbers);
    g_test_add_func("/msvm-service/foreign-errors", test_foreign_errors);
    g_test_add_func("/msvm-service/names", test_names);
    g_test_add_func("/msvm-service/busy", test_busy);
    g_test_add_func("/msvm-service/missing", test_missing);
    g_test_add_func("/msvm-service/bad", test_bad);
    g_test_add_func("/msvm-service/invoke", test_invoke);
    g_test_add_func("/msvm-service/invoke-job", test_invoke_job);
    g_test_add_func("/msvm-service/utf16", test_utf16);
    g_test_add_func("/msvm-service/methods", test_methods);
    g_test_add_func("/msvm-service/typed-null", test_typed_null);
    g_test_add_func("/msvm-service/typed-busy", test_typed_busy);
    return g_test_run();
}
