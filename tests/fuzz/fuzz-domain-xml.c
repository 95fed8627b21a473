/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include "virt/domain-xml.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = fuzz_text(data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) other = NULL;
    g_autoptr(RfpDomainXml) domain = rfp_domain_xml_parse(text, &error);
    g_autofree char *stripped = rfp_domain_xml_strip(text, &other);

    fuzz_check(domain != NULL, error);
    fuzz_check(stripped != NULL, other);
    if (domain != NULL)
        rfp_domain_xml_disk(domain, "vda");
    return 0;
}
