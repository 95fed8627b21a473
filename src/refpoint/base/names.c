/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/names.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define NAME_CHARACTERS G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.+-"
#define GUID_LENGTH 36
#define UUID_BYTES 16

/* What stands in a set beside the folders of points. */
static const char *const taken_in_set[];
/* What stands in a point's folder beside the folders of VMs. */
static const char *const taken_in_point[];

static gboolean
refuse_name(GError **error, const char *name, const char *rule)
{
    g_autofree char *shown = rfp_text_clean(name);

    rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                  _("'%s' cannot be used as a name: %s"), shown, rule);
    return FALSE;
}

gboolean
rfp_name_check_form(const char *name, GError **error)
{
    if (name == NULL || !*name)
        return refuse_name(error, "", _("it is empty"));
    if (strlen(name) > RFP_NAME_MAX)
        return refuse_name(error, name, _("it is longer than 128 bytes"));
    if (name[0] == '.' || name[0] == '-')
        return refuse_name(error, name, _("it begins with '.' or '-'"));
    if (name[strspn(name, NAME_CHARACTERS)])
        return refuse_name(error, name,
                           _("only A-Z a-z 0-9 _ . + - are allowed in it"));
    return TRUE;
}

gboolean
rfp_name_check(const char *name, GError **error)
{
    if (!rfp_name_check_form(name, error))
        return FALSE;
    if (g_strv_contains(taken_in_set, name))
        return refuse_name(error, name,
                           _("the export set uses this name itself"));
    return TRUE;
}

char *
rfp_name_default(gint64 time_us, const char *guid)
{
    gint64 seconds = time_us / G_USEC_PER_SEC;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(seconds);
    g_autofree char *start = g_strndup(guid, 8);
    g_autofree char *digits = g_ascii_strdown(start, -1);
    g_autofree char *stamp = NULL;

    if (time == NULL)
        time = g_date_time_new_from_unix_utc(0);
    stamp = g_date_time_format(time, "%Y%m%dT%H%M%SZ");
    return g_strdup_printf("%s-%s", stamp, digits);
}

char *
rfp_guid_new(void)
{
    return g_uuid_string_random();
}

gboolean
rfp_guid_check(const char *guid)
{
    gsize i = 0;

    if (guid == NULL || strlen(guid) != GUID_LENGTH)
        return FALSE;
    for (i = 0; i < GUID_LENGTH; i++) {
        gboolean dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? guid[i] != '-' : !g_ascii_isxdigit(guid[i]))
            return FALSE;
    }
    return TRUE;
}

gboolean
rfp_guid_equal(const char *a, const char *b)
{
    return a != NULL && b != NULL && g_ascii_strcasecmp(a, b) == 0;
}

static void
guid_to_bytes(const char *guid, guint8 bytes[UUID_BYTES])
{
    gsize i = 0;

    memset(bytes, 0, UUID_BYTES);
    for (; *guid && i < 2 * UUID_BYTES; guid++) {
        int digit = g_ascii_xdigit_value(*guid);

        if (digit < 0)
            continue;
        bytes[i / 2] = (guint8)(bytes[i / 2] << 4 | digit);
        i++;
    }
}

static char *
guid_from_bytes(const guint8 bytes[UUID_BYTES])
{
    GString *guid = g_string_sized_new(GUID_LENGTH);
    gsize i = 0;

    for (i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            g_string_append_c(guid, '-');
        g_string_append_printf(guid, "%02x", bytes[i]);
    }
    return g_string_free(guid, FALSE);
}

char *
rfp_guid_of_foreign(const char *domain_uuid, gint64 created, const char *name)
{
    g_autoptr(GChecksum) sha1 = g_checksum_new(G_CHECKSUM_SHA1);
    g_autofree char *text = g_strdup_printf("%" PRId64 "/%s", created, name);
    guint8 bytes[UUID_BYTES];
    guint8 digest[20];
    gsize length = sizeof(digest);

    guid_to_bytes(domain_uuid, bytes);
    g_checksum_update(sha1, bytes, sizeof(bytes));
    g_checksum_update(sha1, (const guint8 *)text, (gssize)strlen(text));
    g_checksum_get_digest(sha1, digest, &length);
    digest[6] = (digest[6] & 0x0f) | 0x50; /* version 5 */
    digest[8] = (digest[8] & 0x3f) | 0x80;
    return guid_from_bytes(digest);
}

static gboolean
kept(const char *name, gsize i)
{
    if (i == 0 && (*name == '.' || *name == '-'))
        return FALSE;
    if (i == 0 && (g_strv_contains(taken_in_set, name) ||
                   g_strv_contains(taken_in_point, name)))
        return FALSE;
    return strchr(NAME_CHARACTERS, name[i]) != NULL;
}

/* At most @room bytes of @name's encoding, no escape cut; *@whole tells
 * whether all of it fitted. */
static char *
encode(const char *name, gsize room, gboolean *whole)
{
    GString *folder = g_string_new(NULL);
    gsize i = 0;

    for (i = 0; name[i]; i++) {
        gboolean keep = kept(name, i);

        if (folder->len + (keep ? 1 : 3) > room)
            break;
        if (keep)
            g_string_append_c(folder, name[i]);
        else
            g_string_append_printf(folder, "%%%02X", (guint8)name[i]);
    }
    *whole = !name[i];
    return g_string_free(folder, FALSE);
}

/* With @suffix at its end, shortened so that both have room. */
static char *
make_folder(const char *name, const char *uuid, const char *suffix)
{
    gsize room = RFP_FOLDER_MAX - strlen(suffix);
    gboolean whole = FALSE;
    g_autofree char *folder = encode(name, room, &whole);
    g_autofree char *id = NULL;

    if (whole && *folder)
        return g_strconcat(folder, suffix, NULL);
    id = g_ascii_strdown(rfp_guid_check(uuid) ? uuid : "_", -1);
    g_free(folder);
    folder = encode(name, room - strlen(id) - 1, &whole);
    return g_strconcat(folder, *folder ? "-" : "", id, suffix, NULL);
}

char *
rfp_folder_name(const char *name,
                const char *uuid,
                gboolean (*taken)(const char *folder, gpointer opaque),
                gpointer opaque)
{
    char *folder = make_folder(name, uuid, "");
    guint n = 2;

    for (; taken != NULL && taken(folder, opaque) && n < G_MAXUINT; n++) {
        g_autofree char *suffix = g_strdup_printf("-%u", n);

        g_free(folder);
        folder = make_folder(name, uuid, suffix);
    }
    return folder;
}

static const char *const taken_in_set[] = {
    "disks", "folders.xml", "lost+found", "set.xml", NULL,
};

static const char *const taken_in_point[] = {
    "export.xml",
    NULL,
};
