/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/qemu-version.h"
#include "base/text.h"
#include "base/xml.h"
#include "virt/qemu-process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* No release of QEMU has a higher number in its first or second place. */
#define PART_MAX 999

/* ---- The machine type ---------------------------------------------------- */

gulong
rfp_qemu_version_of_machine(const char *machine)
{
    const char *last = machine != NULL ? strrchr(machine, '-') : NULL;
    g_auto(GStrv) parts = last != NULL ? g_strsplit(last + 1, ".", -1) : NULL;
    guint64 major = 0;
    guint64 minor = 0;

    if (parts == NULL || g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 1, PART_MAX, &major, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, PART_MAX, &minor, NULL))
        return 0;
    return (gulong)(major * 1000000 + minor * 1000);
}

/* ---- The process --------------------------------------------------------- */

/* The file that a process was started from, as it is now. */
static gboolean
stat_process(RefpointConnection *conn, const RfpDomain *domain, struct stat *st)
{
    pid_t pid = rfp_qemu_pid(conn, domain);
    g_autofree char *exe = g_strdup_printf("/proc/%d/exe", (int)pid);

    return pid != 0 && stat(exe, st) == 0;
}

/* The program whose version virConnectGetVersion() tells. */
static gboolean
stat_default(virConnectPtr virt, struct stat *st)
{
    char *xml =
        virConnectGetDomainCapabilities(virt, NULL, NULL, NULL, NULL, 0);
    g_autoptr(xmlDoc) doc =
        xml != NULL ? rfp_xml_parse_root(xml, strlen(xml), "domainCapabilities",
                                         NULL, "", REFPOINT_ERROR_FAILED, NULL)
                    : NULL;
    g_autofree char *path =
        doc != NULL
            ? rfp_xml_child_text(xmlDocGetRootElement(doc), "path", NULL)
            : NULL;

    free(xml);
    return path != NULL && stat(path, st) == 0;
}

static gulong
version_of_process(RefpointConnection *conn, const RfpDomain *domain)
{
    g_autoptr(virConnect) virt = rfp_connection_ref(conn);
    struct stat process;
    struct stat program;
    unsigned long version = 0;

    if (!stat_process(conn, domain, &process) ||
        !stat_default(virt, &program) || process.st_dev != program.st_dev ||
        process.st_ino != program.st_ino ||
        virConnectGetVersion(virt, &version) < 0)
        return 0;
    return version;
}

gulong
rfp_qemu_version_at_least(RefpointConnection *conn,
                          RfpDomain *domain,
                          const RfpDomainXml *xml)
{
    gulong machine = rfp_qemu_version_of_machine(xml->machine);
    gulong process = 0;

    do
        process = version_of_process(conn, domain);
    while (process == 0 && rfp_domain_again(domain, NULL));
    return MAX(machine, process);
}

void
rfp_qemu_set_unservable(const RfpDomain *domain,
                        const char *target,
                        const char *why_not,
                        GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("disk '%s' of domain '%s' is in an iothread, and its QEMU, "
                    "older than 9.0, would crash when it has served that disk: "
                    "%s"),
                  target, domain->name, why_not);
    rfp_error_add_object(error, target);
}
