/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The points of an open set: reading them, finding one, what one has. */
#ifndef RFP_SET_POINTS_H
#define RFP_SET_POINTS_H

#include "set/export-set.h"
#include "set/manifest.h"

#define RFP_SET_POINTS_MAX 100000

/* A point's folder, with its manifest or the reason why it has none: exactly
 * one of @manifest, @damage and @newer is set. */
typedef struct {
    char *folder;
    RfpManifest *manifest;        /* NULL: it cannot be used here */
    guint8 sha256[RFP_LEAF_SIZE]; /* of its export.xml */
    char *damage;                 /* what is wrong with it */
    char *newer;            /* why it needs a newer program; it is no damage */
    char *newer_guid;       /* of such a point; NULL where it is not known */
    guint64 newer_sequence; /* of such a point; 0 where it is not known */
} RfpSetPoint;

/* Of RfpExportSet.points. */
void
rfp_set_point_free(gpointer point);

/* The GUID of a point; NULL where it is not known. */
const char *
rfp_set_point_guid(const RfpSetPoint *point);

/* The number of a point in its set; 0 where it is not known. */
guint64
rfp_set_point_sequence(const RfpSetPoint *point);

/* A VM of a point, by its domain's UUID; NULL if the point does not have it, or
 * has no manifest. */
RfpManifestVm *
rfp_set_point_vm(const RfpSetPoint *point, const char *vm_uuid);

/* The consistency that such a VM has reached: of a group's member its own, else
 * that of the point, which has a manifest. */
RefpointConsistency
rfp_set_point_consistency(const RfpSetPoint *point, const char *vm_uuid);

/* The file of such a VM that has the role, or NULL. */
RfpManifestFile *
rfp_set_point_file(const RfpSetPoint *point,
                   const char *vm_uuid,
                   const char *role);

/* The disk of such a VM; NULL if the point has no data of it, also where it
 * was left out. */
RfpManifestDisk *
rfp_set_point_disk(const RfpSetPoint *point,
                   const char *vm_uuid,
                   const char *target);

/* Reads the points again; those that were borrowed from @set are gone. */
gboolean
rfp_export_set_load(RfpExportSet *set, GError **error);

/* Reads the point in the folder @folder alone, if it is there. */
void
rfp_export_set_load_point(RfpExportSet *set, const char *folder);

/* Finds a point by its GUID; NULL if there is none. Points without a manifest
 * are not found. */
RfpSetPoint *
rfp_export_set_find(RfpExportSet *set, const char *guid);

/* Finds a point by its name or else by its GUID; NULL if there is none. Points
 * without a manifest are not found. */
RfpSetPoint *
rfp_export_set_resolve(RfpExportSet *set, const char *name);

/*
 * For a GUID that rfp_export_set_find() does not find: the point that needs a
 * newer program and has that GUID, or may have it, because its GUID cannot be
 * read; else NULL. The checkpoint of such a point must not be let go.
 */
const RfpSetPoint *
rfp_export_set_find_newer(const RfpExportSet *set, const char *guid);

/* FALSE, with NOT_SUPPORTED, if the point with that name or GUID needs a newer
 * program. */
gboolean
rfp_export_set_check_known(const RfpExportSet *set,
                           const char *name,
                           GError **error);

/* How many points need a newer program. */
guint
rfp_export_set_count_newer(const RfpExportSet *set);

/* Whether there are manifests, and all of them name another set than set.xml
 * does: then set.xml has been exchanged or damaged. Not so if there is a point
 * that needs a newer program: it may belong to the set. */
gboolean
rfp_export_set_is_strange(RfpExportSet *set);

/* The point with the highest number among those with a manifest; NULL: there
 * are none. */
RfpSetPoint *
rfp_export_set_newest(RfpExportSet *set);

/*
 * The point with the highest number, which a new point of the set follows.
 * Unlike rfp_export_set_newest() it may be one that needs a newer program, if
 * its number and GUID can be read. NULL: there are no points.
 */
const RfpSetPoint *
rfp_export_set_last(RfpExportSet *set);

/* The point with the highest number among those that have the VM (by its
 * domain's UUID); NULL: there are none. */
RfpSetPoint *
rfp_export_set_newest_of(RfpExportSet *set, const char *vm_uuid);

/* Whether the set belongs to the VM (by its domain's UUID), or to a group some
 * of whose points has it. */
gboolean
rfp_export_set_has_vm(RfpExportSet *set, const char *vm_uuid);

/*
 * Whether the newest point is known. A new point names the one before it, which
 * may be one that needs a newer program: NOT_SUPPORTED where the number or the
 * GUID of such a point cannot be read.
 */
gboolean
rfp_export_set_check_last_known(const RfpExportSet *set, GError **error);

#endif
