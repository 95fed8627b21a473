/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export set: the directory that holds the chain of one VM. Opening and
 * making it, its lock, the points in it, and the publication of a new point.
 * Only this file and manifest know the layout.
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
    char *newer;      /* why it needs a newer program; it is no damage */
    char *newer_guid; /* of such a point; NULL where it is not known */
} RfpSetPoint;

typedef struct {
    char *path;       /* absolute */
    RfpFd fd;         /* the folder */
    RfpFd lock_fd;    /* set.xml, opened for writing; -1 for readers */
    RfpFolder folder; /* fd and path together */
    RfpSetFile *file; /* NULL only after rfp_export_set_inspect() */
    guint8 file_sha256[RFP_LEAF_SIZE]; /* of set.xml; zero: not readable */
    GPtrArray *points;  /* RfpSetPoint, by sequence; without manifest: last */
    guint strangers;    /* manifests that name another set */
    GHashTable *proven; /* RfpManifestDisk of @points whose files are sound */
    gboolean writable_by_others;
} RfpExportSet;

/* Opens an existing set for reading; loads its points. No set there:
 * INVALID_PARAMETER. */
RfpExportSet *
rfp_export_set_open(const char *directory, GError **error);

/*
 * The same for a check: a damaged set.xml does not keep the points from being
 * looked at; the set then has no @file, and *@damage says why.
 */
RfpExportSet *
rfp_export_set_inspect(const char *directory, char **damage, GError **error);

/*
 * What directory an export would go to, without changing anything: an existing
 * set of the VM @uuid (with its points), or NULL with *@fresh TRUE where an
 * empty or missing directory would become one. Anything else is an error
 * (INVALID_PARAMETER: a file, other content, the set of another VM).
 */
RfpExportSet *
rfp_export_set_peek(const char *directory,
                    const char *uuid,
                    gboolean *fresh,
                    GError **error);

/*
 * The same for writing: makes the directory (its last component) and set.xml
 * where they are missing, takes the set's lock (IN_USE if somebody has it), and
 * loads the points.
 */
RfpExportSet *
rfp_export_set_prepare(const char *directory,
                       const char *uuid,
                       const char *name,
                       GError **error);

/*
 * For an undo: the set at @path if it is there, has the GUID @guid and its lock
 * can be had within @wait_ms. NULL: not readable now, @error says why.
 */
RfpExportSet *
rfp_export_set_reopen(const char *path,
                      const char *guid,
                      guint wait_ms,
                      GError **error);

void
rfp_export_set_close(RfpExportSet *set);

/* Reads the points again. */
gboolean
rfp_export_set_load(RfpExportSet *set, GError **error);

/* By GUID, or NULL. Points without a manifest are not found. */
RfpSetPoint *
rfp_export_set_find(RfpExportSet *set, const char *guid);

/* By name or GUID, or NULL. */
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

/* Whether all of its manifests name another set: set.xml is not theirs. */
gboolean
rfp_export_set_is_strange(RfpExportSet *set);

/* The newest sound point, or NULL. */
RfpSetPoint *
rfp_export_set_newest(RfpExportSet *set);

/* The newest sound point that has the VM, by its domain's UUID; or NULL. */
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
 * The VM's folder; fixed at its first export, in folders.xml, and known to its
 * manifests. Where the two do not agree the manifests are right: the file is
 * made again, and *@mended, else NULL, says why. Free both with g_free().
 */
char *
rfp_export_set_vm_folder(RfpExportSet *set,
                         const char *uuid,
                         const char *name,
                         char **mended,
                         GError **error);

/* "disks/<folder>/<target>/<name>.<suffix>"; the folders are made. A file that
 * is there already is never replaced: IN_USE is not meant, INVALID_STATE. Free
 * with g_free(). */
char *
rfp_export_set_image_path(RfpExportSet *set,
                          const char *folder,
                          const char *target,
                          const char *name,
                          const char *suffix,
                          GError **error);

/* The hidden folder in which a point is put together. Free with g_free(). */
char *
rfp_export_set_partial_name(const char *guid);

/*
 * Publishes: the partial folder gets its name by one rename, which never
 * replaces anything. Whether it outlasts a power failure is not known before
 * rfp_export_set_sync().
 */
gboolean
rfp_export_set_publish(RfpExportSet *set,
                       const char *partial,
                       const char *name,
                       GError **error);

/* Proves that what was published in the locked set lasts. What is let go
 * because of it is let go behind that alone. */
gboolean
rfp_export_set_sync(RfpExportSet *set, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpExportSet, rfp_export_set_close)

#endif
