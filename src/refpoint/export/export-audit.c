/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "export/export-audit.h"
#include "base/text.h"
#include "copy/image-server.h"
#include "copy/nbd-source.h"
#include "export/export-compare.h"
#include "set/set-chain.h"
#include "set/set-points.h"
#include "virt/sockets.h"

#include <inttypes.h>
#include <string.h>

/* Clusters at the end that are zero or dirty, before the search is given up. */
#define LAST_MAX 64
/* Draws for one cluster that turn out dirty, before it is given up. */
#define DRAWS_MAX 4

typedef struct {
    RfpExportDisk *disk;
    RefpointJob *job;
    gpointer connection;
    guint8 *buffer;
    GRand *random;
    const RfpSourceOps *ops; /* of @connection */
    gboolean ahead;          /* what is dirty is not known yet */
    guint64 clusters;        /* of the view at the point */
    gboolean mismatch;
    guint64 mismatch_at; /* cluster */
} Audit;

/* ---- One cluster --------------------------------------------------------- */

static gboolean
note_dirty(guint64 offset G_GNUC_UNUSED,
           guint64 length G_GNUC_UNUSED,
           gboolean flag,
           gpointer opaque)
{
    gboolean *dirty = opaque;

    *dirty = *dirty || flag;
    return TRUE;
}

/* The old and the new last cluster of a resized disk are always stored. */
static gboolean
stored_anyway(const Audit *audit, guint64 cluster)
{
    guint64 size = audit->disk->state.size;
    guint64 base_size = audit->disk->base_size;

    return size != base_size && (cluster + 1 == rfp_cluster_count(size) ||
                                 cluster + 1 == rfp_cluster_count(base_size));
}

static gboolean
expected_leaf(Audit *audit, guint64 cluster, guint8 *leaf, GError **error)
{
    if (cluster >= rfp_cluster_count(audit->disk->base_size)) {
        memset(leaf, 0, RFP_LEAF_SIZE);
        return TRUE;
    }
    return rfp_digest_chain_leaf(audit->disk->base_digests, cluster, leaf,
                                 error);
}

static void
note_ahead(RfpExportDisk *disk, guint64 cluster, gboolean same)
{
    const guint8 bit = (guint8)(1 << cluster % 8);

    disk->sampled[cluster / 8] |= bit;
    if (!same)
        disk->differing[cluster / 8] |= bit;
}

/* *@compared FALSE: it is dirty, or may be, there is nothing to compare. */
static gboolean
compare(Audit *audit, guint64 cluster, gboolean *compared, GError **error)
{
    guint64 offset = cluster << RFP_CLUSTER_BITS;
    guint64 length = MIN(RFP_CLUSTER_SIZE, audit->disk->state.size - offset);
    guint8 expected[RFP_LEAF_SIZE];
    guint8 found[RFP_LEAF_SIZE];
    gboolean dirty = stored_anyway(audit, cluster);

    *compared = FALSE;
    if (!rfp_job_check(audit->job, error))
        return FALSE;
    if (!dirty && !audit->ahead &&
        !audit->ops->map(audit->connection, RFP_MAP_DIRTY, offset, length,
                         note_dirty, &dirty, error))
        return FALSE;
    if (dirty)
        return TRUE;
    rfp_rate_take(&audit->job->rate, length, &audit->job->cancel);
    if (!audit->ops->read(audit->connection, audit->buffer, offset,
                          (guint32)length, error) ||
        !expected_leaf(audit, cluster, expected, error))
        return FALSE;
    rfp_digest_leaf(audit->buffer, length, found);
    if (audit->ahead) {
        note_ahead(audit->disk, cluster,
                   memcmp(expected, found, RFP_LEAF_SIZE) == 0);
        return TRUE;
    }
    *compared = TRUE;
    audit->disk->report->audited++;
    if (memcmp(expected, found, RFP_LEAF_SIZE) != 0) {
        audit->mismatch = TRUE;
        audit->mismatch_at = cluster;
    }
    return TRUE;
}

/* ---- Which clusters ------------------------------------------------------ */

static guint64
random_below(GRand *random, guint64 limit)
{
    guint64 number = ((guint64)g_rand_int(random) << 32) | g_rand_int(random);

    return number % limit;
}

static gboolean
compare_entry(Audit *audit, RfpDigestFile *file, guint64 i, GError **error)
{
    guint8 leaf[RFP_LEAF_SIZE];
    guint64 cluster = 0;
    gboolean compared = FALSE;

    if (!rfp_digest_file_entry(file, i, &cluster, leaf, error))
        return FALSE;
    return cluster >= audit->clusters ||
           compare(audit, cluster, &compared, error);
}

/* The newest images: there two siblings, or a copy of earlier, differ. Their
 * first and last cluster, then @n at random. */
static gboolean
audit_newest(Audit *audit, guint n, GError **error)
{
    GPtrArray *files = audit->disk->base_digests;

    for (guint f = 0; f < files->len && n > 0 && !audit->mismatch; f++) {
        RfpDigestFile *file = g_ptr_array_index(files, f);
        guint64 entries = rfp_digest_file_entries(file);
        guint here = (guint)MIN(n, entries);

        if (entries == 0)
            continue;
        if (!compare_entry(audit, file, 0, error) ||
            !compare_entry(audit, file, entries - 1, error))
            return FALSE;
        for (guint i = 0; i < here && !audit->mismatch; i++) {
            guint64 entry =
                here == entries ? i : random_below(audit->random, entries);

            if (!compare_entry(audit, file, entry, error))
                return FALSE;
        }
        n -= here;
    }
    return TRUE;
}

/* The highest cluster below @limit that an image of the chain stores. @left:
 * for each file, how many entries can still hold it. */
static gboolean
stored_below(GPtrArray *files,
             guint64 *left,
             guint64 limit,
             guint64 *highest,
             gboolean *found,
             GError **error)
{
    guint8 leaf[RFP_LEAF_SIZE];
    guint64 cluster = 0;

    *found = FALSE;
    for (guint i = 0; i < files->len; i++) {
        for (; left[i] > 0; left[i]--) {
            if (!rfp_digest_file_entry(g_ptr_array_index(files, i), left[i] - 1,
                                       &cluster, leaf, error))
                return FALSE;
            if (cluster < limit)
                break;
        }
        if (left[i] == 0 || (*found && cluster <= *highest))
            continue;
        *highest = cluster;
        *found = TRUE;
    }
    return TRUE;
}

/* The last cluster with data: a disk that was shrunk and grown again behind
 * the guest has lost it, however little it has lost. */
static gboolean
audit_last(Audit *audit, GError **error)
{
    GPtrArray *files = audit->disk->base_digests;
    g_autofree guint64 *left = g_new(guint64, files->len);
    guint64 cluster = audit->clusters;
    gboolean compared = FALSE;

    for (guint i = 0; i < files->len; i++)
        left[i] = rfp_digest_file_entries(g_ptr_array_index(files, i));
    for (guint i = 0; i < LAST_MAX && !compared && !audit->mismatch; i++) {
        guint8 leaf[RFP_LEAF_SIZE];
        gboolean found = FALSE;

        if (!stored_below(files, left, cluster, &cluster, &found, error))
            return FALSE;
        if (!found)
            return TRUE;
        if (!expected_leaf(audit, cluster, leaf, error))
            return FALSE;
        if (!rfp_is_zero(leaf, sizeof(leaf)) &&
            !compare(audit, cluster, &compared, error))
            return FALSE;
    }
    return TRUE;
}

/* Of clusters [@first, @first + @count), @n that are clean. */
static gboolean
audit_random(Audit *audit,
             guint64 first,
             guint64 count,
             guint n,
             GError **error)
{
    for (guint i = 0; count > 0 && i < n && !audit->mismatch; i++) {
        gboolean compared = FALSE;

        for (guint draw = 0; draw < DRAWS_MAX && !compared; draw++)
            if (!compare(audit, first + random_below(audit->random, count),
                         &compared, error))
                return FALSE;
    }
    return TRUE;
}

/* What a disk gained: zero, unless it is dirty. */
static gboolean
audit_tail(Audit *audit, guint n, GError **error)
{
    guint64 old = rfp_cluster_count(audit->disk->base_size);

    if (audit->clusters <= old)
        return TRUE;
    return audit_random(audit, old, audit->clusters - old, n, error);
}

static gboolean
audit_sample(Audit *audit, guint n, GError **error)
{
    return audit_newest(audit, MAX(n / 2, 1), error) &&
           audit_last(audit, error) &&
           audit_tail(audit, MAX(n / 8, 1), error) &&
           audit_random(audit, 0, audit->clusters, n - n / 2, error);
}

/* ---- All of them --------------------------------------------------------- */

/* Ahead of the begin all that differs has to be known: it may be dirty. */
static gboolean
note_different(guint64 cluster, gpointer opaque)
{
    Audit *audit = opaque;

    if (audit->ahead) {
        note_ahead(audit->disk, cluster, FALSE);
        return TRUE;
    }
    audit->mismatch = TRUE;
    audit->mismatch_at = cluster;
    return FALSE;
}

static gboolean
audit_all(Audit *audit, gpointer source, GError **error)
{
    if (!rfp_export_compare(audit->disk, audit->ops, source, audit->ahead,
                            note_different, audit, error))
        return FALSE;
    if (audit->ahead)
        memset(audit->disk->sampled, 0xff, audit->clusters / 8 + 1);
    return TRUE;
}

/* ---- The disk ------------------------------------------------------------ */

static gboolean
run_audit(Audit *audit, gpointer source, GError **error)
{
    const gint *cancel = &audit->job->cancel;
    const guint n = audit->disk->member->export->options->audit;
    gboolean done = FALSE;

    if (n == REFPOINT_AUDIT_ALL || n >= audit->clusters)
        return audit_all(audit, source, error);
    audit->connection = audit->ops->open(source, cancel, error);
    if (audit->connection == NULL)
        return FALSE;
    audit->buffer = g_malloc(RFP_CLUSTER_SIZE);
    audit->random = g_rand_new();
    done = audit_sample(audit, n, error);
    g_rand_free(audit->random);
    g_free(audit->buffer);
    audit->ops->close(audit->connection);
    return done;
}

/* The clusters that were compared ahead, now that it is known which are
 * clean. */
static gboolean
evaluate_ahead(guint64 offset, guint64 length, gboolean dirty, gpointer opaque)
{
    Audit *audit = opaque;
    const RfpExportDisk *disk = audit->disk;
    const guint64 end = rfp_cluster_count(offset + length);

    for (guint64 i = offset >> RFP_CLUSTER_BITS; i < end && !dirty; i++) {
        const guint8 bit = (guint8)(1 << i % 8);

        if (!(disk->sampled[i / 8] & bit) || stored_anyway(audit, i))
            continue;
        disk->report->audited++;
        if (!audit->mismatch && disk->differing[i / 8] & bit) {
            audit->mismatch = TRUE;
            audit->mismatch_at = i;
        }
    }
    return TRUE;
}

static gboolean
run_evaluation(Audit *audit, GError **error)
{
    RfpExportDisk *disk = audit->disk;
    gboolean done = FALSE;

    if (disk->sampled == NULL)
        return TRUE;
    disk->report->audited = 0; /* it may be the second time */
    audit->connection =
        audit->ops->open(disk->source, &audit->job->cancel, error);
    if (audit->connection == NULL)
        return FALSE;
    done = audit->ops->map(audit->connection, RFP_MAP_DIRTY, 0,
                           disk->state.size, evaluate_ahead, audit, error);
    audit->ops->close(audit->connection);
    return done;
}

static gboolean
audit_disk(RfpExportDisk *disk, GError **error)
{
    const RfpExportMember *member = disk->member;
    Audit audit = {
        .disk = disk,
        .job = member->export->job,
        .ops = disk->source_ops,
    };
    g_autofree char *detail = NULL;

    if (member->export->options->audit == 0 || disk->state.size == 0)
        return TRUE;
    audit.clusters = rfp_cluster_count(disk->state.size);
    if (member->origin->pushes ? !run_evaluation(&audit, error)
                               : !run_audit(&audit, disk->source, error))
        return FALSE;
    if (!audit.mismatch) {
        disk->report->audit =
            disk->report->audited ? REFPOINT_AUDIT_MATCH : REFPOINT_AUDIT_NONE;
        return TRUE;
    }
    disk->report->audit = REFPOINT_AUDIT_MISMATCH;
    detail = g_strdup_printf(
        _("its bitmap says that offset %" PRIu64 " did not change "
          "since point '%s', but it did: the image was replaced or written "
          "behind the guest"),
        audit.mismatch_at << RFP_CLUSTER_BITS, disk->decision.base->name);
    return rfp_export_refuse_increment(disk, RFP_REASON_AUDIT_MISMATCH,
                                       RFP_WARNING_AUDIT_MISMATCH, detail,
                                       error);
}

static gboolean
open_base(RfpExportDisk *disk, GError **error)
{
    RfpExportSet *set = disk->member->export->set;
    RfpSetPoint *point = rfp_export_set_find(set, disk->decision.base->guid);
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    disk->chain =
        rfp_export_set_chain(set, point, disk->member->operation.domain->uuid,
                             disk->state.target, &local);
    if (disk->chain != NULL)
        disk->base_digests =
            rfp_export_set_open_digests(set, disk->chain, &local);
    if (disk->base_digests != NULL) {
        disk->base_size =
            rfp_digest_file_size(g_ptr_array_index(disk->base_digests, 0));
        return TRUE;
    }
    if (rfp_error_is_limit(local)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    failure = refpoint_failure_new(local);
    return rfp_export_refuse_increment(disk, RFP_REASON_CHAIN_BROKEN,
                                       RFP_WARNING_FULL_INSTEAD_OF_INCREMENT,
                                       failure->message, error);
}

/* ---- Ahead of the begin -------------------------------------------------- */

static gboolean
sample_image(RfpExportDisk *disk,
             const char *path,
             const char *socket_path,
             GError **error)
{
    const RfpExport *export = disk->member->export;
    const gint *cancel = &export->job->cancel;
    Audit audit = {
        .disk = disk,
        .job = export->job,
        .ops = &rfp_nbd_source_ops,
        .ahead = TRUE,
        .clusters = rfp_cluster_count(disk->state.size),
    };
    g_autoptr(RfpNbdSource) source =
        rfp_nbd_source_new(socket_path, "", NULL,
                           export->options->stall_timeout * 1000);
    g_autoptr(RfpImageServer) server =
        rfp_image_server_start(path, RFP_IMAGE_SHARED, socket_path, cancel,
                               error);

    disk->sampled = g_malloc0(audit.clusters / 8 + 1);
    disk->differing = g_malloc0(audit.clusters / 8 + 1);
    return server != NULL && run_audit(&audit, source, error);
}

/* What cannot be read beside the guest is not believed either. */
static gboolean
audit_image(RfpExportDisk *disk, GError **error)
{
    const RfpExport *export = disk->member->export;
    RfpOperation *operation = &disk->member->operation;
    g_autofree char *path =
        rfp_domain_local_path(operation->domain, disk->state.source);
    g_autofree char *socket_path = NULL;
    g_autoptr(GError) local = NULL;
    g_autoptr(RefpointFailure) failure = NULL;

    if (export->options->audit == 0 || disk->state.size == 0)
        return TRUE;
    socket_path = rfp_socket_of_ours(operation->conn, export->guid, error);
    if (socket_path == NULL ||
        !rfp_record_append(operation->record, error, RFP_STEP_SOCKET,
                           socket_path, NULL))
        return FALSE;
    if (sample_image(disk, path, socket_path, &local))
        return TRUE;
    if (g_error_matches(local, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED)) {
        g_propagate_error(error, g_steal_pointer(&local));
        return FALSE;
    }
    failure = refpoint_failure_new(local);
    return rfp_export_refuse_increment(disk, RFP_REASON_PUSH_LIMITS,
                                       RFP_WARNING_FULL_INSTEAD_OF_INCREMENT,
                                       failure->message, error);
}

gboolean
rfp_export_audit_ahead(RfpExportMember *member, GError **error)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (disk->decision.mode != REFPOINT_MODE_INCREMENT)
            continue;
        if (disk->base_digests == NULL && !open_base(disk, error))
            return FALSE;
        if (disk->decision.mode == REFPOINT_MODE_INCREMENT &&
            !audit_image(disk, error))
            return FALSE;
    }
    rfp_export_report_plan(member);
    return TRUE;
}

/* ---- All disks ----------------------------------------------------------- */

gboolean
rfp_export_audit(RfpExportMember *member, GError **error)
{
    for (guint i = 0; i < member->disks->len; i++) {
        RfpExportDisk *disk = g_ptr_array_index(member->disks, i);

        if (rfp_export_takes(disk) && !member->origin->open_disk(disk, error))
            return FALSE;
        if (disk->decision.mode == REFPOINT_MODE_INCREMENT &&
            disk->base_digests == NULL && !open_base(disk, error))
            return FALSE;
        if (disk->decision.mode == REFPOINT_MODE_INCREMENT &&
            !audit_disk(disk, error))
            return FALSE;
    }
    rfp_export_report_plan(member);
    return TRUE;
}
