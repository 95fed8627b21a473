/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export set: the directory to which the points of a VM are exported. This
 * unit opens and makes sets, locks them, reads their points, finds points by
 * name, GUID or VM, and publishes a new point. The names of files and folders
 * in a set are known to it, to manifest and to verify-set alone.
 */
#ifndef RFP_EXPORT_SET_H
#define RFP_EXPORT_SET_H

#include "base/files.h"
#include "set/manifest.h"
#include "set/set-xml.h"

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
 * Opens an existing set for a check of it. If set.xml is damaged, the set is
 * opened all the same; then @file is NULL and *@damage says what is wrong, else
 * *@damage is NULL. Free *@damage with g_free().
 */
RfpExportSet *
rfp_export_set_inspect(const char *directory, char **damage, GError **error);

/*
 * Looks whether a VM (by its domain's UUID) could be exported to @directory;
 * changes nothing. Returns the set, with its points, if there is one of that
 * VM. Returns NULL with *@fresh TRUE, and no error, if the directory is empty
 * or missing, so that an export would make a set of it. In all other cases
 * there is an error: INVALID_PARAMETER where it is no directory, has other
 * content, or is the set of another VM; NOT_SUPPORTED where the set has a point
 * that needs a newer program and whose GUID or number cannot be read: which
 * point a new one would follow is not known then.
 */
RfpExportSet *
rfp_export_set_peek(const char *directory,
                    const char *uuid,
                    gboolean *fresh,
                    GError **error);

/*
 * Opens a set to export the VM to it, @name being the domain's name. Where they
 * are missing, makes the directory (but not its parents) and set.xml. Takes the
 * lock of the set, which rfp_export_set_close() gives back, and loads the
 * points. IN_USE: another process has the lock; else the errors of
 * rfp_export_set_peek().
 */
RfpExportSet *
rfp_export_set_prepare(const char *directory,
                       const char *uuid,
                       const char *name,
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

/* Reads the points again; those that were borrowed from @set are gone. */
gboolean
rfp_export_set_load(RfpExportSet *set, GError **error);

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

/* The GUID of a point; NULL where it is not known. */
const char *
rfp_set_point_guid(const RfpSetPoint *point);

/* The number of a point in its set; 0 where it is not known. */
guint64
rfp_set_point_sequence(const RfpSetPoint *point);

/* The same among the points that have the VM (by its domain's UUID). */
RfpSetPoint *
rfp_export_set_newest_of(RfpExportSet *set, const char *vm_uuid);

/* A VM of a point, by its domain's UUID; NULL if the point does not have it, or
 * has no manifest. */
RfpManifestVm *
rfp_set_point_vm(const RfpSetPoint *point, const char *vm_uuid);

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

/*
 * The folder that the VM has in the set and in each of its points. It is chosen
 * at the VM's first export, out of the domain's name @name, and never changes
 * after that; folders.xml has it, and so has each manifest. Where folders.xml
 * is missing or damaged, or does not agree with the manifests, it is written
 * again from them, and *@mended says what was wrong with it; else *@mended is
 * NULL. Free both texts with g_free(). NOT_SUPPORTED: folders.xml needs a newer
 * program, or it would have to be written again, and a point needs a newer
 * program, so that not all manifests can be read.
 */
char *
rfp_export_set_vm_folder(RfpExportSet *set,
                         const char *uuid,
                         const char *name,
                         char **mended,
                         GError **error);

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

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpExportSet, rfp_export_set_close)

#endif
