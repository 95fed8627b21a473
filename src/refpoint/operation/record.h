/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The durable record of an operation on its subject, a domain or a set: the
 * inverse steps of what is about to be done, appended before it is done. One
 * file a subject; the OFD lock on a domain's is the domain's lock. A record
 * whose lock is held is a living operation, an unlocked one with steps in it is
 * stale: its undo comes first.
 *
 * What changes a set alone has the set as its subject; an export has its
 * domain. Records of sets lie where those of domains do, and not in the set: a
 * set from outside must not be able to say what is removed from this host.
 *
 * Append-only lines, "keyword argument...", arguments percent-encoded; a last
 * line that a crash tore is no step, nothing was done for it yet.
 */
#ifndef RFP_RECORD_H
#define RFP_RECORD_H

#include "base/files.h"

typedef enum {
    RFP_STEP_OPERATION, /* uri, domain UUID, point GUID, set path, set GUID;
                         * the set's are "" where there is none, URI and
                         * domain where a set alone is the subject */
    RFP_STEP_RAN,       /* the guest ran: an I/O error stop is resumed */
    RFP_STEP_FREEZE,    /* a freeze is about to be asked for */
    RFP_STEP_THAWED,    /* ... and was undone */
    RFP_STEP_PAUSE,     /* the guest is about to be suspended, for the moment of
                         * its point */
    RFP_STEP_RESUMED,   /* ... and was resumed */
    RFP_STEP_SOCKET,    /* path of the NBD socket */
    RFP_STEP_SCRATCH,   /* path of a scratch file */
    RFP_STEP_RESERVE,   /* bytes that the user wants to stay free beside it */
    RFP_STEP_JOB,       /* socket path: a job is about to begin */
    RFP_STEP_BEGUN,     /* ... and libvirt has answered */
    RFP_STEP_CHECKPOINT, /* name, GUID */
    RFP_STEP_IMAGE,      /* path in the set, of a file about to be written */
    RFP_STEP_FOLDER,     /* hidden folder of the point, in the set */
    RFP_STEP_DESTROY,    /* name, GUID: goes once the point is published */
    RFP_STEP_REDEFINED,  /* name, GUID: a checkpoint of which only the metadata
                          * is made */
    RFP_STEP_BITMAP,     /* path of an image, name: added to it offline */
    RFP_STEP_RELEASE,    /* what keeps this point's data ends once the point is
                          * published */
    /* only of what is kept (kept.h): */
    RFP_STEP_BASE,   /* target, GUID of the point that the job is incremental
                      * from, or "" */
    RFP_STEP_AMOUNT, /* target, bytes of its image that were in use at the
                      * point, bytes changed between base and point */
    RFP_STEP_POINT,  /* the checkpoint's XML, as libvirt had it then */
    RFP_STEP_KEPT,   /* "first" or "hold", seconds of CLOCK_BOOTTIME until
                      * when or "0", bytes of scratch; the last one */
    RFP_STEP_ENDED,  /* why it ended */
    RFP_N_STEPS
} RfpStepKind;

typedef struct {
    RfpStepKind kind;
    char **args; /* as many as the kind has */
} RfpStep;

typedef struct {
    char *path;
    int fd;
    GPtrArray *steps;  /* RfpStep, in the order they were made */
    char *holder_path; /* of the file that names us (holder.h), or NULL */
} RfpRecord;

/*
 * Opens the record of a domain, making it, and takes its lock, waiting up to
 * @wait_ms. A living operation holds it: IN_USE. Steps of a stale operation are
 * in @steps.
 */
RfpRecord *
rfp_record_open(const char *records_dir,
                const char *domain_uuid,
                guint wait_ms,
                GError **error);

/* The same of a set, by its GUID. The caller has the set's own lock, which
 * keeps others on other hosts out, too. */
RfpRecord *
rfp_record_open_set(const char *records_dir,
                    const char *set_guid,
                    guint wait_ms,
                    GError **error);

/* Asked about ten times a second while the lock is somebody else's. FALSE: no
 * longer. */
typedef gboolean (*RfpRecordPatience)(gpointer opaque);

/*
 * The same for who waits for a turn: those who do stand in line before the
 * lock, in no order, and who comes when it is given back does not get before
 * them. NULL for @patience: no waiting, but IN_USE, as where it is over.
 */
RfpRecord *
rfp_record_take_turn(const char *records_dir,
                     const char *domain_uuid,
                     RfpRecordPatience patience,
                     gpointer opaque,
                     GError **error);

/* Gives the lock back. The file stays: it is the lock (but see tidy.h). */
void
rfp_record_close(RfpRecord *record);

/* Appends a step with its arguments, NULL-terminated, in memory and file.
 * Durable only after rfp_record_sync(). */
gboolean
rfp_record_append(RfpRecord *record, GError **error, RfpStepKind kind, ...)
    G_GNUC_NULL_TERMINATED;

gboolean
rfp_record_sync(RfpRecord *record, GError **error);

/* Forgets the steps: the operation is over. */
gboolean
rfp_record_clear(RfpRecord *record, GError **error);

/*
 * Moves the steps to a file of their own ("<domain>.<point>.kept") and clears
 * the record: what cannot be undone now (the set is not mounted) must not stand
 * in the way of the next operation. (The suffix has nothing to do with kept.h.)
 */
gboolean
rfp_record_set_aside(RfpRecord *record, GError **error);

/* Moves the steps to the file of what is kept ("<domain>.data"), and clears the
 * record: the operation is over, its job goes on. */
gboolean
rfp_record_keep(RfpRecord *record, GError **error);

/* The record of a living operation, for looking only: who leads it has the
 * lock, and goes on writing. NULL where there is none. */
RfpRecord *
rfp_record_peek(const char *records_dir, const char *domain_uuid);

RfpRecord *
rfp_record_peek_set(const char *records_dir, const char *set_guid);

/* The record of what is kept of a domain; NULL where there is none. @locked:
 * the caller has the domain's lock; else it is for looking only. */
RfpRecord *
rfp_record_open_kept(const char *records_dir,
                     const char *domain_uuid,
                     gboolean locked);

/* Its file, there or not. Free with g_free(). */
char *
rfp_record_kept_path(const char *records_dir, const char *domain_uuid);

/* The records of a domain that were set aside: GPtrArray of RfpRecord. They
 * need no lock of their own, the domain's is held. */
GPtrArray *
rfp_record_list_aside(const char *records_dir, const char *domain_uuid);

/* The UUIDs of the domains that have a record, or one of kept data: a set. Free
 * with g_hash_table_unref(). */
GHashTable *
rfp_record_domains(const char *records_dir);

/* Removes the file of a record: one that was set aside, or under its lock one
 * that nobody needs any more. */
gboolean
rfp_record_remove(RfpRecord *record, GError **error);

/* The last step of this kind, or NULL. */
const RfpStep *
rfp_record_find(const RfpRecord *record, RfpStepKind kind);

/* Pure: one line of the file, without its newline. NULL: no step. */
RfpStep *
rfp_step_parse(const char *line);

char *
rfp_step_format(const RfpStep *step);

void
rfp_step_free(RfpStep *step);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpRecord, rfp_record_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpStep, rfp_step_free)

#endif
