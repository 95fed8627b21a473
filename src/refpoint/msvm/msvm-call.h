/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A call of a method: whose method it is, and its parameters in and out, which
 * follow the tables of the classes. What the method does: msvm-method.h.
 */
#ifndef RFP_MSVM_CALL_H
#define RFP_MSVM_CALL_H

#include "msvm/msvm-service.h"

typedef struct {
    RefpointMsvm *msvm; /* borrowed, as all but the parameters */
    const RfpMsvmClass *klass;
    const RfpMsvmMethod *method;
    const char *path;      /* of the job, for methods of jobs; else NULL */
    gboolean asynchronous; /* the caller wants a job, where there can be one */
    GPtrArray *in;         /* RfpMsvmValue, each parameter at most once */
    GPtrArray *out;        /* RfpMsvmValue, as the method answers them */
} RfpMsvmCall;

/* A call of @method, which the class has or inherits, without parameters. No
 * such class or method: INVALID_PARAMETER. Free with rfp_msvm_call_free(). */
RfpMsvmCall *
rfp_msvm_call_new(RefpointMsvm *msvm,
                  const char *class_name,
                  const char *method,
                  GError **error);

void
rfp_msvm_call_free(RfpMsvmCall *call);

/* ---- For the caller ------------------------------------------------------ */

/* A new value for the in parameter @name, to be filled; owned by @call. The
 * method has no such parameter, or it has its value already:
 * INVALID_PARAMETER. */
RfpMsvmValue *
rfp_msvm_call_put(RfpMsvmCall *call, const char *name, GError **error);

/* Gives the in parameter @name the value that @text says. NULL, and "" for an
 * embedded instance: the parameter is NULL. Errors as above, and those of
 * rfp_msvm_value_add(). */
gboolean
rfp_msvm_call_put_text(RfpMsvmCall *call,
                       const char *name,
                       const char *text,
                       GError **error);

/* The same of a parameter that is a number. */
gboolean
rfp_msvm_call_put_number(RfpMsvmCall *call,
                         const char *name,
                         guint64 number,
                         GError **error);

/* The value of an out parameter; NULL where the method has not answered it, or
 * with NULL. */
const RfpMsvmValue *
rfp_msvm_call_answered(const RfpMsvmCall *call, const char *name);

/* ---- For the method ------------------------------------------------------ */

/* Whether every in parameter that is needed has a value (else
 * INVALID_PARAMETER), and every one that is both in and out has none (else
 * NOT_SUPPORTED). */
gboolean
rfp_msvm_call_check(const RfpMsvmCall *call, GError **error);

/* The first, or only, value of an in parameter; NULL where it was not given, or
 * is NULL. */
const RfpMsvmItem *
rfp_msvm_call_item(const RfpMsvmCall *call, const char *name);

/* The same as a text; as an embedded instance. */
const char *
rfp_msvm_call_text(const RfpMsvmCall *call, const char *name);

const RfpMsvmInstance *
rfp_msvm_call_instance(const RfpMsvmCall *call, const char *name);

/* The same as a number, with 0 for NULL. */
guint64
rfp_msvm_call_number(const RfpMsvmCall *call, const char *name);

/* A new value for the out parameter @name, which the method has, to be filled;
 * owned by @call. */
RfpMsvmValue *
rfp_msvm_call_answer(RfpMsvmCall *call, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmCall, rfp_msvm_call_free)

#endif
