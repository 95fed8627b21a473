/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virt/group.c and engine/groups.c on a host that is not there: behind the
 * calls of libvirt are domains that are a name, a state, and what is recorded
 * in them, in memory that a child process shares with this one. So a change can
 * fail, or its process die, at each call that writes, and what is then left is
 * looked at.
 *
 * libvirt's test driver gives the handles of connection and domains, and
 * nothing else.
 */
#include "base/files.h"
#include "base/job.h"
#include "refpoint.h"
#include "set.h"
#include "virt/group.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define URI "test:///default"
#define UUID_FORMAT "00000000-0000-4000-8000-%012x"
#define N_DOMAINS 8
#define N_SLOTS 3
#define SLOT_SIZE (112 * 1024)
#define OTHER_GUID "1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a"

/* ---- The host ------------------------------------------------------------ */

/* One element of the metadata; free where it has no URI. */
typedef struct {
    char uri[128];
    char text[SLOT_SIZE];
} Slot;

typedef struct {
    gboolean there;
    gboolean active;
    gboolean persistent;
    gboolean stuck; /* its metadata cannot be written */
    Slot live[N_SLOTS];
    Slot config[N_SLOTS];
} Domain;

/* What becomes of a call that writes. */
typedef enum {
    REFUSED,    /* nothing is done, and its caller hears of it */
    UNANSWERED, /* it is done, and yet its caller hears of a failure */
    CANCELLED,  /* it succeeds, and the job is cancelled meanwhile */
    KILLED,     /* it is done, and its caller is no more */
    HALF,       /* the same, but done for the running domain alone */
    OTHER_HALF, /* the same, but done for the persistent domain alone */
    REFUSED_ON, /* nothing is done from here on */
} Failure;

typedef struct {
    Domain domains[N_DOMAINS];
    guint n_domains; /* of them, those that may be there */
    guint n_writes;
    guint fail_at; /* which write, from 1; 0: none */
    Failure failure;
    guint kill_at; /* 0: none */
} World;

static World *world;
static RefpointConnection host;
static RefpointJob *job_to_cancel;
static char *dir;

/* What a program defines itself comes before what shared libraries have: nobody
 * in this one waits, and libvirt's errors are those of this file. */

static _Atomic gint64 slept;
static _Thread_local virError last;

void
g_usleep(gulong microseconds)
{
    slept += (gint64)microseconds;
}

gint64
g_get_monotonic_time(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + slept;
}

virErrorPtr
virGetLastError(void)
{
    return last.code != VIR_ERR_OK ? &last : NULL;
}

int
virGetLastErrorCode(void)
{
    return last.code;
}

static void
set_error(int code, const char *message)
{
    last = (virError){.code = code,
                      .domain = VIR_FROM_QEMU,
                      .level = VIR_ERR_ERROR,
                      .message = (char *)message};
}

/* Their handles are there as long as the first connection is. */
static guint
number_of(virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    g_assert_cmpint(virDomainGetUUIDString(domain, uuid), ==, 0);
    return (guint)g_ascii_strtoull(strrchr(uuid, '-') + 1, NULL, 16);
}

static Domain *
domain_of(virDomainPtr domain)
{
    return &world->domains[number_of(domain)];
}

/* The handle, if the domain is there; takes it. */
static virDomainPtr
check_there(virDomainPtr domain)
{
    if (domain != NULL && number_of(domain) < world->n_domains &&
        domain_of(domain)->there)
        return domain;
    if (domain != NULL)
        virDomainFree(domain);
    set_error(VIR_ERR_NO_DOMAIN, "Domain not found");
    return NULL;
}

static int
is_alive(virConnectPtr conn G_GNUC_UNUSED)
{
    return 1;
}

static virDomainPtr
lookup_by_id(virConnectPtr conn G_GNUC_UNUSED, int id G_GNUC_UNUSED)
{
    return check_there(NULL);
}

static virDomainPtr
lookup_by_uuid(virConnectPtr conn, const char *uuid)
{
    return check_there(virDomainLookupByUUIDString(conn, uuid));
}

static virDomainPtr
lookup_by_name(virConnectPtr conn, const char *name)
{
    return check_there(virDomainLookupByName(conn, name));
}

static virDomainPtr
handle_of(virConnectPtr conn, guint number)
{
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, number);

    return virDomainLookupByUUIDString(conn, uuid);
}

static int
list_domains(virConnectPtr conn,
             virDomainPtr **domains,
             unsigned int flags G_GNUC_UNUSED)
{
    int n = 0;

    *domains = calloc(N_DOMAINS + 1, sizeof(virDomainPtr));
    for (guint i = 0; i < world->n_domains; i++) {
        if (world->domains[i].there)
            (*domains)[n++] = handle_of(conn, i);
    }
    return n;
}

static int
is_active(virDomainPtr domain)
{
    return domain_of(domain)->active;
}

static int
is_persistent(virDomainPtr domain)
{
    return domain_of(domain)->persistent;
}

static void
append_metadata(GString *xml, const Slot *slots)
{
    for (guint i = 0; i < N_SLOTS; i++) {
        if (slots[i].uri[0] != '\0')
            g_string_append(xml, slots[i].text);
    }
}

static char *
get_xml(virDomainPtr handle, unsigned int flags)
{
    const Domain *domain = domain_of(handle);
    const gboolean config =
        !domain->active || (flags & VIR_DOMAIN_XML_INACTIVE);
    g_autoptr(GString) xml = g_string_new("<domain type='test'><metadata>");

    g_assert_true(domain->persistent || !config);
    append_metadata(xml, config ? domain->config : domain->live);
    g_string_append(xml, "</metadata></domain>");
    return strdup(xml->str);
}

/* As virDomainSetMetadata() puts an element into a namespace. */
static char *
put_into_namespace(const char *element, const char *key, const char *uri)
{
    g_auto(GStrv) opening = g_strsplit(element, "<group ", -1);
    g_auto(GStrv) closing = NULL;
    g_auto(GStrv) members = NULL;
    g_autofree char *start =
        g_strdup_printf("<%s:group xmlns:%s='%s' ", key, key, uri);
    g_autofree char *end = g_strdup_printf("</%s:group>", key);
    g_autofree char *member = g_strdup_printf("<%s:member ", key);
    g_autofree char *opened = g_strjoinv(start, opening);
    g_autofree char *closed = NULL;

    closing = g_strsplit(opened, "</group>", -1);
    closed = g_strjoinv(end, closing);
    members = g_strsplit(closed, "<member ", -1);
    return g_strjoinv(member, members);
}

static void
put(Slot *slots, const char *element, const char *uri)
{
    Slot *slot = NULL;

    for (guint i = 0; i < N_SLOTS; i++) {
        if (strcmp(slots[i].uri, uri) == 0) {
            slot = &slots[i];
            break;
        }
        if (slot == NULL && slots[i].uri[0] == '\0')
            slot = &slots[i];
    }
    g_assert_nonnull(slot);
    slot->uri[0] = '\0';
    if (element == NULL)
        return;
    g_assert_cmpuint(g_strlcpy(slot->uri, uri, sizeof(slot->uri)), <,
                     sizeof(slot->uri));
    g_assert_cmpuint(g_strlcpy(slot->text, element, sizeof(slot->text)), <,
                     sizeof(slot->text));
}

static void
write_metadata(Domain *domain,
               const char *element,
               const char *key,
               const char *uri,
               unsigned int flags)
{
    g_autofree char *text =
        element != NULL ? put_into_namespace(element, key, uri) : NULL;

    if (flags & VIR_DOMAIN_AFFECT_LIVE)
        put(domain->live, text, uri);
    if (flags & VIR_DOMAIN_AFFECT_CONFIG)
        put(domain->config, text, uri);
}

/* What fails now, if anything: an order that is carried out once. */
static gboolean
is_failing(Failure *failure)
{
    world->n_writes++;
    if (world->kill_at == world->n_writes) {
        *failure = KILLED;
        return TRUE;
    }
    *failure = world->failure;
    return world->fail_at == world->n_writes ||
           (world->fail_at != 0 && world->failure == REFUSED_ON &&
            world->fail_at < world->n_writes);
}

static int
refuse(void)
{
    set_error(VIR_ERR_OPERATION_FAILED,
              "operation failed: by order of the test");
    return -1;
}

static int
set_metadata(virDomainPtr handle,
             int type,
             const char *element,
             const char *key,
             const char *uri,
             unsigned int flags)
{
    Domain *domain = domain_of(handle);
    Failure failure = REFUSED;
    const gboolean fails = is_failing(&failure);

    g_assert_cmpint(type, ==, VIR_DOMAIN_METADATA_ELEMENT);
    g_assert_cmpint((flags & VIR_DOMAIN_AFFECT_LIVE) != 0, ==, domain->active);
    g_assert_cmpint((flags & VIR_DOMAIN_AFFECT_CONFIG) != 0, ==,
                    domain->persistent);
    if (domain->stuck ||
        (fails && (failure == REFUSED || failure == REFUSED_ON)))
        return refuse();
    if (fails && failure == HALF)
        flags &= ~(unsigned int)VIR_DOMAIN_AFFECT_CONFIG;
    if (fails && failure == OTHER_HALF)
        flags &= ~(unsigned int)VIR_DOMAIN_AFFECT_LIVE;
    write_metadata(domain, element, key, uri, flags);
    if (!fails)
        return 0;
    if (failure == UNANSWERED)
        return refuse();
    if (failure != CANCELLED)
        _exit(0);
    refpoint_job_cancel(job_to_cancel);
    return 0;
}

static const RfpVirtCalls calls = {
    .is_alive = is_alive,
    .lookup_by_id = lookup_by_id,
    .lookup_by_uuid = lookup_by_uuid,
    .lookup_by_name = lookup_by_name,
    .list_domains = list_domains,
    .is_active = is_active,
    .is_persistent = is_persistent,
    .get_xml = get_xml,
    .set_metadata = set_metadata,
};

/* ---- Making it ----------------------------------------------------------- */

/* The handle's name is what the domain is called. */
static void
name_domain(guint number, const char *name)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='test'><name>%s</name><uuid>" UUID_FORMAT "</uuid>"
        "<memory>1024</memory><os><type>hvm</type></os></domain>",
        name, number);
    g_autoptr(virDomain) old = handle_of(host.virt, number);
    g_autoptr(virDomain) domain = NULL;

    if (old != NULL)
        g_assert_cmpint(virDomainUndefine(old), ==, 0);
    domain = virDomainDefineXML(host.virt, xml);
    g_assert_nonnull(domain);
}

/* d0 and d4 run, d1 and d3 are off, d2 is transient, d5 runs, d6 and all behind
 * it are off. */
static void
make_domain(guint number)
{
    g_autofree char *name = g_strdup_printf("d%u", number);
    g_autoptr(virDomain) handle = lookup_by_name(host.virt, name);
    Domain *domain = &world->domains[number];

    if (handle == NULL)
        name_domain(number, name);
    domain->there = TRUE;
    domain->active = number == 0 || number == 2 || number == 4 || number == 5;
    domain->persistent = number != 2;
}

static void
begin(guint n_domains)
{
    if (world != NULL)
        g_assert_cmpint(munmap(world, sizeof(World)), ==, 0);
    world = mmap(NULL, sizeof(World), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    g_assert_true(world != MAP_FAILED);
    world->n_domains = n_domains;
    for (guint i = 0; i < n_domains; i++)
        make_domain(i);
}

static void
make_host(void)
{
    refpoint_silence_libvirt();
    dir = set_temp();
    g_mutex_init(&host.lock);
    rfp_gate_init(&host.gate);
    host.calls = &calls;
    host.runtime_dir = g_build_filename(dir, "run", NULL);
    host.own_records_dir = g_build_filename(dir, "records", NULL);
    host.records_dir = g_intern_string(host.own_records_dir);
    host.uri = g_strdup(URI);
    host.virt = virConnectOpen(URI);
    g_assert_nonnull(host.virt);
}

static void
clear_host(void)
{
    virConnectClose(host.virt);
    g_mutex_clear(&host.lock);
    rfp_gate_clear(&host.gate);
    g_free(host.uri);
    g_free(host.runtime_dir);
    g_free(host.own_records_dir);
    munmap(world, sizeof(World));
    set_remove(dir);
    g_free(dir);
}

static void
calm(void)
{
    world->n_writes = world->fail_at = world->kill_at = 0;
}

static void
arm(guint n, Failure failure)
{
    calm();
    world->fail_at = n;
    world->failure = failure;
}

/* ---- Using it ------------------------------------------------------------ */

static gboolean
change_with(RefpointJob *job,
            RefpointGroupChange kind,
            const char *group,
            const char *domains,
            GError **error)
{
    g_auto(GStrv) names = domains != NULL ? g_strsplit(domains, " ", -1) : NULL;

    return refpoint_group_change(&host, kind, group, (const char *const *)names,
                                 job, error);
}

/* @domains: "d0 d1", or NULL. */
static gboolean
change(RefpointGroupChange kind,
       const char *group,
       const char *domains,
       GError **error)
{
    g_autoptr(RefpointJob) job = refpoint_job_new();
    gboolean done = FALSE;

    job_to_cancel = job;
    done = change_with(job, kind, group, domains, error);
    job_to_cancel = NULL;
    return done;
}

static void
must_change(RefpointGroupChange kind, const char *group, const char *domains)
{
    g_autoptr(GError) error = NULL;

    change(kind, group, domains, &error);
    g_assert_no_error(error);
}

static void
refused(RefpointGroupChange kind,
        const char *group,
        const char *domains,
        RefpointError cause)
{
    g_autoptr(GError) error = NULL;

    calm();
    g_assert_false(change(kind, group, domains, &error));
    g_assert_error(error, REFPOINT_ERROR, (int)cause);
    g_assert_cmpuint(world->n_writes, ==, 0);
}

/* The warnings of a change: "member-missing d1, ...". */
static char *
warnings_of(RefpointGroupChange kind, const char *group, const char *domains)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointJob) job = refpoint_job_new();
    const RefpointReport *report = refpoint_job_get_report(job);
    GString *text = g_string_new(NULL);

    change_with(job, kind, group, domains, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < report->warnings->len; i++) {
        const RefpointWarning *warning = g_ptr_array_index(report->warnings, i);

        g_string_append_printf(text, "%s%s %s", i > 0 ? ", " : "", warning->id,
                               warning->object);
    }
    return g_string_free(text, FALSE);
}

static GPtrArray *
list(void)
{
    g_autoptr(GError) error = NULL;
    GPtrArray *groups = refpoint_group_list(&host, &error);

    g_assert_no_error(error);
    return groups;
}

/* "web: d0 d1; db: d2", as they are listed; a member that is missing in
 * brackets, "!" where a change is not complete. */
static char *
listed(void)
{
    g_autoptr(GPtrArray) groups = list();
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < groups->len; i++) {
        const RefpointGroup *group = g_ptr_array_index(groups, i);

        g_string_append_printf(text, "%s%s%s:", i > 0 ? "; " : "", group->name,
                               group->unfinished ? "!" : "");
        for (guint k = 0; k < group->members->len; k++) {
            const RefpointGroupMember *member =
                g_ptr_array_index(group->members, k);

            g_string_append_printf(text, member->missing ? " (%s)" : " %s",
                                   member->domain_name);
        }
    }
    return g_string_free(text, FALSE);
}

static void
is_listed(const char *wanted)
{
    g_autofree char *text = listed();

    g_assert_cmpstr(text, ==, wanted);
}

/* ---- What is recorded ---------------------------------------------------- */

static GPtrArray *
notes_of(guint number, const Slot *slots)
{
    g_autoptr(GString) xml = g_string_new("<domain><metadata>");
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, number);

    append_metadata(xml, slots);
    g_string_append(xml, "</metadata></domain>");
    return rfp_group_notes_parse(xml->str, uuid);
}

/* One configuration of a domain: what it records is what the group is. */
static void
check_notes(guint number, const Slot *slots, const RfpGroup *group)
{
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, number);
    g_autoptr(GPtrArray) notes = notes_of(number, slots);
    const RfpGroupNote *note = rfp_group_notes_find(notes, group->note->guid);

    if (rfp_group_note_member(group->note, uuid) == NULL) {
        g_assert_null(note);
        return;
    }
    g_assert_nonnull(note);
    g_assert_cmpint(rfp_group_note_compare(note, group->note), ==, 0);
}

/* All members record the same of each group, running and persistent; nobody
 * else records anything of it, or of any other. */
static void
check_agreement(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpGroups) groups = rfp_groups_load(&host, NULL, &error);

    g_assert_no_error(error);
    for (guint i = 0; i < groups->groups->len; i++) {
        const RfpGroup *group = g_ptr_array_index(groups->groups, i);

        g_assert_cmpuint(group->unsettled->len, ==, 0);
        g_assert_cmpuint(group->note->members->len, >, 0);
        for (guint k = 0; k < world->n_domains; k++) {
            const Domain *domain = &world->domains[k];

            if (domain->there && domain->active)
                check_notes(k, domain->live, group);
            if (domain->there && domain->persistent)
                check_notes(k, domain->config, group);
        }
    }
}

/* ---- Changes ------------------------------------------------------------- */

static void
test_changes(void)
{
    g_autoptr(RefpointGroup) first = NULL;
    g_autoptr(RefpointGroup) then = NULL;
    g_autoptr(GError) error = NULL;

    begin(7);
    is_listed("");
    must_change(REFPOINT_GROUP_SET, "web", "d2 d0 d2 d1");
    is_listed("web: d2 d0 d1");
    check_agreement();
    first = refpoint_group_get(&host, "web", &error);
    g_assert_no_error(error);
    must_change(REFPOINT_GROUP_ADD, "web", "d1 d3");
    is_listed("web: d2 d0 d1 d3");
    must_change(REFPOINT_GROUP_REMOVE, "web", "d2 d1");
    is_listed("web: d0 d3");
    must_change(REFPOINT_GROUP_SET, "web", "d4 d3");
    check_agreement();
    is_listed("web: d4 d3");
    then = refpoint_group_get(&host, first->guid, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(then->guid, ==, first->guid);
    g_assert_cmpstr(then->name, ==, "web");
    g_assert_cmpuint(first->generation, ==, 1);
    g_assert_cmpuint(then->generation, ==, 4);
    must_change(REFPOINT_GROUP_DELETE, first->guid, NULL);
    check_agreement();
    is_listed("");
    g_assert_null(refpoint_group_get(&host, "web", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
}

/* What is so already is not written again. */
static void
test_unchanged(void)
{
    static const struct {
        RefpointGroupChange kind;
        const char *domains;
        gboolean changed;
    } rows[] = {
        {REFPOINT_GROUP_SET, "d0 d1", FALSE},
        {REFPOINT_GROUP_ADD, "d1", FALSE},
        {REFPOINT_GROUP_SET, "d1 d0", TRUE},
        {REFPOINT_GROUP_ADD, "d1 d3", TRUE},
    };

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(RefpointJob) job = refpoint_job_new();
        g_autoptr(GError) error = NULL;

        calm();
        change_with(job, rows[i].kind, "web", rows[i].domains, &error);
        g_assert_no_error(error);
        g_assert_cmpint(refpoint_job_get_report(job)->changed, ==,
                        rows[i].changed);
        g_assert_cmpint(world->n_writes > 0, ==, rows[i].changed);
    }
}

static void
test_refused(void)
{
    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    refused(REFPOINT_GROUP_SET, "-web", "d0", REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_SET, "", "d0", REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_SET, NULL, "d0", REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_SET, OTHER_GUID, "d0",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_SET, "web", "d0 nobody",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_SET, "web", NULL, REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_ADD, "web", "nobody",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_ADD, "none", "d0", REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_REMOVE, "none", "d0",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_REMOVE, "web", "d3",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_REMOVE, "web", "d0 d1",
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_DELETE, "none", NULL,
            REFPOINT_ERROR_INVALID_PARAMETER);
    refused(REFPOINT_GROUP_DELETE, "web", "d0",
            REFPOINT_ERROR_INVALID_PARAMETER);
    is_listed("web: d0 d1");
    check_agreement();
}

static void
test_no_name(void)
{
    g_autoptr(GError) error = NULL;

    begin(1);
    g_assert_null(refpoint_group_get(&host, NULL, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_PARAMETER);
}

static void
test_two_groups(void)
{
    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    must_change(REFPOINT_GROUP_SET, "db", "d1 d2");
    must_change(REFPOINT_GROUP_SET, "all", "d0 d1 d2");
    is_listed("all: d0 d1 d2; db: d1 d2; web: d0 d1");
    check_agreement();
    must_change(REFPOINT_GROUP_REMOVE, "db", "d1");
    must_change(REFPOINT_GROUP_DELETE, "all", NULL);
    is_listed("db: d2; web: d0 d1");
    check_agreement();
}

/* ---- Members that are not what they were --------------------------------- */

static void
test_missing(void)
{
    g_autofree char *warnings = NULL;
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, 3);

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1 d3 d4");
    world->domains[1].there = world->domains[3].there = FALSE;
    is_listed("web: d0 (d1) (d3) d4");
    warnings = warnings_of(REFPOINT_GROUP_ADD, "web", "d5");
    g_assert_cmpstr(warnings, ==, "member-missing d1, member-missing d3");
    is_listed("web: d0 (d1) (d3) d4 d5");
    refused(REFPOINT_GROUP_SET, "web", "d0 d1",
            REFPOINT_ERROR_INVALID_PARAMETER);
    must_change(REFPOINT_GROUP_REMOVE, "web", "d1");
    must_change(REFPOINT_GROUP_REMOVE, "web", uuid);
    is_listed("web: d0 d4 d5");

    /* as they come back they have the group as it was, which is past */
    world->domains[1].there = world->domains[3].there = TRUE;
    is_listed("web: d0 d4 d5");
    check_agreement();
}

/* The name of one that is missing is that of another domain now. */
static void
test_missing_name_taken(void)
{
    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    world->domains[1].there = FALSE;
    name_domain(1, "gone");
    name_domain(6, "d1");
    refused(REFPOINT_GROUP_REMOVE, "web", "d1",
            REFPOINT_ERROR_INVALID_PARAMETER);
    is_listed("web: d0 (d1)");
    name_domain(6, "d6");
    name_domain(1, "d1");
}

static void
test_renamed(void)
{
    g_autoptr(RefpointGroup) group = NULL;
    g_autoptr(RefpointGroup) then = NULL;
    g_autofree char *warnings = NULL;
    const RefpointGroupMember *member = NULL;

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    name_domain(1, "new");
    group = refpoint_group_get(&host, "web", NULL);
    member = g_ptr_array_index(group->members, 1);
    g_assert_cmpstr(member->domain_name, ==, "new");
    g_assert_cmpstr(member->former_name, ==, "d1");
    warnings = warnings_of(REFPOINT_GROUP_ADD, "web", "new");
    g_assert_cmpstr(warnings, ==, "member-renamed new");
    then = refpoint_group_get(&host, "web", NULL);
    member = g_ptr_array_index(then->members, 1);
    g_assert_cmpstr(member->domain_name, ==, "new");
    g_assert_null(member->former_name);
    name_domain(1, "d1");
}

static void
test_transient(void)
{
    g_autofree char *warnings = NULL;

    begin(7);
    warnings = warnings_of(REFPOINT_GROUP_SET, "web", "d1 d2");
    g_assert_cmpstr(warnings, ==, "member-transient d2");
    memset(&world->domains[2], 0, sizeof(Domain));
    is_listed("web: d1 (d2)");

    /* started anew it records nothing, and is told */
    make_domain(2);
    is_listed("web: d1 d2");
    check_agreement();
}

/* What has lost its note, running or persistent, gets it again. */
static void
test_lost_notes(void)
{
    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1 d4");
    memset(world->domains[0].config, 0, sizeof(world->domains[0].config));
    memset(world->domains[4].live, 0, sizeof(world->domains[4].live));
    memset(world->domains[1].config, 0, sizeof(world->domains[1].config));
    is_listed("web: d0 d1 d4");
    check_agreement();
}

static void
test_clone(void)
{
    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d1");
    memcpy(world->domains[3].config, world->domains[1].config,
           sizeof(world->domains[3].config));
    is_listed("web: d1");
    world->domains[1].there = FALSE;
    is_listed("");
}

/* ---- Notes of others ----------------------------------------------------- */

/* Writes a note by hand. @members: "0 1" numbers of domains. */
static void
write_note(guint number,
           const char *guid,
           const char *name,
           guint64 generation,
           const char *members)
{
    g_autoptr(RfpGroupNote) note = rfp_group_note_new(guid, name, generation);
    g_auto(GStrv) words = g_strsplit(members, " ", -1);
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, number);
    g_autofree char *uri = rfp_group_uri(guid);
    g_autofree char *text = NULL;
    Domain *domain = &world->domains[number];

    for (guint i = 0; words[i] != NULL && *words[i] != '\0'; i++) {
        g_autofree char *member =
            g_strdup_printf(UUID_FORMAT,
                            (guint)g_ascii_strtoull(words[i], NULL, 10));
        g_autofree char *called = g_strconcat("d", words[i], NULL);

        rfp_group_note_add(note, member, called);
    }
    text = rfp_group_note_format(note, uuid);
    write_metadata(domain, text, RFP_GROUP_PREFIX, uri,
                   (domain->active ? (unsigned int)VIR_DOMAIN_AFFECT_LIVE : 0) |
                       (domain->persistent
                            ? (unsigned int)VIR_DOMAIN_AFFECT_CONFIG
                            : 0));
}

/* The higher generation counts, whatever comes first. */
static void
test_generations(void)
{
    for (guint newer = 0; newer < 2; newer++) {
        begin(7);
        write_note(0, OTHER_GUID, "web", newer == 0 ? 8 : 7,
                   newer == 0 ? "0 1" : "0 1 3");
        write_note(1, OTHER_GUID, "web", newer == 1 ? 8 : 7,
                   newer == 1 ? "0 1" : "0 1 3");
        write_note(3, OTHER_GUID, "web", 7, "0 1 3");
        is_listed("web: d0 d1");
        check_agreement();
    }
}

/* As two hosts can make them: the same generation, but not the same group. */
static void
test_same_generation(void)
{
    g_autofree char *first = NULL;
    g_autofree char *other = NULL;

    begin(7);
    write_note(0, OTHER_GUID, "web", 7, "0 1");
    write_note(1, OTHER_GUID, "web", 7, "0 1 3");
    first = listed();
    check_agreement();
    begin(7);
    write_note(1, OTHER_GUID, "web", 7, "0 1");
    write_note(0, OTHER_GUID, "web", 7, "0 1 3");
    other = listed();
    check_agreement();
    g_assert_cmpstr(first, ==, other);
}

/* One that is deleted does not come back by what an old member has. */
static void
test_deleted(void)
{
    begin(7);
    write_note(0, OTHER_GUID, "web", 7, "0 1 3");
    write_note(1, OTHER_GUID, "web", 8, "");
    write_note(3, OTHER_GUID, "web", 7, "0 1 3");
    is_listed("");
    check_agreement();
    must_change(REFPOINT_GROUP_SET, "web", "d4");
    is_listed("web: d4");
}

static void
test_one_name(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RefpointGroup) group = NULL;

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    write_note(3, OTHER_GUID, "web", 7, "3");
    refused(REFPOINT_GROUP_SET, "web", "d4", REFPOINT_ERROR_INVALID_STATE);
    refused(REFPOINT_GROUP_ADD, "web", "d4", REFPOINT_ERROR_INVALID_STATE);
    refused(REFPOINT_GROUP_DELETE, "web", NULL, REFPOINT_ERROR_INVALID_STATE);
    g_assert_null(refpoint_group_get(&host, "web", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_INVALID_STATE);
    group = refpoint_group_get(&host, OTHER_GUID, NULL);
    g_assert_cmpuint(group->members->len, ==, 1);
    must_change(REFPOINT_GROUP_ADD, OTHER_GUID, "d4");
    must_change(REFPOINT_GROUP_DELETE, OTHER_GUID, NULL);
    is_listed("web: d0 d1");
    check_agreement();
}

/* Of so many members only three are there. */
static void
test_members_max(void)
{
    g_autoptr(GString) members = g_string_new("0");
    g_autoptr(RefpointGroup) group = NULL;

    for (guint i = 1; i < RFP_GROUP_MEMBERS_MAX - 1; i++)
        g_string_append_printf(members, " %u", i == 1 ? i : 1000 + i);
    begin(8);
    write_note(0, OTHER_GUID, "web", 1, members->str);
    write_note(1, OTHER_GUID, "web", 1, members->str);
    must_change(REFPOINT_GROUP_ADD, "web", "d2");
    group = refpoint_group_get(&host, "web", NULL);
    g_assert_cmpuint(group->members->len, ==, RFP_GROUP_MEMBERS_MAX);
    check_agreement();
    refused(REFPOINT_GROUP_ADD, "web", "d7", REFPOINT_ERROR_INVALID_PARAMETER);
}

/* ---- The lock ------------------------------------------------------------ */

static void
test_lock(void)
{
    g_auto(RfpFd) lock = -1;
    g_autoptr(GError) error = NULL;

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d1");
    write_note(0, OTHER_GUID, "db", 1, "0 1");
    lock = rfp_groups_lock(&host, 0, &error);
    g_assert_no_error(error);
    refused(REFPOINT_GROUP_ADD, "web", "d3", REFPOINT_ERROR_IN_USE);
    refused(REFPOINT_GROUP_DELETE, "web", NULL, REFPOINT_ERROR_IN_USE);

    /* a list does not wait, and completes nothing: the change goes on */
    calm();
    is_listed("db!: d0 d1; web: d0 d1");
    g_assert_cmpuint(world->n_writes, ==, 0);
    rfp_fd_clear(&lock);
    is_listed("db: d0 d1; web: d0 d1");
    check_agreement();
}

/* A group that cannot be completed hinders no other one. */
static void
test_stuck(void)
{
    g_autoptr(GError) error = NULL;

    begin(7);
    must_change(REFPOINT_GROUP_SET, "web", "d0 d3");
    write_note(0, OTHER_GUID, "db", 1, "0 1");
    world->domains[1].stuck = TRUE;
    must_change(REFPOINT_GROUP_ADD, "web", "d4");
    is_listed("db!: d0 d1; web: d0 d3 d4");
    g_assert_false(change(REFPOINT_GROUP_ADD, "db", "d3", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_false(change(REFPOINT_GROUP_ADD, "web", "d1", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    is_listed("db!: d0 d1; web: d0 d3 d4");
    world->domains[1].stuck = FALSE;
    is_listed("db: d0 d1; web: d0 d3 d4");
    check_agreement();
}

/* ---- Each write fails, or is the last ------------------------------------ */

typedef struct {
    const char *name;
    const char *before; /* domains; NULL: no group */
    RefpointGroupChange kind;
    const char *domains;
    const char *old; /* as is_listed() has it */
    const char *new;
} Case;

static const Case cases[] = {
    {"new", NULL, REFPOINT_GROUP_SET, "d0 d1 d2", "", "web: d0 d1 d2"},
    {"set", "d0 d1 d2", REFPOINT_GROUP_SET, "d3 d1 d4", "web: d0 d1 d2",
     "web: d3 d1 d4"},
    {"others", "d0 d1", REFPOINT_GROUP_SET, "d2 d3", "web: d0 d1",
     "web: d2 d3"},
    {"add", "d4 d1", REFPOINT_GROUP_ADD, "d2 d0", "web: d4 d1",
     "web: d4 d1 d2 d0"},
    {"remove", "d0 d1 d2 d4", REFPOINT_GROUP_REMOVE, "d0 d2",
     "web: d0 d1 d2 d4", "web: d1 d4"},
    {"delete", "d0 d1 d2 d4", REFPOINT_GROUP_DELETE, NULL, "web: d0 d1 d2 d4",
     ""},
};

static void
prepare(const Case *one)
{
    begin(7);
    if (one->before != NULL)
        must_change(REFPOINT_GROUP_SET, "web", one->before);
}

/* After all that: it is the one or the other, and all agree. */
static void
check_whole(const Case *one, gboolean may_be_old, gboolean may_be_new)
{
    g_autofree char *text = NULL;

    calm();
    text = listed();
    g_assert_true((may_be_old && strcmp(text, one->old) == 0) ||
                  (may_be_new && strcmp(text, one->new) == 0));
    check_agreement();
    is_listed(text);
    g_assert_cmpuint(world->n_writes, <=, 16);
}

/* How many writes it takes. */
static guint
count_writes(const Case *one)
{
    prepare(one);
    calm();
    must_change(one->kind, "web", one->domains);
    g_assert_cmpuint(world->n_writes, >, 0);
    return world->n_writes;
}

static void
test_failing(gconstpointer opaque)
{
    static const Failure failures[] = {REFUSED, UNANSWERED, CANCELLED};
    const Case *one = opaque;
    const guint n_writes = count_writes(one);

    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        for (guint n = 1; n <= n_writes; n++) {
            g_autoptr(GError) error = NULL;
            gboolean done = FALSE;

            prepare(one);
            arm(n, failures[i]);
            done = change(one->kind, "web", one->domains, &error);
            g_assert_cmpint(done, ==, error == NULL);
            if (!done && failures[i] == CANCELLED)
                g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_CANCELLED);
            check_whole(one, !done, done);
        }
    }
}

/* Nothing can be written from some moment on. */
static void
test_failing_on(gconstpointer opaque)
{
    const Case *one = opaque;
    const guint n_writes = count_writes(one);

    for (guint n = 1; n <= n_writes; n++) {
        prepare(one);
        arm(n, REFUSED_ON);
        if (change(one->kind, "web", one->domains, NULL))
            check_whole(one, FALSE, TRUE);
        else
            check_whole(one, TRUE, n > 1);
    }
}

/* Makes the change, or looks, in a child process, which dies of it or not. */
static void
run_child(const Case *one)
{
    const pid_t child = fork();
    int status = 0;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        if (one != NULL)
            change(one->kind, "web", one->domains, NULL);
        else
            g_ptr_array_unref(refpoint_group_list(&host, NULL));
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
}

/* As soon as one domain has the new note, in whatever configuration, the change
 * is made. */
static void
test_killed(gconstpointer opaque)
{
    static const Failure failures[] = {KILLED, HALF, OTHER_HALF};
    const Case *one = opaque;
    const guint n_writes = count_writes(one);

    for (gsize i = 0; i < G_N_ELEMENTS(failures); i++) {
        for (guint n = 1; n <= n_writes; n++) {
            prepare(one);
            arm(n, failures[i]);
            run_child(one);
            g_assert_cmpuint(world->n_writes, ==, n);
            check_whole(one, n == 1 && failures[i] != KILLED, TRUE);
        }
    }
}

/* ... and who would complete it is killed, too. */
static void
test_killed_twice(gconstpointer opaque)
{
    const Case *one = opaque;
    const guint n_writes = count_writes(one);

    for (guint n = 1; n <= n_writes; n++) {
        gboolean reached = TRUE;

        for (guint k = 1; reached; k++) {
            prepare(one);
            arm(n, KILLED);
            run_child(one);
            arm(k, KILLED);
            run_child(NULL);
            reached = world->n_writes == k;
            check_whole(one, FALSE, TRUE);
        }
    }
}

/* A write fails, and who would take the change back is killed. */
static void
test_killed_taking_back(gconstpointer opaque)
{
    const Case *one = opaque;
    const guint n_writes = count_writes(one);

    for (guint n = 1; n <= n_writes; n++) {
        gboolean reached = TRUE;

        for (guint k = n + 1; reached; k++) {
            prepare(one);
            arm(n, UNANSWERED);
            world->kill_at = k;
            run_child(one);
            reached = world->n_writes == k;
            check_whole(one, TRUE, TRUE);
        }
    }
}

static void
add_cases(const char *name, GTestDataFunc func)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_strdup_printf("/group/%s/%s", name, cases[i].name);

        g_test_add_data_func(path, &cases[i], func);
    }
}

int
main(int argc, char **argv)
{
    int status = 0;

    g_test_init(&argc, &argv, NULL);
    make_host();
    g_test_add_func("/group/changes", test_changes);
    g_test_add_func("/group/unchanged", test_unchanged);
    g_test_add_func("/group/refused", test_refused);
    g_test_add_func("/group/no-name", test_no_name);
    g_test_add_func("/group/two-groups", test_two_groups);
    g_test_add_func("/group/missing", test_missing);
    g_test_add_func("/group/missing-name-taken", test_missing_name_taken);
    g_test_add_func("/group/renamed", test_renamed);
    g_test_add_func("/group/transient", test_transient);
    g_test_add_func("/group/lost-notes", test_lost_notes);
    g_test_add_func("/group/clone", test_clone);
    g_test_add_func("/group/generations", test_generations);
    g_test_add_func("/group/same-generation", test_same_generation);
    g_test_add_func("/group/deleted", test_deleted);
    g_test_add_func("/group/one-name", test_one_name);
    g_test_add_func("/group/members-max", test_members_max);
    g_test_add_func("/group/lock", test_lock);
    g_test_add_func("/group/stuck", test_stuck);
    add_cases("failing", test_failing);
    add_cases("failing-on", test_failing_on);
    add_cases("killed", test_killed);
    add_cases("killed-twice", test_killed_twice);
    add_cases("killed-taking-back", test_killed_taking_back);
    status = g_test_run();
    clear_host();
    return status;
}
