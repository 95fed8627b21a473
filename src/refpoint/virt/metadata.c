/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/metadata.h"
#include "base/names.h"

GPtrArray *
rfp_metadata_load(RfpDomain *domain, GError **error)
{
    g_autofree char *xml = NULL;

    return rfp_domain_get_metadata(domain, RFP_METADATA_URI, &xml, error)
               ? rfp_metadata_parse(xml, domain->uuid)
               : NULL;
}

static void
remove_entry(GPtrArray *points, const char *guid)
{
    for (guint i = points->len; i > 0; i--) {
        RfpMetadataPoint *point = g_ptr_array_index(points, i - 1);

        if (rfp_guid_equal(point->guid, guid))
            g_ptr_array_remove_index(points, i - 1);
    }
}

static gboolean
drop_dead(RfpDomain *domain,
          GPtrArray *known,
          GPtrArray *points,
          GError **error)
{
    g_autoptr(GPtrArray) live = known != NULL
                                    ? g_ptr_array_ref(known)
                                    : rfp_checkpoint_list(domain, FALSE, error);

    if (live == NULL)
        return FALSE;
    for (guint i = points->len; i > 0; i--) {
        RfpMetadataPoint *point = g_ptr_array_index(points, i - 1);

        if (rfp_checkpoint_find_guid(live, point->guid) == NULL)
            g_ptr_array_remove_index(points, i - 1);
    }
    return TRUE;
}

static gboolean
store(RfpDomain *domain, GPtrArray *points, GError **error)
{
    g_autofree char *xml = rfp_metadata_format(points, domain->uuid);
    g_autofree char *old = NULL;

    if (xml == NULL &&
        !rfp_domain_get_metadata(domain, RFP_METADATA_URI, &old, error))
        return FALSE;
    if (xml == NULL && old == NULL)
        return TRUE;
    return rfp_domain_set_metadata(domain, RFP_METADATA_PREFIX,
                                   RFP_METADATA_URI, xml, error);
}

gboolean
rfp_metadata_update(RfpDomain *domain,
                    GPtrArray *live,
                    RfpMetadataPoint *point,
                    const char *remove_guid,
                    GError **error)
{
    g_autoptr(GPtrArray) points = rfp_metadata_load(domain, error);

    if (points != NULL && remove_guid != NULL)
        remove_entry(points, remove_guid);
    /* what was not read must not be written over */
    if (points == NULL || !drop_dead(domain, live, points, error)) {
        rfp_metadata_point_free(point);
        return FALSE;
    }
    if (point != NULL) {
        remove_entry(points, point->guid);
        g_ptr_array_add(points, point);
    }
    return store(domain, points, error);
}

gboolean
rfp_metadata_publish(RfpDomain *domain,
                     const char *guid,
                     RefpointConsistency consistency,
                     GError **error)
{
    g_autoptr(GPtrArray) points = rfp_metadata_load(domain, error);
    RfpMetadataPoint *point = NULL;

    if (points == NULL)
        return FALSE;
    point = rfp_metadata_find(points, guid);
    if (point == NULL || point->state == REFPOINT_STATE_PUBLISHED)
        return TRUE;
    point->state = REFPOINT_STATE_PUBLISHED;
    point->consistency = consistency;
    return store(domain, points, error);
}
