/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "copy/nbd-source.h"

#include <errno.h>
#include <inttypes.h>
#include <libnbd.h>

#include "base/error.h"
#include "base/text.h"
#include "copy/block-status.h"
#include "image/cluster.h"

/* How long one poll lasts at most: the delay of a cancellation. */
#define POLL_MS 100
/* A server whose queue of connections is full says so at once. */
#define CONNECT_RETRY_MS 20
/* Largest block status request: 32 bits, and aligned for every server. */
#define MAP_STEP (((guint64)1 << 32) - RFP_CLUSTER_SIZE)

#define CONTEXT_ALLOCATION "base:allocation"
#define CONTEXT_BITMAP "qemu:dirty-bitmap:"
#define STATE_DIRTY 1 /* of QEMU's context: docs/interop/nbd.txt */

struct _RfpNbdSource {
    char *socket_path;
    char *export_name;
    char *label;               /* of the export, for messages */
    char *dirty_context;       /* or NULL */
    guint stall_ms;            /* 0: no limit */
    gint64 size;               /* bytes; -1 until probed */
    RfpHandshakes *handshakes; /* or NULL */
    RfpGate *gate;             /* or NULL */
};

/* A connection has a handle for each purpose, made when first needed. */
enum {
    LINK_ALLOCATION = RFP_MAP_ALLOCATION,
    LINK_DIRTY = RFP_MAP_DIRTY,
    LINK_DATA,
    N_LINKS,
};

typedef struct {
    const RfpNbdSource *source;
    const gint *cancel; /* may be NULL */
    struct nbd_handle *links[N_LINKS];
    guint64 max_read;    /* bytes of one request */
    gboolean no_context; /* the server does not offer base:allocation */
} Connection;

typedef enum {
    WAIT_ON,
    WAIT_DONE,
    WAIT_FAILED,
} Wait;

static void
close_link(Connection *connection, guint link)
{
    g_clear_pointer(&connection->links[link], nbd_close);
}

/* ---- Waiting ------------------------------------------------------------- */

static gboolean
is_lost(struct nbd_handle *nbd)
{
    return nbd_aio_is_dead(nbd) > 0 || nbd_aio_is_closed(nbd) > 0;
}

/* From libnbd's error of the last call in this thread. */
static void
set_nbd_error(struct nbd_handle *nbd, GError **error)
{
    const int errnum = nbd_get_errno();
    const gboolean lost = nbd != NULL && is_lost(nbd);
    g_autofree char *text = rfp_text_clean(nbd_get_error());

    if (errnum == EPROTO)
        /* libnbd's own finding, of extents too in its newer releases */
        rfp_error_set_errno(error, errnum,
                            _("the NBD server does not keep to the protocol"));
    else if (lost && errnum == 0 && nbd_aio_is_dead(nbd) > 0)
        /* a server that ended in the middle of a reply, or one that sends what
         * is no reply: only libnbd's words tell which */
        rfp_error_set_errno(error, EPROTO,
                            _("the connection to the NBD server broke (%s)"),
                            text);
    else if (lost)
        rfp_error_set_errno(error, ECONNRESET,
                            _("the NBD server closed the connection"));
    else if (errnum != 0)
        rfp_error_set_errno(error, errnum,
                            _("the NBD server reported an error"));
    else
        rfp_error_set(error, REFPOINT_ERROR_FAILED, "%s", text);
}

static void
set_stalled(gint64 elapsed_us, GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_TIMEOUT,
                  _("no reply from the NBD server for %.1f seconds"),
                  (double)elapsed_us / G_USEC_PER_SEC);
    rfp_error_add_way_out(
        error, _("look at the storage below the guest's disk and try again"));
}

static gboolean
set_cancelled(GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_CANCELLED, _("cancelled"));
    return FALSE;
}

/* Before the server is asked for something: waits while the program is about to
 * stop. */
static gboolean
enter_gate(const Connection *connection, GError **error)
{
    RfpGate *gate = connection->source->gate;

    if (gate == NULL || rfp_gate_enter(gate, connection->cancel))
        return TRUE;
    return set_cancelled(error);
}

static void
leave_gate(const Connection *connection)
{
    if (connection->source->gate != NULL)
        rfp_gate_leave(connection->source->gate);
}

/* Whether waiting since @begin may go on. */
static gboolean
may_wait(const Connection *connection, gint64 begin, GError **error)
{
    const gint64 elapsed = g_get_monotonic_time() - begin;
    const guint stall_ms = connection->source->stall_ms;

    if (connection->cancel != NULL && g_atomic_int_get(connection->cancel))
        return set_cancelled(error);
    if (stall_ms != 0 && elapsed >= (gint64)stall_ms * 1000) {
        set_stalled(elapsed, error);
        return FALSE;
    }
    return TRUE;
}

/* Lets the handle work for a moment. */
static gboolean
poll_once(struct nbd_handle *nbd, GError **error)
{
    if (nbd_poll(nbd, POLL_MS) >= 0 || nbd_get_errno() == EINTR)
        return TRUE;
    set_nbd_error(nbd, error);
    return FALSE;
}

/*
 * Waits for the reply to a command. After anything but success the handle is
 * closed: a late reply would be written where nobody expects it any more.
 */
static gboolean
wait_reply(Connection *connection, guint link, gint64 cookie, GError **error)
{
    struct nbd_handle *nbd = connection->links[link];
    const gint64 begin = g_get_monotonic_time();
    int completed = cookie < 0 ? -1 : nbd_aio_command_completed(nbd, cookie);

    while (completed == 0) {
        if (!may_wait(connection, begin, error) || !poll_once(nbd, error)) {
            close_link(connection, link);
            return FALSE;
        }
        completed = nbd_aio_command_completed(nbd, cookie);
    }
    if (completed > 0)
        return TRUE;
    set_nbd_error(nbd, error);
    close_link(connection, link);
    return FALSE;
}

/* ---- Connecting ---------------------------------------------------------- */

static const char *
link_context(const RfpNbdSource *source, guint link)
{
    if (link == LINK_ALLOCATION)
        return CONTEXT_ALLOCATION;
    return link == LINK_DIRTY ? source->dirty_context : NULL;
}

static struct nbd_handle *
new_handle(const RfpNbdSource *source, const char *context, GError **error)
{
    struct nbd_handle *nbd = nbd_create();

    if (nbd == NULL) {
        set_nbd_error(NULL, error);
        return NULL;
    }
    if (nbd_set_export_name(nbd, source->export_name) < 0 ||
        nbd_set_strict_mode(nbd, LIBNBD_STRICT_MASK) < 0 ||
        (context != NULL && nbd_add_meta_context(nbd, context) < 0)) {
        set_nbd_error(NULL, error);
        nbd_close(nbd);
        return NULL;
    }
#ifdef LIBNBD_HAVE_NBD_SET_PREAD_INITIALIZE
    /* Buffers only ever hold data of this disk, and are not looked at after an
     * error. */
    nbd_set_pread_initialize(nbd, false);
#endif
    return nbd;
}

static Wait
connect_step(struct nbd_handle *nbd, GError **error)
{
    if (nbd_aio_is_ready(nbd) > 0)
        return WAIT_DONE;
    if (is_lost(nbd)) {
        set_nbd_error(nbd, error);
        return WAIT_FAILED;
    }
    return WAIT_ON;
}

/* Starts to connect. A full queue of the server is no error: @nbd stays
 * NULL. */
static gboolean
start_connect(const RfpNbdSource *source,
              const char *context,
              struct nbd_handle **nbd,
              GError **error)
{
    g_autofree char *text = NULL;
    int errnum;

    *nbd = new_handle(source, context, error);
    if (*nbd == NULL)
        return FALSE;
    if (nbd_aio_connect_unix(*nbd, source->socket_path) == 0 &&
        nbd_aio_is_dead(*nbd) <= 0)
        return TRUE;
    errnum = nbd_get_errno();
    text = rfp_text_clean(nbd_get_error());
    g_clear_pointer(nbd, nbd_close);
    if (errnum == EAGAIN)
        return TRUE;
    if (errnum != 0)
        rfp_error_set_errno(error, errnum, _("cannot connect to socket %s"),
                            source->socket_path);
    else
        rfp_error_set(error, REFPOINT_ERROR_FAILED, "%s", text);
    return FALSE;
}

static struct nbd_handle *
connect_handle(Connection *connection, const char *context, GError **error)
{
    const RfpNbdSource *source = connection->source;
    const gint64 begin = g_get_monotonic_time();
    struct nbd_handle *nbd = NULL;
    Wait wait = WAIT_ON;

    while (wait == WAIT_ON) {
        if (!may_wait(connection, begin, error))
            wait = WAIT_FAILED;
        else if (nbd == NULL && !start_connect(source, context, &nbd, error))
            wait = WAIT_FAILED;
        else if (nbd == NULL)
            g_usleep(CONNECT_RETRY_MS * 1000);
        else if (nbd_aio_is_ready(nbd) <= 0 && !poll_once(nbd, error))
            wait = WAIT_FAILED;
        else
            wait = connect_step(nbd, error);
    }
    if (wait == WAIT_DONE)
        return nbd;
    g_clear_pointer(&nbd, nbd_close);
    return NULL;
}

static struct nbd_handle *
shake_hands_now(Connection *connection, const char *context, GError **error)
{
    RfpHandshakes *handshakes = connection->source->handshakes;
    struct nbd_handle *nbd = NULL;

    if (handshakes == NULL)
        return connect_handle(connection, context, error);
    if (!rfp_handshakes_begin(handshakes)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                      _("the backup job is being ended"));
        return NULL;
    }
    nbd = connect_handle(connection, context, error);
    rfp_handshakes_end(handshakes);
    return nbd;
}

static struct nbd_handle *
shake_hands(Connection *connection, const char *context, GError **error)
{
    struct nbd_handle *nbd = NULL;

    if (!enter_gate(connection, error))
        return NULL;
    nbd = shake_hands_now(connection, context, error);
    leave_gate(connection);
    return nbd;
}

/* What the server says about the export, against what was said before. */
static gboolean
check_handle(Connection *connection, struct nbd_handle *nbd, GError **error)
{
    const RfpNbdSource *source = connection->source;
    const gint64 size = nbd_get_size(nbd);
    const gint64 minimum = nbd_get_block_size(nbd, LIBNBD_SIZE_MINIMUM);
    const gint64 maximum = nbd_get_block_size(nbd, LIBNBD_SIZE_MAXIMUM);

    if (size < 0 || (guint64)size > RFP_DISK_SIZE_MAX) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("the NBD server offers a disk of more than %d TiB"),
                      (int)(RFP_DISK_SIZE_MAX >> 40));
        return FALSE;
    }
    if (source->size >= 0 && size != source->size) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("the size of the NBD export changed from %" PRId64
                        " to %" PRId64 " bytes"),
                      source->size, size);
        return FALSE;
    }
    if (minimum > (gint64)RFP_CLUSTER_SIZE) {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("the NBD server reads in blocks of %" PRId64 " bytes"),
                      minimum);
        return FALSE;
    }
    connection->max_read =
        maximum > 0 ? (guint64)MAX(maximum, MAX(minimum, 1)) : G_MAXUINT32;
    return TRUE;
}

/* The handle for @link, connected. */
static struct nbd_handle *
get_link(Connection *connection, guint link, GError **error)
{
    const RfpNbdSource *source = connection->source;
    const char *context = link_context(source, link);
    struct nbd_handle *nbd = connection->links[link];

    if (nbd != NULL)
        return nbd;
    nbd = shake_hands(connection, context, error);
    if (nbd != NULL && !check_handle(connection, nbd, error))
        g_clear_pointer(&nbd, nbd_close);
    if (nbd == NULL) {
        rfp_error_prefix(error, _("cannot connect to NBD export %s"),
                         source->label);
        return NULL;
    }
    if (context == NULL || nbd_can_meta_context(nbd, context) > 0)
        return connection->links[link] = nbd;
    nbd_close(nbd);
    if (link == LINK_ALLOCATION) {
        connection->no_context = TRUE;
        return NULL;
    }
    rfp_error_set(error, REFPOINT_ERROR_FAILED,
                  _("NBD export %s does not offer %s"), source->label, context);
    return NULL;
}

/* ---- Reading ------------------------------------------------------------- */

/* One request and its reply. */
static gboolean
read_step(Connection *connection,
          void *data,
          guint64 offset,
          gsize length,
          GError **error)
{
    gboolean done = FALSE;
    gint64 cookie = -1;

    if (!enter_gate(connection, error))
        return FALSE;
    cookie = nbd_aio_pread(connection->links[LINK_DATA], data, length, offset,
                           NBD_NULL_COMPLETION, 0);
    done = wait_reply(connection, LINK_DATA, cookie, error);
    leave_gate(connection);
    return done;
}

static gboolean
read_data(gpointer opaque,
          void *data,
          guint64 offset,
          guint32 length,
          GError **error)
{
    Connection *connection = opaque;
    guint32 done = 0;

    if (get_link(connection, LINK_DATA, error) == NULL)
        return FALSE;
    while (done < length) {
        const gsize n = MIN(length - done, connection->max_read);

        if (!read_step(connection, (char *)data + done, offset + done, n,
                       error)) {
            rfp_error_prefix(error,
                             _("cannot read NBD export %s at offset %" PRIu64),
                             connection->source->label, offset + done);
            return FALSE;
        }
        done += n;
    }
    return TRUE;
}

/* ---- Maps ---------------------------------------------------------------- */

/* Called by libnbd with the handle locked. */
static int
take_entries(void *opaque,
             const char *context,
             uint64_t offset G_GNUC_UNUSED,
             uint32_t *entries,
             size_t n_entries,
             int *error G_GNUC_UNUSED)
{
    rfp_block_status_take(opaque, context, entries, n_entries);
    return 0;
}

/* One request and its reply. */
static gboolean
map_step(Connection *connection, guint link, RfpMapWalk *walk, GError **error)
{
    const guint64 length = MIN(walk->end - walk->offset, MAP_STEP);
    g_auto(RfpBlockStatus) status = {
        .context = link_context(connection->source, link),
    };
    gboolean done = FALSE;
    gint64 cookie = -1;

    if (!enter_gate(connection, error))
        return FALSE;
    cookie =
        nbd_aio_block_status(connection->links[link], length, walk->offset,
                             (nbd_extent_callback){.callback = take_entries,
                                                   .user_data = &status},
                             NBD_NULL_COMPLETION, 0);
    done = wait_reply(connection, link, cookie, error);
    leave_gate(connection);
    return done && rfp_block_status_report(&status, length, walk, error);
}

/* Connects for a map. TRUE without a handle: the server does not say what
 * reads as zero. */
static gboolean
open_map(Connection *connection, guint link, GError **error)
{
    if (link == LINK_DIRTY && connection->source->dirty_context == NULL) {
        rfp_error_set(error, REFPOINT_ERROR_FAILED,
                      _("no dirty bitmap is known for NBD export %s"),
                      connection->source->label);
        return FALSE;
    }
    if (link == LINK_ALLOCATION && connection->no_context)
        return TRUE;
    if (get_link(connection, link, error) != NULL)
        return TRUE;
    return link == LINK_ALLOCATION && connection->no_context;
}

static gboolean
map_extents(gpointer opaque,
            RfpMap map,
            guint64 offset,
            guint64 length,
            RfpMapFunc func,
            gpointer func_opaque,
            GError **error)
{
    Connection *connection = opaque;
    RfpMapWalk walk = {
        .offset = offset,
        .end = offset + length,
        .mask = map == RFP_MAP_DIRTY ? STATE_DIRTY : LIBNBD_STATE_ZERO,
        .func = func,
        .opaque = func_opaque,
    };

    if (length == 0)
        return TRUE;
    if (!open_map(connection, map, error))
        return FALSE;
    if (connection->links[map] == NULL) {
        func(offset, length, FALSE, func_opaque);
        return TRUE;
    }
    walk.size = nbd_get_size(connection->links[map]);
    while (walk.offset < walk.end && !walk.stopped) {
        if (!map_step(connection, map, &walk, error)) {
            rfp_error_prefix(error,
                             _("cannot get the map of NBD export %s at offset "
                               "%" PRIu64),
                             connection->source->label, walk.offset);
            return FALSE;
        }
    }
    return TRUE;
}

/* ---- Source -------------------------------------------------------------- */

static gpointer
open_connection(gpointer source, const gint *cancel, GError **error)
{
    Connection *connection = g_new0(Connection, 1);

    (void)error;
    connection->source = source;
    connection->cancel = cancel;
    return connection;
}

static void
close_connection(gpointer opaque)
{
    Connection *connection = opaque;

    for (guint i = 0; i < N_LINKS; i++)
        close_link(connection, i);
    g_free(connection);
}

RfpNbdSource *
rfp_nbd_source_new(const char *socket_path,
                   const char *export_name,
                   const char *bitmap,
                   guint stall_ms)
{
    RfpNbdSource *source = g_new0(RfpNbdSource, 1);

    source->socket_path = g_strdup(socket_path);
    source->export_name = g_strdup(export_name);
    source->label = rfp_text_clean(export_name);
    if (bitmap != NULL)
        source->dirty_context = g_strconcat(CONTEXT_BITMAP, bitmap, NULL);
    source->stall_ms = stall_ms;
    source->size = -1;
    return source;
}

void
rfp_nbd_source_share(RfpNbdSource *source,
                     RfpHandshakes *handshakes,
                     RfpGate *gate)
{
    source->handshakes = handshakes;
    source->gate = gate;
}

void
rfp_nbd_source_free(RfpNbdSource *source)
{
    if (source == NULL)
        return;
    g_free(source->socket_path);
    g_free(source->export_name);
    g_free(source->label);
    g_free(source->dirty_context);
    g_free(source);
}

gboolean
rfp_nbd_source_probe(RfpNbdSource *source,
                     const gint *cancel,
                     guint64 *size,
                     GError **error)
{
    Connection connection = {.source = source, .cancel = cancel};
    const guint link = source->dirty_context != NULL ? LINK_DIRTY : LINK_DATA;
    struct nbd_handle *nbd = get_link(&connection, link, error);

    if (nbd == NULL)
        return FALSE;
    source->size = nbd_get_size(nbd);
    *size = source->size;
    close_link(&connection, link);
    return TRUE;
}

const RfpSourceOps rfp_nbd_source_ops = {
    .open = open_connection,
    .close = close_connection,
    .read = read_data,
    .map = map_extents,
};
