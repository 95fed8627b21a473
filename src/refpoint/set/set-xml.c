/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-xml.h"
#include "base/error.h"
#include "base/text.h"
#include "base/xml.h"
#include "set/manifest-xml.h"
#include "set/manifest.h"

#include <string.h>

/* A row of folders.xml. */
typedef struct {
    char *uuid;
    char *folder;
} Folder;

static const RfpField set_fields[2];
static const RfpField vm_fields[3];
static const RfpField group_fields[3];
static const RfpField folder_fields[3];
static const RfpChild set_children[5];
static const RfpChild folders_children[3];

void
rfp_set_file_free(RfpSetFile *set)
{
    if (set == NULL)
        return;
    g_free(set->guid);
    g_free(set->vm_uuid);
    g_free(set->vm_name);
    g_free(set->group_guid);
    g_free(set->group_name);
    g_free(set);
}

char *
rfp_set_file_format(const RfpSetFile *set)
{
    g_autoptr(xmlDoc) doc = rfp_manifest_xml_new("set");
    xmlNodePtr root = xmlDocGetRootElement(doc);

    rfp_manifest_xml_add(root, "identity", set_fields, set);
    if (set->group_guid != NULL) {
        rfp_manifest_xml_require(root, RFP_FEATURE_GROUP);
        rfp_manifest_xml_add(root, "group", group_fields, set);
    } else {
        rfp_manifest_xml_add(root, "vm", vm_fields, set);
    }
    return rfp_manifest_xml_seal(doc);
}

static gboolean
parse_owner(RfpSetFile *set, xmlNodePtr root, const char *what, GError **error)
{
    xmlNodePtr vm = rfp_manifest_xml_child(root, "vm");
    xmlNodePtr group = rfp_manifest_xml_child(root, "group");

    if ((vm != NULL) == (group != NULL)) {
        rfp_manifest_xml_damage(error, what, root,
                                _("it belongs neither to a VM nor to a group, "
                                  "or to both"));
        return FALSE;
    }
    return vm != NULL
               ? rfp_manifest_xml_read_leaf(vm, vm_fields, set, what, error)
               : rfp_manifest_xml_read_leaf(group, group_fields, set, what,
                                            error);
}

RfpSetFile *
rfp_set_file_parse(const char *text,
                   gsize length,
                   const char *what,
                   GError **error)
{
    g_autoptr(xmlDoc) doc =
        rfp_manifest_xml_open(text, length, "set", what, error);
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    g_autoptr(RfpSetFile) set = g_new0(RfpSetFile, 1);

    if (root == NULL ||
        !rfp_manifest_xml_check(root, set_children, what, error) ||
        !rfp_manifest_xml_read_leaf(rfp_manifest_xml_child(root, "identity"),
                                    set_fields, set, what, error) ||
        !parse_owner(set, root, what, error))
        return NULL;
    return g_steal_pointer(&set);
}

static gint
compare_keys(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

char *
rfp_folders_format(GHashTable *folders)
{
    g_autoptr(xmlDoc) doc = rfp_manifest_xml_new("folders");
    g_autoptr(GList) uuids =
        g_list_sort(g_hash_table_get_keys(folders), compare_keys);

    for (GList *l = uuids; l != NULL; l = l->next) {
        Folder folder = {.uuid = l->data,
                         .folder = g_hash_table_lookup(folders, l->data)};

        rfp_manifest_xml_add(xmlDocGetRootElement(doc), "vm", folder_fields,
                             &folder);
    }
    return rfp_manifest_xml_seal(doc);
}

/* Reads one row into @folders; @taken: the folders that are in it. */
static gboolean
parse_folder(xmlNodePtr node,
             GHashTable *folders,
             GHashTable *taken,
             const char *what,
             GError **error)
{
    Folder row = {NULL, NULL};
    g_autofree char *uuid = NULL;
    g_autofree char *folder = NULL;
    gboolean ok =
        rfp_manifest_xml_read_leaf(node, folder_fields, &row, what, error);

    uuid = row.uuid;
    folder = row.folder;
    if (!ok)
        return FALSE;
    if (g_hash_table_contains(folders, uuid) ||
        g_hash_table_contains(taken, folder)) {
        rfp_manifest_xml_damage(error, what, node, _("'%s' stands there twice"),
                                folder);
        return FALSE;
    }
    g_hash_table_add(taken, folder);
    g_hash_table_insert(folders, g_steal_pointer(&uuid),
                        g_steal_pointer(&folder));
    return TRUE;
}

GHashTable *
rfp_folders_parse(const char *text,
                  gsize length,
                  const char *what,
                  GError **error)
{
    g_autoptr(xmlDoc) doc =
        rfp_manifest_xml_open(text, length, "folders", what, error);
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    g_autoptr(GHashTable) folders =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) taken = g_hash_table_new(g_str_hash, g_str_equal);

    if (root == NULL ||
        !rfp_manifest_xml_check(root, folders_children, what, error))
        return NULL;
    for (xmlNodePtr n = rfp_manifest_xml_child(root, "vm"); n != NULL;
         n = rfp_xml_next(n)) {
        if (!parse_folder(n, folders, taken, what, error))
            return NULL;
    }
    return g_steal_pointer(&folders);
}

static const RfpField set_fields[2] = {
    RFP_FIELD(RfpSetFile, guid, "guid", guid),
    {.name = NULL},
};

static const RfpField vm_fields[3] = {
    RFP_FIELD(RfpSetFile, vm_uuid, "uuid", guid),
    RFP_FIELD(RfpSetFile, vm_name, "name", text, .max = 1024),
    {.name = NULL},
};

static const RfpField group_fields[3] = {
    RFP_FIELD(RfpSetFile, group_guid, "guid", guid),
    RFP_FIELD(RfpSetFile, group_name, "name", text, .max = 1024),
    {.name = NULL},
};

static const RfpField folder_fields[3] = {
    RFP_FIELD(Folder, uuid, "uuid", guid),
    RFP_FIELD(Folder, folder, "folder", folder, .max = 255),
    {.name = NULL},
};

static const RfpChild set_children[5] = {
    {"feature", 0, RFP_MANIFEST_FEATURES_MAX},
    {"identity", 1, 1},
    {"vm", 0, 1},
    {"group", 0, 1},
    {NULL, 0, 0},
};

static const RfpChild folders_children[3] = {
    {"feature", 0, RFP_MANIFEST_FEATURES_MAX},
    {"vm", 0, RFP_MANIFEST_VMS_MAX},
    {NULL, 0, 0},
};
