/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/image-bitmap.h"
#include "base/text.h"
#include "base/wording.h"

#include <json-glib/json-glib.h>

#define GRANULARITY "65536"

/* ---- What qemu-img says -------------------------------------------------- */

static JsonObject *
member_object(JsonObject *object, const char *name)
{
    JsonNode *node =
        object != NULL ? json_object_get_member(object, name) : NULL;

    return node != NULL && JSON_NODE_HOLDS_OBJECT(node)
               ? json_node_get_object(node)
               : NULL;
}

static JsonArray *
member_array(JsonObject *object, const char *name)
{
    JsonNode *node =
        object != NULL ? json_object_get_member(object, name) : NULL;

    return node != NULL && JSON_NODE_HOLDS_ARRAY(node)
               ? json_node_get_array(node)
               : NULL;
}

static const char *
text_of(JsonNode *node)
{
    return node != NULL && JSON_NODE_HOLDS_VALUE(node)
               ? json_node_get_string(node)
               : NULL;
}

static JsonObject *
element_object(JsonArray *array, guint i)
{
    JsonNode *node = json_array_get_element(array, i);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static gboolean
has_flag(JsonObject *bitmap, const char *flag)
{
    JsonArray *flags = member_array(bitmap, "flags");

    for (guint i = 0; flags != NULL && i < json_array_get_length(flags); i++)
        if (g_strcmp0(text_of(json_array_get_element(flags, i)), flag) == 0)
            return TRUE;
    return FALSE;
}

static RfpImageBitmap
bitmap_of(JsonObject *image, const char *name)
{
    JsonObject *specific = member_object(image, "format-specific");
    JsonArray *bitmaps =
        member_array(member_object(specific, "data"), "bitmaps");

    for (guint i = 0; bitmaps != NULL && i < json_array_get_length(bitmaps);
         i++) {
        JsonObject *bitmap = element_object(bitmaps, i);

        if (bitmap == NULL ||
            g_strcmp0(text_of(json_object_get_member(bitmap, "name")), name) !=
                0)
            continue;
        return has_flag(bitmap, "auto") && !has_flag(bitmap, "in-use")
                   ? RFP_IMAGE_BITMAP_GOOD
                   : RFP_IMAGE_BITMAP_BROKEN;
    }
    return RFP_IMAGE_BITMAP_MISSING;
}

/* Top image first: what it does not record is lost, and so is what was written
 * above a gap in the middle. */
static RfpImageBitmap
judge_chain(JsonArray *chain, const char *name)
{
    RfpImageBitmap top = bitmap_of(element_object(chain, 0), name);
    gboolean ended = FALSE;

    for (guint i = 1; i < json_array_get_length(chain); i++) {
        RfpImageBitmap here = bitmap_of(element_object(chain, i), name);

        if (here == RFP_IMAGE_BITMAP_BROKEN ||
            (here == RFP_IMAGE_BITMAP_GOOD && ended))
            return RFP_IMAGE_BITMAP_BROKEN;
        ended = here == RFP_IMAGE_BITMAP_MISSING;
    }
    return top;
}

gboolean
rfp_image_bitmap_parse(const char *json,
                       const char *name,
                       RfpImageBitmap *state,
                       gboolean *in_top,
                       guint64 *size,
                       GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;
    JsonObject *top = NULL;
    JsonNode *number = NULL;

    if (json_parser_load_from_data(parser, json, -1, NULL))
        root = json_parser_get_root(parser);
    if (root != NULL && JSON_NODE_HOLDS_ARRAY(root) &&
        json_array_get_length(json_node_get_array(root)) > 0)
        top = element_object(json_node_get_array(root), 0);
    if (top != NULL)
        number = json_object_get_member(top, "virtual-size");
    if (number == NULL || !JSON_NODE_HOLDS_VALUE(number) ||
        json_node_get_int(number) < 0) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("qemu-img gave an answer that is not understood"));
        return FALSE;
    }
    *size = (guint64)json_node_get_int(number);
    *in_top = bitmap_of(top, name) != RFP_IMAGE_BITMAP_MISSING;
    *state = judge_chain(json_node_get_array(root), name);
    return TRUE;
}

/* ---- Running it ---------------------------------------------------------- */

RefpointError
rfp_image_bitmap_cause(const char *complaint)
{
    if (rfp_wording_find(RFP_WORDING_IMAGE_LOCKED, complaint) != NULL)
        return REFPOINT_ERROR_IN_USE;
    if (rfp_wording_find(RFP_WORDING_PERMISSION_DENIED, complaint) != NULL)
        return REFPOINT_ERROR_ACCESS_DENIED;
    return REFPOINT_ERROR_FAILED;
}

/* What it complains about in one line, harmless. */
static void
set_failed(const char *path, const char *complaint, GError **error)
{
    g_autofree char *clean = rfp_text_clean(g_strchomp((char *)complaint));

    rfp_error_set(error, rfp_image_bitmap_cause(clean),
                  _("qemu-img failed on '%s': %s"), path, clean);
    rfp_error_add_object(error, path);
}

static gboolean
run(const char *const *argv, const char *path, char **out, GError **error)
{
    g_autofree char *complaint = NULL;
    g_autoptr(GError) local = NULL;
    int status = 0;

    if (!g_spawn_sync("/", (char **)argv, NULL,
                      out != NULL
                          ? G_SPAWN_SEARCH_PATH
                          : G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                      NULL, NULL, out, &complaint, &status, &local)) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("cannot start qemu-img: %s"), local->message);
        rfp_error_add_way_out(error, _("install qemu-img (qemu-utils)"));
        return FALSE;
    }
    if (status == 0)
        return TRUE;
    set_failed(path, complaint, error);
    return FALSE;
}

gboolean
rfp_image_bitmap_is_there(const char *path, const char *name)
{
    const char *argv[] = {
        "qemu-img", "info",  "--force-share",   "--output=json",
        "-f",       "qcow2", "--backing-chain", "--",
        path,       NULL};
    g_autofree char *json = NULL;
    RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
    gboolean there = FALSE;
    guint64 size = 0;

    return run(argv, path, &json, NULL) &&
           rfp_image_bitmap_parse(json, name, &state, &there, &size, NULL) &&
           there;
}

gboolean
rfp_image_bitmap_look(const char *path,
                      const char *name,
                      RfpImageBitmap *state,
                      gboolean *in_top,
                      guint64 *size,
                      GError **error)
{
    const char *argv[] = {"qemu-img", "info",  "--output=json",
                          "-f",       "qcow2", "--backing-chain",
                          "--",       path,    NULL};
    g_autofree char *json = NULL;

    return run(argv, path, &json, error) &&
           rfp_image_bitmap_parse(json, name, state, in_top, size, error);
}

gboolean
rfp_image_bitmap_add(const char *path, const char *name, GError **error)
{
    const char *argv[] = {"qemu-img", "bitmap",   "-f", "qcow2",
                          "--add",    "--enable", "-g", GRANULARITY,
                          "--",       path,       name, NULL};

    return run(argv, path, NULL, error);
}

gboolean
rfp_image_bitmap_remove(const char *path, const char *name, GError **error)
{
    const char *argv[] = {"qemu-img", "bitmap", "-f", "qcow2", "--remove",
                          "--",       path,     name, NULL};
    RfpImageBitmap state = RFP_IMAGE_BITMAP_MISSING;
    gboolean in_top = FALSE;
    guint64 size = 0;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    if (!rfp_image_bitmap_look(path, name, &state, &in_top, &size, error))
        return FALSE;
    return !in_top || run(argv, path, NULL, error);
}
