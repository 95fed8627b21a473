/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/domain.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define BUSY_MS 1000

static RfpDomain *
domain_new(RefpointConnection *conn, virDomainPtr virt, GError **error)
{
    g_autoptr(RfpDomain) domain = g_new0(RfpDomain, 1);
    char uuid[VIR_UUID_STRING_BUFLEN];

    domain->conn = conn;
    domain->calls = rfp_connection_calls(conn);
    domain->virt = virt;
    domain->hasty = conn->hasty;
    domain->name = g_strdup(virDomainGetName(virt));
    if (domain->name == NULL || virDomainGetUUIDString(virt, uuid) < 0) {
        rfp_virt_error_set(error, NULL, _("cannot identify a domain"));
        return NULL;
    }
    domain->shell_name = rfp_text_shell(domain->name);
    domain->uuid = g_ascii_strdown(uuid, -1);
    return g_steal_pointer(&domain);
}

/* virsh's order: id, UUID, name. */
static virDomainPtr
lookup(const RfpVirtCalls *calls, virConnectPtr virt, const char *spelling)
{
    virDomainPtr found = NULL;
    guint64 id = 0;

    if (g_ascii_string_to_unsigned(spelling, 10, 0, G_MAXINT, &id, NULL))
        found = calls->lookup_by_id(virt, (int)id);
    if (found == NULL && strlen(spelling) == VIR_UUID_STRING_BUFLEN - 1)
        found = calls->lookup_by_uuid(virt, spelling);
    if (found == NULL)
        found = calls->lookup_by_name(virt, spelling);
    return found;
}

static void
add_domains_way_out(const RefpointConnection *conn, GError **error)
{
    g_autofree char *word = rfp_text_shell(conn->uri);

    rfp_error_add_way_out(error,
                          _("see which there are with: virsh -c %s "
                            "list --all"),
                          word);
}

RfpDomain *
rfp_domain_lookup(RefpointConnection *conn,
                  const char *spelling,
                  const gint *cancel,
                  GError **error)
{
    g_autofree char *shown = rfp_text_clean(spelling);
    virDomainPtr found = NULL;

    if (spelling == NULL || *spelling == '\0') {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the name of the domain is empty"));
        return NULL;
    }
    while (found == NULL) {
        g_autoptr(virConnect) virt = rfp_connection_ref(conn);

        found = lookup(rfp_connection_calls(conn), virt, spelling);
        if (found != NULL)
            break;
        rfp_virt_error_set(error, shown, _("cannot find the domain '%s'"),
                           shown);
        if (rfp_connection_again(conn, virt, !conn->hasty, cancel, shown,
                                 error))
            continue;
        add_domains_way_out(conn, error);
        return NULL;
    }
    return domain_new(conn, found, error);
}

static int
list(RefpointConnection *conn,
     virDomainPtr **domains,
     unsigned int flags,
     const gint *cancel,
     GError **error)
{
    for (;;) {
        g_autoptr(virConnect) virt = rfp_connection_ref(conn);
        int n = rfp_connection_calls(conn)->list_domains(virt, domains, flags);

        if (n >= 0)
            return n;
        rfp_virt_error_set(error, NULL, _("cannot list the domains"));
        if (!rfp_connection_again(conn, virt, !conn->hasty, cancel, conn->uri,
                                  error))
            return -1;
    }
}

GPtrArray *
rfp_domain_list(RefpointConnection *conn,
                unsigned int flags,
                const gint *cancel,
                GError **error)
{
    virDomainPtr *domains = NULL;
    int n = list(conn, &domains, flags, cancel, error);
    GPtrArray *found = NULL;

    if (n < 0)
        return NULL;
    found = g_ptr_array_new_with_free_func((GDestroyNotify)rfp_domain_free);
    for (int i = 0; i < n; i++) {
        RfpDomain *domain = domain_new(conn, domains[i], NULL);

        if (domain != NULL)
            g_ptr_array_add(found, domain);
    }
    free(domains);
    return found;
}

gboolean
rfp_domain_each(RefpointConnection *conn,
                gboolean (*func)(RfpDomain *domain,
                                 gpointer opaque,
                                 GError **error),
                gpointer opaque,
                GError **error)
{
    g_autoptr(GPtrArray) domains = rfp_domain_list(conn, 0, NULL, error);

    for (guint i = 0; domains != NULL && i < domains->len; i++) {
        g_autoptr(GError) local = NULL;

        if (!func(g_ptr_array_index(domains, i), opaque, &local) &&
            rfp_error_libvirt_code(local) != VIR_ERR_NO_DOMAIN) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
    }
    return domains != NULL;
}

void
rfp_domain_free(RfpDomain *domain)
{
    if (domain == NULL)
        return;
    rfp_virt_domain_free(domain->virt);
    g_free(domain->name);
    g_free(domain->shell_name);
    g_free(domain->uuid);
    g_free(domain);
}

/* The domain over the connection as it is now. NULL, and *@lost: that one is
 * lost, too. */
static virDomainPtr
find_again(RfpDomain *domain, gboolean *lost, GError **error)
{
    g_autoptr(virConnect) virt = rfp_connection_ref(domain->conn);
    virDomainPtr found = domain->calls->lookup_by_uuid(virt, domain->uuid);

    if (found == NULL) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot find the domain '%s'"), domain->name);
        add_domains_way_out(domain->conn, error);
    }
    *lost = found == NULL && domain->calls->is_alive(virt) != 1;
    return found;
}

/* A daemon that has just come takes its time to find QEMU and the agent; a call
 * that needs QEMU's answer waits for that. */
static void
wait_settled(const RfpDomain *domain)
{
    virTypedParameterPtr params = NULL;
    int n_params = 0;
    int type = 0;

    if (!domain->hasty &&
        domain->calls->get_job_stats(domain->virt, &type, &params, &n_params,
                                     0) == 0)
        virTypedParamsFree(params, n_params);
}

gboolean
rfp_domain_again(RfpDomain *domain, GError **error)
{
    gboolean lost = TRUE;
    g_autoptr(GError) local = NULL;

    while (lost && domain->conn != NULL &&
           rfp_connection_again(domain->conn, virDomainGetConnect(domain->virt),
                                !domain->hasty, domain->cancel, domain->name,
                                &local)) {
        virDomainPtr found = find_again(domain, &lost, &local);

        if (found == NULL)
            continue;
        rfp_virt_domain_free(domain->virt);
        domain->virt = found;
        wait_settled(domain);
        g_clear_error(error);
        return TRUE;
    }
    if (local != NULL) {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    return FALSE;
}

gboolean
rfp_domain_state(RfpDomain *domain, RfpDomainState *state, GError **error)
{
    int number = VIR_DOMAIN_NOSTATE;
    int reason = 0;

    while (domain->calls->get_state(domain->virt, &number, &reason, 0) < 0) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot get the state of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    state->active = number != VIR_DOMAIN_SHUTOFF &&
                    number != VIR_DOMAIN_CRASHED &&
                    number != VIR_DOMAIN_NOSTATE;
    state->running =
        number == VIR_DOMAIN_RUNNING || number == VIR_DOMAIN_BLOCKED;
    state->io_error =
        number == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR;
    state->paused =
        number == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_USER;
    state->crashed = number == VIR_DOMAIN_CRASHED ||
                     (number == VIR_DOMAIN_SHUTOFF &&
                      (reason == VIR_DOMAIN_SHUTOFF_CRASHED ||
                       reason == VIR_DOMAIN_SHUTOFF_FAILED));
    state->ending = number == VIR_DOMAIN_SHUTDOWN;
    state->id = state->active ? (gint)virDomainGetID(domain->virt) : -1;
    return TRUE;
}

gboolean
rfp_domain_has_saved_memory(RfpDomain *domain)
{
    return virDomainHasManagedSaveImage(domain->virt, 0) == 1;
}

void
rfp_domain_correct_cause(RfpDomain *domain, GError **error)
{
    if (error != NULL && *error != NULL &&
        rfp_error_libvirt_code(*error) == VIR_ERR_OPERATION_UNSUPPORTED &&
        domain->calls->is_active(domain->virt) == 0)
        (*error)->code = REFPOINT_ERROR_INVALID_STATE;
}

gboolean
rfp_domain_is_busy(RfpDomain *domain)
{
    virDomainControlInfo info = {0};

    if (domain->calls->get_control_info(domain->virt, &info, 0) < 0)
        return TRUE;
    return info.state == VIR_DOMAIN_CONTROL_ERROR ||
           (info.state != VIR_DOMAIN_CONTROL_OK && info.stateTime > BUSY_MS);
}

char *
rfp_domain_xml_text(RfpDomain *domain,
                    gboolean inactive,
                    gboolean *secure,
                    GError **error)
{
    unsigned int flags = inactive ? VIR_DOMAIN_XML_INACTIVE : 0;
    char *xml = NULL;
    char *copy = NULL;

    while (xml == NULL) {
        xml =
            domain->calls->get_xml(domain->virt, flags | VIR_DOMAIN_XML_SECURE);
        if (secure != NULL)
            *secure = xml != NULL;
        if (xml == NULL) /* a read-only connection gives no secrets */
            xml = domain->calls->get_xml(domain->virt, flags);
        if (xml != NULL)
            break;
        rfp_virt_error_set(error, domain->name,
                           _("cannot get the configuration of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
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

    while (domain->calls->get_block_info(domain->virt, target, &info, 0) < 0) {
        rfp_virt_error_set(error, target,
                           _("cannot get the size of disk '%s' of domain "
                             "'%s'"),
                           target, domain->name);
        if (!rfp_domain_again(domain, error))
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
    g_autoptr(virConnect) virt = rfp_connection_ref(domain->conn);
    g_auto(GStrv) parts = g_strsplit(name, "/", 2);
    virStoragePoolPtr pool = virStoragePoolLookupByName(virt, parts[0]);
    virStorageVolPtr volume =
        pool != NULL ? virStorageVolLookupByName(pool, parts[1]) : NULL;
    char *path = volume != NULL ? virStorageVolGetPath(volume) : NULL;
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
rfp_domain_suspend(RfpDomain *domain, GError **error)
{
    while (domain->calls->suspend(domain->virt) < 0) {
        rfp_virt_error_set(error, domain->name, _("cannot suspend domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_domain_resume(RfpDomain *domain, GError **error)
{
    while (domain->calls->resume(domain->virt) < 0) {
        rfp_virt_error_set(error, domain->name, _("cannot resume domain '%s'"),
                           domain->name);
        rfp_error_add_way_out(error, _("resume it with: virsh resume %s"),
                              domain->shell_name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_domain_get_metadata(RfpDomain *domain,
                        const char *uri,
                        char **xml,
                        GError **error)
{
    char *text = NULL;

    *xml = NULL;
    while ((text = domain->calls->get_metadata(domain->virt,
                                               VIR_DOMAIN_METADATA_ELEMENT, uri,
                                               0)) == NULL &&
           virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA) {
        rfp_virt_error_set(error, domain->name,
                           _("cannot get what is recorded in domain '%s'"),
                           domain->name);
        rfp_error_add_way_out(error,
                              _("try again when this works: virsh "
                                "metadata %s %s"),
                              domain->shell_name, uri);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
    *xml = g_strdup(text);
    free(text);
    return TRUE;
}

gboolean
rfp_domain_is_persistent(RfpDomain *domain)
{
    int persistent = -1;

    do
        persistent = domain->calls->is_persistent(domain->virt);
    while (persistent < 0 && rfp_domain_again(domain, NULL));
    return persistent == 1;
}

gboolean
rfp_domain_set_metadata(RfpDomain *domain,
                        const char *prefix,
                        const char *uri,
                        const char *xml,
                        GError **error)
{
    for (;;) {
        const gboolean persistent = rfp_domain_is_persistent(domain);
        unsigned int flags = persistent ? VIR_DOMAIN_AFFECT_CONFIG : 0;

        if (domain->calls->is_active(domain->virt) == 1)
            flags |= VIR_DOMAIN_AFFECT_LIVE;
        if (domain->calls->set_metadata(domain->virt,
                                        VIR_DOMAIN_METADATA_ELEMENT, xml,
                                        prefix, uri, flags) == 0)
            return TRUE;
        rfp_virt_error_set(error, domain->name,
                           _("cannot write to the metadata of domain '%s'"),
                           domain->name);
        if (!rfp_domain_again(domain, error))
            return FALSE;
    }
}
