/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading an instance from its text, CIM DTD 2.0 XML as msvm-instance.h prints
 * it; pure. The text comes from outside: it is bounded in size and depth, and
 * may have neither entities nor a DTD.
 */
#ifndef RFP_MSVM_INSTANCE_READ_H
#define RFP_MSVM_INSTANCE_READ_H

#include "cim/msvm-instance.h"

#define RFP_MSVM_INSTANCE_SIZE_MAX (1024 * 1024) /* bytes, as handed in */
#define RFP_MSVM_INSTANCE_DEPTH_MAX                                            \
    32 /* levels of XML, with those of embedded                                \
        * instances */

/*
 * Reads one instance of the class @expected, or of one derived from it. @text:
 * @length bytes, UTF-8, or UTF-16 of either order. Qualifiers and system
 * properties ("__PATH") are passed over. INCORRECT_TYPE: the instance is of
 * another class, has a property that its class has not, or one of a wrong type.
 * INVALID_PARAMETER: the text is not well-formed, too large or too deep, or has
 * entities or a DTD.
 */
RfpMsvmInstance *
rfp_msvm_instance_parse(const char *text,
                        gsize length,
                        const char *expected,
                        GError **error);

/* The same for a text that was found inside another one: @depth levels of XML
 * are around it, and count towards the limit. */
RfpMsvmInstance *
rfp_msvm_instance_parse_below(const char *text,
                              gsize length,
                              const char *expected,
                              guint depth,
                              GError **error);

#endif
