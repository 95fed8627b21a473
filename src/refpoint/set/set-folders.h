/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* folders.xml of a set: which folder belongs to which VM. */
#ifndef RFP_SET_FOLDERS_H
#define RFP_SET_FOLDERS_H

#include "set/export-set.h"

/*
 * The folder that the VM has in the set and in each of its points. It is chosen
 * at the VM's first export, out of the domain's name @name, and never changes
 * after that; folders.xml has it, and so has each manifest. Where folders.xml
 * is missing or damaged, or does not agree with the manifests, it is written
 * again from them, and *@mended says what was wrong with it; else *@mended is
 * NULL. Free both texts with g_free(). NOT_SUPPORTED: folders.xml needs a newer
 * program, or it would have to be written again, and a point needs a newer
 * program, so that not all manifests can be read.
 */
char *
rfp_export_set_vm_folder(RfpExportSet *set,
                         const char *uuid,
                         const char *name,
                         char **mended,
                         GError **error);

/* Whether rfp_export_set_vm_folder() could tell the folder of a VM; changes
 * nothing. */
gboolean
rfp_export_set_check_folders(RfpExportSet *set, GError **error);

#endif
