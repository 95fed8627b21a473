/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/domain-xml.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "base/xml.h"
#include "virt/group-xml.h"
#include "virt/metadata-xml.h"

#define TARGET_MAX 32

/* How the source of one type of disk is told. Free with g_free(). */
typedef struct {
    const char *type;
    char *(*identify)(xmlNodePtr source);
} SourceType;

static const SourceType source_types[];

static char *
identify_file(xmlNodePtr source)
{
    return rfp_xml_attr(source, "file");
}

static char *
identify_device(xmlNodePtr source)
{
    return rfp_xml_attr(source, "dev");
}

static char *
identify_dir(xmlNodePtr source)
{
    return rfp_xml_attr(source, "dir");
}

static char *
identify_socket(xmlNodePtr source)
{
    return rfp_xml_attr(source, "path");
}

static char *
identify_volume(xmlNodePtr source)
{
    g_autofree char *pool = rfp_xml_attr(source, "pool");
    g_autofree char *volume = rfp_xml_attr(source, "volume");

    return pool != NULL && volume != NULL
               ? g_strdup_printf("%s/%s", pool, volume)
               : NULL;
}

static char *
identify_nvme(xmlNodePtr source)
{
    static const char *const parts[] = {"domain", "bus", "slot", "function"};
    xmlNodePtr address = rfp_xml_child(source, "address", NULL);
    g_autofree char *space = rfp_xml_attr(source, "namespace");
    GString *path = g_string_new(NULL);
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *part = rfp_xml_attr(address, parts[i]);

        g_string_append_printf(path, "%s:", part != NULL ? part : "");
    }
    g_string_append(path, space != NULL ? space : "");
    return g_string_free(path, FALSE);
}

/* "host", "host:port", "[v6]:port", "unix:/path" */
static void
append_host(GString *path, xmlNodePtr host)
{
    g_autofree char *name = rfp_xml_attr(host, "name");
    g_autofree char *port = rfp_xml_attr(host, "port");
    g_autofree char *socket = rfp_xml_attr(host, "socket");

    if (socket != NULL)
        g_string_append_printf(path, "unix:%s", socket);
    else if (name != NULL && strchr(name, ':') != NULL)
        g_string_append_printf(path, "[%s]", name);
    else if (name != NULL)
        g_string_append(path, name);
    if (port != NULL)
        g_string_append_printf(path, ":%s", port);
}

static char *
identify_network(xmlNodePtr source)
{
    g_autofree char *protocol = rfp_xml_attr(source, "protocol");
    g_autofree char *name = rfp_xml_attr(source, "name");
    g_autofree char *query = rfp_xml_attr(source, "query");
    xmlNodePtr host = rfp_xml_child(source, "host", NULL);
    GString *path = NULL;
    char separator = '@';

    if (protocol == NULL)
        return NULL;
    path = g_string_new(protocol);
    g_string_append_printf(path, ":%s", name != NULL ? name : "");
    if (query != NULL)
        g_string_append_printf(path, "?%s", query);
    for (; host != NULL; host = rfp_xml_next(host), separator = ',') {
        g_string_append_c(path, separator);
        append_host(path, host);
    }
    return g_string_free(path, FALSE);
}

static void
disk_free(gpointer opaque)
{
    RfpDomainDisk *disk = opaque;

    g_free(disk->target);
    g_free(disk->device);
    g_free(disk->driver);
    g_free(disk->bus);
    g_free(disk->secret);
    rfp_disk_source_clear(&disk->source);
    g_free(disk);
}

/* Only a secret named by UUID can be used again for a scratch file. */
static void
read_encryption(RfpDomainDisk *disk, xmlNodePtr encryption)
{
    xmlNodePtr secret = NULL;

    if (encryption == NULL)
        return;
    disk->encrypted = TRUE;
    secret = rfp_xml_child(encryption, "secret", NULL);
    if (disk->secret == NULL && secret != NULL &&
        rfp_xml_attr_is(encryption, "format", "luks"))
        disk->secret = rfp_xml_attr(secret, "uuid");
}

/* A source of a type that we do not know counts as one, without a path. */
static void
parse_source(xmlNodePtr node, RfpDomainDisk *disk)
{
    xmlNodePtr source = rfp_xml_child(node, "source", NULL);
    const SourceType *entry = NULL;

    disk->source.type = rfp_xml_attr(node, "type");
    if (disk->source.type == NULL)
        disk->source.type = g_strdup("file");
    for (entry = source_types; entry->type != NULL; entry++) {
        if (strcmp(entry->type, disk->source.type) == 0)
            break;
    }
    rfp_xml_attr_uint(source, "index", G_MAXUINT32, &disk->source_index);
    if (source != NULL && entry->type != NULL)
        disk->source.path = entry->identify(source);
    if (disk->source.path != NULL && !*disk->source.path)
        g_clear_pointer(&disk->source.path, g_free);
    disk->has_source =
        source != NULL && (disk->source.path != NULL || entry->type == NULL);
    read_encryption(disk, rfp_xml_child(source, "encryption", NULL));
    read_encryption(disk, rfp_xml_child(node, "encryption", NULL));
}

/* Targets become names of folders, and libvirt has no others. */
static gboolean
target_ok(const char *target)
{
    gsize length = strspn(target, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");

    return length > 0 && length <= TARGET_MAX && !target[length];
}

/* Of a disk or a controller: the attribute since libvirt 1.2.8, the list, which
 * maps its queues to several threads, of disks since 10.0, of controllers since
 * 11.2. */
static gboolean
has_iothread(xmlNodePtr node)
{
    xmlNodePtr driver = rfp_xml_child(node, "driver", NULL);
    g_autofree char *thread = rfp_xml_attr(driver, "iothread");

    return thread != NULL || rfp_xml_child(driver, "iothreads", NULL) != NULL;
}

/* A disk on a SCSI bus has the threads of its controller. */
static gboolean
controller_has_iothread(xmlNodePtr devices, xmlNodePtr disk)
{
    xmlNodePtr node = rfp_xml_child(devices, "controller", NULL);
    g_autofree char *index =
        rfp_xml_attr(rfp_xml_child(disk, "address", NULL), "controller");

    for (; node != NULL; node = rfp_xml_next(node)) {
        if (rfp_xml_attr_is(node, "type", "scsi") && has_iothread(node) &&
            (index == NULL || rfp_xml_attr_is(node, "index", index)))
            return TRUE;
    }
    return FALSE;
}

static RfpDomainDisk *
parse_disk(xmlNodePtr devices, xmlNodePtr node)
{
    RfpDomainDisk *disk = g_new0(RfpDomainDisk, 1);
    xmlNodePtr target = rfp_xml_child(node, "target", NULL);

    disk->target = rfp_xml_attr(target, "dev");
    disk->bus = rfp_xml_attr(target, "bus");
    disk->device = rfp_xml_attr(node, "device");
    if (disk->device == NULL)
        disk->device = g_strdup("disk");
    disk->driver = rfp_xml_attr(rfp_xml_child(node, "driver", NULL), "type");
    disk->readonly = rfp_xml_child(node, "readonly", NULL) != NULL;
    disk->transient = rfp_xml_child(node, "transient", NULL) != NULL;
    disk->shareable = rfp_xml_child(node, "shareable", NULL) != NULL;
    disk->iothread =
        has_iothread(node) || (g_strcmp0(disk->bus, "scsi") == 0 &&
                               controller_has_iothread(devices, node));
    parse_source(node, disk);
    return disk;
}

static gboolean
parse_disks(RfpDomainXml *domain, xmlNodePtr devices, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    xmlNodePtr node = rfp_xml_child(devices, "disk", NULL);

    for (; node != NULL; node = rfp_xml_next(node)) {
        RfpDomainDisk *disk = parse_disk(devices, node);

        g_ptr_array_add(domain->disks, disk);
        if (disk->target == NULL || !target_ok(disk->target)) {
            g_autofree char *shown =
                rfp_text_clean(disk->target != NULL ? disk->target : "");

            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("the domain has a disk without a usable target "
                            "name ('%s')"),
                          shown);
            return FALSE;
        }
        if (!g_hash_table_add(seen, disk->target)) {
            rfp_error_set(error, REFPOINT_ERROR_FAILED,
                          _("the domain has more than one disk %s"),
                          disk->target);
            return FALSE;
        }
    }
    return TRUE;
}

static void
parse_agent(RfpDomainXml *domain, xmlNodePtr devices)
{
    xmlNodePtr node = rfp_xml_child(devices, "channel", NULL);

    for (; node != NULL && !domain->has_agent; node = rfp_xml_next(node)) {
        xmlNodePtr target = rfp_xml_child(node, "target", NULL);

        domain->has_agent =
            rfp_xml_attr_is(target, "name", "org.qemu.guest_agent.0");
        domain->agent_connected =
            domain->has_agent && rfp_xml_attr_is(target, "state", "connected");
    }
}

static gboolean
has_emulated_tpm(xmlNodePtr devices)
{
    xmlNodePtr node = rfp_xml_child(devices, "tpm", NULL);

    for (; node != NULL; node = rfp_xml_next(node)) {
        if (rfp_xml_attr_is(rfp_xml_child(node, "backend", NULL), "type",
                            "emulator"))
            return TRUE;
    }
    return FALSE;
}

/* Text, or a file source of its own. */
static char *
parse_nvram(xmlNodePtr os)
{
    xmlNodePtr node = rfp_xml_child(os, "nvram", NULL);
    xmlNodePtr source = rfp_xml_child(node, "source", NULL);
    g_autofree char *text = NULL;

    if (source != NULL)
        return rfp_xml_attr(source, "file");
    text = rfp_xml_child_text(os, "nvram", NULL);
    return text != NULL && *g_strstrip(text) ? g_steal_pointer(&text) : NULL;
}

static void
parse_boot(RfpDomainXml *domain, xmlNodePtr os)
{
    domain->nvram = parse_nvram(os);
    domain->machine = rfp_xml_attr(rfp_xml_child(os, "type", NULL), "machine");
    domain->kernel = rfp_xml_child_text(os, "kernel", NULL);
    domain->initrd = rfp_xml_child_text(os, "initrd", NULL);
}

static xmlDocPtr
parse_document(const char *xml, GError **error)
{
    return rfp_xml_parse_root(xml, strlen(xml), "domain", NULL, _("the domain"),
                              REFPOINT_ERROR_FAILED, error);
}

RfpDomainXml *
rfp_domain_xml_parse(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = parse_document(xml, error);
    g_autoptr(RfpDomainXml) domain = NULL;
    xmlNodePtr root = NULL;
    xmlNodePtr devices = NULL;

    if (doc == NULL)
        return NULL;
    root = xmlDocGetRootElement(doc);
    devices = rfp_xml_child(root, "devices", NULL);

    domain = g_new0(RfpDomainXml, 1);
    domain->disks = g_ptr_array_new_with_free_func(disk_free);
    domain->name = rfp_xml_child_text(root, "name", NULL);
    domain->uuid = rfp_xml_child_text(root, "uuid", NULL);
    domain->type = rfp_xml_attr(root, "type");
    if (domain->name == NULL || !*domain->name ||
        !rfp_guid_check(domain->uuid)) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the domain has no name or no UUID in its XML"));
        return NULL;
    }
    parse_agent(domain, devices);
    domain->tpm_emulated = has_emulated_tpm(devices);
    parse_boot(domain, rfp_xml_child(root, "os", NULL));
    if (!parse_disks(domain, devices, error))
        return NULL;
    return g_steal_pointer(&domain);
}

void
rfp_domain_xml_free(RfpDomainXml *domain)
{
    if (domain == NULL)
        return;
    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->type);
    g_free(domain->machine);
    g_free(domain->nvram);
    g_free(domain->kernel);
    g_free(domain->initrd);
    g_ptr_array_unref(domain->disks);
    g_free(domain);
}

RfpDomainDisk *
rfp_domain_xml_disk(RfpDomainXml *domain, const char *target)
{
    guint i = 0;

    for (i = 0; i < domain->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(domain->disks, i);

        if (strcmp(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

static gboolean
is_ours(xmlNodePtr node)
{
    const char *uri = node->type == XML_ELEMENT_NODE && node->ns != NULL
                          ? (const char *)node->ns->href
                          : NULL;

    return uri != NULL && (strcmp(uri, RFP_METADATA_URI) == 0 ||
                           g_str_has_prefix(uri, RFP_GROUP_URI));
}

static void
strip_metadata(xmlNodePtr metadata)
{
    xmlNodePtr child = metadata->children;
    xmlNodePtr next = NULL;

    for (; child != NULL; child = next) {
        next = child->next;
        if (is_ours(child))
            rfp_xml_remove(child);
    }
    if (xmlFirstElementChild(metadata) == NULL)
        rfp_xml_remove(metadata);
}

char *
rfp_domain_xml_strip(const char *xml, GError **error)
{
    g_autoptr(xmlDoc) doc = parse_document(xml, error);
    xmlNodePtr node = NULL;
    xmlNodePtr next = NULL;

    if (doc == NULL)
        return NULL;
    node = rfp_xml_child(xmlDocGetRootElement(doc), "metadata", NULL);
    for (; node != NULL; node = next) {
        next = rfp_xml_next(node);
        strip_metadata(node);
    }
    return rfp_xml_to_text(doc, FALSE);
}

static const SourceType source_types[] = {
    {.type = "block", .identify = identify_device},
    {.type = "dir", .identify = identify_dir},
    {.type = "file", .identify = identify_file},
    {.type = "network", .identify = identify_network},
    {.type = "nvme", .identify = identify_nvme},
    {.type = "vhostuser", .identify = identify_socket},
    {.type = "vhostvdpa", .identify = identify_device},
    {.type = "volume", .identify = identify_volume},
    {.type = NULL, .identify = NULL},
};
