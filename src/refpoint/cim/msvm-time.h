/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CIM datetime, 25 characters; pure.
 *
 *   yyyymmddHHMMSS.mmmmmm+UUU   a time; UUU: minutes from UTC
 *   ddddddddHHMMSS.mmmmmm:000   an interval
 */
#ifndef RFP_MSVM_TIME_H
#define RFP_MSVM_TIME_H

#include <glib.h>

/* @us: microseconds since the epoch, printed in UTC. Free with g_free(). */
char *
rfp_msvm_time_format(gint64 us);

/* @us: microseconds. Free with g_free(). */
char *
rfp_msvm_interval_format(guint64 us);

/* The two back into microseconds; FALSE where @text is not a time, or not an
 * interval. */
gboolean
rfp_msvm_time_parse(const char *text, gint64 *us);

gboolean
rfp_msvm_interval_parse(const char *text, guint64 *us);

/* Whether @text is a time or an interval, in which digits that do not count may
 * be "*", as in CIM. */
gboolean
rfp_msvm_time_check(const char *text);

#endif
