/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/tidy.h"
#include "operation/guard.h"
#include "operation/holder.h"
#include "operation/undo.h"
#include "virt/domain.h"

#include <string.h>
#include <sys/stat.h>

/* Domains in one go: the next operation does the rest. */
#define TIDY_MAX 64
/* A domain may be defined again, and a freeze come this late. */
#define TIDY_AGE (24 * 60 * 60)

/* An operation is over, perhaps for it was cancelled: a daemon that is away is
 * not waited for. */
static const gint cancelled = 1;

/* Takes those away that libvirt has, running or not. FALSE: nobody can tell. */
static gboolean
leave_living(RefpointConnection *conn, GHashTable *uuids)
{
    g_autoptr(GPtrArray) domains = rfp_domain_list(conn, 0, &cancelled, NULL);

    for (guint i = 0; domains != NULL && i < domains->len; i++) {
        const RfpDomain *domain = g_ptr_array_index(domains, i);

        g_hash_table_remove(uuids, domain->uuid);
    }
    return domains != NULL;
}

static gboolean
is_old(const char *path)
{
    struct stat st;

    return stat(path, &st) < 0 ||
           st.st_mtime < g_get_real_time() / G_USEC_PER_SEC - TIDY_AGE;
}

/* Asked once more under the lock, and of this one alone: a list has only what
 * one may see. */
static gboolean
is_gone(RefpointConnection *conn, const char *uuid)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpDomain) domain =
        rfp_domain_lookup(conn, uuid, &cancelled, &error);

    return domain == NULL && rfp_error_libvirt_code(error) == VIR_ERR_NO_DOMAIN;
}

/* Whether it may go: of this daemon, old, and over, or nobody has seen yet that
 * it is. */
static gboolean
end_kept(RefpointConnection *conn, RfpKept *kept)
{
    const RfpStep *operation =
        rfp_record_find(kept->record, RFP_STEP_OPERATION);
    g_auto(RfpFd) watch = -1;

    if (strcmp(operation->args[0], conn->uri) != 0 ||
        !is_old(kept->record->path))
        return FALSE;
    watch = rfp_kept_take_watch(kept);
    return watch >= 0 && rfp_undo_kept(NULL, kept, RFP_ENDED_STOPPED, NULL);
}

/* Whether it may go. Half a file, or a damaged one, does not say whose it is:
 * it stays. */
static gboolean
tidy_kept(RefpointConnection *conn, const char *uuid)
{
    g_autofree char *path = rfp_record_kept_path(conn->records_dir, uuid);
    g_autoptr(RfpKept) kept = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    kept = rfp_kept_load(conn->records_dir, uuid, TRUE);
    return kept != NULL && end_kept(conn, kept) &&
           rfp_record_remove(kept->record, NULL);
}

/* A guard that still waits for the freeze has the lock. */
static gboolean
tidy_late(RefpointConnection *conn, const char *uuid)
{
    g_auto(RfpFd) lock = -1;

    if (!rfp_late_freeze_pending(conn, uuid))
        return TRUE;
    lock = rfp_late_freeze_take(conn, uuid);
    if (lock < 0)
        return FALSE;
    rfp_late_freeze_clear(conn, uuid);
    return TRUE;
}

/* TRUE: its record is removed. The lock is held until then: see
 * rfp_record_open(). */
static gboolean
tidy_domain(RefpointConnection *conn, const char *uuid)
{
    g_autoptr(RfpRecord) record =
        rfp_record_open(conn->records_dir, uuid, 0, NULL);

    if (record == NULL || record->steps->len > 0 || !is_old(record->path))
        return FALSE;
    /* takes along the name of one that died */
    rfp_holder_note(record, FALSE);
    return is_gone(conn, uuid) && tidy_late(conn, uuid) &&
           tidy_kept(conn, uuid) && rfp_record_remove(record, NULL);
}

void
rfp_tidy(RefpointConnection *conn, const char *own_uuid)
{
    g_autoptr(GHashTable) uuids = rfp_record_domains(conn->records_dir);
    GHashTableIter iter;
    gpointer uuid = NULL;
    guint n = 0;

    g_hash_table_remove(uuids, own_uuid);
    if (g_hash_table_size(uuids) == 0 || !leave_living(conn, uuids))
        return;
    g_hash_table_iter_init(&iter, uuids);
    while (n < TIDY_MAX && g_hash_table_iter_next(&iter, &uuid, NULL))
        if (tidy_domain(conn, uuid))
            n++;
}
