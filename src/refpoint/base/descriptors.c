/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/descriptors.h"
#include "base/text.h"

#include <errno.h>
#include <sys/resource.h>

/* Including the one that looks. */
static guint
count_open(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    guint n = 0;

    while (dir != NULL && g_dir_read_name(dir) != NULL)
        n++;
    return n;
}

gboolean
rfp_descriptors_check(guint needed, GError **error)
{
    struct rlimit limit = {0};
    guint total = count_open() + needed;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= total)
        return TRUE;
    rfp_error_set_errno(error, EMFILE,
                        _("the limit of open files is %u, %u are needed"),
                        (guint)limit.rlim_cur, total);
    return FALSE;
}
