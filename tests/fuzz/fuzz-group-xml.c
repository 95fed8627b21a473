/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "virt/group-xml.h"

#define UUID "6f2d3c1e-9f4b-4a55-8f0e-0d6a2b7c9d10"

/* What was read and is written again says the same. */
static void
check_note(const RfpGroupNote *note)
{
    g_autofree char *uri = rfp_group_uri(note->guid);
    g_autofree char *element = rfp_group_note_format(note, UUID);
    g_autofree char *xml = g_strdup_printf(
        "<domain><metadata><group xmlns='%s' %s</metadata></domain>", uri,
        element + sizeof("<group"));
    g_autoptr(GPtrArray) again = rfp_group_notes_parse(xml, UUID);

    if (again->len != 1 ||
        rfp_group_note_compare(note, g_ptr_array_index(again, 0)) != 0)
        g_error("what was read is not what is written");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autoptr(GPtrArray) notes = rfp_group_notes_parse(text, UUID);

    for (guint i = 0; i < notes->len; i++)
        check_note(g_ptr_array_index(notes, i));
    return 0;
}
