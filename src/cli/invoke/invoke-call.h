/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The call of a method and its answer, and how both are sent to the process of
 * a job and back: a key file, values in base64.
 */
#ifndef INVOKE_CALL_H
#define INVOKE_CALL_H

#include "refpoint-msvm.h"

/* Of a call with all its parameters. */
#define INVOKE_SIZE_MAX (64 * 1024 * 1024)

typedef struct {
    char *uri; /* NULL: by default */
    char *class_name;
    char *method;
    char *path;    /* of the object, methods of jobs only; else NULL */
    GPtrArray *in; /* RefpointMsvmParameter */
    guint wait;    /* seconds, as refpoint_msvm_set_wait() has it */
} InvokeCall;

typedef struct {
    guint32 return_value;
    GPtrArray *out;           /* RefpointMsvmParameter */
    RefpointFailure *failure; /* NULL on success */
} InvokeAnswer;

InvokeCall *
invoke_call_new(void);

void
invoke_call_free(InvokeCall *call);

char *
invoke_call_format(const InvokeCall *call);

/* NULL where the text is none. */
InvokeCall *
invoke_call_parse(const char *text, gsize length);

/* Takes @out, which may be NULL. @error: borrowed, why it failed. */
InvokeAnswer *
invoke_answer_new(guint32 return_value, GPtrArray *out, const GError *error);

/* A failure of ours; the number is that of @call's method. */
InvokeAnswer *
invoke_answer_failed(const InvokeCall *call,
                     RefpointError cause,
                     const char *format,
                     ...) G_GNUC_PRINTF(3, 4);

/* The same from an error of the library, before the method was called. */
InvokeAnswer *
invoke_answer_error(const InvokeCall *call, const GError *error);

void
invoke_answer_free(InvokeAnswer *answer);

char *
invoke_answer_format(const InvokeAnswer *answer);

InvokeAnswer *
invoke_answer_parse(const char *text, gsize length);

/* The text of an out parameter; NULL if it is not there, or NULL. Free with
 * g_free(). */
char *
invoke_answer_text(const InvokeAnswer *answer, const char *name);

/* In place of what @answer has: one value, or NULL. */
void
invoke_answer_set(InvokeAnswer *answer,
                  const char *name,
                  const char *type,
                  const char *text);

/* Calls the method in this process. */
InvokeAnswer *
invoke_call_run(const InvokeCall *call,
                RefpointMsvm *msvm,
                gboolean asynchronous);

/* Which numbers the method returns. */
RefpointReturnSet
invoke_return_set(const char *class_name, const char *method);

/* As the number's meaning; 4096 is 0. */
int
invoke_status(guint32 return_value);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(InvokeCall, invoke_call_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(InvokeAnswer, invoke_answer_free)

#endif
