/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-time.h"

static void
test_time(void)
{
    static const struct {
        gint64 us;
        const char *text;
    } rows[] = {
        {0, "19700101000000.000000+000"},
        {G_GINT64_CONSTANT(1795293000123456), "20261121203000.123456+000"},
        {-1, "19691231235959.999999+000"},
    };
    gint64 us = 0;
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = rfp_msvm_time_format(rows[i].us);

        g_assert_cmpstr(text, ==, rows[i].text);
        g_assert_true(rfp_msvm_time_parse(text, &us));
        g_assert_cmpint(us, ==, rows[i].us);
    }
    g_assert_true(rfp_msvm_time_parse("19700101010000.000000+060", &us));
    g_assert_cmpint(us, ==, 0);
    g_assert_true(rfp_msvm_time_parse("19691231180000.000001-360", &us));
    g_assert_cmpint(us, ==, 1);
}

static void
test_interval(void)
{
    static const struct {
        guint64 us;
        const char *text;
    } rows[] = {
        {0, "00000000000000.000000:000"},
        {300 * G_USEC_PER_SEC, "00000000000500.000000:000"},
        {G_GUINT64_CONSTANT(93784000005), "00000001020304.000005:000"},
    };
    g_autofree char *largest = rfp_msvm_interval_format(G_MAXUINT64);
    guint64 us = 0;
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = rfp_msvm_interval_format(rows[i].us);

        g_assert_cmpstr(text, ==, rows[i].text);
        g_assert_true(rfp_msvm_interval_parse(text, &us));
        g_assert_cmpuint(us, ==, rows[i].us);
    }
    g_assert_true(rfp_msvm_interval_parse(largest, &us));
}

static void
test_check(void)
{
    static const char *const good[] = {
        "20261121203000.123456+000", "20261121203000.******+060",
        "****1121203000.000000-480", "********203000.000000-480",
        "00000000000500.000000:000", "99999999235959.999999:000",
    };
    static const char *const bad[] = {
        "",
        "now",
        "20261121203000.123456+00",
        "20261121203000.123456+0000",
        "20261121203000,123456+000",
        "20261121203000.123456 000",
        "20261121203000.12345x+000",
        "20261321203000.123456+000",
        "20260021203000.123456+000",
        "20261100203000.123456+000",
        "20261132203000.123456+000",
        "20261121243000.123456+000",
        "20261121206000.123456+000",
        "20261121203060.123456+000",
        "00000000000500.000000:060",
        "00000000006000.000000:000",
    };
    gint64 us = 0;
    guint64 interval = 0;
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(rfp_msvm_time_check(good[i]));
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(rfp_msvm_time_check(bad[i]));
        g_assert_false(rfp_msvm_time_parse(bad[i], &us));
        g_assert_false(rfp_msvm_interval_parse(bad[i], &interval));
    }
    g_assert_false(rfp_msvm_time_parse(good[1], &us));
    g_assert_false(rfp_msvm_time_parse(good[4], &us));
    g_assert_false(rfp_msvm_time_parse("20260230000000.000000+000", &us));
    g_assert_false(rfp_msvm_time_parse("00000101000000.000000+000", &us));
    g_assert_false(rfp_msvm_interval_parse(good[0], &interval));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-time/time", test_time);
    g_test_add_func("/msvm-time/interval", test_interval);
    g_test_add_func("/msvm-time/check", test_check);
    return g_test_run();
}
