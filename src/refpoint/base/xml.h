/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxml2, made safe and short. Everything parsed may come from outside: no
 * DTD, no entities, no network, bounded size, depth and number of nodes.
 */
#ifndef RFP_XML_H
#define RFP_XML_H

#include <glib.h>
#include <libxml/tree.h>

/* libvirt hands out texts of 4 MiB at most. */
#define RFP_XML_SIZE_MAX (16 * 1024 * 1024)
/* libxml2's own limit, which no text that libvirt has read goes beyond. A
 * running domain nests one <backingStore> for each image below a disk: libvirt
 * allows 200 images, some 210 elements in its checkpoint's XML. */
#define RFP_XML_DEPTH_MAX 256

/* Parses UTF-8, whatever an XML declaration says; @what names the document in
 * messages ("manifest of point x"). Not well-formed, a DTD, too large or too
 * deep: @cause. Free with xmlFreeDoc() (autoptr). */
xmlDocPtr
rfp_xml_parse(const char *text,
              gsize length,
              const char *what,
              int cause,
              GError **error);

/* The same, and the root element must have this name; @ns as below. */
xmlDocPtr
rfp_xml_parse_root(const char *text,
                   gsize length,
                   const char *root,
                   const char *ns,
                   const char *what,
                   int cause,
                   GError **error);

/* First child element of @node with this name; @ns NULL: no or any
 * namespace. NULL if there is none, or @node is NULL. */
xmlNodePtr
rfp_xml_child(xmlNodePtr node, const char *name, const char *ns);

/* Next sibling element of the same name (and namespace). */
xmlNodePtr
rfp_xml_next(xmlNodePtr node);

/* Attribute value or NULL, also where @node is NULL. Free with g_free(). */
char *
rfp_xml_attr(xmlNodePtr node, const char *name);

/* Whether there is such an attribute and it has this value. */
gboolean
rfp_xml_attr_is(xmlNodePtr node, const char *name, const char *value);

/* Text content of a child element, or NULL. Free with g_free(). */
char *
rfp_xml_child_text(xmlNodePtr node, const char *name, const char *ns);

/* Whole decimal number; FALSE if missing, malformed or above @max. */
gboolean
rfp_xml_attr_uint(xmlNodePtr node,
                  const char *name,
                  guint64 max,
                  guint64 *value);

/* A new document with a root element; @ns NULL: without a namespace, else its
 * default namespace, which children made with rfp_xml_add() are in. */
xmlDocPtr
rfp_xml_new(const char *root, const char *ns);

/* New last child element; @text NULL: empty. Characters that XML 1.0 cannot
 * carry, and bytes that are not UTF-8, become U+FFFD, in attributes too. */
xmlNodePtr
rfp_xml_add(xmlNodePtr parent, const char *name, const char *text);

/* Sets attributes; no effect where @value is NULL. */
void
rfp_xml_set(xmlNodePtr node, const char *name, const char *value);

void
rfp_xml_set_uint(xmlNodePtr node, const char *name, guint64 value);

/* Removes @node, and the white space before it. */
void
rfp_xml_remove(xmlNodePtr node);

/* Serialises with indentation (where the text had none), UTF-8, newline at the
 * end; with the XML declaration or only the root element. Free with
 * g_free(). */
char *
rfp_xml_to_text(xmlDocPtr doc, gboolean declaration);

/* The text of @node alone, indented anew. Free with g_free(). */
char *
rfp_xml_node_to_text(xmlNodePtr node);

/* A RELAX NG schema, read once. */
typedef struct _RfpXmlSchema RfpXmlSchema;

/* @path: a file of ours, it is trusted. */
RfpXmlSchema *
rfp_xml_schema_new(const char *path, GError **error);

void
rfp_xml_schema_free(RfpXmlSchema *schema);

/* Whether a document is valid; the first violation is the error (FAILED).
 * @what names the document. */
gboolean
rfp_xml_validate(RfpXmlSchema *schema,
                 xmlDocPtr doc,
                 const char *what,
                 GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpXmlSchema, rfp_xml_schema_free)

#endif
