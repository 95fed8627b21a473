/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What we need to know from a domain's XML; pure. */
#ifndef RFP_DOMAIN_XML_H
#define RFP_DOMAIN_XML_H

#include "base/disk-source.h"

typedef struct {
    char *target;         /* "vda" */
    char *device;         /* "disk", "cdrom", "floppy", "lun" */
    char *driver;         /* driver format: "qcow2", "raw", or NULL */
    RfpDiskSource source; /* type and path; the inode is filled by others */
    gboolean has_source;  /* FALSE: no medium */
    guint64 source_index; /* number of its nodes in QEMU, live XML; else 0 */
    gboolean readonly;
    gboolean transient;
    gboolean shareable;
    gboolean encrypted; /* <encryption> in the source or the disk */
    char *secret;       /* UUID of its LUKS passphrase, or NULL */
    char *bus;
    gboolean iothread; /* its I/O runs in a thread of its own in QEMU */
} RfpDomainDisk;

typedef struct {
    char *name;
    char *uuid;
    char *type;               /* "kvm", "qemu" */
    char *machine;            /* "pc-q35-7.2", or NULL */
    gboolean has_agent;       /* a channel org.qemu.guest_agent.0 */
    gboolean agent_connected; /* ... that the guest has open, as libvirt knows;
                               * in live XML only */
    char *nvram;              /* path of the NVRAM file, or NULL */
    char *kernel;             /* direct boot, or NULL */
    char *initrd;
    gboolean tpm_emulated;
    GPtrArray *disks; /* RfpDomainDisk, in document order */
} RfpDomainXml;

/* From virDomainGetXMLDesc(), or from any <domain> element. */
RfpDomainXml *
rfp_domain_xml_parse(const char *xml, GError **error);

void
rfp_domain_xml_free(RfpDomainXml *domain);

/* The disk with this target, or NULL. */
RfpDomainDisk *
rfp_domain_xml_disk(RfpDomainXml *domain, const char *target);

/* The text of domain XML @xml without the metadata elements of this program
 * (points and groups), and without an empty <metadata> left behind.
 * Free with g_free(). */
char *
rfp_domain_xml_strip(const char *xml, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpDomainXml, rfp_domain_xml_free)

#endif
