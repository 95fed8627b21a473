/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The second pass: the data of the images, a group (1 GiB) of an image at a
 * time. The clusters of a group are read in the order in which they
 * lie in the file, and leave the page cache behind us.
 */
#include "set/verify-data.h"
#include "base/text.h"
#include "image/digest-file.h"
#include "image/digest-layout.h"
#include "image/qcow2-source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* Clusters read at once: 1 MiB. */
#define RUN_MAX 16
/* Findings in the data of one image, the others are only counted. */
#define BAD_MAX 16

typedef enum {
    DIFFERS,
    NO_DIGEST,
    NOT_STORED,
    NOT_ZERO,
    BEYOND_END,
    NOT_UNPACKED,
    N_FAULTS
} Fault;

typedef struct {
    guint64 host;  /* offset in the file, 0 for none */
    guint64 entry; /* where it is compressed, else 0 */
    guint index;   /* of the cluster in the group */
} Place;

typedef struct {
    guint index;
    Fault fault;
    guint64 host;
} Bad;

/* What a thread holds: the image it works on, and buffers. */
typedef struct {
    RfpVerify *verify;
    RfpVerifyImage *image;
    RfpQcow2Source *source; /* of the image alone */
    gpointer connection;    /* to it */
    RfpQcow2Reader *reader; /* of @connection */
    GPtrArray *digests;     /* RfpDigestFile of the chain, its own first */
    guint8 *leaves;         /* of a group */
    guint8 have[RFP_GROUP_LEAVES / 8];
    guint8 *data;                          /* RUN_MAX clusters */
    guint8 found[RUN_MAX * RFP_LEAF_SIZE]; /* their leaves */
    GArray *places;                        /* Place */
    GArray *bad;                           /* Bad */
} Worker;

static const char *const fault_texts[N_FAULTS];

static void
let_go(Worker *worker)
{
    worker->image = NULL;
    worker->reader = NULL;
    g_clear_pointer(&worker->connection, rfp_qcow2_source_ops.close);
    g_clear_pointer(&worker->source, rfp_qcow2_source_free);
    g_clear_pointer(&worker->digests, g_ptr_array_unref);
}

static void
worker_clear(Worker *worker)
{
    let_go(worker);
    g_free(worker->leaves);
    g_free(worker->data);
    g_array_unref(worker->places);
    g_array_unref(worker->bad);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Worker, worker_clear)

/* ---- Opening ------------------------------------------------------------- */

/* The bytes of the disk in @group; @path: the file to name. */
static RfpVerifyPlace
group_place(const RfpVerifyImage *image, const char *path, guint64 group)
{
    const guint64 offset = group * RFP_GROUP_SIZE;

    return (RfpVerifyPlace){
        .path = path,
        .offset = offset,
        .length = MIN(RFP_GROUP_SIZE, image->disk->size - offset),
    };
}

/* What fails now is reported once for an image, at the end of the pass, as it
 * failed first; not where the first pass has reported that the image cannot be
 * read as a whole. */
static gboolean
failed(Worker *worker,
       const RfpVerifyPlace *place,
       RfpFinding id,
       const GError *error)
{
    RfpVerifyImage *image = worker->image;

    if (rfp_verify_end(worker->verify, error))
        return FALSE;
    g_mutex_lock(&worker->verify->lock);
    if (!image->incomplete) {
        image->failure = g_error_copy(error);
        image->failure_id = id;
        image->failure_place = *place;
    } else if (image->failure != NULL) {
        rfp_verify_widen(&image->failure_place, place);
    }
    image->incomplete = TRUE;
    g_mutex_unlock(&worker->verify->lock);
    return FALSE;
}

static gboolean
failed_file(Worker *worker,
            const char *path,
            RfpFinding id,
            const GError *error)
{
    const RfpVerifyPlace place = {.path = path};

    return failed(worker, &place, id, error);
}

static gboolean
failed_group(Worker *worker,
             const char *path,
             guint64 group,
             RfpFinding id,
             const GError *error)
{
    const RfpVerifyPlace place = group_place(worker->image, path, group);

    return failed(worker, &place, id, error);
}

static gboolean
open_digests(Worker *worker, const RfpVerifyImage *link)
{
    const char *path = link->disk->digests;
    g_autoptr(GError) error = NULL;
    g_auto(RfpFd) fd =
        rfp_files_open(&worker->verify->set->folder, path, O_RDONLY, &error);
    RfpDigestFile *file = NULL;

    if (fd >= 0)
        file = rfp_digest_file_open(fd, path, &error);
    if (file == NULL)
        return failed_file(worker, path, RFP_FINDING_DIGESTS_DAMAGED, error);
    g_ptr_array_add(worker->digests, file);
    return TRUE;
}

static gboolean
open_image(Worker *worker, RfpVerifyImage *image)
{
    const char *path = image->disk->image;
    g_autoptr(GError) error = NULL;

    let_go(worker);
    worker->image = image;
    worker->digests =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_digest_file_free);
    worker->source = rfp_qcow2_source_new(&worker->verify->set->folder, path);
    worker->connection =
        rfp_qcow2_source_ops.open(worker->source, NULL, &error);
    if (worker->connection == NULL)
        return failed_file(worker, path, RFP_FINDING_IMAGE_DAMAGED, error);
    worker->reader = rfp_qcow2_source_reader(worker->connection);
    return open_digests(worker, image);
}

/* The digests of the whole chain, or at least those of the base. */
static gboolean
open_chain(Worker *worker, gboolean whole)
{
    const RfpVerifyImage *link = worker->image;

    for (guint i = 0; link != NULL && (whole || i < 2); i++) {
        if (i >= worker->digests->len && !open_digests(worker, link))
            return FALSE;
        link = link->base;
    }
    return TRUE;
}

/* ---- Clusters ------------------------------------------------------------ */

static void
add_bad(Worker *worker, guint index, guint64 host, Fault fault)
{
    const Bad bad = {index, fault, host};

    g_array_append_val(worker->bad, bad);
}

static gint
by_host(gconstpointer a, gconstpointer b)
{
    const Place *left = a;
    const Place *right = b;

    return left->host < right->host ? -1 : left->host > right->host;
}

static gint
by_index(gconstpointer a, gconstpointer b)
{
    const Bad *left = a;
    const Bad *right = b;

    return left->index < right->index ? -1 : left->index > right->index;
}

/* A cluster that the image has or has not, against the digests it has. */
static void
sort_out(Worker *worker, guint i, RfpQcow2Kind kind, guint64 host)
{
    gboolean have = rfp_digest_have(worker->have, i);
    const guint8 *leaf = worker->leaves + (gsize)i * RFP_LEAF_SIZE;
    const gboolean packed = kind == RFP_QCOW2_DATA_COMPRESSED;
    Place place = {host, 0, i};

    if (kind == RFP_QCOW2_UNALLOCATED) {
        if (have)
            add_bad(worker, i, 0, NOT_STORED);
        return;
    }
    if (packed)
        place = (Place){rfp_qcow2_compressed_offset(host), host, i};
    if (packed || kind == RFP_QCOW2_DATA)
        g_array_append_val(worker->places, place);
    if (!have)
        add_bad(worker, i, place.host, NO_DIGEST);
    else if (kind == RFP_QCOW2_ZEROES && !rfp_is_zero(leaf, RFP_LEAF_SIZE))
        add_bad(worker, i, 0, NOT_ZERO);
}

static gboolean
map_group(Worker *worker, guint64 group, guint n)
{
    const char *path = worker->image->disk->image;
    guint64 first = group * RFP_GROUP_LEAVES;
    g_autoptr(GError) error = NULL;

    g_array_set_size(worker->places, 0);
    memset(worker->have, 0, sizeof(worker->have));
    if (!rfp_digest_file_fill(g_ptr_array_index(worker->digests, 0), group,
                              worker->leaves, worker->have, &error))
        return failed_group(worker, worker->image->disk->digests, group,
                            RFP_FINDING_DIGESTS_DAMAGED, error);
    for (guint i = 0; i < n; i++) {
        RfpQcow2Kind kind = RFP_QCOW2_UNALLOCATED;
        guint64 host = 0;

        if (!rfp_qcow2_reader_map(worker->reader, first + i, &kind, &host,
                                  &error))
            return failed_group(worker, path, group, RFP_FINDING_IMAGE_DAMAGED,
                                error);
        sort_out(worker, i, kind, host);
    }
    g_array_sort(worker->places, by_host);
    return TRUE;
}

/* The cluster at @place, which is the @i-th of what was read. */
static void
compare(Worker *worker, guint64 group, const Place *place, guint i)
{
    const guint8 *data = worker->data + i * RFP_CLUSTER_SIZE;
    guint8 *leaf = worker->found + (gsize)i * RFP_LEAF_SIZE;
    guint64 size = worker->image->disk->size;
    guint64 at = (group * RFP_GROUP_LEAVES + place->index) << RFP_CLUSTER_BITS;
    gsize length = (gsize)MIN(RFP_CLUSTER_SIZE, size - at);

    if (!rfp_digest_have(worker->have, place->index))
        return;
    if (length < RFP_CLUSTER_SIZE) /* leaves are over the exact bytes */
        rfp_digest_leaf(data, length, leaf);
    if (memcmp(leaf, worker->leaves + (gsize)place->index * RFP_LEAF_SIZE,
               RFP_LEAF_SIZE) != 0)
        add_bad(worker, place->index, place->host, DIFFERS);
    else if (length < RFP_CLUSTER_SIZE &&
             !rfp_is_zero(data + length, RFP_CLUSTER_SIZE - length))
        add_bad(worker, place->index, place->host, BEYOND_END);
}

/* Plain clusters, which the guest's next export will not need in memory. */
static gboolean
read_run(Worker *worker, guint64 host, guint n, GError **error)
{
    if (!rfp_qcow2_reader_read(worker->reader, host, n, worker->data, error))
        return FALSE;
    rfp_qcow2_reader_forget(worker->reader, host, n * RFP_CLUSTER_SIZE);
    return TRUE;
}

/*
 * Compressed clusters, one by one. Those that are damaged are findings, and
 * leave the places, of which *@n stay.
 */
static gboolean
unpack_run(Worker *worker, Place *places, guint *n, GError **error)
{
    const guint64 start = places[0].host;
    const guint64 end = places[*n - 1].host;
    guint kept = 0;

    for (guint i = 0; i < *n; i++) {
        g_autoptr(GError) local = NULL;
        g_autoptr(RefpointFailure) failure = NULL;

        if (rfp_qcow2_reader_read_compressed(worker->reader, places[i].entry,
                                             worker->data +
                                                 kept * RFP_CLUSTER_SIZE,
                                             &local)) {
            places[kept++] = places[i];
            continue;
        }
        failure = refpoint_failure_new(local);
        if (failure->errnum != 0) {
            g_propagate_error(error, g_steal_pointer(&local));
            return FALSE;
        }
        add_bad(worker, places[i].index, places[i].host, NOT_UNPACKED);
    }
    *n = kept;
    rfp_qcow2_reader_forget(worker->reader, start, end - start);
    return TRUE;
}

/* Plain clusters that follow one another in the file, or compressed ones, from
 * place @i on. */
static guint
run_length(const GArray *places, guint i)
{
    const Place *first = &g_array_index(places, Place, i);
    guint n = 1;

    while (n < RUN_MAX && i + n < places->len &&
           (first->entry != 0
                ? first[n].entry != 0
                : first[n].entry == 0 &&
                      first[n].host == first->host + n * RFP_CLUSTER_SIZE))
        n++;
    return n;
}

static void
count_read(Worker *worker, guint64 bytes)
{
    g_mutex_lock(&worker->verify->lock);
    worker->verify->result->bytes += bytes;
    worker->image->progress->done += bytes;
    worker->image->clusters += bytes >> RFP_CLUSTER_BITS;
    g_mutex_unlock(&worker->verify->lock);
}

static gboolean
read_group(Worker *worker, guint64 group)
{
    for (guint i = 0; i < worker->places->len;) {
        Place *place = &g_array_index(worker->places, Place, i);
        const guint run = run_length(worker->places, i);
        guint n = run;
        g_autoptr(GError) error = NULL;

        if (place->entry != 0 ? !unpack_run(worker, place, &n, &error)
                              : !read_run(worker, place->host, n, &error))
            return failed_group(worker, worker->image->disk->image, group,
                                RFP_FINDING_READ_ERROR, error);
        rfp_digest_leaves(worker->data, n * RFP_CLUSTER_SIZE, worker->found,
                          NULL);
        for (guint j = 0; j < n; j++)
            compare(worker, group, &place[j], j);
        count_read(worker, run * RFP_CLUSTER_SIZE);
        i += run;
        if (rfp_verify_stopped(worker->verify))
            return FALSE;
    }
    return TRUE;
}

/* ---- Findings ------------------------------------------------------------ */

/* Whether one more may be listed of this image. */
static gboolean
count_bad(Worker *worker, const RfpVerifyPlace *place)
{
    RfpVerifyImage *image = worker->image;
    const guint64 end = place->offset + place->length;
    gboolean listed = FALSE;

    g_mutex_lock(&worker->verify->lock);
    listed = image->bad < BAD_MAX;
    if (image->bad == BAD_MAX) {
        image->more_start = place->offset;
        image->more_end = end;
    } else if (!listed) {
        image->more_start = MIN(image->more_start, place->offset);
        image->more_end = MAX(image->more_end, end);
    }
    image->bad++;
    g_mutex_unlock(&worker->verify->lock);
    return listed;
}

static void
report_range(Worker *worker, guint64 group, const Bad *first, guint n)
{
    const RfpManifestDisk *disk = worker->image->disk;
    const guint64 start = (group * RFP_GROUP_LEAVES + first->index)
                          << RFP_CLUSTER_BITS;
    const guint64 end = MIN(start + n * RFP_CLUSTER_SIZE, disk->size);
    const RfpVerifyPlace place = {disk->image, start, end - start};
    const char *text = _(fault_texts[first->fault]);

    if (!count_bad(worker, &place))
        return;
    if (first->host != 0)
        rfp_verify_damage_at(worker->verify, &place,
                             RFP_FINDING_DIGEST_MISMATCH,
                             _("bytes %" PRIu64 " to %" PRIu64
                               " of the disk (offset %" PRIu64
                               " of the file): %s"),
                             start, end - 1, first->host, text);
    else
        rfp_verify_damage_at(worker->verify, &place,
                             RFP_FINDING_DIGEST_MISMATCH,
                             _("bytes %" PRIu64 " to %" PRIu64
                               " of the disk: %s"),
                             start, end - 1, text);
}

/* Neighbours with the same fault are one finding. */
static void
report_bad(Worker *worker, guint64 group)
{
    g_array_sort(worker->bad, by_index);
    for (guint i = 0; i < worker->bad->len;) {
        const Bad *bad = &g_array_index(worker->bad, Bad, i);
        guint n = 1;

        while (i + n < worker->bad->len && bad[n].index == bad->index + n &&
               bad[n].fault == bad->fault)
            n++;
        report_range(worker, group, bad, n);
        i += n;
    }
}

/* ---- Groups -------------------------------------------------------------- */

/*
 * What the group's digest must be, out of the leaves. A group that the image
 * did not touch has that of its base, unless the disk grew or shrank in it.
 */
static gboolean
expect_group(Worker *worker, guint64 group, guint n, guint8 *digest)
{
    const RfpVerifyImage *base = worker->image->base;
    g_autoptr(GError) error = NULL;
    gboolean touched = !rfp_is_zero(worker->have, sizeof(worker->have));

    if (!touched && base != NULL &&
        rfp_digest_group_leaves(base->disk->size, group) == n) {
        if (!open_chain(worker, FALSE))
            return FALSE;
        memcpy(digest,
               rfp_digest_file_groups(g_ptr_array_index(worker->digests, 1)) +
                   group * RFP_LEAF_SIZE,
               RFP_LEAF_SIZE);
        return TRUE;
    }
    if (!open_chain(worker, TRUE))
        return FALSE;
    if (!rfp_digest_chain_fill(worker->digests, group, worker->leaves,
                               worker->have, &error))
        return failed_group(worker, worker->image->disk->digests, group,
                            RFP_FINDING_DIGESTS_DAMAGED, error);
    rfp_digest_group(worker->leaves, n, digest);
    return TRUE;
}

static void
check_view(Worker *worker, guint64 group, guint n)
{
    const RfpManifestDisk *disk = worker->image->disk;
    const guint8 *groups =
        rfp_digest_file_groups(g_ptr_array_index(worker->digests, 0));
    const RfpVerifyPlace place =
        group_place(worker->image, disk->digests, group);
    guint8 digest[RFP_LEAF_SIZE];

    if (!worker->image->has_chain || !expect_group(worker, group, n, digest) ||
        memcmp(digest, groups + group * RFP_LEAF_SIZE, RFP_LEAF_SIZE) == 0)
        return;
    if (count_bad(worker, &place))
        rfp_verify_damage_at(worker->verify, &place, RFP_FINDING_VIEW_MISMATCH,
                             _("the group of bytes %" PRIu64 " to %" PRIu64
                               " of the disk is not that of the chain's "
                               "digests"),
                             place.offset, place.offset + place.length - 1);
}

static void
check_group(Worker *worker, guint64 group)
{
    guint n = rfp_digest_group_leaves(worker->image->disk->size, group);

    g_array_set_size(worker->bad, 0);
    if (!map_group(worker, group, n))
        return;
    read_group(worker, group);
    if (rfp_verify_stopped(worker->verify))
        return;
    report_bad(worker, group);
    check_view(worker, group, n);
}

/* The next group that nobody has taken; images are taken one after another. */
static RfpVerifyImage *
take_group(RfpVerify *verify, guint64 *group)
{
    RfpVerifyImage *taken = NULL;

    g_mutex_lock(&verify->lock);
    while (taken == NULL && verify->next_image < verify->images->len) {
        RfpVerifyImage *image =
            g_ptr_array_index(verify->images, verify->next_image);

        if (image->readable && image->has_digests &&
            image->next_group < rfp_group_count(image->disk->size))
            taken = image;
        else
            verify->next_image++;
    }
    if (taken != NULL)
        *group = taken->next_group++;
    g_mutex_unlock(&verify->lock);
    return taken;
}

gpointer
rfp_verify_data(gpointer opaque)
{
    RfpVerify *verify = opaque;
    g_auto(Worker) worker = {.verify = verify};
    RfpVerifyImage *image = NULL;
    guint64 group = 0;

    worker.leaves = g_malloc((gsize)RFP_GROUP_LEAVES * RFP_LEAF_SIZE);
    worker.data = g_malloc(RUN_MAX * RFP_CLUSTER_SIZE);
    worker.places = g_array_new(FALSE, FALSE, sizeof(Place));
    worker.bad = g_array_new(FALSE, FALSE, sizeof(Bad));
    while (!rfp_verify_stopped(verify) &&
           (image = take_group(verify, &group)) != NULL) {
        if (image != worker.image && !open_image(&worker, image))
            worker.image = NULL;
        if (worker.image != NULL)
            check_group(&worker, group);
    }
    return NULL;
}

void
rfp_verify_data_end(RfpVerify *verify, RfpVerifyImage *image)
{
    const RfpManifestDisk *disk = image->disk;
    const RfpVerifyPlace more = {disk->image, image->more_start,
                                 image->more_end - image->more_start};
    guint64 stored = image->clusters << RFP_CLUSTER_BITS;

    if (!image->readable || !image->has_digests)
        return;
    if (image->failure != NULL)
        rfp_verify_unreadable_at(verify, image->point, &image->failure_place,
                                 image->failure_id, image->failure);
    if (image->bad > BAD_MAX)
        rfp_verify_damage_at(verify, &more, RFP_FINDING_DIGEST_MISMATCH,
                             _("there are %" PRIu64 " more places like these"),
                             image->bad - BAD_MAX);
    if (image->newer_base)
        rfp_verify_newer(verify, disk->digests, RFP_FINDING_NEWER_BASE,
                         _("the digest of its view was not computed again: "
                           "what it builds on needs a newer program"));
    else if (!image->has_chain)
        rfp_verify_remark(verify, disk->digests, RFP_FINDING_NOT_COMPARED,
                          _("the digest of its view was not computed again: "
                            "the digests that it builds on are damaged"));
    if (!image->incomplete && stored != disk->stored)
        rfp_verify_damage(verify, disk->image, RFP_FINDING_SIZE_MISMATCH,
                          _("the image stores %" PRIu64
                            " bytes of data, the manifest says "
                            "%" PRIu64),
                          stored, disk->stored);
}

static const char *const fault_texts[N_FAULTS] = {
    [DIFFERS] = N_("the data is not that of the digests"),
    [NO_DIGEST] = N_("stored without a digest"),
    [NOT_STORED] = N_("not stored, though there is a digest"),
    [NOT_ZERO] = N_("stored as zeroes, which the digest is not of"),
    [BEYOND_END] = N_("not zero beyond the disk's end"),
    [NOT_UNPACKED] = N_("the compressed data is damaged"),
};
