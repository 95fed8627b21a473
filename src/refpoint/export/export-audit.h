/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The checkpoint's GUID proves the checkpoint, not the image under it. So
 * clusters that the frozen bitmap calls clean are read and compared with the
 * base's digests before an increment is believed (mapping: Identity).
 */
#ifndef RFP_EXPORT_AUDIT_H
#define RFP_EXPORT_AUDIT_H

#include "export/export-member.h"

/* Opens the source of each disk and the base's digests, and compares; a
 * mismatch turns the disk's decision into a full export. */
gboolean
rfp_export_audit(RfpExportMember *member, GError **error);

/* Where QEMU pushes, before the begin: what did not change since the base is
 * then as it was, and later cannot be read any more. Compares more than is
 * wanted, as it is not known yet what the bitmap calls clean. */
gboolean
rfp_export_audit_ahead(RfpExportMember *member, GError **error);

#endif
