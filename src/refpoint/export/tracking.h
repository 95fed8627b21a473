/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which disks can be exported, and of which libvirt can track the changes:
 * asked here by all who make a point, so that they give one answer.
 */
#ifndef RFP_TRACKING_H
#define RFP_TRACKING_H

#include "export/plan.h"
#include "virt/domain.h"

/* Why @disk cannot be exported; NONE if it can. @allow_plaintext: what is
 * encrypted may be written in the clear. */
RfpReason
rfp_tracking_unusable(const RfpDomainDisk *disk, gboolean allow_plaintext);

/*
 * Why no bitmap can be made for @disk; NONE if one can. The version of an image
 * stands in the top image of its chain, which is looked at. Where it cannot be
 * read (it comes from the network, or belongs to somebody else) the answer is
 * NONE, and QEMU has the last word: rfp_tracking_refused().
 */
RfpReason
rfp_tracking_refusal(RfpDomain *domain, const RfpDomainDisk *disk);

/* The disk that QEMU made no bitmap for because of its image's version, out of
 * the @error of a begin; NULL if it is about something else. @domain: the live
 * XML from before the begin. */
RfpDomainDisk *
rfp_tracking_refused(RfpDomainXml *domain, const GError *error);

/*
 * Where QEMU made no bitmap @name because there is one, as @error of a begin
 * says: adds the disks that have it, which is one of no checkpoint, and how it
 * is removed. Runs qemu-img: not while the guest is frozen.
 */
void
rfp_tracking_explain_bitmap(RfpDomain *domain,
                            const RfpDomainXml *xml,
                            const char *name,
                            GError **error);

/* Sets the error of a domain of which no disk can be tracked. */
void
rfp_tracking_set_none(RfpDomain *domain,
                      const RfpDomainXml *xml,
                      GError **error);

/* What converts the image of @disk, as a way out of @error. */
void
rfp_tracking_add_conversion(RfpDomain *domain,
                            const RfpDomainDisk *disk,
                            GError **error);

#endif
