/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "domain.h"
#include "metadata-xml.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* virsh's order: id, UUID, name. */
static virDomainPtr
lookup(virConnectPtr virt, const char *spelling)
{
    virDomainPtr found = NULL;
    guint64 id = 0;

    if (g_ascii_string_to_unsigned(spelling, 10, 0, G_MAXINT, &id, NULL))
        found = virDomainLookupByID(virt, (int)id);
    if (found == NULL && strlen(spelling) == VIR_UUID_STRING_BUFLEN - 1)
        found = virDomainLookupByUUIDString(virt, spelling);
    if (found == NULL)
        found = virDomainLookupByName(virt, spelling);
    return found;
}

RfpDomain *
rfp_domain_lookup(RefpointConnection *conn,
                  const char *spelling,
                  GError **error)
{
    g_autofree char *shown = rfp_text_clean(spelling);
    virDomainPtr virt = NULL;

    if (spelling == NULL || *spelling == '\0') {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the name of the domain is empty"));
        return NULL;
    }
    virt = lookup(conn->virt, spelling);
    if (virt == NULL) {
        rfp_virt_error_set(error, shown, _("cannot find the domain '%s'"),
                           shown);
        rfp_error_add_way_out(error, _("see which there are with: virsh -c %s "
                                       "list --all"),
                              conn->uri);
        return NULL;
    }
    return rfp_domain_new(virt, error);
}

RfpDomain *
rfp_domain_new(virDomainPtr virt, GError **error)
{
    g_autoptr(RfpDomain) domain = g_new0(RfpDomain, 1);
    char uuid[VIR_UUID_STRING_BUFLEN];

    domain->virt = virt;
    domain->name = g_strdup(virDomainGetName(virt));
    if (domain->name == NULL || virDomainGetUUIDString(virt, uuid) < 0) {
        rfp_virt_error_set(error, NULL, _("cannot identify a domain"));
        return NULL;
    }
    domain->word = rfp_text_shell(domain->name);
    domain->uuid = g_ascii_strdown(uuid, -1);
    return g_steal_pointer(&domain);
}

void
rfp_domain_free(RfpDomain *domain)
{
    if (domain == NULL)
        return;
    rfp_virt_domain_free(domain->virt);
    g_free(domain->name);
    g_free(domain->word);
    g_free(domain->uuid);
    g_free(domain);
}

gboolean
rfp_domain_state(RfpDomain *domain, RfpDomainState *state, GError **error)
{
    int number = VIR_DOMAIN_NOSTATE;
    int reason = 0;

    if (virDomainGetState(domain->virt, &number, &reason, 0) < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot get the state of domain '%s'"),
                           domain->name);
        return FALSE;
    }
    state->active = number != VIR_DOMAIN_SHUTOFF &&
                    number != VIR_DOMAIN_CRASHED &&
                    number != VIR_DOMAIN_NOSTATE;
    state->running = number == VIR_DOMAIN_RUNNING ||
                     number == VIR_DOMAIN_BLOCKED;
    state->io_error = number == VIR_DOMAIN_PAUSED &&
                      reason == VIR_DOMAIN_PAUSED_IOERROR;
    state->crashed = number == VIR_DOMAIN_CRASHED ||
                     (number == VIR_DOMAIN_SHUTOFF &&
                      (reason == VIR_DOMAIN_SHUTOFF_CRASHED ||
                       reason == VIR_DOMAIN_SHUTOFF_FAILED));
    state->ending = number == VIR_DOMAIN_SHUTDOWN;
    state->id = state->active ? (gint)virDomainGetID(domain->virt) : -1;
    return TRUE;
}

void
rfp_domain_correct_cause(RfpDomain *domain, GError **error)
{
    if (error != NULL && *error != NULL &&
        rfp_error_libvirt_code(*error) == VIR_ERR_OPERATION_UNSUPPORTED &&
        virDomainIsActive(domain->virt) == 0)
        (*error)->code = REFPOINT_ERROR_INVALID_STATE;
}

char *
rfp_domain_xml_text(RfpDomain *domain,
                    gboolean inactive,
                    gboolean *secure,
                    GError **error)
{
    unsigned int flags = inactive ? VIR_DOMAIN_XML_INACTIVE : 0;
    char *xml = virDomainGetXMLDesc(domain->virt,
                                    flags | VIR_DOMAIN_XML_SECURE);
    char *copy = NULL;

    if (secure != NULL)
        *secure = xml != NULL;
    if (xml == NULL) /* a read-only connection gives no secrets */
        xml = virDomainGetXMLDesc(domain->virt, flags);
    if (xml == NULL) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot get the configuration of domain '%s'"),
                           domain->name);
        return NULL;
    }
    copy = g_strdup(xml);
    free(xml);
    return copy;
}

gboolean
rfp_domain_disk_size(RfpDomain *domain,
                     const char *target,
                     guint64 *size,
                     guint64 *allocation,
                     GError **error)
{
    virDomainBlockInfo info = {0};

    if (virDomainGetBlockInfo(domain->virt, target, &info, 0) < 0) {
        rfp_virt_error_set(error, target,
                           _("cannot get the size of disk '%s' of domain "
                             "'%s'"),
                           target, domain->name);
        return FALSE;
    }
    *size = info.capacity;
    *allocation = info.allocation;
    return TRUE;
}

/* @name: "pool/volume" */
static char *
volume_path(RfpDomain *domain, const char *name)
{
    virConnectPtr virt = virDomainGetConnect(domain->virt);
    g_auto(GStrv) parts = g_strsplit(name, "/", 2);
    virStoragePoolPtr pool = virStoragePoolLookupByName(virt, parts[0]);
    virStorageVolPtr volume =
        pool ? virStorageVolLookupByName(pool, parts[1]) : NULL;
    char *path = volume ? virStorageVolGetPath(volume) : NULL;
    char *copy = g_strdup(path);

    free(path);
    if (volume != NULL)
        virStorageVolFree(volume);
    if (pool != NULL)
        virStoragePoolFree(pool);
    return copy;
}

char *
rfp_domain_local_path(RfpDomain *domain, const RfpDiskSource *source)
{
    g_autofree char *path = NULL;

    if (source->path == NULL)
        return NULL;
    if (g_strcmp0(source->type, "file") == 0 ||
        g_strcmp0(source->type, "block") == 0)
        path = g_strdup(source->path);
    else if (g_strcmp0(source->type, "volume") == 0)
        path = volume_path(domain, source->path);
    return path != NULL && path[0] == '/' ? g_steal_pointer(&path) : NULL;
}

void
rfp_domain_identify_source(RfpDiskSource *source)
{
    struct stat st;

    source->inode = 0;
    if (g_strcmp0(source->type, "file") == 0 && source->path != NULL &&
        stat(source->path, &st) == 0)
        source->inode = st.st_ino;
}

gboolean
rfp_domain_resume(RfpDomain *domain, GError **error)
{
    if (virDomainResume(domain->virt) < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot resume domain '%s'"), domain->name);
        rfp_error_add_way_out(error, _("resume it with: virsh resume %s"),
                              domain->word);
        return FALSE;
    }
    return TRUE;
}

char *
rfp_domain_get_metadata(RfpDomain *domain)
{
    char *xml = virDomainGetMetadata(domain->virt,
                                     VIR_DOMAIN_METADATA_ELEMENT,
                                     RFP_METADATA_URI, 0);
    char *copy = g_strdup(xml);

    free(xml);
    return copy;
}

gboolean
rfp_domain_set_metadata(RfpDomain *domain, const char *xml, GError **error)
{
    unsigned int flags = 0;

    if (virDomainIsActive(domain->virt) == 1)
        flags |= VIR_DOMAIN_AFFECT_LIVE;
    if (virDomainIsPersistent(domain->virt) == 1)
        flags |= VIR_DOMAIN_AFFECT_CONFIG;
    if (virDomainSetMetadata(domain->virt, VIR_DOMAIN_METADATA_ELEMENT, xml,
                             RFP_METADATA_PREFIX, RFP_METADATA_URI,
                             flags) < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot record the point in domain '%s'"),
                           domain->name);
        return FALSE;
    }
    return TRUE;
}
