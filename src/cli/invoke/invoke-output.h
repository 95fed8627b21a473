/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a method has answered: for people, and in JSON. */
#ifndef INVOKE_OUTPUT_H
#define INVOKE_OUTPUT_H

#include "cli.h"
#include "invoke/invoke-call.h"

/* "Name:   value" lines; with @quiet the values of out parameters alone. Free
 * with g_free(). */
char *
invoke_output_text(const InvokeAnswer *answer, gboolean quiet);

/* ReturnValue, the out parameters, Error. @status: the exit status. */
JsonObject *
invoke_output_json(const InvokeAnswer *answer, int status);

/* The value of a parameter or property. */
JsonNode *
invoke_output_value(const RefpointMsvmParameter *parameter);

/* "methods": */
JsonArray *
invoke_output_methods(const GPtrArray *methods, const char *class_name);

#endif
