/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's point in JSON. */
#ifndef POINT_H
#define POINT_H

#include <json-glib/json-glib.h>

#include "refpoint.h"

/* @sizes: the disks' sizes are known. Free with json_object_unref(). */
JsonObject *
point_to_json(const RefpointPoint *point, gboolean sizes);

#endif
