/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The calls of libvirt that change a domain, or whose failure decides what is
 * done next: all of them go through one table of functions, which a connection
 * hands to its domains (rfp_connection_calls()). The program has one table,
 * libvirt's own functions; a test puts a host of its own behind the same
 * signatures, and lets any call fail.
 *
 * These are called directly, without the table:
 *
 *   virConnectOpen(), virConnectGetURI(), virConnectGetType(),
 *   virConnSetErrorFunc(): they make the connection, before there is a table
 *
 *   virConnectRef(), virConnectClose(), virDomainFree(),
 *   virDomainCheckpointFree(), virTypedParams...(), virDomainGetName(),
 *   virDomainGetUUIDString(), virDomainGetID(), virDomainGetConnect(),
 *   virDomainCheckpointGetName(): they touch what this process has in its
 *   memory, libvirt's daemon does not hear of them
 *
 *   virGetLastError(), virGetLastErrorCode(), virSetErrorFunc(): of this
 *   process, too; a test with a host of its own has its own virGetLastError()
 *
 *   virStoragePoolLookupByName(), virStorageVolLookupByName(),
 *   virStorageVolGetPath(), virConnectGetVersion(),
 *   virConnectGetDomainCapabilities(), virDomainHasManagedSaveImage(): they
 *   read; where they fail a fact is not known, nothing more
 */
#ifndef RFP_VIRT_CALLS_H
#define RFP_VIRT_CALLS_H

#include "virt/virt.h"

/* As libvirt's functions of these names, with all that they promise: memory
 * that the caller has to free, and the error of a failure in
 * virGetLastError(). */
typedef struct {
    /* virConnect... */
    int (*is_alive)(virConnectPtr conn);
    virDomainPtr (*lookup_by_id)(virConnectPtr conn, int id);
    virDomainPtr (*lookup_by_uuid)(virConnectPtr conn, const char *uuid);
    virDomainPtr (*lookup_by_name)(virConnectPtr conn, const char *name);
    int (*list_domains)(virConnectPtr conn,
                        virDomainPtr **domains,
                        unsigned int flags);
    /* virDomain... */
    int (*get_state)(virDomainPtr domain,
                     int *state,
                     int *reason,
                     unsigned int flags);
    int (*is_active)(virDomainPtr domain);
    int (*is_persistent)(virDomainPtr domain);
    char *(*get_xml)(virDomainPtr domain, unsigned int flags);
    int (*get_control_info)(virDomainPtr domain,
                            virDomainControlInfoPtr info,
                            unsigned int flags);
    int (*get_block_info)(virDomainPtr domain,
                          const char *disk,
                          virDomainBlockInfoPtr info,
                          unsigned int flags);
    int (*suspend)(virDomainPtr domain);
    int (*resume)(virDomainPtr domain);
    char *(*get_metadata)(virDomainPtr domain,
                          int type,
                          const char *uri,
                          unsigned int flags);
    int (*set_metadata)(virDomainPtr domain,
                        int type,
                        const char *metadata,
                        const char *key,
                        const char *uri,
                        unsigned int flags);
    /* of jobs */
    int (*backup_begin)(virDomainPtr domain,
                        const char *backup_xml,
                        const char *checkpoint_xml,
                        unsigned int flags);
    char *(*backup_get_xml)(virDomainPtr domain, unsigned int flags);
    int (*get_job_stats)(virDomainPtr domain,
                         int *type,
                         virTypedParameterPtr *params,
                         int *nparams,
                         unsigned int flags);
    int (*abort_job)(virDomainPtr domain);
    int (*get_block_job)(virDomainPtr domain,
                         const char *disk,
                         virDomainBlockJobInfoPtr info,
                         unsigned int flags);
    int (*set_block_job_speed)(virDomainPtr domain,
                               const char *disk,
                               unsigned long bandwidth,
                               unsigned int flags);
    /* virDomainCheckpoint... */
    virDomainCheckpointPtr (*checkpoint_create)(virDomainPtr domain,
                                                const char *xml,
                                                unsigned int flags);
    int (*checkpoint_list)(virDomainPtr domain,
                           virDomainCheckpointPtr **checkpoints,
                           unsigned int flags);
    virDomainCheckpointPtr (*checkpoint_lookup)(virDomainPtr domain,
                                                const char *name,
                                                unsigned int flags);
    char *(*checkpoint_get_xml)(virDomainCheckpointPtr checkpoint,
                                unsigned int flags);
    int (*checkpoint_delete)(virDomainCheckpointPtr checkpoint,
                             unsigned int flags);
    /* of the guest's agent */
    int (*agent_set_timeout)(virDomainPtr domain,
                             int timeout,
                             unsigned int flags);
    int (*fs_freeze)(virDomainPtr domain,
                     const char **mountpoints,
                     unsigned int nmountpoints,
                     unsigned int flags);
    int (*fs_thaw)(virDomainPtr domain,
                   const char **mountpoints,
                   unsigned int nmountpoints,
                   unsigned int flags);
    int (*get_time)(virDomainPtr domain,
                    long long *seconds,
                    unsigned int *nseconds,
                    unsigned int flags);
    char *(*get_hostname)(virDomainPtr domain, unsigned int flags);
} RfpVirtCalls;

/* libvirt itself. */
extern const RfpVirtCalls rfp_virt_calls;

#endif
