/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a domain records of the groups that it is in; pure.
 *
 *   <group domain="UUID" guid="GUID" name="..." generation="3">
 *     <member uuid="..." name="..."/>
 *   </group>
 *
 * One element a group, each in a namespace of its own, RFP_GROUP_URI with the
 * group's GUID behind it: a change of one group never writes over another one.
 * virDomainSetMetadata() puts the element there.
 *
 * Every member has the whole list, so that any one of them tells who belongs to
 * the group. Of two generations the higher one counts. One without members
 * means that the group was deleted.
 */
#ifndef RFP_GROUP_XML_H
#define RFP_GROUP_XML_H

#include <glib.h>

#define RFP_GROUP_URI "urn:virt-refpoint:group:1:"
#define RFP_GROUP_PREFIX "refpoint-group"
#define RFP_GROUP_MEMBERS_MAX 1024

typedef struct {
    char *uuid; /* lower case */
    char *name; /* of the domain, when the group was changed last */
} RfpGroupMember;

typedef struct {
    char *guid; /* lower case */
    char *name;
    guint64 generation;
    GPtrArray *members; /* RfpGroupMember, in the order that the user gave */
} RfpGroupNote;

/* Without members. */
RfpGroupNote *
rfp_group_note_new(const char *guid, const char *name, guint64 generation);

void
rfp_group_note_free(RfpGroupNote *note);

RfpGroupNote *
rfp_group_note_copy(const RfpGroupNote *note);

void
rfp_group_note_add(RfpGroupNote *note, const char *uuid, const char *name);

/* NULL: it is none of the group. */
const RfpGroupMember *
rfp_group_note_member(const RfpGroupNote *note, const char *uuid);

/* Below 0: @a is older than @b. 0: they say the same. Of two that differ and
 * have the same generation, as two hosts can make them, always the same one
 * counts as the older. */
int
rfp_group_note_compare(const RfpGroupNote *a, const RfpGroupNote *b);

/* The notes in a domain's XML: GPtrArray of RfpGroupNote with its free
 * function. One of another domain than @uuid (a clone has it) counts as
 * nothing, as does one that is damaged. */
GPtrArray *
rfp_group_notes_parse(const char *domain_xml, const char *uuid);

/* In such a list; NULL if there is none. */
RfpGroupNote *
rfp_group_notes_find(const GPtrArray *notes, const char *guid);

/* The element for the domain @uuid. Free with g_free(). */
char *
rfp_group_note_format(const RfpGroupNote *note, const char *uuid);

/* Where the element of a group is kept. Free with g_free(). */
char *
rfp_group_uri(const char *guid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpGroupNote, rfp_group_note_free)

#endif
