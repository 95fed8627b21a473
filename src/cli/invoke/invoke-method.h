/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of the model, and their parameters on the command line. */
#ifndef INVOKE_METHOD_H
#define INVOKE_METHOD_H

#include "invoke/invoke-call.h"

/*
 * The method "CLASS.METHOD", or "METHOD" where only one class has it, names
 * without case; of jobs any class will do. Owned by @methods. Errors:
 * INVALID_PARAMETER.
 */
const RefpointMsvmMethod *
invoke_method_find(const GPtrArray *methods, const char *name, GError **error);

/* Whether it is called on a job: such a method has no service. */
gboolean
invoke_method_is_of_job(const char *class_name);

/*
 * PARAM=VALUE, PARAM=@FILE; "@@" begins a value with an "@". Job=OBJECT of a
 * method of jobs is its object. Names and numbers of values are checked, types
 * are not. Errors: INVALID_PARAMETER, and what reading a file gives.
 */
gboolean
invoke_method_take_arguments(const RefpointMsvmMethod *method,
                             char **arguments,
                             InvokeCall *call,
                             GError **error);

/* Those of a class, or of all: as text, and in JSON. */
char *
invoke_method_list(const GPtrArray *methods, const char *class_name);

gboolean
invoke_method_has_class(const GPtrArray *methods, const char *class_name);

#endif
