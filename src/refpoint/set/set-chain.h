/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The chains of an export set's disks: an increment, the image that it builds
 * on, and so on down to a full image. And the files that they are made of.
 */
#ifndef RFP_SET_CHAIN_H
#define RFP_SET_CHAIN_H

#include "set/export-set.h"

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
 * Whether a new point may build on a chain. Its files are there; .digests files
 * are those of their manifests to the last byte; of images, header and tables
 * are sound, and store what has a digest. The images' data is not read, nor are
 * more than 32 MiB of tables: of the oldest images, header and L1 table must
 * do.
 */
gboolean
rfp_export_set_check_chain(RfpExportSet *set, GPtrArray *chain, GError **error);

/* The digest files of a chain, opened: GPtrArray of RfpDigestFile. */
GPtrArray *
rfp_export_set_open_digests(RfpExportSet *set,
                            GPtrArray *chain,
                            GError **error);

/* A small file that a manifest names, proven to be the one; ends with a NUL
 * byte, and has no other. Free with g_free(). */
char *
rfp_export_set_read_file(RfpExportSet *set,
                         const RfpManifestFile *file,
                         GError **error);

#endif
