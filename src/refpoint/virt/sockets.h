/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where NBD sockets are put, out of everybody else's reach. */
#ifndef RFP_SOCKETS_H
#define RFP_SOCKETS_H

#include "virt/domain.h"

/* For a backup job of a running domain (@id): QEMU makes it, we connect. Free
 * with g_free(). */
char *
rfp_socket_of_job(RefpointConnection *conn,
                  RfpDomain *domain,
                  gint id,
                  const char *guid,
                  GError **error);

/* For a server of ours. Free with g_free(). */
char *
rfp_socket_of_ours(RefpointConnection *conn, const char *guid, GError **error);

#endif
