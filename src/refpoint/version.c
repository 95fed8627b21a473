/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refpoint.h"
#include "text.h"

const char *
refpoint_version(void)
{
    return PACKAGE_VERSION;
}
