/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cim/msvm-id.h"

#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/text.h"

#define GUID_LENGTH 36

/* What stands behind the GUID and a "/". */
typedef enum {
    NOTHING,
    GUID,
    TARGET,
} Part;

typedef struct {
    const char *prefix;
    Part part;
    const char *what; /* translatable */
} Kind;

static const Kind kinds[6];

char *
rfp_msvm_id_format(RfpMsvmIdKind kind, const char *guid, const char *part)
{
    const Kind *row = &kinds[kind];
    g_autofree char *lower = g_ascii_strdown(guid, -1);
    g_autofree char *behind = NULL;

    if (row->part == NOTHING)
        return g_strconcat(row->prefix, ":", lower, NULL);
    behind = row->part == GUID ? g_ascii_strdown(part, -1) : g_strdup(part);
    return g_strconcat(row->prefix, ":", lower, "/", behind, NULL);
}

static gboolean
check_target(const char *target)
{
    gsize length = strspn(target, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-");

    return length > 0 && length <= RFP_MSVM_TARGET_MAX &&
           target[length] == '\0';
}

static gboolean
check_part(Part kind, const char *part)
{
    if (kind == NOTHING)
        return part == NULL;
    if (part == NULL)
        return FALSE;
    return kind == GUID ? rfp_guid_check(part) : check_target(part);
}

/* The text behind "prefix:", or NULL. */
static const char *
skip_prefix(const char *text, const char *prefix)
{
    gsize length = strlen(prefix);

    if (strnlen(text, RFP_MSVM_ID_MAX + 1) > RFP_MSVM_ID_MAX)
        return NULL;
    if (g_ascii_strncasecmp(text, prefix, length) != 0 || text[length] != ':')
        return NULL;
    return text + length + 1;
}

gboolean
rfp_msvm_id_parse(RfpMsvmIdKind kind,
                  const char *text,
                  char **guid,
                  char **part,
                  GError **error)
{
    const Kind *row = &kinds[kind];
    const char *rest = skip_prefix(text, row->prefix);
    const char *slash = rest != NULL ? strchr(rest, '/') : NULL;
    gsize length = slash != NULL ? (gsize)(slash - rest) : GUID_LENGTH;
    g_autofree char *first = rest != NULL ? g_strndup(rest, length) : NULL;

    if (first == NULL || !rfp_guid_check(first) ||
        (slash == NULL && rest[GUID_LENGTH] != '\0') ||
        !check_part(row->part, slash != NULL ? slash + 1 : NULL)) {
        g_autofree char *begin = g_strndup(text, RFP_MSVM_ID_MAX);
        g_autofree char *shown = rfp_text_clean(begin);

        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER,
                      _("'%s' is not the id of a %s"), shown, _(row->what));
        return FALSE;
    }
    *guid = g_ascii_strdown(first, -1);
    if (row->part == GUID)
        *part = g_ascii_strdown(slash + 1, -1);
    else if (row->part == TARGET)
        *part = g_strdup(slash + 1);
    else if (part != NULL)
        *part = NULL;
    return TRUE;
}

static const Kind kinds[6] = {
    [RFP_MSVM_ID_POINT] = {"refpoint", GUID, N_("reference point")},
    [RFP_MSVM_ID_DISK] = {"refpoint-disk", TARGET, N_("disk")},
    [RFP_MSVM_ID_RCT] = {"refpoint-rct", TARGET, N_("disk's change tracking")},
    [RFP_MSVM_ID_GROUP] = {"refpoint-group", NOTHING, N_("group of domains")},
    [RFP_MSVM_ID_COLLECTION] = {"refpoint-collection", NOTHING,
                                N_("reference point collection")},
    [RFP_MSVM_ID_JOB] = {"refpoint-job", NOTHING, N_("job")},
};
