/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a job ended, from its instance and its errors; pure. */
#ifndef JOB_ERROR_H
#define JOB_ERROR_H

#include "invoke/cim-xml.h"

/* The number of the method that a job has run: 0 for one that completed.
 * @instance may be NULL: Failed. */
guint32
job_error_number(const CimInstance *instance,
                 const char *class_name,
                 const char *method);

/* What an Msvm_Error says; @text NULL: only what the number does. Free with
 * refpoint_failure_free(). */
RefpointFailure *
job_error_failure(const char *text, guint32 number);

/* The error of a job whose process is gone. Free with g_free(). */
char *
job_error_of_process(const char *message);

#endif
