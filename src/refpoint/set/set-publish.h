/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new point of a set: where its files go, and its publication. */
#ifndef RFP_SET_PUBLISH_H
#define RFP_SET_PUBLISH_H

#include "set/export-set.h"

/*
 * The path, in the set, of a new file of a disk:
 * "disks/<folder>/<target>/<name>.<suffix>". Makes the folders of that path. A
 * file that is there already is never replaced; then the error is
 * INVALID_STATE. Free with g_free().
 */
char *
rfp_export_set_image_path(RfpExportSet *set,
                          const char *folder,
                          const char *target,
                          const char *name,
                          const char *suffix,
                          GError **error);

/* The name of the hidden folder in which the point with that GUID is put
 * together until it is published. Free with g_free(). */
char *
rfp_export_set_partial_name(const char *guid);

/*
 * Publishes a point: its hidden folder @partial gets the name of the point by
 * one rename, which never replaces anything. The point may still get lost by a
 * power failure until rfp_export_set_sync() has succeeded.
 */
gboolean
rfp_export_set_publish(RfpExportSet *set,
                       const char *partial,
                       const char *name,
                       GError **error);

/* Makes sure that points that were published in the set, which is locked, are
 * not lost by a power failure. What a new point makes unnecessary (the
 * checkpoint of its base) may be removed only after this has succeeded. */
gboolean
rfp_export_set_sync(RfpExportSet *set, GError **error);

#endif
