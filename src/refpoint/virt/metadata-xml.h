/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our metadata element of a domain, both directions; pure.
 *
 *   <points domain="UUID">
 *     <point guid="..." name="..." set="..." group="..." state="published"
 *            consistency="application" type="log">
 *       <disk target="vda" size="..." type="file" source="..." inode="..."/>
 *     </point>
 *   </points>
 *
 * In the domain's XML it is in the namespace below: virDomainSetMetadata()
 * puts it there, virDomainGetMetadata() takes it away. Points without an entry
 * are no error: the manifest has the same facts.
 */
#ifndef RFP_METADATA_XML_H
#define RFP_METADATA_XML_H

#include "base/disk-source.h"
#include "refpoint.h"

#define RFP_METADATA_URI "urn:virt-refpoint:domain:1"
#define RFP_METADATA_PREFIX "refpoint"

typedef struct {
    char *target;
    guint64 size;
    RfpDiskSource source;
} RfpMetadataDisk;

typedef struct {
    char *guid;
    char *name;
    char *set_guid;      /* or NULL */
    char *group_guid;    /* of the group whose members it was made with at once;
                          * or NULL */
    RefpointState state; /* PENDING, PUBLISHED or TRACKED */
    RefpointConsistency consistency;
    gboolean held;    /* type="log": made as a held point */
    GPtrArray *disks; /* RfpMetadataDisk */
} RfpMetadataPoint;

/* GPtrArray of RfpMetadataPoint with rfp_metadata_point_free(). @xml NULL, or
 * of another domain than @uuid (a clone): an empty array. Damaged text: an
 * empty array too, it is never more than a help. */
GPtrArray *
rfp_metadata_parse(const char *xml, const char *uuid);

/* NULL if @points is empty (the element is to be removed). Free with
 * g_free(). */
char *
rfp_metadata_format(GPtrArray *points, const char *uuid);

RfpMetadataPoint *
rfp_metadata_find(GPtrArray *points, const char *guid);

RfpMetadataPoint *
rfp_metadata_point_new(const char *guid, const char *name);

/* Takes no ownership; copies. */
void
rfp_metadata_point_add_disk(RfpMetadataPoint *point,
                            const char *target,
                            guint64 size,
                            const RfpDiskSource *source);

/* The disk of a point; NULL where there is none, or for @point NULL. */
RfpMetadataDisk *
rfp_metadata_point_disk(const RfpMetadataPoint *point, const char *target);

void
rfp_metadata_point_free(RfpMetadataPoint *point);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMetadataPoint, rfp_metadata_point_free)

#endif
