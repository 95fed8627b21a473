/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-state.h"
#include "export/origin-job.h"
#include "export/origin-point.h"
#include "set.h"

#define PARTIAL ".partial-x"
#define TPM "libvirt/qemu/swtpm/" SET_VM
/* Times of files are those of the last tick: after that they are of the
 * past. */
#define PAST_US (50 * 1000)

typedef struct {
    const char *temp; /* also where libvirt has its configuration */
    RefpointConnection conn;
    RfpDomain domain;
    RfpExport export;
    RfpExportMember member;
} Fixture;

/* Writes in place, as QEMU does. */
static void
put(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->temp, name, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    g_auto(RfpFd) fd = -1;

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(rfp_files_write_all(fd, text, strlen(text)), ==, 0);
}

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpExport *export = &fixture->export;
    RfpExportMember *member = &fixture->member;
    g_autofree char *set = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(GError) error = NULL;

    fixture->temp = g_get_user_config_dir();
    set = g_build_filename(fixture->temp, "set", NULL);
    fixture->domain.uuid = g_strdup(SET_VM);
    export->job = refpoint_job_new();
    member->export = export;
    member->origin = &rfp_origin_job;
    member->operation.conn = &fixture->conn;
    member->operation.domain = &fixture->domain;
    member->operation.job = export->job;
    export->set = rfp_export_set_prepare(set, &set_owner, &error);
    g_assert_no_error(error);
    xml = g_strdup_printf(
        "<domain type='kvm'><name>vm1</name><uuid>" SET_VM "</uuid><os>"
        "<type>hvm</type><nvram>%s/vars</nvram><kernel>%s/linux</kernel></os>"
        "<devices><tpm model='tpm-crb'><backend type='emulator'/></tpm>"
        "</devices></domain>",
        fixture->temp, fixture->temp);
    member->domain_xml = rfp_domain_xml_parse(xml, &error);
    g_assert_no_error(error);
    export->folder = g_strdup("p1");
    member->vm_folder = g_strdup("vm1");
    export->partial = g_strdup(PARTIAL);
    export->manifest = rfp_manifest_new();
    member->manifest_vm = rfp_manifest_add_vm(export->manifest);
    put(fixture, "vars", "variables");
    put(fixture, "linux", "kernel");
    put(fixture, TPM "/tpm2/tpm2-00.permall", "permanent");
    put(fixture, TPM "/tpm2/.lock", "");
    g_usleep(PAST_US);
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpExport *export = &fixture->export;
    RfpExportMember *member = &fixture->member;
    static const char *const names[] = {"set", "vars", "linux", "libvirt"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(fixture->temp, names[i], NULL);

        set_remove(path);
    }
    refpoint_job_free(export->job);
    rfp_export_set_close(export->set);
    rfp_domain_xml_free(member->domain_xml);
    rfp_manifest_free(export->manifest);
    g_clear_pointer(&member->state_before, g_hash_table_unref);
    g_free(export->folder);
    g_free(member->vm_folder);
    g_free(export->partial);
    g_free(fixture->domain.uuid);
}

static void
take(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    rfp_export_take_state(&fixture->member, &error);
    g_assert_no_error(error);
}

/* The warnings are these: "ID ID", each by the last part of what it is
 * about. */
static void
assert_warnings(Fixture *fixture, const char *id, const char *objects)
{
    GPtrArray *warnings = fixture->export.job->report.warnings;
    g_autoptr(GString) found = g_string_new(NULL);

    for (guint i = 0; i < warnings->len; i++) {
        RefpointWarning *warning = g_ptr_array_index(warnings, i);
        g_autofree char *name = g_path_get_basename(warning->object);

        g_assert_cmpstr(warning->id, ==, id);
        g_string_append_printf(found, "%s%s", i > 0 ? " " : "", name);
    }
    g_assert_cmpstr(found->str, ==, objects);
}

/* The file is in the hidden folder, and the manifest knows it as it will be. */
static void
assert_taken(Fixture *fixture, const char *name, const char *text)
{
    RfpManifestVm *vm = g_ptr_array_index(fixture->export.manifest->vms, 0);
    g_autofree char *path =
        g_build_filename(fixture->export.set->path, PARTIAL, "vm1", name, NULL);
    g_autofree char *known = g_build_filename("p1", "vm1", name, NULL);
    g_autofree char *found = NULL;
    guint n = 0;

    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_cmpstr(found, ==, text);
    for (guint i = 0; i < vm->files->len; i++) {
        RfpManifestFile *file = g_ptr_array_index(vm->files, i);

        if (strcmp(file->path, known) != 0)
            continue;
        g_assert_cmpuint(file->size, ==, strlen(text));
        n++;
    }
    g_assert_cmpuint(n, ==, 1);
}

static void
test_unchanged(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    RfpManifestVm *vm = g_ptr_array_index(fixture->export.manifest->vms, 0);

    rfp_export_look_at_state(&fixture->member);
    take(fixture);
    assert_taken(fixture, "nvram.fd", "variables");
    assert_taken(fixture, "kernel", "kernel");
    assert_taken(fixture, "tpm/tpm2/tpm2-00.permall", "permanent");
    g_assert_cmpuint(vm->files->len, ==, 3);
    assert_warnings(fixture, "", "");
}

static void
test_written(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    rfp_export_look_at_state(&fixture->member);
    put(fixture, "vars", "VARIABLES");
    put(fixture, TPM "/tpm2/tpm2-00.permall", "PERMANENT");
    put(fixture, TPM "/tpm2/tpm2-00.volatilestate", "new");
    take(fixture);
    assert_taken(fixture, "nvram.fd", "VARIABLES");
    assert_taken(fixture, "tpm/tpm2/tpm2-00.volatilestate", "new");
    /* in the order of the folder */
    g_assert_cmpuint(fixture->export.job->report.warnings->len, ==, 3);
}

/* Another file of the same size and time of writing. */
static void
test_replaced(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *old = g_build_filename(fixture->temp, "linux", NULL);
    g_autofree char *new = g_build_filename(fixture->temp, "new", NULL);
    struct timespec times[2];
    struct stat st;

    rfp_export_look_at_state(&fixture->member);
    put(fixture, "new", "KERNEL");
    g_assert_cmpint(stat(old, &st), ==, 0);
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    g_assert_cmpint(utimensat(AT_FDCWD, new, times, 0), ==, 0);
    g_assert_cmpint(rename(new, old), ==, 0);
    take(fixture);
    assert_taken(fixture, "kernel", "KERNEL");
    assert_warnings(fixture, "guest-state-later", "linux");
}

static void
test_missing(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *vars = g_build_filename(fixture->temp, "vars", NULL);
    g_autofree char *tpm = g_build_filename(fixture->temp, TPM, NULL);

    rfp_export_look_at_state(&fixture->member);
    set_remove(vars);
    set_remove(tpm);
    take(fixture);
    assert_taken(fixture, "kernel", "kernel");
    assert_warnings(fixture, "guest-state-missing", "vars " SET_VM);
}

/* Of a point that was made before only its time is known. */
static void
test_before(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    fixture->member.origin = &rfp_origin_point;
    fixture->member.created_us = g_get_real_time();
    g_usleep(PAST_US);
    put(fixture, "vars", "VARIABLES");
    take(fixture);
    assert_taken(fixture, "nvram.fd", "VARIABLES");
    assert_warnings(fixture, "guest-state-later", "vars");
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_autofree char *temp = set_temp();
    int status = 0;

    g_setenv("XDG_CONFIG_HOME", temp, TRUE);
    g_test_init(&argc, &argv, NULL);
    ADD("/export-state/unchanged", test_unchanged);
    ADD("/export-state/written", test_written);
    ADD("/export-state/replaced", test_replaced);
    ADD("/export-state/missing", test_missing);
    ADD("/export-state/before", test_before);
    status = g_test_run();
    set_remove(temp);
    return status;
}
