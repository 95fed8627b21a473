/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One import from start to end:
 *
 *   import.c          which points, their XML, redefinition
 *   import-disks.c    the disks of a domain that is shut off: bitmaps in their
 *                     images, content against the view digest
 */
#ifndef RFP_IMPORT_H
#define RFP_IMPORT_H

#include "operation/operation.h"
#include "set/export-set.h"

typedef struct {
    const RefpointImportOptions *options; /* borrowed */
    RfpOperation operation;
    RfpDomainState state;
    RfpDomainXml *domain_xml;
    RfpExportSet *set; /* for reading */
    GHashTable *live;  /* names of live checkpoints -> GUID, owned */
    GPtrArray *notes;  /* RfpMetadataPoint, the domain's own */
    gboolean begun;    /* the record has an operation */
} RfpImport;

/* A point of the set, read and checked. */
typedef struct {
    RfpSetPoint *point; /* borrowed */
    char *text;         /* of its checkpoint.xml */
    RfpCheckpointXml *xml;
    RfpMetadataPoint *note; /* what the domain will say of it */
} RfpImportPoint;

/* Before the first change: the guard is there, the record knows. */
gboolean
rfp_import_begin(RfpImport *import,
                 const RfpImportPoint *point,
                 GError **error);

/* What helps where an image has no bitmap of a point. */
void
rfp_import_add_missing_way_out(GError **error);

/* Whether the images have the point's bitmaps, all of them in order:
 * INVALID_STATE names disk and point. *@missing: one is simply not there. */
gboolean
rfp_import_check_bitmaps(RfpImport *import,
                         const RfpImportPoint *point,
                         gboolean *missing,
                         GError **error);

/*
 * Makes bitmaps where they are missing, after which all disks' content is
 * compared with the point's, of those too that had a bitmap; the note then has
 * the disks as they are. *@made: there was something to do. What was made goes
 * with the record's undo.
 */
gboolean
rfp_import_restore_bitmaps(RfpImport *import,
                           RfpImportPoint *point,
                           gboolean *made,
                           GError **error);

#endif
