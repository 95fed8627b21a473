/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/checkpoint-xml.h"

#include <string.h>

#include "data.h"
#include "refpoint.h"
#include "virt/domain-xml.h"

#define GUID "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"
#define SET "77d0e15b-0c3a-4f7e-8a1b-5d4c3b2a1f0e"

static RfpCheckpointXml *
parse(const char *xml)
{
    g_autoptr(GError) error = NULL;
    RfpCheckpointXml *checkpoint = rfp_checkpoint_xml_parse(xml, &error);

    g_assert_no_error(error);
    g_assert_nonnull(checkpoint);
    return checkpoint;
}

static RfpCheckpointXml *
parse_file(const char *name)
{
    g_autofree char *xml = data_read(name);

    return parse(xml);
}

static void
refuse(const char *xml, const char *reason)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(rfp_checkpoint_xml_parse(xml, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    if (strstr(error->message, reason) == NULL)
        g_error("no '%s' in: %s", reason, error->message);
}

static void
test_ours(void)
{
    g_autoptr(RfpCheckpointXml) checkpoint =
        parse_file("libvirt-checkpoint.xml");

    g_assert_cmpstr(checkpoint->name, ==, "20261121T203000Z-1f0c9a3e");
    g_assert_cmpstr(checkpoint->guid, ==, GUID);
    g_assert_cmpstr(checkpoint->set_guid, ==, SET);
    g_assert_true(g_str_has_suffix(checkpoint->description, "\nmade by hand"));
    g_assert_null(checkpoint->parent);
    g_assert_cmpint(checkpoint->created, ==, 1795297840);
    g_assert_cmpuint(checkpoint->disks->len, ==, 4);
    g_assert_true(rfp_checkpoint_xml_disk(checkpoint, "vda")->tracked);
    g_assert_false(rfp_checkpoint_xml_disk(checkpoint, "vda")->has_size);
    g_assert_false(rfp_checkpoint_xml_disk(checkpoint, "vdc")->tracked);
    g_assert_null(rfp_checkpoint_xml_disk(checkpoint, "vdz"));
}

static void
test_sizes(void)
{
    g_autoptr(RfpCheckpointXml) checkpoint =
        parse_file("libvirt-checkpoint-sizes.xml");
    g_autoptr(RfpCheckpointXml) odd =
        parse("<domaincheckpoint><name>x</name><disks>"
              "<disk name='vda' checkpoint='bitmap' size='262144'/>"
              "<disk name='vdb' checkpoint='bitmap'/>"
              "<disk name='vdc' checkpoint='bitmap' size='many'/>"
              "<disk name='vdd' size='18446744073709551615'/>"
              "</disks></domaincheckpoint>");
    RfpCheckpointDisk *disk = rfp_checkpoint_xml_disk(checkpoint, "vdb");

    g_assert_true(disk->tracked);
    g_assert_true(disk->has_size);
    g_assert_cmpuint(disk->changed, ==, 0);
    g_assert_false(rfp_checkpoint_xml_disk(checkpoint, "vdc")->has_size);

    disk = rfp_checkpoint_xml_disk(odd, "vda");
    g_assert_true(disk->has_size);
    g_assert_cmpuint(disk->changed, ==, 262144);
    g_assert_false(rfp_checkpoint_xml_disk(odd, "vdb")->has_size);
    g_assert_false(rfp_checkpoint_xml_disk(odd, "vdc")->has_size);
    disk = rfp_checkpoint_xml_disk(odd, "vdd");
    g_assert_false(disk->tracked);
    g_assert_cmpuint(disk->changed, ==, G_MAXUINT64);
}

static void
test_foreign(void)
{
    g_autoptr(RfpCheckpointXml) checkpoint =
        parse_file("libvirt-checkpoint-foreign.xml");

    g_assert_cmpstr(checkpoint->name, ==, "second");
    g_assert_cmpstr(checkpoint->parent, ==, "20261121T203000Z-1f0c9a3e");
    g_assert_null(checkpoint->description);
    g_assert_null(checkpoint->guid);
    g_assert_null(checkpoint->set_guid);
}

static void
test_bad(void)
{
    g_autoptr(RfpCheckpointXml) bare =
        parse("<domaincheckpoint><name>x</name>"
              "<creationTime>-5</creationTime></domaincheckpoint>");

    g_assert_cmpint(bare->created, ==, 0);
    g_assert_cmpuint(bare->disks->len, ==, 0);
    refuse("", "empty");
    refuse("<domaincheckpoint>", "line 1");
    refuse("<domain/>", "<domain>");
    refuse("<domaincheckpoint/>", "no name");
    refuse("<domaincheckpoint><name/></domaincheckpoint>", "no name");
    refuse("<domaincheckpoint><name>x</name><disks><disk/></disks>"
           "</domaincheckpoint>",
           "without a name");
    refuse("<domaincheckpoint><name>x</name><disks><disk name='vda'/>"
           "<disk name='vda'/></disks></domaincheckpoint>",
           "twice");
}

static void
test_domain(void)
{
    g_autofree char *xml = data_read("libvirt-checkpoint.xml");
    g_autofree char *without = data_read("libvirt-checkpoint-sizes.xml");
    g_autoptr(GError) error = NULL;
    g_autofree char *text = rfp_checkpoint_xml_domain(xml, &error);
    g_autoptr(RfpDomainXml) domain = NULL;

    g_assert_no_error(error);
    data_compare("xml/checkpoint-domain.xml", text);
    domain = rfp_domain_xml_parse(text, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(domain->name, ==, "sample");

    g_assert_null(rfp_checkpoint_xml_domain(without, &error));
    g_assert_no_error(error);
    g_assert_null(rfp_checkpoint_xml_domain("<a/>", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

static void
test_format(void)
{
    const char *const targets[] = {"vda", "vdb", NULL};
    const char *const others[] = {"vdc", "sda", NULL};
    g_autofree char *xml =
        rfp_checkpoint_xml_format("20261121T203000Z-1f0c9a3e",
                                  "1F0C9A3E-7b1d-4c5f-9a2e-3b6f1d2c4e5a", SET,
                                  targets, others);
    g_autofree char *small =
        rfp_checkpoint_xml_format("<&'\">", GUID, NULL, targets, NULL);
    g_autoptr(RfpCheckpointXml) again = parse(xml);
    g_autoptr(RfpCheckpointXml) small_again = parse(small);

    data_compare("xml/checkpoint.xml", xml);
    g_assert_cmpstr(again->name, ==, "20261121T203000Z-1f0c9a3e");
    g_assert_cmpstr(again->guid, ==, GUID);
    g_assert_cmpstr(again->set_guid, ==, SET);
    g_assert_true(rfp_checkpoint_xml_disk(again, "vdb")->tracked);
    g_assert_false(rfp_checkpoint_xml_disk(again, "vdc")->tracked);
    g_assert_cmpuint(again->disks->len, ==, 4);

    data_compare("xml/checkpoint-small.xml", small);
    g_assert_cmpstr(small_again->name, ==, "<&'\">");
    g_assert_cmpstr(small_again->guid, ==, GUID);
    g_assert_null(small_again->set_guid);
}

static void
test_mark(void)
{
    static const struct {
        const char *text;
        gboolean mark;
        gboolean set;
    } rows[] = {
        {NULL, FALSE, FALSE},
        {"", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=" SET, TRUE, TRUE},
        {"virt-refpoint 1 point=" GUID " set=-", TRUE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=-\n", TRUE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=-\nmore\nlines", TRUE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=" SET "\nmore", TRUE, TRUE},
        {"virt-refpoint 1 point=1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A set=-",
         TRUE, FALSE},
        {" virt-refpoint 1 point=" GUID " set=-", FALSE, FALSE},
        {"\nvirt-refpoint 1 point=" GUID " set=-", FALSE, FALSE},
        {"text\nvirt-refpoint 1 point=" GUID " set=-", FALSE, FALSE},
        {"virt-refpoint 2 point=" GUID " set=-", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=- ", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=-\r\n", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=--", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID "  set=-", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID, FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID "0 set=-", FALSE, FALSE},
        {"virt-refpoint 1 point={" GUID "} set=-", FALSE, FALSE},
        {"virt-refpoint 1 point= set=-", FALSE, FALSE},
        {"virt-refpoint 1 point=- set=-", FALSE, FALSE},
        {"virt-refpoint 1 point=1f0c9a3e set=-", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=77d0e15b", FALSE, FALSE},
        {"virt-refpoint 1 point=" GUID " set=" SET SET, FALSE, FALSE},
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *guid = NULL;
        g_autofree char *set = NULL;

        g_assert_cmpint(rfp_checkpoint_mark_parse(rows[i].text, &guid, &set),
                        ==, rows[i].mark);
        g_assert_cmpstr(guid, ==, rows[i].mark ? GUID : NULL);
        g_assert_cmpstr(set, ==, rows[i].set ? SET : NULL);
    }
}

/* Only what is known comes through, and the parent is the one that is said. */
static void
test_rebuild(void)
{
    g_autofree char *xml = data_read("libvirt-checkpoint.xml");
    g_autoptr(RfpCheckpointXml) before = parse(xml);
    g_autoptr(GError) error = NULL;
    g_autofree char *root = rfp_checkpoint_xml_rebuild(xml, NULL, &error);
    g_autofree char *child = rfp_checkpoint_xml_rebuild(xml, "p <1>", &error);
    g_autoptr(RfpCheckpointXml) after = parse(root);
    g_autoptr(RfpCheckpointXml) with_parent = parse(child);
    g_autofree char *domain = rfp_checkpoint_xml_domain(root, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(after->name, ==, before->name);
    g_assert_cmpstr(after->description, ==, before->description);
    g_assert_cmpstr(after->guid, ==, GUID);
    g_assert_cmpint(after->created, ==, before->created);
    g_assert_null(after->parent);
    g_assert_cmpstr(with_parent->parent, ==, "p <1>");
    g_assert_cmpuint(after->disks->len, ==, before->disks->len);
    g_assert_true(rfp_checkpoint_xml_disk(after, "vda")->tracked);
    g_assert_false(rfp_checkpoint_xml_disk(after, "vdc")->tracked);
    g_assert_nonnull(strstr(root, "bitmap=\"20261121T203000Z-1f0c9a3e\""));
    g_assert_nonnull(strstr(domain, "keep  this"));
    g_assert_null(strstr(domain, "urn:virt-refpoint:domain:1"));
}

static void
test_rebuild_foreign(void)
{
    static const char xml[] =
        "<domaincheckpoint evil='1'><name>x</name><evil/><parent><name>y"
        "</name></parent><creationTime>5</creationTime><disks><disk "
        "name='vda' checkpoint='bitmap' bitmap='other' size='9' evil='1'/>"
        "</disks></domaincheckpoint>";
    g_autoptr(GError) error = NULL;
    g_autofree char *rebuilt = rfp_checkpoint_xml_rebuild(xml, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(rebuilt, ==,
                    "<domaincheckpoint>\n"
                    "  <name>x</name>\n"
                    "  <creationTime>5</creationTime>\n"
                    "  <disks>\n"
                    "    <disk name=\"vda\" checkpoint=\"bitmap\" "
                    "bitmap=\"x\"/>\n"
                    "  </disks>\n"
                    "</domaincheckpoint>\n");
    g_assert_null(
        rfp_checkpoint_xml_rebuild("<domaincheckpoint/>", NULL, NULL));
    g_assert_null(rfp_checkpoint_xml_rebuild("<x", NULL, NULL));
}

/* The list of "name<parent@second" in @text, sorted, as names. */
static char *
sorted(const char *text)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_checkpoint_xml_free);
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    GString *names = g_string_new(NULL);

    for (guint i = 0; words[i] != NULL; i++) {
        g_auto(GStrv) parts = g_strsplit_set(words[i], "<@", 3);
        g_autofree char *xml = g_strdup_printf(
            "<domaincheckpoint><name>%s</name>%s%s%s<creationTime>%s"
            "</creationTime></domaincheckpoint>",
            parts[0], *parts[1] ? "<parent><name>" : "", parts[1],
            *parts[1] ? "</name></parent>" : "", parts[2]);

        g_ptr_array_add(list, parse(xml));
    }
    rfp_checkpoint_xml_sort(list);
    for (guint i = 0; i < list->len; i++) {
        const RfpCheckpointXml *checkpoint = g_ptr_array_index(list, i);

        g_string_append_printf(names, "%s%s", i ? " " : "", checkpoint->name);
    }
    return g_string_free(names, FALSE);
}

static void
test_sort(void)
{
    static const struct {
        const char *list;
        const char *sorted;
    } rows[] = {
        {"", ""},
        {"a<@1", "a"},
        {"c<b@3 b<a@2 a<@1", "a b c"},
        /* all in one second: the parents decide */
        {"a<b@5 b<c@5 c<d@5 d<@5", "d c b a"},
        /* a clock that went back */
        {"a<@9 b<a@5 c<b@7", "a b c"},
        /* branches: by age, then by name */
        {"x<a@4 y<a@3 b<a@3 a<@1", "a b y x"},
        /* a parent that is not there, one of its own, and a circle */
        {"b<gone@2 a<@1", "a b"},
        {"a<a@1 b<a@2", "a b"},
        {"a<c@1 b<a@2 c<b@3 d<@4", "b c a d"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *names = sorted(rows[i].list);

        g_assert_cmpstr(names, ==, rows[i].sorted);
    }
}

/* ---- As large as libvirt makes it ---------------------------------------- */

#define DISKS 16
#define IMAGES 200 /* of a disk, libvirt's limit */

/* As libvirt writes it, the last one empty. */
static void
append_backing(GString *xml, guint disk)
{
    for (guint i = 1; i < IMAGES; i++)
        g_string_append_printf(
            xml,
            "<backingStore type='file' index='%u'><format type='qcow2'/>"
            "<source file='/images/%u.%u'><encryption format='luks'>"
            "<secret type='passphrase' uuid='" GUID "'/></encryption></source>",
            i, disk, i);
    g_string_append(xml, "<backingStore/>");
    for (guint i = 1; i < IMAGES; i++)
        g_string_append(xml, "</backingStore>");
}

static char *
largest_checkpoint(void)
{
    GString *xml = g_string_new("<domaincheckpoint><name>n</name>"
                                "<creationTime>1</creationTime><description>");

    for (guint i = 0; i < 1 << 20; i++)
        g_string_append_c(xml, 'd');
    g_string_append(xml, "</description><disks>");
    for (guint i = 0; i < DISKS; i++)
        g_string_append_printf(
            xml, "<disk name='vd%c' checkpoint='bitmap' bitmap='n'/>", 'a' + i);
    g_string_append(xml, "</disks><domain type='kvm'><name>vm</name>"
                         "<uuid>" GUID "</uuid><devices>");
    for (guint i = 0; i < DISKS; i++) {
        g_string_append_printf(xml,
                               "<disk type='file'><source file='/images/%u'/>",
                               i);
        append_backing(xml, i);
        g_string_append_printf(xml, "<target dev='vd%c'/></disk>", 'a' + i);
    }
    g_string_append(xml, "</devices></domain></domaincheckpoint>");
    return g_string_free(xml, FALSE);
}

static void
test_largest(void)
{
    g_autofree char *xml = largest_checkpoint();
    g_autoptr(RfpCheckpointXml) checkpoint = parse(xml);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = rfp_checkpoint_xml_domain(xml, &error);
    g_autofree char *rebuilt = rfp_checkpoint_xml_rebuild(xml, NULL, &error);
    g_autoptr(RfpDomainXml) domain = rfp_domain_xml_parse(text, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(strlen(checkpoint->description), ==, 1 << 20);
    g_assert_cmpuint(checkpoint->disks->len, ==, DISKS);
    g_assert_cmpuint(domain->disks->len, ==, DISKS);
    g_assert_cmpstr(rfp_domain_xml_disk(domain, "vdp")->source.path, ==,
                    "/images/15");
    g_assert_false(rfp_domain_xml_disk(domain, "vdp")->encrypted);
    g_assert_nonnull(strstr(rebuilt, "/images/15.199"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checkpoint-xml/ours", test_ours);
    g_test_add_func("/checkpoint-xml/sizes", test_sizes);
    g_test_add_func("/checkpoint-xml/foreign", test_foreign);
    g_test_add_func("/checkpoint-xml/bad", test_bad);
    g_test_add_func("/checkpoint-xml/domain", test_domain);
    g_test_add_func("/checkpoint-xml/format", test_format);
    g_test_add_func("/checkpoint-xml/mark", test_mark);
    g_test_add_func("/checkpoint-xml/rebuild", test_rebuild);
    g_test_add_func("/checkpoint-xml/rebuild-foreign", test_rebuild_foreign);
    g_test_add_func("/checkpoint-xml/sort", test_sort);
    g_test_add_func("/checkpoint-xml/largest", test_largest);
    return g_test_run();
}
