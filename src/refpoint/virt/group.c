/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "virt/group.h"
#include "base/names.h"
#include "base/text.h"
#include "base/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define LOCK_FILE "groups.lock"
/* For a change that is under way, by who only looks. */
#define SETTLE_WAIT_MS 2000

/* ---- What one domain has ------------------------------------------------- */

/* @persistent is another list only where the domain both runs and is
 * persistent. */
typedef struct {
    RfpDomain *domain;
    GPtrArray *notes;      /* as it is now; NULL until it was looked at */
    GPtrArray *persistent; /* as it will be when it has been off */
    GError *error;
} Look;

static void
look_free(gpointer opaque)
{
    Look *look = opaque;

    rfp_domain_free(look->domain);
    g_clear_pointer(&look->notes, g_ptr_array_unref);
    g_clear_pointer(&look->persistent, g_ptr_array_unref);
    g_clear_error(&look->error);
    g_free(look);
}

static GPtrArray *
read_notes(RfpDomain *domain, gboolean inactive, GError **error)
{
    g_autofree char *xml = rfp_domain_xml_text(domain, inactive, NULL, error);

    return xml != NULL ? rfp_group_notes_parse(xml, domain->uuid) : NULL;
}

static void
look_at(gpointer item)
{
    Look *look = item;
    RfpDomain *domain = look->domain;

    look->notes = read_notes(domain, FALSE, &look->error);
    if (look->notes == NULL)
        return;
    if (domain->calls->is_active(domain->virt) == 1 &&
        rfp_domain_is_persistent(domain))
        look->persistent = read_notes(domain, TRUE, &look->error);
    else
        look->persistent = g_ptr_array_ref(look->notes);
}

/* The newer of both; NULL: it has none. */
static const RfpGroupNote *
note_of(const Look *look, const char *guid, gboolean *same)
{
    const RfpGroupNote *now = rfp_group_notes_find(look->notes, guid);
    const RfpGroupNote *then = rfp_group_notes_find(look->persistent, guid);
    int order = 0;

    *same = now == then;
    if (now == NULL || then == NULL)
        return now != NULL ? now : then;
    order = rfp_group_note_compare(now, then);
    *same = order == 0;
    return order < 0 ? then : now;
}

/* ---- Put together -------------------------------------------------------- */

static void
group_free(gpointer opaque)
{
    RfpGroup *group = opaque;

    rfp_group_note_free(group->note);
    g_ptr_array_unref(group->unsettled);
    g_free(group);
}

void
rfp_groups_free(RfpGroups *groups)
{
    if (groups == NULL)
        return;
    g_ptr_array_unref(groups->groups);
    g_ptr_array_unref(groups->domains);
    g_free(groups);
}

static void
take_newest(GHashTable *newest, const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++) {
        const RfpGroupNote *note = g_ptr_array_index(notes, i);
        const RfpGroupNote *known = g_hash_table_lookup(newest, note->guid);

        if (known == NULL || rfp_group_note_compare(known, note) < 0)
            g_hash_table_replace(newest, note->guid, (gpointer)note);
    }
}

/* Those who have the newest note, and should not, come last: until then it is
 * known that a group was deleted. */
static void
add_unsettled(RfpGroup *group, const Look *look)
{
    const RfpGroupNote *newest = group->note;
    gboolean same = FALSE;
    const RfpGroupNote *note = note_of(look, newest->guid, &same);
    const gboolean has_newest =
        note != NULL && rfp_group_note_compare(note, newest) == 0;

    if (rfp_group_note_member(newest, look->domain->uuid) != NULL) {
        if (!has_newest || !same)
            g_ptr_array_add(group->unsettled, look->domain);
    } else if (note != NULL) {
        g_ptr_array_insert(group->unsettled, has_newest ? -1 : 0, look->domain);
    }
}

static RfpGroup *
group_new(const RfpGroupNote *newest, const GPtrArray *looks)
{
    RfpGroup *group = g_new0(RfpGroup, 1);

    group->note = rfp_group_note_copy(newest);
    group->unsettled = g_ptr_array_new();
    for (guint i = 0; i < looks->len; i++)
        add_unsettled(group, g_ptr_array_index(looks, i));
    return group;
}

static gint
by_name(gconstpointer a, gconstpointer b)
{
    const RfpGroupNote *one = (*(const RfpGroup *const *)a)->note;
    const RfpGroupNote *other = (*(const RfpGroup *const *)b)->note;
    gint order = strcmp(one->name, other->name);

    return order != 0 ? order : strcmp(one->guid, other->guid);
}

static RfpGroups *
put_together(GPtrArray *looks)
{
    g_autoptr(GHashTable) newest = g_hash_table_new(g_str_hash, g_str_equal);
    RfpGroups *groups = g_new0(RfpGroups, 1);
    GHashTableIter iter;
    gpointer note = NULL;

    groups->groups = g_ptr_array_new_with_free_func(group_free);
    groups->domains =
        g_ptr_array_new_with_free_func((GDestroyNotify)rfp_domain_free);
    for (guint i = 0; i < looks->len; i++) {
        const Look *look = g_ptr_array_index(looks, i);

        take_newest(newest, look->notes);
        take_newest(newest, look->persistent);
    }
    g_hash_table_iter_init(&iter, newest);
    while (g_hash_table_iter_next(&iter, NULL, &note))
        g_ptr_array_add(groups->groups, group_new(note, looks));
    g_ptr_array_sort(groups->groups, by_name);
    for (guint i = 0; i < looks->len; i++) {
        Look *look = g_ptr_array_index(looks, i);

        g_ptr_array_add(groups->domains, g_steal_pointer(&look->domain));
    }
    return groups;
}

/* ---- Looking ------------------------------------------------------------- */

static GPtrArray *
looks_new(GPtrArray *domains)
{
    GPtrArray *looks = g_ptr_array_new_with_free_func(look_free);

    g_ptr_array_set_free_func(domains, NULL);
    for (guint i = 0; i < domains->len; i++) {
        Look *look = g_new0(Look, 1);

        look->domain = g_ptr_array_index(domains, i);
        g_ptr_array_add(looks, look);
    }
    return looks;
}

/* FALSE: one could not be looked at, and it has not just gone away. */
static gboolean
check_looks(GPtrArray *looks, GError **error)
{
    for (guint i = looks->len; i > 0; i--) {
        Look *look = g_ptr_array_index(looks, i - 1);

        if (look->notes != NULL && look->persistent != NULL)
            continue;
        if (rfp_error_libvirt_code(look->error) != VIR_ERR_NO_DOMAIN) {
            g_propagate_error(error, g_steal_pointer(&look->error));
            return FALSE;
        }
        g_ptr_array_remove_index(looks, i - 1);
    }
    return TRUE;
}

RfpGroups *
rfp_groups_load(RefpointConnection *conn, const gint *cancel, GError **error)
{
    g_autoptr(GPtrArray) domains = rfp_domain_list(conn, 0, cancel, error);
    g_autoptr(GPtrArray) looks = NULL;

    if (domains == NULL)
        return NULL;
    looks = looks_new(domains);
    g_free(rfp_work(looks, look_at, 0));
    return check_looks(looks, error) ? put_together(looks) : NULL;
}

static gboolean
has_name(const RfpGroup *group, const char *name)
{
    return group->note->members->len > 0 &&
           (strcmp(group->note->name, name) == 0 ||
            rfp_guid_equal(group->note->guid, name));
}

static void
set_ambiguous(const RfpGroup *one,
              const RfpGroup *other,
              const char *name,
              GError **error)
{
    rfp_error_set(error, REFPOINT_ERROR_INVALID_STATE,
                  _("two groups have the name '%s': %s and %s"), name,
                  one->note->guid, other->note->guid);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error,
                          _("name it by its GUID; delete the other one with: "
                            "virt-refpoint group delete GUID"));
}

RfpGroup *
rfp_groups_find(const RfpGroups *groups, const char *group, GError **error)
{
    RfpGroup *found = NULL;
    g_autofree char *shown = rfp_text_clean(group);

    for (guint i = 0; group != NULL && i < groups->groups->len; i++) {
        RfpGroup *one = g_ptr_array_index(groups->groups, i);

        if (!has_name(one, group))
            continue;
        if (found != NULL) {
            set_ambiguous(found, one, shown, error);
            return NULL;
        }
        found = one;
    }
    if (found != NULL)
        return found;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("there is no group '%s'"), shown);
    rfp_error_add_object(error, shown);
    rfp_error_add_way_out(error, _("see which there are with: virt-refpoint "
                                   "group list"));
    return NULL;
}

RfpDomain *
rfp_groups_domain(const RfpGroups *groups, const char *uuid)
{
    for (guint i = 0; i < groups->domains->len; i++) {
        RfpDomain *domain = g_ptr_array_index(groups->domains, i);

        if (rfp_guid_equal(domain->uuid, uuid))
            return domain;
    }
    return NULL;
}

/* ---- Changing ------------------------------------------------------------ */

static int
open_lock(RefpointConnection *conn, GError **error)
{
    RfpFolder folder = {.shown = conn->records_dir};
    g_auto(RfpFd) dir = -1;

    if (!rfp_make_dirs(conn->records_dir, 0700, error))
        return -1;
    dir = open(conn->records_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        rfp_error_set_errno(error, errno, _("cannot open '%s'"),
                            conn->records_dir);
        return -1;
    }
    folder.fd = dir;
    return rfp_files_open(&folder, LOCK_FILE, O_RDWR | O_CREAT, error);
}

RfpFd
rfp_groups_lock(RefpointConnection *conn, guint wait_ms, GError **error)
{
    g_auto(RfpFd) fd = -1;

    if (!rfp_connection_claim_records(conn, error))
        return -1;
    fd = open_lock(conn, error);
    if (fd < 0) {
        if (conn->system && error != NULL &&
            (*error)->code == REFPOINT_ERROR_ACCESS_DENIED)
            rfp_error_add_way_out(error, _("run it as root (sudo)"));
        return -1;
    }
    switch (rfp_files_lock(fd, 0, wait_ms, LOCK_FILE, error)) {
    case RFP_LOCK_TAKEN:
        return rfp_fd_steal(&fd);
    case RFP_LOCK_BUSY:
        rfp_error_set(error, REFPOINT_ERROR_IN_USE,
                      _("another virt-refpoint is changing the groups of "
                        "this host"));
        rfp_error_add_way_out(error, _("try again in a moment"));
        break;
    case RFP_LOCK_FAILED:
        break;
    }
    return -1;
}

gboolean
rfp_group_store(RfpDomain *domain, const RfpGroupNote *note, GError **error)
{
    g_autofree char *uri = rfp_group_uri(note->guid);
    g_autofree char *xml = rfp_group_note_format(note, domain->uuid);

    return rfp_domain_set_metadata(domain, RFP_GROUP_PREFIX, uri, xml, error);
}

gboolean
rfp_group_remove(RfpDomain *domain, const char *guid, GError **error)
{
    g_autofree char *uri = rfp_group_uri(guid);

    return rfp_domain_set_metadata(domain, RFP_GROUP_PREFIX, uri, NULL, error);
}

/* Members first: while one of them has the highest generation it counts. */
gboolean
rfp_group_settle(RfpGroup *group, GError **error)
{
    const RfpGroupNote *note = group->note;

    for (guint i = 0; i < group->unsettled->len; i++) {
        RfpDomain *domain = g_ptr_array_index(group->unsettled, i);

        if (rfp_group_note_member(note, domain->uuid) != NULL &&
            !rfp_group_store(domain, note, error))
            return FALSE;
    }
    for (guint i = 0; i < group->unsettled->len; i++) {
        RfpDomain *domain = g_ptr_array_index(group->unsettled, i);

        if (rfp_group_note_member(note, domain->uuid) == NULL &&
            !rfp_group_remove(domain, note->guid, error))
            return FALSE;
    }
    g_ptr_array_set_size(group->unsettled, 0);
    return TRUE;
}

void
rfp_groups_settle(RfpGroups *groups)
{
    for (guint i = groups->groups->len; i > 0; i--) {
        RfpGroup *group = g_ptr_array_index(groups->groups, i - 1);

        if (rfp_group_settle(group, NULL) && group->note->members->len == 0)
            g_ptr_array_remove_index(groups->groups, i - 1);
    }
}

/* ---- Looking behind a change --------------------------------------------- */

static gboolean
all_settled(const RfpGroups *groups)
{
    for (guint i = 0; i < groups->groups->len; i++) {
        const RfpGroup *group = g_ptr_array_index(groups->groups, i);

        if (group->unsettled->len > 0)
            return FALSE;
    }
    return TRUE;
}

RfpGroups *
rfp_groups_load_settled(RefpointConnection *conn,
                        const gint *cancel,
                        GError **error)
{
    g_autoptr(RfpGroups) groups = rfp_groups_load(conn, cancel, error);
    g_auto(RfpFd) lock = -1;

    if (groups == NULL || all_settled(groups))
        return g_steal_pointer(&groups);
    lock = rfp_groups_lock(conn, SETTLE_WAIT_MS, NULL);
    if (lock < 0)
        return g_steal_pointer(&groups);
    g_clear_pointer(&groups, rfp_groups_free);
    groups = rfp_groups_load(conn, cancel, error);
    if (groups != NULL)
        rfp_groups_settle(groups);
    return g_steal_pointer(&groups);
}
