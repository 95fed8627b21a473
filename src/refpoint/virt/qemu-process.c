/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/qemu-process.h"
#include "base/files.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSTEM_PIDS "/run/libvirt/qemu"
#define PID_FILE_MAX 32
#define PASSWD_MAX 16384

/* ---- Who it is ----------------------------------------------------------- */

void
rfp_identity_free(RfpIdentity *identity)
{
    if (identity == NULL)
        return;
    g_array_unref(identity->groups);
    g_free(identity);
}

/* The words behind "KEY:", at the begin of a line. */
static char **
words_of(const char *status, const char *key)
{
    g_auto(GStrv) lines = g_strsplit(status, "\n", -1);

    for (char **line = lines; *line != NULL; line++)
        if (g_str_has_prefix(*line, key))
            return g_strsplit_set(*line + strlen(key), " \t", -1);
    return NULL;
}

/* The numbers among them: GArray of gid_t. */
static GArray *
numbers_of(const char *status, const char *key)
{
    g_auto(GStrv) words = words_of(status, key);
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(gid_t));
    guint64 number = 0;

    for (char **word = words; word != NULL && *word != NULL; word++)
        if (g_ascii_string_to_unsigned(*word, 10, 0, G_MAXUINT32, &number,
                                       NULL)) {
            gid_t one = (gid_t)number;

            g_array_append_val(numbers, one);
        }
    return numbers;
}

RfpIdentity *
rfp_identity_parse(const char *status)
{
    /* real, effective, saved, and that of the file system */
    g_autoptr(GArray) users = numbers_of(status, "Uid:");
    g_autoptr(GArray) groups = numbers_of(status, "Gid:");
    RfpIdentity *identity = NULL;

    if (users->len != 4 || groups->len != 4)
        return NULL;
    identity = g_new0(RfpIdentity, 1);
    identity->uid = (uid_t)g_array_index(users, gid_t, 3);
    identity->gid = g_array_index(groups, gid_t, 3);
    identity->groups = numbers_of(status, "Groups:");
    return identity;
}

/* ---- Where it gets ------------------------------------------------------- */

typedef struct {
    const RfpIdentity *identity;
    const char *path; /* absolute, without links */
    char *stopped_at;
} Walk;

/* Of this thread alone: the C library would change the whole process. */
static gboolean
become(const RfpIdentity *identity)
{
#ifdef SYS_setgroups32
    const long number = SYS_setgroups32;
#else
    const long number = SYS_setgroups;
#endif

    if (syscall(number, (size_t)identity->groups->len, identity->groups->data) <
        0)
        return FALSE;
    setfsgid(identity->gid);
    setfsuid(identity->uid); /* and root's capabilities over files go */
    return (gid_t)setfsgid((gid_t)-1) == identity->gid &&
           (uid_t)setfsuid((uid_t)-1) == identity->uid;
}

static gboolean
can_enter(const char *folder)
{
    g_autofree char *inside = g_build_filename(folder, ".", NULL);
    g_auto(RfpFd) fd = open(inside, O_PATH | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 || errno != EACCES;
}

/* The thread ends with it: what it has become is nobody else's. */
static gpointer
walk_thread(gpointer opaque)
{
    Walk *walk = opaque;
    const char *end = walk->path;

    if (!become(walk->identity))
        return NULL;
    while (walk->stopped_at == NULL && end != NULL) {
        g_autofree char *folder = NULL;

        end = strchr(end + 1, '/');
        folder = end != NULL ? g_strndup(walk->path, (gsize)(end - walk->path))
                             : g_strdup(walk->path);
        if (!can_enter(folder))
            walk->stopped_at = g_steal_pointer(&folder);
    }
    return NULL;
}

/* What is there of it, without links. */
static char *
real_path(const char *path)
{
    g_autofree char *part = g_strdup(path);
    char *real = realpath(part, NULL);
    char *copy = NULL;

    while (real == NULL && errno == ENOENT && strcmp(part, "/") != 0) {
        g_autofree char *parent = g_path_get_dirname(part);

        g_free(part);
        part = g_steal_pointer(&parent);
        real = realpath(part, NULL);
    }
    copy = g_strdup(real);
    free(real);
    return copy;
}

char *
rfp_identity_stopped_at(const RfpIdentity *identity, const char *path)
{
    g_autofree char *real = real_path(path);
    Walk walk = {.identity = identity, .path = real};

    if (real == NULL || geteuid() != 0 || identity->uid == 0)
        return NULL;
    g_thread_join(g_thread_new("reach", walk_thread, &walk));
    return walk.stopped_at;
}

/* ---- The process --------------------------------------------------------- */

pid_t
rfp_qemu_pid(RefpointConnection *conn, const RfpDomain *domain)
{
    g_autofree char *dir =
        conn->system ? g_strdup(SYSTEM_PIDS)
                     : g_build_filename(g_get_user_runtime_dir(), "libvirt",
                                        "qemu", "run", NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.pid", dir, domain->name);
    g_autofree char *text = NULL;
    gsize length = 0;
    guint64 pid = 0;

    if (strchr(domain->name, '/') != NULL ||
        !g_file_get_contents(path, &text, &length, NULL) ||
        length > PID_FILE_MAX ||
        !g_ascii_string_to_unsigned(g_strstrip(text), 10, 1, G_MAXINT, &pid,
                                    NULL))
        return 0;
    return (pid_t)pid;
}

gboolean
rfp_qemu_is_of(const char *cmdline, gsize length, const char *uuid)
{
    const char *end = cmdline + length;
    gboolean named = FALSE;

    for (const char *word = cmdline; word < end; word += strlen(word) + 1) {
        if (memchr(word, '\0', (gsize)(end - word)) == NULL)
            return FALSE;
        if (named && strcmp(word, uuid) == 0)
            return TRUE;
        named = strcmp(word, "-uuid") == 0;
    }
    return FALSE;
}

/* 0: there is none. */
static guint64
find_process(const char *uuid)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name = NULL;
    guint64 pid = 0;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path =
            g_build_filename("/proc", name, "cmdline", NULL);
        g_autofree char *text = NULL;
        gsize length = 0;

        if (g_ascii_string_to_unsigned(name, 10, 1, G_MAXINT, &pid, NULL) &&
            g_file_get_contents(path, &text, &length, NULL) &&
            rfp_qemu_is_of(text, length, uuid))
            return pid;
    }
    return 0;
}

gboolean
rfp_qemu_check_off(RefpointConnection *conn,
                   const RfpDomain *domain,
                   GError **error)
{
    /* a guest that has crashed may be preserved, with its process */
    guint64 pid = domain->calls->is_active(domain->virt) == 1
                      ? 0
                      : find_process(domain->uuid);

    if (pid == 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("domain '%s' is run by process %" PRIu64
                    ", but not under the libvirt daemon of '%s', to which it "
                    "is shut off"),
                  domain->name, pid, conn->uri);
    rfp_error_add_object(error, domain->name);
    if (conn->system)
        rfp_error_add_way_out(error, _("connect to the daemon under which it "
                                       "was started (-c)"));
    else
        rfp_error_add_way_out(error,
                              _("set HOME and XDG_RUNTIME_DIR as they were "
                                "where it was started"));
    return FALSE;
}

static RfpIdentity *
identity_of(RefpointConnection *conn, const RfpDomain *domain)
{
    pid_t pid = rfp_qemu_pid(conn, domain);
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *status = NULL;

    if (pid == 0 || !g_file_get_contents(path, &status, NULL, NULL))
        return NULL;
    return rfp_identity_parse(status);
}

static char *
name_of_user(uid_t uid)
{
    g_autofree char *buffer = g_malloc(PASSWD_MAX);
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(uid, &entry, buffer, PASSWD_MAX, &found) == 0 &&
        found != NULL)
        return rfp_text_clean(found->pw_name);
    return g_strdup_printf("%u", (guint)uid);
}

static void
set_stopped(const RfpDomain *domain,
            uid_t uid,
            const char *folder,
            const char *dir,
            GError **error)
{
    g_autofree char *user = name_of_user(uid);
    g_autofree char *word = rfp_text_shell(folder);

    rfp_error_set(error, REFPOINT_ERROR_ACCESS_DENIED,
                  _("QEMU of domain '%s' runs as user '%s', which cannot enter "
                    "'%s' to get at the scratch directory '%s'"),
                  domain->name, user, folder, dir);
    rfp_error_add_object(error, folder);
    rfp_error_add_way_out(error,
                          _("use a directory that it can enter "
                            "(--scratch-dir), or let it in with: chmod o+x "
                            "%s"),
                          word);
}

gboolean
rfp_qemu_check_reach(RefpointConnection *conn,
                     const RfpDomain *domain,
                     const char *dir,
                     GError **error)
{
    g_autoptr(RfpIdentity) identity = NULL;
    g_autofree char *folder = NULL;

    if (!conn->system && access(dir, F_OK) == 0 &&
        access(dir, W_OK | X_OK) < 0) {
        rfp_error_set_errno(error, errno,
                            _("cannot write to the scratch directory '%s'"),
                            dir);
        rfp_error_add_object(error, dir);
        rfp_error_add_way_out(error, _("use another one (--scratch-dir)"));
        return FALSE;
    }
    if (conn->system)
        identity = identity_of(conn, domain);
    if (identity != NULL)
        folder = rfp_identity_stopped_at(identity, dir);
    if (folder == NULL)
        return TRUE;
    set_stopped(domain, identity->uid, folder, dir, error);
    return FALSE;
}
