/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths, instances and associations of hand-made domains and points, and the
 * public functions on libvirt's test driver. */
#include "msvm/msvm-objects.h"

#include <string.h>

#include "cim/msvm-instance-read.h"
#include "data.h"
#include "msvm/msvm-job-instance.h"
#include "msvm/msvm-method-changes.h"
#include "msvm/msvm-object-path.h"
#include "virt/connection.h"

#define VM "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define OTHER "00000000-edaf-9455-926a-d65c16db1809"
#define HELD "1f0c9a3e-0000-4000-8000-000000000001"
#define PLAIN "1f0c9a3e-0000-4000-8000-000000000002"
#define FOREIGN "1f0c9a3e-0000-5000-8000-000000000003"

#define SYSTEM "Msvm_ComputerSystem"
#define POINT "Msvm_VirtualSystemReferencePoint"
#define GROUP "Msvm_VirtualSystemCollection"
#define COLLECTION "Msvm_ReferencePointCollection"
#define JOB "Msvm_ConcreteJob"
#define EXPORT_JOB "Msvm_VirtualSystemReferencePointExportJob"

/* ---- Paths --------------------------------------------------------------- */

static void
test_print(void)
{
    g_autofree char *system = rfp_msvm_system_path(VM);
    g_autofree char *point = rfp_msvm_point_path(VM, PLAIN);
    g_autofree char *group = rfp_msvm_group_path(VM);
    g_autofree char *collection = rfp_msvm_collection_path(VM, PLAIN);

    g_assert_cmpstr(system, ==,
                    "root\\virtualization\\v2:" SYSTEM
                    ".CreationClassName=\"" SYSTEM "\",Name=\"" VM "\"");
    g_assert_cmpstr(point, ==,
                    "root\\virtualization\\v2:" POINT
                    ".InstanceID=\"refpoint:" VM "/" PLAIN
                    "\",VirtualSystemIdentifier=\"" VM "\"");
    g_assert_cmpstr(group, ==,
                    "root\\virtualization\\v2:" GROUP
                    ".CollectionID=\"refpoint-group:" VM "\"");
    g_assert_cmpstr(collection, ==,
                    "root\\virtualization\\v2:" COLLECTION
                    ".CollectionID=\"refpoint-collection:" PLAIN
                    "\",VirtualSystemCollectionId=\"refpoint-group:" VM "\"");
}

typedef struct {
    const char *path;
    const char *class_name;
    int cause;        /* 0: it resolves, to VM and @guid */
    const char *guid; /* NULL: the class has no point */
} Resolved;

static const Resolved resolved[];

static void
test_resolve(void)
{
    const Resolved *row = NULL;

    for (row = resolved; row->class_name != NULL; row++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *uuid = NULL;
        g_autofree char *guid = NULL;
        gboolean done = rfp_msvm_object_path_resolve(row->path, row->class_name,
                                                     &uuid, &guid, &error);

        g_test_message("%s", row->path != NULL ? row->path : "(null)");
        if (row->cause == 0) {
            g_assert_no_error(error);
            g_assert_true(done);
            g_assert_cmpstr(uuid, ==, VM);
            g_assert_cmpstr(guid, ==, row->guid);
        } else {
            g_assert_error(error, REFPOINT_ERROR, row->cause);
            g_assert_false(done);
            g_assert_null(uuid);
            g_assert_null(guid);
        }
    }
}

static void
test_resolve_host(void)
{
    g_autofree char *upper = g_ascii_strup(g_get_host_name(), -1);
    g_autofree char *path =
        g_strdup_printf("\\\\%s\\ROOT\\Virtualization\\V2:" SYSTEM ".Name=\"" VM
                        "\",CreationClassName=\"" SYSTEM "\"",
                        upper);
    g_autofree char *uuid = NULL;
    g_autoptr(GError) error = NULL;

    if (strspn(upper, G_CSET_A_2_Z G_CSET_DIGITS "_-.") != strlen(upper)) {
        g_test_skip("this host's name is not one for an object path");
        return;
    }
    g_assert_true(
        rfp_msvm_object_path_resolve(path, SYSTEM, &uuid, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(uuid, ==, VM);
}

static void
test_disks(void)
{
    static const char *const good[] = {
        "refpoint-disk:" VM "/vda",
        "REFPOINT-DISK:C7A5FDBD-EDAF-9455-926A-D65C16DB1809/vdb",
        "refpoint-disk:" VM "/vda", NULL};
    static const char *const other[] = {"refpoint-disk:" VM "/vda",
                                        "refpoint-disk:" OTHER "/vda", NULL};
    static const char *const bad[] = {"vda", NULL};
    static const char *const none[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) targets = rfp_msvm_disk_ids_resolve(good, VM, &error);
    g_auto(GStrv) empty = rfp_msvm_disk_ids_resolve(none, VM, &error);
    g_auto(GStrv) absent = rfp_msvm_disk_ids_resolve(NULL, VM, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(g_strv_length(targets), ==, 2);
    g_assert_cmpstr(targets[0], ==, "vda");
    g_assert_cmpstr(targets[1], ==, "vdb");
    g_assert_cmpuint(g_strv_length(empty), ==, 0);
    g_assert_cmpuint(g_strv_length(absent), ==, 0);
    g_assert_null(rfp_msvm_disk_ids_resolve(other, VM, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_clear_error(&error);
    g_assert_null(rfp_msvm_disk_ids_resolve(bad, VM, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
}

static void
check_canonical(const char *text, const char *wanted, const char *wanted_uuid)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uuid = NULL;
    g_autofree char *path = rfp_msvm_object_path_canonical(text, &uuid, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(path, ==, wanted);
    g_assert_cmpstr(uuid, ==, wanted_uuid);
}

static void
refuse_canonical(const char *text, RefpointError cause)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uuid = NULL;

    g_assert_null(rfp_msvm_object_path_canonical(text, &uuid, &error));
    g_assert_error(error, REFPOINT_ERROR, (gint)cause);
    g_assert_null(uuid);
}

static void
test_canonical(void)
{
    g_autofree char *system = rfp_msvm_system_path(VM);
    g_autofree char *service =
        rfp_msvm_service_path("Msvm_ImageManagementService");

    check_canonical("\\\\.\\root/virtualization/v2:msvm_computersystem"
                    ".name='{C7A5FDBD-EDAF-9455-926A-D65C16DB1809}'"
                    ",creationclassname='MSVM_COMPUTERSYSTEM'",
                    system, VM);
    check_canonical("msvm_concretejob='x'",
                    "root\\virtualization\\v2:" JOB ".InstanceID=\"x\"", NULL);
    check_canonical(service, service, NULL);
    check_canonical(
        "Msvm_CollectedVirtualSystems.Member=\"" SYSTEM ".Name='" VM
        "',CreationClassName='" SYSTEM
        "'\",Collection='Msvm_VirtualSystemCollection=\"refpoint-group:" VM
        "\"'",
        "root\\virtualization\\v2:Msvm_CollectedVirtualSystems.Collection="
        "\"root\\\\virtualization\\\\v2:" GROUP
        ".CollectionID=\\\"refpoint-group:" VM
        "\\\"\",Member=\"root\\\\virtualization\\\\v2:" SYSTEM
        ".CreationClassName=\\\"" SYSTEM "\\\",Name=\\\"" VM "\\\"\"",
        VM);
    refuse_canonical(NULL, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_canonical("", REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_canonical("No_Class.A='b'", REFPOINT_ERROR_INCORRECT_TYPE);
    refuse_canonical("Msvm_CollectedVirtualSystems.Member='x y',"
                     "Collection='x y'",
                     REFPOINT_ERROR_INVALID_PARAMETER);
    /* an association at the end of another */
    refuse_canonical("Msvm_CollectedVirtualSystems.Member='a',Collection="
                     "\"Msvm_CollectedVirtualSystems.Member='a',"
                     "Collection='b'\"",
                     REFPOINT_ERROR_INVALID_PARAMETER);
}

/* ---- Objects ------------------------------------------------------------- */

static void
free_affected(gpointer opaque)
{
    RfpMsvmAffected *affected = opaque;

    g_free(affected->path);
    g_free(affected);
}

static RfpMsvmSystem *
make_system(RfpMsvmInventory *inventory, const char *uuid, const char *name)
{
    RfpMsvmSystem *system = g_new0(RfpMsvmSystem, 1);

    system->uuid = g_strdup(uuid);
    system->name = g_strdup(name);
    system->state.active = TRUE;
    system->state.running = TRUE;
    g_ptr_array_add(inventory->systems, system);
    return system;
}

static void
free_disk(gpointer opaque)
{
    RefpointPointDisk *disk = opaque;

    g_free(disk->target);
    g_free(disk);
}

static RefpointPoint *
make_point(RfpMsvmInventory *inventory,
           const char *guid,
           const char *name,
           const char *targets)
{
    RefpointPoint *point = g_new0(RefpointPoint, 1);
    g_auto(GStrv) list = g_strsplit(targets, " ", -1);
    guint i = 0;

    point->domain_name = g_strdup("vm<1>");
    point->domain_uuid = g_strdup(VM);
    point->guid = g_strdup(guid);
    point->name = g_strdup(name);
    point->created = 1795310445;
    point->disks = g_ptr_array_new_with_free_func(free_disk);
    for (i = 0; list[i] != NULL; i++) {
        RefpointPointDisk *disk = g_new0(RefpointPointDisk, 1);

        disk->target = g_strdup(list[i]);
        g_ptr_array_add(point->disks, disk);
    }
    g_ptr_array_add(inventory->points, point);
    return point;
}

static void
make_job(RfpMsvmInventory *inventory)
{
    RfpMsvmJobLinks *job = g_new0(RfpMsvmJobLinks, 1);
    RfpMsvmAffected *affected = g_new0(RfpMsvmAffected, 1);

    affected->path = rfp_msvm_point_path(VM, PLAIN);
    affected->effect = 5;
    job->path =
        g_strdup("root\\virtualization\\v2:" JOB ".InstanceID=\"job-1\"");
    job->affected = g_ptr_array_new_with_free_func(free_affected);
    g_ptr_array_add(job->affected, affected);
    g_ptr_array_add(inventory->jobs, job);
}

static RfpMsvmInventory *
make_inventory(void)
{
    RfpMsvmInventory *inventory = rfp_msvm_inventory_new();
    RefpointPoint *point = NULL;

    make_system(inventory, VM, "vm<1>")->last_backup = 1795310445;
    make_system(inventory, OTHER, "other");
    point = make_point(inventory, HELD, "held", "vda vdb");
    point->state = REFPOINT_STATE_TRACKED;
    point->held = TRUE;
    point->keep = REFPOINT_KEEP_HOLD;
    point->consistency = REFPOINT_CONSISTENCY_APPLICATION;
    point = make_point(inventory, PLAIN, "plain", "vda");
    point->state = REFPOINT_STATE_PUBLISHED;
    point->keep = REFPOINT_KEEP_FIRST;
    point->consistency = REFPOINT_CONSISTENCY_CRASH;
    point = make_point(inventory, FOREIGN, "foreign", "");
    g_ptr_array_set_size(point->disks, 0);
    make_job(inventory);
    return inventory;
}

/* Each with its class, but for services: they have the name of this host. */
static void
test_objects(void)
{
    g_autoptr(RfpMsvmInventory) inventory = make_inventory();
    g_autoptr(GPtrArray) objects = rfp_msvm_objects(inventory);
    g_autoptr(GString) text = g_string_new(NULL);
    guint i = 0;

    for (i = 0; i < objects->len; i++) {
        const RfpMsvmObject *object = g_ptr_array_index(objects, i);
        g_autoptr(GError) error = NULL;
        g_autofree char *uuid = NULL;
        g_autofree char *canonical =
            rfp_msvm_object_path_canonical(object->path, &uuid, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(canonical, ==, object->path);
        g_assert_true(rfp_msvm_objects_find(objects, canonical) == object);
        if (!rfp_msvm_class_is_a(object->klass, "CIM_Service"))
            g_string_append_printf(text, "%s\n", object->path);
    }
    data_compare("msvm/objects.txt", text->str);
}

static void
compare_instance(GPtrArray *objects, const char *path, const char *golden)
{
    const RfpMsvmObject *object = rfp_msvm_objects_find(objects, path);
    g_autoptr(RfpMsvmInstance) instance = NULL;
    g_autoptr(RfpMsvmInstance) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strdup_printf("msvm/%s.xml", golden);
    g_autofree char *text = NULL;

    g_assert_nonnull(object);
    instance = object->make(object);
    text = rfp_msvm_instance_format(instance);
    data_compare(name, text);
    again = rfp_msvm_instance_parse(text, strlen(text), object->klass->name,
                                    &error);
    g_assert_no_error(error);
    g_assert_nonnull(again);
}

static void
test_instances(void)
{
    g_autoptr(RfpMsvmInventory) inventory = make_inventory();
    g_autoptr(GPtrArray) objects = rfp_msvm_objects(inventory);
    g_autofree char *system = rfp_msvm_system_path(VM);
    g_autofree char *held = rfp_msvm_point_path(VM, HELD);
    g_autofree char *plain = rfp_msvm_point_path(VM, PLAIN);
    g_autofree char *foreign = rfp_msvm_point_path(VM, FOREIGN);
    g_autofree char *group = rfp_msvm_group_path(VM);
    g_autofree char *held_collection = rfp_msvm_collection_path(VM, HELD);
    g_autofree char *collection = rfp_msvm_collection_path(VM, FOREIGN);

    compare_instance(objects, system, "system");
    compare_instance(objects, held, "point-held");
    compare_instance(objects, plain, "point-plain");
    compare_instance(objects, foreign, "point-foreign");
    compare_instance(objects, group, "group");
    compare_instance(objects, held_collection, "collection-held");
    compare_instance(objects, collection, "collection-foreign");
}

/* Once its data is gone, or the hold has ended. */
static void
test_has_data(void)
{
    static const struct {
        gboolean held;
        RefpointKeep keep;
        guint64 wanted;
    } rows[] = {
        {TRUE, REFPOINT_KEEP_HOLD, 1},  {TRUE, REFPOINT_KEEP_NOTHING, 0},
        {TRUE, REFPOINT_KEEP_FIRST, 0}, {FALSE, REFPOINT_KEEP_FIRST, 0},
        {FALSE, REFPOINT_KEEP_HOLD, 0}, {FALSE, REFPOINT_KEEP_NOTHING, 0},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RfpMsvmInventory) inventory = rfp_msvm_inventory_new();
        g_autoptr(GPtrArray) objects = NULL;
        g_autofree char *path = rfp_msvm_point_path(VM, HELD);
        const RfpMsvmObject *object = NULL;
        g_autoptr(RfpMsvmInstance) instance = NULL;
        RefpointPoint *point = make_point(inventory, HELD, "p", "vda");
        guint64 number = 9;

        point->held = rows[i].held;
        point->keep = rows[i].keep;
        objects = rfp_msvm_objects(inventory);
        object = rfp_msvm_objects_find(objects, path);
        instance = object->make(object);
        g_assert_true(
            rfp_msvm_instance_number(instance, "HasAssociatedData", &number));
        g_assert_cmpuint(number, ==, rows[i].wanted);
        g_assert_true(
            rfp_msvm_instance_number(instance, "ReferencePointType", &number));
        g_assert_cmpuint(number, ==, rows[i].held ? 1 : 2);
        g_assert_false(
            rfp_msvm_instance_number(instance, "ConsistencyLevel", &number));
    }
}

static guint64
enabled_state(RfpDomainState state, gboolean saved, guint64 *health)
{
    g_autoptr(RfpMsvmInventory) inventory = rfp_msvm_inventory_new();
    RfpMsvmSystem *system = make_system(inventory, VM, "vm");
    g_autoptr(GPtrArray) objects = NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;
    guint64 number = 0;

    system->state = state;
    system->saved = saved;
    objects = rfp_msvm_objects(inventory);
    instance = rfp_msvm_system_instance(g_ptr_array_index(objects, 0));
    rfp_msvm_instance_number(instance, "HealthState", health);
    rfp_msvm_instance_number(instance, "EnabledState", &number);
    return number;
}

static void
test_states(void)
{
    const RfpDomainState running = {.active = TRUE, .running = TRUE};
    const RfpDomainState paused = {.active = TRUE};
    const RfpDomainState broken = {.active = TRUE, .io_error = TRUE};
    const RfpDomainState ending = {.active = TRUE, .ending = TRUE};
    const RfpDomainState off = {0};
    guint64 health = 0;

    g_assert_cmpuint(enabled_state(running, FALSE, &health), ==, 2);
    g_assert_cmpuint(health, ==, 5);
    g_assert_cmpuint(enabled_state(paused, FALSE, &health), ==, 9);
    g_assert_cmpuint(enabled_state(ending, FALSE, &health), ==, 4);
    g_assert_cmpuint(enabled_state(off, FALSE, &health), ==, 3);
    g_assert_cmpuint(enabled_state(off, TRUE, &health), ==, 6);
    g_assert_cmpuint(health, ==, 5);
    g_assert_cmpuint(enabled_state(broken, FALSE, &health), ==, 9);
    g_assert_cmpuint(health, ==, 20);
}

static void
test_services(void)
{
    g_autoptr(RfpMsvmInventory) inventory = rfp_msvm_inventory_new();
    g_autoptr(GPtrArray) objects = rfp_msvm_objects(inventory);
    guint i = 0;

    g_assert_cmpuint(objects->len, ==, 3);
    for (i = 0; i < objects->len; i++) {
        const RfpMsvmObject *object = g_ptr_array_index(objects, i);
        g_autoptr(RfpMsvmInstance) instance = object->make(object);

        g_assert_cmpstr(rfp_msvm_instance_text(instance, "Name"), ==,
                        object->klass->name);
        g_assert_cmpstr(rfp_msvm_instance_text(instance, "SystemName"), ==,
                        g_get_host_name());
    }
}

static void
test_job_association(void)
{
    g_autoptr(RfpMsvmInventory) inventory = make_inventory();
    g_autoptr(GPtrArray) objects = rfp_msvm_objects(inventory);
    const RfpMsvmObject *last = g_ptr_array_index(objects, objects->len - 1);
    g_autoptr(RfpMsvmInstance) instance = last->make(last);
    g_autofree char *point = rfp_msvm_point_path(VM, PLAIN);
    guint64 effect = 0;

    g_assert_cmpstr(last->klass->name, ==, "Msvm_AffectedJobElement");
    g_assert_cmpstr(rfp_msvm_instance_text(instance, "AffectedElement"), ==,
                    point);
    g_assert_cmpstr(rfp_msvm_instance_text(instance, "AffectingElement"), ==,
                    "root\\virtualization\\v2:" JOB ".InstanceID=\"job-1\"");
    g_assert_true(
        rfp_msvm_instance_number(instance, "ElementEffects", &effect));
    g_assert_cmpuint(effect, ==, 5);
}

static void
test_need(void)
{
    static const struct {
        const char *name;
        guint what;
    } rows[] = {
        {"CIM_ManagedElement", RFP_MSVM_SYSTEMS | RFP_MSVM_POINTS},
        {"CIM_ComputerSystem", RFP_MSVM_SYSTEMS},
        {SYSTEM, RFP_MSVM_SYSTEMS},
        {POINT, RFP_MSVM_POINTS},
        {"CIM_Collection", RFP_MSVM_SYSTEMS | RFP_MSVM_POINTS},
        {"CIM_Dependency", RFP_MSVM_POINTS},
        {"CIM_CollectedMSEs", RFP_MSVM_SYSTEMS | RFP_MSVM_POINTS},
        {"CIM_Service", 0},
        {"CIM_ConcreteJob", 0},
        {"Msvm_Error", 0},
        {"Msvm_AffectedJobElement", 0},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++)
        g_assert_cmpuint(rfp_msvm_objects_need(
                             rfp_msvm_class_find(rows[i].name)),
                         ==, rows[i].what);
}

/* ---- The public functions, on libvirt's test driver ---------------------- */

#define TEST_VM "6695eb01-f6a4-8304-79aa-97f2502e193f"

typedef struct {
    RefpointConnection conn;
    RefpointMsvm *msvm;
} Host;

static void
host_open(Host *host)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(virDomainCheckpoint) ours = NULL;
    g_autoptr(virDomainCheckpoint) foreign = NULL;

    refpoint_silence_libvirt();
    host->conn = (RefpointConnection){
        .virt = virConnectOpen("test:///default"),
        .uri = (char *)"test:///default",
    };
    g_assert_nonnull(host->conn.virt);
    host->msvm = refpoint_msvm_new(&host->conn);
    domain = virDomainLookupByUUIDString(host->conn.virt, TEST_VM);
    g_assert_nonnull(domain);
    ours = virDomainCheckpointCreateXML(
        domain,
        "<domaincheckpoint><name>p1</name>"
        "<description>virt-refpoint 1 point=" PLAIN " set=-</description>"
        "<disks><disk name='vda' checkpoint='bitmap'/></disks>"
        "</domaincheckpoint>",
        0);
    foreign = virDomainCheckpointCreateXML(
        domain, "<domaincheckpoint><name>theirs</name></domaincheckpoint>", 0);
    g_assert_nonnull(ours);
    g_assert_nonnull(foreign);
}

/* The driver's state is the process's: the next test begins anew. */
static void
host_close(Host *host)
{
    refpoint_msvm_free(host->msvm);
    virConnectClose(host->conn.virt);
}

static GPtrArray *
enumerate(Host *host, const char *class_name, guint n)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *paths = refpoint_msvm_enumerate(host->msvm, class_name, &error);

    g_assert_no_error(error);
    g_assert_nonnull(paths);
    g_assert_cmpuint(paths->len, ==, n);
    return paths;
}

/* Every path of a class that has instances gives one of that class. */
static void
test_enumerate(void)
{
    Host host = {0};
    guint i = 0;
    guint n = 0;
    const RfpMsvmClass *klass = NULL;

    host_open(&host);
    for (n = 0; (klass = rfp_msvm_class_nth(n)) != NULL; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) paths =
            refpoint_msvm_enumerate(host.msvm, klass->name, &error);

        g_assert_no_error(error);
        for (i = 0; i < paths->len; i++) {
            g_autofree char *text =
                refpoint_msvm_get_instance(host.msvm,
                                           g_ptr_array_index(paths, i), &error);
            g_autoptr(RfpMsvmInstance) instance = NULL;

            g_assert_no_error(error);
            instance = rfp_msvm_instance_parse(text, strlen(text), klass->name,
                                               &error);
            g_assert_no_error(error);
            g_assert_nonnull(instance);
        }
    }
    g_ptr_array_unref(enumerate(&host, SYSTEM, 1));
    g_ptr_array_unref(enumerate(&host, "msvm_virtualsystemreferencepoint", 2));
    g_ptr_array_unref(enumerate(&host, "CIM_Collection", 3));
    g_ptr_array_unref(enumerate(&host, "CIM_Service", 3));
    g_ptr_array_unref(enumerate(&host, "CIM_Job", 0));
    g_ptr_array_unref(enumerate(&host, "CIM_SettingData", 0));
    g_ptr_array_unref(enumerate(&host, "CIM_MemberOfCollection", 3));
    host_close(&host);
}

static void
test_get_instance(void)
{
    Host host = {0};
    g_autofree char *path = rfp_msvm_point_path(TEST_VM, PLAIN);
    g_autofree char *text = NULL;
    g_autoptr(RfpMsvmInstance) instance = NULL;
    g_autoptr(GError) error = NULL;

    host_open(&host);
    text = refpoint_msvm_get_instance(host.msvm, path, &error);
    g_assert_no_error(error);
    instance = rfp_msvm_instance_parse(text, strlen(text), POINT, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(rfp_msvm_instance_text(instance, "ElementName"), ==, "p1");
    g_assert_cmpstr(
        rfp_msvm_instance_text(instance, "ResilientChangeTrackingIdentifiers"),
        ==, "refpoint-rct:" PLAIN "/vda");
    host_close(&host);
}

static void
refuse_instance(Host *host, const char *path, RefpointError cause)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(refpoint_msvm_get_instance(host->msvm, path, &error));
    g_assert_error(error, REFPOINT_ERROR, (gint)cause);
    g_clear_error(&error);
    g_assert_null(
        refpoint_msvm_associators(host->msvm, path, NULL, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, (gint)cause);
}

static void
test_no_instance(void)
{
    Host host = {0};
    g_autofree char *system = rfp_msvm_system_path(OTHER);
    g_autofree char *point = rfp_msvm_point_path(TEST_VM, HELD);
    g_autofree char *collection = rfp_msvm_collection_path(OTHER, PLAIN);
    g_autoptr(GError) error = NULL;

    host_open(&host);
    refuse_instance(&host, NULL, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_instance(&host, "x y", REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_instance(&host, "X.Y='z'", REFPOINT_ERROR_INCORRECT_TYPE);
    refuse_instance(&host, system, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_instance(&host, point, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_instance(&host, collection, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_instance(&host, JOB ".InstanceID='none'",
                    REFPOINT_ERROR_INVALID_PARAMETER);
    g_assert_null(refpoint_msvm_enumerate(host.msvm, "No_Class", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INCORRECT_TYPE);
    g_clear_error(&error);
    g_assert_null(refpoint_msvm_enumerate(host.msvm, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INCORRECT_TYPE);
    host_close(&host);
}

typedef struct {
    const char *path;
    const char *association;
    const char *result_class;
    const char *wanted; /* classes of what is found, in their order */
} Associated;

static const Associated associated[];

static void
check_associated(Host *host, const Associated *row)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths =
        refpoint_msvm_associators(host->msvm, row->path, row->association,
                                  row->result_class, &error);
    g_autoptr(GString) found = g_string_new(NULL);
    guint i = 0;

    g_assert_no_error(error);
    for (i = 0; i < paths->len; i++) {
        g_autoptr(RfpMsvmPath) path =
            rfp_msvm_path_parse(g_ptr_array_index(paths, i), &error);

        g_assert_no_error(error);
        g_string_append_printf(found, "%s%s", i ? " " : "", path->class_name);
    }
    g_assert_cmpstr(found->str, ==, row->wanted);
}

static void
test_associators(void)
{
    Host host = {0};
    const Associated *row = NULL;
    g_autoptr(GError) error = NULL;

    host_open(&host);
    for (row = associated; row->path != NULL; row++)
        check_associated(&host, row);
    g_assert_null(refpoint_msvm_associators(host.msvm, associated[0].path,
                                            "No_Class", NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INCORRECT_TYPE);
    g_clear_error(&error);
    g_assert_null(refpoint_msvm_associators(host.msvm, associated[0].path, NULL,
                                            "No_Class", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INCORRECT_TYPE);
    host_close(&host);
}

/* ---- GetVirtualDiskChanges ----------------------------------------------- */

#define RCT "refpoint-rct:" PLAIN "/vda"

typedef struct {
    const char *path;
    const char *limit_id;
    const char *snapshot;
    int cause;
} Changed;

static const Changed changed[];

/* Up to where a backup job is needed, which the driver has not. */
static void
test_changes(void)
{
    Host host = {0};
    const Changed *row = NULL;

    host_open(&host);
    for (row = changed; row->cause; row++) {
        RefpointMsvmDiskChanges changes = {.n_changes = 9};
        g_autoptr(GError) error = NULL;

        g_assert_false(rfp_msvm_disk_changes(host.msvm, row->path,
                                             row->limit_id, row->snapshot, 0, 0,
                                             &changes, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, REFPOINT_ERROR, row->cause);
        g_assert_cmpuint(changes.n_changes, ==, 0);
        g_assert_null(changes.changed_byte_offsets);
        refpoint_msvm_disk_changes_clear(&changes);
    }
    refpoint_msvm_disk_changes_clear(NULL);
    host_close(&host);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-objects/print", test_print);
    g_test_add_func("/msvm-objects/resolve", test_resolve);
    g_test_add_func("/msvm-objects/resolve-host", test_resolve_host);
    g_test_add_func("/msvm-objects/disks", test_disks);
    g_test_add_func("/msvm-objects/canonical", test_canonical);
    g_test_add_func("/msvm-objects/objects", test_objects);
    g_test_add_func("/msvm-objects/instances", test_instances);
    g_test_add_func("/msvm-objects/has-data", test_has_data);
    g_test_add_func("/msvm-objects/states", test_states);
    g_test_add_func("/msvm-objects/services", test_services);
    g_test_add_func("/msvm-objects/job-association", test_job_association);
    g_test_add_func("/msvm-objects/need", test_need);
    g_test_add_func("/msvm-objects/enumerate", test_enumerate);
    g_test_add_func("/msvm-objects/get-instance", test_get_instance);
    g_test_add_func("/msvm-objects/no-instance", test_no_instance);
    g_test_add_func("/msvm-objects/associators", test_associators);
    g_test_add_func("/msvm-objects/changes", test_changes);
    return g_test_run();
}

/* ---- Tables -------------------------------------------------------------- */

#define TYPE REFPOINT_ERROR_INCORRECT_TYPE
#define PARAMETER REFPOINT_ERROR_INVALID_PARAMETER

static const Resolved resolved[] = {
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"" VM "\"", SYSTEM, 0,
     NULL},
    {"\\\\.\\root\\virtualization\\v2:msvm_computersystem.NAME=\""
     "{C7A5FDBD-EDAF-9455-926A-D65C16DB1809}\",creationclassname="
     "\"MSVM_computersystem\"",
     SYSTEM, 0, NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"" VM "\"",
     "CIM_ManagedElement", 0, NULL},
    {POINT ".InstanceID=\"refpoint:" VM "/" PLAIN
           "\",VirtualSystemIdentifier=\"" VM "\"",
     POINT, 0, PLAIN},
    {POINT ".VirtualSystemIdentifier='{" VM "}',InstanceID='REFPOINT:"
           "C7A5FDBD-EDAF-9455-926A-D65C16DB1809/1F0C9A3E-0000-4000-8000-"
           "000000000002'",
     POINT, 0, PLAIN},
    {GROUP "=\"refpoint-group:" VM "\"", GROUP, 0, NULL},
    {GROUP "=\"refpoint-group:" VM "\"", "CIM_Collection", 0, NULL},
    {COLLECTION ".CollectionID=\"refpoint-collection:" PLAIN
                "\",VirtualSystemCollectionId=\"refpoint-group:" VM "\"",
     COLLECTION, 0, PLAIN},

    {NULL, SYSTEM, PARAMETER, NULL},
    {"", SYSTEM, PARAMETER, NULL},
    {"vm", SYSTEM, TYPE, NULL},
    {"a b", SYSTEM, PARAMETER, NULL},
    {SYSTEM, SYSTEM, TYPE, NULL},
    {SYSTEM ".Name=\"" VM "\"", SYSTEM, TYPE, NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"" VM "\"", POINT, TYPE,
     NULL},
    {SYSTEM ".CreationClassName=\"" POINT "\",Name=\"" VM "\"", SYSTEM,
     PARAMETER, NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"vm\"", SYSTEM, PARAMETER,
     NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"{" VM "\"", SYSTEM,
     PARAMETER, NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"\"", SYSTEM, PARAMETER,
     NULL},
    {SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"{}\"", SYSTEM, PARAMETER,
     NULL},
    {"\\\\not-this-host\\root\\virtualization\\v2:" SYSTEM
     ".CreationClassName=\"" SYSTEM "\",Name=\"" VM "\"",
     SYSTEM, PARAMETER, NULL},
    {"\\\\.\\root\\cimv2:" SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"" VM
     "\"",
     SYSTEM, TYPE, NULL},
    {POINT ".InstanceID=\"refpoint:" VM "/" PLAIN
           "\",VirtualSystemIdentifier=\"" OTHER "\"",
     POINT, PARAMETER, NULL},
    {POINT ".InstanceID=\"refpoint:" VM "/" PLAIN
           "\",VirtualSystemIdentifier=\"vm\"",
     POINT, PARAMETER, NULL},
    {POINT ".InstanceID=\"refpoint-disk:" VM "/vda"
           "\",VirtualSystemIdentifier=\"" VM "\"",
     POINT, PARAMETER, NULL},
    {POINT ".InstanceID=\"" PLAIN "\",VirtualSystemIdentifier=\"" VM "\"",
     POINT, PARAMETER, NULL},
    {GROUP "=\"refpoint-collection:" VM "\"", GROUP, PARAMETER, NULL},
    {COLLECTION "=\"refpoint-collection:" PLAIN "\"", COLLECTION, TYPE, NULL},
    {COLLECTION ".CollectionID=\"refpoint-collection:" PLAIN
                "\",VirtualSystemCollectionId=\"x\"",
     COLLECTION, PARAMETER, NULL},
    {COLLECTION ".CollectionID=\"x\",VirtualSystemCollectionId=\""
                "refpoint-group:" VM "\"",
     COLLECTION, PARAMETER, NULL},
    {EXPORT_JOB "=\"job\"", "CIM_ManagedElement", TYPE, NULL},
    {NULL, NULL, 0, NULL},
};

#define TEST_SYSTEM                                                            \
    SYSTEM ".CreationClassName=\"" SYSTEM "\",Name=\"" TEST_VM "\""
#define TEST_POINT                                                             \
    POINT ".InstanceID=\"refpoint:" TEST_VM "/" PLAIN                          \
          "\",VirtualSystemIdentifier=\"" TEST_VM "\""
#define TEST_GROUP GROUP "=\"refpoint-group:" TEST_VM "\""
#define TEST_COLLECTION                                                        \
    COLLECTION ".CollectionID=\"refpoint-collection:" PLAIN                    \
               "\",VirtualSystemCollectionId=\"refpoint-group:" TEST_VM "\""

static const Associated associated[] = {
    {TEST_SYSTEM, NULL, NULL, GROUP " " POINT " " POINT},
    {TEST_SYSTEM, "", "", GROUP " " POINT " " POINT},
    {TEST_SYSTEM, "Msvm_ReferencePointOfVirtualSystem", NULL, POINT " " POINT},
    {TEST_SYSTEM, "cim_dependency", "cim_managedelement", POINT " " POINT},
    {TEST_SYSTEM, NULL, GROUP, GROUP},
    {TEST_SYSTEM, "Msvm_CollectedReferencePoints", NULL, ""},
    {TEST_SYSTEM, SYSTEM, NULL, ""},
    {TEST_POINT, NULL, NULL, SYSTEM " " COLLECTION},
    {TEST_POINT, NULL, SYSTEM, SYSTEM},
    {TEST_GROUP, NULL, NULL, SYSTEM " " COLLECTION " " COLLECTION},
    {TEST_COLLECTION, NULL, NULL, GROUP " " POINT},
    {TEST_COLLECTION, "CIM_CollectedMSEs", NULL, POINT},
    {NULL, NULL, NULL, NULL},
};

#define DISK "/guest/diskimage1"

static const Changed changed[] = {
    {NULL, RCT, NULL, PARAMETER},
    {"", RCT, NULL, PARAMETER},
    {"diskimage1", RCT, NULL, PARAMETER},
    {"/\xff", RCT, NULL, PARAMETER},
    {DISK, NULL, NULL, PARAMETER},
    {DISK, "", NULL, PARAMETER},
    {DISK, PLAIN, NULL, PARAMETER},
    {DISK, "refpoint-rct:" PLAIN, NULL, PARAMETER},
    {DISK, "refpoint-rct:" PLAIN "/vdb", NULL, PARAMETER},
    {DISK, "refpoint-rct:" HELD "/vda", NULL, PARAMETER},
    {DISK, RCT, "snapshot", REFPOINT_ERROR_NOT_SUPPORTED},
    {"/no/such/disk", RCT, "", REFPOINT_ERROR_FILE_NOT_FOUND},
    {"/", RCT, NULL, REFPOINT_ERROR_FILE_NOT_FOUND},
    {NULL, NULL, NULL, 0},
};
