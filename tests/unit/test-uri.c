/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/uri.h"

static void
test_parse(void)
{
    static const struct {
        const char *text;
        gboolean local;
        gboolean session;
        const char *host;
        const char *socket;
    } cases[] = {
        {"qemu:///system", TRUE, FALSE, NULL, NULL},
        {"qemu:///session", TRUE, TRUE, NULL, NULL},
        {"qemu+unix:///session", TRUE, TRUE, NULL, NULL},
        {"qemu:///system?socket=/run/a%20b", TRUE, FALSE, NULL, "/run/a b"},
        {"qemu:///session?mode=legacy&socket=/x", TRUE, TRUE, NULL, "/x"},
        {"qemu:///sessions", TRUE, FALSE, NULL, NULL},
        {"qemu+ssh://root@far.example/system", FALSE, FALSE, "far.example",
         NULL},
        {"qemu+ssh:///system", FALSE, FALSE, NULL, NULL},
        {"qemu://far.example/system", FALSE, FALSE, "far.example", NULL},
        {"qemu+tls://[fe80::1]:16514/session", FALSE, TRUE, "fe80::1", NULL},
        {"test:///default", TRUE, FALSE, NULL, NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(RfpUri) uri = rfp_uri_parse(cases[i].text);

        g_test_message("%s", cases[i].text);
        g_assert_nonnull(uri);
        g_assert_cmpint(uri->local, ==, cases[i].local);
        g_assert_cmpint(uri->session, ==, cases[i].session);
        g_assert_cmpstr(uri->host, ==, cases[i].host);
        g_assert_cmpstr(uri->socket, ==, cases[i].socket);
    }
    g_assert_null(rfp_uri_parse("hail"));
    g_assert_null(rfp_uri_parse(""));
}

static const char conf[] =
    "# uri_default = \"qemu:///commented\"\n"
    "uri_aliases = [\n"
    "  \"hail=qemu+ssh://root@hail.example/system\",\n"
    "#  \"sleet=qemu:///commented\",\n"
    "  'rain=qemu:///system',\n"
    "]\n"
    "  uri_default = \"qemu:///system?socket=/run/x\"  # ours\n";

static void
test_conf(void)
{
    static const struct {
        const char *alias;
        const char *uri;
    } cases[] = {
        {NULL, "qemu:///system?socket=/run/x"},
        {"hail", "qemu+ssh://root@hail.example/system"},
        {"rain", "qemu:///system"},
        {"sleet", NULL},
        {"ail", NULL},
        {".*", NULL},
        {"qemu:///system", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uri = rfp_uri_of_conf(conf, cases[i].alias);

        g_assert_cmpstr(uri, ==, cases[i].uri);
    }
    g_assert_null(rfp_uri_of_conf("", NULL));
    g_assert_null(rfp_uri_of_conf("\xff uri_default = \n", NULL));
    g_assert_null(rfp_uri_of_conf("uri_default = 'qemu:///system'\n", "x"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uri/parse", test_parse);
    g_test_add_func("/uri/conf", test_conf);
    return g_test_run();
}
