/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * librefpoint: reference points of libvirt domains, exported to a directory.
 *
 * This is the plain interface: it speaks of domains, points, sets and causes
 * of failure. Nothing here prints, installs signal handlers or changes global
 * state. A connection may be used by several threads; an operation
 * (RefpointJob) belongs to one call.
 *
 * Strings handed in are borrowed for the length of the call and are UTF-8. A
 * path that is not absolute is one below the working directory.
 * Structures handed out are read-only for the caller and are freed by the
 * function named beside them.
 *
 * A program that was compiled with one version of this header goes on working
 * with the library of a later one:
 *
 * - Structures that the library allocates only grow at their end. A program
 *   must not copy them, nor make arrays of them, nor have them as a part of a
 *   structure of its own, because it does not know how long they are: it keeps
 *   pointers to them.
 * - Structures of options, which the program allocates, begin with their own
 *   size, and are declared with their initialiser:
 *
 *       RefpointImportOptions options = REFPOINT_IMPORT_OPTIONS_INIT;
 *
 *   They only grow at their end, too: a later library takes fields that the
 *   program does not know yet as 0, which means what was done before there was
 *   such a field. A library that is older than the program does not know all
 *   the fields: if those are 0, it goes on without them, else the call fails
 *   with INVALID_PARAMETER; so it does where the size is missing. The field
 *   @reserved has to be 0. Where the initialiser cannot be used, as in bindings
 *   of other languages, all bytes are set to 0 and @size to their number.
 * - RefpointProgress, RefpointExtent, RefpointMsvmParameter and
 *   RefpointMsvmDiskChanges never grow: they lie in arrays one behind the
 *   other, or in memory of the program.
 * - The numbers of enumerations stay; new ones come behind.
 */
#ifndef REFPOINT_H
#define REFPOINT_H

#include <glib.h>

G_BEGIN_DECLS

/* ---- Failures ------------------------------------------------------------ */

#define REFPOINT_ERROR (refpoint_error_quark())

GQuark
refpoint_error_quark(void);

/*
 * Why something failed: one cause for each meaning of the Msvm return codes,
 * in the order of the reference; the value is also the exit status of
 * virt-refpoint. CANCELLED has no Msvm number of its own and counts as FAILED.
 */
typedef enum {
    REFPOINT_ERROR_FAILED = 1,
    REFPOINT_ERROR_ACCESS_DENIED = 2,
    REFPOINT_ERROR_NOT_SUPPORTED = 3,
    REFPOINT_ERROR_STATUS_UNKNOWN = 4,
    REFPOINT_ERROR_TIMEOUT = 5,
    REFPOINT_ERROR_INVALID_PARAMETER = 6,
    REFPOINT_ERROR_IN_USE = 7,
    REFPOINT_ERROR_INVALID_STATE = 8,
    REFPOINT_ERROR_INCORRECT_TYPE = 9,
    REFPOINT_ERROR_NOT_AVAILABLE = 10,
    REFPOINT_ERROR_NO_MEMORY = 11,
    REFPOINT_ERROR_FILE_NOT_FOUND = 12,
    REFPOINT_ERROR_CANCELLED = 13,
} RefpointError;

/* The stable identifier of a cause, as "not-supported"; NULL for a number that
 * is none. */
const char *
refpoint_cause_id(RefpointError cause);

/* Where a failure came from. All strings may be NULL. */
typedef struct {
    RefpointError cause;
    char *message;      /* what was being done to which object, then why */
    char *object;       /* the domain, disk, point, file it is about */
    char *way_out;      /* what the user can do */
    int libvirt_code;   /* virErrorNumber, 0 where libvirt was not the origin */
    int libvirt_domain; /* virErrorDomain */
    char *libvirt_text; /* libvirt's own message */
    int errnum;         /* errno, 0 where the system was not the origin */
} RefpointFailure;

/*
 * What is known about an error that a function of this library gave. Errors of
 * functions without a job carry it behind their message, from the first
 * control character (0x1f) on: show the message of this structure. Never NULL;
 * free with refpoint_failure_free().
 */
RefpointFailure *
refpoint_failure_new(const GError *error);

void
refpoint_failure_free(RefpointFailure *failure);

/* The two return-code sets of the Msvm methods. */
typedef enum {
    REFPOINT_RETURN_CREATE, /* the set that begins at 0: Create... */
    REFPOINT_RETURN_EXPORT, /* the set that begins at 32768: all others */
} RefpointReturnSet;

/*
 * The Msvm number of @cause in @set; 0 as @cause means success. For an error
 * code that is no RefpointError: Failed.
 */
guint32
refpoint_return_value(RefpointReturnSet set, int cause);

/* The reference's English name of a cause ("System is in use"), never NULL;
 * "Completed with No Error" for 0. */
const char *
refpoint_return_name(int cause);

/* ---- Operations ---------------------------------------------------------- */

/* What the running operation is doing, for a progress display. Never grows:
 * the library hands out arrays of it. */
typedef struct {
    const char *target; /* the disk; where an operation is of several domains,
                         * DOMAIN:TARGET */
    guint64 done;       /* bytes of guest data dealt with so far */
    guint64 total;      /* bytes to be dealt with; grows while it is not yet
                         * known, see @final */
    gboolean final;     /* @total will not change any more */
    guint64 stored;     /* bytes written to the image */
} RefpointProgress;

/*
 * Called about every 200 ms from a thread of the library while data moves, and
 * once at the end. @disks has @n_disks entries. Must not block for long.
 */
typedef void (*RefpointProgressFunc)(const RefpointProgress *disks,
                                     guint n_disks,
                                     gpointer opaque);

/* Something the user must know although the operation went on. */
typedef struct {
    char *id;      /* stable: "full-instead-of-increment", ...; all of them
                    * are in virt-refpoint(1), DIAGNOSTICS, as are reasons of
                    * disks and findings of verify */
    char *object;  /* disk target, point or file; or NULL */
    char *message; /* translated */
} RefpointWarning;

typedef enum {
    REFPOINT_MODE_LEFT_OUT,
    REFPOINT_MODE_FULL,
    REFPOINT_MODE_INCREMENT,
} RefpointMode;

typedef enum {
    REFPOINT_CONSISTENCY_UNKNOWN = 0,
    REFPOINT_CONSISTENCY_APPLICATION = 1,
    REFPOINT_CONSISTENCY_CRASH = 2,
} RefpointConsistency;

typedef enum {
    REFPOINT_QUIESCE_AUTO,     /* freeze if the guest can, else go on */
    REFPOINT_QUIESCE_REQUIRED, /* fail where it is not frozen until the
                                * point is made */
    REFPOINT_QUIESCE_NEVER,
} RefpointQuiesce;

typedef enum {
    REFPOINT_AUDIT_NONE, /* nothing was compared (full, or not asked) */
    REFPOINT_AUDIT_MATCH,
    REFPOINT_AUDIT_MISMATCH, /* the disk was exported in full because of it */
} RefpointAudit;

/* One disk of an operation's plan and result. */
typedef struct {
    char *target;
    RefpointMode mode;
    char *reason_id; /* stable: "first", "no-bitmap", "source-changed", ... */
    char *reason;    /* translated sentence */
    char *base_name; /* base point's name, increments only */
    char *base_guid;
    guint64 size;      /* bytes, exact virtual size */
    guint64 estimate;  /* bytes expected to be stored, from the plan */
    guint64 read;      /* bytes of guest data read */
    guint64 stored;    /* bytes of clusters written */
    char *image;       /* path of the image, NULL until written */
    char *view_digest; /* hexadecimal, NULL until known */
    RefpointAudit audit;
    guint audited;     /* clusters compared */
    char *domain_name; /* whose disk it is */
    char *domain_uuid;
} RefpointDiskReport;

/* What an operation did with one domain. */
typedef struct {
    char *domain_name;
    char *domain_uuid;
    RefpointConsistency consistency;
    guint64 frozen_us; /* how long its file systems, or all of it, stood
                        * still */
    GPtrArray *disks;  /* RefpointDiskReport; they are also among the disks of
                        * the whole report, which has those of all members */
    /* Microseconds since the epoch; 0: not so. */
    gint64 frozen_at; /* it was frozen, or suspended */
    gint64 begun_at;  /* the point was made */
    gint64 thawed_at; /* it went on */
} RefpointMemberReport;

/* How the members of a group came to have one moment. */
typedef enum {
    REFPOINT_MOMENT_NONE,   /* there was no group, or no point was made */
    REFPOINT_MOMENT_FROZEN, /* all that ran were frozen before the first point
                             * was made, and until the last one was */
    REFPOINT_MOMENT_PAUSED, /* the same, but suspended */
    REFPOINT_MOMENT_APART,  /* they have not: each point is of a moment of its
                             * own, with the skew between them */
} RefpointMoment;

/* The outcome of an operation. */
typedef struct {
    gboolean changed; /* FALSE: nothing had to be done */
    char *domain_name;
    char *domain_uuid;
    char *point_name;
    char *point_guid;
    char *point_path; /* absolute; NULL unless published */
    char *set_guid;
    RefpointConsistency consistency;
    guint64 frozen_us;    /* how long the guest's file systems stood still */
    GPtrArray *disks;     /* RefpointDiskReport */
    GPtrArray *warnings;  /* RefpointWarning */
    GPtrArray *destroyed; /* char *, names of points destroyed on the way */
    RefpointFailure *failure; /* NULL on success */
    GPtrArray *imported;      /* char *, names of points that are live again */
    guint64 waited_us;        /* for others who worked on the domain */
    char *waited_for;   /* the last of these, a sentence, translated; NULL: it
                         * did not wait */
    GPtrArray *members; /* RefpointMemberReport, one for each domain; what
                         * stands above of a domain is of the first */
    char *group_name;   /* NULL: a single domain */
    char *group_guid;
    RefpointMoment moment;
    guint64 window_us; /* from the first freeze to the last thaw */
    guint64 skew_us;   /* between the first point and the last one */
} RefpointReport;

typedef struct _RefpointJob RefpointJob;

/* A new operation. Free with refpoint_job_free(). */
RefpointJob *
refpoint_job_new(void);

void
refpoint_job_free(RefpointJob *job);

/* Not to be called once the operation has begun. */
void
refpoint_job_set_progress(RefpointJob *job,
                          RefpointProgressFunc func,
                          gpointer opaque);

/*
 * Called once, with the plan, after it was decided and before data moves: the
 * report's disks have their mode, reason, base and estimate. It should not
 * wait: the job on the guest runs already. The guard ends that where it must.
 */
typedef void (*RefpointPlanFunc)(const RefpointReport *plan, gpointer opaque);

void
refpoint_job_set_plan(RefpointJob *job, RefpointPlanFunc func, gpointer opaque);

/* Waits as long as it takes. */
#define REFPOINT_WAIT_FOREVER G_MAXUINT

/* Called when an operation begins to wait, and for each other one that it waits
 * for then; @whom is a sentence, translated. NULL: it waits no longer. */
typedef void (*RefpointWaitFunc)(const char *whom, gpointer opaque);

/*
 * How many seconds an operation that finds the domain in use waits, at most,
 * for its turn: for other operations of this library on it, and for jobs of
 * other programs. 0, the default: not at all, it fails with IN_USE, as it does
 * when the time is over. It has nothing and holds nobody up meanwhile. Data
 * that is kept is waited for only where its time limit ends first; held data is
 * not. @func may be NULL. Not to be called once the operation has begun.
 */
void
refpoint_job_set_wait(RefpointJob *job,
                      guint seconds,
                      RefpointWaitFunc func,
                      gpointer opaque);

/*
 * Asks the operation to stop: it undoes everything and ends with
 * REFPOINT_ERROR_CANCELLED. A point that is already published stays. May be
 * called from any thread and from a signal handler.
 */
void
refpoint_job_cancel(RefpointJob *job);

/*
 * How many bytes of guest data are read in a second, of all disks together; 0:
 * no limit. May be called while the operation runs, from any thread and from
 * signal handlers.
 */
void
refpoint_job_set_rate(RefpointJob *job, guint64 bytes_per_second);

/*
 * Stops reading guest data, and goes on with it; nothing is lost meanwhile, and
 * the backup job behind it goes on taking scratch space. An export that has
 * read everything is not published before it is resumed. FALSE: its publication
 * has begun, it ends by itself. Operations without data are not stopped. From
 * any thread and from signal handlers.
 */
gboolean
refpoint_job_suspend(RefpointJob *job);

void
refpoint_job_resume(RefpointJob *job);

/* The outcome; valid until the job is freed, complete once the call ended. */
const RefpointReport *
refpoint_job_get_report(RefpointJob *job);

/* ---- Connection ---------------------------------------------------------- */

typedef struct _RefpointConnection RefpointConnection;

/*
 * libvirt prints errors on standard error unless a handler is set. A program
 * that shows the errors itself calls this once, before it connects; the
 * library itself never does (virSetErrorFunc() is global).
 */
void
refpoint_silence_libvirt(void);

/*
 * Connects to libvirt at @uri (NULL: as virConnectOpen() chooses). Only the
 * local QEMU driver is served: a remote URI (nothing is connected to), another
 * driver, or another user's session daemon is NOT_SUPPORTED. Not let in:
 * ACCESS_DENIED. No connection: NOT_AVAILABLE; so is a session without
 * XDG_RUNTIME_DIR where the user has logged in: libvirt would start a second
 * daemon. Where libvirt's daemon is restarted later, what needs it waits and
 * connects again, for a minute at most; then that fails as NOT_AVAILABLE, or as
 * STATUS_UNKNOWN where a job has begun. Free with refpoint_connection_free().
 */
RefpointConnection *
refpoint_connection_open(const char *uri, GError **error);

void
refpoint_connection_free(RefpointConnection *conn);

/*
 * Before the program stops, as Ctrl-Z does: QEMU waits for who does not read
 * its reply to the end, and its guest may with it. From now on no operation
 * over
 * @conn asks QEMU for data; waits @wait_ms at most for the replies to what was
 * asked. FALSE: some are still to come; may be called again, to wait on. Which
 * jobs are suspended, and how fast they read, stays as it is. From any thread,
 * but not from signal handlers.
 */
gboolean
refpoint_connection_hold(RefpointConnection *conn, guint wait_ms);

/* What was held goes on. As above. */
void
refpoint_connection_release(RefpointConnection *conn);

/* ---- Points of domains --------------------------------------------------- */

typedef enum {
    REFPOINT_STATE_FOREIGN,   /* a checkpoint of another tool */
    REFPOINT_STATE_PENDING,   /* made by an operation that has not published */
    REFPOINT_STATE_PUBLISHED, /* exported: a base for the next export */
    REFPOINT_STATE_TRACKED,   /* made with create, never exported */
} RefpointState;

/* Whether the data of a point's moment is there to be exported. */
typedef enum {
    REFPOINT_KEEP_NOTHING, /* the checkpoint alone */
    REFPOINT_KEEP_FIRST,   /* until its first export, or a time limit (RCT) */
    REFPOINT_KEEP_HOLD,    /* until it is removed (log based) */
} RefpointKeep;

/* Seconds that the data of REFPOINT_KEEP_FIRST is kept by default. */
#define REFPOINT_KEEP_SECONDS 600

typedef enum {
    REFPOINT_BITMAP_UNKNOWN, /* the domain does not run, QEMU did not answer, or
                              * somebody may be reading a backup job of it */
    REFPOINT_BITMAP_GOOD,
    REFPOINT_BITMAP_BROKEN, /* missing or inconsistent */
} RefpointBitmap;

typedef struct {
    char *target;
    RefpointBitmap bitmap;
    guint64 changed; /* bytes changed since the point, if the bitmap is good */
} RefpointPointDisk;

typedef struct {
    char *domain_name;
    char *domain_uuid;
    char *name;
    char *guid;
    char *parent;   /* the checkpoint's parent, or NULL */
    char *set_guid; /* the set it was made for, or NULL */
    gint64 created; /* seconds since the epoch */
    RefpointState state;
    RefpointConsistency consistency;
    GPtrArray *disks;     /* RefpointPointDisk */
    RefpointKeep keep;    /* what is there now, not what once was */
    gint64 keep_until;    /* seconds since the epoch; 0: no time limit */
    guint64 scratch_used; /* bytes that keeping it takes now */
    guint64 scratch_max;  /* bytes; it ends when they are used */
    gboolean held;        /* was made as a held (log based) point */
} RefpointPoint;

void
refpoint_point_free(RefpointPoint *point);

/*
 * The points of @domain (name, UUID or id), oldest first; of all domains where
 * it is NULL. Their bitmaps are UNKNOWN. Free with g_ptr_array_unref(). Errors:
 * INVALID_PARAMETER (no such domain), NOT_AVAILABLE.
 */
GPtrArray *
refpoint_list(RefpointConnection *conn, const char *domain, GError **error);

/*
 * Fills in how the bitmaps of @points are, of domains that run: a question for
 * each point, which QEMU has to answer. One that is busy for long, or that does
 * not answer for 5 seconds, is not waited for: what nobody can tell stays
 * UNKNOWN.
 * @points: from refpoint_list() at this connection.
 */
void
refpoint_list_bitmaps(RefpointConnection *conn, GPtrArray *points);

/* One point, by name or GUID, with its bitmaps, where QEMU can be asked: its
 * answer is waited for. Free with refpoint_point_free(). */
RefpointPoint *
refpoint_info(RefpointConnection *conn,
              const char *domain,
              const char *point,
              GError **error);

/* Declared with REFPOINT_CREATE_OPTIONS_INIT, then filled in. */
typedef struct {
    gsize size; /* of this structure, in bytes */
    const char *domain;
    const char *name; /* NULL: made from the time and the GUID */
    RefpointQuiesce quiesce;
    RefpointKeep keep;
    const char *directory;    /* the set whose points are its bases; NULL: the
                               * newest older point of ours of each disk, held
                               * points: none */
    guint keep_seconds;       /* of KEEP_FIRST; 0: REFPOINT_KEEP_SECONDS */
    guint64 scratch_max;      /* bytes; 0: the smaller of the disks' size and
                               * half of the free space */
    const char *scratch_dir;  /* NULL: by default */
    gboolean allow_plaintext; /* keep the data of encrypted disks too */
    guint reserved;           /* 0 */
} RefpointCreateOptions;

#define REFPOINT_CREATE_OPTIONS_INIT                                           \
    {                                                                          \
        .size = sizeof(RefpointCreateOptions)                                  \
    }

/*
 * Makes a point of a running domain. What keeps its data is a backup job, which
 * a guard watches: meanwhile the domain can have no other, and cannot be
 * migrated, saved or snapshotted. One a domain: else IN_USE.
 */
gboolean
refpoint_create(RefpointConnection *conn,
                const RefpointCreateOptions *options,
                RefpointJob *job,
                GError **error);

/* Deletes the point's checkpoint; an export made of it stays. IN_USE while
 * another program has a backup job on the domain: see
 * REFPOINT_BITMAP_UNKNOWN. */
gboolean
refpoint_destroy(RefpointConnection *conn,
                 const char *domain,
                 const char *point,
                 RefpointJob *job,
                 GError **error);

/* Ends what keeps the data of a point; the point stays. @job's report says in
 * @changed whether there was something. Errors: INVALID_PARAMETER (no such
 * domain or point), INVALID_STATE (a point without data that never had any). */
gboolean
refpoint_remove_data(RefpointConnection *conn,
                     const char *domain,
                     const char *point,
                     RefpointJob *job,
                     GError **error);

/* What changed on a disk since a point. Declared with
 * REFPOINT_CHANGES_OPTIONS_INIT, then filled in. */
typedef struct {
    gsize size; /* of this structure, in bytes */
    const char *domain;
    const char *point;  /* name or GUID */
    const char *target; /* the disk; NULL: the only one that the point tracks */
    guint64 offset;     /* of the window, bytes */
    guint64 length;     /* bytes; 0: to the end of the disk */
    guint max_extents;  /* 0: REFPOINT_CHANGES_DEFAULT */
    guint reserved;     /* 0 */
} RefpointChangesOptions;

#define REFPOINT_CHANGES_OPTIONS_INIT                                          \
    {                                                                          \
        .size = sizeof(RefpointChangesOptions)                                 \
    }

#define REFPOINT_CHANGES_DEFAULT 65536
#define REFPOINT_CHANGES_LIMIT 1048576

/* Never grows: the library hands out arrays of it. */
typedef struct {
    guint64 offset; /* bytes */
    guint64 length; /* bytes */
} RefpointExtent;

typedef struct {
    char *target;
    guint64 size;      /* of the disk, bytes */
    guint64 offset;    /* where the window begins */
    guint64 length;    /* of the window, clipped to the disk */
    guint64 processed; /* bytes of the window that were looked at: less than
                        * @length where there were too many extents; go on
                        * from @offset + @processed */
    GArray *extents;   /* RefpointExtent, ascending: what changed */
} RefpointChanges;

void
refpoint_changes_free(RefpointChanges *changes);

/*
 * The extents of a running domain's disk that changed since a point, as of the
 * call; each call is a moment of its own. While data of a later point is kept
 * that was begun with this one as the base, as of that point. Extents are whole
 * blocks of the bitmap, clipped to the window: everything that changed, and
 * perhaps more. Free with refpoint_changes_free(). Errors: INVALID_PARAMETER
 * (no such domain, point, disk; the window begins beyond the end),
 * INVALID_STATE (shut off; the bitmap is missing or broken), IN_USE (another
 * job).
 */
RefpointChanges *
refpoint_changes(RefpointConnection *conn,
                 const RefpointChangesOptions *options,
                 RefpointJob *job,
                 GError **error);

/* ---- Groups -------------------------------------------------------------- */

/*
 * A named group of domains, whose points are made at one moment and exported
 * together. It is recorded in the metadata of each member, so a transient
 * domain forgets it when it is shut off. A domain can be in several groups. A
 * name is that of one group of this host; the GUID is the group's identity.
 */
typedef struct {
    char *domain_name; /* now; of one that is missing what it was when the group
                        * was changed last */
    char *domain_uuid;
    char *former_name;  /* what it was then, where that is another one; NULL */
    gboolean missing;   /* no domain of this host */
    gboolean active;    /* it runs, or is paused */
    gboolean transient; /* it is gone when it is shut off */
} RefpointGroupMember;

typedef struct {
    char *name;
    char *guid;
    guint64 generation;  /* counts its changes */
    gboolean unfinished; /* a change died half way, and could not be completed
                          * now: the next change completes it */
    GPtrArray *members;  /* RefpointGroupMember, in the order that the user
                          * gave */
} RefpointGroup;

void
refpoint_group_free(RefpointGroup *group);

/* The groups of this host, by name. Completes a change that died half way,
 * where nobody else is at it. Free with g_ptr_array_unref(). */
GPtrArray *
refpoint_group_list(RefpointConnection *conn, GError **error);

/* One of them, by name or GUID. Free with refpoint_group_free(). Errors:
 * INVALID_PARAMETER (there is none), INVALID_STATE (two have the name). */
RefpointGroup *
refpoint_group_get(RefpointConnection *conn, const char *group, GError **error);

typedef enum {
    REFPOINT_GROUP_SET,    /* makes it, or replaces its members */
    REFPOINT_GROUP_ADD,    /* those that are members already stay */
    REFPOINT_GROUP_REMOVE, /* a member that is missing is named by its UUID, or
                            * by the name that it had */
    REFPOINT_GROUP_DELETE, /* the domains and their points stay */
} RefpointGroupChange;

/*
 * Changes a group. @domains: NULL-terminated, each a name, UUID or id; NULL for
 * DELETE. @job's report says in @changed whether anything was to do, and warns
 * of members that are missing, were renamed, or are transient. On failure the
 * group is as it was. Errors: INVALID_PARAMETER (no such group or domain, a
 * name that cannot be one, a group would have no member), INVALID_STATE (two
 * have the name), IN_USE (another change goes on for more than ten seconds).
 */
gboolean
refpoint_group_change(RefpointConnection *conn,
                      RefpointGroupChange change,
                      const char *group,
                      const char *const *domains,
                      RefpointJob *job,
                      GError **error);

/* ---- Import -------------------------------------------------------------- */

/* Declared with REFPOINT_IMPORT_OPTIONS_INIT, then filled in. */
typedef struct {
    gsize size; /* of this structure, in bytes */
    const char *domain;
    const char *directory; /* the export set */
    const char *point;     /* name or GUID; NULL: all that have their bitmaps,
                            * with @restored the newest */
    gboolean restored;     /* the disks were restored from the set */
    guint reserved;        /* 0 */
} RefpointImportOptions;

#define REFPOINT_IMPORT_OPTIONS_INIT                                           \
    {                                                                          \
        .size = sizeof(RefpointImportOptions)                                  \
    }

/*
 * Makes exported points live again, whose bitmaps are in the domain's images,
 * but whose checkpoints libvirt has lost (the domain was defined anew, renamed,
 * migrated). With @restored (the domain is shut off, the images came out of
 * the set) the disks are compared with the point, and get new bitmaps. The
 * report says which points are live again; a point that is live already is left
 * as it is. Errors: INVALID_PARAMETER (the set is another VM's, or has no such
 * point), INVALID_STATE (a bitmap is missing or broken, a disk differs, another
 * checkpoint has the name); then nothing is changed.
 */
gboolean
refpoint_import(RefpointConnection *conn,
                const RefpointImportOptions *options,
                RefpointJob *job,
                GError **error);

/* ---- Export -------------------------------------------------------------- */

#define REFPOINT_AUDIT_DEFAULT 64
#define REFPOINT_AUDIT_ALL G_MAXUINT
#define REFPOINT_CHAIN_DEFAULT 64
#define REFPOINT_CHAIN_LIMIT 150
#define REFPOINT_COMPRESS_LEVEL_MAX 22
#define REFPOINT_STALL_DEFAULT 120
/* Seconds from the first freeze in a group to its last thaw: what Windows'
 * shadow copies allow. */
#define REFPOINT_WINDOW_DEFAULT 10
#define REFPOINT_WINDOW_MAX 3600
#define REFPOINT_JOBS_MAX 256

/* How images are compressed. */
typedef enum {
    REFPOINT_COMPRESS_NONE,
    REFPOINT_COMPRESS_ZSTD,
} RefpointCompress;

/* Declared with REFPOINT_EXPORT_OPTIONS_INIT, which has the defaults of the
 * command line, then filled in. */
typedef struct {
    gsize size;                 /* of this structure, in bytes */
    const char *domain;         /* name, UUID or id */
    const char *directory;      /* the export set */
    const char *create;         /* name of the new point; NULL: by default */
    const char *point;          /* export this point of earlier instead */
    const char *base;           /* "auto", "none", or a point's name or GUID */
    const char *const *disks;   /* NULL-terminated targets; NULL: all */
    const char *const *exclude; /* NULL-terminated targets; NULL: none */
    RefpointQuiesce quiesce;
    gboolean replace_base;        /* destroy the base's checkpoint afterwards */
    guint keep_points;            /* 0: all; else all of this set but N go */
    guint max_chain;              /* images in a chain, 1 to the limit */
    const char *scratch_dir;      /* NULL: by default */
    guint64 scratch_reserve;      /* bytes kept free */
    gboolean scratch_reserve_set; /* FALSE: the larger of 1 GiB and 5 % */
    guint audit;                  /* clusters compared; 0 none, or ALL */
    gboolean allow_plaintext;     /* of an encrypted source */
    gboolean dry_run;             /* plan only */
    RefpointCompress compress;    /* of the images */
    int compress_level;           /* 1 to the limit; 0: by default */
    guint64 limit_rate;           /* as refpoint_job_set_rate(); 0: no limit */
    guint stall_timeout;    /* seconds that QEMU may stay silent while data
                             * moves; 0: no limit */
    gboolean allow_missing; /* members of @group that are not here are left
                             * out, with a warning */
    const char *group;      /* in place of @domain: its name or GUID; then
                             * @disks and @exclude are DOMAIN:TARGET */
    gboolean pause; /* suspend all that runs instead of freezing it, for the
                     * moment of the point */
    guint window;   /* seconds that guests may stand still for their point; 0:
                     * REFPOINT_WINDOW_DEFAULT for a group, else a minute */
    guint jobs;     /* disks that are read at a time; 0: by the number of
                     * CPUs */
    guint reserved; /* 0 */
} RefpointExportOptions;

#define REFPOINT_EXPORT_OPTIONS_INIT                                           \
    {                                                                          \
        .size = sizeof(RefpointExportOptions), .base = "auto",                 \
        .max_chain = REFPOINT_CHAIN_DEFAULT, .audit = REFPOINT_AUDIT_DEFAULT,  \
        .stall_timeout = REFPOINT_STALL_DEFAULT,                               \
    }

/*
 * Sets @options, which are @size bytes long as the caller knows them, to what
 * REFPOINT_EXPORT_OPTIONS_INIT has: for bindings, which cannot use that.
 */
void
refpoint_export_options_init(RefpointExportOptions *options, gsize size);

/*
 * Exports a point of a running domain, or of all domains of a group at one
 * moment, into a set. The outcome, and the warnings, are in the job's report.
 * On failure everything made is undone before the call ends: of a group all of
 * it is published, or nothing. The members are frozen, or suspended, before the
 * first of their points is made, until the last one is; past the window they
 * go on, and that is TIMEOUT. Members that cannot be frozen do not have that
 * moment, which is a warning.
 */
gboolean
refpoint_export(RefpointConnection *conn,
                const RefpointExportOptions *options,
                RefpointJob *job,
                GError **error);

/* ---- Sets ---------------------------------------------------------------- */

typedef struct {
    char *target;
    RefpointMode mode;
    char *reason_id;
    char *base_guid; /* NULL for a full image */
    guint64 size;    /* bytes, exact virtual size */
    guint64 stored;  /* bytes of clusters in this image */
    char *image;     /* relative to the set */
    char *view_digest;
    guint depth;       /* images in the chain, this one included */
    char *domain_name; /* whose disk it is */
    char *domain_uuid;
} RefpointCatalogDisk;

typedef struct {
    char *name;
    char *guid;
    char *folder;      /* relative to the set */
    char *parent_guid; /* point that came before in the set's tree, or NULL */
    guint64 sequence;
    char *created; /* ISO 8601, UTC */
    RefpointConsistency consistency;
    char *domain_name; /* of a point of several: the set's, or the first */
    char *domain_uuid;
    GPtrArray *disks; /* RefpointCatalogDisk, those of a domain in a row */
    char *damage;     /* why it cannot be read; then only folder is set */
    char *newer;      /* why this program is too old to read it, which is no
                       * damage; then only folder is set */
} RefpointCatalogPoint;

typedef struct {
    char *path;
    char *set_guid;
    char *domain_name; /* NULL: the set is a group's */
    char *domain_uuid;
    GPtrArray *points; /* RefpointCatalogPoint, by sequence */
    char *group_name;  /* when the set was made; NULL: it is a VM's */
    char *group_guid;
} RefpointCatalog;

void
refpoint_catalog_free(RefpointCatalog *catalog);

/* What is in a set, from its manifests. Takes no lock. */
RefpointCatalog *
refpoint_catalog(const char *directory, GError **error);

typedef struct {
    char *path;    /* relative to the set */
    char *id;      /* stable: "digest-mismatch", "missing-file", ... */
    char *message; /* translated */
    /* The bytes of the disk that it is about, where @path is an image or a file
     * of digests; @length 0: not known, or it is about no range of a disk. */
    guint64 offset;
    guint64 length;
} RefpointFinding;

typedef struct {
    char *path;
    char *set_guid;
    guint points; /* looked at */
    guint images;
    guint64 bytes;      /* of cluster data compared with digests */
    GPtrArray *damages; /* RefpointFinding: data is wrong or missing */
    GPtrArray *remarks; /* RefpointFinding: leftovers, permissions */
    GPtrArray *newer;   /* RefpointFinding: what this program is too old for,
                         * and has not checked */
} RefpointVerification;

void
refpoint_verification_free(RefpointVerification *verification);

/*
 * Checks a set, or one point and what it builds on. Returns NULL only if the
 * check itself could not be made; damage is in the result. Progress and
 * cancellation go through @job.
 */
RefpointVerification *
refpoint_verify(const char *directory,
                const char *point,
                RefpointJob *job,
                GError **error);

/* ---- Version ------------------------------------------------------------- */

/* The library's version, "0.1.0". */
const char *
refpoint_version(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointFailure, refpoint_failure_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointConnection, refpoint_connection_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointJob, refpoint_job_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointPoint, refpoint_point_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointChanges, refpoint_changes_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointGroup, refpoint_group_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointCatalog, refpoint_catalog_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefpointVerification, refpoint_verification_free)

G_END_DECLS

#endif
