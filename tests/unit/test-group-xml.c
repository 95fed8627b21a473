/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/group-xml.h"

#include "data.h"
#include "virt/domain-xml.h"

#include <string.h>

#define UUID "6f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"
#define CLONE "7f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"
#define GUID "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"
#define OTHER "2f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"
#define OPEN "<group xmlns='" RFP_GROUP_URI GUID "' domain='" UUID "' "
#define MEMBER "<member uuid='" UUID "' name='vm1'/>"
#define GOOD OPEN "guid='" GUID "' name='web' generation='3'>" MEMBER "</group>"

static RfpGroupNote *
make_note(void)
{
    RfpGroupNote *note =
        rfp_group_note_new("1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A", "web+db_1.0",
                           3);

    rfp_group_note_add(note, UUID, "a & <b>");
    rfp_group_note_add(note, "7F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10",
                       "\"second\"");
    return note;
}

/* The notes of the domain UUID whose metadata is @metadata. */
static GPtrArray *
parse(const char *metadata)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>vm1</name><metadata>%s</metadata></domain>",
        metadata);

    return rfp_group_notes_parse(xml, UUID);
}

/* As virDomainSetMetadata() does, but for the prefix. */
static char *
put_into_namespace(const char *text)
{
    g_assert_true(g_str_has_prefix(text, "<group "));
    return g_strconcat("<group xmlns='" RFP_GROUP_URI GUID "' ",
                       text + strlen("<group "), NULL);
}

static void
test_round_trip(void)
{
    g_autoptr(RfpGroupNote) note = make_note();
    g_autofree char *xml = rfp_group_note_format(note, UUID);
    g_autofree char *put = put_into_namespace(xml);
    g_autoptr(GPtrArray) notes = parse(put);
    RfpGroupNote *again = rfp_group_notes_find(notes, GUID);
    const RfpGroupMember *member = NULL;

    data_compare("xml/group.xml", xml);
    g_assert_cmpuint(notes->len, ==, 1);
    g_assert_cmpint(rfp_group_note_compare(note, again), ==, 0);
    g_assert_cmpstr(again->guid, ==, GUID);
    g_assert_cmpstr(again->name, ==, "web+db_1.0");
    g_assert_cmpuint(again->generation, ==, 3);
    g_assert_cmpuint(again->members->len, ==, 2);
    member = g_ptr_array_index(again->members, 0);
    g_assert_cmpstr(member->uuid, ==, UUID);
    g_assert_cmpstr(member->name, ==, "a & <b>");
    member = rfp_group_note_member(again, CLONE);
    g_assert_cmpstr(member->name, ==, "\"second\"");
    g_assert_null(rfp_group_note_member(again, OTHER));
    g_assert_null(rfp_group_notes_find(notes, OTHER));
}

static void
test_uri(void)
{
    g_autofree char *uri =
        rfp_group_uri("1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A");

    g_assert_cmpstr(uri, ==, RFP_GROUP_URI GUID);
}

/* As it stands in the XML of a domain of libvirt, among what others keep. */
static void
test_libvirt(void)
{
    g_autoptr(GPtrArray) notes = parse(
        "\n  <!-- text -->\n  <other:group xmlns:other='urn:other' guid='x'/>"
        "<refpoint-group:group xmlns:refpoint-group='" RFP_GROUP_URI GUID "' "
        "domain='6F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10' "
        "guid='1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A' name='web' "
        "generation='1'>"
        "<refpoint-group:member uuid='6F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10' "
        "name='vm1'/></refpoint-group:group>"
        "<refpoint-group:group xmlns:refpoint-group='" RFP_GROUP_URI OTHER "' "
        "domain='" UUID "' guid='" OTHER "' name='db' generation='2'/>");
    const RfpGroupNote *note = rfp_group_notes_find(notes, GUID);

    g_assert_cmpuint(notes->len, ==, 2);
    g_assert_cmpstr(note->name, ==, "web");
    g_assert_nonnull(rfp_group_note_member(note, UUID));
    note = rfp_group_notes_find(notes, OTHER);
    g_assert_cmpstr(note->name, ==, "db");
    g_assert_cmpuint(note->members->len, ==, 0);
}

static void
test_clone(void)
{
    static const char xml[] = "<domain><metadata>" GOOD "</metadata></domain>";
    g_autoptr(GPtrArray) original = rfp_group_notes_parse(xml, UUID);
    g_autoptr(GPtrArray) clone = rfp_group_notes_parse(xml, CLONE);

    g_assert_cmpuint(original->len, ==, 1);
    g_assert_cmpuint(clone->len, ==, 0);
}

static void
test_nothing(void)
{
    static const char *const texts[] = {
        "",
        "text",
        "<domain",
        "<domain/>",
        "<domain><metadata/></domain>",
        "<domain><!-- " RFP_GROUP_URI " --></domain>",
        "<domain><metadata>" GOOD "</metadata>",
        "<other><metadata>" GOOD "</metadata></other>",
        "<domain>" GOOD "</domain>",
        "<domain><metadata><a>" GOOD "</a></metadata></domain>",
        "<!DOCTYPE domain><domain><metadata>" GOOD "</metadata></domain>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) notes = rfp_group_notes_parse(texts[i], UUID);

        g_assert_cmpuint(notes->len, ==, 0);
    }
}

/* What is wrong with one note is no harm to another. */
static void
test_damaged(void)
{
    static const char *const damaged[] = {
        OPEN "/>",
        "<group xmlns='" RFP_GROUP_URI GUID "' guid='" GUID "' name='web' "
        "generation='3'/>",
        "<group xmlns='" RFP_GROUP_URI GUID "' domain='' guid='" GUID "' "
        "name='web' generation='3'/>",
        "<groups xmlns='" RFP_GROUP_URI GUID "' domain='" UUID "' guid='" GUID
        "' name='web' generation='3'/>",
        "<group xmlns='urn:virt-refpoint:group:2:" GUID "' domain='" UUID
        "' guid='" GUID "' name='web' generation='3'/>",
        OPEN "name='web' generation='3'/>",
        OPEN "guid='1' name='web' generation='3'/>",
        OPEN "guid='" GUID "' generation='3'/>",
        OPEN "guid='" GUID "' name='web'/>",
        OPEN "guid='" GUID "' name='web' generation=''/>",
        OPEN "guid='" GUID "' name='web' generation='-1'/>",
        OPEN "guid='" GUID "' name='web' generation='0x3'/>",
        OPEN "guid='" GUID "' name='web' generation='9223372036854775808'/>",
        /* the GUID in the URI is another one, or not spelt as we do it */
        OPEN "guid='" OTHER "' name='web' generation='3'/>",
        "<group xmlns='" RFP_GROUP_URI "' domain='" UUID "' guid='" GUID
        "' name='web' generation='3'/>",
        "<group xmlns='" RFP_GROUP_URI "1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A' "
        "domain='" UUID "' guid='" GUID "' name='web' generation='3'/>",
        /* names that cannot be one */
        OPEN "guid='" GUID "' name='' generation='3'/>",
        OPEN "guid='" GUID "' name='-web' generation='3'/>",
        OPEN "guid='" GUID "' name='.web' generation='3'/>",
        OPEN "guid='" GUID "' name='web/1' generation='3'/>",
        OPEN "guid='" GUID "' name='web 1' generation='3'/>",
        OPEN "guid='" GUID "' name='w&#xe9;b' generation='3'/>",
        OPEN "guid='" GUID "' name='" OTHER "' generation='3'/>",
        /* members */
        OPEN "guid='" GUID "' name='web' generation='3'><member/></group>",
        OPEN "guid='" GUID "' name='web' generation='3'>"
             "<member uuid='" UUID "'/></group>",
        OPEN "guid='" GUID "' name='web' generation='3'>"
             "<member uuid='" UUID "' name=''/></group>",
        OPEN "guid='" GUID "' name='web' generation='3'>"
             "<member uuid='1' name='vm1'/></group>",
        OPEN "guid='" GUID "' name='web' generation='3'>" MEMBER
             "<member name='vm2'/></group>",
        OPEN "guid='" GUID "' name='web' generation='3'>" MEMBER
             "<member uuid='6F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10' name='vm2'/>"
             "</group>",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(damaged); i++) {
        g_autofree char *xml =
            g_strconcat(damaged[i],
                        "<group xmlns='" RFP_GROUP_URI OTHER "' domain='" UUID
                        "' guid='" OTHER "' name='db' generation='1'/>",
                        NULL);
        g_autoptr(GPtrArray) notes = parse(xml);

        g_test_message("%s", damaged[i]);
        g_assert_cmpuint(notes->len, ==, 1);
        g_assert_nonnull(rfp_group_notes_find(notes, OTHER));
    }
}

static void
test_name_length(void)
{
    for (guint length = 128; length <= 129; length++) {
        g_autofree char *name = g_strnfill(length, 'n');
        g_autofree char *xml =
            g_strdup_printf(OPEN "guid='" GUID "' name='%s' generation='1'/>",
                            name);
        g_autoptr(GPtrArray) notes = parse(xml);

        g_assert_cmpuint(notes->len, ==, length == 128 ? 1 : 0);
    }
}

static void
test_members_max(void)
{
    for (guint n = RFP_GROUP_MEMBERS_MAX; n <= RFP_GROUP_MEMBERS_MAX + 1; n++) {
        g_autoptr(RfpGroupNote) note = rfp_group_note_new(GUID, "web", 1);
        g_autoptr(GPtrArray) notes = NULL;
        g_autofree char *xml = NULL;
        g_autofree char *put = NULL;

        for (guint i = 0; i < n; i++) {
            g_autofree char *uuid =
                g_strdup_printf("6f2d3c1e-9f4b-4a55-8f0e-%012x", i);

            rfp_group_note_add(note, uuid, "vm");
        }
        xml = rfp_group_note_format(note, UUID);
        put = put_into_namespace(xml);
        notes = parse(put);
        g_assert_cmpuint(notes->len, ==, n == RFP_GROUP_MEMBERS_MAX ? 1 : 0);
    }
}

/* Of any two that differ one is the older, whichever way they are asked. */
static void
test_compare(void)
{
    g_autoptr(RfpGroupNote) note = make_note();
    g_autoptr(RfpGroupNote) same = rfp_group_note_copy(note);
    g_autoptr(RfpGroupNote) later = rfp_group_note_new(GUID, "a", 4);
    RfpGroupNote *others[] = {
        rfp_group_note_copy(note),
        rfp_group_note_copy(note),
        rfp_group_note_copy(note),
        rfp_group_note_copy(note),
        rfp_group_note_new(GUID, "web+db_1.0", 3),
    };
    RfpGroupMember *member = NULL;

    g_assert_cmpint(rfp_group_note_compare(note, same), ==, 0);
    g_assert_cmpint(rfp_group_note_compare(note, later), <, 0);
    g_assert_cmpint(rfp_group_note_compare(later, note), >, 0);

    g_free(others[0]->name);
    others[0]->name = g_strdup("web");
    rfp_group_note_add(others[1], OTHER, "third");
    member = g_ptr_array_index(others[2]->members, 1);
    g_free(member->name);
    member->name = g_strdup("renamed");
    g_ptr_array_remove_index(others[3]->members, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        const int order = rfp_group_note_compare(note, others[i]);

        g_assert_cmpint(order, !=, 0);
        g_assert_cmpint(order > 0, ==,
                        rfp_group_note_compare(others[i], note) < 0);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++)
        g_clear_pointer(&others[i], rfp_group_note_free);
}

/* What is exported of a domain does not have them. */
static void
test_strip(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml =
        rfp_domain_xml_strip("<domain><name>vm1</name><metadata>" GOOD
                             "<app:a xmlns:app='urn:app'/></metadata></domain>",
                             &error);

    g_assert_no_error(error);
    g_assert_null(strstr(xml, RFP_GROUP_URI));
    g_assert_nonnull(strstr(xml, "urn:app"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/group-xml/round-trip", test_round_trip);
    g_test_add_func("/group-xml/uri", test_uri);
    g_test_add_func("/group-xml/libvirt", test_libvirt);
    g_test_add_func("/group-xml/clone", test_clone);
    g_test_add_func("/group-xml/nothing", test_nothing);
    g_test_add_func("/group-xml/damaged", test_damaged);
    g_test_add_func("/group-xml/name-length", test_name_length);
    g_test_add_func("/group-xml/members-max", test_members_max);
    g_test_add_func("/group-xml/compare", test_compare);
    g_test_add_func("/group-xml/strip", test_strip);
    return g_test_run();
}
