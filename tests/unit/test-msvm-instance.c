/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-instance-read.h"

#include <string.h>

#include "cim/msvm-path.h"
#include "data.h"

#define EXPORT "Msvm_VirtualSystemReferencePointExportSettingData"
#define SETTING "Msvm_VirtualSystemReferencePointSettingData"
#define COLLECTION "Msvm_CollectionReferencePointExportSettingData"

static RfpMsvmInstance *
parse_bytes(const char *text, gsize length, const char *expected)
{
    g_autoptr(GError) error = NULL;
    RfpMsvmInstance *instance =
        rfp_msvm_instance_parse(text, length, expected, &error);

    g_assert_no_error(error);
    g_assert_nonnull(instance);
    return instance;
}

static RfpMsvmInstance *
parse(const char *text, const char *expected)
{
    return parse_bytes(text, strlen(text), expected);
}

static void
refuse_bytes(const char *text,
             gsize length,
             const char *expected,
             RefpointError cause)
{
    g_autoptr(GError) error = NULL;
    RfpMsvmInstance *instance =
        rfp_msvm_instance_parse(text, length, expected, &error);

    if (instance != NULL)
        g_error("accepted: %.200s", text);
    if (!g_error_matches(error, REFPOINT_ERROR, (gint)cause))
        g_error("%.200s: %s", text, error->message);
    g_assert_cmpuint(strlen(error->message), <, 1024);
}

static void
refuse(const char *text, const char *expected, RefpointError cause)
{
    refuse_bytes(text, strlen(text), expected, cause);
}

/* ---- Golden files -------------------------------------------------------- */

static void
compare(const RfpMsvmInstance *instance, const char *name)
{
    g_autofree char *text = rfp_msvm_instance_format(instance);

    data_compare(name, text);
}

/* As the model's page has it. */
static void
test_settings(void)
{
    static const char *const disks[] = {"refpoint-disk:a/vda",
                                        "refpoint-disk:a/v\"<&>b", NULL};
    g_autoptr(RfpMsvmInstance) instance = rfp_msvm_instance_new(EXPORT);
    g_autoptr(RfpMsvmInstance) again = NULL;
    g_autofree char *text = NULL;

    rfp_msvm_instance_set_texts(instance, "diskstoexport", disks);
    rfp_msvm_instance_set_text(instance, "BaseReferencePoint",
                               "X.K=\"a\\\\b\"");
    rfp_msvm_instance_set_text(instance, "NoSuchProperty", "x");
    compare(instance, "msvm/export-settings.xml");

    text = rfp_msvm_instance_format(instance);
    again = parse(text, EXPORT);
    compare(again, "msvm/export-settings.xml");
}

/* The same, as WMI's GetText() writes it. */
static void
test_wmi(void)
{
    g_autofree char *text = data_read("msvm/export-settings-wmi.xml");
    g_autoptr(RfpMsvmInstance) instance = parse(text, EXPORT);
    const RfpMsvmValue *value = NULL;

    g_assert_cmpstr(instance->klass->name, ==, EXPORT);
    g_assert_cmpstr(rfp_msvm_instance_text(instance, "basereferencepoint"), ==,
                    "\\\\HOST\\root\\virtualization\\v2:X.K=\"a\"");
    g_assert_null(rfp_msvm_instance_text(instance, "Caption"));
    g_assert_true(rfp_msvm_instance_value(instance, "Caption")->null);
    g_assert_null(rfp_msvm_instance_value(instance, "__PATH"));
    value = rfp_msvm_instance_value(instance, "DisksToExport");
    g_assert_false(value->null);
    g_assert_cmpuint(value->items->len, ==, 3);
    g_assert_cmpstr(rfp_msvm_value_item(value, 0)->text, ==, "one");
    g_assert_null(rfp_msvm_value_item(value, 1));
    g_assert_cmpstr(rfp_msvm_value_item(value, 2)->text, ==, " two\n");
    g_assert_null(rfp_msvm_value_item(value, 3));
}

static RfpMsvmInstance *
make_disks(const char *id, const char *disk)
{
    const char *const disks[] = {disk, NULL};
    RfpMsvmInstance *instance =
        rfp_msvm_instance_new("Msvm_VirtualMachineToDisks");

    rfp_msvm_instance_set_text(instance, "VirtualMachineId", id);
    rfp_msvm_instance_set_texts(instance, "DisksToExport",
                                disk != NULL ? disks : NULL);
    return instance;
}

static void
test_embedded(void)
{
    g_autoptr(RfpMsvmInstance) instance = rfp_msvm_instance_new(COLLECTION);
    g_autoptr(RfpMsvmInstance) again = NULL;
    g_autofree char *text = NULL;
    RfpMsvmValue *value =
        rfp_msvm_instance_put(instance, "VirtualMachinesToDisksToExport");
    const RfpMsvmItem *item = NULL;

    rfp_msvm_value_add_instance(value, make_disks("one", "vda"));
    rfp_msvm_value_add_null(value);
    rfp_msvm_value_add_instance(value, make_disks("two", NULL));
    rfp_msvm_instance_set_text(instance, "BaseReferencePointCollection", NULL);
    compare(instance, "msvm/collection-settings.xml");

    text = rfp_msvm_instance_format(instance);
    again = parse(text, COLLECTION);
    compare(again, "msvm/collection-settings.xml");
    item = rfp_msvm_value_item(
        rfp_msvm_instance_value(again, "VirtualMachinesToDisksToExport"), 2);
    g_assert_cmpstr(rfp_msvm_instance_text(item->instance, "VirtualMachineId"),
                    ==, "two");
}

static void
test_job(void)
{
    g_autoptr(RfpMsvmInstance) job =
        rfp_msvm_instance_new("Msvm_VirtualSystemReferencePointExportJob");

    rfp_msvm_instance_set_text(job, "TimeBeforeRemoval",
                               "00000000000500.000000:000");
    rfp_msvm_instance_set_number(job, "JobState", 4);
    rfp_msvm_instance_set_number(job, "RunDay", (guint64)-31);
    rfp_msvm_instance_set_number(job, "Cancellable", TRUE);
    rfp_msvm_instance_set_number(job, "DeleteOnCompletion", FALSE);
    rfp_msvm_instance_set_text(job, "InstanceID", "j");
    rfp_msvm_instance_set_texts(job, "ExportedDisks", NULL);
    compare(job, "msvm/job.xml");
}

static void
test_association(void)
{
    g_autoptr(RfpMsvmInstance) instance =
        rfp_msvm_instance_new("Msvm_ReferencePointOfVirtualSystem");

    rfp_msvm_instance_set_text(
        instance, "Dependent",
        "Msvm_VirtualSystemReferencePoint.InstanceID=\"p\","
        "VirtualSystemIdentifier=\"s\"");
    rfp_msvm_instance_set_text(
        instance, "Antecedent",
        "\\\\HOST\\root\\virtualization\\v2:Msvm_ComputerSystem"
        ".CreationClassName=\"Msvm_ComputerSystem\",Name=\"s\"");
    compare(instance, "msvm/association.xml");
}

/* ---- All classes --------------------------------------------------------- */

/* A path that fits a reference to @name, which may be abstract. */
static char *
sample_path(const char *name)
{
    const RfpMsvmClass *klass = NULL;
    guint i = 0;

    for (i = 0; (klass = rfp_msvm_class_nth(i)) != NULL; i++) {
        g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
        g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(klass->name);
        const RfpMsvmProperty *property = NULL;
        guint p = 0;

        if (klass->flags || !rfp_msvm_class_is_a(klass, name))
            continue;
        for (p = 0; p < all->len; p++) {
            property = g_ptr_array_index(all, p);
            if (property->flags & RFP_MSVM_KEY)
                rfp_msvm_path_add(path, property->name, "k\"\\&");
        }
        path->host = g_strdup("H");
        return rfp_msvm_path_format(path);
    }
    return NULL;
}

static RfpMsvmInstance *
sample_instance(const RfpMsvmClass *klass, gboolean largest);

static void
sample_item(RfpMsvmValue *value, gboolean largest)
{
    const RfpMsvmProperty *property = value->property;
    const RfpCimInteger *integer = rfp_cim_type_integer(property->type);
    guint64 most = 1;

    if (property->flags & RFP_MSVM_EMBEDDED) {
        rfp_msvm_value_add_instance(
            value, sample_instance(rfp_msvm_class_find(property->of), largest));
    } else if (property->type == RFP_CIM_REFERENCE) {
        g_autofree char *path = sample_path(property->of);

        rfp_msvm_value_add_text(value, path);
    } else if (property->type == RFP_CIM_DATETIME) {
        rfp_msvm_value_add_text(value, largest ? "20261121203000.123456+060"
                                               : "00000001000000.000000:000");
    } else if (property->type == RFP_CIM_STRING) {
        rfp_msvm_value_add_text(value,
                                largest ? " \xc3\xa4<]]>&\"'\r\n\t" : "");
    } else {
        if (integer->integer)
            most = G_MAXUINT64 >> (64 - integer->bits + integer->is_signed);
        if (largest)
            rfp_msvm_value_add_number(value, most);
        else
            rfp_msvm_value_add_number(value, integer->is_signed
                                                 ? (guint64)(-(gint64)most - 1)
                                                 : 0);
    }
}

static RfpMsvmInstance *
sample_instance(const RfpMsvmClass *klass, gboolean largest)
{
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(klass);
    RfpMsvmInstance *instance = rfp_msvm_instance_new(klass->name);
    const RfpMsvmProperty *property = NULL;
    RfpMsvmValue *value = NULL;
    guint i = 0;

    for (i = all->len; i > 0; i--) {
        property = g_ptr_array_index(all, i - 1);
        value = rfp_msvm_instance_put(instance, property->name);
        if (largest && property->flags & RFP_MSVM_ARRAY)
            sample_item(value, FALSE);
        sample_item(value, largest);
    }
    return instance;
}

static void
check_round(RfpMsvmInstance *instance)
{
    const char *name = instance->klass->name;
    g_autofree char *text = rfp_msvm_instance_format(instance);
    g_autoptr(RfpMsvmInstance) again = parse(text, name);
    g_autofree char *twice = rfp_msvm_instance_format(again);

    g_assert_cmpstr(text, ==, twice);
    g_assert_cmpuint(instance->values->len, ==, again->values->len);
}

static void
set_all_null(RfpMsvmInstance *instance)
{
    RfpMsvmValue *value = NULL;
    guint i = 0;

    for (i = 0; i < instance->values->len; i++) {
        value = g_ptr_array_index(instance->values, i);
        value->null = TRUE;
    }
}

static void
test_all_classes(void)
{
    const RfpMsvmClass *klass = NULL;
    guint i = 0;

    for (i = 0; (klass = rfp_msvm_class_nth(i)) != NULL; i++) {
        g_autoptr(RfpMsvmInstance) small = NULL;
        g_autoptr(RfpMsvmInstance) large = NULL;

        if (klass->flags & RFP_MSVM_ABSTRACT)
            continue;
        small = sample_instance(klass, FALSE);
        check_round(small);
        set_all_null(small);
        check_round(small);
        large = sample_instance(klass, TRUE);
        check_round(large);
    }
}

/* ---- Encodings ----------------------------------------------------------- */

static void
check_encoding(const char *to, const char *mark, gsize marked, gboolean odd)
{
    const char *text = "<?xml version=\"1.0\" encoding=\"utf-16\"?>\n<INSTANCE "
                       "CLASSNAME=\"" SETTING
                       "\"><PROPERTY NAME=\"Caption\" TYPE=\"string\"><VALUE>"
                       "\xe2\x82\xac</VALUE></PROPERTY></INSTANCE>";
    gsize length = 0;
    g_autofree char *bytes =
        g_convert(text, -1, to, "UTF-8", NULL, &length, NULL);
    g_autoptr(GString) all = g_string_new_len(mark, (gssize)marked);
    g_autoptr(RfpMsvmInstance) instance = NULL;

    g_string_append_len(all, bytes, (gssize)length);
    if (odd) {
        refuse_bytes(all->str, all->len - 1, SETTING,
                     REFPOINT_ERROR_INVALID_PARAMETER);
        return;
    }
    instance = parse_bytes(all->str, all->len, SETTING);
    g_assert_cmpstr(rfp_msvm_instance_text(instance, "Caption"), ==,
                    "\xe2\x82\xac");
}

static void
test_encodings(void)
{
    check_encoding("UTF-8", "", 0, FALSE);
    check_encoding("UTF-8", "\xef\xbb\xbf", 3, FALSE);
    check_encoding("UTF-16LE", "\xff\xfe", 2, FALSE);
    check_encoding("UTF-16BE", "\xfe\xff", 2, FALSE);
    check_encoding("UTF-16LE", "", 0, FALSE);
    check_encoding("UTF-16BE", "", 0, FALSE);
    check_encoding("UTF-16LE", "\xff\xfe", 2, TRUE);
    check_encoding("ISO-8859-15", "", 0, TRUE);
    refuse_bytes("\xff\xfe\x00\xd8", 4, SETTING,
                 REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_bytes("<\0I\0", 4, SETTING, REFPOINT_ERROR_INVALID_PARAMETER);
    refuse_bytes("", 0, SETTING, REFPOINT_ERROR_INVALID_PARAMETER);
}

/* ---- Wrong --------------------------------------------------------------- */

#define OPEN "<INSTANCE CLASSNAME=\"" SETTING "\">"
#define CLOSE "</INSTANCE>"
#define LEVEL(type, value)                                                     \
    OPEN "<PROPERTY NAME=\"ConsistencyLevel\" TYPE=\"" type "\">" value        \
         "</PROPERTY>" CLOSE

static void
test_types(void)
{
    static const char *const rows[] = {
        "<INSTANCE CLASSNAME=\"Win32_Process\"/>",
        "<INSTANCE CLASSNAME=\"CIM_SettingData\"/>",
        "<INSTANCE CLASSNAME=\"CIM_ManagedElement\"/>",
        "<INSTANCE CLASSNAME=\"" EXPORT "\"/>",
        OPEN "<PROPERTY NAME=\"Nothing\" TYPE=\"string\"/>" CLOSE,
        OPEN "<PROPERTY NAME=\"BaseReferencePoint\" TYPE=\"string\"/>" CLOSE,
        OPEN "<PROPERTY NAME=\"\" TYPE=\"string\"/>" CLOSE,
        OPEN "<PROPERTY.ARRAY NAME=\"ConsistencyLevel\" TYPE=\"uint8\"/>" CLOSE,
        OPEN "<PROPERTY.REFERENCE NAME=\"Caption\"/>" CLOSE,
        OPEN "<PROPERTY.OBJECT NAME=\"Caption\" TYPE=\"string\"/>" CLOSE,
        LEVEL("uint16", "<VALUE>1</VALUE>"),
        LEVEL("string", "<VALUE>1</VALUE>"),
        LEVEL("real32", "<VALUE>1</VALUE>"),
        LEVEL("", "<VALUE>1</VALUE>"),
        LEVEL("uint8", "<VALUE></VALUE>"),
        LEVEL("uint8", "<VALUE>256</VALUE>"),
        LEVEL("uint8", "<VALUE>-1</VALUE>"),
        LEVEL("uint8", "<VALUE>one</VALUE>"),
        LEVEL("uint8", "<VALUE>1.0</VALUE>"),
        LEVEL("uint8", "<VALUE>1 2</VALUE>"),
        LEVEL("uint8", "<VALUE>0x</VALUE>"),
        LEVEL("uint8", "<VALUE>0x100</VALUE>"),
        LEVEL("uint8", "<VALUE>99999999999999999999999</VALUE>"),
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++)
        refuse(rows[i], SETTING, REFPOINT_ERROR_INCORRECT_TYPE);
}

static void
test_malformed(void)
{
    static const char *const rows[] = {
        " ",
        "x",
        "<INSTANCE>",
        "<INSTANCE/>",
        "<CLASS NAME=\"" SETTING "\"/>",
        "<instance CLASSNAME=\"" SETTING "\"/>",
        "<!DOCTYPE INSTANCE>" OPEN CLOSE,
        "<!DOCTYPE INSTANCE [<!ENTITY e \"x\">]>" OPEN
        "<PROPERTY NAME=\"Caption\" TYPE=\"string\"><VALUE>&e;</VALUE>"
        "</PROPERTY>" CLOSE,
        OPEN "<PROPERTY NAME=\"Caption\" TYPE=\"string\"><VALUE>&e;</VALUE>"
             "</PROPERTY>" CLOSE,
        OPEN CLOSE OPEN CLOSE,
        OPEN "text" CLOSE,
        OPEN "<VALUE/>" CLOSE,
        OPEN "<METHOD NAME=\"x\"/>" CLOSE,
        OPEN OPEN CLOSE CLOSE,
        OPEN "<PROPERTY TYPE=\"string\"/>" CLOSE,
        OPEN "<PROPERTY NAME=\"Caption\"/>" CLOSE,
        OPEN "<PROPERTY NAME=\"Caption\" TYPE=\"string\"/>"
             "<PROPERTY NAME=\"CAPTION\" TYPE=\"string\"/>" CLOSE,
        LEVEL("uint8", "1"),
        LEVEL("uint8", "<VALUE>1</VALUE><VALUE>1</VALUE>"),
        LEVEL("uint8", "<VALUE>1</VALUE>1"),
        LEVEL("uint8", "<VALUE><VALUE>1</VALUE></VALUE>"),
        LEVEL("uint8", "<VALUE.ARRAY/>"),
        LEVEL("uint8", "<OTHER/>"),
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++)
        refuse(rows[i], SETTING, REFPOINT_ERROR_INVALID_PARAMETER);
}

static void
test_arrays(void)
{
    static const char *const rows[] = {
        "text",
        "<VALUE>x</VALUE>",
        "<VALUE.ARRAY>x</VALUE.ARRAY>",
        "<VALUE.ARRAY><VALUE.ARRAY/></VALUE.ARRAY>",
        "<VALUE.ARRAY/><VALUE.ARRAY/>",
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "<INSTANCE CLASSNAME=\"" EXPORT "\"><PROPERTY.ARRAY NAME=\""
            "DisksToExport\" TYPE=\"string\">%s</PROPERTY.ARRAY></INSTANCE>",
            rows[i]);

        refuse(text, EXPORT, REFPOINT_ERROR_INVALID_PARAMETER);
    }
    refuse("<INSTANCE CLASSNAME=\"" EXPORT "\"><PROPERTY NAME=\""
           "DisksToExport\" TYPE=\"string\"/></INSTANCE>",
           EXPORT, REFPOINT_ERROR_INCORRECT_TYPE);
}

/* What stands inside an embedded instance is checked like the rest. */
static void
test_embedded_wrong(void)
{
    static const struct {
        const char *inner;
        RefpointError cause;
    } rows[] = {
        {"", REFPOINT_ERROR_INVALID_PARAMETER},
        {"x", REFPOINT_ERROR_INVALID_PARAMETER},
        {"&lt;INSTANCE/&gt;", REFPOINT_ERROR_INVALID_PARAMETER},
        {"&lt;INSTANCE CLASSNAME='Msvm_Error'/&gt;",
         REFPOINT_ERROR_INCORRECT_TYPE},
        {"&lt;INSTANCE CLASSNAME='Msvm_VirtualMachineToDisks'&gt;"
         "&lt;PROPERTY NAME='Caption' TYPE='string'/&gt;&lt;/INSTANCE&gt;",
         REFPOINT_ERROR_INCORRECT_TYPE},
    };
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = g_strdup_printf(
            "<INSTANCE CLASSNAME=\"" COLLECTION "\"><PROPERTY.ARRAY NAME=\""
            "VirtualMachinesToDisksToExport\" TYPE=\"string\"><VALUE.ARRAY>"
            "<VALUE>%s</VALUE></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>",
            rows[i].inner);

        refuse(text, COLLECTION, rows[i].cause);
    }
}

/* @n nested elements in a qualifier, two levels down. */
static char *
deep(guint n)
{
    GString *text = g_string_new(OPEN "<QUALIFIER>");
    guint i = 0;

    for (i = 0; i < n; i++)
        g_string_append(text, "<a>");
    for (i = 0; i < n; i++)
        g_string_append(text, "</a>");
    g_string_append(text, "</QUALIFIER>" CLOSE);
    return g_string_free(text, FALSE);
}

static char *
large(gsize length)
{
    GString *text = g_string_new(OPEN "<!--");

    while (text->len < length - strlen("-->" CLOSE))
        g_string_append_c(text, 'x');
    g_string_append(text, "-->" CLOSE);
    return g_string_free(text, FALSE);
}

/* An embedded instance whose own text is @n + 2 levels deep. */
static char *
deep_embedded(guint n)
{
    g_autoptr(GString) text = g_string_new(
        "<INSTANCE CLASSNAME=\"" COLLECTION "\"><PROPERTY.ARRAY NAME=\""
        "VirtualMachinesToDisksToExport\" TYPE=\"string\"><VALUE.ARRAY>"
        "<VALUE>");
    g_autofree char *inner = deep(n);
    g_autofree char *escaped = NULL;
    char **parts = g_strsplit(inner, SETTING, 2);
    g_autofree char *other =
        g_strjoin("Msvm_VirtualMachineToDisks", parts[0], parts[1], NULL);

    g_strfreev(parts);
    escaped = g_markup_escape_text(other, -1);
    g_string_append(text, escaped);
    g_string_append(text, "</VALUE></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
check_bound(char *text, const char *expected, gboolean good)
{
    g_autofree char *owned = text;

    if (good)
        rfp_msvm_instance_free(parse(owned, expected));
    else
        refuse(owned, expected, REFPOINT_ERROR_INVALID_PARAMETER);
}

static void
test_bounds(void)
{
    const guint most = RFP_MSVM_INSTANCE_DEPTH_MAX;

    check_bound(deep(most - 2), SETTING, TRUE);
    check_bound(deep(most - 1), SETTING, FALSE);
    check_bound(deep(5000), SETTING, FALSE);
    check_bound(deep_embedded(most - 6), COLLECTION, TRUE);
    check_bound(deep_embedded(most - 5), COLLECTION, FALSE);
    check_bound(large(RFP_MSVM_INSTANCE_SIZE_MAX), SETTING, TRUE);
    check_bound(large(RFP_MSVM_INSTANCE_SIZE_MAX + 1), SETTING, FALSE);
}

/* ---- Values without XML -------------------------------------------------- */

static void
test_values(void)
{
    static const struct {
        const char *property;
        const char *text;
        const char *printed; /* NULL: refused */
    } rows[] = {
        {"RunDay", "-128", "-128"},
        {"RunDay", "-129", NULL},
        {"RunDay", "+31", "31"},
        {"RunDay", "128", NULL},
        {"Priority", " 4294967295\n", "4294967295"},
        {"Priority", "4294967296", NULL},
        {"Priority", "0xFf", "255"},
        {"Priority", "0x-1", NULL},
        {"Priority", "+-1", NULL},
        {"Cancellable", "true", "TRUE"},
        {"Cancellable", "FALSE", "FALSE"},
        {"Cancellable", "1", NULL},
        {"StartTime", "20261121203000.123456+000", "20261121203000.123456+000"},
        {"StartTime", "yesterday", NULL},
        {"Owner", " root ", " root "},
    };
    const RfpMsvmClass *klass = rfp_msvm_class_find("Msvm_ConcreteJob");
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RfpMsvmValue) value = rfp_msvm_value_new(
            rfp_msvm_class_property(klass, rows[i].property));
        g_autoptr(GError) error = NULL;
        g_autofree char *printed = NULL;
        gboolean good = rfp_msvm_value_add(value, rows[i].text, -1, 0, &error);

        if (good != (rows[i].printed != NULL))
            g_error("%s=%s", rows[i].property, rows[i].text);
        printed = rfp_msvm_value_format(value, 0);
        g_assert_cmpstr(printed, ==, rows[i].printed);
        if (!good)
            g_assert_error(error, REFPOINT_ERROR,
                           REFPOINT_ERROR_INCORRECT_TYPE);
    }
}

static void
test_references(void)
{
    static const char *const good[] = {
        "<INSTANCENAME CLASSNAME=\"Msvm_VirtualSystemCollection\">"
        "<KEYVALUE VALUETYPE=\"string\">g</KEYVALUE></INSTANCENAME>",
        "<LOCALINSTANCEPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/>"
        "<NAMESPACE NAME=\"virtualization\"/><NAMESPACE NAME=\"v2\"/>"
        "</LOCALNAMESPACEPATH><INSTANCENAME CLASSNAME=\""
        "msvm_virtualsystemcollection\"><KEYBINDING NAME=\"collectionid\">"
        "<KEYVALUE>g</KEYVALUE></KEYBINDING></INSTANCENAME>"
        "</LOCALINSTANCEPATH>",
    };
    static const struct {
        const char *value;
        RefpointError cause;
    } bad[] = {
        {"", REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCENAME/>", REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCENAME CLASSNAME=\"a b\"/>", REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCENAME CLASSNAME=\"X\"><KEYBINDING NAME=\"a,b\"><KEYVALUE/>"
         "</KEYBINDING></INSTANCENAME>",
         REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCEPATH><INSTANCENAME CLASSNAME=\"X\"/></INSTANCEPATH>",
         REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCENAME CLASSNAME=\"Msvm_VirtualSystemCollection\">"
         "<KEYVALUE VALUETYPE=\"numeric\">x</KEYVALUE></INSTANCENAME>",
         REFPOINT_ERROR_INVALID_PARAMETER},
        {"<INSTANCENAME CLASSNAME=\"Msvm_VirtualSystemCollection\">"
         "<KEYVALUE VALUETYPE=\"numeric\">7</KEYVALUE></INSTANCENAME>",
         REFPOINT_ERROR_INCORRECT_TYPE},
        {"<INSTANCENAME CLASSNAME=\"Msvm_ConcreteJob\">"
         "<KEYVALUE>g</KEYVALUE></INSTANCENAME>",
         REFPOINT_ERROR_INCORRECT_TYPE},
    };
    const char *form =
        "<INSTANCE CLASSNAME=\"Msvm_CollectedVirtualSystems\">"
        "<PROPERTY.REFERENCE NAME=\"Collection\"><VALUE.REFERENCE>%s"
        "</VALUE.REFERENCE></PROPERTY.REFERENCE></INSTANCE>";
    guint i = 0;

    for (i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *text = g_strdup_printf(form, good[i]);
        g_autoptr(RfpMsvmInstance) instance =
            parse(text, "Msvm_CollectedVirtualSystems");

        g_assert_nonnull(rfp_msvm_instance_text(instance, "Collection"));
    }
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text = g_strdup_printf(form, bad[i].value);

        refuse(text, "Msvm_CollectedVirtualSystems", bad[i].cause);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/msvm-instance/settings", test_settings);
    g_test_add_func("/msvm-instance/wmi", test_wmi);
    g_test_add_func("/msvm-instance/embedded", test_embedded);
    g_test_add_func("/msvm-instance/job", test_job);
    g_test_add_func("/msvm-instance/association", test_association);
    g_test_add_func("/msvm-instance/all-classes", test_all_classes);
    g_test_add_func("/msvm-instance/encodings", test_encodings);
    g_test_add_func("/msvm-instance/types", test_types);
    g_test_add_func("/msvm-instance/malformed", test_malformed);
    g_test_add_func("/msvm-instance/arrays", test_arrays);
    g_test_add_func("/msvm-instance/embedded-wrong", test_embedded_wrong);
    g_test_add_func("/msvm-instance/bounds", test_bounds);
    g_test_add_func("/msvm-instance/values", test_values);
    g_test_add_func("/msvm-instance/references", test_references);
    return g_test_run();
}
