/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *path;
    RfpFd fd;
    RfpFolder folder;
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    fixture->path = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    fixture->fd = open(fixture->path, O_RDONLY | O_DIRECTORY);
    fixture->folder.fd = fixture->fd;
    fixture->folder.shown = fixture->path;
}

static void
tear_down(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->path, 0, NULL);
    const char *name = NULL;

    while ((name = g_dir_read_name(dir)) != NULL)
        g_assert_true(rfp_files_remove(&fixture->folder, name, NULL));
    g_assert_cmpint(g_rmdir(fixture->path), ==, 0);
    rfp_fd_clear(&fixture->fd);
    g_free(fixture->path);
}

static void
put(Fixture *fixture, const char *path, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_files_write(&fixture->folder, path, text, strlen(text),
                                  0600, &error));
    g_assert_no_error(error);
}

static gboolean
is_there(Fixture *fixture, const char *path)
{
    return faccessat(fixture->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
errno_of(const GError *error)
{
    RefpointFailure *failure = refpoint_failure_new(error);
    int errnum = failure->errnum;

    refpoint_failure_free(failure);
    return errnum;
}

/* ---- Finding ------------------------------------------------------------- */

typedef struct {
    const char *path;
    int flags;
    int errnum; /* 0: another error, -1: success */
} Open;

static const Open opens[] = {
    {"file", O_RDONLY, -1},
    {"a/b/file", O_RDONLY, -1},
    {"a/./b/file", O_RDONLY, -1},
    {"a", O_RDONLY | O_DIRECTORY, -1},
    {".", O_RDONLY | O_DIRECTORY, -1},
    {"missing", O_RDONLY, ENOENT},
    {"a/missing/file", O_RDONLY, ENOENT},
    {"", O_RDONLY, ENAMETOOLONG},
    {"..", O_RDONLY, EINVAL},
    {"../file", O_RDONLY, EINVAL},
    {"a/../file", O_RDONLY, EINVAL},
    {"a/..", O_RDONLY | O_DIRECTORY, EINVAL},
    {"/etc/passwd", O_RDONLY, EINVAL},
    {"a//b/file", O_RDONLY, EINVAL},
    {"a/", O_RDONLY | O_DIRECTORY, EINVAL},
    {"1/2/3/4/5/6/7/8/9", O_RDONLY, ENAMETOOLONG},
    {"file/x", O_RDONLY, ENOTDIR},
    {"link", O_RDONLY, ELOOP},
    {"link", O_WRONLY, ELOOP},
    {"dangling", O_WRONLY | O_CREAT, ELOOP},
    {"dangling", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
    {"folder-link/b/file", O_RDONLY, ENOTDIR},
    {"folder-link", O_RDONLY | O_DIRECTORY, ENOTDIR},
    {"fifo", O_RDONLY, 0},
    {"fifo", O_RDWR, 0},
    {"file", O_WRONLY | O_CREAT | O_EXCL, EEXIST},
};

static void
test_open(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_assert_true(rfp_files_make_dirs(&fixture->folder, "a/b", NULL));
    put(fixture, "file", "x");
    put(fixture, "a/b/file", "y");
    g_assert_cmpint(symlinkat("file", fixture->fd, "link"), ==, 0);
    g_assert_cmpint(symlinkat("nothing", fixture->fd, "dangling"), ==, 0);
    g_assert_cmpint(symlinkat("a", fixture->fd, "folder-link"), ==, 0);
    g_assert_cmpint(mkfifoat(fixture->fd, "fifo", 0600), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(opens); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(RfpFd) fd = rfp_files_open(&fixture->folder, opens[i].path,
                                          opens[i].flags, &error);

        g_test_message("'%s' %#x", opens[i].path, opens[i].flags);
        g_assert_true((fd >= 0) == (error == NULL));
        g_assert_true((fd >= 0) == (opens[i].errnum == -1));
        if (error != NULL)
            g_assert_cmpint(errno_of(error), ==, opens[i].errnum);
        if (fd >= 0)
            g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }
    g_assert_false(is_there(fixture, "nothing"));
}

/* ---- Reading and writing ------------------------------------------------- */

static void
test_write(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    struct stat st;
    gsize length = 0;

    g_assert_true(
        rfp_files_write(&fixture->folder, "new", "a\0b", 3, 0400, &error));
    g_assert_cmpint(fstatat(fixture->fd, "new", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0400);
    text = rfp_files_read(&fixture->folder, "new", 3, &length, &error);
    g_assert_no_error(error);
    g_assert_cmpmem(text, length + 1, "a\0b", 4);
    g_assert_false(
        rfp_files_write(&fixture->folder, "new", "c", 1, 0400, &error));
    g_assert_cmpint(errno_of(error), ==, EEXIST);
    g_clear_error(&error);
    g_assert_null(rfp_files_read(&fixture->folder, "new", 2, &length, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(rfp_files_read(&fixture->folder, ".", 9, &length, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

static void
test_empty(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *text = NULL;
    gsize length = 9;

    put(fixture, "empty", "");
    text = rfp_files_read(&fixture->folder, "empty", 0, &length, NULL);
    g_assert_cmpstr(text, ==, "");
    g_assert_cmpuint(length, ==, 0);
}

static void
test_no_space(void)
{
    g_auto(RfpFd) fd = open("/dev/full", O_WRONLY);

    if (fd < 0) {
        g_test_skip("/dev/full is missing");
        return;
    }
    g_assert_cmpint(rfp_files_write_all(fd, "x", 1), ==, ENOSPC);
    g_assert_cmpint(rfp_files_write_all(-1, "x", 1), ==, EBADF);
    g_assert_cmpint(rfp_files_write_all(-1, "", 0), ==, 0);
}

/* ---- Folders ------------------------------------------------------------- */

static void
test_make_dirs(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    struct stat st;

    g_assert_true(rfp_files_make_dirs(&fixture->folder, "a/b/c", &error));
    g_assert_true(rfp_files_make_dirs(&fixture->folder, "a/b/c", &error));
    g_assert_no_error(error);
    g_assert_cmpint(fstatat(fixture->fd, "a/b", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0700);
    g_assert_true(rfp_files_sync_dir(&fixture->folder, "a/b", &error));
    g_assert_true(rfp_files_sync_dir(&fixture->folder, ".", &error));
    g_assert_no_error(error);
    g_assert_false(rfp_files_make_dirs(&fixture->folder, "../x", &error));
    g_clear_error(&error);
    g_assert_cmpint(symlinkat("/tmp", fixture->fd, "out"), ==, 0);
    g_assert_false(rfp_files_make_dirs(&fixture->folder, "out/x", &error));
    g_assert_nonnull(error);
}

/* Staged as it is written, with no harm from what is there already. */
static void
test_stage(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    struct stat st;

    g_assert_true(rfp_files_stage_dirs(&fixture->folder, "a/b", &error));
    g_assert_true(rfp_files_stage_dirs(&fixture->folder, "a/b", &error));
    g_assert_true(
        rfp_files_stage(&fixture->folder, "a/b/c", "text", 4, 0400, &error));
    g_assert_no_error(error);
    g_assert_cmpint(fstatat(fixture->fd, "a/b/c", &st, 0), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0400);
    g_assert_cmpint(st.st_size, ==, 4);
    g_assert_false(
        rfp_files_stage(&fixture->folder, "a/b/c", "x", 1, 0400, &error));
    g_clear_error(&error);
    g_assert_true(rfp_files_sync_tree(&fixture->folder, "a", &error));
    g_assert_no_error(error);
    g_assert_false(rfp_files_sync_tree(&fixture->folder, "none", &error));
    g_clear_error(&error);
    /* nothing outside is taken for part of it */
    g_assert_cmpint(symlinkat("/tmp", fixture->fd, "a/out"), ==, 0);
    g_assert_false(rfp_files_sync_tree(&fixture->folder, "a", &error));
    g_assert_nonnull(error);
}

static void
test_make_dirs_absolute(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *deep = g_build_filename(fixture->path, "a/b", NULL);
    g_autofree char *file = g_build_filename(fixture->path, "file", NULL);
    g_autofree char *below = g_build_filename(file, "x", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_make_dirs(deep, 0700, &error));
    g_assert_true(rfp_make_dirs(deep, 0700, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_test(deep, G_FILE_TEST_IS_DIR));
    put(fixture, "file", "");
    g_assert_false(rfp_make_dirs(file, 0700, &error));
    g_assert_nonnull(error);
    g_clear_error(&error);
    g_assert_false(rfp_make_dirs(below, 0700, &error));
    g_assert_nonnull(error);
}

/* A tree goes; what a link in it points to stays. */
static void
test_remove(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_files_make_dirs(&fixture->folder, "a/b/c", NULL));
    g_assert_true(rfp_files_make_dirs(&fixture->folder, "keep", NULL));
    put(fixture, "keep/file", "x");
    put(fixture, "a/file", "x");
    put(fixture, "a/b/.hidden", "x");
    g_assert_cmpint(symlinkat("../keep", fixture->fd, "a/link"), ==, 0);
    g_assert_cmpint(mkfifoat(fixture->fd, "a/b/fifo", 0600), ==, 0);
    g_assert_true(rfp_files_remove(&fixture->folder, "a", &error));
    g_assert_true(rfp_files_remove(&fixture->folder, "a", &error));
    g_assert_true(rfp_files_remove(&fixture->folder, "a/b", &error));
    g_assert_no_error(error);
    g_assert_false(is_there(fixture, "a"));
    g_assert_true(is_there(fixture, "keep/file"));
    g_assert_cmpint(symlinkat("keep", fixture->fd, "link"), ==, 0);
    g_assert_false(rfp_files_remove(&fixture->folder, "link/file", &error));
    g_clear_error(&error);
    g_assert_true(rfp_files_remove(&fixture->folder, "link", &error));
    g_assert_true(is_there(fixture, "keep/file"));
    g_assert_false(rfp_files_remove(&fixture->folder, "../x", &error));
    g_assert_nonnull(error);
}

static void
test_remove_many(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(rfp_files_make_dirs(&fixture->folder, "many", NULL));
    for (guint i = 0; i < 2000; i++) {
        g_autofree char *path = g_strdup_printf("many/%u", i);

        close(openat(fixture->fd, path, O_CREAT | O_WRONLY, 0600));
    }
    g_assert_true(rfp_files_remove(&fixture->folder, "many", &error));
    g_assert_no_error(error);
    g_assert_false(is_there(fixture, "many"));
}

/* ---- Locks --------------------------------------------------------------- */

static gpointer
unlock_later(gpointer opaque)
{
    g_usleep(100000);
    rfp_files_unlock(GPOINTER_TO_INT(opaque), 0);
    return NULL;
}

static void
test_lock(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autoptr(GError) error = NULL;
    g_auto(RfpFd) one = -1;
    g_auto(RfpFd) two = -1;
    GThread *thread = NULL;

    put(fixture, "lock", "");
    one = rfp_files_open(&fixture->folder, "lock", O_RDWR, NULL);
    two = rfp_files_open(&fixture->folder, "lock", O_RDWR, NULL);
    g_assert_cmpint(rfp_files_lock(one, 0, 0, "x", &error), ==, RFP_LOCK_TAKEN);
    g_assert_cmpint(rfp_files_lock(one, 0, 0, "x", &error), ==, RFP_LOCK_TAKEN);
    g_assert_cmpint(rfp_files_lock(two, 0, 0, "x", &error), ==, RFP_LOCK_BUSY);
    g_assert_cmpint(rfp_files_lock(two, 0, 50, "x", &error), ==, RFP_LOCK_BUSY);
    g_assert_cmpint(rfp_files_lock(two, 1, 0, "x", &error), ==, RFP_LOCK_TAKEN);
    thread = g_thread_new("unlock", unlock_later, GINT_TO_POINTER(one));
    g_assert_cmpint(rfp_files_lock(two, 0, 10000, "x", &error), ==,
                    RFP_LOCK_TAKEN);
    g_thread_join(thread);
    rfp_fd_clear(&two);
    g_assert_cmpint(rfp_files_lock(one, 0, 0, "x", &error), ==, RFP_LOCK_TAKEN);
    g_assert_no_error(error);
    g_assert_cmpint(rfp_files_lock(-1, 0, 0, "x", &error), ==, RFP_LOCK_FAILED);
    g_assert_nonnull(error);
}

static void
test_fd(void)
{
    RfpFd fd = open("/dev/null", O_RDONLY);
    int taken = rfp_fd_steal(&fd);

    g_assert_cmpint(fd, ==, -1);
    g_assert_cmpint(taken, >=, 0);
    rfp_fd_clear(&fd);
    fd = taken;
    rfp_fd_clear(&fd);
    g_assert_cmpint(fd, ==, -1);
    g_assert_cmpint(fcntl(taken, F_GETFD), ==, -1);
}

static void
check_absolute(const char *path, const char *dir, const char *wanted)
{
    g_autofree char *absolute = rfp_path_absolute(path);
    g_autofree char *whole = g_build_filename(dir, wanted, NULL);

    g_assert_cmpstr(absolute, ==, whole);
}

/* "link" leads to "a/b": above it is "a". */
static void
test_absolute(Fixture *fixture, gconstpointer data G_GNUC_UNUSED)
{
    g_autofree char *before = g_get_current_dir();
    g_autofree char *dir = NULL;

    g_assert_true(rfp_files_make_dirs(&fixture->folder, "a/b", NULL));
    g_assert_cmpint(symlinkat("a/b", fixture->fd, "link"), ==, 0);
    g_assert_cmpint(chdir(fixture->path), ==, 0);
    dir = g_get_current_dir();
    check_absolute("/x//y/./z/", "/", "x/y/z");
    check_absolute("/", "/", "");
    check_absolute("a", dir, "a");
    check_absolute("./a//b/", dir, "a/b");
    check_absolute("new/deep", dir, "new/deep");
    check_absolute("link", dir, "link");
    check_absolute("a/..b", dir, "a/..b");
    check_absolute("a/../a", dir, "a");
    check_absolute("link/..", dir, "a");
    check_absolute("link/../new", dir, "a/new");
    check_absolute("link/../new/", dir, "a/new");
    check_absolute("none/../new", dir, "new");
    g_assert_cmpint(chdir(before), ==, 0);
}

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/files/open", test_open);
    ADD("/files/write", test_write);
    ADD("/files/empty", test_empty);
    g_test_add_func("/files/no-space", test_no_space);
    ADD("/files/make-dirs", test_make_dirs);
    ADD("/files/make-dirs-absolute", test_make_dirs_absolute);
    ADD("/files/stage", test_stage);
    ADD("/files/remove", test_remove);
    ADD("/files/remove-many", test_remove_many);
    ADD("/files/lock", test_lock);
    g_test_add_func("/files/fd", test_fd);
    ADD("/files/absolute", test_absolute);
    return g_test_run();
}
