/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-reference.h"

#include <string.h>

/* ---- Writing ------------------------------------------------------------- */

static void
write_namespace(xmlNodePtr parent, const char *name_space)
{
    xmlNodePtr node = rfp_xml_add(parent, "LOCALNAMESPACEPATH", NULL);
    g_auto(GStrv) parts = g_strsplit(name_space, "\\", -1);
    char **part = NULL;

    for (part = parts; *part != NULL; part++)
        rfp_xml_set(rfp_xml_add(node, "NAMESPACE", NULL), "NAME", *part);
}

static void
write_name(xmlNodePtr parent, const RfpMsvmPath *path)
{
    xmlNodePtr node = rfp_xml_add(parent, "INSTANCENAME", NULL);
    const RfpMsvmKey *key = NULL;
    xmlNodePtr binding = NULL;
    guint i = 0;

    rfp_xml_set(node, "CLASSNAME", path->class_name);
    for (i = 0; i < path->keys->len; i++) {
        key = g_ptr_array_index(path->keys, i);
        binding = node;
        if (key->name != NULL) {
            binding = rfp_xml_add(node, "KEYBINDING", NULL);
            rfp_xml_set(binding, "NAME", key->name);
        }
        binding = rfp_xml_add(binding, "KEYVALUE", key->value);
        rfp_xml_set(binding, "VALUETYPE",
                    key->type == RFP_CIM_STRING    ? "string"
                    : key->type == RFP_CIM_BOOLEAN ? "boolean"
                                                   : "numeric");
    }
}

void
rfp_msvm_reference_write(xmlNodePtr parent, const RfpMsvmPath *path)
{
    xmlNodePtr node = rfp_xml_add(parent, "VALUE.REFERENCE", NULL);
    xmlNodePtr where = NULL;

    if (path->host != NULL) {
        node = rfp_xml_add(node, "INSTANCEPATH", NULL);
        where = rfp_xml_add(node, "NAMESPACEPATH", NULL);
        rfp_xml_add(where, "HOST", path->host);
        write_namespace(where, path->name_space);
    } else if (path->name_space != NULL) {
        node = rfp_xml_add(node, "LOCALINSTANCEPATH", NULL);
        write_namespace(node, path->name_space);
    }
    write_name(node, path);
}

/* ---- Reading ------------------------------------------------------------- */
/* The result is printed and read again as a path, which checks every part. */

static xmlNodePtr
child(xmlNodePtr node, const char *name)
{
    return rfp_xml_child(node, name, NULL);
}

static gboolean
read_namespace(xmlNodePtr node, RfpMsvmPath *path)
{
    xmlNodePtr part = child(node, "NAMESPACE");
    g_autoptr(GString) all = g_string_new(NULL);

    if (part == NULL)
        return FALSE;
    for (; part != NULL; part = rfp_xml_next(part)) {
        g_autofree char *name = rfp_xml_attr(part, "NAME");

        if (name == NULL)
            return FALSE;
        if (all->len > 0)
            g_string_append_c(all, '\\');
        g_string_append(all, name);
    }
    path->name_space = g_string_free(g_steal_pointer(&all), FALSE);
    return TRUE;
}

static gboolean
read_key(xmlNodePtr parent, const char *name, RfpMsvmPath *path)
{
    xmlNodePtr node = child(parent, "KEYVALUE");
    g_autofree char *value = rfp_xml_child_text(parent, "KEYVALUE", NULL);
    g_autofree char *type = rfp_xml_attr(node, "VALUETYPE");
    RfpMsvmKey *key = NULL;

    if (value == NULL || path->keys->len == RFP_MSVM_PATH_KEYS_MAX)
        return FALSE;
    rfp_msvm_path_add(path, name, value);
    key = g_ptr_array_index(path->keys, path->keys->len - 1);
    if (g_strcmp0(type, "boolean") == 0)
        key->type = RFP_CIM_BOOLEAN;
    else if (g_strcmp0(type, "numeric") == 0)
        key->type = RFP_CIM_SINT64;
    return TRUE;
}

static gboolean
read_name(xmlNodePtr node, RfpMsvmPath *path)
{
    xmlNodePtr binding = child(node, "KEYBINDING");

    path->class_name = rfp_xml_attr(node, "CLASSNAME");
    if (path->class_name == NULL)
        return FALSE;
    if (binding == NULL)
        return child(node, "KEYVALUE") == NULL || read_key(node, NULL, path);
    for (; binding != NULL; binding = rfp_xml_next(binding)) {
        g_autofree char *name = rfp_xml_attr(binding, "NAME");

        if (name == NULL || !read_key(binding, name, path))
            return FALSE;
    }
    return TRUE;
}

static gboolean
read_parts(xmlNodePtr node, RfpMsvmPath *path)
{
    xmlNodePtr full = child(node, "INSTANCEPATH");
    xmlNodePtr local = child(node, "LOCALINSTANCEPATH");
    xmlNodePtr where = child(full, "NAMESPACEPATH");

    if (full != NULL) {
        path->host = rfp_xml_child_text(where, "HOST", NULL);
        return path->host != NULL &&
               read_namespace(child(where, "LOCALNAMESPACEPATH"), path) &&
               read_name(child(full, "INSTANCENAME"), path);
    }
    if (local != NULL)
        return read_namespace(child(local, "LOCALNAMESPACEPATH"), path) &&
               read_name(child(local, "INSTANCENAME"), path);
    return read_name(child(node, "INSTANCENAME"), path);
}

RfpMsvmPath *
rfp_msvm_reference_read(xmlNodePtr node)
{
    g_autoptr(RfpMsvmPath) path = rfp_msvm_path_new(NULL);
    g_autofree char *text = NULL;

    g_clear_pointer(&path->name_space, g_free);
    if (!read_parts(node, path))
        return NULL;
    text = rfp_msvm_path_format(path);
    return rfp_msvm_path_parse(text, NULL);
}
