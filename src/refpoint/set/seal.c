/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "set/seal.h"
#include "image/digest.h"

#include <string.h>

#define HEAD "<!-- sha256 "
#define TAIL " -->\n"
#define HEAD_LENGTH (sizeof(HEAD) - 1)
#define TAIL_LENGTH (sizeof(TAIL) - 1)
#define HEX_LENGTH ((gsize)2 * RFP_LEAF_SIZE)
#define LINE_LENGTH (HEAD_LENGTH + HEX_LENGTH + TAIL_LENGTH)

/* The line that belongs behind @text. Free with g_free(). */
static char *
make_line(const char *text, gsize length)
{
    g_autofree char *hex = NULL;
    guint8 digest[RFP_LEAF_SIZE];

    rfp_sha256(text, length, digest);
    hex = rfp_digest_to_hex(digest);
    return g_strconcat(HEAD, hex, TAIL, NULL);
}

char *
rfp_seal_add(char *text)
{
    g_autofree char *before = text;
    g_autofree char *line = make_line(text, strlen(text));

    return g_strconcat(before, line, NULL);
}

/* Whether the last that is not white space is the end of an element. */
static gboolean
ends_with_element(const char *text, gsize length)
{
    gsize start;

    while (length > 0 && g_ascii_isspace(text[length - 1]))
        length--;
    if (length < 2 || text[length - 1] != '>')
        return FALSE;
    if (text[length - 2] == '/')
        return TRUE;
    for (start = length - 1; start > 0 && text[start] != '<'; start--)
        ;
    return text[start] == '<' && text[start + 1] == '/';
}

/* The line that @text ends with, or NULL if that is no seal. */
static const char *
find_line(const char *text, gsize length)
{
    const char *line =
        length > LINE_LENGTH ? text + length - LINE_LENGTH : NULL;

    if (line == NULL || line[-1] != '\n' ||
        memcmp(line, HEAD, HEAD_LENGTH) != 0 ||
        memcmp(text + length - TAIL_LENGTH, TAIL, TAIL_LENGTH) != 0)
        return NULL;
    return line;
}

RfpSeal
rfp_seal_check(const char *text, gsize length)
{
    const char *line = find_line(text, length);
    g_autofree char *wanted = NULL;

    if (line == NULL)
        return ends_with_element(text, length) ? RFP_SEAL_NONE : RFP_SEAL_OTHER;
    wanted = make_line(text, (gsize)(line - text));
    return memcmp(line, wanted, LINE_LENGTH) == 0 ? RFP_SEAL_GOOD
                                                  : RFP_SEAL_WRONG;
}
