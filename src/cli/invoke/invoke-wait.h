/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A method that is waited for: it runs as a job of this process, so that there
 * is progress to show and a signal can terminate it. */
#ifndef INVOKE_WAIT_H
#define INVOKE_WAIT_H

#include "cli.h"
#include "invoke/invoke-call.h"

InvokeAnswer *
invoke_wait(Cli *cli, const InvokeCall *call);

/*
 * The path of what a job of this method has made; NULL if it has not.
 * *@parameter: the out parameter that names it, or NULL. Free with g_free().
 */
char *
invoke_job_result(RefpointMsvm *msvm,
                  const char *job,
                  const char *class_name,
                  const char *method,
                  const char **parameter);

#endif
