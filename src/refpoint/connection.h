/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A connection to the local QEMU driver, and where its things are kept. */
#ifndef RFP_CONNECTION_H
#define RFP_CONNECTION_H

#include "virt.h"

struct _RefpointConnection {
    virConnectPtr virt;
    char *uri;         /* canonical, as libvirt reports it */
    gboolean system;   /* the system daemon, else a session daemon */
    /* Folders of ours, absolute; made when they are first needed. */
    char *records_dir;
    char *scratch_dir;
    char *runtime_dir; /* sockets of a session daemon; NULL for system */
};

#endif
