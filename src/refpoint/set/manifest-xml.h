/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What export.xml, set.xml and folders.xml have in common: elements whose
 * attributes are fields of a struct, described once for both directions.
 *
 * Attributes and elements that are not described are passed over, because a
 * later program may add some. What a reader must understand is announced: by
 * a "feature" element with its name, or by a higher format number. A file with
 * one that this program does not know is no damage, but NOT_SUPPORTED.
 */
#ifndef RFP_MANIFEST_XML_H
#define RFP_MANIFEST_XML_H

#include "base/xml.h"
#include "set/manifest-field.h"

#define RFP_CHILDREN_MAX 16
#define RFP_MANIFEST_FEATURES_MAX 64

/* The set belongs to a group of VMs (set.xml). */
#define RFP_FEATURE_GROUP "group"

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

/* Notes that a reader must know the feature @name. */
void
rfp_manifest_xml_require(xmlNodePtr root, const char *name);

/* Appends an element with the attributes of @fields out of @record. */
xmlNodePtr
rfp_manifest_xml_add(xmlNodePtr parent,
                     const char *name,
                     const RfpField *fields,
                     gconstpointer record);

/* The text, sealed (seal.h). Free with g_free(). */
char *
rfp_manifest_xml_seal(xmlDocPtr doc);

/*
 * Parses a file and checks its seal, its root element, its format number and
 * the features that it requires. NOT_SUPPORTED: it needs a newer program.
 */
xmlDocPtr
rfp_manifest_xml_open(const char *text,
                      gsize length,
                      const char *root,
                      const char *what,
                      GError **error);

/* Fills @record from those attributes of @node that are described. */
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

/* Whether the elements inside @node that are described are there as often as
 * they may be, and whether there is no text. */
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

#endif
