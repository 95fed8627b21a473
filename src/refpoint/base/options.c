/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/options.h"
#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* No structure of options will be longer than this. A larger size is what lay
 * in memory that was never initialised: nothing must be read so far. */
#define SIZE_MAX_SANE 4096

static gboolean
is_zero_from(const char *bytes, gsize from, gsize to)
{
    for (gsize i = from; i < to; i++)
        if (bytes[i] != 0)
            return FALSE;
    return TRUE;
}

/* Why @given cannot be used; NULL if it can. */
static const char *
refusal(gsize known_size, gsize whole_size, gconstpointer given)
{
    gsize size = 0;

    if (given == NULL)
        return _("there are no options");
    memcpy(&size, given, sizeof(size));
    if (size < sizeof(size) || size > SIZE_MAX_SANE)
        return _("the options do not begin with their size: they have to be "
                 "initialised");
    if (!is_zero_from(given, known_size,
                      MIN(size, known_size + sizeof(guint))) ||
        !is_zero_from(given, whole_size, size))
        return _("the options are of a newer library: this one does not know "
                 "all that they ask for");
    return NULL;
}

gboolean
rfp_options_take(gpointer known,
                 gsize known_size,
                 gsize whole_size,
                 gconstpointer given,
                 GError **error)
{
    const char *wrong = refusal(known_size, whole_size, given);
    gsize size = 0;

    if (wrong != NULL) {
        rfp_error_set(error, REFPOINT_ERROR_INVALID_PARAMETER, "%s", wrong);
        return FALSE;
    }
    memcpy(&size, given, sizeof(size));
    memset(known, 0, known_size);
    memcpy(known, given, MIN(size, known_size));
    return TRUE;
}
