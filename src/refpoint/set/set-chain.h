/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The chains of an export set's disks: an increment, the image that it builds
 * on, and so on down to a full image. And the files that they are made of.
 */
#ifndef RFP_SET_CHAIN_H
#define RFP_SET_CHAIN_H

#include "set/set-points.h"

/*
 * The chain of a disk of a VM (by its domain's UUID) from @point down to its
 * full image: GPtrArray of
 * RfpManifestDisk (borrowed), newest first. Every link is checked: the base
 * is there, is older, and its view digest is the one the link names. FAILED
 * says which link is broken; NOT_SUPPORTED that a link needs a newer program.
 * Free with g_ptr_array_unref().
 */
GPtrArray *
rfp_export_set_chain(RfpExportSet *set,
                     const RfpSetPoint *point,
                     const char *vm_uuid,
                     const char *target,
                     GError **error);

/*
 * Whether a new point may build on a chain. All files of the chain must be
 * there. Files of digests must be those of their manifests to the last byte.
 * The header and the tables of the images must be sound, and the images must
 * store exactly the clusters that have a digest. The data of the images is not
 * read. No more than 32 MiB of tables are read, beginning with the newest
 * image; of the images that are left over only header and L1 table are checked.
 */
gboolean
rfp_export_set_check_chain(RfpExportSet *set, GPtrArray *chain, GError **error);

/* Opens the files of digests of a chain. Returns a GPtrArray of RfpDigestFile,
 * newest first, which owns them. */
GPtrArray *
rfp_export_set_open_digests(RfpExportSet *set,
                            GPtrArray *chain,
                            GError **error);

/* Reads a small text file that a manifest names. FAILED: its size or SHA-256 is
 * not that of the manifest, or there is a NUL byte in it. Free with g_free().
 */
char *
rfp_export_set_read_file(RfpExportSet *set,
                         const RfpManifestFile *file,
                         GError **error);

#endif
