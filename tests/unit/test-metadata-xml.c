/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/metadata-xml.h"

#include "data.h"

#define UUID "6f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"
#define GUID "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"
#define OTHER "2f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"
#define GROUP "c0c0c0c0-0000-4000-8000-000000000001"
#define SET "77d0e15b-0c3a-4f7e-8a1b-5d4c3b2a1f0e"

static char file_type[] = "file";
static char block_type[] = "block";
static char file_path[] = "/srv/a & <b>.qcow2";
static char block_path[] = "/dev/vg0/data";

static GPtrArray *
make_points(void)
{
    GPtrArray *points =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_metadata_point_free);
    RfpDiskSource file = {.type = file_type, .path = file_path, .inode = 42};
    RfpDiskSource block = {.type = block_type, .path = block_path};
    RfpDiskSource none = {0};
    RfpMetadataPoint *point = rfp_metadata_point_new(GUID, "first");

    point->set_guid = g_strdup(SET);
    point->group_guid = g_strdup(GROUP);
    point->state = REFPOINT_STATE_PUBLISHED;
    point->consistency = REFPOINT_CONSISTENCY_APPLICATION;
    rfp_metadata_point_add_disk(point, "vda", 68157440, &file);
    rfp_metadata_point_add_disk(point, "vdb", 513, &block);
    g_ptr_array_add(points, point);

    point = rfp_metadata_point_new("2F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A",
                                   "\"second\"");
    g_assert_cmpint(point->state, ==, REFPOINT_STATE_PENDING);
    g_assert_cmpint(point->consistency, ==, REFPOINT_CONSISTENCY_UNKNOWN);
    rfp_metadata_point_add_disk(point, "vda", 0, &none);
    g_ptr_array_add(points, point);
    return points;
}

static void
test_round_trip(void)
{
    g_autoptr(GPtrArray) points = make_points();
    g_autofree char *xml = rfp_metadata_format(points, UUID);
    g_autoptr(GPtrArray) again = rfp_metadata_parse(xml, UUID);
    g_autofree char *text = rfp_metadata_format(again, UUID);
    RfpMetadataPoint *point = NULL;
    RfpMetadataDisk *disk = NULL;

    data_compare("xml/metadata.xml", xml);
    g_assert_cmpstr(text, ==, xml);
    g_assert_cmpuint(again->len, ==, 2);

    point = rfp_metadata_find(again, GUID);
    g_assert_cmpstr(point->name, ==, "first");
    g_assert_cmpstr(point->set_guid, ==, SET);
    g_assert_cmpstr(point->group_guid, ==, GROUP);
    g_assert_cmpint(point->state, ==, REFPOINT_STATE_PUBLISHED);
    g_assert_cmpint(point->consistency, ==, REFPOINT_CONSISTENCY_APPLICATION);
    g_assert_cmpuint(point->disks->len, ==, 2);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpstr(disk->target, ==, "vda");
    g_assert_cmpuint(disk->size, ==, 68157440);
    g_assert_cmpstr(disk->source.type, ==, "file");
    g_assert_cmpstr(disk->source.path, ==, file_path);
    g_assert_cmpuint(disk->source.inode, ==, 42);

    point = rfp_metadata_find(again, "2F0C9A3E-7b1d-4c5f-9a2e-3b6f1d2c4e5a");
    g_assert_cmpstr(point->guid, ==, OTHER);
    g_assert_null(point->set_guid);
    g_assert_null(point->group_guid);
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_null(disk->source.type);
    g_assert_null(rfp_metadata_find(again, SET));
    g_assert_null(rfp_metadata_find(again, NULL));
}

static void
test_states(void)
{
    static const RefpointState states[] = {
        REFPOINT_STATE_PENDING,
        REFPOINT_STATE_PUBLISHED,
        REFPOINT_STATE_TRACKED,
    };
    static const RefpointConsistency consistencies[] = {
        REFPOINT_CONSISTENCY_UNKNOWN,
        REFPOINT_CONSISTENCY_APPLICATION,
        REFPOINT_CONSISTENCY_CRASH,
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(GPtrArray) points = make_points();
        g_autoptr(GPtrArray) again = NULL;
        g_autofree char *xml = NULL;
        RfpMetadataPoint *point = rfp_metadata_find(points, GUID);

        point->state = states[i];
        point->consistency = consistencies[i];
        xml = rfp_metadata_format(points, UUID);
        again = rfp_metadata_parse(xml, UUID);
        point = rfp_metadata_find(again, GUID);
        g_assert_cmpint(point->state, ==, states[i]);
        g_assert_cmpint(point->consistency, ==, consistencies[i]);
    }
}

/* As virDomainGetMetadata() gives it, and as it stands in the domain's XML. */
static void
test_libvirt(void)
{
    g_autofree char *xml = data_read("libvirt-metadata.xml");
    g_autoptr(GPtrArray) points = rfp_metadata_parse(xml, UUID);
    g_autoptr(GPtrArray) prefixed = rfp_metadata_parse(
        "<refpoint:points xmlns:refpoint='" RFP_METADATA_URI "' "
        "domain='6F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10'>"
        "<refpoint:point guid='" GUID "' name='x' state='tracked'>"
        "<refpoint:disk target='vda' size='1'/></refpoint:point>"
        "</refpoint:points>",
        UUID);
    RfpMetadataPoint *point = rfp_metadata_find(points, GUID);
    RfpMetadataDisk *disk = NULL;

    g_assert_cmpstr(point->name, ==, "20261121T203000Z-1f0c9a3e");
    disk = g_ptr_array_index(point->disks, 0);
    g_assert_cmpuint(disk->source.inode, ==, 1234);
    point = rfp_metadata_find(prefixed, GUID);
    g_assert_cmpint(point->state, ==, REFPOINT_STATE_TRACKED);
    g_assert_cmpuint(point->disks->len, ==, 1);
}

static void
test_empty(void)
{
    g_autoptr(GPtrArray) points = rfp_metadata_parse(NULL, UUID);

    g_assert_cmpuint(points->len, ==, 0);
    g_assert_null(rfp_metadata_format(points, UUID));
}

static void
test_damaged(void)
{
    static const char *const texts[] = {
        "",
        "text",
        "<points",
        "<points/>",
        "<other domain='" UUID "'/>",
        "<!DOCTYPE points><points domain='" UUID "'/>",
        "<points domain='" OTHER "'><point guid='" GUID
        "' name='x' state='pending'/></points>",
    };
    static const char *const entries[] = {
        "<point/>",
        "<point guid='" GUID "' state='pending'/>",
        "<point guid='" GUID "' name='x'/>",
        "<point guid='" GUID "' name='x' state='foreign'/>",
        "<point guid='" GUID "' name='x' state='later'/>",
        "<point guid='1' name='x' state='pending'/>",
        "<point guid='" GUID "' name='x' state='pending' set='-'/>",
        "<point guid='" GUID "' name='x' state='pending'><disk/></point>",
        "<point guid='" GUID "' name='x' state='pending'>"
        "<disk target='vda'/></point>",
        "<point guid='" GUID "' name='x' state='pending'>"
        "<disk target='vda' size='-1'/></point>",
        "<point guid='" GUID "' name='x' state='pending'>"
        "<disk target='vda' size='1'/><disk target='vda' size='2'/></point>",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GPtrArray) points = rfp_metadata_parse(texts[i], UUID);

        g_assert_cmpuint(points->len, ==, 0);
    }
    for (i = 0; i < G_N_ELEMENTS(entries); i++) {
        g_autofree char *xml =
            g_strdup_printf("<points domain='" UUID "'>%s"
                            "<point guid='" OTHER
                            "' name='y' state='pending'/></points>",
                            entries[i]);
        g_autoptr(GPtrArray) points = rfp_metadata_parse(xml, UUID);

        g_assert_cmpuint(points->len, ==, 1);
        g_assert_nonnull(rfp_metadata_find(points, OTHER));
    }
}

static void
test_duplicates(void)
{
    g_autoptr(GPtrArray) points = rfp_metadata_parse(
        "<points domain='" UUID "'>"
        "<point guid='" GUID "' name='x' state='pending'/>"
        "<point guid='1F0C9A3E-7B1D-4C5F-9A2E-3B6F1D2C4E5A' name='y' "
        "state='pending'/></points>",
        UUID);

    g_assert_cmpuint(points->len, ==, 1);
    g_assert_cmpstr(rfp_metadata_find(points, GUID)->name, ==, "x");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metadata-xml/round-trip", test_round_trip);
    g_test_add_func("/metadata-xml/states", test_states);
    g_test_add_func("/metadata-xml/libvirt", test_libvirt);
    g_test_add_func("/metadata-xml/empty", test_empty);
    g_test_add_func("/metadata-xml/damaged", test_damaged);
    g_test_add_func("/metadata-xml/duplicates", test_duplicates);
    return g_test_run();
}
