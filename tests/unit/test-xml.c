/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/xml.h"

#include <string.h>

#include "refpoint.h"

#define CAUSE REFPOINT_ERROR_INCORRECT_TYPE

static void
append_times(GString *text, const char *part, guint times)
{
    guint i = 0;

    for (i = 0; i < times; i++)
        g_string_append(text, part);
}

static xmlDocPtr
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    xmlDocPtr doc = rfp_xml_parse(text, strlen(text), "x", CAUSE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(doc);
    return doc;
}

/* Refused with the cause that was asked for, quickly, and with @reason in a
 * message of bounded size. */
static void
refuse_bytes(const char *text, gsize length, const char *reason)
{
    g_autoptr(GError) error = NULL;
    gint64 begin = g_get_monotonic_time();
    xmlDocPtr doc = rfp_xml_parse(text, length, "document x", CAUSE, &error);

    g_assert_null(doc);
    g_assert_error(error, REFPOINT_ERROR, CAUSE);
    g_assert_nonnull(strstr(error->message, "document x"));
    if (strstr(error->message, reason) == NULL)
        g_error("no '%s' in: %s", reason, error->message);
    g_assert_cmpuint(strlen(error->message), <, 1024);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 20 * G_USEC_PER_SEC);
}

static void
refuse(const char *text, const char *reason)
{
    refuse_bytes(text, strlen(text), reason);
}

static void
test_read(void)
{
    g_autoptr(xmlDoc) doc =
        parse("<?xml version='1.0' encoding='UTF-16'?>\n"
              "<a xmlns:n='urn:n' n:k='no' k='v&amp;&#x41;'>"
              "<n:b>other</n:b><b>one <i>and</i></b><!-- b --><c/>"
              "<b n='18446744073709551615'><![CDATA[<two>]]></b></a>");
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr b = rfp_xml_child(root, "b", NULL);
    g_autofree char *key = rfp_xml_attr(root, "k");
    g_autofree char *none = rfp_xml_attr(root, "b");
    g_autofree char *text = rfp_xml_child_text(root, "b", "urn:n");
    guint64 value = 0;

    g_assert_cmpstr(key, ==, "v&A");
    g_assert_null(none);
    g_assert_true(rfp_xml_attr_is(root, "k", "v&A"));
    g_assert_false(rfp_xml_attr_is(root, "b", ""));
    g_assert_cmpstr(text, ==, "other");
    g_assert_cmpstr((char *)b->ns->href, ==, "urn:n");
    g_assert_null(rfp_xml_next(b));
    g_assert_null(rfp_xml_child(root, "b", "urn:other"));
    g_assert_null(rfp_xml_child(root, "nothing", NULL));
    g_assert_null(rfp_xml_child(NULL, "b", NULL));
    g_assert_null(rfp_xml_attr(NULL, "b"));

    b = b->next;
    b = rfp_xml_next(b);
    g_assert_nonnull(b);
    g_assert_true(rfp_xml_attr_uint(b, "n", G_MAXUINT64, &value));
    g_assert_cmpuint(value, ==, G_MAXUINT64);
    g_assert_null(rfp_xml_next(b));
}

static void
test_byte_order_mark(void)
{
    g_autoptr(xmlDoc) doc = parse("\xef\xbb\xbf<?xml version='1.0'?><a/>");
    g_autoptr(xmlDoc) bare = parse("\xef\xbb\xbf<a/>");

    g_assert_nonnull(xmlDocGetRootElement(doc));
    g_assert_nonnull(xmlDocGetRootElement(bare));
}

static void
test_numbers(void)
{
    static const char *const bad[] = {
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "0x1",
        "1k",
        "1.",
        "abc",
        "101",
        "18446744073709551616",
    };
    g_autoptr(xmlDoc) doc = parse("<a/>");
    xmlNodePtr root = xmlDocGetRootElement(doc);
    guint64 value = 77;
    gsize i = 0;

    g_assert_false(rfp_xml_attr_uint(root, "n", 100, &value));
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        rfp_xml_set(root, "n", bad[i]);
        g_assert_false(rfp_xml_attr_uint(root, "n", 100, &value));
    }
    g_assert_cmpuint(value, ==, 77);
    rfp_xml_set_uint(root, "n", 100);
    g_assert_true(rfp_xml_attr_uint(root, "n", 100, &value));
    g_assert_cmpuint(value, ==, 100);
    rfp_xml_set(root, "n", "007");
    g_assert_true(rfp_xml_attr_uint(root, "n", 100, &value));
    g_assert_cmpuint(value, ==, 7);
}

static void
test_root(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xmlDoc) doc = NULL;
    const char *text = "<a xmlns='urn:a'/>";
    gsize length = strlen(text);

    doc = rfp_xml_parse_root(text, length, "a", "urn:a", "x", CAUSE, &error);
    g_assert_no_error(error);
    g_assert_nonnull(doc);
    g_assert_null(
        rfp_xml_parse_root(text, length, "a", "urn:b", "x", CAUSE, &error));
    g_assert_error(error, REFPOINT_ERROR, CAUSE);
    g_clear_error(&error);
    g_assert_null(
        rfp_xml_parse_root(text, length, "b", NULL, "x", CAUSE, &error));
    g_assert_error(error, REFPOINT_ERROR, CAUSE);
}

static void
test_write(void)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("a", "urn:a");
    xmlNodePtr root = xmlDocGetRootElement(doc);
    xmlNodePtr b = rfp_xml_add(root, "b", "<&>\"'");
    g_autofree char *text = NULL;
    g_autofree char *plain = NULL;

    rfp_xml_set(b, "k", "<&>\"'\n\t\xc3\xa9");
    rfp_xml_set(b, "none", NULL);
    rfp_xml_add(root, "c", NULL);
    text = rfp_xml_to_text(doc, TRUE);
    plain = rfp_xml_to_text(doc, FALSE);
    g_assert_cmpstr(text, ==,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<a xmlns=\"urn:a\">\n"
                    "  <b k=\"&lt;&amp;&gt;&quot;'&#10;&#9;\xc3\xa9\">"
                    "&lt;&amp;&gt;\"'</b>\n"
                    "  <c/>\n"
                    "</a>\n");
    g_assert_cmpstr(plain, ==, strchr(text, '\n') + 1);
}

/* What XML 1.0 cannot carry must not make a document that nobody can read. */
static void
test_write_impossible(void)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("a", NULL);
    g_autoptr(xmlDoc) again = NULL;
    g_autofree char *text = NULL;
    g_autofree char *key = NULL;
    g_autofree char *value = NULL;
    const char *bad = "\x01x\x1b\xff\xed\xa0\x80\xef\xbf\xbe&\x7f";

    rfp_xml_set(xmlDocGetRootElement(doc), "k", bad);
    rfp_xml_add(xmlDocGetRootElement(doc), "b", bad);
    text = rfp_xml_to_text(doc, FALSE);
    again = parse(text);
    key = rfp_xml_attr(xmlDocGetRootElement(again), "k");
    value = rfp_xml_child_text(xmlDocGetRootElement(again), "b", NULL);
    g_assert_cmpstr(key, ==, value);
    g_assert_true(g_str_has_prefix(key, "\xef\xbf\xbdx\xef\xbf\xbd"));
    g_assert_true(g_str_has_suffix(key, "\xef\xbf\xbd&\x7f"));
}

static void
test_remove(void)
{
    g_autoptr(xmlDoc) doc = parse("<a>\n  <b/>\n  <c>\n  <d/>\n  </c>\n</a>");
    xmlNodePtr root = xmlDocGetRootElement(doc);
    g_autofree char *text = NULL;
    g_autofree char *inner = NULL;

    rfp_xml_remove(rfp_xml_child(root, "b", NULL));
    text = rfp_xml_to_text(doc, FALSE);
    g_assert_cmpstr(text, ==, "<a>\n  <c>\n  <d/>\n  </c>\n</a>\n");
    inner = rfp_xml_node_to_text(rfp_xml_child(root, "c", NULL));
    g_assert_cmpstr(inner, ==, "<c>\n  <d/>\n</c>\n");
}

static void
test_node_to_text(void)
{
    g_autoptr(xmlDoc) doc = parse("<x>\n"
                                  "    <a>\n"
                                  "      <n:b xmlns:n='urn:n'>  </n:b>\n"
                                  "      <m>mixed <i>a</i> <i>b</i></m>\n"
                                  "    </a>\n"
                                  "</x>");
    g_autofree char *text = rfp_xml_node_to_text(
        rfp_xml_child(xmlDocGetRootElement(doc), "a", NULL));

    g_assert_cmpstr(text, ==,
                    "<a>\n"
                    "  <n:b xmlns:n=\"urn:n\">  </n:b>\n"
                    "  <m>mixed <i>a</i> <i>b</i></m>\n"
                    "</a>\n");
}

static void
test_malformed(void)
{
    static const char *const texts[] = {
        " ",
        "\n",
        "text",
        "<",
        "<a",
        "<a>",
        "<a b",
        "<a b=",
        "<a b='",
        "<a b=c/>",
        "<a></b>",
        "<a/><b/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a>&nothing;</a>",
        "<a>&#0;</a>",
        "<a>&#x1;</a>",
        "<a>\x01</a>",
        "<n:a/>",
        "<a n:b='1'/>",
        "<a><![CDATA[</a>",
        "<a><!-- </a>",
        "<?xml version='1.0'",
        "{\"json\": true}",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(texts); i++)
        refuse(texts[i], "cannot understand");
    refuse("", "empty");
    refuse("<a>\xff</a>", "UTF-8");
    refuse_bytes("<a>\0</a>", 8, "UTF-8");
    refuse("<a>\n<b>\n</a>", "line 3");
}

/* Every beginning of a good document is refused, nothing is read behind it. */
static void
test_truncated(void)
{
    const char *text = "<?xml version='1.0'?><!-- c --><a k='v'>"
                       "<b>&amp;<![CDATA[d]]></b><?p i?></a>";
    gsize length = 0;

    for (length = 0; length < strlen(text); length++) {
        g_autofree char *part = g_strndup(text, length);

        refuse_bytes(part, length, "cannot understand");
    }
}

static void
test_doctype(void)
{
    refuse("<!DOCTYPE a><a/>", "document type");
    refuse("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "document type");
    refuse("<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><a>&e;</a>",
           "document type");
    refuse("<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/'> %p;]><a/>",
           "document type");
    refuse("<!DOCTYPE a [<!ATTLIST a k CDATA 'default'>]><a/>",
           "document type");
}

static void
test_billion_laughs(void)
{
    g_autoptr(GString) text = g_string_new("<!DOCTYPE l [<!ENTITY l0 'lol'>");
    guint i = 0;

    for (i = 1; i < 20; i++) {
        guint j = 0;

        g_string_append_printf(text, "<!ENTITY l%u '", i);
        for (j = 0; j < 10; j++)
            g_string_append_printf(text, "&l%u;", i - 1);
        g_string_append(text, "'>");
    }
    g_string_append(text, "]><l k='&l19;'>&l19;</l>");
    refuse(text->str, "document type");
}

static void
test_deep(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(xmlDoc) doc = NULL;

    append_times(text, "<a>", RFP_XML_DEPTH_MAX);
    append_times(text, "</a>", RFP_XML_DEPTH_MAX);
    doc = parse(text->str);

    g_string_truncate(text, 0);
    append_times(text, "<a>", RFP_XML_DEPTH_MAX + 1);
    append_times(text, "</a>", RFP_XML_DEPTH_MAX + 1);
    refuse(text->str, "deep");

    g_string_truncate(text, 0);
    append_times(text, "<a>", 1000000);
    refuse(text->str, "deep");
}

static void
test_huge(void)
{
    g_autoptr(GString) text = g_string_new("<a>");
    g_autoptr(xmlDoc) doc = NULL;

    append_times(text, "0123456789abcdef", 400000);
    g_string_append(text, "</a>");
    doc = parse(text->str);

    append_times(text, "                ", RFP_XML_SIZE_MAX / 16);
    refuse(text->str, "too large");
}

static void
test_many_elements(void)
{
    static const char *const parts[] = {
        "<b/>",
        "<!---->",
        "<?p?>",
        "<b k=''/>",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autoptr(GString) text = g_string_new("<a>");

        append_times(text, parts[i], 600000);
        g_string_append(text, "</a>");
        refuse(text->str, "too many");
    }
}

static void
test_many_attributes(void)
{
    g_autoptr(GString) text = g_string_new("<a");
    guint i = 0;

    for (i = 0; i < 1000000; i++)
        g_string_append_printf(text, " a%u='>'", i);
    g_string_append(text, "/>");
    refuse(text->str, "attributes");
}

static void
test_many_namespaces(void)
{
    g_autoptr(GString) text = g_string_new("<a>");
    guint i = 0;

    for (i = 0; i < 2000; i++)
        g_string_append_printf(text, "<b xmlns:n%u='urn:%u'/>", i, i);
    g_string_append(text, "</a>");
    refuse(text->str, "namespaces");
}

/* Many "=" outside of tags are no attributes. */
static void
test_many_equals(void)
{
    g_autoptr(GString) text = g_string_new("<a>");
    g_autoptr(xmlDoc) doc = NULL;

    append_times(text, "k=\"v\" ", 1000);
    g_string_append(text, "<!-- it's ");
    append_times(text, "=", 1000);
    g_string_append(text, "--><b k='");
    append_times(text, "=", 1000);
    g_string_append(text, "'/></a>");
    doc = parse(text->str);
}

/* The program may have handlers of its own; we neither use nor change them. */
static void
count_message(void *opaque, const char *format G_GNUC_UNUSED, ...)
{
    guint *messages = opaque;

    (*messages)++;
}

static void
test_silent(void)
{
    guint messages = 0;

    xmlSetGenericErrorFunc(&messages, count_message);
    test_malformed();
    test_doctype();
    xmlSetGenericErrorFunc(NULL, NULL);
    g_assert_cmpuint(messages, ==, 0);
}

static void
test_message_is_clean(void)
{
    g_autoptr(GString) text = g_string_new("<a><b");
    g_autoptr(GError) error = NULL;
    const char *next = NULL;

    append_times(text, "\xc2\x9b", 10000);
    g_string_append(text, "></a>");
    g_assert_null(rfp_xml_parse(text->str, text->len, "x", CAUSE, &error));
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    g_assert_cmpuint(strlen(error->message), <, 2048);
    for (next = error->message; *next; next = g_utf8_next_char(next))
        g_assert_cmpuint(g_utf8_get_char(next), !=, 0x9b);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/read", test_read);
    g_test_add_func("/xml/byte-order-mark", test_byte_order_mark);
    g_test_add_func("/xml/numbers", test_numbers);
    g_test_add_func("/xml/root", test_root);
    g_test_add_func("/xml/write", test_write);
    g_test_add_func("/xml/write-impossible", test_write_impossible);
    g_test_add_func("/xml/remove", test_remove);
    g_test_add_func("/xml/node-to-text", test_node_to_text);
    g_test_add_func("/xml/malformed", test_malformed);
    g_test_add_func("/xml/truncated", test_truncated);
    g_test_add_func("/xml/doctype", test_doctype);
    g_test_add_func("/xml/billion-laughs", test_billion_laughs);
    g_test_add_func("/xml/deep", test_deep);
    g_test_add_func("/xml/huge", test_huge);
    g_test_add_func("/xml/many-elements", test_many_elements);
    g_test_add_func("/xml/many-attributes", test_many_attributes);
    g_test_add_func("/xml/many-namespaces", test_many_namespaces);
    g_test_add_func("/xml/many-equals", test_many_equals);
    g_test_add_func("/xml/silent", test_silent);
    g_test_add_func("/xml/message-is-clean", test_message_is_clean);
    return g_test_run();
}
