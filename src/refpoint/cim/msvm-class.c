/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-table.h"

/* Superclasses before the classes derived from them. */
static const RfpMsvmClass *const tables[4];
static const char *const type_names[RFP_N_CIM_TYPES];
static const RfpCimInteger integers[RFP_N_CIM_TYPES];

/* ---- Classes ------------------------------------------------------------- */

const RfpMsvmClass *
rfp_msvm_class_nth(guint i)
{
    guint t = 0;
    const RfpMsvmClass *klass = NULL;

    for (t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (klass = tables[t]; klass->name != NULL; klass++) {
            if (i-- == 0)
                return klass;
        }
    }
    return NULL;
}

const RfpMsvmClass *
rfp_msvm_class_find(const char *name)
{
    guint t = 0;
    const RfpMsvmClass *klass = NULL;

    for (t = 0; t < G_N_ELEMENTS(tables); t++) {
        for (klass = tables[t]; klass->name != NULL; klass++) {
            if (g_ascii_strcasecmp(klass->name, name) == 0)
                return klass;
        }
    }
    return NULL;
}

const RfpMsvmClass *
rfp_msvm_class_super(const RfpMsvmClass *klass)
{
    return klass->super != NULL ? rfp_msvm_class_find(klass->super) : NULL;
}

gboolean
rfp_msvm_class_is_a(const RfpMsvmClass *klass, const char *name)
{
    for (; klass != NULL; klass = rfp_msvm_class_super(klass)) {
        if (g_ascii_strcasecmp(klass->name, name) == 0)
            return TRUE;
    }
    return FALSE;
}

/* ---- Properties ---------------------------------------------------------- */

static const RfpMsvmProperty *
find_property(const RfpMsvmProperty *table, const char *name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (g_ascii_strcasecmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

const RfpMsvmProperty *
rfp_msvm_class_property(const RfpMsvmClass *klass, const char *name)
{
    const RfpMsvmProperty *found = NULL;

    for (; klass != NULL && found == NULL; klass = rfp_msvm_class_super(klass))
        found = find_property(klass->properties, name);
    return found;
}

/* Appends what @klass was the first to have, after its ancestors', each as
 * @most has it. */
static void
add_properties(GPtrArray *all,
               const RfpMsvmClass *klass,
               const RfpMsvmClass *most)
{
    const RfpMsvmClass *super = rfp_msvm_class_super(klass);
    const RfpMsvmProperty *property = klass->properties;

    if (super != NULL)
        add_properties(all, super, most);
    for (; property != NULL && property->name != NULL; property++) {
        if (super != NULL &&
            rfp_msvm_class_property(super, property->name) != NULL)
            continue;
        g_ptr_array_add(all, (gpointer)rfp_msvm_class_property(most,
                                                               property->name));
    }
}

GPtrArray *
rfp_msvm_class_properties(const RfpMsvmClass *klass)
{
    GPtrArray *all = g_ptr_array_new();

    add_properties(all, klass, klass);
    return all;
}

const char *
rfp_msvm_property_value_name(const RfpMsvmProperty *property, gint64 value)
{
    const RfpMsvmName *row = property->values;

    for (; row != NULL && row->name != NULL; row++) {
        if (row->value == value)
            return row->name;
    }
    return NULL;
}

/* ---- Methods ------------------------------------------------------------- */

static const RfpMsvmMethod *
find_method(const RfpMsvmMethod *table, const char *name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (g_ascii_strcasecmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

const RfpMsvmMethod *
rfp_msvm_class_method(const RfpMsvmClass *klass, const char *name)
{
    const RfpMsvmMethod *found = NULL;

    for (; klass != NULL && found == NULL; klass = rfp_msvm_class_super(klass))
        found = find_method(klass->methods, name);
    return found;
}

const RfpMsvmProperty *
rfp_msvm_method_parameter(const RfpMsvmMethod *method, const char *name)
{
    return find_property(method->parameters, name);
}

/* ---- Types --------------------------------------------------------------- */

const char *
rfp_cim_type_name(RfpCimType type)
{
    return type_names[type];
}

gboolean
rfp_cim_type_find(const char *name, RfpCimType *type)
{
    guint i = 0;

    for (i = 0; i < RFP_N_CIM_TYPES; i++) {
        if (g_ascii_strcasecmp(type_names[i], name) == 0) {
            *type = (RfpCimType)i;
            return TRUE;
        }
    }
    return FALSE;
}

const RfpCimInteger *
rfp_cim_type_integer(RfpCimType type)
{
    return &integers[type];
}

/* ---- Tables -------------------------------------------------------------- */

static const RfpMsvmClass *const tables[4] = {
    rfp_msvm_cim_classes,
    rfp_msvm_point_classes,
    rfp_msvm_job_classes,
    rfp_msvm_service_classes,
};

static const char *const type_names[RFP_N_CIM_TYPES] = {
    [RFP_CIM_BOOLEAN] = "boolean",   [RFP_CIM_UINT8] = "uint8",
    [RFP_CIM_SINT8] = "sint8",       [RFP_CIM_UINT16] = "uint16",
    [RFP_CIM_SINT16] = "sint16",     [RFP_CIM_UINT32] = "uint32",
    [RFP_CIM_SINT32] = "sint32",     [RFP_CIM_UINT64] = "uint64",
    [RFP_CIM_SINT64] = "sint64",     [RFP_CIM_STRING] = "string",
    [RFP_CIM_DATETIME] = "datetime", [RFP_CIM_REFERENCE] = "reference",
};

static const RfpCimInteger integers[RFP_N_CIM_TYPES] = {
    [RFP_CIM_UINT8] = {TRUE, FALSE, 8},
    [RFP_CIM_SINT8] = {TRUE, TRUE, 8},
    [RFP_CIM_UINT16] = {TRUE, FALSE, 16},
    [RFP_CIM_SINT16] = {TRUE, TRUE, 16},
    [RFP_CIM_UINT32] = {TRUE, FALSE, 32},
    [RFP_CIM_SINT32] = {TRUE, TRUE, 32},
    [RFP_CIM_UINT64] = {TRUE, FALSE, 64},
    [RFP_CIM_SINT64] = {TRUE, TRUE, 64},
    [RFP_CIM_REFERENCE] = {FALSE, FALSE, 0},
};
