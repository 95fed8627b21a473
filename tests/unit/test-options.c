/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Options of callers that were compiled with an older or a newer refpoint.h, by
 * each of the public functions that take some.
 */
#include "base/options.h"

#include <string.h>

/*
 * A function with options that it refuses before it looks at its connection,
 * because something that the caller has to name is missing. That message says
 * that the options themselves were taken.
 */
typedef struct {
    const char *name;
    gsize size;     /* of its options */
    gsize reserved; /* offset of the field */
    gsize older;    /* a size before the last fields came */
    void (*fill)(gpointer options);
    gboolean (*call)(gconstpointer options, RefpointJob *job, GError **error);
    const char *next; /* what it says of options that it has taken */
} Function;

#define NEWER                                                                  \
    "the options are of a newer library: this one does not know all that "     \
    "they ask for"
#define NO_SIZE                                                                \
    "the options do not begin with their size: they have to be initialised"

static void
fill_create(gpointer options)
{
    const RefpointCreateOptions init = REFPOINT_CREATE_OPTIONS_INIT;
    RefpointCreateOptions *create = options;

    *create = init;
    create->domain = "vm";
    create->keep = REFPOINT_KEEP_FIRST;
    create->scratch_dir = "";
}

static gboolean
call_create(gconstpointer options, RefpointJob *job, GError **error)
{
    return refpoint_create(NULL, options, job, error);
}

static void
fill_export(gpointer options)
{
    const RefpointExportOptions init = REFPOINT_EXPORT_OPTIONS_INIT;
    RefpointExportOptions *export = options;

    *export = init;
    export->domain = "vm";
}

static gboolean
call_export(gconstpointer options, RefpointJob *job, GError **error)
{
    return refpoint_export(NULL, options, job, error);
}

static void
fill_import(gpointer options)
{
    const RefpointImportOptions init = REFPOINT_IMPORT_OPTIONS_INIT;
    RefpointImportOptions *import = options;

    *import = init;
    import->domain = "vm";
}

static gboolean
call_import(gconstpointer options, RefpointJob *job, GError **error)
{
    return refpoint_import(NULL, options, job, error);
}

static void
fill_changes(gpointer options)
{
    const RefpointChangesOptions init = REFPOINT_CHANGES_OPTIONS_INIT;
    RefpointChangesOptions *changes = options;

    *changes = init;
    changes->domain = "vm";
}

static gboolean
call_changes(gconstpointer options, RefpointJob *job, GError **error)
{
    g_autoptr(RefpointChanges) changes =
        refpoint_changes(NULL, options, job, error);

    return changes != NULL;
}

#define OPTIONS(type, field)                                                   \
    .size = sizeof(type), .reserved = G_STRUCT_OFFSET(type, reserved),         \
    .older = G_STRUCT_OFFSET(type, field)

static const Function functions[] = {
    {.name = "create",
     OPTIONS(RefpointCreateOptions, allow_plaintext),
     .fill = fill_create,
     .call = call_create,
     .next = "the name of the scratch directory is empty"},
    {.name = "export",
     OPTIONS(RefpointExportOptions, limit_rate),
     .fill = fill_export,
     .call = call_export,
     .next = "no directory is named"},
    {.name = "import",
     OPTIONS(RefpointImportOptions, restored),
     .fill = fill_import,
     .call = call_import,
     .next = "no directory is named"},
    {.name = "changes",
     OPTIONS(RefpointChangesOptions, offset),
     .fill = fill_changes,
     .call = call_changes,
     .next = "no point is named"},
};

/* @options as the caller has them, in memory that ends where they end. */
static void
assert_says(const Function *function,
            gconstpointer options,
            gsize length,
            const char *message)
{
    g_autofree gpointer copy = g_malloc(length); /* NULL for 0 */
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(GError) error = NULL;
    const RefpointReport *report = refpoint_job_get_report(job);

    if (options != NULL)
        memcpy(copy, options, length);
    g_test_message("%s, %" G_GSIZE_FORMAT " bytes", function->name, length);
    g_assert_false(function->call(copy, job, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_cmpstr(report->failure->message, ==, message);
}

static void
set_size(gpointer options, gsize size)
{
    memcpy(options, &size, sizeof(size));
}

/* Room for a structure that is longer than today's. */
typedef struct {
    guint64 words[64];
} Room;

static Room
room_for(const Function *function)
{
    Room room = {{0}};

    g_assert_cmpuint(function->size + 16, <=, sizeof(room));
    function->fill(&room);
    return room;
}

static void
test_same(gconstpointer data)
{
    const Function *function = data;
    Room room = room_for(function);

    g_assert_cmpuint(room.words[0], ==, function->size);
    assert_says(function, &room, function->size, function->next);
}

static void
test_older(gconstpointer data)
{
    const Function *function = data;
    Room room = room_for(function);

    set_size(&room, function->older);
    assert_says(function, &room, function->older, function->next);
}

static void
test_newer(gconstpointer data)
{
    const Function *function = data;
    Room room = room_for(function);
    char *bytes = (char *)&room;

    set_size(&room, function->size + 16);
    assert_says(function, &room, function->size + 16, function->next);
    bytes[function->size + 15] = 1;
    assert_says(function, &room, function->size + 16, NEWER);
    /* It is not part of the options. */
    assert_says(function, &room, function->size + 17, NEWER);
    set_size(&room, function->size + 15);
    assert_says(function, &room, function->size + 16, function->next);
}

static void
test_reserved(gconstpointer data)
{
    const Function *function = data;
    Room room = room_for(function);

    g_assert_cmpuint(function->reserved + sizeof(guint), ==, function->size);
    ((char *)&room)[function->reserved] = 1;
    assert_says(function, &room, function->size, NEWER);
}

static void
test_size(gconstpointer data)
{
    static const gsize wrong[] = {0, 1, sizeof(gsize) - 1, 1024 * 1024,
                                  G_MAXSIZE};
    const Function *function = data;
    Room room = room_for(function);

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        set_size(&room, wrong[i]);
        assert_says(function, &room, function->size, NO_SIZE);
    }
    assert_says(function, NULL, 0, "there are no options");
}

/* What a shorter structure does not have is 0, whatever stood there. */
static void
test_take(void)
{
    RefpointImportOptions known = {.point = "before", .restored = TRUE};
    RefpointImportOptions given = {
        .size = G_STRUCT_OFFSET(RefpointImportOptions, point),
        .domain = "vm",
        .directory = "set",
        .point = "beyond",
        .reserved = 1,
    };
    g_autoptr(GError) error = NULL;

    g_assert_true(RFP_OPTIONS_TAKE(&known, &given, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(known.domain, ==, "vm");
    g_assert_cmpstr(known.directory, ==, "set");
    g_assert_null(known.point);
    g_assert_false(known.restored);
}

/* As a binding does it, whose structure is shorter, as long, or longer. */
static void
test_export_init(void)
{
    const RefpointExportOptions init = REFPOINT_EXPORT_OPTIONS_INIT;
    const gsize older = G_STRUCT_OFFSET(RefpointExportOptions, stall_timeout);
    Room room;
    RefpointExportOptions *options = (RefpointExportOptions *)&room;

    for (gsize size = older; size <= sizeof(*options) + 8; size += 4) {
        memset(&room, 0xff, sizeof(room));
        refpoint_export_options_init(options, size);
        g_assert_cmpuint(options->size, ==, size);
        g_assert_cmpstr(options->base, ==, "auto");
        g_assert_cmpuint(options->audit, ==, REFPOINT_AUDIT_DEFAULT);
        g_assert_cmpuint(options->max_chain, ==, REFPOINT_CHAIN_DEFAULT);
        g_assert_cmpuint(options->stall_timeout, ==,
                         size == older ? G_MAXUINT : REFPOINT_STALL_DEFAULT);
        g_assert_cmpuint(((guint8 *)&room)[size], ==, 0xff);
        if (size > sizeof(*options))
            g_assert_cmpuint(((guint8 *)&room)[size - 1], ==, 0);
    }
    /* what lies between the fields may differ, and means nothing */
    refpoint_export_options_init(options, sizeof(*options));
    g_assert_cmpuint(options->size, ==, init.size);
    g_assert_cmpuint(options->quiesce, ==, init.quiesce);
    g_assert_cmpuint(options->limit_rate, ==, init.limit_rate);
    g_assert_null(options->domain);
    g_assert_cmpuint(options->reserved, ==, 0);
}

static void
add(const Function *function, const char *name, GTestDataFunc test)
{
    g_autofree char *path =
        g_strdup_printf("/options/%s/%s", function->name, name);

    g_test_add_data_func(path, function, test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/take", test_take);
    g_test_add_func("/options/export-init", test_export_init);
    for (gsize i = 0; i < G_N_ELEMENTS(functions); i++) {
        add(&functions[i], "same", test_same);
        add(&functions[i], "older", test_older);
        add(&functions[i], "newer", test_newer);
        add(&functions[i], "reserved", test_reserved);
        add(&functions[i], "size", test_size);
    }
    return g_test_run();
}
