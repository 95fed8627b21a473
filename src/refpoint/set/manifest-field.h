/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of the XML files of a set as fields of structs: each type of field
 * knows how it is written and how it is read and checked.
 */
#ifndef RFP_MANIFEST_FIELD_H
#define RFP_MANIFEST_FIELD_H

#include <glib.h>

typedef struct _RfpField RfpField;

/* How a field is written and read. format() returns NULL to leave the
 * attribute out; parse() frees what was there before. @at: the field. */
typedef struct {
    char *(*format)(const RfpField *field, gconstpointer at);
    gboolean (*parse)(const RfpField *field, const char *text, gpointer at);
} RfpFieldType;

/* One attribute; a table of them ends with a NULL name. */
struct _RfpField {
    const char *name;
    const RfpFieldType *type;
    gsize offset;
    gboolean optional;        /* left out where NULL, zero, or the first word */
    guint64 min;              /* numbers */
    guint64 max;              /* numbers; texts: bytes */
    const char *const *words; /* enumerations: by value; NULL-terminated */
};

/* One entry of such a table. */
#define RFP_FIELD(record, member, attribute, kind, ...)                        \
    {                                                                          \
        .name = attribute, .type = &rfp_field_##kind,                          \
        .offset = G_STRUCT_OFFSET(record, member), ##__VA_ARGS__               \
    }

extern const RfpFieldType rfp_field_text;   /* char *, any text */
extern const RfpFieldType rfp_field_token;  /* char *, [A-Za-z0-9_.-]+ */
extern const RfpFieldType rfp_field_folder; /* char *, one path component */
extern const RfpFieldType rfp_field_path;   /* char *, rfp_manifest_path_ok() */
extern const RfpFieldType rfp_field_guid;   /* char *, made lower case */
extern const RfpFieldType rfp_field_uint64;
extern const RfpFieldType rfp_field_uint;
extern const RfpFieldType rfp_field_time;   /* gint64, microseconds */
extern const RfpFieldType rfp_field_sha256; /* 32 bytes */
extern const RfpFieldType rfp_field_word;   /* an enumeration or gboolean */
extern const RfpFieldType rfp_field_known;  /* the same; any other word is
                                             * NOT_SUPPORTED */
extern const RfpFieldType rfp_field_fixed;  /* no storage: words[0]; any other
                                             * value is NOT_SUPPORTED */

/* Whether @path is relative, clean and stays inside. */
gboolean
rfp_manifest_path_ok(const char *path);

/* Whether @folder can be a folder of a point or a VM: one clean component, not
 * hidden, no name that the format uses itself. */
gboolean
rfp_manifest_folder_ok(const char *folder);

#endif
