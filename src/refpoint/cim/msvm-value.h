/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The value of a property or parameter, in the type that its class gives it;
 * pure. A value can hold an embedded instance, which holds values (see
 * msvm-instance.h): this unit and those of instances need one another.
 */
#ifndef RFP_MSVM_VALUE_H
#define RFP_MSVM_VALUE_H

#include "cim/msvm-class.h"

typedef struct _RfpMsvmInstance RfpMsvmInstance;

typedef struct {
    gboolean null;  /* then the rest counts nothing */
    guint64 number; /* integers, signed ones cast; booleans 0 or 1 */
    char *text;     /* strings, datetimes, references (object paths) */
    RfpMsvmInstance *instance; /* embedded instances */
} RfpMsvmItem;

typedef struct {
    const RfpMsvmProperty *property;
    gboolean null;    /* the whole value is NULL, it has no items */
    GPtrArray *items; /* RfpMsvmItem; exactly one where it is no array */
} RfpMsvmValue;

RfpMsvmValue *
rfp_msvm_value_new(const RfpMsvmProperty *property);

void
rfp_msvm_value_free(RfpMsvmValue *value);

/*
 * Appends what @text says: a number, TRUE or FALSE, a datetime, an object path
 * of the right class, a string, the XML of an embedded instance (@length bytes
 * of it, any encoding; -1: up to its end). @depth: 0, or the levels of XML that
 * it was found below. Wrong type or range: INCORRECT_TYPE; not well-formed:
 * INVALID_PARAMETER.
 */
gboolean
rfp_msvm_value_add(RfpMsvmValue *value,
                   const char *text,
                   gssize length,
                   guint depth,
                   GError **error);

/* Append without checks, for values of our own. */
void
rfp_msvm_value_add_null(RfpMsvmValue *value);

void
rfp_msvm_value_add_number(RfpMsvmValue *value, guint64 number);

void
rfp_msvm_value_add_text(RfpMsvmValue *value, const char *text);

/* Takes @instance. */
void
rfp_msvm_value_add_instance(RfpMsvmValue *value, RfpMsvmInstance *instance);

/* NULL where there is no item @i, or where it is NULL. */
const RfpMsvmItem *
rfp_msvm_value_item(const RfpMsvmValue *value, guint i);

/* Item @i as rfp_msvm_value_add() reads it; NULL as above. Free with
 * g_free(). */
char *
rfp_msvm_value_format(const RfpMsvmValue *value, guint i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmValue, rfp_msvm_value_free)

#endif
