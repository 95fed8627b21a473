/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text for people: names, sizes, times, what a terminal shows of them; and
 * writing it. Strings returned are freed with g_free(). */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "refpoint.h"

/* @text with what could steer a terminal, or reverse what is read, shown as an
 * escape; NULL and "" as "-". */
char *
output_clean(const char *text);

/* A path for scripts: as it is, unless standard output is a terminal. */
char *
output_path(const char *path);

/* Columns on a terminal. */
guint
output_width(const char *text);

/* Appends @text and spaces up to @width columns. */
void
output_pad(GString *out, const char *text, guint width);

/* Cuts @text to at most @width columns. */
void
output_cut(GString *text, guint width);

/* "1.25 GiB" */
char *
output_size(guint64 bytes);

/* Local time, as virsh shows it. */
char *
output_time(gint64 seconds);

/* The same from ISO 8601; what is none comes back as it is, made harmless. */
char *
output_iso_time(const char *iso);

/* "0.12 s" */
char *
output_duration(guint64 microseconds);

/* What keeps the data of a point now, and how long: "held", "kept, 9:32 left",
 * NULL for nothing. */
char *
output_data(const RefpointPoint *point);

/* Translated words. */
const char *
output_mode(RefpointMode mode);

const char *
output_consistency(RefpointConsistency consistency);

/* With a word on bitmaps that are broken. Free with g_free(). */
char *
output_state(const RefpointPoint *point);

const char *
output_bitmap(RefpointBitmap bitmap);

/* "Label:   value" lines, aligned: NULL-terminated pairs of label, value.
 * Values are made harmless. */
void
output_facts(GString *out, const char *label, ...) G_GNUC_NULL_TERMINATED;

/* Writes all of it to a descriptor, also a non-blocking one. FALSE sets
 * errno. */
gboolean
output_write(int fd, const char *text, gsize length);

/* One line on standard error, as far as that is possible. */
void
output_complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
