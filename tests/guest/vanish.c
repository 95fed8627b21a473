/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* To be preloaded: the checkpoint $VANISH is deleted, as by somebody else,
 * before its XML is asked for the $VANISH_AT-th time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

char *
virDomainCheckpointGetXMLDesc(virDomainCheckpointPtr checkpoint,
                              unsigned int flags)
{
    static int asked;
    char *(*next)(virDomainCheckpointPtr, unsigned int) =
        (char *(*)(virDomainCheckpointPtr, unsigned int))
            dlsym(RTLD_NEXT, "virDomainCheckpointGetXMLDesc");

    if (strcmp(virDomainCheckpointGetName(checkpoint), getenv("VANISH")) == 0 &&
        ++asked == atoi(getenv("VANISH_AT")) &&
        virDomainCheckpointDelete(checkpoint, 0) < 0)
        abort();
    return next(checkpoint, flags);
}
