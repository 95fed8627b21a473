/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of options; pure. Errors name the option and the value and are of
 * G_OPTION_ERROR. */
#ifndef VALUE_H
#define VALUE_H

#include "refpoint.h"

/* A decimal number from @min to @max. */
gboolean
value_parse_count(const char *option,
                  const char *value,
                  guint min,
                  guint max,
                  guint *count,
                  GError **error);

/* Bytes, with a suffix as virsh takes it: none or B (1), K or KiB (1024), KB
 * (1000), and M, G, T, P, E likewise, in either case. */
gboolean
value_parse_bytes(const char *option,
                  const char *value,
                  guint64 *bytes,
                  GError **error);

/* A number of clusters, "none" or "all". */
gboolean
value_parse_audit(const char *option,
                  const char *value,
                  guint *audit,
                  GError **error);

/* "none", "zstd" or "zstd:LEVEL". */
gboolean
value_parse_compress(const char *option,
                     const char *value,
                     RefpointCompress *compress,
                     int *level,
                     GError **error);

/* As value_parse_bytes(), with "/s" behind it or not; at least 1. */
gboolean
value_parse_rate(const char *option,
                 const char *value,
                 guint64 *rate,
                 GError **error);

gboolean
value_parse_quiesce(const char *option,
                    const char *value,
                    RefpointQuiesce *quiesce,
                    GError **error);

/* No value twice, none that is in @others too. Either list may be NULL. */
gboolean
value_check_targets(const char *option,
                    char **targets,
                    const char *other_option,
                    char **others,
                    GError **error);

#endif
