/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The chains of an export set's disks (export-set.h). */
#include "digest-file.h"
#include "export-set.h"
#include "qcow2-layout.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static RfpManifestDisk *
point_disk(const RfpSetPoint *point, const char *target)
{
    RfpManifestVm *vm = rfp_set_point_vm(point);
    RfpManifestDisk *disk = vm ? rfp_manifest_vm_disk(vm, target) : NULL;

    return disk && disk->mode != REFPOINT_MODE_LEFT_OUT ? disk : NULL;
}

/* The next older link, or NULL with an error. */
static RfpManifestDisk *
follow(RfpExportSet *set,
       const RfpSetPoint **point,
       const RfpManifestDisk *disk,
       GError **error)
{
    const RfpSetPoint *base = rfp_export_set_find(set, disk->base_guid);
    RfpManifestDisk *older = base ? point_disk(base, disk->target) : NULL;

    if (older == NULL ||
        base->manifest->sequence >= (*point)->manifest->sequence) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("disk '%s' of point '%s' builds on point %s, which "
                        "is not in the set '%s'"),
                      disk->target, (*point)->manifest->name, disk->base_guid,
                      set->path);
        return NULL;
    }
    if (memcmp(older->view, disk->base_view, RFP_LEAF_SIZE) != 0) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("disk '%s' of point '%s' builds on another content of "
                        "point '%s' than the set has"),
                      disk->target, (*point)->manifest->name,
                      base->manifest->name);
        return NULL;
    }
    *point = base;
    return older;
}

GPtrArray *
rfp_export_set_chain(RfpExportSet *set,
                     const RfpSetPoint *point,
                     const char *target,
                     GError **error)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    RfpManifestDisk *disk = point_disk(point, target);

    if (disk == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("point '%s' has no data of disk '%s'"),
                      point->manifest ? point->manifest->name : point->folder,
                      target);
        return NULL;
    }
    g_ptr_array_add(chain, disk);
    /* sequence numbers fall with every link, so this ends */
    while (disk->mode == REFPOINT_MODE_INCREMENT) {
        disk = follow(set, &point, disk, error);
        if (disk == NULL)
            return NULL;
        g_ptr_array_add(chain, disk);
    }
    return g_steal_pointer(&chain);
}

static gboolean
read_header(int fd, RfpQcow2Header *header, const char *path, GError **error)
{
    g_autofree guint8 *buffer = g_malloc(RFP_CLUSTER_SIZE);
    gssize got = pread(fd, buffer, RFP_CLUSTER_SIZE, 0);

    if (got < 0) {
        rfp_error_set_errno(error, errno, _("cannot read '%s'"), path);
        return FALSE;
    }
    return rfp_qcow2_header_read(buffer, (gsize)got, header, error);
}

static gboolean
check_image(RfpExportSet *set,
            const RfpManifestDisk *disk,
            const RfpManifestDisk *base,
            GError **error)
{
    g_auto(RfpFd) fd =
        rfp_files_open(&set->folder, disk->image, O_RDONLY, error);
    g_auto(RfpQcow2Header) header = {0};
    g_autofree char *backing = base ? g_path_get_basename(base->image) : NULL;
    struct stat st;

    if (fd < 0)
        return FALSE;
    if (fstat(fd, &st) < 0 || (guint64)st.st_size != disk->image_size) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("'%s/%s' has another size than its manifest says"),
                      set->path, disk->image);
        return FALSE;
    }
    if (!read_header(fd, &header, disk->image, error) ||
        !rfp_qcow2_header_check(&header, disk->size, backing, error)) {
        rfp_error_prefix(error, _("'%s/%s' is damaged"), set->path,
                         disk->image);
        return FALSE;
    }
    return TRUE;
}

static gboolean
check_digests(RfpExportSet *set, const RfpManifestDisk *disk, GError **error)
{
    g_auto(RfpFd) fd =
        rfp_files_open(&set->folder, disk->digests, O_RDONLY, error);
    struct stat st;

    if (fd < 0)
        return FALSE;
    if (fstat(fd, &st) < 0 || (guint64)st.st_size != disk->digests_size) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("'%s/%s' has another size than its manifest says"),
                      set->path, disk->digests);
        return FALSE;
    }
    return TRUE;
}

gboolean
rfp_export_set_check_chain(RfpExportSet *set, GPtrArray *chain, GError **error)
{
    for (guint i = 0; i < chain->len; i++) {
        RfpManifestDisk *disk = g_ptr_array_index(chain, i);
        RfpManifestDisk *base =
            i + 1 < chain->len ? g_ptr_array_index(chain, i + 1) : NULL;

        if (!check_image(set, disk, base, error) ||
            !check_digests(set, disk, error))
            return FALSE;
    }
    return TRUE;
}

GPtrArray *
rfp_export_set_open_digests(RfpExportSet *set,
                            GPtrArray *chain,
                            GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(
        (GDestroyNotify)rfp_digest_file_free);

    for (guint i = 0; i < chain->len; i++) {
        RfpManifestDisk *disk = g_ptr_array_index(chain, i);
        g_auto(RfpFd) fd =
            rfp_files_open(&set->folder, disk->digests, O_RDONLY, error);
        RfpDigestFile *file =
            fd < 0 ? NULL : rfp_digest_file_open(fd, disk->digests, error);

        if (file == NULL)
            return NULL;
        g_ptr_array_add(files, file);
        if (rfp_digest_file_size(file) != disk->size ||
            memcmp(rfp_digest_file_view(file), disk->view, RFP_LEAF_SIZE) !=
                0) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("'%s/%s' is not the digests of its manifest"),
                          set->path, disk->digests);
            return NULL;
        }
    }
    return g_steal_pointer(&files);
}
