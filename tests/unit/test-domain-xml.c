/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/domain-xml.h"

#include <string.h>

#include "data.h"
#include "refpoint.h"

#define UUID "6f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"

static RfpDomainXml *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    RfpDomainXml *domain = rfp_domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    g_assert_nonnull(domain);
    return domain;
}

static RfpDomainXml *
parse_file(const char *name)
{
    g_autofree char *xml = data_read(name);

    return parse(xml);
}

/* A domain with this content; free with g_free(). */
static char *
make_domain(const char *content)
{
    return g_strdup_printf("<domain type='kvm'><name>vm</name>"
                           "<uuid>" UUID "</uuid>%s</domain>",
                           content);
}

static RfpDomainXml *
parse_content(const char *content)
{
    g_autofree char *xml = make_domain(content);

    return parse(xml);
}

static void
refuse(const char *xml, const char *reason)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(rfp_domain_xml_parse(xml, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    if (strstr(error->message, reason) == NULL)
        g_error("no '%s' in: %s", reason, error->message);
}

/* backingStore, mirror and their formats are none of ours. */
static void
test_running(void)
{
    g_autoptr(RfpDomainXml) domain = parse_file("libvirt-domain.xml");
    RfpDomainDisk *disk = NULL;

    g_assert_cmpstr(domain->name, ==, "sample");
    g_assert_cmpstr(domain->uuid, ==, UUID);
    g_assert_cmpstr(domain->type, ==, "qemu");
    g_assert_true(domain->has_agent);
    g_assert_false(domain->agent_connected);
    g_assert_false(domain->tpm_emulated);
    g_assert_null(domain->nvram);
    g_assert_null(domain->kernel);
    g_assert_null(domain->initrd);
    g_assert_cmpuint(domain->disks->len, ==, 4);

    disk = rfp_domain_xml_disk(domain, "vda");
    g_assert_true(disk == g_ptr_array_index(domain->disks, 0));
    g_assert_cmpstr(disk->device, ==, "disk");
    g_assert_cmpstr(disk->driver, ==, "qcow2");
    g_assert_cmpstr(disk->bus, ==, "virtio");
    g_assert_cmpstr(disk->source.type, ==, "file");
    g_assert_cmpstr(disk->source.path, ==, "/var/lib/libvirt/images/vda.qcow2");
    g_assert_cmpuint(disk->source.inode, ==, 0);
    g_assert_true(disk->has_source);
    g_assert_false(disk->readonly);
    g_assert_false(disk->transient);
    g_assert_false(disk->shareable);
    g_assert_false(disk->encrypted);

    g_assert_true(rfp_domain_xml_disk(domain, "vdc")->readonly);
    disk = rfp_domain_xml_disk(domain, "sda");
    g_assert_cmpstr(disk->device, ==, "cdrom");
    g_assert_false(disk->has_source);
    g_assert_null(disk->source.path);
    g_assert_null(rfp_domain_xml_disk(domain, "vdz"));
}

static void
test_kinds(void)
{
    static const struct {
        const char *target;
        const char *type;
        const char *path;
    } rows[] = {
        {"sda", "block", "/dev/vg0/data"},
        {"vdb", "network",
         "rbd:pool/image@mon1.example.org:6789,[2001:db8::1]:6789"},
        {"vdc", "network", "nbd:exp@unix:/run/nbd.sock"},
        {"vdd", "volume", "default/vm.qcow2"},
        {"vde", "file", "/srv/secret & \"quoted\".qcow2"},
        {"vdf", "nvme", "0x0000:0x01:0x00:0x0:1"},
        {"vdg", "file", "/srv/throwaway.qcow2"},
        {"fda", "file", NULL},
    };
    g_autoptr(RfpDomainXml) domain = parse_file("libvirt-domain-kinds.xml");
    gsize i = 0;

    g_assert_cmpuint(domain->disks->len, ==, G_N_ELEMENTS(rows));
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        RfpDomainDisk *disk = rfp_domain_xml_disk(domain, rows[i].target);

        g_assert_nonnull(disk);
        g_assert_cmpstr(disk->source.type, ==, rows[i].type);
        g_assert_cmpstr(disk->source.path, ==, rows[i].path);
        g_assert_cmpint(disk->has_source, ==, rows[i].path != NULL);
        g_assert_cmpint(disk->encrypted, ==, i == 4);
        g_assert_cmpint(disk->transient, ==, i == 6);
        g_assert_cmpint(disk->shareable, ==, i == 0);
    }
    g_assert_cmpstr(rfp_domain_xml_disk(domain, "sda")->device, ==, "lun");
    g_assert_cmpstr(rfp_domain_xml_disk(domain, "fda")->device, ==, "floppy");
    g_assert_cmpstr(domain->nvram, ==,
                    "/var/lib/libvirt/qemu/nvram/kinds_VARS.fd");
    g_assert_cmpstr(domain->kernel, ==, "/boot/vmlinuz");
    g_assert_cmpstr(domain->initrd, ==, "/boot/initrd.img");
    g_assert_false(domain->has_agent);
}

static void
test_sources(void)
{
    static const struct {
        const char *disk; /* attributes and content */
        const char *path;
        gboolean has_source;
    } rows[] = {
        {"type='file'><source file=''/>", NULL, FALSE},
        {"type='file'><source startupPolicy='optional'/>", NULL, FALSE},
        {"type='file'><source dev='/dev/sda'/>", NULL, FALSE},
        {"><source file='/x'/>", "/x", TRUE},
        {"type='block'><source file='/x'/>", NULL, FALSE},
        {"type='dir'><source dir='/x'/>", "/x", TRUE},
        {"type='volume'><source pool='p'/>", NULL, FALSE},
        {"type='network'><source protocol='nbd'/>", "nbd:", TRUE},
        {"type='network'><source name='x'/>", NULL, FALSE},
        {"type='network'><source protocol='https' name='a' query='b=1'>"
         "<host name='h' port='443'/></source>",
         "https:a?b=1@h:443", TRUE},
        {"type='vhostuser'><source type='unix' path='/s'/>", "/s", TRUE},
        {"type='later'><source thing='/s'/>", NULL, TRUE},
        {"type='later'>", NULL, FALSE},
        {"type='file'><mirror><source file='/m'/></mirror>"
         "<backingStore><source file='/b'/></backingStore>",
         NULL, FALSE},
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *content =
            g_strdup_printf("<devices><disk %s<target dev='vda'/></disk>"
                            "</devices>",
                            rows[i].disk);
        g_autoptr(RfpDomainXml) domain = parse_content(content);
        RfpDomainDisk *disk = rfp_domain_xml_disk(domain, "vda");

        g_assert_cmpstr(disk->source.path, ==, rows[i].path);
        g_assert_cmpint(disk->has_source, ==, rows[i].has_source);
        g_assert_cmpstr(disk->device, ==, "disk");
        g_assert_null(disk->driver);
        g_assert_null(disk->bus);
    }
}

/* Another channel that is open does not count. */
static void
test_agent(void)
{
    static const char other[] =
        "<channel type='spicevmc'><target type='virtio' "
        "name='com.redhat.spice.0' state='connected'/></channel>";
    static const struct {
        const char *state;
        gboolean connected;
    } rows[] = {
        {"", FALSE},
        {"state='disconnected'", FALSE},
        {"state='connected'", TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *content = g_strdup_printf(
            "<devices>%s<channel type='unix'><target type='virtio' "
            "name='org.qemu.guest_agent.0' %s/></channel>%s</devices>",
            other, rows[i].state, other);
        g_autoptr(RfpDomainXml) domain = parse_content(content);

        g_assert_true(domain->has_agent);
        g_assert_cmpint(domain->agent_connected, ==, rows[i].connected);
    }
}

static void
test_rest(void)
{
    g_autoptr(RfpDomainXml) bare = parse_content("");
    g_autoptr(RfpDomainXml) domain = parse_content(
        "<os><nvram type='file'><source file='/n'/></nvram></os>"
        "<devices>"
        "<channel type='spicevmc'><target name='com.redhat.spice.0'/></channel>"
        "<channel type='unix'/>"
        "<tpm><backend type='passthrough'/></tpm>"
        "<tpm model='tpm-crb'><backend type='emulator'/></tpm>"
        "<disk type='file'><source file='/x'/><encryption format='luks'/>"
        "<target dev='vda'/></disk>"
        "</devices>");
    g_autoptr(RfpDomainXml) empty =
        parse_content("<os><nvram> </nvram></os><devices/>");

    g_assert_cmpuint(bare->disks->len, ==, 0);
    g_assert_null(bare->nvram);
    g_assert_cmpstr(domain->nvram, ==, "/n");
    g_assert_false(domain->has_agent);
    g_assert_false(domain->agent_connected);
    g_assert_true(domain->tpm_emulated);
    g_assert_true(rfp_domain_xml_disk(domain, "vda")->encrypted);
    g_assert_null(empty->nvram);
}

static void
test_bad(void)
{
    static const char *const targets[] = {
        "",
        "../x",
        "vd/a",
        ".",
        "vd a",
        "vd\xc3\xa9",
        "vdaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    g_autofree char *none =
        make_domain("<devices><disk><source file='/x'/></disk></devices>");
    g_autofree char *twice =
        make_domain("<devices><disk><target dev='vda'/></disk>"
                    "<disk><target dev='vda'/></disk></devices>");
    gsize i = 0;

    refuse("", "empty");
    refuse("<domain>", "line 1");
    refuse("<network/>", "<network>");
    refuse("<domain/>", "UUID");
    refuse("<domain><name>x</name></domain>", "UUID");
    refuse("<domain><name>x</name><uuid>x</uuid></domain>", "UUID");
    refuse("<domain><name/><uuid>" UUID "</uuid></domain>", "UUID");
    refuse(none, "target");
    refuse(twice, "more than one disk vda");
    for (i = 0; i < G_N_ELEMENTS(targets); i++) {
        g_autofree char *disk =
            g_strdup_printf("<devices><disk><target dev='%s'/></disk>"
                            "</devices>",
                            targets[i]);
        g_autofree char *xml = make_domain(disk);

        refuse(xml, "target");
    }
}

static void
test_many_disks(void)
{
    g_autoptr(GString) content = g_string_new("<devices>");
    g_autoptr(RfpDomainXml) domain = NULL;
    guint i = 0;

    for (i = 0; i < 20000; i++)
        g_string_append_printf(content, "<disk><target dev='vd%u'/></disk>", i);
    g_string_append(content, "</devices>");
    domain = parse_content(content->str);
    g_assert_cmpuint(domain->disks->len, ==, 20000);
}

static void
test_strip(void)
{
    g_autofree char *xml = data_read("libvirt-domain.xml");
    g_autoptr(GError) error = NULL;
    g_autofree char *stripped = rfp_domain_xml_strip(xml, &error);
    g_autofree char *again = NULL;

    g_assert_no_error(error);
    data_compare("xml/domain-stripped.xml", stripped);
    again = rfp_domain_xml_strip(stripped, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(again, ==, stripped);
}

static void
strip_is(const char *content, const char *expected)
{
    g_autofree char *xml = make_domain(content);
    g_autofree char *after = make_domain(expected);
    g_autofree char *stripped = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *parsed = NULL;

    stripped = rfp_domain_xml_strip(xml, &error);
    g_assert_no_error(error);
    parsed = rfp_domain_xml_strip(after, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(stripped, ==, parsed);
}

static void
test_strip_variants(void)
{
    g_autoptr(GError) error = NULL;

    strip_is("", "");
    strip_is("<metadata>\n"
             "<points xmlns='urn:virt-refpoint:domain:1'><point/></points>\n"
             "</metadata>",
             "");
    strip_is("<metadata><r:points xmlns:r='urn:virt-refpoint:domain:1'/>"
             "<a:b xmlns:a='urn:a'/></metadata>",
             "<metadata><a:b xmlns:a='urn:a'/></metadata>");
    /* of another version, or below somebody else's: not ours */
    strip_is("<metadata><r:points xmlns:r='urn:virt-refpoint:domain:2'/>"
             "</metadata>",
             "<metadata><r:points xmlns:r='urn:virt-refpoint:domain:2'/>"
             "</metadata>");
    g_assert_null(rfp_domain_xml_strip("<a/>", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

/* By the disk, by a list that maps its queues, by the controller of its bus. */
static void
test_iothreads(void)
{
    g_autoptr(RfpDomainXml) domain = parse_content(
        "<os><type machine='pc-q35-7.2'>hvm</type></os><devices>"
        "<controller type='scsi' index='0'/>"
        "<controller type='scsi' index='1'><driver iothread='2'/></controller>"
        "<controller type='scsi' index='2'><driver><iothreads>"
        "<iothread id='1'/></iothreads></driver></controller>"
        "<controller type='usb' index='0'><driver iothread='2'/></controller>"
        "<disk><driver iothread='1'/><target dev='vda' bus='virtio'/></disk>"
        "<disk><driver><iothreads><iothread id='1'/></iothreads></driver>"
        "<target dev='vdb' bus='virtio'/></disk>"
        "<disk><driver queues='4'/><target dev='vdc' bus='virtio'/></disk>"
        "<disk><target dev='sda' bus='scsi'/>"
        "<address type='drive' controller='0'/></disk>"
        "<disk><target dev='sdb' bus='scsi'/>"
        "<address type='drive' controller='1'/></disk>"
        "<disk><target dev='sdc' bus='scsi'/>"
        "<address type='drive' controller='2'/></disk>"
        "<disk><target dev='sdd' bus='scsi'/></disk>"
        "<disk><target dev='sde' bus='sata'/>"
        "<address type='drive' controller='1'/></disk>"
        "</devices>");
    static const struct {
        const char *target;
        gboolean iothread;
    } wanted[] = {
        {"vda", TRUE},  {"vdb", TRUE}, {"vdc", FALSE}, {"sda", FALSE},
        {"sdb", TRUE},  {"sdc", TRUE}, {"sdd", TRUE}, /* no address: it may be
                                                         any */
        {"sde", FALSE},
    };

    g_assert_cmpstr(domain->machine, ==, "pc-q35-7.2");
    for (gsize i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_cmpint(rfp_domain_xml_disk(domain, wanted[i].target)->iothread,
                        ==, wanted[i].iothread);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-xml/running", test_running);
    g_test_add_func("/domain-xml/kinds", test_kinds);
    g_test_add_func("/domain-xml/sources", test_sources);
    g_test_add_func("/domain-xml/rest", test_rest);
    g_test_add_func("/domain-xml/agent", test_agent);
    g_test_add_func("/domain-xml/bad", test_bad);
    g_test_add_func("/domain-xml/many-disks", test_many_disks);
    g_test_add_func("/domain-xml/strip", test_strip);
    g_test_add_func("/domain-xml/strip-variants", test_strip_variants);
    g_test_add_func("/domain-xml/iothreads", test_iothreads);
    return g_test_run();
}
