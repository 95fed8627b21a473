/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/verify-image.h"
#include "base/text.h"
#include "image/digest-file.h"
#include "image/qcow2-reader.h"
#include "set/set-points.h"

#include <string.h>

/* ---- The link to the base ------------------------------------------------ */

/* The base's point is in the set, but not fit to be one. */
static void
report_no_base(RfpVerify *verify, const RfpVerifyImage *image, const char *path)
{
    const RfpManifestDisk *disk = image->disk;
    RfpSetPoint *base = rfp_export_set_find(verify->set, disk->base_guid);
    const RfpSetPoint *newer =
        rfp_export_set_find_newer(verify->set, disk->base_guid);

    if (base == NULL && newer != NULL)
        rfp_verify_newer(verify, path, RFP_FINDING_NEWER_BASE,
                         _("disk '%s' builds on point %s: point '%s' of the "
                           "set needs a newer program"),
                         disk->target, disk->base_guid, newer->folder);
    else if (base == NULL)
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISSING,
                          _("disk '%s' builds on point %s, which is not in the "
                            "set"),
                          disk->target, disk->base_guid);
    else if (base->manifest->sequence >= image->point->manifest->sequence)
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISMATCH,
                          _("disk '%s' builds on point '%s', which is not "
                            "older"),
                          disk->target, base->manifest->folder);
    else
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISSING,
                          _("disk '%s' builds on point '%s', which has no data "
                            "of it"),
                          disk->target, base->manifest->folder);
}

static gboolean
same_folder(const char *a, const char *b)
{
    g_autofree char *folder_a = g_path_get_dirname(a);
    g_autofree char *folder_b = g_path_get_dirname(b);

    return strcmp(folder_a, folder_b) == 0;
}

static void
check_link(RfpVerify *verify, RfpVerifyImage *image)
{
    const RfpManifestDisk *disk = image->disk;
    g_autofree char *path =
        g_build_filename(image->point->folder, RFP_MANIFEST_FILE, NULL);

    if (disk->mode != REFPOINT_MODE_INCREMENT)
        return;
    if (image->base == NULL) {
        report_no_base(verify, image, path);
        return;
    }
    if (memcmp(image->base->disk->view, disk->base_view, RFP_LEAF_SIZE) != 0)
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISMATCH,
                          _("disk '%s' builds on another content of point '%s' "
                            "than the set has"),
                          disk->target, image->base->point->manifest->folder);
    if (!same_folder(image->base->disk->image, disk->image))
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISMATCH,
                          _("the image of disk '%s' and that of its base are "
                            "not in one folder"),
                          disk->target);
    if (image->depth > REFPOINT_CHAIN_LIMIT)
        rfp_verify_remark(verify, disk->image, RFP_FINDING_CHAIN_TOO_LONG,
                          _("its chain has %u images: libvirt may refuse to "
                            "open it"),
                          image->depth);
}

/* ---- The image ----------------------------------------------------------- */

/* The manifest says how, and the two must agree. */
static void
check_compression(RfpVerify *verify,
                  const RfpVerifyImage *image,
                  const RfpQcow2Header *header)
{
    const gboolean zstd = header->compression_type == RFP_QCOW2_TYPE_ZSTD;

    if (zstd != (image->disk->compress == REFPOINT_COMPRESS_ZSTD))
        rfp_verify_damage(verify, image->disk->image, RFP_FINDING_IMAGE_DAMAGED,
                          "%s",
                          _("its compression is not that of the manifest"));
}

/* The name is given with a known base only: a missing one has been
 * reported. */
static gboolean
check_backing(RfpVerify *verify,
              const RfpVerifyImage *image,
              const RfpQcow2Header *header,
              const char *backing)
{
    const char *path = image->disk->image;

    if (image->disk->mode == REFPOINT_MODE_INCREMENT && backing == NULL)
        return TRUE;
    if (g_strcmp0(header->backing_file, backing) == 0)
        return TRUE;
    if (backing == NULL)
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISMATCH,
                          _("a full image that has the backing file '%s'"),
                          header->backing_file);
    else
        rfp_verify_damage(verify, path, RFP_FINDING_BASE_MISMATCH,
                          _("its backing file is '%s', not '%s'"),
                          header->backing_file != NULL ? header->backing_file
                                                       : _("none"),
                          backing);
    return FALSE;
}

static gboolean
check_header(RfpVerify *verify,
             const RfpVerifyImage *image,
             const RfpQcow2Header *header)
{
    g_autofree char *backing =
        image->base != NULL ? g_path_get_basename(image->base->disk->image)
                            : NULL;
    g_autoptr(GError) error = NULL;

    check_backing(verify, image, header, backing);
    check_compression(verify, image, header);
    if (rfp_qcow2_header_check(header, image->disk->size, header->backing_file,
                               &error))
        return TRUE;
    rfp_error_make_plain(error);
    rfp_verify_damage(verify, image->disk->image, RFP_FINDING_IMAGE_DAMAGED,
                      "%s", error->message);
    return FALSE;
}

static void
check_image(RfpVerify *verify, RfpVerifyImage *image)
{
    const char *path = image->disk->image;
    g_auto(RfpFd) fd =
        rfp_verify_open(verify, image->point, path, image->disk->image_size);
    g_autoptr(RfpQcow2Reader) reader = NULL;
    g_autoptr(GError) error = NULL;

    if (fd < 0)
        return;
    reader = rfp_qcow2_reader_open(fd, path, &error);
    if (reader == NULL) {
        rfp_verify_unreadable(verify, image->point, path,
                              RFP_FINDING_IMAGE_DAMAGED, error);
        return;
    }
    image->readable =
        check_header(verify, image, rfp_qcow2_reader_header(reader));
    /* what can still be mapped is compared all the same */
    if (!rfp_qcow2_reader_check(reader, &error)) {
        rfp_verify_unreadable(verify, image->point, path,
                              RFP_FINDING_IMAGE_DAMAGED, error);
        image->incomplete = TRUE;
    }
}

/* ---- The digests --------------------------------------------------------- */

static void
check_digests(RfpVerify *verify, RfpVerifyImage *image)
{
    const RfpManifestDisk *disk = image->disk;
    const char *path = disk->digests;
    g_auto(RfpFd) fd =
        rfp_verify_open(verify, image->point, path, disk->digests_size);
    g_autoptr(RfpDigestFile) file = NULL;
    g_autoptr(GError) error = NULL;
    gboolean whole = FALSE;

    if (fd < 0)
        return;
    whole =
        rfp_verify_sha256(verify, image->point, path, fd, disk->digests_sha256);
    if (rfp_verify_stopped(verify))
        return;
    file = rfp_digest_file_open(fd, path, &error);
    if (file == NULL) {
        rfp_verify_unreadable(verify, image->point, path,
                              RFP_FINDING_DIGESTS_DAMAGED, error);
        return;
    }
    if (rfp_digest_file_size(file) != disk->size ||
        memcmp(rfp_digest_file_view(file), disk->view, RFP_LEAF_SIZE) != 0) {
        rfp_verify_damage(verify, path, RFP_FINDING_VIEW_MISMATCH,
                          _("it is of another content than the manifest "
                            "says"));
        return;
    }
    image->has_digests = whole;
}

void
rfp_verify_image(RfpVerify *verify, RfpVerifyImage *image)
{
    check_link(verify, image);
    check_image(verify, image);
    check_digests(verify, image);
    if (image->readable && !image->has_digests && !rfp_verify_stopped(verify))
        rfp_verify_remark(verify, image->disk->image, RFP_FINDING_NOT_COMPARED,
                          _("its data was not compared: there are no sound "
                            "digests of it"));
}
