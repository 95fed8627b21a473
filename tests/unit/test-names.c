/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"

#include <string.h>

#include "refpoint.h"

#define UUID "6f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"
#define GUID "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"

static void
test_check(void)
{
    static const char *const good[] = {
        "a",           "0",          "_",
        "+",           "a.b",        "a-",
        "Disks",       "disks2",     "20261121T203000Z-1f0c9a3e",
        "set.xml.old", "export.xml",
    };
    static const struct {
        const char *name;
        const char *rule;
    } bad[] = {
        {NULL, "empty"},           {"", "empty"},
        {".", "begins"},           {"..", "begins"},
        {".a", "begins"},          {"-a", "begins"},
        {"a/b", "allowed"},        {"a b", "allowed"},
        {"a:b", "allowed"},        {"a%b", "allowed"},
        {"a\nb", "allowed"},       {"a\x1b[31m", "allowed"},
        {"\xc3\xa9", "allowed"},   {"\xff", "allowed"},
        {"disks", "itself"},       {"set.xml", "itself"},
        {"folders.xml", "itself"}, {"lost+found", "itself"},
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(rfp_name_check(good[i], &error));
        g_assert_no_error(error);
    }
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_false(rfp_name_check(bad[i].name, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
        g_assert_nonnull(strstr(error->message, bad[i].rule));
        g_assert_null(strchr(error->message, '\x1b'));
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
    }
}

static void
test_check_length(void)
{
    g_autofree char *longest = g_strnfill(RFP_NAME_MAX, 'a');
    g_autofree char *longer = g_strnfill(RFP_NAME_MAX + 1, 'a');

    g_assert_true(rfp_name_check(longest, NULL));
    g_assert_false(rfp_name_check(longer, NULL));
}

static void
test_default(void)
{
    /* 2026-11-21 20:30:00 UTC */
    gint64 time = G_GINT64_CONSTANT(1795293000) * G_USEC_PER_SEC;
    g_autofree char *name = rfp_name_default(time + 999999, GUID);
    g_autofree char *upper =
        rfp_name_default(time, "1F0C9A3E-7b1d-4c5f-9a2e-3b6f1d2c4e5a");
    g_autofree char *odd = rfp_name_default(G_MAXINT64, GUID);

    g_assert_cmpstr(name, ==, "20261121T203000Z-1f0c9a3e");
    g_assert_cmpstr(upper, ==, name);
    g_assert_true(rfp_name_check(name, NULL));
    g_assert_true(rfp_name_check(odd, NULL));
}

static void
test_guid(void)
{
    g_autofree char *a = rfp_guid_new();
    g_autofree char *b = rfp_guid_new();
    g_autofree char *lower = g_ascii_strdown(a, -1);
    g_autofree char *upper = g_ascii_strup(a, -1);

    g_assert_true(rfp_guid_check(a));
    g_assert_true(rfp_guid_check(upper));
    g_assert_cmpstr(a, ==, lower);
    g_assert_true(rfp_guid_equal(a, upper));
    g_assert_false(rfp_guid_equal(a, b));
    g_assert_false(rfp_guid_equal(a, NULL));
    g_assert_false(rfp_guid_equal(NULL, a));
    g_assert_false(rfp_guid_equal(NULL, NULL));
}

static void
test_guid_check(void)
{
    static const char *const bad[] = {
        NULL,
        "",
        "-",
        "{1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a}",
        "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5",
        "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a0",
        "1f0c9a3e07b1d-4c5f-9a2e-3b6f1d2c4e5a",
        "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5g",
        "1f0c9a3-e7b1d-4c5f-9a2e-3b6f1d2c4e5a",
        "------------------------------------",
        "1f0c9a3e7b1d4c5f9a2e3b6f1d2c4e5a",
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(rfp_guid_check(bad[i]));
}

/* Values from Python's uuid.uuid5(). */
static void
test_guid_of_foreign(void)
{
    g_autofree char *a = rfp_guid_of_foreign(UUID, 1795297840, "second");
    g_autofree char *b = rfp_guid_of_foreign(UUID, -1, "\xc3\xa9");
    g_autofree char *c =
        rfp_guid_of_foreign("6F2D3C1E-9F4B-4A55-8F0E-0D6A2B7C9D10", 1795297840,
                            "second");

    g_assert_cmpstr(a, ==, "df30c6bb-6a65-5fa5-8a6f-e69dd47a032a");
    g_assert_cmpstr(b, ==, "b7e5dada-8462-5eaf-a966-52e2bc5b1cd3");
    g_assert_cmpstr(c, ==, a);
}

static void
test_folder(void)
{
    static const struct {
        const char *name;
        const char *folder;
    } rows[] = {
        {"vm1", "vm1"},
        {"Web_server.2+x-y", "Web_server.2+x-y"},
        {".", "%2E"},
        {"..", "%2E."},
        {".hidden", "%2Ehidden"},
        {"-x", "%2Dx"},
        {"a/b", "a%2Fb"},
        {"../../etc", "%2E.%2F..%2Fetc"},
        {"a b:c,d", "a%20b%3Ac%2Cd"},
        {"100%", "100%25"},
        {"%64isks", "%2564isks"},
        {"disks", "%64isks"},
        {"set.xml", "%73et.xml"},
        {"folders.xml", "%66olders.xml"},
        {"export.xml", "%65xport.xml"},
        {"lost+found", "%6Cost+found"},
        {"disks2", "disks2"},
        {"\xc3\xa9t\xc3\xa9", "%C3%A9t%C3%A9"},
        {"\xff\n\x1b", "%FF%0A%1B"},
        {"", UUID},
    };
    gsize i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *folder =
            rfp_folder_name(rows[i].name, UUID, NULL, NULL);

        g_assert_cmpstr(folder, ==, rows[i].folder);
    }
}

static void
test_folder_long(void)
{
    g_autofree char *fits_name = g_strnfill(RFP_FOLDER_MAX, 'a');
    g_autofree char *long_name = g_strnfill(RFP_FOLDER_MAX + 1, 'a');
    g_autofree char *spaces = g_strnfill(255, ' ');
    g_autofree char *fits = rfp_folder_name(fits_name, UUID, NULL, NULL);
    g_autofree char *folder = rfp_folder_name(long_name, UUID, NULL, NULL);
    g_autofree char *escaped = rfp_folder_name(spaces, UUID, NULL, NULL);
    g_autofree char *bare = rfp_folder_name(long_name, NULL, NULL, NULL);

    g_assert_cmpstr(fits, ==, fits_name);
    g_assert_cmpstr(folder, ==, "aaaaaaaaaaaaaaaaaaaaaaaaaaa-" UUID);
    g_assert_cmpuint(strlen(folder), ==, RFP_FOLDER_MAX);
    g_assert_cmpstr(escaped, ==, "%20%20%20%20%20%20%20%20%20-" UUID);
    g_assert_cmpuint(strlen(bare), <=, RFP_FOLDER_MAX);
}

/* Takes each name once. */
static gboolean
taken(const char *folder, gpointer opaque)
{
    GHashTable *folders = opaque;

    g_assert_cmpuint(strlen(folder), <=, RFP_FOLDER_MAX);
    return !g_hash_table_add(folders, g_strdup(folder));
}

static void
test_folder_taken(void)
{
    g_autoptr(GHashTable) folders =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *name = g_strnfill(RFP_FOLDER_MAX, 'a');
    g_autofree char *a = rfp_folder_name("vm", UUID, taken, folders);
    g_autofree char *b = rfp_folder_name("vm", UUID, taken, folders);
    g_autofree char *c = rfp_folder_name("vm", UUID, taken, folders);
    g_autofree char *d = NULL;
    g_autofree char *e = NULL;
    g_autofree char *f = NULL;
    guint i = 0;

    g_assert_cmpstr(a, ==, "vm");
    g_assert_cmpstr(b, ==, "vm-2");
    g_assert_cmpstr(c, ==, "vm-3");

    /* the suffix has room of its own */
    d = rfp_folder_name(name, UUID, taken, folders);
    e = rfp_folder_name(name, UUID, taken, folders);
    g_assert_cmpstr(d, ==, name);
    g_assert_cmpstr(e, ==, "aaaaaaaaaaaaaaaaaaaaaaaaa-" UUID "-2");
    for (i = 0; i < 100; i++) {
        g_free(f);
        f = rfp_folder_name(name, UUID, taken, folders);
    }
    g_assert_cmpstr(f, ==, "aaaaaaaaaaaaaaaaaaaaaaa-" UUID "-102");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/names/check", test_check);
    g_test_add_func("/names/check-length", test_check_length);
    g_test_add_func("/names/default", test_default);
    g_test_add_func("/names/guid", test_guid);
    g_test_add_func("/names/guid-check", test_guid_check);
    g_test_add_func("/names/guid-of-foreign", test_guid_of_foreign);
    g_test_add_func("/names/folder", test_folder);
    g_test_add_func("/names/folder-long", test_folder_long);
    g_test_add_func("/names/folder-taken", test_folder_taken);
    return g_test_run();
}
