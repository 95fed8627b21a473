/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain backup XML, both directions; pure. Source: libvirt,
 * formatbackup.html. */
#ifndef RFP_BACKUP_XML_H
#define RFP_BACKUP_XML_H

#include <glib.h>

typedef struct {
    const char *target;
    const char *base;    /* checkpoint to be incremental from; NULL: full */
    const char *scratch; /* path of the scratch file */
    const char *secret;  /* UUID of a passphrase: the scratch file is encrypted
                          * with LUKS; NULL: it is not */
} RfpBackupDisk;

/*
 * A pull-mode job over a Unix socket. @disks: those that take part; @others:
 * targets that do not (backup='no'), NULL-terminated. The export name of a disk
 * is its target, its bitmap context "backup-<target>". Free with g_free().
 */
char *
rfp_backup_xml_format(const char *socket_path,
                      const RfpBackupDisk *disks,
                      gsize n_disks,
                      const char *const *others);

/* The Unix socket of a running pull-mode job from
 * virDomainBackupGetXMLDesc(); NULL (no error) for any other job. */
char *
rfp_backup_xml_socket(const char *xml, GError **error);

#endif
