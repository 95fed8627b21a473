/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The objects of the Msvm model, through the installed library alone: built by
 * test-msvm-objects.sh with pkg-config.
 *
 *   msvm-objects enumerate CLASS
 *   msvm-objects instance PATH
 *   msvm-objects associators PATH [ASSOCIATION [RESULT-CLASS]]
 *   msvm-objects changes PATH LIMIT-ID [OFFSET LENGTH [SNAPSHOT]]
 *
 * changes prints the number of the method, then ProcessedByteLength, then
 * offsets and lengths. Failures are the status, as of virt-refpoint.
 */
#include <refpoint-msvm.h>

#include <stdio.h>
#include <string.h>

static int
fail(const GError *error)
{
    g_autoptr(RefpointFailure) failure = refpoint_failure_new(error);

    fprintf(stderr, "%s\n", failure->message);
    return (int)failure->cause;
}

static int
print_paths(GPtrArray *paths, GError **error)
{
    guint i = 0;

    if (!paths)
        return fail(*error);
    for (i = 0; i < paths->len; i++)
        printf("%s\n", (const char *)g_ptr_array_index(paths, i));
    g_ptr_array_unref(paths);
    return 0;
}

static int
instance(RefpointMsvm *msvm, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = refpoint_msvm_get_instance(msvm, path, &error);

    if (!text)
        return fail(error);
    fputs(text, stdout);
    return 0;
}

static int
changes(RefpointMsvm *msvm, char **argv)
{
    g_autoptr(GError) error = NULL;
    RefpointMsvmDiskChanges found = {0};
    const char *offset = argv[2];
    const char *length = offset ? argv[3] : NULL;
    guint32 number = refpoint_msvm_get_virtual_disk_changes(
        msvm, argv[0], argv[1], length ? argv[4] : NULL,
        offset ? g_ascii_strtoull(offset, NULL, 10) : 0,
        length ? g_ascii_strtoull(length, NULL, 10) : 0, &found, NULL, &error);
    gsize i = 0;

    printf("%u\n", number);
    if (number != 0)
        return fail(error);
    printf("%" G_GUINT64_FORMAT "\n", found.processed_byte_length);
    for (i = 0; i < found.n_changes; i++)
        printf("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n",
               found.changed_byte_offsets[i], found.changed_byte_lengths[i]);
    refpoint_msvm_disk_changes_clear(&found);
    return 0;
}

static int
run(RefpointMsvm *msvm, int argc, char **argv)
{
    g_autoptr(GError) error = NULL;

    if (strcmp(argv[1], "enumerate") == 0)
        return print_paths(refpoint_msvm_enumerate(msvm, argv[2], &error),
                           &error);
    if (strcmp(argv[1], "instance") == 0)
        return instance(msvm, argv[2]);
    if (strcmp(argv[1], "changes") == 0 && argc > 3)
        return changes(msvm, argv + 2);
    if (strcmp(argv[1], "associators") == 0) {
        GPtrArray *paths =
            refpoint_msvm_associators(msvm, argv[2], argv[3],
                                      argc > 4 ? argv[4] : NULL, &error);

        return print_paths(paths, &error);
    }
    return 64;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointConnection) conn = NULL;
    g_autoptr(RefpointMsvm) msvm = NULL;

    if (argc < 3)
        return 64;
    refpoint_silence_libvirt();
    conn = refpoint_connection_open(NULL, &error);
    if (!conn)
        return fail(error);
    msvm = refpoint_msvm_new(conn);
    return run(msvm, argc, argv);
}
