/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The commands, one file each; the table of them is in main.c. */
#ifndef COMMAND_H
#define COMMAND_H

#include "cli.h"

extern const Command command_catalog;
extern const Command command_changes;
extern const Command command_create;
extern const Command command_destroy;
extern const Command command_export;
extern const Command command_group;
extern const Command command_import;
extern const Command command_info;
extern const Command command_invoke;
extern const Command command_job;
extern const Command command_job_process; /* not shown */
extern const Command command_list;
extern const Command command_remove_data;
extern const Command command_verify;

#endif
