/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export set: the directory to which the points of a VM are exported. This
 * unit opens and makes sets and locks them. set-points.h reads and finds the
 * points of an open set, set-folders.h has the folder of a VM, set-publish.h
 * adds a point.
 */
#ifndef RFP_EXPORT_SET_H
#define RFP_EXPORT_SET_H

#include "base/files.h"
#include "set/manifest.h"
#include "set/set-xml.h"

typedef struct {
    char *path;       /* absolute */
    RfpFd fd;         /* the folder */
    RfpFd lock_fd;    /* set.xml, opened for writing; -1 for readers */
    RfpFolder folder; /* fd and path together */
    RfpSetFile *file; /* NULL only after rfp_export_set_inspect() */
    guint8 file_sha256[RFP_LEAF_SIZE]; /* of set.xml; zero: not readable */
    GPtrArray *points;  /* RfpSetPoint, by sequence; without manifest: last */
    guint strangers;    /* how many manifests name another set */
    GHashTable *proven; /* the RfpManifestDisk of @points whose files
                         * rfp_export_set_check_chain() found to be sound */
    gboolean writable_by_others;
} RfpExportSet;

/* Opens an existing set for reading and loads its points. Where the directory
 * is no set the error is INVALID_PARAMETER. */
RfpExportSet *
rfp_export_set_open(const char *directory, GError **error);

/*
 * The same with the point in the folder @point alone, which takes as long in a
 * set of one point as in one of a thousand. Where there is no such folder, the
 * set that is returned has no points.
 */
RfpExportSet *
rfp_export_set_open_point(const char *directory,
                          const char *point,
                          GError **error);

/*
 * Opens an existing set for a check of it. If set.xml is damaged, the set is
 * opened all the same; then @file is NULL and *@damage says what is wrong, else
 * *@damage is NULL. Free *@damage with g_free().
 */
RfpExportSet *
rfp_export_set_inspect(const char *directory, char **damage, GError **error);

/* To whom a set belongs. */
typedef struct {
    gboolean is_group; /* else one VM */
    const char *guid;  /* of the group; of a VM its domain's UUID */
    const char *name;  /* now */
} RfpSetOwner;

/*
 * Looks whether @owner could be exported to @directory; changes nothing.
 * Returns the set, with its points, if there is one of that owner. Returns NULL
 * with *@fresh TRUE, and no error, if the directory is empty or missing, so
 * that an export would make a set of it. In all other cases there is an error:
 * INVALID_PARAMETER where it is no directory, has other content, or is the set
 * of another owner; NOT_SUPPORTED where the set has a point that needs a newer
 * program and whose GUID or number cannot be read: which point a new one would
 * follow is not known then.
 */
RfpExportSet *
rfp_export_set_peek(const char *directory,
                    const RfpSetOwner *owner,
                    gboolean *fresh,
                    GError **error);

/*
 * Opens a set to export its owner to it. Where they are missing, makes the
 * directory (but not its parents) and set.xml. Takes the
 * lock of the set, which rfp_export_set_close() gives back, and loads the
 * points. IN_USE: another process has the lock; else the errors of
 * rfp_export_set_peek().
 */
RfpExportSet *
rfp_export_set_prepare(const char *directory,
                       const RfpSetOwner *owner,
                       GError **error);

/*
 * Opens and locks the set that an operation used, to undo what the operation
 * did in it. INVALID_STATE: at @path there is now another set than the one with
 * the GUID @guid. IN_USE: somebody else kept the lock for @wait_ms
 * milliseconds.
 */
RfpExportSet *
rfp_export_set_reopen(const char *path,
                      const char *guid,
                      guint wait_ms,
                      GError **error);

void
rfp_export_set_close(RfpExportSet *set);

/* Whether there is something at @path in the set, be it a broken link. */
gboolean
rfp_export_set_has(const RfpExportSet *set, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpExportSet, rfp_export_set_close)

#endif
