/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Jobs for people, and in JSON. */
#ifndef JOB_OUTPUT_H
#define JOB_OUTPUT_H

#include "cli.h"
#include "job/job-record.h"

/* A table. Free with g_free(). */
char *
job_output_list(const GPtrArray *records, gboolean quiet);

char *
job_output_facts(const JobRecord *record);

JsonObject *
job_output_json(const JobRecord *record);

#endif
