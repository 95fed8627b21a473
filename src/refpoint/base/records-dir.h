/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the records of a session daemon are.
 *
 * A user has one daemon for each runtime directory, but records are below a
 * home, or XDG_STATE_HOME, which cron or a script may set otherwise than a
 * login: an operation that died would not be known, and one that lives would
 * not be met. So whoever comes first leaves a link to his folder in the runtime
 * directory, and all others take that one for as long as the directory lasts.
 * Both folders are this user's and nobody else's, or they do not count.
 */
#ifndef RFP_RECORDS_DIR_H
#define RFP_RECORDS_DIR_H

#include "base/error.h"

/* The folder that counts: the one linked to in @runtime_dir, else @own. Free
 * with g_free(). */
char *
rfp_records_dir_find(const char *runtime_dir, const char *own);

/* The same for who is about to record something: where there is no link, it is
 * made, to @own, with both folders. NULL: neither could be. */
char *
rfp_records_dir_claim(const char *runtime_dir, const char *own, GError **error);

#endif
