/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The last line of an XML file of a set: a comment with the SHA-256 of all
 * bytes before it, so that the file vouches for itself. Pure.
 *
 *     <!-- sha256 64 hexadecimal digits, lower case -->
 *
 * To an XML parser it is a comment like any other. Files that earlier versions
 * wrote end with the root element instead. A file that ends with neither is
 * damaged.
 */
#ifndef RFP_SEAL_H
#define RFP_SEAL_H

#include <glib.h>

typedef enum {
    RFP_SEAL_NONE, /* as earlier versions wrote it */
    RFP_SEAL_GOOD,
    RFP_SEAL_WRONG, /* of other bytes */
    RFP_SEAL_OTHER, /* something else stands behind the root element */
} RfpSeal;

/* Returns @text with its seal behind it, and frees @text. Free with g_free().
 */
char *
rfp_seal_add(char *text);

RfpSeal
rfp_seal_check(const char *text, gsize length);

#endif
