/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/checkpoint.h"
#include "base/names.h"
#include "base/text.h"

#include <stdlib.h>

static RfpCheckpointXml *
describe(RfpDomain *domain,
         virDomainCheckpointPtr checkpoint,
         gboolean sizes,
         GError **error)
{
    const char *name = virDomainCheckpointGetName(checkpoint);
    unsigned int flags = VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN;
    RfpCheckpointXml *parsed = NULL;
    char *xml = NULL;

    if (sizes)
        xml = domain->calls->checkpoint_get_xml(
            checkpoint, flags | VIR_DOMAIN_CHECKPOINT_XML_SIZE);
    /* the domain stopped meanwhile: the list is still true; anything else does
     * not say that the bitmaps are broken */
    if (!sizes ||
        (xml == NULL && virGetLastErrorCode() == VIR_ERR_OPERATION_INVALID))
        xml = domain->calls->checkpoint_get_xml(checkpoint, flags);
    if (xml == NULL) {
        rfp_virt_error_set(error, name, _("cannot look at checkpoint '%s'"),
                           name);
        return NULL;
    }
    parsed = rfp_checkpoint_xml_parse(xml, error);
    free(xml);
    if (parsed != NULL)
        parsed->measured = sizes;
    return parsed;
}

static gboolean
is_gone(const GError *error)
{
    return rfp_error_libvirt_code(error) == VIR_ERR_NO_DOMAIN_CHECKPOINT;
}

static void
free_all(virDomainCheckpointPtr *checkpoints, int n)
{
    for (int i = 0; i < n; i++)
        virDomainCheckpointFree(checkpoints[i]);
    free(checkpoints);
}

static GPtrArray *
list_once(RfpDomain *domain, gboolean sizes, GError **error)
{
    g_autoptr(GPtrArray) list =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_checkpoint_xml_free);
    virDomainCheckpointPtr *checkpoints = NULL;
    /* not LIST_TOPOLOGICAL: libvirt fails with that while somebody makes one */
    int n = domain->calls->checkpoint_list(domain->virt, &checkpoints, 0);

    if (n < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot list the checkpoints of domain '%s'"),
                           domain->name);
        return NULL;
    }
    for (int i = 0; i < n; i++) {
        RfpCheckpointXml *parsed = NULL;
        g_autoptr(GError) local = NULL;

        parsed = describe(domain, checkpoints[i], sizes, &local);
        /* somebody may delete one while we look */
        if (parsed == NULL && !is_gone(local)) {
            g_propagate_error(error, g_steal_pointer(&local));
            free_all(checkpoints, n);
            return NULL;
        }
        if (parsed != NULL)
            g_ptr_array_add(list, parsed);
    }
    free_all(checkpoints, n);
    return g_steal_pointer(&list);
}

GPtrArray *
rfp_checkpoint_list(RfpDomain *domain, gboolean sizes, GError **error)
{
    GPtrArray *found = NULL;

    do
        found = list_once(domain, sizes, error);
    while (found == NULL && rfp_domain_again(domain, error));
    if (found != NULL)
        rfp_checkpoint_xml_sort(found);
    return found;
}

RfpCheckpointXml *
rfp_checkpoint_find_guid(GPtrArray *checkpoints, const char *guid)
{
    for (guint i = 0; i < checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint = g_ptr_array_index(checkpoints, i);

        if (rfp_guid_equal(checkpoint->guid, guid))
            return checkpoint;
    }
    return NULL;
}

char *
rfp_checkpoint_guid(RfpDomain *domain, const RfpCheckpointXml *checkpoint)
{
    if (checkpoint->guid != NULL)
        return g_strdup(checkpoint->guid);
    return rfp_guid_of_foreign(domain->uuid, checkpoint->created,
                               checkpoint->name);
}

static RfpCheckpointXml *
look_for(RfpDomain *domain,
         GPtrArray *checkpoints,
         const char *name,
         const char *guid)
{
    for (guint i = 0; i < checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint = g_ptr_array_index(checkpoints, i);
        g_autofree char *its_guid = rfp_checkpoint_guid(domain, checkpoint);

        if (g_strcmp0(checkpoint->name, name) == 0 ||
            rfp_guid_equal(its_guid, guid))
            return checkpoint;
    }
    return NULL;
}

RfpCheckpointXml *
rfp_checkpoint_find_any_guid(RfpDomain *domain,
                             GPtrArray *checkpoints,
                             const char *guid)
{
    return look_for(domain, checkpoints, NULL, guid);
}

RfpCheckpointXml *
rfp_checkpoint_find(RfpDomain *domain,
                    GPtrArray *checkpoints,
                    const char *point,
                    GError **error)
{
    RfpCheckpointXml *found = look_for(domain, checkpoints, point, point);

    if (found == NULL)
        rfp_checkpoint_set_unknown(domain, point, error);
    return found;
}

void
rfp_checkpoint_set_unknown(RfpDomain *domain, const char *point, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("domain '%s' has no point '%s'"), domain->name, point);
    rfp_error_add_object(error, point);
    rfp_error_add_way_out(error,
                          _("see which it has with: virt-refpoint list "
                            "%s"),
                          domain->shell_name);
}

/* NULL with no error: there is none. */
static virDomainCheckpointPtr
lookup(RfpDomain *domain, const char *name, GError **error)
{
    virDomainCheckpointPtr checkpoint =
        domain->calls->checkpoint_lookup(domain->virt, name, 0);

    if (checkpoint == NULL &&
        virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_CHECKPOINT)
        rfp_virt_error_set(error, name,
                           _("cannot look up checkpoint '%s' of domain '%s'"),
                           name, domain->name);
    return checkpoint;
}

static RfpCheckpointXml *
look_once(RfpDomain *domain, const char *name, gboolean sizes, GError **error)
{
    g_autoptr(virDomainCheckpoint) found = lookup(domain, name, error);

    return found != NULL ? describe(domain, found, sizes, error) : NULL;
}

/* The checkpoint as it is now; NULL with no error: it is gone. */
static RfpCheckpointXml *
look_again(RfpDomain *domain, const char *name, gboolean sizes, GError **error)
{
    g_autoptr(GError) local = NULL;
    RfpCheckpointXml *now = NULL;

    do
        now = look_once(domain, name, sizes, &local);
    while (now == NULL && rfp_domain_again(domain, &local));
    if (local != NULL && !is_gone(local))
        g_propagate_error(error, g_steal_pointer(&local));
    return now;
}

gboolean
rfp_checkpoint_measure(RfpDomain *domain,
                       RfpCheckpointXml *checkpoint,
                       GError **error)
{
    g_autoptr(RfpCheckpointXml) now = NULL;
    g_autoptr(GError) local = NULL;
    GPtrArray *disks = checkpoint->disks;

    if (checkpoint->measured)
        return TRUE;
    now = look_again(domain, checkpoint->name, TRUE, &local);
    if (local != NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    checkpoint->measured = TRUE;
    /* it may be another one of that name by now */
    if (now == NULL || now->created != checkpoint->created ||
        g_strcmp0(now->guid, checkpoint->guid) != 0)
        return TRUE;
    checkpoint->disks = now->disks;
    now->disks = disks;
    return TRUE;
}

gboolean
rfp_checkpoint_changed(RfpDomain *domain,
                       const char *name,
                       const char *target,
                       guint64 *changed)
{
    g_autoptr(RfpCheckpointXml) now = look_again(domain, name, TRUE, NULL);
    const RfpCheckpointDisk *disk =
        now != NULL ? rfp_checkpoint_xml_disk(now, target) : NULL;

    if (disk == NULL || !disk->has_size)
        return FALSE;
    *changed = disk->changed;
    return TRUE;
}

static char *
xml_text_once(RfpDomain *domain, const char *name, GError **error)
{
    g_autoptr(virDomainCheckpoint) checkpoint = lookup(domain, name, error);
    char *xml = NULL;
    char *copy = NULL;

    if (checkpoint == NULL)
        return NULL;
    xml = domain->calls->checkpoint_get_xml(checkpoint,
                                            VIR_DOMAIN_CHECKPOINT_XML_SECURE);
    if (xml == NULL)
        xml = domain->calls->checkpoint_get_xml(checkpoint, 0);
    if (xml == NULL && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_CHECKPOINT)
        rfp_virt_error_set(error, name, _("cannot get checkpoint '%s'"), name);
    copy = g_strdup(xml);
    free(xml);
    return copy;
}

char *
rfp_checkpoint_xml_text(RfpDomain *domain, const char *name, GError **error)
{
    char *text = NULL;

    do
        text = xml_text_once(domain, name, error);
    while (text == NULL && rfp_domain_again(domain, error));
    return text;
}

static gboolean
delete_so(RfpDomain *domain,
          virDomainCheckpointPtr checkpoint,
          unsigned int flags,
          GError **error)
{
    const char *name = virDomainCheckpointGetName(checkpoint);

    if (domain->calls->checkpoint_delete(checkpoint, flags) == 0)
        return TRUE;
    rfp_virt_error_set(error, name,
                       _("cannot delete checkpoint '%s' of domain '%s'"), name,
                       domain->name);
    rfp_domain_correct_cause(domain, error);
    return FALSE;
}

static gboolean
forget_checkpoint(RfpDomain *domain,
                  virDomainCheckpointPtr checkpoint,
                  GError **error)
{
    return delete_so(domain, checkpoint,
                     VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY, error);
}

/* Of a running domain, whose QEMU tells. */
static gboolean
has_lost_bitmap(RfpDomain *domain, virDomainCheckpointPtr checkpoint)
{
    char *xml =
        domain->calls->checkpoint_get_xml(checkpoint,
                                          VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN |
                                              VIR_DOMAIN_CHECKPOINT_XML_SIZE);
    g_autoptr(RfpCheckpointXml) now =
        xml != NULL ? rfp_checkpoint_xml_parse(xml, NULL) : NULL;

    free(xml);
    for (guint i = 0; now != NULL && i < now->disks->len; i++) {
        RfpCheckpointDisk *disk = g_ptr_array_index(now->disks, i);

        if (disk->tracked && !disk->has_size)
            return TRUE;
    }
    return FALSE;
}

static gboolean
delete_checkpoint(RfpDomain *domain,
                  virDomainCheckpointPtr checkpoint,
                  GError **error)
{
    g_autoptr(GError) local = NULL;

    if (delete_so(domain, checkpoint, 0, &local))
        return TRUE;
    /* The bitmap is gone: only the metadata is left. Of a domain that is shut
     * off (OPERATION_UNSUPPORTED) the bitmap would stay in the image. */
    if (rfp_error_libvirt_code(local) == VIR_ERR_INTERNAL_ERROR &&
        has_lost_bitmap(domain, checkpoint))
        return forget_checkpoint(domain, checkpoint, error);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

static gboolean
delete_once(RfpDomain *domain,
            const char *name,
            const char *guid,
            gboolean (*delete)(RfpDomain *domain,
                               virDomainCheckpointPtr checkpoint,
                               GError **error),
            GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(virDomainCheckpoint) checkpoint = lookup(domain, name, &local);
    g_autoptr(RfpCheckpointXml) parsed = NULL;
    g_autofree char *found = NULL;

    if (checkpoint == NULL) {
        if (local == NULL)
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    parsed = describe(domain, checkpoint, FALSE, &local);
    if (parsed == NULL) {
        if (is_gone(local))
            return TRUE;
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    found = rfp_checkpoint_guid(domain, parsed);
    if (!rfp_guid_equal(found, guid))
        return TRUE;
    if (delete (domain, checkpoint, &local) || is_gone(local))
        return TRUE;
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* What has come through without an answer is gone when it is looked for. */
static gboolean
delete_if_guid(RfpDomain *domain,
               const char *name,
               const char *guid,
               gboolean (*delete)(RfpDomain *domain,
                                  virDomainCheckpointPtr checkpoint,
                                  GError **error),
               GError **error)
{
    gboolean done = FALSE;

    do
        done = delete_once(domain, name, guid, delete, error);
    while (!done && rfp_domain_again(domain, error));
    return done;
}

gboolean
rfp_checkpoint_delete(RfpDomain *domain,
                      const char *name,
                      const char *guid,
                      GError **error)
{
    return delete_if_guid(domain, name, guid, delete_checkpoint, error);
}

gboolean
rfp_checkpoint_forget(RfpDomain *domain,
                      const char *name,
                      const char *guid,
                      GError **error)
{
    return delete_if_guid(domain, name, guid, forget_checkpoint, error);
}

/* Whether a call without an answer has come through. */
static gboolean
was_made(RfpDomain *domain, const char *xml)
{
    g_autoptr(RfpCheckpointXml) wanted = rfp_checkpoint_xml_parse(xml, NULL);
    g_autoptr(RfpCheckpointXml) found =
        wanted != NULL ? look_again(domain, wanted->name, FALSE, NULL) : NULL;

    return found != NULL && rfp_guid_equal(found->guid, wanted->guid);
}

gboolean
rfp_checkpoint_create(RfpDomain *domain, const char *xml, GError **error)
{
    g_autoptr(virDomainCheckpoint) checkpoint = NULL;

    while ((checkpoint = domain->calls->checkpoint_create(domain->virt, xml,
                                                          0)) == NULL) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot make a checkpoint of domain '%s'"),
                           domain->name);
        rfp_domain_correct_cause(domain, error);
        if (!rfp_domain_again(domain, error))
            return FALSE;
        if (was_made(domain, xml))
            return TRUE;
    }
    return TRUE;
}

gboolean
rfp_checkpoint_redefine(RfpDomain *domain,
                        const char *xml,
                        gboolean validate,
                        GError **error)
{
    unsigned int flags = VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE;
    g_autoptr(virDomainCheckpoint) checkpoint = NULL;

    if (validate)
        flags |= VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE;
    while ((checkpoint = domain->calls->checkpoint_create(domain->virt, xml,
                                                          flags)) == NULL) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot redefine a checkpoint of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    return TRUE;
}
