/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/manifest.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/xml.h"
#include "set/manifest-field.h"
#include "set/seal.h"
#include "set/set-xml.h"

#define GROUP_GUID "c0c0c0c0-0000-4000-8000-000000000001"
#define POINT_GUID "1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01"
#define VM_UUID "a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de"

static char *
golden_path(const char *name)
{
    return g_test_build_filename(G_TEST_DIST, "..", "data", "manifest", name,
                                 NULL);
}

static char *
golden(const char *name)
{
    g_autofree char *path = golden_path(name);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* As it would be written today. */
static char *
sealed(const char *name)
{
    return rfp_seal_add(golden(name));
}

static RfpManifest *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    RfpManifest *manifest =
        rfp_manifest_parse(text, strlen(text), "test", &error);

    g_assert_no_error(error);
    g_assert_nonnull(manifest);
    return manifest;
}

/* What full.xml says, made by hand. */
static RfpManifest *
make_full(void)
{
    RfpManifest *manifest = rfp_manifest_new();
    RfpManifestVm *vm = rfp_manifest_add_vm(manifest);
    RfpManifestFile *file = rfp_manifest_vm_add_file(vm);
    RfpManifestDisk *disk = rfp_manifest_vm_add_disk(vm);

    manifest->generator = g_strdup("virt-refpoint 0.1.0");
    manifest->set_guid = g_strdup("5b0c7a52-52ad-4a0f-9c5e-0d6a4a3f2b11");
    manifest->sequence = 1;
    manifest->folder = g_strdup("20261121T203000Z-1f0c9a3e");
    manifest->guid = g_strdup(POINT_GUID);
    manifest->consistency = REFPOINT_CONSISTENCY_APPLICATION;
    manifest->created_us = G_GINT64_CONSTANT(1795293000123456);
    manifest->published_us = G_GINT64_CONSTANT(1795293002000007);
    manifest->frozen_us = 183000;

    vm->uuid = g_ascii_strup(VM_UUID, -1);
    vm->name = g_strdup("vm1");
    vm->folder = g_strdup("vm1");

    file->role = g_strdup("config");
    file->path = g_strdup("20261121T203000Z-1f0c9a3e/vm1/domain.xml");
    file->size = 5120;
    memset(file->sha256, 1, RFP_LEAF_SIZE);

    disk->target = g_strdup("vda");
    disk->size = 256 << 20;
    disk->mode = REFPOINT_MODE_FULL;
    disk->reason_id = g_strdup("first");
    disk->tracked = TRUE;
    disk->source.type = g_strdup("file");
    disk->source.path = g_strdup("/images/vm1.qcow2");
    disk->source.inode = 1234567;
    disk->image = g_strdup("disks/vm1/vda/20261121T203000Z-1f0c9a3e.qcow2");
    disk->image_size = 67502080;
    disk->stored = 64 << 20;
    disk->digests = g_strdup("disks/vm1/vda/20261121T203000Z-1f0c9a3e.digests");
    disk->digests_size = 41120;
    memset(disk->digests_sha256, 3, RFP_LEAF_SIZE);
    memset(disk->view, 2, RFP_LEAF_SIZE);
    return manifest;
}

static void
test_format(void)
{
    g_autoptr(RfpManifest) manifest = make_full();
    g_autofree char *text = rfp_manifest_format(manifest);
    g_autofree char *expected = sealed("full.xml");

    g_assert_cmpstr(text, ==, expected);
}

static void
test_round_trip(gconstpointer name)
{
    g_autofree char *text = golden(name);
    g_autofree char *expected = sealed(name);
    g_autoptr(RfpManifest) manifest = parse(text);
    g_autofree char *again = rfp_manifest_format(manifest);

    g_assert_cmpstr(again, ==, expected);
}

static void
test_increment(void)
{
    g_autofree char *text = golden("increment.xml");
    g_autoptr(RfpManifest) manifest = parse(text);
    RfpManifestVm *vm = manifest->vms->pdata[0];
    RfpManifestDisk *vda = rfp_manifest_vm_disk(vm, "vda");
    RfpManifestDisk *vdb = rfp_manifest_vm_disk(vm, "vdb");
    RfpManifestDisk *sda = rfp_manifest_vm_disk(vm, "sda");

    g_assert_cmpuint(manifest->vms->len, ==, 2);
    g_assert_cmpuint(manifest->sequence, ==, 2);
    g_assert_cmpstr(manifest->parent_guid, ==, POINT_GUID);
    g_assert_cmpstr(manifest->collection_name, ==, "nightly & weekly");
    g_assert_true(manifest->held);
    g_assert_cmpint(manifest->consistency, ==, REFPOINT_CONSISTENCY_CRASH);
    g_assert_cmpint(manifest->published_us % G_USEC_PER_SEC, ==, 999999);
    g_assert_cmpstr(vm->name, ==, "b\"\u00fc <1>\nx");
    g_assert_true(vm->secrets_missing);
    g_assert_cmpuint(vm->files->len, ==, 2);

    g_assert_cmpint(vda->mode, ==, REFPOINT_MODE_INCREMENT);
    g_assert_null(vda->reason_id);
    g_assert_cmpuint(vda->size, ==, (256 << 20) + 1);
    g_assert_cmpstr(vda->base_guid, ==, POINT_GUID);
    g_assert_cmpuint(vda->base_view[31], ==, 2);
    g_assert_cmpuint(vda->view[0], ==, 0x12);
    g_assert_cmpuint(vda->source.inode, ==, 0);
    g_assert_cmpuint(vda->image_size, ==, 393216);
    g_assert_false(vda->plaintext);
    g_assert_cmpint(vda->compress, ==, REFPOINT_COMPRESS_ZSTD);
    g_assert_cmpint(vdb->compress, ==, REFPOINT_COMPRESS_NONE);
    g_assert_cmpint(vda->audit, ==, REFPOINT_AUDIT_MATCH);
    g_assert_cmpuint(vda->audited, ==, 64);

    g_assert_true(vdb->plaintext);
    g_assert_cmpint(vdb->audit, ==, REFPOINT_AUDIT_MISMATCH);
    g_assert_cmpint(sda->mode, ==, REFPOINT_MODE_LEFT_OUT);
    g_assert_cmpstr(sda->reason_id, ==, "removable");
    g_assert_false(sda->tracked);
    g_assert_null(rfp_manifest_vm_disk(vm, "vdz"));
}

static void
test_group(void)
{
    g_autofree char *text = golden("group.xml");
    g_autoptr(RfpManifest) manifest = parse(text);
    const RfpManifestVm *first = manifest->vms->pdata[0];
    const RfpManifestVm *second = manifest->vms->pdata[1];

    g_assert_cmpstr(manifest->collection_guid, ==, GROUP_GUID);
    g_assert_cmpstr(manifest->collection_name, ==, "nightly");
    g_assert_cmpint(manifest->moment, ==, REFPOINT_MOMENT_APART);
    g_assert_cmpuint(manifest->window_us, ==, 282080);
    g_assert_cmpuint(manifest->skew_us, ==, 117128);
    g_assert_cmpint(first->consistency, ==, REFPOINT_CONSISTENCY_APPLICATION);
    g_assert_cmpint(first->begun_us - first->frozen_us, ==, 200000);
    g_assert_cmpint(first->thawed_us - first->begun_us, ==, 82080);
    g_assert_cmpint(second->consistency, ==, REFPOINT_CONSISTENCY_CRASH);
    g_assert_cmpint(first->begun_us - second->begun_us, ==, 100000);
    g_assert_cmpint(second->frozen_us, ==, 0);
    g_assert_cmpint(second->thawed_us, ==, 0);
}

/* Elements and attributes of other namespaces, another order, a prefix. */
static void
test_foreign(void)
{
    g_autofree char *text = golden("foreign.xml");
    g_autoptr(RfpManifest) manifest = parse(text);
    RfpManifestVm *vm = manifest->vms->pdata[0];
    RfpManifestDisk *disk = vm->disks->pdata[0];

    g_assert_cmpstr(vm->uuid, ==, VM_UUID);
    g_assert_cmpuint(vm->disks->len, ==, 1);
    g_assert_cmpstr(disk->target, ==, "vda");
    g_assert_cmpuint(disk->view[0], ==, 0xab);
    g_assert_null(disk->source.type);
    g_assert_cmpint(manifest->created_us, ==, 0);
    g_assert_cmpint(manifest->published_us, ==,
                    G_GINT64_CONSTANT(253402300799999999));
}

/* Whatever comes in, what is written can be read. */
static void
test_strange_values(void)
{
    g_autoptr(RfpManifest) manifest = make_full();
    RfpManifestVm *vm = manifest->vms->pdata[0];
    RfpManifestDisk *disk = vm->disks->pdata[0];
    g_autofree char *text = NULL;
    g_autoptr(RfpManifest) again = NULL;

    manifest->created_us = -1;
    manifest->published_us = G_MAXINT64;
    g_free(vm->name);
    vm->name = g_strdup("\x01\xff]]>&amp;\t'\"\r\n");
    g_free(disk->source.path);
    disk->source.path = g_strdup("");
    text = rfp_manifest_format(manifest);
    again = parse(text);
    vm = again->vms->pdata[0];
    disk = vm->disks->pdata[0];
    g_assert_cmpint(again->created_us, ==, 0);
    g_assert_true(g_str_has_suffix(vm->name, "]]>&amp;\t'\"\r\n"));
    g_assert_null(disk->source.path);
}

/* ---- Hostile text -------------------------------------------------------- */

typedef struct {
    const char *golden;
    const char *from; /* the first occurrence becomes... */
    const char *to;
    gboolean by_schema; /* the schema refuses it too */
    RefpointError cause;
} Bad;

static const Bad bad_rows[];
static const gsize n_bad_rows;

static char *
spoil(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    g_autofree char *head = NULL;

    g_assert_nonnull(at);
    head = g_strndup(text, (gsize)(at - text));
    return g_strconcat(head, to, at + strlen(from), NULL);
}

static gboolean
parse_any_of(const char *name, const char *text, gsize length, GError **error)
{
    if (g_str_has_suffix(name, "set.xml")) {
        g_autoptr(RfpSetFile) set =
            rfp_set_file_parse(text, length, name, error);

        return set != NULL;
    }
    if (strcmp(name, "folders.xml") == 0) {
        g_autoptr(GHashTable) folders =
            rfp_folders_parse(text, length, name, error);

        return folders != NULL;
    }
    {
        g_autoptr(RfpManifest) manifest =
            rfp_manifest_parse(text, length, name, error);

        return manifest != NULL;
    }
}

static gboolean
parse_any(const char *name, const char *text, GError **error)
{
    return parse_any_of(name, text, strlen(text), error);
}

static void
test_bad(void)
{
    for (gsize i = 0; i < n_bad_rows; i++) {
        const Bad *row = &bad_rows[i];
        g_autofree char *text = golden(row->golden);
        g_autofree char *bad = spoil(text, row->from, row->to);
        g_autoptr(GError) error = NULL;

        g_test_message("%s: %s -> %s", row->golden, row->from, row->to);
        g_assert_false(parse_any(row->golden, bad, &error));
        g_assert_error(error, REFPOINT_ERROR, (int)row->cause);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, row->golden));
    }
}

/* Every text cut off anywhere is refused, and every byte may be any other. */
static void
test_damaged_bytes(void)
{
    g_autofree char *text = golden("increment.xml");
    gsize length = strlen(text);

    for (gsize i = 0; i < length - 10; i += 7) {
        g_autoptr(GError) error = NULL;

        g_assert_null(rfp_manifest_parse(text, i, "cut", &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    }
    for (gsize i = 0; i < length; i += 3) {
        static const char bytes[] = "\x01<>&\"'/: .09aZ\xff";
        char old = text[i];

        text[i] = bytes[i % (sizeof bytes - 1)];
        {
            g_autoptr(GError) error = NULL;
            g_autoptr(RfpManifest) manifest =
                rfp_manifest_parse(text, length, "changed", &error);

            g_assert_true((manifest == NULL) == (error != NULL));
        }
        text[i] = old;
    }
}

/* ---- Seals --------------------------------------------------------------- */

static void
test_sealed(void)
{
    g_autofree char *text = golden("sealed.xml");
    g_autoptr(RfpManifest) manifest = parse(text);
    g_autofree char *again = rfp_manifest_format(manifest);
    guint8 bytes[RFP_LEAF_SIZE];

    g_assert_cmpstr(again, ==, text);
    g_assert_true(manifest->vouches);
    memset(bytes, 4, sizeof(bytes));
    g_assert_cmpmem(manifest->set_file_sha256, sizeof(bytes), bytes,
                    sizeof(bytes));
    memset(bytes, 5, sizeof(bytes));
    g_assert_cmpmem(manifest->parent_sha256, sizeof(bytes), bytes,
                    sizeof(bytes));
}

/* Earlier versions wrote none. */
static void
test_unsealed(void)
{
    g_autofree char *text = golden("increment.xml");
    g_autoptr(RfpManifest) manifest = parse(text);

    g_assert_false(manifest->vouches);
}

/* Every bit of a sealed file counts. */
static void
test_every_bit(gconstpointer name)
{
    g_autofree char *text =
        strcmp(name, "sealed.xml") == 0 ? golden(name) : sealed(name);
    gsize length = strlen(text);
    g_autoptr(GError) error = NULL;

    g_assert_true(parse_any(name, text, &error));
    for (gsize i = 0; i < 8 * length; i++) {
        text[i / 8] ^= (char)(1 << i % 8);
        if (parse_any_of(name, text, length, &error))
            g_error("byte %" G_GSIZE_FORMAT " of %s", i / 8, (char *)name);
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_clear_error(&error);
        text[i / 8] ^= (char)(1 << i % 8);
    }
}

typedef struct {
    const char *from;
    const char *to;
} Unsealed;

static const Unsealed unsealed_rows[] = {
    {"<integrity", "<integrity xmlns=\"urn:virt-refpoint:integrity:1\" "
                   "set-file=\"0\"/><integrity"},
    {"parent=\"0505", "parentt=\"0505"},
    {" parent=\"1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01\"", ""},
    {"set-file=\"04", "set-file=\"4"},
    {"set-file", "set-fil"},
    {" parent=\"05", " xmlns:x=\"u:x\" x:parent=\"05"},
};

/* What a manifest says of other files is whole, or it is damaged. */
static void
test_integrity(void)
{
    g_autofree char *text = golden("sealed.xml");
    g_autofree char *lost = g_strdup(text);
    g_autoptr(GError) error = NULL;

    strstr(lost, "\n<!-- sha256")[1] = '\0';
    g_assert_false(parse_any("lost", lost, &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "last line"));
    for (gsize i = 0; i < G_N_ELEMENTS(unsealed_rows); i++) {
        g_autofree char *bad =
            spoil(lost, unsealed_rows[i].from, unsealed_rows[i].to);

        bad = rfp_seal_add(g_steal_pointer(&bad));
        g_clear_error(&error);
        g_assert_false(parse_any("bad", bad, &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_test_message("%s", error->message);
    }
}

/* What stands behind the root element is a seal, or nothing. */
static void
test_behind(void)
{
    static const char *const tails[] = {"<!-- x -->\n", "<?x y?>", "\n\n "};

    for (gsize i = 0; i < G_N_ELEMENTS(tails); i++) {
        g_autofree char *text = golden("full.xml");
        g_autofree char *more = g_strconcat(text, tails[i], NULL);
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(parse_any("full.xml", more, &error), ==, i == 2);
    }
}

static void
test_counts(void)
{
    g_autoptr(RfpManifest) manifest = make_full();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *more = NULL;

    for (guint i = 1; i < RFP_MANIFEST_DISKS_MAX; i++) {
        RfpManifestDisk *disk =
            rfp_manifest_vm_add_disk(manifest->vms->pdata[0]);

        disk->target = g_strdup_printf("vd%u", i);
        disk->reason_id = g_strdup("excluded");
    }
    text = rfp_manifest_format(manifest);
    rfp_manifest_free(parse(text));
    rfp_manifest_vm_add_disk(manifest->vms->pdata[0])->target =
        g_strdup("over");
    more = rfp_manifest_format(manifest);
    g_assert_null(rfp_manifest_parse(more, strlen(more), "x", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

/* What a later program adds is passed over, wherever it stands. */
static void
test_later(void)
{
    g_autofree char *text = golden("later.xml");
    g_autofree char *with_seal = rfp_seal_add(g_strdup(text));
    g_autoptr(RfpManifest) manifest = parse(text);
    g_autoptr(RfpManifest) again = parse(with_seal);
    g_autofree char *written = NULL;
    g_autofree char *expected = sealed("full.xml");
    g_autofree char *changed = spoil(with_seal, "holes=\"3\"", "holes=\"4\"");
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(manifest->vms->len, ==, 1);
    g_free(again->generator);
    again->generator = g_strdup("virt-refpoint 0.1.0");
    written = rfp_manifest_format(again);
    g_assert_cmpstr(written, ==, expected);
    g_assert_null(rfp_manifest_parse(changed, strlen(changed), "x", &error));
    g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
}

/* set.xml and folders.xml, too. */
static void
test_later_set(void)
{
    g_autofree char *set_text = golden("set.xml");
    g_autofree char *set_more =
        spoil(set_text, "<vm ", "<herd><vm/></herd><vm id=\"1\" ");
    g_autofree char *folders_text = golden("folders.xml");
    g_autofree char *folders_more =
        spoil(folders_text, "<vm ", "<herd><vm/></herd><vm id=\"1\" ");
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpSetFile) set = NULL;
    g_autoptr(GHashTable) folders = NULL;

    set = rfp_set_file_parse(set_more, strlen(set_more), "set.xml", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(set->vm_uuid, ==, VM_UUID);
    folders = rfp_folders_parse(folders_more, strlen(folders_more),
                                "folders.xml", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(folders), ==, 2);
}

/* A newer program is needed: that is no damage, what is needed is said, and the
 * point's GUID is known all the same. */
static void
test_newer(void)
{
    static const struct {
        const char *golden;
        const char *what;
    } files[] = {
        {"newer-feature.xml", "by-content"},
        {"newer-format.xml", "format 2"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *text = golden(files[i].golden);
        g_autofree char *with_seal = rfp_seal_add(g_strdup(text));
        g_autofree char *changed = spoil(with_seal, "1f0c", "2f0c");
        g_autofree char *other = spoil(text, "guid=\"1f0c", "guid=\"zf0c");
        g_autofree char *twice = spoil(text, "<point ", "<point/><point ");
        g_autofree char *guid = rfp_manifest_peek_guid(text, strlen(text));
        g_autoptr(RefpointFailure) failure = NULL;
        g_autoptr(GError) error = NULL;

        g_assert_cmpstr(guid, ==, POINT_GUID);
        g_assert_null(
            rfp_manifest_parse(with_seal, strlen(with_seal), "x", &error));
        failure = refpoint_failure_new(error);
        g_assert_cmpint(failure->cause, ==, REFPOINT_ERROR_NOT_SUPPORTED);
        g_assert_nonnull(strstr(failure->message, files[i].what));
        g_assert_nonnull(strstr(failure->way_out, "newer virt-refpoint"));
        g_clear_error(&error);
        g_assert_null(
            rfp_manifest_parse(changed, strlen(changed), "x", &error));
        g_assert_error(error, REFPOINT_ERROR, REFPOINT_ERROR_FAILED);
        g_assert_null(rfp_manifest_peek_guid(other, strlen(other)));
        g_assert_null(rfp_manifest_peek_guid(twice, strlen(twice)));
    }
    g_assert_null(rfp_manifest_peek_guid("<export/>", 9));
    g_assert_null(rfp_manifest_peek_guid("<export", 7));
}

/* The number of the point is known if it is one that another can follow. */
static void
test_newer_sequence(void)
{
    static const struct {
        const char *to;
        guint64 sequence;
    } rows[] = {
        {"sequence=\"1\" x=", 1},
        {"sequence=\"9223372036854775806\" x=", G_MAXINT64 - 1},
        {"sequence=\"9223372036854775807\" x=", 0},
        {"sequence=\"0\" x=", 0},
        {"sequence=\"-1\" x=", 0},
        {"x=", 0},
    };
    g_autofree char *text = golden("newer-feature.xml");
    g_autofree char *twice = spoil(text, "<set ", "<set/><set ");

    g_assert_cmpuint(rfp_manifest_peek_sequence(text, strlen(text)), ==, 1);
    g_assert_cmpuint(rfp_manifest_peek_sequence(twice, strlen(twice)), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *other = spoil(text, "sequence=", rows[i].to);

        g_assert_cmpuint(rfp_manifest_peek_sequence(other, strlen(other)), ==,
                         rows[i].sequence);
    }
    g_assert_cmpuint(rfp_manifest_peek_sequence("<export/>", 9), ==, 0);
}

/* ---- Schema -------------------------------------------------------------- */

/* Exit status of xmllint on @path; 0: valid. */
static int
lint(const char *path)
{
    g_autofree char *schema =
        g_test_build_filename(G_TEST_DIST, "..", "..", "data",
                              "refpoint-export.rng", NULL);
    const char *argv[] = {"xmllint", "--nonet", "--noout", "--relaxng",
                          schema,    path,      NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(GSubprocess) process =
        g_subprocess_newv(argv,
                          G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                              G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                          &error);

    g_assert_no_error(error);
    g_subprocess_wait(process, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    return g_subprocess_get_exit_status(process);
}

static gboolean
have_xmllint(void)
{
    g_autofree char *program = g_find_program_in_path("xmllint");

    if (program == NULL)
        g_test_skip("xmllint is missing");
    return program != NULL;
}

static void
test_schema(void)
{
    static const char *const names[] = {"full.xml",    "increment.xml",
                                        "foreign.xml", "sealed.xml",
                                        "set.xml",     "folders.xml",
                                        "later.xml",   "newer-feature.xml",
                                        "group.xml",   "group-set.xml"};

    if (!have_xmllint())
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = golden_path(names[i]);

        g_assert_cmpint(lint(path), ==, 0);
    }
}

static void
test_schema_bad(void)
{
    g_autofree char *folder = NULL;
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;

    if (!have_xmllint())
        return;
    folder = g_dir_make_tmp("refpoint-XXXXXX", &error);
    g_assert_no_error(error);
    path = g_build_filename(folder, "bad.xml", NULL);
    for (gsize i = 0; i < n_bad_rows; i++) {
        const Bad *row = &bad_rows[i];
        g_autofree char *text = golden(row->golden);
        g_autofree char *bad = spoil(text, row->from, row->to);

        g_test_message("%s: %s -> %s", row->golden, row->from, row->to);
        g_file_set_contents(path, bad, -1, &error);
        g_assert_no_error(error);
        g_assert_cmpint(lint(path) != 0, ==, row->by_schema);
    }
    g_unlink(path);
    g_rmdir(folder);
}

/* ---- set.xml, folders.xml, paths ----------------------------------------- */

static void
test_set(void)
{
    g_autofree char *text = golden("set.xml");
    g_autofree char *expected = sealed("set.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpSetFile) set =
        rfp_set_file_parse(text, strlen(text), "set.xml", &error);
    g_autofree char *again = NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(set->guid, ==, "5b0c7a52-52ad-4a0f-9c5e-0d6a4a3f2b11");
    g_assert_cmpstr(set->vm_uuid, ==, VM_UUID);
    g_assert_cmpstr(set->vm_name, ==, "vm1");
    again = rfp_set_file_format(set);
    g_assert_cmpstr(again, ==, expected);
}

static void
test_group_set(void)
{
    g_autofree char *text = golden("group-set.xml");
    g_autofree char *expected = sealed("group-set.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(RfpSetFile) set =
        rfp_set_file_parse(text, strlen(text), "set.xml", &error);
    g_autofree char *again = NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(set->group_guid, ==, GROUP_GUID);
    g_assert_cmpstr(set->group_name, ==, "nightly");
    g_assert_null(set->vm_uuid);
    g_assert_null(set->vm_name);
    again = rfp_set_file_format(set);
    g_assert_cmpstr(again, ==, expected);
}

static void
test_folders(void)
{
    g_autofree char *text = golden("folders.xml");
    g_autofree char *expected = sealed("folders.xml");
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) folders =
        rfp_folders_parse(text, strlen(text), "folders.xml", &error);
    g_autofree char *again = NULL;
    g_autofree char *empty = NULL;
    g_autoptr(GHashTable) none = NULL;

    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(folders), ==, 2);
    g_assert_cmpstr(g_hash_table_lookup(folders, VM_UUID), ==, "vm1");
    again = rfp_folders_format(folders);
    g_assert_cmpstr(again, ==, expected);
    g_hash_table_remove_all(folders);
    empty = rfp_folders_format(folders);
    none = rfp_folders_parse(empty, strlen(empty), "folders.xml", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_hash_table_size(none), ==, 0);
}

static void
test_paths(void)
{
    static const char *const good[] = {"a",    "a/b",    ".a",  "a..b", "...",
                                       "a/.b", "\u00fc", "a b", "-"};
    static const char *const bad[] = {"",     "/",      "/a",   "a/",
                                      "a//b", ".",      "..",   "../a",
                                      "a/..", "a/../b", "./a",  "a/./b",
                                      "a\nb", "\x7f",   "\xff", "a/\xc3"};
    g_autofree char *component = g_strnfill(255, 'x');
    g_autofree char *too_long = g_strnfill(256, 'x');
    g_autofree char *deep = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(rfp_manifest_path_ok(good[i]));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(rfp_manifest_path_ok(bad[i]));
    g_assert_false(rfp_manifest_path_ok(NULL));
    g_assert_true(rfp_manifest_path_ok(component));
    g_assert_false(rfp_manifest_path_ok(too_long));
    deep =
        g_strjoin("/", component, component, component, component, "x", NULL);
    g_assert_false(rfp_manifest_path_ok(deep));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/format", test_format);
    g_test_add_data_func("/manifest/round-trip/full", "full.xml",
                         test_round_trip);
    g_test_add_data_func("/manifest/round-trip/increment", "increment.xml",
                         test_round_trip);
    g_test_add_data_func("/manifest/round-trip/group", "group.xml",
                         test_round_trip);
    g_test_add_func("/manifest/increment", test_increment);
    g_test_add_func("/manifest/group", test_group);
    g_test_add_func("/manifest/group-set", test_group_set);
    g_test_add_func("/manifest/foreign", test_foreign);
    g_test_add_func("/manifest/later", test_later);
    g_test_add_func("/manifest/later-set", test_later_set);
    g_test_add_func("/manifest/newer", test_newer);
    g_test_add_func("/manifest/newer-sequence", test_newer_sequence);
    g_test_add_func("/manifest/strange-values", test_strange_values);
    g_test_add_func("/manifest/bad", test_bad);
    g_test_add_func("/manifest/damaged-bytes", test_damaged_bytes);
    g_test_add_func("/manifest/sealed", test_sealed);
    g_test_add_func("/manifest/unsealed", test_unsealed);
    g_test_add_data_func("/manifest/every-bit/export", "sealed.xml",
                         test_every_bit);
    g_test_add_data_func("/manifest/every-bit/set", "set.xml", test_every_bit);
    g_test_add_data_func("/manifest/every-bit/folders", "folders.xml",
                         test_every_bit);
    g_test_add_func("/manifest/integrity", test_integrity);
    g_test_add_func("/manifest/behind", test_behind);
    g_test_add_func("/manifest/counts", test_counts);
    g_test_add_func("/manifest/schema", test_schema);
    g_test_add_func("/manifest/schema-bad", test_schema_bad);
    g_test_add_func("/manifest/set", test_set);
    g_test_add_func("/manifest/folders", test_folders);
    g_test_add_func("/manifest/paths", test_paths);
    return g_test_run();
}

#define DAMAGE REFPOINT_ERROR_FAILED
#define NEWER REFPOINT_ERROR_NOT_SUPPORTED
#define GUID2 "77d0e15b-1111-4222-8333-444455556666"

static const Bad bad_rows[] = {
    /* the whole */
    {"full.xml", "<?xml", "<!DOCTYPE a><?xml", TRUE, DAMAGE},
    {"full.xml", "</export>", "", TRUE, DAMAGE},
    {"full.xml", "<export ", "<exports ", TRUE, DAMAGE},
    {"full.xml", "urn:virt-refpoint:export:1", "urn:other", TRUE, DAMAGE},
    {"full.xml", "urn:virt-refpoint:export:1", "urn:virt-refpoint:export:2",
     TRUE, NEWER},
    {"full.xml", "format=\"1\"", "format=\"2\"", TRUE, NEWER},
    {"full.xml", "format=\"1\"", "", TRUE, DAMAGE},
    {"full.xml", "format=\"1\"", "format=\"0\"", TRUE, DAMAGE},
    {"full.xml", "format=\"1\"", "format=\"x\"", TRUE, DAMAGE},
    {"full.xml", "format=\"1\"", "format=\"01\"", TRUE, DAMAGE},
    {"full.xml", "format=\"1\"", "format=\"02\"", TRUE, DAMAGE},
    {"full.xml", "urn:virt-refpoint:export:1", "urn:virt-refpoint:export:01",
     TRUE, DAMAGE},
    {"full.xml", "urn:virt-refpoint:export:1", "urn:virt-refpoint:export:x",
     TRUE, DAMAGE},
    {"full.xml", "<generator", "<feature name=\"zstd\"/><generator", FALSE,
     NEWER},
    {"full.xml", "<generator", "<feature/><generator", TRUE, DAMAGE},
    {"full.xml", "<generator", "text<generator", TRUE, DAMAGE},
    {"full.xml", "<generator name=\"virt-refpoint 0.1.0\"/>", "", TRUE, DAMAGE},
    {"full.xml", "virt-refpoint 0.1.0", "", TRUE, DAMAGE},
    /* the point */
    {"full.xml", "sequence=\"1\"", "sequence=\"0\"", TRUE, DAMAGE},
    {"full.xml", "sequence=\"1\"", "sequence=\"-1\"", TRUE, DAMAGE},
    {"full.xml", "sequence=\"1\"", "sequence=\"18446744073709551616\"", TRUE,
     DAMAGE},
    {"full.xml", "sequence=\"1\"", "sequence=\"1\" sequence=\"1\"", TRUE,
     DAMAGE},
    {"full.xml", "sequence=\"1\"", "sequence=\"2\" parent=\"" POINT_GUID "\"",
     FALSE, DAMAGE},
    {"full.xml", "guid=\"1f0c", "guid=\"{1f0c", TRUE, DAMAGE},
    {"full.xml", "guid=\"1f0c", "guid=\"zf0c", TRUE, DAMAGE},
    {"full.xml", "guid=\"5b0c7a52", "guid=\"5b0c7a5", TRUE, DAMAGE},
    {"full.xml", "type=\"rct\"", "type=\"other\"", TRUE, DAMAGE},
    {"full.xml", "application", "none", TRUE, DAMAGE},
    {"full.xml", "<point name=\"2026", "<point name=\"../2026", TRUE, DAMAGE},
    {"full.xml", "name=\"20261121T203000Z-1f0c9a3e\"", "name=\"disks\"", FALSE,
     DAMAGE},
    {"full.xml", "name=\"20261121T203000Z-1f0c9a3e\"", "name=\".x\"", TRUE,
     DAMAGE},
    {"full.xml", "name=\"20261121T203000Z-1f0c9a3e\"", "name=\"x/y\"", TRUE,
     DAMAGE},
    {"full.xml", "2026-11-21T20:30:00.123456Z", "2026-11-21T20:30:00Z", TRUE,
     DAMAGE},
    {"full.xml", "2026-11-21T20:30:00.123456Z", "2026-02-30T20:30:00.123456Z",
     FALSE, DAMAGE},
    {"full.xml", "2026-11-21T20:30:00.123456Z", "1969-11-21T20:30:00.123456Z",
     FALSE, DAMAGE},
    {"full.xml", "2026-11-21T20:30:00.123456Z", "2026-11-21T20:30:00.12345+Z",
     TRUE, DAMAGE},
    {"full.xml", "frozen-us=\"183000\"", "frozen-us=\"1.5\"", TRUE, DAMAGE},
    {"full.xml", "<vm ", "<collection/><vm ", TRUE, DAMAGE},
    {"increment.xml", "<collection",
     "<set guid=\"" GUID2 "\" sequence=\"1\"/>"
     "<collection",
     TRUE, DAMAGE},
    /* VMs */
    {"full.xml", "uuid=\"a4b8", "uuid=\"a4b", TRUE, DAMAGE},
    {"full.xml", "folder=\"vm1\"", "folder=\"..\"", TRUE, DAMAGE},
    {"group.xml", "moment=\"apart\"", "moment=\"near\"", TRUE, DAMAGE},
    {"group.xml", "window-us=\"282080\"", "window-us=\"-1\"", TRUE, DAMAGE},
    {"group.xml", "skew-us=\"117128\"", "skew-us=\"\"", TRUE, DAMAGE},
    {"group.xml", "consistency=\"application\"", "consistency=\"a\"", TRUE,
     DAMAGE},
    {"group.xml", "frozen=\"2026-11-22T", "frozen=\"2026-11-22 ", TRUE, DAMAGE},
    {"group.xml", "begun=\"2026-11-22T", "begun=\"2026-13-22T", FALSE, DAMAGE},
    {"group.xml", "thawed=\"2026", "thawed=\"26", TRUE, DAMAGE},
    {"full.xml", "folder=\"vm1\"", "folder=\"export.xml\"", FALSE, DAMAGE},
    {"full.xml", "folder=\"vm1\"", "folder=\"vm2\"", FALSE, DAMAGE},
    {"increment.xml", "91d1f0a6c1df\"", "91d1f0a6c1de\"", FALSE, DAMAGE},
    {"increment.xml", "91d1f0a6c1df\"", "91D1F0A6C1DE\"", FALSE, DAMAGE},
    {"increment.xml", "folder=\"other\"", "folder=\"b%22%C3%BC\"", FALSE,
     DAMAGE},
    {"increment.xml", "secrets=\"missing\"", "secrets=\"gone\"", TRUE, DAMAGE},
    /* files */
    {"full.xml", "path=\"20261121", "path=\"/20261121", TRUE, DAMAGE},
    {"full.xml", "vm1/domain.xml", "vm1/../domain.xml", FALSE, DAMAGE},
    {"full.xml", "vm1/domain.xml", "vm1//domain.xml", TRUE, DAMAGE},
    {"full.xml", "vm1/domain.xml", "vm1x/domain.xml", FALSE, DAMAGE},
    {"full.xml", "/vm1/domain.xml", "/vm1/a&#10;b", FALSE, DAMAGE},
    {"increment.xml", "checkpoint.xml", "domain.xml", FALSE, DAMAGE},
    {"full.xml", "role=\"config\"", "role=\"a b\"", TRUE, DAMAGE},
    {"full.xml", "size=\"5120\"", "size=\"99999999999999\"", TRUE, DAMAGE},
    {"full.xml", "sha256=\"01", "sha256=\"1", TRUE, DAMAGE},
    {"full.xml", "sha256=\"01", "sha256=\"0g", TRUE, DAMAGE},
    /* disks */
    {"full.xml", "target=\"vda\"", "target=\"v/a\"", TRUE, DAMAGE},
    {"full.xml", "target=\"vda\"", "target=\"\"", TRUE, DAMAGE},
    {"increment.xml", "target=\"vdb\"", "target=\"vda\"", FALSE, DAMAGE},
    {"full.xml", "mode=\"full\"", "mode=\"content\"", TRUE, DAMAGE},
    {"full.xml", "mode=\"full\"", "mode=\"increment\"", TRUE, DAMAGE},
    {"full.xml", "mode=\"full\"", "mode=\"left-out\"", TRUE, DAMAGE},
    {"increment.xml", "mode=\"increment\"", "mode=\"full\"", TRUE, DAMAGE},
    {"increment.xml", "mode=\"left-out\"", "mode=\"full\"", TRUE, DAMAGE},
    {"increment.xml", "<base point=\"1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01\"",
     "<base point=\"" GUID2 "\"", FALSE, DAMAGE},
    {"increment.xml", "<base point=\"1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01\"",
     "<base", TRUE, DAMAGE},
    {"increment.xml", "view=\"0202", "view=\"02", TRUE, DAMAGE},
    {"full.xml", "size=\"268435456\"", "size=\"70368744177665\"", TRUE, DAMAGE},
    {"full.xml", "size=\"268435456\"", "size=\" 268435456\"", FALSE, DAMAGE},
    {"full.xml", "size=\"268435456\"", "", TRUE, DAMAGE},
    {"full.xml", "path=\"disks/vm1/vda/", "path=\"vm1/vda/", TRUE, DAMAGE},
    {"full.xml", "path=\"disks/vm1/vda/", "path=\"disks/../vda/", FALSE,
     DAMAGE},
    {"full.xml", "path=\"disks/vm1/vda/", "path=\"disks/nbd:x", TRUE, DAMAGE},
    {"full.xml", "1f0c9a3e.digests\"", "1f0c9a3e.qcow2\"", FALSE, DAMAGE},
    {"increment.xml", "disks/vm1/vdb/tuesday.qcow2",
     "disks/vm1/vda/tuesday.qcow2", FALSE, DAMAGE},
    {"full.xml", "stored=\"67108864\"", "stored=\"268435457\"", FALSE, DAMAGE},
    {"full.xml", "file-size=\"67502080\"", "", TRUE, DAMAGE},
    {"full.xml", "file-size=\"67502080\"", "file-size=\"140737488355329\"",
     TRUE, DAMAGE},
    {"full.xml", "size=\"41120\"", "size=\"164001\"", FALSE, DAMAGE},
    {"full.xml", "cluster-size=\"65536\"", "cluster-size=\"4096\"", TRUE,
     NEWER},
    {"full.xml", "compression=\"none\"", "compression=\"lz4\"", TRUE, NEWER},
    {"full.xml", "encryption=\"none\"", "encryption=\"luks\"", TRUE, NEWER},
    {"full.xml", "inode=\"1234567\"/>", "inode=\"1\">odd</source>", TRUE,
     DAMAGE},
    {"full.xml", "tracked=\"yes\"", "tracked=\"true\"", TRUE, DAMAGE},
    {"increment.xml", "clusters=\"64\"", "clusters=\"4294967296\"", TRUE,
     DAMAGE},
    {"increment.xml", "result=\"match\"", "result=\"maybe\"", TRUE, DAMAGE},
    /* the set's files */
    {"set.xml", "format=\"1\"", "format=\"9\"", TRUE, NEWER},
    {"set.xml", "<set ", "<folders ", TRUE, DAMAGE},
    {"set.xml", "guid=\"", "guid=\"0", TRUE, DAMAGE},
    {"set.xml", "name=\"vm1\"", "", TRUE, DAMAGE},
    {"group-set.xml", "<group ", "<herd ", TRUE, DAMAGE},
    {"group-set.xml", "<group ", "<vm uuid=\"" VM_UUID "\" name=\"x\"/><group ",
     TRUE, DAMAGE},
    {"group-set.xml", "name=\"nightly\"", "", TRUE, DAMAGE},
    {"set.xml", "<vm ", "<feature name=\"herd\"/><vm ", FALSE, NEWER},
    {"folders.xml", "c1df", "c1de", FALSE, DAMAGE},
    {"folders.xml", "vm1-2", "vm1", FALSE, DAMAGE},
    {"folders.xml", "vm1-2", "a/b", TRUE, DAMAGE},
    {"folders.xml", "vm1-2", "disks", FALSE, DAMAGE},
    {"folders.xml", "<vm ", "<feature name=\"x\"/><vm ", FALSE, NEWER},
};

static const gsize n_bad_rows = G_N_ELEMENTS(bad_rows);
