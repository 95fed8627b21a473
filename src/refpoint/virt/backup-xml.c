/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/backup-xml.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"

#define GUID_LENGTH 36

static void
add_encryption(xmlNodePtr scratch, const char *uuid)
{
    xmlNodePtr encryption = rfp_xml_add(scratch, "encryption", NULL);
    xmlNodePtr secret = rfp_xml_add(encryption, "secret", NULL);

    rfp_xml_set(encryption, "format", "luks");
    rfp_xml_set(secret, "type", "passphrase");
    rfp_xml_set(secret, "uuid", uuid);
}

static xmlNodePtr
add_disk(xmlNodePtr parent, const RfpBackupDisk *disk)
{
    xmlNodePtr node = rfp_xml_add(parent, "disk", NULL);

    rfp_xml_set(node, "name", disk->target);
    rfp_xml_set(node, "backup", "yes");
    rfp_xml_set(node, "type", "file");
    rfp_xml_set(node, "backupmode",
                disk->base != NULL ? "incremental" : "full");
    rfp_xml_set(node, "incremental", disk->base);
    return node;
}

static void
add_pushed_disk(xmlNodePtr parent, const RfpBackupDisk *disk)
{
    xmlNodePtr node = add_disk(parent, disk);

    rfp_xml_set(rfp_xml_add(node, "driver", NULL), "type", "qcow2");
    rfp_xml_set(rfp_xml_add(node, "target", NULL), "file", disk->scratch);
}

static void
add_served_disk(xmlNodePtr parent, const RfpBackupDisk *disk)
{
    xmlNodePtr node = add_disk(parent, disk);
    xmlNodePtr scratch = NULL;

    rfp_xml_set(node, "exportname", disk->target);
    if (disk->base != NULL) {
        g_autofree char *bitmap = g_strconcat("backup-", disk->target, NULL);

        rfp_xml_set(node, "exportbitmap", bitmap);
    }
    scratch = rfp_xml_add(node, "scratch", NULL);
    rfp_xml_set(scratch, "file", disk->scratch);
    if (disk->secret != NULL)
        add_encryption(scratch, disk->secret);
}

static void
add_server(xmlNodePtr root, const char *socket_path)
{
    xmlNodePtr server = rfp_xml_add(root, "server", NULL);

    rfp_xml_set(server, "transport", "unix");
    rfp_xml_set(server, "socket", socket_path);
}

char *
rfp_backup_xml_format(const char *socket_path,
                      const RfpBackupDisk *disks,
                      gsize n_disks,
                      const char *const *others)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("domainbackup", NULL);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr node = NULL;
    gsize i = 0;

    rfp_xml_set(root, "mode", socket_path != NULL ? "pull" : "push");
    if (socket_path != NULL)
        add_server(root, socket_path);
    node = rfp_xml_add(root, "disks", NULL);
    for (i = 0; i < n_disks; i++) {
        if (socket_path != NULL)
            add_served_disk(node, &disks[i]);
        else
            add_pushed_disk(node, &disks[i]);
    }
    for (; others != NULL && *others != NULL; others++) {
        xmlNodePtr disk = rfp_xml_add(node, "disk", NULL);

        rfp_xml_set(disk, "name", *others);
        rfp_xml_set(disk, "backup", "no");
    }
    return rfp_xml_to_text(doc, FALSE);
}

static gboolean
writes_to(xmlNodePtr root, const char *path)
{
    xmlNodePtr disk =
        rfp_xml_child(rfp_xml_child(root, "disks", NULL), "disk", NULL);

    for (; disk != NULL; disk = rfp_xml_next(disk)) {
        if (rfp_xml_attr_is(rfp_xml_child(disk, "target", NULL), "file", path))
            return TRUE;
    }
    return FALSE;
}

static gboolean
serves_at(xmlNodePtr root, const char *path)
{
    xmlNodePtr server = rfp_xml_child(root, "server", NULL);

    return rfp_xml_attr_is(server, "transport", "unix") &&
           rfp_xml_attr_is(server, "socket", path);
}

gboolean
rfp_backup_xml_matches(const char *xml,
                       const char *mark,
                       gboolean *matches,
                       GError **error)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse_root(xml, strlen(xml), "domainbackup", NULL,
                           _("the backup job"), REFPOINT_ERROR_FAILED, error);
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;

    *matches = FALSE;
    if (doc == NULL)
        return FALSE;
    if (rfp_xml_attr_is(root, "mode", "push"))
        *matches = writes_to(root, mark);
    else
        *matches =
            rfp_xml_attr_is(root, "mode", "pull") && serves_at(root, mark);
    return TRUE;
}

/* "<guid>-<target>.qcow2" */
/* @rest: of the name, behind the GUID of the point: "-", the domain's UUID,
 * "-", the target; earlier versions had no UUID there. */
static gboolean
is_of_disk(const char *rest, const char *target)
{
    g_autofree char *end = g_strdup_printf("-%s.qcow2", target);
    g_autofree char *uuid = NULL;

    if (strcmp(rest, end) == 0)
        return TRUE;
    if (*rest != '-' || strlen(rest) != 1 + GUID_LENGTH + strlen(end))
        return FALSE;
    uuid = g_strndup(rest + 1, GUID_LENGTH);
    return rfp_guid_check(uuid) && g_str_has_suffix(rest, end);
}

/* "refpoint-", eight digits of the GUID, and of a session daemon's domain its
 * id. */
static gboolean
is_socket_of(const char *name, const char *guid)
{
    g_autofree char *begin = g_strdup_printf("refpoint-%.8s", guid);
    const char *rest = NULL;

    if (name == NULL || !g_str_has_prefix(name, begin))
        return FALSE;
    rest = name + strlen(begin);
    if (*rest == '-')
        rest += 1 + strspn(rest + 1, G_CSET_DIGITS);
    return strcmp(rest, ".sock") == 0;
}

static char *
guid_of_file(xmlNodePtr disk)
{
    xmlNodePtr node = rfp_xml_child(disk, "scratch", NULL);
    g_autofree char *path =
        rfp_xml_attr(node != NULL ? node : rfp_xml_child(disk, "target", NULL),
                     "file");
    g_autofree char *target = rfp_xml_attr(disk, "name");
    g_autofree char *name = path != NULL ? g_path_get_basename(path) : NULL;
    g_autofree char *guid = name != NULL ? g_strndup(name, GUID_LENGTH) : NULL;
    return guid != NULL && target != NULL && rfp_guid_check(guid) &&
                   is_of_disk(name + strlen(guid), target)
               ? g_steal_pointer(&guid)
               : NULL;
}

/* NULL, too, where they differ. */
static char *
guid_of_disks(xmlNodePtr root)
{
    xmlNodePtr disk =
        rfp_xml_child(rfp_xml_child(root, "disks", NULL), "disk", NULL);
    g_autofree char *guid = NULL;

    for (; disk != NULL; disk = rfp_xml_next(disk)) {
        g_autofree char *one = guid_of_file(disk);

        if (rfp_xml_attr_is(disk, "backup", "no"))
            continue;
        if (one == NULL || (guid != NULL && strcmp(one, guid) != 0))
            return NULL;
        if (guid == NULL)
            guid = g_steal_pointer(&one);
    }
    return g_steal_pointer(&guid);
}

char *
rfp_backup_xml_guid(const char *xml)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse_root(xml, strlen(xml), "domainbackup", NULL, "",
                           REFPOINT_ERROR_FAILED, NULL);
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    g_autofree char *guid = root != NULL ? guid_of_disks(root) : NULL;
    g_autofree char *path = NULL;
    g_autofree char *name = NULL;

    if (guid == NULL || rfp_xml_attr_is(root, "mode", "push"))
        return g_steal_pointer(&guid);
    path = rfp_xml_attr(rfp_xml_child(root, "server", NULL), "socket");
    name = path != NULL ? g_path_get_basename(path) : NULL;
    return is_socket_of(name, guid) ? g_steal_pointer(&guid) : NULL;
}
