/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports an NBD export to an image and its digests, as the library does
 * for one disk. The exit status is the cause of failure.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "copy/copy.h"
#include "copy/nbd-source.h"
#include "image/digest-file.h"
#include "image/digest-writer.h"
#include "image/qcow2-writer.h"

typedef struct {
    char *bitmap;
    char *backing;
    char **base_digests; /* newest first */
    char **files;        /* SOCKET EXPORT OUT.qcow2 OUT.digests */
    gint workers;
    gint buffer_kib;
    gint stall_ms;
    gint cancel_ms; /* 0: never */
    gboolean drop;
    gint level; /* 0: not compressed */
    gint64 rate;
    gint64 rate_later; /* from half a second on; 0: as before */
} Arguments;

typedef struct {
    RfpQcow2Writer *image;
    RfpDigestWriter *digests;
    gboolean drop; /* clusters are entered, but their data is not written */
} Sink;

static gint cancelled;
static RfpRate rate;

static gboolean
sink_write(gpointer opaque,
           guint64 cluster,
           const void *data,
           guint n_clusters,
           GError **error)
{
    Sink *sink = opaque;

    if (sink->drop)
        return rfp_qcow2_writer_zero(sink->image, cluster, n_clusters, error);
    return rfp_qcow2_writer_write(sink->image, cluster, data, n_clusters,
                                  error);
}

static gboolean
sink_zero(gpointer opaque, guint64 cluster, guint64 n_clusters, GError **error)
{
    Sink *sink = opaque;

    return rfp_qcow2_writer_zero(sink->image, cluster, n_clusters, error);
}

static gboolean
sink_window_end(gpointer opaque,
                guint64 group,
                guint8 *leaves,
                guint8 *have,
                GError **error)
{
    Sink *sink = opaque;

    return rfp_qcow2_writer_flush_group(sink->image, group, error) &&
           rfp_digest_writer_group(sink->digests, group, leaves, have, error);
}

static const RfpSinkOps sink_ops = {
    .write = sink_write,
    .zero = sink_zero,
    .window_end = sink_window_end,
};

static GPtrArray *
open_chain(char **names, GError **error)
{
    g_autoptr(GPtrArray) chain =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_digest_file_free);

    for (; *names != NULL; names++) {
        const int fd = open(*names, O_RDONLY | O_CLOEXEC);
        RfpDigestFile *file = rfp_digest_file_open(fd, *names, error);

        close(fd);
        if (file == NULL)
            return NULL;
        g_ptr_array_add(chain, file);
    }
    return g_steal_pointer(&chain);
}

static gboolean
finish(Sink *sink, RfpCopy *copy, GError **error)
{
    guint8 view[RFP_LEAF_SIZE];
    guint8 sha256[RFP_LEAF_SIZE];
    g_autofree char *hex = NULL;
    guint64 image_size;
    guint64 digests_size;
    guint64 done;
    guint64 total;
    guint64 read;
    gboolean final;

    if (!rfp_qcow2_writer_finish(sink->image, &image_size, error) ||
        !rfp_digest_writer_finish(sink->digests, view, &digests_size, sha256,
                                  error))
        return FALSE;
    rfp_copy_progress(copy, &done, &total, &final, &read);
    hex = rfp_digest_to_hex(view);
    printf("view %s\n"
           "read %" G_GUINT64_FORMAT "\n"
           "stored %" G_GUINT64_FORMAT "\n",
           hex, read, rfp_qcow2_writer_stored(sink->image));
    if (done == total && final)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " done", done,
                  total);
    return FALSE;
}

static gpointer
cancel_thread(gpointer opaque)
{
    g_usleep(GPOINTER_TO_UINT(opaque) * 1000);
    g_atomic_int_set(&cancelled, TRUE);
    return NULL;
}

static gpointer
rate_thread(gpointer opaque)
{
    const gint64 *limit = opaque;

    g_usleep(G_USEC_PER_SEC / 2);
    rfp_rate_set(&rate, (guint64)*limit);
    return NULL;
}

static gboolean
export_disk(const Arguments *arguments,
            RfpNbdSource *source,
            RfpCopyOptions *options,
            GPtrArray *chain,
            int digests_fd,
            GError **error)
{
    const char *image = arguments->files[2];
    g_autoptr(RfpQcow2Writer) writer =
        rfp_qcow2_writer_new(AT_FDCWD, image, image, options->size,
                             arguments->backing, error);
    g_autoptr(RfpDigestWriter) digests = NULL;
    g_autoptr(RfpCompress) compress = NULL;
    g_autoptr(RfpCopy) copy = NULL;
    Sink sink;

    if (writer == NULL)
        return FALSE;
    if (arguments->level > 0) {
        compress = rfp_compress_new(arguments->level, g_get_num_processors());
        rfp_qcow2_writer_set_compress(writer, compress, options->buffer);
    }
    digests = rfp_digest_writer_new(digests_fd, arguments->files[3],
                                    options->size, chain, error);
    if (digests == NULL)
        return FALSE;
    sink = (Sink){writer, digests, arguments->drop};
    copy = rfp_copy_new(&rfp_nbd_source_ops, source, &sink_ops, &sink, options);
    return rfp_copy_run(copy, error) && finish(&sink, copy, error);
}

static void
start_timers(const Arguments *arguments)
{
    rfp_rate_set(&rate, (guint64)arguments->rate);
    if (arguments->rate_later > 0)
        g_thread_unref(g_thread_new("rate", rate_thread,
                                    (gpointer)&arguments->rate_later));
    if (arguments->cancel_ms > 0)
        g_thread_unref(
            g_thread_new("cancel", cancel_thread,
                         GUINT_TO_POINTER((guint)arguments->cancel_ms)));
}

static gboolean
run(const Arguments *arguments, GError **error)
{
    g_autoptr(RfpNbdSource) source =
        rfp_nbd_source_new(arguments->files[0], arguments->files[1],
                           arguments->bitmap, arguments->stall_ms);
    g_autoptr(GPtrArray) chain = NULL;
    RfpCopyOptions options = {
        .increment = arguments->bitmap != NULL,
        .workers = arguments->workers,
        .buffer = (gsize)arguments->buffer_kib * 1024,
        .name = "vda",
        .cancel = &cancelled,
        .rate = &rate,
    };
    gboolean exported;
    int fd;

    if (arguments->base_digests != NULL) {
        chain = open_chain(arguments->base_digests, error);
        if (chain == NULL)
            return FALSE;
    }
    start_timers(arguments);
    if (!rfp_nbd_source_probe(source, &cancelled, &options.size, error))
        return FALSE;
    options.resized_from =
        chain != NULL ? rfp_digest_file_size(chain->pdata[0]) : options.size;
    fd =
        open(arguments->files[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    exported = export_disk(arguments, source, &options, chain, fd, error);
    close(fd);
    return exported;
}

int
main(int argc, char **argv)
{
    Arguments arguments = {.workers = 4, .buffer_kib = 1024, .stall_ms = 30000};
    const GOptionEntry entries[] = {
        {"bitmap", 0, 0, G_OPTION_ARG_STRING, &arguments.bitmap, NULL, NULL},
        {"backing", 0, 0, G_OPTION_ARG_STRING, &arguments.backing, NULL, NULL},
        {"base-digests", 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
         &arguments.base_digests, NULL, NULL},
        {"workers", 0, 0, G_OPTION_ARG_INT, &arguments.workers, NULL, NULL},
        {"buffer-kib", 0, 0, G_OPTION_ARG_INT, &arguments.buffer_kib, NULL,
         NULL},
        {"stall-ms", 0, 0, G_OPTION_ARG_INT, &arguments.stall_ms, NULL, NULL},
        {"drop", 0, 0, G_OPTION_ARG_NONE, &arguments.drop, NULL, NULL},
        {"cancel-ms", 0, 0, G_OPTION_ARG_INT, &arguments.cancel_ms, NULL, NULL},
        {"compress", 0, 0, G_OPTION_ARG_INT, &arguments.level, NULL, "LEVEL"},
        {"limit-rate", 0, 0, G_OPTION_ARG_INT64, &arguments.rate, NULL, NULL},
        {"limit-rate-later", 0, 0, G_OPTION_ARG_INT64, &arguments.rate_later,
         NULL, NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
         &arguments.files, NULL, NULL},
        {0},
    };
    g_autoptr(GOptionContext) context =
        g_option_context_new("SOCKET EXPORT OUT.qcow2 OUT.digests");
    g_autoptr(GError) error = NULL;
    int status = 0;

    rfp_rate_init(&rate);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) ||
        arguments.files == NULL || g_strv_length(arguments.files) != 4) {
        fprintf(stderr, "%s\n", error != NULL ? error->message : "Usage");
        status = 64;
    } else if (!run(&arguments, &error)) {
        RefpointFailure *failure = refpoint_failure_new(error);

        fprintf(stderr, "error: %s\n", failure->message);
        if (failure->way_out != NULL)
            fprintf(stderr, "way out: %s\n", failure->way_out);
        status = failure->cause;
        refpoint_failure_free(failure);
    }
    g_strfreev(arguments.files);
    g_strfreev(arguments.base_digests);
    g_free(arguments.bitmap);
    g_free(arguments.backing);
    return status;
}
