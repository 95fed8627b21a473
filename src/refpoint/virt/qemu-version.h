/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which QEMU runs a domain, as far as that decides what may be done to it.
 *
 * libvirt tells the version of a program on the disk, not that of the process
 * which runs a guest: a package that was upgraded while the guest ran would be
 * taken for the old one.
 */
#ifndef RFP_QEMU_VERSION_H
#define RFP_QEMU_VERSION_H

#include "virt/domain.h"

/* From here on the NBD server of QEMU lets go of its clients in the main loop
 * alone. Before, a client that leaves an export whose disk is in an iothread is
 * let go of in that thread; since the mend of CVE-2024-7409 (7.2.14, and what
 * distributions made of it) QEMU then aborts, and the guest is gone. Shown with
 * 7.2.22; not with 10.0.13. */
#define RFP_QEMU_IOTHREAD_NBD 9000000

/*
 * The version, as libvirt counts it (major * 1000000 + minor * 1000 +
 * release), below which no QEMU has a machine type of this name ("pc-q35-7.2"):
 * versioned types come with a release. 0: it has none. Pure.
 */
gulong
rfp_qemu_version_of_machine(const char *machine);

/*
 * What the QEMU that runs an active domain has at least: by its machine type,
 * or by the program, if the process was started from it and it is the one of
 * which libvirt knows the version. 0: not known.
 */
gulong
rfp_qemu_version_at_least(RefpointConnection *conn,
                          RfpDomain *domain,
                          const RfpDomainXml *xml);

/* NOT_SUPPORTED: QEMU must not serve disk @target of a running domain, and
 * @why_not (translated) nothing else can be done for it. The ways out of that
 * are for the caller to add; where it adds none, those that always are. */
void
rfp_qemu_set_unservable(const RfpDomain *domain,
                        const char *target,
                        const char *why_not,
                        GError **error);

#endif
