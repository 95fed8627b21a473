/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/group-xml.h"

#include <string.h>

#include "base/names.h"
#include "base/xml.h"
#include "refpoint.h"

/* ---- A note -------------------------------------------------------------- */

static void
member_free(gpointer opaque)
{
    RfpGroupMember *member = opaque;

    g_free(member->uuid);
    g_free(member->name);
    g_free(member);
}

RfpGroupNote *
rfp_group_note_new(const char *guid, const char *name, guint64 generation)
{
    RfpGroupNote *note = g_new0(RfpGroupNote, 1);

    note->guid = g_ascii_strdown(guid, -1);
    note->name = g_strdup(name);
    note->generation = generation;
    note->members = g_ptr_array_new_with_free_func(member_free);
    return note;
}

void
rfp_group_note_free(RfpGroupNote *note)
{
    if (note == NULL)
        return;
    g_free(note->guid);
    g_free(note->name);
    g_ptr_array_unref(note->members);
    g_free(note);
}

RfpGroupNote *
rfp_group_note_copy(const RfpGroupNote *note)
{
    RfpGroupNote *copy =
        rfp_group_note_new(note->guid, note->name, note->generation);

    for (guint i = 0; i < note->members->len; i++) {
        const RfpGroupMember *member = g_ptr_array_index(note->members, i);

        rfp_group_note_add(copy, member->uuid, member->name);
    }
    return copy;
}

void
rfp_group_note_add(RfpGroupNote *note, const char *uuid, const char *name)
{
    RfpGroupMember *member = g_new0(RfpGroupMember, 1);

    member->uuid = g_ascii_strdown(uuid, -1);
    member->name = g_strdup(name);
    g_ptr_array_add(note->members, member);
}

const RfpGroupMember *
rfp_group_note_member(const RfpGroupNote *note, const char *uuid)
{
    for (guint i = 0; i < note->members->len; i++) {
        const RfpGroupMember *member = g_ptr_array_index(note->members, i);

        if (rfp_guid_equal(member->uuid, uuid))
            return member;
    }
    return NULL;
}

static int
compare_members(const RfpGroupMember *a, const RfpGroupMember *b)
{
    int order = strcmp(a->uuid, b->uuid);

    return order != 0 ? order : strcmp(a->name, b->name);
}

int
rfp_group_note_compare(const RfpGroupNote *a, const RfpGroupNote *b)
{
    int order = strcmp(a->name, b->name);

    if (a->generation != b->generation)
        return a->generation < b->generation ? -1 : 1;
    if (order != 0)
        return order;
    for (guint i = 0; i < MIN(a->members->len, b->members->len); i++) {
        order = compare_members(g_ptr_array_index(a->members, i),
                                g_ptr_array_index(b->members, i));
        if (order != 0)
            return order;
    }
    return (a->members->len > b->members->len) -
           (a->members->len < b->members->len);
}

/* ---- Reading ------------------------------------------------------------- */

static gboolean
parse_members(RfpGroupNote *note, xmlNodePtr node)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    xmlNodePtr child = rfp_xml_child(node, "member", NULL);

    for (; child != NULL; child = rfp_xml_next(child)) {
        g_autofree char *uuid = rfp_xml_attr(child, "uuid");
        g_autofree char *name = rfp_xml_attr(child, "name");
        const RfpGroupMember *member = NULL;

        if (!rfp_guid_check(uuid) || name == NULL || *name == '\0' ||
            note->members->len >= RFP_GROUP_MEMBERS_MAX)
            return FALSE;
        rfp_group_note_add(note, uuid, name);
        member = g_ptr_array_index(note->members, note->members->len - 1);
        if (!g_hash_table_add(seen, member->uuid))
            return FALSE;
    }
    return TRUE;
}

/* NULL: damaged, or of another domain. One whose GUID is not spelt as we do it
 * stands where we would not write over it: it counts as damaged, too. */
static RfpGroupNote *
parse_note(xmlNodePtr node, const char *domain_uuid)
{
    const char *in_uri = (const char *)node->ns->href + strlen(RFP_GROUP_URI);
    g_autofree char *domain = rfp_xml_attr(node, "domain");
    g_autofree char *guid = rfp_xml_attr(node, "guid");
    g_autofree char *name = rfp_xml_attr(node, "name");
    g_autoptr(RfpGroupNote) note = NULL;
    guint64 generation = 0;

    if (!rfp_guid_equal(domain, domain_uuid) || !rfp_guid_check(guid) ||
        name == NULL || !rfp_name_check_form(name, NULL) ||
        rfp_guid_check(name) ||
        !rfp_xml_attr_uint(node, "generation", G_MAXINT64, &generation))
        return NULL;
    note = rfp_group_note_new(guid, name, generation);
    if (strcmp(note->guid, in_uri) != 0)
        return NULL;
    return parse_members(note, node) ? g_steal_pointer(&note) : NULL;
}

static gboolean
is_note(xmlNodePtr node)
{
    return node->type == XML_ELEMENT_NODE && node->ns != NULL &&
           g_str_has_prefix((const char *)node->ns->href, RFP_GROUP_URI) &&
           strcmp((const char *)node->name, "group") == 0;
}

GPtrArray *
rfp_group_notes_parse(const char *domain_xml, const char *uuid)
{
    GPtrArray *notes =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_group_note_free);
    g_autoptr(xmlDoc) doc = NULL;
    xmlNodePtr metadata = NULL;

    /* most domains are in no group: their XML need not be taken apart */
    if (strstr(domain_xml, RFP_GROUP_URI) == NULL)
        return notes;
    doc = rfp_xml_parse_root(domain_xml, strlen(domain_xml), "domain", NULL,
                             "domain", REFPOINT_ERROR_FAILED, NULL);
    if (doc != NULL)
        metadata = rfp_xml_child(xmlDocGetRootElement(doc), "metadata", NULL);
    if (metadata == NULL)
        return notes;
    for (xmlNodePtr node = metadata->children; node != NULL;
         node = node->next) {
        RfpGroupNote *note = is_note(node) ? parse_note(node, uuid) : NULL;

        if (note != NULL)
            g_ptr_array_add(notes, note);
    }
    return notes;
}

RfpGroupNote *
rfp_group_notes_find(const GPtrArray *notes, const char *guid)
{
    for (guint i = 0; i < notes->len; i++) {
        RfpGroupNote *note = g_ptr_array_index(notes, i);

        if (rfp_guid_equal(note->guid, guid))
            return note;
    }
    return NULL;
}

/* ---- Writing ------------------------------------------------------------- */

/* Without a namespace: virDomainSetMetadata() puts the element into ours, with
 * our prefix. */
char *
rfp_group_note_format(const RfpGroupNote *note, const char *uuid)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("group", NULL);
    xmlNodePtr root = xmlDocGetRootElement(doc);

    rfp_xml_set(root, "domain", uuid);
    rfp_xml_set(root, "guid", note->guid);
    rfp_xml_set(root, "name", note->name);
    rfp_xml_set_uint(root, "generation", note->generation);
    for (guint i = 0; i < note->members->len; i++) {
        const RfpGroupMember *member = g_ptr_array_index(note->members, i);
        xmlNodePtr node = rfp_xml_add(root, "member", NULL);

        rfp_xml_set(node, "uuid", member->uuid);
        rfp_xml_set(node, "name", member->name);
    }
    return rfp_xml_to_text(doc, FALSE);
}

char *
rfp_group_uri(const char *guid)
{
    g_autofree char *lower = g_ascii_strdown(guid, -1);

    return g_strconcat(RFP_GROUP_URI, lower, NULL);
}
