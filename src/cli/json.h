/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The document of --json: data/virt-refpoint-output.schema.json. */
#ifndef JSON_H
#define JSON_H

#include "cli.h"

/* Of the document; raised when a field changes its meaning or goes. */
#define JSON_SCHEMA 1

/*
 * What every command's document begins with. @report: of the operation, or
 * NULL. @failure: NULL on success. @status: the exit status. Free with
 * json_object_unref().
 */
JsonObject *
json_document_new(const Cli *cli,
                  const RefpointReport *report,
                  const RefpointFailure *failure,
                  int status);

/* What is known of a failure. */
JsonObject *
json_failure(const RefpointFailure *failure, int status);

/* The cause that "in-use" stands for. FALSE: it is none. */
gboolean
json_find_cause(const char *id, RefpointError *cause);

/* Domain, point, disks, destroyed points of an operation. */
void
json_add_report(JsonObject *document, const RefpointReport *report);

/* One more entry of the document's "warnings". */
void
json_add_warning(JsonObject *document,
                 const char *id,
                 const char *object,
                 const char *message);

/* A string, or null. */
void
json_set_text(JsonObject *object, const char *name, const char *text);

void
json_set_number(JsonObject *object, const char *name, guint64 number);

/* "domain": {name, uuid}, or null where both are. */
void
json_set_domain(JsonObject *object, const char *name, const char *uuid);

/* The group {name, guid}, or null where both are. */
void
json_set_group(JsonObject *object, const char *name, const char *guid);

/* "application", "crash", "unknown" */
void
json_set_consistency(JsonObject *object, RefpointConsistency consistency);

/* "full", "increment", "left-out" */
void
json_set_mode(JsonObject *object, RefpointMode mode);

/* The text of the document, with a newline at the end. */
char *
json_to_text(JsonObject *document);

#endif
