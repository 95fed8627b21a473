/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who has the lock of a domain (record.h), for others to name whom they wait
 * for: "<domain>.holder" beside the record, written behind the lock and gone
 * before it. That somebody works on the domain the lock alone says; a file that
 * was left behind, by a process that is gone, says nothing.
 */
#ifndef RFP_HOLDER_H
#define RFP_HOLDER_H

#include "operation/record.h"

typedef struct {
    pid_t pid;
    guint64 start;   /* rfp_process_start() of it */
    gint64 since;    /* seconds since the epoch */
    gboolean undoes; /* what died, and nothing else */
    char *phase;     /* what it is at, as of its record; translated */
} RfpHolder;

/* Names this process as the one that has @record, until that is closed.
 * @undoes: it does nothing but undo what died. No failure: then nobody is
 * named. */
void
rfp_holder_note(RfpRecord *record, gboolean undoes);

/* NULL where nobody is named, or not the one who has the lock. */
RfpHolder *
rfp_holder_read(const char *records_dir, const char *domain_uuid);

void
rfp_holder_free(RfpHolder *holder);

/* "process 1 (command), since ..., it ..."; free with g_free(). */
char *
rfp_holder_text(const RfpHolder *holder);

/* Whether it is the program, which undoes what it has begun if it is killed
 * with SIGTERM: another one may have more to do than this. */
gboolean
rfp_holder_is_program(const RfpHolder *holder);

/* Pure: what an operation with these steps is at. */
const char *
rfp_holder_phase(const RfpRecord *record);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpHolder, rfp_holder_free)

#endif
