/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sound sets have no finding; each damage is found and named. */
#include "refpoint.h"
#include "set.h"
#include "set/set-points.h"
#include "set/verify-file.h"
#include "tool.h"

#include <sys/wait.h>

/* Five clusters and a bit; what grows later into a second group. */
#define SMALL (5 * RFP_CLUSTER_SIZE + 1000)
#define LARGE (((guint64)1 << 30) + 70000)

/* A sound set is made once: making one syncs a lot. */
#define SOUND "TEST_VERIFY_SOUND"
#define SCHEMA "refpoint-export.rng"
#define FIRST_VDA "disks/vm1/vda/first.qcow2"
#define SECOND_VDA "disks/vm1/vda/second.qcow2"
#define THIRD_VDA "disks/vm1/vda/third.qcow2"

static const SetMade points[] = {
    {"first", {{"vda", NULL, SMALL, "0:a 1:b 3:c 5:d"}, {"vdb", NULL, 0, ""}}},
    {"second",
     {{"vda", "first", SMALL, "1:0 2:e 5:f"}, {"vdb", "first", 513, "0:x"}}},
    {"third", {{"vda", "second", LARGE, "0:g 5:f 16384:h 16385:i"}}},
    {"fourth", {{"vda", "third", LARGE, "2:j"}}},
    {.name = NULL},
};

typedef struct Row Row;
struct Row {
    const char *name;
    /* what is done to a sound set */
    void (*damage)(const char *dir, const Row *row);
    const char *file;
    const char *from; /* or text */
    const char *to;
    gint64 number;   /* offset, mode */
    gboolean remark; /* a remark, and no damage */
    const char *id;
    const char *path; /* NULL: @file */
    const char *text; /* in the message, or NULL */
    guint64 offset;   /* the range, bytes of the disk */
    guint64 length;
};

static const Row rows[];
static const gsize n_rows;

/* ---- Running ------------------------------------------------------------- */

static RefpointVerification *
verify(const char *dir, const char *point)
{
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(GError) error = NULL;
    RefpointVerification *result = refpoint_verify(dir, point, job, &error);

    g_assert_no_error(error);
    g_assert_nonnull(result);
    return result;
}

/* @text: in the message, or NULL. */
static const RefpointFinding *
find(const GPtrArray *findings,
     const char *id,
     const char *path,
     const char *text)
{
    for (guint i = 0; i < findings->len; i++) {
        const RefpointFinding *finding = g_ptr_array_index(findings, i);

        if (strcmp(finding->id, id) == 0 && strcmp(finding->path, path) == 0 &&
            (text == NULL || strstr(finding->message, text) != NULL))
            return finding;
    }
    return NULL;
}

static gboolean
has(const GPtrArray *findings,
    const char *id,
    const char *path,
    const char *text)
{
    return find(findings, id, path, text) != NULL;
}

static void
show(const char *kind, const GPtrArray *findings)
{
    for (guint i = 0; i < findings->len; i++) {
        const RefpointFinding *finding = g_ptr_array_index(findings, i);

        g_test_message("%s [%s] %s: %s", kind, finding->id, finding->path,
                       finding->message);
    }
}

static void
assert_sound(const RefpointVerification *result)
{
    show("damage", result->damages);
    show("remark", result->remarks);
    g_assert_cmpuint(result->damages->len, ==, 0);
    g_assert_cmpuint(result->remarks->len, ==, 0);
}

static void
test_sound(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    result = verify(dir, NULL);
    assert_sound(result);
    g_assert_cmpstr(result->path, ==, dir);
    g_assert_nonnull(result->set_guid);
    g_assert_cmpuint(result->points, ==, 4);
    g_assert_cmpuint(result->images, ==, 6);
    g_assert_cmpuint(result->bytes, ==, 12 * RFP_CLUSTER_SIZE);
    set_remove(temp);
}

/* Nothing is wrong with a set that vouches for nothing. */
static void
test_old(void)
{
    static const SetMade next[] = {{"fifth", {{"vda", "fourth", LARGE, "2:k"}}},
                                   {.name = NULL}};
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) old = NULL;
    g_autoptr(RefpointVerification) more = NULL;

    set_make_old(dir, points);
    old = verify(dir, NULL);
    assert_sound(old);
    set_make(dir, next);
    more = verify(dir, NULL);
    assert_sound(more);
    g_assert_cmpuint(more->points, ==, 5);
    set_remove(temp);
}

/* What stands in a qcow2 header and has a meaning here. */
static gboolean
header_counts(gint64 offset)
{
    static const gint64 ranges[][2] = {{0, 16},  {20, 39},  {40, 64},
                                       {72, 80}, {96, 102}, {104, 105}};

    for (gsize i = 0; i < G_N_ELEMENTS(ranges); i++)
        if (offset >= ranges[i][0] && offset < ranges[i][1])
            return TRUE;
    return FALSE;
}

/* refpoint-export(5) calls the rest free: clusters 0 and 4 of this image have
 * the header, and an L1 table of one entry. */
static gboolean
image_counts(gint64 offset)
{
    const gint64 cluster = offset / (gint64)RFP_CLUSTER_SIZE;
    const gint64 at = offset % (gint64)RFP_CLUSTER_SIZE;

    if (cluster == 0)
        return header_counts(at);
    return cluster == 4 ? at < 8 : at < 24 || at % 9973 == 0;
}

typedef struct {
    const char *file;
    gint64 step;
    gboolean (*counts)(gint64 offset); /* NULL: all do */
} Flipped;

static const Flipped flipped[] = {
    {"set.xml", 3, NULL},
    {"folders.xml", 3, NULL},
    {"first/export.xml", 7, NULL},
    {"second/export.xml", 7, NULL},
    {"second/vm1/domain.xml", 1, NULL},
    {"disks/vm1/vda/first.digests", 1, NULL},
    {"disks/vm1/vda/first.qcow2", 1, image_counts},
};

/* A set whose byte @offset of @file is another one. */
static void
flip_and_verify(const char *dir, const char *file, int fd, gint64 offset)
{
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointVerification) result = NULL;
    guint8 byte = 0;
    guint8 other = 0;

    g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
    other = byte ^ (guint8)(1 << offset % 8);
    g_assert_cmpint(pwrite(fd, &other, 1, offset), ==, 1);
    result = refpoint_verify(dir, NULL, job, &error);
    if (result != NULL && result->damages->len == 0)
        g_error("byte %d of %s", (int)offset, file);
    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
}

static void
test_every_byte(void)
{
    static const SetMade made[] = {
        {"first", {{"vda", NULL, 132072, "0:a 2:c"}}},
        {"second", {{"vda", "first", 132072, "0:e 1:0"}}},
        {.name = NULL},
    };
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;
    /* fewer where each takes long */
    const gint64 stride = g_getenv("TEST_CASES") != NULL ? 61 : 1;

    set_make(dir, made);
    for (gsize i = 0; i < G_N_ELEMENTS(flipped); i++) {
        const Flipped *row = &flipped[i];
        g_autofree char *path = g_build_filename(dir, row->file, NULL);
        struct stat st;
        g_auto(RfpFd) fd = -1;

        g_assert_cmpint(g_chmod(path, 0600), ==, 0);
        fd = open(path, O_RDWR);
        g_assert_cmpint(fstat(fd, &st), ==, 0);
        for (gint64 at = 0; at < st.st_size; at += row->step * stride)
            if (row->counts == NULL || row->counts(at))
                flip_and_verify(dir, row->file, fd, at);
        g_assert_cmpint(g_chmod(path, 0400), ==, 0);
    }
    result = verify(dir, NULL);
    g_assert_cmpuint(result->damages->len, ==, 0);
    set_remove(temp);
}

/* A point was made while the newest one was away: nothing is damaged, but two
 * came after the same one. */
static void
test_fork(void)
{
    static const SetMade other[] = {{"other", {{"vda", "third", LARGE, "2:k"}}},
                                    {.name = NULL}};
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *there = g_build_filename(dir, "fourth", NULL);
    g_autofree char *away = g_build_filename(temp, "fourth", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    g_assert_cmpint(g_rename(there, away), ==, 0);
    set_make(dir, other);
    g_assert_cmpint(g_rename(away, there), ==, 0);
    result = verify(dir, NULL);
    show("damage", result->damages);
    g_assert_cmpuint(result->damages->len, ==, 0);
    g_assert_cmpuint(result->remarks->len, ==, 1);
    g_assert_true(
        has(result->remarks, "number-twice", "other/export.xml", "fourth"));
    set_remove(temp);
}

/* What two points share is no other name; who else has one can change it. */
static void
test_shared(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *from = g_build_filename(dir, "first/vm1/domain.xml", NULL);
    g_autofree char *to = g_build_filename(dir, "second/vm1/domain.xml", NULL);
    g_autofree char *aside = g_build_filename(temp, "aside", NULL);
    g_autoptr(RefpointVerification) shared = NULL;
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    g_assert_cmpint(g_unlink(to), ==, 0);
    g_assert_cmpint(link(from, to), ==, 0);
    shared = verify(dir, NULL);
    assert_sound(shared);
    g_assert_cmpint(link(from, aside), ==, 0);
    result = verify(dir, NULL);
    g_assert_cmpuint(result->remarks->len, ==, 2);
    g_assert_true(
        has(result->remarks, "hard-link", "first/vm1/domain.xml", "3"));
    set_remove(temp);
}

/* Made in a folder that hands its group on, each folder of the set does so. */
static void
test_group_folder(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *folder = g_build_filename(dir, "disks", "vm1", NULL);
    g_autofree char *oracle = g_test_build_filename(G_TEST_DIST, "..", "oracle",
                                                    "verify-set.py", NULL);
    g_autofree char *output = NULL;
    g_autoptr(RefpointVerification) result = NULL;
    struct stat st;

    g_assert_cmpint(g_chmod(temp, 02700), ==, 0);
    set_make(dir, points);
    g_assert_cmpint(stat(folder, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 02700);
    result = verify(dir, NULL);
    assert_sound(result);
    if (tool_exists("python3") && tool_exists("qemu-img"))
        output = tool_run("python3", oracle, "--strict", dir, NULL);
    set_remove(temp);
}

/* An independent opinion of the same set. */
static void
test_oracle(void)
{
    g_autofree char *temp = NULL;
    g_autofree char *dir = NULL;
    g_autofree char *output = NULL;
    g_autofree char *oracle = g_test_build_filename(G_TEST_DIST, "..", "oracle",
                                                    "verify-set.py", NULL);

    if (!tool_exists("python3") || !tool_exists("qemu-img"))
        return;
    temp = set_temp();
    dir = g_build_filename(temp, "set", NULL);
    set_make(dir, points);
    output = tool_run("python3", oracle, "--strict", dir, NULL);
    g_test_message("%s", output);
    set_remove(temp);
}

typedef struct {
    const char *file;
    gint64 offset; /* negative: from the end */
} OracleFlip;

static const OracleFlip oracle_flips[] = {
    {"set.xml", 120},
    {"set.xml", -10},
    {"folders.xml", 170},
    {"folders.xml", -81},
    {"first/export.xml", 400},
    {"second/export.xml", 180},
    {"second/export.xml", -70},
    {"fourth/export.xml", 500},
    {"fourth/export.xml", -1},
    {"second/vm1/domain.xml", 4},
    {"disks/vm1/vda/first.digests", 80},
    {"disks/vm1/vda/fourth.digests", -40},
    {"disks/vm1/vda/first.qcow2", 70000},
};

static void
flip(const char *path, gint64 offset)
{
    g_auto(RfpFd) fd = -1;
    guint8 byte = 0;

    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_RDWR);
    if (offset < 0)
        offset += lseek(fd, 0, SEEK_END);
    g_assert_cmpint(pread(fd, &byte, 1, offset), ==, 1);
    byte ^= 2;
    g_assert_cmpint(pwrite(fd, &byte, 1, offset), ==, 1);
    g_assert_cmpint(g_chmod(path, g_str_has_suffix(path, "/set.xml") ||
                                          g_str_has_suffix(path, "/folders.xml")
                                      ? 0600
                                      : 0400),
                    ==, 0);
}

/* It sees what verify sees. */
static void
test_oracle_flips(void)
{
    g_autofree char *temp = NULL;
    g_autofree char *dir = NULL;
    g_autofree char *oracle = g_test_build_filename(G_TEST_DIST, "..", "oracle",
                                                    "verify-set.py", NULL);

    if (!tool_exists("python3") || !tool_exists("qemu-img"))
        return;
    temp = set_temp();
    dir = g_build_filename(temp, "set", NULL);
    set_make(dir, points);
    for (gsize i = 0; i < G_N_ELEMENTS(oracle_flips); i++) {
        const OracleFlip *row = &oracle_flips[i];
        g_autofree char *path = g_build_filename(dir, row->file, NULL);
        const char *argv[] = {"python3", oracle, dir, NULL};
        g_autofree char *output = NULL;
        int status = 0;

        flip(path, row->offset);
        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                                   G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                                   NULL, &status, NULL));
        g_test_message("%s", output);
        g_assert_cmpint(WEXITSTATUS(status), ==, 1);
        g_assert_nonnull(strstr(output, "damaged: "));
        flip(path, row->offset);
    }
    set_remove(temp);
}

static void
test_empty(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points + G_N_ELEMENTS(points) - 1);
    result = verify(dir, NULL);
    assert_sound(result);
    g_assert_cmpuint(result->points, ==, 0);
    set_remove(temp);
}

/* A point takes what it builds on, and nothing else. */
static void
test_point(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *guid = set_guid_of("second");
    g_autofree char *bad = g_build_filename(dir, THIRD_VDA, NULL);
    g_autofree char *stray = g_build_filename(dir, "disks", "stray", NULL);
    g_autoptr(RefpointVerification) second = NULL;
    g_autoptr(RefpointVerification) by_guid = NULL;
    g_autoptr(RefpointVerification) fourth = NULL;

    set_make(dir, points);
    g_assert_cmpint(g_unlink(bad), ==, 0);
    g_assert_true(g_file_set_contents(stray, "", 0, NULL));
    second = verify(dir, "second");
    assert_sound(second);
    g_assert_cmpuint(second->points, ==, 2);
    g_assert_cmpuint(second->images, ==, 4);
    by_guid = verify(dir, guid);
    assert_sound(by_guid);
    fourth = verify(dir, "fourth");
    g_assert_cmpuint(fourth->points, ==, 4);
    g_assert_cmpuint(fourth->images, ==, 4);
    g_assert_cmpuint(fourth->damages->len, ==, 1);
    g_assert_true(has(fourth->damages, "missing-file", THIRD_VDA, NULL));
    g_assert_cmpuint(fourth->remarks->len, ==, 0);
    set_remove(temp);
}

typedef struct {
    const char *file; /* what is there, NULL: nothing */
    const char *point;
    RefpointError cause;
} NoSet;

static const NoSet no_sets[] = {
    {NULL, NULL, REFPOINT_ERROR_INVALID_PARAMETER},
    {"other", NULL, REFPOINT_ERROR_INVALID_PARAMETER},
    {"set.xml", "nobody", REFPOINT_ERROR_INVALID_PARAMETER},
};

static void
test_no_set(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(no_sets); i++) {
        g_autofree char *temp = set_temp();
        g_autofree char *dir = g_build_filename(temp, "set", NULL);
        g_autofree char *file =
            no_sets[i].file != NULL
                ? g_build_filename(dir, no_sets[i].file, NULL)
                : NULL;
        g_autoptr(RefpointJob) job = refpoint_job_new();
        g_autoptr(GError) error = NULL;

        if (g_strcmp0(no_sets[i].file, "set.xml") == 0) {
            set_make(dir, points + G_N_ELEMENTS(points) - 1);
        } else if (file != NULL) {
            g_mkdir(dir, 0700);
            g_assert_true(g_file_set_contents(file, "x", 1, NULL));
        }
        g_assert_null(refpoint_verify(dir, no_sets[i].point, job, &error));
        g_assert_error(error, REFPOINT_ERROR, (int)no_sets[i].cause);
        g_assert_null(strchr(error->message, '\x1f'));
        g_assert_nonnull(refpoint_job_get_report(job)->failure);
        set_remove(temp);
    }
}

static void
test_cancel(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(GError) error = NULL;

    set_make(dir, points);
    refpoint_job_cancel(job);
    g_assert_null(refpoint_verify(dir, NULL, job, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
    set_remove(temp);
}

static void
on_progress(const RefpointProgress *disks, guint n_disks, gpointer opaque)
{
    guint *calls = opaque;

    g_assert_cmpuint(n_disks, ==, 2);
    g_assert_cmpstr(disks[0].target, ==, "vda");
    g_assert_true(disks[0].final);
    g_assert_cmpuint(disks[0].total, ==, 11 * RFP_CLUSTER_SIZE);
    g_assert_cmpuint(disks[0].done, <=, disks[0].total);
    if (disks[0].done == disks[0].total)
        *calls += 1;
}

static void
test_progress(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(RefpointVerification) result = NULL;
    g_autoptr(GError) error = NULL;
    guint calls = 0;

    set_make(dir, points);
    refpoint_job_set_progress(job, on_progress, &calls);
    result = refpoint_verify(dir, NULL, job, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(calls, >=, 1);
    set_remove(temp);
}

/* Points come and go; whatever is found meanwhile, the check ends. */
typedef struct {
    char *from;
    char *to;
    gint stop;
} Moving;

static gpointer
come_and_go(gpointer opaque)
{
    Moving *moving = opaque;

    while (!g_atomic_int_get(&moving->stop)) {
        g_rename(moving->from, moving->to);
        g_rename(moving->to, moving->from);
    }
    return NULL;
}

static void
test_moving(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *there = g_build_filename(dir, "fourth", NULL);
    g_autofree char *hidden = g_build_filename(dir, ".partial-x", NULL);
    Moving moving = {there, hidden, 0};
    GThread *thread = NULL;

    set_make(dir, points);
    thread = g_thread_new("moving", come_and_go, &moving);
    for (guint i = 0; i < 20; i++) {
        g_autoptr(RefpointVerification) result = verify(dir, NULL);

        g_assert_cmpuint(result->points, >=, 3);
    }
    g_atomic_int_set(&moving.stop, 1);
    g_thread_join(thread);
    set_remove(temp);
}

static void
test_no_schema(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *data = g_strdup(g_getenv("REFPOINT_DATADIR"));
    g_autofree char *path = g_build_filename(temp, SCHEMA, NULL);
    g_autoptr(RefpointVerification) broken = NULL;
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    g_setenv("REFPOINT_DATADIR", temp, TRUE);
    result = verify(dir, NULL);
    g_assert_cmpuint(result->damages->len, ==, 0);
    g_assert_cmpuint(result->remarks->len, ==, 1);
    g_assert_true(has(result->remarks, "schema-missing", ".", NULL));
    g_assert_true(g_file_set_contents(path, "<a/>", -1, NULL));
    broken = verify(dir, NULL);
    g_setenv("REFPOINT_DATADIR", data, TRUE);
    g_assert_true(has(broken->remarks, "schema-missing", ".", NULL));
    set_remove(temp);
}

/* A file that the program understands is compared with the schema too. */
static void
test_schema(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *data = g_strdup(g_getenv("REFPOINT_DATADIR"));
    g_autofree char *path = g_build_filename(data, SCHEMA, NULL);
    g_autofree char *other = g_build_filename(temp, SCHEMA, NULL);
    g_autofree char *text = NULL;
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    memcpy(strstr(text, "<value>rct"), "<value>xxx", 10);
    g_assert_true(g_file_set_contents(other, text, -1, NULL));
    g_setenv("REFPOINT_DATADIR", temp, TRUE);
    result = verify(dir, NULL);
    g_setenv("REFPOINT_DATADIR", data, TRUE);
    g_assert_cmpuint(result->damages->len, ==, 4);
    g_assert_true(has(result->damages, "schema", "second/export.xml", "line"));
    set_remove(temp);
}

/* What others may add is not looked at without a limit. */
static void
test_large(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *path = g_build_filename(dir, "fourth", "export.xml", NULL);
    g_autofree char *text = NULL;
    g_autofree char *space = g_strnfill(1024 * 1024, ' ');
    g_autofree char *large = NULL;
    char *end = NULL;
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    end = strstr(text, "</export>");
    *end = '\0';
    large = rfp_seal_add(g_strconcat(text, space, "</export>\n", NULL));
    g_assert_true(g_file_set_contents(path, large, -1, NULL));
    result = verify(dir, NULL);
    g_assert_cmpuint(result->damages->len, ==, 0);
    g_assert_true(
        has(result->remarks, "not-compared", "fourth/export.xml", NULL));
    set_remove(temp);
}

/* Nor are many elements in one. */
static void
test_large_element(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(GString) elements = g_string_new(NULL);
    g_autoptr(RefpointVerification) most = NULL;
    g_autoptr(RefpointVerification) more = NULL;

    set_make(dir, points);
    for (guint i = 0; i < 9990; i++)
        g_string_append(elements, "<x/>");
    g_string_append(elements, "</disk>");
    set_edit(dir, "fourth/export.xml", "</disk>", elements->str);
    most = verify(dir, NULL);
    assert_sound(most);
    set_edit(dir, "fourth/export.xml", "<x/>",
             "<x/><x/><x/><x/><x/><x/><x/><x/><x/><x/><x/>");
    more = verify(dir, NULL);
    g_assert_cmpuint(more->damages->len, ==, 0);
    g_assert_cmpuint(more->remarks->len, ==, 1);
    g_assert_true(
        has(more->remarks, "not-compared", "fourth/export.xml", "too large"));
    set_remove(temp);
}

/* Too many to be listed. */
static void
test_many(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points + G_N_ELEMENTS(points) - 1);
    for (guint i = 0; i < 10100; i++) {
        g_autofree char *path = g_strdup_printf("%s/%u", dir, i);

        close(creat(path, 0600));
    }
    result = verify(dir, NULL);
    g_assert_cmpuint(result->remarks->len, ==, 10001);
    g_assert_true(has(result->remarks, "more", ".", NULL));
    set_remove(temp);
}

/* Of a point of two VMs all is looked at. */
static void
test_two_vms(void)
{
    static const SetMade made[] = {
        {"first",
         {{"vda", NULL, 131072, "0:a"}, {"vm2/vda", NULL, 131072, "0:x 1:y"}}},
        {"second",
         {{"vda", "first", 131072, "1:b"},
          {"vm2/vda", "first", 131072, "0:z"},
          {"vm2/vdb", NULL, 131072, "1:q"}}},
        {.name = NULL},
    };
    static const char other[] = "disks/vm2/vda/first.qcow2";
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *path = g_build_filename(dir, other, NULL);
    g_autoptr(RefpointVerification) sound = NULL;
    g_autoptr(RefpointVerification) result = NULL;
    g_auto(RfpFd) fd = -1;

    set_make(dir, made);
    sound = verify(dir, NULL);
    assert_sound(sound);
    g_assert_cmpuint(sound->points, ==, 2);
    g_assert_cmpuint(sound->images, ==, 5);
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_WRONLY);
    g_assert_cmpint(pwrite(fd, "X", 1, 2 * RFP_CLUSTER_SIZE), ==, 1);
    g_assert_cmpint(g_chmod(path, 0400), ==, 0);
    result = verify(dir, "second");
    g_assert_cmpuint(result->damages->len, ==, 1);
    g_assert_cmpuint(
        find(result->damages, "digest-mismatch", other, NULL)->offset, ==,
        RFP_CLUSTER_SIZE);
    set_remove(temp);
}

/* A point that needs a newer program is not damaged, nor is what builds on it,
 * and its files are no leftovers. */
static void
test_newer(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;
    g_autofree char *guid = set_guid_of("third");
    g_autoptr(RefpointVerification) one = NULL;
    g_autoptr(RefpointVerification) by_guid = NULL;
    g_autoptr(RefpointVerification) changed = NULL;

    set_make(dir, points);
    set_make_newer(dir, points, "third");
    result = verify(dir, NULL);
    show("newer", result->newer);
    assert_sound(result);
    g_assert_cmpuint(result->newer->len, ==, 3);
    g_assert_true(has(result->newer, "newer-point", "third/export.xml",
                      "'later' is not known to this one; use a newer"));
    g_assert_true(
        has(result->newer, "newer-base", "fourth/export.xml", "point 'third'"));
    g_assert_true(
        has(result->newer, "newer-base", "disks/vm1/vda/fourth.digests", NULL));
    one = verify(dir, "third");
    assert_sound(one);
    g_assert_cmpuint(one->newer->len, ==, 1);
    by_guid = verify(dir, guid);
    assert_sound(by_guid);
    g_assert_cmpuint(by_guid->newer->len, ==, 1);

    /* its successor vouches for it */
    set_edit(dir, "third/export.xml", "name=\"later\"", "name=\"latex\"");
    changed = verify(dir, NULL);
    g_assert_cmpuint(changed->damages->len, ==, 1);
    g_assert_true(has(changed->damages, "digest-mismatch", "third/export.xml",
                      "'fourth' came after"));
    set_remove(temp);
}

static void
publish_hidden(const RefpointProgress *disks G_GNUC_UNUSED,
               guint n_disks G_GNUC_UNUSED,
               gpointer opaque)
{
    const char *dir = opaque;
    g_autofree char *hidden = g_build_filename(dir, ".fourth", NULL);
    g_autofree char *there = g_build_filename(dir, "fourth", NULL);

    g_rename(hidden, there);
}

/* One that appears after the points were read has its files in disks, too. */
static void
test_newer_appears(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *hidden = g_build_filename(dir, ".fourth", NULL);
    g_autofree char *there = g_build_filename(dir, "fourth", NULL);
    g_autoptr(RefpointJob) job = refpoint_job_new();
    g_autoptr(RefpointVerification) result = NULL;
    g_autoptr(GError) error = NULL;

    set_make(dir, points);
    set_make_newer(dir, points, "fourth");
    g_assert_cmpint(g_rename(there, hidden), ==, 0);
    refpoint_job_set_progress(job, publish_hidden, dir);
    result = refpoint_verify(dir, NULL, job, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_test(there, G_FILE_TEST_IS_DIR));
    assert_sound(result);
    set_remove(temp);
}

static void
test_newer_folders(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    set_edit(dir, "folders.xml", "<vm ", "<feature name=\"later\"/><vm ");
    result = verify(dir, NULL);
    show("newer", result->newer);
    assert_sound(result);
    g_assert_cmpuint(result->newer->len, ==, 1);
    g_assert_true(has(result->newer, "newer-file", "folders.xml", "'later'"));
    set_remove(temp);
}

/* What later programs add without requiring that it is known. */
static void
test_later(void)
{
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;

    set_make(dir, points);
    set_edit_point(dir, points, "third", "<generator",
                   "<policy keep=\"7\"/><generator build=\"1\"");
    set_edit_point(dir, points, "third", "<disk ", "<disk guid=\"none\" ");
    set_edit(dir, "folders.xml", "<vm ", "<group/><vm name=\"x\" ");
    result = verify(dir, NULL);
    assert_sound(result);
    g_assert_cmpuint(result->newer->len, ==, 0);
    g_assert_cmpuint(result->images, ==, 6);
    set_remove(temp);
}

/* A finding about several places has the range of all, unless one of them is
 * about all of a file. */
static void
test_widen(void)
{
    const RfpVerifyPlace before = {"x", 100, 50};
    const RfpVerifyPlace behind = {"x", 500, 100};
    const RfpVerifyPlace all = {"x", 0, 0};
    RfpVerifyPlace place = {"x", 200, 100};

    rfp_verify_widen(&place, &before);
    g_assert_cmpuint(place.offset, ==, 100);
    g_assert_cmpuint(place.length, ==, 200);
    rfp_verify_widen(&place, &behind);
    g_assert_cmpuint(place.offset, ==, 100);
    g_assert_cmpuint(place.length, ==, 500);
    rfp_verify_widen(&place, &all);
    g_assert_cmpuint(place.offset, ==, 0);
    g_assert_cmpuint(place.length, ==, 0);
    rfp_verify_widen(&place, &before);
    g_assert_cmpuint(place.offset, ==, 0);
    g_assert_cmpuint(place.length, ==, 0);
}

/* Sixteen places of an image are listed, what the last finding counts has one
 * range. */
static void
test_many_ranges(void)
{
    static const SetMade made[] = {
        {"first",
         {{"vda", NULL, (guint64)50 * RFP_CLUSTER_SIZE,
           "0:a 2:a 4:a 6:a 8:a 10:a 12:a 14:a 16:a 18:a 20:a 22:a 24:a 26:a "
           "28:a 30:a 33:a 36:a 40:a"}}},
        {.name = NULL},
    };
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *path = g_build_filename(dir, FIRST_VDA, NULL);
    g_autoptr(RefpointVerification) result = NULL;
    const RefpointFinding *more = NULL;
    g_auto(RfpFd) fd = -1;

    set_make(dir, made);
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_WRONLY);
    for (gint64 i = 1; i <= 19; i++)
        g_assert_cmpint(pwrite(fd, "X", 1, i * RFP_CLUSTER_SIZE), ==, 1);
    result = verify(dir, NULL);
    show("damage", result->damages);
    g_assert_cmpuint(result->damages->len, ==, 17);
    for (guint i = 0; i < 17; i++) {
        const RefpointFinding *finding = g_ptr_array_index(result->damages, i);

        if (strstr(finding->message, "3 more places") != NULL)
            more = finding;
        else
            g_assert_cmpuint(finding->length, ==, RFP_CLUSTER_SIZE);
    }
    g_assert_nonnull(more);
    g_assert_cmpuint(more->offset, ==, 33 * RFP_CLUSTER_SIZE);
    g_assert_cmpuint(more->length, ==, 8 * RFP_CLUSTER_SIZE);
    set_remove(temp);
}

/* ---- Damages ------------------------------------------------------------- */

static void
change_owner(const char *dir, const Row *row);

static void
copy(const char *from, const char *to)
{
    g_free(tool_run("cp", "-a", from, to, NULL));
}

static void
test_damage(gconstpointer data)
{
    const Row *row = data;
    g_autofree char *temp = set_temp();
    g_autofree char *dir = g_build_filename(temp, "set", NULL);
    g_autofree char *sound = g_build_filename(g_getenv(SOUND), "set", NULL);
    g_autoptr(RefpointVerification) result = NULL;
    const RefpointFinding *finding = NULL;

    if (row->damage == change_owner && geteuid() != 0) {
        g_test_skip("not root");
        set_remove(temp);
        return;
    }
    copy(sound, dir);
    row->damage(dir, row);
    result = verify(dir, NULL);
    show("damage", result->damages);
    show("remark", result->remarks);
    finding = find(row->remark ? result->remarks : result->damages, row->id,
                   row->path != NULL ? row->path : row->file, row->text);
    g_assert_nonnull(finding);
    g_assert_cmpuint(finding->offset, ==, row->offset);
    g_assert_cmpuint(finding->length, ==, row->length);
    if (row->remark)
        g_assert_cmpuint(result->damages->len, ==, 0);
    set_remove(temp);
}

static char *
file_of(const char *dir, const char *file)
{
    return g_build_filename(dir, file, NULL);
}

static void
change_bytes(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_auto(RfpFd) fd = -1;

    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    fd = open(path, O_WRONLY);
    g_assert_cmpint(pwrite(fd, row->from, strlen(row->from), row->number), ==,
                    (gssize)strlen(row->from));
    g_assert_cmpint(g_chmod(path, 0400), ==, 0);
}

static void
cut(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    struct stat st;

    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(truncate(path, st.st_size + row->number), ==, 0);
}

static void
unlink_file(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    set_remove(path);
}

static void
make_link(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *aside = g_strconcat(dir, "/../aside", NULL);

    g_assert_cmpint(g_rename(path, aside), ==, 0);
    g_assert_cmpint(symlink(aside, path), ==, 0);
}

static void
add_link(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    g_assert_cmpint(symlink(row->from, path), ==, 0);
}

static void
add_name(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *other = g_strconcat(dir, "/../aside", NULL);

    g_assert_cmpint(link(path, other), ==, 0);
}

static void
make_fifo(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        set_remove(path);
    g_assert_cmpint(mkfifo(path, 0400), ==, 0);
}

static void
make_folder(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        set_remove(path);
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
}

static void
add_file(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *folder = g_path_get_dirname(path);

    g_mkdir_with_parents(folder, 0700);
    g_assert_true(g_file_set_contents(path, "x", 1, NULL));
}

static void
change_mode(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    g_assert_cmpint(g_chmod(path, (int)row->number), ==, 0);
}

static void
move(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *to = file_of(dir, row->to);

    g_assert_cmpint(g_rename(path, to), ==, 0);
}

static void
copy_point(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->from);
    g_autofree char *to = file_of(dir, row->file);

    copy(path, to);
}

static void
put_text(const char *path, const char *text)
{
    g_autofree char *sealed = set_reseal(g_strdup(text));

    g_assert_cmpint(g_unlink(path), ==, 0);
    g_assert_true(g_file_set_contents(path, sealed, -1, NULL));
    g_assert_cmpint(g_chmod(path,
                            g_str_has_suffix(path, "export.xml") ? 0400 : 0600),
                    ==, 0);
}

/* The first @from becomes @to. */
static void
edit(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *text = NULL;
    g_autofree char *head = NULL;
    g_autofree char *changed = NULL;
    const char *at = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    at = strstr(text, row->from);
    g_assert_nonnull(at);
    head = g_strndup(text, (gsize)(at - text));
    changed = g_strconcat(head, row->to, at + strlen(row->from), NULL);
    put_text(path, changed);
}

/* What follows the first @from gets another first digit. */
static void
edit_digit(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);
    g_autofree char *text = NULL;
    char *at = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    at = strstr(text, row->from);
    g_assert_nonnull(at);
    at += strlen(row->from);
    *at = *at == '1' ? '2' : '1';
    put_text(path, text);
}

/* Without what vouches for it and others. */
static void
unseal(const char *dir, const Row *row)
{
    set_unseal(dir, row->file);
}

static void
change_owner(const char *dir, const Row *row)
{
    g_autofree char *path = file_of(dir, row->file);

    g_assert_cmpint(chown(path, 12345, (gid_t)-1), ==, 0);
}

/* Changes the digests of second's vda at @number, and then all that vouches for
 * them but the data. */
static void
forge_digests(const char *dir, const Row *row)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpExportSet) set = rfp_export_set_open(dir, &error);
    RfpSetPoint *point = rfp_export_set_resolve(set, row->from);
    RfpManifestDisk *disk =
        rfp_manifest_vm_disk(rfp_set_point_vm(point, SET_VM), "vda");
    g_autofree char *path = file_of(dir, disk->digests);
    g_autofree char *manifest = file_of(dir, "second/export.xml");
    g_autofree char *text = NULL;
    g_autofree char *data = NULL;
    guint64 n_entries = 0;
    guint8 *at = NULL;
    gsize length = 0;

    g_assert_true(g_file_get_contents(path, &data, &length, NULL));
    at = (guint8 *)data;
    n_entries = rfp_digest_get_le64(at + length - RFP_DIGEST_TRAILER_SIZE);
    at[row->number >= 0 ? row->number : RFP_DIGEST_HEADER_SIZE] ^= 1;
    if (row->number < 0)
        at[RFP_DIGEST_HEADER_SIZE + n_entries * RFP_DIGEST_ENTRY_SIZE] ^= 1;
    rfp_digest_view(disk->size,
                    at + RFP_DIGEST_HEADER_SIZE +
                        n_entries * RFP_DIGEST_ENTRY_SIZE,
                    disk->view);
    memcpy(at + length - RFP_DIGEST_TRAILER_SIZE + 16, disk->view,
           RFP_LEAF_SIZE);
    rfp_sha256(data, length, disk->digests_sha256);
    g_unlink(path);
    g_assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    g_assert_cmpint(g_chmod(path, 0400), ==, 0);
    text = rfp_manifest_format(point->manifest);
    put_text(manifest, text);
}

int
main(int argc, char **argv)
{
    g_autofree char *data = NULL;
    g_autofree char *temp = NULL;
    g_autofree char *sound = NULL;
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    temp = set_temp();
    sound = g_build_filename(temp, "set", NULL);
    set_make(sound, points);
    g_setenv(SOUND, temp, TRUE);
    data = g_test_build_filename(G_TEST_DIST, "..", "..", "data", NULL);
    g_setenv("REFPOINT_DATADIR", data, TRUE);
    g_test_add_func("/verify/sound", test_sound);
    g_test_add_func("/verify/group-folder", test_group_folder);
    g_test_add_func("/verify/oracle", test_oracle);
    g_test_add_func("/verify/oracle-flips", test_oracle_flips);
    g_test_add_func("/verify/old", test_old);
    g_test_add_func("/verify/every-byte", test_every_byte);
    g_test_add_func("/verify/fork", test_fork);
    g_test_add_func("/verify/shared", test_shared);
    g_test_add_func("/verify/empty", test_empty);
    g_test_add_func("/verify/point", test_point);
    g_test_add_func("/verify/no-set", test_no_set);
    g_test_add_func("/verify/cancel", test_cancel);
    g_test_add_func("/verify/progress", test_progress);
    g_test_add_func("/verify/moving", test_moving);
    g_test_add_func("/verify/no-schema", test_no_schema);
    g_test_add_func("/verify/schema", test_schema);
    g_test_add_func("/verify/large", test_large);
    g_test_add_func("/verify/large-element", test_large_element);
    g_test_add_func("/verify/many", test_many);
    g_test_add_func("/verify/many-ranges", test_many_ranges);
    g_test_add_func("/verify/widen", test_widen);
    g_test_add_func("/verify/two-vms", test_two_vms);
    g_test_add_func("/verify/newer", test_newer);
    g_test_add_func("/verify/newer-folders", test_newer_folders);
    g_test_add_func("/verify/newer-appears", test_newer_appears);
    g_test_add_func("/verify/later", test_later);
    for (gsize i = 0; i < n_rows; i++) {
        g_autofree char *path =
            g_strconcat("/verify/damage/", rows[i].name, NULL);

        g_test_add_data_func(path, &rows[i], test_damage);
    }
    status = g_test_run();
    set_remove(temp);
    return status;
}

#define SECOND_XML "second/export.xml"

static const Row rows[] = {
    /* the set's own files */
    {"set-file", edit, "set.xml", "<identity", "<identify",
     .id = "manifest-damaged"},
    {"set-file-link", make_link, "set.xml", .id = "link"},
    {"set-file-mode", change_mode, "set.xml", .number = 0644, .remark = TRUE,
     .id = "permissions"},
    {"set-mode", change_mode, "", .number = 0777, .remark = TRUE,
     .id = "permissions", .path = "."},
    {"folders", edit, "folders.xml", "vm1", "vm2", .id = "manifest-damaged",
     .path = "first/export.xml", .text = "folders.xml"},
    {"folders-damaged", edit, "folders.xml", "</folders>", "",
     .id = "manifest-damaged"},
    {"folders-missing", unlink_file, "folders.xml", .id = "missing-file"},
    /* manifests */
    {"manifest-damaged", edit, SECOND_XML, "</export>", "",
     .id = "manifest-damaged"},
    {"manifest-missing", unlink_file, SECOND_XML, .id = "missing-file"},
    {"manifest-link", make_link, SECOND_XML, .id = "link"},
    {"manifest-fifo", make_fifo, SECOND_XML, .id = "manifest-damaged"},
    {"manifest-folder", make_folder, SECOND_XML, .id = "manifest-damaged"},
    {"manifest-mode", change_mode, SECOND_XML, .number = 0644, .remark = TRUE,
     .id = "permissions"},
    {"point-link", make_link, "second", .id = "link"},
    {"point-renamed", move, "fourth", .to = "other", .id = "manifest-damaged",
     .path = "other/export.xml", .text = "'fourth'"},
    {"point-copied", copy_point, "second-copy", "second",
     .id = "manifest-damaged", .path = "second-copy/export.xml"},
    {"point-removed", unlink_file, "second", .id = "base-missing",
     .path = "third/export.xml", .text = "vda"},
    {"point-parent", unlink_file, "second", .id = "base-missing",
     .path = "third/export.xml"},
    {"point-of-other-vm", edit, SECOND_XML, SET_VM, SET_OTHER_VM,
     .id = "manifest-damaged", .text = SET_OTHER_VM},
    {"point-of-other-set", edit_digit, SECOND_XML, "<set guid=\"",
     .id = "manifest-damaged", .text = "another set"},
    {"sequence", edit, SECOND_XML, "sequence=\"2\"", "sequence=\"1\"",
     .id = "base-mismatch", .text = "not older"},
    {"not-older", edit, "first/export.xml", "sequence=\"1\"", "sequence=\"9\"",
     .id = "base-mismatch", .path = SECOND_XML, .text = "not older"},
    {"parent", edit_digit, "fourth/export.xml", "parent=\"", .remark = TRUE,
     .id = "parent-missing"},
    {"base-unknown", edit_digit, SECOND_XML, "<base point=\"",
     .id = "base-missing", .text = "vda"},
    {"base-view", edit_digit, SECOND_XML, "\" view=\"", .id = "base-mismatch",
     .text = "another content"},
    {"view", edit_digit, SECOND_XML, "digest=\"", .id = "view-mismatch",
     .path = "disks/vm1/vda/second.digests"},
    {"stored", edit, SECOND_XML, "stored=\"131072\"", "stored=\"65536\"",
     .id = "size-mismatch", .path = SECOND_VDA, .text = "131072"},
    /* what vouches for what */
    {"set-file-other", edit, "set.xml", "name=\"vm1\"", "name=\"vm2\"",
     .id = "digest-mismatch", .text = "'fourth'"},
    {"set-file-unsealed", unseal, "set.xml", .id = "digest-mismatch"},
    {"set-file-guid", edit_digit, "set.xml", "guid=\"",
     .id = "manifest-damaged", .text = "no point"},
    {"folders-unsealed", unseal, "folders.xml", .id = "digest-mismatch",
     .text = "last line"},
    {"manifest-other", edit, SECOND_XML, "application", "crash",
     .id = "digest-mismatch", .text = "'third' came after"},
    {"manifest-unsealed", unseal, SECOND_XML, .id = "digest-mismatch",
     .text = "'third' came after"},
    {"number-twice", edit, "fourth/export.xml", "sequence=\"4\"",
     "sequence=\"3\"", .id = "manifest-damaged", .text = "is 3"},
    {"number-gap", edit, "fourth/export.xml", "sequence=\"4\"",
     "sequence=\"6\"", .id = "manifest-damaged", .text = "'third', is 3"},
    {"number-first", edit, "first/export.xml", "sequence=\"1\"",
     "sequence=\"2\"", .id = "manifest-damaged", .text = "contradict"},
    {"owner", change_owner, SECOND_XML, .remark = TRUE, .id = "owner",
     .text = "12345"},
    {"owner-config", change_owner, "second/vm1/domain.xml", .remark = TRUE,
     .id = "owner"},
    {"owner-folder", change_owner, "second/vm1", .remark = TRUE, .id = "owner"},
    {"owner-set", change_owner, "", .remark = TRUE, .id = "owner", .path = "."},
    {"manifest-names", add_name, SECOND_XML, .remark = TRUE, .id = "hard-link"},
    {"set-file-names", add_name, "set.xml", .remark = TRUE, .id = "hard-link"},
    /* files of the VM */
    {"config-names", add_name, "second/vm1/domain.xml", .remark = TRUE,
     .id = "hard-link"},
    {"config", change_bytes, "second/vm1/domain.xml", "X",
     .id = "digest-mismatch"},
    {"config-cut", cut, "second/vm1/domain.xml", .number = -1,
     .id = "size-mismatch"},
    {"config-missing", unlink_file, "second/vm1/domain.xml",
     .id = "missing-file"},
    {"config-link", make_link, "second/vm1/domain.xml", .id = "link"},
    {"config-folder", make_folder, "second/vm1/domain.xml", .id = "link"},
    {"config-fifo", make_fifo, "second/vm1/domain.xml", .id = "link"},
    {"config-mode", change_mode, "second/vm1/domain.xml", .number = 0600,
     .remark = TRUE, .id = "permissions"},
    {"vm-folder-link", make_link, "second/vm1", .id = "link",
     .path = "second/vm1/domain.xml"},
    /* images */
    {"image-missing", unlink_file, SECOND_VDA, .id = "missing-file"},
    {"image-link", make_link, SECOND_VDA, .id = "link"},
    {"image-fifo", make_fifo, SECOND_VDA, .id = "link"},
    {"disks-link", make_link, "disks/vm1/vda", .id = "link",
     .path = SECOND_VDA},
    {"disks-link-itself", make_link, "disks/vm1/vda", .id = "link"},
    {"image-cut", cut, SECOND_VDA, .number = -65536, .id = "size-mismatch"},
    {"image-longer", cut, SECOND_VDA, .number = 1, .id = "size-mismatch"},
    {"image-mode", change_mode, SECOND_VDA, .number = 0600, .remark = TRUE,
     .id = "permissions"},
    {"image-names", add_name, SECOND_VDA, .remark = TRUE, .id = "hard-link"},
    {"image-magic", change_bytes, SECOND_VDA, "X", .id = "image-damaged"},
    {"image-size", change_bytes, SECOND_VDA, "\x01", .number = 29,
     .id = "image-damaged"},
    {"image-data", change_bytes, FIRST_VDA, "X", .number = 65536 + 10,
     .id = "digest-mismatch", .text = "offset 65536 of the file",
     .length = 65536},
    {"image-data-at", change_bytes, FIRST_VDA, "X", .number = 3 * 65536,
     .id = "digest-mismatch", .text = "bytes 196608 to 262143 of the disk",
     .offset = 196608, .length = 65536},
    {"image-data-neighbours", change_bytes, FIRST_VDA, "XX",
     .number = 2 * 65536 - 1, .id = "digest-mismatch",
     .text = "bytes 0 to 131071 of the disk", .length = 2 * 65536},
    {"image-data-end", change_bytes, FIRST_VDA, "X", .number = 4 * 65536 + 999,
     .id = "digest-mismatch", .text = "bytes 327680 to 328679 of the disk",
     .offset = 5 * 65536, .length = 1000},
    {"image-beyond-end", change_bytes, FIRST_VDA, "X",
     .number = 4 * 65536 + 1000, .id = "digest-mismatch",
     .text = "beyond the disk's end", .offset = 5 * 65536, .length = 1000},
    {"image-second-group", change_bytes, THIRD_VDA, "X", .number = 4 * 65536,
     .id = "digest-mismatch",
     .text = "bytes 1073741824 to 1073807359 of the disk", .offset = 1 << 30,
     .length = 65536},
    /* digests */
    {"digests-missing", unlink_file, "disks/vm1/vda/second.digests",
     .id = "missing-file"},
    {"digests-changed", change_bytes, "disks/vm1/vda/second.digests", "X",
     .number = 70, .id = "digest-mismatch"},
    {"digests-damaged", change_bytes, "disks/vm1/vda/second.digests", "X",
     .id = "digests-damaged"},
    {"digests-cut", cut, "disks/vm1/vda/second.digests", .number = -40,
     .id = "size-mismatch"},
    {"digests-leaf", forge_digests, SECOND_VDA, "second", .number = 72 + 40,
     .id = "digest-mismatch", .offset = 2 * 65536, .length = 65536},
    {"digests-zero-leaf", forge_digests, SECOND_VDA, "second", .number = 72,
     .id = "digest-mismatch", .text = "zeroes", .offset = 65536,
     .length = 65536},
    {"digests-entry", forge_digests, SECOND_VDA, "second", .number = 64 + 80,
     .id = "digest-mismatch", .text = "without a digest", .offset = 5 * 65536,
     .length = 1000},
    {"digests-entry-too-many", forge_digests, SECOND_VDA, "second",
     .number = 64 + 80, .id = "digest-mismatch", .text = "not stored, though",
     .offset = 4 * 65536, .length = 65536},
    {"digests-group", forge_digests, SECOND_VDA, "second",
     .number = 64 + 3 * 40, .id = "view-mismatch",
     .path = "disks/vm1/vda/second.digests", .length = SMALL},
    /* leftovers */
    {"leftover-image", add_file, "disks/vm1/vda/other.qcow2", .remark = TRUE,
     .id = "leftover"},
    {"leftover-disk", add_file, "disks/vm2/vda/x.digests", .remark = TRUE,
     .id = "leftover"},
    {"leftover-partial", add_file, ".partial-x/export.xml", .remark = TRUE,
     .id = "leftover", .path = ".partial-x"},
    {"leftover-in-point", add_file, "second/note", .remark = TRUE,
     .id = "leftover"},
    {"leftover-in-vm", add_file, "second/vm1/tpm/note", .remark = TRUE,
     .id = "leftover", .path = "second/vm1/tpm"},
    {"leftover-file", add_file, "note", .remark = TRUE, .id = "leftover"},
    {"leftover-link", add_link, "second/note", "/etc/passwd", .id = "link"},
    {"leftover-fifo", make_fifo, "disks/fifo", .id = "link"},
    {"folder-mode", change_mode, "disks/vm1", .number = 0755, .remark = TRUE,
     .id = "permissions"},
};

static const gsize n_rows = G_N_ELEMENTS(rows);
