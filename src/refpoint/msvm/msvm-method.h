/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way that every call of a method takes: its parameters are read by the
 * tables of the classes, a handler checks what they mean, and what is left runs
 * here or in a job.
 */
#ifndef RFP_MSVM_METHOD_H
#define RFP_MSVM_METHOD_H

#include "msvm/msvm-job.h"

typedef struct _RfpMsvmHandler RfpMsvmHandler;

typedef struct {
    RefpointMsvm *msvm;
    const RfpMsvmHandler *handler;
    const RfpMsvmClass *klass;
    const RfpMsvmMethod *method;
    const char *path; /* of the object, for methods of jobs */
    GPtrArray *in;    /* RfpMsvmValue */
    GPtrArray *out;   /* RfpMsvmValue */
    gboolean asynchronous;
} RfpMsvmCall;

/* What a method does. Either it is work for jobs (@check makes it), or a matter
 * of a moment (@run does it). */
struct _RfpMsvmHandler {
    const char *class_name; /* the class that has the method, or derived */
    const char *method;
    const RfpMsvmAction *action;
    const char *result; /* out parameter of what is made, or NULL */
    gboolean (*check)(const RfpMsvmCall *call,
                      RfpMsvmWork *work,
                      GError **error);
    guint32 (*run)(RfpMsvmCall *call, GError **error);
};

/* Each ends with a row without a class. */
extern const RfpMsvmHandler rfp_msvm_service_handlers[];
extern const RfpMsvmHandler rfp_msvm_job_handlers[];

/* No such class or method: INVALID_PARAMETER. Free with
 * rfp_msvm_call_free(). */
RfpMsvmCall *
rfp_msvm_call_new(RefpointMsvm *msvm,
                  const char *class_name,
                  const char *method,
                  GError **error);

void
rfp_msvm_call_free(RfpMsvmCall *call);

/* Gives a parameter its value, to be filled; no such one, or one that has its
 * value: INVALID_PARAMETER. */
RfpMsvmValue *
rfp_msvm_call_put(RfpMsvmCall *call, const char *name, GError **error);

/* The same for one text; NULL, and "" of an embedded instance: no value. */
gboolean
rfp_msvm_call_put_text(RfpMsvmCall *call,
                       const char *name,
                       const char *text,
                       GError **error);

/* Runs it: the number of the method. */
guint32
rfp_msvm_call_run(RfpMsvmCall *call, GError **error);

/* For handlers. NULL where there is none, or it is NULL. */
const RfpMsvmItem *
rfp_msvm_call_item(const RfpMsvmCall *call, const char *name);

const char *
rfp_msvm_call_text(const RfpMsvmCall *call, const char *name);

/* 0 where there is none. */
guint64
rfp_msvm_call_number(const RfpMsvmCall *call, const char *name);

/* A new out parameter. */
RfpMsvmValue *
rfp_msvm_call_answer(RfpMsvmCall *call, const char *name);

/* NULL where it has not been answered, or is NULL. */
const RfpMsvmValue *
rfp_msvm_call_answered(const RfpMsvmCall *call, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpMsvmCall, rfp_msvm_call_free)

#endif
