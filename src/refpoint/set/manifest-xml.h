/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What export.xml, set.xml and folders.xml have in common: elements whose
 * attributes are fields of a struct, described once for both directions.
 *
 * Whatever stands in our namespace and is not described is damage: a later
 * program that adds something writes it in a namespace of its own, or names a
 * required feature.
 */
#ifndef RFP_MANIFEST_XML_H
#define RFP_MANIFEST_XML_H

#include "base/xml.h"

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

#define RFP_CHILDREN_MAX 16
#define RFP_MANIFEST_FEATURES_MAX 64

/* Elements that may stand in another, at most RFP_CHILDREN_MAX kinds; the
 * table ends with a NULL name. */
typedef struct {
    const char *name;
    guint min;
    guint max;
} RfpChild;

/* A new document with a root element, the format number in it. */
xmlDocPtr
rfp_manifest_xml_new(const char *root);

/* Appends an element with the attributes of @fields out of @record. */
xmlNodePtr
rfp_manifest_xml_add(xmlNodePtr parent,
                     const char *name,
                     const RfpField *fields,
                     gconstpointer record);

/* The text, sealed (seal.h). Free with g_free(). */
char *
rfp_manifest_xml_seal(xmlDocPtr doc);

/* Parses and checks seal, root, format number and required features. */
xmlDocPtr
rfp_manifest_xml_open(const char *text,
                      gsize length,
                      const char *root,
                      const char *what,
                      GError **error);

/* Fills @record from the attributes of @node; all must be known. */
gboolean
rfp_manifest_xml_read(xmlNodePtr node,
                      const RfpField *fields,
                      gpointer record,
                      const char *what,
                      GError **error);

/* The same of an element that holds no others. */
gboolean
rfp_manifest_xml_read_leaf(xmlNodePtr node,
                           const RfpField *fields,
                           gpointer record,
                           const char *what,
                           GError **error);

/* Whether the elements inside @node are those that may be there, as often as
 * they may, and there is no text. */
gboolean
rfp_manifest_xml_check(xmlNodePtr node,
                       const RfpChild *children,
                       const char *what,
                       GError **error);

xmlNodePtr
rfp_manifest_xml_child(xmlNodePtr node, const char *name);

/* "WHAT is damaged: line N, element E: ..." as FAILED. */
void
rfp_manifest_xml_damage(GError **error,
                        const char *what,
                        xmlNodePtr node,
                        const char *format,
                        ...) G_GNUC_PRINTF(4, 5);

/* Whether @folder can be a folder of a point or a VM: one clean component, not
 * hidden, no name that the format uses itself. */
gboolean
rfp_manifest_folder_ok(const char *folder);

#endif
