/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/tracking.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"
#include "base/wording.h"
#include "image/image-bitmap.h"
#include "image/qcow2-layout.h"

/* The first that has bitmaps. */
#define VERSION_MIN 3

RfpReason
rfp_tracking_unusable(const RfpDomainDisk *disk, gboolean allow_plaintext)
{
    if (strcmp(disk->device, "cdrom") == 0 ||
        strcmp(disk->device, "floppy") == 0)
        return RFP_REASON_REMOVABLE;
    if (strcmp(disk->device, "disk") != 0 || disk->shareable ||
        g_strcmp0(disk->source.type, "vhostuser") == 0 ||
        g_strcmp0(disk->source.type, "vhostvdpa") == 0)
        return RFP_REASON_UNSUPPORTED;
    if (!disk->has_source)
        return RFP_REASON_NO_MEDIUM;
    if (disk->transient)
        return RFP_REASON_TRANSIENT;
    if (disk->readonly)
        return RFP_REASON_READONLY;
    if (disk->encrypted && !allow_plaintext)
        return RFP_REASON_ENCRYPTED;
    return RFP_REASON_NONE;
}

/* Of a running guest's image, too: a read takes no lock, and the version does
 * not change while QEMU has it open. 0: not known. */
static guint32
version_of(const char *path)
{
    guint8 header[RFP_QCOW2_VERSION_LENGTH];
    g_auto(RfpFd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 ||
        (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) ||
        pread(fd, header, sizeof(header), 0) != sizeof(header))
        return 0;
    return rfp_qcow2_version(header);
}

RfpReason
rfp_tracking_refusal(RfpDomain *domain, const RfpDomainDisk *disk)
{
    RfpReason reason = rfp_tracking_unusable(disk, TRUE);
    g_autofree char *path = NULL;
    guint32 version = 0;

    if (reason != RFP_REASON_NONE)
        return reason;
    if (g_strcmp0(disk->driver, "qcow2") != 0)
        return RFP_REASON_UNTRACKED;
    path = rfp_domain_local_path(domain, &disk->source);
    version = path != NULL ? version_of(path) : 0;
    return version != 0 && version < VERSION_MIN ? RFP_REASON_QCOW2_V2
                                                 : RFP_REASON_NONE;
}

/* "Can't make bitmap 'NAME' persistent in 'libvirt-2-format': Cannot store
 * dirty bitmaps in qcow2 v2 files", as QEMU 7.2 says it; the number is that of
 * <source index=...> in the live XML. */
RfpDomainDisk *
rfp_tracking_refused(RfpDomainXml *domain, const GError *error)
{
    static const char node[] = " in 'libvirt-";
    const char *at = strstr(error->message, node);
    guint64 index = 0;

    if (rfp_wording_find(RFP_WORDING_BITMAP_VERSION, at) == NULL)
        return NULL;
    index = g_ascii_strtoull(at + strlen(node), NULL, 10);
    for (guint i = 0; i < domain->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(domain->disks, i);

        if (index != 0 && disk->source_index == index)
            return disk;
    }
    return NULL;
}

void
rfp_tracking_add_conversion(RfpDomain *domain,
                            const RfpDomainDisk *disk,
                            GError **error)
{
    g_autofree char *path = rfp_domain_local_path(domain, &disk->source);
    g_autofree char *word = path != NULL ? rfp_text_shell(path) : NULL;

    rfp_error_add_way_out(error,
                          _("convert its image while the domain is shut off: "
                            "qemu-img amend -f qcow2 -o compat=1.1 %s"),
                          word != NULL ? word : _("IMAGE"));
}

/* The command that removes it from the image of @disk; NULL: it is not seen
 * there. Free with g_free(). */
static char *
removal_of(RfpDomain *domain, const RfpDomainDisk *disk, const char *name)
{
    g_autofree char *path = g_strcmp0(disk->driver, "qcow2") == 0
                                ? rfp_domain_local_path(domain, &disk->source)
                                : NULL;
    g_autofree char *word = path != NULL ? rfp_text_shell(path) : NULL;
    g_autofree char *name_word = rfp_text_shell(name);

    if (path == NULL || !rfp_image_bitmap_is_there(path, name))
        return NULL;
    return g_strdup_printf("qemu-img bitmap --remove %s %s", word, name_word);
}

void
rfp_tracking_explain_bitmap(RfpDomain *domain,
                            const RfpDomainXml *xml,
                            const char *name,
                            GError **error)
{
    g_autoptr(GString) targets = g_string_new(NULL);
    g_autoptr(GString) commands = g_string_new(NULL);
    g_autofree char *word = rfp_text_shell(name);

    if (error == NULL || *error == NULL ||
        rfp_wording_find(RFP_WORDING_BITMAP_EXISTS, (*error)->message) == NULL)
        return;
    for (guint i = 0; i < xml->disks->len; i++) {
        const RfpDomainDisk *disk = g_ptr_array_index(xml->disks, i);
        g_autofree char *command = removal_of(domain, disk, name);

        if (command == NULL)
            continue;
        g_string_append_printf(targets, "%s%s", targets->len ? ", " : "",
                               disk->target);
        g_string_append_printf(commands, "%s%s", commands->len ? "; " : "",
                               command);
    }
    if (targets->len > 0)
        rfp_error_prefix(error,
                         _("a bitmap '%s' that belongs to no point is in the "
                           "image of disk %s"),
                         name, targets->str);
    else
        g_string_printf(commands, "qemu-img bitmap --remove %s %s", _("IMAGE"),
                        word);
    rfp_error_add_way_out(error,
                          _("take another name; or remove the bitmap while "
                            "the domain is shut off: %s"),
                          commands->str);
}

void
rfp_tracking_set_none(RfpDomain *domain,
                      const RfpDomainXml *xml,
                      GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("domain '%s' has no disk whose changes can be tracked "
                    "(qcow2)"),
                  domain->name);
    rfp_error_add_object(error, domain->name);
    for (guint i = 0; i < xml->disks->len; i++) {
        RfpDomainDisk *disk = g_ptr_array_index(xml->disks, i);

        if (rfp_tracking_refusal(domain, disk) == RFP_REASON_QCOW2_V2)
            rfp_tracking_add_conversion(domain, disk, error);
    }
}
