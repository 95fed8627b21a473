/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/verify-set.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "set/seal.h"
#include "set/set-points.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_FILE "refpoint-export.rng"
/* libxml2 needs quadratic time for the children of an element where unknown
 * ones are allowed. */
#define SCHEMA_TEXT_MAX ((gsize)1024 * 1024)
#define SCHEMA_CHILDREN_MAX 10000

/* ---- Schema -------------------------------------------------------------- */

static RfpXmlSchema *
open_schema(RfpVerify *verify)
{
    const char *dir = secure_getenv("REFPOINT_DATADIR");
    g_autofree char *path =
        g_build_filename(dir != NULL ? dir : DATADIR, SCHEMA_FILE, NULL);
    g_autoptr(GError) error = NULL;
    RfpXmlSchema *schema = rfp_xml_schema_new(path, &error);

    if (schema == NULL) {
        rfp_error_make_plain(error);
        rfp_verify_remark(verify, ".", RFP_FINDING_SCHEMA_MISSING,
                          _("the files were not compared with their schema: "
                            "%s"),
                          error->message);
    }
    return schema;
}

/* The element that begins after @node does, or NULL. */
static xmlNodePtr
next_element(xmlNodePtr node)
{
    xmlNodePtr next = xmlFirstElementChild(node);

    while (next == NULL && node != NULL) {
        next = xmlNextElementSibling(node);
        node = node->parent;
    }
    return next;
}

static gboolean
has_many_children(xmlDocPtr doc)
{
    for (xmlNodePtr node = xmlDocGetRootElement(doc); node != NULL;
         node = next_element(node)) {
        if (xmlChildElementCount(node) > SCHEMA_CHILDREN_MAX)
            return TRUE;
    }
    return FALSE;
}

static void
remark_too_large(RfpVerify *verify, const char *path)
{
    rfp_verify_remark(verify, path, RFP_FINDING_NOT_COMPARED,
                      _("the file is too large to be compared with its "
                        "schema"));
}

/* @text was understood already: what is wrong here is the schema's business. */
static void
check_schema(RfpVerify *verify,
             RfpXmlSchema *schema,
             const char *path,
             const char *text,
             gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = NULL;

    if (schema == NULL)
        return;
    if (length > SCHEMA_TEXT_MAX) {
        remark_too_large(verify, path);
        return;
    }
    doc = rfp_xml_parse(text, length, path, REFPOINT_ERROR_FAILED, &error);
    if (doc != NULL && has_many_children(doc)) {
        remark_too_large(verify, path);
        return;
    }
    if (doc != NULL && rfp_xml_validate(schema, doc, path, &error))
        return;
    rfp_error_make_plain(error);
    rfp_verify_damage(verify, path, RFP_FINDING_SCHEMA, "%s", error->message);
}

/* The text of a file of the set; NULL: reported. */
static char *
read_text(RfpVerify *verify,
          const RfpSetPoint *point,
          const char *path,
          gsize *length)
{
    g_autoptr(GError) error = NULL;
    char *text = rfp_files_read(&verify->set->folder, path, RFP_XML_SIZE_MAX,
                                length, &error);

    if (text == NULL)
        rfp_verify_unreadable(verify, point, path, RFP_FINDING_MANIFEST_DAMAGED,
                              error);
    return text;
}

/* ---- set.xml, folders.xml ------------------------------------------------ */

/* What is said of a file beside its bytes. @mode: what it should have. */
static void
check_inode(RfpVerify *verify, const char *path, guint mode)
{
    struct stat st;

    if (fstatat(verify->set->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode))
        rfp_verify_inode(verify, path, &st, mode);
}

static void
check_set_file(RfpVerify *verify, RfpXmlSchema *schema, const char *damage)
{
    g_autofree char *text = NULL;
    gsize length = 0;

    /* whose owner must write it, for the lock */
    check_inode(verify, RFP_SET_FILE, 0600);
    text = read_text(verify, NULL, RFP_SET_FILE, &length);
    if (text == NULL)
        return;
    if (damage != NULL)
        rfp_verify_damage(verify, RFP_SET_FILE, RFP_FINDING_MANIFEST_DAMAGED,
                          "%s", damage);
    else
        check_schema(verify, schema, RFP_SET_FILE, text, length);
}

/* Whether an export of this version or later went to the set: it seals
 * folders.xml. */
static gboolean
is_sealed(const RfpVerify *verify)
{
    for (guint i = 0; i < verify->set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(verify->set->points, i);

        if (point->manifest != NULL && point->manifest->vouches)
            return TRUE;
    }
    return FALSE;
}

static void
check_folders_file(RfpVerify *verify, RfpXmlSchema *schema)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointFailure) failure = NULL;
    gsize length = 0;

    /* a set without a point has none */
    if (faccessat(verify->set->fd, RFP_FOLDERS_FILE, F_OK,
                  AT_SYMLINK_NOFOLLOW) < 0 &&
        verify->set->points->len == 0)
        return;
    check_inode(verify, RFP_FOLDERS_FILE, 0600);
    text = read_text(verify, NULL, RFP_FOLDERS_FILE, &length);
    if (text == NULL)
        return;
    verify->folders = rfp_folders_parse(text, length, RFP_FOLDERS_FILE, &error);
    if (verify->folders != NULL) {
        if (rfp_seal_check(text, length) != RFP_SEAL_GOOD && is_sealed(verify))
            rfp_verify_damage(verify, RFP_FOLDERS_FILE,
                              RFP_FINDING_DIGEST_MISMATCH,
                              _("the last line, with the SHA-256 of the "
                                "others, is missing"));
        check_schema(verify, schema, RFP_FOLDERS_FILE, text, length);
        return;
    }
    failure = refpoint_failure_new(error);
    if (failure->cause == REFPOINT_ERROR_NOT_SUPPORTED)
        rfp_verify_newer(verify, RFP_FOLDERS_FILE, RFP_FINDING_NEWER_FILE,
                         "%s; %s", failure->message, failure->way_out);
    else
        rfp_verify_damage(verify, RFP_FOLDERS_FILE,
                          RFP_FINDING_MANIFEST_DAMAGED, "%s", failure->message);
}

/* ---- Manifests ----------------------------------------------------------- */

/* Why there is no manifest: the load has tried to read it. */
static void
report_unreadable(RfpVerify *verify, const RfpSetPoint *point)
{
    g_autofree char *path =
        g_build_filename(point->folder, RFP_MANIFEST_FILE, NULL);
    g_autofree char *text = NULL;
    struct stat st;
    gsize length = 0;

    if (fstatat(verify->set->fd, point->folder, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
        errno == ENOENT) {
        g_hash_table_add(verify->gone, (gpointer)point);
        return;
    }
    text = read_text(verify, NULL, path, &length);
    if (text != NULL && point->newer != NULL)
        rfp_verify_newer(verify, path, RFP_FINDING_NEWER_POINT, "%s",
                         point->newer);
    else if (text != NULL)
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED, "%s",
                          point->damage);
}

static void
check_vm(RfpVerify *verify, const char *path, const RfpManifestVm *vm)
{
    const char *folder = verify->folders != NULL
                             ? g_hash_table_lookup(verify->folders, vm->uuid)
                             : NULL;

    if (verify->folders != NULL && g_strcmp0(folder, vm->folder) != 0)
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("its folder '%s' is not that of folders.xml"),
                          vm->folder);
}

/* A point of a VM's set has that VM; one of a group's set is of that group. */
static void
check_owned(RfpVerify *verify, const char *path, const RfpSetPoint *point)
{
    const RfpSetFile *file = verify->set->file;
    const RfpManifestVm *first = g_ptr_array_index(point->manifest->vms, 0);

    if (file != NULL && file->group_guid != NULL &&
        !rfp_guid_equal(point->manifest->collection_guid, file->group_guid))
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("it is not of the group %s, whose set this is"),
                          file->group_guid);
    if (file != NULL && file->vm_uuid != NULL &&
        rfp_set_point_vm(point, file->vm_uuid) == NULL)
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("it is of the VM %s, the set is of %s"),
                          first->uuid, file->vm_uuid);
}

/* A point follows the one that was the newest: its number does too. */
static void
check_parent(RfpVerify *verify, const RfpSetPoint *point, const char *path)
{
    const RfpManifest *manifest = point->manifest;
    const RfpSetPoint *parent = NULL;

    if ((manifest->parent_guid == NULL) != (manifest->sequence == 1))
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("its number %" PRIu64
                            " and the point before it contradict"),
                          manifest->sequence);
    if (manifest->parent_guid == NULL)
        return;
    parent = rfp_export_set_find(verify->set, manifest->parent_guid);
    if (parent == NULL &&
        rfp_export_set_find_newer(verify->set, manifest->parent_guid) != NULL)
        return;
    if (parent == NULL) {
        rfp_verify_remark(verify, path, RFP_FINDING_PARENT_MISSING,
                          _("the point before it, %s, is not in the set"),
                          manifest->parent_guid);
        return;
    }
    if (parent->manifest->sequence + 1 != manifest->sequence)
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("its number is %" PRIu64
                            ", that of the point before it, '%s', is %" PRIu64),
                          manifest->sequence, parent->manifest->folder,
                          parent->manifest->sequence);
}

/* Of a point that needs a newer program the digest can be compared, too. */
static const RfpSetPoint *
find_parent(RfpExportSet *set, const char *guid)
{
    const RfpSetPoint *parent = rfp_export_set_find(set, guid);
    const RfpSetPoint *newer =
        parent == NULL ? rfp_export_set_find_newer(set, guid) : NULL;

    return newer != NULL && newer->newer_guid != NULL ? newer : parent;
}

/* What later points say of those that are looked at. */
static void
check_successors(RfpVerify *verify)
{
    for (guint i = 0; i < verify->set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(verify->set->points, i);
        const RfpManifest *manifest = point->manifest;
        const RfpSetPoint *parent = NULL;
        g_autofree char *path = NULL;

        if (manifest == NULL || !manifest->vouches ||
            manifest->parent_guid == NULL)
            continue;
        parent = find_parent(verify->set, manifest->parent_guid);
        if (parent == NULL ||
            memcmp(manifest->parent_sha256, parent->sha256, RFP_LEAF_SIZE) ==
                0 ||
            !g_ptr_array_find(verify->points, parent, NULL))
            continue;
        path = g_build_filename(parent->folder, RFP_MANIFEST_FILE, NULL);
        rfp_verify_damage(verify, path, RFP_FINDING_DIGEST_MISMATCH,
                          _("it is not the one that point '%s' came after"),
                          manifest->folder);
    }
}

/* Points that came after the same one: there is no way to tell which of them
 * the others know. */
static void
check_numbers(RfpVerify *verify)
{
    const RfpSetPoint *before = NULL;

    for (guint i = 0; i < verify->set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(verify->set->points, i);
        g_autofree char *path =
            g_build_filename(point->folder, RFP_MANIFEST_FILE, NULL);

        if (point->manifest == NULL)
            continue;
        if (before != NULL &&
            before->manifest->sequence == point->manifest->sequence)
            rfp_verify_remark(verify, path, RFP_FINDING_NUMBER_TWICE,
                              _("point '%s' has the number %" PRIu64
                                " too: one was made while the other was not "
                                "in the set"),
                              before->manifest->folder,
                              point->manifest->sequence);
        before = point;
    }
}

/* Once: all manifests say the same of it, or are damaged themselves. */
static void
check_vouched(RfpVerify *verify)
{
    if (verify->set->file == NULL) /* has been reported */
        return;
    if (rfp_export_set_is_strange(verify->set))
        rfp_verify_damage(verify, RFP_SET_FILE, RFP_FINDING_MANIFEST_DAMAGED,
                          _("no point of the set belongs to it"));
    for (guint i = verify->set->points->len; i > 0; i--) {
        const RfpSetPoint *point =
            g_ptr_array_index(verify->set->points, i - 1);

        if (point->manifest == NULL || !point->manifest->vouches ||
            memcmp(point->manifest->set_file_sha256, verify->set->file_sha256,
                   RFP_LEAF_SIZE) == 0)
            continue;
        rfp_verify_damage(verify, RFP_SET_FILE, RFP_FINDING_DIGEST_MISMATCH,
                          _("it is not the one that point '%s' was made with"),
                          point->manifest->folder);
        return;
    }
}

static void
check_manifest(RfpVerify *verify, const RfpSetPoint *point, const char *path)
{
    const RfpManifest *manifest = point->manifest;

    if (strcmp(manifest->folder, point->folder) != 0)
        rfp_verify_damage(verify, path, RFP_FINDING_MANIFEST_DAMAGED,
                          _("the point is called '%s', its folder is not"),
                          manifest->folder);
    check_owned(verify, path, point);
    for (guint i = 0; i < manifest->vms->len; i++)
        check_vm(verify, path, g_ptr_array_index(manifest->vms, i));
    check_parent(verify, point, path);
}

static void
check_files(RfpVerify *verify,
            const RfpSetPoint *point,
            const RfpManifestVm *vm)
{
    for (guint i = 0; i < vm->files->len; i++) {
        RfpManifestFile *file = g_ptr_array_index(vm->files, i);
        g_auto(RfpFd) fd =
            rfp_verify_open(verify, point, file->path, file->size);

        if (fd >= 0)
            rfp_verify_sha256(verify, point, file->path, fd, file->sha256);
        if (rfp_verify_stopped(verify))
            return;
    }
}

static void
check_point(RfpVerify *verify, RfpXmlSchema *schema, const RfpSetPoint *point)
{
    g_autofree char *path =
        g_build_filename(point->folder, RFP_MANIFEST_FILE, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (point->manifest == NULL) {
        report_unreadable(verify, point);
        return;
    }
    text = read_text(verify, point, path, &length);
    if (text == NULL)
        return;
    check_inode(verify, path, 0400);
    check_schema(verify, schema, path, text, length);
    check_manifest(verify, point, path);
    for (guint i = 0; i < point->manifest->vms->len; i++)
        check_files(verify, point, g_ptr_array_index(point->manifest->vms, i));
}

/* The set belongs to whom set.xml does; root may own the folder it is in. */
static void
check_owner(RfpVerify *verify)
{
    struct stat st;

    if (fstatat(verify->set->fd, RFP_SET_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        verify->owned = TRUE;
        verify->owner = st.st_uid;
    }
    if (fstat(verify->set->fd, &st) == 0 && st.st_uid != 0)
        rfp_verify_owner(verify, ".", &st);
}

void
rfp_verify_set(RfpVerify *verify, const char *damage)
{
    g_autoptr(RfpXmlSchema) schema = open_schema(verify);

    if (verify->set->writable_by_others)
        rfp_verify_remark(verify, ".", RFP_FINDING_PERMISSIONS,
                          _("others than its owner can write to the folder"));
    check_owner(verify);
    check_set_file(verify, schema, damage);
    check_folders_file(verify, schema);
    check_vouched(verify);
    check_successors(verify);
    if (verify->whole)
        check_numbers(verify);
    for (guint i = 0; i < verify->points->len && !rfp_verify_stopped(verify);
         i++)
        check_point(verify, schema, g_ptr_array_index(verify->points, i));
}
