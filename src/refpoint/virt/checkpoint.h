/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checkpoints of a domain. */
#ifndef RFP_CHECKPOINT_H
#define RFP_CHECKPOINT_H

#include "virt/checkpoint-xml.h"
#include "virt/domain.h"

/* All checkpoints, oldest first (parents before children): GPtrArray of
 * RfpCheckpointXml with its free function. @sizes: ask for the bytes changed
 * (and so for the health of the bitmaps) where the domain runs. */
GPtrArray *
rfp_checkpoint_list(RfpDomain *domain, gboolean sizes, GError **error);

/* Asks for the sizes of one in such a list, once: each answer costs libvirt a
 * look through all block nodes. Where there are none, because the domain is not
 * running or the checkpoint is gone, the bitmaps count as not usable. FALSE:
 * libvirt did not say, somebody else keeps it busy. */
gboolean
rfp_checkpoint_measure(RfpDomain *domain,
                       RfpCheckpointXml *checkpoint,
                       GError **error);

/* How many bytes of a disk changed since the checkpoint @name, until now.
 * FALSE: its bitmap is not usable, or nobody can tell. */
gboolean
rfp_checkpoint_changed(RfpDomain *domain,
                       const char *name,
                       const char *target,
                       guint64 *changed);

/* In such a list, among ours; NULL if there is none. */
RfpCheckpointXml *
rfp_checkpoint_find_guid(GPtrArray *checkpoints, const char *guid);

/* The same among all, foreign ones by their weak GUID. */
RfpCheckpointXml *
rfp_checkpoint_find_any_guid(RfpDomain *domain,
                             GPtrArray *checkpoints,
                             const char *guid);

/* The same by name or GUID, as users name a point; INVALID_PARAMETER if there
 * is none. */
RfpCheckpointXml *
rfp_checkpoint_find(RfpDomain *domain,
                    GPtrArray *checkpoints,
                    const char *point,
                    GError **error);

/* INVALID_PARAMETER, with the way out: the domain has no such point. */
void
rfp_checkpoint_set_unknown(RfpDomain *domain,
                           const char *point,
                           GError **error);

/* The GUID of a checkpoint: its own, or the weak one of a foreign checkpoint.
 * Free with g_free(). */
char *
rfp_checkpoint_guid(RfpDomain *domain, const RfpCheckpointXml *checkpoint);

/* The XML of one, as libvirt prints it now. NULL without error if there is
 * none of that name. Free with g_free(). */
char *
rfp_checkpoint_xml_text(RfpDomain *domain, const char *name, GError **error);

/*
 * Deletes the checkpoint @name if its GUID is @guid; another or no checkpoint
 * of that name is success: there is nothing of ours. A bitmap that is gone
 * ("not found in backing chain") does not keep the metadata.
 */
gboolean
rfp_checkpoint_delete(RfpDomain *domain,
                      const char *name,
                      const char *guid,
                      GError **error);

/* The same of the metadata alone: bitmaps stay as they are. */
gboolean
rfp_checkpoint_forget(RfpDomain *domain,
                      const char *name,
                      const char *guid,
                      GError **error);

/* Makes one outside of a backup job. */
gboolean
rfp_checkpoint_create(RfpDomain *domain, const char *xml, GError **error);

/* Makes the metadata of one whose bitmaps are there; @validate: libvirt looks
 * at them, which takes an active domain. A bitmap that is missing or broken is
 * VIR_ERR_CHECKPOINT_INCONSISTENT. */
gboolean
rfp_checkpoint_redefine(RfpDomain *domain,
                        const char *xml,
                        gboolean validate,
                        GError **error);

#endif
