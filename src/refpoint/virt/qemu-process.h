/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The process that runs a domain, and what it may reach. */
#ifndef RFP_QEMU_PROCESS_H
#define RFP_QEMU_PROCESS_H

#include "virt/domain.h"

#include <sys/types.h>

/* Of whom the kernel takes a process for when it opens a file. */
typedef struct {
    uid_t uid;
    gid_t gid;
    GArray *groups; /* gid_t, the supplementary ones */
} RfpIdentity;

/* Pure: out of /proc/PID/status. NULL: it is not in it. */
RfpIdentity *
rfp_identity_parse(const char *status);

void
rfp_identity_free(RfpIdentity *identity);

/*
 * The first folder on the way to @path, itself included, that a process with
 * @identity could not enter, as the kernel sees it (modes, groups, ACLs): only
 * root can ask that of others. NULL: it gets there, as far as @path exists, or
 * nobody can tell. Free with g_free().
 */
char *
rfp_identity_stopped_at(const RfpIdentity *identity, const char *path);

/* The number of the process of an active domain, as libvirt has it written
 * down; 0: not known. */
pid_t
rfp_qemu_pid(RefpointConnection *conn, const RfpDomain *domain);

/* Pure: whether a command line, as /proc has it, is of the QEMU of the domain
 * with this UUID. */
gboolean
rfp_qemu_is_of(const char *cmdline, gsize length, const char *uuid);

/* INVALID_STATE where a domain that is off for this daemon is run by a QEMU all
 * the same: under another daemon, or one that was lost. Nothing of it may be
 * changed, and its files are in use. */
gboolean
rfp_qemu_check_off(RefpointConnection *conn,
                   const RfpDomain *domain,
                   GError **error);

/*
 * ACCESS_DENIED, naming who QEMU runs as and the folder that stops it, where it
 * cannot get to its files in the scratch directory @dir: libvirt makes them as
 * root, QEMU opens them. Of a session daemon: where this user cannot write
 * there.
 */
gboolean
rfp_qemu_check_reach(RefpointConnection *conn,
                     const RfpDomain *domain,
                     const char *dir,
                     GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpIdentity, rfp_identity_free)

#endif
