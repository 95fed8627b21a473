/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Groups of domains: list, get, change (refpoint.h). */
#include "base/job.h"
#include "base/names.h"
#include "base/text.h"
#include "virt/group.h"

#include <string.h>

/* A change takes some milliseconds a member. */
#define LOCK_WAIT_MS (10 * 1000)

/* ---- What the caller sees ------------------------------------------------ */

static void
member_free(gpointer opaque)
{
    RefpointGroupMember *member = opaque;

    g_free(member->domain_name);
    g_free(member->domain_uuid);
    g_free(member->former_name);
    g_free(member);
}

void
refpoint_group_free(RefpointGroup *group)
{
    if (group == NULL)
        return;
    g_free(group->name);
    g_free(group->guid);
    g_ptr_array_unref(group->members);
    g_free(group);
}

static RefpointGroupMember *
describe_member(const RfpGroups *groups, const RfpGroupMember *noted)
{
    RefpointGroupMember *member = g_new0(RefpointGroupMember, 1);
    RfpDomain *domain = rfp_groups_domain(groups, noted->uuid);

    member->domain_uuid = g_strdup(noted->uuid);
    member->missing = domain == NULL;
    member->domain_name = g_strdup(domain != NULL ? domain->name : noted->name);
    if (strcmp(member->domain_name, noted->name) != 0)
        member->former_name = g_strdup(noted->name);
    if (domain == NULL)
        return member;
    member->active = domain->calls->is_active(domain->virt) == 1;
    member->transient = member->active && !rfp_domain_is_persistent(domain);
    return member;
}

static RefpointGroup *
describe(const RfpGroups *groups, const RfpGroup *group)
{
    RefpointGroup *copy = g_new0(RefpointGroup, 1);

    copy->name = g_strdup(group->note->name);
    copy->guid = g_strdup(group->note->guid);
    copy->generation = group->note->generation;
    copy->unfinished = group->unsettled->len > 0;
    copy->members = g_ptr_array_new_with_free_func(member_free);
    for (guint i = 0; i < group->note->members->len; i++)
        g_ptr_array_add(copy->members,
                        describe_member(groups,
                                        g_ptr_array_index(group->note->members,
                                                          i)));
    return copy;
}

/* ---- Looking ------------------------------------------------------------- */

GPtrArray *
refpoint_group_list(RefpointConnection *conn, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(RfpGroups) groups = rfp_groups_load_settled(conn, NULL, &local);
    GPtrArray *list = NULL;

    if (groups == NULL) {
        g_propagate_error(error, g_steal_pointer(&local));
        return NULL;
    }
    list = g_ptr_array_new_with_free_func((GDestroyNotify)refpoint_group_free);
    for (guint i = 0; i < groups->groups->len; i++) {
        const RfpGroup *group = g_ptr_array_index(groups->groups, i);

        if (group->note->members->len > 0)
            g_ptr_array_add(list, describe(groups, group));
    }
    return list;
}

RefpointGroup *
refpoint_group_get(RefpointConnection *conn, const char *group, GError **error)
{
    g_autoptr(RfpGroups) groups = rfp_groups_load_settled(conn, NULL, error);
    const RfpGroup *found =
        groups != NULL ? rfp_groups_find(groups, group, error) : NULL;

    return found != NULL ? describe(groups, found) : NULL;
}

/* ---- Changing ------------------------------------------------------------ */

typedef struct {
    RefpointConnection *conn;
    RefpointJob *job;
    RefpointGroupChange kind;
    const char *name; /* or GUID, as the caller has it */
    const char *const *domains;
    RfpGroups *groups;
    RfpGroup *old;      /* NULL: there is none yet */
    RfpGroupNote *note; /* what becomes of it */
    GPtrArray *written; /* RfpDomain, borrowed: those that have @note */
} Change;

/* A name that looks like a GUID could be taken for that of another group. */
static gboolean
check_new_name(const char *name, GError **error)
{
    if (!rfp_name_check_form(name, error))
        return FALSE;
    if (!rfp_guid_check(name))
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("there is no group '%s', and what looks like a GUID cannot "
                    "be the name of a new one"),
                  name);
    rfp_error_add_object(error, name);
    rfp_error_add_way_out(error, _("choose another name"));
    return FALSE;
}

static gboolean
check_request(const Change *change, GError **error)
{
    const gboolean named =
        change->domains != NULL && change->domains[0] != NULL;
    const char *wrong = NULL;

    if (change->name == NULL || *change->name == '\0')
        wrong = _("no group is named");
    else if (named && change->kind == REFPOINT_GROUP_DELETE)
        wrong = _("a group is deleted as a whole: no domain is to be named");
    else if (!named && change->kind != REFPOINT_GROUP_DELETE)
        wrong = _("no domain is named");
    if (wrong == NULL)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER, "%s", wrong);
    return FALSE;
}

/* *@old: NULL where there is none and one can be made. */
static gboolean
find_old(Change *change, GError **error)
{
    g_autoptr(GError) local = NULL;

    change->old = rfp_groups_find(change->groups, change->name, &local);
    if (change->old != NULL)
        return TRUE;
    if (change->kind == REFPOINT_GROUP_SET &&
        g_error_matches(local, REFPOINT_ERROR,
                        REFPOINT_ERROR_INVALID_PARAMETER))
        return check_new_name(change->name, error);
    g_propagate_error(error, g_steal_pointer(&local));
    return FALSE;
}

/* The next note begins as the old one was, or without members. */
static RfpGroupNote *
next_note(const Change *change, gboolean members)
{
    const RfpGroupNote *old = change->old != NULL ? change->old->note : NULL;
    g_autofree char *guid = NULL;
    RfpGroupNote *note = NULL;

    if (old == NULL) {
        guid = rfp_guid_new();
        return rfp_group_note_new(guid, change->name, 1);
    }
    note = rfp_group_note_new(old->guid, old->name, old->generation + 1);
    for (guint i = 0; members && i < old->members->len; i++) {
        const RfpGroupMember *member = g_ptr_array_index(old->members, i);
        const RfpDomain *domain =
            rfp_groups_domain(change->groups, member->uuid);

        rfp_group_note_add(note, member->uuid,
                           domain != NULL ? domain->name : member->name);
    }
    return note;
}

static gboolean
add_domains(Change *change, GError **error)
{
    for (guint i = 0; change->domains[i] != NULL; i++) {
        g_autoptr(RfpDomain) domain =
            rfp_domain_lookup(change->conn, change->domains[i],
                              &change->job->cancel, error);

        if (domain == NULL)
            return FALSE;
        if (rfp_group_note_member(change->note, domain->uuid) == NULL)
            rfp_group_note_add(change->note, domain->uuid, domain->name);
    }
    if (change->note->members->len <= RFP_GROUP_MEMBERS_MAX)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("a group has at most %d members"), RFP_GROUP_MEMBERS_MAX);
    rfp_error_add_object(error, change->note->name);
    rfp_error_add_way_out(error, _("make several groups of them"));
    return FALSE;
}

/* By what it is called now, or, of one that is not here any more, by its UUID
 * or the name it had. -1: it is none of the group. */
static int
index_of(const Change *change, const char *spelling)
{
    g_autoptr(RfpDomain) domain =
        rfp_domain_lookup(change->conn, spelling, &change->job->cancel, NULL);

    for (guint i = 0; i < change->note->members->len; i++) {
        const RfpGroupMember *member =
            g_ptr_array_index(change->note->members, i);

        if (domain != NULL ? rfp_guid_equal(member->uuid, domain->uuid)
                           : rfp_guid_equal(member->uuid, spelling) ||
                                 strcmp(member->name, spelling) == 0)
            return (int)i;
    }
    return -1;
}

static gboolean
remove_domains(Change *change, GError **error)
{
    for (guint i = 0; change->domains[i] != NULL; i++) {
        const int index = index_of(change, change->domains[i]);
        g_autofree char *shown = NULL;

        if (index >= 0) {
            g_ptr_array_remove_index(change->note->members, (guint)index);
            continue;
        }
        shown = rfp_text_clean(change->domains[i]);
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("group '%s' has no member '%s'"), change->note->name,
                      shown);
        rfp_error_add_object(error, shown);
        rfp_error_add_way_out(error,
                              _("see which it has with: virt-refpoint group "
                                "show %s"),
                              change->note->name);
        return FALSE;
    }
    if (change->note->members->len > 0)
        return TRUE;
    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("group '%s' would have no members left"),
                  change->note->name);
    rfp_error_add_object(error, change->note->name);
    rfp_error_add_way_out(error,
                          _("delete it with: virt-refpoint group delete %s"),
                          change->note->name);
    return FALSE;
}

static gboolean
decide(Change *change, GError **error)
{
    const gboolean members = change->kind == REFPOINT_GROUP_ADD ||
                             change->kind == REFPOINT_GROUP_REMOVE;

    change->note = next_note(change, members);
    switch (change->kind) {
    case REFPOINT_GROUP_SET:
    case REFPOINT_GROUP_ADD:
        return add_domains(change, error);
    case REFPOINT_GROUP_REMOVE:
        return remove_domains(change, error);
    case REFPOINT_GROUP_DELETE:
        break;
    }
    return TRUE;
}

/* The generation aside. */
static gboolean
is_as_before(const Change *change)
{
    g_autoptr(RfpGroupNote) old = NULL;

    if (change->old == NULL)
        return FALSE;
    old = rfp_group_note_copy(change->old->note);
    old->generation = change->note->generation;
    return rfp_group_note_compare(old, change->note) == 0;
}

/* ---- Writing ------------------------------------------------------------- */

static gboolean
concerns(const Change *change, const RfpDomain *domain)
{
    return rfp_group_note_member(change->note, domain->uuid) != NULL ||
           (change->old != NULL &&
            rfp_group_note_member(change->old->note, domain->uuid) != NULL);
}

/* As it was, which is one generation more. What cannot be taken back now is
 * completed by the next call. */
static void
take_back(Change *change)
{
    g_autoptr(RfpGroupNote) back = NULL;

    if (change->old != NULL) {
        back = rfp_group_note_copy(change->old->note);
        back->generation = change->note->generation + 1;
    }
    for (guint i = 0; i < change->written->len; i++) {
        RfpDomain *domain = g_ptr_array_index(change->written, i);

        if (back != NULL && rfp_group_note_member(back, domain->uuid) != NULL)
            rfp_group_store(domain, back, NULL);
        else
            rfp_group_remove(domain, change->note->guid, NULL);
    }
}

/* The new note, into old members too: whichever is looked at, the change is
 * known. */
static gboolean
write_notes(Change *change, GError **error)
{
    const GPtrArray *domains = change->groups->domains;

    for (guint i = 0; i < domains->len; i++) {
        RfpDomain *domain = g_ptr_array_index(domains, i);

        if (!concerns(change, domain))
            continue;
        /* it may have been written all the same */
        g_ptr_array_add(change->written, domain);
        if (!rfp_group_store(domain, change->note, error) ||
            !rfp_job_check(change->job, error)) {
            take_back(change);
            return FALSE;
        }
    }
    return TRUE;
}

/* Behind the change: what is not done here is done by the next call. */
static void
remove_notes(const Change *change)
{
    for (guint i = 0; i < change->written->len; i++) {
        RfpDomain *domain = g_ptr_array_index(change->written, i);

        if (rfp_group_note_member(change->note, domain->uuid) == NULL)
            rfp_group_remove(domain, change->note->guid, NULL);
    }
}

static void
warn_of_member(const Change *change, const RefpointGroupMember *member)
{
    const char *name = member->domain_name;
    const char *group = change->note->name;

    if (member->missing)
        rfp_job_warn(change->job, RFP_WARNING_MEMBER_MISSING, name,
                     _("member '%s' of group '%s' is no domain of this host "
                       "(UUID %s)"),
                     name, group, member->domain_uuid);
    if (member->transient)
        rfp_job_warn(change->job, RFP_WARNING_MEMBER_TRANSIENT, name,
                     _("domain '%s' is transient: when it is shut off, what it "
                       "records of group '%s' is lost with it"),
                     name, group);
}

static void
warn_of_renamed(const Change *change)
{
    const GPtrArray *members =
        change->old != NULL ? change->old->note->members : NULL;

    for (guint i = 0; members != NULL && i < members->len; i++) {
        const RfpGroupMember *member = g_ptr_array_index(members, i);
        const RfpDomain *domain =
            rfp_groups_domain(change->groups, member->uuid);

        if (domain != NULL && strcmp(domain->name, member->name) != 0)
            rfp_job_warn(change->job, RFP_WARNING_MEMBER_RENAMED, domain->name,
                         _("member '%s' of group '%s' has been renamed to "
                           "'%s'"),
                         member->name, change->old->note->name, domain->name);
    }
}

static void
warn_of_members(const Change *change)
{
    const GPtrArray *members = change->note->members;

    warn_of_renamed(change);
    for (guint i = 0; i < members->len; i++) {
        RefpointGroupMember *member =
            describe_member(change->groups, g_ptr_array_index(members, i));

        warn_of_member(change, member);
        member_free(member);
    }
}

/* Under the lock. A group that cannot be completed hinders no other one. */
static gboolean
run(Change *change, GError **error)
{
    change->groups = rfp_groups_load(change->conn, &change->job->cancel, error);
    if (change->groups == NULL || !find_old(change, error) ||
        (change->old != NULL && !rfp_group_settle(change->old, error)))
        return FALSE;
    rfp_groups_settle(change->groups);
    if (!decide(change, error) || !rfp_job_check(change->job, error))
        return FALSE;
    if (!is_as_before(change)) {
        if (!write_notes(change, error))
            return FALSE;
        remove_notes(change);
        change->job->report.changed = TRUE;
    }
    warn_of_members(change);
    return TRUE;
}

gboolean
refpoint_group_change(RefpointConnection *conn,
                      RefpointGroupChange kind,
                      const char *group,
                      const char *const *domains,
                      RefpointJob *job,
                      GError **error)
{
    Change change = {.conn = conn,
                     .job = job,
                     .kind = kind,
                     .name = group,
                     .domains = domains,
                     .written = g_ptr_array_new()};
    g_autoptr(GError) local = NULL;
    g_auto(RfpFd) lock = -1;
    gboolean done = FALSE;

    if (check_request(&change, &local)) {
        lock = rfp_groups_lock(conn, LOCK_WAIT_MS, &local);
        done = lock >= 0 && run(&change, &local);
    }
    g_ptr_array_unref(change.written);
    g_clear_pointer(&change.note, rfp_group_note_free);
    g_clear_pointer(&change.groups, rfp_groups_free);
    rfp_job_end(job, done, &local);
    if (!done)
        g_propagate_error(error, g_steal_pointer(&local));
    return done;
}
