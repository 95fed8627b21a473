/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml.h"

#include <inttypes.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/xmlsave.h>

#include "base/error.h"
#include "base/text.h"

/* A node takes some 120 bytes of memory, in the text no more than 4. */
#define NODES_MAX (512 * 1024)
/* libxml2 before 2.12 compares all attributes of an element with each other,
 * and looks for a prefix among all namespaces that are in scope. */
#define ATTRIBUTES_MAX 256
#define NAMESPACES_MAX 1024
#define REASON_MAX 256

typedef struct {
    guint depth;
    guint nodes;
    guint namespaces;
    char *reason; /* why it was refused; the first one stays */
} Parse;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlParserCtxt, xmlFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)

static void
refuse(xmlParserCtxtPtr ctxt, const char *reason)
{
    Parse *parse = ctxt->_private;

    if (parse->reason == NULL)
        parse->reason = g_strdup(reason);
    xmlStopParser(ctxt);
}

static gboolean
count(xmlParserCtxtPtr ctxt, guint nodes)
{
    Parse *parse = ctxt->_private;

    if (nodes > NODES_MAX - parse->nodes) {
        refuse(ctxt, _("it has too many elements"));
        return FALSE;
    }
    parse->nodes += nodes;
    return TRUE;
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *ErrorPtr;
#else
typedef xmlErrorPtr ErrorPtr;
#endif

static void
on_error(void *opaque, ErrorPtr problem)
{
    xmlParserCtxtPtr ctxt = opaque;
    Parse *parse = ctxt->_private;
    g_autofree char *message = NULL;

    if (parse->reason != NULL || problem->level < XML_ERR_ERROR)
        return;
    message = g_strndup(problem->message != NULL ? problem->message : "?",
                        REASON_MAX);
    parse->reason =
        g_strdup_printf(_("line %d: %s"), problem->line, g_strchomp(message));
}

static void
on_doctype(void *opaque,
           const xmlChar *name G_GNUC_UNUSED,
           const xmlChar *id G_GNUC_UNUSED,
           const xmlChar *uri G_GNUC_UNUSED)
{
    refuse(opaque, _("it has a document type declaration"));
}

static void
on_element(void *opaque,
           const xmlChar *name,
           const xmlChar *prefix,
           const xmlChar *uri,
           int n_namespaces,
           const xmlChar **namespaces,
           int n_attributes,
           int n_defaulted,
           const xmlChar **attributes)
{
    xmlParserCtxtPtr ctxt = opaque;
    Parse *parse = ctxt->_private;

    parse->namespaces += (guint)n_namespaces;
    if (++parse->depth > RFP_XML_DEPTH_MAX) {
        refuse(ctxt, _("its elements are too deep"));
        return;
    }
    if (parse->namespaces > NAMESPACES_MAX) {
        refuse(ctxt, _("it has too many namespaces"));
        return;
    }
    if (!count(ctxt, 1 + (guint)n_attributes + (guint)n_namespaces))
        return;
    xmlSAX2StartElementNs(ctxt, name, prefix, uri, n_namespaces, namespaces,
                          n_attributes, n_defaulted, attributes);
}

static void
on_element_end(void *opaque,
               const xmlChar *name,
               const xmlChar *prefix,
               const xmlChar *uri)
{
    xmlParserCtxtPtr ctxt = opaque;
    Parse *parse = ctxt->_private;

    parse->depth--;
    xmlSAX2EndElementNs(ctxt, name, prefix, uri);
}

static void
on_comment(void *opaque, const xmlChar *text)
{
    if (count(opaque, 1))
        xmlSAX2Comment(opaque, text);
}

static void
on_instruction(void *opaque, const xmlChar *target, const xmlChar *data)
{
    if (count(opaque, 1))
        xmlSAX2ProcessingInstruction(opaque, target, data);
}

/* A "<" cannot stand inside a value, so each one begins a tag or something
 * else; what a comment or CDATA section holds may be taken for tags. */
static gboolean
attributes_bounded(const char *text, gsize length)
{
    const char *end = text + length;
    const char *next = text;
    guint attributes = 0;
    char quote = 0;

    while ((next = memchr(next, '<', (gsize)(end - next))) != NULL) {
        attributes = 0;
        quote = 0;
        next++;
        if (next < end && (*next == '!' || *next == '?'))
            continue;
        for (; next < end && *next != '<'; next++) {
            if (quote) {
                quote = *next == quote ? 0 : quote;
            } else if (*next == '"' || *next == '\'') {
                quote = *next;
            } else if (*next == '=' && ++attributes > ATTRIBUTES_MAX) {
                return FALSE;
            } else if (*next == '>') {
                break;
            }
        }
    }
    return TRUE;
}

/* NULL: fit to be given to libxml2. */
static const char *
refuse_early(const char *text, gsize length)
{
    if (length == 0)
        return _("it is empty");
    if (length > RFP_XML_SIZE_MAX)
        return _("it is too large");
    if (!g_utf8_validate(text, (gssize)length, NULL))
        return _("it is not UTF-8");
    if (!attributes_bounded(text, length))
        return _("an element has too many attributes");
    return NULL;
}

static void
set_handlers(xmlParserCtxtPtr ctxt, Parse *parse)
{
    ctxt->_private = parse;
    ctxt->sax->serror = on_error;
    ctxt->sax->internalSubset = on_doctype;
    ctxt->sax->startElementNs = on_element;
    ctxt->sax->endElementNs = on_element_end;
    ctxt->sax->comment = on_comment;
    ctxt->sax->processingInstruction = on_instruction;
}

static xmlDocPtr
parse_bounded(const char *text, gsize length, Parse *parse)
{
    g_autoptr(xmlParserCtxt) ctxt = xmlNewParserCtxt();
    g_autoptr(xmlDoc) doc = NULL;

    if (ctxt == NULL)
        return NULL;
    set_handlers(ctxt, parse);
    doc = xmlCtxtReadMemory(ctxt, text, (int)length, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOCDATA |
                                XML_PARSE_IGNORE_ENC);
    if (parse->reason != NULL || doc == NULL ||
        xmlDocGetRootElement(doc) == NULL)
        return NULL;
    return g_steal_pointer(&doc);
}

xmlDocPtr
rfp_xml_parse(const char *text,
              gsize length,
              const char *what,
              int cause,
              GError **error)
{
    const char *early = refuse_early(text, length);
    g_autofree char *reason = NULL;
    Parse parse = {0};
    xmlDocPtr doc = NULL;

    if (early == NULL) {
        xmlInitParser();
        doc = parse_bounded(text, length, &parse);
    }
    if (doc == NULL) {
        early = early != NULL ? early : parse.reason;
        reason =
            rfp_text_clean(early != NULL ? early : _("libxml2 gave no reason"));
        rfp_error_set(error, (RefpointError)cause,
                      _("cannot understand the XML of %s: %s"), what, reason);
    }
    g_free(parse.reason);
    return doc;
}

static gboolean
is_element(xmlNodePtr node, const char *name, const char *ns)
{
    if (node->type != XML_ELEMENT_NODE || strcmp((char *)node->name, name) != 0)
        return FALSE;
    if (ns == NULL)
        return TRUE;
    return node->ns != NULL && g_strcmp0((char *)node->ns->href, ns) == 0;
}

xmlDocPtr
rfp_xml_parse_root(const char *text,
                   gsize length,
                   const char *root,
                   const char *ns,
                   const char *what,
                   int cause,
                   GError **error)
{
    g_autoptr(xmlDoc) doc = rfp_xml_parse(text, length, what, cause, error);
    g_autofree char *found = NULL;

    if (doc == NULL)
        return NULL;
    if (is_element(xmlDocGetRootElement(doc), root, ns))
        return g_steal_pointer(&doc);

    found = g_strndup((char *)xmlDocGetRootElement(doc)->name, REASON_MAX);
    rfp_error_set(error, (RefpointError)cause,
                  _("the XML of %s is not a <%s> but a <%s>"), what, root,
                  found);
    return NULL;
}

xmlNodePtr
rfp_xml_child(xmlNodePtr node, const char *name, const char *ns)
{
    xmlNodePtr child = NULL;

    for (child = node != NULL ? node->children : NULL; child != NULL;
         child = child->next) {
        if (is_element(child, name, ns))
            return child;
    }
    return NULL;
}

xmlNodePtr
rfp_xml_next(xmlNodePtr node)
{
    const char *ns = node->ns != NULL ? (const char *)node->ns->href : NULL;
    xmlNodePtr next = NULL;

    for (next = node->next; next != NULL; next = next->next) {
        if (is_element(next, (const char *)node->name, ns) &&
            (next->ns == NULL) == (node->ns == NULL))
            return next;
    }
    return NULL;
}

/* From libxml2's allocator to GLib's. */
static char *
take_text(xmlChar *text)
{
    char *copy = g_strdup((char *)text);

    if (text != NULL)
        xmlFree(text);
    return copy;
}

char *
rfp_xml_attr(xmlNodePtr node, const char *name)
{
    return node != NULL ? take_text(xmlGetNoNsProp(node, (const xmlChar *)name))
                        : NULL;
}

gboolean
rfp_xml_attr_is(xmlNodePtr node, const char *name, const char *value)
{
    g_autofree char *found = rfp_xml_attr(node, name);

    return found != NULL && strcmp(found, value) == 0;
}

char *
rfp_xml_child_text(xmlNodePtr node, const char *name, const char *ns)
{
    xmlNodePtr child = rfp_xml_child(node, name, ns);

    return child != NULL ? take_text(xmlNodeGetContent(child)) : NULL;
}

gboolean
rfp_xml_attr_uint(xmlNodePtr node,
                  const char *name,
                  guint64 max,
                  guint64 *value)
{
    g_autofree char *text = rfp_xml_attr(node, name);

    return text != NULL &&
           g_ascii_string_to_unsigned(text, 10, 0, max, value, NULL);
}

static gboolean
allowed(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' ||
           (c >= 0x20 && c != 0xfffe && c != 0xffff);
}

static char *
clean_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *clean = g_string_sized_new(strlen(valid));
    const char *next = valid;

    for (; *next; next = g_utf8_next_char(next)) {
        gunichar c = g_utf8_get_char(next);

        g_string_append_unichar(clean, allowed(c) ? c : 0xfffd);
    }
    return g_string_free(clean, FALSE);
}

xmlDocPtr
rfp_xml_new(const char *root, const char *ns)
{
    xmlDocPtr doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr node = xmlNewDocNode(doc, NULL, (const xmlChar *)root, NULL);

    xmlDocSetRootElement(doc, node);
    if (ns != NULL)
        xmlSetNs(node, xmlNewNs(node, (const xmlChar *)ns, NULL));
    return doc;
}

/* xmlNewTextChild() escapes, xmlNewChild() would not. */
xmlNodePtr
rfp_xml_add(xmlNodePtr parent, const char *name, const char *text)
{
    g_autofree char *clean = text != NULL ? clean_text(text) : NULL;

    return xmlNewTextChild(parent, NULL, (const xmlChar *)name,
                           (const xmlChar *)clean);
}

void
rfp_xml_set(xmlNodePtr node, const char *name, const char *value)
{
    g_autofree char *clean = NULL;

    if (value == NULL)
        return;
    clean = clean_text(value);
    xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)clean);
}

void
rfp_xml_set_uint(xmlNodePtr node, const char *name, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, value);

    rfp_xml_set(node, name, text);
}

static void
drop(xmlNodePtr node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

void
rfp_xml_remove(xmlNodePtr node)
{
    if (node->prev != NULL && xmlIsBlankNode(node->prev))
        drop(node->prev);
    drop(node);
}

/* Without an encoding of the document libxml2 writes attributes in ASCII. */
static void
set_encoding(xmlDocPtr doc)
{
    if (doc->encoding != NULL)
        xmlFree((xmlChar *)doc->encoding);
    doc->encoding = xmlStrdup((const xmlChar *)"UTF-8");
}

static char *
save(xmlDocPtr doc, xmlNodePtr node, int options)
{
    g_autoptr(xmlBuffer) buffer = xmlBufferCreate();
    xmlSaveCtxtPtr ctxt =
        xmlSaveToBuffer(buffer, "UTF-8", options | XML_SAVE_FORMAT);
    const char *text = NULL;

    set_encoding(doc);
    if (node != NULL)
        xmlSaveTree(ctxt, node);
    else
        xmlSaveDoc(ctxt, doc);
    xmlSaveClose(ctxt);
    text = (const char *)xmlBufferContent(buffer);
    return g_strconcat(text, g_str_has_suffix(text, "\n") ? "" : "\n", NULL);
}

char *
rfp_xml_to_text(xmlDocPtr doc, gboolean declaration)
{
    if (declaration)
        return save(doc, NULL, 0);
    return save(doc, xmlDocGetRootElement(doc), XML_SAVE_NO_DECL);
}

/* White space between elements only: a blank text that is a value stays, and
 * so does everything where text and elements are mixed. */
static gboolean
only_elements(xmlNodePtr node)
{
    gboolean elements = FALSE;
    xmlNodePtr child = NULL;

    for (child = node->children; child != NULL; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            elements = TRUE;
        else if (child->type == XML_TEXT_NODE && !xmlIsBlankNode(child))
            return FALSE;
    }
    return elements;
}

static void
drop_blanks(xmlNodePtr node)
{
    xmlNodePtr child = NULL;
    xmlNodePtr next = NULL;

    /* as deep as RFP_XML_DEPTH_MAX */
    for (child = node->children; child != NULL; child = child->next)
        drop_blanks(child);
    if (node->type != XML_ELEMENT_NODE || !only_elements(node))
        return;
    for (child = node->children; child != NULL; child = next) {
        next = child->next;
        if (xmlIsBlankNode(child))
            drop(child);
    }
}

char *
rfp_xml_node_to_text(xmlNodePtr node)
{
    g_autoptr(xmlDoc) doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNodePtr copy = xmlDocCopyNode(node, doc, 1);

    xmlDocSetRootElement(doc, copy);
    drop_blanks(copy);
    return rfp_xml_to_text(doc, FALSE);
}

/* ---- Schema -------------------------------------------------------------- */

struct _RfpXmlSchema {
    xmlRelaxNGPtr grammar;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

/* @opaque: char **, the first message stays. */
static void
on_schema_error(void *opaque, ErrorPtr problem)
{
    char **reason = opaque;
    g_autofree char *message = NULL;

    if (*reason != NULL)
        return;
    message = g_strndup(problem->message != NULL ? problem->message : "?",
                        REASON_MAX);
    *reason =
        g_strdup_printf(_("line %d: %s"), problem->line, g_strchomp(message));
}

/* libxml2 opens files with messages on standard error: it gets a document. */
static xmlDocPtr
read_schema(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize length = 0;
    g_autoptr(GError) problem = NULL;

    if (g_file_get_contents(path, &text, &length, &problem))
        return rfp_xml_parse(text, length, path, REFPOINT_ERROR_FAILED, error);
    rfp_error_set(error, REFPOINT_ERROR_FAILED, "%s", problem->message);
    return NULL;
}

RfpXmlSchema *
rfp_xml_schema_new(const char *path, GError **error)
{
    g_autoptr(xmlDoc) doc = read_schema(path, error);
    g_autoptr(xmlRelaxNGParserCtxt) ctxt = NULL;
    g_autofree char *reason = NULL;
    xmlRelaxNGPtr grammar = NULL;
    RfpXmlSchema *schema = NULL;

    if (doc == NULL)
        return NULL;
    ctxt = xmlRelaxNGNewDocParserCtxt(doc);
    if (ctxt != NULL) {
        xmlRelaxNGSetParserStructuredErrors(ctxt, on_schema_error, &reason);
        grammar = xmlRelaxNGParse(ctxt);
    }
    if (grammar == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("cannot use the schema '%s': %s"), path,
                      reason != NULL ? reason : _("libxml2 gave no reason"));
        return NULL;
    }
    schema = g_new0(RfpXmlSchema, 1);
    schema->grammar = grammar;
    return schema;
}

void
rfp_xml_schema_free(RfpXmlSchema *schema)
{
    if (schema == NULL)
        return;
    xmlRelaxNGFree(schema->grammar);
    g_free(schema);
}

gboolean
rfp_xml_validate(RfpXmlSchema *schema,
                 xmlDocPtr doc,
                 const char *what,
                 GError **error)
{
    g_autoptr(xmlRelaxNGValidCtxt) ctxt =
        xmlRelaxNGNewValidCtxt(schema->grammar);
    g_autofree char *reason = NULL;
    int status = -1;

    if (ctxt != NULL) {
        xmlRelaxNGSetValidStructuredErrors(ctxt, on_schema_error, &reason);
        status = xmlRelaxNGValidateDoc(ctxt, doc);
    }
    if (status == 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("%s does not follow its schema: %s"), what,
                  reason != NULL ? reason : _("libxml2 gave no reason"));
    return FALSE;
}
