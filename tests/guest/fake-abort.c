/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program: while the file ABORT_NOTHING exists libvirt takes
 * the wish to end a job, and does nothing.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

int
virDomainAbortJob(void *domain);

typedef int (*AbortFunc)(void *);

int
virDomainAbortJob(void *domain)
{
    AbortFunc next = (AbortFunc)dlsym(RTLD_NEXT, "virDomainAbortJob");
    const char *path = getenv("ABORT_NOTHING");

    if (path != NULL && access(path, F_OK) == 0)
        return 0;
    return next(domain);
}
