/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/set-folders.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "set/seal.h"
#include "set/set-points.h"

#include <stdio.h>
#include <string.h>

static GHashTable *
new_folders(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

/* What the manifests say: UUID -> folder. */
static GHashTable *
folders_of_points(const RfpExportSet *set)
{
    GHashTable *folders = new_folders();

    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        for (guint v = 0;
             point->manifest != NULL && v < point->manifest->vms->len; v++) {
            RfpManifestVm *vm = g_ptr_array_index(point->manifest->vms, v);

            g_hash_table_insert(folders, g_strdup(vm->uuid),
                                g_strdup(vm->folder));
        }
    }
    return folders;
}

/* Whether all of @part stands in @folders, which may have more: a VM whose
 * first export failed. */
static gboolean
has_all(GHashTable *folders, GHashTable *part)
{
    GHashTableIter iter;
    gpointer uuid = NULL;
    gpointer folder = NULL;

    g_hash_table_iter_init(&iter, part);
    while (g_hash_table_iter_next(&iter, &uuid, &folder))
        if (g_strcmp0(g_hash_table_lookup(folders, uuid), folder) != 0)
            return FALSE;
    return TRUE;
}

/* NULL with no error: there is no such file. */
static GHashTable *
read_folders(RfpExportSet *set, RfpSeal *seal, GError **error)
{
    g_autofree char *what = g_build_filename(set->path, RFP_FOLDERS_FILE, NULL);
    g_autofree char *text = NULL;
    gsize length = 0;

    if (!rfp_export_set_has(set, RFP_FOLDERS_FILE))
        return NULL;
    text = rfp_files_read(&set->folder, RFP_FOLDERS_FILE, RFP_XML_SIZE_MAX,
                          &length, error);
    if (text == NULL)
        return NULL;
    *seal = rfp_seal_check(text, length);
    return rfp_folders_parse(text, length, what, error);
}

/* The manifests say all that folders.xml has to only if each of them can be
 * read. */
static gboolean
check_all_readable(const RfpExportSet *set, const char *why, GError **error)
{
    for (guint i = 0; i < set->points->len; i++) {
        const RfpSetPoint *point = g_ptr_array_index(set->points, i);

        if (point->newer == NULL)
            continue;
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("'%s/%s' cannot be made again (%s): point '%s' needs "
                        "a newer program"),
                      set->path, RFP_FOLDERS_FILE, why, point->folder);
        rfp_error_add_object(error, point->folder);
        rfp_error_add_way_out(error, _("use a newer virt-refpoint"));
        return FALSE;
    }
    return TRUE;
}

/*
 * A wrong folder would part the images of one disk, of which QEMU knows only
 * bare names. *@mended: why the manifests had to be asked. *@write: the file
 * must be made again, if only because it has no seal yet.
 */
static GHashTable *
find_folders(RfpExportSet *set, char **mended, gboolean *write, GError **error)
{
    g_autoptr(GHashTable) known = folders_of_points(set);
    g_autoptr(GError) local = NULL;
    const char *why = NULL;
    RfpSeal seal = RFP_SEAL_NONE;
    g_autoptr(GHashTable) folders = read_folders(set, &seal, &local);

    *write = seal != RFP_SEAL_GOOD;
    if (folders != NULL && has_all(folders, known))
        return g_steal_pointer(&folders);
    if (local != NULL &&
        !g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_FAILED)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    if (local != NULL)
        rfp_error_make_plain(local);
    why = local != NULL     ? local->message
          : folders != NULL ? _("it contradicts the manifests")
                            : _("it is missing");
    if (!check_all_readable(set, why, error))
        return NULL;
    if (local != NULL || folders != NULL || g_hash_table_size(known) > 0)
        *mended = g_strdup(why);
    *write = TRUE;
    return g_steal_pointer(&known);
}

gboolean
rfp_export_set_check_folders(RfpExportSet *set, GError **error)
{
    g_autofree char *mended = NULL;
    gboolean write = FALSE;
    g_autoptr(GHashTable) folders = find_folders(set, &mended, &write, error);

    return folders != NULL;
}

static gboolean
replace_file(RfpExportSet *set,
             const char *name,
             const char *text,
             GError **error)
{
    g_autofree char *hidden = g_strconcat(".", name, ".new", NULL);

    if (!rfp_files_remove(&set->folder, hidden, error) ||
        !rfp_files_write(&set->folder, hidden, text, strlen(text), 0600, error))
        return FALSE;
    if (renameat(set->fd, hidden, set->fd, name) < 0) {
        rfp_error_set_errno(error, errno, _("cannot replace '%s/%s'"),
                            set->path, name);
        return FALSE;
    }
    return rfp_files_sync_dir(&set->folder, ".", error);
}

static gboolean
folder_taken(const char *folder, gpointer opaque)
{
    GHashTableIter iter;
    gpointer value = NULL;

    if (strcmp(folder, RFP_MANIFEST_FILE) == 0)
        return TRUE;
    g_hash_table_iter_init(&iter, opaque);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (strcmp(value, folder) == 0)
            return TRUE;
    return FALSE;
}

char *
rfp_export_set_vm_folder(RfpExportSet *set,
                         const char *uuid,
                         const char *name,
                         char **mended,
                         GError **error)
{
    gboolean write = FALSE;
    g_autofree char *why = NULL;
    g_autoptr(GHashTable) folders = find_folders(set, &why, &write, error);
    g_autofree char *text = NULL;
    char *folder = NULL;

    *mended = NULL;
    if (folders == NULL)
        return NULL;
    folder = g_strdup(g_hash_table_lookup(folders, uuid));
    if (folder == NULL) {
        folder = rfp_folder_name(name, uuid, folder_taken, folders);
        g_hash_table_insert(folders, g_strdup(uuid), g_strdup(folder));
        write = TRUE;
    }
    text = rfp_folders_format(folders);
    if (write && !replace_file(set, RFP_FOLDERS_FILE, text, error)) {
        g_free(folder);
        return NULL;
    }
    *mended = g_steal_pointer(&why);
    return folder;
}
