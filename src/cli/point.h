/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's point: in JSON, and what the commands that take one share. */
#ifndef POINT_H
#define POINT_H

#include <json-glib/json-glib.h>

#include "cli.h"

/* @sizes: the disks' sizes are known. Free with json_object_unref(). */
JsonObject *
point_to_json(const RefpointPoint *point, gboolean sizes);

typedef gboolean (*PointFunc)(RefpointConnection *conn,
                              const char *domain,
                              const char *point,
                              RefpointJob *job,
                              GError **error);

/*
 * A command with the operands DOMAIN POINT and no options of its own, which
 * calls
 * @func and says what came of it: @changed, or @unchanged where the report says
 * that nothing had to be done. Both are N_() formats with the point's name.
 * Returns the exit status.
 */
int
point_run(Cli *cli,
          char **args,
          PointFunc func,
          const char *changed,
          const char *unchanged);

#endif
