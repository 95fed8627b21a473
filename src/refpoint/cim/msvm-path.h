/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Object paths, parsed and printed; pure.
 *
 *   \\HOST\root\virtualization\v2:Class.Key="value",Other="value"
 *
 * Host and namespace may be missing, slashes may lean either way, keys may
 * stand in any order, names compare without case. A value is in double or
 * single quotes, with \\ \" \' as the only escapes. Also understood: Class=@ (a
 * singleton), Class="value" (the only key), numbers and TRUE or FALSE without
 * quotes, a class alone. Whether that fits is for rfp_msvm_path_check().
 */
#ifndef RFP_MSVM_PATH_H
#define RFP_MSVM_PATH_H

#include "cim/msvm-class.h"

#define RFP_MSVM_PATH_SIZE_MAX (64 * 1024)
#define RFP_MSVM_PATH_KEYS_MAX 16
#define RFP_MSVM_NAMESPACE "root\\virtualization\\v2"

typedef struct {
    char *name;      /* NULL: the only key, not named */
    char *value;     /* without quotes and escapes */
    RfpCimType type; /* STRING, SINT64 or BOOLEAN */
} RfpMsvmKey;

typedef struct {
    char *host;       /* NULL: none; "." is the local one */
    char *name_space; /* with backslashes; NULL: none */
    char *class_name; /* as it was spelled */
    gboolean singleton;
    GPtrArray *keys; /* RfpMsvmKey, in the order of the text */
} RfpMsvmPath;

/* Not well-formed: INVALID_PARAMETER. */
RfpMsvmPath *
rfp_msvm_path_parse(const char *text, GError **error);

/* A path without host and keys, in our namespace. */
RfpMsvmPath *
rfp_msvm_path_new(const char *class_name);

void
rfp_msvm_path_free(RfpMsvmPath *path);

void
rfp_msvm_path_add(RfpMsvmPath *path, const char *name, const char *value);

/* The value of a key; NULL if there is none. */
const char *
rfp_msvm_path_key(const RfpMsvmPath *path, const char *name);

/* Free with g_free(). */
char *
rfp_msvm_path_format(const RfpMsvmPath *path);

/*
 * Whether @path names an instance of the class @expected, or of one derived
 * from it: our namespace if there is one, every key of the class and no other.
 * A key without a name gets one. Else INCORRECT_TYPE. The class, or NULL.
 */
const RfpMsvmClass *
rfp_msvm_path_check(RfpMsvmPath *path, const char *expected, GError **error);

/* Shows the path of a domain, point or job, whichever can be of the class
 * @expected (NULL: any), as the way out of @error. */
void
rfp_msvm_path_add_example(const char *expected, GError **error);

/* Parsed and checked; an error shows how such a path looks. */
RfpMsvmPath *
rfp_msvm_path_parse_as(const char *text, const char *expected, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmPath, rfp_msvm_path_free)

#endif
