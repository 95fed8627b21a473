/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/manifest-xml.h"
#include "base/error.h"
#include "base/text.h"
#include "set/manifest.h"
#include "set/seal.h"

#include <string.h>

#define URI_STEM "urn:virt-refpoint:export:"
#define FORMAT_TEXT G_STRINGIFY(RFP_MANIFEST_FORMAT)

static const char *const known_features[2];
static const RfpField root_fields[2];
static const RfpField feature_fields[2];
static const RfpChild no_children[1];

void
rfp_manifest_xml_damage(GError **error,
                        const char *what,
                        xmlNodePtr node,
                        const char *format,
                        ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("%s is damaged: line %ld, element '%s': %s"), what,
                  xmlGetLineNo(node), (const char *)node->name, text);
    rfp_error_add_object(error, what);
}

xmlDocPtr
rfp_manifest_xml_new(const char *root)
{
    xmlDocPtr doc = rfp_xml_new(root, RFP_MANIFEST_URI);

    rfp_xml_set(xmlDocGetRootElement(doc), "format", FORMAT_TEXT);
    return doc;
}

void
rfp_manifest_xml_require(xmlNodePtr root, const char *name)
{
    rfp_manifest_xml_add(root, "feature", feature_fields, &name);
}

xmlNodePtr
rfp_manifest_xml_add(xmlNodePtr parent,
                     const char *name,
                     const RfpField *fields,
                     gconstpointer record)
{
    xmlNodePtr node = rfp_xml_add(parent, name, NULL);

    for (const RfpField *f = fields; f->name != NULL; f++) {
        g_autofree char *text =
            f->type->format(f, G_STRUCT_MEMBER_P(record, f->offset));

        rfp_xml_set(node, f->name, text);
    }
    return node;
}

static gboolean
is_ours(xmlNsPtr ns)
{
    return ns != NULL && xmlStrEqual(ns->href, BAD_CAST RFP_MANIFEST_URI);
}

xmlNodePtr
rfp_manifest_xml_child(xmlNodePtr node, const char *name)
{
    return rfp_xml_child(node, name, RFP_MANIFEST_URI);
}

static void
add_newer(GError **error, const char *what)
{
    rfp_error_add_object(error, what);
    rfp_error_add_way_out(error, _("use a newer virt-refpoint"));
}

static void
not_supported(GError **error, const char *what, const char *name)
{
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("%s needs a newer program: '%s' is not known to this one"),
                  what, name);
    add_newer(error, what);
}

/* Whether @number is a format, as it is written, and whether it is ours. */
static gboolean
check_format(xmlNodePtr node,
             const char *number,
             const char *what,
             GError **error)
{
    guint64 format = 0;

    if (*number == '0' ||
        !g_ascii_string_to_unsigned(number, 10, 1, G_MAXUINT, &format, NULL)) {
        rfp_manifest_xml_damage(error, what, node,
                                _("attribute '%s' has no valid value"),
                                "format");
        return FALSE;
    }
    if (format == RFP_MANIFEST_FORMAT)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                  _("%s needs a newer program: it has the format %u, this one "
                    "knows format %u"),
                  what, (guint)format, (guint)RFP_MANIFEST_FORMAT);
    add_newer(error, what);
    return FALSE;
}

/* The namespace ends with the number of the format, too. */
static gboolean
check_root(xmlNodePtr node, const char *root, const char *what, GError **error)
{
    const char *uri = node->ns != NULL ? (const char *)node->ns->href : "";
    g_autofree char *format = rfp_xml_attr(node, "format");

    if (!g_str_has_prefix(uri, URI_STEM) ||
        strcmp((const char *)node->name, root) != 0) {
        rfp_manifest_xml_damage(error, what, node,
                                _("the root element should be '%s' of the "
                                  "namespace %s"),
                                root, RFP_MANIFEST_URI);
        return FALSE;
    }
    if (!check_format(node, uri + strlen(URI_STEM), what, error))
        return FALSE;
    if (format == NULL) {
        rfp_manifest_xml_damage(error, what, node,
                                _("attribute '%s' is missing"), "format");
        return FALSE;
    }
    return check_format(node, format, what, error);
}

static gboolean
check_feature(xmlNodePtr node, const char *what, GError **error)
{
    g_autofree char *name = NULL;

    if (!rfp_manifest_xml_read_leaf(node, feature_fields, &name, what, error))
        return FALSE;
    if (!g_strv_contains(known_features, name)) {
        not_supported(error, what, name);
        return FALSE;
    }
    return TRUE;
}

/* One of another format may end as it likes, but no file vouches for other
 * bytes than it has. */
static gboolean
check_seal(xmlNodePtr node,
           const char *root,
           RfpSeal seal,
           const char *what,
           GError **error)
{
    if (seal == RFP_SEAL_WRONG) {
        rfp_manifest_xml_damage(error, what, node,
                                _("the SHA-256 in the last line is not that "
                                  "of the lines before it"));
        return FALSE;
    }
    if (!check_root(node, root, what, error))
        return FALSE;
    if (seal == RFP_SEAL_OTHER)
        rfp_manifest_xml_damage(error, what, node,
                                _("what stands behind it is no SHA-256"));
    return seal != RFP_SEAL_OTHER;
}

char *
rfp_manifest_xml_seal(xmlDocPtr doc)
{
    return rfp_seal_add(rfp_xml_to_text(doc, TRUE));
}

xmlDocPtr
rfp_manifest_xml_open(const char *text,
                      gsize length,
                      const char *root,
                      const char *what,
                      GError **error)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse(text, length, what, REFPOINT_ERROR_FAILED, error);
    xmlNodePtr node = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    char unused;

    if (node == NULL ||
        !check_seal(node, root, rfp_seal_check(text, length), what, error))
        return NULL;
    for (xmlNodePtr feature = rfp_manifest_xml_child(node, "feature");
         feature != NULL; feature = rfp_xml_next(feature)) {
        if (!check_feature(feature, what, error))
            return NULL;
    }
    if (!rfp_manifest_xml_read(node, root_fields, &unused, what, error))
        return NULL;
    return g_steal_pointer(&doc);
}

static gboolean
read_field(xmlNodePtr node,
           const RfpField *field,
           gpointer record,
           const char *what,
           GError **error)
{
    g_autofree char *text = rfp_xml_attr(node, field->name);

    if (text == NULL && field->optional)
        return TRUE;
    if (text == NULL) {
        rfp_manifest_xml_damage(error, what, node,
                                _("attribute '%s' is missing"), field->name);
        return FALSE;
    }
    if (field->type->parse(field, text,
                           G_STRUCT_MEMBER_P(record, field->offset)))
        return TRUE;
    if (field->type == &rfp_field_fixed || field->type == &rfp_field_known)
        not_supported(error, what, text);
    else
        rfp_manifest_xml_damage(error, what, node,
                                _("attribute '%s' has no valid value"),
                                field->name);
    return FALSE;
}

gboolean
rfp_manifest_xml_read(xmlNodePtr node,
                      const RfpField *fields,
                      gpointer record,
                      const char *what,
                      GError **error)
{
    for (const RfpField *f = fields; f->name != NULL; f++) {
        if (!read_field(node, f, record, what, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_manifest_xml_read_leaf(xmlNodePtr node,
                           const RfpField *fields,
                           gpointer record,
                           const char *what,
                           GError **error)
{
    return rfp_manifest_xml_read(node, fields, record, what, error) &&
           rfp_manifest_xml_check(node, no_children, what, error);
}

/* The entry for @node, or NULL. */
static const RfpChild *
find_child(xmlNodePtr node, const RfpChild *children)
{
    for (const RfpChild *c = children; c->name != NULL; c++) {
        if (is_ours(node->ns) && xmlStrEqual(node->name, BAD_CAST c->name))
            return c;
    }
    return NULL;
}

static gboolean
check_counts(xmlNodePtr node,
             const RfpChild *children,
             const guint *counts,
             const char *what,
             GError **error)
{
    for (guint i = 0; children[i].name != NULL; i++) {
        if (counts[i] >= children[i].min && counts[i] <= children[i].max)
            continue;
        rfp_manifest_xml_damage(error, what, node,
                                counts[i] < children[i].min
                                    ? _("element '%s' is missing")
                                    : _("too many elements '%s'"),
                                children[i].name);
        return FALSE;
    }
    return TRUE;
}

/* Text that is more than white space. */
static gboolean
is_text(xmlNodePtr node)
{
    return node->type != XML_ELEMENT_NODE && node->type != XML_COMMENT_NODE &&
           node->type != XML_PI_NODE && !xmlIsBlankNode(node);
}

gboolean
rfp_manifest_xml_check(xmlNodePtr node,
                       const RfpChild *children,
                       const char *what,
                       GError **error)
{
    guint counts[RFP_CHILDREN_MAX] = {0};

    for (xmlNodePtr n = node->children; n != NULL; n = n->next) {
        const RfpChild *child = NULL;

        if (is_text(n)) {
            rfp_manifest_xml_damage(error, what, node,
                                    _("unknown content '%s'"),
                                    (const char *)n->name);
            return FALSE;
        }
        if (n->type == XML_ELEMENT_NODE)
            child = find_child(n, children);
        if (child != NULL)
            counts[child - children]++;
    }
    return check_counts(node, children, counts, what, error);
}

static const char *const known_features[2] = {RFP_FEATURE_GROUP, NULL};

static const char *const format_words[] = {FORMAT_TEXT, NULL};

static const RfpField root_fields[2] = {
    {.name = "format", .type = &rfp_field_fixed, .words = format_words},
    {.name = NULL},
};

static const RfpField feature_fields[2] = {
    {.name = "name", .type = &rfp_field_text, .max = 256},
    {.name = NULL},
};

static const RfpChild no_children[1] = {
    {NULL, 0, 0},
};
