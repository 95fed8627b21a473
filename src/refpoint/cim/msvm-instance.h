/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Instances of the Msvm classes, and printing them as CIM DTD 2.0 XML (DMTF
 * DSP0203), as WMI's GetText() and the PowerShell CIM serializer write it;
 * pure. msvm-instance-read.h reads that text.
 *
 * An instance holds values, and a value can hold an embedded instance: so the
 * units msvm-value, msvm-instance and msvm-instance-read need one another.
 */
#ifndef RFP_MSVM_INSTANCE_H
#define RFP_MSVM_INSTANCE_H

#include "cim/msvm-value.h"

struct _RfpMsvmInstance {
    const RfpMsvmClass *klass;
    GPtrArray *values; /* RfpMsvmValue, each property at most once */
};

/* @instance as XML in UTF-8: the properties that were given a value, or NULL,
 * in the order of the class. Free with g_free(). */
char *
rfp_msvm_instance_format(const RfpMsvmInstance *instance);

/* @class_name is one of ours. No property has a value yet. */
RfpMsvmInstance *
rfp_msvm_instance_new(const char *class_name);

void
rfp_msvm_instance_free(RfpMsvmInstance *instance);

/* An empty value for a property that the class has, instead of what it had;
 * for the caller to fill. NULL if the class has no such property. */
RfpMsvmValue *
rfp_msvm_instance_put(RfpMsvmInstance *instance, const char *name);

/* Short forms for values of our own; no effect where the class has no such
 * property. @text NULL: the property is NULL. Booleans are numbers. */
void
rfp_msvm_instance_set_text(RfpMsvmInstance *instance,
                           const char *name,
                           const char *text);

void
rfp_msvm_instance_set_number(RfpMsvmInstance *instance,
                             const char *name,
                             guint64 number);

/* @texts: NULL-terminated, or NULL. */
void
rfp_msvm_instance_set_texts(RfpMsvmInstance *instance,
                            const char *name,
                            const char *const *texts);

/* NULL if it was not there. */
const RfpMsvmValue *
rfp_msvm_instance_value(const RfpMsvmInstance *instance, const char *name);

/* NULL if it is NULL, not there or no text. */
const char *
rfp_msvm_instance_text(const RfpMsvmInstance *instance, const char *name);

/* FALSE if it is NULL or not there. */
gboolean
rfp_msvm_instance_number(const RfpMsvmInstance *instance,
                         const char *name,
                         guint64 *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmInstance, rfp_msvm_instance_free)

#endif
