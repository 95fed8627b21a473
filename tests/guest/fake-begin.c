/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program: the first BEGIN_FAILS backup jobs do not begin, for
 * the reason BEGIN_TEXT. Each call adds a byte to the file BEGIN_CALLS. The
 * first one of the domain BEGIN_SLOW is made BEGIN_SECONDS later.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef int (*BeginFunc)(virDomainPtr,
                         const char *,
                         const char *,
                         unsigned int);
typedef virErrorPtr (*ErrorFunc)(void);

/* The last call failed for this, libvirt does not know. */
static _Thread_local virErrorPtr refused;

/* The calls until now, this one with them. */
static long
count_call(void)
{
    struct stat st = {0};
    int fd = open(getenv("BEGIN_CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);

    if (fd < 0 || write(fd, ".", 1) != 1 || fstat(fd, &st) < 0)
        abort();
    close(fd);
    return st.st_size;
}

/* Not into the guard and the daemon that this program may start. */
__attribute__((constructor)) static void
stay_alone(void)
{
    unsetenv("LD_PRELOAD");
}

static void
hesitate(virDomainPtr domain)
{
    static int done;
    const char *slow = getenv("BEGIN_SLOW");

    if (slow != NULL && strcmp(virDomainGetName(domain), slow) == 0 &&
        !__atomic_exchange_n(&done, 1, __ATOMIC_SEQ_CST))
        sleep((unsigned int)atol(getenv("BEGIN_SECONDS")));
}

int
virDomainBackupBegin(virDomainPtr domain,
                     const char *backup_xml,
                     const char *checkpoint_xml,
                     unsigned int flags)
{
    BeginFunc next = (BeginFunc)dlsym(RTLD_NEXT, "virDomainBackupBegin");
    static _Thread_local virError error = {.code = VIR_ERR_OPERATION_FAILED,
                                           .domain = VIR_FROM_QEMU,
                                           .level = VIR_ERR_ERROR};

    error.message = getenv("BEGIN_TEXT");
    refused = count_call() > atol(getenv("BEGIN_FAILS")) ? NULL : &error;
    hesitate(domain);
    return refused ? -1 : next(domain, backup_xml, checkpoint_xml, flags);
}

virErrorPtr
virGetLastError(void)
{
    return refused ? refused
                   : ((ErrorFunc)dlsym(RTLD_NEXT, "virGetLastError"))();
}
