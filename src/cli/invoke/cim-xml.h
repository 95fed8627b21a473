/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CIM XML (DMTF DSP0201) as far as the program needs it: the instances of jobs
 * and errors, and the answer to a method call; pure. Values, of properties and
 * of parameters, are RefpointMsvmParameter.
 */
#ifndef CIM_XML_H
#define CIM_XML_H

#include "refpoint-msvm.h"

#define CIM_XML_SIZE_MAX (1024 * 1024)

typedef struct {
    char *class_name;
    GPtrArray *properties; /* RefpointMsvmParameter */
} CimInstance;

/* NULL where @text is no instance. References are passed over. Free with
 * cim_instance_free(). */
CimInstance *
cim_instance_parse(const char *text);

void
cim_instance_free(CimInstance *instance);

/* Free with g_free(). */
char *
cim_instance_format(const CimInstance *instance);

/* The first value of a property; NULL if it is not there, or NULL. Free with
 * g_free(). */
char *
cim_instance_text(const CimInstance *instance, const char *name);

guint64
cim_instance_number(const CimInstance *instance, const char *name);

/* Seconds of an interval (ElapsedTime), 0 where it is none. */
guint64
cim_instance_seconds(const CimInstance *instance, const char *name);

/* Sets the one value of a property, or makes it. */
void
cim_instance_set(CimInstance *instance,
                 const char *name,
                 const char *type,
                 const char *text);

/* <METHODRESPONSE>; @out may be NULL. Free with g_free(). */
char *
cim_response_format(const char *method,
                    guint32 return_value,
                    const GPtrArray *out);

/* Value number @i as text, always valid UTF-8; free with g_free(). */
char *
cim_value_text(const RefpointMsvmParameter *parameter, guint i);

/* An array of RefpointMsvmParameter. */
GPtrArray *
cim_values_new(void);

/* One more value of @parameter. */
void
cim_value_add(RefpointMsvmParameter *parameter, const void *data, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(CimInstance, cim_instance_free)

#endif
