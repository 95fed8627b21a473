/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-instance-read.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/xml.h"
#include "cim/msvm-path.h"
#include "cim/msvm-reference.h"

#define SHOWN_MAX 100 /* characters of a bad name in its message */

typedef struct {
    RfpMsvmInstance *instance;
    guint depth; /* levels of XML around the text */
} Reader;

/* ---- Refusing ------------------------------------------------------------ */

static gboolean
malformed(GError **error, const char *why)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("this is not an embedded instance: %s"), why);
    return FALSE;
}

/* @format takes @name, which is made harmless. */
static gboolean
refuse(GError **error,
       RefpointError cause,
       const char *format,
       const char *name)
{
    g_autofree char *begin = g_strndup(name, SHOWN_MAX);
    g_autofree char *shown = rfp_text_clean(begin);

    rfp_error_set(error, cause, format, shown);
    return FALSE;
}

static gboolean
wrong(GError **error, const char *format, const char *name)
{
    return refuse(error, REFPOINT_ERROR_INCORRECT_TYPE, format, name);
}

/* ---- The text ------------------------------------------------------------ */

static const char *
utf16_kind(const guint8 *text, gsize length)
{
    if (length < 2)
        return NULL;
    if ((text[0] == 0xff && text[1] == 0xfe) || (text[0] && !text[1]))
        return "UTF-16LE";
    if ((text[0] == 0xfe && text[1] == 0xff) || (!text[0] && text[1]))
        return "UTF-16BE";
    return NULL;
}

/* UTF-8 without a byte order mark; NULL if it cannot be. */
static char *
to_utf8(const char *text, gsize length, gsize *written)
{
    const char *kind = utf16_kind((const guint8 *)text, length);
    char *utf8 = NULL;

    if (kind != NULL)
        utf8 =
            g_convert(text, (gssize)length, "UTF-8", kind, NULL, written, NULL);
    else if (g_utf8_validate(text, (gssize)length, NULL)) {
        utf8 = g_strndup(text, length);
        *written = length;
    }
    if (utf8 != NULL && g_str_has_prefix(utf8, "\xef\xbb\xbf")) {
        *written -= 3;
        memmove(utf8, utf8 + 3, *written + 1);
    }
    return utf8;
}

/* Levels of elements; rfp_xml_parse() has bounded them. */
static guint
measure(xmlNodePtr node)
{
    guint deepest = 0;

    for (node = node->children; node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE)
            deepest = MAX(deepest, measure(node));
    }
    return deepest + 1;
}

static xmlDocPtr
open_text(const char *text, gsize length, guint depth, GError **error)
{
    g_autoptr(xmlDoc) doc = NULL;
    g_autofree char *utf8 = NULL;
    gsize written = 0;

    if (length > RFP_MSVM_INSTANCE_SIZE_MAX) {
        malformed(error, _("it is too large"));
        return NULL;
    }
    utf8 = to_utf8(text, length, &written);
    if (utf8 == NULL) {
        malformed(error, _("it is neither UTF-8 nor UTF-16"));
        return NULL;
    }
    doc = rfp_xml_parse(utf8, written, _("the embedded instance"),
                        REFPOINT_ERROR_INVALID_PARAMETER, error);
    if (doc != NULL && depth + measure(xmlDocGetRootElement(doc)) >
                           RFP_MSVM_INSTANCE_DEPTH_MAX) {
        malformed(error, _("its elements are too deep"));
        return NULL;
    }
    return g_steal_pointer(&doc);
}

/* ---- Elements ------------------------------------------------------------ */

static gboolean
is_named(xmlNodePtr node, const char *name)
{
    return strcmp((const char *)node->name, name) == 0;
}

/* Whether @node is something that stands between elements and says nothing. */
static gboolean
is_filling(xmlNodePtr node)
{
    return node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE ||
           xmlIsBlankNode(node);
}

/* The child @name, qualifiers aside the only one; *@found NULL if there is
 * none. */
static gboolean
only_child(xmlNodePtr node, const char *name, xmlNodePtr *found, GError **error)
{
    *found = NULL;
    for (node = node->children; node != NULL; node = node->next) {
        if (is_filling(node))
            continue;
        if (node->type != XML_ELEMENT_NODE)
            return malformed(error, _("it has text outside a <VALUE>"));
        if (is_named(node, "QUALIFIER") || is_named(node, "QUALIFIER.ARRAY"))
            continue;
        if (*found != NULL || !is_named(node, name))
            return refuse(error, REFPOINT_ERROR_INVALID_PARAMETER,
                          _("a <%s> of the embedded instance has no place"),
                          (const char *)node->name);
        *found = node;
    }
    return TRUE;
}

/* The text of a <VALUE>. Free with xmlFree(). */
static xmlChar *
value_text(xmlNodePtr node, GError **error)
{
    xmlChar *text = NULL;

    if (xmlFirstElementChild(node) != NULL) {
        malformed(error, _("a <VALUE> holds elements"));
        return NULL;
    }
    text = xmlNodeGetContent(node);
    if (text == NULL)
        malformed(error, _("a <VALUE> has no text"));
    return text;
}

/* Levels around the text of @node, its own included. */
static guint
level(const Reader *reader, xmlNodePtr node)
{
    guint depth = reader->depth;

    for (; node != NULL && node->type == XML_ELEMENT_NODE; node = node->parent)
        depth++;
    return depth;
}

static gboolean
read_text(Reader *reader, xmlNodePtr node, RfpMsvmValue *value, GError **error)
{
    xmlChar *text = value_text(node, error);
    gboolean good = FALSE;

    if (text == NULL)
        return FALSE;
    good = rfp_msvm_value_add(value, (const char *)text, -1,
                              level(reader, node), error);
    xmlFree(text);
    return good;
}

/* ---- Properties ---------------------------------------------------------- */

static gboolean
read_scalar(Reader *reader,
            xmlNodePtr node,
            RfpMsvmValue *value,
            GError **error)
{
    xmlNodePtr found = NULL;

    if (!only_child(node, "VALUE", &found, error))
        return FALSE;
    value->null = found == NULL;
    return value->null || read_text(reader, found, value, error);
}

static gboolean
read_array(Reader *reader, xmlNodePtr node, RfpMsvmValue *value, GError **error)
{
    xmlNodePtr found = NULL;

    if (!only_child(node, "VALUE.ARRAY", &found, error))
        return FALSE;
    value->null = found == NULL;
    for (node = found != NULL ? found->children : NULL; node != NULL;
         node = node->next) {
        if (is_filling(node))
            continue;
        if (node->type != XML_ELEMENT_NODE)
            return malformed(error, _("it has text outside a <VALUE>"));
        if (is_named(node, "VALUE.NULL"))
            rfp_msvm_value_add_null(value);
        else if (!is_named(node, "VALUE"))
            return malformed(error, _("an array holds more than values"));
        else if (!read_text(reader, node, value, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_reference(Reader *reader G_GNUC_UNUSED,
               xmlNodePtr node,
               RfpMsvmValue *value,
               GError **error)
{
    g_autoptr(RfpMsvmPath) path = NULL;
    g_autofree char *text = NULL;
    xmlNodePtr found = NULL;

    if (!only_child(node, "VALUE.REFERENCE", &found, error))
        return FALSE;
    value->null = found == NULL;
    if (found == NULL)
        return TRUE;
    path = rfp_msvm_reference_read(found);
    if (path == NULL)
        return malformed(error, _("a <VALUE.REFERENCE> is no object path"));
    text = rfp_msvm_path_format(path);
    return rfp_msvm_value_add(value, text, -1, 0, error);
}

typedef struct {
    const char *element;
    gboolean typed; /* it has a TYPE */
    gboolean (*read)(Reader *reader,
                     xmlNodePtr node,
                     RfpMsvmValue *value,
                     GError **error);
} Shape;

static const Shape scalar_shape;
static const Shape array_shape;
static const Shape reference_shape;

static const Shape *
shape_of(const RfpMsvmProperty *property)
{
    if (property->type == RFP_CIM_REFERENCE)
        return &reference_shape;
    return property->flags & RFP_MSVM_ARRAY ? &array_shape : &scalar_shape;
}

static gboolean
check_type(const RfpMsvmProperty *property, xmlNodePtr node, GError **error)
{
    g_autofree char *name = rfp_xml_attr(node, "TYPE");
    RfpCimType type = RFP_CIM_STRING;

    if (name == NULL)
        return malformed(error, _("a property has no TYPE"));
    if (!rfp_cim_type_find(name, &type) || type != property->type)
        return wrong(error,
                     _("the property %s of the embedded instance has the "
                       "wrong type"),
                     property->name);
    return TRUE;
}

static gboolean
read_value(Reader *reader,
           xmlNodePtr node,
           const RfpMsvmProperty *property,
           GError **error)
{
    const Shape *shape = shape_of(property);

    if (rfp_msvm_instance_value(reader->instance, property->name) != NULL)
        return refuse(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("the embedded instance has the property %s twice"),
                      property->name);
    if (!is_named(node, shape->element))
        return wrong(error,
                     property->flags & RFP_MSVM_ARRAY
                         ? _("the property %s is an array")
                         : _("the property %s is not of that kind"),
                     property->name);
    if (shape->typed && !check_type(property, node, error))
        return FALSE;
    return shape->read(reader, node,
                       rfp_msvm_instance_put(reader->instance, property->name),
                       error);
}

static gboolean
read_property(Reader *reader, xmlNodePtr node, GError **error)
{
    g_autofree char *name = rfp_xml_attr(node, "NAME");
    const RfpMsvmProperty *property = NULL;

    if (name == NULL)
        return malformed(error, _("a property has no NAME"));
    if (g_str_has_prefix(name, "__"))
        return TRUE;
    property = rfp_msvm_class_property(reader->instance->klass, name);
    if (property == NULL)
        return wrong(error,
                     _("the class of the embedded instance has no property %s"),
                     name);
    return read_value(reader, node, property, error);
}

/* ---- The instance -------------------------------------------------------- */

static gboolean
read_element(Reader *reader, xmlNodePtr node, GError **error)
{
    if (is_filling(node))
        return TRUE;
    if (node->type != XML_ELEMENT_NODE)
        return malformed(error, _("it has text outside a <VALUE>"));
    if (is_named(node, "QUALIFIER") || is_named(node, "QUALIFIER.ARRAY"))
        return TRUE;
    if (g_str_has_prefix((const char *)node->name, "PROPERTY"))
        return read_property(reader, node, error);
    return refuse(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("a <%s> of the embedded instance has no place"),
                  (const char *)node->name);
}

static const RfpMsvmClass *
read_class(xmlNodePtr root, const char *expected, GError **error)
{
    g_autofree char *name = rfp_xml_attr(root, "CLASSNAME");
    const RfpMsvmClass *klass = name != NULL ? rfp_msvm_class_find(name) : NULL;

    if (!is_named(root, "INSTANCE") || name == NULL) {
        malformed(error, _("it is not an <INSTANCE> with a CLASSNAME"));
        return NULL;
    }
    if (klass == NULL || (klass->flags & RFP_MSVM_ABSTRACT) ||
        !rfp_msvm_class_is_a(klass, expected)) {
        wrong(error, _("the embedded instance is of the class %s"), name);
        rfp_error_prefix(error, _("expected a %s"), expected);
        return NULL;
    }
    return klass;
}

RfpMsvmInstance *
rfp_msvm_instance_parse_below(const char *text,
                              gsize length,
                              const char *expected,
                              guint depth,
                              GError **error)
{
    g_autoptr(xmlDoc) doc = open_text(text, length, depth, error);
    xmlNodePtr root = doc != NULL ? xmlDocGetRootElement(doc) : NULL;
    const RfpMsvmClass *klass =
        root != NULL ? read_class(root, expected, error) : NULL;
    g_autoptr(RfpMsvmInstance) instance =
        klass != NULL ? rfp_msvm_instance_new(klass->name) : NULL;
    Reader reader = {instance, depth};
    xmlNodePtr node = NULL;

    if (instance == NULL)
        return NULL;
    for (node = root->children; node != NULL; node = node->next) {
        if (!read_element(&reader, node, error))
            return NULL;
    }
    return g_steal_pointer(&instance);
}

RfpMsvmInstance *
rfp_msvm_instance_parse(const char *text,
                        gsize length,
                        const char *expected,
                        GError **error)
{
    return rfp_msvm_instance_parse_below(text, length, expected, 0, error);
}

static const Shape scalar_shape = {"PROPERTY", TRUE, read_scalar};
static const Shape array_shape = {"PROPERTY.ARRAY", TRUE, read_array};
static const Shape reference_shape = {"PROPERTY.REFERENCE", FALSE,
                                      read_reference};
