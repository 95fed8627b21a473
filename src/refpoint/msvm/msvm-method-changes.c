/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Msvm_ImageManagementService.GetVirtualDiskChanges. */
#include "msvm/msvm-method-changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"
#include "cim/msvm-id.h"
#include "msvm/msvm-object-path.h"
#include "msvm/msvm-take.h"
#include "virt/domain.h"

/* A disk of a domain whose source is the path. */
typedef struct {
    char *domain_uuid;
    char *target;
} Place;

typedef struct {
    const char *path; /* as it was named */
    char *canonical;  /* without links; NULL: it cannot be followed */
    char *point_guid; /* the two parts of the LimitId */
    char *target;
    GPtrArray *places; /* Place */
} Search;

void
refpoint_msvm_disk_changes_clear(RefpointMsvmDiskChanges *changes)
{
    if (changes == NULL)
        return;
    g_clear_pointer(&changes->changed_byte_offsets, g_free);
    g_clear_pointer(&changes->changed_byte_lengths, g_free);
    changes->n_changes = 0;
    changes->processed_byte_length = 0;
}

static void
free_place(gpointer opaque)
{
    Place *place = opaque;

    g_free(place->domain_uuid);
    g_free(place->target);
    g_free(place);
}

static void
search_clear(Search *search)
{
    free(search->canonical);
    g_free(search->point_guid);
    g_free(search->target);
    if (search->places != NULL)
        g_ptr_array_unref(search->places);
}

/* ---- Parameters ---------------------------------------------------------- */

static gboolean
search_init(Search *search,
            const char *path,
            const char *limit_id,
            const char *target_snapshot_id,
            GError **error)
{
    if (target_snapshot_id != NULL && *target_snapshot_id != '\0') {
        rfp_error_set(error, REFPOINT_ERROR_NOT_SUPPORTED,
                      _("TargetSnapshotId: there are no VHD sets here"));
        return FALSE;
    }
    if (path == NULL || *path != '/' || !g_utf8_validate(path, -1, NULL)) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("Path is not an absolute path"));
        return FALSE;
    }
    if (!rfp_msvm_id_parse(RFP_MSVM_ID_RCT, limit_id != NULL ? limit_id : "",
                           &search->point_guid, &search->target, error)) {
        rfp_error_prefix(error, "LimitId");
        return FALSE;
    }
    search->path = path;
    search->canonical = realpath(path, NULL);
    search->places = g_ptr_array_new_with_free_func(free_place);
    return TRUE;
}

/* ---- The disk ------------------------------------------------------------ */

static gboolean
is_source(const Search *search, const RfpDomainDisk *disk)
{
    char *canonical = NULL;
    gboolean same = FALSE;

    if (!disk->has_source || disk->source.path == NULL ||
        *disk->source.path != '/')
        return FALSE;
    if (strcmp(disk->source.path, search->path) == 0)
        return TRUE;
    canonical =
        search->canonical != NULL ? realpath(disk->source.path, NULL) : NULL;
    same = canonical != NULL && strcmp(canonical, search->canonical) == 0;
    free(canonical);
    return same;
}

static gboolean
search_domain(RfpDomain *domain, gpointer opaque, GError **error)
{
    Search *search = opaque;
    g_autofree char *text = rfp_domain_xml_text(domain, FALSE, NULL, error);
    g_autoptr(RfpDomainXml) xml =
        text != NULL ? rfp_domain_xml_parse(text, error) : NULL;
    guint i = 0;

    if (xml == NULL)
        return FALSE;
    for (i = 0; i < xml->disks->len; i++) {
        const RfpDomainDisk *disk = g_ptr_array_index(xml->disks, i);
        Place *place = NULL;

        if (!is_source(search, disk))
            continue;
        place = g_new0(Place, 1);
        place->domain_uuid = g_strdup(domain->uuid);
        place->target = g_strdup(disk->target);
        g_ptr_array_add(search->places, place);
    }
    return TRUE;
}

static void
refuse_limit(const Search *search, gboolean other_disk, GError **error)
{
    g_autofree char *shown = rfp_text_clean(search->path);

    if (other_disk)
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("LimitId: it is of disk '%s', not of '%s'"),
                      search->target, shown);
    else
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("LimitId: there is no point '%s' of a domain with the "
                        "disk '%s'"),
                      search->point_guid, shown);
    rfp_error_add_object(error, search->point_guid);
}

/* The place whose domain has the point of the LimitId, if its disk is the one
 * of the LimitId, too. Several domains can have a disk with the path. */
static const Place *
choose_place(RefpointConnection *conn, const Search *search, GError **error)
{
    gboolean other_disk = FALSE;
    guint i = 0;

    for (i = 0; i < search->places->len; i++) {
        const Place *place = g_ptr_array_index(search->places, i);
        g_autoptr(GPtrArray) points =
            refpoint_list(conn, place->domain_uuid, error);
        gboolean has = FALSE;

        if (points == NULL)
            return NULL;
        has = rfp_msvm_points_have(points, search->point_guid);
        if (has && strcmp(place->target, search->target) == 0)
            return place;
        other_disk = other_disk || has;
    }
    refuse_limit(search, other_disk, error);
    return NULL;
}

static const Place *
find_place(RefpointConnection *conn, Search *search, GError **error)
{
    g_autofree char *shown = rfp_text_clean(search->path);

    if (!rfp_domain_each(conn, search_domain, search, error))
        return NULL;
    if (search->places->len > 0)
        return choose_place(conn, search, error);
    rfp_error_set(error, REFPOINT_ERROR_FILE_NOT_FOUND,
                  _("'%s' is not a disk of any domain"), shown);
    rfp_error_add_object(error, shown);
    return NULL;
}

/* ---- The changes --------------------------------------------------------- */

static void
copy_changes(const RefpointChanges *from, RefpointMsvmDiskChanges *to)
{
    guint i = 0;

    to->processed_byte_length = from->processed;
    to->n_changes = from->extents->len;
    to->changed_byte_offsets = g_new(guint64, to->n_changes);
    to->changed_byte_lengths = g_new(guint64, to->n_changes);
    for (i = 0; i < from->extents->len; i++) {
        const RefpointExtent *extent =
            &g_array_index(from->extents, RefpointExtent, i);

        to->changed_byte_offsets[i] = extent->offset;
        to->changed_byte_lengths[i] = extent->length;
    }
}

static gboolean
read_changes(RefpointMsvm *msvm,
             const Search *search,
             const Place *place,
             guint64 byte_offset,
             guint64 byte_length,
             RefpointMsvmDiskChanges *changes,
             GError **error)
{
    RefpointChangesOptions options = REFPOINT_CHANGES_OPTIONS_INIT;
    g_autoptr(RefpointJob) handle = refpoint_job_new();
    g_autoptr(RefpointChanges) found = NULL;

    options.domain = place->domain_uuid;
    options.point = search->point_guid;
    options.target = place->target;
    options.offset = byte_offset;
    options.length = byte_length;
    found = refpoint_changes(msvm->conn, &options, handle, error);
    if (found != NULL)
        copy_changes(found, changes);
    return found != NULL;
}

gboolean
rfp_msvm_disk_changes(RefpointMsvm *msvm,
                      const char *path,
                      const char *limit_id,
                      const char *target_snapshot_id,
                      guint64 byte_offset,
                      guint64 byte_length,
                      RefpointMsvmDiskChanges *changes,
                      GError **error)
{
    Search search = {0};
    const Place *place = NULL;
    gboolean done = FALSE;

    *changes = (RefpointMsvmDiskChanges){0};
    if (search_init(&search, path, limit_id, target_snapshot_id, error))
        place = find_place(msvm->conn, &search, error);
    if (place != NULL)
        done = read_changes(msvm, &search, place, byte_offset, byte_length,
                            changes, error);
    search_clear(&search);
    return done;
}

/* ---- The method ---------------------------------------------------------- */

static void
answer_changes(RfpMsvmCall *call, const RefpointMsvmDiskChanges *changes)
{
    RfpMsvmValue *processed = rfp_msvm_call_answer(call, "ProcessedByteLength");
    RfpMsvmValue *offsets = rfp_msvm_call_answer(call, "ChangedByteOffsets");
    RfpMsvmValue *lengths = rfp_msvm_call_answer(call, "ChangedByteLengths");
    gsize i = 0;

    rfp_msvm_value_add_number(processed, changes->processed_byte_length);
    for (i = 0; i < changes->n_changes; i++) {
        rfp_msvm_value_add_number(offsets, changes->changed_byte_offsets[i]);
        rfp_msvm_value_add_number(lengths, changes->changed_byte_lengths[i]);
    }
}

guint32
rfp_msvm_run_disk_changes(RfpMsvmCall *call, GError **error)
{
    RefpointMsvmDiskChanges changes = {0};

    if (rfp_msvm_disk_changes(call->msvm, rfp_msvm_call_text(call, "Path"),
                              rfp_msvm_call_text(call, "LimitId"),
                              rfp_msvm_call_text(call, "TargetSnapshotId"),
                              rfp_msvm_call_number(call, "ByteOffset"),
                              rfp_msvm_call_number(call, "ByteLength"),
                              &changes, error))
        answer_changes(call, &changes);
    refpoint_msvm_disk_changes_clear(&changes);
    return 0;
}
