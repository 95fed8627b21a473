/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into a program: while the file METADATA_FAILS exists libvirt does
 * not tell what is recorded in a domain.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

char *
virDomainGetMetadata(void *domain, int type, const char *uri, unsigned flags);

typedef char *(*MetadataFunc)(void *, int, const char *, unsigned);

char *
virDomainGetMetadata(void *domain, int type, const char *uri, unsigned flags)
{
    MetadataFunc next = (MetadataFunc)dlsym(RTLD_NEXT, "virDomainGetMetadata");
    const char *path = getenv("METADATA_FAILS");

    /* an element without a name is an error of its own */
    if (path != NULL && access(path, F_OK) == 0)
        uri = NULL;
    return next(domain, type, uri, flags);
}
