/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"
#include "refpoint.h"

const char *
refpoint_version(void)
{
    return PACKAGE_VERSION;
}
