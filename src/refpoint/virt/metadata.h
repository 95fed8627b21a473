/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our metadata element in a domain, kept true. */
#ifndef RFP_METADATA_H
#define RFP_METADATA_H

#include "virt/checkpoint.h"
#include "virt/metadata-xml.h"

/* The points recorded in the domain; empty where there are none, NULL where
 * libvirt did not tell. Free with g_ptr_array_unref(). */
GPtrArray *
rfp_metadata_load(RfpDomain *domain, GError **error);

/*
 * Puts @point (taken over, may be NULL) in place of an entry of its GUID, takes
 * the entry @remove_guid out (may be NULL), and lets go of other entries
 * without a live checkpoint. @live: a list of those; NULL: they are asked for.
 */
gboolean
rfp_metadata_update(RfpDomain *domain,
                    GPtrArray *live,
                    RfpMetadataPoint *point,
                    const char *remove_guid,
                    GError **error);

/* Notes that a point is published, and the consistency it reached. */
gboolean
rfp_metadata_publish(RfpDomain *domain,
                     const char *guid,
                     RefpointConsistency consistency,
                     GError **error);

#endif
