/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small export sets in temporary folders, made with the real writers. */
#ifndef TEST_SET_H
#define TEST_SET_H

#include "base/names.h"
#include "image/digest-file.h"
#include "image/digest-layout.h"
#include "image/digest-writer.h"
#include "image/qcow2-writer.h"
#include "set/set-points.h"
#include "set/set-folders.h"
#include "set/set-publish.h"
#include "set/seal.h"
#include "set/set-chain.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SET_VM "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"
#define SET_OTHER "vm2/"
#define SET_OTHER_VM "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1df"

/* Whose the sets are. */
static const RfpSetOwner set_owner G_GNUC_UNUSED = {FALSE, SET_VM, "vm1"};
static const RfpSetOwner set_other_owner G_GNUC_UNUSED = {FALSE, SET_OTHER_VM,
                                                          "vm2"};

/* A disk of a point. */
typedef struct {
    const char *target; /* "vm2/vda": of SET_OTHER_VM */
    const char *base;   /* point's name; NULL: a full image */
    guint64 size;
    const char *stored; /* "3:a 4:0": cluster 3 full of "a", 4 reads as zero */
} SetDisk;

typedef struct {
    const char *name;
    SetDisk disks[4]; /* until one has no target */
} SetMade;

static inline char *
set_temp(void)
{
    g_autoptr(GError) error = NULL;
    char *dir = g_dir_make_tmp("refpoint-XXXXXX", &error);

    g_assert_no_error(error);
    return dir;
}

/* A text that was changed, with the seal of what it is now, where it had one.
 * Takes @text. */
static inline char *
set_reseal(char *text)
{
    char *line = strstr(text, "\n<!-- sha256 ");

    if (line == NULL)
        return text;
    line[1] = '\0';
    return rfp_seal_add(text);
}

/* With all that is below. */
static inline void
set_remove(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    g_auto(RfpFd) fd = open(parent, O_RDONLY | O_DIRECTORY);
    RfpFolder folder = {.fd = fd, .shown = parent};
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_files_remove(&folder, name, &error));
    g_assert_no_error(error);
}

/* What a point is called tells its GUID. */
static inline char *
set_guid_of(const char *name)
{
    g_autofree char *sum =
        g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);

    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", sum, sum + 8, sum + 12,
                           sum + 16, sum + 20);
}

/* Writes the clusters of a text as in SetDisk. */
static inline void
set_write_clusters(const SetDisk *made,
                   RfpQcow2Writer *image,
                   RfpDigestWriter *digests)
{
    g_auto(GStrv) words = g_strsplit(made->stored, " ", -1);
    g_autofree guint8 *leaves =
        g_malloc0((gsize)RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    guint8 have[RFP_GROUP_LEAVES / 8] = {0};
    guint8 *data = NULL;
    guint64 group = 0;
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(posix_memalign((void **)&data, RFP_QCOW2_BUFFER_ALIGN,
                                   RFP_CLUSTER_SIZE),
                    ==, 0);
    for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
        guint64 cluster = strtoull(words[i], NULL, 10);
        char byte = *(strchr(words[i], ':') + 1);
        gsize length = (gsize)MIN(RFP_CLUSTER_SIZE,
                                  made->size - cluster * RFP_CLUSTER_SIZE);
        guint8 leaf[RFP_LEAF_SIZE];

        if (cluster / RFP_GROUP_LEAVES != group) {
            g_assert_true(
                rfp_digest_writer_group(digests, group, leaves, have, &error));
            g_assert_true(rfp_qcow2_writer_flush_group(image, group, &error));
            memset(have, 0, sizeof(have));
            group = cluster / RFP_GROUP_LEAVES;
        }
        memset(data, 0, RFP_CLUSTER_SIZE);
        if (byte != '0')
            memset(data, byte, length);
        rfp_digest_leaf(data, length, leaf);
        rfp_digest_set(leaves, have, (guint)(cluster % RFP_GROUP_LEAVES), leaf);
        if (byte == '0')
            g_assert_true(rfp_qcow2_writer_zero(image, cluster, 1, &error));
        else
            g_assert_true(
                rfp_qcow2_writer_write(image, cluster, data, 1, &error));
    }
    free(data);
    if (made->size == 0)
        return;
    g_assert_true(
        rfp_digest_writer_group(digests, group, leaves, have, &error));
    g_assert_true(rfp_qcow2_writer_flush_group(image, group, &error));
    g_assert_no_error(error);
}

static inline void
set_write_image(RfpExportSet *set,
                const SetDisk *made,
                RfpManifestDisk *disk,
                GPtrArray *chain)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *display = g_build_filename(set->path, disk->image, NULL);
    g_autofree char *backing = NULL;
    g_autoptr(RfpQcow2Writer) image = NULL;
    g_autoptr(RfpDigestWriter) digests = NULL;
    g_autoptr(GPtrArray) files = NULL;
    g_auto(RfpFd) fd = -1;

    if (chain != NULL) {
        RfpManifestDisk *base = g_ptr_array_index(chain, 0);

        backing = g_path_get_basename(base->image);
        files = rfp_export_set_open_digests(set, chain, &error);
        g_assert_no_error(error);
    }
    image = rfp_qcow2_writer_new(set->fd, disk->image, display, made->size,
                                 backing, &error);
    g_assert_no_error(error);
    fd = rfp_files_open(&set->folder, disk->digests, O_RDWR | O_CREAT | O_EXCL,
                        &error);
    g_assert_no_error(error);
    digests =
        rfp_digest_writer_new(fd, disk->digests, made->size, files, &error);
    g_assert_no_error(error);
    set_write_clusters(made, image, digests);
    disk->stored = rfp_qcow2_writer_stored(image);
    g_assert_true(rfp_qcow2_writer_finish(image, &disk->image_size, &error));
    g_assert_true(rfp_digest_writer_finish(digests, disk->view,
                                           &disk->digests_size,
                                           disk->digests_sha256, &error));
    g_assert_no_error(error);
    g_assert_cmpint(fchmodat(set->fd, disk->image, 0400, 0), ==, 0);
    g_assert_cmpint(fchmod(fd, 0400), ==, 0);
}

static inline void
set_add_disk(RfpExportSet *set,
             const char *point,
             const char *folder,
             const SetDisk *made,
             RfpManifestVm *vm)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) chain = NULL;
    RfpManifestDisk *disk = rfp_manifest_vm_add_disk(vm);
    const char *target = g_str_has_prefix(made->target, SET_OTHER)
                             ? made->target + strlen(SET_OTHER)
                             : made->target;

    disk->target = g_strdup(target);
    disk->size = made->size;
    disk->mode = made->base ? REFPOINT_MODE_INCREMENT : REFPOINT_MODE_FULL;
    disk->reason_id = g_strdup(made->base ? NULL : "first");
    disk->tracked = TRUE;
    disk->source.type = g_strdup("file");
    disk->source.path = g_strdup("/images/vm1.qcow2");
    if (made->base != NULL) {
        RfpSetPoint *base = rfp_export_set_resolve(set, made->base);

        g_assert_nonnull(base);
        chain = rfp_export_set_chain(set, base, vm->uuid, target, &error);
        g_assert_no_error(error);
        disk->base_guid = g_strdup(base->manifest->guid);
        memcpy(disk->base_view,
               ((RfpManifestDisk *)g_ptr_array_index(chain, 0))->view,
               RFP_LEAF_SIZE);
    }
    disk->image =
        rfp_export_set_image_path(set, folder, target, point, "qcow2", &error);
    g_assert_no_error(error);
    disk->digests = rfp_export_set_image_path(set, folder, target, point,
                                              "digests", &error);
    g_assert_no_error(error);
    set_write_image(set, made, disk, chain);
}

static inline void
set_add_file(RfpExportSet *set,
             const char *partial,
             const char *point,
             const char *folder,
             RfpManifestVm *vm,
             const char *role,
             const char *name,
             const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpSha256) sha = rfp_sha256_new();
    RfpManifestFile *file = rfp_manifest_vm_add_file(vm);
    g_autofree char *path = g_build_filename(partial, folder, name, NULL);

    file->role = g_strdup(role);
    file->path = g_build_filename(point, folder, name, NULL);
    file->size = strlen(text);
    rfp_sha256_update(sha, text, strlen(text));
    rfp_sha256_finish(sha, file->sha256);
    g_assert_true(
        rfp_files_write(&set->folder, path, text, strlen(text), 0400, &error));
    g_assert_no_error(error);
}

static inline gboolean
set_is_other(const SetDisk *disk)
{
    return g_str_has_prefix(disk->target, SET_OTHER);
}

/* A VM of a point, with its disks, and its folder in the partial one. */
static inline void
set_add_vm(RfpExportSet *set,
           const SetMade *made,
           gboolean other,
           const char *partial,
           const char *checkpoint,
           RfpManifest *manifest)
{
    const char *uuid = other ? SET_OTHER_VM : SET_VM;
    const char *name = other ? "vm2" : "vm1";
    g_autoptr(GError) error = NULL;
    RfpManifestVm *vm = rfp_manifest_add_vm(manifest);
    g_autofree char *mended = NULL;
    g_autofree char *folder =
        rfp_export_set_vm_folder(set, uuid, name, &mended, &error);
    g_autofree char *dir = g_build_filename(partial, folder, NULL);

    g_assert_no_error(error);
    vm->uuid = g_strdup(uuid);
    vm->name = g_strdup(name);
    vm->folder = g_strdup(folder);
    for (const SetDisk *disk = made->disks; disk->target != NULL; disk++) {
        if (set_is_other(disk) == other)
            set_add_disk(set, made->name, folder, disk, vm);
    }
    g_assert_true(rfp_files_make_dirs(&set->folder, dir, &error));
    set_add_file(set, partial, made->name, folder, vm, "config", "domain.xml",
                 "<domain/>\n");
    if (checkpoint != NULL)
        set_add_file(set, partial, made->name, folder, vm, "runtime",
                     "checkpoint.xml", checkpoint);
}

static inline gboolean
set_has_other(const SetMade *made)
{
    for (const SetDisk *disk = made->disks; disk->target != NULL; disk++) {
        if (set_is_other(disk))
            return TRUE;
    }
    return FALSE;
}

/* Publishes a point; @set is loaded again. @checkpoint: the text of its
 * checkpoint.xml, or NULL. */
static inline void
set_add_point_of(RfpExportSet *set, const SetMade *made, const char *checkpoint)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpManifest) manifest = rfp_manifest_new();
    const RfpSetPoint *before = rfp_export_set_last(set);
    g_autofree char *partial = NULL;
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;

    manifest->generator = g_strdup("test");
    manifest->set_guid = g_strdup(set->file->guid);
    manifest->sequence = before ? rfp_set_point_sequence(before) + 1 : 1;
    manifest->parent_guid =
        g_strdup(before ? rfp_set_point_guid(before) : NULL);
    manifest->vouches = TRUE;
    memcpy(manifest->set_file_sha256, set->file_sha256, RFP_LEAF_SIZE);
    if (before != NULL)
        memcpy(manifest->parent_sha256, before->sha256, RFP_LEAF_SIZE);
    manifest->folder = g_strdup(made->name);
    manifest->guid = set_guid_of(made->name);
    manifest->consistency = REFPOINT_CONSISTENCY_APPLICATION;
    manifest->created_us = G_GINT64_CONSTANT(1795293000123456);
    manifest->published_us = G_GINT64_CONSTANT(1795293002000007);
    partial = rfp_export_set_partial_name(manifest->guid);
    set_add_vm(set, made, FALSE, partial, checkpoint, manifest);
    if (set_has_other(made))
        set_add_vm(set, made, TRUE, partial, NULL, manifest);
    text = rfp_manifest_format(manifest);
    path = g_build_filename(partial, "export.xml", NULL);
    g_assert_true(
        rfp_files_write(&set->folder, path, text, strlen(text), 0400, &error));
    g_assert_true(rfp_export_set_publish(set, partial, made->name, &error));
    g_assert_true(rfp_export_set_sync(set, &error));
    g_assert_no_error(error);
    g_assert_true(rfp_export_set_load(set, &error));
    g_assert_no_error(error);
}

static inline void
set_add_point(RfpExportSet *set, const SetMade *made)
{
    set_add_point_of(set, made, NULL);
}

/* A set at @path with the points of a table that ends without a name. */
static inline void
set_make(const char *path, const SetMade *points)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set =
        rfp_export_set_prepare(path, &set_owner, &error);

    g_assert_no_error(error);
    for (; points->name != NULL; points++)
        set_add_point(set, points);
}

/* Replaces the first @from in a file, if it is there, and seals it again. */
static inline void
set_edit(const char *dir, const char *name, const char *from, const char *to)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *text = NULL;
    g_autofree char *head = NULL;
    g_autofree char *changed = NULL;
    const char *at = NULL;
    struct stat st;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(stat(path, &st), ==, 0);
    at = strstr(text, from);
    if (at == NULL)
        return;
    head = g_strndup(text, (gsize)(at - text));
    changed = set_reseal(g_strconcat(head, to, at + strlen(from), NULL));
    g_unlink(path);
    g_assert_true(g_file_set_contents(path, changed, -1, NULL));
    g_assert_cmpint(g_chmod(path, st.st_mode & 07777), ==, 0);
}

/* The SHA-256 of a file, in hexadecimal. */
static inline char *
set_sha256(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guint8 *)text,
                                       length);
}

/* In the manifest of a point, @from becomes @to, and what the later points say
 * of manifests is as it would be had it always been so. */
static inline void
set_edit_point(const char *dir,
               const SetMade *points,
               const char *point,
               const char *from,
               const char *to)
{
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;

    for (; points->name != NULL; points++) {
        g_autofree char *name =
            g_build_filename(points->name, "export.xml", NULL);
        g_autofree char *was = set_sha256(dir, name);

        if (strcmp(points->name, point) == 0)
            set_edit(dir, name, from, to);
        if (before != NULL)
            set_edit(dir, name, before, after);
        g_free(before);
        g_free(after);
        before = g_steal_pointer(&was);
        after = set_sha256(dir, name);
    }
}

/* A point as a newer program makes it, which requires the feature "later". */
static inline void
set_make_newer(const char *dir, const SetMade *points, const char *point)
{
    set_edit_point(dir, points, point, "<generator",
                   "<feature name=\"later\"/><generator");
}

/* Takes away what earlier versions did not write. */
static inline void
set_unseal(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *text = NULL;
    char *from = NULL;
    struct stat st;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpint(stat(path, &st), ==, 0);
    strstr(text, "\n<!-- sha256")[1] = '\0';
    from = strstr(text, "  <integrity");
    if (from != NULL) {
        const char *to = strchr(from, '\n') + 1;

        memmove(from, to, strlen(to) + 1);
    }
    g_unlink(path);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, st.st_mode & 07777), ==, 0);
}

/* A set as earlier versions made it. */
static inline void
set_make_old(const char *path, const SetMade *points)
{
    set_make(path, points);
    set_unseal(path, "set.xml");
    set_unseal(path, "folders.xml");
    for (; points->name != NULL; points++) {
        g_autofree char *name =
            g_build_filename(points->name, "export.xml", NULL);

        set_unseal(path, name);
    }
}

#endif
