/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backup-xml.h"

#include <string.h>

#include "error.h"
#include "text.h"
#include "xml.h"

static void
add_encryption(xmlNodePtr scratch, const char *uuid)
{
    xmlNodePtr encryption = rfp_xml_add(scratch, "encryption", NULL);
    xmlNodePtr secret = rfp_xml_add(encryption, "secret", NULL);

    rfp_xml_set(encryption, "format", "luks");
    rfp_xml_set(secret, "type", "passphrase");
    rfp_xml_set(secret, "uuid", uuid);
}

static void
add_disk(xmlNodePtr parent, const RfpBackupDisk *disk)
{
    xmlNodePtr node = rfp_xml_add(parent, "disk", NULL);
    xmlNodePtr scratch = NULL;

    rfp_xml_set(node, "name", disk->target);
    rfp_xml_set(node, "backup", "yes");
    rfp_xml_set(node, "type", "file");
    rfp_xml_set(node, "backupmode", disk->base ? "incremental" : "full");
    rfp_xml_set(node, "incremental", disk->base);
    rfp_xml_set(node, "exportname", disk->target);
    if (disk->base) {
        g_autofree char *bitmap = g_strconcat("backup-", disk->target, NULL);

        rfp_xml_set(node, "exportbitmap", bitmap);
    }
    scratch = rfp_xml_add(node, "scratch", NULL);
    rfp_xml_set(scratch, "file", disk->scratch);
    if (disk->secret)
        add_encryption(scratch, disk->secret);
}

char *
rfp_backup_xml_format(const char *socket_path,
                      const RfpBackupDisk *disks,
                      gsize n_disks,
                      const char *const *others)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("domainbackup", NULL);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr node = rfp_xml_add(root, "server", NULL);
    gsize i = 0;

    rfp_xml_set(root, "mode", "pull");
    rfp_xml_set(node, "transport", "unix");
    rfp_xml_set(node, "socket", socket_path);
    node = rfp_xml_add(root, "disks", NULL);
    for (i = 0; i < n_disks; i++)
        add_disk(node, &disks[i]);
    for (; others && *others; others++) {
        xmlNodePtr disk = rfp_xml_add(node, "disk", NULL);

        rfp_xml_set(disk, "name", *others);
        rfp_xml_set(disk, "backup", "no");
    }
    return rfp_xml_to_text(doc, FALSE);
}

char *
rfp_backup_xml_socket(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = rfp_xml_parse_root(xml,
                                               strlen(xml),
                                               "domainbackup",
                                               NULL,
                                               _("the backup job"),
                                               REFPOINT_ERROR_FAILED,
                                               error);
    xmlNodePtr root = NULL;
    xmlNodePtr server = NULL;

    if (!doc)
        return NULL;
    root = xmlDocGetRootElement(doc);
    server = rfp_xml_child(root, "server", NULL);
    if (!rfp_xml_attr_is(root, "mode", "pull") ||
        !rfp_xml_attr_is(server, "transport", "unix"))
        return NULL;
    return rfp_xml_attr(server, "socket");
}
