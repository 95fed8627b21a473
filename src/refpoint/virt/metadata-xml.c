/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/metadata-xml.h"

#include <string.h>

#include "base/names.h"
#include "base/xml.h"

#define HELD "log"

typedef struct {
    const char *word;
    int value;
} Word;

static const Word states[];
static const Word consistencies[];

static const char *
word_of(const Word *words, int value)
{
    while (words->word != NULL && words->value != value)
        words++;
    return words->word;
}

static gboolean
value_of(const Word *words, const char *word, int *value)
{
    for (; words->word != NULL; words++) {
        if (g_strcmp0(words->word, word) == 0) {
            *value = words->value;
            return TRUE;
        }
    }
    return FALSE;
}

static void
disk_free(gpointer opaque)
{
    RfpMetadataDisk *disk = opaque;

    g_free(disk->target);
    rfp_disk_source_clear(&disk->source);
    g_free(disk);
}

RfpMetadataPoint *
rfp_metadata_point_new(const char *guid, const char *name)
{
    RfpMetadataPoint *point = g_new0(RfpMetadataPoint, 1);

    point->guid = g_ascii_strdown(guid, -1);
    point->name = g_strdup(name);
    point->state = REFPOINT_STATE_PENDING;
    point->disks = g_ptr_array_new_with_free_func(disk_free);
    return point;
}

void
rfp_metadata_point_add_disk(RfpMetadataPoint *point,
                            const char *target,
                            guint64 size,
                            const RfpDiskSource *source)
{
    RfpMetadataDisk *disk = g_new0(RfpMetadataDisk, 1);

    disk->target = g_strdup(target);
    disk->size = size;
    rfp_disk_source_copy(source, &disk->source);
    g_ptr_array_add(point->disks, disk);
}

RfpMetadataDisk *
rfp_metadata_point_disk(const RfpMetadataPoint *point, const char *target)
{
    for (guint i = 0; point != NULL && i < point->disks->len; i++) {
        RfpMetadataDisk *disk = g_ptr_array_index(point->disks, i);

        if (strcmp(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

void
rfp_metadata_point_free(RfpMetadataPoint *point)
{
    if (point == NULL)
        return;
    g_free(point->guid);
    g_free(point->name);
    g_free(point->set_guid);
    g_free(point->group_guid);
    g_ptr_array_unref(point->disks);
    g_free(point);
}

RfpMetadataPoint *
rfp_metadata_find(GPtrArray *points, const char *guid)
{
    guint i = 0;

    for (i = 0; i < points->len; i++) {
        RfpMetadataPoint *point = g_ptr_array_index(points, i);

        if (rfp_guid_equal(point->guid, guid))
            return point;
    }
    return NULL;
}

/* FALSE: the facts of the whole point are not to be trusted. */
static gboolean
parse_disk(RfpMetadataPoint *point, xmlNodePtr node)
{
    g_autofree char *target = rfp_xml_attr(node, "target");
    g_autofree char *type = rfp_xml_attr(node, "type");
    g_autofree char *path = rfp_xml_attr(node, "source");
    RfpDiskSource source = {.type = type, .path = path};
    guint64 size = 0;

    if (target == NULL || !rfp_xml_attr_uint(node, "size", G_MAXINT64, &size))
        return FALSE;
    rfp_xml_attr_uint(node, "inode", G_MAXUINT64, &source.inode);
    rfp_metadata_point_add_disk(point, target, size, &source);
    return TRUE;
}

static gboolean
parse_disks(RfpMetadataPoint *point, xmlNodePtr node)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    xmlNodePtr child = rfp_xml_child(node, "disk", NULL);

    for (; child != NULL; child = rfp_xml_next(child)) {
        RfpMetadataDisk *disk = NULL;

        if (!parse_disk(point, child))
            return FALSE;
        disk = g_ptr_array_index(point->disks, point->disks->len - 1);
        if (!g_hash_table_add(seen, disk->target))
            return FALSE;
    }
    return TRUE;
}

/* NULL if the entry is damaged, or has a word of a later version. */
static RfpMetadataPoint *
parse_point(xmlNodePtr node)
{
    g_autoptr(RfpMetadataPoint) point = NULL;
    g_autofree char *guid = rfp_xml_attr(node, "guid");
    g_autofree char *name = rfp_xml_attr(node, "name");
    g_autofree char *state_word = rfp_xml_attr(node, "state");
    g_autofree char *consistency_word = rfp_xml_attr(node, "consistency");
    g_autofree char *type = rfp_xml_attr(node, "type");
    int state = 0;
    int consistency = REFPOINT_CONSISTENCY_UNKNOWN;

    if (!rfp_guid_check(guid) || name == NULL ||
        !value_of(states, state_word, &state))
        return NULL;
    value_of(consistencies, consistency_word, &consistency);

    point = rfp_metadata_point_new(guid, name);
    point->state = (RefpointState)state;
    point->consistency = (RefpointConsistency)consistency;
    point->held = g_strcmp0(type, HELD) == 0;
    point->set_guid = rfp_xml_attr(node, "set");
    point->group_guid = rfp_xml_attr(node, "group");
    if ((point->set_guid != NULL && !rfp_guid_check(point->set_guid)) ||
        (point->group_guid != NULL && !rfp_guid_check(point->group_guid)))
        return NULL;
    if (!parse_disks(point, node))
        return NULL;
    return g_steal_pointer(&point);
}

static void
parse_points(xmlNodePtr root, GPtrArray *points)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    xmlNodePtr node = rfp_xml_child(root, "point", NULL);

    for (; node != NULL; node = rfp_xml_next(node)) {
        g_autoptr(RfpMetadataPoint) point = parse_point(node);

        if (point == NULL || g_hash_table_contains(seen, point->guid))
            continue;
        g_hash_table_add(seen, point->guid);
        g_ptr_array_add(points, g_steal_pointer(&point));
    }
}

/* The namespace is not looked at: virDomainGetMetadata() takes it away from
 * the element that it gives. */
GPtrArray *
rfp_metadata_parse(const char *xml, const char *uuid)
{
    GPtrArray *points =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_metadata_point_free);
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *domain = NULL;

    if (xml == NULL)
        return points;
    doc = rfp_xml_parse_root(xml, strlen(xml), "points", NULL, "metadata",
                             REFPOINT_ERROR_FAILED, NULL);
    if (doc == NULL)
        return points;
    domain = rfp_xml_attr(xmlDocGetRootElement(doc), "domain");
    if (rfp_guid_equal(domain, uuid))
        parse_points(xmlDocGetRootElement(doc), points);
    return points;
}

static void
add_disk(xmlNodePtr parent, const RfpMetadataDisk *disk)
{
    xmlNodePtr node = rfp_xml_add(parent, "disk", NULL);

    rfp_xml_set(node, "target", disk->target);
    rfp_xml_set_uint(node, "size", disk->size);
    rfp_xml_set(node, "type", disk->source.type);
    rfp_xml_set(node, "source", disk->source.path);
    if (disk->source.inode)
        rfp_xml_set_uint(node, "inode", disk->source.inode);
}

static void
add_point(xmlNodePtr parent, const RfpMetadataPoint *point)
{
    xmlNodePtr node = rfp_xml_add(parent, "point", NULL);
    guint i = 0;

    rfp_xml_set(node, "guid", point->guid);
    rfp_xml_set(node, "name", point->name);
    rfp_xml_set(node, "set", point->set_guid);
    rfp_xml_set(node, "group", point->group_guid);
    rfp_xml_set(node, "state", word_of(states, (int)point->state));
    rfp_xml_set(node, "consistency",
                word_of(consistencies, (int)point->consistency));
    if (point->held)
        rfp_xml_set(node, "type", HELD);
    for (i = 0; i < point->disks->len; i++)
        add_disk(node, g_ptr_array_index(point->disks, i));
}

/* Without a namespace: virDomainSetMetadata() puts the element into ours, with
 * our prefix. */
char *
rfp_metadata_format(GPtrArray *points, const char *uuid)
{
    g_autoptr(xmlDoc) doc = NULL;
    xmlNodePtr root = NULL;
    guint i = 0;

    if (points->len == 0)
        return NULL;
    doc = rfp_xml_new("points", NULL);
    root = xmlDocGetRootElement(doc);
    rfp_xml_set(root, "domain", uuid);
    for (i = 0; i < points->len; i++)
        add_point(root, g_ptr_array_index(points, i));
    return rfp_xml_to_text(doc, FALSE);
}

static const Word states[] = {
    {.word = "pending", .value = REFPOINT_STATE_PENDING},
    {.word = "published", .value = REFPOINT_STATE_PUBLISHED},
    {.word = "tracked", .value = REFPOINT_STATE_TRACKED},
    {.word = NULL, .value = 0},
};

static const Word consistencies[] = {
    {.word = "application", .value = REFPOINT_CONSISTENCY_APPLICATION},
    {.word = "crash", .value = REFPOINT_CONSISTENCY_CRASH},
    {.word = "unknown", .value = REFPOINT_CONSISTENCY_UNKNOWN},
    {.word = NULL, .value = 0},
};
