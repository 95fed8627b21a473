/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Push mode. A QEMU that would die of a client of its NBD server (see
 * qemu-version.h) is not asked to serve the data, but to write it into images
 * of ours, which lie where scratch files do: the set's folders are closed to
 * QEMU, and what QEMU had open once is no place for a backup. When they are
 * complete the job is over, and the set's images are made from them as from any
 * other source.
 */
#ifndef RFP_ORIGIN_PUSH_H
#define RFP_ORIGIN_PUSH_H

#include "export/export-member.h"

extern const RfpOrigin rfp_origin_push;

/* The last word of the plan: whether QEMU may serve the disks. If not, this
 * becomes the member's origin, where some disks have to be exported in full; or
 * NOT_SUPPORTED where QEMU cannot write them. */
gboolean
rfp_origin_choose_push(RfpExportMember *member, GError **error);

#endif
