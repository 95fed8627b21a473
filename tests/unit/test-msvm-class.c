/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tables are sound in themselves, and say what data/refpoint.mof says, in
 * both directions. */
#include "cim/msvm-class.h"

#include <string.h>

#include "cim/msvm-return.h"

/* ---- A tolerant reader of MOF -------------------------------------------- */

typedef struct {
    GPtrArray *map;    /* char * */
    GPtrArray *values; /* char * */
    GHashTable *flags; /* lower-case qualifier to its value, or "" */
} Qualifiers;

/* Tokens: names, quoted strings (with their first quote), single signs. */
typedef struct {
    GPtrArray *tokens;
    guint at;
} Mof;

static void
skip_comment(const char **text)
{
    *text += strcspn(*text, "\n");
}

static char *
take_token(const char **text)
{
    const char *begin = *text;
    char *token = NULL;

    if (*begin == '"') {
        *text = strchr(begin + 1, '"');
        g_assert_nonnull(*text);
        token = g_strndup(begin, (gsize)(*text - begin));
        (*text)++;
        return token;
    }
    while (g_ascii_isalnum(**text) || **text == '_')
        (*text)++;
    if (*text == begin)
        (*text)++;
    return g_strndup(begin, (gsize)(*text - begin));
}

static Mof *
mof_open(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "..",
                                                  "data", "refpoint.mof", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    Mof *mof = g_new0(Mof, 1);
    const char *rest = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    mof->tokens = g_ptr_array_new_with_free_func(g_free);
    for (rest = text; *rest;) {
        if (g_ascii_isspace(*rest))
            rest++;
        else if (g_str_has_prefix(rest, "//") || *rest == '#')
            skip_comment(&rest);
        else
            g_ptr_array_add(mof->tokens, take_token(&rest));
    }
    g_ptr_array_add(mof->tokens, g_strdup(""));
    return mof;
}

static void
mof_close(Mof *mof)
{
    g_ptr_array_unref(mof->tokens);
    g_free(mof);
}

static const char *
peek(Mof *mof)
{
    return g_ptr_array_index(mof->tokens, mof->at);
}

static const char *
next(Mof *mof)
{
    return g_ptr_array_index(mof->tokens, mof->at++);
}

static gboolean
accept(Mof *mof, const char *sign)
{
    if (strcmp(peek(mof), sign) != 0)
        return FALSE;
    mof->at++;
    return TRUE;
}

static void
expect(Mof *mof, const char *sign)
{
    g_assert_cmpstr(next(mof), ==, sign);
}

static Qualifiers *
qualifiers_new(void)
{
    Qualifiers *q = g_new0(Qualifiers, 1);

    q->map = g_ptr_array_new_with_free_func(g_free);
    q->values = g_ptr_array_new_with_free_func(g_free);
    q->flags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return q;
}

static void
qualifiers_free(Qualifiers *q)
{
    g_ptr_array_unref(q->map);
    g_ptr_array_unref(q->values);
    g_hash_table_unref(q->flags);
    g_free(q);
}

static void
read_list(Mof *mof, GPtrArray *list)
{
    do {
        g_assert_cmpint(*peek(mof), ==, '"');
        g_ptr_array_add(list, g_strdup(next(mof) + 1));
    } while (accept(mof, ","));
    expect(mof, "}");
}

static void
read_qualifier(Mof *mof, Qualifiers *q)
{
    g_autofree char *name = g_ascii_strdown(next(mof), -1);
    const char *value = "";

    if (accept(mof, "{")) {
        read_list(mof, strcmp(name, "valuemap") == 0 ? q->map : q->values);
    } else if (accept(mof, "(")) {
        value = next(mof);
        expect(mof, ")");
    }
    if (strcmp(value, "false") != 0)
        g_hash_table_insert(q->flags, g_steal_pointer(&name),
                            g_strdup(*value == '"' ? value + 1 : value));
}

static Qualifiers *
read_qualifiers(Mof *mof)
{
    Qualifiers *q = qualifiers_new();

    if (!accept(mof, "["))
        return q;
    do
        read_qualifier(mof, q);
    while (accept(mof, ","));
    expect(mof, "]");
    return q;
}

/* ---- The comparison ------------------------------------------------------ */

static gboolean
has(Qualifiers *q, const char *name)
{
    return g_hash_table_contains(q->flags, name);
}

static void
same_flag(Qualifiers *q, const char *name, gboolean flag)
{
    g_assert_cmpint(has(q, name), ==, flag != 0);
}

static void
same_values(Qualifiers *q, const RfpMsvmName *row)
{
    guint i = 0;

    for (; row != NULL && row->name != NULL; row++, i++) {
        g_autofree char *number = g_strdup_printf("%d", row->value);

        g_assert_cmpuint(i, <, q->map->len);
        g_assert_cmpstr(number, ==, g_ptr_array_index(q->map, i));
        g_assert_cmpstr(row->name, ==, g_ptr_array_index(q->values, i));
    }
    g_assert_cmpuint(q->map->len, ==, i);
    g_assert_cmpuint(q->values->len, ==, i);
}

static void
same_property(Mof *mof, Qualifiers *q, const RfpMsvmProperty *property)
{
    const char *type = next(mof);
    RfpCimType found = RFP_CIM_REFERENCE;

    g_assert_nonnull(property->name);
    if (accept(mof, "REF"))
        g_assert_cmpstr(type, ==, property->of);
    else
        g_assert_true(rfp_cim_type_find(type, &found));
    g_assert_cmpint(found, ==, property->type);
    g_assert_cmpstr(next(mof), ==, property->name);
    if (accept(mof, "["))
        expect(mof, "]");
    else
        g_assert_cmpint(property->flags & RFP_MSVM_ARRAY, ==, 0);
    if (property->flags & RFP_MSVM_ARRAY)
        g_assert_cmpstr(g_ptr_array_index(mof->tokens, mof->at - 1), ==, "]");
    same_flag(q, "key", property->flags & RFP_MSVM_KEY);
    same_flag(q, "in", property->flags & RFP_MSVM_IN);
    same_flag(q, "out", property->flags & RFP_MSVM_OUT);
    same_flag(q, "embeddedinstance", property->flags & RFP_MSVM_EMBEDDED);
    if (property->flags & RFP_MSVM_EMBEDDED)
        g_assert_cmpstr(g_hash_table_lookup(q->flags, "embeddedinstance"), ==,
                        property->of);
    same_values(q, property->values);
}

/* All the numbers below 65536 that the method may return are in its map. */
static void
same_returns(Qualifiers *q, const RfpMsvmMethod *method)
{
    guint32 number = 0;
    guint found = 0;
    guint i = 0;

    for (number = 0; number < 65536; number++)
        found += rfp_msvm_method_returns(method, number) ? 1 : 0;
    g_assert_cmpuint(found, ==, q->map->len);
    g_assert_cmpuint(found, ==, q->values->len);
    for (i = 0; i < found; i++)
        g_assert_true(rfp_msvm_method_returns(
            method,
            (guint32)g_ascii_strtoull(g_ptr_array_index(q->map, i), NULL, 10)));
}

static void
same_method(Mof *mof, Qualifiers *q, const RfpMsvmMethod *method)
{
    const RfpMsvmProperty *parameter = method->parameters;

    g_assert_nonnull(method->name);
    expect(mof, "uint32");
    expect(mof, method->name);
    expect(mof, "(");
    same_returns(q, method);
    do {
        Qualifiers *own = read_qualifiers(mof);

        same_property(mof, own, parameter++);
        qualifiers_free(own);
    } while (accept(mof, ","));
    g_assert_null(parameter->name);
    expect(mof, ")");
    expect(mof, ";");
}

static gboolean
at_method(Mof *mof)
{
    return strcmp(g_ptr_array_index(mof->tokens, mof->at + 2), "(") == 0;
}

static void
same_members(Mof *mof, const RfpMsvmClass *klass)
{
    static const RfpMsvmProperty no_properties = {.name = NULL};
    static const RfpMsvmMethod no_methods = {.name = NULL};
    const RfpMsvmProperty *property =
        klass->properties != NULL ? klass->properties : &no_properties;
    const RfpMsvmMethod *method =
        klass->methods != NULL ? klass->methods : &no_methods;

    while (!accept(mof, "}")) {
        Qualifiers *q = read_qualifiers(mof);

        if (at_method(mof)) {
            same_method(mof, q, method++);
        } else {
            same_property(mof, q, property++);
            expect(mof, ";");
        }
        qualifiers_free(q);
    }
    g_assert_null(property->name);
    g_assert_null(method->name);
}

/* Both are read in step, to the end of both. */
static void
test_mof(void)
{
    Mof *mof = mof_open();
    const RfpMsvmClass *klass = NULL;
    guint i = 0;

    for (i = 0; *peek(mof); i++) {
        Qualifiers *q = read_qualifiers(mof);

        klass = rfp_msvm_class_nth(i);
        g_assert_nonnull(klass);
        expect(mof, "class");
        expect(mof, klass->name);
        if (klass->super != NULL) {
            expect(mof, ":");
            expect(mof, klass->super);
        }
        same_flag(q, "abstract", klass->flags & RFP_MSVM_ABSTRACT);
        same_flag(q, "association", klass->flags & RFP_MSVM_ASSOCIATION);
        expect(mof, "{");
        same_members(mof, klass);
        expect(mof, ";");
        qualifiers_free(q);
    }
    g_assert_null(rfp_msvm_class_nth(i));
    mof_close(mof);
}

/* ---- The tables alone ---------------------------------------------------- */

static void
check_values(const RfpMsvmProperty *property)
{
    const RfpMsvmName *row = property->values;
    const RfpMsvmName *before = NULL;

    if (row == NULL)
        return;
    g_assert_true(rfp_cim_type_integer(property->type)->integer);
    for (; row->name != NULL; row++) {
        for (before = property->values; before < row; before++)
            g_assert_cmpint(before->value, !=, row->value);
        g_assert_cmpstr(rfp_msvm_property_value_name(property, row->value), ==,
                        row->name);
    }
    g_assert_null(rfp_msvm_property_value_name(property, 99999));
}

static void
check_property(const RfpMsvmProperty *property)
{
    gboolean embedded = (property->flags & RFP_MSVM_EMBEDDED) != 0;

    g_assert_cmpint(property->type, <, RFP_N_CIM_TYPES);
    if (embedded)
        g_assert_cmpint(property->type, ==, RFP_CIM_STRING);
    g_assert_cmpint(property->of != NULL, ==,
                    embedded || property->type == RFP_CIM_REFERENCE);
    if (property->of != NULL)
        g_assert_nonnull(rfp_msvm_class_find(property->of));
    check_values(property);
}

/* Every reference in the tables leads somewhere, no name stands twice. */
static void
test_sound(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    const RfpMsvmClass *klass = NULL;
    const RfpMsvmProperty *property = NULL;
    const RfpMsvmMethod *method = NULL;
    guint i = 0;

    for (i = 0; (klass = rfp_msvm_class_nth(i)) != NULL; i++) {
        g_assert_true(g_hash_table_add(seen, (gpointer)klass->name));
        g_assert_true(rfp_msvm_class_find(klass->name) == klass);
        if (klass->super != NULL)
            g_assert_true(g_hash_table_contains(seen, klass->super));
        for (property = klass->properties;
             property != NULL && property->name != NULL; property++)
            check_property(property);
        for (method = klass->methods; method != NULL && method->name != NULL;
             method++) {
            for (property = method->parameters; property->name != NULL;
                 property++) {
                check_property(property);
                g_assert_true(property->flags & (RFP_MSVM_IN | RFP_MSVM_OUT));
            }
        }
    }
}

static void
test_find(void)
{
    const RfpMsvmClass *klass = rfp_msvm_class_find("msvm_COMPUTERsystem");
    const RfpMsvmClass *job = rfp_msvm_class_find("Msvm_ConcreteJob");
    const RfpMsvmProperty *property = NULL;

    g_assert_nonnull(klass);
    g_assert_cmpstr(klass->name, ==, "Msvm_ComputerSystem");
    g_assert_true(rfp_msvm_class_is_a(klass, "cim_managedelement"));
    g_assert_false(rfp_msvm_class_is_a(klass, "CIM_Job"));
    g_assert_null(rfp_msvm_class_find("Win32_Process"));

    property = rfp_msvm_class_property(klass, "caption");
    g_assert_cmpstr(property->name, ==, "Caption");
    property = rfp_msvm_class_property(klass, "NAME");
    g_assert_cmpuint(property->flags, ==, RFP_MSVM_KEY);
    property = rfp_msvm_class_property(job, "JobState");
    g_assert_cmpstr(rfp_msvm_property_value_name(property, 10), ==,
                    "Exception");
    g_assert_null(rfp_msvm_class_property(job, "EnabledState"));
}

/* Inherited first, what is overridden once, in its last form. */
static void
test_properties(void)
{
    const RfpMsvmClass *klass =
        rfp_msvm_class_find("Msvm_VirtualSystemReferencePointSettingData");
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
    const char *const names[] = {"InstanceID", "Caption", "Description",
                                 "ElementName", "ConsistencyLevel"};
    const RfpMsvmProperty *property = NULL;
    guint i = 0;

    g_assert_cmpuint(all->len, ==, G_N_ELEMENTS(names));
    for (i = 0; i < all->len; i++) {
        property = g_ptr_array_index(all, i);
        g_assert_cmpstr(property->name, ==, names[i]);
        g_assert_cmpint(property->flags, ==, i == 0 ? RFP_MSVM_KEY : 0);
    }
    g_assert_cmpint(property->type, ==, RFP_CIM_UINT8);
}

static void
test_methods(void)
{
    static const struct {
        const char *klass;
        const char *method;
        RefpointReturnSet set;
    } rows[] = {
        {"Msvm_VirtualSystemReferencePointService", "CreateReferencePoint",
         REFPOINT_RETURN_CREATE},
        {"Msvm_VirtualSystemReferencePointService", "DestroyReferencePoint",
         REFPOINT_RETURN_EXPORT},
        {"Msvm_VirtualSystemReferencePointService", "ExportReferencePoint",
         REFPOINT_RETURN_EXPORT},
        {"Msvm_VirtualSystemReferencePointService",
         "ImportReferencePointMetadata", REFPOINT_RETURN_EXPORT},
        {"Msvm_VirtualSystemReferencePointService", "RemoveAssociatedData",
         REFPOINT_RETURN_EXPORT},
        {"Msvm_CollectionReferencePointService", "CreateReferencePoint",
         REFPOINT_RETURN_CREATE},
        {"Msvm_CollectionReferencePointService", "DestroyReferencePoint",
         REFPOINT_RETURN_CREATE},
        {"Msvm_CollectionReferencePointService", "ExportReferencePoint",
         REFPOINT_RETURN_EXPORT},
        {"Msvm_CollectionReferencePointService", "RemoveAssociatedData",
         REFPOINT_RETURN_CREATE},
        {"Msvm_ImageManagementService", "GetVirtualDiskChanges",
         REFPOINT_RETURN_EXPORT},
        {"Msvm_ConcreteJob", "RequestStateChange", REFPOINT_RETURN_EXPORT},
        {"Msvm_ConcreteJob", "GetError", REFPOINT_RETURN_EXPORT},
        {"Msvm_CollectionReferencePointExportJob", "GetErrorEx",
         REFPOINT_RETURN_EXPORT},
    };
    const RfpMsvmMethod *method = NULL;
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        method = rfp_msvm_class_method(rfp_msvm_class_find(rows[i].klass),
                                       rows[i].method);
        g_assert_nonnull(method);
        g_assert_cmpint(method->set, ==, rows[i].set);
        g_assert_true(rfp_msvm_method_returns(method, 0));
        g_assert_cmpint(rfp_msvm_method_returns(method, 32773), ==,
                        method->set == REFPOINT_RETURN_EXPORT);
        g_assert_cmpint(rfp_msvm_method_returns(method, 4), ==,
                        method->set == REFPOINT_RETURN_CREATE);
        g_assert_cmpint(rfp_msvm_method_returns(method, 32779), ==,
                        strcmp(rows[i].method, "GetVirtualDiskChanges") == 0);
    }
    g_assert_null(rfp_msvm_class_method(rfp_msvm_class_find("CIM_Job"), "X"));
}

/* A name that is spelled wrong would be found by chance only. */
static void
test_named(void)
{
    static const char *const names[] = {
        RFP_MSVM_SYSTEM_CLASS,     RFP_MSVM_POINT_CLASS,
        RFP_MSVM_GROUP_CLASS,      RFP_MSVM_COLLECTION_CLASS,
        RFP_MSVM_POINT_SERVICE,    RFP_MSVM_COLLECTION_SERVICE,
        RFP_MSVM_IMAGE_SERVICE,    RFP_MSVM_JOB_CLASS,
        RFP_MSVM_POINT_EXPORT_JOB, RFP_MSVM_COLLECTION_EXPORT_JOB,
        RFP_MSVM_ANY_JOB,
    };

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const RfpMsvmClass *klass = rfp_msvm_class_find(names[i]);

        g_assert_nonnull(klass);
        g_assert_cmpstr(klass->name, ==, names[i]);
        g_assert_cmpint(g_str_has_suffix(names[i], "Job"), ==,
                        rfp_msvm_class_is_a(klass, RFP_MSVM_ANY_JOB));
    }
}

static void
test_types(void)
{
    RfpCimType type = RFP_CIM_STRING;
    guint i = 0;

    for (i = 0; i < RFP_N_CIM_TYPES; i++) {
        g_assert_true(
            rfp_cim_type_find(rfp_cim_type_name((RfpCimType)i), &type));
        g_assert_cmpint(type, ==, i);
    }
    g_assert_false(rfp_cim_type_find("real32", &type));
    g_assert_cmpuint(rfp_cim_type_integer(RFP_CIM_SINT16)->bits, ==, 16);
    g_assert_false(rfp_cim_type_integer(RFP_CIM_REFERENCE)->integer);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-class/sound", test_sound);
    g_test_add_func("/msvm-class/mof", test_mof);
    g_test_add_func("/msvm-class/find", test_find);
    g_test_add_func("/msvm-class/properties", test_properties);
    g_test_add_func("/msvm-class/methods", test_methods);
    g_test_add_func("/msvm-class/named", test_named);
    g_test_add_func("/msvm-class/types", test_types);
    return g_test_run();
}
