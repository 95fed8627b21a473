/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What operations on a domain call, in which order, and what is left when any
 * one of these calls fails: the public functions, on a host that is not there
 * (fake-host.h).
 */
#include "base/job.h"
#include "base/names.h"
#include "fake-host.h"
#include "operation/guard.h"
#include "operation/kept.h"
#include "set.h"
#include "tool.h"
#include "virt/metadata.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

/* More calls than any operation makes. */
#define CALLS_MAX 400
#define TRACES_MAX 2
/* Five milliseconds each. */
#define SERVER_TRIES 2000
#define BASE "base"
#define POINT "p1"
#define NEXT "next"

/* ---- One operation ------------------------------------------------------- */

typedef struct {
    const char *name;
    /* Makes what is there before; or NULL. */
    void (*before)(FakeHost *host);
    gboolean (*run)(FakeHost *host, RefpointJob *job, GError **error);
    /* Whether all is there that a successful run makes. */
    gboolean (*is_done)(FakeHost *host);
    /* Whether the point was made for good when the program was killed behind
     * it; NULL: never, as long as it has calls to make. */
    gboolean (*is_final)(FakeHost *host);
    gboolean needs_server; /* of NBD: it reads the disk */
    /* The calls that change something, of a run in which nothing fails, with
     * what the record has more at that time (fake-host.h). */
    const char *trace;
    /* The same of runs in which the call @call is refused. */
    struct {
        const char *call;
        const char *trace;
    } failing[TRACES_MAX];
} Operation;

/* One run of it. */
typedef struct {
    const Operation *operation;
    FakeHost *host;
    guint n; /* the call that fails */
    FakeFailure failure;
    gboolean done;
    char *calls;         /* of the operation, without what came behind it */
    char *failed;        /* the call that failed, or NULL */
    GHashTable *there;   /* names of the checkpoints before */
    GHashTable *bitmaps; /* names of the bitmaps before */
} Run;

static void
complain(const Run *run, const char *what)
{
    g_test_message("%s: call %u (%s) %s: %s\n%s", run->operation->name, run->n,
                   run->failed != NULL ? run->failed : "none",
                   fake_failures[run->failure], what, run->calls);
    g_test_fail();
}

static void
expect(const Run *run, gboolean condition, const char *what)
{
    if (!condition)
        complain(run, what);
}

static gboolean
create(FakeHost *host,
       const char *name,
       RefpointQuiesce quiesce,
       RefpointKeep keep,
       RefpointJob *job,
       GError **error)
{
    RefpointCreateOptions options = REFPOINT_CREATE_OPTIONS_INIT;

    options.domain = FAKE_NAME;
    options.name = name;
    options.quiesce = quiesce;
    options.keep = keep;
    return refpoint_create(&host->conn, &options, job, error);
}

/* One that has to succeed. */
static void
create_before(FakeHost *host, const char *name, RefpointKeep keep)
{
    RefpointJob *job = refpoint_job_new();
    g_autoptr(GError) error = NULL;

    create(host, name, REFPOINT_QUIESCE_AUTO, keep, job, &error);
    g_assert_no_error(error);
    refpoint_job_free(job);
}

/* ---- What the jobs serve ------------------------------------------------- */

static char *server_dir;
static GPid server;

static void
die_with_us(gpointer opaque G_GNUC_UNUSED)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static gboolean
answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_auto(RfpFd) fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* g_usleep() does not wait here. */
static void
wait_for_server(const char *path)
{
    const struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};

    for (guint i = 0; i < SERVER_TRIES && !answers(path); i++)
        nanosleep(&pause, NULL);
    g_assert_true(answers(path));
}

/* An empty disk with the bitmap of an increment, one server for all jobs. */
static void
start_server(const char *path)
{
    g_autofree char *image = g_build_filename(server_dir, "disk.qcow2", NULL);
    const char *argv[] = {"qemu-nbd",
                          "-r",
                          "-t",
                          "-e",
                          "16",
                          "-f",
                          "qcow2",
                          "-x",
                          FAKE_TARGET,
                          "-B",
                          "backup-" FAKE_TARGET,
                          "-k",
                          path,
                          image,
                          NULL};
    g_autoptr(GError) error = NULL;

    g_free(tool_run("qemu-img", "create", "-q", "-f", "qcow2", image, "256K",
                    NULL));
    g_free(tool_run("qemu-img", "bitmap", "--add", image, "backup-" FAKE_TARGET,
                    NULL));
    g_spawn_async(NULL, (char **)argv, NULL,
                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                      G_SPAWN_STDERR_TO_DEV_NULL,
                  die_with_us, NULL, &server, &error);
    g_assert_no_error(error);
    wait_for_server(path);
}

/* NULL, and the test is skipped: there is no server. */
static const char *
server_socket(void)
{
    static char *path;

    if (path != NULL || !tool_exists("qemu-nbd") || !tool_exists("qemu-img"))
        return path;
    server_dir = set_temp();
    path = g_build_filename(server_dir, "nbd.sock", NULL);
    start_server(path);
    return path;
}

static void
stop_server(void)
{
    if (server_dir == NULL)
        return;
    kill(server, SIGTERM);
    waitpid(server, NULL, 0);
    set_remove(server_dir);
    g_free(server_dir);
}

/* ---- What may be left ---------------------------------------------------- */

static gboolean
record_has(FakeHost *host, const char *word)
{
    g_autofree char *record = fake_host_record(host);
    g_auto(GStrv) words = g_strsplit(record, " ", -1);

    return g_strv_contains((const char *const *)words, word);
}

static gboolean
is_kept(FakeHost *host)
{
    g_autoptr(RfpKept) kept =
        rfp_kept_load(host->conn.records_dir, FAKE_UUID, FALSE);

    return kept != NULL && kept->ended == NULL;
}

/* The name of a file below a folder that begins, or ends, so; or NULL. */
static char *
find_file(const char *path, const char *prefix, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name = NULL;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, prefix) && g_str_has_suffix(name, suffix))
            return g_strdup(name);
    return NULL;
}

static void
expect_no_file(const Run *run,
               const char *dir,
               const char *prefix,
               const char *suffix)
{
    g_autofree char *file = find_file(dir, prefix, suffix);

    if (file != NULL)
        complain(run, file);
}

/* As soon as the operation has returned: what it did not undo stands in the
 * record, or a guard knows of it. */
static void
check_returned(const Run *run)
{
    FakeHost *host = run->host;

    expect(run, host->job == NULL || record_has(host, "job") || is_kept(host),
           "a job is left of which nobody knows");
    expect(run,
           !host->frozen ||
               (record_has(host, "freeze") && !record_has(host, "thawed")) ||
               rfp_late_freeze_pending(&host->conn, FAKE_UUID),
           "the guest is left frozen");
    for (guint i = 0; !run->done && i < host->checkpoints->len; i++) {
        const FakeCheckpoint *checkpoint =
            g_ptr_array_index(host->checkpoints, i);

        expect(run,
               g_hash_table_contains(run->there, checkpoint->name) ||
                   record_has(host, "checkpoint") ||
                   record_has(host, "redefined"),
               "a checkpoint is left of which nobody knows");
    }
}

/* Each entry of the domain's own notes is of a checkpoint. */
static void
check_metadata(const Run *run)
{
    FakeHost *host = run->host;
    g_autoptr(GPtrArray) notes = rfp_metadata_parse(host->metadata, FAKE_UUID);

    for (guint i = 0; i < notes->len; i++) {
        const RfpMetadataPoint *note = g_ptr_array_index(notes, i);
        const FakeCheckpoint *checkpoint =
            fake_host_checkpoint(host, note->name);

        expect(run,
               checkpoint != NULL &&
                   strstr(checkpoint->description, note->guid) != NULL,
               "the metadata has an entry without a checkpoint");
    }
}

static void
check_checkpoints(const Run *run)
{
    FakeHost *host = run->host;
    GHashTableIter iter;
    gpointer name = NULL;

    for (guint i = 0; i < host->checkpoints->len; i++) {
        const FakeCheckpoint *checkpoint =
            g_ptr_array_index(host->checkpoints, i);

        expect(run, g_hash_table_contains(host->bitmaps, checkpoint->name),
               "a checkpoint has no bitmap");
        expect(run,
               run->done || strcmp(checkpoint->name, NEXT) == 0 ||
                   g_hash_table_contains(run->there, checkpoint->name),
               "a checkpoint is left of a point that does not exist");
    }
    g_hash_table_iter_init(&iter, host->bitmaps);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        expect(run,
               g_hash_table_contains(run->bitmaps, name) ||
                   fake_host_checkpoint(host, name) != NULL,
               "a bitmap has no checkpoint");
}

/* When the next operation has ended, too: nothing is left of this one but its
 * point, if it made one. */
static void
check_undone(const Run *run)
{
    FakeHost *host = run->host;
    g_autofree char *set = g_build_filename(host->dir, "set", NULL);
    g_autofree char *images =
        g_build_filename(set, "disks", FAKE_NAME, FAKE_TARGET, NULL);

    expect(run, host->job == NULL, "a job runs");
    expect(run, !host->frozen, "the guest is frozen");
    expect(run, !record_has(host, "operation"), "the record is not clear");
    expect_no_file(run, host->conn.records_dir, "", ".kept");
    expect_no_file(run, host->conn.scratch_dir, "", "");
    expect_no_file(run, host->conn.runtime_dir, "", ".sock");
    expect_no_file(run, set, ".partial", "");
    if (!run->done)
        expect_no_file(run, images, POINT, "");
    check_checkpoints(run);
    check_metadata(run);
    expect(run, !run->done || run->operation->is_done(host),
           "what was told to be done is not");
}

static void
remove_data(FakeHost *host, GError **error)
{
    RefpointJob *job = refpoint_job_new();

    refpoint_remove_data(&host->conn, FAKE_NAME, POINT, job, error);
    refpoint_job_free(job);
}

/* The program's next calls on the domain, with which nothing is wrong. */
static void
call_next(const Run *run)
{
    FakeHost *host = run->host;
    RefpointJob *job = refpoint_job_new();
    g_autoptr(GError) error = NULL;

    fake_host_calm(host);
    fake_host_guard_late(host);
    if (is_kept(host))
        remove_data(host, &error);
    if (error == NULL)
        create(host, NEXT, REFPOINT_QUIESCE_AUTO, REFPOINT_KEEP_NOTHING, job,
               &error);
    if (error != NULL)
        complain(run, error->message);
    refpoint_job_free(job);
}

/* Whether the operation has to survive this failure. A daemon that is restarted
 * is waited for; but where a thaw was not heard of, nobody knows whether the
 * guest was frozen until then. */
static gboolean
must_survive(const Run *run)
{
    return (run->failure == FAKE_LOST || run->failure == FAKE_CUT_OFF) &&
           strcmp(run->failed, "start_guard") != 0 &&
           !(run->failure == FAKE_CUT_OFF &&
             strcmp(run->failed, "fs_thaw") == 0);
}

static gboolean
is_right_cause(const Run *run, RefpointError cause)
{
    if (run->failure == FAKE_CANCELLED)
        return cause == REFPOINT_ERROR_CANCELLED;
    if (run->failure == FAKE_GONE)
        return cause == REFPOINT_ERROR_NOT_AVAILABLE ||
               cause == REFPOINT_ERROR_STATUS_UNKNOWN ||
               (cause == REFPOINT_ERROR_FAILED &&
                strcmp(run->failed, "start_guard") == 0);
    if (strcmp(run->failed, "fs_freeze") == 0 ||
        strcmp(run->failed, "fs_thaw") == 0)
        return cause == (run->failure == FAKE_UNANSWERED
                             ? REFPOINT_ERROR_TIMEOUT
                             : REFPOINT_ERROR_INVALID_STATE);
    return cause == REFPOINT_ERROR_FAILED;
}

static void
check_error(const Run *run, RefpointJob *job)
{
    const RefpointFailure *failure = refpoint_job_get_report(job)->failure;
    g_autofree char *what = NULL;

    if (run->done || run->failure == FAKE_KILLED)
        return;
    what = g_strdup_printf("ends with cause %d of '%s': %s", failure->cause,
                           failure->object, failure->message);
    expect(run,
           (failure->object != NULL || run->failure == FAKE_CANCELLED) &&
               is_right_cause(run, failure->cause) && !must_survive(run),
           what);
}

/* ---- Order --------------------------------------------------------------- */

static gboolean
makes_point(const char *line)
{
    return g_str_has_prefix(line, "backup_begin") ||
           g_str_has_prefix(line, "checkpoint_create");
}

/* A guest that was frozen is thawed as soon as its point was made, or was
 * not. */
static void
check_order(const Run *run, const char *trace)
{
    g_auto(GStrv) lines = g_strsplit(trace, "\n", -1);
    gboolean frozen = FALSE;
    gboolean made = FALSE;

    /* an empty line behind the last call: not of who was killed in it */
    for (guint i = 0;
         lines[i] != NULL && (*lines[i] != '\0' || run->failure != FAKE_KILLED);
         i++) {
        const char *line = lines[i];
        gboolean thaws = g_str_has_prefix(line, "fs_thaw");

        expect(run, !frozen || !made || thaws || makes_point(line),
               "the thaw is not right behind the point");
        if (g_str_has_prefix(line, "guard: frozen"))
            frozen = TRUE;
        made = frozen && (made || makes_point(line));
        if (thaws || g_str_has_prefix(line, "guard: thawed"))
            frozen = made = FALSE;
    }
}

/* ---- The runs ------------------------------------------------------------ */

static GHashTable *
names_of_checkpoints(FakeHost *host)
{
    GHashTable *names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < host->checkpoints->len; i++) {
        const FakeCheckpoint *checkpoint =
            g_ptr_array_index(host->checkpoints, i);

        g_hash_table_add(names, g_strdup(checkpoint->name));
    }
    return names;
}

static GHashTable *
names_of_bitmaps(FakeHost *host)
{
    GHashTable *names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iter;
    gpointer name = NULL;

    g_hash_table_iter_init(&iter, host->bitmaps);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_hash_table_add(names, g_strdup(name));
    return names;
}

static void
run_clear(Run *run)
{
    g_hash_table_unref(run->there);
    g_hash_table_unref(run->bitmaps);
    g_free(run->calls);
    g_free(run->failed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static void
run_killed(Run *run)
{
    const Operation *operation = run->operation;

    if (!fake_host_run(run->host, operation->run, &run->done))
        run->done =
            operation->is_final != NULL && operation->is_final(run->host);
}

/* FALSE: it makes less than @n calls. */
static gboolean
run_once(const Operation *operation, guint n, FakeFailure failure)
{
    g_autoptr(FakeHost) host = fake_host_new();
    RefpointJob *job = refpoint_job_new();
    g_auto(Run) run = {.operation = operation,
                       .host = host,
                       .n = n,
                       .failure = failure};
    g_autoptr(GError) error = NULL;

    if (operation->before != NULL)
        operation->before(host);
    run.there = names_of_checkpoints(host);
    run.bitmaps = names_of_bitmaps(host);
    fake_host_fail(host, n, failure, job);
    if (failure == FAKE_KILLED)
        run_killed(&run);
    else
        run.done = operation->run(host, job, &error);
    run.failed = g_strdup(host->failed);
    run.calls = g_strconcat(host->calls->str, host->trace->str, NULL);
    check_error(&run, job);
    expect(&run, !host->unrecorded, "a change comes before its record");
    expect(&run, !host->stale, "a scratch file is of another moment");
    check_order(&run, host->trace->str);
    refpoint_job_free(job);
    check_returned(&run);
    call_next(&run);
    check_undone(&run);
    return run.failed != NULL;
}

static void
test_failures(gconstpointer data)
{
    const Operation *operation = data;

    if (operation->needs_server && server_socket() == NULL)
        return;
    for (FakeFailure failure = 0; failure < FAKE_N_FAILURES; failure++) {
        guint n = 1;

        while (run_once(operation, n, failure))
            g_assert_cmpuint(n++, <, CALLS_MAX);
    }
}

/* The number of the call @what, as a run without failures makes it. */
static guint
number_of(const char *calls, const char *what)
{
    g_auto(GStrv) lines = g_strsplit(calls, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++) {
        const char *name = strchr(lines[i], ' ');

        if (name != NULL && strcmp(name + 1, what) == 0)
            return i + 1;
    }
    g_error("there is no call '%s' in\n%s", what, calls);
    return 0;
}

/* The trace of a run; @n: the call that fails, 0: none. Free with g_free(). */
static char *
trace_of(const Operation *operation, guint n, char **calls)
{
    g_autoptr(FakeHost) host = fake_host_new();
    RefpointJob *job = refpoint_job_new();
    g_autoptr(GError) error = NULL;
    gboolean done = FALSE;

    if (operation->before != NULL)
        operation->before(host);
    fake_host_fail(host, n, FAKE_REFUSED, job);
    done = operation->run(host, job, &error);
    fake_host_listen(host);
    if (n == 0) {
        g_assert_no_error(error);
        g_assert_true(done && operation->is_done(host));
        g_assert_cmpuint(refpoint_job_get_report(job)->warnings->len, ==, 0);
    }
    refpoint_job_free(job);
    if (calls != NULL)
        *calls = g_strdup(host->calls->str);
    return g_strdup(host->trace->str);
}

static void
expect_trace(const char *trace, const char *expected)
{
    if (strcmp(trace, expected) == 0)
        return;
    g_test_message("expected:\n%s", expected);
    g_test_message("but it is:\n%s", trace);
    g_test_fail();
}

static void
test_trace(gconstpointer data)
{
    const Operation *operation = data;
    g_autofree char *calls = NULL;
    g_autofree char *trace = NULL;

    if (operation->needs_server && server_socket() == NULL)
        return;
    trace = trace_of(operation, 0, &calls);
    expect_trace(trace, operation->trace);
    for (guint i = 0; i < TRACES_MAX && operation->failing[i].call != NULL;
         i++) {
        guint n = number_of(calls, operation->failing[i].call);
        g_autofree char *failed = trace_of(operation, n, NULL);

        expect_trace(failed, operation->failing[i].trace);
    }
}

/* ---- Create -------------------------------------------------------------- */

static void
make_base(FakeHost *host)
{
    create_before(host, BASE, REFPOINT_KEEP_NOTHING);
}

static gboolean
has_point(FakeHost *host)
{
    return fake_host_checkpoint(host, POINT) != NULL;
}

static gboolean
run_create(FakeHost *host, RefpointJob *job, GError **error)
{
    return create(host, POINT, REFPOINT_QUIESCE_AUTO, REFPOINT_KEEP_NOTHING,
                  job, error);
}

static gboolean
run_create_frozen(FakeHost *host, RefpointJob *job, GError **error)
{
    return create(host, POINT, REFPOINT_QUIESCE_REQUIRED, REFPOINT_KEEP_NOTHING,
                  job, error);
}

static gboolean
run_create_kept(FakeHost *host, RefpointJob *job, GError **error)
{
    return create(host, POINT, REFPOINT_QUIESCE_REQUIRED, REFPOINT_KEEP_FIRST,
                  job, error);
}

/* ---- Destroy ------------------------------------------------------------- */

static void
make_point(FakeHost *host)
{
    create_before(host, BASE, REFPOINT_KEEP_NOTHING);
    create_before(host, POINT, REFPOINT_KEEP_NOTHING);
}

static void
make_kept(FakeHost *host)
{
    create_before(host, BASE, REFPOINT_KEEP_NOTHING);
    create_before(host, POINT, REFPOINT_KEEP_FIRST);
}

static gboolean
run_destroy(FakeHost *host, RefpointJob *job, GError **error)
{
    return refpoint_destroy(&host->conn, FAKE_NAME, POINT, job, error);
}

static gboolean
has_no_point(FakeHost *host)
{
    return fake_host_checkpoint(host, POINT) == NULL && !is_kept(host);
}

static gboolean
run_remove(FakeHost *host, RefpointJob *job, GError **error)
{
    return refpoint_remove_data(&host->conn, FAKE_NAME, POINT, job, error);
}

static gboolean
has_no_data(FakeHost *host)
{
    return fake_host_checkpoint(host, POINT) != NULL && !is_kept(host);
}

/* ---- Import -------------------------------------------------------------- */

static void
add_to_set(RfpExportSet *set, const SetMade *made)
{
    g_autofree char *guid = set_guid_of(made->name);
    g_autofree char *xml = g_strdup_printf(
        "<domaincheckpoint><name>%s</name>"
        "<description>virt-refpoint 1 point=%s set=-</description>"
        "<creationTime>1795290000</creationTime><disks>"
        "<disk name='" FAKE_TARGET "' checkpoint='bitmap' bitmap='%s'/>"
        "</disks><domain type='kvm'><name>" FAKE_NAME "</name></domain>"
        "</domaincheckpoint>",
        made->name, guid, made->name);

    set_add_point_of(set, made, xml);
}

/* A set with two points whose bitmaps are in the image, and whose checkpoints
 * libvirt has lost. */
static void
make_set(FakeHost *host)
{
    static const SetMade points[] = {
        {"first", {{FAKE_TARGET, NULL, FAKE_SIZE, "0:a"}}},
        {"second", {{FAKE_TARGET, "first", FAKE_SIZE, "1:b"}}},
    };
    g_autofree char *path = g_build_filename(host->dir, "set", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set =
        rfp_export_set_prepare(path,
                               &(const RfpSetOwner){.guid = FAKE_UUID,
                                                    .name = FAKE_NAME},
                               &error);

    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(points); i++) {
        add_to_set(set, &points[i]);
        g_hash_table_add(host->bitmaps, g_strdup(points[i].name));
    }
}

static gboolean
run_import(FakeHost *host, RefpointJob *job, GError **error)
{
    g_autofree char *path = g_build_filename(host->dir, "set", NULL);
    RefpointImportOptions options = REFPOINT_IMPORT_OPTIONS_INIT;

    options.domain = FAKE_NAME;
    options.directory = path;
    return refpoint_import(&host->conn, &options, job, error);
}

/* One that cannot be imported does not keep the others. */
static gboolean
has_imported(FakeHost *host)
{
    return fake_host_checkpoint(host, "first") != NULL ||
           fake_host_checkpoint(host, "second") != NULL;
}

/* ---- Export -------------------------------------------------------------- */

static gboolean
export_to(FakeHost *host,
          const char *name,
          guint keep_points,
          RefpointJob *job,
          GError **error)
{
    g_autofree char *path = g_build_filename(host->dir, "set", NULL);
    RefpointExportOptions options = REFPOINT_EXPORT_OPTIONS_INIT;

    options.domain = FAKE_NAME;
    options.directory = path;
    options.create = name;
    options.keep_points = keep_points;
    options.quiesce = REFPOINT_QUIESCE_REQUIRED;
    host->server = server_socket();
    return refpoint_export(&host->conn, &options, job, error);
}

static gboolean
run_export(FakeHost *host, RefpointJob *job, GError **error)
{
    return export_to(host, POINT, 0, job, error);
}

static gboolean
run_export_increment(FakeHost *host, RefpointJob *job, GError **error)
{
    return export_to(host, POINT, 1, job, error);
}

/* The point is exported, and what it replaces may go a little later. */
static gboolean
is_exported(FakeHost *host)
{
    g_autofree char *manifest =
        g_build_filename(host->dir, "set", POINT, "export.xml", NULL);

    return has_point(host) && g_file_test(manifest, G_FILE_TEST_EXISTS);
}

static void
export_base(FakeHost *host)
{
    RefpointJob *job = refpoint_job_new();
    g_autoptr(GError) error = NULL;

    export_to(host, BASE, 0, job, &error);
    g_assert_no_error(error);
    refpoint_job_free(job);
}

/* Of a point whose data is kept: with it there is nothing to begin. */
static void
make_kept_served(FakeHost *host)
{
    host->server = server_socket();
    make_kept(host);
}

static gboolean
run_export_kept(FakeHost *host, RefpointJob *job, GError **error)
{
    g_autofree char *path = g_build_filename(host->dir, "set", NULL);
    RefpointExportOptions options = REFPOINT_EXPORT_OPTIONS_INIT;

    options.domain = FAKE_NAME;
    options.directory = path;
    options.point = POINT;
    return refpoint_export(&host->conn, &options, job, error);
}

static gboolean
is_exported_alone(FakeHost *host)
{
    return is_exported(host) && !is_kept(host);
}

/* ---- Changes ------------------------------------------------------------- */

static gboolean
run_changes(FakeHost *host, RefpointJob *job, GError **error)
{
    RefpointChangesOptions options = REFPOINT_CHANGES_OPTIONS_INIT;
    RefpointChanges *changes = NULL;

    options.domain = FAKE_NAME;
    options.point = BASE;
    options.target = FAKE_TARGET;
    host->server = server_socket();
    changes = refpoint_changes(&host->conn, &options, job, error);
    refpoint_changes_free(changes);
    return changes != NULL;
}

static gboolean
has_no_job(FakeHost *host)
{
    return host->job == NULL;
}

/* ---- All of them --------------------------------------------------------- */

static const Operation operations[] = {
    {.name = "create",
     .before = make_base,
     .run = run_create,
     .is_done = has_point,
     .trace = "start_guard\n"
              "guard: frozen 60          | operation checkpoint freeze\n"
              "fs_freeze\n"
              "checkpoint_create p1\n"
              "fs_thaw\n"
              "guard: thawed             | thawed\n"
              "set_metadata\n"
              "guard: done               | clear\n",
     .failing = {{"checkpoint_create p1",
                  "start_guard\n"
                  "guard: frozen 60          | operation checkpoint freeze\n"
                  "fs_freeze\n"
                  "checkpoint_create p1\n"
                  "fs_thaw\n"
                  "guard: thawed             | thawed\n"
                  "set_metadata\n"
                  "guard: done               | clear\n"}}},
    {.name = "create-frozen",
     .before = make_base,
     .run = run_create_frozen,
     .is_done = has_point,
     .trace = "start_guard\n"
              "guard: frozen 60          | operation checkpoint freeze\n"
              "fs_freeze\n"
              "checkpoint_create p1\n"
              "fs_thaw\n"
              "guard: thawed             | thawed\n"
              "set_metadata\n"
              "guard: done               | clear\n",
     .failing = {{"fs_thaw",
                  "start_guard\n"
                  "guard: frozen 60          | operation checkpoint freeze\n"
                  "fs_freeze\n"
                  "checkpoint_create p1\n"
                  "fs_thaw\n"
                  "guard: late               | thawed\n"
                  "checkpoint_delete p1\n"
                  "set_metadata\n"
                  "guard: done               | clear\n"}}},
    {.name = "create-kept",
     .before = make_base,
     .run = run_create_kept,
     .is_done = has_point,
     .is_final = is_kept,
     .trace = "start_guard\n"
              "set_metadata              | operation scratch ran socket "
              "checkpoint job\n"
              "guard: frozen 60          | freeze\n"
              "fs_freeze\n"
              "guard: job\n"
              "backup_begin p1\n"
              "fs_thaw                   | begun\n"
              "guard: thawed             | thawed\n"
              "guard: keep               | clear\n"
              "set_metadata\n"
              "guard: done\n",
     .failing = {{"backup_begin p1",
                  "start_guard\n"
                  "set_metadata              | operation scratch ran socket "
                  "checkpoint job\n"
                  "guard: frozen 60          | freeze\n"
                  "fs_freeze\n"
                  "guard: job\n"
                  "backup_begin p1\n"
                  "fs_thaw\n"
                  "guard: thawed             | thawed\n"
                  "set_metadata\n"
                  "guard: done               | clear\n"}}},
    {.name = "destroy",
     .before = make_point,
     .run = run_destroy,
     .is_done = has_no_point,
     .is_final = has_no_point,
     .trace = "checkpoint_delete p1\n"
              "set_metadata\n"},
    {.name = "destroy-kept",
     .before = make_kept,
     .run = run_destroy,
     .is_done = has_no_point,
     .is_final = has_no_point,
     .trace = "abort_job\n"
              "checkpoint_delete p1\n"
              "set_metadata\n"},
    {.name = "remove-data",
     .before = make_kept,
     .run = run_remove,
     .is_done = has_no_data,
     .is_final = has_no_data,
     .trace = "abort_job\n"},
    {.name = "import",
     .before = make_set,
     .run = run_import,
     .is_done = has_imported,
     .trace = "start_guard\n"
              "checkpoint_redefine first | operation redefined\n"
              "set_metadata\n"
              "checkpoint_redefine second| redefined\n"
              "set_metadata\n"
              "guard: done               | clear\n"},
    {.name = "export",
     .run = run_export,
     .is_done = is_exported,
     .is_final = is_exported,
     .needs_server = TRUE,
     .trace = "start_guard\n"
              "set_metadata              | operation folder scratch image "
              "image ran socket checkpoint job\n"
              "guard: frozen 60          | freeze\n"
              "fs_freeze\n"
              "guard: job\n"
              "backup_begin p1\n"
              "fs_thaw                   | begun\n"
              "guard: thawed             | thawed\n"
              "abort_job\n"
              "set_metadata\n"
              "guard: done               | clear\n",
     .failing = {{"backup_begin p1",
                  "start_guard\n"
                  "set_metadata              | operation folder scratch image "
                  "image ran socket checkpoint job\n"
                  "guard: frozen 60          | freeze\n"
                  "fs_freeze\n"
                  "guard: job\n"
                  "backup_begin p1\n"
                  "fs_thaw\n"
                  "guard: thawed             | thawed\n"
                  "remove_metadata\n"
                  "guard: done               | clear\n"},
                 {"get_block_job",
                  "start_guard\n"
                  "set_metadata              | operation folder scratch image "
                  "image ran socket checkpoint job\n"
                  "guard: frozen 60          | freeze\n"
                  "fs_freeze\n"
                  "guard: job\n"
                  "backup_begin p1\n"
                  "fs_thaw                   | begun\n"
                  "guard: thawed             | thawed\n"
                  "abort_job\n"
                  "checkpoint_delete p1\n"
                  "remove_metadata\n"
                  "guard: done               | clear\n"}}},
    /* The older point goes when this one is published, not before. */
    {.name = "export-increment",
     .before = export_base,
     .run = run_export_increment,
     .is_done = is_exported,
     .is_final = is_exported,
     .needs_server = TRUE,
     .trace = "start_guard\n"
              "set_metadata              | operation folder scratch image "
              "image ran socket checkpoint job\n"
              "guard: frozen 60          | freeze\n"
              "fs_freeze\n"
              "guard: job\n"
              "backup_begin p1\n"
              "fs_thaw                   | begun\n"
              "guard: thawed             | thawed\n"
              "abort_job\n"
              "set_metadata              | destroy\n"
              "checkpoint_delete base\n"
              "set_metadata\n"
              "guard: done               | clear\n",
     .failing = {{"checkpoint_delete base",
                  "start_guard\n"
                  "set_metadata              | operation folder scratch image "
                  "image ran socket checkpoint job\n"
                  "guard: frozen 60          | freeze\n"
                  "fs_freeze\n"
                  "guard: job\n"
                  "backup_begin p1\n"
                  "fs_thaw                   | begun\n"
                  "guard: thawed             | thawed\n"
                  "abort_job\n"
                  "set_metadata              | destroy\n"
                  "checkpoint_delete base\n"}}},
    {.name = "export-kept",
     .before = make_kept_served,
     .run = run_export_kept,
     .is_done = is_exported_alone,
     .is_final = is_exported,
     .needs_server = TRUE,
     .trace = "start_guard\n"
              "set_metadata              | operation folder image image "
              "release\n"
              "abort_job\n"
              "guard: done               | clear\n"},
    {.name = "changes",
     .before = make_base,
     .run = run_changes,
     .is_done = has_no_job,
     .needs_server = TRUE,
     .trace = "start_guard\n"
              "guard: job                | operation ran socket scratch job\n"
              "backup_begin -\n"
              "abort_job                 | begun\n"
              "guard: done               | clear\n",
     .failing = {{"backup_begin -",
                  "start_guard\n"
                  "guard: job                | operation ran socket scratch "
                  "job\n"
                  "backup_begin -\n"
                  "set_metadata\n"
                  "guard: done               | clear\n"}}},
};

/* A domain without a disk is refused before anything is begun. */
static void
test_diskless(void)
{
    static const char *const names[] = {"create", "create kept", "export"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(FakeHost) host = fake_host_new();
        RefpointJob *job = refpoint_job_new();
        g_autoptr(GError) error = NULL;
        gboolean done = FALSE;

        g_test_message("%s", names[i]);
        host->diskless = TRUE;
        done = i == 0   ? run_create(host, job, &error)
               : i == 1 ? run_create_kept(host, job, &error)
                        : run_export(host, job, &error);
        g_assert_false(done);
        g_assert_cmpint(error->code, ==,
                        i == 0 ? REFPOINT_ERROR_NOT_SUPPORTED
                               : REFPOINT_ERROR_INVALID_PARAMETER);
        g_assert_nonnull(strstr(error->message, "disk"));
        g_assert_null(host->job);
        g_assert_cmpuint(host->checkpoints->len, ==, 0);
        refpoint_job_free(job);
    }
}

static void
add(const Operation *operation)
{
    g_autofree char *trace =
        g_strdup_printf("/engine-calls/%s/trace", operation->name);
    g_autofree char *failures =
        g_strdup_printf("/engine-calls/%s/failures", operation->name);

    g_test_add_data_func(trace, operation, test_trace);
    g_test_add_data_func(failures, operation, test_failures);
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(operations); i++)
        add(&operations[i]);
    g_test_add_func("/engine-calls/diskless", test_diskless);
    status = g_test_run();
    stop_server();
    return status;
}
