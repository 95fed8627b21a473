/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program: what newer versions of libvirt say of a freeze.
 *
 * FAKE_AGENT=failed: what the agent refuses is VIR_ERR_AGENT_COMMAND_FAILED.
 * FAKE_AGENT=timeout: the guest freezes, and the answer does not come in time:
 * VIR_ERR_AGENT_COMMAND_TIMEOUT.
 * FAKE_AGENT=unanswered: the same, the first time, as libvirt 9.0 says it where
 * somebody else has made the time limit of the domain's agent shorter.
 */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT 112
#define FAILED 113
/* More than a greeting may take. */
#define LIMIT_US 4500000

typedef int (*FreezeFunc)(virDomainPtr,
                          const char **,
                          unsigned int,
                          unsigned int);

int
virDomainFSFreeze(virDomainPtr domain,
                  const char **mountpoints,
                  unsigned int nmountpoints,
                  unsigned int flags)
{
    static int calls;
    FreezeFunc next = (FreezeFunc)dlsym(RTLD_NEXT, "virDomainFSFreeze");
    const char *what = getenv("FAKE_AGENT");
    int n = next(domain, mountpoints, nmountpoints, flags);

    if (what == NULL)
        return n;
    if (strcmp(what, "failed") == 0) {
        if (n < 0 && virGetLastErrorCode() == VIR_ERR_INTERNAL_ERROR)
            virGetLastError()->code = FAILED;
        return n;
    }
    if (n < 0 || calls++ > 0)
        return n;
    /* an error to write over: a frozen guest does not freeze again */
    if (next(domain, mountpoints, nmountpoints, flags) >= 0)
        abort();
    if (strcmp(what, "timeout") == 0) {
        virGetLastError()->code = TIMEOUT;
    } else {
        usleep(LIMIT_US);
        virGetLastError()->code = VIR_ERR_AGENT_UNRESPONSIVE;
    }
    return -1;
}
