/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of points, folders and identifiers; pure. */
#ifndef RFP_NAMES_H
#define RFP_NAMES_H

#include <glib.h>

#define RFP_NAME_MAX 128
#define RFP_FOLDER_MAX 64

/*
 * A name that a user gives to something: [A-Za-z0-9_.+-], no leading "." or
 * "-", at most RFP_NAME_MAX bytes. Else INVALID_PARAMETER with the rule that
 * was broken.
 */
gboolean
rfp_name_check_form(const char *name, GError **error);

/* The same for that of a point, which is a folder in the set: not "disks",
 * "set.xml", "folders.xml". */
gboolean
rfp_name_check(const char *name, GError **error);

/* "20261121T203000Z-1f0c9a3e" from a time (microseconds since the epoch) and
 * the point's GUID. Free with g_free(). */
char *
rfp_name_default(gint64 time_us, const char *guid);

/* A random GUID, lower case, no braces. Free with g_free(). */
char *
rfp_guid_new(void);

/* 36 characters, hexadecimal digits of either case and dashes. */
gboolean
rfp_guid_check(const char *guid);

/* Compares without case; NULL equals nothing. */
gboolean
rfp_guid_equal(const char *a, const char *b);

/* The weak GUID of a checkpoint of another tool: UUIDv5, namespace = domain
 * UUID, name = "<created>/<name>". Free with g_free(). */
char *
rfp_guid_of_foreign(const char *domain_uuid, gint64 created, const char *name);

/*
 * A folder name for a domain or a foreign checkpoint: bytes outside
 * [A-Za-z0-9_.+-], a leading "." or "-", and the first byte of a reserved name
 * percent-encoded; at most RFP_FOLDER_MAX bytes, where it was shortened "-" and
 * @uuid follow. If @taken says so, "-2", "-3", ... are tried.
 */
char *
rfp_folder_name(const char *name,
                const char *uuid,
                gboolean (*taken)(const char *folder, gpointer opaque),
                gpointer opaque);

#endif
