/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program as a tool author would write it: only the installed headers, only
 * object paths. It prints what came of a method in lines of "name value" for
 * test-msvm.sh.
 *
 *   create SYSTEM TYPE [LEVEL]          export POINT DIRECTORY [BASE]
 *   create-job SYSTEM TYPE              watch POINT DIRECTORY [BASE]
 *   suspend|terminate|kill|race POINT DIRECTORY [BASE]
 *   import SYSTEM CONFIG RUNTIME        destroy|remove POINT
 *   collection-create|-export|-destroy|-watch  as those above
 *   associated PATH CLASS               instance PATH
 */
#include <glob.h>
#include <refpoint-msvm.h>
#include <refpoint.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    RefpointMsvm *msvm;
    char **words; /* behind the command; NULL where there is none */
} Client;

/* ---- Printing ------------------------------------------------------------ */

static int
finish(guint32 number, GError *error)
{
    g_autoptr(RefpointFailure) failure = NULL;

    printf("return %u %s\n", number, refpoint_msvm_return_name(number));
    if (error) {
        failure = refpoint_failure_new(error);
        printf("error %s\n", failure->message);
        g_error_free(error);
    }
    return refpoint_msvm_return_cause(number) == 0 ? 0 : 1;
}

/* Takes @text, which is made one line. */
static void
print_text(const char *name, char *text)
{
    if (text)
        printf("%s %s\n", name, g_strdelimit(text, "\n", ' '));
    g_free(text);
}

static void
print_instance(Client *client, const char *path)
{
    g_autoptr(GError) error = NULL;
    char *xml = refpoint_msvm_get_instance(client->msvm, path, &error);

    print_text("instance", xml ? xml : g_strdup(error->message));
}

/* ---- Settings ------------------------------------------------------------ */

static char *
create_settings(const char *class_name, const char *level)
{
    if (!level)
        return NULL;
    return g_strdup_printf("<INSTANCE CLASSNAME=\"%s\"><PROPERTY "
                           "NAME=\"ConsistencyLevel\" TYPE=\"uint8\">"
                           "<VALUE>%s</VALUE></PROPERTY></INSTANCE>",
                           class_name, level);
}

static char *
export_settings(const char *class_name, const char *property, const char *base)
{
    g_autofree char *text = NULL;

    if (!base)
        return NULL;
    text = g_markup_escape_text(base, -1);
    return g_strdup_printf("<INSTANCE CLASSNAME=\"%s\"><PROPERTY "
                           "NAME=\"%s\" TYPE=\"string\"><VALUE>%s</VALUE>"
                           "</PROPERTY></INSTANCE>",
                           class_name, property, text);
}

static char *
point_settings(const char *base)
{
    return export_settings("Msvm_VirtualSystemReferencePointExportSettingData",
                           "BaseReferencePoint", base);
}

/* ---- Methods that run to their end --------------------------------------- */

static int
do_create(Client *client)
{
    g_autofree char *settings =
        create_settings("Msvm_VirtualSystemReferencePointSettingData",
                        client->words[2]);
    char *point = NULL;
    GError *error = NULL;
    guint32 number = refpoint_msvm_create_reference_point(
        client->msvm, client->words[0], settings,
        (guint16)g_ascii_strtoull(client->words[1], NULL, 10), &point, NULL,
        &error);

    print_text("point", point);
    return finish(number, error);
}

static int
do_collection_create(Client *client)
{
    g_autofree char *settings =
        create_settings("Msvm_CollectionReferencePointSettingData",
                        client->words[2]);
    char *collection = NULL;
    GError *error = NULL;
    guint32 number = refpoint_msvm_collection_create_reference_point(
        client->msvm, client->words[0], settings,
        (guint16)g_ascii_strtoull(client->words[1], NULL, 10), &collection,
        NULL, &error);

    print_text("point", collection);
    return finish(number, error);
}

static int
do_export(Client *client)
{
    g_autofree char *settings = point_settings(client->words[2]);
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_export_reference_point(client->msvm, client->words[0],
                                             client->words[1], settings, NULL,
                                             &error);

    return finish(number, error);
}

static char *
collection_settings(const char *base)
{
    return export_settings("Msvm_CollectionReferencePointExportSettingData",
                           "BaseReferencePointCollection", base);
}

static int
do_collection_export(Client *client)
{
    g_autofree char *settings = collection_settings(client->words[2]);
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_collection_export_reference_point(client->msvm,
                                                        client->words[0],
                                                        client->words[1],
                                                        settings, NULL, &error);

    return finish(number, error);
}

static int
do_import(Client *client)
{
    GError *error = NULL;
    guint32 number = refpoint_msvm_import_reference_point_metadata(
        client->msvm, client->words[0], client->words[1], client->words[2],
        NULL, &error);

    return finish(number, error);
}

static int
do_destroy(Client *client)
{
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_destroy_reference_point(client->msvm, client->words[0],
                                              NULL, &error);

    return finish(number, error);
}

static int
do_collection_destroy(Client *client)
{
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_collection_destroy_reference_point(client->msvm,
                                                         client->words[0], NULL,
                                                         &error);

    return finish(number, error);
}

static int
do_remove(Client *client)
{
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_remove_associated_data(client->msvm, client->words[0],
                                             NULL, &error);

    return finish(number, error);
}

static int
do_associated(Client *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) paths =
        refpoint_msvm_associators(client->msvm, client->words[0], NULL,
                                  client->words[1], &error);

    for (guint i = 0; paths && i < paths->len; i++)
        printf("path %s\n", (char *)g_ptr_array_index(paths, i));
    return paths ? 0 : 1;
}

static int
do_instance(Client *client)
{
    print_instance(client, client->words[0]);
    return 0;
}

/* ---- Jobs ---------------------------------------------------------------- */

/* Whatever is told of a job, one line a call. */
static void
on_job(RefpointMsvm *msvm,
       const char *job,
       guint16 state,
       guint percent,
       gpointer opaque)
{
    (void)msvm;
    (void)job;
    (void)opaque;
    printf("told %u %u\n", state, percent);
}

/* The job's end, what it says of itself, its error. */
static int
end_job(Client *client, const char *job)
{
    char *msvm_error = NULL;
    guint state = refpoint_msvm_wait(client->msvm, job, -1);

    printf("state %u\n", state);
    print_instance(client, job);
    refpoint_msvm_get_error(client->msvm, job, &msvm_error, NULL);
    print_text("msvm-error", msvm_error);
    return 0;
}

static int
do_create_job(Client *client)
{
    g_autofree char *job = NULL;
    g_autoptr(GPtrArray) made = NULL;
    char *point = NULL;
    GError *error = NULL;
    guint32 number = refpoint_msvm_create_reference_point(
        client->msvm, client->words[0], NULL,
        (guint16)g_ascii_strtoull(client->words[1], NULL, 10), &point, &job,
        &error);

    finish(number, error);
    if (!job)
        return 1;
    end_job(client, job);
    made =
        refpoint_msvm_associators(client->msvm, job, "Msvm_AffectedJobElement",
                                  "Msvm_VirtualSystemReferencePoint", NULL);
    if (!made || made->len != 1)
        return 1;
    printf("point %s\n", (char *)g_ptr_array_index(made, 0));
    return 0;
}

static char *
start_export(Client *client)
{
    g_autofree char *settings = point_settings(client->words[2]);
    char *job = NULL;
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_export_reference_point(client->msvm, client->words[0],
                                             client->words[1], settings, &job,
                                             &error);

    finish(number, error);
    return job;
}

static int
do_watch(Client *client)
{
    g_autofree char *job = start_export(client);

    return job ? end_job(client, job) : 1;
}

static int
do_collection_watch(Client *client)
{
    g_autofree char *settings = collection_settings(client->words[2]);
    g_autofree char *job = NULL;
    GError *error = NULL;
    guint32 number =
        refpoint_msvm_collection_export_reference_point(client->msvm,
                                                        client->words[0],
                                                        client->words[1],
                                                        settings, &job, &error);

    finish(number, error);
    return job ? end_job(client, job) : 1;
}

static void
request(Client *client, const char *job, guint16 wanted)
{
    guint32 number = refpoint_msvm_request_state_change(client->msvm, job,
                                                        wanted, NULL, NULL);

    printf("request %u %u\n", wanted, number);
}

/* Images below the set of the job, while it is suspended. */
static guint
count_images(Client *client)
{
    g_autofree char *pattern =
        g_strconcat(client->words[1], "/disks/*/*/*.qcow2", NULL);
    glob_t found = {0};
    guint n = glob(pattern, 0, NULL, &found) == 0 ? (guint)found.gl_pathc : 0;

    globfree(&found);
    return n;
}

/* An export that has begun to write, and reads nothing: it was suspended before
 * there was anything to read. */
static char *
start_suspended(Client *client)
{
    guint before = count_images(client);
    char *job = start_export(client);

    if (!job)
        return NULL;
    request(client, job, REFPOINT_MSVM_REQUEST_SUSPEND);
    for (guint i = 0; i < 600 && count_images(client) == before; i++)
        g_usleep(100 * 1000);
    printf("begun %d\n", count_images(client) > before);
    return job;
}

/* What is asked of a job that stands still, and that it stood still. */
static int
ask(Client *client, guint16 wanted)
{
    g_autofree char *job = start_suspended(client);

    if (!job)
        return 1;
    printf("suspended %u\n", refpoint_msvm_wait(client->msvm, job, 2000));
    request(client, job, wanted);
    return end_job(client, job);
}

static int
do_suspend(Client *client)
{
    return ask(client, REFPOINT_MSVM_REQUEST_START);
}

static int
do_terminate(Client *client)
{
    return ask(client, REFPOINT_MSVM_REQUEST_TERMINATE);
}

static int
do_kill(Client *client)
{
    return ask(client, REFPOINT_MSVM_REQUEST_KILL);
}

/* Two at a time on one domain: the second one is refused at once, as a job and
 * without one. */
static int
do_race(Client *client)
{
    g_autofree char *job = start_suspended(client);
    g_autofree char *second = NULL;

    if (!job)
        return 1;
    second = start_export(client);
    do_export(client);
    request(client, job, REFPOINT_MSVM_REQUEST_START);
    return second ? 1 : end_job(client, job);
}

/* ---- The program --------------------------------------------------------- */

static const struct {
    const char *name;
    int n_words; /* that are needed */
    int (*run)(Client *client);
} commands[] = {
    {"create", 2, do_create},
    {"create-job", 2, do_create_job},
    {"export", 2, do_export},
    {"import", 3, do_import},
    {"destroy", 1, do_destroy},
    {"remove", 1, do_remove},
    {"collection-create", 2, do_collection_create},
    {"collection-export", 2, do_collection_export},
    {"collection-destroy", 1, do_collection_destroy},
    {"collection-watch", 2, do_collection_watch},
    {"associated", 2, do_associated},
    {"instance", 1, do_instance},
    {"watch", 2, do_watch},
    {"suspend", 2, do_suspend},
    {"terminate", 2, do_terminate},
    {"kill", 2, do_kill},
    {"race", 2, do_race},
};

int
main(int argc, char *argv[])
{
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(GError) error = NULL;
    Client client = {.words = argv + 2};
    int status = 2;

    setvbuf(stdout, NULL, _IOLBF, 0);
    refpoint_silence_libvirt();
    conn = refpoint_connection_open(NULL, &error);
    if (!conn) {
        fprintf(stderr, "%s\n", error->message);
        return 2;
    }
    client.msvm = refpoint_msvm_new(conn);
    refpoint_msvm_set_job_func(client.msvm, on_job, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (argc > 1 && strcmp(commands[i].name, argv[1]) == 0 &&
            argc - 2 >= commands[i].n_words)
            status = commands[i].run(&client);
    }
    refpoint_msvm_free(client.msvm);
    return status;
}
