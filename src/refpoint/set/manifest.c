/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/manifest.h"
#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "set/manifest-xml.h"
#include "set/seal.h"

#include <string.h>

/* A .digests file: header and trailer, an entry, a group (digest-file.h). */
#define DIGESTS_FIXED 128
#define DIGESTS_ENTRY 40

/* The largest disk with its tables is far below. */
#define IMAGE_SIZE_MAX (2 * RFP_DISK_SIZE_MAX)

#define ON_FULL (1u << REFPOINT_MODE_FULL)
#define ON_INCREMENT (1u << REFPOINT_MODE_INCREMENT)
#define ON_EXPORTED (ON_FULL | ON_INCREMENT)

/* An element inside <disk>, its attributes are fields of RfpManifestDisk. */
typedef struct {
    const char *name;
    const RfpField *fields;
    guint modes; /* where it stands */
    gboolean optional;
} Part;

/* While reading: what must be there only once is remembered. */
typedef struct {
    const char *what;
    gboolean sealed;
    GHashTable *seen; /* char * */
    RfpManifest *manifest;
} Reader;

static const RfpField generator_fields[2];
static const RfpField set_fields[4];
static const RfpField point_fields[8];
static const RfpField collection_fields[6];
static const RfpField integrity_fields[3];
static const RfpField vm_fields[9];
static const RfpField file_fields[5];
static const RfpField disk_fields[5];
static const RfpField audit_fields[3];
static const Part parts[7];
static const RfpChild export_children[7];
static const RfpChild vm_children[3];
static const RfpChild disk_children[7];

static void
file_free(RfpManifestFile *file)
{
    g_free(file->role);
    g_free(file->path);
    g_free(file);
}

static void
disk_free(RfpManifestDisk *disk)
{
    g_free(disk->target);
    g_free(disk->reason_id);
    rfp_disk_source_clear(&disk->source);
    g_free(disk->base_guid);
    g_free(disk->image);
    g_free(disk->digests);
    g_free(disk);
}

static void
vm_free(RfpManifestVm *vm)
{
    g_free(vm->uuid);
    g_free(vm->name);
    g_free(vm->folder);
    g_ptr_array_unref(vm->files);
    g_ptr_array_unref(vm->disks);
    g_free(vm);
}

RfpManifest *
rfp_manifest_new(void)
{
    RfpManifest *manifest = g_new0(RfpManifest, 1);

    manifest->vms = g_ptr_array_new_with_free_func((GDestroyNotify)vm_free);
    return manifest;
}

void
rfp_manifest_free(RfpManifest *manifest)
{
    if (manifest == NULL)
        return;
    g_free(manifest->generator);
    g_free(manifest->set_guid);
    g_free(manifest->parent_guid);
    g_free(manifest->folder);
    g_free(manifest->guid);
    g_free(manifest->collection_name);
    g_free(manifest->collection_guid);
    g_ptr_array_unref(manifest->vms);
    g_free(manifest);
}

RfpManifestVm *
rfp_manifest_add_vm(RfpManifest *manifest)
{
    RfpManifestVm *vm = g_new0(RfpManifestVm, 1);

    vm->files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
    vm->disks = g_ptr_array_new_with_free_func((GDestroyNotify)disk_free);
    g_ptr_array_add(manifest->vms, vm);
    return vm;
}

RfpManifestFile *
rfp_manifest_vm_add_file(RfpManifestVm *vm)
{
    RfpManifestFile *file = g_new0(RfpManifestFile, 1);

    g_ptr_array_add(vm->files, file);
    return file;
}

RfpManifestFile *
rfp_manifest_vm_file(const RfpManifestVm *vm, const char *role)
{
    for (guint i = 0; i < vm->files->len; i++) {
        RfpManifestFile *file = vm->files->pdata[i];

        if (g_strcmp0(file->role, role) == 0)
            return file;
    }
    return NULL;
}

RfpManifestDisk *
rfp_manifest_vm_add_disk(RfpManifestVm *vm)
{
    RfpManifestDisk *disk = g_new0(RfpManifestDisk, 1);

    g_ptr_array_add(vm->disks, disk);
    return disk;
}

RfpManifestDisk *
rfp_manifest_vm_disk(const RfpManifestVm *vm, const char *target)
{
    for (guint i = 0; i < vm->disks->len; i++) {
        RfpManifestDisk *disk = vm->disks->pdata[i];

        if (g_strcmp0(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

/* ---- Writing ------------------------------------------------------------- */

static gboolean
part_stands(const Part *part, const RfpManifestDisk *disk)
{
    if (part->fields == audit_fields && disk->audit == REFPOINT_AUDIT_NONE)
        return FALSE;
    return (part->modes & 1u << disk->mode) != 0;
}

static void
format_disk(xmlNodePtr parent, const RfpManifestDisk *disk)
{
    xmlNodePtr node = rfp_manifest_xml_add(parent, "disk", disk_fields, disk);

    for (const Part *p = parts; p->name != NULL; p++) {
        if (part_stands(p, disk))
            rfp_manifest_xml_add(node, p->name, p->fields, disk);
    }
}

static void
format_vm(xmlNodePtr parent, const RfpManifestVm *vm)
{
    xmlNodePtr node = rfp_manifest_xml_add(parent, "vm", vm_fields, vm);

    for (guint i = 0; i < vm->files->len; i++)
        rfp_manifest_xml_add(node, "file", file_fields, vm->files->pdata[i]);
    for (guint i = 0; i < vm->disks->len; i++)
        format_disk(node, vm->disks->pdata[i]);
}

static void
format_integrity(xmlNodePtr root, const RfpManifest *manifest)
{
    xmlNodePtr node =
        rfp_manifest_xml_add(root, "integrity", integrity_fields, manifest);

    xmlSetNs(node, xmlNewNs(node, BAD_CAST RFP_INTEGRITY_URI, NULL));
}

char *
rfp_manifest_format(const RfpManifest *manifest)
{
    g_autoptr(xmlDoc) doc = rfp_manifest_xml_new("export");
    xmlNodePtr root = xmlDocGetRootElement(doc);

    rfp_manifest_xml_add(root, "generator", generator_fields, manifest);
    rfp_manifest_xml_add(root, "set", set_fields, manifest);
    rfp_manifest_xml_add(root, "point", point_fields, manifest);
    if (manifest->collection_guid != NULL)
        rfp_manifest_xml_add(root, "collection", collection_fields, manifest);
    if (manifest->vouches)
        format_integrity(root, manifest);
    for (guint i = 0; i < manifest->vms->len; i++)
        format_vm(root, manifest->vms->pdata[i]);
    return rfp_manifest_xml_seal(doc);
}

/* ---- Reading ------------------------------------------------------------- */

/* FALSE if there was a @kind called @name (and @name2) already. */
static gboolean
claim(Reader *reader,
      xmlNodePtr node,
      const char *kind,
      const char *name,
      const char *name2,
      GError **error)
{
    char *key = g_strjoin("\n", kind, name, name2, NULL);

    if (g_hash_table_add(reader->seen, key))
        return TRUE;
    rfp_manifest_xml_damage(error, reader->what, node,
                            _("'%s' stands there twice"),
                            name2 != NULL ? name2 : name);
    return FALSE;
}

/* Makes a condition an error. */
static gboolean
require(Reader *reader,
        xmlNodePtr node,
        gboolean condition,
        const char *name,
        GError **error)
{
    if (!condition)
        rfp_manifest_xml_damage(error, reader->what, node,
                                _("'%s' is not possible here"), name);
    return condition;
}

/* A ":" in the name of an image makes QEMU see a protocol. */
static gboolean
image_path_ok(const char *path)
{
    return g_str_has_prefix(path, RFP_DISKS_DIR "/") &&
           strchr(path, ':') == NULL;
}

static gboolean
check_exported(Reader *reader,
               xmlNodePtr node,
               const RfpManifestDisk *disk,
               GError **error)
{
    guint64 clusters = rfp_cluster_count(disk->size);
    guint64 digests_max = DIGESTS_FIXED + clusters * DIGESTS_ENTRY +
                          rfp_group_count(disk->size) * RFP_LEAF_SIZE;

    return require(reader, node, image_path_ok(disk->image), "image", error) &&
           require(reader, node, image_path_ok(disk->digests), "digests",
                   error) &&
           require(reader, node, disk->stored <= clusters * RFP_CLUSTER_SIZE,
                   "stored", error) &&
           require(reader, node, disk->digests_size <= digests_max,
                   "digests size", error) &&
           require(reader, node,
                   !rfp_guid_equal(disk->base_guid, reader->manifest->guid),
                   "base", error) &&
           claim(reader, node, "path", disk->image, NULL, error) &&
           claim(reader, node, "path", disk->digests, NULL, error);
}

static gboolean
parse_part(Reader *reader,
           xmlNodePtr node,
           const Part *part,
           RfpManifestDisk *disk,
           GError **error)
{
    xmlNodePtr child = rfp_manifest_xml_child(node, part->name);
    gboolean stands = (part->modes & 1u << disk->mode) != 0;

    if (child == NULL && stands && !part->optional) {
        rfp_manifest_xml_damage(error, reader->what, node,
                                _("element '%s' is missing"), part->name);
        return FALSE;
    }
    if (child == NULL)
        return TRUE;
    return require(reader, child, stands, part->name, error) &&
           rfp_manifest_xml_read_leaf(child, part->fields, disk, reader->what,
                                      error);
}

static gboolean
parse_disk(Reader *reader, RfpManifestVm *vm, xmlNodePtr node, GError **error)
{
    RfpManifestDisk *disk = rfp_manifest_vm_add_disk(vm);

    if (!rfp_manifest_xml_read(node, disk_fields, disk, reader->what, error) ||
        !rfp_manifest_xml_check(node, disk_children, reader->what, error) ||
        !claim(reader, node, "disk", vm->uuid, disk->target, error))
        return FALSE;
    for (const Part *p = parts; p->name != NULL; p++) {
        if (!parse_part(reader, node, p, disk, error))
            return FALSE;
    }
    return disk->mode == REFPOINT_MODE_LEFT_OUT ||
           check_exported(reader, node, disk, error);
}

/* Files of a VM stand in its folder of the point. */
static gboolean
parse_file(Reader *reader, RfpManifestVm *vm, xmlNodePtr node, GError **error)
{
    RfpManifestFile *file = rfp_manifest_vm_add_file(vm);
    g_autofree char *folder =
        g_strconcat(reader->manifest->folder, "/", vm->folder, "/", NULL);

    return rfp_manifest_xml_read_leaf(node, file_fields, file, reader->what,
                                      error) &&
           require(reader, node, g_str_has_prefix(file->path, folder), "path",
                   error) &&
           claim(reader, node, "path", file->path, NULL, error);
}

static gboolean
parse_vm(Reader *reader, xmlNodePtr node, GError **error)
{
    RfpManifestVm *vm = rfp_manifest_add_vm(reader->manifest);

    if (!rfp_manifest_xml_read(node, vm_fields, vm, reader->what, error) ||
        !rfp_manifest_xml_check(node, vm_children, reader->what, error) ||
        !claim(reader, node, "vm", vm->uuid, NULL, error) ||
        !claim(reader, node, "folder", vm->folder, NULL, error))
        return FALSE;
    for (xmlNodePtr n = rfp_manifest_xml_child(node, "file"); n != NULL;
         n = rfp_xml_next(n)) {
        if (!parse_file(reader, vm, n, error))
            return FALSE;
    }
    for (xmlNodePtr n = rfp_manifest_xml_child(node, "disk"); n != NULL;
         n = rfp_xml_next(n)) {
        if (!parse_disk(reader, vm, n, error))
            return FALSE;
    }
    return TRUE;
}

/* An element that stands at most once; whether it is there has been
 * checked. */
static gboolean
parse_single(Reader *reader,
             xmlNodePtr root,
             const char *name,
             const RfpField *fields,
             GError **error)
{
    xmlNodePtr node = rfp_manifest_xml_child(root, name);

    return node == NULL ||
           rfp_manifest_xml_read_leaf(node, fields, reader->manifest,
                                      reader->what, error);
}

/* A manifest that says something of other files is sealed itself: whether the
 * line got lost could not be seen otherwise. */
static gboolean
parse_integrity(Reader *reader, xmlNodePtr root, GError **error)
{
    RfpManifest *manifest = reader->manifest;
    xmlNodePtr node = rfp_xml_child(root, "integrity", RFP_INTEGRITY_URI);
    gboolean parent;

    if (node == NULL)
        return TRUE;
    manifest->vouches = TRUE;
    if (!rfp_manifest_xml_read_leaf(node, integrity_fields, manifest,
                                    reader->what, error))
        return FALSE;
    if (!reader->sealed) {
        rfp_manifest_xml_damage(error, reader->what, root,
                                _("the last line, with the SHA-256 of the "
                                  "others, is missing"));
        return FALSE;
    }
    parent = !rfp_is_zero(manifest->parent_sha256, RFP_LEAF_SIZE);
    return require(reader, node, rfp_xml_next(node) == NULL, "integrity",
                   error) &&
           require(reader, node, parent == (manifest->parent_guid != NULL),
                   "parent", error);
}

static gboolean
parse_export(Reader *reader, xmlNodePtr root, GError **error)
{
    RfpManifest *manifest = reader->manifest;

    if (!rfp_manifest_xml_check(root, export_children, reader->what, error) ||
        !parse_single(reader, root, "generator", generator_fields, error) ||
        !parse_single(reader, root, "set", set_fields, error) ||
        !parse_single(reader, root, "point", point_fields, error) ||
        !parse_single(reader, root, "collection", collection_fields, error) ||
        !parse_integrity(reader, root, error) ||
        !require(reader, root,
                 !rfp_guid_equal(manifest->guid, manifest->parent_guid),
                 "parent", error))
        return FALSE;
    for (xmlNodePtr n = rfp_manifest_xml_child(root, "vm"); n != NULL;
         n = rfp_xml_next(n)) {
        if (!parse_vm(reader, n, error))
            return FALSE;
    }
    return TRUE;
}

RfpManifest *
rfp_manifest_parse(const char *text,
                   gsize length,
                   const char *what,
                   GError **error)
{
    g_autoptr(xmlDoc) doc =
        rfp_manifest_xml_open(text, length, "export", what, error);
    g_autoptr(RfpManifest) manifest = NULL;
    g_autoptr(GHashTable) seen = NULL;
    Reader reader;

    if (doc == NULL)
        return NULL;
    manifest = rfp_manifest_new();
    seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    reader = (Reader){
        .what = what,
        .sealed = rfp_seal_check(text, length) == RFP_SEAL_GOOD,
        .seen = seen,
        .manifest = manifest,
    };
    if (!parse_export(&reader, xmlDocGetRootElement(doc), error))
        return NULL;
    return g_steal_pointer(&manifest);
}

/* The child of the root, of the same namespace, if there is exactly one of that
 * name; else NULL. */
static xmlNodePtr
peek_child(xmlDocPtr doc, const char *name)
{
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    xmlNodePtr node =
        root != NULL && root->ns != NULL
            ? rfp_xml_child(root, name, (const char *)root->ns->href)
            : NULL;

    return node != NULL && rfp_xml_next(node) == NULL ? node : NULL;
}

char *
rfp_manifest_peek_guid(const char *text, gsize length)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse(text, length, "", REFPOINT_ERROR_FAILED, NULL);
    g_autofree char *guid = rfp_xml_attr(peek_child(doc, "point"), "guid");

    return guid != NULL && rfp_guid_check(guid) ? g_steal_pointer(&guid) : NULL;
}

guint64
rfp_manifest_peek_sequence(const char *text, gsize length)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse(text, length, "", REFPOINT_ERROR_FAILED, NULL);
    guint64 sequence = 0;

    return rfp_xml_attr_uint(peek_child(doc, "set"), "sequence", G_MAXINT64 - 1,
                             &sequence)
               ? sequence
               : 0;
}

/* ---- What stands where --------------------------------------------------- */

static const char *const type_words[] = {"rct", "log", NULL};
static const char *const mode_words[] = {
    [REFPOINT_MODE_LEFT_OUT] = "left-out",
    [REFPOINT_MODE_FULL] = "full",
    [REFPOINT_MODE_INCREMENT] = "increment",
    NULL,
};
static const char *const consistency_words[] = {
    [REFPOINT_CONSISTENCY_UNKNOWN] = "unknown",
    [REFPOINT_CONSISTENCY_APPLICATION] = "application",
    [REFPOINT_CONSISTENCY_CRASH] = "crash",
    NULL,
};
static const char *const moment_words[] = {
    [REFPOINT_MOMENT_NONE] = "unknown",
    [REFPOINT_MOMENT_FROZEN] = "frozen",
    [REFPOINT_MOMENT_PAUSED] = "paused",
    [REFPOINT_MOMENT_APART] = "apart",
    NULL,
};
static const char *const audit_words[] = {
    [REFPOINT_AUDIT_NONE] = "none",
    [REFPOINT_AUDIT_MATCH] = "match",
    [REFPOINT_AUDIT_MISMATCH] = "mismatch",
    NULL,
};
static const char *const no_yes_words[] = {"no", "yes", NULL};
static const char *const secrets_words[] = {"complete", "missing", NULL};
static const char *const cluster_words[] = {"65536", NULL};
static const char *const none_words[] = {"none", NULL};
static const char *const compress_words[] = {
    [REFPOINT_COMPRESS_NONE] = "none",
    [REFPOINT_COMPRESS_ZSTD] = "zstd",
    NULL,
};

static const RfpField generator_fields[2] = {
    RFP_FIELD(RfpManifest, generator, "name", text, .max = 256),
    {.name = NULL},
};

static const RfpField set_fields[4] = {
    RFP_FIELD(RfpManifest, set_guid, "guid", guid),
    RFP_FIELD(RfpManifest,
              sequence,
              "sequence",
              uint64,
              .min = 1,
              .max = G_MAXINT64),
    RFP_FIELD(RfpManifest, parent_guid, "parent", guid, .optional = TRUE),
    {.name = NULL},
};

static const RfpField point_fields[8] = {
    RFP_FIELD(RfpManifest, folder, "name", folder, .max = 255),
    RFP_FIELD(RfpManifest, guid, "guid", guid),
    RFP_FIELD(RfpManifest, held, "type", word, .words = type_words),
    RFP_FIELD(RfpManifest,
              consistency,
              "consistency",
              word,
              .words = consistency_words),
    RFP_FIELD(RfpManifest, created_us, "created", time),
    RFP_FIELD(RfpManifest, published_us, "published", time),
    RFP_FIELD(RfpManifest, frozen_us, "frozen-us", uint64, .max = G_MAXINT64),
    {.name = NULL},
};

static const RfpField collection_fields[6] = {
    RFP_FIELD(RfpManifest, collection_guid, "guid", guid),
    RFP_FIELD(RfpManifest, collection_name, "name", text, .max = 1024),
    RFP_FIELD(RfpManifest,
              moment,
              "moment",
              word,
              .optional = TRUE,
              .words = moment_words),
    RFP_FIELD(RfpManifest,
              window_us,
              "window-us",
              uint64,
              .optional = TRUE,
              .max = G_MAXINT64),
    RFP_FIELD(RfpManifest,
              skew_us,
              "skew-us",
              uint64,
              .optional = TRUE,
              .max = G_MAXINT64),
    {.name = NULL},
};

static const RfpField integrity_fields[3] = {
    RFP_FIELD(RfpManifest, set_file_sha256, "set-file", sha256),
    RFP_FIELD(RfpManifest, parent_sha256, "parent", sha256, .optional = TRUE),
    {.name = NULL},
};

static const RfpField vm_fields[9] = {
    RFP_FIELD(RfpManifestVm, uuid, "uuid", guid),
    RFP_FIELD(RfpManifestVm, name, "name", text, .max = 1024),
    RFP_FIELD(RfpManifestVm, folder, "folder", folder, .max = 255),
    RFP_FIELD(RfpManifestVm,
              secrets_missing,
              "secrets",
              word,
              .optional = TRUE,
              .words = secrets_words),
    RFP_FIELD(RfpManifestVm,
              consistency,
              "consistency",
              word,
              .optional = TRUE,
              .words = consistency_words),
    RFP_FIELD(RfpManifestVm, frozen_us, "frozen", time, .optional = TRUE),
    RFP_FIELD(RfpManifestVm, begun_us, "begun", time, .optional = TRUE),
    RFP_FIELD(RfpManifestVm, thawed_us, "thawed", time, .optional = TRUE),
    {.name = NULL},
};

static const RfpField file_fields[5] = {
    RFP_FIELD(RfpManifestFile, role, "role", token, .max = 64),
    RFP_FIELD(RfpManifestFile, path, "path", path, .max = 1024),
    RFP_FIELD(RfpManifestFile, size, "size", uint64, .max = RFP_DISK_SIZE_MAX),
    RFP_FIELD(RfpManifestFile, sha256, "sha256", sha256),
    {.name = NULL},
};

static const RfpField disk_fields[5] = {
    RFP_FIELD(RfpManifestDisk, target, "target", token, .max = 64),
    RFP_FIELD(RfpManifestDisk, mode, "mode", word, .words = mode_words),
    RFP_FIELD(RfpManifestDisk,
              reason_id,
              "reason",
              token,
              .optional = TRUE,
              .max = 64),
    RFP_FIELD(RfpManifestDisk,
              tracked,
              "tracked",
              word,
              .optional = TRUE,
              .words = no_yes_words),
    {.name = NULL},
};

static const RfpField source_fields[] = {
    RFP_FIELD(RfpManifestDisk,
              source.type,
              "type",
              token,
              .optional = TRUE,
              .max = 64),
    RFP_FIELD(RfpManifestDisk,
              source.path,
              "path",
              text,
              .optional = TRUE,
              .max = 16384),
    RFP_FIELD(RfpManifestDisk,
              source.inode,
              "inode",
              uint64,
              .optional = TRUE,
              .max = G_MAXUINT64),
    RFP_FIELD(RfpManifestDisk,
              plaintext,
              "encrypted",
              word,
              .optional = TRUE,
              .words = no_yes_words),
    {.name = NULL},
};

static const RfpField base_fields[] = {
    RFP_FIELD(RfpManifestDisk, base_guid, "point", guid),
    RFP_FIELD(RfpManifestDisk, base_view, "view", sha256),
    {.name = NULL},
};

static const RfpField view_fields[] = {
    RFP_FIELD(RfpManifestDisk, size, "size", uint64, .max = RFP_DISK_SIZE_MAX),
    RFP_FIELD(RfpManifestDisk, view, "digest", sha256),
    {.name = NULL},
};

static const RfpField image_fields[] = {
    RFP_FIELD(RfpManifestDisk, image, "path", path, .max = 1024),
    RFP_FIELD(RfpManifestDisk,
              image_size,
              "file-size",
              uint64,
              .max = IMAGE_SIZE_MAX),
    RFP_FIELD(RfpManifestDisk,
              stored,
              "stored",
              uint64,
              .max = RFP_DISK_SIZE_MAX),
    {.name = "cluster-size", .type = &rfp_field_fixed, .words = cluster_words},
    RFP_FIELD(RfpManifestDisk,
              compress,
              "compression",
              known,
              .words = compress_words),
    {.name = "encryption", .type = &rfp_field_fixed, .words = none_words},
    {.name = NULL},
};

static const RfpField digests_fields[] = {
    RFP_FIELD(RfpManifestDisk, digests, "path", path, .max = 1024),
    RFP_FIELD(RfpManifestDisk,
              digests_size,
              "size",
              uint64,
              .max = RFP_DISK_SIZE_MAX),
    RFP_FIELD(RfpManifestDisk, digests_sha256, "sha256", sha256),
    {.name = NULL},
};

static const RfpField audit_fields[3] = {
    RFP_FIELD(RfpManifestDisk, audit, "result", word, .words = audit_words),
    RFP_FIELD(RfpManifestDisk, audited, "clusters", uint, .max = G_MAXUINT),
    {.name = NULL},
};

static const Part parts[7] = {
    {"source", source_fields, ON_EXPORTED, FALSE},
    {"base", base_fields, ON_INCREMENT, FALSE},
    {"view", view_fields, ON_EXPORTED, FALSE},
    {"image", image_fields, ON_EXPORTED, FALSE},
    {"digests", digests_fields, ON_EXPORTED, FALSE},
    {"audit", audit_fields, ON_EXPORTED, TRUE},
    {NULL, NULL, 0, FALSE},
};

static const RfpChild export_children[7] = {
    {"feature", 0, RFP_MANIFEST_FEATURES_MAX},
    {"generator", 1, 1},
    {"set", 1, 1},
    {"point", 1, 1},
    {"collection", 0, 1},
    {"vm", 1, RFP_MANIFEST_VMS_MAX},
    {NULL, 0, 0},
};

static const RfpChild vm_children[3] = {
    {"file", 0, RFP_MANIFEST_FILES_MAX},
    {"disk", 0, RFP_MANIFEST_DISKS_MAX},
    {NULL, 0, 0},
};

static const RfpChild disk_children[7] = {
    {"source", 0, 1},  {"base", 0, 1},  {"view", 0, 1}, {"image", 0, 1},
    {"digests", 0, 1}, {"audit", 0, 1}, {NULL, 0, 0},
};
