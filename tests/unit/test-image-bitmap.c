/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/image-bitmap.h"

#include <glib.h>

#define IMAGE(bitmaps)                                                         \
    "{\"virtual-size\": 65536, \"format\": \"qcow2\", \"format-specific\":"    \
    " {\"type\": \"qcow2\", \"data\": {\"compat\": \"1.1\"" bitmaps "}}}"
#define BITMAP(name, flags)                                                    \
    ", \"bitmaps\": [{\"name\": \"other\", \"flags\": [\"in-use\"]},"          \
    " {\"name\": \"" name "\", \"granularity\": 65536, \"flags\": [" flags     \
    "]}]"
#define GOOD IMAGE(BITMAP("p", "\"auto\""))
#define NONE IMAGE("")

static const struct {
    const char *name;
    const char *json;
    RfpImageBitmap state;
    gboolean in_top;
} answers[] = {
    {"none", "[" NONE "]", RFP_IMAGE_BITMAP_MISSING, FALSE},
    {"good", "[" GOOD "]", RFP_IMAGE_BITMAP_GOOD, TRUE},
    {"another", "[" IMAGE(BITMAP("q", "\"auto\"")) "]",
     RFP_IMAGE_BITMAP_MISSING, FALSE},
    {"disabled", "[" IMAGE(BITMAP("p", "")) "]", RFP_IMAGE_BITMAP_BROKEN, TRUE},
    {"in-use", "[" IMAGE(BITMAP("p", "\"in-use\", \"auto\"")) "]",
     RFP_IMAGE_BITMAP_BROKEN, TRUE},
    {"both", "[" GOOD "," GOOD "]", RFP_IMAGE_BITMAP_GOOD, TRUE},
    {"below", "[" NONE "," GOOD "]", RFP_IMAGE_BITMAP_MISSING, FALSE},
    {"far-below", "[" NONE "," NONE "," GOOD "]", RFP_IMAGE_BITMAP_BROKEN,
     FALSE},
    {"below-gap", "[" NONE "," GOOD "," NONE "," GOOD "]",
     RFP_IMAGE_BITMAP_BROKEN, FALSE},
    {"disabled-below", "[" NONE "," IMAGE(BITMAP("p", "")) "]",
     RFP_IMAGE_BITMAP_BROKEN, FALSE},
    {"begins-above", "[" GOOD "," NONE "," NONE "]", RFP_IMAGE_BITMAP_GOOD,
     TRUE},
    {"gap", "[" GOOD "," NONE "," GOOD "]", RFP_IMAGE_BITMAP_BROKEN, TRUE},
    {"broken-below", "[" GOOD "," IMAGE(BITMAP("p", "")) "]",
     RFP_IMAGE_BITMAP_BROKEN, TRUE},
    {"raw-below", "[" GOOD ", {\"virtual-size\": 5, \"format\": \"raw\"}]",
     RFP_IMAGE_BITMAP_GOOD, TRUE},
    {"strange-types",
     "[{\"virtual-size\": 65536, \"format-specific\": {\"data\": "
     "{\"bitmaps\": [1, null, {\"name\": 1}, {\"name\": \"p\", "
     "\"flags\": 7}]}}}]",
     RFP_IMAGE_BITMAP_BROKEN, TRUE},
};

static void
test_answer(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
    gboolean in_top = FALSE;
    guint64 size = 0;
    GError *error = NULL;

    rfp_image_bitmap_parse(answers[i].json, "p", &state, &in_top, &size,
                           &error);
    g_assert_no_error(error);
    g_assert_cmpint(state, ==, answers[i].state);
    g_assert_cmpint(in_top, ==, answers[i].in_top);
    g_assert_cmpuint(size, ==, 65536);
}

static void
test_not_understood(void)
{
    static const char *const texts[] = {
        "",     "x",    "{}",
        "[]",   "[1]",  "[{\"virtual-size\": -1}]",
        "[{}]", "null", "[{\"virtual-size\": [1]}]",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
        gboolean in_top = FALSE;
        guint64 size = 0;
        g_autoptr(GError) error = NULL;

        g_assert_false(rfp_image_bitmap_parse(texts[i], "p", &state, &in_top,
                                              &size, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    }
}

static void
test_gone_is_removed(void)
{
    GError *error = NULL;

    g_assert_true(rfp_image_bitmap_remove("/nonexistent/image", "p", &error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autofree char *path =
            g_strdup_printf("/image-bitmap/%s", answers[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_answer);
    }
    g_test_add_func("/image-bitmap/not-understood", test_not_understood);
    g_test_add_func("/image-bitmap/gone-is-removed", test_gone_is_removed);
    return g_test_run();
}
