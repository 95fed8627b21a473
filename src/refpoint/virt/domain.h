/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain of libvirt: looking it up, its XML, state, disks and metadata. */
#ifndef RFP_DOMAIN_H
#define RFP_DOMAIN_H

#include "virt/connection.h"
#include "virt/domain-xml.h"

typedef struct {
    RefpointConnection *conn;  /* borrowed; NULL: it may be gone, the domain is
                                * not looked up again */
    const RfpVirtCalls *calls; /* those of its connection */
    virDomainPtr virt;
    const gint *cancel; /* atomic, borrowed, or NULL: no more waiting */
    gboolean hasty; /* calls do not wait for a daemon that is away, either */
    char *name;
    char *shell_name; /* quoted for a shell, for ways out that are commands */
    char *uuid;       /* lower case, with dashes */
} RfpDomain;

/* By name, UUID or id, as virsh does. No such domain: INVALID_PARAMETER. Waits
 * for a daemon that is away as rfp_connection_again() does. */
RfpDomain *
rfp_domain_lookup(RefpointConnection *conn,
                  const char *spelling,
                  const gint *cancel,
                  GError **error);

/* All domains for which @flags of virConnectListAllDomains() ask: GPtrArray of
 * RfpDomain. One that goes away meanwhile is left out. Waits as
 * rfp_domain_lookup() does. */
GPtrArray *
rfp_domain_list(RefpointConnection *conn,
                unsigned int flags,
                const gint *cancel,
                GError **error);

/* Calls @func with every domain, one after the other, until it fails; its error
 * is then this function's, too. A domain that goes away before or while @func
 * looks at it is passed over. */
gboolean
rfp_domain_each(RefpointConnection *conn,
                gboolean (*func)(RfpDomain *domain,
                                 gpointer opaque,
                                 GError **error),
                gpointer opaque,
                GError **error);

void
rfp_domain_free(RfpDomain *domain);

/*
 * Behind a call of libvirt that failed, when the error is set: TRUE where the
 * connection was lost (the daemon was restarted, or died) and the domain has
 * been found again over a new one: *@error is cleared, and the call can be
 * repeated, if it does no harm done twice. It waits for the daemon as
 * rfp_connection_again() does. FALSE: the connection is not to blame, and
 * *@error stays; or there is no daemon any more, or the domain is gone with it,
 * and *@error says so instead.
 */
gboolean
rfp_domain_again(RfpDomain *domain, GError **error);

typedef struct {
    gboolean active;
    gboolean running;  /* active, and the CPUs run */
    gboolean io_error; /* paused by an I/O error */
    gboolean paused;   /* by somebody who asked for it */
    gboolean crashed;  /* not active: QEMU died, it was not shut off */
    gboolean ending;   /* shutting down, or about to reboot */
    gint id;           /* -1 inactive */
} RfpDomainState;

gboolean
rfp_domain_state(RfpDomain *domain, RfpDomainState *state, GError **error);

/* Whether libvirt keeps the memory of a domain that is shut off, to start from
 * it (virsh managedsave); FALSE, too, where it cannot be asked. */
gboolean
rfp_domain_has_saved_memory(RfpDomain *domain);

/* Of @error, which libvirt gave of a call on @domain: what is not supported
 * because the domain is not active is INVALID_STATE. */
void
rfp_domain_correct_cause(RfpDomain *domain, GError **error);

/* Whether QEMU is not to be asked: it does not answer, or somebody has been
 * waiting for its answer for more than a moment. One more who waits would keep
 * one of the few threads of libvirt's daemon. */
gboolean
rfp_domain_is_busy(RfpDomain *domain);

/* The live configuration (or the persistent one, @inactive); with secrets where
 * the connection gives them, *@secure tells (may be NULL). Free with
 * g_free(). */
char *
rfp_domain_xml_text(RfpDomain *domain,
                    gboolean inactive,
                    gboolean *secure,
                    GError **error);

/* Exact virtual size of a disk, and what its image takes on the host, in
 * bytes. */
gboolean
rfp_domain_disk_size(RfpDomain *domain,
                     const char *target,
                     guint64 *size,
                     guint64 *allocation,
                     GError **error);

/* The file or device of this host behind a source, a volume of libvirt's
 * storage too; NULL if it is something else. Free with g_free(). */
char *
rfp_domain_local_path(RfpDomain *domain, const RfpDiskSource *source);

/* Fills the inode of a file source where it can be seen. */
void
rfp_domain_identify_source(RfpDiskSource *source);

/* Stops the CPUs, as an administrator does with virsh suspend. */
gboolean
rfp_domain_suspend(RfpDomain *domain, GError **error);

gboolean
rfp_domain_resume(RfpDomain *domain, GError **error);

/* Whether it stays when it is off. */
gboolean
rfp_domain_is_persistent(RfpDomain *domain);

/* *@xml: the metadata element of the namespace @uri, or NULL if there is none.
 * Free with g_free(). FALSE: libvirt did not tell. */
gboolean
rfp_domain_get_metadata(RfpDomain *domain,
                        const char *uri,
                        char **xml,
                        GError **error);

/* Sets it for the running and the persistent domain, with @prefix for the
 * namespace; NULL removes it. */
gboolean
rfp_domain_set_metadata(RfpDomain *domain,
                        const char *prefix,
                        const char *uri,
                        const char *xml,
                        GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpDomain, rfp_domain_free)

#endif
