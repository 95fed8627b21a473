/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/checkpoint-xml.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "virt/domain-xml.h"

#define MARK "virt-refpoint 1 point="
#define MARK_SET " set="
#define GUID_LENGTH 36

static void
disk_free(gpointer opaque)
{
    RfpCheckpointDisk *disk = opaque;

    g_free(disk->target);
    g_free(disk);
}

static xmlDocPtr
parse_document(const char *xml, GError **error)
{
    return rfp_xml_parse_root(xml, strlen(xml), "domaincheckpoint", NULL,
                              _("the checkpoint"), REFPOINT_ERROR_FAILED,
                              error);
}

/* A size that is no number is none: the bitmap does not count as usable. */
static gboolean
parse_disks(RfpCheckpointXml *checkpoint, xmlNodePtr disks, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    xmlNodePtr node = rfp_xml_child(disks, "disk", NULL);

    for (; node != NULL; node = rfp_xml_next(node)) {
        RfpCheckpointDisk *disk = g_new0(RfpCheckpointDisk, 1);

        g_ptr_array_add(checkpoint->disks, disk);
        disk->target = rfp_xml_attr(node, "name");
        disk->tracked = rfp_xml_attr_is(node, "checkpoint", "bitmap");
        disk->has_size =
            rfp_xml_attr_uint(node, "size", G_MAXUINT64, &disk->changed);
        if (disk->target == NULL || !g_hash_table_add(seen, disk->target)) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("the XML of the checkpoint has a disk without a "
                            "name, or one twice"));
            return FALSE;
        }
    }
    return TRUE;
}

static gint64
parse_time(xmlNodePtr root)
{
    g_autofree char *text = rfp_xml_child_text(root, "creationTime", NULL);
    gint64 created = 0;

    if (text == NULL ||
        !g_ascii_string_to_signed(text, 10, 0, G_MAXINT64, &created, NULL))
        return 0;
    return created;
}

RfpCheckpointXml *
rfp_checkpoint_xml_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = parse_document(xml, error);
    g_autoptr(RfpCheckpointXml) checkpoint = NULL;
    xmlNodePtr root = NULL;

    if (doc == NULL)
        return NULL;
    root = xmlDocGetRootElement(doc);

    checkpoint = g_new0(RfpCheckpointXml, 1);
    checkpoint->disks = g_ptr_array_new_with_free_func(disk_free);
    checkpoint->name = rfp_xml_child_text(root, "name", NULL);
    checkpoint->description = rfp_xml_child_text(root, "description", NULL);
    checkpoint->parent =
        rfp_xml_child_text(rfp_xml_child(root, "parent", NULL), "name", NULL);
    checkpoint->created = parse_time(root);
    if (checkpoint->name == NULL || !*checkpoint->name) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the checkpoint has no name in its XML"));
        return NULL;
    }
    rfp_checkpoint_mark_parse(checkpoint->description, &checkpoint->guid,
                              &checkpoint->set_guid);
    if (!parse_disks(checkpoint, rfp_xml_child(root, "disks", NULL), error))
        return NULL;
    return g_steal_pointer(&checkpoint);
}

void
rfp_checkpoint_xml_free(RfpCheckpointXml *checkpoint)
{
    if (checkpoint == NULL)
        return;
    g_free(checkpoint->name);
    g_free(checkpoint->description);
    g_free(checkpoint->parent);
    g_free(checkpoint->guid);
    g_free(checkpoint->set_guid);
    g_ptr_array_unref(checkpoint->disks);
    g_free(checkpoint);
}

RfpCheckpointDisk *
rfp_checkpoint_xml_disk(RfpCheckpointXml *checkpoint, const char *target)
{
    guint i = 0;

    for (i = 0; i < checkpoint->disks->len; i++) {
        RfpCheckpointDisk *disk = g_ptr_array_index(checkpoint->disks, i);

        if (strcmp(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

static gint
compare_age(gconstpointer a, gconstpointer b)
{
    const RfpCheckpointXml *left = *(const RfpCheckpointXml *const *)a;
    const RfpCheckpointXml *right = *(const RfpCheckpointXml *const *)b;

    if (left->created != right->created)
        return left->created < right->created ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Moves @checkpoint to @sorted, and before it those above it that wait, too. */
static void
move_behind_parents(RfpCheckpointXml *checkpoint,
                    GHashTable *by_name,
                    GHashTable *waiting,
                    GPtrArray *sorted)
{
    g_autoptr(GPtrArray) line = g_ptr_array_new();

    while (checkpoint != NULL && g_hash_table_remove(waiting, checkpoint)) {
        g_ptr_array_add(line, checkpoint);
        checkpoint = checkpoint->parent != NULL
                         ? g_hash_table_lookup(by_name, checkpoint->parent)
                         : NULL;
    }
    for (guint i = line->len; i > 0; i--)
        g_ptr_array_add(sorted, g_ptr_array_index(line, i - 1));
}

void
rfp_checkpoint_xml_sort(GPtrArray *checkpoints)
{
    g_autoptr(GHashTable) by_name = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) waiting = g_hash_table_new(NULL, NULL);
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();

    g_ptr_array_sort(checkpoints, compare_age);
    for (guint i = 0; i < checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint = g_ptr_array_index(checkpoints, i);

        g_hash_table_insert(by_name, checkpoint->name, checkpoint);
        g_hash_table_add(waiting, checkpoint);
    }
    for (guint i = 0; i < checkpoints->len; i++)
        move_behind_parents(g_ptr_array_index(checkpoints, i), by_name, waiting,
                            sorted);
    for (guint i = 0; i < checkpoints->len; i++)
        checkpoints->pdata[i] = sorted->pdata[i];
}

char *
rfp_checkpoint_xml_domain(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = parse_document(xml, error);
    xmlNodePtr domain = NULL;

    if (doc == NULL)
        return NULL;
    domain = rfp_xml_child(xmlDocGetRootElement(doc), "domain", NULL);
    return domain != NULL ? rfp_xml_node_to_text(domain) : NULL;
}

static void
add_disks(xmlNodePtr parent, const char *const *targets, const char *mode)
{
    for (; targets != NULL && *targets != NULL; targets++) {
        xmlNodePtr disk = rfp_xml_add(parent, "disk", NULL);

        rfp_xml_set(disk, "name", *targets);
        rfp_xml_set(disk, "checkpoint", mode);
    }
}

static char *
format_mark(const char *guid, const char *set_guid)
{
    g_autofree char *point = g_ascii_strdown(guid, -1);
    g_autofree char *set =
        g_ascii_strdown(set_guid != NULL ? set_guid : "-", -1);

    return g_strconcat(MARK, point, MARK_SET, set, NULL);
}

char *
rfp_checkpoint_xml_format(const char *name,
                          const char *guid,
                          const char *set_guid,
                          const char *const *targets,
                          const char *const *others)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("domaincheckpoint", NULL);
    g_autofree char *mark = format_mark(guid, set_guid);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr disks = NULL;

    rfp_xml_add(root, "name", name);
    rfp_xml_add(root, "description", mark);
    disks = rfp_xml_add(root, "disks", NULL);
    add_disks(disks, targets, "bitmap");
    add_disks(disks, others, "no");
    return rfp_xml_to_text(doc, FALSE);
}

static void
add_parsed_disks(xmlNodePtr parent, RfpCheckpointXml *checkpoint)
{
    for (guint i = 0; i < checkpoint->disks->len; i++) {
        RfpCheckpointDisk *from = g_ptr_array_index(checkpoint->disks, i);
        xmlNodePtr disk = rfp_xml_add(parent, "disk", NULL);

        rfp_xml_set(disk, "name", from->target);
        rfp_xml_set(disk, "checkpoint", from->tracked ? "bitmap" : "no");
        if (from->tracked)
            rfp_xml_set(disk, "bitmap", checkpoint->name);
    }
}

/* The configuration of that moment, if there is one. */
static gboolean
add_domain(xmlNodePtr parent, const char *xml, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autofree char *inside = rfp_checkpoint_xml_domain(xml, &local);
    g_autofree char *text =
        inside != NULL ? rfp_domain_xml_strip(inside, &local) : NULL;
    g_autoptr(xmlDoc) doc = NULL;

    if (text != NULL)
        doc = rfp_xml_parse_root(text, strlen(text), "domain", NULL,
                                 _("the checkpoint"), REFPOINT_ERROR_FAILED,
                                 &local);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    if (doc != NULL)
        xmlAddChild(parent,
                    xmlDocCopyNode(xmlDocGetRootElement(doc), parent->doc, 1));
    return TRUE;
}

char *
rfp_checkpoint_xml_rebuild(const char *xml, const char *parent, GError **error)
{
    g_autoptr(RfpCheckpointXml) checkpoint =
        rfp_checkpoint_xml_parse(xml, error);
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *created = NULL;
    xmlNodePtr root = NULL;

    if (checkpoint == NULL)
        return NULL;
    doc = rfp_xml_new("domaincheckpoint", NULL);
    root = xmlDocGetRootElement(doc);
    created = g_strdup_printf("%" PRId64, checkpoint->created);
    rfp_xml_add(root, "name", checkpoint->name);
    if (checkpoint->description != NULL)
        rfp_xml_add(root, "description", checkpoint->description);
    if (parent != NULL)
        rfp_xml_add(rfp_xml_add(root, "parent", NULL), "name", parent);
    rfp_xml_add(root, "creationTime", created);
    add_parsed_disks(rfp_xml_add(root, "disks", NULL), checkpoint);
    if (!add_domain(root, xml, error))
        return NULL;
    return rfp_xml_to_text(doc, FALSE);
}

/* The GUID at the start of *@text, which is moved behind it; NULL if there is
 * none. */
static char *
take_guid(const char **text)
{
    g_autofree char *guid = g_strndup(*text, GUID_LENGTH);

    if (!rfp_guid_check(guid))
        return NULL;
    *text += GUID_LENGTH;
    return g_ascii_strdown(guid, -1);
}

gboolean
rfp_checkpoint_mark_parse(const char *description, char **guid, char **set_guid)
{
    g_autofree char *point = NULL;
    g_autofree char *set = NULL;
    const char *next = description;

    *guid = NULL;
    *set_guid = NULL;
    if (next == NULL || !g_str_has_prefix(next, MARK))
        return FALSE;
    next += strlen(MARK);
    point = take_guid(&next);
    if (point == NULL || !g_str_has_prefix(next, MARK_SET))
        return FALSE;
    next += strlen(MARK_SET);
    if (*next == '-')
        next++;
    else if ((set = take_guid(&next)) == NULL)
        return FALSE;
    if (*next && *next != '\n')
        return FALSE;
    *guid = g_steal_pointer(&point);
    *set_guid = g_steal_pointer(&set);
    return TRUE;
}
