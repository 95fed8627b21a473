/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "virt/checkpoint-xml.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) other = NULL;
    g_autoptr(RfpCheckpointXml) checkpoint =
        rfp_checkpoint_xml_parse(text, &error);
    g_autofree char *domain = rfp_checkpoint_xml_domain(text, &other);
    g_autofree char *guid = NULL;
    g_autofree char *set = NULL;

    fuzz_check(checkpoint != NULL, error);
    if (domain != NULL)
        fuzz_check(TRUE, other);
    rfp_checkpoint_mark_parse(text, &guid, &set);
    if (checkpoint != NULL)
        rfp_checkpoint_xml_disk(checkpoint, "vda");
    return 0;
}
