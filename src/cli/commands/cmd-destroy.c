/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "point.h"

static int
run_destroy(Cli *cli, char **args)
{
    return point_run(cli, args, refpoint_destroy, N_("Point %s destroyed\n"),
                     N_("Point %s destroyed\n"));
}

const Command command_destroy = {
    .name = "destroy",
    .operands = "DOMAIN POINT",
    .summary = N_("destroy a point; what was exported of it stays"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_destroy,
};
