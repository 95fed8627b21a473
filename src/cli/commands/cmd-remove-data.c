/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "point.h"

static int
run_remove_data(Cli *cli, char **args)
{
    return point_run(cli, args, refpoint_remove_data,
                     N_("The data of point %s is not kept any more\n"),
                     N_("The data of point %s was gone before\n"));
}

const Command command_remove_data = {
    .name = "remove-data",
    .operands = "DOMAIN POINT",
    .summary = N_("end what keeps the data of a point; the point stays"),
    .set = REFPOINT_RETURN_EXPORT,
    .waits = TRUE,
    .run = run_remove_data,
};
