/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-instance.h"

#include "base/xml.h"
#include "cim/msvm-path.h"
#include "cim/msvm-reference.h"

RfpMsvmInstance *
rfp_msvm_instance_new(const char *class_name)
{
    RfpMsvmInstance *instance = g_new0(RfpMsvmInstance, 1);

    instance->klass = rfp_msvm_class_find(class_name);
    g_assert(instance->klass != NULL);
    instance->values =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_msvm_value_free);
    return instance;
}

void
rfp_msvm_instance_free(RfpMsvmInstance *instance)
{
    if (instance == NULL)
        return;
    g_ptr_array_unref(instance->values);
    g_free(instance);
}

/* ---- Values -------------------------------------------------------------- */

const RfpMsvmValue *
rfp_msvm_instance_value(const RfpMsvmInstance *instance, const char *name)
{
    const RfpMsvmValue *value = NULL;
    guint i = 0;

    for (i = 0; i < instance->values->len; i++) {
        value = g_ptr_array_index(instance->values, i);
        if (g_ascii_strcasecmp(value->property->name, name) == 0)
            return value;
    }
    return NULL;
}

RfpMsvmValue *
rfp_msvm_instance_put(RfpMsvmInstance *instance, const char *name)
{
    const RfpMsvmProperty *property =
        rfp_msvm_class_property(instance->klass, name);
    const RfpMsvmValue *old = rfp_msvm_instance_value(instance, name);
    RfpMsvmValue *value = NULL;

    if (property == NULL)
        return NULL;
    if (old != NULL)
        g_ptr_array_remove(instance->values, (gpointer)old);
    value = rfp_msvm_value_new(property);
    g_ptr_array_add(instance->values, value);
    return value;
}

void
rfp_msvm_instance_set_text(RfpMsvmInstance *instance,
                           const char *name,
                           const char *text)
{
    RfpMsvmValue *value = rfp_msvm_instance_put(instance, name);

    if (value == NULL)
        return;
    if (text != NULL)
        rfp_msvm_value_add_text(value, text);
    else
        value->null = TRUE;
}

void
rfp_msvm_instance_set_number(RfpMsvmInstance *instance,
                             const char *name,
                             guint64 number)
{
    RfpMsvmValue *value = rfp_msvm_instance_put(instance, name);

    if (value != NULL)
        rfp_msvm_value_add_number(value, number);
}

void
rfp_msvm_instance_set_texts(RfpMsvmInstance *instance,
                            const char *name,
                            const char *const *texts)
{
    RfpMsvmValue *value = rfp_msvm_instance_put(instance, name);

    if (value == NULL)
        return;
    value->null = texts == NULL;
    for (; texts != NULL && *texts != NULL; texts++)
        rfp_msvm_value_add_text(value, *texts);
}

const char *
rfp_msvm_instance_text(const RfpMsvmInstance *instance, const char *name)
{
    const RfpMsvmItem *item =
        rfp_msvm_value_item(rfp_msvm_instance_value(instance, name), 0);

    return item != NULL ? item->text : NULL;
}

gboolean
rfp_msvm_instance_number(const RfpMsvmInstance *instance,
                         const char *name,
                         guint64 *number)
{
    const RfpMsvmItem *item =
        rfp_msvm_value_item(rfp_msvm_instance_value(instance, name), 0);

    if (item == NULL)
        return FALSE;
    *number = item->number;
    return TRUE;
}

/* ---- Printing ------------------------------------------------------------ */

static void
write_item(xmlNodePtr node, const RfpMsvmValue *value, guint i)
{
    g_autofree char *text = rfp_msvm_value_format(value, i);

    if (text != NULL)
        rfp_xml_add(node, "VALUE", text);
    else
        rfp_xml_add(node, "VALUE.NULL", NULL);
}

static void
write_array(xmlNodePtr root, const RfpMsvmValue *value)
{
    const RfpMsvmProperty *property = value->property;
    xmlNodePtr node = rfp_xml_add(root, "PROPERTY.ARRAY", NULL);
    guint i = 0;

    rfp_xml_set(node, "NAME", property->name);
    rfp_xml_set(node, "TYPE", rfp_cim_type_name(property->type));
    if (value->null)
        return;
    node = rfp_xml_add(node, "VALUE.ARRAY", NULL);
    for (i = 0; i < value->items->len; i++)
        write_item(node, value, i);
}

static void
write_reference(xmlNodePtr root, const RfpMsvmValue *value)
{
    xmlNodePtr node = rfp_xml_add(root, "PROPERTY.REFERENCE", NULL);
    const RfpMsvmItem *item = rfp_msvm_value_item(value, 0);
    g_autoptr(RfpMsvmPath) path =
        item != NULL ? rfp_msvm_path_parse(item->text, NULL) : NULL;

    rfp_xml_set(node, "NAME", value->property->name);
    rfp_xml_set(node, "REFERENCECLASS", value->property->of);
    if (path != NULL)
        rfp_msvm_reference_write(node, path);
}

static void
write_scalar(xmlNodePtr root, const RfpMsvmValue *value)
{
    xmlNodePtr node = rfp_xml_add(root, "PROPERTY", NULL);

    rfp_xml_set(node, "NAME", value->property->name);
    rfp_xml_set(node, "TYPE", rfp_cim_type_name(value->property->type));
    if (rfp_msvm_value_item(value, 0) != NULL)
        write_item(node, value, 0);
}

static void
write_value(xmlNodePtr root, const RfpMsvmValue *value)
{
    if (value->property->type == RFP_CIM_REFERENCE)
        write_reference(root, value);
    else if (value->property->flags & RFP_MSVM_ARRAY)
        write_array(root, value);
    else
        write_scalar(root, value);
}

char *
rfp_msvm_instance_format(const RfpMsvmInstance *instance)
{
    g_autoptr(xmlDoc) doc = rfp_xml_new("INSTANCE", NULL);
    xmlNodePtr root = xmlDocGetRootElement(doc);
    g_autoptr(GPtrArray) all = rfp_msvm_class_properties(instance->klass);
    const RfpMsvmProperty *property = NULL;
    const RfpMsvmValue *value = NULL;
    guint i = 0;

    rfp_xml_set(root, "CLASSNAME", instance->klass->name);
    for (i = 0; i < all->len; i++) {
        property = g_ptr_array_index(all, i);
        value = rfp_msvm_instance_value(instance, property->name);
        if (value != NULL)
            write_value(root, value);
    }
    return rfp_xml_to_text(doc, FALSE);
}
