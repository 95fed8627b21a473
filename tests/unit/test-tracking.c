/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/tracking.h"

#include <glib/gstdio.h>
#include <string.h>

#define UUID "c7a5fdbd-cdaf-9455-926a-d65c16db1809"

/* A domain with one disk, vda; @disk: its attributes and content. */
static RfpDomainXml *
domain_with(const char *disk)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = g_strdup_printf(
        "<domain type='qemu'><name>vm</name><uuid>" UUID "</uuid><devices>"
        "<disk %s<target dev='vda' bus='virtio'/></disk></devices></domain>",
        disk);
    RfpDomainXml *domain = rfp_domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return domain;
}

#define QCOW2 "<driver name='qemu' type='qcow2'/>"
#define ELSEWHERE "<source protocol='nbd' name='x'/>"

static void
test_kinds(void)
{
    static const struct {
        const char *disk;
        RfpReason unusable; /* where plaintext is not allowed */
        RfpReason refusal;
    } rows[] = {
        {"type='network'>" QCOW2 ELSEWHERE, RFP_REASON_NONE, RFP_REASON_NONE},
        {"type='network'><driver type='raw'/>" ELSEWHERE, RFP_REASON_NONE,
         RFP_REASON_UNTRACKED},
        {"type='network'>" ELSEWHERE, RFP_REASON_NONE, RFP_REASON_UNTRACKED},
        {"type='network'>" QCOW2 ELSEWHERE "<shareable/>",
         RFP_REASON_UNSUPPORTED, RFP_REASON_UNSUPPORTED},
        {"type='network' device='lun'>" QCOW2 ELSEWHERE, RFP_REASON_UNSUPPORTED,
         RFP_REASON_UNSUPPORTED},
        {"type='vhostuser'>" QCOW2 "<source type='unix' path='/s'/>",
         RFP_REASON_UNSUPPORTED, RFP_REASON_UNSUPPORTED},
        {"type='vhostvdpa'>" QCOW2 "<source dev='/d'/>", RFP_REASON_UNSUPPORTED,
         RFP_REASON_UNSUPPORTED},
        {"type='network' device='cdrom'>" QCOW2 ELSEWHERE, RFP_REASON_REMOVABLE,
         RFP_REASON_REMOVABLE},
        {"type='file' device='floppy'>", RFP_REASON_REMOVABLE,
         RFP_REASON_REMOVABLE},
        {"type='file'>" QCOW2, RFP_REASON_NO_MEDIUM, RFP_REASON_NO_MEDIUM},
        {"type='network'>" QCOW2 ELSEWHERE "<transient/>", RFP_REASON_TRANSIENT,
         RFP_REASON_TRANSIENT},
        {"type='network'>" QCOW2 ELSEWHERE "<readonly/>", RFP_REASON_READONLY,
         RFP_REASON_READONLY},
        /* its changes are tracked all the same */
        {"type='network'>" QCOW2 ELSEWHERE "<encryption format='luks'/>",
         RFP_REASON_ENCRYPTED, RFP_REASON_NONE},
        /* what cannot be seen is left to QEMU */
        {"type='file'>" QCOW2 "<source file='/nowhere/vda'/>", RFP_REASON_NONE,
         RFP_REASON_NONE},
        {"type='file'>" QCOW2 "<source file='/'/>", RFP_REASON_NONE,
         RFP_REASON_NONE},
        {"type='block'>" QCOW2 "<source dev='/dev/zero'/>", RFP_REASON_NONE,
         RFP_REASON_NONE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RfpDomainXml) domain = domain_with(rows[i].disk);
        const RfpDomainDisk *disk = rfp_domain_xml_disk(domain, "vda");

        g_test_message("%s", rows[i].disk);
        g_assert_cmpint(rfp_tracking_unusable(disk, FALSE), ==,
                        rows[i].unusable);
        g_assert_cmpint(rfp_tracking_refusal(NULL, disk), ==, rows[i].refusal);
    }
}

static void
test_versions(void)
{
    static const struct {
        char begin[9];
        gssize length;
        RfpReason refusal;
    } rows[] = {
        {"QFI\xfb\0\0\0\1", 8, RFP_REASON_QCOW2_V2},
        {"QFI\xfb\0\0\0\2", 8, RFP_REASON_QCOW2_V2},
        {"QFI\xfb\0\0\0\3", 8, RFP_REASON_NONE},
        {"QFI\xfb\0\0\0\4", 8, RFP_REASON_NONE},
        {"QFI\xfb\0\0\0\2", 7, RFP_REASON_NONE},
        {"qfi\xfb\0\0\0\2", 8, RFP_REASON_NONE},
        {"", 0, RFP_REASON_NONE},
    };
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("rfp-XXXXXX", &error);
    g_autofree char *path = g_build_filename(dir, "vda", NULL);
    g_autofree char *xml =
        g_strdup_printf("type='file'>" QCOW2 "<source file='%s'/>", path);
    g_autoptr(RfpDomainXml) domain = domain_with(xml);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(
            g_file_set_contents(path, rows[i].begin, rows[i].length, &error));
        g_assert_cmpint(rfp_tracking_refusal(NULL, rfp_domain_xml_disk(domain,
                                                                       "vda")),
                        ==, rows[i].refusal);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

#define REFUSAL(node)                                                          \
    "internal error: unable to execute QEMU command 'transaction': Can't "     \
    "make bitmap 'p' persistent in '" node "': Cannot store dirty bitmaps in " \
    "qcow2 v2 files"

static void
test_refused(void)
{
    static const struct {
        const char *message;
        gboolean found;
    } rows[] = {
        {REFUSAL("libvirt-10-format"), TRUE},
        {REFUSAL("libvirt-1-format"), FALSE},
        {REFUSAL("libvirt-100-format"), FALSE},
        {REFUSAL("other"), FALSE},
        {"Cannot store dirty bitmaps in qcow2 v2 files", FALSE},
        {"Bitmap already exists: p in 'libvirt-10-format'", FALSE},
        {"", FALSE},
    };
    g_autoptr(RfpDomainXml) domain = domain_with(
        "type='network'>" QCOW2 "<source protocol='nbd' name='x' index='10'/>");
    g_autoptr(RfpDomainXml) inactive =
        domain_with("type='network'>" QCOW2 ELSEWHERE);

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error =
            g_error_new_literal(REFPOINT_ERROR, REFPOINT_ERROR_NOT_SUPPORTED,
                                rows[i].message);

        g_assert_true(
            rfp_tracking_refused(domain, error) ==
            (rows[i].found ? rfp_domain_xml_disk(domain, "vda") : NULL));
        g_assert_null(rfp_tracking_refused(inactive, error));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tracking/kinds", test_kinds);
    g_test_add_func("/tracking/versions", test_versions);
    g_test_add_func("/tracking/refused", test_refused);
    return g_test_run();
}
