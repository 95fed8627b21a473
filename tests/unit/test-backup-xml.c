/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup-xml.h"

#include <string.h>

#include "data.h"
#include "refpoint.h"

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
    g_autofree char *small =
        rfp_backup_xml_format("/run/<x>", disks, 1, NULL);
    g_autofree char *found = NULL;
    g_autofree char *small_found = NULL;
    g_autoptr(GError) error = NULL;

    data_compare("xml/backup.xml", xml);
    data_compare("xml/backup-small.xml", small);
    found = rfp_backup_xml_socket(xml, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, "/run/refpoint/nbd.sock");
    small_found = rfp_backup_xml_socket(small, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(small_found, ==, "/run/<x>");
}

static void
test_libvirt(void)
{
    g_autofree char *xml = data_read("libvirt-backup.xml");
    g_autoptr(GError) error = NULL;
    g_autofree char *found = rfp_backup_xml_socket(xml, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, "/run/refpoint/nbd.sock");
}

static void
test_other_jobs(void)
{
    static const char *const jobs[] = {
        "<domainbackup/>",
        "<domainbackup mode='push'><disks/></domainbackup>",
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
        g_autoptr(GError) error = NULL;

        g_assert_null(rfp_backup_xml_socket(jobs[i], &error));
        g_assert_no_error(error);
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

        g_assert_null(rfp_backup_xml_socket(texts[i], &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "backup job"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/backup-xml/format", test_format);
    g_test_add_func("/backup-xml/libvirt", test_libvirt);
    g_test_add_func("/backup-xml/other-jobs", test_other_jobs);
    g_test_add_func("/backup-xml/bad", test_bad);
    return g_test_run();
}
