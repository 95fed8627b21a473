/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The groups of domains on this host: what all domains record of them
 * (group-xml.h), put together.
 *
 * A change writes a note of a higher generation into each member, old and new,
 * then takes the notes of those away that are no members any more. Where it
 * dies half way the highest generation counts, and whoever looks next completes
 * it: rfp_groups_settle().
 */
#ifndef RFP_GROUP_H
#define RFP_GROUP_H

#include "base/files.h"
#include "virt/domain.h"
#include "virt/group-xml.h"

/* A group as the domains of this host have it. */
typedef struct {
    RfpGroupNote *note;   /* of the highest generation; without members where it
                           * was deleted, and that is not complete yet */
    GPtrArray *unsettled; /* RfpDomain, borrowed: members whose note is missing
                           * or older, running or persistent, and others that
                           * have one */
} RfpGroup;

typedef struct {
    GPtrArray *domains; /* RfpDomain: all of this host */
    GPtrArray *groups;  /* RfpGroup, by name, then by GUID */
} RfpGroups;

/* Asks every domain. A domain that goes away meanwhile is left out. */
RfpGroups *
rfp_groups_load(RefpointConnection *conn, const gint *cancel, GError **error);

/* The same, behind a change that is under way, or died half way: that is
 * completed, where nobody else is at it. */
RfpGroups *
rfp_groups_load_settled(RefpointConnection *conn,
                        const gint *cancel,
                        GError **error);

void
rfp_groups_free(RfpGroups *groups);

/* The group of this name or GUID; borrowed. INVALID_PARAMETER: there is none;
 * INVALID_STATE: several have the name. */
RfpGroup *
rfp_groups_find(const RfpGroups *groups, const char *group, GError **error);

/* The domain of this UUID; borrowed. NULL: it is not here. */
RfpDomain *
rfp_groups_domain(const RfpGroups *groups, const char *uuid);

/* Locks all groups of this host for a change: to be held from before they are
 * loaded until the last note is written. -1 where others have held it for
 * @wait_ms (IN_USE), or it cannot be had. */
RfpFd
rfp_groups_lock(RefpointConnection *conn, guint wait_ms, GError **error);

/* Under the lock: completes a change of this group that died half way. */
gboolean
rfp_group_settle(RfpGroup *group, GError **error);

/* Under the lock: the same for all groups, as far as it can be done. Those that
 * are completely deleted go from the list. */
void
rfp_groups_settle(RfpGroups *groups);

/* Writes @note into one domain, running and persistent. */
gboolean
rfp_group_store(RfpDomain *domain, const RfpGroupNote *note, GError **error);

/* Takes the note of the group @guid out of a domain. */
gboolean
rfp_group_remove(RfpDomain *domain, const char *guid, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpGroups, rfp_groups_free)

#endif
