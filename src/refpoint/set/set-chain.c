/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-chain.h"
#include "base/text.h"
#include "base/xml.h"
#include "image/digest-file.h"
#include "image/qcow2-reader.h"
#include "set/set-points.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* L2 tables of a chain that are read before it is built on, 32 MiB; those of a
 * large disk that is written everywhere are many times that. */
#define TABLES_MAX 512

/* There is no base, or it cannot be read here. */
static void
no_base(RfpExportSet *set,
        const RfpSetPoint *point,
        const RfpManifestDisk *disk,
        GError **error)
{
    const RfpSetPoint *newer = rfp_export_set_find_newer(set, disk->base_guid);

    if (newer == NULL || rfp_export_set_find(set, disk->base_guid) != NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("disk '%s' of point '%s' builds on point %s, which "
                        "is not in the set '%s'"),
                      disk->target, point->manifest->folder, disk->base_guid,
                      set->path);
        return;
    }
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("disk '%s' of point '%s' builds on point %s: point '%s' "
                    "of the set needs a newer program"),
                  disk->target, point->manifest->folder, disk->base_guid,
                  newer->folder);
    rfp_error_add_object(error, newer->folder);
    rfp_error_add_way_out(error, _("use a newer virt-refpoint"));
}

/* The next older link, or NULL with an error. */
static RfpManifestDisk *
follow(RfpExportSet *set,
       const RfpSetPoint **point,
       const char *vm_uuid,
       const RfpManifestDisk *disk,
       GError **error)
{
    const RfpSetPoint *base = rfp_export_set_find(set, disk->base_guid);
    RfpManifestDisk *older =
        base != NULL ? rfp_set_point_disk(base, vm_uuid, disk->target) : NULL;

    if (older == NULL ||
        base->manifest->sequence >= (*point)->manifest->sequence) {
        no_base(set, *point, disk, error);
        return NULL;
    }
    if (memcmp(older->view, disk->base_view, RFP_LEAF_SIZE) != 0) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("disk '%s' of point '%s' builds on another content of "
                        "point '%s' than the set has"),
                      disk->target, (*point)->manifest->folder,
                      base->manifest->folder);
        return NULL;
    }
    *point = base;
    return older;
}

GPtrArray *
rfp_export_set_chain(RfpExportSet *set,
                     const RfpSetPoint *point,
                     const char *vm_uuid,
                     const char *target,
                     GError **error)
{
    g_autoptr(GPtrArray) chain = g_ptr_array_new();
    RfpManifestDisk *disk = rfp_set_point_disk(point, vm_uuid, target);

    if (disk == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("point '%s' has no data of disk '%s'"),
                      point->manifest != NULL ? point->manifest->folder
                                              : point->folder,
                      target);
        return NULL;
    }
    g_ptr_array_add(chain, disk);
    /* sequence numbers fall with every link, so this ends */
    while (disk->mode == REFPOINT_MODE_INCREMENT) {
        disk = follow(set, &point, vm_uuid, disk, error);
        if (disk == NULL)
            return NULL;
        g_ptr_array_add(chain, disk);
    }
    return g_steal_pointer(&chain);
}

/* ---- Its files ----------------------------------------------------------- */

static gboolean
not_of_manifest(const RfpExportSet *set,
                const char *path,
                const char *what,
                GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED, _("'%s/%s' is damaged: %s"),
                  set->path, path, what);
    rfp_error_add_object(error, path);
    return FALSE;
}

/* -1: it is not there, or has another size than its manifest says. */
static int
open_sized(RfpExportSet *set, const char *path, guint64 size, GError **error)
{
    g_auto(RfpFd) fd = rfp_files_open(&set->folder, path, O_RDONLY, error);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || (guint64)st.st_size != size) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("'%s/%s' has another size than its manifest says"),
                      set->path, path);
        rfp_error_add_object(error, path);
        return -1;
    }
    return rfp_fd_steal(&fd);
}

char *
rfp_export_set_read_file(RfpExportSet *set,
                         const RfpManifestFile *file,
                         GError **error)
{
    g_autofree char *text = NULL;
    guint8 sha256[RFP_LEAF_SIZE];
    gsize length = 0;

    text = rfp_files_read(&set->folder, file->path, RFP_XML_SIZE_MAX, &length,
                          error);
    if (text == NULL)
        return NULL;
    rfp_sha256(text, length, sha256);
    if (length == file->size && length == strlen(text) &&
        memcmp(sha256, file->sha256, RFP_LEAF_SIZE) == 0)
        return g_steal_pointer(&text);
    not_of_manifest(set, file->path, _("it is not what its manifest says"),
                    error);
    return NULL;
}

/* Every leaf counts: one that is wrong is in the groups of all later views. */
static RfpDigestFile *
prove_digests(RfpExportSet *set, const RfpManifestDisk *disk, GError **error)
{
    const char *path = disk->digests;
    g_auto(RfpFd) fd = open_sized(set, path, disk->digests_size, error);
    guint8 sha256[RFP_LEAF_SIZE];
    int failed = 0;

    if (fd < 0)
        return NULL;
    failed = rfp_files_sha256(fd, sha256);
    if (failed != 0) {
        rfp_error_set_errno(error, failed, _("cannot read '%s/%s'"), set->path,
                            path);
        rfp_error_add_object(error, path);
        return NULL;
    }
    if (memcmp(sha256, disk->digests_sha256, sizeof(sha256)) != 0) {
        not_of_manifest(set, path, _("its SHA-256 is not that of the manifest"),
                        error);
        return NULL;
    }
    return rfp_digest_file_open(fd, path, error);
}

/* The tables of an image beside its digests. */
typedef struct {
    RfpDigestFile *digests;
    guint64 next; /* entry */
} Beside;

static gboolean
not_as_digests(guint64 cluster, const char *what, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("cluster %" PRIu64 " of the disk: %s"), cluster, what);
    return FALSE;
}

/* What is stored has a digest. */
static gboolean
look_at_cluster(guint64 cluster,
                RfpQcow2Kind kind,
                gpointer opaque,
                GError **error)
{
    Beside *beside = opaque;
    guint8 leaf[RFP_LEAF_SIZE];
    guint64 other = 0;

    if (beside->next >= rfp_digest_file_entries(beside->digests))
        return not_as_digests(cluster, _("stored without a digest"), error);
    if (!rfp_digest_file_entry(beside->digests, beside->next, &other, leaf,
                               error))
        return FALSE;
    beside->next++;
    if (cluster < other)
        return not_as_digests(cluster, _("stored without a digest"), error);
    if (cluster > other)
        return not_as_digests(other, _("not stored, though there is a digest"),
                              error);
    if (kind == RFP_QCOW2_ZEROES && !rfp_is_zero(leaf, sizeof(leaf)))
        return not_as_digests(cluster,
                              _("stored as zeroes, which the digest is not of"),
                              error);
    return TRUE;
}

/* The tables are sound, and hold what has a digest and nothing else. */
static gboolean
prove_tables(RfpQcow2Reader *reader, RfpDigestFile *digests, GError **error)
{
    Beside beside = {digests, 0};
    guint8 leaf[RFP_LEAF_SIZE];
    guint64 cluster = 0;

    if (!rfp_qcow2_reader_check_each(reader, look_at_cluster, &beside, error))
        return FALSE;
    if (beside.next >= rfp_digest_file_entries(digests))
        return TRUE;
    return rfp_digest_file_entry(digests, beside.next, &cluster, leaf, error) &&
           not_as_digests(cluster, _("not stored, though there is a digest"),
                          error);
}

/* The same of the L1 table alone: where there are digests, there is an L2
 * table. */
static gboolean
prove_frame(RfpQcow2Reader *reader, RfpDigestFile *digests, GError **error)
{
    if (!rfp_qcow2_reader_check_frame(reader, error))
        return FALSE;
    for (guint64 i = 0; i < rfp_digest_file_entries(digests); i++) {
        guint8 leaf[RFP_LEAF_SIZE];
        guint64 cluster = 0;

        if (!rfp_digest_file_entry(digests, i, &cluster, leaf, error))
            return FALSE;
        if (rfp_qcow2_reader_l1_empty(reader, (guint32)(cluster /
                                                        RFP_QCOW2_L2_ENTRIES)))
            return not_as_digests(cluster,
                                  _("not stored, though there is a digest"),
                                  error);
    }
    return TRUE;
}

/* As far as @left goes, which is how many tables may still be read. */
static gboolean
prove_structure(RfpQcow2Reader *reader,
                RfpDigestFile *digests,
                guint *left,
                GError **error)
{
    const guint n = rfp_qcow2_reader_tables(reader);

    if (n > *left)
        return prove_frame(reader, digests, error);
    *left -= n;
    return prove_tables(reader, digests, error);
}

/* What QEMU believes when it opens the image: header and tables. Its data is
 * as large as the disk and is left to verify. */
static gboolean
prove_image(RfpExportSet *set,
            const RfpManifestDisk *disk,
            const RfpManifestDisk *base,
            RfpDigestFile *digests,
            guint *left,
            GError **error)
{
    g_auto(RfpFd) fd = open_sized(set, disk->image, disk->image_size, error);
    g_autofree char *backing =
        base != NULL ? g_path_get_basename(base->image) : NULL;
    g_autoptr(RfpQcow2Reader) reader = NULL;

    if (fd < 0)
        return FALSE;
    reader = rfp_qcow2_reader_open(fd, disk->image, error);
    if (reader != NULL &&
        rfp_qcow2_header_check(rfp_qcow2_reader_header(reader), disk->size,
                               backing, error) &&
        prove_structure(reader, digests, left, error))
        return TRUE;
    rfp_error_prefix(error, _("'%s/%s' is damaged"), set->path, disk->image);
    return FALSE;
}

/* QEMU looks for a backing file by its bare name. */
static gboolean
check_folder(const RfpExportSet *set,
             const RfpManifestDisk *disk,
             const RfpManifestDisk *base,
             GError **error)
{
    g_autofree char *folder = g_path_get_dirname(disk->image);
    g_autofree char *other =
        base != NULL ? g_path_get_dirname(base->image) : NULL;

    if (other == NULL || strcmp(folder, other) == 0)
        return TRUE;
    return not_of_manifest(set, disk->image,
                           _("its base lies in another folder"), error);
}

gboolean
rfp_export_set_check_chain(RfpExportSet *set, GPtrArray *chain, GError **error)
{
    guint left = TABLES_MAX;

    for (guint i = 0; i < chain->len; i++) {
        RfpManifestDisk *disk = g_ptr_array_index(chain, i);
        RfpManifestDisk *base =
            i + 1 < chain->len ? g_ptr_array_index(chain, i + 1) : NULL;
        g_autoptr(RfpDigestFile) digests = NULL;

        /* several candidates end in the same images */
        if (g_hash_table_contains(set->proven, disk))
            continue;
        digests = prove_digests(set, disk, error);
        if (digests == NULL || !check_folder(set, disk, base, error) ||
            !prove_image(set, disk, base, digests, &left, error))
            return FALSE;
        g_hash_table_add(set->proven, disk);
    }
    return TRUE;
}

GPtrArray *
rfp_export_set_open_digests(RfpExportSet *set, GPtrArray *chain, GError **error)
{
    g_autoptr(GPtrArray) files =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_digest_file_free);

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
