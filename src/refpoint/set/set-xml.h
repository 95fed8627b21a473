/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The two files that a set has beside the manifests of its points: set.xml,
 * which says whose set it is, and folders.xml, the table of the folders of VMs.
 * Structures and XML, both directions; no files are touched here. Documented
 * in refpoint-export(5) and data/refpoint-export.rng.
 */
#ifndef RFP_SET_XML_H
#define RFP_SET_XML_H

#include <glib.h>

/* set.xml. A set belongs to one VM or to one group of VMs: either @vm_uuid and
 * @vm_name or @group_guid and @group_name are NULL. */
typedef struct {
    char *guid;
    char *vm_uuid;
    char *vm_name; /* when the set was made */
    char *group_guid;
    char *group_name; /* when the set was made */
} RfpSetFile;

char *
rfp_set_file_format(const RfpSetFile *set);

RfpSetFile *
rfp_set_file_parse(const char *text,
                   gsize length,
                   const char *what,
                   GError **error);

void
rfp_set_file_free(RfpSetFile *set);

/* folders.xml: a hash table from VM UUID to folder, both owned. */
char *
rfp_folders_format(GHashTable *folders);

GHashTable *
rfp_folders_parse(const char *text,
                  gsize length,
                  const char *what,
                  GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(RfpSetFile, rfp_set_file_free)

#endif
