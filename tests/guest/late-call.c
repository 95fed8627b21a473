/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into the program: each call that makes a point makes the file
 * $LATE_CALL first, and waits until somebody has removed it.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <unistd.h>

static void
wait_for_leave(void)
{
    const char *path = getenv("LATE_CALL");
    int fd = path ? open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;

    if (fd < 0)
        return;
    close(fd);
    while (access(path, F_OK) == 0)
        usleep(20 * 1000);
}

typedef int (*BeginFunc)(virDomainPtr,
                         const char *,
                         const char *,
                         unsigned int);

int
virDomainBackupBegin(virDomainPtr domain,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     unsigned int flags)
{
    BeginFunc next = (BeginFunc)dlsym(RTLD_NEXT, "virDomainBackupBegin");

    wait_for_leave();
    return next(domain, backup_xml, checkpoint_xml, flags);
}

typedef virDomainCheckpointPtr (*CreateFunc)(virDomainPtr,
                                             const char *,
                                             unsigned int);

virDomainCheckpointPtr
virDomainCheckpointCreateXML(virDomainPtr domain,
                             const char *xml,
                             unsigned int flags)
{
    CreateFunc next =
        (CreateFunc)dlsym(RTLD_NEXT, "virDomainCheckpointCreateXML");

    wait_for_leave();
    return next(domain, xml, flags);
}
