/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "writer.h"

#include "output.h"

#include <errno.h>

#define BEHIND 8

typedef struct {
    int fd;
    int failed; /* errno, once it is written */
    char *text;
    gsize length;
} Piece;

struct _Writer {
    GThread *thread;
    GMutex lock; /* of all below */
    GCond added;
    GQueue pieces;     /* to be written */
    GPtrArray *failed; /* Piece: could not be written */
    gboolean ends;
};

static void
piece_free(gpointer data)
{
    Piece *piece = data;

    g_free(piece->text);
    g_free(piece);
}

/* NULL: there is nothing more to come. */
static Piece *
next_piece(Writer *writer)
{
    Piece *piece = NULL;

    g_mutex_lock(&writer->lock);
    while (g_queue_is_empty(&writer->pieces) && !writer->ends)
        g_cond_wait(&writer->added, &writer->lock);
    piece = g_queue_pop_head(&writer->pieces);
    g_mutex_unlock(&writer->lock);
    return piece;
}

static gpointer
write_pieces(gpointer opaque)
{
    Writer *writer = opaque;
    Piece *piece = NULL;

    while ((piece = next_piece(writer)) != NULL) {
        if (output_write(piece->fd, piece->text, piece->length)) {
            piece_free(piece);
            continue;
        }
        piece->failed = errno;
        g_ptr_array_add(writer->failed, piece);
    }
    return NULL;
}

Writer *
writer_new(void)
{
    Writer *writer = g_new0(Writer, 1);

    g_mutex_init(&writer->lock);
    g_cond_init(&writer->added);
    g_queue_init(&writer->pieces);
    writer->failed = g_ptr_array_new_with_free_func(piece_free);
    writer->thread = g_thread_new("writer", write_pieces, writer);
    return writer;
}

void
writer_add(Writer *writer, int fd, const char *text, gsize length)
{
    Piece *piece = g_new0(Piece, 1);

    piece->fd = fd;
    piece->text = g_strndup(text, length);
    piece->length = length;
    g_mutex_lock(&writer->lock);
    g_queue_push_tail(&writer->pieces, piece);
    g_cond_signal(&writer->added);
    g_mutex_unlock(&writer->lock);
}

gboolean
writer_is_behind(Writer *writer)
{
    gboolean behind = FALSE;

    g_mutex_lock(&writer->lock);
    behind = g_queue_get_length(&writer->pieces) >= BEHIND;
    g_mutex_unlock(&writer->lock);
    return behind;
}

int
writer_end(Writer *writer, int fd)
{
    int failed = 0;

    g_mutex_lock(&writer->lock);
    writer->ends = TRUE;
    g_cond_signal(&writer->added);
    g_mutex_unlock(&writer->lock);
    g_thread_join(writer->thread);
    for (guint i = 0; i < writer->failed->len; i++) {
        const Piece *piece = g_ptr_array_index(writer->failed, i);

        if (piece->fd == fd && failed == 0)
            failed = piece->failed;
    }
    g_ptr_array_unref(writer->failed);
    g_mutex_clear(&writer->lock);
    g_cond_clear(&writer->added);
    g_free(writer);
    return failed;
}
