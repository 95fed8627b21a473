/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which libvirt a URI means, before libvirt is asked: a wrong one shall be
 * named and said to be wrong without a connection to it, which may want a
 * password or start a daemon. Source: libvirt's uri.html and libvirt.conf.
 */
#ifndef RFP_URI_H
#define RFP_URI_H

#include <glib.h>

typedef struct {
    gboolean local;   /* on this host, over a Unix socket */
    gboolean session; /* its path is /session */
    char *host;       /* NULL: none is named */
    char *socket;     /* of socket=; NULL: libvirt chooses it */
} RfpUri;

/* Pure. NULL: it is no URI. */
RfpUri *
rfp_uri_parse(const char *text);

void
rfp_uri_free(RfpUri *uri);

/* Pure. The URI that uri_default of a libvirt.conf names, or that @alias stands
 * for in its uri_aliases; NULL: none. Free with g_free(). */
char *
rfp_uri_of_conf(const char *conf, const char *alias);

/* What virConnectOpen(@given) will take: @given may be an alias, or NULL. Free
 * with g_free(). */
char *
rfp_uri_resolve(const char *given);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpUri, rfp_uri_free)

#endif
