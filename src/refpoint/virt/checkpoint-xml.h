/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain checkpoint XML, both directions; pure. Source: libvirt,
 * formatcheckpoint.html. */
#ifndef RFP_CHECKPOINT_XML_H
#define RFP_CHECKPOINT_XML_H

#include <glib.h>

typedef struct {
    char *target;
    gboolean tracked;  /* checkpoint='bitmap' */
    gboolean has_size; /* size= was there: the bitmap is usable */
    guint64 changed;   /* bytes dirty since the checkpoint */
} RfpCheckpointDisk;

typedef struct {
    char *name;
    char *description; /* whole text, or NULL */
    char *parent;      /* or NULL */
    gint64 created;    /* creationTime, seconds since the epoch */
    GPtrArray *disks;  /* RfpCheckpointDisk */
    gboolean measured; /* see rfp_checkpoint_measure() */
    /* from the description's first line; NULL in a foreign checkpoint */
    char *guid;     /* lower case */
    char *set_guid; /* NULL also for "-" */
} RfpCheckpointXml;

RfpCheckpointXml *
rfp_checkpoint_xml_parse(const char *xml, GError **error);

void
rfp_checkpoint_xml_free(RfpCheckpointXml *checkpoint);

RfpCheckpointDisk *
rfp_checkpoint_xml_disk(RfpCheckpointXml *checkpoint, const char *target);

/* Sorts RfpCheckpointXml: parents before their children, and by age and name
 * where that leaves a choice. A parent that is not among them counts as
 * none. */
void
rfp_checkpoint_xml_sort(GPtrArray *checkpoints);

/* The XML text of the <domain> inside the checkpoint's, or NULL. Free with
 * g_free(). */
char *
rfp_checkpoint_xml_domain(const char *xml, GError **error);

/*
 * For virDomainBackupBegin() and virDomainCheckpointCreateXML(): @targets are
 * the disks that get a bitmap, @others those that do not; both
 * NULL-terminated. @set_guid may be NULL. Free with g_free().
 */
char *
rfp_checkpoint_xml_format(const char *name,
                          const char *guid,
                          const char *set_guid,
                          const char *const *targets,
                          const char *const *others);

/*
 * The checkpoint @xml written anew for a redefinition: what this program knows
 * of it, and nothing else. @parent: the parent's name, or NULL for a root. Its
 * bitmaps have the checkpoint's name. The <domain> in it, without our metadata,
 * is kept. Free with g_free().
 */
char *
rfp_checkpoint_xml_rebuild(const char *xml, const char *parent, GError **error);

/* "virt-refpoint 1 point=<guid> set=<guid or ->" taken apart. FALSE where the
 * first line of @description is not one. Free the outputs with g_free(). */
gboolean
rfp_checkpoint_mark_parse(const char *description,
                          char **guid,
                          char **set_guid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpCheckpointXml, rfp_checkpoint_xml_free)

#endif
