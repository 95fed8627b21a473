/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-nbd: an image of a domain, served read-only. */
#ifndef RFP_IMAGE_SERVER_H
#define RFP_IMAGE_SERVER_H

#include "base/error.h"

typedef struct _RfpImageServer RfpImageServer;

/* What others may do with the image meanwhile. */
typedef enum {
    RFP_IMAGE_LOCKED, /* nobody opens it for writing; IN_USE where somebody has
                       */
    RFP_IMAGE_SHARED, /* a guest runs on it: what it writes may be seen or not
                       */
} RfpImageSharing;

/*
 * Serves the qcow2 image @path, a file or a block device, with what lies below
 * it, as export "" at @socket_path, which only we may reach: the folder is
 * private. It dies with the calling thread, whatever that dies of.
 */
RfpImageServer *
rfp_image_server_start(const char *path,
                       RfpImageSharing sharing,
                       const char *socket_path,
                       const gint *cancel,
                       GError **error);

/* Ends it and removes the socket. */
void
rfp_image_server_stop(RfpImageServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpImageServer, rfp_image_server_stop)

#endif
