/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/handshakes.h"
#include "base/files.h"

#include <fcntl.h>

/* The first byte is the watcher's. */
#define LOCK_BYTE 1

void
rfp_handshakes_init(RfpHandshakes *handshakes)
{
    *handshakes = (RfpHandshakes){.fd = -1};
    g_mutex_init(&handshakes->lock);
    g_cond_init(&handshakes->none);
}

/* A child that is about to be another program has it open, too. */
static void
drop_lock(RfpHandshakes *handshakes)
{
    if (handshakes->path == NULL || handshakes->fd < 0)
        return;
    rfp_files_unlock(handshakes->fd, LOCK_BYTE);
    rfp_fd_clear(&handshakes->fd);
}

void
rfp_handshakes_clear(RfpHandshakes *handshakes)
{
    drop_lock(handshakes);
    g_mutex_clear(&handshakes->lock);
    g_cond_clear(&handshakes->none);
}

int
rfp_handshakes_keep_out(const char *path)
{
    g_auto(RfpFd) fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 ||
        rfp_files_lock(fd, LOCK_BYTE, 0, path, NULL) != RFP_LOCK_TAKEN)
        return -1;
    return rfp_fd_steal(&fd);
}

/* The first one tells the other processes, if there is a file for that. */
static gboolean
tell(RfpHandshakes *handshakes)
{
    if (handshakes->n > 0 || handshakes->path == NULL)
        return TRUE;
    handshakes->fd = rfp_handshakes_keep_out(handshakes->path);
    return handshakes->fd >= 0;
}

gboolean
rfp_handshakes_begin(RfpHandshakes *handshakes)
{
    gboolean may = FALSE;

    g_mutex_lock(&handshakes->lock);
    may = !handshakes->closed && tell(handshakes);
    if (may)
        handshakes->n++;
    g_mutex_unlock(&handshakes->lock);
    return may;
}

void
rfp_handshakes_end(RfpHandshakes *handshakes)
{
    g_mutex_lock(&handshakes->lock);
    if (--handshakes->n == 0) {
        if (!handshakes->closed)
            drop_lock(handshakes);
        g_cond_broadcast(&handshakes->none);
    }
    g_mutex_unlock(&handshakes->lock);
}

gboolean
rfp_handshakes_close(RfpHandshakes *handshakes)
{
    gboolean ours = TRUE;

    g_mutex_lock(&handshakes->lock);
    handshakes->closed = TRUE;
    while (handshakes->n > 0)
        g_cond_wait(&handshakes->none, &handshakes->lock);
    if (handshakes->path != NULL && handshakes->fd < 0)
        handshakes->fd = rfp_handshakes_keep_out(handshakes->path);
    ours = handshakes->path == NULL || handshakes->fd >= 0;
    g_mutex_unlock(&handshakes->lock);
    return ours;
}
