/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/backup-xml.h"

#include <string.h>

#include "data.h"
#include "refpoint.h"

static void
check_matches(const char *xml, const char *mark, gboolean wanted)
{
    g_autoptr(GError) error = NULL;
    gboolean matches = !wanted;

    g_assert_true(rfp_backup_xml_matches(xml, mark, &matches, &error));
    g_assert_no_error(error);
    g_assert_cmpint(matches, ==, wanted);
}

static void
test_format(void)
{
    const RfpBackupDisk disks[] = {
        {
            .target = "vda",
            .base = "20261121T203000Z-1f0c9a3e",
            .scratch = "/srv/scratch/vda",
        },
        {.target = "vdb", .base = NULL, .scratch = "/srv/a & 'b'/vdb"},
    };
    const char *const others[] = {"vdc", "sda", NULL};
    g_autofree char *xml =
        rfp_backup_xml_format("/run/refpoint/nbd.sock", disks, 2, others);
    g_autofree char *small = rfp_backup_xml_format("/run/<x>", disks, 1, NULL);
    g_autofree char *push = rfp_backup_xml_format(NULL, disks, 2, others);

    data_compare("xml/backup.xml", xml);
    data_compare("xml/backup-small.xml", small);
    data_compare("xml/backup-push.xml", push);
    check_matches(xml, "/run/refpoint/nbd.sock", TRUE);
    check_matches(xml, "/srv/scratch/vda", FALSE);
    check_matches(small, "/run/<x>", TRUE);
    check_matches(push, "/srv/scratch/vda", TRUE);
    check_matches(push, "/srv/a & 'b'/vdb", TRUE);
    check_matches(push, "/srv/scratch/vd", FALSE);
}

static void
test_libvirt(void)
{
    g_autofree char *xml = data_read("libvirt-backup.xml");

    check_matches(xml, "/run/refpoint/nbd.sock", TRUE);
    check_matches(xml, "/var/lib/libvirt/images/s-vda", FALSE);
}

static void
test_other_jobs(void)
{
    static const char *const jobs[] = {
        "<domainbackup/>",
        "<domainbackup mode='push'><disks/></domainbackup>",
        "<domainbackup mode='pull'><disks><disk name='vda'>"
        "<target file='/s'/></disk></disks></domainbackup>",
        "<domainbackup mode='push'><disks><disk name='vda'>"
        "<target dev='/s'/></disk></disks></domainbackup>",
        "<domainbackup mode='push'><server transport='unix' socket='/s'/>"
        "</domainbackup>",
        "<domainbackup mode='pull'/>",
        "<domainbackup mode='pull'><server transport='tcp' name='::1' "
        "port='10809'/></domainbackup>",
        "<domainbackup mode='pull'><server transport='unix'/></domainbackup>",
        "<domainbackup mode='pull'><server socket='/s'/></domainbackup>",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(jobs); i++) {
        check_matches(jobs[i], "/s", FALSE);
        check_matches(jobs[i], "", FALSE);
    }
}

static void
test_bad(void)
{
    static const char *const texts[] = {
        "",
        "<domainbackup",
        "<domaincheckpoint/>",
        "<!DOCTYPE domainbackup><domainbackup/>",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        gboolean matches = TRUE;

        g_assert_false(
            rfp_backup_xml_matches(texts[i], "/s", &matches, &error));
        g_assert_false(matches);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "backup job"));
    }
}

#define GUID "9dbe7fd3-76f2-4c09-a4b4-d4087c501999"
#define UUID "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"

/* By the names of its files alone, wherever they are. */
static void
test_guid(void)
{
    static const struct {
        const char *xml;
        const char *guid;
    } cases[] = {
        {"<domainbackup mode='pull'>"
         "<server transport='unix' socket='/r/refpoint-9dbe7fd3.sock'/>"
         "<disks><disk name='vda' backup='yes' type='file'>"
         "<driver type='qcow2'/><scratch file='/s/" GUID "-vda.qcow2'/></disk>"
         "<disk name='vdb' backup='no'/>"
         "<disk name='sd-a' backup='yes'><scratch file='/t/" GUID
         "-sd-a.qcow2'/></disk></disks></domainbackup>",
         GUID},
        {"<domainbackup mode='push'><disks><disk name='vda' backup='yes'>"
         "<driver type='qcow2'/><target file='/s/" GUID "-vda.qcow2'/></disk>"
         "</disks></domainbackup>",
         GUID},
        {"<domainbackup mode='pull'>"
         "<server transport='unix' socket='/r/refpoint-9dbe7fd3-12.sock'/>"
         "<disks><disk name='vda' backup='yes'><scratch file='/s/" GUID "-" UUID
         "-vda.qcow2'/></disk></disks></domainbackup>",
         GUID},
        /* another socket, target, point, or none */
        {"<domainbackup mode='pull'>"
         "<server transport='unix' socket='/r/refpoint-9dbe7fd3-x.sock'/>"
         "<disks><disk name='vda' backup='yes'><scratch file='/s/" GUID "-" UUID
         "-vda.qcow2'/></disk></disks></domainbackup>",
         NULL},
        {"<domainbackup mode='push'><disks><disk name='vda' backup='yes'>"
         "<target file='/s/" GUID "-" UUID "x-vda.qcow2'/></disk></disks>"
         "</domainbackup>",
         NULL},
        {"<domainbackup mode='pull'>"
         "<server transport='unix' socket='/r/refpoint-00000000.sock'/>"
         "<disks><disk name='vda' backup='yes'><scratch file='/s/" GUID
         "-vda.qcow2'/></disk></disks></domainbackup>",
         NULL},
        {"<domainbackup mode='push'><disks><disk name='vda' backup='yes'>"
         "<target file='/s/" GUID "-vdb.qcow2'/></disk></disks></domainbackup>",
         NULL},
        {"<domainbackup mode='push'><disks><disk name='vda' backup='yes'>"
         "<target file='/s/" GUID "-vda.qcow2'/></disk><disk name='vdb'>"
         "<target file='/s/0" GUID "-vdb.qcow2'/></disk></disks>"
         "</domainbackup>",
         NULL},
        {"<domainbackup mode='push'><disks><disk name='vda' backup='yes'>"
         "<target file='/s/vda.qcow2.20261130'/></disk></disks></domainbackup>",
         NULL},
        {"<domainbackup mode='pull'><server transport='tcp' name='::1' "
         "port='10809'/><disks><disk name='vda' backup='yes'><scratch "
         "dev='/dev/x'/></disk></disks></domainbackup>",
         NULL},
        {"<domainbackup mode='pull'/>", NULL},
        {"<domainbackup", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *guid = rfp_backup_xml_guid(cases[i].xml);

        g_assert_cmpstr(guid, ==, cases[i].guid);
    }
}

/* What is written is known again. */
static void
test_guid_of_ours(void)
{
    static const RfpBackupDisk disk = {
        .target = "vda",
        .scratch = "/s/" GUID "-vda.qcow2",
    };
    static const char *const others[] = {"vdb", NULL};
    g_autofree char *pull =
        rfp_backup_xml_format("/r/refpoint-9dbe7fd3.sock", &disk, 1, others);
    g_autofree char *push = rfp_backup_xml_format(NULL, &disk, 1, NULL);
    g_autofree char *guid_of_pull = rfp_backup_xml_guid(pull);
    g_autofree char *guid_of_push = rfp_backup_xml_guid(push);

    g_assert_cmpstr(guid_of_pull, ==, GUID);
    g_assert_cmpstr(guid_of_push, ==, GUID);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backup-xml/format", test_format);
    g_test_add_func("/backup-xml/libvirt", test_libvirt);
    g_test_add_func("/backup-xml/other-jobs", test_other_jobs);
    g_test_add_func("/backup-xml/bad", test_bad);
    g_test_add_func("/backup-xml/guid", test_guid);
    g_test_add_func("/backup-xml/guid-of-ours", test_guid_of_ours);
    return g_test_run();
}
