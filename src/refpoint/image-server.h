/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu-nbd: an image of a domain that is shut off, served read-only. While it
 * runs, the image's lock keeps everybody from opening it for writing. */
#ifndef RFP_IMAGE_SERVER_H
#define RFP_IMAGE_SERVER_H

#include "error.h"

typedef struct _RfpImageServer RfpImageServer;

/*
 * Serves the qcow2 image @path, with what lies below it, as export "" at
 * @socket_path, which only we may reach: the folder is private. It dies with
 * the calling thread, whatever that dies of. An image that is open for writing:
 * IN_USE.
 */
RfpImageServer *
rfp_image_server_start(const char *path,
                       const char *socket_path,
                       const gint *cancel,
                       GError **error);

/* Ends it and removes the socket. */
void
rfp_image_server_stop(RfpImageServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpImageServer, rfp_image_server_stop)

#endif
