/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/uri.h"

#include <string.h>
#include <unistd.h>

/* Where distributions have it; one that is elsewhere has no say in what we show
 * or refuse beforehand, only in what libvirt does. */
#define SYSTEM_CONF "/etc/libvirt/libvirt.conf"
#define QUOTED "(?:\"([^\"]*)\"|'([^']*)')"

/* ---- One URI ------------------------------------------------------------- */

static char *
parameter(const char *query, const char *name)
{
    g_autoptr(GHashTable) table =
        query != NULL
            ? g_uri_parse_params(query, -1, "&;", G_URI_PARAMS_NONE, NULL)
            : NULL;

    return table != NULL ? g_strdup(g_hash_table_lookup(table, name)) : NULL;
}

RfpUri *
rfp_uri_parse(const char *text)
{
    g_autoptr(GUri) parsed = g_uri_parse(text, G_URI_FLAGS_ENCODED_QUERY, NULL);
    const char *host = parsed != NULL ? g_uri_get_host(parsed) : NULL;
    const char *transport = NULL;
    RfpUri *uri = NULL;

    if (parsed == NULL)
        return NULL;
    uri = g_new0(RfpUri, 1);
    transport = strchr(g_uri_get_scheme(parsed), '+');
    if (host != NULL && *host != '\0')
        uri->host = g_strdup(host);
    uri->local = uri->host == NULL &&
                 (transport == NULL || strcmp(transport, "+unix") == 0);
    uri->session = strcmp(g_uri_get_path(parsed), "/session") == 0;
    uri->socket = parameter(g_uri_get_query(parsed), "socket");
    return uri;
}

void
rfp_uri_free(RfpUri *uri)
{
    if (uri == NULL)
        return;
    g_free(uri->host);
    g_free(uri->socket);
    g_free(uri);
}

/* ---- libvirt.conf -------------------------------------------------------- */

static char *
match(const char *text, const char *pattern)
{
    g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) info = NULL;
    g_autofree char *one = NULL;

    if (!g_regex_match(regex, text, 0, &info))
        return NULL;
    one = g_match_info_fetch(info, 1);
    return one != NULL && *one != '\0' ? g_steal_pointer(&one)
                                       : g_match_info_fetch(info, 2);
}

/* Without its comments. */
static char *
uncommented(const char *conf)
{
    g_autofree char *valid = g_utf8_make_valid(conf, -1);
    g_autoptr(GRegex) comment =
        g_regex_new("^\\s*#.*$", G_REGEX_MULTILINE, 0, NULL);

    return g_regex_replace_literal(comment, valid, -1, 0, "", 0, NULL);
}

char *
rfp_uri_of_conf(const char *conf, const char *alias)
{
    g_autofree char *text = uncommented(conf);
    g_autofree char *list = NULL;
    g_autofree char *word = NULL;
    g_autofree char *pattern = NULL;

    if (alias == NULL)
        return match(text, "^\\s*uri_default\\s*=\\s*" QUOTED);
    list = match(text, "^\\s*uri_aliases\\s*=\\s*\\[([^\\]]*)\\]");
    if (list == NULL)
        return NULL;
    word = g_regex_escape_string(alias, -1);
    pattern = g_strdup_printf("[\"']%s=([^\"']*)[\"']", word);
    return match(list, pattern);
}

/* ---- What libvirt will take ---------------------------------------------- */

static char *
read_conf(void)
{
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "libvirt",
                                            "libvirt.conf", NULL);
    char *text = NULL;

    g_file_get_contents(geteuid() == 0 ? SYSTEM_CONF : own, &text, NULL, NULL);
    return text;
}

char *
rfp_uri_resolve(const char *given)
{
    const char *environment = g_getenv("LIBVIRT_DEFAULT_URI");
    g_autofree char *conf = NULL;
    char *uri = NULL;

    if (given == NULL && environment != NULL && *environment != '\0')
        return g_strdup(environment);
    conf = read_conf();
    if (conf != NULL)
        uri = rfp_uri_of_conf(conf, given);
    if (uri != NULL)
        return uri;
    if (given != NULL)
        return g_strdup(given);
    return g_strdup(geteuid() == 0 ? "qemu:///system" : "qemu:///session");
}
