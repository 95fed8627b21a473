/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain backup XML, both directions; pure. Source: libvirt,
 * formatbackup.html. */
#ifndef RFP_BACKUP_XML_H
#define RFP_BACKUP_XML_H

#include <glib.h>

typedef struct {
    const char *target;
    const char *base;    /* checkpoint to be incremental from; NULL: full */
    const char *scratch; /* path of the scratch file; in push mode of the qcow2
                          * image that QEMU writes */
    const char *secret;  /* UUID of a passphrase: the scratch file is encrypted
                          * with LUKS; NULL: it is not */
} RfpBackupDisk;

/*
 * A pull-mode job over a Unix socket, or, where @socket_path is NULL, a
 * push-mode job. @disks: those that take part; @others: targets that do not
 * (backup='no'), NULL-terminated. The export name of a disk is its target, its
 * bitmap context "backup-<target>". Free with g_free().
 */
char *
rfp_backup_xml_format(const char *socket_path,
                      const RfpBackupDisk *disks,
                      gsize n_disks,
                      const char *const *others);

/* Whether a running job, from virDomainBackupGetXMLDesc(), is the one that
 * @mark tells from all others: the Unix socket of a pull-mode job, or the file
 * that a push-mode job writes for one of its disks. */
gboolean
rfp_backup_xml_matches(const char *xml,
                       const char *mark,
                       gboolean *matches,
                       GError **error);

/* The GUID in the names of all files of a running job, where they are named as
 * ours are: of a job of virt-refpoint, whoever has begun it. NULL: of another
 * program's, or no job. Free with g_free(). */
char *
rfp_backup_xml_guid(const char *xml);

#endif
