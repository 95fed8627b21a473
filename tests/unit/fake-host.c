/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-host.h"
#include "base/space.h"
#include "base/xml.h"
#include "operation/guard.h"
#include "operation/kept.h"
#include "set.h"
#include "virt/checkpoint-xml.h"

#include <errno.h>
#include <libxml/tree.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Of the first checkpoint; each is made a minute after the one before. */
#define EPOCH G_GINT64_CONSTANT(1795293000)
#define URI "test:///default"
#define MEMORY "/dev/shm"
#define MEMORY_MIN ((guint64)4 << 30)

const char *const fake_failures[FAKE_N_FAILURES] = {
    [FAKE_REFUSED] = "refused",
    [FAKE_UNANSWERED] = "done, but answered with a failure",
    [FAKE_LOST] = "lost with the daemon",
    [FAKE_CUT_OFF] = "done, the answer lost with the daemon",
    [FAKE_GONE] = "the last one before the daemon went away",
    [FAKE_CANCELLED] = "done, and the job cancelled",
    [FAKE_KILLED] = "done, and the program killed",
};

static FakeHost *here;

/* ---- In place of the world ----------------------------------------------- */

/* What a program defines itself comes before what shared libraries have: nobody
 * in this one waits, for time or for a disk, and libvirt's errors are those of
 * this file. */

static _Atomic gint64 slept;
static _Thread_local virError last;

void
g_usleep(gulong microseconds)
{
    slept += (gint64)microseconds;
}

gint64
g_get_monotonic_time(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + slept;
}

int
fsync(int fd G_GNUC_UNUSED)
{
    return 0;
}

static char *
record_path(const FakeHost *host)
{
    return g_strdup_printf("%s/" FAKE_UUID ".record", host->conn.records_dir);
}

/* How much of the record would be on the disk is remembered. */
int
fdatasync(int fd)
{
    g_autofree char *path = here != NULL ? record_path(here) : NULL;
    struct stat synced;
    struct stat record;

    if (path != NULL && fstat(fd, &synced) == 0 && stat(path, &record) == 0 &&
        synced.st_ino == record.st_ino)
        here->synced = synced.st_size;
    return 0;
}

/* Room that is taken ahead costs time where files are in memory. */
int
fallocate(int fd G_GNUC_UNUSED,
          int mode G_GNUC_UNUSED,
          off_t offset G_GNUC_UNUSED,
          off_t length G_GNUC_UNUSED)
{
    errno = EOPNOTSUPP;
    return -1;
}

virErrorPtr
virGetLastError(void)
{
    return last.code != VIR_ERR_OK ? &last : NULL;
}

int
virGetLastErrorCode(void)
{
    return last.code;
}

static void
set_error(int code, int domain, const char *message)
{
    last = (virError){.code = code,
                      .domain = domain,
                      .level = VIR_ERR_ERROR,
                      .message = (char *)message};
}

/* ---- What is written down ------------------------------------------------ */

static char *
record_text(FakeHost *host)
{
    g_autofree char *path = record_path(host);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text != NULL ? text : g_strdup("");
}

char *
fake_host_record(FakeHost *host)
{
    g_autofree char *text = record_text(host);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *words = g_string_new(NULL);

    for (guint i = 0; lines[i] != NULL && *lines[i] != '\0'; i++) {
        if (i > 0)
            g_string_append_c(words, ' ');
        g_string_append_len(words, lines[i], (gssize)strcspn(lines[i], " "));
    }
    return g_string_free(words, FALSE);
}

/* Whether the record is about an operation, and all of it that a power failure
 * must not take is on the disk. */
static gboolean
is_recorded(void)
{
    static const char *const steps[] = {"\ncheckpoint ", "\nredefined ",
                                        "\njob "};
    g_autofree char *text = record_text(here);
    const char *end = text;

    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        const char *step = g_strrstr(text, steps[i]);

        end = MAX(end, step != NULL ? strchr(step + 1, '\n') : text);
    }
    return g_str_has_prefix(text, "operation ") && end - text < here->synced;
}

/* What the record has more than in the line before. */
static void
trace(const char *what)
{
    char *record = fake_host_record(here);
    const char *before = here->record != NULL ? here->record : "";
    gboolean longer = g_str_has_prefix(record, before);
    const char *more = longer ? record + strlen(before) : record;

    if (strcmp(record, before) == 0)
        g_string_append_printf(here->trace, "%s\n", what);
    else
        g_string_append_printf(here->trace, "%-26s|%s%s\n", what,
                               *record != '\0' && *more != ' ' ? " " : "",
                               *record != '\0' ? more : " clear");
    g_free(here->record);
    here->record = record;
}

/* From here on a guard watches what is kept: others find its lock taken. */
static void
watch_kept(void)
{
    g_autoptr(RfpKept) kept =
        rfp_kept_load(here->conn.records_dir, FAKE_UUID, FALSE);

    if (kept != NULL && here->watch < 0)
        here->watch = rfp_kept_take_watch(kept);
}

/* What the program has told the guard until now. */
static void
hear_guard(void)
{
    char c = '\0';
    g_autoptr(GString) line = g_string_new("guard: ");
    const gsize begin = line->len;

    while (here->guard >= 0 && recv(here->guard, &c, 1, MSG_DONTWAIT) == 1) {
        if (c != '\n') {
            g_string_append_c(line, c);
            continue;
        }
        trace(line->str);
        if (strcmp(line->str + begin, "keep") == 0)
            watch_kept();
        g_string_truncate(line, begin);
    }
}

static void
refuse(void)
{
    set_error(VIR_ERR_OPERATION_FAILED, VIR_FROM_QEMU,
              "operation failed: by order of the test");
}

/* What needs no daemon is refused. */
static void
lose(virConnectPtr conn)
{
    if (conn == NULL) {
        refuse();
        return;
    }
    set_error(VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
              "Cannot recv data: Connection reset by peer");
    if (here->lost == conn || here->gone)
        return;
    virConnectRef(conn); /* so that no new one has its address */
    here->lost = conn;
}

/* A change that has to be undone from the record. */
static gboolean
is_recorded_change(const char *what)
{
    return strcmp(what, "fs_freeze") == 0 ||
           g_str_has_prefix(what, "backup_begin") ||
           g_str_has_prefix(what, "checkpoint_create") ||
           g_str_has_prefix(what, "checkpoint_redefine");
}

/* Begins each call. FALSE: it fails before anything is done. @what: how it
 * stands in the trace; NULL: it changes nothing. */
static gboolean
enter(virConnectPtr conn, const char *name, const char *what)
{
    hear_guard();
    set_error(VIR_ERR_OK, 0, NULL);
    here->n_calls++;
    g_string_append_printf(here->calls, "%u %s\n", here->n_calls,
                           what != NULL ? what : name);
    if (what != NULL) {
        trace(what);
        here->unrecorded =
            here->unrecorded || (is_recorded_change(what) && !is_recorded());
    }
    if (here->fail_at == here->n_calls)
        here->failed = g_strdup(what != NULL ? what : name);
    if (conn != NULL && (conn == here->lost || here->gone)) {
        lose(conn);
        return FALSE;
    }
    if (here->fail_at != here->n_calls)
        return TRUE;
    if (here->failure == FAKE_REFUSED)
        refuse();
    else if (here->failure == FAKE_LOST)
        lose(conn);
    return here->failure != FAKE_REFUSED && here->failure != FAKE_LOST;
}

/* ---- What outlives a process --------------------------------------------- */

#define GROUP "host"
/* Of a child process; its exit status may be that of a tool that looks on. */
#define DONE "done"
#define NOT_DONE "not done"
#define KILLED "killed"

static void
save_checkpoints(const FakeHost *host, GKeyFile *file)
{
    for (guint i = 0; i < host->checkpoints->len; i++) {
        const FakeCheckpoint *checkpoint =
            g_ptr_array_index(host->checkpoints, i);
        g_autofree char *key = g_strdup_printf("checkpoint-%u", i);

        g_key_file_set_string(file, key, "name", checkpoint->name);
        g_key_file_set_string(file, key, "description",
                              checkpoint->description);
        g_key_file_set_int64(file, key, "created", checkpoint->created);
    }
}

static void
save(FakeHost *host, const char *outcome)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = g_build_filename(host->dir, "host", NULL);
    guint n = 0;
    g_autofree gpointer *bitmaps =
        g_hash_table_get_keys_as_array(host->bitmaps, &n);

    g_key_file_set_string(file, GROUP, "outcome", outcome);
    g_key_file_set_boolean(file, GROUP, "frozen", host->frozen);
    g_key_file_set_boolean(file, GROUP, "unrecorded", host->unrecorded);
    g_key_file_set_boolean(file, GROUP, "stale", host->stale);
    g_key_file_set_int64(file, GROUP, "clock", host->clock);
    if (host->metadata != NULL)
        g_key_file_set_string(file, GROUP, "metadata", host->metadata);
    if (host->job != NULL)
        g_key_file_set_string(file, GROUP, "job", host->job);
    if (host->failed != NULL)
        g_key_file_set_string(file, GROUP, "failed", host->failed);
    g_key_file_set_string(file, GROUP, "trace", host->trace->str);
    g_key_file_set_string(file, GROUP, "calls", host->calls->str);
    g_key_file_set_string_list(file, GROUP, "bitmaps",
                               (const char *const *)bitmaps, n);
    save_checkpoints(host, file);
    g_assert_true(g_key_file_save_to_file(file, path, NULL));
}

static void
load_checkpoints(FakeHost *host, GKeyFile *file)
{
    g_ptr_array_set_size(host->checkpoints, 0);
    for (guint i = 0;; i++) {
        g_autofree char *key = g_strdup_printf("checkpoint-%u", i);
        FakeCheckpoint *checkpoint = NULL;

        if (!g_key_file_has_group(file, key))
            return;
        checkpoint = g_new0(FakeCheckpoint, 1);
        checkpoint->name = g_key_file_get_string(file, key, "name", NULL);
        checkpoint->description =
            g_key_file_get_string(file, key, "description", NULL);
        checkpoint->created = g_key_file_get_int64(file, key, "created", NULL);
        g_ptr_array_add(host->checkpoints, checkpoint);
    }
}

static void
load_string(GKeyFile *file, const char *key, char **string)
{
    g_free(*string);
    *string = g_key_file_get_string(file, GROUP, key, NULL);
}

static void
load_text(GKeyFile *file, const char *key, GString *text)
{
    g_autofree char *found = g_key_file_get_string(file, GROUP, key, NULL);

    g_string_assign(text, found);
}

/* Returns the outcome; free with g_free(). */
static char *
load(FakeHost *host)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = g_build_filename(host->dir, "host", NULL);
    g_auto(GStrv) bitmaps = NULL;

    g_assert_true(g_key_file_load_from_file(file, path, 0, NULL));
    host->frozen = g_key_file_get_boolean(file, GROUP, "frozen", NULL);
    host->unrecorded = g_key_file_get_boolean(file, GROUP, "unrecorded", NULL);
    host->stale = g_key_file_get_boolean(file, GROUP, "stale", NULL);
    host->clock = g_key_file_get_int64(file, GROUP, "clock", NULL);
    load_string(file, "metadata", &host->metadata);
    load_string(file, "job", &host->job);
    load_string(file, "failed", &host->failed);
    load_text(file, "trace", host->trace);
    load_text(file, "calls", host->calls);
    g_hash_table_remove_all(host->bitmaps);
    bitmaps = g_key_file_get_string_list(file, GROUP, "bitmaps", NULL, NULL);
    for (guint i = 0; bitmaps[i] != NULL; i++)
        g_hash_table_add(host->bitmaps, g_strdup(bitmaps[i]));
    load_checkpoints(host, file);
    return g_key_file_get_string(file, GROUP, "outcome", NULL);
}

gboolean
fake_host_run(FakeHost *host,
              gboolean (*func)(FakeHost *host,
                               RefpointJob *job,
                               GError **error),
              gboolean *done)
{
    pid_t child = fork();
    g_autofree char *outcome = NULL;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        RefpointJob *job = refpoint_job_new();
        gboolean success = func(host, job, NULL);

        refpoint_job_free(job);
        save(host, success ? DONE : NOT_DONE);
        _exit(EXIT_SUCCESS);
    }
    g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
    outcome = load(host);
    *done = strcmp(outcome, DONE) == 0;
    return strcmp(outcome, KILLED) != 0;
}

/* ---- Each call ----------------------------------------------------------- */

/* Ends each call that was done. FALSE: its caller hears of a failure. */
static gboolean
leave(virConnectPtr conn)
{
    if (here->fail_at != here->n_calls)
        return TRUE;
    if (here->failure == FAKE_KILLED) {
        save(here, KILLED);
        _exit(EXIT_SUCCESS);
    }
    here->gone = here->failure == FAKE_GONE;
    if (here->failure == FAKE_CANCELLED)
        refpoint_job_cancel(here->job_to_cancel);
    else if (here->failure == FAKE_UNANSWERED)
        refuse();
    else
        lose(conn);
    return here->failure == FAKE_CANCELLED;
}

/* A call that only looks. */
static gboolean
look(virDomainPtr domain, const char *name)
{
    virConnectPtr conn = virDomainGetConnect(domain);

    return enter(conn, name, NULL) && leave(conn);
}

/* ---- Connection and domain ----------------------------------------------- */

/* Asked behind a call that failed: it does not fail itself. */
static int
is_alive(virConnectPtr conn)
{
    return conn != here->lost && !here->gone;
}

static virDomainPtr
lookup(virConnectPtr conn, const char *name, gboolean found)
{
    if (!enter(conn, name, NULL) || !leave(conn))
        return NULL;
    if (found)
        return virDomainLookupByName(conn, FAKE_NAME);
    set_error(VIR_ERR_NO_DOMAIN, VIR_FROM_QEMU, "Domain not found");
    return NULL;
}

static virDomainPtr
lookup_by_id(virConnectPtr conn, int id)
{
    return lookup(conn, "lookup_by_id", id == 1);
}

static virDomainPtr
lookup_by_uuid(virConnectPtr conn, const char *uuid)
{
    return lookup(conn, "lookup_by_uuid", strcmp(uuid, FAKE_UUID) == 0);
}

static virDomainPtr
lookup_by_name(virConnectPtr conn, const char *name)
{
    return lookup(conn, "lookup_by_name", strcmp(name, FAKE_NAME) == 0);
}

static int
list_domains(virConnectPtr conn,
             virDomainPtr **domains,
             unsigned int flags G_GNUC_UNUSED)
{
    if (!enter(conn, "list_domains", NULL) || !leave(conn))
        return -1;
    *domains = calloc(2, sizeof(virDomainPtr));
    (*domains)[0] = virDomainLookupByName(conn, FAKE_NAME);
    return 1;
}

static int
get_state(virDomainPtr domain,
          int *state,
          int *reason,
          unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "get_state"))
        return -1;
    *state = here->running ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_SHUTOFF;
    *reason = 0;
    return 0;
}

static int
is_active(virDomainPtr domain)
{
    return look(domain, "is_active") ? here->running : -1;
}

static int
is_persistent(virDomainPtr domain)
{
    return look(domain, "is_persistent") ? 1 : -1;
}

static char *
domain_xml(void)
{
    g_autofree char *disk = g_strdup_printf(
        "<disk type='file' device='disk'>"
        "<driver name='qemu' type='qcow2'/><source file='%s' index='1'/>"
        "<target dev='" FAKE_TARGET "' bus='virtio'/></disk>",
        here->disk);

    return g_strdup_printf(
        "<domain type='kvm'%s>"
        "<name>" FAKE_NAME "</name><uuid>" FAKE_UUID "</uuid>"
        "<os><type machine='pc-q35-7.2'>hvm</type></os><devices>"
        "%s<channel type='unix'><target type='virtio'"
        " name='org.qemu.guest_agent.0' state='connected'/></channel>"
        "</devices></domain>",
        here->running ? " id='1'" : "", here->diskless ? "" : disk);
}

static char *
get_xml(virDomainPtr domain, unsigned int flags G_GNUC_UNUSED)
{
    g_autofree char *xml = domain_xml();

    return look(domain, "get_xml") ? strdup(xml) : NULL;
}

static int
get_control_info(virDomainPtr domain,
                 virDomainControlInfoPtr info,
                 unsigned int flags G_GNUC_UNUSED)
{
    *info = (virDomainControlInfo){.state = VIR_DOMAIN_CONTROL_OK};
    return look(domain, "get_control_info") ? 0 : -1;
}

static int
get_block_info(virDomainPtr domain,
               const char *disk G_GNUC_UNUSED,
               virDomainBlockInfoPtr info,
               unsigned int flags G_GNUC_UNUSED)
{
    *info = (virDomainBlockInfo){.capacity = FAKE_SIZE,
                                 .allocation = FAKE_SIZE,
                                 .physical = FAKE_SIZE};
    return look(domain, "get_block_info") ? 0 : -1;
}

static int
resume(virDomainPtr domain)
{
    virConnectPtr conn = virDomainGetConnect(domain);

    return enter(conn, "resume", "resume") && leave(conn) ? 0 : -1;
}

static char *
get_metadata(virDomainPtr domain,
             int type G_GNUC_UNUSED,
             const char *uri G_GNUC_UNUSED,
             unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "get_metadata"))
        return NULL;
    if (here->metadata != NULL)
        return strdup(here->metadata);
    set_error(VIR_ERR_NO_DOMAIN_METADATA, VIR_FROM_QEMU, "metadata not found");
    return NULL;
}

static int
set_metadata(virDomainPtr domain,
             int type G_GNUC_UNUSED,
             const char *metadata,
             const char *key G_GNUC_UNUSED,
             const char *uri G_GNUC_UNUSED,
             unsigned int flags G_GNUC_UNUSED)
{
    virConnectPtr conn = virDomainGetConnect(domain);

    if (!enter(conn, "set_metadata",
               metadata != NULL ? "set_metadata" : "remove_metadata"))
        return -1;
    g_free(here->metadata);
    here->metadata = g_strdup(metadata);
    return leave(conn) ? 0 : -1;
}

/* ---- Checkpoints --------------------------------------------------------- */

static void
checkpoint_free(gpointer opaque)
{
    FakeCheckpoint *checkpoint = opaque;

    g_free(checkpoint->name);
    g_free(checkpoint->description);
    g_free(checkpoint);
}

FakeCheckpoint *
fake_host_checkpoint(FakeHost *host, const char *name)
{
    for (guint i = 0; i < host->checkpoints->len; i++) {
        FakeCheckpoint *checkpoint = g_ptr_array_index(host->checkpoints, i);

        if (strcmp(checkpoint->name, name) == 0)
            return checkpoint;
    }
    return NULL;
}

void
fake_host_add_checkpoint(FakeHost *host, const char *name, const char *text)
{
    FakeCheckpoint *checkpoint = g_new0(FakeCheckpoint, 1);

    checkpoint->name = g_strdup(name);
    checkpoint->description = g_strdup(text);
    checkpoint->created = host->clock;
    host->clock += 60;
    g_ptr_array_add(host->checkpoints, checkpoint);
    g_hash_table_add(host->bitmaps, g_strdup(name));
}

/* What the test driver has of it: a name that the program may ask for. It stays
 * when the checkpoint is deleted. */
static virDomainCheckpointPtr
handle_of(virDomainPtr domain, const char *name)
{
    g_autofree char *xml =
        g_strdup_printf("<domaincheckpoint><name>%s</name></domaincheckpoint>",
                        name);
    virDomainCheckpointPtr there =
        virDomainCheckpointLookupByName(domain, name, 0);

    return there != NULL ? there : virDomainCheckpointCreateXML(domain, xml, 0);
}

/* FALSE, and why, where QEMU or libvirt does not want it. */
static gboolean
may_make(const RfpCheckpointXml *wanted, unsigned int flags)
{
    gboolean has_bitmap = g_hash_table_contains(here->bitmaps, wanted->name);
    gboolean again = flags & VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE;

    if (fake_host_checkpoint(here, wanted->name) != NULL && !again)
        set_error(VIR_ERR_OPERATION_FAILED, VIR_FROM_QEMU,
                  "operation failed: checkpoint already exists");
    else if (again && !has_bitmap)
        set_error(VIR_ERR_CHECKPOINT_INCONSISTENT, VIR_FROM_QEMU,
                  "checkpoint inconsistent: missing bitmap");
    else if (!again && has_bitmap)
        set_error(VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU,
                  "internal error: unable to execute QEMU command "
                  "'transaction': Bitmap already exists: p");
    else
        return TRUE;
    return FALSE;
}

static void
make(const RfpCheckpointXml *wanted)
{
    fake_host_add_checkpoint(here, wanted->name, wanted->description);
    if (wanted->created != 0)
        fake_host_checkpoint(here, wanted->name)->created = wanted->created;
}

static virDomainCheckpointPtr
checkpoint_create(virDomainPtr domain, const char *xml, unsigned int flags)
{
    virConnectPtr conn = virDomainGetConnect(domain);
    g_autoptr(RfpCheckpointXml) wanted = rfp_checkpoint_xml_parse(xml, NULL);
    g_autofree char *what =
        g_strdup_printf("checkpoint_%s %s",
                        flags & VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE
                            ? "redefine"
                            : "create",
                        wanted->name);

    if (!enter(conn, "checkpoint_create", what) || !may_make(wanted, flags))
        return NULL;
    make(wanted);
    return leave(conn) ? handle_of(domain, wanted->name) : NULL;
}

static int
checkpoint_list(virDomainPtr domain,
                virDomainCheckpointPtr **checkpoints,
                unsigned int flags G_GNUC_UNUSED)
{
    const guint n = here->checkpoints->len;

    if (!look(domain, "checkpoint_list"))
        return -1;
    *checkpoints = calloc(n + 1, sizeof(virDomainCheckpointPtr));
    for (guint i = 0; i < n; i++) {
        FakeCheckpoint *checkpoint = g_ptr_array_index(here->checkpoints, i);

        (*checkpoints)[i] = handle_of(domain, checkpoint->name);
    }
    return (int)n;
}

static virDomainCheckpointPtr
checkpoint_lookup(virDomainPtr domain,
                  const char *name,
                  unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "checkpoint_lookup"))
        return NULL;
    if (fake_host_checkpoint(here, name) != NULL)
        return handle_of(domain, name);
    set_error(VIR_ERR_NO_DOMAIN_CHECKPOINT, VIR_FROM_QEMU,
              "Domain checkpoint not found");
    return NULL;
}

/* Those of a checkpoint that was deleted behind the program's back. */
static FakeCheckpoint *
find(virDomainCheckpointPtr handle)
{
    FakeCheckpoint *checkpoint =
        fake_host_checkpoint(here, virDomainCheckpointGetName(handle));

    if (checkpoint == NULL)
        set_error(VIR_ERR_NO_DOMAIN_CHECKPOINT, VIR_FROM_QEMU,
                  "Domain checkpoint not found");
    return checkpoint;
}

static char *
checkpoint_xml(const FakeCheckpoint *checkpoint, unsigned int flags)
{
    gboolean sizes = (flags & VIR_DOMAIN_CHECKPOINT_XML_SIZE) && here->running;
    g_autofree char *domain =
        flags & VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN ? NULL : domain_xml();
    guint at = 0;
    g_autoptr(GString) xml = g_string_new("<domaincheckpoint>");

    g_ptr_array_find(here->checkpoints, checkpoint, &at);
    g_string_append_printf(xml, "<name>%s</name>", checkpoint->name);
    if (checkpoint->description != NULL)
        g_string_append_printf(xml, "<description>%s</description>",
                               checkpoint->description);
    if (at > 0) {
        FakeCheckpoint *parent = g_ptr_array_index(here->checkpoints, at - 1);

        g_string_append_printf(xml, "<parent><name>%s</name></parent>",
                               parent->name);
    }
    g_string_append_printf(
        xml,
        "<creationTime>%" G_GINT64_FORMAT "</creationTime><disks>"
        "<disk name='" FAKE_TARGET "' checkpoint='bitmap' bitmap='%s'%s/>"
        "</disks>%s</domaincheckpoint>",
        checkpoint->created, checkpoint->name,
        sizes && g_hash_table_contains(here->bitmaps, checkpoint->name)
            ? " size='65536'"
            : "",
        domain != NULL ? domain : "");
    return strdup(xml->str);
}

static char *
checkpoint_get_xml(virDomainCheckpointPtr handle, unsigned int flags)
{
    virConnectPtr conn = virDomainCheckpointGetConnect(handle);
    FakeCheckpoint *checkpoint = NULL;

    if (!enter(conn, "checkpoint_get_xml", NULL) || !leave(conn) ||
        (checkpoint = find(handle)) == NULL)
        return NULL;
    return checkpoint_xml(checkpoint, flags);
}

static int
checkpoint_delete(virDomainCheckpointPtr handle, unsigned int flags)
{
    virConnectPtr conn = virDomainCheckpointGetConnect(handle);
    const char *name = virDomainCheckpointGetName(handle);
    gboolean bitmap = !(flags & VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY);
    g_autofree char *what =
        g_strdup_printf("checkpoint_%s %s", bitmap ? "delete" : "forget", name);
    FakeCheckpoint *checkpoint = NULL;

    if (!enter(conn, "checkpoint_delete", what) ||
        (checkpoint = find(handle)) == NULL)
        return -1;
    if (bitmap && !here->running) {
        set_error(VIR_ERR_OPERATION_UNSUPPORTED, VIR_FROM_QEMU,
                  "Operation not supported: domain is off");
        return -1;
    }
    if (bitmap)
        g_hash_table_remove(here->bitmaps, name);
    g_ptr_array_remove(here->checkpoints, checkpoint);
    return leave(conn) ? 0 : -1;
}

/* ---- The job ------------------------------------------------------------- */

static gboolean
may_begin(const RfpCheckpointXml *checkpoint)
{
    if (here->job != NULL) {
        set_error(VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU,
                  "Requested operation is not valid: domain has a job");
        return FALSE;
    }
    return checkpoint == NULL || may_make(checkpoint, 0);
}

/* The job's own socket leads to the server. */
static void
serve(const char *backup_xml)
{
    g_autoptr(xmlDoc) doc =
        rfp_xml_parse_root(backup_xml, strlen(backup_xml), "domainbackup", NULL,
                           "job", REFPOINT_ERROR_FAILED, NULL);
    xmlNodePtr server =
        rfp_xml_child(xmlDocGetRootElement(doc), "server", NULL);
    g_autofree char *path =
        server != NULL ? rfp_xml_attr(server, "socket") : NULL;

    if (path != NULL && here->server != NULL)
        g_assert_cmpint(symlink(here->server, path), ==, 0);
}

/* QEMU writes to the scratch file of each job that it was asked for, one that
 * nobody waits for, too. A file that has such data is of another moment. The
 * mark is put where the header of the image leaves room. */
static void
use_scratch(const char *backup_xml)
{
    static const char before[] = "<scratch file=\"";
    static const char mark[5] = "stale";
    const off_t at = 1024;
    const char *found = strstr(backup_xml, before);
    g_autofree char *path = NULL;
    char there[sizeof(mark)] = "";
    g_auto(RfpFd) fd = -1;

    g_assert_nonnull(found);
    found += strlen(before);
    path = g_strndup(found, strcspn(found, "\""));
    fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(pread(fd, there, sizeof(there), at), ==, sizeof(there));
    here->stale = here->stale || memcmp(there, mark, sizeof(mark)) == 0;
    g_assert_cmpint(pwrite(fd, mark, sizeof(mark), at), ==, sizeof(mark));
}

static int
backup_begin(virDomainPtr domain,
             const char *backup_xml,
             const char *checkpoint_xml_text,
             unsigned int flags)
{
    virConnectPtr conn = virDomainGetConnect(domain);
    g_autoptr(RfpCheckpointXml) checkpoint =
        checkpoint_xml_text != NULL
            ? rfp_checkpoint_xml_parse(checkpoint_xml_text, NULL)
            : NULL;
    g_autofree char *what =
        g_strdup_printf("backup_begin %s",
                        checkpoint != NULL ? checkpoint->name : "-");

    if (flags & VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)
        use_scratch(backup_xml);
    if (!enter(conn, "backup_begin", what) || !may_begin(checkpoint))
        return -1;
    here->job = g_strdup(backup_xml);
    serve(backup_xml);
    if (checkpoint != NULL)
        make(checkpoint);
    return leave(conn) ? 0 : -1;
}

static char *
backup_get_xml(virDomainPtr domain, unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "backup_get_xml"))
        return NULL;
    if (here->job != NULL)
        return strdup(here->job);
    set_error(VIR_ERR_NO_DOMAIN_BACKUP, VIR_FROM_QEMU,
              "Domain backup job id not found");
    return NULL;
}

static int
get_job_stats(virDomainPtr domain,
              int *type,
              virTypedParameterPtr *params,
              int *nparams,
              unsigned int flags G_GNUC_UNUSED)
{
    int max = 0;

    if (!look(domain, "get_job_stats"))
        return -1;
    *params = NULL;
    *nparams = 0;
    *type = here->job != NULL ? VIR_DOMAIN_JOB_UNBOUNDED : VIR_DOMAIN_JOB_NONE;
    if (here->job != NULL)
        virTypedParamsAddULLong(params, nparams, &max,
                                VIR_DOMAIN_JOB_DISK_TEMP_TOTAL, FAKE_SIZE);
    return 0;
}

static int
abort_job(virDomainPtr domain)
{
    virConnectPtr conn = virDomainGetConnect(domain);

    if (!enter(conn, "abort_job", "abort_job"))
        return -1;
    if (here->job == NULL) {
        set_error(VIR_ERR_OPERATION_INVALID, VIR_FROM_QEMU,
                  "Requested operation is not valid: no job");
        return -1;
    }
    g_clear_pointer(&here->job, g_free);
    return leave(conn) ? 0 : -1;
}

static int
get_block_job(virDomainPtr domain,
              const char *disk G_GNUC_UNUSED,
              virDomainBlockJobInfoPtr info,
              unsigned int flags G_GNUC_UNUSED)
{
    *info = (virDomainBlockJobInfo){.end = FAKE_SIZE};
    if (!look(domain, "get_block_job"))
        return -1;
    return here->job != NULL ? 1 : 0;
}

static int
set_block_job_speed(virDomainPtr domain,
                    const char *disk G_GNUC_UNUSED,
                    unsigned long bandwidth G_GNUC_UNUSED,
                    unsigned int flags G_GNUC_UNUSED)
{
    return look(domain, "set_block_job_speed") ? 0 : -1;
}

/* ---- The agent ----------------------------------------------------------- */

/* Its answer comes too late, if it fails behind what was done. */
static gboolean
leave_agent(virConnectPtr conn)
{
    if (leave(conn))
        return TRUE;
    if (here->failure == FAKE_UNANSWERED) {
        slept += (gint64)here->agent_timeout * G_USEC_PER_SEC;
        set_error(VIR_ERR_AGENT_UNRESPONSIVE, VIR_FROM_QEMU,
                  "Guest agent is not responding: no answer in time");
    }
    return FALSE;
}

static void
refuse_frozen(void)
{
    set_error(VIR_ERR_INTERNAL_ERROR, VIR_FROM_QEMU,
              "internal error: unable to execute QEMU agent command: the agent "
              "is in frozen state");
}

static int
agent_set_timeout(virDomainPtr domain,
                  int timeout,
                  unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "agent_set_timeout"))
        return -1;
    here->agent_timeout = timeout;
    return 0;
}

static int
fs_freeze(virDomainPtr domain,
          const char **mountpoints G_GNUC_UNUSED,
          unsigned int nmountpoints G_GNUC_UNUSED,
          unsigned int flags G_GNUC_UNUSED)
{
    virConnectPtr conn = virDomainGetConnect(domain);

    if (!enter(conn, "fs_freeze", "fs_freeze"))
        return -1;
    if (here->frozen) {
        refuse_frozen();
        return -1;
    }
    here->frozen = TRUE;
    return leave_agent(conn) ? 1 : -1;
}

static int
fs_thaw(virDomainPtr domain,
        const char **mountpoints G_GNUC_UNUSED,
        unsigned int nmountpoints G_GNUC_UNUSED,
        unsigned int flags G_GNUC_UNUSED)
{
    virConnectPtr conn = virDomainGetConnect(domain);
    int n = here->frozen ? 1 : 0;

    if (!enter(conn, "fs_thaw", "fs_thaw"))
        return -1;
    here->frozen = FALSE;
    return leave_agent(conn) ? n : -1;
}

static int
get_time(virDomainPtr domain,
         long long *seconds,
         unsigned int *nseconds,
         unsigned int flags G_GNUC_UNUSED)
{
    *seconds = EPOCH;
    *nseconds = 0;
    if (!look(domain, "get_time"))
        return -1;
    if (here->frozen)
        refuse_frozen();
    return here->frozen ? -1 : 0;
}

static char *
get_hostname(virDomainPtr domain, unsigned int flags G_GNUC_UNUSED)
{
    if (!look(domain, "get_hostname"))
        return NULL;
    if (here->frozen)
        refuse_frozen();
    return here->frozen ? NULL : strdup("guest");
}

static const RfpVirtCalls fake_calls = {
    .is_alive = is_alive,
    .lookup_by_id = lookup_by_id,
    .lookup_by_uuid = lookup_by_uuid,
    .lookup_by_name = lookup_by_name,
    .list_domains = list_domains,
    .get_state = get_state,
    .is_active = is_active,
    .is_persistent = is_persistent,
    .get_xml = get_xml,
    .get_control_info = get_control_info,
    .get_block_info = get_block_info,
    .resume = resume,
    .get_metadata = get_metadata,
    .set_metadata = set_metadata,
    .backup_begin = backup_begin,
    .backup_get_xml = backup_get_xml,
    .get_job_stats = get_job_stats,
    .abort_job = abort_job,
    .get_block_job = get_block_job,
    .set_block_job_speed = set_block_job_speed,
    .checkpoint_create = checkpoint_create,
    .checkpoint_list = checkpoint_list,
    .checkpoint_lookup = checkpoint_lookup,
    .checkpoint_get_xml = checkpoint_get_xml,
    .checkpoint_delete = checkpoint_delete,
    .agent_set_timeout = agent_set_timeout,
    .fs_freeze = fs_freeze,
    .fs_thaw = fs_thaw,
    .get_time = get_time,
    .get_hostname = get_hostname,
};

/* ---- The guard ----------------------------------------------------------- */

/* It says ahead all that it would be waited for. One that fails says nothing
 * and hangs up. */
static int
start_guard(RefpointConnection *conn G_GNUC_UNUSED,
            const char *domain_uuid G_GNUC_UNUSED,
            const char *word,
            GError **error)
{
    static const char says[] = "ready\nwatching\n";
    int pair[2];

    if (!enter(NULL, "start_guard", "start_guard")) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED, "cannot start the guard");
        return -1;
    }
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
                    ==, 0);
    rfp_fd_clear(&here->guard);
    here->guard = pair[1];
    if (word != NULL)
        watch_kept();
    if (leave(NULL))
        (void)!write(here->guard, says, strlen(says));
    else
        rfp_fd_clear(&here->guard);
    return pair[0];
}

void
fake_host_listen(FakeHost *host G_GNUC_UNUSED)
{
    hear_guard();
}

void
fake_host_guard_late(FakeHost *host)
{
    if (!rfp_late_freeze_pending(&host->conn, FAKE_UUID))
        return;
    host->frozen = FALSE;
    rfp_late_freeze_clear(&host->conn, FAKE_UUID);
}

/* ---- The whole ----------------------------------------------------------- */

void
fake_host_fail(FakeHost *host, guint n, FakeFailure failure, RefpointJob *job)
{
    fake_host_calm(host);
    host->fail_at = n;
    host->failure = failure;
    host->job_to_cancel = job;
}

void
fake_host_calm(FakeHost *host)
{
    hear_guard();
    host->fail_at = 0;
    host->n_calls = 0;
    host->gone = FALSE;
    host->conn.lost_at = host->conn.reopened_at = 0;
    host->conn.n_reopened = 0;
    host->unrecorded = FALSE;
    host->stale = FALSE;
    g_clear_pointer(&host->failed, g_free);
    g_clear_pointer(&host->record, g_free);
    g_string_truncate(host->trace, 0);
    g_string_truncate(host->calls, 0);
}

/* The test driver's domain is there as long as a connection is: this one makes
 * it last, and with it the handles of checkpoints, which take long to make. */
static void
define_domain(void)
{
    static virConnectPtr anchor;
    g_autoptr(virDomain) domain = NULL;

    if (anchor != NULL)
        return;
    anchor = virConnectOpen(URI);
    g_assert_nonnull(anchor);
    domain = virDomainDefineXML(
        anchor, "<domain type='test'><name>" FAKE_NAME "</name>"
                "<uuid>" FAKE_UUID "</uuid><memory>1024</memory>"
                "<os><type>hvm</type></os><devices>"
                "<disk type='file' device='disk'>"
                "<driver name='qemu' type='qcow2'/><source file='/none'/>"
                "<target dev='" FAKE_TARGET "'/></disk></devices></domain>");
    g_assert_nonnull(domain);
    g_assert_cmpint(virDomainCreate(domain), ==, 0);
}

/* In memory, if there is room for all that operations want to stay free. One
 * name for all hosts of a process: the library interns names of folders, and
 * GLib leaks where there are thousands of them. */
static char *
make_dir(void)
{
    RfpSpace space = {0};
    gboolean fits = access(MEMORY, W_OK) == 0 &&
                    rfp_space_of(MEMORY, &space, NULL) &&
                    space.free > MEMORY_MIN;
    char *dir = g_strdup_printf("%s/refpoint-host-%d",
                                fits ? MEMORY : g_get_tmp_dir(), (int)getpid());

    g_assert_cmpint(g_mkdir(dir, 0700), ==, 0);
    return dir;
}

FakeHost *
fake_host_new(void)
{
    static const guint8 header[] = {'Q', 'F', 'I', 0xfb, 0, 0, 0, 3};
    FakeHost *host = g_new0(FakeHost, 1);
    RefpointConnection *conn = &host->conn;

    refpoint_silence_libvirt();
    here = host;
    host->dir = make_dir();
    host->disk = g_build_filename(host->dir, FAKE_TARGET ".qcow2", NULL);
    g_assert_true(g_file_set_contents(host->disk, (const char *)header,
                                      sizeof(header), NULL));
    host->running = TRUE;
    host->checkpoints = g_ptr_array_new_with_free_func(checkpoint_free);
    host->bitmaps =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    host->clock = EPOCH;
    host->trace = g_string_new(NULL);
    host->calls = g_string_new(NULL);
    host->guard = -1;
    host->watch = -1;
    g_mutex_init(&conn->lock);
    rfp_gate_init(&conn->gate);
    conn->calls = &fake_calls;
    conn->start_guard = start_guard;
    conn->runtime_dir = g_build_filename(host->dir, "run", NULL);
    conn->scratch_dir = g_build_filename(host->dir, "scratch", NULL);
    conn->own_records_dir = g_build_filename(host->dir, "records", NULL);
    conn->records_dir = g_intern_string(conn->own_records_dir);
    define_domain();
    conn->virt = virConnectOpen(URI);
    g_assert_nonnull(conn->virt);
    conn->uri = g_strdup(URI);
    return host;
}

void
fake_host_free(FakeHost *host)
{
    if (host == NULL)
        return;
    if (host->lost != NULL)
        virConnectClose(host->lost);
    virConnectClose(host->conn.virt);
    g_mutex_clear(&host->conn.lock);
    rfp_gate_clear(&host->conn.gate);
    g_free(host->conn.uri);
    g_free(host->conn.runtime_dir);
    g_free(host->conn.scratch_dir);
    g_free(host->conn.own_records_dir);
    rfp_fd_clear(&host->guard);
    rfp_fd_clear(&host->watch);
    set_remove(host->dir);
    g_free(host->dir);
    g_free(host->disk);
    g_free(host->metadata);
    g_free(host->job);
    g_free(host->failed);
    g_free(host->record);
    g_ptr_array_unref(host->checkpoints);
    g_hash_table_unref(host->bitmaps);
    g_string_free(host->trace, TRUE);
    g_string_free(host->calls, TRUE);
    g_free(host);
    here = NULL;
}
