/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The disks of a domain that is shut off, for an import (import.c): bitmaps in
 * their images, and their content compared with the view digest of a point.
 */
#ifndef RFP_IMPORT_DISKS_H
#define RFP_IMPORT_DISKS_H

#include "operation/operation.h"
#include "set/set-points.h"

/* One import, from start to end. */
typedef struct {
    const RefpointImportOptions *options; /* borrowed */
    RfpOperation operation;
    RfpDomainState state;
    RfpDomainXml *domain_xml;
    RfpExportSet *set; /* for reading */
    GHashTable *live;  /* names of live checkpoints -> GUID, owned */
    GPtrArray *notes;  /* RfpMetadataPoint, the domain's own */
    gboolean stuck; /* the operation cannot begin: no point can be imported */
} RfpImport;

/* A point of the set, read and checked. */
typedef struct {
    RfpSetPoint *in_set; /* borrowed */
    RfpManifestVm *vm;   /* the domain in it, borrowed; NULL: it is not */
    char *text;          /* of its checkpoint.xml */
    RfpCheckpointXml *xml;
    RfpMetadataPoint *note; /* what the domain will say of it */
} RfpImportPoint;

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
