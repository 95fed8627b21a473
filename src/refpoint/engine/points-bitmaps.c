/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How the bitmaps of listed points are (refpoint.h). */
#include "base/names.h"
#include "base/workers.h"
#include "operation/kept.h"
#include "virt/checkpoint.h"

#define PATIENCE_MS 5000

/* A domain and, when a thread has asked, its checkpoints, or NULL. It may
 * outlive the list, and the connection. */
typedef struct {
    RfpDomain *domain;
    char *records_dir;
    GPtrArray *checkpoints;
    GPtrArray *points; /* of the list, not for the thread */
} Question;

static void
question_free(gpointer opaque)
{
    Question *question = opaque;

    rfp_domain_free(question->domain);
    g_free(question->records_dir);
    if (question->checkpoints != NULL)
        g_ptr_array_unref(question->checkpoints);
    g_ptr_array_unref(question->points);
    g_free(question);
}

static gboolean
is_active(RfpDomain *domain)
{
    RfpDomainState state = {0};

    return rfp_domain_state(domain, &state, NULL) && state.active;
}

/* Of a guest that was stopped meanwhile all bitmaps seem to be gone. */
static void
ask(gpointer item)
{
    Question *question = item;

    if (!is_active(question->domain) || rfp_domain_is_busy(question->domain) ||
        !rfp_kept_may_drain(question->records_dir, question->domain))
        return;
    question->checkpoints = rfp_checkpoint_list(question->domain, TRUE, NULL);
    if (question->checkpoints != NULL && !is_active(question->domain))
        g_clear_pointer(&question->checkpoints, g_ptr_array_unref);
}

static void
tell(RefpointPoint *point, RfpCheckpointXml *checkpoint)
{
    for (guint i = 0; i < point->disks->len; i++) {
        RefpointPointDisk *disk = g_ptr_array_index(point->disks, i);
        const RfpCheckpointDisk *found =
            rfp_checkpoint_xml_disk(checkpoint, disk->target);

        if (found == NULL)
            continue;
        disk->bitmap =
            found->has_size ? REFPOINT_BITMAP_GOOD : REFPOINT_BITMAP_BROKEN;
        disk->changed = found->changed;
    }
}

/* One of the same name may be another one by now. */
static void
tell_all(const Question *question)
{
    for (guint i = 0; i < question->checkpoints->len; i++) {
        RfpCheckpointXml *checkpoint =
            g_ptr_array_index(question->checkpoints, i);
        g_autofree char *guid =
            rfp_checkpoint_guid(question->domain, checkpoint);

        for (guint k = 0; k < question->points->len; k++) {
            RefpointPoint *point = g_ptr_array_index(question->points, k);

            if (rfp_guid_equal(guid, point->guid))
                tell(point, checkpoint);
        }
    }
}

/* UUID of a domain -> GPtrArray of its points. */
static GHashTable *
by_domain(GPtrArray *points)
{
    GHashTable *domains =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                              (GDestroyNotify)g_ptr_array_unref);

    for (guint i = 0; i < points->len; i++) {
        RefpointPoint *point = g_ptr_array_index(points, i);
        GPtrArray *list = g_hash_table_lookup(domains, point->domain_uuid);

        if (list == NULL) {
            list = g_ptr_array_new();
            g_hash_table_insert(domains, point->domain_uuid, list);
        }
        g_ptr_array_add(list, point);
    }
    return domains;
}

/* Takes @domain. */
static void
add_question(GPtrArray *questions, GHashTable *points, RfpDomain *domain)
{
    GPtrArray *list = g_hash_table_lookup(points, domain->uuid);
    Question *question = NULL;

    if (list == NULL) {
        rfp_domain_free(domain);
        return;
    }
    question = g_new0(Question, 1);
    question->domain = domain;
    question->records_dir = g_strdup(domain->conn->records_dir);
    domain->conn = NULL;
    question->points = g_ptr_array_ref(list);
    g_ptr_array_add(questions, question);
}

/* Of the domains that run. */
static GPtrArray *
find_questions(RefpointConnection *conn, GHashTable *points)
{
    GPtrArray *questions = g_ptr_array_new_with_free_func(question_free);
    g_autoptr(GPtrArray) domains =
        rfp_domain_list(conn, VIR_CONNECT_LIST_DOMAINS_ACTIVE, NULL, NULL);

    if (domains == NULL)
        return questions;
    g_ptr_array_set_free_func(domains, NULL);
    for (guint i = 0; i < domains->len; i++)
        add_question(questions, points, g_ptr_array_index(domains, i));
    return questions;
}

void
refpoint_list_bitmaps(RefpointConnection *conn, GPtrArray *points)
{
    g_autoptr(GHashTable) domains = by_domain(points);
    g_autoptr(GPtrArray) questions = find_questions(conn, domains);
    g_autofree gboolean *answered = rfp_work(questions, ask, PATIENCE_MS);

    for (guint i = 0; i < questions->len; i++) {
        const Question *question = g_ptr_array_index(questions, i);

        if (answered[i] && question->checkpoints != NULL)
            tell_all(question);
    }
}
